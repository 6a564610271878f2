-- The desk shows an agent the leads that are its own: those of its calls, and those booked for it.
create index attempt_agent on attempt (agent_id, campaign_id) where agent_id is not null;
create index lead_callback_agent on lead (callback_agent) where callback_agent is not null;
