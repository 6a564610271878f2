-- Enterprises and their parts own accounts, groups, campaigns and tokens; every change by a person or a program is
-- on record. The first enterprise (id 1) owns all that was here before.
--
-- Three tables are rebuilt, because their checks and unique columns cannot be changed. The program runs migrations
-- with foreign keys off, so a dropped table takes no row of another with it; the end of this file checks that no
-- reference to a rebuilt table broke, in the transaction of the migration.

create table organisation (
    id integer primary key,
    -- Empty = an enterprise; else the enterprise that this is a part of.
    parent_id bigint references organisation (id),
    slug text not null unique,
    name text not null,
    -- A JSON object.
    settings text not null default '{}',
    state text not null default 'active' check (state in ('active', 'suspended')),
    made_at bigint not null,
    version bigint not null default 1,
    changed_at bigint,
    changed_by bigint
);
-- Analysts who read whole numbers so far go on to do so.
insert into organisation (id, slug, name, settings, made_at)
    select 1, 'main', 'Main',
           case when exists (select 1 from agent where agent.role = 'analyst')
                  or exists (select 1 from api_token where api_token.role = 'analyst')
                then '{"analysts_read_numbers":true}' else '{}' end,
           0;

create table agent_owned (
    id integer primary key,
    organisation_id bigint not null default 1 references organisation (id),
    -- The top of the tree above the organisation.
    enterprise_id bigint not null default 1 references organisation (id),
    -- Never changes, and is given to no other account of the enterprise.
    number text not null,
    name text not null,
    login text not null,
    -- As argon2id writes it; empty = the account cannot sign in with a password.
    password text not null,
    role text not null check (role in ('agent', 'lead', 'manager', 'analyst', 'auditor', 'admin')),
    -- Runs the installation: enterprises, trunks, configuration.
    operator boolean not null default false,
    -- A JSON object: language, theme, keys.
    preferences text not null default '{}',
    telephone bigint,
    recorded boolean not null default false,
    -- A JSON array of text.
    skills text not null default '[]',
    sip_user text,
    ha1_md5 text,
    ha1_sha256 text,
    -- False = removed; its calls and its state log stay.
    active boolean not null default true,
    created_at bigint not null,
    version bigint not null default 1,
    changed_at bigint,
    changed_by bigint
);
insert into agent_owned (id, number, name, login, password, role, operator, telephone, recorded, skills, sip_user,
                         ha1_md5, ha1_sha256, active, created_at)
    select old.id, old.number, old.name, old.login, old.password, old.role, old.role = 'admin', old.telephone,
           old.recorded, old.skills, old.sip_user, old.ha1_md5, old.ha1_sha256, old.active, old.created_at
      from agent old
     order by old.id;
drop table agent;
alter table agent_owned rename to agent;
create unique index agent_number on agent (enterprise_id, number);
create unique index agent_login on agent (enterprise_id, login) where active;
create unique index agent_sip_user on agent (sip_user) where active and sip_user is not null;

create table api_token_owned (
    id integer primary key,
    organisation_id bigint not null default 1 references organisation (id),
    enterprise_id bigint not null default 1 references organisation (id),
    hash text not null unique,
    role text not null check (role in ('agent', 'lead', 'manager', 'analyst', 'auditor', 'admin')),
    -- A JSON array of actions, which the token may do as far as its role may; empty = all that the role may.
    scopes text,
    name text not null,
    -- The account that made it; empty = made by a program, or before accounts were noted.
    made_by bigint,
    created_at bigint not null,
    -- Empty = never.
    expires_at bigint,
    -- To the minute; empty = not yet.
    used_at bigint,
    version bigint not null default 1,
    changed_at bigint,
    changed_by bigint
);
insert into api_token_owned (id, hash, role, name, created_at, expires_at)
    select old.id, old.hash, old.role, old.name, old.created_at, old.expires_at
      from api_token old
     order by old.id;
drop table api_token;
alter table api_token_owned rename to api_token;

create table campaign_owned (
    id integer primary key,
    organisation_id bigint not null default 1 references organisation (id),
    enterprise_id bigint not null default 1 references organisation (id),
    name text not null,
    title text not null,
    mode text not null,
    timezone text not null,
    -- The campaign file as it stood when the campaign was last run.
    toml text not null,
    -- The retry rules, so that calls cut off by a crash can be settled before any file is read.
    retry text not null,
    defined_at bigint not null,
    line_trouble text not null default ''
);
insert into campaign_owned (id, name, title, mode, timezone, toml, retry, defined_at, line_trouble)
    select old.id, old.name, old.title, old.mode, old.timezone, old.toml, old.retry, old.defined_at, old.line_trouble
      from campaign old
     order by old.id;
drop table campaign;
alter table campaign_owned rename to campaign;
create unique index campaign_name on campaign (enterprise_id, name);

alter table agent_group add column organisation_id bigint not null default 1 references organisation (id);
alter table agent_group add column enterprise_id bigint not null default 1 references organisation (id);
alter table agent_group add column version bigint not null default 1;
alter table agent_group add column changed_at bigint;
alter table agent_group add column changed_by bigint;
drop index agent_group_name;
create unique index agent_group_name on agent_group (enterprise_id, name) where active;

-- 0 = the system's: it holds in every enterprise.
alter table blacklist add column organisation_id bigint not null default 0;
alter table blacklist add column enterprise_id bigint not null default 0;
update blacklist set organisation_id = 1, enterprise_id = 1 where campaign_id <> 0;

alter table web_session add column address text not null default '';
-- The browser's own name, at most 200 characters.
alter table web_session add column agent_text text not null default '';
-- When the password was typed last.
alter table web_session add column typed_at bigint not null default 0;
alter table web_session add column used_at bigint not null default 0;
alter table web_session add column locked boolean not null default false;
update web_session set typed_at = created_at, used_at = created_at;

-- Every change by a person or a program, and every access to what is sensitive. Rows are only added.
create table audit (
    id integer primary key,
    -- 0 = the system's own.
    enterprise_id bigint not null,
    at bigint not null,
    actor_kind text not null check (actor_kind in ('person', 'program', 'system')),
    -- Of the account or of the token.
    actor_id bigint,
    -- Its number and name then.
    actor text not null,
    address text not null,
    action text not null,
    subject_kind text not null,
    subject text not null,
    -- JSON objects without secrets; telephone numbers stand in them masked.
    before text,
    after text,
    -- SHA-256 over the chain of the row before in the same enterprise, and this row.
    chain blob not null
);
create index audit_enterprise on audit (enterprise_id, id);
create index audit_subject on audit (enterprise_id, subject_kind, subject, id);

-- What readers of the live stream are sent, in the order of its commits.
create table outbox (
    id integer primary key,
    enterprise_id bigint not null,
    at bigint not null,
    kind text not null,
    subject text not null,
    -- A JSON object.
    body text not null
);
create index outbox_at on outbox (at);
insert into counter (name, next) values ('outbox', 1);

-- The first answer to a request that may be sent again.
create table idempotency (
    -- The account or token.
    caller text not null,
    key text not null,
    route text not null,
    body_hash text not null,
    -- Empty = the first request is being served.
    status bigint,
    -- Empty = the answer showed a secret, or is not known yet.
    answer text,
    at bigint not null,
    primary key (caller, key)
) without rowid;
create index idempotency_at on idempotency (at);

-- The schema, and the oldest schema whose program may open it.
create table schema_version (
    id integer primary key check (id = 1),
    version bigint not null,
    oldest bigint not null
);
insert into schema_version (id, version, oldest) values (1, 20, 20);

create table broken_reference (parent text check (parent is null));
insert into broken_reference (parent)
    select checked.parent from pragma_foreign_key_check checked
     where checked.parent in ('agent', 'api_token', 'campaign', 'organisation');
drop table broken_reference;
