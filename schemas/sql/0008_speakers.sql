-- Who spoke in a call: the state log by call, and for an inbound call its number in the process that had it
-- (later processes use it again, so it counts together with the times of the leg).
create index seat_log_attempt on seat_log (attempt_id) where attempt_id is not null;
alter table leg add column call bigint;
update leg set call = live_call;
