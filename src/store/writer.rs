//! The writer task: takes commands from a bounded channel, writes each batch in one transaction (group
//! commit) and replies after the commit. A batch that cannot be written is kept and retried; the writer
//! reports `Stalled`, then `Recovered`.

use super::attempts::{self, Opening};
use super::commits::Commits;
use super::disk_reserve::Ballast;
use super::error::{Trouble, trouble};
use super::leads::{self, Because};
use super::{Clock, LegAbout, Store, StoreError, WriteTurn, begin, blacklist, commit, rollback};
use super::{lead_lookup, legs, open_dialogs, phones, recordings, seats, summaries};
use paceline_core::agent::SeatView;
use paceline_core::dialer::input::{ArrivedCall, DialVerdict};
use paceline_core::dialer::output::{AttemptRequest, AttemptResult, LeadUpdate, LegRecord, SummaryRecord};
use paceline_core::ids::{AgentId, AttemptId, CallId, CampaignId, LeadId, TrunkId};
use paceline_core::lead::Lead;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Reason;
use paceline_core::time::Utc;
use rustc_hash::FxHashSet;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Capacity of the command channel; beyond it senders wait (backpressure).
const WAITING_MAX: usize = 4096;

/// Most commands in one transaction.
const BATCH_MAX: usize = 512;

/// Most commands kept in memory while the store is stalled.
const STALLED_MAX: usize = 16_384;

/// Time between two retries while the store is stalled.
const RETRY: Duration = Duration::from_millis(250);

/// Retries after the last sender is dropped: ten seconds in all, so that a full disk does not block shutdown.
const LAST_TRIES: usize = 40;

/// A commit that takes longer than this is reported as a stalled disk.
const SLOW: Duration = Duration::from_millis(1_500);

/// A request to the store.
#[derive(Clone, Debug)]
pub enum Command {
    OpenAttempt {
        request: Box<AttemptRequest>,
        /// The trunk's name, for the results.
        trunk: String,
        /// The Call-ID the call will have.
        call_id: String,
        /// JSON: the dialog state that ends the call after a crash.
        dialog: String,
    },
    /// An empty `dialog` keeps the saved one.
    SaveAnswer {
        call: CallId,
        at: Utc,
        dialog: String,
    },
    /// Has no reply.
    SaveDialog {
        call: CallId,
        dialog: String,
    },
    SaveResult(Box<AttemptResult>),
    SaveLead(Box<LeadUpdate>),
    /// Ends the lease of these leads; they stay unchanged.
    ReturnLeads {
        leads: Vec<LeadId>,
    },
    CloseLeads {
        campaign: CampaignId,
        reason: Reason,
    },
    /// `None` = the blacklist of every campaign.
    Blacklist {
        campaign: Option<CampaignId>,
        number: PhoneNumber,
        source: String,
    },
    FetchLeads {
        campaign: CampaignId,
        count: u32,
    },
    SaveSummary(Box<SummaryRecord>),
    /// Saves the dialog of a leg that is no attempt, before its INVITE and again once it is up. Has no reply.
    LegPlaced {
        leg: CallId,
        about: LegAbout,
        dialog: String,
    },
    /// A leg that is no attempt has ended. Has no reply.
    SaveLeg(Box<LegRecord>),
    /// A dialog left open by a crash has been ended, or was given up. Has no reply.
    Ended {
        id: i64,
    },
    /// The registered contacts of an agent's phone, as JSON. Has no reply.
    SavePhones {
        agent: AgentId,
        contacts: String,
    },
    /// A row of the state log. Has no reply.
    LogSeat(Box<SeatView>),
    /// A recording is complete. Has no reply.
    SaveRecording {
        call: CallId,
        path: String,
        seconds: f64,
        lost_frames: u64,
    },
    /// Leases one lead that an agent asked for.
    FetchLead {
        campaign: CampaignId,
        lead: LeadId,
        agent: AgentId,
    },
    /// Looks up the campaign, lead and agent that an inbound caller's number belongs to.
    WhoCalls {
        call: CallId,
        trunk: TrunkId,
        number: Option<PhoneNumber>,
    },
}

impl Command {
    /// Queries run after the commit, so that they see the writes of their own batch.
    fn only_reads(&self) -> bool {
        matches!(self, Command::FetchLeads { .. } | Command::FetchLead { .. } | Command::WhoCalls { .. })
    }
}

/// A reply of the store, sent after the commit that carried its command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    AttemptOpened {
        attempt: AttemptId,
        verdict: DialVerdict,
    },
    AnswerSaved {
        call: CallId,
    },
    ResultSaved {
        attempt: AttemptId,
    },
    LeadSaved {
        lead: LeadId,
    },
    LeadsClosed {
        campaign: CampaignId,
        leads: u64,
    },
    Blacklisted {
        number: PhoneNumber,
    },
    Leads {
        campaign: CampaignId,
        leads: Vec<Lead>,
        next_due: Option<Utc>,
        leads_open: u64,
    },
    SummarySaved {
        attempt: AttemptId,
    },
    Lead {
        campaign: CampaignId,
        agent: AgentId,
        lead: Option<Box<Lead>>,
    },
    Caller(Box<ArrivedCall>),
    /// The store cannot write; no attempt is opened until `Recovered`. `why` is for the operator.
    Stalled {
        why: String,
    },
    Recovered,
    /// The database refused one command; it is not retried. The rest of its batch was written.
    Refused {
        why: String,
    },
}

/// Handle of the writer task. The task ends when every sender is dropped and all commands are written.
#[derive(Debug)]
pub struct Writer {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Waits while the channel is full ([`WAITING_MAX`]). `false` = the writer task has ended.
    pub async fn send(&self, command: Command) -> bool {
        self.commands.send(command).await.is_ok()
    }

    /// Another sender, for a task that must not own the writer.
    pub fn sender(&self) -> mpsc::Sender<Command> {
        self.commands.clone()
    }

    /// Writes every command sent so far and ends the task. Waits until the other senders are dropped.
    pub async fn close(self) {
        drop(self.commands);
        let _ = self.task.await;
    }
}

impl Store {
    /// Starts the writer of this store. Start only one: the set of leased leads lives in its memory.
    pub fn start_writer(&self) -> (Writer, mpsc::UnboundedReceiver<Reply>) {
        let (commands, inbox) = mpsc::channel(WAITING_MAX);
        // Unbounded, so that engine and writer cannot deadlock; there is at most one reply per command.
        let (replies, outbox) = mpsc::unbounded_channel();
        let task = Task {
            write: self.write.clone(),
            clock: self.clock.clone(),
            commits: self.commits.clone(),
            ballast: self.ballast(),
            replies,
            held: FxHashSet::default(),
            asked: FxHashSet::default(),
            open: BTreeMap::new(),
            lists_version: 0,
            stalled: false,
            refill_at: None,
        };
        (Writer { commands, task: tokio::spawn(task.run(inbox)) }, outbox)
    }
}

/// A queued command. An opening that was refused during a stall becomes `Forget`: its row is deleted, in
/// case the commit that reported an error had reached the disk.
enum Work {
    Do(Command),
    Forget(AttemptId),
}

/// Changes to the writer's memory, applied after the commit.
#[derive(Default)]
struct Effects {
    replies: Vec<Reply>,
    given_back: Vec<LeadId>,
    open: BTreeMap<CampaignId, i64>,
}

struct Task {
    write: Arc<WriteTurn>,
    clock: Clock,
    commits: Arc<Commits>,
    ballast: Ballast,
    replies: mpsc::UnboundedSender<Reply>,
    /// Leads leased to the dialer.
    held: FxHashSet<i64>,
    /// Leased leads that an agent asked for: these may be dialled although they are closed.
    asked: FxHashSet<i64>,
    /// Open leads by campaign: counted once, then updated incrementally.
    open: BTreeMap<CampaignId, u64>,
    lists_version: u64,
    stalled: bool,
    /// Earliest time of the next attempt to refill the disk reserve.
    refill_at: Option<Instant>,
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut kept: Vec<Work> = Vec::new();
        let mut closed = false;
        let mut tries = 0;
        while !(closed && kept.is_empty()) && tries < LAST_TRIES {
            if kept.is_empty() && self.stalled {
                // Retry without a command too: disk space may be freed at any time.
                match tokio::time::timeout(RETRY, inbox.recv()).await {
                    Ok(Some(first)) => kept.push(Work::Do(first)),
                    Ok(None) => break,
                    Err(_) => {}
                }
            } else if kept.is_empty() {
                match inbox.recv().await {
                    Some(first) => kept.push(Work::Do(first)),
                    None => break,
                }
            } else {
                // The last write of these commands failed.
                tokio::time::sleep(RETRY).await;
            }
            // During a stall commands are drained into memory, so that senders do not block.
            let room = if self.stalled { STALLED_MAX } else { BATCH_MAX };
            while kept.len() < room {
                match inbox.try_recv() {
                    Ok(command) => kept.push(Work::Do(command)),
                    Err(mpsc::error::TryRecvError::Disconnected) => {
                        closed = true;
                        break;
                    }
                    Err(mpsc::error::TryRecvError::Empty) => break,
                }
            }
            if self.stalled {
                self.refuse_openings(&mut kept);
            }
            kept = self.carry_out(kept).await;
            tries += usize::from(closed);
        }
        if !kept.is_empty() {
            tracing::error!(commands = kept.len(), "the store could not write before it was closed");
        }
    }

    /// Writes a batch, then runs its queries; returns the commands to retry.
    async fn carry_out(&mut self, work: Vec<Work>) -> Vec<Work> {
        let (reads, mut writes): (Vec<_>, Vec<_>) =
            work.into_iter().partition(|work| matches!(work, Work::Do(command) if command.only_reads()));
        match self.write_or_say(&writes).await {
            Ok(effects) => self.apply(effects),
            Err(error) if trouble(&error) == Trouble::Statement => self.write_each(writes).await,
            Err(error) => {
                self.stall(&error).await;
                self.refuse_openings(&mut writes);
                // Releasing the disk reserve frees space for answers and results of live calls.
                if trouble(&error) == Trouble::Full
                    && self.ballast.release()
                    && let Ok(effects) = self.write_or_say(&writes).await
                {
                    self.apply(effects);
                    writes.clear();
                }
                writes.extend(reads);
                return writes;
            }
        }
        if self.stalled {
            self.recover();
        }
        let mut left = Vec::new();
        for read in reads {
            if let Err(error) = self.look_up(&read).await {
                self.stall(&error).await;
                left.push(read);
            }
        }
        left
    }

    /// Writes a batch in one transaction. Reports a stall if it takes longer than [`SLOW`]; keeps waiting.
    async fn write_or_say(&mut self, work: &[Work]) -> Result<Effects, sqlx::Error> {
        if work.is_empty() && !self.stalled {
            return Ok(Effects::default());
        }
        let write = self.write.clone();
        let now = (self.clock)();
        let began = Instant::now();
        let asked = self.asked.clone();
        let writing = write_all(&write, work, &asked, now);
        tokio::pin!(writing);
        let written = match tokio::time::timeout(SLOW, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
                let path = self.write.path.display();
                self.say_stalled(format!("the disk that holds {path} has not answered for {SLOW:?}"));
                writing.await
            }
        };
        if written.is_ok() {
            self.commits.note(began.elapsed(), work.len());
        }
        written
    }

    /// Writes each command in a transaction of its own: the faulty one is refused, the others are kept.
    async fn write_each(&mut self, writes: Vec<Work>) {
        for work in writes {
            let one = [work];
            match self.write_or_say(&one).await {
                Ok(effects) => self.apply(effects),
                Err(error) => {
                    let why = StoreError::at_use(&self.write.path, &error).to_string();
                    tracing::error!(%why, "a command was refused by the store");
                    if let Work::Do(Command::OpenAttempt { request, .. }) = &one[0] {
                        self.reply(Reply::AttemptOpened {
                            attempt: request.attempt,
                            verdict: DialVerdict::Gone,
                        });
                    }
                    self.reply(Reply::Refused { why });
                }
            }
        }
    }

    fn apply(&mut self, effects: Effects) {
        for lead in effects.given_back {
            self.held.remove(&lead.0);
            self.asked.remove(&lead.0);
        }
        for (campaign, delta) in effects.open {
            if let Some(open) = self.open.get_mut(&campaign) {
                *open = open.saturating_add_signed(delta);
            }
        }
        for reply in effects.replies {
            self.reply(reply);
        }
    }

    async fn look_up(&mut self, read: &Work) -> Result<(), sqlx::Error> {
        match read {
            Work::Do(Command::FetchLeads { campaign, count }) => self.fetch(*campaign, *count).await,
            Work::Do(Command::FetchLead { campaign, lead, agent }) => {
                let found = self.fetch_asked(*campaign, *lead).await?.map(Box::new);
                self.reply(Reply::Lead { campaign: *campaign, agent: *agent, lead: found });
                Ok(())
            }
            Work::Do(Command::WhoCalls { call, trunk, number }) => {
                let write = self.write.clone();
                let arrived = lead_lookup::caller(&mut *write.take().await, *call, *trunk, *number).await?;
                self.reply(Reply::Caller(Box::new(arrived)));
                Ok(())
            }
            Work::Do(_) | Work::Forget(_) => Ok(()),
        }
    }

    /// Leases one lead; `None` if it is leased already.
    async fn fetch_asked(&mut self, campaign: CampaignId, lead: LeadId) -> Result<Option<Lead>, sqlx::Error> {
        if self.held.contains(&lead.0) {
            return Ok(None);
        }
        let write = self.write.clone();
        let found = lead_lookup::lead(&mut *write.take().await, campaign, lead).await?;
        if found.is_some() {
            self.held.insert(lead.0);
            self.asked.insert(lead.0);
        }
        Ok(found)
    }

    async fn fetch(&mut self, campaign: CampaignId, count: u32) -> Result<(), sqlx::Error> {
        let version = self.write.lists_version();
        if version != self.lists_version {
            self.open.clear();
            self.lists_version = version;
        }
        let now = (self.clock)();
        let write = self.write.clone();
        let mut conn = write.take().await;
        let due = leads::due(&mut conn, campaign, count as usize, &self.held, now).await?;
        let leads_open = match self.open.get(&campaign) {
            Some(open) => *open,
            None => leads::count_open(&mut conn, campaign).await?,
        };
        drop(conn);
        self.open.insert(campaign, leads_open);
        self.held.extend(due.leads.iter().map(|lead| lead.id.0));
        self.reply(Reply::Leads { campaign, leads: due.leads, next_due: due.next_due, leads_open });
        Ok(())
    }

    async fn stall(&mut self, error: &sqlx::Error) {
        self.say_stalled(StoreError::at_use(&self.write.path, error).to_string());
        if !matches!(error, sqlx::Error::Database(_)) {
            // The connection is lost; the retry needs a new one.
            let write = self.write.clone();
            let mut conn = write.take().await;
            let _ = write.reconnect(&mut conn).await;
        }
    }

    fn say_stalled(&mut self, why: String) {
        if !self.stalled {
            self.stalled = true;
            tracing::error!(%why, "the store cannot write; no call is placed until it can");
            self.reply(Reply::Stalled { why });
        }
    }

    /// Ends the stall once the disk reserve is refilled: without it the next full disk would lose a result.
    fn recover(&mut self) {
        if self.refill_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.refill_at = Some(Instant::now() + RETRY);
        if self.ballast.fill().is_ok() {
            (self.stalled, self.refill_at) = (false, None);
            tracing::info!("the store can write again");
            self.reply(Reply::Recovered);
        }
    }

    fn refuse_openings(&mut self, work: &mut [Work]) {
        for item in work {
            if let Work::Do(Command::OpenAttempt { request, .. }) = item {
                let (attempt, until, lead) = (request.attempt, request.placed_at, request.lead);
                *item = Work::Forget(attempt);
                if let Some(lead) = lead {
                    self.held.remove(&lead.0);
                    self.asked.remove(&lead.0);
                }
                let verdict = DialVerdict::NotBefore { until, reason: Reason::Stopped };
                self.reply(Reply::AttemptOpened { attempt, verdict });
            }
        }
    }

    fn reply(&self, reply: Reply) {
        // The receiver is gone during shutdown; the write itself is durable.
        let _ = self.replies.send(reply);
    }
}

async fn write_all(
    write: &WriteTurn,
    work: &[Work],
    asked: &FxHashSet<i64>,
    now: Utc,
) -> Result<Effects, sqlx::Error> {
    let mut conn = write.take().await;
    let written = async {
        begin(&mut conn).await?;
        let mut effects = Effects::default();
        for item in work {
            match item {
                Work::Do(command) => write_one(&mut conn, command, asked, now, &mut effects).await?,
                Work::Forget(attempt) => attempts::forget(&mut conn, *attempt).await?,
            }
        }
        let at = now.as_millis();
        sqlx::query!("update pulse set at = $1 where id = 1", at).execute(&mut *conn).await?;
        commit(&mut conn).await?;
        Ok(effects)
    }
    .await;
    if written.is_err() {
        rollback(&mut conn).await;
    }
    written
}

async fn write_one(
    conn: &mut SqliteConnection,
    command: &Command,
    asked: &FxHashSet<i64>,
    now: Utc,
    effects: &mut Effects,
) -> Result<(), sqlx::Error> {
    match command {
        Command::OpenAttempt { request, trunk, call_id, dialog } => {
            let asked = request.lead.is_some_and(|lead| asked.contains(&lead.0));
            let opening = Opening { request, trunk, call_id, dialog, asked };
            let opened = attempts::open(conn, opening, now).await?;
            let (attempt, verdict) = (request.attempt, opened.verdict);
            *effects.open.entry(request.campaign).or_default() -= opened.leads_closed as i64;
            if verdict != DialVerdict::Opened {
                effects.given_back.extend(request.lead);
            }
            effects.replies.push(Reply::AttemptOpened { attempt, verdict });
        }
        Command::SaveAnswer { call, at, dialog } => {
            attempts::answer(conn, *call, *at, dialog).await?;
            effects.replies.push(Reply::AnswerSaved { call: *call });
        }
        Command::SaveDialog { call, dialog } => attempts::dialog(conn, *call, dialog).await?,
        Command::SaveResult(result) => {
            *effects.open.entry(result.campaign).or_default() += attempts::result(conn, result).await?;
            effects.given_back.extend(result.lead.as_ref().map(|update| update.lead));
            effects.replies.push(Reply::ResultSaved { attempt: result.attempt });
        }
        Command::SaveLead(update) => {
            *effects.open.entry(update.campaign).or_default() +=
                leads::save(conn, update, Because::NoCall).await?;
            effects.given_back.push(update.lead);
            effects.replies.push(Reply::LeadSaved { lead: update.lead });
        }
        Command::ReturnLeads { leads } => effects.given_back.extend(leads),
        Command::CloseLeads { campaign, reason } => {
            let closed = leads::close_all(conn, *campaign, *reason).await?;
            *effects.open.entry(*campaign).or_default() -= closed as i64;
            effects.replies.push(Reply::LeadsClosed { campaign: *campaign, leads: closed });
        }
        Command::Blacklist { campaign, number, source } => {
            for campaign in blacklist::add(conn, *campaign, *number, source, now).await? {
                *effects.open.entry(campaign).or_default() -= 1;
            }
            effects.replies.push(Reply::Blacklisted { number: *number });
        }
        // Queries run after the commit: they see the batch, and nothing that may be rolled back.
        Command::FetchLeads { .. } | Command::FetchLead { .. } | Command::WhoCalls { .. } => {}
        Command::SaveSummary(record) => {
            *effects.open.entry(record.campaign).or_default() += summaries::save(conn, record).await?;
            effects.replies.push(Reply::SummarySaved { attempt: record.attempt });
        }
        Command::LegPlaced { leg, about, dialog } => legs::placed(conn, *leg, about, dialog, now).await?,
        Command::SaveLeg(record) => legs::ended(conn, record).await?,
        Command::Ended { id } => open_dialogs::ended(conn, *id).await?,
        Command::SavePhones { agent, contacts } => phones::save(conn, *agent, contacts).await?,
        Command::LogSeat(seat) => seats::log(conn, seat).await?,
        Command::SaveRecording { call, path, seconds, lost_frames } => {
            recordings::save(conn, *call, path, *seconds, *lost_frames, now).await?;
        }
    }
    Ok(())
}
