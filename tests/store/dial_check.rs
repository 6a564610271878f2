//! The dial check: every reason to refuse an attempt.

use super::*;

fn no(until: i64, reason: Reason) -> DialVerdict {
    DialVerdict::NotBefore { until: Utc::from_millis(until), reason }
}

#[tokio::test]
async fn an_attempt_that_passes_every_check_is_opened() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
}

#[tokio::test]
async fn opening_the_same_attempt_twice_writes_it_once() {
    let mut fixture = Fixture::new().await;
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let mut reader = fixture.store.reader().await.unwrap();
    assert_eq!(reader.attempts(fixture.campaign, 0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reused_attempt_id_is_refused_and_the_rest_of_the_batch_is_written() {
    let mut fixture = Fixture::new().await;
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let mut other = fixture.request(None, number(2));
    other.attempt = request.attempt;
    let third = fixture.request(None, number(3));
    for request in [&other, &third] {
        fixture.writer.send(opening(request)).await;
    }
    let said = [fixture.reply().await, fixture.reply().await, fixture.reply().await];
    assert_eq!(said[0], Reply::AttemptOpened { attempt: other.attempt, verdict: DialVerdict::Gone });
    assert!(matches!(&said[1], Reply::Refused { why } if why.contains("UNIQUE")), "{said:?}");
    assert_eq!(said[2], Reply::AttemptOpened { attempt: third.attempt, verdict: DialVerdict::Opened });
}

#[tokio::test]
async fn a_closed_lead_is_gone() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let closing = Command::SaveLead(Box::new(update(fixture.campaign, &lead, LeadState::Done)));
    assert_eq!(fixture.ask(closing).await, Reply::LeadSaved { lead: lead.id });
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Gone);
}

#[tokio::test]
async fn a_lead_of_another_campaign_is_gone() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let mut request = fixture.request(Some(&lead), lead.phones[0].number);
    request.campaign = define(&fixture.store, "autumn", &retry_rules()).await;
    assert_eq!(fixture.dial(&request).await, DialVerdict::Gone);
}

#[tokio::test]
async fn a_blacklisted_number_closes_its_lead() {
    for system_wide in [true, false] {
        let mut fixture = Fixture::new().await;
        fixture.list(&rows(1), &[]).await;
        let lead = fixture.fetch(1).await.0.remove(0);
        let scope = (!system_wide).then_some(fixture.campaign);
        fixture.store.replace_blacklist(scope, "file.csv", &[lead.phones[0].number]).await.unwrap();
        let request = fixture.request(Some(&lead), lead.phones[0].number);
        assert_eq!(fixture.dial(&request).await, DialVerdict::Closed(Reason::Blacklisted));
        assert_eq!(fixture.fetch(1).await, (vec![], None, 0));
    }
}

#[tokio::test]
async fn a_blacklisted_phone_is_closed_and_the_lead_with_other_phones_is_due_at_once() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1, 2], None)], &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    fixture.store.replace_blacklist(None, "file.csv", &[number(1)]).await.unwrap();
    let request = fixture.request(Some(&lead), number(1));
    assert_eq!(fixture.dial(&request).await, no(MORNING, Reason::Blacklisted));
    let (again, _, open) = fixture.fetch(1).await;
    assert_eq!((ids(&again), open), (vec![lead.id], 1));
    assert_eq!(again[0].phones.iter().map(|phone| phone.closed).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn the_blacklist_of_another_campaign_does_not_apply() {
    let mut fixture = Fixture::new().await;
    let other = define(&fixture.store, "autumn", &retry_rules()).await;
    fixture.store.replace_blacklist(Some(other), "file.csv", &[number(1)]).await.unwrap();
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
}

#[tokio::test]
async fn no_attempt_is_opened_after_calling_hours() {
    let mut fixture = Fixture::new().await;
    let mut request = fixture.request(None, number(1));
    request.open_until = Utc::from_millis(MORNING + 1000);
    fixture.clock.advance(1000);
    assert_eq!(fixture.dial(&request).await, no(MORNING + 1000, Reason::OutsideWindow));
}

#[tokio::test]
async fn a_number_with_an_open_attempt_is_refused() {
    let mut fixture = Fixture::new().await;
    let first = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&first).await, DialVerdict::Opened);
    let second = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&second).await, no(MORNING + MINUTE, Reason::Duplicate));
}

#[tokio::test]
async fn two_leads_of_one_household_are_not_called_at_once() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], Some("3-101")), row(3, &[2], Some("3-101"))], &[]).await;
    let leads = fixture.fetch(2).await.0;
    let first = fixture.request(Some(&leads[0]), number(1));
    let second = fixture.request(Some(&leads[1]), number(2));
    assert_eq!(fixture.dial(&first).await, DialVerdict::Opened);
    assert_eq!(fixture.dial(&second).await, no(MORNING + MINUTE, Reason::Duplicate));
    fixture.end(&first, Some(&leads[0]), Outcome::NoAnswer).await;
    let third = fixture.request(Some(&leads[1]), number(2));
    assert_eq!(fixture.dial(&third).await, DialVerdict::Opened);
}

#[tokio::test]
async fn two_openings_of_one_batch_see_each_other() {
    let mut fixture = Fixture::new().await;
    let first = fixture.request(None, number(1));
    let second = fixture.request(None, number(1));
    fixture.writer.send(opening(&first)).await;
    fixture.writer.send(opening(&second)).await;
    let said = [fixture.reply().await, fixture.reply().await];
    let opened = |attempt, verdict| Reply::AttemptOpened { attempt, verdict };
    assert_eq!(said[0], opened(first.attempt, DialVerdict::Opened));
    assert_eq!(said[1], opened(second.attempt, no(MORNING + MINUTE, Reason::Duplicate)));
}

#[tokio::test]
async fn the_minimum_gap_holds_across_campaigns() {
    let mut fixture = Fixture::new().await;
    let first = fixture.request(None, number(1));
    fixture.dial(&first).await;
    fixture.end(&first, None, Outcome::Busy).await;
    fixture.clock.advance(30 * MINUTE - 1);
    let mut early = fixture.request(None, number(1));
    early.campaign = define(&fixture.store, "autumn", &retry_rules()).await;
    assert_eq!(fixture.dial(&early).await, no(MORNING + 30 * MINUTE, Reason::AttemptsUsed));
    fixture.clock.advance(1);
    let mut due = fixture.request(None, number(1));
    due.campaign = early.campaign;
    assert_eq!(fixture.dial(&due).await, DialVerdict::Opened);
}

#[tokio::test]
async fn uncounted_attempts_do_not_use_up_the_caps() {
    let mut fixture = Fixture::new().await;
    for _ in 0..5 {
        let request = fixture.request(None, number(1));
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        fixture.end(&request, None, Outcome::LineFault).await;
    }
}

#[tokio::test]
async fn the_cap_of_a_campaign_closes_the_number() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], None), row(3, &[2, 1], None)], &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    for _ in 0..3 {
        let mut request = fixture.request(Some(&lead), number(1));
        request.per_day_max = 100;
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        fixture.end(&request, None, Outcome::NoAnswer).await;
        fixture.clock.advance(31 * MINUTE);
    }
    let request = fixture.request(Some(&lead), number(1));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Closed(Reason::AttemptsUsed));
    // The other lead with this number loses the number and keeps its other one.
    let other = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&other), number(1));
    let until = request.placed_at.as_millis();
    assert_eq!(fixture.dial(&request).await, no(until, Reason::AttemptsUsed));
    let request = fixture.request(Some(&other), number(2));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
}

#[tokio::test]
async fn the_daily_cap_holds_over_all_campaigns() {
    let mut fixture = Fixture::new().await;
    let autumn = define(&fixture.store, "autumn", &retry_rules()).await;
    for campaign in [fixture.campaign, autumn, fixture.campaign] {
        let mut request = fixture.request(None, number(1));
        request.campaign = campaign;
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        fixture.end(&request, None, Outcome::NoAnswer).await;
        fixture.clock.advance(31 * MINUTE);
    }
    let request = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&request).await, no(request.day_end.as_millis(), Reason::AttemptsUsed));
    fixture.clock.advance(DAY);
    let mut tomorrow = fixture.request(None, number(1));
    tomorrow.day_start = Utc::from_millis(request.day_end.as_millis());
    tomorrow.day_end = Utc::from_millis(request.day_end.as_millis() + DAY);
    assert_eq!(fixture.dial(&tomorrow).await, DialVerdict::Opened);
}

/// Asks for this number without any gap between attempts.
async fn dial_again(fixture: &mut Fixture, lead: Option<&Lead>, number: PhoneNumber) -> DialVerdict {
    let mut request = fixture.request(lead, number);
    request.gap_min = Duration::ZERO;
    fixture.dial(&request).await
}

async fn restart(fixture: Fixture, pause: i64) -> Fixture {
    let (dir, clock) = fixture.close().await;
    clock.advance(pause);
    Fixture::open(dir, clock, &retry_rules()).await
}

#[tokio::test]
async fn a_number_rests_after_an_interrupted_call() {
    let mut fixture = Fixture::new().await;
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, DialVerdict::Opened);
    let mut fixture = restart(fixture, 5000).await;
    let rested = MORNING + 5000 + MINUTE;
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, no(rested, Reason::AttemptsUsed));
    let id = fixture.open_dialogs[0].id;
    fixture.tell(Command::DialogEnded { id, reached: true }).await;
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, no(rested, Reason::AttemptsUsed));
    fixture.clock.advance(MINUTE);
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, DialVerdict::Opened);
}

/// The start after a first crash is cut off before it has ended the call, and the pause is longer than any rest.
#[tokio::test]
async fn after_two_crashes_and_a_pause_a_number_rests_until_its_call_is_ended() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], Some("3-101")), row(3, &[2], Some("3-101"))], &[]).await;
    let leads = fixture.fetch(2).await.0;
    assert_eq!(dial_again(&mut fixture, Some(&leads[0]), number(1)).await, DialVerdict::Opened);
    let fixture = restart(fixture, 1000).await;
    let mut fixture = restart(fixture, 20 * MINUTE).await;
    let rested = fixture.clock.now().as_millis() + MINUTE;
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, no(rested, Reason::AttemptsUsed));
    assert_eq!(fixture.open_dialogs.len(), 1);
    fixture.clock.advance(MINUTE);
    let recheck = fixture.clock.now().as_millis() + 10_000;
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, no(recheck, Reason::AttemptsUsed));
    let home = fixture.fetch(2).await.0.into_iter().find(|lead| lead.id == leads[1].id).unwrap();
    assert_eq!(
        dial_again(&mut fixture, Some(&home), number(2)).await,
        no(recheck, Reason::AttemptsUsed),
        "another number of the household"
    );
    let id = fixture.open_dialogs[0].id;
    fixture.tell(Command::DialogEnded { id, reached: true }).await;
    assert_eq!(dial_again(&mut fixture, Some(&home), number(2)).await, DialVerdict::Opened);
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, DialVerdict::Opened);
}

#[tokio::test]
async fn an_answered_call_whose_far_end_was_not_reached_keeps_its_number_until_it_cannot_be_up() {
    let mut fixture = Fixture::new().await;
    for n in [1, 2] {
        assert_eq!(dial_again(&mut fixture, None, number(n)).await, DialVerdict::Opened);
    }
    let (call, at) = (AttemptId(1).call(), fixture.clock.now());
    let answer = Command::SaveAnswer { call, at, dialog: String::new() };
    assert_eq!(fixture.ask(answer).await, Reply::AnswerSaved { call });
    let mut fixture = restart(fixture, 0).await;
    for dialog in std::mem::take(&mut fixture.open_dialogs) {
        fixture.tell(Command::DialogEnded { id: dialog.id, reached: false }).await;
    }
    fixture.clock.advance(2 * MINUTE);
    let recheck = fixture.clock.now().as_millis() + 10_000;
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, no(recheck, Reason::AttemptsUsed));
    assert_eq!(dial_again(&mut fixture, None, number(2)).await, DialVerdict::Opened, "it was never answered");
    fixture.clock.advance(29 * MINUTE);
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, DialVerdict::Opened);
}

/// The simulated carrier runs in the process that was killed.
#[tokio::test]
async fn a_call_on_the_simulated_carrier_ends_with_its_process() {
    let mut fixture = Fixture::new().await;
    let mut request = fixture.request(None, number(1));
    request.gap_min = Duration::ZERO;
    let mut command = opening(&request);
    let Command::OpenAttempt { trunk, .. } = &mut command else { unreachable!() };
    *trunk = "simulated".into();
    fixture.ask(command).await;
    let mut fixture = restart(fixture, 0).await;
    assert_eq!(fixture.open_dialogs, []);
    assert_eq!(dial_again(&mut fixture, None, number(1)).await, DialVerdict::Opened);
}

#[tokio::test]
async fn a_wall_clock_set_back_does_not_shorten_the_gap() {
    let mut fixture = Fixture::new().await;
    let request = fixture.request(None, number(1));
    fixture.dial(&request).await;
    fixture.end(&request, None, Outcome::Busy).await;
    fixture.clock.advance(-120 * MINUTE);
    let again = fixture.request(None, number(1));
    assert_eq!(fixture.dial(&again).await, no(MORNING + 30 * MINUTE, Reason::AttemptsUsed));
}
