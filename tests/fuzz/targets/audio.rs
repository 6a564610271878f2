//! Any bytes as an announcement file: it may be refused; no panic, no endless loop, no unbounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline::audio::{MAX_LENGTH, Sound};
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sound) = Sound::from_bytes("fuzz", bytes.to_vec()) {
        assert!(sound.length <= MAX_LENGTH + Duration::from_millis(20));
    }
});
