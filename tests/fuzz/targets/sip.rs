//! Any bytes as a SIP message and as a stream of messages: no panic, and a parsed request can be answered.
//! The messages in `src/core/sip/torture` are a good corpus to start from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline_core::sip::build::{ResponseBuilder, refusal};
use paceline_core::sip::frame::StreamFramer;
use paceline_core::sip::headers::HeaderName;
use paceline_core::sip::message::Message;
use std::net::SocketAddr;

fuzz_target!(|bytes: &[u8]| {
    let source = SocketAddr::from(([192, 0, 2, 1], 5060));
    match Message::parse(bytes) {
        Ok(message) => {
            for name in HeaderName::ALL {
                let _ = message.list(*name).count();
                let _ = message.addresses(*name).count();
            }
            let _ =
                (message.challenges(), message.reason(), message.session_expires(), message.content_type());
            if message.is_request() {
                let response = ResponseBuilder::to(&message, source, 200, "OK").tag("t").finish();
                let response = Message::parse(&response).expect("our own response can be read");
                assert_eq!(response.branch(), message.branch());
            }
        }
        Err(error) => {
            let _ = refusal(bytes, error, source);
        }
    }
    let mut framer = StreamFramer::new();
    for piece in bytes.chunks(7) {
        framer.push(piece);
        while let Some(Ok(_)) = framer.next() {}
    }
});
