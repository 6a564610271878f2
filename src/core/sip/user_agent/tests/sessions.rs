//! Session timers (RFC 4028), our re-INVITE for moved media, and glare.

use super::desk::*;
use crate::outcome::{EndedBy, Outcome};
use crate::sip::headers::HeaderName;
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const OURS: &str = "Session-Expires: 90;refresher=uac";
const UPDATE: &str = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE";

#[test]
fn the_session_is_refreshed_by_update_at_half_of_its_interval() {
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    desk.wait(Duration::from_millis(44_999));
    desk.silent();
    desk.wait(Duration::from_millis(1));
    let update = desk.one();
    assert!(update.starts_with("UPDATE sip:far@203.0.113.10:5060 "));
    assert_eq!(header(&update, HeaderName::SessionExpires), "90;refresher=uac");
    assert_eq!(header(&update, HeaderName::CSeq), "2 UPDATE");
    desk.receive(&answer(&update, "200 OK", "", &[OURS], ""));
    desk.wait(secs(45));
    assert_eq!(header(&desk.one(), HeaderName::CSeq), "3 UPDATE");
}

#[test]
fn without_update_the_refresh_is_a_re_invite_with_the_same_description() {
    let (mut desk, first, _) = Desk::talking(&[OURS]);
    desk.wait(secs(45));
    let invite = desk.one();
    assert!(invite.starts_with("INVITE sip:far@203.0.113.10:5060 "));
    let description = |text: &str| text.split("\r\n\r\n").nth(1).map(str::to_string);
    assert_eq!(description(&invite), description(&first));
    let ok = answer(&invite, "200 OK", "", &[OURS], SDP);
    desk.receive(&ok);
    let ack = desk.one();
    assert_eq!(
        (first_line(&ack), header(&ack, HeaderName::CSeq).as_str()),
        ("ACK sip:far@203.0.113.10:5060 SIP/2.0", "2 ACK")
    );
    desk.receive(&ok);
    assert_eq!(desk.one(), ack);
    assert_eq!(desk.events(), [], "nothing changed");
}

#[test]
fn a_session_that_the_far_side_does_not_refresh_is_ended() {
    let (mut desk, _, _) = Desk::talking(&["Session-Expires: 90;refresher=uas"]);
    desk.wait(Duration::from_millis(59_999));
    desk.silent();
    desk.wait(Duration::from_millis(1));
    let bye = desk.one();
    assert!(bye.starts_with("BYE "));
    desk.receive(&answer(&bye, "200 OK", "", &[], ""));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Carrier));
    assert!(ended.cause.contains("not refreshed"), "{}", ended.cause);
}

#[test]
fn the_far_sides_refresh_keeps_the_session() {
    let (mut desk, _, ok) = Desk::talking(&["Session-Expires: 90;refresher=uas"]);
    for n in 1..=5 {
        desk.wait(secs(45));
        desk.receive(&far_request(
            &ok,
            "UPDATE",
            n,
            &["Session-Expires: 90;refresher=uac", "Supported: timer"],
            "",
        ));
        assert!(desk.one().starts_with("SIP/2.0 200 "));
    }
    assert_eq!(desk.ua.calls(), 1);
}

#[test]
fn a_refused_or_unanswered_refresh_ends_the_call() {
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    desk.wait(secs(45));
    let update = desk.one();
    desk.receive(&answer(&update, "481 Call/Transaction Does Not Exist", "", &[], ""));
    assert!(desk.one().starts_with("BYE "));
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    desk.wait(secs(45 + 32));
    assert!(desk.sent().last().is_some_and(|last| last.starts_with("BYE ")));
}

#[test]
fn glare_is_refused_and_our_own_request_comes_again_later() {
    let (mut desk, _, ok) = Desk::talking(&[OURS]);
    desk.wait(secs(45));
    let invite = desk.one();
    desk.receive(&far_request(&ok, "INVITE", 1, &[], SDP));
    assert!(desk.one().starts_with("SIP/2.0 491 "));
    desk.receive(&answer(&invite, "491 Request Pending", "", &[], ""));
    assert!(desk.one().starts_with("ACK "));
    desk.wait(Duration::from_millis(2_000));
    let waited: Vec<_> = desk.sent().into_iter().filter(|text| text.starts_with("INVITE ")).collect();
    assert_eq!(waited, Vec::<String>::new());
    desk.receive(&far_request(&ok, "ACK", 1, &[], "").replace("z9hG4bKfarACK1", "z9hG4bKfarINVITE1"));
    desk.wait(Duration::from_millis(2_000));
    let again = desk.sent();
    assert!(!again.is_empty());
    assert!(again.iter().all(|text| header(text, HeaderName::CSeq) == "3 INVITE"), "{again:#?}");
}

#[test]
fn a_refresh_with_too_short_an_interval_is_raised() {
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    desk.wait(secs(45));
    let update = desk.one();
    desk.receive(&answer(&update, "422 Session Interval Too Small", "", &["Min-SE: 120"], ""));
    assert_eq!(header(&desk.one(), HeaderName::SessionExpires), "120;refresher=uac");
}

#[test]
fn a_challenged_refresh_carries_credentials() {
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    desk.wait(secs(45));
    let update = desk.one();
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    desk.receive(&answer(&update, "401 Unauthorized", "", &[digest], ""));
    assert!(header(&desk.one(), HeaderName::Authorization).contains("nc=00000001"));
}

#[test]
fn moved_media_is_sent_by_re_invite_after_a_pending_refresh() {
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    let mut moved = media();
    moved.address.set_port(20_400);
    desk.wait(secs(45));
    let update = desk.one();
    desk.ua.move_media(desk.now, CALL, moved);
    desk.silent();
    desk.receive(&answer(&update, "200 OK", "", &[OURS], ""));
    let invite = desk.one();
    assert!(invite.starts_with("INVITE ") && invite.contains("m=audio 20400"), "{invite}");
    desk.receive(&answer(&invite, "200 OK", "", &[OURS], &SDP.replace("4000", "4300")));
    assert!(desk.one().starts_with("ACK "));
    assert_eq!(desk.media()[0].0.rtp.port(), 4300);
}

#[test]
fn a_hang_up_while_our_own_request_waits_after_glare_ends_the_call() {
    let (mut desk, _, _) = Desk::talking(&[OURS, UPDATE]);
    desk.wait(secs(45));
    let update = desk.one();
    desk.receive(&answer(&update, "491 Request Pending", "", &[], ""));
    desk.hang_up(crate::call::HangUpCause::Finished);
    assert!(desk.one().starts_with("BYE "));
    desk.wait(secs(60));
    assert_eq!(desk.ended().outcome, Outcome::Answered);
    assert_eq!(desk.ua.next_wake(), None);
}
