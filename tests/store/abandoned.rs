//! Abandoned calls in the store: sums for the abandon ledger, and the rest of an abandoned number.

use super::*;
use paceline_core::pacing::ledger::{Counts, SLOT};

const WAIT: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(72 * 3600);

/// Makes an answered call with this outcome; `connected` and `ended` are milliseconds after the answer.
async fn answered(
    fixture: &mut Fixture,
    n: u64,
    outcome: Outcome,
    connected: Option<u64>,
    ended: u64,
) -> AttemptRequest {
    let request = fixture.request(None, number(n));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let at = fixture.clock.now();
    let after = |millis| at + Duration::from_millis(millis);
    let mut result = result(&request, None, outcome, after(ended));
    result.answered_at = Some(at);
    result.connected_at = connected.map(after);
    result.rest_until = (outcome == Outcome::Abandoned).then_some(after(ended) + REST);
    fixture.ask(Command::SaveResult(Box::new(result))).await;
    request
}

#[tokio::test]
async fn ledger_sums_separate_people_machines_and_late_connections_and_survive_a_restart() {
    let mut fixture = Fixture::new().await;
    let autumn = define(&fixture.store, "autumn", &retry_rules()).await;
    answered(&mut fixture, 0, Outcome::Answered, Some(500), 30_000).await;
    answered(&mut fixture, 1, Outcome::Answered, Some(2_001), 30_000).await;
    let machine = answered(&mut fixture, 2, Outcome::Answered, Some(800), 9_000).await;
    answered(&mut fixture, 3, Outcome::Abandoned, None, 1_500).await;
    answered(&mut fixture, 4, Outcome::Abandoned, None, 6_000).await;
    answered(&mut fixture, 5, Outcome::Machine, None, 4_000).await;
    let silent = fixture.request(None, number(6));
    fixture.dial(&silent).await;
    fixture.end(&silent, None, Outcome::NoAnswer).await;
    let mut elsewhere = fixture.request(None, number(7));
    elsewhere.campaign = autumn;
    fixture.dial(&elsewhere).await;
    let mut said = floor::said(&machine, "mailbox", fixture.clock.now(), None);
    said.machine = true;
    fixture.summarise(&said).await;
    fixture.clock.advance(16 * MINUTE);
    // Still up when the process ends: it counts as placed only.
    let cut = fixture.request(None, number(8));
    fixture.dial(&cut).await;
    let command =
        Command::SaveAnswer { call: cut.attempt.call(), at: fixture.clock.now(), dialog: String::new() };
    fixture.ask(command).await;

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
    let sums = fixture.store.abandons(fixture.campaign, WAIT).await.unwrap();
    assert_eq!(sums, [(morning, first), (later, last)]);
    let (dir, clock) = fixture.close().await;
    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    let cut = Counts { settled: 1, ..last };
    let sums = fixture.store.abandons(fixture.campaign, WAIT).await.unwrap();
    assert_eq!(sums, [(morning, first), (later, cut)]);
    // The agent corrects the summary.
    said.machine = false;
    said.at = fixture.clock.now();
    fixture.summarise(&said).await;
    let sums = fixture.store.abandons(fixture.campaign, WAIT).await.unwrap();
    assert_eq!((sums[0].1.connected_people, sums[0].1.connected_machines), (3, 0));
    fixture.clock.advance(31 * DAY);
    assert_eq!(fixture.store.abandons(fixture.campaign, WAIT).await.unwrap(), []);
}

#[tokio::test]
async fn an_abandoned_number_rests_for_every_campaign_except_for_a_guaranteed_request() {
    let mut fixture = Fixture::new().await;
    let autumn = define(&fixture.store, "autumn", &retry_rules()).await;
    answered(&mut fixture, 0, Outcome::Abandoned, None, 0).await;
    let until = fixture.clock.now() + REST;
    let refused = DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
    for hours in [1, 24, 71] {
        fixture.clock.advance(hours * 60 * MINUTE - (fixture.clock.now().as_millis() - MORNING));
        for campaign in [fixture.campaign, autumn] {
            let mut request = fixture.request(None, number(0));
            request.campaign = campaign;
            assert_eq!(fixture.dial(&request).await, refused, "{campaign:?} after {hours} hours");
        }
        let other = fixture.request(None, number(hours as u64));
        assert_eq!(fixture.dial(&other).await, DialVerdict::Opened, "another number");
    }
    let (dir, clock) = fixture.close().await;
    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    let request = fixture.request(None, number(0));
    assert_eq!(fixture.dial(&request).await, refused, "after a restart");
    let mut guaranteed = fixture.request(None, number(0));
    guaranteed.guaranteed = true;
    assert_eq!(fixture.dial(&guaranteed).await, DialVerdict::Opened);
    fixture.end(&guaranteed, None, Outcome::NoAnswer).await;
    fixture.clock.advance(2 * 60 * MINUTE);
    let request = fixture.request(None, number(0));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened, "after 73 hours");
}

/// An interrupted call may still ring: the dialer gets that rest too, and a guaranteed request does not
/// shorten it.
#[tokio::test]
async fn the_rest_of_an_interrupted_call_holds_for_guaranteed_requests_too() {
    let mut fixture = Fixture::new().await;
    answered(&mut fixture, 0, Outcome::Abandoned, None, 0).await;
    let cut = fixture.request(None, number(1));
    fixture.dial(&cut).await;
    fixture.writer.close().await;
    fixture.store.close().await.unwrap();
    let store = Store::open(&url(fixture.dir.path()), fixture.clock.as_clock()).await.unwrap();
    let resting = store.resume().await.unwrap().work.resting;
    let until = fixture.clock.now() + cut.rest;
    assert_eq!(resting, [(number(1), until)], "an abandoned number is not among them");
    store.close().await.unwrap();
    let mut fixture = Fixture::open(fixture.dir, fixture.clock, &retry_rules()).await;
    let mut guaranteed = fixture.request(None, number(1));
    (guaranteed.guaranteed, guaranteed.gap_min) = (true, Duration::ZERO);
    let refused = DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
    assert_eq!(fixture.dial(&guaranteed).await, refused);
}
