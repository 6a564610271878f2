//! Writes and reads back answers, results, leads, households, the blacklist and recovered state.

use super::*;
use paceline_core::call::Digit;
use paceline_core::number_pattern::NumberPattern;

#[tokio::test]
async fn leads_are_fetched_in_list_order_and_leased_once() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(5), &[]).await;
    let (first, due, open) = fixture.fetch(2).await;
    assert_eq!(first.iter().map(|lead| lead.row).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((due, open), (None, 5), "untried leads have no time of their own");
    let (second, due, _) = fixture.fetch(10).await;
    assert_eq!(second.iter().map(|lead| lead.row).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!(due, None);
    assert_eq!(fixture.fetch(10).await, (vec![], None, 5));
}

#[tokio::test]
async fn a_due_retry_is_fetched_before_untried_leads() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let (lead, request) = fixture.call(Outcome::NoAnswer).await;
    let retry_at = request.placed_at + Duration::from_secs(7200);
    let (fetched, due, open) = fixture.fetch(2).await;
    assert_eq!((ids(&fetched).contains(&lead.id), due, open), (false, Some(retry_at), 3));
    fixture.clock.advance(7200 * 1000);
    let back = fixture.fetch(1).await.0.remove(0);
    assert_eq!(back.id, lead.id);
    assert_eq!((back.phones[0].attempts, back.phones[0].last_outcome), (1, Some(Outcome::NoAnswer)));
    assert_eq!((back.next_at, back.phones[0].next_at), (Some(retry_at), Some(retry_at)));
}

#[tokio::test]
async fn due_retries_are_named_and_fetched_beside_untried_leads() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(50), &[]).await;
    let (lead, request) = fixture.call(Outcome::NoAnswer).await;
    let retry_at = request.placed_at + Duration::from_secs(7200);
    let (fetched, due, _) = fixture.fetch(5).await;
    assert_eq!((fetched.len(), due), (5, Some(retry_at)));
    fixture.clock.advance(7200 * 1000);
    let command = Command::FetchLeads { campaign: fixture.campaign, count: 20, untried: false };
    let Reply::Leads { leads, next_due, leads_open, .. } = fixture.ask(command).await else {
        panic!("no leads")
    };
    assert_eq!((ids(&leads), next_due, leads_open), (vec![lead.id], None, 50));
}

#[tokio::test]
async fn the_steps_of_a_call_are_written_before_its_result_and_never_after() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    fixture.dial(&request).await;
    let attempt = request.attempt;
    let steps = r#"[{"at_ms":0,"dir":"out","text":"INVITE sip:1@h"}]"#;
    fixture.tell(Command::SaveSteps { attempt, steps: steps.into() }).await;
    let ended = result(&request, Some(&lead), Outcome::NoAnswer, Utc::from_millis(MORNING + 9000));
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    fixture.tell(Command::SaveSteps { attempt, steps: "[]".into() }).await;
    fixture.tell(Command::SaveLineTrouble { campaign: fixture.campaign, words: String::new() }).await;
    let trace = fixture.store.reader().await.unwrap().call_trace(attempt).await.unwrap().expect("a trace");
    assert_eq!((trace.steps.as_deref(), trace.outcome.as_deref()), (Some(steps), Some("no_answer")));
    assert_eq!((trace.trunk.as_str(), trace.ended_at), ("main", Some(MORNING + 9000)));
    let none = fixture.store.reader().await.unwrap().call_trace(AttemptId(999)).await.unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn a_result_is_written_completely_and_once() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    fixture.dial(&request).await;
    let call = request.attempt.call();
    let answer = Command::SaveAnswer { call, at: Utc::from_millis(MORNING + 4000), dialog: "{}".into() };
    assert_eq!(fixture.ask(answer).await, Reply::AnswerSaved { call });
    let mut ended = result(&request, Some(&lead), Outcome::Answered, Utc::from_millis(MORNING + 9000));
    ended.keys = "1*".chars().filter_map(Digit::from_char).collect();
    ended.result = Some("agree".into());
    ended.lead.as_mut().unwrap().result = ended.result.clone();
    for _ in 0..2 {
        let saved = fixture.ask(Command::SaveResult(Box::new(ended.clone()))).await;
        assert_eq!(saved, Reply::ResultSaved { attempt: request.attempt });
    }
    let mut reader = fixture.store.reader().await.unwrap();
    let row = reader.attempts(fixture.campaign, 0, 10).await.unwrap().remove(0);
    assert_eq!((row.answered_at, row.ended_at), (Some(MORNING + 4000), Some(MORNING + 9000)));
    assert_eq!((row.keys.as_str(), row.result.as_deref(), row.counted), ("1*", Some("agree"), true));
    assert_eq!((row.trunk.as_str(), row.caller_id), ("main", Some(8_675_512_345_678)));
    assert_eq!(row.given.as_deref(), Some(lead.phones[0].number.national().as_str()));
    let import = reader.imports(fixture.campaign).await.unwrap()[0].id;
    let lead = reader.list_rows(import, 0, 10).await.unwrap().remove(0);
    assert_eq!((lead.state.as_str(), lead.attempts, lead.last_at), ("done", 1, Some(MORNING + 9000)));
    assert_eq!((lead.last_outcome.as_deref(), lead.result.as_deref()), (Some("answered"), Some("agree")));
    assert_eq!(fixture.fetch(1).await, (vec![], None, 0));
}

#[tokio::test]
async fn the_other_leads_of_a_reached_household_are_closed() {
    let mut fixture = Fixture::new().await;
    let flat = Some("3-101");
    fixture.list(&[row(2, &[1], flat), row(3, &[2], flat), row(4, &[3], Some("3-102"))], &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let mut closing = update(fixture.campaign, &lead, LeadState::Done);
    closing.household_done = lead.household;
    fixture.ask(Command::SaveLead(Box::new(closing))).await;
    let (left, _, open) = fixture.fetch(10).await;
    assert_eq!((left.len(), left[0].row, open), (1, 4, 1));
    let mut reader = fixture.store.reader().await.unwrap();
    let counts = reader.counts(fixture.campaign).await.unwrap();
    assert_eq!(counts.reasons, BTreeMap::from([("household_done".to_string(), 1)]));
}

#[tokio::test]
async fn a_lead_closed_during_its_call_is_not_reopened_by_the_result() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    let request = fixture.request(Some(&lead), number(0));
    fixture.dial(&request).await;
    fixture.store.blacklist(None, number(0), "a person").await.unwrap();
    fixture.end(&request, Some(&lead), Outcome::NoAnswer).await;
    fixture.clock.advance(DAY);
    assert_eq!(fixture.fetch(1).await, (vec![], None, 0));
    let counts = fixture.store.reader().await.unwrap().counts(fixture.campaign).await.unwrap();
    assert_eq!(counts.reasons, BTreeMap::from([("blacklisted".to_string(), 1)]));
}

#[tokio::test]
async fn a_blacklisted_number_is_closed_on_every_lead_that_has_it() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], None), row(3, &[2, 1], None), row(4, &[3], None)], &[]).await;
    assert_eq!(fixture.fetch(0).await.2, 3);
    let blacklisted =
        Command::Blacklist { campaign: Some(fixture.campaign), number: number(1), source: "key".into() };
    assert_eq!(fixture.ask(blacklisted).await, Reply::Blacklisted { number: number(1) });
    let (leads, _, open) = fixture.fetch(10).await;
    assert_eq!((leads.iter().map(|lead| lead.row).collect::<Vec<_>>(), open), (vec![3, 4], 2));
    assert!(leads[0].phones[1].closed && !leads[0].phones[0].closed);
}

#[tokio::test]
async fn reloading_a_blacklist_file_keeps_entries_of_other_sources() {
    let fixture = Fixture::new().await;
    let campaign = Some(fixture.campaign);
    fixture.store.replace_blacklist(campaign, "file.csv", &[number(1), number(2)]).await.unwrap();
    fixture.store.replace_blacklist(campaign, "a person", &[number(2), number(3)]).await.unwrap();
    fixture.store.replace_blacklist(None, "system.csv", &[number(9)]).await.unwrap();
    fixture.store.replace_blacklist(campaign, "file.csv", &[number(4)]).await.unwrap();
    let all = fixture.store.blacklisted(campaign).await.unwrap();
    assert_eq!(all, [number(2), number(3), number(4), number(9)].map(NumberPattern::from));
    assert_eq!(fixture.store.blacklisted(None).await.unwrap(), [number(9).into()]);
}

#[tokio::test]
async fn a_finished_campaign_closes_its_open_leads() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(4), &[]).await;
    fixture.call(Outcome::Answered).await;
    let campaign = fixture.campaign;
    let closed = fixture.ask(Command::CloseLeads { campaign, reason: Reason::OutsideWindow }).await;
    assert_eq!(closed, Reply::LeadsClosed { campaign, leads: 3 });
    assert_eq!(fixture.fetch(1).await, (vec![], None, 0));
}

#[tokio::test]
async fn interrupted_calls_are_closed_and_settled_at_the_next_start() {
    let mut fixture = Fixture::new().await;
    fixture.list(&rows(3), &[]).await;
    let leads = fixture.fetch(3).await.0;
    let mut requests = Vec::new();
    for (n, lead) in leads.iter().enumerate() {
        let request = fixture.request(Some(lead), number(n as u64));
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
        requests.push(request);
    }
    let call = requests[1].attempt.call();
    let at = Utc::from_millis(MORNING + 3000);
    fixture.ask(Command::SaveAnswer { call, at, dialog: "{\"to\":\"tag\"}".into() }).await;
    fixture.end(&requests[2], Some(&leads[2]), Outcome::Answered).await;
    fixture.clock.advance(8000);
    let (_, _, _) = fixture.fetch(1).await;
    fixture.writer.send(Command::SaveDialog { call, dialog: "{\"to\":\"new\"}".into() }).await;
    let (dir, clock) = fixture.close().await;
    clock.advance(3_600_000);

    let mut rules = retry_rules();
    rules.after.insert(Outcome::Interrupted, Duration::from_secs(3600));
    let store = Store::open(&url(dir.path()), clock.as_clock()).await.unwrap();
    let campaign = define(&store, "spring", &rules).await;
    let resumed = store.resume().await.unwrap();
    let seen: Vec<_> = resumed.interrupted.iter().map(|cut| (cut.attempt.0, cut.answered)).collect();
    assert_eq!(seen, [(1, false), (2, true)]);
    assert_eq!(resumed.interrupted[1].dialog, "{\"to\":\"new\"}");
    assert_eq!(resumed.work.next_attempt, 4);
    let rest = clock.now() + Duration::from_secs(60);
    assert_eq!(resumed.work.resting, [(number(0), rest), (number(1), rest)]);
    assert_eq!(resumed.work.caller_id_uses.len(), 3);
    assert_eq!(resumed.work.caller_id_first_use.len(), 1);

    let mut reader = store.reader().await.unwrap();
    let rows = reader.attempts(campaign, 0, 10).await.unwrap();
    assert_eq!(rows[1].outcome.as_deref(), Some("interrupted"));
    assert_eq!((rows[1].alive_at, rows[1].ended_at), (Some(MORNING + 8000), Some(clock.now().as_millis())));
    assert_eq!((rows[1].cause.as_str(), rows[1].counted), ("the dialer stopped", true));
    assert_eq!(rows[2].outcome.as_deref(), Some("answered"));
    drop(reader);

    // An answered callee is not called again; the other is called when the retry rule says so.
    let (writer, mut replies) = store.start_writer();
    clock.advance(3_600_000);
    writer.send(Command::FetchLeads { campaign, count: 10, untried: true }).await;
    let Some(Reply::Leads { leads: due, leads_open, .. }) = replies.recv().await else { panic!() };
    assert_eq!((ids(&due), leads_open), (vec![leads[0].id], 1));
    assert_eq!(due[0].phones[0].attempts, 1);
    // A second start finds no open attempt.
    assert_eq!(store.resume().await.unwrap().interrupted, []);
}

#[tokio::test]
async fn a_household_keeps_its_last_caller_id() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], Some("3-101"))], &[]).await;
    let (lead, request) = fixture.call(Outcome::NoAnswer).await;
    let (dir, clock) = fixture.close().await;
    let store = Store::open(&url(dir.path()), clock.as_clock()).await.unwrap();
    let sticky = store.resume().await.unwrap().work.caller_id_sticky;
    assert_eq!(sticky, [(request.campaign, household(&lead), request.caller_id.unwrap())]);
}

#[tokio::test]
async fn commands_are_written_by_group_commit() {
    let mut fixture = Fixture::new().await;
    let requests: Vec<_> = (0..400).map(|n| fixture.request(None, number(n))).collect();
    let commits = fixture.store.commit_times();
    let before = commits.totals();
    let sender = fixture.writer.sender();
    for request in &requests {
        sender.send(opening(request)).await.unwrap();
    }
    for request in &requests {
        let attempt = request.attempt;
        assert_eq!(fixture.reply().await, Reply::AttemptOpened { attempt, verdict: DialVerdict::Opened });
    }
    let after = commits.totals();
    assert_eq!(after.commands - before.commands, 400);
    assert!(after.commits - before.commits < 200, "{after:?}");
}
