-- Callees who found no agent in this minute; `abandoned` is what the rule that brakes counts at its end.
alter table campaign_minute add column abandoned_calls bigint not null default 0;
