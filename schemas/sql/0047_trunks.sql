-- Trunks as rows: those of `paceline.toml`, those that people added, and the built-in simulated carrier. The id is the
-- trunk's number in the dialer; calls keep its name.
create table trunk (
    id integer primary key check (id between 1 and 65535),
    name text not null unique,
    -- JSON of the settings without the password; '{}' for one of the file, which has them.
    settings text not null default '{}',
    -- The password under the key of `[secrets]`; '' = none.
    password_sealed text not null default '',
    source text not null check (source in ('file', 'row', 'built_in')),
    -- False = a person took it out of use.
    is_enabled boolean not null default true,
    version bigint not null default 1,
    changed_at bigint not null,
    changed_by bigint
);
