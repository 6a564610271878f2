//! Decides on the next call: admission checks, lead, trunk, caller ID. The attempt itself is in `attempt`.

use super::campaign_run::{CampaignRun, Fetching, QueuedTest, TestedLine, own_hours};
use super::floor::agent_for_lead;
use super::live_call::NewAttempt;
use super::trunk_line::Ready;
use super::wake::Wake;
use super::{Dialer, Output};
use crate::campaign::Mode;
use crate::campaign::caller_id::{CallerId, Choice, ShownTo};
use crate::campaign::lease::LeasedLead;
use crate::campaign::window::{CLOSING_MARGIN, FOREVER, WindowState};
use crate::dialer::output::{LeadUpdate, TestRefusal};
use crate::explain::CALLBACK_GRACE;
use crate::ids::{AgentId, CampaignId, TrunkId};
use crate::lead::{Lead, Phone};
use crate::number::PhoneNumber;
use crate::outcome::{LeadState, Reason};
use crate::pacing::{Decision, Why};
use crate::time::{Duration, Utc};

/// Leads examined before the hopper counts as blocked.
const LOOK_AHEAD: usize = 64;

/// Leads that may wait for calls to their households; with more of them the hopper is not filled.
const PARKED_MAX: usize = 4_000;

/// Retries and booked callbacks that the hopper holds at most. Those of absent agents wait in it.
const TIMED_MAX: usize = 1_000;

/// How soon the store is asked again where it knew no due lead and the dialer does.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// How long a test call over one trunk waits for the trunk's rate before it is refused.
pub const TRUNK_TEST_WAIT: Duration = Duration::from_secs(5);

/// The leads that a search considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// Any lead, for any agent or for the agent who booked its callback.
    All,
    /// A lead for this agent's preview.
    Preview(AgentId),
    /// Booked callbacks and assigned leads for which an agent can be reserved.
    Booked,
}

impl Dialer {
    /// Places all calls that may be placed, campaigns sharing the lines, and keeps each campaign's why.
    pub(super) fn place_calls(&mut self) {
        self.floor.round += 1;
        self.return_leads();
        let mut ids: Vec<CampaignId> =
            self.campaigns.iter().filter(|(_, run)| !run.finished).map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return;
        }
        let turn = self.turn % ids.len();
        ids.rotate_left(turn);
        let mut decisions: Vec<(CampaignId, u32, Option<Why>)> =
            ids.into_iter().map(|id| (id, 0, None)).collect();
        match self.sharing {
            Some(_) => self.place_by_share(&mut decisions),
            None => self.place_by_turns(&mut decisions),
        }
        for (id, place, why) in decisions {
            self.refill(id);
            if let Some(why) = why {
                self.publish_decision(id, Decision { place, why });
            }
        }
        self.return_leads();
    }

    /// Each campaign places one call in its turn, as before there were shares.
    fn place_by_turns(&mut self, decisions: &mut [(CampaignId, u32, Option<Why>)]) {
        while decisions.iter().any(|(.., why)| why.is_none()) {
            for (id, placed, why) in decisions.iter_mut().filter(|(.., why)| why.is_none()) {
                match self.place_one(*id) {
                    Ok(()) => {
                        *placed += 1;
                        self.turn = self.turn.wrapping_add(1);
                    }
                    Err(limit) => *why = Some(limit),
                }
            }
        }
    }

    /// Returns the leads dropped by hoppers to the store, before more are requested.
    pub(super) fn return_leads(&mut self) {
        let utc = self.wall.utc(self.now);
        for (campaign, run) in &mut self.campaigns {
            let leads = run.hopper.take_returned();
            if !leads.is_empty() {
                // They are due in the store as before.
                run.supply.more_due = true;
                run.supply.note_due(Some(utc));
                self.outputs.push_back(Output::ReturnLeads { campaign: *campaign, leads });
            }
        }
    }

    fn publish_decision(&mut self, id: CampaignId, decision: Decision) {
        let Some(run) = self.campaigns.get_mut(&id) else { return };
        let changed = run.last.is_none_or(|last| last.why != decision.why);
        run.last = Some(decision);
        if changed || decision.place > 0 {
            self.outputs.push_back(Output::Decided { campaign: id, decision });
        }
        if decision.why == Why::Finished {
            run.finished = true;
            run.hopper.drop_waiting(|_| true);
            self.outputs.push_back(Output::CampaignFinished { campaign: id });
        }
    }

    /// Opens one attempt, or returns the reason why none may be opened.
    pub(super) fn place_one(&mut self, id: CampaignId) -> Result<(), Why> {
        let (now, utc) = (self.now, self.wall.utc(self.now));
        let run = self.campaigns.get_mut(&id).ok_or(Why::Finished)?;
        if self.store_stalled {
            return Err(Why::StoreStalled);
        }
        if run.draining {
            if run.is_busy() || self.floor.works_on(id) {
                return Err(Why::Draining);
            }
            // Every call is over. The campaign is not: it stands still until it is resumed.
            (run.draining, run.paused, run.drained) = (false, true, true);
            run.hopper.drop_waiting(|_| true);
        }
        match run.tests.front().cloned() {
            Some(QueuedTest { number, line: None }) => return self.open_test(id, number, utc),
            Some(QueuedTest { number, line: Some(line) }) => return self.open_trunk_test(id, number, line),
            None => {}
        }
        if run.paused {
            return Err(Why::Paused);
        }
        let run_mode = run.rules.mode;
        let open_until = match run.window(utc) {
            WindowState::OpenUntil(FOREVER) => FOREVER,
            WindowState::OpenUntil(until) => {
                self.wakes.set_sooner(Wake::Pace(id), self.wall.time(until - CLOSING_MARGIN));
                until
            }
            WindowState::ClosedUntil(Some(opens)) => {
                self.wakes.set_sooner(Wake::Pace(id), self.wall.time(opens));
                return Err(Why::OutsideWindow);
            }
            WindowState::ClosedUntil(None) => return Err(self.close_campaign(id)),
        };
        if run.rules.concurrency_max.is_some_and(|most| run.live >= most) {
            return Err(Why::ConcurrencyFull);
        }
        if Self::needs_agents(run_mode) {
            // A booked callback reserves its agent, so pacing has no say in it.
            if run_mode != Mode::Preview && self.place_booked(id, utc, open_until) {
                return Ok(());
            }
            self.admit_call(id, utc)?;
        }
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        let start = run.opening.next_start(now);
        if start > now {
            self.wakes.set_sooner(Wake::Pace(id), start);
            return Err(Why::CallsPerSec);
        }
        self.check_trunks(id)?;
        if run_mode == Mode::Preview {
            return Err(self.assign_previews(id, utc));
        }
        let (leased, phone, trunk, agent) = self.next_lead(id, utc, Search::All)?;
        self.open_lead(id, leased, phone, trunk, agent, utc, open_until)
    }

    /// Opens an attempt for a booked callback whose time has come and whose agent is free; `false` = there
    /// is none, or no line for it.
    fn place_booked(&mut self, id: CampaignId, utc: Utc, open_until: Utc) -> bool {
        let Some(run) = self.campaigns.get(&id) else { return false };
        if !run.hopper.has_reserved() {
            return false;
        }
        // After the grace any agent may take it.
        let grace = run.hopper.booked().filter_map(|lead| lead.next_at).map(|at| at + CALLBACK_GRACE);
        if let Some(until) = grace.filter(|until| *until > utc).min() {
            self.wakes.set_sooner(Wake::Pace(id), self.wall.time(until));
        }
        let start = run.opening.next_start(self.now);
        if start > self.now {
            self.wakes.set_sooner(Wake::Pace(id), start);
            return false;
        }
        if self.check_trunks(id).is_err() {
            return false;
        }
        let Ok((leased, phone, trunk, agent)) = self.next_lead(id, utc, Search::Booked) else { return false };
        self.open_lead(id, leased, phone, trunk, agent, utc, open_until).is_ok()
    }

    /// The campaign's end has passed, or its windows never open again: closes its leads once no work is
    /// left.
    fn close_campaign(&mut self, id: CampaignId) -> Why {
        let Some(run) = self.campaigns.get_mut(&id) else { return Why::Finished };
        if run.is_busy() || self.floor.works_on(id) {
            return Why::OutsideWindow;
        }
        run.hopper.drop_waiting(|_| true);
        self.outputs.push_back(Output::CloseLeads { campaign: id, reason: Reason::OutsideWindow });
        Why::Finished
    }

    /// Checks that at least one of the campaign's trunks takes a call now.
    fn check_trunks(&mut self, id: CampaignId) -> Result<(), Why> {
        let Some(run) = self.campaigns.get(&id) else { return Err(Why::Finished) };
        let mut limit = Why::TrunksDown;
        let reserved = self.reserved_against(id);
        for trunk in &run.rules.trunks {
            let Some(line) = self.trunks.get(trunk) else { continue };
            match line.ready(self.now) {
                Ready::Now if reserved.contains_key(trunk) => {
                    limit = if limit == Why::CallsPerSec { limit } else { Why::ShareUsed };
                }
                Ready::Now => return Ok(()),
                Ready::Rate(at) => {
                    self.wakes.set_sooner(Wake::Trunk(*trunk), at);
                    limit = Why::CallsPerSec;
                }
                Ready::Full if !matches!(limit, Why::CallsPerSec | Why::ShareUsed) => limit = Why::TrunksFull,
                Ready::Down(Some(at)) => self.wakes.set_sooner(Wake::Trunk(*trunk), at),
                Ready::Full | Ready::Down(None) => {}
            }
        }
        Err(limit)
    }

    /// The next lead that may be dialled now, with its phone, its trunk and the agent to reserve.
    pub(super) fn next_lead(
        &mut self,
        id: CampaignId,
        utc: Utc,
        search: Search,
    ) -> Result<(LeasedLead, usize, TrunkId, Option<AgentId>), Why> {
        let reserved = self.reserved_against(id);
        loop {
            let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
            if run.hopper.is_empty() {
                return Err(Self::why_empty(run, utc, &mut self.wakes, &self.wall, id, &self.floor));
            }
            let CampaignRun { hopper, rules, .. } = run;
            let (numbers, households, resting) = (&self.busy_numbers, &self.busy_households, &self.resting);
            let (trunks, now, floor) = (&self.trunks, self.now, &self.floor);
            let mut found: Option<(usize, Option<TrunkId>, Option<AgentId>)> = None;
            let mut rested: Option<Utc> = None;
            let mut region_rests: Option<Duration> = None;
            let mut closed: Option<Option<Utc>> = None;
            let eligible = |leased: &LeasedLead| {
                let lead = &leased.lead;
                if lead.household.is_some_and(|household| households.contains(&(id, household))) {
                    return false;
                }
                let Some(phone) = due_phone(lead, utc) else { return false };
                let number = lead.phones[phone].number;
                if numbers.contains(&number) {
                    return false;
                }
                if let WindowState::ClosedUntil(opens) = own_hours(rules, number, utc) {
                    found = Some((phone, None, None));
                    closed = Some(opens);
                    return true;
                }
                if let Some(until) = resting.get(&number).filter(|until| **until > utc) {
                    rested = Some(rested.map_or(*until, |soonest| soonest.min(*until)));
                    return false;
                }
                let carriers = || {
                    rules
                        .trunks
                        .iter()
                        .filter_map(|trunk| trunks.get(trunk))
                        .filter(|line| line.trunk.carries(number, &rules.home))
                };
                let Some(agent) = agent_for_lead(floor, lead, rules, search, utc) else { return false };
                if search == Search::Booked && agent.is_none() {
                    return false;
                }
                // Every trunk has been tried: start again with the first (the retry rule made the lead
                // wait).
                let all_tried = carriers().all(|line| leased.tried.contains(&line.trunk.id));
                let ready = carriers()
                    .filter(|line| all_tried || !leased.tried.contains(&line.trunk.id))
                    .find(|line| {
                        line.ready(now) == Ready::Now
                            && !reserved.contains_key(&line.trunk.id)
                            && (lead.callback.is_some() || line.guard.takes(now, number, lead.id))
                    });
                if ready.is_none() && lead.callback.is_none() {
                    // The number's region rests on every trunk that is in use: the lead makes room.
                    let mut usable = carriers().filter(|line| line.guard.trouble().is_none()).peekable();
                    let rests = usable.peek().is_some() && usable.all(|line| line.guard.region_rests(number));
                    if rests && let Some(line) = carriers().find(|line| line.guard.region_rests(number)) {
                        region_rests = Some(line.guard.region_pause(now, number));
                        found = Some((phone, None, agent));
                        return true;
                    }
                }
                match ready {
                    Some(line) => found = Some((phone, Some(line.trunk.id), agent)),
                    None if carriers().next().is_none() => found = Some((phone, None, None)),
                    None => return false,
                }
                true
            };
            let leased = match search {
                Search::Booked => hopper.take_reserved(eligible),
                Search::All | Search::Preview(_) => hopper.take(LOOK_AHEAD, eligible),
            };
            let Some(leased) = leased else {
                if let Some(until) = rested {
                    self.wakes.set_sooner(Wake::Pace(id), self.wall.time(until));
                }
                if rested.is_some() || run.hopper.has_shared() {
                    return Err(Why::HouseholdsBusy);
                }
                // What is left waits for the agents whom it is assigned to.
                let why = Self::why_empty(run, utc, &mut self.wakes, &self.wall, id, &self.floor);
                return Err(if why == Why::Finished { Why::AgentsBusy } else { why });
            };
            if leased.lead.assigned.is_some() {
                // The store gives few leads of one agent at a time.
                run.supply.note_due(Some(utc));
            }
            match found {
                Some((phone, Some(trunk), agent)) => return Ok((leased, phone, trunk, agent)),
                Some((phone, None, _)) => match (closed, region_rests) {
                    (Some(opens), _) => self.wait_for_own_hours(id, leased.lead, phone, opens),
                    (None, Some(pause)) => self.postpone(id, leased.lead, phone, utc + pause),
                    (None, None) => self.no_trunk_carries(id, leased.lead, phone),
                },
                None => return Err(Why::HouseholdsBusy),
            }
        }
    }

    /// The region of this number rests on its trunks: the phone is looked at again later.
    fn postpone(&mut self, id: CampaignId, mut lead: Lead, phone: usize, until: Utc) {
        lead.phones[phone].next_at = Some(until);
        let next_at = lead.earliest();
        self.save_lead(id, lead, LeadState::Open, None, next_at);
    }

    /// It is not the time to call this number where its owner is: the phone waits until it is, and is closed if it
    /// never will be.
    fn wait_for_own_hours(&mut self, id: CampaignId, mut lead: Lead, phone: usize, opens: Option<Utc>) {
        match opens {
            Some(opens) => lead.phones[phone].next_at = Some(opens),
            None => lead.phones[phone].closed = true,
        }
        let next_at = lead.earliest();
        let state = match next_at {
            None => LeadState::Failed,
            Some(_) if lead.callback.is_some() => LeadState::FollowUp,
            Some(_) => LeadState::Open,
        };
        let reason = next_at.is_none().then_some(Reason::OutsideWindow);
        self.save_lead(id, lead, state, reason, next_at);
    }

    /// No trunk of the campaign may carry this number: closes the phone, and the lead if it was the last.
    fn no_trunk_carries(&mut self, id: CampaignId, mut lead: Lead, phone: usize) {
        lead.phones[phone].closed = true;
        let next_at = lead.earliest();
        let state = if next_at.is_some() { LeadState::Open } else { LeadState::Failed };
        let reason = next_at.is_none().then_some(Reason::NoTrunk);
        self.save_lead(id, lead, state, reason, next_at);
    }

    pub(super) fn save_lead(
        &mut self,
        id: CampaignId,
        lead: Lead,
        state: LeadState,
        reason: Option<Reason>,
        next_at: Option<Utc>,
    ) {
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.hopper.release(lead.id);
            run.supply.stale = true;
            run.supply.note_due(next_at);
        }
        self.outputs.push_back(Output::SaveLead(Box::new(LeadUpdate {
            campaign: id,
            lead: lead.id,
            state,
            reason,
            next_at,
            phones: lead.phones,
            uncounted: lead.uncounted,
            result: None,
            household_done: None,
            callback: lead.callback.filter(|_| state == LeadState::FollowUp),
            version: lead.version,
        })));
    }

    pub(super) fn why_empty(
        run: &mut CampaignRun,
        utc: Utc,
        wakes: &mut super::Wakes,
        wall: &crate::time::WallClock,
        id: CampaignId,
        floor: &super::Floor,
    ) -> Why {
        let supply = &run.supply;
        if supply.fetching.is_some() || supply.more_due || supply.next_due.is_some_and(|due| due <= utc) {
            return Why::HopperEmpty;
        }
        if run.is_busy() || floor.works_on(id) {
            // The results still to come may bring retries.
            return if supply.next_due.is_some() { Why::RetriesLater } else { Why::HopperEmpty };
        }
        if let Some(due) = supply.next_due {
            wakes.set_sooner(Wake::Pace(id), wall.time(due));
            return Why::RetriesLater;
        }
        if supply.stale {
            return Why::HopperEmpty;
        }
        Why::Finished
    }

    /// Requests leads from the store before the hopper runs dry.
    fn refill(&mut self, id: CampaignId) {
        let utc = self.wall.utc(self.now);
        let per_sec = self.lines_per_sec(id);
        let Some(run) = self.campaigns.get_mut(&id) else { return };
        if run.finished || run.paused || run.draining || self.store_stalled || run.supply.fetching.is_some() {
            return;
        }
        if !matches!(run.window(utc), WindowState::OpenUntil(_)) {
            return;
        }
        // Ten seconds of dialling at full rate, within bounds.
        let target = ((per_sec * 10.0) as usize).clamp(20, 2_000);
        let supply = &mut run.supply;
        let (timed, untried) = (run.hopper.timed_len(), run.hopper.untried_len());
        let room = timed < TIMED_MAX;
        let settle = supply.stale && run.live == 0 && run.unsaved == 0 && !run.hopper.has_shared();
        let low = supply.more_due && untried < target / 2 && room && run.hopper.parked_len() < PARKED_MAX;
        let due = supply.next_due.map(|due| self.wall.time(due).max(supply.ask_again));
        let ask = if low || settle {
            Fetching { count: (target - untried.min(target)).max(1) as u32, untried: true }
        } else if room && due.is_some_and(|due| due <= self.now) {
            Fetching { count: (TIMED_MAX - timed).min(target) as u32, untried: false }
        } else {
            if let Some(due) = due.filter(|due| *due > self.now) {
                self.wakes.set_sooner(Wake::Pace(id), due);
            }
            return;
        };
        supply.fetching = Some(ask);
        supply.written_due = None;
        if ask.untried {
            (supply.stale, supply.written_untried) = (false, false);
        }
        let Fetching { count, untried } = ask;
        self.outputs.push_back(Output::FetchLeads { campaign: id, count, untried });
    }

    pub(super) fn lines_per_sec(&self, id: CampaignId) -> f64 {
        let Some(run) = self.campaigns.get(&id) else { return 0.0 };
        let trunks = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
        let most: f64 = trunks.map(|line| line.trunk.calls_per_sec).sum();
        run.rules.calls_per_sec.filter(|limit| *limit > 0.0).map_or(most, |limit| limit.min(most))
    }

    pub(super) fn leads_arrived(
        &mut self,
        id: CampaignId,
        leads: Vec<Lead>,
        next_due: Option<Utc>,
        leads_open: u64,
    ) {
        let utc = self.wall.utc(self.now);
        let Some(run) = self.campaigns.get_mut(&id) else { return };
        let supply = &mut run.supply;
        let asked = supply.fetching.take().unwrap_or(Fetching { count: 0, untried: true });
        if asked.untried {
            let full = leads.len() >= asked.count as usize && asked.count > 0 && !leads.is_empty();
            supply.more_due = full || supply.written_untried;
        }
        let known = [next_due, supply.written_due];
        supply.next_due = known.into_iter().flatten().min();
        supply.leads_open = leads_open;
        if leads.is_empty() && supply.next_due.is_some_and(|due| due <= utc) {
            supply.ask_again = self.now + ASK_AGAIN;
        }
        let changed = std::mem::take(&mut supply.changed);
        let (stale, leads): (Vec<Lead>, Vec<Lead>) =
            leads.into_iter().partition(|lead| changed.contains(&lead.id));
        for lead in stale {
            run.hopper.return_lease(lead.id);
        }
        let households = &self.busy_households;
        run.hopper.fill(leads, |household| households.contains(&(id, household)));
    }

    /// Opens a single-number test ahead of the list, at any hour: a manager asked for it.
    fn open_test(&mut self, id: CampaignId, number: PhoneNumber, utc: Utc) -> Result<(), Why> {
        let carries = |run: &CampaignRun| {
            let mut lines = run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
            lines.any(|line| line.trunk.carries(number, &run.rules.home))
        };
        if !self.campaigns.get(&id).is_some_and(carries) {
            self.refuse_test(id, number, None, TestRefusal::NoTrunk);
            return Ok(());
        }
        self.check_trunks(id)?;
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        let ready = run
            .rules
            .trunks
            .iter()
            .filter_map(|trunk| self.trunks.get(trunk))
            .find(|line| line.trunk.carries(number, &run.rules.home) && line.ready(self.now) == Ready::Now)
            .map(|line| line.trunk.id);
        let trunk = ready.ok_or(Why::TrunksDown)?;
        run.tests.pop_front();
        let to = ShownTo { household: None, callee: number, agent: None };
        let caller_id = match self.caller_ids.choose(id, &run.rules.caller_ids, to, utc, &mut self.random) {
            Choice::Show(caller_id) => Some(caller_id),
            Choice::TrunkOwn | Choice::UsedUntil(_) => None,
            Choice::NoneUsable => {
                self.outputs.push_back(Output::TestRefused {
                    campaign: id,
                    number,
                    why: TestRefusal::NoCallerId,
                    trunk: None,
                });
                return Ok(());
            }
        };
        self.open(NewAttempt {
            campaign: id,
            leased: None,
            number,
            trunk,
            caller_id,
            open_until: FOREVER,
            for_agent: None,
            agent_first: false,
        });
        Ok(())
    }

    /// Opens a test call over one trunk. A trunk that is out of use is tried all the same: the test shows why it is.
    fn open_trunk_test(&mut self, id: CampaignId, number: PhoneNumber, line: TestedLine) -> Result<(), Why> {
        let TestedLine { trunk, caller_id, home } = line;
        let room = self.trunks.get(&trunk).filter(|line| line.trunk.carries(number, &home));
        match room.map(|line| line.room(self.now)) {
            None => {
                self.refuse_test(id, number, Some(trunk), TestRefusal::NoTrunk);
                return Ok(());
            }
            Some(Ready::Rate(at)) if at.since(self.now) <= TRUNK_TEST_WAIT => {
                self.wakes.set_sooner(Wake::Trunk(trunk), at);
                return Err(Why::CallsPerSec);
            }
            Some(Ready::Rate(_) | Ready::Full) => {
                self.refuse_test(id, number, Some(trunk), TestRefusal::TrunkFull);
                return Ok(());
            }
            Some(Ready::Now | Ready::Down(_)) => {}
        }
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.tests.pop_front();
        }
        let caller_id = caller_id.map(|number| CallerId { number, shown: number.national() });
        self.open(NewAttempt {
            campaign: id,
            leased: None,
            number,
            trunk,
            caller_id,
            open_until: FOREVER,
            for_agent: None,
            agent_first: false,
        });
        Ok(())
    }

    /// Takes the first test off the queue and reports that it is not called.
    fn refuse_test(
        &mut self,
        campaign: CampaignId,
        number: PhoneNumber,
        trunk: Option<TrunkId>,
        why: TestRefusal,
    ) {
        if let Some(run) = self.campaigns.get_mut(&campaign) {
            run.tests.pop_front();
        }
        self.outputs.push_back(Output::TestRefused { campaign, number, why, trunk });
    }

    #[expect(clippy::too_many_arguments, reason = "one lead's whole choice, made just above")]
    fn open_lead(
        &mut self,
        id: CampaignId,
        leased: LeasedLead,
        phone: usize,
        trunk: TrunkId,
        for_agent: Option<AgentId>,
        utc: Utc,
        open_until: Utc,
    ) -> Result<(), Why> {
        let Some(run) = self.campaigns.get_mut(&id) else { return Err(Why::Finished) };
        let number = leased.lead.phones[phone].number;
        let open_until = match run.window_of(number, utc) {
            WindowState::OpenUntil(until) => open_until.min(until),
            WindowState::ClosedUntil(_) => open_until,
        };
        let household = leased.lead.household;
        let rules = &run.rules.caller_ids;
        let to = ShownTo { household, callee: number, agent: for_agent };
        let caller_id = match self.caller_ids.choose(id, rules, to, utc, &mut self.random) {
            Choice::TrunkOwn => None,
            Choice::Show(caller_id) => Some(caller_id),
            Choice::NoneUsable => {
                run.hopper.put_first(leased);
                return Err(Why::CallerIdsResting);
            }
            Choice::UsedUntil(until) => {
                run.hopper.put_first(leased);
                self.wakes.set_sooner(Wake::Pace(id), self.wall.time(until));
                return Err(Why::CallerIdsUsed);
            }
        };
        if let Some(caller_id) = &caller_id {
            self.caller_ids.note(id, household, caller_id.number, utc);
        }
        let leased = Some(leased);
        let agent_first = false;
        let attempt =
            NewAttempt { campaign: id, leased, number, trunk, caller_id, open_until, for_agent, agent_first };
        if let (Some(call), Some(agent)) = (self.open(attempt), for_agent) {
            self.reserve_agent(agent, call);
        }
        Ok(())
    }
}

/// Index of the first phone that is open and due.
fn due_phone(lead: &Lead, utc: Utc) -> Option<usize> {
    lead.phones.iter().position(|phone| is_due(phone, utc))
}

pub(super) fn is_due(phone: &Phone, utc: Utc) -> bool {
    !phone.closed && phone.next_at.is_none_or(|at| at <= utc)
}
