//! A process killed while agents write summaries: a summary and its lead update are written both or not at
//! all, and no acknowledged one is lost. A store with the first schema is migrated.

use super::floor::{ANA, again, said, seat, spoken};
use super::*;
use paceline::store::LegInfo;
use paceline_core::agent::{Activity, Availability};
use paceline_core::dialer::output::LegKind;
use paceline_core::ids::CallId;
use paceline_core::lead::Callback;
use sqlx::Connection;
use sqlx::migrate::Migrator;
use std::io::{BufRead, BufReader};

const FOLDER: &str = "PACELINE_TEST_FLOOR_CRASH_FOLDER";

/// Not a test by itself: writes results, summaries and callbacks concurrently until it is killed.
#[test]
fn summarises_until_killed() {
    run_until_killed(FOLDER, talk_until_killed);
}

async fn talk_until_killed(folder: &Path) {
    let clock = ManualClock::at(MORNING);
    let store = Store::open(&url(folder), clock.as_clock()).await.unwrap();
    let campaign = define(&store, "spring", &retry_rules()).await;
    let mut next = store.resume().await.unwrap().work.next_attempt;
    let (writer, mut replies) = store.start_writer();
    let mut calls: BTreeMap<AttemptId, (AttemptRequest, Lead)> = BTreeMap::new();
    writer.send(Command::FetchLeads { campaign, count: 20, untried: true }).await;
    while let Some(reply) = replies.recv().await {
        match reply {
            Reply::Leads { leads, .. } => {
                for lead in leads {
                    let request = request(AttemptId(next), campaign, &lead, clock.now());
                    next += 1;
                    writer.send(opening(&request)).await;
                    calls.insert(request.attempt, (request, lead));
                }
            }
            Reply::AttemptOpened { attempt, verdict: DialVerdict::Opened } => {
                let (request, lead) = &calls[&attempt];
                let leg = CallId::side_leg(attempt.0 as u64);
                let about = LegInfo { agent: Some(ANA), ..LegInfo::new(LegKind::Agent) };
                writer.send(Command::LegPlaced { leg, about, dialog: "{}".into() }).await;
                let talking = seat(ANA, Availability::Available, Activity::Talking, clock.now());
                writer.send(Command::LogSeat(Box::new(talking))).await;
                let ended = spoken(request, lead, ANA, clock.now());
                writer.send(Command::SaveResult(Box::new(ended))).await;
                let later = clock.now() + Duration::from_secs(7200);
                let mut update = again(request, lead, LeadState::FollowUp, later);
                update.callback = Some(Callback { agent: Some(ANA), skill: None });
                let record = said(request, "callback", clock.now(), Some(update));
                writer.send(Command::SaveSummary(Box::new(record))).await;
            }
            Reply::SummarySaved { attempt } => {
                println!("summarised {attempt}");
                calls.remove(&attempt);
                writer.send(Command::FetchLeads { campaign, count: 1, untried: true }).await;
            }
            Reply::ResultSaved { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_summary_and_its_lead_update_are_written_atomically() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = Arc::new(tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let store = Store::open(&url(dir.path()), ManualClock::at(MORNING).as_clock()).await.unwrap();
        let campaign = define(&store, "spring", &retry_rules()).await;
        list(&store, campaign, &rows(20_000), &[]).await;
    });
    let mut acknowledged: Vec<i64> = Vec::new();
    for turn in 0..12_usize {
        let mut child = start_to_be_killed("store::floor_crash::summarises_until_killed", FOLDER, dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n').map_while(Result::ok);
        let parse = |line: Vec<u8>| -> Option<i64> {
            let line = String::from_utf8_lossy(&line).into_owned();
            line.strip_prefix("summarised ")?.parse().ok()
        };
        // The number of lines before the kill differs from turn to turn.
        acknowledged.extend(lines.by_ref().filter_map(parse).take(1 + turn * 29 % 200));
        child.kill().unwrap();
        // The kill may have truncated the last line, so its number may be wrong.
        let mut rest: Vec<_> = lines.filter_map(parse).collect();
        rest.pop();
        acknowledged.extend(rest);
        child.wait().unwrap();
        runtime.block_on(check(dir.path(), &acknowledged, turn));
    }
    assert!(acknowledged.len() > 300, "the processes did something: {}", acknowledged.len());
}

async fn check(dir: &Path, acknowledged: &[i64], turn: usize) {
    let store = Store::open(&url(dir), ManualClock::at(MORNING).as_clock()).await.unwrap();
    store.resume().await.unwrap();
    assert_eq!(store.resume().await.unwrap().legs, [], "turn {turn}: a leg stayed open");
    let mut conn = sqlx::SqliteConnection::connect(&url(dir)).await.unwrap();
    let torn: i64 = sqlx::query_scalar(
        "select count(*) from attempt a join lead l on l.id = a.lead_id
          where (a.disposition is not null) <> (l.state = 'follow_up')
             or (a.disposition is not null) <> (l.callback_agent is not null)
             or (a.disposition is not null) <> (l.state = 'follow_up' and l.next_at > 0)
             or (a.disposition is not null) <>
                exists (select 1 from summary s where s.attempt_id = a.id and s.lead_id = l.id)",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(torn, 0, "turn {turn}: half a summary");
    for attempt in acknowledged {
        let kept: Option<String> = sqlx::query_scalar("select disposition from attempt where id = $1")
            .bind(attempt)
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert_eq!(kept.as_deref(), Some("callback"), "turn {turn}: the summary of {attempt} is lost");
    }
}

#[tokio::test]
async fn seats_are_signed_out_as_of_the_last_commit() {
    let mut fixture = Fixture::new().await;
    let details = super::accounts::details("Ana");
    fixture.store.add_agent("8001", &details, &paceline::store::Secrets::default()).await.unwrap();
    let start = fixture.clock.now();
    fixture.tell(Command::LogSeat(Box::new(seat(ANA, Availability::Available, Activity::Idle, start)))).await;
    fixture.clock.advance(5 * MINUTE);
    let blacklist = Command::Blacklist { campaign: None, number: number(9), source: "x".into() };
    fixture.ask(blacklist).await;
    fixture.clock.advance(60 * MINUTE);
    for _ in 0..2 {
        fixture.store.resume().await.unwrap();
        let mut reader = fixture.store.reader().await.unwrap();
        let log = reader.seat_log(ANA, (0, 0), 10).await.unwrap();
        let log: Vec<_> = log.iter().map(|row| (row.at, row.availability.as_str())).collect();
        assert_eq!(log, [(MORNING, "available"), (MORNING + 5 * MINUTE, "signed_out")]);
    }
}

/// Creates a store with the first schema version and a half-finished campaign.
async fn first_schema_store(dir: &Path) {
    let schema = dir.join("schema");
    std::fs::create_dir(&schema).unwrap();
    let first = "0001_first_books.sql";
    std::fs::copy(Path::new("schemas/sql").join(first), schema.join(first)).unwrap();
    let mut conn = sqlx::SqliteConnection::connect(&format!("{}?mode=rwc", url(dir))).await.unwrap();
    sqlx::query("pragma journal_mode = wal").execute(&mut conn).await.unwrap();
    Migrator::new(schema.as_path()).await.unwrap().run(&mut conn).await.unwrap();
    let retry = serde_json::to_string(&retry_rules()).unwrap();
    sqlx::query(
        "insert into campaign values (1, 'spring', 'A spring vote', 'announce', 'Asia/Shanghai', '', $1, 0)",
    )
    .bind(retry)
    .execute(&mut conn)
    .await
    .unwrap();
    for sql in [
        "insert into import (id, campaign_id, file, fingerprint, header, state, rows_read, began_at, done_at)
         values (1, 1, 'list.csv', 'x', '[]', 'done', 2, 0, 0)",
        "insert into lead (id, campaign_id, import_id, list_row, cells, state, attempts, last_outcome)
         values (1, 1, 1, 2, '[]', 'done', 1, 'answered'), (2, 1, 1, 3, '[]', 'open', 0, null)",
        "insert into phone (lead_id, position, number, given, closed)
         values (1, 0, 8613800000000, '', true), (2, 0, 8613800000001, '', false)",
        "insert into attempt (id, campaign_id, lead_id, number, ordinal, trunk, call_id, dialog, state, placed_at,
                              answered_at, ended_at, outcome, ended_by, note, rest_millis)
         values (1, 1, 1, 8613800000000, 1, 'main', 'c', '{}', 'ended', 1, 2, 3, 'answered', 'callee', 'kept', 0),
                (2, 1, 2, 8613800000001, 1, 'main', 'd', '{\"x\":1}', 'open', 1772416700000, null, null, null,
                 null, null, 0)",
    ] {
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();
    std::fs::remove_dir_all(schema).unwrap();
}

#[tokio::test]
async fn a_store_with_the_first_schema_is_migrated_and_usable() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    first_schema_store(dir.path()).await;
    let older = Store::open_reader(&url(dir.path())).await.map(|_| ()).unwrap_err().to_string();
    assert!(older.contains("older paceline (schema 1, this program needs"), "{older}");
    let store = Store::open(&url(dir.path()), ManualClock::at(MORNING).as_clock()).await.unwrap();
    let resumed = store.resume().await.unwrap();
    let cut: Vec<_> = resumed.interrupted.iter().map(|cut| (cut.attempt, cut.dialog.as_str())).collect();
    assert_eq!(cut, [(AttemptId(2), "{\"x\":1}")]);
    drop(store);
    let mut fixture = Fixture::open(dir, ManualClock::at(MORNING), &retry_rules()).await;
    assert_eq!(fixture.campaign, CampaignId(1));
    let mut reader = fixture.store.reader().await.unwrap();
    let rows = reader.attempts(fixture.campaign, 0, 10).await.unwrap();
    let kept: Vec<_> =
        rows.iter().map(|row| (row.outcome.as_deref(), row.note.as_deref(), row.agent.as_deref())).collect();
    assert_eq!(kept, [(Some("answered"), Some("kept"), None), (Some("interrupted"), None, None)]);
    // An agent asks for a lead that was done under the first schema.
    let lead = fixture.fetch_lead(LeadId(1)).await.expect("it is free");
    let request = fixture.request(Some(&lead), number(0));
    assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    let ended = spoken(&request, &lead, ANA, fixture.clock.now());
    fixture.ask(Command::SaveResult(Box::new(ended))).await;
    fixture.summarise(&said(&request, "agree", fixture.clock.now(), None)).await;
}
