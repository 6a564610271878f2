-- Announcements and other sounds that people upload, and the second person's word on what was uploaded.
create table audio (
    id integer primary key,
    enterprise_id bigint not null default 1,
    organisation_id bigint not null default 1,
    blob_id bigint not null references blob (id),
    -- What the line carries of it, as WAV.
    line_blob bigint references blob (id),
    -- The name in campaigns' texts.
    name text not null,
    millis bigint not null default 0,
    -- Tenths of a decibel below full scale, of the parts with sound in them.
    level_db bigint,
    -- Samples at full scale.
    clipped bigint not null default 0,
    -- JSON: head_ms, tail_ms.
    silence text not null default '{}',
    -- JSON: the other measurements.
    measured text not null default '{}',
    state text not null default 'measuring'
        check (state in ('measuring', 'unreadable', 'waiting', 'ready', 'refused', 'retired')),
    -- Why it cannot be played; JSON {en, zh}.
    error text,
    task_id bigint,
    made_at bigint not null,
    made_by bigint,
    version bigint not null default 1,
    changed_at bigint not null,
    changed_by bigint
);
create unique index audio_name on audio (enterprise_id, name) where state <> 'retired';

create table approval (
    id integer primary key,
    enterprise_id bigint not null default 1,
    organisation_id bigint not null default 1,
    kind text not null check (kind in ('list', 'audio', 'caller_id')),
    subject_id bigint not null,
    -- SHA-256 of the bytes; of a list, of its bytes, reading and mapping.
    hash blob not null,
    state text not null default 'open' check (state in ('open', 'approved', 'refused', 'withdrawn')),
    asked_by bigint,
    asked_at bigint not null,
    decided_by bigint,
    decided_at bigint,
    note text
);
create index approval_open on approval (enterprise_id, id) where state = 'open';
create index approval_subject on approval (kind, subject_id);
create index approval_hash on approval (enterprise_id, kind, hash);
