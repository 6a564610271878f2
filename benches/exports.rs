//! What an export of a million calls costs the calls that are up: the time of a commit and the lateness of 20 ms slots,
//! first alone, then while the export is written.
//!
//! `cargo bench --bench exports -- [ATTEMPTS]`

use paceline::config::Config;
use paceline::engine::{Board, EngineHandle};
use paceline::files::{Files, Reserve};
use paceline::lists::LeadRow;
use paceline::store::exports::NewExport;
use paceline::store::task_rows::TaskState;
use paceline::store::{
    Actor, ActorKind, Command, NewCampaign, NewImport, Reply, Scope, Store, Subject, Writer,
};
use paceline::tasks::{TaskParts, Tasks};
use paceline_core::campaign::RetryRules;
use paceline_core::ids::CampaignId;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use serde_json::json;
use sqlx::ConnectOptions;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc, watch};

/// Time between two commands: 20 calls a second with four commands each.
const COMMAND_EVERY: Duration = Duration::from_micros(12_500);
/// Time between two packets of a call.
const SLOT: Duration = Duration::from_millis(20);
/// How long it is measured without an export.
const ALONE: Duration = Duration::from_secs(20);

fn main() {
    let attempts = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(measure(attempts));
}

async fn measure(attempts: u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Arc::new(open(dir.path()).await);
    let campaign = fill(&store, dir.path(), attempts).await;
    let (asks, _asked) = mpsc::channel(64);
    let (_board, shown) = watch::channel(Arc::new(Board::default()));
    let engine = EngineHandle::new(asks, shown, broadcast::channel(8).0);
    let files =
        Files::open_with(&dir.path().join("files"), Reserve { bytes: 0, percent: 0 }).expect("a folder");
    let parts = TaskParts {
        store: store.clone(),
        files,
        engine,
        config: Arc::new(Config::default()),
        openings: None,
        samples: None,
    };
    let tasks = Tasks::start(parts).await.expect("threads");
    let (writer, mut replies) = store.start_writer();
    let slots = Slots::begin();
    let mut took = Vec::new();
    let alone = async { tokio::time::sleep(ALONE).await };
    tokio::select! { () = alone => {}, () = probe(&writer, &mut replies, campaign, &mut took) => {} }
    println!(
        "alone           {}; {}",
        percentiles("a commit", took),
        percentiles("a slot is late", slots.end())
    );
    for format in ["csv", "parquet"] {
        let (slots, mut took, began) = (Slots::begin(), Vec::new(), Instant::now());
        let mut log = 0;
        let work = export(&store, &tasks, format, &mut log);
        tokio::select! { () = work => {}, () = probe(&writer, &mut replies, campaign, &mut took) => {} }
        println!(
            "export as {format:<8} {}; {}; {:.1} s, write-ahead log at most {} MB",
            percentiles("a commit", took),
            percentiles("a slot is late", slots.end()),
            began.elapsed().as_secs_f64(),
            log >> 20
        );
    }
    writer.close().await;
    tasks.stop().await;
}

/// Asks for all attempts, and waits for the file.
async fn export(store: &Store, tasks: &Tasks, format: &str, log: &mut u64) {
    let scope = Scope::first();
    let actor = Actor {
        kind: ActorKind::System,
        id: None,
        name: "bench".into(),
        address: String::new(),
        enterprise: scope.enterprise,
        key: None,
    };
    let asked = json!({
        "is_split": false, "language": "en", "enterprise": 1, "organisations": [1], "sees_system": true, "agent": null,
        "group_agents": null, "caller_id": null,
    });
    let new = NewExport {
        what: "attempts",
        format,
        filters: &json!({}),
        columns: &[],
        has_numbers: true,
        maker: "bench",
        made_by: None,
        expires_at: Utc::from_millis(i64::MAX),
        asked: &asked,
        total: 0,
    };
    let mut change =
        store.begin_change(&actor, "exports.make", Subject::of("export", format)).await.expect("a change");
    let id = change.add_export(&scope, &new).await.expect("an export");
    change.commit().await.expect("a commit");
    tasks.wake();
    let wal = store.path().with_extension("db-wal");
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        *log = (*log).max(std::fs::metadata(&wal).map_or(0, |found| found.len()));
        let row = store.export(1, id).await.expect("a row").expect("an export");
        let task = store.task_of_any(row.task).await.expect("a row").expect("a task");
        if !task.state.is_open() {
            assert_eq!(task.state, TaskState::Done, "{:?}", task.error);
            return;
        }
    }
}

/// A thread that wakes every 20 ms, as a media thread does.
struct Slots {
    is_ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Slots {
    fn begin() -> Slots {
        let is_ended = Arc::new(AtomicBool::new(false));
        let ended = is_ended.clone();
        let thread = std::thread::spawn(move || {
            let (mut late, mut due) = (Vec::new(), Instant::now() + SLOT);
            while !ended.load(Ordering::Acquire) {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                late.push(Instant::now().saturating_duration_since(due));
                due += SLOT;
            }
            late
        });
        Slots { is_ended, thread }
    }

    fn end(self) -> Vec<Duration> {
        self.is_ended.store(true, Ordering::Release);
        self.thread.join().expect("the thread ends")
    }
}

/// A command of a live call every [`COMMAND_EVERY`], without an end.
async fn probe(
    writer: &Writer,
    replies: &mut mpsc::UnboundedReceiver<Reply>,
    campaign: CampaignId,
    took: &mut Vec<Duration>,
) {
    let mut due = tokio::time::interval(COMMAND_EVERY);
    loop {
        due.tick().await;
        let began = Instant::now();
        let number = PhoneNumber::from_e164(8_613_999_999_999).expect("a number");
        writer.send(Command::Blacklist { campaign: Some(campaign), number, source: "bench".into() }).await;
        replies.recv().await.expect("the writer lives");
        took.push(began.elapsed());
    }
}

async fn open(dir: &Path) -> Store {
    let url = format!("sqlite://{}", dir.join("bench.db").display());
    let now = || Utc::from_millis(jiff::Timestamp::now().as_millisecond());
    Store::open(&url, Arc::new(now)).await.expect("a store opens")
}

/// A campaign whose every lead was called once.
async fn fill(store: &Store, dir: &Path, attempts: u64) -> CampaignId {
    let retry =
        RetryRules { attempts_max: 3, per_day_max: 3, gap_min: Duration::ZERO, after: BTreeMap::new() };
    let new = NewCampaign {
        name: "bench",
        title: "bench",
        mode: "announce",
        timezone: "Asia/Shanghai",
        toml: "",
        retry: &retry,
    };
    let campaign = store.define_campaign(&new).await.expect("a campaign");
    let header = vec!["号码".to_owned()];
    let new = NewImport { campaign, file: "list.csv".into(), fingerprint: "x".into(), header };
    let mut import = store.begin_import(&new).await.expect("an import begins");
    let numbers: Vec<u64> = (0..attempts).collect();
    for piece in numbers.chunks(4_000) {
        let rows: Vec<LeadRow> = piece.iter().map(|n| lead(*n)).collect();
        import.push(&rows, &[]).await.expect("rows are written");
    }
    import.commit(attempts, "{}").await.expect("an import ends");
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("bench.db")).disable_statement_logging();
    let mut conn = options.connect().await.expect("a database opens");
    let calls = "insert into attempt (id, campaign_id, lead_id, household_id, number, ordinal, trunk, caller_id, call_id,
            dialog, state, placed_at, ringing_at, answered_at, ended_at, outcome, sip_code, ended_by, keys, result,
            counted, rest_millis)
          select l.id, 1, l.id, l.household_id, p.number, 1, 'main', 8675512345678, 'bench-' || l.id, '{}', 'ended',
            1772416800000 + l.id * 50, 1772416802000 + l.id * 50, 1772416809000 + l.id * 50,
            1772416839000 + l.id * 50, 'answered', 200, 'callee', '1', 'agree', 1, 0
            from lead l join phone p on p.lead_id = l.id and p.position = 0;";
    sqlx::raw_sql(calls).execute(&mut conn).await.expect("attempts");
    campaign
}

fn lead(n: u64) -> LeadRow {
    let number = PhoneNumber::from_e164(8_613_800_000_000 + n).expect("a number");
    LeadRow {
        row: n + 2,
        phones: vec![(number, number.national())],
        name: Some(format!("业主{n}")),
        household: None,
        cells: vec![number.national()],
        ..LeadRow::default()
    }
}

fn percentiles(what: &str, mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    format!(
        "{what} p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms ({} measured)",
        at(50),
        at(99),
        took.last().map_or(0.0, |took| took.as_secs_f64() * 1e3),
        took.len()
    )
}
