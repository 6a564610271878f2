//! Any text as a challenge and as an answer to one: no panic, and our answer to it can be verified.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline_core::sip::auth::{Answer, Challenge, Credentials, authorize};

fuzz_target!(|text: &str| {
    let _ = Answer::parse(text);
    for challenge in Challenge::parse_all(text, false) {
        let credentials = Credentials { username: "u", password: "p" };
        let value = authorize(&challenge, &credentials, "INVITE", "sip:a@b", b"", 1, "c");
        let line = !challenge.realm.contains(['"', '\\']) && !challenge.nonce.contains(['"', '\\']);
        if let Some(answer) = Answer::parse(&value).filter(|_| line && challenge.opaque.is_none()) {
            assert!(answer.is_right("p", "INVITE", b""));
        }
    }
});
