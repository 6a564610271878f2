-- What the call did, as a JSON array of at most 64 entries and 4 KiB: the first line of each SIP message, keys, plays,
-- joins and holds, with milliseconds since the INVITE. Null for calls of before, and for calls that a crash cut off.
alter table attempt add column steps text;
