//! Abandoned calls in the store: sums for the abandon ledger, and the rest of an abandoned number.

use super::*;
use paceline_core::pacing::ledger::{Counts, SLOT};

const WAIT: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(72 * 3600);

/// Makes an answered call with this outcome; `connected` and `ended` are milliseconds after the answer.
async fn answered(
    desk: &mut Desk,
    n: u64,
    outcome: Outcome,
    connected: Option<u64>,
    ended: u64,
) -> AttemptRequest {
    let request = desk.request(None, number(n));
    assert_eq!(desk.dial(&request).await, DialVerdict::Opened);
    let at = desk.hands.now();
    let after = |millis| at + Duration::from_millis(millis);
    let mut result = result(&request, None, outcome, after(ended));
    result.answered_at = Some(at);
    result.connected_at = connected.map(after);
    result.rest_until = (outcome == Outcome::Abandoned).then_some(after(ended) + REST);
    desk.ask(Command::SaveResult(Box::new(result))).await;
    request
}

#[tokio::test]
async fn ledger_sums_separate_people_machines_and_late_connections_and_survive_a_restart() {
    let mut desk = Desk::new().await;
    let autumn = define(&desk.store, "autumn", &retry_rules()).await;
    answered(&mut desk, 0, Outcome::Answered, Some(500), 30_000).await;
    answered(&mut desk, 1, Outcome::Answered, Some(2_001), 30_000).await;
    let machine = answered(&mut desk, 2, Outcome::Answered, Some(800), 9_000).await;
    answered(&mut desk, 3, Outcome::Abandoned, None, 1_500).await;
    answered(&mut desk, 4, Outcome::Abandoned, None, 6_000).await;
    answered(&mut desk, 5, Outcome::Machine, None, 4_000).await;
    let silent = desk.request(None, number(6));
    desk.dial(&silent).await;
    desk.end(&silent, None, Outcome::NoAnswer).await;
    let mut elsewhere = desk.request(None, number(7));
    elsewhere.campaign = autumn;
    desk.dial(&elsewhere).await;
    let mut said = floor::said(&machine, "mailbox", desk.hands.now(), None);
    said.machine = true;
    desk.summarise(&said).await;
    desk.hands.go_on(16 * MINUTE);
    // Still up when the process ends: it counts as placed only.
    let cut = desk.request(None, number(8));
    desk.dial(&cut).await;
    let command =
        Command::SaveAnswer { call: cut.attempt.call(), at: desk.hands.now(), dialog: String::new() };
    desk.ask(command).await;

    let first = Counts {
        placed: 7,
        settled: 7,
        connected_people: 2,
        connected_machines: 1,
        abandoned: 2,
        hung_up: 1,
        machines_detected: 1,
        connected_late: 1,
    };
    let last = Counts { placed: 1, ..Counts::default() };
    let slot = |at: i64| Utc::from_millis(at - at.rem_euclid(SLOT.as_millis() as i64));
    let (morning, later) = (slot(MORNING), slot(MORNING + 16 * MINUTE));
    let sums = desk.store.abandons(desk.campaign, WAIT).await.unwrap();
    assert_eq!(sums, [(morning, first), (later, last)]);
    let (dir, hands) = desk.close().await;
    let mut desk = Desk::open(dir, hands, &retry_rules()).await;
    let cut = Counts { settled: 1, ..last };
    let sums = desk.store.abandons(desk.campaign, WAIT).await.unwrap();
    assert_eq!(sums, [(morning, first), (later, cut)]);
    // The agent corrects the summary.
    said.machine = false;
    said.at = desk.hands.now();
    desk.summarise(&said).await;
    let sums = desk.store.abandons(desk.campaign, WAIT).await.unwrap();
    assert_eq!((sums[0].1.connected_people, sums[0].1.connected_machines), (3, 0));
    desk.hands.go_on(31 * DAY);
    assert_eq!(desk.store.abandons(desk.campaign, WAIT).await.unwrap(), []);
}

#[tokio::test]
async fn an_abandoned_number_rests_for_every_campaign_except_for_a_guaranteed_request() {
    let mut desk = Desk::new().await;
    let autumn = define(&desk.store, "autumn", &retry_rules()).await;
    answered(&mut desk, 0, Outcome::Abandoned, None, 0).await;
    let until = desk.hands.now() + REST;
    let refused = DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
    for hours in [1, 24, 71] {
        desk.hands.go_on(hours * 60 * MINUTE - (desk.hands.now().as_millis() - MORNING));
        for campaign in [desk.campaign, autumn] {
            let mut request = desk.request(None, number(0));
            request.campaign = campaign;
            assert_eq!(desk.dial(&request).await, refused, "{campaign:?} after {hours} hours");
        }
        let other = desk.request(None, number(hours as u64));
        assert_eq!(desk.dial(&other).await, DialVerdict::Opened, "another number");
    }
    let (dir, hands) = desk.close().await;
    let mut desk = Desk::open(dir, hands, &retry_rules()).await;
    let request = desk.request(None, number(0));
    assert_eq!(desk.dial(&request).await, refused, "after a restart");
    let mut guaranteed = desk.request(None, number(0));
    guaranteed.guaranteed = true;
    assert_eq!(desk.dial(&guaranteed).await, DialVerdict::Opened);
    desk.end(&guaranteed, None, Outcome::NoAnswer).await;
    desk.hands.go_on(2 * 60 * MINUTE);
    let request = desk.request(None, number(0));
    assert_eq!(desk.dial(&request).await, DialVerdict::Opened, "after 73 hours");
}

/// An interrupted call may still ring: the dialer gets that rest too, and a guaranteed request does not
/// shorten it.
#[tokio::test]
async fn the_rest_of_an_interrupted_call_holds_for_guaranteed_requests_too() {
    let mut desk = Desk::new().await;
    answered(&mut desk, 0, Outcome::Abandoned, None, 0).await;
    let cut = desk.request(None, number(1));
    desk.dial(&cut).await;
    desk.writer.close().await;
    desk.store.close().await.unwrap();
    let store = Store::open(&url(desk.dir.path()), desk.hands.clock()).await.unwrap();
    let resting = store.resume().await.unwrap().work.resting;
    let until = desk.hands.now() + cut.rest;
    assert_eq!(resting, [(number(1), until)], "an abandoned number is not among them");
    store.close().await.unwrap();
    let mut desk = Desk::open(desk.dir, desk.hands, &retry_rules()).await;
    let mut guaranteed = desk.request(None, number(1));
    (guaranteed.guaranteed, guaranteed.gap_min) = (true, Duration::ZERO);
    let refused = DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
    assert_eq!(desk.dial(&guaranteed).await, refused);
}
