-- Attempts that were charged to their callees and taken back: the line was at fault.
alter table attempt add column taken_back boolean not null default false;

-- Why the campaign's trunks rest, in words; empty = they work. Written by the running dialer.
alter table campaign add column line_trouble text not null default '';
