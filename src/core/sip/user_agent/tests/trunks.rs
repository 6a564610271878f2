//! Trunk registration and OPTIONS probing.

use super::desk::*;
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::{Incoming, SipTrunk, UaEvent};
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn registering() -> (Desk, String) {
    let mut desk = Desk::with(config(Incoming::Nobody), SipTrunk { register: true, ..trunk() });
    desk.wait(Duration::ZERO);
    let register = desk.one();
    (desk, register)
}

#[test]
fn a_trunk_registers_answers_its_challenge_and_refreshes() {
    let (mut desk, register) = registering();
    assert_eq!(first_line(&register), "REGISTER sip:carrier.example SIP/2.0");
    assert_eq!(header(&register, HeaderName::Expires), "300");
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    desk.receive(&answer(&register, "401 Unauthorized", "x", &[digest], ""));
    let again = desk.one();
    assert_eq!(header(&again, HeaderName::CSeq), "2 REGISTER");
    assert_eq!(header(&again, HeaderName::CallId), header(&register, HeaderName::CallId));
    let contact = format!("Contact: {};expires=120", header(&register, HeaderName::Contact));
    desk.receive(&answer(&again, "200 OK", "x", &[&contact], ""));
    assert_eq!(desk.events(), [UaEvent::Registered { trunk: TRUNK, expires: secs(120) }]);
    desk.wait(Duration::from_millis(59_999));
    desk.silent();
    desk.wait(secs(37));
    let refresh = desk.sent().remove(0);
    assert_eq!(header(&refresh, HeaderName::CSeq), "3 REGISTER");
    assert!(header(&refresh, HeaderName::Authorization).contains("nc=00000002"));
}

#[test]
fn too_short_an_interval_is_raised() {
    let (mut desk, register) = registering();
    desk.receive(&answer(&register, "423 Interval Too Brief", "x", &["Min-Expires: 900"], ""));
    let again = desk.one();
    assert_eq!(header(&again, HeaderName::Expires), "900");
    desk.receive(&answer(&again, "200 OK", "x", &["Expires: 900"], ""));
    assert_eq!(desk.events(), [UaEvent::Registered { trunk: TRUNK, expires: secs(900) }]);
}

#[test]
fn a_wrong_password_is_reported_and_retried_with_back_off() {
    let (mut desk, mut register) = registering();
    let mut pauses = vec![];
    for n in 0..7 {
        let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
        desk.receive(&answer(&register, "401 Unauthorized", "x", &[digest], ""));
        let again = desk.one();
        desk.receive(&answer(&again, "403 Forbidden", "x", &[], ""));
        let failed =
            UaEvent::RegistrationFailed { trunk: TRUNK, code: Some(403), reason: "Forbidden".into() };
        assert_eq!(desk.events(), [failed], "at {n}");
        let before = desk.now;
        let wake = loop {
            let wake = desk.ua.next_wake().expect("another try");
            desk.wait(wake.since(desk.now));
            if let Some(next) = desk.sent().pop() {
                register = next;
                break wake;
            }
        };
        pauses.push(wake.since(before).as_secs());
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
}

#[test]
fn a_silent_registrar_is_reported_after_timer_f() {
    let (mut desk, _) = registering();
    desk.wait(secs(32));
    let failed = UaEvent::RegistrationFailed { trunk: TRUNK, code: None, reason: "no response".into() };
    assert_eq!(desk.events(), [failed]);
}

#[test]
fn any_answer_to_options_means_that_the_trunk_is_alive_and_silence_that_it_is_not() {
    let mut desk = Desk::with(config(Incoming::Nobody), SipTrunk { options: secs(30), ..trunk() });
    desk.wait(Duration::ZERO);
    let options = desk.one();
    assert_eq!(first_line(&options), "OPTIONS sip:carrier.example SIP/2.0");
    desk.receive(&answer(&options, "404 Not Found", "x", &[], ""));
    assert_eq!(desk.events(), [UaEvent::TrunkAlive { trunk: TRUNK }]);
    desk.wait(secs(30));
    let second = desk.one();
    assert_ne!(branch(&second), branch(&options));
    desk.wait(secs(32));
    assert_eq!(desk.events(), [UaEvent::TrunkSilent { trunk: TRUNK }]);
    desk.sent();
    desk.wait(secs(30));
    let third = desk.sent().pop().expect("a third OPTIONS");
    desk.receive(&answer(&third, "200 OK", "x", &[], ""));
    assert_eq!(desk.events(), [UaEvent::TrunkAlive { trunk: TRUNK }]);
}
