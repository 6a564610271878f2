-- Campaigns as rows: every version of a campaign's text, what people asked of it, and where it is.
create table campaign_version (
    campaign_id bigint not null references campaign (id),
    number bigint not null,
    -- The text as it was written, comments included.
    toml text not null,
    source text not null check (source in ('file', 'api')),
    note text,
    made_at bigint not null,
    -- The account; empty = a program, or a file.
    made_by bigint,
    primary key (campaign_id, number)
);

-- Title, mode, time zone, text and retry rules of `campaign` are copies of its current version.
alter table campaign add column current bigint not null default 0;
-- What people asked for.
alter table campaign add column desired_state text not null default 'closed'
    check (desired_state in ('closed', 'open', 'paused', 'draining'));
-- Where it is. Of a campaign that is not open, readers work out whether it is a draft, waits, is ready or finished.
alter table campaign add column state text not null default 'ready'
    check (state in ('draft', 'waiting', 'ready', 'running', 'paused', 'draining', 'finished', 'archived'));
-- Why it could not be opened; JSON {en, zh}.
alter table campaign add column trouble text;
alter table campaign add column opened_at bigint;
-- Among campaigns that share trunks: 1 = first.
alter table campaign add column priority bigint not null default 5;
alter table campaign add column weight bigint not null default 1;
-- The campaign file that was taken in last, and the SHA-256 of its text in hex; empty = the campaign has none, or is
-- older than this column.
alter table campaign add column file text;
alter table campaign add column file_hash text;

insert into campaign_version (campaign_id, number, toml, source, made_at)
    select old.id, 1, old.toml, 'file', old.defined_at from campaign old order by old.id;
update campaign set current = 1;
