//! Calls on the simulated carrier are forgotten, and the leads are as after the import.

use super::*;
use paceline::store::KEY_PRESS_SOURCE;

/// Calls this lead on that trunk.
async fn call_on(fixture: &mut Fixture, trunk_name: &str, lead: &Lead, outcome: Outcome) -> AttemptId {
    let request = fixture.request(Some(lead), lead.phones[0].number);
    let mut command = opening(&request);
    let Command::OpenAttempt { trunk, .. } = &mut command else { unreachable!() };
    *trunk = trunk_name.into();
    let opened = Reply::AttemptOpened { attempt: request.attempt, verdict: DialVerdict::Opened };
    assert_eq!(fixture.ask(command).await, opened);
    let mut ended = result(&request, Some(lead), outcome, fixture.clock.now());
    ended.keys = vec![paceline_core::call::Digit::from_char('*').unwrap()];
    let attempt = request.attempt;
    assert_eq!(fixture.ask(Command::SaveResult(Box::new(ended))).await, Reply::ResultSaved { attempt });
    attempt
}

#[tokio::test]
async fn forgotten_calls_leave_leads_as_they_were_imported() {
    let mut fixture = Fixture::new().await;
    let campaign = fixture.campaign;
    let home = |n| row(n + 2, &[n], Some("3-101"));
    fixture.list(&[home(0), home(1), row(4, &[2], None), row(5, &[3], None), row(6, &[4], None)], &[]).await;
    let leads = fixture.fetch(10).await.0;
    let mut last = AttemptId(0);
    for lead in [&leads[0], &leads[2], &leads[3]] {
        last = call_on(&mut fixture, "simulated", lead, Outcome::Answered).await;
    }
    let mut done = update(campaign, &leads[1], LeadState::Done);
    done.reason = Some(Reason::HouseholdDone);
    fixture.ask(Command::SaveLead(Box::new(done))).await;
    let key =
        Command::Blacklist { campaign: Some(campaign), number: number(2), source: KEY_PRESS_SOURCE.into() };
    fixture.ask(key).await;
    fixture.store.blacklist(Some(campaign), number(3), "a person").await.unwrap();
    // One lead was called for real before.
    call_on(&mut fixture, "main", &leads[4], Outcome::Answered).await;
    assert_eq!(fixture.store.simulated_attempts(campaign).await.unwrap(), 3);

    let forgotten = fixture.store.forget_simulated(campaign).await.unwrap();
    assert_eq!((forgotten.attempts, forgotten.leads), (3, 4));
    assert_eq!(fixture.store.simulated_attempts(campaign).await.unwrap(), 0);
    assert_eq!(fixture.store.forget_simulated(campaign).await.unwrap().attempts, 0);
    let (dir, clock) = fixture.close().await;
    let mut fixture = Fixture::open(dir, clock, &retry_rules()).await;
    assert!(fixture.next_attempt > last.0);
    let fresh = fixture.fetch(10).await.0;
    assert_eq!(ids(&fresh), ids(&leads[..4]), "all but the one that was called for real");
    assert!(fresh.iter().all(|lead| lead.phones[0].attempts == 0 && !lead.phones[0].closed));
    let verdicts = [(2, DialVerdict::Opened), (3, DialVerdict::Closed(Reason::Blacklisted))];
    for (place, verdict) in verdicts {
        let request = fixture.request(Some(&fresh[place]), number(place as u64));
        assert_eq!(fixture.dial(&request).await, verdict, "number {place}");
    }
    let mut reader = fixture.store.reader().await.unwrap();
    let rows = reader.attempts(campaign, 0, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.trunk.as_str()).collect::<Vec<_>>(), ["main", "main"]);
}
