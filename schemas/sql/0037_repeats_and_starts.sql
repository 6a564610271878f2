-- SHA-256 of the file that came with the request; empty = no file.
alter table idempotency add column file_hash text;
-- How often a thread began the task without ending it.
alter table task add column starts bigint not null default 0;
