//! Recovery of conversations interrupted by a crash: inbound calls, recordings, the agent in the call.

use super::accounts::details;
use super::floor::{ANA, seat};
use super::*;
use paceline::store::{FoundRecording, LegAbout, Secrets};
use paceline_core::agent::{Activity, Availability, Work};
use paceline_core::dialer::output::LegKind;
use paceline_core::ids::CallId;

#[tokio::test]
async fn an_interrupted_inbound_call_is_saved_with_its_recording() {
    let mut desk = Desk::new().await;
    let caller = CallId(1 << 63 | 1);
    let about = LegAbout {
        number: Some(number(5)),
        campaign: Some(desk.campaign),
        ..LegAbout::new(LegKind::Inbound)
    };
    desk.tell(Command::LegPlaced { leg: caller, about, dialog: "[]".into() }).await;
    desk.hands.go_on(MINUTE);
    let began_at = desk.hands.now();
    desk.tell(Command::SaveRecording { call: caller, path: "a.wav".into(), seconds: 1.0, lost_frames: 0 })
        .await;
    let resumed = desk.store.resume().await.unwrap();
    assert_eq!(resumed.legs.iter().map(|cut| cut.leg).collect::<Vec<_>>(), [caller]);
    let found = |call: CallId, path: &str| FoundRecording {
        call,
        began_at,
        path: path.into(),
        seconds: 7.5,
        lost_frames: 0,
    };
    // The second belongs to a call unknown to the store.
    let all = [found(caller, "b.wav"), found(CallId(1 << 63 | 2), "c.wav"), found(caller, "a.wav")];
    desk.store.recordings_found(&all, &resumed.legs).await.unwrap();
    let mut reader = desk.store.reader().await.unwrap();
    let row = reader.inbound_calls(desk.campaign, 0, 10).await.unwrap().remove(0);
    assert_eq!(
        (row.number, row.recording.as_deref()),
        (Some(number(5).as_u64() as i64), Some("a.wav;b.wav"))
    );
    assert_eq!((row.began_at, row.ended_at), (Some(MORNING), Some(MORNING + MINUTE)));
}

#[tokio::test]
async fn a_recovered_recording_belongs_to_the_attempt_active_at_its_time() {
    let mut desk = Desk::new().await;
    desk.list(&rows(1), &[]).await;
    let (_, request) = desk.talk(ANA).await;
    let call = request.attempt.call();
    let found = |path: &str, began_at: Utc| FoundRecording {
        call,
        began_at,
        path: path.into(),
        seconds: 7.5,
        lost_frames: 3,
    };
    let during = desk.hands.now();
    let all = [found("then.wav", during), found("before.wav", during - Duration::from_secs(86_400))];
    desk.store.recordings_found(&all, &[]).await.unwrap();
    desk.store.recordings_found(&all, &[]).await.unwrap();
    let mut reader = desk.store.reader().await.unwrap();
    let row = reader.attempts(desk.campaign, 0, 1).await.unwrap().remove(0);
    assert_eq!(row.recording.as_deref(), Some("then.wav"));
}

#[tokio::test]
async fn an_interrupted_attempt_is_saved_with_the_agent_in_conversation() {
    let mut desk = Desk::new().await;
    desk.list(&rows(2), &[]).await;
    let mut attempts = Vec::new();
    for (name, activity) in [("Ana", Activity::Talking), ("Bea", Activity::WrapUp)] {
        let agent = desk.store.add_agent(name, &details(name), &Secrets::default()).await.unwrap();
        let lead = desk.fetch(1).await.0.remove(0);
        let request = desk.request(Some(&lead), lead.phones[0].number);
        assert_eq!(desk.dial(&request).await, DialVerdict::Opened);
        let mut seat = seat(agent, Availability::Available, activity, desk.hands.now());
        seat.work = Some(Work {
            campaign: desk.campaign,
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
        desk.tell(Command::LogSeat(Box::new(seat))).await;
        attempts.push(request.attempt);
    }
    let resumed = desk.store.resume().await.unwrap();
    assert_eq!(resumed.interrupted.iter().map(|cut| cut.attempt).collect::<Vec<_>>(), attempts);
    assert_eq!(resumed.alive_at, desk.hands.now());
    let mut reader = desk.store.reader().await.unwrap();
    let rows = reader.attempts(desk.campaign, 0, 10).await.unwrap();
    let agents: Vec<_> = rows.iter().map(|row| row.agent.as_deref()).collect();
    assert_eq!(agents, [Some("Ana"), None], "a wrap-up is no conversation");
    assert!(rows.iter().all(|row| row.connected_at.is_none()), "and they are in no abandon rate");
}

#[tokio::test]
async fn an_open_dialog_is_returned_at_each_start_until_it_is_ended() {
    let mut desk = Desk::new().await;
    desk.list(&rows(1), &[]).await;
    let lead = desk.fetch(1).await.0.remove(0);
    let request = desk.request(Some(&lead), lead.phones[0].number);
    assert_eq!(desk.dial(&request).await, DialVerdict::Opened);
    let about = LegAbout { agent: Some(ANA), ..LegAbout::new(LegKind::Agent) };
    desk.tell(Command::LegPlaced { leg: CallId::side_leg(1), about, dialog: "[1]".into() }).await;
    let first = desk.store.resume().await.unwrap();
    assert_eq!(first.unended.len(), 2);
    assert_eq!(first.unended[1].dialog, "[1]");
    // A second crash before the dialogs were ended: both are returned again, and nothing is settled twice.
    let second = desk.store.resume().await.unwrap();
    assert_eq!((second.unended.as_slice(), second.interrupted.len()), (first.unended.as_slice(), 0));
    desk.tell(Command::Ended { id: first.unended[0].id }).await;
    assert_eq!(desk.store.resume().await.unwrap().unended, first.unended[1..]);
    desk.hands.go_on(30 * MINUTE + 1);
    assert_eq!(desk.store.resume().await.unwrap().unended, []);
}
