-- Filters and columns of a page under a name, of one account, which may share them with a group.
create table saved_view (
    id integer primary key,
    enterprise_id bigint not null,
    agent_id bigint not null references agent (id),
    group_id bigint references agent_group (id),
    name text not null,
    page text not null,
    -- The query of the page's address.
    query text not null,
    -- Names of columns, a JSON array; empty = the page's own choice.
    columns text not null default '',
    version bigint not null default 1,
    changed_at bigint not null,
    changed_by bigint
);
create unique index saved_view_name on saved_view (agent_id, page, name);
create index saved_view_group on saved_view (group_id, page) where group_id is not null;
insert into counter (name, next) values ('saved_view', 1);
