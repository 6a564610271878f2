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
fn a_late_200_gets_ack_and_bye() {
    let (dead, invite) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    let cancel = desk.one();
    let ok = answer(&invite, "200 OK", "far", &["Record-Route: <sip:203.0.113.21;lr>"], SDP);
    desk.receive(&ok);
    let sent = desk.sent();
    assert_eq!(
        lines(&sent),
        ["ACK sip:far@203.0.113.10:5060 SIP/2.0", "BYE sip:far@203.0.113.10:5060 SIP/2.0"]
    );
    assert!(sent.iter().all(|text| header(text, HeaderName::Route) == "<sip:203.0.113.21;lr>"));
    desk.receive(&answer(&cancel, "481 Call/Transaction Does Not Exist", "x", &[], ""));
    desk.sent();
    assert_eq!(desk.events(), [], "the BYE is still out");
    desk.receive(&ok);
    assert_eq!(desk.one(), sent[0]);
    desk.receive(&answer(&sent[1], "200 OK", "", &[], ""));
    ended(&mut desk, &saved);
}

#[test]
fn an_unknown_call_is_finished_after_three_cancels() {
    let (dead, _) = Desk::calling();
    let saved = dead.ua.identity(&request());
    let mut desk = next_process();
    desk.ua.end_saved_dialog(desk.now, saved.clone());
    for resend in 0..3 {
        let cancel = desk.one();
        assert_eq!(header(&cancel, HeaderName::CSeq), format!("{} CANCEL", resend + 1));
        desk.receive(&answer(&cancel, "481 Call/Transaction Does Not Exist", "x", &[], ""));
    }
    desk.silent();
    ended(&mut desk, &saved);
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
