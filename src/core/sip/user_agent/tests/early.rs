//! Early media, provisionals, reliable provisionals (PRACK) and forks.

use super::desk::*;
use crate::call::{HangUpCause, Progress};
use crate::sip::headers::HeaderName;
use crate::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn of_two_forks_that_answer_the_first_wins_and_the_other_gets_ack_and_bye() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "one", &[], ""));
    desk.receive(&answer(&invite, "180 Ringing", "two", &[], ""));
    let contact = "Contact: <sip:two@203.0.113.12:5060>";
    desk.receive(&answer(&invite, "200 OK", "one", &[], SDP));
    let other = answer(&invite, "200 OK", "two", &[contact], SDP);
    desk.receive(&other);
    let sent = desk.sent();
    assert_eq!(
        lines(&sent),
        ["ACK sip:two@203.0.113.12:5060 SIP/2.0", "BYE sip:two@203.0.113.12:5060 SIP/2.0"]
    );
    assert!(sent.iter().all(|text| header(text, HeaderName::To).ends_with(";tag=two")));
    desk.receive(&other);
    assert_eq!(lines(&desk.sent()), ["ACK sip:two@203.0.113.12:5060 SIP/2.0"], "and no second BYE");
    desk.receive(&answer(&sent[1], "200 OK", "", &[], ""));
    assert_eq!(desk.progress(), [Progress::Ringing, Progress::Answered]);
    desk.ua.acknowledge(desk.now, CALL);
    assert!(header(&desk.one(), HeaderName::To).ends_with(";tag=one"));
}

#[test]
fn forty_seconds_of_ringing_and_then_an_answer_is_an_answer() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    desk.wait(secs(40));
    desk.silent();
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    assert_eq!(desk.progress(), [Progress::Ringing, Progress::Answered]);
}

#[test]
fn a_reliable_183_is_acknowledged_by_prack_and_its_answer_stands_for_a_bare_200() {
    let (mut desk, invite) = Desk::calling();
    let reliable = ["Require: 100rel", "RSeq: 776"];
    let progress = answer(&invite, "183 Session Progress", "far", &reliable, SDP);
    desk.receive(&progress);
    let prack = desk.one();
    assert_eq!(first_line(&prack), "PRACK sip:far@203.0.113.10:5060 SIP/2.0");
    assert_eq!(header(&prack, HeaderName::RAck), "776 1 INVITE");
    assert_eq!(header(&prack, HeaderName::CSeq), "2 PRACK");
    let events = desk.events();
    assert!(matches!(&events[1], crate::sip::UaEvent::Media { early: true, .. }), "{events:?}");
    desk.receive(&progress);
    desk.silent();
    desk.receive(&answer(&prack, "200 OK", "", &[], ""));
    desk.receive(&answer(&invite, "200 OK", "far", &[], ""));
    let media = desk.media();
    assert_eq!(media.len(), 1, "{media:?}");
    assert!(!media[0].1);
    desk.ua.acknowledge(desk.now, CALL);
    assert_eq!(header(&desk.one(), HeaderName::CSeq), "1 ACK");
    desk.hang_up(HangUpCause::Finished);
    assert_eq!(header(&desk.one(), HeaderName::CSeq), "3 BYE");
}

#[test]
fn a_183_with_a_description_is_early_media_and_no_answer() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "183 Session Progress", "far", &[], SDP));
    let events = desk.events();
    assert!(matches!(&events[0], crate::sip::UaEvent::Progress { progress: Progress::Ringing, .. }));
    assert!(matches!(&events[1], crate::sip::UaEvent::Media { early: true, .. }));
    desk.silent();
}

#[test]
fn a_200_without_any_18x_is_an_answer() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "200 OK", "far", &[], SDP));
    assert_eq!(desk.progress(), [Progress::Answered]);
}

#[test]
fn each_phone_of_a_fork_gets_the_prack_of_its_own_provisional() {
    let (mut desk, invite) = Desk::calling();
    for (n, tag) in ["one", "two"].into_iter().enumerate() {
        let contact = format!("Contact: <sip:{tag}@203.0.113.1{n}>");
        let rseq = format!("RSeq: {}", 10 + n);
        desk.receive(&answer(&invite, "180 Ringing", tag, &[&contact, "Require: 100rel", &rseq], ""));
        let prack = desk.one();
        assert_eq!(first_line(&prack), format!("PRACK sip:{tag}@203.0.113.1{n} SIP/2.0"));
        assert_eq!(header(&prack, HeaderName::RAck), format!("{} 1 INVITE", 10 + n));
        assert_eq!(header(&prack, HeaderName::CSeq), format!("{} PRACK", 2 + n));
        assert!(header(&prack, HeaderName::To).ends_with(tag));
    }
    assert_eq!(desk.progress(), [Progress::Ringing]);
}

#[test]
fn a_provisional_out_of_order_waits_for_the_one_before() {
    let (mut desk, invite) = Desk::calling();
    let reliable =
        |rseq: &str| answer(&invite, "183 Session Progress", "far", &["Require: 100rel", rseq], "");
    desk.receive(&reliable("RSeq: 5"));
    assert_eq!(header(&desk.one(), HeaderName::RAck), "5 1 INVITE");
    desk.receive(&reliable("RSeq: 7"));
    desk.silent();
    desk.receive(&reliable("RSeq: 6"));
    assert_eq!(header(&desk.one(), HeaderName::RAck), "6 1 INVITE");
}
