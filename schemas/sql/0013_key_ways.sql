-- How each key of `keys` reached us, one letter a key: r = RTP event, i = SIP INFO, t = tone in the audio.
alter table attempt add column key_ways text not null default '';
