-- Each enterprise has a register of its own: the same number may stand in several.
drop index caller_id_number;
create unique index caller_id_number on caller_id (enterprise_id, number) where state <> 'retired';
drop index caller_id_rows_of;
-- Every call that shows a number asks whether its enterprise showed it before, retired rows too.
create index caller_id_rows_of on caller_id (number, enterprise_id);

-- Accounts: who entered the number, and who wrote its holder or its proof last.
alter table caller_id add column entered_by bigint;
alter table caller_id add column content_by bigint;
-- SHA-256 of number, holder and proof as they were approved; another content is not approved.
alter table caller_id add column approved_hash blob;
-- The paper that shows who holds the number.
alter table caller_id add column proof_blob bigint references blob (id);
alter table caller_id add column proof_at bigint;
alter table caller_id add column proof_by bigint;
create index caller_id_proof on caller_id (proof_blob) where proof_blob is not null;

-- Calls of a number are counted by enterprise, so by campaign.
drop index attempt_caller_id;
create index attempt_caller_id on attempt (placed_at, caller_id, campaign_id) where caller_id is not null;

-- An account that is gone has no number of its own.
update caller_id set bound_agent = null where bound_agent in (select id from agent where not active);
