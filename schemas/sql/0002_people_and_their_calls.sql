-- People on phones: who they are, what they did with their day, what they said of calls; legs that
-- are no attempts; callbacks; recordings. Numbers, times and words as in the first books.

create table agent (
    id integer primary key,
    -- Never changes, and is given to nobody else after her.
    number text not null unique,
    name text not null,
    login text not null,
    -- As argon2id writes it, made by the caller; empty = nobody can sign in with a password.
    password text not null,
    role text not null check (role in ('agent', 'lead', 'manager', 'analyst', 'admin')),
    telephone bigint,
    recorded boolean not null default false,
    -- A JSON array of text.
    skills text not null default '[]',
    sip_user text,
    ha1_md5 text,
    ha1_sha256 text,
    -- False = works here no more. Her calls and her day stay.
    active boolean not null default true,
    created_at bigint not null
);
create unique index agent_login on agent (login) where active;
create unique index agent_sip_user on agent (sip_user) where active and sip_user is not null;

-- `group` is a word of SQL.
create table agent_group (
    id integer primary key,
    name text not null,
    telephones boolean not null default false,
    announce_number boolean not null default true,
    idle_release_millis bigint,
    work_mode text check (work_mode in ('inbound', 'outbound', 'both')),
    seats bigint,
    active boolean not null default true
);
create unique index agent_group_name on agent_group (name) where active;

create table membership (
    agent_id bigint not null references agent (id),
    group_id bigint not null references agent_group (id),
    priority bigint not null,
    in_use boolean not null,
    primary key (agent_id, group_id)
) without rowid;

create table api_token (
    id integer primary key,
    hash text not null unique,
    role text not null check (role in ('agent', 'lead', 'manager', 'analyst', 'admin')),
    name text not null,
    created_at bigint not null,
    -- Empty = never.
    expires_at bigint
);

create table web_session (
    hash text primary key,
    agent_id bigint not null references agent (id),
    created_at bigint not null,
    expires_at bigint not null
) without rowid;

-- The state log: one row for each pair of availability and activity, from that moment on.
create table seat_log (
    id integer primary key,
    agent_id bigint not null,
    at bigint not null,
    availability text not null,
    -- Why she paused.
    reason text,
    activity text not null,
    -- The groups she works in, a JSON array of numbers.
    groups text not null,
    campaign_id bigint,
    attempt_id bigint,
    inbound boolean not null default false,
    way text not null
);
create index seat_log_agent on seat_log (agent_id, at, id);
create index seat_log_at on seat_log (at);

-- Legs that were no attempts: agents' phones, consulted parties, callers.
create table leg (
    id integer primary key,
    -- The leg's number in the process that has it; empty in every later one.
    live_call bigint,
    kind text not null default '',
    agent_id bigint,
    number bigint,
    campaign_id bigint,
    lead_id bigint,
    attempt_id bigint,
    -- What ends it after a crash; empty once it is over.
    dialog text not null default '',
    began_at bigint,
    answered_at bigint,
    connected_at bigint,
    ended_at bigint,
    ended_by text,
    cause text not null default '',
    disposition text,
    disposition_defaulted boolean not null default false,
    note text,
    summary_agent_id bigint,
    recording text
);
create unique index leg_live_call on leg (live_call) where live_call is not null;
create index leg_attempt on leg (attempt_id) where attempt_id is not null;
create index leg_inbound on leg (campaign_id, id) where kind = 'inbound';
create index leg_inbound_lead on leg (lead_id) where kind = 'inbound';

-- Every summary that was given, the latest of a call standing in the call's own row too.
create table summary (
    id integer primary key,
    attempt_id bigint,
    leg_id bigint,
    campaign_id bigint not null,
    lead_id bigint,
    agent_id bigint not null,
    disposition text not null,
    note text not null,
    callback_at bigint,
    callback_own boolean,
    callback_skill text,
    defaulted boolean not null,
    at bigint not null,
    check ((attempt_id is null) <> (leg_id is null))
);
create index summary_attempt on summary (attempt_id) where attempt_id is not null;
create index summary_leg on summary (leg_id) where leg_id is not null;

-- What was put right about a lead, beside what the list said.
create table lead_correction (
    id integer primary key,
    lead_id bigint not null,
    agent_id bigint not null,
    at bigint not null,
    field text not null check (field in ('name', 'phone', 'add_phone')),
    was text,
    now text not null,
    attempt_id bigint
);
create index lead_correction_lead on lead_correction (lead_id, id);

create table recording (
    id integer primary key,
    attempt_id bigint,
    leg_id bigint,
    path text not null unique,
    millis bigint not null,
    lost_frames bigint not null,
    saved_at bigint not null,
    deleted_at bigint,
    check ((attempt_id is null) <> (leg_id is null))
);
create index recording_kept on recording (saved_at, id) where deleted_at is null;
create index recording_attempt on recording (attempt_id) where attempt_id is not null;
create index recording_leg on recording (leg_id) where leg_id is not null;

-- Who spoke with the callee last. The first books kept a text that was never written.
alter table attempt drop column agent;
alter table attempt add column agent_id bigint;
alter table attempt add column disposition_defaulted boolean not null default false;
create index attempt_lead on attempt (lead_id) where lead_id is not null;

-- A booked callback: a lead in `follow_up` with a moment, for this agent or anyone of the group.
alter table lead add column callback_agent bigint;
alter table lead add column callback_skill text;
create index lead_callback on lead (import_id, next_at, id) where state = 'follow_up' and next_at > 0;
