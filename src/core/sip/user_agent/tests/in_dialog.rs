//! Requests of the far side within a dialog: BYE, hold, moved media, UPDATE, INFO.

use super::desk::*;
use crate::media::Direction;
use crate::outcome::{EndedBy, Outcome};
use crate::sip::headers::HeaderName;
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn the_callees_bye_ends_the_call_at_once() {
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(&ok, "BYE", 1, &["Reason: Q.850;cause=16;text=\"bye\""], ""));
    assert!(desk.one().starts_with("SIP/2.0 200 OK"));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Callee));
    assert_eq!(ended.cause, "Q.850 16 bye");
    desk.receive(&far_request(&ok, "BYE", 1, &["Reason: Q.850;cause=16;text=\"bye\""], ""));
    assert!(desk.one().starts_with("SIP/2.0 200 OK"), "a copy gets the same");
    desk.receive(&far_request(&ok, "BYE", 2, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 481 "));
}

#[test]
fn a_hold_is_answered_with_recvonly_and_a_new_version() {
    let (mut desk, invite, ok) = Desk::talking(&[]);
    let hold = format!("{SDP}a=sendonly\r\n");
    desk.receive(&far_request(&ok, "INVITE", 1, &[], &hold));
    let reply = desk.one();
    assert!(reply.starts_with("SIP/2.0 200 OK") && reply.contains("a=recvonly"), "{reply}");
    let version = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("o=")).expect("an origin").to_string();
        line.split(' ').nth(2).and_then(|it| it.parse::<u64>().ok()).expect("a version")
    };
    assert_eq!(version(&reply), version(&invite) + 1);
    let media = desk.media();
    assert_eq!(media[0].0.direction, Direction::RecvOnly);
    assert!(!media[0].0.may_send());
    desk.wait(Duration::from_millis(500));
    assert_eq!(desk.one(), reply, "until its ACK comes");
    desk.receive(&far_request(&ok, "ACK", 1, &[], ""));
    desk.wait(secs(60));
    desk.silent();
    desk.receive(&far_request(&ok, "INVITE", 2, &[], SDP));
    let reply = desk.one();
    assert!(reply.contains("a=sendrecv"), "{reply}");
    assert_eq!(version(&reply), version(&invite) + 2);
    assert!(desk.media()[0].0.may_send());
}

#[test]
fn moved_media_is_reported() {
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(&ok, "INVITE", 1, &[], &SDP.replace("203.0.113.10", "203.0.113.99")));
    assert_eq!(desk.media()[0].0.rtp, "203.0.113.99:4000".parse().expect("an address"));
}

#[test]
fn a_re_invite_without_an_offer_gets_ours_and_its_ack_brings_the_answer() {
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(&ok, "INVITE", 1, &[], ""));
    assert!(desk.one().contains("m=audio 20000"));
    desk.receive(&far_request(&ok, "ACK", 1, &[], &SDP.replace("4000", "4444")));
    assert_eq!(desk.media()[0].0.rtp.port(), 4444);
}

#[test]
fn an_offer_that_we_cannot_take_gets_488_and_changes_nothing() {
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(
        &ok,
        "INVITE",
        1,
        &[],
        &SDP.replace("AVP 8 101", "AVP 97").replace(":8 PCMA", ":97 opus"),
    ));
    assert!(desk.one().starts_with("SIP/2.0 488 "));
    assert_eq!(desk.media(), []);
    assert_eq!(desk.ua.calls(), 1);
}

#[test]
fn options_update_and_info_in_the_dialog_are_answered() {
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(&ok, "OPTIONS", 1, &[], ""));
    let reply = desk.one();
    assert!(reply.starts_with("SIP/2.0 200 ") && header(&reply, HeaderName::Allow).contains("UPDATE"));
    desk.receive(&far_request(
        &ok,
        "UPDATE",
        2,
        &["Session-Expires: 90;refresher=uac", "Supported: timer"],
        "",
    ));
    let reply = desk.one();
    assert_eq!(header(&reply, HeaderName::SessionExpires), "90;refresher=uac");
    assert_eq!(header(&reply, HeaderName::Require), "timer");
    desk.receive(&far_request(
        &ok,
        "INFO",
        3,
        &["Content-Type: application/dtmf-relay"],
        "Signal=5\r\nDuration=160\r\n",
    ));
    assert!(desk.one().starts_with("SIP/2.0 200 "));
    let digits = desk.events();
    assert!(
        matches!(digits.as_slice(), [crate::sip::UaEvent::Digit { digit, .. }] if digit.as_char() == '5')
    );
}

#[test]
fn unknown_methods_old_numbers_and_transfers_are_refused() {
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(&ok, "FROBNICATE", 5, &[], ""));
    let reply = desk.one();
    assert!(reply.starts_with("SIP/2.0 405 ") && header(&reply, HeaderName::Allow).contains("INVITE"));
    desk.receive(&far_request(&ok, "REFER", 6, &["Refer-To: <sip:95500000000@x>"], ""));
    assert!(desk.one().starts_with("SIP/2.0 603 "));
    desk.receive(&far_request(&ok, "OPTIONS", 9, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 200 "));
    desk.receive(&far_request(&ok, "INFO", 8, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 500 "));
    desk.receive(&far_request(&ok, "INFO", 10, &["Require: quantum"], ""));
    let reply = desk.one();
    assert!(reply.starts_with("SIP/2.0 420 ") && reply.contains("Unsupported: quantum"));
    assert_eq!(desk.ua.calls(), 1);
}

#[test]
fn an_update_before_the_answer_moves_early_media() {
    let (mut desk, invite) = Desk::calling();
    let progress = answer(&invite, "183 Session Progress", "far", &[], SDP);
    desk.receive(&progress);
    desk.events();
    desk.receive(&far_request(&progress, "UPDATE", 1, &[], &SDP.replace("4000", "4200")));
    let reply = desk.one();
    assert!(reply.starts_with("SIP/2.0 200 ") && reply.contains("m=audio 20000"), "{reply}");
    let media = desk.media();
    assert_eq!((media[0].0.rtp.port(), media[0].1), (4200, true));
    desk.receive(&far_request(&progress, "INVITE", 2, &[], SDP));
    assert!(desk.one().starts_with("SIP/2.0 491 "));
}

#[test]
fn nothing_that_comes_before_the_ack_makes_us_send_it() {
    let (mut desk, invite) = Desk::calling();
    let ok = answer(&invite, "200 OK", "far", &[], SDP);
    desk.receive(&ok);
    desk.receive(&far_request(&ok, "INVITE", 1, &[], SDP));
    assert!(desk.one().starts_with("SIP/2.0 491 "));
    desk.receive(&far_request(&ok, "OPTIONS", 2, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 200 "));
    desk.events();
    desk.receive(&far_request(&ok, "BYE", 3, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 200 "));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Callee));
    desk.ua.acknowledge(desk.now, CALL);
    assert!(!desk.sent().iter().any(|text| text.starts_with("ACK ")));
}
