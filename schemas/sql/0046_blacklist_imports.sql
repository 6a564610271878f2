-- Blacklists that people send: checked first, then the entries of their source. The rows of an import do not hold
-- until it is loaded, which one word says: before that its numbers are called as if they were not there.
create table blacklist_import (
    id integer primary key,
    enterprise_id bigint not null default 1,
    organisation_id bigint not null default 1,
    -- 0 = every campaign.
    campaign_id bigint not null,
    source text not null,
    -- As it was sent; empty = no file: the source is emptied.
    file_name text not null,
    blob_id bigint references blob (id),
    state text not null default 'checking' check (state in ('checking', 'unreadable', 'checked', 'loading', 'loaded',
        'replaced', 'discarded')),
    -- JSON {en, zh}.
    error text,
    -- JSON: what the check found.
    report text,
    entries bigint not null default 0,
    -- Entries of the source that the file does not name.
    gone bigint not null default 0,
    -- Rows of the source with a lower id are older than this import and still to be removed; 0 = none.
    leftovers_before bigint not null default 0,
    task_id bigint,
    made_at bigint not null,
    made_by bigint,
    -- In the entries.
    added_by text not null
);
create index blacklist_import_source on blacklist_import (campaign_id, source, id);
create index blacklist_import_blob on blacklist_import (blob_id);

-- 0 = added one by one, by a campaign's file or by a command.
alter table blacklist add column import_id bigint not null default 0;
drop index blacklist_named;
create unique index blacklist_named on blacklist (digits, is_prefix, campaign_id, source, import_id);
create index blacklist_of_import on blacklist (import_id, id) where import_id <> 0;
