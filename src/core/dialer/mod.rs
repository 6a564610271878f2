//! The dialer: decides which lead to call, when, for which agent. It knows no SIP and no SQL.
//!
//! ```text
//!             OpenAttempt          PlaceCall     Ringing      SaveAnswer      PlayAnnouncement
//!  hopper ──▶ Opening ──▶ Opened ──▶ Placed ──▶ Ringing ──▶ Answered ──▶ Announcing
//!                │                    └────────────┴────────────┴─────────────┤ Ended
//!      not opened└──▶ lead waits or closes                     SaveResult ◀───┘ ──▶ lead waits or closes
//! ```

pub mod input;
pub mod output;
pub mod wake;

mod abandons;
mod attempt;
mod blacklisting;
mod busy_set;
mod campaign_run;
mod change;
mod counter_check;
mod ending;
mod floor;
mod lead_sync;
mod line_health;
mod live_call;
mod placing;
mod plan;
mod progress;
mod seen;
mod sharing;
mod snapshot;
mod trunk_line;

pub use input::Input;
pub use line_health::{LineView, TrunkRest};
pub use output::Output;
pub use placing::TRUNK_TEST_WAIT;
pub use sharing::{GivenBy, GivenLines, divide_lines};
pub use snapshot::{CallStage, CallView, Held, LeadPlace, Numbers, View};

use crate::call::HangUpCause;
use crate::campaign::caller_id::CallerIdLedger;
use crate::ids::{CallId, CampaignId, HouseholdId, TrunkId};
use crate::number::PhoneNumber;
use crate::number_pattern::NumberPattern;
use crate::pacing::Why;
use crate::pacing::ledger::Ledger;
use crate::time::{Time, Utc, WallClock};
use busy_set::BusySet;
use campaign_run::{CampaignRun, QueuedTest, TestedLine};
use floor::Floor;
use input::{ManagerAction, OpenWork};
use live_call::{Call, Phase};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sharing::Sharing;
use std::collections::{BTreeMap, VecDeque};
use trunk_line::TrunkLine;
use wake::{Wake, Wakes};

/// The dialer.
///
/// The contract: give it one input, take outputs until there are none, sleep until `next_wake`. The same
/// seed, inputs and times give the same outputs, bit for bit. The whole state can be serialised and read
/// back, so a replay can start in the middle of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dialer {
    now: Time,
    wall: WallClock,
    random: ChaCha8Rng,
    next_attempt: i64,
    trunks: BTreeMap<TrunkId, TrunkLine>,
    campaigns: BTreeMap<CampaignId, CampaignRun>,
    calls: BTreeMap<CallId, Call>,
    caller_ids: CallerIdLedger,
    busy_numbers: BusySet<PhoneNumber>,
    busy_households: BusySet<(CampaignId, HouseholdId)>,
    /// Numbers whose calls a crash cut off: they may still be ringing, so none is dialled before its
    /// moment.
    resting: BTreeMap<PhoneNumber, Utc>,
    store_stalled: bool,
    /// Index of the campaign that is asked first in the next placing round.
    turn: usize,
    floor: Floor,
    wakes: Wakes,
    outputs: VecDeque<Output>,
    /// How campaigns share lines; `None` = the state of a journal from before there were shares: they take turns. It
    /// stays the last field: see `journal::format`.
    sharing: Option<Sharing>,
}

impl Dialer {
    pub fn new(seed: u64) -> Self {
        Dialer {
            now: Time::ZERO,
            wall: WallClock::default(),
            random: ChaCha8Rng::seed_from_u64(seed),
            next_attempt: 1,
            trunks: BTreeMap::new(),
            campaigns: BTreeMap::new(),
            calls: BTreeMap::new(),
            caller_ids: CallerIdLedger::default(),
            busy_numbers: BusySet::default(),
            busy_households: BusySet::default(),
            resting: BTreeMap::new(),
            store_stalled: false,
            turn: 0,
            floor: Floor::default(),
            wakes: Wakes::default(),
            outputs: VecDeque::new(),
            sharing: Some(Sharing::default()),
        }
    }

    /// Handles one input at `now`. A `now` earlier than the last one counts as the last one.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::ClockSet(utc) => self.set_clock(utc),
            Input::Resumed(work) => self.resume(work),
            Input::TrunkDefined(trunk) => match self.trunks.get_mut(&trunk.id) {
                Some(line) => line.redefine(trunk),
                None => {
                    self.trunks.insert(trunk.id, TrunkLine::new(trunk));
                }
            },
            Input::TrunkChanged { trunk, state } => {
                if let Some(line) = self.trunks.get_mut(&trunk) {
                    line.set_state(self.now, state);
                }
            }
            Input::CampaignOpened { campaign, leads_open, paused, abandons, past } => {
                let mut run = CampaignRun::new(*campaign, leads_open, paused);
                run.ledger = Ledger::restored(&abandons);
                if let Some(pacer) = &mut run.pacer {
                    pacer.learn(self.now, self.wall.utc(self.now), &past, floor::tried);
                }
                let id = run.rules.id;
                // The reopened campaign's hopper replaces the old one, so the leases of the old one end.
                if let Some(before) = self.campaigns.get_mut(&id) {
                    before.hopper.drop_waiting(|_| true);
                    self.return_leads();
                }
                self.campaigns.insert(id, run);
                self.introduce_agents_to_shadow(id);
                // What an earlier process reported of the line is over.
                self.outputs.push_back(Output::LineChanged { campaign: id, line: None });
            }
            Input::LeadsArrived { campaign, leads, next_due, leads_open } => {
                self.leads_arrived(campaign, leads, next_due, leads_open);
            }
            Input::AttemptOpened { attempt, verdict } => self.attempt_opened(attempt.call(), verdict),
            Input::AnswerSaved { call } => self.answer_saved(call),
            Input::ResultSaved { attempt } => self.result_saved(attempt.call()),
            Input::StoreStalled { .. } => self.store_stalled = true,
            Input::StoreRecovered => self.store_stalled = false,
            Input::CallProgressed { call, progress } if call.is_side_leg() => {
                self.leg_progressed(call, progress);
            }
            Input::CallProgressed { call, progress } => self.call_progressed(call, progress),
            Input::MediaHeard { call, heard } if call.is_side_leg() => self.leg_heard(call, &heard),
            Input::MediaHeard { call, heard } => self.media_heard(call, heard),
            Input::ManagerActed { campaign, action } => self.apply_manager_action(campaign, action),
            Input::AgentDefined(agent) => self.define_agent(*agent),
            Input::AgentRemoved { agent } => self.remove_agent(agent),
            Input::GroupDefined(group) => self.define_group(group),
            Input::PhoneChanged { agent, ready } => self.phone_changed(agent, ready),
            Input::AgentActed { request, agent, action } => self.handle_agent_action(request, agent, action),
            Input::LeadFetched { campaign, agent, lead } => {
                self.lead_fetched(agent, campaign, lead.map(|lead| *lead));
            }
            Input::CallArrived(arrived) => self.call_arrived(*arrived),
            Input::FloorClosed => self.close_floor(),
            Input::Overran => self.suspect_slow_pacers(),
            Input::LegProbed { leg, alive } => self.leg_probed(leg, alive),
            Input::PhoneRestarted { agent, same_device } => self.phone_restarted(agent, same_device),
            Input::Blacklisted { campaign, patterns } => self.numbers_blacklisted(campaign, &patterns),
            Input::CampaignChanged { campaign } => self.change_campaign(*campaign),
            Input::CampaignOpenedForTests { campaign } => self.open_for_tests(*campaign),
            Input::CallerIdsRegistered { said } => self.caller_ids.register(said),
            Input::ShareSet { campaign, share } => self.set_share(campaign, share),
            Input::TrunkRemoved { trunk } => self.remove_trunk(trunk),
            Input::TrunkRestEnded { trunk } => self.end_trunk_rest(trunk),
            Input::TimePassed => {}
        }
        while let Some(wake) = self.wakes.pop_due(self.now) {
            self.handle_wake(wake);
        }
        self.send_invites();
        self.offer_waiting_calls();
        self.notify_pacers();
        self.place_calls();
        self.watch_lines();
        self.advance_shadows();
        self.publish_changed_seats();
    }

    /// The next output; `None` = all are taken.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `Input::TimePassed` is due, if no other input comes before.
    pub fn next_wake(&self) -> Option<Time> {
        self.wakes.next()
    }

    /// One campaign as screens show it; default values for an unknown campaign.
    pub fn view(&self, campaign: CampaignId) -> View {
        let Some(run) = self.campaigns.get(&campaign) else { return View::default() };
        let mut view = View {
            leads_open: run.supply.leads_open,
            why: run.last.map(|decision| decision.why),
            until: self.waits_until(run),
            abandon: run.abandon_report(self.wall.utc(self.now)),
            reason: run.planned.map(|planned| planned.reason),
            numbers: self.numbers(run),
            drained: run.drained,
            trouble: run.pacer.as_ref().and_then(|pacer| pacer.fault(self.now)),
            shadow: run.shadow.as_ref().map(|shadow| shadow.comparison()),
            line: self.line_view(run),
            holiday: run.holiday(self.wall.utc(self.now)),
            share: self.share_view(run),
            ..View::default()
        };
        for call in self.calls.values().filter(|call| call.campaign == campaign) {
            match call.phase {
                Phase::Opening | Phase::Opened | Phase::Placed => view.starting += 1,
                Phase::Ringing => view.ringing += 1,
                Phase::Answered | Phase::Announcing | Phase::Sorry => view.up += 1,
                Phase::Waiting => view.waiting += 1,
                Phase::Talking => view.talking += 1,
                Phase::Ended => {}
            }
        }
        view
    }

    /// Whether a campaign has no test to place, no live call and no result to be written.
    pub fn is_idle(&self, campaign: CampaignId) -> bool {
        self.campaigns.get(&campaign).is_none_or(|run| run.tests.is_empty() && !run.is_busy())
    }

    pub fn ledger(&self, campaign: CampaignId) -> Option<&Ledger> {
        self.campaigns.get(&campaign).map(|run| &run.ledger)
    }

    /// The monotonic time of the last input.
    pub fn at(&self) -> Time {
        self.now
    }

    /// Wall clock time of the last input.
    pub fn utc(&self) -> Utc {
        self.wall.utc(self.now)
    }

    /// The mapping from monotonic to wall clock time, as last set.
    pub fn clock(&self) -> WallClock {
        self.wall
    }

    /// Number of live calls and legs, over all campaigns.
    pub fn calls_live(&self) -> usize {
        self.calls.len() + self.floor.legs.len() + self.floor.sign_in_calls.len()
    }

    fn waits_until(&self, run: &CampaignRun) -> Option<Utc> {
        match run.last?.why {
            Why::OutsideWindow => match run.window_seen() {
                Some(crate::campaign::window::WindowState::ClosedUntil(opens)) => opens,
                _ => None,
            },
            Why::RetriesLater => run.supply.next_due,
            _ => None,
        }
    }

    fn set_clock(&mut self, utc: Utc) {
        self.wall = WallClock::new(self.now, utc);
        for (id, run) in &mut self.campaigns {
            run.drop_clock_cache();
            self.wakes.set(Wake::Pace(*id), self.now);
        }
    }

    fn resume(&mut self, work: OpenWork) {
        self.next_attempt = self.next_attempt.max(work.next_attempt);
        self.resting.extend(work.resting);
        for (number, at) in work.caller_id_first_use {
            self.caller_ids.restore_first_use(number, at);
        }
        for (number, at) in work.caller_id_uses {
            self.caller_ids.restore_use(number, at);
        }
        for (campaign, household, number) in work.caller_id_sticky {
            self.caller_ids.restore_sticky(campaign, household, number);
        }
    }

    fn apply_manager_action(&mut self, campaign: CampaignId, action: ManagerAction) {
        let Some(run) = self.campaigns.get_mut(&campaign) else { return };
        if run.tests_only && !action.is_for_tests() {
            return;
        }
        match action {
            ManagerAction::Pause => run.paused = true,
            ManagerAction::Resume => {
                (run.paused, run.draining, run.drained) = (false, false, false);
            }
            ManagerAction::Drain => {
                self.begin_drain(campaign);
            }
            ManagerAction::HangUpAll => {
                self.begin_drain(campaign);
                let calls: Vec<CallId> = self
                    .calls
                    .iter()
                    .filter(|(_, call)| call.campaign == campaign)
                    .map(|(id, _)| *id)
                    .collect();
                for call in calls {
                    self.hang_up(call, HangUpCause::Stopped);
                }
            }
            ManagerAction::Shadow(rules) => {
                run.set_shadow(rules);
                self.introduce_agents_to_shadow(campaign);
            }
            ManagerAction::TestCall { number } => {
                run.finished = false;
                run.tests.push_back(QueuedTest { number, line: None });
            }
            ManagerAction::WithdrawTest { number } => {
                if let Some(place) = run.tests.iter().rposition(|it| it.number == number && it.line.is_none())
                {
                    run.tests.remove(place);
                }
            }
            ManagerAction::TestTrunk { number, trunk, caller_id, home } => {
                let line = Some(TestedLine { trunk, caller_id, home });
                run.tests.push_back(QueuedTest { number, line });
            }
            ManagerAction::Blacklisted { number } => {
                self.numbers_blacklisted(None, &[NumberPattern::exact(number)]);
            }
            ManagerAction::LeadClosed { lead } => {
                run.hopper.drop_waiting(|waiting| waiting.id == lead);
                self.withdraw_lead_from_agents(|shown| shown.id == lead);
            }
            ManagerAction::LeadsAdded => {
                run.finished = false;
                run.supply.note_leads_added();
            }
            ManagerAction::LeadsChanged { leads } => self.leads_changed(campaign, &leads),
        }
    }

    /// Replaces what is left of the campaign, which is not open: its leases end.
    fn open_for_tests(&mut self, campaign: crate::campaign::Campaign) {
        let run = CampaignRun::for_tests(campaign);
        let id = run.rules.id;
        if let Some(before) = self.campaigns.get_mut(&id) {
            before.hopper.drop_waiting(|_| true);
            self.return_leads();
        }
        self.campaigns.insert(id, run);
    }

    /// Stops placing: previews are withdrawn, and calls whose INVITE has not left do not leave.
    fn begin_drain(&mut self, campaign: CampaignId) {
        let Some(run) = self.campaigns.get_mut(&campaign) else { return };
        run.draining = true;
        run.tests.clear();
        self.withdraw_previews(campaign);
        let waiting = self.calls.iter().filter(|(_, call)| {
            call.campaign == campaign && matches!(call.phase, Phase::Opening | Phase::Opened)
        });
        let waiting: Vec<CallId> = waiting.map(|(id, _)| *id).collect();
        for call in waiting {
            self.hang_up(call, HangUpCause::Stopped);
        }
    }

    fn handle_wake(&mut self, wake: Wake) {
        match wake {
            // Every input is followed by a placing round anyway.
            Wake::Pace(_) | Wake::Trunk(_) => {}
            Wake::CallOver(call) => {
                self.end_sign_in_call(call);
                self.hang_up(call, HangUpCause::Finished);
            }
            Wake::CallLost(call) => self.call_lost(call),
            Wake::Abandon(call) => self.wait_expired(call),
            Wake::LegLost(leg) => self.leg_lost(leg),
            Wake::RaiseLeg(agent) => self.raise_leg_again(agent),
            Wake::WrapUp(agent) => self.end_wrap_up(agent),
            Wake::Preview(agent) => self.preview_over(agent),
            Wake::IdleSeat(agent) => self.idle_too_long(agent),
            Wake::PhoneSilent(call) => self.drop_silent_phones(call),
            Wake::LegProbe(leg) => self.leg_probed(leg, false),
            Wake::LegMissing(agent) => self.leg_missing(agent),
        }
    }
}

#[cfg(test)]
mod tests;
