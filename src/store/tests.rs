//! The writer under disk faults: full disk, database locked by another program, unfinished transaction.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::*;
use crate::lists::LeadRow;
use paceline_core::campaign::RetryRules;
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::output::{AttemptRequest, AttemptResult};
use paceline_core::ids::{AttemptId, CampaignId, TrunkId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{EndedBy, Outcome, Reason};
use std::collections::BTreeMap;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedReceiver;

const NOW: Utc = Utc::from_millis(1_772_416_800_000);

async fn store(dir: &Path) -> (Store, CampaignId) {
    let url = format!("sqlite://{}", dir.join("x.db").display());
    let store = Store::open(&url, Arc::new(|| NOW)).await.unwrap();
    let retry =
        RetryRules { attempts_max: 3, per_day_max: 3, gap_min: Duration::ZERO, after: BTreeMap::new() };
    let (name, title, mode, timezone, toml) = ("spring", "Spring", "announce", "Asia/Shanghai", "");
    let new = NewCampaign { name, title, mode, timezone, toml, retry: &retry };
    let campaign = store.define_campaign(&new).await.unwrap();
    (store, campaign)
}

fn opening(campaign: CampaignId, n: i64) -> Command {
    let request = AttemptRequest {
        attempt: AttemptId(n),
        campaign,
        lead: None,
        household: None,
        number: PhoneNumber::from_e164(8_613_800_000_000 + n as u64).unwrap(),
        ordinal: 1,
        trunk: TrunkId(0),
        caller_id: None,
        placed_at: NOW,
        open_until: NOW + Duration::from_secs(3600),
        attempts_max: 3,
        per_day_max: 3,
        gap_min: Duration::ZERO,
        day_start: NOW,
        day_end: NOW + Duration::from_secs(3600),
        rest: Duration::from_secs(60),
        guaranteed: false,
        lead_version: 0,
    };
    let dialog = "x".repeat(500);
    Command::OpenAttempt { request: Box::new(request), trunk: "main".into(), call_id: "c".into(), dialog }
}

fn ending(campaign: CampaignId, n: i64) -> Command {
    Command::SaveResult(Box::new(AttemptResult {
        attempt: AttemptId(n),
        campaign,
        outcome: Outcome::Answered,
        cause: "y".repeat(3000),
        sip_code: None,
        ended_by: EndedBy::Callee,
        ringing_at: None,
        answered_at: Some(NOW),
        connected_at: None,
        agent: None,
        ended_at: NOW,
        keys: Vec::new(),
        key_ways: Vec::new(),
        result: None,
        counted: true,
        rest_until: None,
        lead: None,
    }))
}

async fn next(replies: &mut UnboundedReceiver<Reply>) -> Reply {
    tokio::time::timeout(Duration::from_secs(20), replies.recv()).await.expect("a reply").expect("a writer")
}

async fn allow_pages(store: &Store, pages: &str) {
    let mut conn = store.write.lock().await;
    let sql = sqlx::AssertSqlSafe(format!("pragma max_page_count = {pages}"));
    sqlx::query(sql).execute(&mut *conn).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_stops_dialling_and_loses_no_result() {
    let dir = tempfile::tempdir().unwrap();
    let (store, campaign) = store(dir.path()).await;
    let (writer, mut replies) = store.start_writer();
    let reserve_file = dir.path().join("x.db.ballast");
    assert!(reserve_file.exists());
    for n in 1..=40 {
        writer.send(opening(campaign, n)).await;
        let opened = Reply::AttemptOpened { attempt: AttemptId(n), verdict: DialVerdict::Opened };
        assert_eq!(next(&mut replies).await, opened);
    }
    // SQLite clamps this to the current page count: the file cannot grow.
    allow_pages(&store, "1").await;
    for n in 1..=40 {
        writer.send(ending(campaign, n)).await;
    }
    writer.send(opening(campaign, 99)).await;
    let mut saved = Vec::new();
    let stalled = loop {
        match next(&mut replies).await {
            Reply::ResultSaved { attempt } => saved.push(attempt.0),
            Reply::Stalled { why } => break why,
            other => panic!("{other:?}"),
        }
    };
    assert!(stalled.contains("is full") && stalled.contains("x.db"), "{stalled}");
    assert!(saved.len() < 40, "some result had to wait");
    let refused = loop {
        match next(&mut replies).await {
            Reply::AttemptOpened { attempt, verdict } => break (attempt.0, verdict),
            Reply::ResultSaved { attempt } => saved.push(attempt.0),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused, (99, DialVerdict::NotBefore { until: NOW, reason: Reason::Stopped }));
    assert!(!reserve_file.exists(), "the reserve was released");
    allow_pages(&store, "1000000").await;
    loop {
        match next(&mut replies).await {
            Reply::ResultSaved { attempt } => saved.push(attempt.0),
            Reply::Recovered => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(reserve_file.exists(), "the reserve is refilled before dialling resumes");
    assert_eq!(saved, (1..=40).collect::<Vec<_>>(), "each once, in order");
    writer.send(opening(campaign, 100)).await;
    let opened = Reply::AttemptOpened { attempt: AttemptId(100), verdict: DialVerdict::Opened };
    assert_eq!(next(&mut replies).await, opened);
    let mut reader = store.reader().await.unwrap();
    let rows = reader.attempts(campaign, 0, 1000).await.unwrap();
    assert_eq!(rows.len(), 41);
    assert!(rows[..40].iter().all(|row| row.outcome.as_deref() == Some("answered")));
}

#[tokio::test]
async fn a_lock_held_by_another_program_is_reported_and_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (store, campaign) = store(dir.path()).await;
    let (writer, mut replies) = store.start_writer();
    let mut other = connect_options(&dir.path().join("x.db")).connect().await.unwrap();
    begin(&mut other).await.unwrap();
    let began = Instant::now();
    writer.send(opening(campaign, 1)).await;
    let Reply::Stalled { why } = next(&mut replies).await else { panic!() };
    assert!(why.contains("another program is writing"), "{why}");
    // The stall must be reported within two seconds; a busy test machine gets ten.
    assert!(began.elapsed() < Duration::from_secs(10));
    let Reply::AttemptOpened { verdict, .. } = next(&mut replies).await else { panic!() };
    assert_eq!(verdict, DialVerdict::NotBefore { until: NOW, reason: Reason::Stopped });
    rollback(&mut other).await;
    assert_eq!(next(&mut replies).await, Reply::Recovered);
}

#[tokio::test]
async fn a_closed_writer_has_written_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let (store, campaign) = store(dir.path()).await;
    let (writer, replies) = store.start_writer();
    drop(replies);
    for n in 1..=1000 {
        assert!(writer.send(opening(campaign, n)).await);
    }
    writer.close().await;
    let mut reader = store.reader().await.unwrap();
    assert_eq!(reader.attempts(campaign, 0, 2000).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn an_open_transaction_is_rolled_back_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (store, campaign) = store(dir.path()).await;
    {
        let mut conn = store.write.lock().await;
        begin(&mut conn).await.unwrap();
        sqlx::query("update campaign set title = 'never'").execute(&mut *conn).await.unwrap();
    }
    let (writer, mut replies) = store.start_writer();
    writer.send(opening(campaign, 1)).await;
    assert!(matches!(next(&mut replies).await, Reply::AttemptOpened { verdict: DialVerdict::Opened, .. }));
    let mut conn = store.write.lock().await;
    let kept = "select count(*) from campaign where title <> 'never'";
    let kept = sqlx::query_scalar::<_, i64>(kept).fetch_one(&mut *conn).await;
    assert_eq!(kept.unwrap(), 1);
}

/// Statements that run during calls must use an index, never a table scan.
#[tokio::test]
async fn queries_during_calls_use_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let (store, campaign) = store(dir.path()).await;
    let new = NewImport { campaign, file: String::new(), fingerprint: String::new(), header: Vec::new() };
    let mut import = store.begin_import(&new).await.unwrap();
    let number = PhoneNumber::from_e164(8_613_800_000_000).unwrap();
    let lead = LeadRow { row: 2, phones: vec![(number, String::new())], ..LeadRow::default() };
    import.push(&[lead], &[]).await.unwrap();
    import.commit(1, "{}").await.unwrap();
    let statements = [
        "select id, caller_id from household where caller_id is not null order by id",
        "select id from lead where import_id = 1 and state = 'open' and next_at = 0 order by vote_order desc, id limit 5",
        "select id from lead where import_id = 1 and state = 'open' and next_at > 0 order by next_at, id limit 5",
        "select * from attempt where number = 1",
        "select 1 from attempt where household_id = 1 and state <> 'ended'",
        "select id from attempt where state <> 'ended'",
        "update lead set state = 'done' where household_id = 1 and state = 'open' and id <> 2",
        "update phone set closed = true where number = 1",
        "select number, rest_until from attempt where rest_until > 5 order by rest_until",
        "select caller_id from attempt where placed_at > 5 and caller_id is not null order by placed_at, caller_id",
        "select count(*) from import i join lead l on l.import_id = i.id
          where i.campaign_id = 1 and i.state = 'done' and l.state = 'open'",
    ];
    let mut conn = store.write.lock().await;
    for sql in statements {
        let explain = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
        let rows = sqlx::query(explain).fetch_all(&mut *conn).await.unwrap();
        for row in rows {
            let detail: String = sqlx::Row::get(&row, 3);
            // Partial indexes that hold only the wanted rows: scanning one of them is cheap.
            let few = detail.contains("INDEX attempt_open") || detail.contains("INDEX household_caller_id");
            assert!(few || !detail.starts_with("SCAN"), "{sql}: {detail}");
            assert!(!detail.contains("ORDER BY"), "{sql}: {detail}");
        }
    }
}
