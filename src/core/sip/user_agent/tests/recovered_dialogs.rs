//! Recovered dialogs: a new user agent with another seed and only the saved dialog.

use super::desk::*;
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::{Incoming, SavedDialog, UaEvent};
use crate::time::Duration;

/// A desk for the next process.
fn next_process() -> Desk {
    let mut config = config(Incoming::Nobody);
    config.seed = 43;
    Desk::with(config, trunk())
}

fn ended(desk: &mut Desk, saved: &SavedDialog) {
    let call_id = saved.call_id.clone();
    let mut events = desk.events();
    events.retain(|event| !matches!(event, UaEvent::SavedDialogAnswered { .. }));
    assert_eq!(events, [UaEvent::SavedDialogEnded { call_id, reached: true }]);
}

fn given_up(desk: &mut Desk, saved: &SavedDialog) {
    let call_id = saved.call_id.clone();
    assert_eq!(desk.events(), [UaEvent::SavedDialogEnded { call_id, reached: false }]);
}

/// Reports of a late answer since the last look.
fn answers(desk: &mut Desk, saved: &SavedDialog) -> usize {
    let events = desk.events();
    let answered = UaEvent::SavedDialogAnswered { call_id: saved.call_id.clone() };
    assert!(events.iter().all(|event| *event == answered), "{events:?}");
    events.len()
}

const UNKNOWN: &str = "481 Call/Transaction Does Not Exist";

/// Refuses three CANCELs: no branch of the INVITE is known.
fn refuse_cancels(desk: &mut Desk) {
    for resend in 0..3 {
        let cancel = desk.one();
        assert_eq!(header(&cancel, HeaderName::CSeq), format!("{} CANCEL", resend + 1));
        desk.receive(&answer(&cancel, UNKNOWN, "x", &[], ""));
    }
    desk.silent();
}

/// The dialog as read back from disk.
fn from_disk(saved: &SavedDialog) -> SavedDialog {
    saved.clone()
}

#[test]
fn a_ringing_call_is_cancelled_and_its_487_acknowledged() {
    let (dead, invite) = Desk::calling();
    let saved = from_disk(&dead.ua.identity(&request()));
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let cancel = desk.one();
    assert_eq!(first_line(&cancel), first_line(&invite).replace("INVITE", "CANCEL"));
    for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId] {
        assert_eq!(header(&cancel, name), header(&invite, name));
    }
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    assert_eq!(desk.events(), []);
    let terminated = answer(&invite, "487 Request Terminated", "far", &[], "");
    desk.receive(&terminated);
    let ack = desk.one();
    assert_eq!(branch(&ack), branch(&invite));
    assert!(header(&ack, HeaderName::To).ends_with(";tag=far"));
    ended(&mut desk, &saved);
    desk.receive(&terminated);
    assert_eq!(desk.one(), ack);
    desk.wait(Duration::from_secs(70));
    desk.silent();
    assert_eq!((desk.events(), desk.ua.next_wake()), (vec![], None));
}

#[test]
fn an_invite_that_went_again_with_credentials_is_found_by_its_derived_branch() {
    let (mut dead, invite) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
    dead.receive(&answer(&invite, "401 Unauthorized", "x", &[digest], ""));
    let again = dead.sent().pop().expect("a second INVITE");
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let first = desk.one();
    desk.receive(&answer(&first, "481 Call/Transaction Does Not Exist", "x", &[], ""));
    let second = desk.one();
    assert_eq!(branch(&second), branch(&again));
    assert_eq!(header(&second, HeaderName::CSeq), "2 CANCEL");
    desk.receive(&answer(&second, "200 OK", "far", &[], ""));
    desk.receive(&answer(&again, "487 Request Terminated", "far", &[], ""));
    assert_eq!(branch(&desk.one()), branch(&again));
    ended(&mut desk, &saved);
}

#[test]
fn a_late_200_gets_ack_and_bye_once_it_is_saved() {
    let (dead, invite) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let cancel = desk.one();
    let ok = answer(&invite, "200 OK", "far", &["Record-Route: <sip:203.0.113.21;lr>"], SDP);
    for _ in 0..2 {
        desk.receive(&ok);
        assert_eq!(answers(&mut desk, &saved), 1);
        desk.wait(Duration::from_millis(500));
        let sent = desk.sent();
        assert!(lines(&sent).iter().all(|line| line.starts_with("CANCEL ")), "{sent:?}");
    }
    desk.ua.acknowledge_recovered(desk.now, "of another call");
    desk.silent();
    desk.ua.acknowledge_recovered(desk.now, &saved.call_id);
    let sent = desk.sent();
    assert_eq!(
        lines(&sent),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"]
    );
    assert!(sent.iter().all(|text| header(text, HeaderName::Route) == "<sip:203.0.113.21;lr>"));
    desk.ua.acknowledge_recovered(desk.now, &saved.call_id);
    desk.receive(&answer(&cancel, UNKNOWN, "x", &[], ""));
    desk.silent();
    assert_eq!(desk.events(), [], "the BYE is still out");
    desk.receive(&ok);
    assert_eq!(desk.one(), sent[0]);
    desk.receive(&answer(&sent[1], "200 OK", "", &[], ""));
    ended(&mut desk, &saved);
}

#[test]
fn a_late_200_that_is_not_saved_gets_no_ack() {
    let (dead, invite) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let cancel = desk.one();
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    desk.wait(Duration::from_secs(10));
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    assert_eq!(answers(&mut desk, &saved), 1);
    desk.wait(Duration::from_millis(31_900));
    assert_eq!(desk.events(), [], "the far end repeats its 200 for 32 seconds");
    desk.wait(Duration::from_millis(100));
    given_up(&mut desk, &saved);
    desk.ua.acknowledge_recovered(desk.now, &saved.call_id);
    desk.silent();
    assert_eq!(desk.ua.next_wake(), None);
}

#[test]
fn a_200_repeated_after_the_last_481_is_still_reported_and_ended() {
    let (dead, invite) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    refuse_cancels(&mut desk);
    desk.wait(Duration::from_millis(3_900));
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    assert_eq!(answers(&mut desk, &saved), 1);
    desk.wait(Duration::from_secs(10));
    desk.silent();
    assert_eq!(desk.events(), [], "the answer is not saved yet");
    desk.ua.acknowledge_recovered(desk.now, &saved.call_id);
    let sent = desk.sent();
    assert_eq!(
        lines(&sent),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"]
    );
    desk.receive(&answer(&sent[1], "200 OK", "", &[], ""));
    ended(&mut desk, &saved);
}

#[test]
fn a_200_after_the_end_of_the_recovery_waits_for_the_store_too() {
    let (dead, invite) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    refuse_cancels(&mut desk);
    desk.wait(Duration::from_secs(5));
    ended(&mut desk, &saved);
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    desk.silent();
    assert_eq!(answers(&mut desk, &saved), 1);
    desk.ua.acknowledge_recovered(desk.now, &saved.call_id);
    assert_eq!(desk.sent().len(), 2);
}

#[test]
fn an_unknown_call_is_finished_four_seconds_after_three_cancels() {
    let (dead, _) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    refuse_cancels(&mut desk);
    desk.wait(Duration::from_millis(3_999));
    assert_eq!(desk.events(), [], "an answered call would repeat its 200 by now");
    desk.wait(Duration::from_millis(1));
    ended(&mut desk, &saved);
    desk.wait(Duration::from_secs(60));
    assert_eq!((desk.events(), desk.ua.next_wake()), (vec![], None));
}

#[test]
fn a_cancel_that_an_earlier_start_had_sent_already_is_taken_again_and_nothing_more_comes() {
    let (dead, _) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let cancel = desk.one();
    desk.receive(&answer(&cancel, "200 OK", "far", &[], ""));
    desk.wait(Duration::from_secs(31));
    assert_eq!(desk.events(), []);
    desk.wait(Duration::from_secs(1));
    ended(&mut desk, &saved);
}

#[test]
fn a_silent_trunk_ends_it_after_32_seconds() {
    let (dead, _) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    desk.wait(Duration::from_secs(32));
    given_up(&mut desk, &saved);
    desk.wait(Duration::from_secs(60));
    assert_eq!(desk.ua.next_wake(), None);
}

#[test]
fn an_answered_call_is_ended_with_bye_and_its_challenge_answered() {
    let (mut dead, invite) = Desk::calling();
    dead.receive(&answer(&invite, "200 OK", "far", &["Record-Route: <sip:203.0.113.21;lr>"], SDP));
    let saved = dead.ua.saved_dialog(CALL).expect("answered");
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let bye = desk.one();
    assert_eq!(first_line(&bye), "BYE sip:far@203.0.113.10:5060 SIP/2.0");
    assert_eq!(header(&bye, HeaderName::Route), "<sip:203.0.113.21;lr>");
    assert_eq!(header(&bye, HeaderName::From), header(&invite, HeaderName::From));
    assert_eq!(header(&bye, HeaderName::To), format!("{};tag=far", header(&invite, HeaderName::To)));
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"";
    desk.receive(&answer(&bye, "401 Unauthorized", "", &[digest], ""));
    let again = desk.one();
    assert!(header(&again, HeaderName::Authorization).contains("response="));
    desk.receive(&answer(&again, "200 OK", "", &[], ""));
    ended(&mut desk, &saved);
}
