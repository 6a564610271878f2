-- The books of the dialer. Times are milliseconds since 1970 in UTC, phone numbers E.164 digits
-- as one integer, words are those of the results files. Lower case, and PostgreSQL could read
-- nearly all of it.

create table campaign (
    id integer primary key,
    name text not null unique,
    title text not null,
    mode text not null,
    timezone text not null,
    -- The campaign file as it stood when the campaign was last run.
    toml text not null,
    -- The retry rules, so that calls cut off by a crash can be settled before any file is read.
    retry text not null,
    defined_at bigint not null
);

create table import (
    id integer primary key,
    campaign_id bigint not null references campaign (id),
    file text not null,
    fingerprint text not null,
    -- The list's own header, a JSON array of text.
    header text not null,
    -- A loading import is invisible; one that never became done is swept away at the next start.
    state text not null check (state in ('loading', 'done', 'undone')),
    -- What the reader of the list counted, kept apart from what was written.
    rows_read bigint not null default 0,
    report text not null default '{}',
    began_at bigint not null,
    done_at bigint,
    undone_at bigint
);
create index import_campaign on import (campaign_id, id);

create table household (
    id integer primary key,
    campaign_id bigint not null references campaign (id),
    name text not null,
    -- The caller ID it saw last.
    caller_id bigint,
    unique (campaign_id, name)
);
create index household_caller_id on household (id) where caller_id is not null;

create table lead (
    id integer primary key,
    campaign_id bigint not null,
    import_id bigint not null,
    list_row bigint not null,
    household_id bigint,
    name text,
    -- Every cell of the list row, a JSON array of text.
    cells text not null,
    state text not null default 'open',
    reason text,
    -- 0 = at once.
    next_at bigint not null default 0,
    uncounted bigint not null default 0,
    attempts bigint not null default 0,
    last_outcome text,
    last_at bigint,
    result text,
    disposition text
);
create index lead_due on lead (import_id, next_at, id) where state = 'open';
create index lead_list on lead (import_id, list_row);
create index lead_household on lead (household_id) where household_id is not null;

create table phone (
    lead_id bigint not null,
    position bigint not null,
    number bigint not null,
    given text not null,
    attempts bigint not null default 0,
    last_outcome text,
    last_at bigint,
    next_at bigint,
    closed boolean not null default false,
    primary key (lead_id, position)
) without rowid;
create index phone_number on phone (number);

create table refused_row (
    import_id bigint not null,
    list_row bigint not null,
    cells text not null,
    reason text not null,
    hint text not null,
    primary key (import_id, list_row)
) without rowid;

create table attempt (
    id integer primary key,
    campaign_id bigint not null references campaign (id),
    lead_id bigint,
    household_id bigint,
    number bigint not null,
    ordinal bigint not null,
    trunk text not null,
    caller_id bigint,
    call_id text not null,
    -- What is needed to end the call after a crash, a JSON object of the SIP side's own making.
    dialog text not null,
    state text not null check (state in ('open', 'answered', 'ended')),
    placed_at bigint not null,
    ringing_at bigint,
    answered_at bigint,
    connected_at bigint,
    ended_at bigint,
    -- The last moment at which the dialer was surely alive, for a call it did not see the end of.
    alive_at bigint,
    outcome text,
    cause text not null default '',
    sip_code bigint,
    ended_by text,
    keys text not null default '',
    result text,
    agent text,
    disposition text,
    note text,
    recording text,
    -- True while the attempt is open: until it is known, it counts.
    counted boolean not null default true,
    rest_millis bigint not null,
    rest_until bigint
);
create index attempt_campaign on attempt (campaign_id, id);
create index attempt_number on attempt (number, placed_at);
create index attempt_open on attempt (id) where state <> 'ended';
create index attempt_open_household on attempt (household_id) where state <> 'ended';
create index attempt_rest on attempt (rest_until) where rest_until is not null;
create index attempt_caller_id on attempt (placed_at, caller_id) where caller_id is not null;

create table caller_id_first_use (
    number bigint primary key,
    at bigint not null
);

create table blacklist (
    number bigint not null,
    -- 0 = every campaign.
    campaign_id bigint not null,
    -- A file, a key press, a person.
    source text not null,
    added_at bigint not null,
    primary key (number, campaign_id, source)
) without rowid;

-- When the writer last committed: one row.
create table pulse (
    id integer primary key check (id = 1),
    at bigint not null
);
insert into pulse (id, at) values (1, 0);
