-- One row for each minute in which a campaign was open, for plots; kept for 90 days.
create table campaign_minute (
    campaign_id bigint not null references campaign (id),
    -- Begin of the minute, in milliseconds of UTC.
    at bigint not null,
    -- Calls placed, and calls answered, in this minute.
    placed bigint not null,
    answered bigint not null,
    -- Conversations at once, as the mean over the minute.
    talking double precision not null,
    -- Of the abandon rule that brakes, as it stood at the end of the minute: abandoned calls, what they are divided by,
    -- and the upper bound of the rate; null without agents.
    abandoned double precision not null,
    divisor double precision not null,
    upper double precision,
    -- JSON: agents of its group by what they did at the end of the minute.
    agents text not null default '{}',
    -- JSON: seconds of the minute by what held dialling down.
    limits text not null default '{}',
    primary key (campaign_id, at)
);
create index campaign_minute_at on campaign_minute (at);
