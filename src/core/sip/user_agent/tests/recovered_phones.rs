//! Recovered dialogs with agents' phones: ended at once over UDP; over a lost connection at the phone's
//! next REGISTER.

use super::desk::*;
use super::phone_calls::{AGENT_CALL, SECOND, ringing, talking, to_phone};
use super::phones::{PHONE, desk, next_desk, proven, sign_in};
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::*;
use crate::time::Duration;

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

fn tcp(address: &str) -> Peer {
    Peer { transport: Transport::Tcp, ..peer(address) }
}

fn ends(desk: &mut Desk) -> Vec<(String, bool)> {
    let end = |event| match event {
        UaEvent::SavedDialogEnded { call_id, reached } => Some((call_id, reached)),
        _ => None,
    };
    desk.events().into_iter().filter_map(end).collect()
}

/// The one open dialog of the call with a phone.
fn loose_end(desk: &Desk) -> SavedDialog {
    let mut all = desk.ua.open_dialogs(AGENT_CALL);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The saved dialog of a call with a phone over TCP.
fn over_tcp(contact: &str) -> SavedDialog {
    let mut dead = desk();
    let ok = proven(&mut dead, tcp(PHONE), "REGISTER", "1001", 1, &[&format!("Contact: {contact}")], "");
    assert!(ok.starts_with("SIP/2.0 200 "), "{ok}");
    dead.ua.call_phone(dead.now, to_phone(true));
    let invite = dead.one();
    dead.receive_from(
        tcp(PHONE),
        &answer(&invite, "200 OK", "far", &["Contact: <sip:1001@6.6.6.6;transport=tcp>"], SDP),
    );
    loose_end(&dead)
}

/// Registers a phone; returns the messages sent to it, except the response to its REGISTER.
fn sends_at_sign_in(
    desk: &mut Desk,
    from: Peer,
    user: &str,
    cseq: u32,
    contact: &str,
) -> Vec<(Peer, String)> {
    desk.now += Duration::from_millis(1);
    desk.receive_from(
        from,
        &super::phones::request_of("REGISTER", user, cseq, &[&format!("Contact: {contact}")], ""),
    );
    let refusal = desk.sent().pop().expect("a challenge");
    let line = super::phones::authorization(&refusal, "REGISTER", user, "secret", "sip:calls.example");
    let lines = [format!("Contact: {contact}"), line];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    desk.receive_from(from, &super::phones::request_of("REGISTER", user, cseq + 1, &lines, ""));
    let mut sent = desk.sent_to();
    assert!(sent.remove(0).1.starts_with("SIP/2.0 200 "));
    sent
}

#[test]
fn an_answered_phone_over_udp_gets_bye_at_once() {
    let (dead, _, _) = talking();
    let saved = loose_end(&dead);
    assert_eq!(saved.phone.as_ref().map(|phone| phone.user.as_str()), Some("1001"));
    let mut desk = next_desk();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    assert!(desk.ua.phone_peers().contains(&peer(PHONE)), "its answer is no stranger's");
    let (to, bye) = desk.sent_to().remove(0);
    assert!(bye.starts_with("BYE sip:1001@6.6.6.6:5060 "), "{bye}");
    assert_eq!(to, peer(PHONE), "not to its contact");
    desk.receive_from(peer(PHONE), &answer(&bye, "200 OK", "", &[], ""));
    assert_eq!(ends(&mut desk), [(saved.call_id, true)]);
    assert!(desk.ua.phone_peers().is_empty());
    assert_eq!(
        desk.ua.next_wake().map(|_| ends(&mut desk)),
        Some(vec![]),
        "only the transaction's own timer"
    );
}

#[test]
fn every_phone_that_rang_is_cancelled_and_a_late_answer_is_ended_where_it_came_from() {
    let (dead, invites) = ringing(&[PHONE, SECOND]);
    let saved = dead.ua.open_dialogs(AGENT_CALL);
    assert_eq!(saved.len(), 2);
    let mut desk = next_desk();
    for one in &saved {
        desk.ua.end_saved_dialog(desk.now, one.clone());
    }
    let cancels = desk.sent_to();
    for ((to, cancel), (rang, invite)) in cancels.iter().zip(&invites) {
        assert_eq!((to, branch(cancel)), (rang, branch(invite)));
        assert!(cancel.starts_with("CANCEL "), "{cancel}");
    }
    let late = answer(&invites[0].1, "200 OK", "far", &["Contact: <sip:1001@6.6.6.6:5060>"], SDP);
    desk.receive_from(peer(PHONE), &late);
    assert_eq!(desk.sent_to(), [], "the ACK waits for the store");
    desk.ua.acknowledge_recovered(desk.now, &header(&late, HeaderName::CallId));
    let sent = desk.sent_to();
    assert_eq!(
        lines(&[sent[0].1.clone(), sent[1].1.clone()]),
        ["ACK sip:1001@6.6.6.6:5060 SIP/2.0", "BYE sip:1001@6.6.6.6:5060 SIP/2.0"]
    );
    assert!(sent.iter().all(|(to, _)| *to == peer(PHONE)), "whatever its Contact says");
    desk.receive_from(peer(PHONE), &answer(&sent[1].1, "200 OK", "", &[], ""));
    desk.receive_from(peer(SECOND), &answer(&cancels[1].1, "200 OK", "x", &[], ""));
    desk.receive_from(peer(SECOND), &answer(&invites[1].1, "487 Request Terminated", "x", &[], ""));
    let mut over = ends(&mut desk);
    over.sort();
    let mut wanted: Vec<_> = saved.into_iter().map(|one| (one.call_id, true)).collect();
    wanted.sort();
    assert_eq!(over, wanted);
}

#[test]
fn a_phone_with_a_lost_connection_gets_bye_at_its_next_register() {
    let saved = over_tcp("<sip:1001@6.6.6.1:4000;transport=tcp>");
    let mut desk = next_desk();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    desk.silent();
    desk.wait(Duration::from_secs(300));
    desk.silent();
    assert!(
        sends_at_sign_in(&mut desk, tcp(SECOND), "1002", 1, "<sip:1002@6.6.6.2;transport=tcp>").is_empty()
    );
    let sent = sends_at_sign_in(
        &mut desk,
        tcp("198.51.100.7:55555"),
        "1001",
        5,
        "<sip:1001@6.6.6.1:4001;transport=tcp>",
    );
    let [(to, bye)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(*to, tcp("198.51.100.7:55555"));
    assert!(bye.starts_with("BYE sip:1001@6.6.6.6;transport=tcp "), "{bye}");
    assert_eq!(header(bye, HeaderName::CallId), saved.call_id);
    desk.receive_from(*to, &answer(bye, "481 Call/Transaction Does Not Exist", "", &[], ""));
    assert_eq!(ends(&mut desk), [(saved.call_id, true)]);
    assert!(
        sends_at_sign_in(
            &mut desk,
            tcp("198.51.100.7:55556"),
            "1001",
            9,
            "<sip:1001@6.6.6.1:4001;transport=tcp>"
        )
        .is_empty(),
        "once"
    );
}

#[test]
fn of_two_phones_of_an_account_the_called_one_gets_the_bye() {
    let one = "<sip:1001@6.6.6.1;transport=tcp>;+sip.instance=\"<urn:uuid:1>\"";
    let other = "<sip:1001@6.6.6.2;transport=tcp>;+sip.instance=\"<urn:uuid:2>\"";
    let saved = over_tcp(one);
    let mut desk = next_desk();
    desk.ua.end_saved_dialog(desk.now, saved);
    assert!(sends_at_sign_in(&mut desk, tcp(SECOND), "1001", 1, other).is_empty());
    let sent = sends_at_sign_in(&mut desk, tcp("198.51.100.7:55555"), "1001", 5, one);
    assert_eq!(sent.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [tcp("198.51.100.7:55555")]);
}

#[test]
fn a_phone_that_never_registers_again_is_given_up_after_its_session_interval() {
    let saved = over_tcp("<sip:1001@6.6.6.1;transport=tcp>");
    let mut desk = next_desk();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    desk.wait(HALF_AN_HOUR - Duration::from_secs(1));
    assert_eq!(ends(&mut desk), []);
    desk.wait(Duration::from_secs(1));
    assert_eq!(ends(&mut desk), [(saved.call_id, false)]);
    assert_eq!(desk.ua.next_wake(), None);
    desk.silent();
}

#[test]
fn a_phone_over_udp_that_moved_gets_bye_at_its_new_address() {
    let (dead, _, _) = talking();
    let saved = loose_end(&dead);
    let mut desk = next_desk();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    desk.sent();
    // The phone registers from another address while its old peer is still being tried.
    sign_in(&mut desk, SECOND, "1001", 50, "<sip:1001@6.6.6.9>");
    desk.sent();
    let mut told = Vec::new();
    for _ in 0..40 {
        desk.wait(Duration::from_secs(1));
        let byes = desk.sent_to().into_iter().filter(|(_, text)| text.starts_with("BYE "));
        told.extend(byes);
        if let Some((to, bye)) = told.iter().find(|(to, _)| *to == peer(SECOND)).cloned() {
            desk.receive_from(to, &answer(&bye, "200 OK", "", &[], ""));
            break;
        }
    }
    assert_eq!(ends(&mut desk), [(saved.call_id, true)]);
    let numbers: std::collections::BTreeSet<_> =
        told.iter().map(|(to, bye)| (*to, header(bye, HeaderName::CSeq))).collect();
    assert_eq!(numbers.len(), 2, "one number at each place: {numbers:?}");
}

#[test]
fn a_phone_that_answers_nowhere_is_tried_at_each_sign_in_until_its_time_is_over() {
    let (dead, _) = ringing(&[PHONE]);
    let saved = loose_end(&dead);
    let mut desk = next_desk();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    desk.sent();
    for round in 0..10 {
        desk.wait(Duration::from_secs(100));
        desk.sent();
        let cseq = 100 + 10 * round;
        let sent = sends_at_sign_in(&mut desk, peer(PHONE), "1001", cseq, "<sip:1001@6.6.6.1>;expires=100");
        assert!(sent.iter().any(|(_, text)| text.starts_with("CANCEL ")), "round {round}: {sent:?}");
    }
    desk.wait(HALF_AN_HOUR);
    assert_eq!(ends(&mut desk), [(saved.call_id, false)]);
    desk.wait(Duration::from_secs(3_600));
    assert_eq!(desk.ua.next_wake(), None, "nothing is left behind");
}

#[test]
fn no_dialog_is_open_before_a_call_or_after_its_end() {
    let (mut desk, _, ok) = talking();
    desk.receive_from(peer(PHONE), &far_request(&ok, "BYE", 2, &[], ""));
    assert_eq!(desk.ua.open_dialogs(AGENT_CALL), []);
    assert_eq!(next_desk().ua.open_dialogs(AGENT_CALL), []);
}
