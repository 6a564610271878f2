//! Attempts saved per second, beside bare SQLite commits of the same rows in the same run; then a list of
//! a million rows imported, reopened and exported; then the results of an ended campaign, beside a bare dump of its
//! attempts.
//!
//! `cargo bench --bench store -- [ATTEMPTS] [ROWS]`

use paceline::lists::LeadRow;
use paceline::results;
use paceline::store::{Command, NewCampaign, NewImport, Reply, Store, Writer};
use paceline_core::campaign::RetryRules;
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::output::{AttemptRequest, AttemptResult};
use paceline_core::ids::{AttemptId, CampaignId, TrunkId};
use paceline_core::lead::Lead;
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::time::Utc;
use sqlx::{ConnectOptions, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Calls in flight at once.
const CALLS: u32 = 300;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let attempts = numbers.first().copied().unwrap_or(20_000);
    let rows = numbers.get(1).copied().unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let ours = save_attempts(attempts).await;
        for batch in [1, ours.per_commit.round().max(1.0) as u64] {
            // One commit per statement is slow: a tenth of the rows suffices to measure its rate.
            let bare = bare_commits(if batch == 1 { attempts / 10 } else { attempts }, batch).await;
            println!(
                "bare sqlite, {batch:>3} statements a commit   {:>8.0} attempts/s  {:>6.1} us CPU each; \
                 ours / bare: wall {:.2}, CPU {:.2}",
                bare.per_sec,
                bare.cpu_us,
                bare.per_sec / ours.per_sec,
                ours.cpu_us / bare.cpu_us
            );
        }
        million_rows(rows).await;
        ended_campaign(rows * 3 / 10).await;
    });
}

struct Figures {
    per_sec: f64,
    cpu_us: f64,
    per_commit: f64,
}

async fn campaign(store: &Store) -> CampaignId {
    let retry =
        RetryRules { attempts_max: 3, per_day_max: 3, gap_min: Duration::ZERO, after: BTreeMap::new() };
    let (name, title, mode, timezone, toml) = ("bench", "Bench", "announce", "Asia/Shanghai", "");
    let new = NewCampaign { name, title, mode, timezone, toml, retry: &retry };
    store.define_campaign(&new).await.expect("a campaign is written")
}

fn now() -> Utc {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Utc::from_millis(since.as_millis() as i64)
}

async fn open(dir: &Path) -> Store {
    let url = format!("sqlite://{}", dir.join("bench.db").display());
    Store::open(&url, Arc::new(now)).await.expect("a store opens")
}

fn row(n: u64) -> LeadRow {
    let number = PhoneNumber::from_e164(8_613_000_000_000 + n).expect("a number");
    let given = number.national();
    LeadRow {
        row: n + 2,
        household: n.is_multiple_of(4).then(|| format!("{}-{}", n % 97, n / 97)),
        name: Some(format!("业主{n}")),
        cells: vec![format!("业主{n}"), given.clone(), format!("{}-{}", n % 97, n / 97), "89.5".into()],
        phones: vec![(number, given)],
        ..LeadRow::default()
    }
}

async fn import(store: &Store, campaign: CampaignId, rows: u64) {
    let header = ["姓名", "手机号码", "房号", "面积"].map(str::to_string).to_vec();
    let new = NewImport { campaign, file: "list.csv".into(), fingerprint: "x".into(), header };
    let mut import = store.begin_import(&new).await.expect("an import begins");
    for from in (0..rows).step_by(5_000) {
        let batch: Vec<_> = (from..rows.min(from + 5_000)).map(row).collect();
        import.push(&batch, &[]).await.expect("rows are written");
    }
    import.commit(rows, "{}").await.expect("an import ends");
}

/// The whole life of a call (fetch, open, answer, end) for `attempts` calls, `CALLS` at once.
async fn save_attempts(attempts: u64) -> Figures {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    let campaign = campaign(&store).await;
    import(&store, campaign, attempts).await;
    let (writer, mut replies) = store.start_writer();
    let (began, cpu) = (Instant::now(), cpu_secs());
    let mut calls: BTreeMap<AttemptId, Lead> = BTreeMap::new();
    let (mut next, mut ended, mut asked) = (1, 0, false);
    let day = Duration::from_secs(24 * 3600);
    writer.send(Command::FetchLeads { campaign, count: CALLS, untried: true }).await;
    while ended < attempts {
        match replies.recv().await.expect("the writer lives") {
            Reply::Leads { leads, .. } => {
                asked = false;
                for lead in leads {
                    let at = now();
                    let request = AttemptRequest {
                        attempt: AttemptId(next),
                        campaign,
                        lead: Some(lead.id),
                        household: lead.household,
                        number: lead.phones[0].number,
                        ordinal: 1,
                        trunk: TrunkId(0),
                        caller_id: ShownNumber::from_e164(8_675_512_345_678),
                        placed_at: at,
                        open_until: at + day,
                        attempts_max: 3,
                        per_day_max: 3,
                        gap_min: Duration::from_secs(1800),
                        day_start: at - day,
                        day_end: at + day,
                        rest: Duration::from_secs(60),
                        guaranteed: false,
                        lead_version: 0,
                    };
                    calls.insert(AttemptId(next), lead);
                    next += 1;
                    let (trunk, call_id) = ("main".to_string(), format!("{next}@bench"));
                    let dialog = dialog(next);
                    let request = Box::new(request);
                    writer.send(Command::OpenAttempt { request, trunk, call_id, dialog }).await;
                }
            }
            Reply::AttemptOpened { attempt, verdict } => {
                assert_eq!(verdict, DialVerdict::Opened);
                let (call, dialog) = (attempt.call(), dialog(attempt.0));
                writer.send(Command::SaveAnswer { call, at: now(), dialog }).await;
            }
            Reply::AnswerSaved { call } => {
                let lead = calls.remove(&call.attempt()).expect("a call that was opened");
                let result = ended_call(campaign, call.attempt(), &lead);
                writer.send(Command::SaveResult(Box::new(result))).await;
            }
            Reply::ResultSaved { .. } => ended += 1,
            other => panic!("{other:?}"),
        }
        let wanted = CALLS.saturating_sub(calls.len() as u32);
        if wanted > CALLS / 4 && !asked && (next as u64) <= attempts {
            asked = true;
            writer.send(Command::FetchLeads { campaign, count: wanted, untried: true }).await;
        }
    }
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_secs() - cpu);
    let totals = store.commit_times().totals();
    let figures = Figures {
        per_sec: attempts as f64 / wall,
        cpu_us: cpu * 1e6 / attempts as f64,
        per_commit: totals.commands as f64 / totals.commits as f64,
    };
    println!(
        "the store, {CALLS} calls at once           {:>8.0} attempts/s  {:>6.1} us CPU each  \
         ({} commits, {:.1} commands each, {:.2} ms a commit)",
        figures.per_sec,
        figures.cpu_us,
        totals.commits,
        figures.per_commit,
        totals.secs * 1e3 / totals.commits as f64
    );
    writer.close().await;
    figures
}

fn dialog(n: i64) -> String {
    format!(
        "{{\"call_id\":\"{n}@bench\",\"from\":\"sip:0755@bench\",\"to\":\"sip:138@trunk\",\"branch\":\"z9hG4bK{n}\"}}"
    )
}

fn ended_call(campaign: CampaignId, attempt: AttemptId, lead: &Lead) -> AttemptResult {
    let retry =
        RetryRules { attempts_max: 3, per_day_max: 3, gap_min: Duration::ZERO, after: BTreeMap::new() };
    let finished = paceline_core::campaign::retry::Finished {
        number: lead.phones[0].number,
        outcome: Outcome::Answered,
        answered: true,
        at: now(),
        next_trunk: false,
    };
    AttemptResult {
        attempt,
        campaign,
        outcome: Outcome::Answered,
        cause: "Normal Clearing".into(),
        sip_code: Some(200),
        ended_by: EndedBy::Callee,
        ringing_at: Some(now()),
        answered_at: Some(now()),
        connected_at: None,
        agent: None,
        ended_at: now(),
        keys: Vec::new(),
        key_ways: Default::default(),
        result: Some("agree".into()),
        counted: true,
        rest_until: None,
        lead: Some(retry.settle(campaign, lead, finished)),
    }
}

/// SQLite alone with the same writes: one row inserted, marked answered, and ended with its lead, `batch`
/// such steps per commit; no queries, no replies.
async fn bare_commits(attempts: u64, batch: u64) -> Figures {
    let dir = tempfile::tempdir().expect("a folder");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.path().join("bare.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut conn = options.connect().await.expect("a database opens");
    let tables = "create table attempt (id integer primary key, number bigint, state text, dialog text,
                    answered_at bigint, ended_at bigint, outcome text, cause text);
                  create index by_number on attempt (number, id);
                  create table lead (id integer primary key, state text, last_outcome text, last_at bigint);
                  with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000)
                  insert into lead select i, 'open', null, null from n;";
    sqlx::raw_sql(tables).execute(&mut conn).await.expect("tables");
    let (began, cpu) = (Instant::now(), cpu_secs());
    let mut steps = 0;
    for from in (0..attempts).step_by(CALLS as usize) {
        let to = attempts.min(from + u64::from(CALLS));
        for step in 0..3 {
            for n in from..to {
                if steps % batch == 0 {
                    if steps > 0 {
                        sqlx::query("commit").execute(&mut conn).await.expect("a commit");
                    }
                    sqlx::query("begin immediate").execute(&mut conn).await.expect("a transaction");
                }
                steps += 1;
                bare_step(&mut conn, n as i64 + 1, step).await.expect("a statement");
            }
        }
    }
    sqlx::query("commit").execute(&mut conn).await.expect("a commit");
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_secs() - cpu);
    Figures { per_sec: attempts as f64 / wall, cpu_us: cpu * 1e6 / attempts as f64, per_commit: batch as f64 }
}

async fn bare_step(conn: &mut SqliteConnection, n: i64, step: u32) -> Result<(), sqlx::Error> {
    match step {
        0 => {
            sqlx::query("insert into attempt (id, number, state, dialog) values ($1, $2, 'open', $3)")
                .bind(n)
                .bind(8_613_000_000_000 + n)
                .bind(dialog(n))
                .execute(conn)
                .await?;
        }
        1 => {
            sqlx::query("update attempt set state = 'answered', answered_at = $2, dialog = $3 where id = $1")
                .bind(n)
                .bind(n)
                .bind(dialog(n))
                .execute(conn)
                .await?;
        }
        _ => {
            sqlx::query(
                "update attempt set state = 'ended', ended_at = $2, outcome = 'answered' where id = $1",
            )
            .bind(n)
            .bind(n)
            .execute(&mut *conn)
            .await?;
            sqlx::query(
                "update lead set state = 'done', last_outcome = 'answered', last_at = $2 where id = $1",
            )
            .bind(n)
            .bind(n)
            .execute(conn)
            .await?;
        }
    }
    Ok(())
}

async fn million_rows(rows: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    let id = campaign(&store).await;
    let (began, cpu) = (Instant::now(), cpu_secs());
    let (mut screens, mut writes) = (Vec::new(), Vec::new());
    let (writer, mut replies) = store.start_writer();
    tokio::select! {
        () = import(&store, id, rows) => {}
        () = probe_reads(&store, &mut screens) => {}
        () = probe_writer(&writer, &mut replies, id, &mut writes) => {}
    }
    drop(replies);
    writer.close().await;
    println!(
        "while it is imported: {}; {}",
        percentiles("a screen's query", screens),
        percentiles("the writer", writes)
    );
    println!(
        "import of {rows} rows      {:>6.1} s wall  {:>6.1} s CPU  peak RSS {} MB",
        began.elapsed().as_secs_f64(),
        cpu_secs() - cpu,
        peak_mb()
    );
    store.close().await.expect("a store closes");
    let began = Instant::now();
    let store = open(dir.path()).await;
    let id = campaign(&store).await;
    store.resume().await.expect("a store resumes");
    let (writer, mut replies) = store.start_writer();
    writer.send(Command::FetchLeads { campaign: id, count: 500, untried: true }).await;
    let Some(Reply::Leads { leads, leads_open, .. }) = replies.recv().await else { panic!("leads") };
    println!(
        "restart until {} of {leads_open} leads are handed out   {:>6.0} ms",
        leads.len(),
        began.elapsed().as_secs_f64() * 1e3
    );
    let began = Instant::now();
    writer.send(Command::FetchLeads { campaign: id, count: 500, untried: true }).await;
    replies.recv().await.expect("leads");
    println!("the next 500 leads                          {:>6.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let mut reader = store.reader().await.expect("a reader opens");
    let (began, cpu) = (Instant::now(), cpu_secs());
    let summary = results::write(&mut reader, "bench", &dir.path().join("results")).await.expect("results");
    assert!(summary.reconciles);
    println!(
        "results of {rows} rows     {:>6.1} s wall  {:>6.1} s CPU  peak RSS {} MB",
        began.elapsed().as_secs_f64(),
        cpu_secs() - cpu,
        peak_mb()
    );
}

/// The results of a campaign whose every lead was called once, beside one bare pass over the same attempts.
async fn ended_campaign(leads: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    let id = campaign(&store).await;
    import(&store, id, leads).await;
    store.close().await.expect("a store closes");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.path().join("bench.db"))
        .disable_statement_logging();
    let mut conn = options.connect().await.expect("a database opens");
    let calls = "insert into attempt (id, campaign_id, lead_id, household_id, number, ordinal, trunk, caller_id, call_id,
            dialog, state, placed_at, ringing_at, answered_at, ended_at, outcome, sip_code, ended_by, keys, result,
            counted, rest_millis)
          select l.id, 1, l.id, l.household_id, p.number, 1, 'main', 8675512345678, 'bench-' || l.id, '{}', 'ended',
            1772416800000 + l.id * 50, 1772416802000 + l.id * 50, 1772416809000 + l.id * 50,
            1772416839000 + l.id * 50, 'answered', 200, 'callee', '1', 'agree', 1, 0
            from lead l join phone p on p.lead_id = l.id and p.position = 0;
          update lead set state = 'done', attempts = 1, last_outcome = 'answered', last_at = 1772416839000,
            result = 'agree';";
    sqlx::raw_sql(calls).execute(&mut conn).await.expect("attempts");
    let (began, cpu) = (Instant::now(), cpu_secs());
    let attempts =
        sqlx::query("select * from attempt order by id").fetch_all(&mut conn).await.expect("attempts");
    let bare = began.elapsed().as_secs_f64();
    println!(
        "one pass over {} attempts   {bare:>6.1} s wall  {:>6.1} s CPU",
        attempts.len(),
        cpu_secs() - cpu
    );
    drop(attempts);
    let store = open(dir.path()).await;
    let mut reader = store.reader().await.expect("a reader opens");
    let (began, cpu) = (Instant::now(), cpu_secs());
    let summary = results::write(&mut reader, "bench", &dir.path().join("results")).await.expect("results");
    assert!(summary.reconciles);
    let wall = began.elapsed().as_secs_f64();
    println!(
        "results of {leads} leads and their attempts  {wall:>6.1} s wall  {:>6.1} s CPU; ours / one pass: {:.2}",
        cpu_secs() - cpu,
        wall / bare
    );
}

/// What `GET /floor` asks the store, again and again, without an end.
async fn probe_reads(store: &Store, took: &mut Vec<Duration>) {
    loop {
        let began = Instant::now();
        store.groups().await.expect("groups");
        store.agents().await.expect("agents");
        took.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A command of a live call, again and again, without an end.
async fn probe_writer(
    writer: &Writer,
    replies: &mut mpsc::UnboundedReceiver<Reply>,
    campaign: CampaignId,
    took: &mut Vec<Duration>,
) {
    loop {
        let began = Instant::now();
        let source = "bench".to_owned();
        let number = PhoneNumber::from_e164(8_613_999_999_999).expect("a number");
        writer.send(Command::Blacklist { campaign: Some(campaign), number, source }).await;
        replies.recv().await.expect("the writer lives");
        took.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn percentiles(what: &str, mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    format!(
        "{what} p50 {:.1} ms, p95 {:.1} ms, longest {:.1} ms ({} asked)",
        at(50),
        at(95),
        took.last().map_or(0.0, |took| took.as_secs_f64() * 1e3),
        took.len()
    )
}

/// CPU seconds of this process so far, user and system, at 100 ticks a second.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1024
}
