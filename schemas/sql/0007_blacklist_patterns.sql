-- The blacklist takes prefixes, an end, a reason and a name. An entry has an id; the same pattern may stand
-- once for each source (a file, a person, a key press).
create table blacklist_pattern (
    id integer primary key,
    -- 0 = every campaign.
    campaign_id bigint not null,
    -- E.164 digits: of one number, or those that a number begins with.
    digits bigint not null,
    is_prefix boolean not null default false,
    source text not null,
    reason text,
    added_by text,
    -- The first moment at which it no longer holds; empty = never.
    until bigint,
    added_at bigint not null,
    -- The reading of its source that named it last.
    reading bigint not null default 0
);
insert into blacklist_pattern (id, campaign_id, digits, source, added_at)
    select row_number() over (order by old.added_at, old.number, old.campaign_id, old.source),
           old.campaign_id, old.number, old.source, old.added_at
      from blacklist old;
drop table blacklist;
alter table blacklist_pattern rename to blacklist;
create unique index blacklist_named on blacklist (digits, is_prefix, campaign_id, source);
create index blacklist_source on blacklist (campaign_id, source, reading);
insert into counter (name, next) values ('blacklist_reading', 1);
insert into counter (name, next) select 'blacklist', coalesce(max(b.id), 0) + 1 from blacklist b;
