//! Trunk registration and OPTIONS probing.

use super::desk::*;
use crate::call::Progress;
use crate::outcome::Outcome;
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::{Incoming, SipTrunk, TrunkUse, UaEvent};
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn registering() -> (Desk, String) {
    let mut desk = Desk::with(config(Incoming::Nobody), SipTrunk { register: true, ..trunk() });
    assert_eq!(desk.events(), [changed(TrunkUse::NotRegistered)], "before anything is sent");
    desk.wait(Duration::ZERO);
    let register = desk.one();
    (desk, register)
}

fn changed(state: TrunkUse) -> UaEvent {
    UaEvent::TrunkChanged { trunk: TRUNK, state }
}

fn refused(code: u16, reason: &str) -> UaEvent {
    changed(TrunkUse::AccountRefused { account: "alice".into(), code, reason: reason.into() })
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
    let registered = UaEvent::Registered { trunk: TRUNK, expires: secs(120) };
    assert_eq!(desk.events(), [registered, changed(TrunkUse::Up)]);
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
    let registered = UaEvent::Registered { trunk: TRUNK, expires: secs(900) };
    assert_eq!(desk.events(), [registered, changed(TrunkUse::Up)]);
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
        let mut expected = vec![failed];
        // Reported once, and it stands.
        expected.extend((n == 0).then(|| refused(403, "Forbidden")));
        assert_eq!(desk.events(), expected, "at {n}");
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
    assert_eq!(desk.events(), [failed, UaEvent::TargetsFailed { trunk: TRUNK }]);
}

#[test]
fn a_second_challenge_after_our_credentials_names_the_account() {
    let (mut desk, register) = registering();
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
    desk.receive(&answer(&register, "401 Unauthorized", "x", &[digest], ""));
    let again = desk.one();
    desk.receive(&answer(&again, "401 Unauthorized", "x", &[digest], ""));
    assert_eq!(desk.events().pop(), Some(refused(401, "Unauthorized")));
}

#[test]
fn a_registration_is_lost_when_it_expires_unanswered_and_comes_back_with_a_200() {
    let (mut desk, register) = registering();
    desk.receive(&answer(&register, "200 OK", "x", &["Expires: 120"], ""));
    desk.events();
    let mut lost_at = None;
    for _ in 0..200 {
        desk.wait(secs(1));
        desk.sent();
        let events = desk.events();
        if events.contains(&changed(TrunkUse::RegistrationLost)) {
            lost_at = Some(desk.now);
            break;
        }
        assert!(events.iter().all(|event| matches!(event, UaEvent::RegistrationFailed { .. })), "{events:?}");
    }
    assert_eq!(lost_at, Some(crate::time::Time::from_millis(120_000)), "not before it expires");
    let refresh = loop {
        desk.wait(secs(1));
        if let Some(refresh) = desk.sent().pop() {
            break refresh;
        }
    };
    desk.receive(&answer(&refresh, "200 OK", "x", &["Expires: 120"], ""));
    assert_eq!(desk.events().pop(), Some(changed(TrunkUse::Up)));
}

#[test]
fn a_refusal_ends_a_standing_registration_at_once() {
    let (mut desk, register) = registering();
    desk.receive(&answer(&register, "200 OK", "x", &["Expires: 120"], ""));
    desk.events();
    let refresh = loop {
        desk.wait(secs(1));
        if let Some(refresh) = desk.sent().pop() {
            break refresh;
        }
    };
    desk.receive(&answer(&refresh, "403 Forbidden", "x", &[], ""));
    assert_eq!(desk.events().pop(), Some(refused(403, "Forbidden")));
}

#[test]
fn silence_to_options_counts_only_where_options_were_answered_and_no_call_is() {
    let mut desk = Desk::with(config(Incoming::Nobody), SipTrunk { options: secs(30), ..trunk() });
    // Options unanswered from the start: the carrier ignores them.
    desk.wait(secs(200));
    assert_eq!(desk.events(), []);
    let options = desk.sent().pop().expect("OPTIONS");
    assert_eq!(first_line(&options), "OPTIONS sip:carrier.example SIP/2.0");
    desk.receive(&answer(&options, "404 Not Found", "x", &[], ""));
    assert_eq!(desk.events(), []);
    desk.wait(secs(30));
    let second = desk.sent().pop().expect("OPTIONS");
    assert_ne!(branch(&second), branch(&options));
    // A call is answered meanwhile: the trunk is alive.
    desk.ua.place(desk.now, request());
    let invite = desk.one();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.wait(secs(32));
    assert!(desk.events().iter().all(|event| matches!(event, UaEvent::Progress { .. })));
    desk.receive(&answer(&invite, "486 Busy Here", "far", &[], ""));
    desk.events();
    desk.wait(secs(62));
    assert_eq!(desk.events(), [changed(TrunkUse::Silent)]);
    desk.sent();
    desk.wait(secs(30));
    let third = desk.sent().pop().expect("another OPTIONS");
    desk.receive(&answer(&third, "200 OK", "x", &[], ""));
    assert_eq!(desk.events(), [changed(TrunkUse::Up)]);
}

/// A desk whose trunk has three destinations.
fn three() -> Desk {
    let alternates = vec![peer("203.0.113.11:5060"), peer("203.0.113.12:5080")];
    Desk::with(config(Incoming::Nobody), SipTrunk { alternates, ..trunk() })
}

fn place(desk: &mut Desk) -> (String, String) {
    desk.ua.place(desk.now, request());
    let (to, invite) = desk.sent_to().pop().expect("an INVITE");
    (to.address.to_string(), invite)
}

fn resent(desk: &mut Desk) -> (String, String) {
    let (to, invite) =
        desk.sent_to().into_iter().rfind(|(_, text)| text.starts_with("INVITE ")).expect("an INVITE");
    (to.address.to_string(), invite)
}

#[test]
fn a_silent_destination_is_left_for_the_next_and_a_late_answer_of_it_is_ended() {
    let mut desk = three();
    let saved = desk.ua.identity(&request());
    let (to, first) = place(&mut desk);
    assert_eq!((to.as_str(), saved.peer), ("203.0.113.10:5060", peer("203.0.113.10:5060")));
    desk.wait(Duration::from_millis(3_499));
    assert!(desk.sent_to().iter().all(|(to, _)| *to == peer("203.0.113.10:5060")));
    desk.wait(Duration::from_millis(1));
    let (to, second) = resent(&mut desk);
    assert_eq!(to, "203.0.113.11:5060");
    assert_ne!(branch(&second), branch(&first));
    assert_eq!(header(&second, HeaderName::CallId), header(&first, HeaderName::CallId));
    // The first one wakes up late: its ringing is cancelled, its answer ended.
    desk.receive(&answer(&first, "180 Ringing", "late", &[], ""));
    let (to, cancel) = desk.sent_to().pop().expect("a CANCEL");
    assert!(cancel.starts_with("CANCEL ") && branch(&cancel) == branch(&first), "{cancel}");
    assert_eq!(to, peer("203.0.113.10:5060"));
    desk.receive(&answer(&first, "180 Ringing", "late", &[], ""));
    desk.silent();
    desk.receive_from(peer("203.0.113.11:5060"), &answer(&second, "180 Ringing", "far", &[], ""));
    assert_eq!(desk.progress(), [Progress::Sent, Progress::Ringing]);
    desk.receive(&answer(&first, "200 OK", "late", &[], SDP));
    assert_eq!(
        lines(&desk.sent()),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"]
    );
    assert_eq!(desk.progress(), []);
    desk.receive_from(peer("203.0.113.11:5060"), &answer(&second, "200 OK", "far", &[], SDP));
    assert_eq!(desk.progress(), [Progress::Answered]);
}

#[test]
fn every_destination_is_tried_once_and_then_the_trunk_has_failed() {
    let mut desk = three();
    let (_, invite) = place(&mut desk);
    desk.receive(&answer(&invite, "503 Service Unavailable", "x", &[], ""));
    let (to, invite) = resent(&mut desk);
    assert_eq!(to, "203.0.113.11:5060");
    desk.ua.handle_transport_error(desk.now, peer("203.0.113.11:5060"));
    let (to, invite_3) = resent(&mut desk);
    assert_eq!(to, "203.0.113.12:5080");
    assert_ne!(branch(&invite_3), branch(&invite));
    desk.receive(&answer(&invite_3, "503 Service Unavailable", "x", &[], ""));
    let progress = desk.progress();
    let [Progress::Sent, Progress::Ended(ended)] = progress.as_slice() else { panic!("{progress:?}") };
    assert_eq!((ended.outcome, ended.sip_code, ended.try_next_trunk), (Outcome::LineFault, Some(503), true));
}

#[test]
fn a_call_that_a_destination_has_taken_is_asked_of_no_other() {
    for status in ["100 Trying", "180 Ringing", "183 Session Progress"] {
        let mut desk = three();
        let (_, invite) = place(&mut desk);
        desk.receive(&answer(&invite, status, if status.starts_with("100") { "" } else { "far" }, &[], ""));
        desk.wait(secs(5));
        desk.ua.handle_transport_error(desk.now, peer("203.0.113.10:5060"));
        assert!(desk.sent().iter().all(|text| !text.starts_with("INVITE ")), "{status}");
        assert!(matches!(desk.progress().last(), Some(Progress::Ended(_))), "{status}");
    }
}

#[test]
fn a_challenge_shows_that_a_destination_is_alive() {
    let mut desk = three();
    let (_, invite) = place(&mut desk);
    desk.wait(secs(3));
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
    desk.receive(&answer(&invite, "401 Unauthorized", "x", &[digest], ""));
    desk.sent();
    desk.wait(secs(5));
    assert!(desk.sent_to().iter().all(|(to, _)| *to == peer("203.0.113.10:5060")));
}

#[test]
fn later_calls_go_to_a_sound_destination_until_the_first_answers_a_probe() {
    let mut desk = three();
    place(&mut desk);
    desk.wait(Duration::from_millis(3_500));
    resent(&mut desk);
    let later = crate::sip::user_agent::CallRequest { call: crate::ids::CallId(8), ..request() };
    assert_eq!(desk.ua.identity(&later).peer, peer("203.0.113.11:5060"));
    desk.wait(secs(30));
    let (_, probe) =
        desk.sent_to().into_iter().rfind(|(_, text)| text.starts_with("OPTIONS ")).expect("a probe");
    desk.receive(&answer(&probe, "200 OK", "x", &[], ""));
    assert_eq!(desk.ua.identity(&later).peer, peer("203.0.113.10:5060"));
}

#[test]
fn a_refusal_of_the_callee_is_not_asked_of_another_destination() {
    for status in ["486 Busy Here", "404 Not Found", "403 Forbidden", "603 Decline", "500 Server Error"] {
        let mut desk = three();
        let (_, invite) = place(&mut desk);
        desk.receive(&answer(&invite, status, "x", &[], ""));
        assert!(desk.sent().iter().all(|text| text.starts_with("ACK ")), "{status}");
        assert!(matches!(desk.progress().as_slice(), [Progress::Sent, Progress::Ended(_)]), "{status}");
    }
}

#[test]
fn registration_goes_to_the_next_destination_when_one_is_silent() {
    let alternates = vec![peer("203.0.113.11:5060")];
    let mut desk = Desk::with(config(Incoming::Nobody), SipTrunk { alternates, register: true, ..trunk() });
    desk.wait(secs(33));
    let to: Vec<_> = desk.sent_to().into_iter().map(|(to, _)| to).collect();
    assert_eq!(to.last(), Some(&peer("203.0.113.11:5060")), "{to:?}");
}

#[test]
fn a_refused_account_differs_from_a_refused_callee() {
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
    let refuse = |desk: &mut Desk, call: u64, status: &str| {
        let call = crate::ids::CallId(call);
        desk.ua.place(desk.now, crate::sip::user_agent::CallRequest { call, ..request() });
        let invite = desk.one();
        desk.receive(&answer(&invite, "401 Unauthorized", "x", &[digest], ""));
        let again = desk.sent().pop().expect("an INVITE with credentials");
        desk.receive(&answer(&again, status, "x", &[digest], ""));
        desk.sent();
        desk.ua.hang_up(desk.now, call, crate::call::HangUpCause::Stopped);
        desk.sent();
        desk.progress().into_iter().find_map(|progress| match progress {
            Progress::Ended(ended) => Some(ended),
            _ => None,
        })
    };
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let mut desk = Desk::new();
        let ended = refuse(&mut desk, 1, status).expect("an end");
        assert!(ended.refuses_account() && ended.try_next_trunk, "{ended:?}");
        assert!(ended.cause.contains("refuses the account alice"), "{ended:?}");
    }
    // A carrier that has taken the account refuses this callee.
    let mut desk = Desk::new();
    refuse(&mut desk, 1, "486 Busy Here").expect("an end");
    let ended = refuse(&mut desk, 2, "403 Forbidden").expect("an end");
    assert_eq!((ended.outcome, ended.refuses_account()), (Outcome::CarrierBlock, false));
    let ended = refuse(&mut desk, 3, "407 Proxy Authentication Required").expect("an end");
    assert!(ended.refuses_account(), "a second challenge is always ours");
    // Without an account.
    let mut desk = Desk::with(config(Incoming::Nobody), SipTrunk { username: String::new(), ..trunk() });
    desk.ua.place(desk.now, request());
    let invite = desk.one();
    desk.receive(&answer(&invite, "401 Unauthorized", "x", &[digest], ""));
    let ended = desk.progress().pop();
    let Some(Progress::Ended(ended)) = ended else { panic!("{ended:?}") };
    assert!(ended.refuses_account() && ended.cause.contains("the trunk has none"), "{ended:?}");
}
