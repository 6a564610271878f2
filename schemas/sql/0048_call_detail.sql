-- A recording that a crash cut off and that the next start repaired: it ends where the crash came.
alter table recording add column recovered boolean not null default false;

-- The corrections that an agent made in a call.
create index lead_correction_attempt on lead_correction (attempt_id) where attempt_id is not null;
