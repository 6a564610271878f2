//! Attempts that the line guard takes back.

use super::*;

#[tokio::test]
async fn an_attempt_that_the_line_refused_is_taken_back_once() {
    for outcome in [Outcome::Vacant, Outcome::CarrierBlock, Outcome::Unreachable] {
        let mut fixture = Fixture::new().await;
        fixture.list(&rows(1), &[]).await;
        let (lead, request) = fixture.call(outcome).await;
        assert_eq!(fixture.fetch(5).await.2, 0, "{outcome}: charged");
        let next_at = request.placed_at + Duration::from_secs(120);
        let (campaign, attempts) = (fixture.campaign, vec![request.attempt]);
        for _ in 0..2 {
            let attempts = attempts.clone();
            assert!(fixture.writer.send(Command::TakeBack { campaign, attempts, next_at }).await);
        }
        assert_eq!(fixture.fetch(5).await, (vec![], Some(next_at), 1), "{outcome}: open again, later");
        let at = request.placed_at;
        assert!(fixture.writer.send(Command::MakeDue { leads: vec![lead.id], at }).await);
        let back = fixture.fetch(5).await.0.remove(0);
        assert_eq!((back.id, back.phones[0].attempts, back.uncounted), (lead.id, 0, 0), "{outcome}");
        let mut reader = fixture.store.reader().await.unwrap();
        let row = reader.attempts(campaign, 0, 10).await.unwrap().remove(0);
        assert_eq!((row.outcome.as_deref(), row.counted), (Some("line_fault"), false), "{outcome}");
    }
}

#[tokio::test]
async fn an_answered_call_is_never_taken_back() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    fixture.dial(&request).await;
    let answer =
        Command::SaveAnswer { call: request.attempt.call(), at: request.placed_at, dialog: String::new() };
    fixture.ask(answer).await;
    let ended = result(&request, Some(&lead), Outcome::Answered, request.placed_at);
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    let (campaign, attempts, next_at) = (fixture.campaign, vec![request.attempt], request.placed_at);
    assert!(fixture.writer.send(Command::TakeBack { campaign, attempts, next_at }).await);
    assert_eq!(fixture.fetch(5).await.2, 0);
}
