//! The engine: one task with the event loop that owns the dialer, the SIP user agent and the facts of live
//! calls. Other tasks reach it through `EngineHandle`. Audio never passes here: media threads report
//! digits and ends of plays.

pub mod board;
pub mod handle;

mod device_check;
mod event;
mod floor;
mod inputs;
mod key_watch;
mod minutes;
mod outputs;
mod phones;
mod prompts;
mod steps;
mod test_calls;
mod test_openings;
mod trunk_addresses;
mod trunk_changes;
mod trunk_test;

pub use board::{Board, CampaignBoard, CodesToday, PhoneBoard, TrunkBoard, TrunkDown};
pub use device_check::DeviceCheck;
pub use handle::{
    AgentAccount, CampaignChange, CampaignOpening, EngineHandle, EngineRequest, LiveEvent, PhoneSecret,
    TrunkTest,
};
pub use prompts::Prompts;
pub use test_calls::TestAnswer;
pub use trunk_changes::start_of_day;
pub use trunk_test::{TrunkTestRefusal, test_campaign_retry};

use crate::audio::Sound;
use crate::dialplan::DialPlan;
use crate::journal::JournalWriter;
use crate::metrics::Metrics;
use crate::net::clock::Clock;
use crate::net::rtp::{MediaEvent, MediaServer};
use crate::net::sip::{SipEvent, SipSocketError, SipSockets};
use crate::store::commits::CommitTimes;
use crate::store::{Command, Reply};
use event::Event;
use paceline_core::call::Ended;
use paceline_core::campaign::Trunk;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::ids::{CallId, CampaignId, TrunkId};
use paceline_core::media::{Codec, RtpFollow};
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::sip::UserAgent;
use paceline_core::sip::user_agent::{Peer, SipTrunk, UaConfig};
use paceline_core::time::{Duration, Time, Utc};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

/// What the engine is built from.
#[derive(Debug)]
pub struct Parts {
    pub clock: Clock,
    pub seed: u64,
    pub trunks: Vec<TrunkParts>,
    pub ua: UaConfig,
    pub sockets: SipSockets,
    pub sip_events: mpsc::Receiver<SipEvent>,
    pub media: MediaServer,
    pub media_events: mpsc::UnboundedReceiver<MediaEvent>,
    /// The addresses for `c=` lines of SDP.
    pub media_address: MediaAddresses,
    pub store: mpsc::Sender<Command>,
    pub store_replies: mpsc::UnboundedReceiver<Reply>,
    /// The store's histogram of commit times.
    pub commits: Arc<CommitTimes>,
    pub journal: Option<JournalWriter>,
    pub metrics: Arc<Metrics>,
    pub prompts: Prompts,
    /// Folder of recordings.
    pub recordings: PathBuf,
    /// Where trunks are named whose addresses have all failed, to be looked up again.
    pub lookups: Option<mpsc::Sender<TrunkId>>,
}

/// Our addresses for media, as the far sides see them: one, or one of each family.
#[derive(Clone, Copy, Debug)]
pub struct MediaAddresses {
    /// Of the address that the media room binds by itself.
    pub first: IpAddr,
    /// Of the other family.
    pub second: Option<IpAddr>,
}

impl MediaAddresses {
    /// The one of this far side's family, else the first.
    pub fn near(self, far: Option<IpAddr>) -> IpAddr {
        let fits = |ours: &IpAddr| far.is_some_and(|far| far.is_ipv6() == ours.is_ipv6());
        self.second.filter(fits).unwrap_or(self.first)
    }
}

impl From<IpAddr> for MediaAddresses {
    fn from(first: IpAddr) -> Self {
        MediaAddresses { first, second: None }
    }
}

/// One trunk's settings for the dialer, for SIP and for media, and how it writes numbers.
#[derive(Clone, Debug)]
pub struct TrunkParts {
    pub limits: Trunk,
    pub sip: SipTrunk,
    pub codecs: Vec<Codec>,
    pub rtp_follow: RtpFollow,
    pub dialplan: DialPlan,
    /// TLS: the name that its certificate must have (RFC 5922 section 7), and the authorities that may sign it.
    pub certificate: Option<CertificateRule>,
    /// Its host name has no address so far, and why: it is not in use before `SetTrunkAddresses`.
    pub not_found: Option<String>,
}

/// What is asked of a trunk's TLS certificate.
#[derive(Clone, Debug)]
pub struct CertificateRule {
    pub host: String,
    /// PEM file; `None` = the usual authorities.
    pub authorities: Option<PathBuf>,
}

impl TrunkParts {
    /// Prepares the sockets for these addresses of the trunk.
    ///
    /// # Errors
    /// The file of authorities cannot be used.
    pub fn admit(
        &self,
        sockets: &SipSockets,
        peers: &[Peer],
        sources: &[SocketAddr],
    ) -> Result<(), SipSocketError> {
        sockets.trust(peers.iter().map(|peer| peer.address.ip()));
        sockets.trust(sources.iter().map(SocketAddr::ip));
        let Some(rule) = &self.certificate else { return Ok(()) };
        for peer in peers {
            sockets.require_certificate_name(peer.address, &rule.host);
            if let Some(authorities) = &rule.authorities {
                sockets.use_authorities(peer.address, authorities)?;
            }
        }
        Ok(())
    }
}

/// State of the loop.
struct Engine {
    clock: Clock,
    dialer: Dialer,
    ua: UserAgent,
    sockets: SipSockets,
    sip_events: mpsc::Receiver<SipEvent>,
    media: MediaServer,
    media_events: mpsc::UnboundedReceiver<MediaEvent>,
    media_address: MediaAddresses,
    store: mpsc::Sender<Command>,
    /// Backlog of commands, while the store's channel is full.
    store_waiting: VecDeque<Command>,
    store_replies: mpsc::UnboundedReceiver<Reply>,
    commits: Arc<CommitTimes>,
    requests: mpsc::Receiver<EngineRequest>,
    journal: Option<JournalWriter>,
    metrics: Arc<Metrics>,
    trunks: BTreeMap<TrunkId, TrunkParts>,
    /// Country of each campaign's list: a trunk writes national numbers by it.
    regions: BTreeMap<CampaignId, String>,
    sounds: BTreeMap<CampaignId, Arc<Sound>>,
    /// Messages for abandoned callees, of campaigns that have their own.
    abandon_messages: BTreeMap<CampaignId, Arc<Sound>>,
    prompts: Prompts,
    recordings: PathBuf,
    lookups: Option<mpsc::Sender<TrunkId>>,
    floor: floor::FloorState,
    saved_phones: phones::SavedPhones,
    checks: device_check::Checks,
    minutes: minutes::Minutes,
    /// Number of decisions so far: the last one's id.
    decisions: u64,
    step_log: steps::StepLog,
    trunk_tests: trunk_test::TrunkTests,
    test_calls: test_calls::TestCalls,
    test_openings: test_openings::TestOpenings,
    /// Legs with open RTP ports.
    open_legs: BTreeSet<CallId>,
    failed_legs: Vec<(CallId, Ended)>,
    live: broadcast::Sender<LiveEvent>,
    calls: BTreeMap<CallId, AttemptFacts>,
    board: Board,
    board_out: watch::Sender<Arc<Board>>,
    board_due: Time,
    wall_utc: Utc,
    wall_at: Time,
    /// Recovered dialogs of an earlier process that are still being ended: Call-ID to the id in the store.
    /// A stopping engine waits for them until `recovered_until`.
    recovered_dialogs: BTreeMap<String, i64>,
    recovered_until: Time,
    /// Recordings not yet complete on disk.
    recordings_open: usize,
    is_stopping: bool,
    /// Set once no call is live: until when open recordings are awaited.
    stop_deadline: Option<Time>,
    outputs: Vec<Output>,
}

/// What the engine keeps of a live attempt.
#[derive(Debug)]
struct AttemptFacts {
    campaign: CampaignId,
    number: PhoneNumber,
    trunk: TrunkId,
    caller_id: Option<ShownNumber>,
    /// A single-number test.
    test: bool,
    placed: Time,
    announcing: bool,
    /// The announcement that the callee hears, from its first play.
    sound: Option<Arc<Sound>>,
    /// A test call whose media leg is closing and measures the audio.
    closing: bool,
}

/// How often the board is published and the wall clock compared.
const BOARD_EVERY: Duration = Duration::from_millis(200);

/// A step of the dialer that takes this long holds up live calls.
const SLOW_STEP: Duration = Duration::from_millis(250);

/// A wall clock that moved more than this against the monotonic one has jumped.
const JUMP: Duration = Duration::from_millis(1_500);

/// How long a stopping engine waits for the far ends of recovered dialogs.
const RECOVERED_WAIT: Duration = Duration::from_secs(5);

/// How long a stopping engine waits for recordings: hundreds may end at once, and each is synced to disk.
const RECORDINGS_WAIT: Duration = Duration::from_secs(60);

/// Live events that a slow subscriber may be behind.
const LIVE_WAITING_MAX: usize = 4_096;

/// Spawns the engine. It stops after [`EngineRequest::Stop`], or when every handle is dropped.
pub fn start(parts: Parts) -> (EngineHandle, tokio::task::JoinHandle<()>) {
    let (requests_in, requests) = mpsc::channel(64);
    let (board_out, board) = watch::channel(Arc::new(Board::default()));
    let (live, _) = broadcast::channel(LIVE_WAITING_MAX);
    let handle = EngineHandle::new(requests_in, board, live.clone());
    let engine = Engine::new(parts, requests, board_out, live);
    (handle, tokio::spawn(engine.run()))
}

impl Engine {
    fn new(
        parts: Parts,
        requests: mpsc::Receiver<EngineRequest>,
        board_out: watch::Sender<Arc<Board>>,
        live: broadcast::Sender<LiveEvent>,
    ) -> Self {
        let board = Board {
            trunks: parts.trunks.iter().map(|trunk| TrunkBoard::of(&trunk.limits)).collect(),
            ..Board::default()
        };
        Engine {
            clock: parts.clock,
            dialer: Dialer::new(parts.seed),
            ua: UserAgent::new(parts.ua),
            sockets: parts.sockets,
            sip_events: parts.sip_events,
            media: parts.media,
            media_events: parts.media_events,
            media_address: parts.media_address,
            store: parts.store,
            store_waiting: VecDeque::new(),
            store_replies: parts.store_replies,
            commits: parts.commits,
            requests,
            journal: parts.journal,
            metrics: parts.metrics,
            trunks: parts.trunks.into_iter().map(|trunk| (trunk.limits.id, trunk)).collect(),
            regions: BTreeMap::new(),
            sounds: BTreeMap::new(),
            abandon_messages: BTreeMap::new(),
            prompts: parts.prompts,
            recordings: parts.recordings,
            lookups: parts.lookups,
            floor: floor::FloorState::default(),
            saved_phones: phones::SavedPhones::default(),
            checks: device_check::Checks::default(),
            minutes: minutes::Minutes::default(),
            decisions: 0,
            step_log: steps::StepLog::default(),
            trunk_tests: trunk_test::TrunkTests::default(),
            test_calls: test_calls::TestCalls::default(),
            test_openings: test_openings::TestOpenings::default(),
            open_legs: BTreeSet::new(),
            failed_legs: Vec::new(),
            live,
            calls: BTreeMap::new(),
            board,
            board_out,
            board_due: Time::ZERO,
            wall_utc: Utc::default(),
            wall_at: Time::ZERO,
            recovered_dialogs: BTreeMap::new(),
            recovered_until: Time::ZERO,
            recordings_open: 0,
            is_stopping: false,
            stop_deadline: None,
            outputs: Vec::new(),
        }
    }

    async fn run(mut self) {
        self.set_clock();
        for trunk in self.trunks.values().cloned().collect::<Vec<_>>() {
            self.define_trunk(trunk);
        }
        while !self.can_stop() {
            let event = self.next_event().await;
            self.handle_event(event);
            // A stop must not wait behind the events of a busy floor.
            while let Ok(request) = self.requests.try_recv() {
                self.handle_event(Event::Request(request));
            }
            // Handle all events that are ready before waiting again.
            while let Some(event) = self.try_next_event() {
                self.handle_event(event);
            }
            self.run_timers();
        }
        self.count_minutes(self.clock.now(), true);
        self.publish_board();
    }

    async fn next_event(&mut self) -> Event {
        self.flush_store();
        let now = self.clock.now();
        let wake = [self.dialer.next_wake(), self.ua.next_wake(), Some(self.board_due)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now);
        let sleep = tokio::time::sleep_until(self.clock.instant(wake).into());
        let room = async {
            if self.store_waiting.is_empty() {
                std::future::pending().await
            } else {
                self.store.reserve().await.is_ok()
            }
        };
        tokio::select! {
            biased;
            Some(event) = self.sip_events.recv() => Event::Sip(event),
            Some(reply) = self.store_replies.recv() => Event::Store(reply),
            Some(event) = self.media_events.recv() => Event::Media(event),
            ask = self.requests.recv() => Event::Request(ask.unwrap_or(EngineRequest::Stop)),
            _ = room => Event::Woken,
            () = sleep => Event::Woken,
        }
    }

    fn try_next_event(&mut self) -> Option<Event> {
        if let Ok(event) = self.sip_events.try_recv() {
            return Some(Event::Sip(event));
        }
        if let Ok(reply) = self.store_replies.try_recv() {
            return Some(Event::Store(reply));
        }
        self.media_events.try_recv().ok().map(Event::Media)
    }

    /// Runs due timers of user agent and dialer, and publishes the board when due.
    fn run_timers(&mut self) {
        let now = self.clock.now();
        if self.ua.next_wake().is_some_and(|at| at <= now) {
            self.ua.handle_timeout(now);
            self.carry_out_ua_outputs();
        }
        if self.dialer.next_wake().is_some_and(|at| at <= now) {
            self.handle(Input::TimePassed);
        }
        if now >= self.board_due {
            self.board_due = now + BOARD_EVERY;
            self.check_wall_clock();
            self.run_due_checks();
            self.close_ended_tests();
            self.save_overdue_results();
            self.publish_board();
            self.count_minutes(now, false);
            if let Some(journal) = &mut self.journal {
                journal.flush();
            }
        }
    }

    /// Feeds one input to the dialer and carries out its outputs.
    fn handle(&mut self, input: Input) {
        let now = self.clock.now();
        if let Some(journal) = &mut self.journal {
            journal.before(&self.dialer);
        }
        let kept = self.journal.is_some().then(|| input.clone());
        let judged = !matches!(input, Input::Overran);
        self.dialer.handle(now, input);
        let mut outputs = std::mem::take(&mut self.outputs);
        while let Some(output) = self.dialer.poll() {
            outputs.push(output);
        }
        let slow = judged && self.clock.now().since(now) >= SLOW_STEP;
        if let (Some(journal), Some(input)) = (&mut self.journal, kept) {
            journal.record(now, input, &outputs);
        }
        for output in outputs.drain(..) {
            self.carry_out(now, output);
        }
        self.outputs = outputs;
        self.report_failed_legs();
        if slow {
            tracing::warn!("one step of the dialer took longer than {SLOW_STEP:?}");
            self.handle(Input::Overran);
        }
    }

    fn set_clock(&mut self) {
        self.wall_utc = Clock::utc();
        self.wall_at = self.clock.now();
        self.handle(Input::ClockSet(self.wall_utc));
    }

    fn check_wall_clock(&mut self) {
        let expected = self.wall_utc + self.clock.now().since(self.wall_at);
        let seen = Clock::utc();
        let moved = seen.since(expected).max(expected.since(seen));
        if moved > JUMP {
            tracing::warn!(?moved, "the wall clock jumped; calling hours follow it, calls do not");
            self.set_clock();
        }
    }

    fn can_stop(&mut self) -> bool {
        if !self.is_stopping || self.dialer.calls_live() > 0 {
            self.stop_deadline = None;
            return false;
        }
        let now = self.clock.now();
        let until = *self.stop_deadline.get_or_insert(now + RECORDINGS_WAIT);
        let dialogs_done = self.recovered_dialogs.is_empty() || now >= self.recovered_until;
        let recorded = self.recordings_open == 0 || now >= until;
        dialogs_done && recorded && self.store_waiting.is_empty()
    }

    fn publish_board(&mut self) {
        let now = self.clock.now();
        let mut live: BTreeMap<TrunkId, u32> = BTreeMap::new();
        for call in self.calls.values() {
            *live.entry(call.trunk).or_default() += 1;
        }
        let resting = self.dialer.resting_trunks();
        let today = trunk_changes::day_of(self.dialer.utc());
        for trunk in &mut self.board.trunks {
            trunk.calls = live.get(&trunk.id).copied().unwrap_or(0);
            trunk.rest = resting.iter().find(|rest| rest.trunk == trunk.id).copied();
            trunk.put_back = self.dialer.trunk_rest(trunk.id);
            trunk.round_trip = self.ua.trunk_round_trip(trunk.id);
            trunk.codes_today.begin(today);
        }
        for (id, campaign) in &mut self.board.campaigns {
            let before = campaign.view.trouble;
            campaign.view = self.dialer.view(*id);
            if let Some(trouble) = campaign.view.trouble.filter(|now| before != Some(*now)) {
                tracing::error!(
                    campaign = %campaign.name,
                    ?trouble,
                    "the pacer is left out: one call for each idle agent"
                );
            }
            campaign.update_rate(now);
            self.metrics.set_calls(&campaign.name, &campaign.view);
            if let Some(standing) = &campaign.view.abandon {
                self.metrics.set_abandon_rates(&campaign.name, standing);
            }
        }
        for seat in self.dialer.seats() {
            self.board.seats.insert(seat.agent, Arc::new(seat));
        }
        self.board.seats.retain(|agent, _| self.floor.has_agent(*agent));
        self.metrics.set_agents(&self.board.groups, self.board.seats.values().map(AsRef::as_ref));
        self.metrics.set_media_totals(&self.media.totals());
        self.metrics.set_commits(self.commits.totals());
        self.board_out.send_replace(Arc::new(self.board.clone()));
    }
}
