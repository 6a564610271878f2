-- Calls are looked for by enterprise or campaign and time. Neither changes in a call, so an ending call moves no entry.
-- All campaigns but those of later enterprises are the first's: only theirs are written again.
alter table attempt add column enterprise_id bigint not null default 1;
update attempt set enterprise_id = (select c.enterprise_id from campaign c where c.id = attempt.campaign_id)
 where campaign_id in (select id from campaign where enterprise_id <> 1);
create index attempt_time on attempt (enterprise_id, placed_at);
create index attempt_campaign_time on attempt (campaign_id, placed_at);
create index leg_inbound_time on leg (began_at) where kind = 'inbound';
