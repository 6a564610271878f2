//! Pages of the call log of ten million calls while calls go out at 20 a second: by every filter that walks another
//! index, and by filters that find little. Beside each first page stands one bare statement that reads as many rows by
//! the same index, and beside the writer's times those of a quiet minute.
//!
//! `cargo bench --bench calls -- [CALLS] [FOLDER]`; a FOLDER keeps the store, and is filled where it is empty.

use paceline::lists::LeadRow;
use paceline::store::{
    CallFilter, CallKey, CallOrder, Command, GroupCalls, NewCampaign, NewImport, Reply, Scope, Store, Writer,
};
use paceline_core::campaign::RetryRules;
use paceline_core::dialer::output::{AttemptRequest, AttemptResult};
use paceline_core::ids::{AgentId, AttemptId, CampaignId, LeadId, TrunkId};
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::time::Utc;
use sqlx::{ConnectOptions, SqliteConnection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// Calls of one day; the days before it are as full.
const A_DAY: i64 = 100_000;
const DAY: i64 = 24 * 3_600_000;
const LEADS: u64 = 200_000;
const CAMPAIGNS: i64 = 20;
/// Calls of one statement of the filler.
const PIECE: i64 = 250_000;
const PAGE: usize = 100;
const ROUNDS: usize = 5;
/// As the API has it.
const SEARCH_MAX: Duration = Duration::from_secs(2);

fn main() {
    let calls = std::env::args().find_map(|arg| arg.parse::<i64>().ok()).unwrap_or(10_000_000);
    let folder = std::env::args().skip(1).find(|arg| arg.contains('/')).map(PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let temporary = tempfile::tempdir().expect("a folder");
        let dir = folder.as_deref().unwrap_or(temporary.path());
        std::fs::create_dir_all(dir).expect("a folder");
        let store = open(dir).await;
        let last = fill(&store, dir, calls).await;
        let quiet =
            writer_times(&store, last, Duration::from_secs(20), async { Duration::from_secs(20) }).await;
        println!("calls alone: opened p50 {:.1} ms, p99 {:.1} ms", ms(quiet.0), ms(quiet.1));
        let busy = writer_times(&store, last, Duration::MAX, pages(&store, dir, last)).await;
        println!(
            "calls beside the pages: opened p50 {:.1} ms, p99 {:.1} ms; beside / alone: p99 {:.2}",
            ms(busy.0),
            ms(busy.1),
            busy.1.as_secs_f64() / quiet.1.as_secs_f64()
        );
    });
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

fn now() -> Utc {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Utc::from_millis(since.as_millis() as i64)
}

async fn open(dir: &Path) -> Store {
    let url = format!("sqlite://{}", dir.join("calls.db").display());
    Store::open(&url, Arc::new(now)).await.expect("a store opens")
}

async fn bare(dir: &Path) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.join("calls.db"))
        .disable_statement_logging()
        .pragma("cache_size", "-262144")
        .connect()
        .await
        .expect("a database opens")
}

fn retry() -> RetryRules {
    RetryRules {
        attempts_max: 200,
        per_day_max: 200,
        gap_min: paceline_core::time::Duration::ZERO,
        after: BTreeMap::new(),
    }
}

/// Leads, campaigns and calls of as many days as it takes, up to now. Returns the begin of the last day.
async fn fill(store: &Store, dir: &Path, calls: i64) -> i64 {
    let mut conn = bare(dir).await;
    let kept: Option<i64> = sqlx::query_scalar("select max(placed_at) from attempt where call_id = 'filled'")
        .fetch_one(&mut conn)
        .await
        .expect("calls");
    if let Some(last) = kept {
        return last / DAY * DAY;
    }
    let began = Instant::now();
    let retry = retry();
    for n in 1..=CAMPAIGNS {
        let name = format!("bench-{n}");
        let new = NewCampaign {
            name: &name,
            title: &name,
            mode: "preview",
            timezone: "Asia/Shanghai",
            toml: "",
            retry: &retry,
        };
        store.define_campaign(&new).await.expect("a campaign is written");
    }
    let new = NewImport {
        campaign: CampaignId(1),
        file: "list.csv".into(),
        fingerprint: "x".into(),
        header: vec!["n".into()],
    };
    let mut import = store.begin_import(&new).await.expect("an import begins");
    let rows: Vec<LeadRow> = (0..LEADS)
        .map(|n| {
            let number = PhoneNumber::from_e164(8_613_000_000_000 + n).expect("a number");
            let given = number.national();
            LeadRow {
                row: n + 2,
                name: Some(format!("业主{n}")),
                building: Some(format!("{}", n % 400)),
                cells: vec![given.clone()],
                phones: vec![(number, given)],
                ..LeadRow::default()
            }
        })
        .collect();
    for batch in rows.chunks(5_000) {
        import.push(batch, &[]).await.expect("rows are written");
    }
    import.commit(LEADS, "{}").await.expect("an import ends");
    let end = (now().as_millis() / DAY + 1) * DAY;
    let first = end - (calls + A_DAY - 1) / A_DAY * DAY;
    sqlx::raw_sql("pragma synchronous = off").execute(&mut conn).await.expect("a pragma");
    // Indexes are made behind the rows: ten times as quick as an entry at a time.
    let of_calls = "select name, sql from sqlite_master where type = 'index' and tbl_name = 'attempt' and sql is not null";
    let indexes: Vec<(String, String)> =
        sqlx::query_as(of_calls).fetch_all(&mut conn).await.expect("indexes");
    for (name, _) in &indexes {
        let sql = sqlx::AssertSqlSafe(format!("drop index {name}"));
        sqlx::raw_sql(sql).execute(&mut conn).await.expect("an index goes");
    }
    for from in (0..calls).step_by(PIECE as usize) {
        // Outcomes and the rest by the remainder of a mixed id: 30 of 100 are answered, one is abandoned.
        let sql = format!(
            "with recursive n (i) as (select {from} union all select i + 1 from n where i + 1 < {to}),
               m (i, h) as (select i, (i * 2654435761) % 4294967296 from n)
             insert into attempt (id, campaign_id, lead_id, number, ordinal, trunk, caller_id, call_id, dialog, state,
               placed_at, ringing_at, answered_at, connected_at, ended_at, outcome, cause, ended_by, result, agent_id,
               disposition, recording, rest_millis)
             select i + 1, 1 + h % {CAMPAIGNS}, 1 + h % {LEADS}, 8613000000000 + h % {LEADS}, 1, 'main',
               8675512345670 + h % 7, 'filled', '', 'ended', t, t + 2000,
               case when h % 100 < 31 then t + 9000 end, case when h % 100 < 30 then t + 9500 + h % 5000 end,
               t + 10000 + h % 90000,
               case when h % 100 < 30 then 'answered' when h % 100 = 30 then 'abandoned' when h % 100 < 80 then 'no_answer'
                    else 'busy' end, '', 'callee', case when h % 50 = 0 then 'agree' end,
               case when h % 100 < 30 then 1 + h / 100 % 40 end,
               case when h % 100 < 30 then case when i % 1000003 = 7 then 'rare' else 'voted' end end,
               case when h % 100 < 30 then i || '.wav' end, 0
             from (select i, h, {first} + i * {DAY} / {A_DAY} as t from m)",
            to = (from + PIECE).min(calls)
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.expect("calls");
        println!("{} calls after {:.0} s", (from + PIECE).min(calls), began.elapsed().as_secs_f64());
    }
    for (_, sql) in indexes {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.expect("an index comes");
    }
    sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut conn).await.expect("a checkpoint");
    end - DAY
}

/// Filters by what they show: the index that they walk, or how little they find.
fn filters(last: i64) -> Vec<(&'static str, CallFilter)> {
    let day = CallFilter { from: Some(last), until: Some(last + DAY), ..CallFilter::of(Scope::first()) };
    let ever = CallFilter::of(Scope::first());
    let campaign = Some(CampaignId(3));
    let text = |word: &str| Some(word.to_owned());
    vec![
        ("a day", day.clone()),
        ("a day, campaign", CallFilter { campaign, ..day.clone() }),
        (
            "a day, answered, talk > 30 s",
            CallFilter { outcome: text("answered"), talk_min: Some(30_000), ..day.clone() },
        ),
        ("a day, agent", CallFilter { agent: Some(AgentId(7)), ..day.clone() }),
        ("a day, missed", CallFilter { missed: Some(true), ..day.clone() }),
        (
            "a day, group",
            CallFilter {
                group: Some(GroupCalls {
                    agents: (1..9).map(AgentId).collect(),
                    campaigns: vec![CampaignId(3)],
                }),
                ..day.clone()
            },
        ),
        (
            "a day, waited > 4 s, recorded",
            CallFilter { waited_min: Some(4_000), recorded: Some(true), ..day.clone() },
        ),
        ("a day, building", CallFilter { building: text("40"), ..day.clone() }),
        ("a day, caller ID", CallFilter { caller_id: Some(8_675_512_345_671), ..day.clone() }),
        ("a day, a result that no call has", CallFilter { result: text("none"), ..day }),
        ("all days", ever.clone()),
        (
            "campaign, building",
            CallFilter { campaign: Some(CampaignId(1)), building: text("40"), ..ever.clone() },
        ),
        ("number", CallFilter { number: PhoneNumber::from_e164(8_613_000_000_017), ..ever.clone() }),
        ("lead", CallFilter { lead: Some(LeadId(18)), ..ever.clone() }),
        ("all days, ten calls of ten million", CallFilter { disposition: text("rare"), ..ever.clone() }),
        ("all days, a result that no call has", CallFilter { result: text("none"), ..ever }),
    ]
}

async fn pages(store: &Store, dir: &Path, last: i64) -> Duration {
    let began = Instant::now();
    println!(
        "{:<38} {:>10} {:>10} {:>10}   {:>9}  searched",
        "first page of 100", "p50 ms", "worst ms", "count ms", "count"
    );
    for (name, filter) in filters(last) {
        let (mut took, mut counting, mut count, mut searched) = (Vec::new(), Vec::new(), (0, true), None);
        for _ in 0..ROUNDS {
            let at = Instant::now();
            let mut reader = store.reader().await.expect("a reader");
            let is_late = || at.elapsed() > SEARCH_MAX;
            let page =
                reader.call_page(&filter, CallOrder::Newest, None, PAGE, &is_late).await.expect("a page");
            reader.call_rows(filter.direction, &page.calls).await.expect("rows");
            took.push(at.elapsed());
            searched = page.searched_to;
            let at = Instant::now();
            let is_late = || at.elapsed() > SEARCH_MAX;
            count = reader.count_calls(&filter, 10_000, &is_late).await.expect("a count");
            counting.push(at.elapsed());
        }
        took.sort_unstable();
        counting.sort_unstable();
        let days = searched.map_or("all".into(), |to| format!("{} days", (last + DAY - to) / DAY));
        println!(
            "{name:<38} {:>10.1} {:>10.1} {:>10.1}   {:>8}{}  {days}",
            ms(took[ROUNDS / 2]),
            ms(took[ROUNDS - 1]),
            ms(counting[ROUNDS / 2]),
            count.0,
            if count.1 { ' ' } else { '+' },
        );
    }
    in_order(store, last).await;
    beside_bare(store, dir, last).await;
    began.elapsed()
}

/// The order by talk of an hour, and a page in the middle of all days.
async fn in_order(store: &Store, last: i64) {
    let mut reader = store.reader().await.expect("a reader");
    let hour =
        CallFilter { from: Some(last), until: Some(last + DAY / 12), ..CallFilter::of(Scope::first()) };
    let at = Instant::now();
    let page =
        reader.ranked_call_page(&hour, CallOrder::Longest, None, PAGE, &|| at.elapsed() > SEARCH_MAX).await;
    page.expect("a page").expect("fewer than 10,000 calls");
    println!("the longest of 8,333 calls                {:>7.1} ms", ms(at.elapsed()));
    let at = Instant::now();
    let after = Some(CallKey { at: last - 50 * DAY, id: i64::MAX });
    let all = CallFilter::of(Scope::first());
    reader.call_page(&all, CallOrder::Newest, after, PAGE, &|| false).await.expect("a page");
    println!("a page in the middle of all               {:>7.1} ms", ms(at.elapsed()));
}

/// One bare statement that reads a page by the same index.
async fn beside_bare(store: &Store, dir: &Path, last: i64) {
    let mut conn = bare(dir).await;
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    let filter = CallFilter { from: Some(last), until: Some(last + DAY), ..CallFilter::of(Scope::first()) };
    for _ in 0..50 {
        let at = Instant::now();
        let rows = sqlx::query(
            "select a.*, l.name, g.name, c.name from attempt a join campaign c on c.id = a.campaign_id
               left join lead l on l.id = a.lead_id left join agent g on g.id = a.agent_id
              where a.enterprise_id = 1 and a.placed_at >= $1 and a.placed_at < $2
              order by a.placed_at desc, a.id desc limit 100",
        )
        .bind(last)
        .bind(last + DAY)
        .fetch_all(&mut conn)
        .await
        .expect("rows");
        assert_eq!(rows.len(), PAGE);
        theirs += at.elapsed();
        let at = Instant::now();
        let mut reader = store.reader().await.expect("a reader");
        let page = reader.call_page(&filter, CallOrder::Newest, None, PAGE, &|| false).await.expect("a page");
        reader.call_rows(filter.direction, &page.calls).await.expect("rows");
        ours += at.elapsed();
    }
    println!(
        "a page of a day: ours {:.1} ms, one bare statement {:.1} ms; ours / bare {:.2}",
        ms(ours) / 50.0,
        ms(theirs) / 50.0,
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

/// Places 20 calls a second while something else is done; from command to reply, at p50 and p99.
async fn writer_times(
    store: &Store,
    last: i64,
    most: Duration,
    other: impl Future<Output = Duration>,
) -> (Duration, Duration) {
    let (writer, mut replies) = store.start_writer();
    let next = sqlx_next(store).await;
    let is_done = AtomicBool::new(false);
    let (times, _) = tokio::join!(place(&writer, &mut replies, next, last, most, &is_done), async {
        other.await;
        if most == Duration::MAX {
            is_done.store(true, Ordering::Relaxed);
        }
    });
    writer.close().await;
    let mut times = times;
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

async fn sqlx_next(store: &Store) -> i64 {
    let mut reader = store.reader().await.expect("a reader");
    let page = reader.call_page(&CallFilter::of(Scope::first()), CallOrder::Newest, None, 1, &|| false).await;
    page.expect("a page").calls.first().copied().unwrap_or_default() + 1
}

async fn place(
    writer: &Writer,
    replies: &mut UnboundedReceiver<Reply>,
    mut next: i64,
    last: i64,
    most: Duration,
    is_done: &AtomicBool,
) -> Vec<Duration> {
    let (began, mut times) = (Instant::now(), Vec::new());
    let day = paceline_core::time::Duration::from_secs(24 * 3600);
    while began.elapsed() < most && !is_done.load(Ordering::Relaxed) {
        let at = now();
        let asked = Instant::now();
        let request = AttemptRequest {
            attempt: AttemptId(next),
            campaign: CampaignId(1),
            lead: None,
            household: None,
            number: PhoneNumber::from_e164(8_613_100_000_000 + next as u64 % 90_000_000).expect("a number"),
            ordinal: 1,
            trunk: TrunkId(0),
            caller_id: ShownNumber::from_e164(8_675_512_345_678),
            placed_at: Utc::from_millis(at.as_millis().max(last + DAY)),
            open_until: at + day,
            attempts_max: 200,
            per_day_max: 200,
            gap_min: paceline_core::time::Duration::ZERO,
            day_start: at - day,
            day_end: at + day,
            rest: paceline_core::time::Duration::ZERO,
            guaranteed: false,
            lead_version: 0,
        };
        let dialog = format!("{{\"call_id\":\"{next}@bench\"}}");
        let (trunk, call_id) = ("main".to_string(), format!("{next}@bench"));
        writer.send(Command::OpenAttempt { request: Box::new(request), trunk, call_id, dialog }).await;
        loop {
            if let Reply::AttemptOpened { .. } = replies.recv().await.expect("the writer lives") {
                break;
            }
        }
        times.push(asked.elapsed());
        writer.send(Command::SaveResult(Box::new(ended(next)))).await;
        next += 1;
        tokio::time::sleep(Duration::from_millis(50).saturating_sub(asked.elapsed())).await;
    }
    times
}

fn ended(attempt: i64) -> AttemptResult {
    AttemptResult {
        attempt: AttemptId(attempt),
        campaign: CampaignId(1),
        outcome: Outcome::NoAnswer,
        cause: "No answer".into(),
        sip_code: Some(480),
        ended_by: EndedBy::Dialer,
        ringing_at: Some(now()),
        answered_at: None,
        connected_at: None,
        agent: None,
        ended_at: now(),
        keys: Vec::new(),
        key_ways: Default::default(),
        result: None,
        counted: true,
        rest_until: None,
        lead: None,
    }
}
