//! State of an open campaign and of a live call.

use super::abandons::Braking;
use super::floor::{Planned, Talk, predicts};
use super::output::LeadUpdate;
use super::snapshot::Numbers;
use crate::agent::CallSummary;
use crate::call::{Digit, HangUpCause};
use crate::campaign::hopper::{Hopper, LeasedLead};
use crate::campaign::window::{self, CLOSING_MARGIN, WindowState};
use crate::campaign::{CallerId, Campaign};
use crate::ids::{AgentId, AttemptId, CampaignId, TrunkId};
use crate::number::PhoneNumber;
use crate::pacing::guarded::{Guarded, Trouble};
use crate::pacing::ledger::{Ledger, Standing};
use crate::pacing::predictive::{self, Event, Part, Reason};
use crate::pacing::shadow::{Compared, Shadow, ShadowRules};
use crate::pacing::{Decision, Rate, Why};
use crate::time::{Time, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CampaignRun {
    pub rules: Campaign,
    pub hopper: Hopper,
    pub tests: VecDeque<PhoneNumber>,
    pub paused: bool,
    pub draining: bool,
    pub finished: bool,
    /// Live calls, from the opening of the attempt to its end.
    pub live: u32,
    /// Calls that are over and whose result is not on disk yet.
    pub unsaved: u32,
    pub opening: Rate,
    pub wire: Rate,
    pub supply: Supply,
    pub last: Option<Decision>,
    /// Abandon ledger; the last 30 days come from the store.
    pub ledger: Ledger,
    pub braking: Option<Braking>,
    /// The newest calls with a machine disposition: a corrected summary can undo it.
    pub machines: BTreeSet<AttemptId>,
    /// Mode predictive.
    pub pacer: Option<Box<Guarded>>,
    pub planned: Option<Planned>,
    /// Another pacing setting, for comparison.
    pub shadow: Option<Box<Shadow>>,
    /// Cached calling hours, valid until the moment inside.
    window: Option<WindowState>,
    /// Cached local day, for the cap per day.
    day: Option<(Utc, Utc)>,
}

/// What the dialer knows of the leads in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Supply {
    /// Number of leads requested by a `FetchLeads` that is not answered yet.
    pub fetching: Option<u32>,
    /// The last answer was full, so more leads are due.
    pub more_due: bool,
    pub next_due: Option<Utc>,
    pub leads_open: u64,
    /// A lead was written since the last request, so its answer may be out of date.
    pub stale: bool,
}

impl CampaignRun {
    pub fn new(rules: Campaign, leads_open: u64, paused: bool) -> Self {
        let rate = Rate::per_sec(rules.calls_per_sec.unwrap_or(0.0));
        CampaignRun {
            hopper: Hopper::default(),
            tests: VecDeque::new(),
            paused,
            draining: false,
            finished: false,
            live: 0,
            unsaved: 0,
            opening: rate.clone(),
            wire: rate,
            supply: Supply { more_due: true, leads_open, stale: true, ..Supply::default() },
            last: None,
            ledger: Ledger::default(),
            braking: None,
            machines: BTreeSet::new(),
            pacer: predicts(rules.mode).then(|| Box::new(Guarded::new(pacer_rules(&rules)))),
            planned: None,
            shadow: rules.pacing.shadow.map(|shadow| Box::new(shadow_of(&rules, shadow))),
            window: None,
            day: None,
            rules,
        }
    }

    /// Whether a call is live, or a result is not on disk yet.
    pub fn is_busy(&self) -> bool {
        self.live > 0 || self.unsaved > 0
    }

    /// Whether attempts may be opened at `at`, and until when that holds.
    pub fn window(&mut self, at: Utc) -> WindowState {
        let holds = match self.window {
            Some(WindowState::OpenUntil(until)) => at < until,
            Some(WindowState::ClosedUntil(Some(opens))) => at < opens,
            Some(WindowState::ClosedUntil(None)) => true,
            None => false,
        };
        if !holds {
            let windows = self.rules.windows.state(at);
            self.window = Some(window::within(windows, at, self.rules.start, self.rules.end));
        }
        match self.window {
            // The last second is left free, so that the INVITE of an opened attempt leaves in time.
            Some(WindowState::OpenUntil(until))
                if until != window::FOREVER && until - CLOSING_MARGIN <= at =>
            {
                WindowState::ClosedUntil(Some(until))
            }
            Some(state) => state,
            None => WindowState::ClosedUntil(None),
        }
    }

    /// The cached calling hours.
    pub fn window_seen(&self) -> Option<WindowState> {
        self.window
    }

    pub fn local_day(&mut self, at: Utc) -> (Utc, Utc) {
        match self.day {
            Some((start, end)) if start <= at && at < end => (start, end),
            _ => *self.day.insert(self.rules.windows.local_day(at)),
        }
    }

    /// Passes an event about a call or an agent to the pacer and the shadow.
    pub fn feed_event(&mut self, now: Time, event: Event) {
        if let Some(pacer) = &mut self.pacer {
            pacer.on_event(now, event);
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.on_event(now, event);
        }
    }

    /// Whether a pacer or a shadow takes events.
    pub fn takes_events(&self) -> bool {
        self.pacer.is_some() || self.shadow.is_some()
    }

    /// Runs another pacing setting in the shadow from now on; `None` ends it.
    pub fn set_shadow(&mut self, shadow: Option<ShadowRules>) {
        self.shadow = shadow.map(|shadow| Box::new(shadow_of(&self.rules, shadow)));
    }

    /// Drops what was computed from the wall clock, which has jumped.
    pub fn drop_clock_cache(&mut self) {
        self.window = None;
        self.day = None;
    }
}

fn shadow_of(rules: &Campaign, shadow: ShadowRules) -> Shadow {
    Shadow::new(shadow, &rules.pacing, rules.ring, rules.id.0 as u64)
}

/// The pacer's rules, from the campaign's.
fn pacer_rules(rules: &Campaign) -> predictive::Rules {
    predictive::Rules {
        abandon_rate_max: rules.pacing.abandon_rate_max,
        answer_wait: rules.pacing.answer_wait,
        ring_max: rules.ring,
        may_cancel: rules.pacing.may_cancel,
        ..predictive::Rules::default()
    }
}

/// One live call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    /// The part of the list whose statistics count this call.
    pub part: Part,
    /// `None` = a single-number test.
    pub leased: Option<LeasedLead>,
    pub number: PhoneNumber,
    pub trunk: TrunkId,
    pub caller_id: Option<CallerId>,
    pub phase: Phase,
    pub opened: Time,
    pub placed_at: Utc,
    /// Its INVITE may leave before this moment.
    pub open_until: Utc,
    pub ringing_at: Option<Utc>,
    pub answered_at: Option<Utc>,
    pub keys: Vec<Digit>,
    pub repeats: u32,
    pub result: Option<String>,
    /// Set once we asked the network to end the call.
    pub hanging_up: Option<HangUpCause>,
    /// The number was blacklisted while the call was live.
    pub blacklisted: bool,
    /// After the end: try the next trunk as soon as the result is on disk.
    pub next_trunk: bool,
    /// An inbound call.
    pub inbound: bool,
    /// The caller's number is withheld.
    pub withheld: bool,
    pub rang: Option<Time>,
    /// When the 200 arrived.
    pub answered: Option<Time>,
    /// Reserved agent: the call is placed for this agent alone.
    pub for_agent: Option<AgentId>,
    /// The agent's phone was rung first: without the agent the call is cancelled.
    pub agent_first: bool,
    /// Since when the callee waits for an agent.
    pub waiting_since: Option<Time>,
    /// The callee asked for an agent (a key, or an inbound call): the wait is longer, and the call is never
    /// abandoned.
    pub queued: bool,
    /// The wait is over: the offer that is out is the last.
    pub wait_expired: bool,
    /// Agents to whom the call is offered: their phones ring.
    pub offered: BTreeSet<AgentId>,
    pub not_reached: BTreeSet<AgentId>,
    pub talk: Option<Talk>,
    /// The agent who spoke with the callee last, and when the first one was bridged.
    pub spoke: Option<(AgentId, Utc)>,
    /// Summary given during the call.
    pub summary: Option<CallSummary>,
    /// The agent who spoke last has a wrap-up for this call, or has had it.
    pub summary_asked: bool,
    pub recording: bool,
    /// Answered, and no agent was bridged in time.
    pub abandoned: bool,
    /// The lead's state as decided by an agent in another call while this one was live.
    pub decided_elsewhere: Option<Box<LeadUpdate>>,
}

impl Call {
    pub fn new(
        attempt: AttemptId,
        campaign: CampaignId,
        leased: Option<LeasedLead>,
        number: PhoneNumber,
        trunk: TrunkId,
        opened: Time,
    ) -> Self {
        Call {
            attempt,
            campaign,
            part: Part::default(),
            leased,
            number,
            trunk,
            caller_id: None,
            phase: Phase::Opening,
            opened,
            placed_at: Utc::default(),
            open_until: window::FOREVER,
            ringing_at: None,
            answered_at: None,
            keys: Vec::new(),
            repeats: 0,
            result: None,
            hanging_up: None,
            blacklisted: false,
            next_trunk: false,
            inbound: false,
            withheld: false,
            rang: None,
            answered: None,
            for_agent: None,
            agent_first: false,
            waiting_since: None,
            queued: false,
            wait_expired: false,
            offered: BTreeSet::new(),
            not_reached: BTreeSet::new(),
            talk: None,
            spoke: None,
            summary: None,
            summary_asked: false,
            recording: false,
            abandoned: false,
            decided_elsewhere: None,
        }
    }

    /// Whether the call will need an agent and has none yet.
    pub fn needs_agent(&self) -> bool {
        match self.phase {
            Phase::Opening | Phase::Opened | Phase::Placed | Phase::Ringing | Phase::Answered => {
                self.for_agent.is_none() && !self.inbound && self.hanging_up.is_none()
            }
            Phase::Waiting => self.offered.is_empty() && !self.queued,
            Phase::Announcing | Phase::Talking | Phase::Sorry | Phase::Ended => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// The store is opening the attempt.
    Opening,
    /// On disk; the INVITE waits for its slot.
    Opened,
    /// The INVITE was sent.
    Placed,
    Ringing,
    /// A 200 arrived; "answered" is being written.
    Answered,
    Announcing,
    /// Answered; waiting for an agent, or an agent's phone rings.
    Waiting,
    /// Bridged with an agent.
    Talking,
    /// The sorry message plays: no agent is free.
    Sorry,
    /// Over; the result is being written.
    Ended,
}

/// One campaign as screens show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Attempts being opened or set up, not yet ringing.
    pub starting: u32,
    pub ringing: u32,
    /// Answered, hearing the announcement or the sorry message.
    pub up: u32,
    /// Answered, waiting for an agent.
    pub waiting: u32,
    /// Bridged with an agent.
    pub talking: u32,
    /// Abandon rates by every rule; `None` = a campaign without agents.
    pub abandon: Option<Standing>,
    pub leads_open: u64,
    pub why: Option<Why>,
    /// Mode predictive: the numbers behind the last plan.
    pub reason: Option<Reason>,
    /// Further numbers behind the why.
    pub numbers: Numbers,
    /// When the reason to wait is expected to end.
    pub until: Option<Utc>,
    /// Mode predictive: why the pacer is bypassed at the moment.
    pub trouble: Option<Trouble>,
    /// A setting that runs in the shadow of the live one.
    pub shadow: Option<Compared>,
}
