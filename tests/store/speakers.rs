//! Who may hear a recording: every agent who spoke while it was taken.

use super::floor::seat;
use super::*;
use paceline_core::agent::{Activity, Availability, Work};
use paceline_core::ids::AgentId;
use std::collections::BTreeSet;

async fn talks(fixture: &mut Fixture, agent: i64, attempt: AttemptId, activity: Activity) {
    let mut seat = seat(AgentId(agent), Availability::Available, activity, fixture.clock.now());
    seat.work = Some(Work {
        campaign: fixture.campaign,
        lead: None,
        number: None,
        attempt: Some(attempt),
        inbound: attempt.0 < 0,
        answered_at: None,
        connected_at: None,
        parties: vec![],
        recording: false,
        summary: None,
    });
    fixture.tell(Command::LogSeat(Box::new(seat))).await;
}

async fn part(fixture: &mut Fixture, attempt: AttemptId, path: &str, seconds: f64) {
    let call = attempt.call();
    fixture.tell(Command::SaveRecording { call, path: path.into(), seconds, lost_frames: 0 }).await;
}

#[tokio::test]
async fn an_agent_who_handed_the_call_over_may_hear_the_part_in_which_it_spoke() {
    let mut fixture = Fixture::new().await;
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let attempt = request.attempt;
    let one = fixture.request(None, number(2)).attempt;
    // Agent 1 talks for two minutes and hands over to agent 2; agent 3 had an earlier call, agent 4 only rang.
    talks(&mut fixture, 3, one, Activity::Talking).await;
    talks(&mut fixture, 1, attempt, Activity::Talking).await;
    talks(&mut fixture, 4, attempt, Activity::Ringing).await;
    fixture.clock.advance(2 * MINUTE);
    talks(&mut fixture, 1, attempt, Activity::WrapUp).await;
    talks(&mut fixture, 2, attempt, Activity::Talking).await;
    part(&mut fixture, attempt, "first.wav", 120.0).await;
    fixture.clock.advance(MINUTE);
    talks(&mut fixture, 2, attempt, Activity::WrapUp).await;
    part(&mut fixture, attempt, "second.wav", 50.0).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let parts = reader.recording(attempt).await.unwrap();
    let heard: Vec<_> = parts.iter().map(|part| (part.path.as_str(), part.speakers.clone())).collect();
    assert_eq!(heard, [("first.wav", BTreeSet::from([1, 2])), ("second.wav", BTreeSet::from([2]))]);
}

#[tokio::test]
async fn both_agents_of_an_inbound_call_may_hear_it_also_after_a_restart() {
    let mut fixture = Fixture::new().await;
    let caller = paceline_core::ids::CallId(1 << 63 | 5);
    let attempt = caller.attempt();
    let about = paceline::store::LegInfo {
        campaign: Some(fixture.campaign),
        ..paceline::store::LegInfo::new(paceline_core::dialer::output::LegKind::Inbound)
    };
    fixture.tell(Command::LegPlaced { leg: caller, about, dialog: "[]".into() }).await;
    talks(&mut fixture, 1, attempt, Activity::Talking).await;
    fixture.clock.advance(MINUTE);
    talks(&mut fixture, 1, attempt, Activity::Idle).await;
    talks(&mut fixture, 2, attempt, Activity::Talking).await;
    fixture.clock.advance(MINUTE);
    part(&mut fixture, attempt, "in.wav", 120.0).await;
    let (dir, clock) = fixture.close().await;
    clock.advance(DAY);
    let fixture = Fixture::open(dir, clock, &retry_rules()).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let parts = reader.inbound_recording(1).await.unwrap();
    assert_eq!(parts[0].speakers, BTreeSet::from([1, 2]));
}
