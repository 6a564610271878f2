//! The board: a snapshot of campaigns, trunks, seats and phones as plain data. The engine publishes it a few
//! times a second; console, terminal and metrics read it.

use super::key_watch::KeyWatch;
use paceline_core::agent::SeatView;
use paceline_core::campaign::Trunk;
use paceline_core::dialer::output::AttemptResult;
use paceline_core::dialer::{LineView, TrunkRest, View};
use paceline_core::ids::{AgentId, CampaignId, GroupId, TrunkId};
use paceline_core::outcome::Outcome;
use paceline_core::sip::user_agent::TrunkUse;
use paceline_core::time::{Duration, Time, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Board {
    pub campaigns: BTreeMap<CampaignId, CampaignBoard>,
    pub trunks: Vec<TrunkBoard>,
    /// Every agent with an account, signed in or not.
    pub seats: BTreeMap<AgentId, Arc<SeatView>>,
    pub phones: BTreeMap<AgentId, PhoneBoard>,
    /// Names of groups.
    pub groups: BTreeMap<GroupId, String>,
    /// The store's error while it cannot write.
    pub store_stalled: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct CampaignBoard {
    pub name: String,
    pub view: View,
    /// Calls placed; this and the counts below are since this process opened the campaign.
    pub placed: u64,
    pub ended: u64,
    pub outcomes: BTreeMap<Outcome, u64>,
    pub results: BTreeMap<String, u64>,
    /// Average over the last ten seconds.
    pub calls_per_sec: f64,
    /// Results that ended a lead; one that was opened again ends twice.
    pub leads_ended: u64,
    /// Leads of the campaign, open and ended, each once: counted with `view.leads_open`.
    pub leads: u64,
    pub finished: bool,
    /// Why its trunks rest, in words; empty = they work.
    pub line: String,
    /// The trunk of `view.line` as screens name it; empty = its trunks work.
    pub line_trunk: String,
    pub last_test: Option<AttemptResult>,
    /// Why the last single-number test was not called.
    pub test_refused: Option<String>,
    pub opened_at: Utc,
    /// Whether the keys of its calls reach us.
    pub key_watch: KeyWatch,
    pub(super) recent: VecDeque<Time>,
}

/// An agent's registered phone; absent = not registered.
#[derive(Clone, Debug)]
pub struct PhoneBoard {
    pub contacts: usize,
    pub address: SocketAddr,
    pub transport: &'static str,
    /// The phone's User-Agent header.
    pub product: String,
    /// Round trip of the last OPTIONS that the phone answered.
    pub latency: Option<Duration>,
    /// RTP statistics of the agent's leg, while one is up.
    pub leg_stats: Option<crate::net::rtp::LegStats>,
}

#[derive(Clone, Debug, Default)]
pub struct TrunkBoard {
    pub id: TrunkId,
    pub name: String,
    pub up: bool,
    /// A person took it out of use.
    pub disabled: bool,
    pub calls: u32,
    pub calls_max: u32,
    pub calls_per_sec: f64,
    /// Why the line guard keeps it out of use.
    pub rest: Option<LineView>,
    /// Why it is not in use.
    pub down: Option<TrunkDown>,
    /// Attempts that its guard put back since it rests, since when, and the pause that its carrier asked for.
    pub put_back: TrunkRest,
    /// Time from its last OPTIONS to the answer.
    pub round_trip: Option<Duration>,
    /// Calls of today by the SIP code of their end; answered ones as 200.
    pub codes_today: CodesToday,
}

/// Ends of calls of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodesToday {
    /// Days since 1970 in the zone of days.
    pub day: i64,
    pub codes: BTreeMap<u16, u64>,
}

/// Why a trunk is not in use. In words: `text/trunk.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrunkDown {
    /// Its host name has no address so far, for this reason.
    NotFound { host: String, why: String },
    /// What SIP says of it; never `Up`.
    Unusable(TrunkUse),
}

impl Board {
    pub fn trunk(&self, id: TrunkId) -> Option<&TrunkBoard> {
        self.trunks.iter().find(|trunk| trunk.id == id)
    }

    pub(super) fn trunk_mut(&mut self, id: TrunkId) -> Option<&mut TrunkBoard> {
        self.trunks.iter_mut().find(|trunk| trunk.id == id)
    }
}

impl TrunkBoard {
    /// A trunk without calls.
    pub(super) fn of(limits: &Trunk) -> TrunkBoard {
        TrunkBoard {
            id: limits.id,
            name: limits.name.clone(),
            up: true,
            calls_max: limits.calls_max,
            calls_per_sec: limits.calls_per_sec,
            ..TrunkBoard::default()
        }
    }
}

const RECENT: Duration = Duration::from_secs(10);

impl CampaignBoard {
    pub(super) fn count_placed(&mut self, now: Time) {
        self.placed += 1;
        self.recent.push_back(now);
    }

    pub(super) fn count_result(&mut self, result: &AttemptResult) {
        self.ended += 1;
        *self.outcomes.entry(result.outcome).or_default() += 1;
        if let Some(word) = &result.result {
            *self.results.entry(word.clone()).or_default() += 1;
        }
        match &result.lead {
            Some(update) if update.state != paceline_core::outcome::LeadState::Open => self.leads_ended += 1,
            Some(_) => {}
            None => self.last_test = Some(result.clone()),
        }
    }

    pub(super) fn update_rate(&mut self, now: Time) {
        while self.recent.front().is_some_and(|at| *at + RECENT < now) {
            self.recent.pop_front();
        }
        let span = RECENT.min(now.since(Time::ZERO)).as_secs_f64().max(1.0);
        self.calls_per_sec = self.recent.len() as f64 / span;
    }

    /// Answered share of ended calls.
    pub fn answer_rate(&self) -> Option<f64> {
        let answered = self.outcomes.get(&Outcome::Answered).copied().unwrap_or(0);
        (self.ended > 0).then(|| answered as f64 / self.ended as f64)
    }
}
