-- Flats that list rows name whose number another row has: the number's owner has them too.
create table further_flat (
    import_id bigint not null references import (id),
    list_row bigint not null,
    -- E.164 digits.
    number bigint not null,
    household text not null,
    -- Hundredths of a square metre.
    area bigint,
    primary key (import_id, list_row)
) without rowid;

-- Where a vote stood when it was last reported: `open`, `certain`, `out_of_reach`.
alter table campaign add column vote_standing text;

-- Untried leads with more are dialled first; 0 = in the order of the list.
alter table lead add column vote_order bigint not null default 0;
create index lead_untried on lead (import_id, vote_order desc, id) where state = 'open' and next_at = 0;
