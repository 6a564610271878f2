-- An agent heard a machine, by the latest summary of the call: for the abandon rates nobody answered,
-- whatever the line said.
alter table attempt add column machine boolean not null default false;
