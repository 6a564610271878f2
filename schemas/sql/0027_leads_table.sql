-- The table of a campaign's leads: pages in the order of the list, whole or by one filter. The key of each index ends
-- with the lead's id, which SQLite adds itself.
create index lead_row on lead (campaign_id, list_row);
create index lead_state on lead (campaign_id, state, list_row);
create index lead_reason on lead (campaign_id, reason, list_row) where reason is not null;
create index lead_outcome on lead (campaign_id, last_outcome, list_row) where last_outcome is not null;
create index lead_disposition on lead (campaign_id, disposition, list_row) where disposition is not null;

-- How often people changed the lead. An attempt is opened on the copy of the last change alone.
alter table lead add column version bigint not null default 0;

-- Leads that one agent alone calls.
create table lead_assignment (
    lead_id integer primary key,
    campaign_id bigint not null references campaign (id),
    agent_id bigint not null references agent (id)
);
create index lead_assignment_campaign on lead_assignment (campaign_id, agent_id);
