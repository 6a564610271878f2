//! The call history that a pacer learns from after a restart.

use super::floor::{ANA, seat};
use super::*;
use paceline_core::agent::{Activity, Availability, Work};

#[tokio::test]
async fn past_calls_are_ordered_and_carry_agent_and_wrap_up() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let (_, talked) = fixture.talk(ANA).await;
    let ended = fixture.clock.now();
    for (secs, activity, attempt) in [
        (0, Activity::WrapUp, Some(talked.attempt)),
        (12, Activity::Idle, None),
        (40, Activity::Ringing, None),
    ] {
        let mut row = seat(ANA, Availability::Available, activity, ended + Duration::from_secs(secs));
        row.work = attempt.map(|attempt| Work {
            campaign: fixture.campaign,
            lead: None,
            number: None,
            attempt: Some(attempt),
            inbound: false,
            answered_at: None,
            connected_at: None,
            parties: Vec::new(),
            recording: false,
            summary: None,
        });
        fixture.tell(Command::LogSeat(Box::new(row))).await;
    }
    for outcome in [Outcome::NoAnswer, Outcome::Cancelled] {
        let lead = fixture.fetch(1).await.0.remove(0);
        let request = fixture.request(Some(&lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        fixture.end(&request, Some(&lead), outcome).await;
    }
    // A single-number test and an open call are not part of the history.
    let test = fixture.request(None, number(9));
    fixture.dial(&test).await;
    fixture.end(&test, None, Outcome::NoAnswer).await;
    let out = fixture.request(None, number(8));
    fixture.dial(&out).await;

    let past = fixture.store.past_calls(fixture.campaign).await.unwrap();
    assert_eq!(past.len(), 3, "{past:?}");
    assert!(past.is_sorted_by_key(|call| call.call));
    assert_eq!(past[0].call, talked.attempt.call());
    assert_eq!(past[0].agent.map(|(agent, _)| agent), Some(ANA));
    assert_eq!(past[0].wrapped, Some(ended + Duration::from_secs(12)));
    assert_eq!(past.iter().map(|call| call.cancelled).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!((past[1].answered, past[1].agent, past[1].wrapped), (None, None, None));
    let wraps = fixture.store.reader().await.unwrap().wrap_ups(fixture.campaign, 10).await.unwrap();
    assert_eq!(wraps, [Duration::from_secs(12)]);
    fixture.clock.advance(DAY);
    assert_eq!(fixture.store.past_calls(fixture.campaign).await.unwrap(), [], "yesterday's are too old");
}
