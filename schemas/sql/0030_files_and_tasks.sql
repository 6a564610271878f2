-- Files that people send, the lists and sounds made of them, and the long work on them. The bytes lie in the
-- object store; `path` is their place there.
create table blob (
    id integer primary key,
    enterprise_id bigint not null default 1,
    -- list, list_report, list_fix, audio, audio_line.
    kind text not null,
    sha256 blob not null,
    bytes bigint not null,
    media_type text not null,
    path text not null unique,
    sealed boolean not null default false,
    made_at bigint not null,
    -- The object is gone or about to go; the row stays, so that what named it still says what it was.
    deleted_at bigint
);
create unique index blob_content on blob (enterprise_id, kind, sha256) where deleted_at is null;

-- Which bytes a file name in a campaign's text is.
create table campaign_file (
    campaign_id bigint not null references campaign (id),
    name text not null,
    blob_id bigint not null references blob (id),
    primary key (campaign_id, name)
) without rowid;

create table list_upload (
    id integer primary key,
    enterprise_id bigint not null default 1,
    organisation_id bigint not null default 1,
    campaign_id bigint not null references campaign (id),
    blob_id bigint not null references blob (id),
    -- As it was sent; never a path.
    file_name text not null,
    -- JSON: encoding, separator, sheets, header_row. What is missing is found by the reader.
    reading text not null default '{}',
    -- JSON: phones, name, household, building, area. Empty = found by the reader.
    mapping text,
    state text not null default 'checking' check (state in ('receiving', 'checking', 'unreadable', 'checked',
        'waiting', 'refused', 'loading', 'loaded', 'undone', 'discarded')),
    -- Why it is unreadable, or why the last load did not happen; JSON {en, zh}.
    error text,
    report_blob bigint references blob (id),
    fix_blob bigint references blob (id),
    -- The first of its imports.
    import_id bigint,
    rows bigint not null default 0,
    leads bigint not null default 0,
    refused bigint not null default 0,
    -- The task that works on it, or did last.
    task_id bigint,
    made_at bigint not null,
    -- The account; empty = a program.
    made_by bigint,
    version bigint not null default 1,
    changed_at bigint not null,
    changed_by bigint
);
create index list_upload_campaign on list_upload (campaign_id, id);
create index list_upload_blob on list_upload (blob_id);

create table task (
    id integer primary key,
    enterprise_id bigint not null default 1,
    kind text not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    -- Of `total` units of the kind; 0 = not known.
    done bigint not null default 0,
    total bigint not null default 0,
    request text not null default '{}',
    result text,
    -- JSON {en, zh}.
    error text,
    asked_by bigint,
    node_id bigint not null default 1,
    made_at bigint not null,
    began_at bigint,
    ended_at bigint
);
create index task_queued on task (id) where state = 'queued';
create index task_running on task (node_id) where state = 'running';
create index task_asked on task (enterprise_id, asked_by, id);

-- The imports of one uploaded list: one a sheet. They become visible, and are undone, together.
alter table import add column upload_id bigint;
create index import_upload on import (upload_id) where upload_id is not null;

-- A number that an upload gave to a lead of another import, with the lead's state before it, so that undoing the
-- upload takes it away again.
create table import_number (
    import_id bigint not null,
    lead_id bigint not null,
    number bigint not null,
    lead_state text not null,
    lead_reason text,
    lead_next_at bigint not null,
    primary key (import_id, lead_id, number)
) without rowid;

alter table lead add column enterprise_id bigint not null default 1;
-- The agent who calls this lead; 0 = any.
alter table lead add column assigned_agent bigint;
-- Higher is dialled sooner.
alter table lead add column rank bigint not null default 0;
alter table lead add column building text;
-- Hundredths of a square metre.
alter table lead add column area bigint;
