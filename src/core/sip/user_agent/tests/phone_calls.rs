//! Calls to agents' phones: one contact, several, none; hold and transfer (REFER).

use super::desk::*;
use super::phones::{PHONE, desk, sign_in};
use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::CallId;
use crate::media::Direction;
use crate::outcome::{EndedBy, Outcome};
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::*;
use crate::time::Duration;

pub const AGENT_CALL: CallId = CallId(77);
pub const SECOND: &str = "198.51.100.8:50000";

pub fn to_phone(auto_answer: bool) -> PhoneRequest {
    PhoneRequest {
        call: AGENT_CALL,
        user: "1001".into(),
        from_user: "13800138000".into(),
        from_name: "Wang \"Li\"".into(),
        auto_answer,
        ring: Duration::from_secs(15),
        media: media(),
    }
}

/// A desk with a call to account 1001 at these contacts, and the messages sent.
pub fn ringing(addresses: &[&str]) -> (Desk, Vec<(Peer, String)>) {
    let mut desk = desk();
    for (n, address) in addresses.iter().enumerate() {
        let n = n as u32;
        sign_in(&mut desk, address, "1001", 10 * n + 1, &format!("<sip:1001@6.6.6.{}:5060;x=y>", n + 1));
    }
    desk.events();
    desk.ua.call_phone(desk.now, to_phone(false));
    let sent = desk.sent_to();
    assert_eq!(sent.len(), addresses.len());
    assert_eq!(desk.progress(), [Progress::Sent]);
    (desk, sent)
}

/// A call with the single phone of 1001: the desk, the INVITE, the 200.
pub fn talking() -> (Desk, String, String) {
    let (mut desk, sent) = ringing(&[PHONE]);
    let ok = answer(&sent[0].1, "200 OK", "far", &["Contact: <sip:1001@6.6.6.6:5060>"], SDP);
    desk.receive_from(peer(PHONE), &ok);
    let (to, ack) = desk.sent_to().remove(0);
    assert!(ack.starts_with("ACK sip:1001@6.6.6.6:5060 "), "{ack}");
    assert_eq!(to, peer(PHONE));
    desk.events();
    desk.peer = peer(PHONE);
    (desk, sent[0].1.clone(), ok)
}

#[test]
fn a_phone_rings_answers_and_is_acknowledged_at_once() {
    let (mut desk, sent) = ringing(&[PHONE]);
    let (to, invite) = &sent[0];
    assert_eq!(*to, peer(PHONE), "to where it registered from, not to its contact");
    assert!(invite.starts_with("INVITE sip:1001@6.6.6.1:5060;x=y SIP/2.0"), "{invite}");
    assert!(
        header(invite, HeaderName::From)
            .starts_with("\"Wang \\\"Li\\\"\" <sip:13800138000@calls.example>;tag=")
    );
    assert_eq!(header(invite, HeaderName::To), "<sip:1001@calls.example>");
    assert!(header(invite, HeaderName::Allow).ends_with(", REFER"));
    assert_eq!(header(invite, HeaderName::CallInfo), "");
    desk.receive_from(peer(PHONE), &answer(invite, "180 Ringing", "far", &[], ""));
    assert_eq!(desk.progress(), [Progress::Ringing]);
    let ok = answer(invite, "200 OK", "far", &[], SDP);
    desk.receive_from(peer(PHONE), &ok);
    let events = desk.events();
    let [
        UaEvent::Progress { call, progress: Progress::Answered },
        UaEvent::Media { call: same, early: false, .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*call, *same), (AGENT_CALL, AGENT_CALL));
    let ack = desk.one();
    assert!(ack.starts_with("ACK "), "{ack}");
    // The 200 is retransmitted because the ACK was lost.
    desk.receive_from(peer(PHONE), &ok);
    assert_eq!(desk.one(), ack);
    desk.receive_from(peer(PHONE), &far_request(&ok, "BYE", 2, &[], ""));
    desk.sent();
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Agent));
    assert_eq!(desk.ua.calls(), 0);
}

#[test]
fn a_phone_can_be_asked_to_answer_by_itself() {
    let mut desk = desk();
    sign_in(&mut desk, PHONE, "1001", 1, "<sip:1001@10.0.0.9>");
    desk.ua.call_phone(desk.now, to_phone(true));
    let invite = desk.one();
    assert_eq!(header(&invite, HeaderName::CallInfo), "<sip:calls.example>;answer-after=0");
    assert!(header(&invite, HeaderName::AlertInfo).contains("info=alert-autoanswer"), "{invite}");
}

#[test]
fn without_a_contact_the_agent_failed() {
    let mut desk = desk();
    desk.ua.call_phone(desk.now, to_phone(false));
    desk.silent();
    let Ended { outcome, cause, .. } = desk.ended();
    assert_eq!((outcome, cause.as_str()), (Outcome::AgentFailed, "phone not registered"));
}

#[test]
fn the_first_of_two_phones_wins_and_the_other_is_cancelled() {
    let (mut desk, sent) = ringing(&[PHONE, SECOND]);
    assert_ne!(header(&sent[0].1, HeaderName::CallId), header(&sent[1].1, HeaderName::CallId));
    for (to, invite) in &sent {
        desk.receive_from(*to, &answer(invite, "180 Ringing", "far", &[], ""));
    }
    assert_eq!(desk.progress(), [Progress::Ringing], "once");
    let (to, invite) = &sent[1];
    desk.receive_from(*to, &answer(invite, "200 OK", "far", &[], SDP));
    let next = desk.sent_to();
    let seen: Vec<(Peer, &str)> = next.iter().map(|(to, text)| (*to, &text[..4])).collect();
    assert_eq!(seen, [(peer(PHONE), "CANC"), (peer(SECOND), "ACK ")]);
    assert!(header(&next[0].1, HeaderName::Reason).contains("completed elsewhere"), "{}", next[0].1);
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.receive_from(peer(PHONE), &answer(&next[0].1, "200 OK", "far", &[], ""));
    desk.receive_from(peer(PHONE), &answer(&sent[0].1, "487 Request Terminated", "far", &[], ""));
    assert!(desk.one().starts_with("ACK "));
    assert_eq!(desk.events(), [], "the end of the other phone is nobody's news");
    desk.ua.hang_up(desk.now, AGENT_CALL, HangUpCause::Finished);
    let (to, bye) = desk.sent_to().remove(0);
    assert_eq!(to, peer(SECOND));
    desk.receive_from(peer(SECOND), &answer(&bye, "200 OK", "far", &[], ""));
    assert_eq!(desk.ended().by, EndedBy::Dialer);
    assert_eq!(desk.ua.calls(), 0);
}

#[test]
fn two_phones_that_answer_at_once_are_one_call() {
    let (mut desk, sent) = ringing(&[PHONE, SECOND]);
    for (to, invite) in &sent {
        desk.receive_from(*to, &answer(invite, "200 OK", "far", &["Contact: <sip:x@6.6.6.6>"], SDP));
    }
    let next = desk.sent_to();
    let seen: Vec<(Peer, &str)> = next.iter().map(|(to, text)| (*to, &text[..4])).collect();
    assert_eq!(
        seen,
        [(peer(PHONE), "ACK "), (peer(SECOND), "ACK "), (peer(SECOND), "BYE ")],
        "nothing leaves for the foreign contact"
    );
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.receive_from(peer(SECOND), &answer(&next[2].1, "200 OK", "far", &[], ""));
    assert_eq!((desk.ua.calls(), desk.events().len()), (1, 0));
}

#[test]
fn a_call_ends_when_every_phone_has_refused() {
    let (mut desk, sent) = ringing(&[PHONE, SECOND]);
    desk.receive_from(sent[0].0, &answer(&sent[0].1, "486 Busy Here", "far", &[], ""));
    assert_eq!(desk.progress(), []);
    desk.receive_from(sent[1].0, &answer(&sent[1].1, "480 Temporarily Unavailable", "far", &[], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by, ended.sip_code), (Outcome::Busy, EndedBy::Agent, Some(486)));
    // A 603 declines on all phones of the agent.
    let (mut desk, sent) = ringing(&[PHONE, SECOND]);
    desk.receive_from(sent[0].0, &answer(&sent[0].1, "180 Ringing", "far", &[], ""));
    desk.receive_from(sent[1].0, &answer(&sent[1].1, "603 Decline", "far", &[], ""));
    let texts = desk.sent();
    assert_eq!(lines(&texts).iter().filter(|line| line.starts_with("CANCEL ")).count(), 1);
    assert_eq!(desk.progress().iter().filter(|it| matches!(it, Progress::Ended(_))).count(), 1);
}

#[test]
fn an_unanswered_call_ends_at_the_ring_time() {
    for dead in [false, true] {
        let (mut desk, sent) = ringing(&[PHONE, SECOND]);
        if !dead {
            for (to, invite) in &sent {
                desk.receive_from(*to, &answer(invite, "180 Ringing", "far", &[], ""));
            }
        }
        desk.wait(Duration::from_millis(14_999));
        desk.sent();
        desk.progress();
        desk.wait(Duration::from_millis(1));
        let texts = desk.sent();
        let cancels = lines(&texts).iter().filter(|line| line.starts_with("CANCEL ")).count();
        assert_eq!(cancels, if dead { 0 } else { 2 });
        let ended = desk.ended();
        assert_eq!((ended.outcome, ended.by), (Outcome::NoAnswer, EndedBy::Dialer));
        desk.wait(Duration::from_secs(120));
        assert_eq!((desk.ua.calls(), desk.progress().len()), (0, 0));
    }
}

#[test]
fn a_call_is_cancelled_before_any_phone_answers() {
    let (mut desk, sent) = ringing(&[PHONE, SECOND]);
    desk.receive_from(sent[0].0, &answer(&sent[0].1, "180 Ringing", "far", &[], ""));
    desk.progress();
    desk.ua.hang_up(desk.now, AGENT_CALL, HangUpCause::Stopped);
    assert_eq!(desk.ended().outcome, Outcome::Cancelled);
    // The other phone answers at that moment: it is acknowledged and ended.
    desk.sent();
    desk.receive_from(sent[1].0, &answer(&sent[1].1, "200 OK", "far", &[], SDP));
    assert_eq!(lines(&desk.sent()).iter().map(|line| &line[..3]).collect::<Vec<_>>(), ["ACK", "BYE"]);
}

#[test]
fn a_phone_that_points_elsewhere_is_not_followed() {
    let (mut desk, sent) = ringing(&[PHONE]);
    let moved = answer(&sent[0].1, "302 Moved", "far", &["Contact: <sip:1001@6.6.6.6>"], "");
    desk.receive_from(peer(PHONE), &moved);
    assert!(desk.one().starts_with("ACK "));
    assert_eq!(desk.ended().outcome, Outcome::AgentFailed);
}

#[test]
fn a_connection_that_breaks_ends_the_ringing() {
    let mut desk = desk();
    let tcp = Peer { transport: Transport::Tcp, ..peer(PHONE) };
    super::phones::proven(&mut desk, tcp, "REGISTER", "1001", 1, &["Contact: <sip:1001@10.0.0.9>"], "");
    desk.events();
    desk.ua.call_phone(desk.now, to_phone(false));
    assert_eq!(desk.sent_to()[0].0, tcp);
    desk.ua.handle_transport_error(desk.now, tcp);
    assert_eq!(
        desk.progress()
            .last()
            .map(|it| matches!(it, Progress::Ended(it) if it.outcome == Outcome::AgentFailed)),
        Some(true)
    );
}

#[test]
fn hold_by_a_phone_is_answered_and_reported_with_its_direction() {
    let (mut desk, _, ok) = talking();
    let mut cseq = 10;
    for (line, direction, reply) in [
        ("a=sendonly\r\n", Direction::RecvOnly, "a=recvonly"),
        ("a=inactive\r\n", Direction::Inactive, "a=inactive"),
        ("", Direction::SendRecv, ""),
    ] {
        cseq += 1;
        let offer = format!("{SDP}{line}");
        desk.receive_from(peer(PHONE), &far_request(&ok, "INVITE", cseq, &[], &offer));
        let texts = desk.sent();
        let answer = texts.iter().find(|text| text.starts_with("SIP/2.0 200 ")).expect("a 200");
        assert!(answer.contains(reply), "{answer}");
        let media = desk.media();
        let [(target, false)] = media.as_slice() else { panic!("{media:?}") };
        assert_eq!(target.direction, direction);
        desk.receive_from(peer(PHONE), &far_request(&ok, "ACK", cseq, &[], ""));
    }
}

#[test]
fn a_transfer_is_reported_and_its_result_notified() {
    for (success, words) in [(true, "SIP/2.0 200 OK"), (false, "SIP/2.0 503 ")] {
        let (mut desk, _, ok) = talking();
        desk.receive_from(
            peer(PHONE),
            &far_request(&ok, "REFER", 20, &["Refer-To: <sip:1002@calls.example>"], ""),
        );
        let sent = desk.sent_to();
        assert!(sent[0].1.starts_with("SIP/2.0 202 "), "{}", sent[0].1);
        let (to, notify) = &sent[1];
        assert_eq!(*to, peer(PHONE));
        assert!(notify.starts_with("NOTIFY ") && notify.ends_with("SIP/2.0 100 Trying\r\n"), "{notify}");
        assert_eq!(header(notify, HeaderName::Event), "refer");
        assert_eq!(desk.events(), [UaEvent::Transfer { call: AGENT_CALL, target: "1002".into() }]);
        desk.receive_from(peer(PHONE), &answer(notify, "200 OK", "", &[], ""));
        desk.receive_from(
            peer(PHONE),
            &far_request(&ok, "REFER", 21, &["Refer-To: <sip:1003@calls.example>"], ""),
        );
        assert!(desk.one().starts_with("SIP/2.0 491 "), "one at a time");
        desk.ua.report_transfer(desk.now, AGENT_CALL, success);
        let notify = desk.one();
        assert!(notify.contains(words), "{notify}");
        assert!(header(&notify, HeaderName::SubscriptionState).starts_with("terminated"), "{notify}");
        desk.ua.report_transfer(desk.now, AGENT_CALL, success);
        desk.silent();
        desk.receive_from(
            peer(PHONE),
            &far_request(&ok, "REFER", 22, &["Refer-To: <sip:1003@calls.example>"], ""),
        );
        assert_eq!(header(&desk.sent()[1], HeaderName::Event), "refer;id=22");
    }
}

#[test]
fn transfers_that_we_cannot_make_are_declined() {
    let (mut desk, _, ok) = talking();
    for (cseq, refer_to, code) in [
        (20, "Refer-To: <sip:1002@calls.example?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>", "603"),
        (21, "Refer-To: <sip:calls.example>", "603"),
        (22, "Refer-To: nonsense nonsense", "400"),
        (23, "Subject: no target", "400"),
    ] {
        desk.receive_from(peer(PHONE), &far_request(&ok, "REFER", cseq, &[refer_to], ""));
        assert_eq!(first_line(&desk.one()).split(' ').nth(1), Some(code), "{refer_to}");
    }
    assert_eq!(desk.events(), []);
    // A REFER from a trunk is declined.
    let (mut desk, _, ok) = Desk::talking(&[]);
    desk.receive(&far_request(&ok, "REFER", 20, &["Refer-To: <sip:1002@calls.example>"], ""));
    assert!(desk.one().starts_with("SIP/2.0 603 "));
}
