//! State of one open campaign: hopper, supply of leads, rates, ledger, pacer and plan.

use super::line_health::LineView;
use super::live_call::Call;
use super::plan::{Planned, predicts};
use super::trunk_line::TrunkLine;
use crate::call::Digit;
use crate::campaign::hopper::Hopper;
use crate::campaign::window::{self, CLOSING_MARGIN, Holiday, WindowState};
use crate::campaign::{AgentRules, Announcement, Campaign, HomeCountry, KeyRule, Mode, PacingRules};
use crate::ids::{AttemptId, GroupId, LeadId, TrunkId};
use crate::number::{PhoneNumber, ShownNumber};
use crate::pacing::fail_safe::FailSafePacer;
use crate::pacing::ledger::{self, Ledger};
use crate::pacing::predictive::{self, Event};
use crate::pacing::shadow::{Shadow, ShadowRules};
use crate::pacing::{Decision, Rate, Why};
use crate::time::{Duration, Time, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CampaignRun {
    pub rules: Campaign,
    /// Number of the texts in `rules`; those that live calls heard before a change are in `former_texts`.
    pub texts: u32,
    pub former_texts: BTreeMap<u32, Texts>,
    /// The last rules for agents of a campaign that has none any more: conversations and wrap-ups go on by them.
    pub former_agents: Option<AgentRules>,
    pub hopper: Hopper,
    pub tests: VecDeque<QueuedTest>,
    pub paused: bool,
    /// Paused for good: the campaign is not open, and places single-number tests alone.
    pub tests_only: bool,
    pub draining: bool,
    /// A drain is complete; cleared by `Resume`.
    pub drained: bool,
    pub finished: bool,
    /// Live calls, from the opening of the attempt to its end.
    pub live: u32,
    /// Calls that are over and whose result is not on disk yet.
    pub unsaved: u32,
    /// Spaces the opening of attempts.
    pub opening: Rate,
    /// Bounds the INVITEs that leave.
    pub wire: Rate,
    pub supply: Supply,
    pub last: Option<Decision>,
    /// The trouble of its trunks as last reported.
    pub line: Option<LineView>,
    /// Abandon ledger; the last 30 days come from the store.
    pub ledger: Ledger,
    pub braking: Option<Braking>,
    /// The newest calls with a machine disposition: a corrected summary can undo it.
    pub machines: BTreeSet<AttemptId>,
    /// Mode predictive.
    pub pacer: Option<Box<FailSafePacer>>,
    pub planned: Option<Planned>,
    /// Another pacing setting, for comparison.
    pub shadow: Option<Box<Shadow>>,
    /// Cached calling hours, valid until the moment inside.
    window: Option<WindowState>,
    /// Cached local day, for the cap per day.
    day: Option<(Utc, Utc)>,
}

/// What callees hear, and what their keys do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Texts {
    pub announcement: Option<Announcement>,
    pub keys: BTreeMap<Digit, KeyRule>,
}

/// [`Texts`], of the present rules or of former ones.
#[derive(Clone, Copy)]
pub(super) struct TextsOf<'a> {
    pub announcement: Option<&'a Announcement>,
    pub keys: &'a BTreeMap<Digit, KeyRule>,
}

impl TextsOf<'_> {
    /// Whether an answered call without a result leaves the lead unsettled: a key is asked for.
    pub fn ask_for_result(self) -> bool {
        self.keys.values().any(|rule| rule.result.is_some())
    }
}

/// A single-number test that waits to be placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct QueuedTest {
    pub number: PhoneNumber,
    /// `None` = a test of the campaign: any of its trunks.
    pub line: Option<TestedLine>,
}

/// The trunk that a test call is about, and what the call shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TestedLine {
    pub trunk: TrunkId,
    /// `None` = what the trunk shows by itself.
    pub caller_id: Option<ShownNumber>,
    pub home: HomeCountry,
}

/// What the dialer knows of the leads in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Supply {
    /// The `FetchLeads` that is not answered yet.
    pub fetching: Option<Fetching>,
    /// The last answer with untried leads was full, so there are more.
    pub more_due: bool,
    /// When the next retry or booked callback in the store is due.
    pub next_due: Option<Utc>,
    /// The earliest due time that was written since the last request: its answer may not know it.
    pub written_due: Option<Utc>,
    /// A lead that is due among the untried ones was written since untried leads were last requested.
    pub written_untried: bool,
    /// The store had no due lead although one should be (its clock may be behind): not asked again before.
    pub ask_again: Time,
    pub leads_open: u64,
    /// A lead was written since the last request, so its answer may be out of date.
    pub stale: bool,
    /// Leads that people changed since the last request: its answer may hold them as they were.
    pub changed: BTreeSet<LeadId>,
}

/// A `FetchLeads` that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetching {
    pub count: u32,
    /// Untried leads were asked for too, not only retries and callbacks that are due.
    pub untried: bool,
}

impl CampaignRun {
    pub fn new(rules: Campaign, leads_open: u64, paused: bool) -> Self {
        let per_sec = rules.calls_per_sec.unwrap_or(0.0);
        CampaignRun {
            texts: 0,
            former_texts: BTreeMap::new(),
            former_agents: None,
            hopper: Hopper::default(),
            tests: VecDeque::new(),
            paused,
            tests_only: false,
            draining: false,
            drained: false,
            finished: false,
            live: 0,
            unsaved: 0,
            opening: Rate::spaced(per_sec),
            wire: Rate::per_sec(per_sec),
            supply: Supply { more_due: true, leads_open, stale: true, ..Supply::default() },
            last: None,
            line: None,
            ledger: Ledger::default(),
            braking: None,
            machines: BTreeSet::new(),
            pacer: predicts(rules.mode).then(|| Box::new(FailSafePacer::new(pacer_rules(&rules)))),
            planned: None,
            shadow: rules.pacing.shadow.map(|shadow| Box::new(shadow_of(&rules, shadow))),
            window: None,
            day: None,
            rules,
        }
    }

    /// A campaign that is not open. It has no agents and plans nothing: its callees hear the announcement, or music.
    pub fn for_tests(rules: Campaign) -> Self {
        let pacing = PacingRules { shadow: None, ..rules.pacing };
        let rules = Campaign { mode: Mode::Announce, agents: None, pacing, ..rules };
        CampaignRun { tests_only: true, ..CampaignRun::new(rules, 0, true) }
    }

    /// Takes new rules. The pacer keeps what it has learnt where it is still asked; a plan of the old rules does not
    /// hold. A shadow begins anew where what it is compared with has changed: `true` = it did.
    pub fn change_rules(&mut self, now: Time, rules: Campaign) -> bool {
        let per_sec = rules.calls_per_sec.unwrap_or(0.0);
        self.opening.set_spacing(per_sec);
        self.wire.set_per_sec(per_sec);
        self.opening.forget_slower_limit(now);
        self.wire.forget_slower_limit(now);
        self.drop_clock_cache();
        (self.braking, self.planned) = (None, None);
        self.pacer = match self.pacer.take() {
            _ if !predicts(rules.mode) => None,
            Some(mut pacer) => {
                pacer.set_rules(pacer_rules(&rules));
                Some(pacer)
            }
            None => Some(Box::new(FailSafePacer::new(pacer_rules(&rules)))),
        };
        let before = std::mem::replace(&mut self.rules, rules);
        let has_new_shadow = self.change_shadow(&before);
        if (&before.announcement, &before.keys) != (&self.rules.announcement, &self.rules.keys) {
            let heard = Texts { announcement: before.announcement, keys: before.keys };
            self.former_texts.insert(self.texts, heard);
            self.texts += 1;
        }
        self.former_agents = match self.rules.agents {
            Some(_) => None,
            None => before.agents.or(self.former_agents.take()),
        };
        has_new_shadow
    }

    fn change_shadow(&mut self, before: &Campaign) -> bool {
        let same = |a: &Campaign, b: &Campaign| {
            (a.mode, a.pacing, a.ring, group_of(a)) == (b.mode, b.pacing, b.ring, group_of(b))
        };
        if same(before, &self.rules) {
            return false;
        }
        let shadow = match self.rules.pacing.shadow {
            shadow if shadow != before.pacing.shadow => shadow,
            _ => self.shadow.as_ref().map(|shadow| *shadow.rules()),
        };
        self.set_shadow(shadow);
        true
    }

    /// The rules for agents that conversations and wrap-ups of this campaign go by.
    pub fn agent_rules(&self) -> Option<&AgentRules> {
        self.rules.agents.as_ref().or(self.former_agents.as_ref())
    }

    /// What this call hears: the text that stood when it was answered.
    pub fn texts_of(&self, call: &Call) -> TextsOf<'_> {
        match self.former_texts.get(&call.texts) {
            Some(former) => TextsOf { announcement: former.announcement.as_ref(), keys: &former.keys },
            None => TextsOf { announcement: self.rules.announcement.as_ref(), keys: &self.rules.keys },
        }
    }

    /// How long a call over this trunk may take until the phone rings.
    pub fn setup_over(&self, line: Option<&TrunkLine>) -> Duration {
        line.and_then(|line| line.trunk.setup).unwrap_or(self.rules.setup)
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

    /// As [`CampaignRun::window`], for one number: where the campaign says so, the hours are those of its own zones.
    pub fn window_of(&mut self, number: PhoneNumber, at: Utc) -> WindowState {
        let campaign = self.window(at);
        match (campaign, own_hours(&self.rules, number, at)) {
            (WindowState::OpenUntil(until), WindowState::OpenUntil(own)) => {
                WindowState::OpenUntil(until.min(own))
            }
            (WindowState::OpenUntil(_), closed) => closed,
            (closed, _) => closed,
        }
    }

    /// The holiday on which it does not call now.
    pub fn holiday(&self, at: Utc) -> Option<Holiday> {
        let is_closed = self.last.is_some_and(|last| last.why == Why::OutsideWindow);
        is_closed.then(|| self.rules.windows.holiday_at(at)).flatten()
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

/// The group of the campaign's agents.
pub(super) fn group_of(rules: &Campaign) -> Option<GroupId> {
    rules.agents.as_ref().map(|rules| rules.group)
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

/// Cached figures of the ledger, valid until the ledger changes or a window moves on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Braking {
    pub key: (u64, (i64, Utc)),
    /// By the strictest configured rule.
    pub rate: ledger::Rate,
    /// Of this local day: people who answered, all answers, calls that rang to an end, calls placed, and
    /// the first answer.
    pub people: u64,
    pub answered: u64,
    pub settled: u64,
    pub placed: u64,
    pub first: Option<Utc>,
}

/// The hours of a number's own zones, without their last second; open for ever where the campaign has one zone.
pub(super) fn own_hours(rules: &Campaign, number: PhoneNumber, at: Utc) -> WindowState {
    if !rules.windows.by_number {
        return WindowState::OpenUntil(window::FOREVER);
    }
    match rules.windows.state_of(number, at) {
        WindowState::OpenUntil(until) if until != window::FOREVER && until - CLOSING_MARGIN <= at => {
            WindowState::ClosedUntil(Some(until))
        }
        state => state,
    }
}
