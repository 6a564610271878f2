//! Incoming calls, and responses to untrusted sources.

use super::desk::*;
use crate::call::{HangUpCause, Progress};
use crate::ids::CallId;
use crate::outcome::{EndedBy, Outcome};
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::{Incoming, IncomingCall, UaEvent};
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// An incoming INVITE; `n` selects the call.
fn invite(n: u32, extra: &[&str], body: &str) -> String {
    let text = format!(
        "INVITE sip:10086@192.0.2.5:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKin{n}\r\nMax-Forwards: 70\r\n\
         From: <sip:caller@203.0.113.10>;tag=in{n}\r\nTo: <sip:10086@192.0.2.5>\r\nCall-ID: in{n}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:caller@203.0.113.10:5060>\r\n"
    );
    with_body(text, extra, body)
}

/// A request of the caller in the dialog of our response.
fn from_caller(response: &str, method: &str, cseq: u32, branch: &str, extra: &[&str], body: &str) -> String {
    let text = format!(
        "{method} sip:paceline@192.0.2.5:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK{branch}\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n",
        header(response, HeaderName::From),
        header(response, HeaderName::To),
        header(response, HeaderName::CallId),
    );
    with_body(text, extra, body)
}

fn incoming(desk: &mut Desk) -> IncomingCall {
    match desk.events().as_slice() {
        [UaEvent::Incoming(call)] => (**call).clone(),
        other => panic!("not one call: {other:?}"),
    }
}

fn ringing_in(extra: &[&str], body: &str) -> (Desk, CallId, String) {
    let mut desk = Desk::new();
    let text = invite(1, extra, body);
    desk.receive(&text);
    let call = incoming(&mut desk).call;
    (desk, call, text)
}

#[test]
fn a_call_that_comes_in_rings_is_answered_and_ends() {
    let (mut desk, call, text) = ringing_in(&[], SDP);
    assert!(call.0 >> 63 == 1);
    desk.ua.ring(desk.now, call);
    let ringing = desk.one();
    assert!(ringing.starts_with("SIP/2.0 180 Ringing"));
    desk.receive(&text);
    assert_eq!(desk.one(), ringing, "a copy of the INVITE gets the last provisional");
    desk.ua.answer(desk.now, call, media());
    let ok = desk.one();
    assert!(ok.starts_with("SIP/2.0 200 OK") && ok.contains("m=audio 20000"));
    assert_eq!(header(&ok, HeaderName::To), header(&ringing, HeaderName::To));
    desk.receive(&text);
    desk.silent();
    desk.wait(Duration::from_millis(1_600));
    assert_eq!(desk.sent(), [ok.clone(), ok.clone()]);
    desk.receive(&from_caller(&ok, "ACK", 1, "ack", &[], ""));
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.wait(secs(60));
    desk.silent();
    desk.ua.hang_up(desk.now, call, HangUpCause::Finished);
    let bye = desk.one();
    assert_eq!(first_line(&bye), "BYE sip:caller@203.0.113.10:5060 SIP/2.0");
    assert_eq!(header(&bye, HeaderName::From), header(&ok, HeaderName::To));
    desk.receive(&answer(&bye, "200 OK", "", &[], ""));
    assert_eq!(desk.ended().outcome, Outcome::Answered);
    assert_eq!(desk.ua.calls(), 0);
}

#[test]
fn without_a_decision_100_is_sent_after_200_ms() {
    let (mut desk, _, _) = ringing_in(&[], SDP);
    desk.silent();
    desk.wait(Duration::from_millis(200));
    let trying = desk.one();
    assert!(trying.starts_with("SIP/2.0 100 Trying") && !header(&trying, HeaderName::To).contains("tag"));
}

#[test]
fn a_cancel_gets_200_and_its_invite_487() {
    let (mut desk, call, text) = ringing_in(&[], SDP);
    desk.ua.ring(desk.now, call);
    desk.sent();
    let cancel = text.replace("INVITE", "CANCEL").replace(SDP, "");
    let cancel = cancel.replace(&format!("Content-Length: {}", SDP.len()), "Content-Length: 0");
    desk.receive(&cancel);
    let sent = desk.sent();
    assert_eq!(lines(&sent), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert_eq!(header(&sent[0], HeaderName::CSeq), "1 CANCEL");
    assert_eq!(header(&sent[0], HeaderName::To), header(&sent[1], HeaderName::To));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by, ended.sip_code), (Outcome::NoAnswer, EndedBy::Callee, Some(487)));
    desk.wait(Duration::from_millis(500));
    assert_eq!(desk.one(), sent[1], "until its ACK comes");
    desk.receive(&from_caller(&sent[1], "ACK", 1, "in1", &[], ""));
    desk.wait(secs(60));
    desk.silent();
}

#[test]
fn a_cancel_that_comes_after_the_answer_changes_nothing() {
    let (mut desk, call, text) = ringing_in(&[], SDP);
    desk.ua.answer(desk.now, call, media());
    let ok = desk.one();
    let cancel = text.replace("INVITE", "CANCEL");
    desk.receive(&cancel);
    assert!(desk.one().starts_with("SIP/2.0 200 OK"));
    desk.receive(&from_caller(&ok, "ACK", 1, "ack", &[], ""));
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.receive(&invite(9, &[], "").replace("INVITE", "CANCEL"));
    assert!(desk.one().starts_with("SIP/2.0 481 "), "a CANCEL of nothing");
}

#[test]
fn an_answer_that_is_never_acknowledged_ends_with_bye_after_32_seconds() {
    let (mut desk, call, _) = ringing_in(&[], SDP);
    desk.ua.answer(desk.now, call, media());
    desk.wait(secs(32));
    let sent = desk.sent();
    assert!(sent.len() > 8 && sent.last().is_some_and(|last| last.starts_with("BYE ")), "{:?}", lines(&sent));
}

#[test]
fn a_refusal_is_repeated_until_its_ack_and_carries_the_given_headers() {
    let (mut desk, call, _) = ringing_in(&[], SDP);
    desk.ua.reject(desk.now, call, 503, "Service Unavailable", &["Retry-After: 30", "Evil: a\r\nX: y"]);
    let refusal = desk.one();
    assert_eq!(header(&refusal, HeaderName::RetryAfter), "30");
    assert!(!refusal.contains("\r\nX: y"));
    desk.wait(Duration::from_millis(600));
    assert_eq!(desk.one(), refusal);
    desk.receive(&from_caller(&refusal, "ACK", 1, "in1", &[], ""));
    desk.wait(secs(60));
    desk.silent();
    assert_eq!(desk.ua.next_wake(), None);
}

#[test]
fn an_invite_without_an_offer_gets_ours_in_the_200_and_its_ack_brings_the_answer() {
    let (mut desk, call, _) = ringing_in(&[], "");
    desk.ua.answer(desk.now, call, media());
    let ok = desk.one();
    assert!(ok.contains("m=audio 20000"));
    desk.receive(&from_caller(&ok, "ACK", 1, "ack", &[], SDP));
    let media = desk.media();
    assert_eq!(media[0].0.rtp, "203.0.113.10:4000".parse().expect("an address"));
}

#[test]
fn early_media_goes_reliably_where_it_is_required_and_the_200_waits_for_its_prack() {
    let (mut desk, call, _) = ringing_in(&["Require: 100rel", "Supported: 100rel"], SDP);
    desk.ua.early_media(desk.now, call, media());
    let progress = desk.one();
    assert!(progress.starts_with("SIP/2.0 183 ") && progress.contains("m=audio 20000"));
    assert_eq!(header(&progress, HeaderName::Require), "100rel");
    let rseq = header(&progress, HeaderName::RSeq);
    desk.wait(Duration::from_millis(500));
    assert_eq!(desk.one(), progress);
    desk.ua.answer(desk.now, call, media());
    desk.silent();
    let rack = format!("RAck: {rseq} 1 INVITE");
    desk.receive(&from_caller(&progress, "PRACK", 2, "prack", &[&rack], ""));
    let sent = desk.sent();
    assert_eq!(lines(&sent), ["SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
    assert_eq!(header(&sent[0], HeaderName::CSeq), "2 PRACK");
    assert_eq!(header(&sent[1], HeaderName::CSeq), "1 INVITE");
    assert!(!sent[1].contains("m=audio"), "the answer left with the 183");
}

#[test]
fn early_media_is_not_reliable_where_nobody_requires_it() {
    let (mut desk, call, _) = ringing_in(&["Supported: 100rel"], SDP);
    desk.ua.early_media(desk.now, call, media());
    assert_eq!(header(&desk.one(), HeaderName::RSeq), "");
    desk.wait(secs(10));
    desk.silent();
}

#[test]
fn a_challenge_and_its_answer_reach_the_engine() {
    let (mut desk, call, _) = ringing_in(&[], SDP);
    desk.ua.reject(
        desk.now,
        call,
        401,
        "Unauthorized",
        &["WWW-Authenticate: Digest realm=\"r\", nonce=\"n\""],
    );
    assert!(desk.one().contains("WWW-Authenticate: Digest"));
    desk.events();
    desk.receive(&invite(2, &["Authorization: Digest username=\"a\", realm=\"r\""], SDP));
    assert_eq!(incoming(&mut desk).authorization, ["Digest username=\"a\", realm=\"r\""]);
}

#[test]
fn an_untrusted_invite_is_declined_without_state() {
    let mut desk = Desk::with(config(Incoming::Nobody), trunk());
    desk.receive(&invite(1, &[], SDP));
    assert!(desk.one().starts_with("SIP/2.0 603 Decline"));
    assert_eq!(desk.events(), []);
    assert_eq!((desk.ua.calls(), desk.ua.servers.len()), (0, 0));
    let mut desk = Desk::with(config(Incoming::Trunks), trunk());
    desk.receive_from(peer("198.51.100.66:5060"), &invite(1, &[], SDP));
    assert!(desk.one().starts_with("SIP/2.0 603 Decline"));
    desk.receive_from(peer("203.0.113.10:5099"), &invite(2, &[], SDP));
    assert_eq!(incoming(&mut desk).to_user, "10086");
}

#[test]
fn an_undecided_incoming_call_ends_after_three_minutes() {
    let (mut desk, call, _) = ringing_in(&[], SDP);
    desk.ua.ring(desk.now, call);
    desk.sent();
    desk.wait(secs(179));
    desk.silent();
    desk.wait(secs(1));
    assert!(desk.one().starts_with("SIP/2.0 480 "));
    assert_eq!(desk.ended().outcome, Outcome::NoAnswer);
}

#[test]
fn options_outside_a_dialog_lists_our_capabilities() {
    let mut desk = Desk::with(config(Incoming::Nobody), trunk());
    desk.receive_from(peer("198.51.100.66:5060"), &invite(1, &[], "").replace("INVITE", "OPTIONS"));
    let reply = desk.one();
    assert!(reply.starts_with("SIP/2.0 200 OK"));
    assert_eq!(header(&reply, HeaderName::Supported), "100rel, timer");
    assert!(header(&reply, HeaderName::To).contains(";tag="));
}

#[test]
fn requests_for_an_unknown_dialog_get_481_or_no_response() {
    let mut desk = Desk::new();
    for method in ["BYE", "INFO", "UPDATE", "PRACK"] {
        let text = invite(1, &[], "")
            .replace("INVITE", method)
            .replace("To: <sip:10086@192.0.2.5>", "To: <sip:10086@192.0.2.5>;tag=0123456789abcdef");
        desk.receive(&text);
        assert!(desk.one().starts_with("SIP/2.0 481 "), "{method}");
    }
    for method in ["REGISTER", "SUBSCRIBE", "MESSAGE"] {
        desk.receive(&invite(2, &[], "").replace("INVITE", method));
        assert!(desk.one().starts_with("SIP/2.0 405 "), "{method}");
    }
    desk.receive(&invite(1, &[], "").replace("INVITE", "ACK"));
    let stray = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.5;branch=z9hG4bK0123456789abcdef\r\n\
        From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    desk.receive(stray);
    desk.receive("\r\n\r\n");
    desk.receive("nonsense");
    desk.silent();
    assert_eq!(desk.events(), []);
}

#[test]
fn a_malformed_request_gets_400_and_no_state() {
    let mut desk = Desk::new();
    desk.receive(&invite(1, &[], "").replace("CSeq: 1 INVITE", "CSeq: one INVITE"));
    assert!(desk.one().starts_with("SIP/2.0 400 "));
    assert_eq!((desk.ua.servers.len(), desk.ua.next_wake()), (0, None));
}

#[test]
fn a_flood_fills_a_bounded_table() {
    let mut desk = Desk::new();
    let most = crate::sip::user_agent::server_transactions::SERVERS_MAX as u32;
    for n in 0..most + 1_000 {
        desk.receive(&invite(n, &[], "").replace("INVITE", "OPTIONS"));
    }
    assert_eq!(desk.sent().len() as u32, most + 1_000, "everybody is answered");
    assert_eq!(desk.ua.servers.len() as u32, most);
    desk.wait(secs(33));
    assert_eq!((desk.ua.servers.len(), desk.ua.next_wake()), (0, None));
}

#[test]
fn a_response_goes_to_the_source_port_only_where_rport_asks_for_it() {
    let mut desk = Desk::new();
    let nat = peer("198.51.100.66:41000");
    let options = |n| invite(n, &[], "").replace("INVITE", "OPTIONS");
    desk.receive_from(nat, &options(1));
    assert_eq!(desk.sent_to()[0].0, peer("198.51.100.66:5060"));
    desk.receive_from(nat, &options(2).replace(";branch", ";rport;branch"));
    let (to, text) = desk.sent_to().remove(0);
    assert_eq!(to, nat);
    let via = header(&text, HeaderName::Via);
    assert!(via.contains("rport=41000") && via.contains("received=198.51.100.66"), "{via}");
}
