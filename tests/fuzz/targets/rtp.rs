//! Any bytes as an RTP packet: nothing is called yet; the media room's parsers plug in here.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|_bytes: &[u8]| {});
