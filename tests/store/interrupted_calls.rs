//! Recovery of conversations interrupted by a crash: inbound calls, recordings, the agent in the call.

use super::accounts::details;
use super::floor::{ANA, seat};
use super::*;
use paceline::store::{LegInfo, RecoveredRecording, Secrets};
use paceline_core::agent::{Activity, Availability, Work};
use paceline_core::dialer::output::LegKind;
use paceline_core::ids::CallId;

#[tokio::test]
async fn an_interrupted_inbound_call_is_saved_with_its_recording() {
    let mut fixture = Fixture::new().await;
    let caller = CallId(1 << 63 | 1);
    let about = LegInfo {
        number: Some(number(5)),
        campaign: Some(fixture.campaign),
        ..LegInfo::new(LegKind::Inbound)
    };
    fixture.tell(Command::LegPlaced { leg: caller, about, dialog: "[]".into() }).await;
    fixture.clock.advance(MINUTE);
    let began_at = fixture.clock.now();
    fixture
        .tell(Command::SaveRecording { call: caller, path: "a.wav".into(), seconds: 1.0, lost_frames: 0 })
        .await;
    let resumed = fixture.store.resume().await.unwrap();
    assert_eq!(resumed.legs.iter().map(|cut| cut.leg).collect::<Vec<_>>(), [caller]);
    let found = |call: CallId, path: &str| RecoveredRecording {
        call,
        began_at,
        path: path.into(),
        seconds: 7.5,
        lost_frames: 0,
        is_cut: true,
    };
    // The second belongs to a call unknown to the store.
    let all = [found(caller, "b.wav"), found(CallId(1 << 63 | 2), "c.wav"), found(caller, "a.wav")];
    fixture.store.add_recovered_recordings(&all, &resumed.legs).await.unwrap();
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.inbound_calls(Some(fixture.campaign), 0, 10).await.unwrap().remove(0);
    assert_eq!(
        (row.number, row.recording.as_deref()),
        (Some(number(5).as_u64() as i64), Some("a.wav;b.wav"))
    );
    assert_eq!((row.began_at, row.ended_at), (Some(MORNING), Some(MORNING + MINUTE)));
}

#[tokio::test]
async fn a_recovered_recording_belongs_to_the_attempt_active_at_its_time() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let (_, request) = fixture.talk(ANA).await;
    let call = request.attempt.call();
    let found = |path: &str, began_at: Utc| RecoveredRecording {
        call,
        began_at,
        path: path.into(),
        seconds: 7.5,
        lost_frames: 3,
        is_cut: true,
    };
    let during = fixture.clock.now();
    let all = [found("then.wav", during), found("before.wav", during - Duration::from_secs(86_400))];
    fixture.store.add_recovered_recordings(&all, &[]).await.unwrap();
    fixture.store.add_recovered_recordings(&all, &[]).await.unwrap();
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!(row.recording.as_deref(), Some("then.wav"));
}

#[tokio::test]
async fn an_interrupted_attempt_is_saved_with_the_agent_in_conversation() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let mut attempts = Vec::new();
    for (name, activity) in [("Ana", Activity::Talking), ("Bea", Activity::WrapUp)] {
        let agent = fixture.store.add_agent(name, &details(name), &Secrets::default()).await.unwrap();
        let lead = fixture.fetch(1).await.0.remove(0);
        let request = fixture.request(Some(&lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        let mut seat = seat(agent, Availability::Available, activity, fixture.clock.now());
        seat.work = Some(Work {
            campaign: fixture.campaign,
            lead: Some(lead.id),
            number: None,
            attempt: Some(request.attempt),
            inbound: false,
            answered_at: None,
            connected_at: None,
            parties: vec![],
            recording: false,
            summary: None,
        });
        fixture.tell(Command::LogSeat(Box::new(seat))).await;
        attempts.push(request.attempt);
    }
    let resumed = fixture.store.resume().await.unwrap();
    assert_eq!(resumed.interrupted.iter().map(|cut| cut.attempt).collect::<Vec<_>>(), attempts);
    assert_eq!(resumed.alive_at, fixture.clock.now());
    let mut reader = fixture.store.reader().await.unwrap();
    let rows = reader.attempts(fixture.campaign, 0, 10).await.unwrap();
    let agents: Vec<_> = rows.iter().map(|row| row.agent.as_deref()).collect();
    assert_eq!(agents, [Some("Ana"), None], "a wrap-up is no conversation");
    assert!(rows.iter().all(|row| row.connected_at.is_none()), "and they are in no abandon rate");
}

#[tokio::test]
async fn an_open_dialog_is_returned_at_each_start_until_it_is_ended() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let about = LegInfo { agent: Some(ANA), ..LegInfo::new(LegKind::Agent) };
    fixture.tell(Command::LegPlaced { leg: CallId::side_leg(1), about, dialog: "[1]".into() }).await;
    let first = fixture.store.resume().await.unwrap();
    assert_eq!(first.open_dialogs.len(), 2);
    assert_eq!(first.open_dialogs[1].dialog, "[1]");
    // A second crash before the dialogs were ended: both are returned again, and nothing is settled twice.
    let second = fixture.store.resume().await.unwrap();
    assert_eq!(
        (second.open_dialogs.as_slice(), second.interrupted.len()),
        (first.open_dialogs.as_slice(), 0)
    );
    fixture.tell(Command::DialogEnded { id: first.open_dialogs[0].id, reached: true }).await;
    assert_eq!(fixture.store.resume().await.unwrap().open_dialogs, first.open_dialogs[1..]);
    fixture.clock.advance(30 * MINUTE + 1);
    assert_eq!(fixture.store.resume().await.unwrap().open_dialogs, []);
}

/// The callee picked up after the crash: the next process sees the repeated 200 while it takes the call back.
#[tokio::test]
async fn a_callee_who_answered_after_the_crash_is_not_called_again() {
    let retry = RetryRules {
        after: BTreeMap::from([(Outcome::Interrupted, Duration::from_secs(1))]),
        ..retry_rules()
    };
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mut fixture = Fixture::open(dir, ManualClock::at(MORNING), &retry).await;
    fixture.list(&rows(2), &[]).await;
    for lead in fixture.fetch(2).await.0 {
        let request = fixture.request(Some(&lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    }
    let (dir, clock) = fixture.close().await;
    let mut fixture = Fixture::open(dir, clock, &retry).await;
    assert_eq!(fixture.fetch(0).await.2, 2);
    for _ in 0..2 {
        for call_id in ["call-1@paceline", "of no attempt"].map(String::from) {
            let reply = fixture.ask(Command::RecoveredAnswer { call_id: call_id.clone() }).await;
            assert_eq!(reply, Reply::RecoveredAnswerSaved { call_id });
        }
    }
    fixture.clock.advance(DAY);
    let (leads, _, open) = fixture.fetch(5).await;
    assert_eq!((leads.iter().map(|lead| lead.row).collect::<Vec<_>>(), open), (vec![3], 1));
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!((row.outcome.as_deref(), row.answered_at), (Some("interrupted"), Some(MORNING)));
}
