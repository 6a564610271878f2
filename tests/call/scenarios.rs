//! One call into each SIPp scenario: the outcome that the dialer reports, and whether SIPp saw what the RFCs
//! require.

use super::dial::{AttemptRow, Dial, dial_one};
use super::sipp::{Sipp, SippReport};
use paceline_core::media::Direction;
use std::time::Duration;

/// Dials one call into the scenario; SIPp must report success.
fn call_into(scenario: &str, dial: &Dial) -> (AttemptRow, SippReport) {
    let sipp = Sipp::uas(scenario, 1, &[("rtp_port", 40_000), ("moved_port", 40_010)]);
    let row = dial_one(sipp.address(), dial);
    let report = sipp.finish();
    report.assert_all_successful(1);
    (row, report)
}

fn assert_row(row: &AttemptRow, outcome: &str, code: Option<u16>, by: &str) {
    let seen = (row.outcome.as_str(), row.sip_code, row.ended_by.as_str());
    assert_eq!(seen, (outcome, code, by), "{row:?}");
}

#[test]
fn an_answered_call_is_acknowledged_and_ended_by_us() {
    for scenario in ["answer", "answer_at_once"] {
        let (row, report) = call_into(scenario, &Dial::default());
        assert_eq!(
            (row.outcome.as_str(), row.ended_by.as_str()),
            ("answered", "dialer"),
            "{scenario}: {row:?}"
        );
        assert_eq!(report.count("ACK "), 1, "{scenario}");
        let (early, target) = row.media.first().expect("media settled");
        assert_eq!((*early, target.rtp.port(), target.telephone_event), (false, 40_000, Some(101)));
    }
}

#[test]
fn every_refusal_maps_to_its_outcome() {
    for (scenario, outcome, code, by, next_trunk) in [
        ("busy", "busy", 486, "callee", false),
        ("reject", "rejected", 603, "callee", false),
        ("vacant", "vacant", 404, "carrier", false),
        ("carrier_block", "carrier_block", 403, "carrier", true),
        ("redirect", "line_fault", 302, "carrier", false),
        ("unavailable", "line_fault", 503, "carrier", true),
    ] {
        let (row, _) = call_into(scenario, &Dial::default());
        assert_row(&row, outcome, Some(code), by);
        assert_eq!(row.try_next_trunk, next_trunk, "{scenario}");
        let rest = (scenario == "unavailable").then_some(Duration::from_secs(7));
        assert_eq!(row.retry_after, rest, "{scenario}");
    }
}

#[test]
fn an_unanswered_call_is_cancelled_at_the_ring_time() {
    let dial = Dial { ring: Duration::from_millis(800), ..Dial::default() };
    let (row, report) = call_into("no_answer", &dial);
    assert_eq!((row.outcome.as_str(), row.ended_by.as_str()), ("no_answer", "dialer"), "{row:?}");
    assert!(row.rang && !row.answered);
    assert_eq!(report.count("CANCEL "), 1);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let dial = Dial { ring: Duration::from_millis(800), ..Dial::default() };
    let (row, report) = call_into("late_answer", &dial);
    assert_eq!(row.outcome, "no_answer", "{row:?}");
    assert!(report.count("BYE ") >= 1);
}

#[test]
fn early_media_is_not_an_answer() {
    let (row, _) = call_into("early_media", &Dial::default());
    assert_eq!(row.outcome, "answered");
    let early: Vec<bool> = row.media.iter().map(|(early, _)| *early).collect();
    assert_eq!(early.first(), Some(&true), "{row:?}");
    assert_eq!(early.last(), Some(&false), "{row:?}");
}

#[test]
fn a_reliable_provisional_response_gets_its_prack() {
    let (row, report) = call_into("reliable_early_media", &Dial::default());
    assert_eq!(row.outcome, "answered");
    assert_eq!(report.count("PRACK "), 1);
}

#[test]
fn a_challenge_is_answered_once_with_credentials() {
    for scenario in ["auth_401", "auth_407"] {
        let (row, report) = call_into(scenario, &Dial::default());
        assert_eq!(row.outcome, "answered", "{scenario}: {row:?}");
        assert_eq!(report.count("INVITE "), 2, "{scenario}");
    }
}

#[test]
fn wrong_credentials_are_not_tried_again() {
    let dial = Dial { password: "wrong".into(), ..Dial::default() };
    let (row, report) = call_into("auth_401", &dial);
    // The account is refused, not this callee.
    assert_row(&row, "line_fault", Some(403), "carrier");
    assert_eq!(report.count("INVITE "), 2);
}

#[test]
fn hold_stops_our_audio_and_unhold_resumes_it() {
    let dial = Dial { talk: Duration::from_millis(2_500), ..Dial::default() };
    let (row, _) = call_into("hold", &dial);
    assert_eq!(row.outcome, "answered", "{row:?}");
    let directions: Vec<Direction> = row.media.iter().map(|(_, target)| target.direction).collect();
    assert!(directions.contains(&Direction::RecvOnly), "{directions:?}");
    assert_eq!(directions.last(), Some(&Direction::SendRecv));
}

#[test]
fn moved_media_is_followed() {
    let dial = Dial { talk: Duration::from_millis(2_500), ..Dial::default() };
    let (row, _) = call_into("moved_media", &dial);
    let ports: Vec<u16> = row.media.iter().map(|(_, target)| target.rtp.port()).collect();
    assert_eq!(ports, [40_000, 40_010, 40_000], "{row:?}");
}

#[test]
fn the_callee_may_hang_up_first() {
    let dial = Dial { talk: Duration::from_secs(10), ..Dial::default() };
    let (row, _) = call_into("callee_bye", &dial);
    assert_eq!((row.outcome.as_str(), row.ended_by.as_str()), ("answered", "callee"), "{row:?}");
}

#[test]
fn the_invite_is_repeated_until_the_trunk_responds() {
    let (row, report) = call_into("slow", &Dial::default());
    assert_eq!(row.outcome, "answered", "{row:?}");
    assert!(report.count("INVITE ") >= 2);
}

#[test]
fn a_repeated_answer_gets_its_ack_again() {
    let dial = Dial { talk: Duration::from_secs(12), ..Dial::default() };
    let (row, report) = call_into("lost_ack", &dial);
    assert_eq!(row.outcome, "answered", "{row:?}");
    assert_eq!(report.count("BYE "), 1);
}

#[test]
fn a_key_by_sip_info_is_received() {
    let dial = Dial { talk: Duration::from_millis(1_500), ..Dial::default() };
    let (row, _) = call_into("keys", &dial);
    assert_eq!(row.keys, "1", "{row:?}");
}
