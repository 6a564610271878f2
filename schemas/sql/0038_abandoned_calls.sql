-- The abandoned calls of a campaign, and those connected later than two seconds after their answer, which one abandon rule
-- counts as abandoned too. Neither index holds a call that went well, so that most calls write none of them.
create index attempt_abandoned on attempt (campaign_id, id) where outcome in ('abandoned', 'agent_failed');
create index attempt_late on attempt (campaign_id, id) where connected_at - answered_at > 2000;
