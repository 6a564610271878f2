//! Outgoing calls on the wire: retransmission, CANCEL, digest challenges, redirection, errors.

use super::desk::*;
use crate::call::{HangUpCause, Progress};
use crate::outcome::{EndedBy, Outcome};
use crate::sip::headers::HeaderName;
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_call_goes_from_invite_to_bye() {
    let (mut desk, invite) = Desk::calling();
    assert_eq!(first_line(&invite), "INVITE sip:013800138000@carrier.example SIP/2.0");
    assert_eq!(header(&invite, HeaderName::PPreferredIdentity), "<sip:075512345678@carrier.example>");
    assert!(header(&invite, HeaderName::Via).contains(";rport"), "{invite}");
    desk.receive(&answer(&invite, "100 Trying", "", &[], ""));
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    assert_eq!(desk.progress(), [Progress::Ringing], "once");
    desk.wait(secs(3));
    desk.silent();
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    let events = desk.events();
    assert!(matches!(&events[0], crate::sip::UaEvent::Progress { progress: Progress::Answered, .. }));
    assert!(matches!(&events[1], crate::sip::UaEvent::Media { early: false, .. }), "{events:?}");
    desk.silent();
    desk.ua.acknowledge(desk.now, CALL);
    let ack = desk.one();
    assert_eq!(first_line(&ack), "ACK sip:far@203.0.113.10:5060 SIP/2.0");
    assert_eq!(header(&ack, HeaderName::CSeq), "1 ACK");
    assert_ne!(branch(&ack), branch(&invite));
    desk.hang_up(HangUpCause::Finished);
    let bye = desk.one();
    assert_eq!(first_line(&bye), "BYE sip:far@203.0.113.10:5060 SIP/2.0");
    assert_eq!(header(&bye, HeaderName::CSeq), "2 BYE");
    assert!(header(&bye, HeaderName::To).ends_with(";tag=far"));
    assert!(header(&bye, HeaderName::Reason).starts_with("Q.850;cause=16"));
    assert_eq!(desk.progress(), [], "not over before the far side knows");
    desk.receive(&answer(&bye, "200 OK", "", &[], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Dialer));
    desk.wait(secs(60));
    desk.silent();
    assert_eq!((desk.ua.calls(), desk.ua.next_wake()), (0, None));
}

#[test]
fn identity_matches_what_place_sends() {
    let mut desk = Desk::new();
    let saved = desk.ua.identity(&request());
    assert_eq!(saved, desk.ua.identity(&request()), "asking twice gives the same");
    desk.ua.place(desk.now, request());
    let invite = desk.one();
    assert_eq!(header(&invite, HeaderName::CallId), saved.call_id);
    assert_eq!(header(&invite, HeaderName::From), saved.from);
    assert_eq!(header(&invite, HeaderName::To), saved.to);
    assert_eq!(branch(&invite), saved.branch);
    assert_eq!(header(&invite, HeaderName::CSeq), format!("{} INVITE", saved.cseq));
    assert!(invite.contains(&format!("INVITE {} SIP/2.0", saved.request_uri)));
    assert!(header(&invite, HeaderName::Via).contains(&saved.sent_by));
    assert_eq!(desk.ua.saved_dialog(CALL), None, "not answered yet");
    desk.receive(&answer(&invite, "200 OK", "far", &["Record-Route: <sip:203.0.113.11;lr>"], SDP));
    let confirmed = desk.ua.saved_dialog(CALL).expect("answered");
    assert_eq!((&confirmed.branch, &confirmed.from, &confirmed.to), (&saved.branch, &saved.from, &saved.to));
    let dialog = confirmed.confirmed.expect("a confirmed dialog");
    assert_eq!(dialog.remote_tag, "far");
    assert_eq!(dialog.route_set, ["<sip:203.0.113.11;lr>"]);
}

#[test]
fn the_ack_of_the_200_and_its_retransmissions_is_withheld_until_commanded() {
    let (mut desk, invite) = Desk::calling();
    let ok = answer(&invite, "200 OK", "far", &[], SDP);
    for _ in 0..4 {
        desk.receive(&ok);
        desk.wait(Duration::from_millis(500));
    }
    desk.silent();
    assert_eq!(desk.progress(), [Progress::Answered], "once");
    desk.ua.acknowledge(desk.now, CALL);
    let ack = desk.one();
    for _ in 0..4 {
        desk.receive(&ok);
        assert_eq!(desk.one(), ack, "a lost ACK is sent again");
        desk.wait(secs(4));
    }
    assert_eq!(desk.progress(), []);
    desk.wait(secs(33));
    desk.receive(&ok);
    desk.silent();
}

#[test]
fn the_route_set_is_that_of_the_200_reversed_and_its_first_hop_is_used() {
    let routes = ["Record-Route: <sip:203.0.113.21;lr>, <sip:203.0.113.22:5070;lr>"];
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    let contact = "Contact: <sip:callee@198.51.100.9:5999;transport=udp>";
    desk.receive(&answer(&invite, "200 OK", "far", &[routes[0], contact], SDP));
    desk.ua.acknowledge(desk.now, CALL);
    desk.hang_up(HangUpCause::Finished);
    let sent = desk.sent_to();
    assert_eq!(sent.len(), 2);
    for (to, text) in &sent {
        assert_eq!(*to, peer("203.0.113.22:5070"));
        let uri = first_line(text).split(' ').nth(1);
        assert_eq!(uri, Some("sip:callee@198.51.100.9:5999;transport=udp"));
        let message = crate::sip::message::Message::parse(text.as_bytes()).expect("a message");
        let routes: Vec<_> = message.list(HeaderName::Route).map(|route| route.into_owned()).collect();
        assert_eq!(routes, ["<sip:203.0.113.22:5070;lr>", "<sip:203.0.113.21;lr>"]);
    }
}

#[test]
fn a_strict_router_gets_its_own_address_as_the_request_uri() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "200 OK", "far", &["Record-Route: <sip:203.0.113.21>"], SDP));
    desk.ua.acknowledge(desk.now, CALL);
    let ack = desk.one();
    assert_eq!(first_line(&ack), "ACK sip:203.0.113.21 SIP/2.0");
    assert_eq!(header(&ack, HeaderName::Route), "<sip:far@203.0.113.10:5060>");
}

#[test]
fn a_200_without_content_length_still_brings_its_description() {
    let (mut desk, invite) = Desk::calling();
    let ok = answer(&invite, "200 OK", "far", &[], SDP);
    let length = format!("Content-Length: {}\r\n", SDP.len());
    desk.receive(&ok.replace(&length, ""));
    let media = desk.media();
    assert_eq!(media.len(), 1, "{media:?}");
    assert_eq!(media[0].0.rtp, "203.0.113.10:4000".parse().expect("an address"));
}

#[test]
fn compact_names_and_folds_are_read() {
    let (mut desk, invite) = Desk::calling();
    let ok = answer(&invite, "200 OK", "far", &[], SDP)
        .replace("Via: ", "v:\r\n ")
        .replace("From: ", "f: ")
        .replace("To: ", "t: ")
        .replace("Call-ID: ", "i:\t")
        .replace("Contact: ", "m: ")
        .replace("Content-Type: ", "c: ")
        .replace("Content-Length: ", "l: ");
    desk.receive(&ok);
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.ua.acknowledge(desk.now, CALL);
    assert_eq!(first_line(&desk.one()), "ACK sip:far@203.0.113.10:5060 SIP/2.0");
}

#[test]
fn the_ack_of_a_486_has_the_branch_of_the_invite_and_the_to_tag_of_the_response() {
    let (mut desk, invite) = Desk::calling();
    let busy = answer(&invite, "486 Busy Here", "b7", &["Reason: Q.850;cause=17"], "");
    desk.receive(&busy);
    let ack = desk.one();
    assert_eq!(first_line(&ack), first_line(&invite).replace("INVITE", "ACK"));
    assert_eq!(branch(&ack), branch(&invite));
    assert_eq!(header(&ack, HeaderName::Via), header(&invite, HeaderName::Via));
    assert_eq!(header(&ack, HeaderName::From), header(&invite, HeaderName::From));
    assert!(header(&ack, HeaderName::To).ends_with(";tag=b7"));
    assert_eq!(header(&ack, HeaderName::CSeq), "1 ACK");
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by, ended.sip_code), (Outcome::Busy, EndedBy::Callee, Some(486)));
    assert_eq!(ended.cause, "Busy Here; Q.850 17 user busy");
    assert!(!ended.try_next_trunk);
    desk.receive(&busy);
    assert_eq!(desk.one(), ack, "a lost ACK is sent again");
    assert_eq!(desk.progress(), []);
}

#[test]
fn a_cancel_has_the_branch_to_and_request_uri_of_its_invite() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &["Contact: <sip:elsewhere@198.51.100.1>"], ""));
    desk.hang_up(HangUpCause::Stopped);
    let cancel = desk.one();
    assert_eq!(first_line(&cancel), first_line(&invite).replace("INVITE", "CANCEL"));
    assert_eq!(branch(&cancel), branch(&invite));
    for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId] {
        assert_eq!(header(&cancel, name), header(&invite, name));
    }
    assert_eq!(header(&cancel, HeaderName::CSeq), "1 CANCEL");
    desk.events();
    desk.receive(&answer(&invite, "487 Request Terminated", "far", &[], ""));
    assert_eq!(lines(&desk.sent()), [first_line(&invite).replace("INVITE", "ACK").as_str()]);
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Cancelled, EndedBy::Dialer));
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    assert_eq!(desk.ua.calls(), 0);
}

#[test]
fn a_cancel_waits_for_the_first_provisional() {
    let (mut desk, invite) = Desk::calling();
    desk.hang_up(HangUpCause::RingTimeout);
    desk.silent();
    desk.receive(&answer(&invite, "100 Trying", "", &[], ""));
    assert!(desk.one().starts_with("CANCEL "));
}

#[test]
fn an_unanswered_call_is_cancelled_at_its_ring_time() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.wait(Duration::from_millis(44_999));
    desk.silent();
    desk.wait(Duration::from_millis(1));
    let cancel = desk.one();
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    desk.events();
    desk.receive(&answer(&invite, "487 Request Terminated", "far", &[], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by, ended.sip_code), (Outcome::NoAnswer, EndedBy::Dialer, Some(487)));
}

#[test]
fn the_ring_time_begins_when_the_phone_rings() {
    for provisional in ["180 Ringing", "183 Session Progress"] {
        let (mut desk, invite) = Desk::calling();
        desk.receive(&answer(&invite, "100 Trying", "", &[], ""));
        desk.wait(secs(20));
        desk.receive(&answer(&invite, provisional, "far", &[], ""));
        desk.events();
        desk.wait(secs(30));
        // A second 180 begins nothing anew.
        desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
        desk.wait(Duration::from_millis(14_999));
        desk.silent();
        desk.wait(Duration::from_millis(1));
        assert!(desk.one().starts_with("CANCEL "), "{provisional}");
        desk.receive(&answer(&invite, "487 Request Terminated", "far", &[], ""));
        assert_eq!(desk.ended().outcome, Outcome::NoAnswer, "{provisional}");
    }
}

#[test]
fn a_call_that_does_not_ring_is_cancelled_at_the_end_of_its_set_up_time() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "100 Trying", "", &[], ""));
    desk.wait(Duration::from_millis(29_999));
    desk.silent();
    desk.wait(Duration::from_millis(1));
    let cancel = desk.one();
    assert!(cancel.contains("It did not ring"), "{cancel}");
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    desk.events();
    desk.receive(&answer(&invite, "487 Request Terminated", "far", &[], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by, ended.sip_code), (Outcome::Unreachable, EndedBy::Dialer, Some(487)));
}

#[test]
fn a_cancel_without_effect_is_given_up_after_32_seconds() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.hang_up(HangUpCause::RingTimeout);
    let cancel = desk.one();
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    desk.events();
    desk.wait(Duration::from_millis(31_999));
    assert_eq!(desk.progress(), []);
    desk.wait(Duration::from_millis(1));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::NoAnswer, EndedBy::Dialer));
    assert!(ended.cause.contains("never said"), "{}", ended.cause);
    desk.wait(secs(10));
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    assert_eq!(
        lines(&desk.sent()),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"],
        "a very late answer is still ended"
    );
    desk.wait(secs(70));
    assert_eq!((desk.ua.clients.len(), desk.ua.next_wake()), (0, None));
}

#[test]
fn a_200_that_crosses_the_cancel_gets_ack_then_bye_and_is_reported_as_it_was() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.hang_up(HangUpCause::RingTimeout);
    let cancel = desk.one();
    desk.events();
    let ok = answer(&invite, "200 OK", "far", &[], SDP);
    desk.receive(&ok);
    let sent = desk.sent();
    assert_eq!(
        lines(&sent),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"]
    );
    desk.receive(&answer(&cancel, "481 Call/Transaction Does Not Exist", "far", &[], ""));
    desk.receive(&ok);
    assert_eq!(desk.one(), sent[0]);
    desk.receive(&answer(&sent[1], "200 OK", "", &[], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::NoAnswer, EndedBy::Dialer));
    assert!(ended.cause.contains("answered while it was being cancelled"), "{}", ended.cause);
}

#[test]
fn a_silent_trunk_is_a_line_fault_after_32_seconds_and_another_trunk_is_tried() {
    let (mut desk, invite) = Desk::calling();
    desk.wait(Duration::from_millis(31_999));
    assert_eq!(desk.sent(), vec![invite; 6]);
    assert_eq!(desk.progress(), []);
    desk.wait(Duration::from_millis(1));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by, ended.sip_code), (Outcome::LineFault, EndedBy::Carrier, None));
    assert!(ended.try_next_trunk);
}

#[test]
fn a_407_with_a_list_of_qops_is_answered_once() {
    let (mut desk, invite) = Desk::calling();
    let digest =
        "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth,auth-int\", algorithm=MD5";
    desk.receive(&answer(&invite, "407 Proxy Authentication Required", "x", &[digest], ""));
    let sent = desk.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(branch(&sent[0]), branch(&invite), "the ACK belongs to the old transaction");
    let again = &sent[1];
    assert_eq!(header(again, HeaderName::CSeq), "2 INVITE");
    assert_eq!(branch(again), format!("{}-1", branch(&invite)));
    assert_eq!(header(again, HeaderName::CallId), header(&invite, HeaderName::CallId));
    assert_eq!(header(again, HeaderName::From), header(&invite, HeaderName::From));
    let line = header(again, HeaderName::ProxyAuthorization);
    for part in ["username=\"alice\"", "qop=auth,", "nc=00000001", "uri=\"sip:013800138000@carrier.example\""]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    desk.events();
    desk.receive(&answer(again, "407 Proxy Authentication Required", "y", &[digest], ""));
    assert_eq!(lines(&desk.sent()), ["ACK sip:013800138000@carrier.example SIP/2.0"]);
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.sip_code, ended.try_next_trunk), (Outcome::LineFault, Some(407), true));
}

#[test]
fn a_stale_nonce_is_answered_once_more() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(
        &invite,
        "401 Unauthorized",
        "x",
        &["WWW-Authenticate: Digest realm=\"c\", nonce=\"n1\""],
        "",
    ));
    let again = desk.sent().pop().expect("a second INVITE");
    let stale = "WWW-Authenticate: Digest realm=\"c\", nonce=\"n2\", stale=TRUE";
    desk.receive(&answer(&again, "401 Unauthorized", "y", &[stale], ""));
    let third = desk.sent().pop().expect("a third INVITE");
    assert_eq!(branch(&third), format!("{}-2", branch(&invite)));
    assert!(header(&third, HeaderName::Authorization).contains("nonce=\"n2\""));
    desk.receive(&answer(&third, "200 OK", "far", &[], SDP));
    desk.ua.acknowledge(desk.now, CALL);
    let ack = desk.one();
    assert_eq!(header(&ack, HeaderName::CSeq), "3 ACK");
    assert_eq!(header(&ack, HeaderName::Authorization), header(&third, HeaderName::Authorization));
}

#[test]
fn a_proxy_and_the_far_end_may_both_challenge() {
    let (mut desk, invite) = Desk::calling();
    let proxy = "Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"p1\", qop=\"auth\"";
    desk.receive(&answer(&invite, "407 Proxy Authentication Required", "x", &[proxy], ""));
    let again = desk.sent().pop().expect("a second INVITE");
    let far = "WWW-Authenticate: Digest realm=\"far\", nonce=\"f1\", algorithm=SHA-256, qop=\"auth\"";
    desk.receive(&answer(&again, "401 Unauthorized", "y", &[far], ""));
    let third = desk.sent().pop().expect("a third INVITE");
    assert!(header(&third, HeaderName::ProxyAuthorization).contains("nc=00000002"), "{third}");
    assert!(header(&third, HeaderName::Authorization).contains("algorithm=SHA-256"), "{third}");
}

#[test]
fn a_bye_that_is_challenged_goes_again_with_credentials() {
    let (mut desk, _, _) = Desk::talking(&[]);
    desk.hang_up(HangUpCause::Finished);
    let bye = desk.one();
    let digest = "Proxy-Authenticate: Digest realm=\"c\", nonce=\"n1\", qop=\"auth\"";
    desk.receive(&answer(&bye, "407 Proxy Authentication Required", "", &[digest], ""));
    let again = desk.one();
    assert_eq!(header(&again, HeaderName::CSeq), "3 BYE");
    assert!(header(&again, HeaderName::ProxyAuthorization).contains("response="), "{again}");
    desk.receive(&answer(&again, "200 OK", "", &[], ""));
    assert_eq!(desk.ended().outcome, Outcome::Answered);
}

#[test]
fn an_unanswered_bye_ends_the_call_after_32_seconds() {
    let (mut desk, _, _) = Desk::talking(&[]);
    desk.hang_up(HangUpCause::Finished);
    desk.wait(secs(32));
    assert_eq!(desk.sent().len(), 11);
    let ended = desk.ended();
    assert_eq!(ended.outcome, Outcome::Answered);
    assert!(ended.cause.contains("did not answer our BYE"), "{}", ended.cause);
}

#[test]
fn a_hang_up_before_the_ack_sends_ack_then_bye() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    desk.hang_up(HangUpCause::NotSaved);
    assert_eq!(
        lines(&desk.sent()),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"]
    );
}

#[test]
fn an_answer_without_usable_media_is_acknowledged_and_ended() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "200 OK", "far", &[], ""));
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.ua.acknowledge(desk.now, CALL);
    let sent = desk.sent();
    assert_eq!(lines(&sent)[1], "BYE sip:far@203.0.113.10:5060 SIP/2.0");
    desk.receive(&answer(&sent[1], "200 OK", "", &[], ""));
    let ended = desk.ended();
    assert_eq!(ended.outcome, Outcome::Answered);
    assert!(ended.cause.contains("media"), "{}", ended.cause);
}

#[test]
fn a_redirection_is_followed_to_the_same_number_only() {
    let (mut desk, invite) = Desk::calling();
    let contacts = "Contact: <sip:095500000000@198.51.100.7>, <sip:013800138000@198.51.100.8:5080>";
    desk.receive(&answer(&invite, "302 Moved Temporarily", "x", &[contacts], ""));
    let sent = desk.sent_to();
    assert_eq!(first_line(&sent[1].1), "INVITE sip:013800138000@198.51.100.8:5080 SIP/2.0");
    assert_eq!(sent[1].0, peer("198.51.100.8:5080"));
    assert_eq!(header(&sent[1].1, HeaderName::CSeq), "2 INVITE");
    desk.events();
    let other = "Contact: <sip:095500000000@198.51.100.7>";
    desk.receive(&answer(&sent[1].1, "302 Moved Temporarily", "y", &[other], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.sip_code, ended.try_next_trunk), (Outcome::LineFault, Some(302), false));
}

#[test]
fn redirections_end_after_the_third() {
    let (mut desk, mut invite) = Desk::calling();
    for n in 1..=3 {
        let contact = format!("Contact: <sip:013800138000@198.51.100.{n}>");
        desk.receive(&answer(&invite, "302 Moved Temporarily", "x", &[&contact], ""));
        invite = desk.sent().pop().expect("another INVITE");
        assert!(invite.starts_with("INVITE "), "{invite}");
    }
    desk.events();
    desk.receive(&answer(
        &invite,
        "302 Moved Temporarily",
        "x",
        &["Contact: <sip:013800138000@198.51.100.4>"],
        "",
    ));
    assert_eq!(desk.ended().outcome, Outcome::LineFault);
}

#[test]
fn a_503_brings_its_retry_after() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "503 Service Unavailable", "x", &["Retry-After: 30 (busy)"], ""));
    let ended = desk.ended();
    assert_eq!(ended.retry_after, Some(secs(30)));
    assert_eq!((ended.outcome, ended.try_next_trunk), (Outcome::LineFault, true));
}

#[test]
fn a_422_raises_the_session_interval() {
    let (mut desk, invite) = Desk::calling();
    assert_eq!(header(&invite, HeaderName::SessionExpires), "1800");
    desk.receive(&answer(&invite, "422 Session Interval Too Small", "x", &["Min-SE: 3600"], ""));
    let again = desk.sent().pop().expect("a second INVITE");
    assert_eq!(header(&again, HeaderName::SessionExpires), "3600");
    assert_eq!(header(&again, HeaderName::MinSe), "3600");
    assert_eq!(branch(&again), format!("{}-1", branch(&invite)));
}

#[test]
fn a_broken_connection_fails_its_transactions() {
    let mut tcp = trunk();
    tcp.peer.transport = crate::sip::user_agent::Transport::Tcp;
    let mut desk = Desk::with(config(Default::default()), tcp.clone());
    desk.ua.place(desk.now, request());
    let invite = desk.one();
    assert!(header(&invite, HeaderName::Via).starts_with("SIP/2.0/TCP 192.0.2.5:5062"), "{invite}");
    assert!(header(&invite, HeaderName::Contact).contains("transport=tcp"));
    desk.events();
    desk.ua.handle_transport_error(desk.now, tcp.peer);
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.try_next_trunk), (Outcome::LineFault, true));
}

#[test]
fn an_abandoned_ringing_call_leaves_no_state() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.hang_up(HangUpCause::RingTimeout);
    desk.wait(secs(120));
    assert_eq!((desk.ua.calls(), desk.ua.clients.len(), desk.ua.next_wake()), (0, 0, None));
}

#[test]
fn a_call_over_an_unknown_trunk_ends_at_once() {
    let mut desk = Desk::new();
    let mut request = request();
    request.trunk = crate::ids::TrunkId(9);
    desk.ua.place(desk.now, request);
    desk.silent();
    assert_eq!(desk.ended().outcome, Outcome::LineFault);
}
