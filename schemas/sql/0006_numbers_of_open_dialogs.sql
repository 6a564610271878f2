-- Which number and household the call of an open dialog belongs to: neither is called while the far end may
-- still have that call up. Rows of before have none; the rest of their attempts guards them.
alter table unended add column attempt_id bigint;
alter table unended add column number bigint;
alter table unended add column household_id bigint;
alter table unended add column answered boolean not null default false;
create index unended_number on unended (number) where number is not null;
create index unended_household on unended (household_id) where household_id is not null;
create index attempt_household_rest on attempt (household_id, rest_until)
    where household_id is not null and rest_until is not null;

-- Calls on the simulated carrier are forgotten in words before a campaign may use a real trunk.
create index attempt_simulated on attempt (campaign_id) where trunk = 'simulated';
