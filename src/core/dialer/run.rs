//! A campaign that is open, and a call that is out: the state behind the brain's decisions.

use super::abandons::Braking;
use super::floor::{Planned, Talk, predicts};
use super::output::LeadUpdate;
use super::snapshot::Numbers;
use crate::agent::CallSummary;
use crate::call::{Digit, HangUpCause};
use crate::campaign::hopper::{Hopper, Waiting};
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
    /// Calls out, from the opening of the attempt to its end.
    pub live: u32,
    /// Calls that are over and whose result is not on disk yet.
    pub unsaved: u32,
    pub opening: Rate,
    pub wire: Rate,
    pub supply: Supply,
    pub last: Option<Decision>,
    /// Abandoned calls and what they are of; the last 30 days' from the store.
    pub ledger: Ledger,
    pub braking: Option<Braking>,
    /// Calls in which an agent heard a machine, the newest: she may think better of it.
    pub machines: BTreeSet<AttemptId>,
    /// Mode predictive.
    pub pacer: Option<Box<Guarded>>,
    pub planned: Option<Planned>,
    /// Another setting, for comparison.
    pub shadow: Option<Box<Shadow>>,
    /// Calling hours, good until the state inside changes.
    window: Option<WindowState>,
    /// The local day, for the cap per day.
    day: Option<(Utc, Utc)>,
}

/// What is known of the leads in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Supply {
    /// Asked for and not yet come.
    pub fetching: Option<u32>,
    /// The last answer was full: there is more.
    pub more_due: bool,
    pub next_due: Option<Utc>,
    pub leads_open: u64,
    /// Something was written since the last question was put, so its answer may be old.
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

    /// Whether something is still out: a call, or a result on its way to the disk.
    pub fn busy(&self) -> bool {
        self.live > 0 || self.unsaved > 0
    }

    /// Whether calls may be opened at `at`, and until when that stays so.
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
            // The last second is left free, so that an opened attempt still leaves in time.
            Some(WindowState::OpenUntil(until))
                if until != window::FOREVER && until - CLOSING_MARGIN <= at =>
            {
                WindowState::ClosedUntil(Some(until))
            }
            Some(state) => state,
            None => WindowState::ClosedUntil(None),
        }
    }

    /// The calling hours as they were last worked out.
    pub fn window_seen(&self) -> Option<WindowState> {
        self.window
    }

    pub fn local_day(&mut self, at: Utc) -> (Utc, Utc) {
        match self.day {
            Some((start, end)) if start <= at && at < end => (start, end),
            _ => *self.day.insert(self.rules.windows.local_day(at)),
        }
    }

    /// A fact about a call or an agent, for whatever paces or compares.
    pub fn hears(&mut self, now: Time, event: Event) {
        if let Some(pacer) = &mut self.pacer {
            pacer.on_event(now, event);
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.on_event(now, event);
        }
    }

    /// Whether anybody wants to hear.
    pub fn listens(&self) -> bool {
        self.pacer.is_some() || self.shadow.is_some()
    }

    /// Tries another setting from here on, or none.
    pub fn set_shadow(&mut self, shadow: Option<ShadowRules>) {
        self.shadow = shadow.map(|shadow| Box::new(shadow_of(&self.rules, shadow)));
    }

    /// The wall clock jumped.
    pub fn forget_clock(&mut self) {
        self.window = None;
        self.day = None;
    }
}

fn shadow_of(rules: &Campaign, shadow: ShadowRules) -> Shadow {
    Shadow::new(shadow, &rules.pacing, rules.ring, rules.id.0 as u64)
}

/// What a campaign allows its pacer.
fn pacer_rules(rules: &Campaign) -> predictive::Rules {
    predictive::Rules {
        abandon_rate_max: rules.pacing.abandon_rate_max,
        answer_wait: rules.pacing.answer_wait,
        ring_max: rules.ring,
        may_cancel: rules.pacing.may_cancel,
        ..predictive::Rules::default()
    }
}

/// One call that is out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    /// The part of the list it is counted with.
    pub part: Part,
    /// `None` = a single-number test.
    pub waiting: Option<Waiting>,
    pub number: PhoneNumber,
    pub trunk: TrunkId,
    pub caller_id: Option<CallerId>,
    pub phase: Phase,
    pub opened: Time,
    pub placed_at: Utc,
    /// Until then its INVITE may leave.
    pub open_until: Utc,
    pub ringing_at: Option<Utc>,
    pub answered_at: Option<Utc>,
    pub keys: Vec<Digit>,
    pub repeats: u32,
    pub result: Option<String>,
    /// We asked the network to end it.
    pub hanging_up: Option<HangUpCause>,
    /// The number was blacklisted while the call was out.
    pub blacklisted: bool,
    /// Once ended: go on with the next trunk as soon as the result is on disk.
    pub next_trunk: bool,
    /// She called us.
    pub inbound: bool,
    /// Her number is not known.
    pub withheld: bool,
    pub rang: Option<Time>,
    /// When the 200 came.
    pub answered: Option<Time>,
    /// Placed for this agent alone.
    pub for_agent: Option<AgentId>,
    /// The agent's phone came first: without her there is no call.
    pub agent_first: bool,
    /// Since when she waits for an agent.
    pub waiting_since: Option<Time>,
    /// She asked for one (a key, or her own call): she waits longer, and is no abandoned call.
    pub queued: bool,
    /// She has waited long enough; the phone that rings is the last.
    pub overdue: bool,
    /// Agents whose phones ring for her.
    pub offered: BTreeSet<AgentId>,
    pub not_reached: BTreeSet<AgentId>,
    pub talk: Option<Talk>,
    /// Who spoke with her last, and when she first heard anybody.
    pub spoke: Option<(AgentId, Utc)>,
    /// As given during the call.
    pub summary: Option<CallSummary>,
    /// Whoever spoke with her last is, or was, asked for her summary.
    pub worded: bool,
    pub recording: bool,
    /// Answered, and nobody came.
    pub abandoned: bool,
    /// What an agent said of its lead while it was out, in another call.
    pub agreed: Option<Box<LeadUpdate>>,
}

impl Call {
    pub fn new(
        attempt: AttemptId,
        campaign: CampaignId,
        waiting: Option<Waiting>,
        number: PhoneNumber,
        trunk: TrunkId,
        opened: Time,
    ) -> Self {
        Call {
            attempt,
            campaign,
            part: Part::default(),
            waiting,
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
            overdue: false,
            offered: BTreeSet::new(),
            not_reached: BTreeSet::new(),
            talk: None,
            spoke: None,
            summary: None,
            worded: false,
            recording: false,
            abandoned: false,
            agreed: None,
        }
    }

    /// Whether an agent will be needed for it, and none is there yet.
    pub fn pending(&self) -> bool {
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
    /// The store is asked.
    Opening,
    /// On disk, waiting for its place on the wire.
    Opened,
    /// The INVITE left.
    Placed,
    Ringing,
    /// A 200 came; "answered" is being written.
    Answered,
    Announcing,
    /// Answered, and an agent is looked for or rung.
    Waiting,
    /// With an agent.
    Talking,
    /// Hears that nobody is free.
    Sorry,
    /// Over; the result is being written.
    Ended,
}

/// What a screen shows of one campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Attempts being opened or set up, not yet ringing.
    pub starting: u32,
    pub ringing: u32,
    /// Answered, the announcement playing.
    pub up: u32,
    /// Answered, waiting for an agent.
    pub waiting: u32,
    /// With an agent.
    pub talking: u32,
    /// Abandoned calls by every rule; `None` = a campaign without agents.
    pub abandon: Option<Standing>,
    pub leads_open: u64,
    pub why: Option<Why>,
    /// Mode predictive: the numbers behind the last plan.
    pub reason: Option<Reason>,
    /// What else the why stands on.
    pub numbers: Numbers,
    /// When the reason to wait is expected to pass.
    pub until: Option<Utc>,
    /// Mode predictive: the pacer is left out, and why.
    pub trouble: Option<Trouble>,
    /// A setting that runs in the shadow, beside the live one.
    pub shadow: Option<Compared>,
}
