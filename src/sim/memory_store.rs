//! A store in memory with the rules of the real one: for virtual days, forecasts, and as the model against
//! which the real store is tested. It writes no file and keeps every row.

use super::due_leads::DueLeads;
use super::lead_changes::ChangedLead;
use paceline_core::campaign::RetryRules;
use paceline_core::campaign::retry::Finished;
use paceline_core::dialer::input::{DialVerdict, KnownCaller, OpenWork};
use paceline_core::dialer::output::{AttemptRequest, AttemptResult, LeadUpdate, LegRecord, SummaryRecord};
use paceline_core::ids::{AgentId, AttemptId, CallId, CampaignId, HouseholdId, LeadId};
use paceline_core::lead::{Lead, Phone};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::pacing::ledger::{Counts, FinishedAttempt, Ledger};
use paceline_core::time::{Duration, Utc};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// One lead with its state in the store.
#[derive(Clone, Debug)]
pub struct StoredLead {
    pub lead: Lead,
    pub state: LeadState,
    pub reason: Option<Reason>,
    pub result: Option<String>,
}

/// One attempt with its state in the store.
#[derive(Clone, Debug)]
pub struct StoredAttempt {
    pub request: AttemptRequest,
    pub answered_at: Option<Utc>,
    pub result: Option<AttemptResult>,
}

impl StoredLead {
    /// Open, or waiting for its callback.
    fn is_open(&self) -> bool {
        let booked = self.state == LeadState::FollowUp && self.lead.next_at.is_some();
        self.state == LeadState::Open || booked
    }
}

impl StoredLead {
    /// Whether the lead and this phone are due. A booked callback is due at its time only, so a copy of the
    /// lead from before the booking comes too early. A `listed` (blacklisted) number is refused by its own
    /// reason later.
    fn may_be_called(&self, number: PhoneNumber, listed: bool, now: Utc) -> bool {
        let early = self.state == LeadState::FollowUp && self.lead.next_at.is_some_and(|at| at > now);
        let closed = |phone: &Phone| phone.number == number && phone.closed;
        self.is_open() && !early && (listed || !self.lead.phones.iter().any(closed))
    }
}

/// Due leads of one agent that are given out at a time.
const ASSIGNED_MAX: usize = 3;

/// The store of one campaign.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    leads: BTreeMap<LeadId, StoredLead>,
    due: DueLeads,
    /// Leased leads: given to the dialer and not yet written back.
    leased: FxHashSet<LeadId>,
    attempts: BTreeMap<AttemptId, StoredAttempt>,
    taken_back: BTreeSet<AttemptId>,
    by_number: FxHashMap<PhoneNumber, Vec<AttemptId>>,
    by_household: BTreeMap<HouseholdId, BTreeSet<LeadId>>,
    /// The leads that have a number; the numbers of a lead stay.
    leads_of_number: FxHashMap<PhoneNumber, BTreeSet<LeadId>>,
    open_numbers: FxHashSet<PhoneNumber>,
    open_households: FxHashSet<HouseholdId>,
    open_leads: FxHashSet<LeadId>,
    resting: BTreeMap<PhoneNumber, Utc>,
    /// Abandoned callees: called again only if an agent is reserved for the call.
    needs_reserved_agent: BTreeMap<PhoneNumber, Utc>,
    blacklist: BTreeSet<PhoneNumber>,
    /// Leased because an agent requested the lead: dialled whatever its state.
    requested: BTreeSet<LeadId>,
    summaries: Vec<SummaryRecord>,
    /// The places of an attempt's summaries in `summaries`, those of calls that came in left out.
    summaries_of: FxHashMap<AttemptId, Vec<usize>>,
    legs: Vec<LegRecord>,
    changes: Vec<ChangedLead>,
    open: u64,
    last_attempt: i64,
}

impl MemoryStore {
    pub fn add_lead(&mut self, lead: Lead) {
        if let Some(household) = lead.household {
            self.by_household.entry(household).or_default().insert(lead.id);
        }
        for phone in &lead.phones {
            self.leads_of_number.entry(phone.number).or_default().insert(lead.id);
        }
        self.due.insert(&lead);
        self.open += 1;
        self.leads.insert(lead.id, StoredLead { lead, state: LeadState::Open, reason: None, result: None });
    }

    pub fn leads(&self) -> impl Iterator<Item = &StoredLead> {
        self.leads.values()
    }

    pub fn attempts(&self) -> impl Iterator<Item = &StoredAttempt> {
        self.attempts.values()
    }

    pub fn lead(&self, id: LeadId) -> Option<&StoredLead> {
        self.leads.get(&id)
    }

    /// Summaries that agents wrote, in order of arrival.
    pub fn summaries(&self) -> &[SummaryRecord] {
        &self.summaries
    }

    /// Legs that were no attempts.
    pub fn legs(&self) -> &[LegRecord] {
        &self.legs
    }

    pub fn leads_open(&self) -> u64 {
        self.open
    }

    /// Up to `count` due leads (retries and callbacks by their time, then with `untried` untried leads), when
    /// the next retry or callback is due, and the number of open leads.
    pub fn fetch(&mut self, count: u32, untried: bool, now: Utc) -> (Vec<Lead>, Option<Utc>, u64) {
        let mut leads = Vec::new();
        let mut next_due = None;
        for (at, id) in self.due.timed().filter(|(_, id)| !self.leased.contains(id)) {
            if at > now || leads.len() as u32 == count {
                next_due = Some(at);
                break;
            }
            leads.push(self.leads[&id].lead.clone());
        }
        let room = if untried { count as usize - leads.len() } else { 0 };
        let fresh = self.due.untimed().filter(|id| !self.leased.contains(id));
        leads.extend(fresh.take(room).map(|id| self.leads[&id].lead.clone()));
        let mut of_agent: BTreeMap<AgentId, usize> = BTreeMap::new();
        for (at, id) in self.due.assigned() {
            let lead = &self.leads[&id].lead;
            let Some(agent) = lead.assigned else { continue };
            if at > now {
                next_due = next_due.map_or(Some(at), |due: Utc| Some(due.min(at)));
                continue;
            }
            let given = of_agent.entry(agent).or_default();
            *given += 1;
            if *given <= ASSIGNED_MAX && !self.leased.contains(&id) {
                leads.push(lead.clone());
            }
        }
        self.leased.extend(leads.iter().map(|lead| lead.id));
        (leads, next_due, self.open)
    }

    /// Takes back leased leads that the dialer does not want any more.
    pub fn return_leads(&mut self, leads: &[LeadId]) {
        for lead in leads {
            self.leased.remove(lead);
            self.requested.remove(lead);
        }
    }

    /// Leads that are leased and not yet written back or returned.
    pub fn leased(&self) -> impl Iterator<Item = LeadId> {
        self.leased.iter().copied()
    }

    /// Leases the lead that an agent requested, whatever its state; `None` = blacklisted, or in a live call.
    pub fn fetch_lead(&mut self, id: LeadId) -> Option<Lead> {
        let booked = self.leads.get(&id)?;
        let lead = &booked.lead;
        let listed = lead.phones.iter().all(|phone| self.blacklist.contains(&phone.number));
        let busy = lead.phones.iter().any(|phone| self.open_numbers.contains(&phone.number))
            || lead.household.is_some_and(|household| self.open_households.contains(&household));
        if listed || busy || booked.reason == Some(Reason::Blacklisted) {
            return None;
        }
        if !self.leased.insert(id) {
            return None;
        }
        self.requested.insert(id);
        Some(self.leads.get(&id)?.lead.clone())
    }

    /// The last callee known under this number.
    pub fn find_caller(&self, number: PhoneNumber) -> Option<KnownCaller> {
        let attempt = &self.attempts[self.by_number.get(&number)?.last()?];
        let lead = attempt.request.lead.and_then(|id| self.leads.get(&id)).map(|booked| booked.lead.clone());
        let agent = attempt.result.as_ref().and_then(|result| result.agent);
        Some(KnownCaller { campaign: attempt.request.campaign, lead, agent })
    }

    /// Call counts for the abandon ledger by quarter hour, summed as the real store does: a callee waits for
    /// an agent for at most `answer_wait`.
    pub fn abandons(&self, answer_wait: Duration) -> Vec<(Utc, Counts)> {
        let mut ledger = Ledger::default();
        let mut machines = BTreeMap::new();
        for said in self.summaries.iter().filter(|said| !said.inbound) {
            machines.insert(said.attempt, said.machine);
        }
        for attempt in self.attempts.values() {
            let Some(result) = &attempt.result else {
                ledger.placed(attempt.request.placed_at);
                continue;
            };
            let booked = FinishedAttempt {
                placed_at: attempt.request.placed_at,
                rang: result.ringing_at.is_some(),
                answered_at: attempt.answered_at.or(result.answered_at),
                connected_at: result.connected_at,
                ended_at: result.ended_at,
                ended_by: result.ended_by,
                outcome: result.outcome,
                machine: machines.get(&result.attempt).copied().unwrap_or(false),
            };
            ledger.enter(&booked, answer_wait);
        }
        ledger.sums().map(|(at, counts)| (at, *counts)).collect()
    }

    /// Answers "may this number be dialled now?" and, if so, writes the attempt's row.
    pub fn open_attempt(&mut self, request: &AttemptRequest, now: Utc) -> DialVerdict {
        assert!(request.attempt.0 > self.last_attempt, "attempt {} was given out twice", request.attempt);
        let mut verdict = self.may_dial(request, now);
        if verdict == DialVerdict::Opened {
            self.last_attempt = request.attempt.0;
            self.by_number.entry(request.number).or_default().push(request.attempt);
            self.open_numbers.insert(request.number);
            self.open_households.extend(request.household);
            self.open_leads.extend(request.lead);
            if let Some(stored) = request.lead.and_then(|lead| self.leads.get_mut(&lead)) {
                stored.lead.is_first = false;
            }
            let booked = StoredAttempt { request: request.clone(), answered_at: None, result: None };
            self.attempts.insert(request.attempt, booked);
        } else if let Some(id) = request.lead {
            self.leased.remove(&id);
            self.requested.remove(&id);
            if let DialVerdict::Closed(reason) = verdict
                && !self.close_phone(id, request.number, reason)
            {
                // The lead has other phones: it can be leased again at once.
                verdict = DialVerdict::NotBefore { until: request.placed_at, reason };
            }
        }
        verdict
    }

    fn may_dial(&self, request: &AttemptRequest, now: Utc) -> DialVerdict {
        let listed = self.blacklist.contains(&request.number);
        let is_current = |id: &LeadId| {
            self.leads.get(id).is_some_and(|stored| stored.lead.version == request.lead_version)
        };
        if request.lead.as_ref().is_some_and(|id| !is_current(id)) {
            return DialVerdict::Gone;
        }
        if let Some(id) = request.lead.filter(|id| !self.requested.contains(id))
            && self.leads.get(&id).is_none_or(|lead| !lead.may_be_called(request.number, listed, now))
        {
            return DialVerdict::Gone;
        }
        if listed {
            return DialVerdict::Closed(Reason::Blacklisted);
        }
        if now >= request.open_until {
            return DialVerdict::NotBefore { until: request.open_until, reason: Reason::OutsideWindow };
        }
        let busy = self.open_numbers.contains(&request.number)
            || request.household.is_some_and(|household| self.open_households.contains(&household));
        if busy {
            return DialVerdict::NotBefore { until: now + request.rest, reason: Reason::Duplicate };
        }
        let needs_reserved_agent =
            self.needs_reserved_agent.get(&request.number).filter(|_| !request.guaranteed);
        let rest = self.resting.get(&request.number).max(needs_reserved_agent).filter(|until| **until > now);
        if let Some(until) = rest {
            return DialVerdict::NotBefore { until: *until, reason: Reason::AttemptsUsed };
        }
        let earlier = self.by_number.get(&request.number).map_or(&[][..], Vec::as_slice);
        let counted = earlier
            .iter()
            .map(|id| &self.attempts[id])
            .filter(|attempt| attempt.result.as_ref().is_none_or(|result| result.counted));
        let (mut all, mut today) = (0, 0);
        let mut last = None;
        for attempt in counted {
            let placed = attempt.request.placed_at;
            all += u32::from(attempt.request.campaign == request.campaign);
            today += u32::from(placed >= request.day_start && placed < request.day_end);
            last = last.max(Some((placed, attempt.request.attempt)));
        }
        if all >= request.attempts_max {
            return DialVerdict::Closed(Reason::AttemptsUsed);
        }
        if let Some((placed, attempt)) = last
            && placed + request.gap_min > now
            && !self.has_agreed_time(attempt, request.lead)
        {
            let until = placed + request.gap_min;
            return DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
        }
        if today >= request.per_day_max {
            return DialVerdict::NotBefore { until: request.day_end, reason: Reason::AttemptsUsed };
        }
        DialVerdict::Opened
    }

    /// Whether a summary of this attempt sets the time of the lead's next call: then no gap is required.
    fn has_agreed_time(&self, attempt: AttemptId, lead: Option<LeadId>) -> bool {
        let says = |said: &SummaryRecord| said.lead.as_ref().map(|update| update.lead) == lead;
        self.summaries_of(attempt).any(says)
    }

    pub fn save_answer(&mut self, call: CallId, at: Utc) {
        if let Some(attempt) = self.attempts.get_mut(&call.attempt()) {
            attempt.answered_at = Some(at);
        }
    }

    pub fn save_result(&mut self, result: AttemptResult) {
        let Some(attempt) = self.attempts.get_mut(&result.attempt) else { return };
        assert!(attempt.result.is_none(), "attempt {} ended twice", result.attempt);
        self.open_numbers.remove(&attempt.request.number);
        if let Some(household) = attempt.request.household {
            self.open_households.remove(&household);
        }
        if let Some(lead) = attempt.request.lead {
            self.open_leads.remove(&lead);
        }
        let update = result.lead.clone();
        let (agent, id) = (result.agent, result.attempt);
        if let Some(until) = result.rest_until {
            self.needs_reserved_agent.insert(attempt.request.number, until);
        }
        let household = attempt.request.household;
        attempt.result = Some(result);
        let Some(update) = update else { return };
        let lead = update.lead;
        if self.summaries_of(id).any(|given| given.lead.is_some()) {
            self.count_try(update);
        } else {
            self.return_leads(&[lead]);
            self.write_lead(update, false);
        }
        let home = household.and_then(|household| self.by_household.get(&household)).cloned();
        for of in home.unwrap_or_default().into_iter().chain([lead]).filter(|_| agent.is_some()) {
            if let Some(booked) = self.leads.get_mut(&of) {
                booked.lead.last_agent = agent;
            }
        }
    }

    /// What agents said of an attempt, in order.
    fn summaries_of(&self, attempt: AttemptId) -> impl Iterator<Item = &SummaryRecord> {
        let places = self.summaries_of.get(&attempt).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.summaries[*place])
    }

    /// The call's summary has decided the lead's state already: only the try is counted.
    fn count_try(&mut self, update: LeadUpdate) {
        self.leased.remove(&update.lead);
        self.requested.remove(&update.lead);
        let Some(booked) = self.leads.get_mut(&update.lead) else { return };
        booked.lead.uncounted = update.uncounted;
        for tried in update.phones {
            if let Some(phone) = booked.lead.phones.iter_mut().find(|phone| phone.number == tried.number) {
                (phone.attempts, phone.last_outcome, phone.last_at) =
                    (tried.attempts, tried.last_outcome, tried.last_at);
            }
        }
    }

    /// Writes an agent's summary and its effect on the lead: it opens a lead again that the answered call had
    /// closed, but none that was closed for a reason.
    pub fn save_summary(&mut self, record: SummaryRecord) {
        let update = record.lead.clone().filter(|update| !record.defaulted || self.is_current(update));
        if !record.inbound {
            self.summaries_of.entry(record.attempt).or_default().push(self.summaries.len());
        }
        self.summaries.push(record);
        if let Some(update) = update {
            self.write_lead(update, true);
        }
    }

    /// Whether people have not changed the lead since this was decided.
    fn is_current(&self, update: &LeadUpdate) -> bool {
        self.leads.get(&update.lead).is_none_or(|stored| stored.lead.version == update.version)
    }

    pub fn save_leg(&mut self, record: LegRecord) {
        self.legs.push(record);
    }

    /// Writes a lead's new state that comes from no call: what a person changed meanwhile stands.
    pub fn save_lead(&mut self, update: LeadUpdate) {
        self.return_leads(&[update.lead]);
        if self.is_current(&update) {
            self.write_lead(update, false);
        }
    }

    /// Changes of leads by people, in their order.
    pub fn changes(&self) -> &[ChangedLead] {
        &self.changes
    }

    pub(super) fn note_change(&mut self, change: ChangedLead) {
        self.changes.push(change);
    }

    /// Whether a call to the lead is up, or being set up.
    pub(super) fn is_called(&self, lead: LeadId) -> bool {
        self.open_leads.contains(&lead)
    }

    /// Whether every number of the lead is blacklisted.
    pub(super) fn is_blacklisted(&self, lead: LeadId) -> bool {
        let phones = self.leads.get(&lead).map_or(&[][..], |stored| &stored.lead.phones);
        phones.iter().all(|phone| self.blacklist.contains(&phone.number))
    }

    /// Opens the lead's phones that are not blacklisted, if none of them is open.
    pub(super) fn open_phones(&mut self, lead: LeadId) {
        let Some(stored) = self.leads.get_mut(&lead) else { return };
        let allowed = |phone: &&mut Phone| !self.blacklist.contains(&phone.number);
        if stored.lead.phones.iter_mut().filter(allowed).all(|phone| phone.closed) {
            stored.lead.phones.iter_mut().filter(allowed).for_each(|phone| phone.closed = false);
        }
    }

    /// Changes a lead's row, and keeps the order of due leads and the count of open ones.
    pub(super) fn rewrite(&mut self, lead: LeadId, change: impl FnOnce(&mut StoredLead)) {
        let Some(stored) = self.leads.get_mut(&lead) else { return };
        let was_open = stored.is_open();
        self.due.remove(&stored.lead);
        change(stored);
        let is_open = stored.is_open();
        if is_open {
            self.due.insert(&stored.lead);
        }
        self.open = self.open - u64::from(was_open) + u64::from(is_open);
    }

    /// A closed lead stays closed, whatever retry an ending call asks for; a summary opens a lead that was
    /// not closed for a reason.
    fn write_lead(&mut self, mut update: LeadUpdate, said: bool) {
        let Some(booked) = self.leads.get_mut(&update.lead) else { return };
        let was_open = booked.is_open();
        let closed = !was_open && (!said || booked.reason.is_some());
        if closed && matches!(update.state, LeadState::Open | LeadState::FollowUp) {
            (update.state, update.reason) = (booked.state, booked.reason);
            (update.next_at, update.callback) = (booked.lead.next_at, booked.lead.callback.clone());
        }
        self.due.remove(&booked.lead);
        booked.lead.phones = update.phones;
        booked.lead.uncounted = update.uncounted;
        booked.lead.next_at = update.next_at;
        booked.lead.callback = update.callback;
        booked.state = update.state;
        booked.reason = update.reason;
        booked.result = update.result.or(booked.result.take());
        let is_open = booked.is_open();
        if is_open {
            self.due.insert(&booked.lead);
        }
        self.open = self.open - u64::from(was_open) + u64::from(is_open);
        if let Some(household) = update.household_done {
            let others = self.by_household.get(&household).cloned().unwrap_or_default();
            for other in others.into_iter().filter(|other| *other != update.lead) {
                self.close(other, Reason::HouseholdDone);
            }
        }
    }

    /// Attempts that were the line's fault: uncounted, and their leads are open again unless anything else
    /// decided them.
    pub fn take_back(&mut self, attempts: &[AttemptId], next_at: Utc) {
        for id in attempts {
            let Some(attempt) = self.attempts.get_mut(id).filter(|it| it.answered_at.is_none()) else {
                continue;
            };
            let (number, lead) = (attempt.request.number, attempt.request.lead);
            let Some(result) = attempt.result.as_mut().filter(|_| self.taken_back.insert(*id)) else {
                continue;
            };
            let counted = std::mem::replace(&mut result.counted, false);
            result.outcome = Outcome::LineFault;
            let Some(lead) = lead else { continue };
            let reached =
                self.attempts.values().any(|it| it.request.lead == Some(lead) && it.answered_at.is_some());
            let Some(stored) = self.leads.get_mut(&lead) else { continue };
            let was_open = stored.is_open();
            self.due.remove(&stored.lead);
            stored.lead.uncounted = stored.lead.uncounted.saturating_sub(u32::from(!counted));
            for phone in stored.lead.phones.iter_mut().filter(|phone| phone.number == number) {
                phone.attempts = phone.attempts.saturating_sub(u32::from(counted));
                (phone.last_outcome, phone.next_at) = (Some(Outcome::LineFault), Some(next_at));
                phone.closed = false;
            }
            let undecided = matches!(stored.reason, None | Some(Reason::AttemptsUsed)) && !reached;
            if stored.state == LeadState::Failed && undecided {
                (stored.state, stored.reason) = (LeadState::Open, None);
            }
            self.set_due(lead, was_open);
        }
    }

    /// The line works again: phones of these leads whose last outcome is `line_fault` are due.
    pub fn make_due(&mut self, leads: &[LeadId], at: Utc) {
        for lead in leads {
            let Some(stored) = self.leads.get_mut(lead).filter(|stored| stored.is_open()) else { continue };
            self.due.remove(&stored.lead);
            for phone in stored.lead.phones.iter_mut().filter(|phone| !phone.closed) {
                if phone.last_outcome == Some(Outcome::LineFault) && phone.next_at > Some(at) {
                    phone.next_at = Some(at);
                }
            }
            self.set_due(*lead, true);
        }
    }

    fn set_due(&mut self, lead: LeadId, was_open: bool) {
        let Some(stored) = self.leads.get_mut(&lead) else { return };
        if stored.state == LeadState::Open && stored.lead.callback.is_none() {
            stored.lead.next_at = stored.lead.earliest();
        }
        let is_open = stored.is_open();
        if is_open {
            self.due.insert(&stored.lead);
        }
        self.open = self.open - u64::from(was_open) + u64::from(is_open);
    }

    /// Closes every lead that is still open.
    pub fn close_leads(&mut self, reason: Reason) {
        let open: Vec<LeadId> = self.due.all().collect();
        for id in open {
            self.close(id, reason);
        }
    }

    /// Blacklists a number and closes every lead that has no other phone left.
    pub fn blacklist(&mut self, number: PhoneNumber) {
        self.blacklist.insert(number);
        for lead in self.leads_of_number.get(&number).cloned().unwrap_or_default() {
            self.close_phone(lead, number, Reason::Blacklisted);
        }
    }

    /// Closes one phone, and its lead if it was the last; returns whether it was.
    fn close_phone(&mut self, id: LeadId, number: PhoneNumber, reason: Reason) -> bool {
        let Some(booked) = self.leads.get_mut(&id).filter(|booked| booked.is_open()) else { return false };
        let phones = &mut booked.lead.phones;
        phones.iter_mut().filter(|phone| phone.number == number).for_each(|phone| phone.closed = true);
        let last = phones.iter().all(|phone| phone.closed);
        if last {
            self.close(id, reason);
        }
        last
    }

    /// Closes one lead by a manager's order.
    pub fn close_lead(&mut self, id: LeadId, reason: Reason) {
        self.close(id, reason);
    }

    /// Recovery, as the real store does it when opened after a crash: every open attempt is closed as
    /// interrupted and its number rests.
    pub fn resume(&mut self, rules: &RetryRules, campaign: CampaignId, now: Utc) -> OpenWork {
        let open: Vec<StoredAttempt> =
            self.attempts.values().filter(|attempt| attempt.result.is_none()).cloned().collect();
        self.leased.clear();
        self.requested.clear();
        for attempt in open {
            let request = attempt.request;
            self.resting.insert(request.number, now + request.rest);
            let answered = attempt.answered_at.is_some();
            let lead = request.lead.and_then(|id| self.leads.get(&id)).map(|booked| {
                let outcome = Outcome::Interrupted;
                let finished =
                    Finished { number: request.number, outcome, answered, at: now, next_trunk: false };
                rules.settle(campaign, &booked.lead, finished)
            });
            self.save_result(AttemptResult {
                attempt: request.attempt,
                campaign,
                outcome: Outcome::Interrupted,
                cause: "the dialer stopped".into(),
                sip_code: None,
                ended_by: paceline_core::outcome::EndedBy::Dialer,
                ringing_at: None,
                answered_at: attempt.answered_at,
                connected_at: None,
                agent: None,
                ended_at: now,
                keys: Vec::new(),
                key_ways: Vec::new(),
                result: None,
                counted: request.lead.is_some(),
                rest_until: None,
                lead,
            });
        }
        OpenWork {
            next_attempt: self.last_attempt + 1,
            resting: self.resting.iter().map(|(number, until)| (*number, *until)).collect(),
            caller_id_uses: self
                .attempts
                .values()
                .filter_map(|attempt| Some((attempt.request.caller_id?, attempt.request.placed_at)))
                .collect(),
            ..OpenWork::default()
        }
    }

    fn close(&mut self, id: LeadId, reason: Reason) {
        let Some(booked) = self.leads.get_mut(&id).filter(|booked| booked.is_open()) else { return };
        self.due.remove(&booked.lead);
        booked.state = LeadState::Failed;
        booked.reason = Some(reason);
        self.open -= 1;
    }
}
