-- The register of numbers that calls show: who holds each, how far it may be used, what its calls say of it.
create table caller_id (
    id integer primary key,
    enterprise_id bigint not null default 1,
    organisation_id bigint not null default 1,
    -- E.164 digits.
    number bigint not null,
    holder text not null default '',
    -- The last four characters of the holder's identity number: the rest is not kept.
    holder_id_end text not null default '',
    region text not null default '',
    carrier text not null default '',
    note text not null default '',
    state text not null
        check (state in ('entered', 'requested', 'whitelisted', 'bound', 'warming', 'normal', 'flagged', 'resting',
                         'recovering', 'unbound', 'retired')),
    state_since bigint not null,
    -- The end of a rest.
    rest_until bigint,
    -- A flag was raised and not cleared since; how often in a row.
    flags bigint not null default 0,
    bound_agent bigint,
    -- 0 = no cap of its own.
    per_hour_max bigint not null default 0,
    per_day_max bigint not null default 0,
    -- Days without a call after which the carrier takes the number back; 0 = never.
    idle_days bigint not null default 0,
    -- A call showed it before anybody entered it.
    is_found boolean not null default false,
    first_used_at bigint,
    last_used_at bigint,
    -- JSON: what was counted for its flag or its recovery.
    evidence text not null default '{}',
    version bigint not null default 1,
    changed_at bigint not null,
    changed_by bigint
);
create unique index caller_id_number on caller_id (number) where state <> 'retired';
-- Every call that shows a number asks whether it was shown before, retired rows too.
create index caller_id_rows_of on caller_id (number);
create index caller_id_enterprise on caller_id (enterprise_id, id);
insert into caller_id (number, state, state_since, is_found, first_used_at, changed_at)
    select number, 'normal', at, true, at, at from caller_id_first_use;
drop table caller_id_first_use;

create table caller_id_log (
    id integer primary key,
    caller_id bigint not null references caller_id (id),
    at bigint not null,
    was text not null,
    now text not null,
    -- A word; JSON in `detail`.
    why text not null,
    detail text not null default '{}',
    note text not null default '',
    -- The account; null = the service.
    by bigint
);
create index caller_id_log_of on caller_id_log (caller_id, id);

-- A number's calls of an hour beside its control.
create table caller_id_hour (
    caller_id bigint not null references caller_id (id),
    -- Hours since 1970.
    hour bigint not null,
    calls bigint not null,
    answered bigint not null,
    refused bigint not null,
    -- Refused with SIP 403; ended without ringing within two seconds.
    code_403 bigint not null,
    fast_fail bigint not null,
    -- Calls that have a control, their answers, and the answers that they would have as the control's calls do.
    compared bigint not null,
    compared_answered bigint not null,
    expected double precision not null,
    -- Calls of the control.
    control_calls bigint not null,
    primary key (caller_id, hour)
) without rowid;

-- The last hour that was judged.
create table caller_id_judged (
    id integer primary key check (id = 1),
    hour bigint not null
);
