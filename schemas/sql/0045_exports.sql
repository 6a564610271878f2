-- Exports: files that people ask for, written by a task from one moment, with a signed manifest. They are kept for
-- some days.
create table export (
    id integer primary key,
    enterprise_id bigint not null default 1,
    organisation_id bigint not null default 1,
    -- attempts, leads, calls, agents, list_report, recordings, audit, blacklist.
    what text not null,
    -- csv, xlsx, parquet, zip.
    format text not null,
    -- JSON: as they were asked for.
    filters text not null default '{}',
    -- JSON list of names; empty = all.
    columns text not null default '[]',
    -- Whole telephone numbers stand in the file.
    has_numbers boolean not null default false,
    task_id bigint not null,
    blob_id bigint references blob (id),
    -- The name that a browser saves the file under.
    file_name text,
    rows bigint not null default 0,
    -- The signed document, byte for byte; empty until the file is there.
    manifest text,
    -- The account or program: only it and admins see the export.
    maker text not null,
    made_by bigint,
    made_at bigint not null,
    expires_at bigint not null
);
create index export_maker on export (enterprise_id, maker, id);
create index export_expiry on export (expires_at);
create index export_blob on export (blob_id);
