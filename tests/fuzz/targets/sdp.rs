//! Any bytes as an offer and as an answer: no panic, and our answer to it can be parsed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline_core::media::{Codec, MediaCapabilities};
use paceline_core::sdp;
use std::net::SocketAddr;

fuzz_target!(|bytes: &[u8]| {
    let ours =
        MediaCapabilities { address: SocketAddr::from(([192, 0, 2, 1], 4000)), codecs: Codec::ALL.to_vec() };
    let _ = sdp::read_answer(&ours, bytes);
    if let Ok((_, text)) = sdp::answer(bytes, &ours, 1, 1) {
        assert!(text.len() <= sdp::MAX_DESCRIPTION + 1024);
        assert!(sdp::read_answer(&ours, text.as_bytes()).is_ok());
    }
});
