//! Checks of every number and lead after a day on the floor: when each was called and for which reason, and
//! whether the rows say what happened.

use super::FloorPlan;
use super::judge::{Seen, Sent};
use paceline::sim::lead_changes::{ChangedLead, LeadChange};
use paceline::sim::memory_store::{MemoryStore, StoredAttempt};
use paceline_core::campaign::Mode;
use paceline_core::campaign::retry::usual_retry;
use paceline_core::campaign::window::WindowState;
use paceline_core::dialer::output::{LeadUpdate, SummaryRecord};
use paceline_core::ids::{AttemptId, CallId, HouseholdId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::time::{Duration, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Longer than any wrap-up, extended or not.
const WRAPPED_UP: Duration = Duration::from_secs(3600);

pub fn judge(plan: &FloorPlan, seen: &Seen, store: &MemoryStore, finished: bool) -> Result<(), String> {
    every_call_has_its_row(seen, store)?;
    no_number_has_two_calls_at_once(seen, store)?;
    hours_hold(seen)?;
    starts_stay_within_the_rate(seen)?;
    attempts_stay_within_their_caps(seen, store)?;
    no_lead_is_called_before_its_time(plan, seen, store)?;
    do_not_call_is_obeyed(plan, seen, store)?;
    a_done_household_is_not_called(plan, seen, store)?;
    rows_match_the_calls(plan, seen, store)?;
    every_conversation_has_a_disposition(plan, seen, store)?;
    what_people_changed_holds(plan, seen, store, finished)?;
    tries_are_counted(store)?;
    if seen.legs_ended != seen.legs_saved {
        return Err(format!("{} legs ended, {} were written down", seen.legs_ended, seen.legs_saved));
    }
    if finished { every_lead_ends(store) } else { Ok(()) }
}

fn every_call_has_its_row(seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    let rows: BTreeSet<CallId> = store.attempts().map(|attempt| attempt.request.attempt.call()).collect();
    let mut left = BTreeSet::new();
    for sent in &seen.sent {
        if !rows.contains(&sent.call) {
            return Err(format!("{sent:?} left without a row"));
        }
        if !left.insert(sent.call) {
            return Err(format!("{sent:?} left twice"));
        }
    }
    match store.attempts().find(|attempt| attempt.result.is_none()) {
        Some(open) => Err(format!("attempt {} never ended", open.request.attempt)),
        None => Ok(()),
    }
}

fn no_number_has_two_calls_at_once(seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    let rows: BTreeMap<CallId, &StoredAttempt> =
        store.attempts().map(|attempt| (attempt.request.attempt.call(), attempt)).collect();
    let ended = |call: CallId| rows[&call].result.as_ref().map(|result| result.ended_at);
    let mut numbers: BTreeMap<PhoneNumber, Sent> = BTreeMap::new();
    let mut homes: BTreeMap<HouseholdId, Sent> = BTreeMap::new();
    for sent in &seen.sent {
        let home = rows[&sent.call].request.household;
        let earlier = [numbers.insert(sent.number, *sent), home.and_then(|home| homes.insert(home, *sent))];
        for earlier in earlier.into_iter().flatten() {
            if ended(earlier.call).is_none_or(|end| end > sent.at) {
                return Err(format!("one home rang twice at once: {earlier:?} and {sent:?}"));
            }
        }
    }
    Ok(())
}

fn hours_hold(seen: &Seen) -> Result<(), String> {
    for sent in &seen.sent {
        let test = seen.attempts_tested.contains(&sent.call.attempt());
        if let WindowState::ClosedUntil(opens) = seen.versions[sent.version].windows.state(sent.at)
            && !test
        {
            return Err(format!("{sent:?} left outside the calling hours, which open at {opens:?}"));
        }
    }
    Ok(())
}

/// While one version of the rules stands, no second has more starts than it allows.
fn starts_stay_within_the_rate(seen: &Seen) -> Result<(), String> {
    for (n, first) in seen.sent.iter().enumerate() {
        let Some(per_sec) = seen.versions[first.version].calls_per_sec else { continue };
        let second = first.at + Duration::from_secs(1);
        let same = seen.sent[n..].iter().take_while(|sent| sent.version == first.version && sent.at < second);
        let starts = same.count();
        let crashed = seen.crashes_at.iter().any(|at| *at >= first.at && *at <= second);
        if starts as f64 > per_sec.ceil() && !crashed {
            return Err(format!("{starts} starts in a second from {first:?}, allowed are {per_sec}"));
        }
    }
    Ok(())
}

/// The cap on attempts is that of the rules under which the attempt was opened.
fn attempts_stay_within_their_caps(seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    let mut counted: BTreeMap<PhoneNumber, u32> = BTreeMap::new();
    for attempt in store.attempts() {
        let request = &attempt.request;
        let rules = &seen.versions[seen.opened_under[&request.attempt]];
        let tried = counted.entry(request.number).or_default();
        // Booked callbacks and numbers that an agent asks for are exempt.
        let exempt = request.attempts_max == u32::MAX || seen.attempts_asked.contains(&request.attempt);
        if !exempt && (request.attempts_max != rules.retry.attempts_max || *tried >= request.attempts_max) {
            return Err(format!("{tried} attempts before {request:?}, allowed {}", rules.retry.attempts_max));
        }
        *tried += u32::from(attempt.result.as_ref().is_some_and(|result| result.counted));
    }
    Ok(())
}

/// The latest summary of this lead before that moment.
fn latest_summary(store: &MemoryStore, lead: LeadId, before: Utc) -> Option<&SummaryRecord> {
    let of = |record: &&SummaryRecord| {
        record.at <= before && record.lead.as_ref().is_some_and(|update| update.lead == lead)
    };
    store.summaries().iter().rfind(of)
}

/// The ends of the attempts on this lead.
fn tries(store: &MemoryStore, lead: LeadId) -> impl Iterator<Item = Utc> {
    let of = store.attempts().filter(move |attempt| attempt.request.lead == Some(lead));
    of.filter_map(|attempt| attempt.result.as_ref()).map(|result| result.ended_at)
}

fn no_lead_is_called_before_its_time(
    plan: &FloorPlan,
    seen: &Seen,
    store: &MemoryStore,
) -> Result<(), String> {
    // What a crash cut off is settled by the rules that the next process has.
    let settled_by = |attempt: &AttemptId| match seen.settled_under.get(attempt) {
        Some(version) => std::slice::from_ref(&seen.versions[*version]),
        None => &seen.versions,
    };
    let mut last: BTreeMap<(LeadId, PhoneNumber), &StoredAttempt> = BTreeMap::new();
    for attempt in store.attempts() {
        let Some(lead) = attempt.request.lead else { continue };
        let placed = attempt.request.placed_at;
        let before = last.insert((lead, attempt.request.number), attempt);
        if seen.attempts_asked.contains(&attempt.request.attempt) {
            continue;
        }
        let said =
            latest_summary(store, lead, placed).and_then(|record| Some((record.at, record.lead.as_ref()?)));
        // An attempt since then has its own retry delay, but a callback waits for its time.
        let tried_since = |at: Utc| tries(store, lead).any(|end| end >= at && end <= placed);
        if let Some((at, update)) = said
            && !called_anew(store, lead, at, placed)
            && let Some(due) = update.next_at.filter(|due| *due > placed)
            && (update.state == LeadState::FollowUp || !tried_since(at))
        {
            return Err(format!("lead {lead} was to be called at {due:?}: {:?}", attempt.request));
        }
        let Some(before) = before else { continue };
        let Some(result) = &before.result else { continue };
        // Also a summary during the call: an agent who transfers the callee summarises before the transfer.
        let since_said = said.is_some_and(|(at, _)| at >= before.request.placed_at);
        let asked = seen.asked_at.get(&lead).is_some_and(|at| *at >= result.ended_at);
        let since_changed = called_anew(store, lead, result.ended_at, placed);
        if !result.counted || since_said || asked || since_changed {
            continue;
        }
        let rest = placed.since(result.ended_at);
        let delays = settled_by(&before.request.attempt).iter().map(|rules| {
            rules.retry.after.get(&result.outcome).copied().or_else(|| usual_retry(result.outcome))
        });
        match delays.flatten().min() {
            Some(delay) if rest >= delay => {}
            Some(delay) => {
                return Err(format!(
                    "{:?}: again {rest:?} after {}, not {delay:?}",
                    attempt.request, result.outcome
                ));
            }
            None => {
                return Err(format!("{:?}: again after {}, which is final", attempt.request, result.outcome));
            }
        }
        if result.outcome == Outcome::Interrupted && rest < plan.campaign.ring {
            return Err(format!("{:?}: the call that was cut off may still have rung", attempt.request));
        }
    }
    Ok(())
}

fn do_not_call_is_obeyed(plan: &FloorPlan, seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    let listed = |record: &&SummaryRecord| {
        plan.rules().disposition(&record.summary.disposition).is_some_and(|said| said.do_not_call)
    };
    for record in store.summaries().iter().filter(listed) {
        let of =
            store.attempts().find(|attempt| attempt.request.attempt == record.attempt && !record.inbound);
        let Some(number) = of.map(|attempt| attempt.request.number) else { continue };
        if let Some(again) = seen.sent.iter().find(|sent| sent.number == number && sent.at > record.at) {
            return Err(format!("{record:?}, and then {again:?}"));
        }
    }
    Ok(())
}

fn a_done_household_is_not_called(plan: &FloorPlan, seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    let mut done: BTreeMap<HouseholdId, (Utc, LeadId)> = BTreeMap::new();
    let results = store.attempts().filter_map(|attempt| attempt.result.as_ref());
    let results = results.filter_map(|result| Some((result.ended_at, result.lead.as_ref()?)));
    let said = store.summaries().iter().filter_map(|record| Some((record.at, record.lead.as_ref()?)));
    for (at, update) in results.chain(said) {
        if let Some(home) = update.household_done {
            let first = done.entry(home).or_insert((at, update.lead));
            *first = (*first).min((at, update.lead));
        }
    }
    // Whether or not a row says so: a callee who spoke with an agent, with a final disposition, closes the
    // household.
    for record in store.summaries() {
        let word = plan.rules().disposition(&record.summary.disposition);
        let agreed =
            word.is_some_and(|word| word.state == LeadState::Done) && record.summary.callback.is_none();
        let home = record.lead.as_ref().and_then(|update| store.lead(update.lead)?.lead.household);
        if let (true, Some(home), Some(update)) = (agreed, home, &record.lead) {
            let first = done.entry(home).or_insert((record.at, update.lead));
            *first = (*first).min((record.at, update.lead));
        }
    }
    for attempt in store.attempts() {
        let request = &attempt.request;
        let Some((at, lead)) = request.household.and_then(|home| done.get(&home)) else { continue };
        let wanted = seen.attempts_asked.contains(&request.attempt) || request.lead == Some(*lead);
        let opened_again = request.lead.is_some_and(|lead| {
            kept_open_since(store, lead, *at) || called_anew(store, lead, *at, request.placed_at)
        });
        if request.placed_at > *at && !wanted && !opened_again {
            return Err(format!("lead {lead} was done for its household at {at:?}, and then {request:?}"));
        }
    }
    Ok(())
}

/// Whether a person had this lead called anew between the two moments.
pub fn called_anew(store: &MemoryStore, lead: LeadId, from: Utc, until: Utc) -> bool {
    let anew = |it: &&ChangedLead| it.lead == lead && it.change.calls_anew();
    store.changes().iter().filter(anew).any(|it| it.at >= from && it.at <= until)
}

/// Whether a callback was booked with this lead at any time before.
fn was_booked(store: &MemoryStore, lead: LeadId, until: Utc) -> bool {
    let by_manager =
        |it: &ChangedLead| it.lead == lead && it.at <= until && matches!(it.change, LeadChange::Book { .. });
    let by_agent = |it: &SummaryRecord| {
        it.at <= until && it.lead.as_ref().is_some_and(|of| of.lead == lead && of.callback.is_some())
    };
    store.changes().iter().any(by_manager) || store.summaries().iter().any(by_agent)
}

/// After a change by a person no INVITE leaves on a copy from before: none to a closed lead, none to a booked one
/// before its moment, none for another agent than the one a lead is assigned to. Agents' own requests are theirs.
fn what_people_changed_holds(
    plan: &FloorPlan,
    seen: &Seen,
    store: &MemoryStore,
    finished: bool,
) -> Result<(), String> {
    let requests: BTreeMap<CallId, &StoredAttempt> =
        store.attempts().map(|attempt| (attempt.request.attempt.call(), attempt)).collect();
    let decided = |lead: LeadId, from: Utc, until: Utc| {
        let of = |update: &Option<LeadUpdate>| update.as_ref().is_some_and(|update| update.lead == lead);
        store.summaries().iter().any(|it| of(&it.lead) && it.at >= from && it.at <= until)
    };
    for sent in &seen.sent {
        let attempt = requests[&sent.call];
        let Some(lead) = attempt.request.lead else { continue };
        if seen.attempts_asked.contains(&attempt.request.attempt) {
            continue;
        }
        let mut before = store.changes().iter().filter(|it| it.lead == lead && it.at < sent.at);
        let Some(last) = before.next_back().filter(|it| !decided(lead, it.at, sent.at)) else { continue };
        let reserved = seen.callees.get(&sent.call).map(|callee| callee.agents.clone()).unwrap_or_default();
        let wrong = match last.change {
            LeadChange::Close => true,
            LeadChange::Book { at, .. } => sent.at < at,
            // An announcement reserves no agent, and a callback goes to anyone after its grace.
            LeadChange::Assign(agent) => {
                let is_booked = was_booked(store, lead, sent.at);
                // Days whose rules change have hours of announcements.
                let is_kept = plan.campaign.mode == Mode::Announce || plan.changed || is_booked;
                !is_kept && !reserved.is_empty() && !reserved.contains(&agent)
            }
            LeadChange::Reopen | LeadChange::First | LeadChange::Unassign => false,
        };
        if wrong {
            return Err(format!("{last:?}, and then {sent:?} by {reserved:?}: {:?}", attempt.request));
        }
    }
    let mut last: BTreeMap<LeadId, &ChangedLead> = BTreeMap::new();
    store.changes().iter().for_each(|it| {
        last.insert(it.lead, it);
    });
    for changed in last.into_values().filter(|_| finished) {
        let Some(stored) = store.lead(changed.lead) else { continue };
        let called = store.attempts().any(|attempt| {
            attempt.request.lead == Some(changed.lead) && attempt.request.placed_at >= changed.at
        });
        let settled = called
            || stored.reason.is_some()
            || decided(changed.lead, changed.at, Utc::from_millis(i64::MAX));
        if changed.change.calls_anew() && !settled {
            return Err(format!("{changed:?}, and it was never called: {stored:?}"));
        }
    }
    Ok(())
}

/// Whether an agent's summary since then keeps this lead open.
fn kept_open_since(store: &MemoryStore, lead: LeadId, at: Utc) -> bool {
    store.summaries().iter().any(|record| {
        let goes_on = |state| matches!(state, LeadState::Open | LeadState::FollowUp);
        record.at >= at
            && record.lead.as_ref().is_some_and(|update| update.lead == lead && goes_on(update.state))
    })
}

fn rows_match_the_calls(plan: &FloorPlan, seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    for attempt in store.attempts() {
        let id = attempt.request.attempt;
        let Some(result) = attempt.result.as_ref().filter(|result| result.outcome != Outcome::Interrupted)
        else {
            continue;
        };
        let Some(callee) = seen.callees.get(&id.call()).or_else(|| seen.past.get(&id)) else {
            return Err(format!("attempt {id} was never seen"));
        };
        if callee.bridged != result.connected_at.is_some() || callee.bridged != result.agent.is_some() {
            return Err(format!("with an agent or not? {result:?} {callee:?}"));
        }
        if let Some(agent) = result.agent.filter(|agent| !callee.agents.contains(agent)) {
            return Err(format!("agent {agent} never was there for {result:?}"));
        }
        let rest = plan.campaign.pacing.abandoned_rest;
        let rests = (result.outcome == Outcome::Abandoned).then_some(result.ended_at + rest);
        if result.rest_until != rests {
            return Err(format!("rests until {:?}, not {rests:?}: {result:?}", result.rest_until));
        }
        let moments = [result.ringing_at, result.answered_at, result.connected_at, Some(result.ended_at)];
        let moments: Vec<Utc> = moments.into_iter().flatten().collect();
        if !moments.is_sorted() || attempt.answered_at != result.answered_at {
            return Err(format!("moments out of order: {result:?}"));
        }
    }
    Ok(())
}

/// Where every conversation needs a disposition, it has one: the agent's, or the campaign's default.
fn every_conversation_has_a_disposition(
    plan: &FloorPlan,
    seen: &Seen,
    store: &MemoryStore,
) -> Result<(), String> {
    if !plan.rules().disposition_required || plan.rules().disposition_default.is_none() {
        return Ok(());
    }
    let worded: BTreeSet<_> =
        store.summaries().iter().filter(|record| !record.inbound).map(|record| record.attempt).collect();
    for attempt in store.attempts() {
        let Some(result) = attempt.result.as_ref().filter(|result| result.agent.is_some()) else { continue };
        let cut =
            seen.crashes_at.iter().any(|at| at.since(result.ended_at) < WRAPPED_UP && *at >= result.ended_at);
        if !cut && !worded.contains(&result.attempt) {
            return Err(format!("no disposition: {result:?}"));
        }
    }
    Ok(())
}

/// Caps depend on the tries stored with the number: every try that counts, and no other.
fn tries_are_counted(store: &MemoryStore) -> Result<(), String> {
    let mut tries: BTreeMap<(LeadId, PhoneNumber), u32> = BTreeMap::new();
    for attempt in store.attempts() {
        let counted = attempt.result.as_ref().is_some_and(|result| result.counted);
        if let Some(lead) = attempt.request.lead.filter(|_| counted) {
            *tries.entry((lead, attempt.request.number)).or_default() += 1;
        }
    }
    for booked in store.leads() {
        for phone in &booked.lead.phones {
            let there = tries.get(&(booked.lead.id, phone.number)).copied().unwrap_or(0);
            if phone.attempts != there {
                return Err(format!("{there} tries counted, written are {}: {booked:?}", phone.attempts));
            }
        }
    }
    Ok(())
}

fn every_lead_ends(store: &MemoryStore) -> Result<(), String> {
    let mut open = 0;
    for booked in store.leads() {
        let tried = booked.lead.phones.iter().any(|phone| phone.last_outcome.is_some());
        match booked.state {
            LeadState::Open => open += 1,
            LeadState::FollowUp if booked.lead.next_at.is_some() => open += 1,
            _ if tried || booked.reason.is_some() => {}
            state => return Err(format!("lead {} is {state} without outcome or reason", booked.lead.id)),
        }
    }
    if open == 0 && store.leads_open() == 0 {
        Ok(())
    } else {
        Err(format!("{open} leads are open, the store counts {}", store.leads_open()))
    }
}
