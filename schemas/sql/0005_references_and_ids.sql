-- A lead always has an import and a phone always has a lead: the database refuses the others. Ids are handed
-- out by `counter` and never used again, also when the rows that had them were deleted.

create table counter (
    name text primary key,
    -- The id that is handed out next.
    next bigint not null
) without rowid;
insert into counter (name, next)
    select 'lead', coalesce(max(used.id), 0) + 1 from (
        select max(id) as id from lead union all select max(lead_id) from phone
        union all select max(lead_id) from attempt union all select max(lead_id) from leg
        union all select max(lead_id) from summary union all select max(lead_id) from lead_correction) used;
insert into counter (name, next)
    select 'import', coalesce(max(used.id), 0) + 1 from (
        select max(id) as id from import union all select max(import_id) from lead
        union all select max(import_id) from refused_row) used;
insert into counter (name, next)
    select 'household', coalesce(max(used.id), 0) + 1 from (
        select max(id) as id from household union all select max(household_id) from lead
        union all select max(household_id) from attempt) used;
insert into counter (name, next)
    select 'attempt', coalesce(max(used.id), 0) + 1 from (
        select max(id) as id from attempt union all select max(attempt_id) from summary
        union all select max(attempt_id) from recording union all select max(attempt_id) from seat_log) used;
insert into counter (name, next) select 'api_token', coalesce(max(token.id), 0) + 1 from api_token token;

-- A write that failed while a list was taken in could leave leads without an import. They were never offered
-- to the dialer; the next import would have taken them over with their number. They are left out here.
create table lead_referring (
    id integer primary key,
    campaign_id bigint not null,
    import_id bigint not null references import (id),
    list_row bigint not null,
    household_id bigint references household (id),
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
    disposition text,
    callback_agent bigint,
    callback_skill text
);
insert into lead_referring (id, campaign_id, import_id, list_row, household_id, name, cells, state, reason,
                            next_at, uncounted, attempts, last_outcome, last_at, result, disposition,
                            callback_agent, callback_skill)
    select old.id, old.campaign_id, old.import_id, old.list_row,
           case when exists (select 1 from household h where h.id = old.household_id)
                then old.household_id end,
           old.name, old.cells, old.state, old.reason, old.next_at, old.uncounted, old.attempts,
           old.last_outcome, old.last_at, old.result, old.disposition, old.callback_agent,
           old.callback_skill
      from lead old
     where exists (select 1 from import i where i.id = old.import_id)
     order by old.id;
drop table lead;
alter table lead_referring rename to lead;
create index lead_due on lead (import_id, next_at, id) where state = 'open';
create index lead_list on lead (import_id, list_row);
create index lead_household on lead (household_id) where household_id is not null;
create index lead_callback on lead (import_id, next_at, id) where state = 'follow_up' and next_at > 0;

create table phone_referring (
    lead_id bigint not null references lead (id),
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
insert into phone_referring (lead_id, position, number, given, attempts, last_outcome, last_at, next_at,
                             closed)
    select old.lead_id, old.position, old.number, old.given, old.attempts, old.last_outcome, old.last_at,
           old.next_at, old.closed
      from phone old
     where exists (select 1 from lead l where l.id = old.lead_id)
     order by old.lead_id, old.position;
drop table phone;
alter table phone_referring rename to phone;
create index phone_number on phone (number);

create table refused_row_referring (
    import_id bigint not null references import (id),
    list_row bigint not null,
    cells text not null,
    reason text not null,
    hint text not null,
    primary key (import_id, list_row)
) without rowid;
insert into refused_row_referring (import_id, list_row, cells, reason, hint)
    select old.import_id, old.list_row, old.cells, old.reason, old.hint
      from refused_row old
     where exists (select 1 from import i where i.id = old.import_id)
     order by old.import_id, old.list_row;
drop table refused_row;
alter table refused_row_referring rename to refused_row;
