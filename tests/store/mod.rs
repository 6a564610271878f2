//! The store through its public API: the dial check, writes, recovery after a crash. All tests go through
//! `Fixture`, so that another database can run the same tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod abandoned;
pub mod accounts;
mod blacklist;
mod call_history;
mod call_log;
mod crash;
mod dial_check;
mod explain;
mod failed_writes;
pub mod floor;
mod floor_crash;
mod full_disk;
mod imports;
mod interrupted_calls;
mod lead_actions;
mod lead_table;
mod migration;
mod model;
mod opening;
mod round_trip;
mod simulated;
mod speakers;
mod take_back;
mod uploads;
mod votes;

use paceline::lists::{LeadRow, RefusedRow};
use paceline::store::{Clock, Command, ImportId, NewCampaign, NewImport, OpenDialog, Reply, Store, Writer};
use paceline_core::campaign::RetryRules;
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::output::{AttemptRequest, AttemptResult, LeadUpdate};
use paceline_core::ids::{AttemptId, CampaignId, HouseholdId, LeadId, TrunkId};
use paceline_core::lead::Lead;
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::{EndedBy, LeadState, Outcome, Reason};
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// 2026-03-02 10:00 in Shanghai, a Monday.
pub const MORNING: i64 = 1_772_416_800_000;
pub const DAY: i64 = 24 * 3_600_000;
pub const MINUTE: i64 = 60_000;

/// A manual clock.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn at(millis: i64) -> ManualClock {
        ManualClock(Arc::new(AtomicI64::new(millis)))
    }

    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now(&self) -> Utc {
        Utc::from_millis(self.0.load(Ordering::SeqCst))
    }

    pub fn as_clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// Test harness: a store in a temporary folder, with its writer running.
pub struct Fixture {
    pub dir: Arc<tempfile::TempDir>,
    pub store: Store,
    pub clock: ManualClock,
    pub writer: Writer,
    pub replies: UnboundedReceiver<Reply>,
    pub campaign: CampaignId,
    pub next_attempt: i64,
    /// Dialogs that the last crash left open.
    pub open_dialogs: Vec<OpenDialog>,
}

pub fn url(dir: &Path) -> String {
    format!("sqlite://{}", dir.join("paceline.db").display())
}

pub fn file(dir: &Path) -> PathBuf {
    dir.join("paceline.db")
}

pub fn retry_rules() -> RetryRules {
    RetryRules {
        attempts_max: 3,
        per_day_max: 3,
        gap_min: Duration::from_secs(1800),
        after: BTreeMap::from([(Outcome::NoAnswer, Duration::from_secs(7200))]),
    }
}

impl Fixture {
    pub async fn new() -> Fixture {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Fixture::open(dir, ManualClock::at(MORNING), &retry_rules()).await
    }

    pub async fn open(dir: Arc<tempfile::TempDir>, clock: ManualClock, retry: &RetryRules) -> Fixture {
        let store = Store::open(&url(dir.path()), clock.as_clock()).await.unwrap();
        let campaign = define(&store, "spring", retry).await;
        let resumed = store.resume().await.unwrap();
        let (next_attempt, open_dialogs) = (resumed.work.next_attempt, resumed.open_dialogs);
        let (writer, replies) = store.start_writer();
        Fixture { dir, store, clock, writer, replies, campaign, next_attempt, open_dialogs }
    }

    /// Closes the store, as a clean stop does.
    pub async fn close(self) -> (Arc<tempfile::TempDir>, ManualClock) {
        self.writer.close().await;
        self.store.close().await.unwrap();
        (self.dir, self.clock)
    }

    pub async fn ask(&mut self, command: Command) -> Reply {
        assert!(self.writer.send(command).await);
        self.reply().await
    }

    pub async fn reply(&mut self) -> Reply {
        tokio::time::timeout(Duration::from_secs(30), self.replies.recv())
            .await
            .expect("the writer answers")
            .expect("the writer lives")
    }

    pub async fn list(&self, leads: &[LeadRow], refused: &[RefusedRow]) -> ImportId {
        list(&self.store, self.campaign, leads, refused).await
    }

    pub async fn fetch(&mut self, count: u32) -> (Vec<Lead>, Option<Utc>, u64) {
        match self.ask(Command::FetchLeads { campaign: self.campaign, count, untried: true }).await {
            Reply::Leads { leads, next_due, leads_open, .. } => (leads, next_due, leads_open),
            other => panic!("{other:?}"),
        }
    }

    /// A request for this number that passes the dial check.
    pub fn request(&mut self, lead: Option<&Lead>, number: PhoneNumber) -> AttemptRequest {
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        let now = self.clock.now();
        AttemptRequest {
            attempt,
            campaign: self.campaign,
            lead: lead.map(|lead| lead.id),
            household: lead.and_then(|lead| lead.household),
            number,
            ordinal: 1,
            trunk: TrunkId(0),
            caller_id: ShownNumber::from_e164(8_675_512_345_678),
            placed_at: now,
            open_until: Utc::from_millis(MORNING + 40 * DAY),
            attempts_max: 3,
            per_day_max: 3,
            gap_min: Duration::from_secs(1800),
            day_start: Utc::from_millis(MORNING - 10 * 3_600_000),
            day_end: Utc::from_millis(MORNING + 14 * 3_600_000),
            rest: Duration::from_secs(60),
            guaranteed: false,
            lead_version: lead.map_or(0, |lead| lead.version),
        }
    }

    pub async fn dial(&mut self, request: &AttemptRequest) -> DialVerdict {
        let command = opening(request);
        match self.ask(command).await {
            Reply::AttemptOpened { attempt, verdict } => {
                assert_eq!(attempt, request.attempt);
                verdict
            }
            other => panic!("{other:?}"),
        }
    }

    /// Fetches one lead, opens an attempt on its first phone and ends it with this outcome.
    pub async fn call(&mut self, outcome: Outcome) -> (Lead, AttemptRequest) {
        let lead = self.fetch(1).await.0.remove(0);
        let request = self.request(Some(&lead), lead.phones[0].number);
        assert_eq!(self.dial(&request).await, DialVerdict::Opened);
        self.end(&request, Some(&lead), outcome).await;
        (lead, request)
    }

    pub async fn end(&mut self, request: &AttemptRequest, lead: Option<&Lead>, outcome: Outcome) {
        let result = result(request, lead, outcome, self.clock.now());
        let attempt = request.attempt;
        assert_eq!(self.ask(Command::SaveResult(Box::new(result))).await, Reply::ResultSaved { attempt });
    }
}

pub async fn define(store: &Store, name: &str, retry: &RetryRules) -> CampaignId {
    let campaign = NewCampaign {
        name,
        title: "A spring vote",
        mode: "announce",
        timezone: "Asia/Shanghai",
        toml: "name = \"spring\"",
        retry,
    };
    store.define_campaign(&campaign).await.unwrap()
}

pub async fn list(
    store: &Store,
    campaign: CampaignId,
    leads: &[LeadRow],
    refused: &[RefusedRow],
) -> ImportId {
    let new = NewImport {
        campaign,
        file: "list.csv".into(),
        fingerprint: format!("{}-{}", leads.len(), refused.len()),
        header: vec!["姓名".into(), "手机".into()],
    };
    let mut import = store.begin_import(&new).await.unwrap();
    import.push(leads, refused).await.unwrap();
    import.commit((leads.len() + refused.len()) as u64, "{}").await.unwrap()
}

pub fn number(n: u64) -> PhoneNumber {
    PhoneNumber::from_e164(8_613_800_000_000 + n).unwrap()
}

/// A list row with these numbers; row 1 is the header.
pub fn row(row: u64, numbers: &[u64], household: Option<&str>) -> LeadRow {
    let phones: Vec<_> = numbers.iter().map(|n| (number(*n), number(*n).national())).collect();
    LeadRow {
        row,
        household: household.map(str::to_string),
        name: Some(format!("业主{row}")),
        cells: vec![format!("业主{row}"), phones[0].1.clone()],
        phones,
        ..LeadRow::default()
    }
}

pub fn rows(count: u64) -> Vec<LeadRow> {
    (0..count).map(|n| row(n + 2, &[n], None)).collect()
}

pub fn refused(row: u64, reason: Reason) -> RefusedRow {
    RefusedRow { row, cells: vec!["=cmd()".into(), "12".into()], reason, hint: "a hint".into(), flat: None }
}

pub fn opening(request: &AttemptRequest) -> Command {
    Command::OpenAttempt {
        request: Box::new(request.clone()),
        trunk: "main".into(),
        call_id: format!("call-{}@paceline", request.attempt),
        dialog: format!("{{\"branch\":\"{}\"}}", request.attempt),
    }
}

pub fn result(request: &AttemptRequest, lead: Option<&Lead>, outcome: Outcome, at: Utc) -> AttemptResult {
    let update = lead.map(|lead| {
        let finished = paceline_core::campaign::retry::Finished {
            number: request.number,
            outcome,
            answered: outcome == Outcome::Answered,
            at,
            next_trunk: false,
        };
        retry_rules().settle(request.campaign, lead, finished)
    });
    AttemptResult {
        attempt: request.attempt,
        campaign: request.campaign,
        outcome,
        cause: "said the line".into(),
        sip_code: Some(200),
        ended_by: EndedBy::Callee,
        ringing_at: Some(request.placed_at),
        answered_at: None,
        connected_at: None,
        agent: None,
        ended_at: at,
        keys: Vec::new(),
        key_ways: Vec::new(),
        result: None,
        counted: outcome.counts(),
        rest_until: None,
        lead: update,
    }
}

pub fn update(campaign: CampaignId, lead: &Lead, state: LeadState) -> LeadUpdate {
    LeadUpdate {
        campaign,
        lead: lead.id,
        state,
        reason: None,
        next_at: None,
        phones: lead.phones.clone(),
        uncounted: 0,
        result: None,
        household_done: None,
        callback: None,
        version: lead.version,
    }
}

pub fn household(lead: &Lead) -> HouseholdId {
    lead.household.unwrap()
}

pub fn ids(leads: &[Lead]) -> Vec<LeadId> {
    leads.iter().map(|lead| lead.id).collect()
}

/// The opening of a lead's first attempt.
pub fn request(attempt: AttemptId, campaign: CampaignId, lead: &Lead, now: Utc) -> AttemptRequest {
    AttemptRequest {
        attempt,
        campaign,
        lead: Some(lead.id),
        household: None,
        number: lead.phones[0].number,
        ordinal: 1,
        trunk: TrunkId(0),
        caller_id: None,
        placed_at: now,
        open_until: now + Duration::from_secs(1),
        attempts_max: 3,
        per_day_max: 3,
        gap_min: Duration::ZERO,
        day_start: now,
        day_end: now + Duration::from_secs(1),
        rest: Duration::from_secs(60),
        guaranteed: false,
        lead_version: 0,
    }
}

/// Starts this test binary again with one test, which finds `folder` in the environment and works in it until it
/// is killed. Its standard output, which the pipe keeps, is what it acknowledged.
fn start_to_be_killed(test: &str, variable: &str, folder: &Path) -> Child {
    Process::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(variable, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The body of a test that [`start_to_be_killed`] starts; without the folder it does nothing.
fn run_until_killed(variable: &str, work: impl AsyncFnOnce(&Path)) {
    let Some(folder) = std::env::var_os(variable) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    runtime.block_on(work(Path::new(&folder)));
}
