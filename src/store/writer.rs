//! The writer task: takes commands from a bounded channel, writes each batch in one transaction (group
//! commit) and replies after the commit. A batch that cannot be written is kept and retried; the writer
//! reports `Stalled`, then `Recovered`.

use super::batch::{Effects, Job, commit_batch};
use super::campaigns::LeadCounts;
use super::command::{Command, Reply};
use super::commits::CommitTimes;
use super::disk_reserve::DiskReserve;
use super::error::{FailureKind, failure_kind};
use super::{Clock, Store, StoreError, WriteConnection, lead_lookup, leads};
use paceline_core::dialer::input::DialVerdict;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::lead::Lead;
use paceline_core::outcome::Reason;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Capacity of the command channel; beyond it senders wait (backpressure).
const QUEUE_MAX: usize = 4096;

/// Most commands in one transaction.
const BATCH_MAX: usize = 512;

/// Most commands kept in memory while the store is stalled.
const STALLED_MAX: usize = 16_384;

/// Time between two retries while the store is stalled.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// Retries after the last sender is dropped: ten seconds in all, so that a full disk does not block shutdown.
const CLOSING_RETRIES_MAX: usize = 40;

/// A commit that takes longer than this is reported as a stalled disk.
const STALL_AFTER: Duration = Duration::from_millis(1_500);

/// Handle of the writer task. The task ends when every sender is dropped and all commands are written.
#[derive(Debug)]
pub struct Writer {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Waits while the channel is full (`QUEUE_MAX`). `false` = the writer task has ended.
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
        let (commands, inbox) = mpsc::channel(QUEUE_MAX);
        // Unbounded, so that engine and writer cannot deadlock; there is at most one reply per command.
        let (replies, outbox) = mpsc::unbounded_channel();
        let task = WriterTask {
            write: self.write.clone(),
            clock: self.clock.clone(),
            commits: self.commits.clone(),
            disk_reserve: self.disk_reserve(),
            replies,
            leased: FxHashSet::default(),
            requested: FxHashSet::default(),
            counted_leads: BTreeMap::new(),
            lists_version: 0,
            stalled: false,
            refill_at: None,
        };
        (Writer { commands, task: tokio::spawn(task.run(inbox)) }, outbox)
    }
}

struct WriterTask {
    write: Arc<WriteConnection>,
    clock: Clock,
    commits: Arc<CommitTimes>,
    disk_reserve: DiskReserve,
    replies: mpsc::UnboundedSender<Reply>,
    /// Leads leased to the dialer.
    leased: FxHashSet<i64>,
    /// Leased leads that an agent asked for: these may be dialled although they are closed.
    requested: FxHashSet<i64>,
    /// Leads by campaign: counted once; then the open ones are updated incrementally.
    counted_leads: BTreeMap<CampaignId, LeadCounts>,
    lists_version: u64,
    stalled: bool,
    /// Earliest time of the next attempt to refill the disk reserve.
    refill_at: Option<Instant>,
}

impl WriterTask {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut pending: Vec<Job> = Vec::new();
        let mut closed = false;
        let mut closing_retries = 0;
        while !(closed && pending.is_empty()) && closing_retries < CLOSING_RETRIES_MAX {
            if pending.is_empty() && self.stalled {
                // Retry without a command too: disk space may be freed at any time.
                match tokio::time::timeout(RETRY_INTERVAL, inbox.recv()).await {
                    Ok(Some(first)) => pending.push(Job::Run(first)),
                    Ok(None) => break,
                    Err(_) => {}
                }
            } else if pending.is_empty() {
                match inbox.recv().await {
                    Some(first) => pending.push(Job::Run(first)),
                    None => break,
                }
            } else {
                // The last write of these commands failed.
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            // During a stall commands are drained into memory, so that senders do not block.
            let room = if self.stalled { STALLED_MAX } else { BATCH_MAX };
            while pending.len() < room {
                match inbox.try_recv() {
                    Ok(command) => pending.push(Job::Run(command)),
                    Err(mpsc::error::TryRecvError::Disconnected) => {
                        closed = true;
                        break;
                    }
                    Err(mpsc::error::TryRecvError::Empty) => break,
                }
            }
            if self.stalled {
                self.refuse_openings(&mut pending);
            }
            pending = self.process_batch(pending).await;
            closing_retries += usize::from(closed);
        }
        if !pending.is_empty() {
            tracing::error!(commands = pending.len(), "the store could not write before it was closed");
        }
    }

    /// Writes a batch, then runs its queries; returns the commands to retry.
    async fn process_batch(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let (reads, mut writes): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| matches!(job, Job::Run(command) if command.is_query()));
        match self.write_batch(&writes).await {
            Ok(effects) => self.apply_effects(effects),
            Err(error) if failure_kind(&error) == FailureKind::Statement => {
                self.write_one_by_one(writes).await
            }
            Err(error) => {
                self.stall(&error).await;
                self.refuse_openings(&mut writes);
                // Releasing the disk reserve frees space for answers and results of live calls.
                if failure_kind(&error) == FailureKind::DiskFull
                    && self.disk_reserve.release()
                    && let Ok(effects) = self.write_batch(&writes).await
                {
                    self.apply_effects(effects);
                    writes.clear();
                }
                writes.extend(reads);
                return writes;
            }
        }
        if self.stalled {
            self.end_stall();
        }
        let mut left = Vec::new();
        for read in reads {
            if let Err(error) = self.run_query(&read).await {
                self.stall(&error).await;
                left.push(read);
            }
        }
        left
    }

    /// Writes a batch in one transaction. Reports a stall after [`STALL_AFTER`], but waits for the commit.
    async fn write_batch(&mut self, jobs: &[Job]) -> Result<Effects, sqlx::Error> {
        if jobs.is_empty() && !self.stalled {
            return Ok(Effects::default());
        }
        let write = self.write.clone();
        let now = (self.clock)();
        let began = Instant::now();
        let requested = self.requested.clone();
        let writing = commit_batch(&write, jobs, &requested, now);
        tokio::pin!(writing);
        let written = match tokio::time::timeout(STALL_AFTER, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
                let path = self.write.path.display();
                self.report_stall(format!("the disk that holds {path} has not answered for {STALL_AFTER:?}"));
                writing.await
            }
        };
        if written.is_ok() {
            self.commits.note(began.elapsed(), jobs.len());
        }
        written
    }

    /// Writes each command in a transaction of its own: the faulty one is refused, the others are written.
    async fn write_one_by_one(&mut self, writes: Vec<Job>) {
        for job in writes {
            let one = [job];
            match self.write_batch(&one).await {
                Ok(effects) => self.apply_effects(effects),
                Err(error) => {
                    let why = StoreError::from_query(&self.write.path, &error).to_string();
                    tracing::error!(%why, "a command was refused by the store");
                    if let Job::Run(Command::OpenAttempt { request, .. }) = &one[0] {
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

    fn apply_effects(&mut self, effects: Effects) {
        for lead in effects.returned {
            self.leased.remove(&lead.0);
            self.requested.remove(&lead.0);
        }
        for (campaign, delta) in effects.open_leads {
            if let Some(counts) = self.counted_leads.get_mut(&campaign) {
                counts.open = counts.open.saturating_add_signed(delta);
            }
        }
        for reply in effects.replies {
            self.reply(reply);
        }
    }

    async fn run_query(&mut self, read: &Job) -> Result<(), sqlx::Error> {
        match read {
            Job::Run(Command::FetchLeads { campaign, count, untried }) => {
                self.lease_due(*campaign, *count, *untried).await
            }
            Job::Run(Command::FetchLead { campaign, lead, agent }) => {
                let found = self.lease_requested(*campaign, *lead).await?.map(Box::new);
                self.reply(Reply::Lead { campaign: *campaign, agent: *agent, lead: found });
                Ok(())
            }
            Job::Run(Command::IdentifyCaller { call, trunk, number }) => {
                let write = self.write.clone();
                let arrived =
                    lead_lookup::identify_caller(&mut *write.lock().await, *call, *trunk, *number).await?;
                self.reply(Reply::CallerIdentified(Box::new(arrived)));
                Ok(())
            }
            Job::Run(_) | Job::DeleteAttempt(_) => Ok(()),
        }
    }

    /// Leases one lead; `None` if it is leased already.
    async fn lease_requested(
        &mut self,
        campaign: CampaignId,
        lead: LeadId,
    ) -> Result<Option<Lead>, sqlx::Error> {
        if self.leased.contains(&lead.0) {
            return Ok(None);
        }
        let write = self.write.clone();
        let now = (self.clock)();
        let found = lead_lookup::find_requested(&mut *write.lock().await, campaign, lead, now).await?;
        if found.is_some() {
            self.leased.insert(lead.0);
            self.requested.insert(lead.0);
        }
        Ok(found)
    }

    async fn lease_due(
        &mut self,
        campaign: CampaignId,
        count: u32,
        untried: bool,
    ) -> Result<(), sqlx::Error> {
        let version = self.write.lists_version();
        if version != self.lists_version {
            self.counted_leads.clear();
            self.lists_version = version;
        }
        let now = (self.clock)();
        let write = self.write.clone();
        let mut conn = write.lock().await;
        let due = leads::find_due(&mut conn, campaign, count as usize, untried, &self.leased, now).await?;
        let counts = match self.counted_leads.get(&campaign) {
            Some(counts) => *counts,
            None => leads::count(&mut conn, campaign).await?,
        };
        drop(conn);
        self.counted_leads.insert(campaign, counts);
        self.leased.extend(due.leads.iter().map(|lead| lead.id.0));
        let LeadCounts { all, open } = counts;
        self.reply(Reply::Leads {
            campaign,
            leads: due.leads,
            next_due: due.next_due,
            leads_open: open,
            leads_all: all,
        });
        Ok(())
    }

    async fn stall(&mut self, error: &sqlx::Error) {
        self.report_stall(StoreError::from_query(&self.write.path, error).to_string());
        if !matches!(error, sqlx::Error::Database(_)) {
            // The connection is lost; the retry needs a new one.
            let _ = self.write.reconnect().await;
        }
    }

    fn report_stall(&mut self, why: String) {
        if !self.stalled {
            self.stalled = true;
            tracing::error!(%why, "the store cannot write; no call is placed until it can");
            self.reply(Reply::Stalled { why });
        }
    }

    /// Ends the stall once the disk reserve is refilled: without it the next full disk would lose a result.
    fn end_stall(&mut self) {
        if self.refill_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.refill_at = Some(Instant::now() + RETRY_INTERVAL);
        if self.disk_reserve.fill().is_ok() {
            (self.stalled, self.refill_at) = (false, None);
            tracing::info!("the store can write again");
            self.reply(Reply::Recovered);
        }
    }

    fn refuse_openings(&mut self, jobs: &mut [Job]) {
        for item in jobs {
            if let Job::Run(Command::OpenAttempt { request, .. }) = item {
                let (attempt, until, lead) = (request.attempt, request.placed_at, request.lead);
                *item = Job::DeleteAttempt(attempt);
                if let Some(lead) = lead {
                    self.leased.remove(&lead.0);
                    self.requested.remove(&lead.0);
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
