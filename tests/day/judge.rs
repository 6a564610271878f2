//! The judge: watches every call that leaves and reads the store afterwards.

use super::Plan;
use paceline::sim::memory_store::MemoryStore;
use paceline_core::campaign::retry::usual_retry;
use paceline_core::campaign::window::WindowState;
use paceline_core::dialer::Output;
use paceline_core::ids::CallId;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::time::{Time, Utc};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One INVITE.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub at: Time,
    pub utc: Utc,
    pub call: CallId,
    pub trunk: u16,
    pub number: PhoneNumber,
}

#[derive(Clone, Default)]
pub struct Judge {
    pub sent: Rc<RefCell<Vec<Sent>>>,
}

impl Judge {
    pub fn watcher(&self) -> paceline::sim::day::Watch {
        let sent = self.sent.clone();
        Box::new(move |at, utc, output| {
            if let Output::PlaceCall { call, trunk, number, .. } = output {
                sent.borrow_mut().push(Sent { at, utc, call: *call, trunk: trunk.0, number: *number });
            }
        })
    }

    /// Checks all properties of a day that finished.
    pub fn judge(&self, plan: &Plan, store: &MemoryStore) -> Result<(), String> {
        let sent = self.sent.borrow();
        let ends = self.ends(store);
        every_call_has_its_row(&sent, store)?;
        every_lead_ends(store)?;
        no_number_has_two_calls_at_once(&sent, &ends)?;
        no_answered_callee_is_called_again(store)?;
        every_attempt_had_its_reason(plan, store)?;
        hours_hold(plan, &sent)?;
        limits_hold(plan, &sent, &ends)
    }

    /// When each call ended, in UTC.
    fn ends(&self, store: &MemoryStore) -> BTreeMap<CallId, Utc> {
        let ended = |attempt: &paceline::sim::memory_store::StoredAttempt| {
            Some((attempt.request.attempt.call(), attempt.result.as_ref()?.ended_at))
        };
        store.attempts().filter_map(ended).collect()
    }
}

fn every_call_has_its_row(sent: &[Sent], store: &MemoryStore) -> Result<(), String> {
    let rows: BTreeSet<CallId> = store.attempts().map(|attempt| attempt.request.attempt.call()).collect();
    let mut seen = BTreeSet::new();
    for call in sent {
        if !rows.contains(&call.call) {
            return Err(format!("{call:?} left without a row"));
        }
        if !seen.insert(call.call) {
            return Err(format!("{call:?} left twice"));
        }
    }
    match store.attempts().find(|attempt| attempt.result.is_none()) {
        Some(open) => Err(format!("attempt {} never ended", open.request.attempt)),
        None => Ok(()),
    }
}

fn every_lead_ends(store: &MemoryStore) -> Result<(), String> {
    let mut open = 0;
    for booked in store.leads() {
        let tried = booked.lead.phones.iter().any(|phone| phone.last_outcome.is_some());
        match booked.state {
            LeadState::Open | LeadState::FollowUp => open += 1,
            LeadState::Done | LeadState::Failed if tried || booked.reason.is_some() => {}
            state => return Err(format!("lead {} is {state} without outcome or reason", booked.lead.id)),
        }
    }
    if open != store.leads_open() || open > 0 {
        return Err(format!("{open} leads are open, the store counts {}", store.leads_open()));
    }
    Ok(())
}

fn no_number_has_two_calls_at_once(sent: &[Sent], ends: &BTreeMap<CallId, Utc>) -> Result<(), String> {
    let mut last: BTreeMap<PhoneNumber, &Sent> = BTreeMap::new();
    for call in sent {
        if let Some(earlier) = last.insert(call.number, call)
            && ends.get(&earlier.call).is_none_or(|end| *end > call.utc)
        {
            return Err(format!("{} rang twice at once: {earlier:?} and {call:?}", call.number));
        }
    }
    Ok(())
}

fn no_answered_callee_is_called_again(store: &MemoryStore) -> Result<(), String> {
    // A number in two rows belongs to two leads, so this is checked per lead and number.
    let mut answered = BTreeSet::new();
    for attempt in store.attempts() {
        let key = (attempt.request.lead, attempt.request.number);
        if answered.contains(&key) {
            return Err(format!("{key:?} had answered and was called again"));
        }
        if attempt.answered_at.is_some() {
            answered.insert(key);
        }
    }
    Ok(())
}

fn every_attempt_had_its_reason(plan: &Plan, store: &MemoryStore) -> Result<(), String> {
    let rules = &plan.campaign.retry;
    let mut by_number: BTreeMap<PhoneNumber, Vec<&paceline::sim::memory_store::StoredAttempt>> =
        BTreeMap::new();
    for attempt in store.attempts() {
        by_number.entry(attempt.request.number).or_default().push(attempt);
    }
    for (number, attempts) in by_number {
        let counted: Vec<_> =
            attempts.iter().filter(|attempt| attempt.result.as_ref().is_some_and(|r| r.counted)).collect();
        if counted.len() as u32 > rules.attempts_max {
            return Err(format!("{number}: {} attempts of {}", counted.len(), rules.attempts_max));
        }
        let mut days: BTreeMap<Utc, u32> = BTreeMap::new();
        for attempt in &counted {
            let (day, _) = plan.campaign.windows.local_day(attempt.request.placed_at);
            *days.entry(day).or_default() += 1;
        }
        if let Some((day, count)) = days.into_iter().find(|(_, count)| *count > rules.per_day_max) {
            return Err(format!("{number}: {count} attempts on the day of {day:?}"));
        }
        for pair in counted.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let gap = after.request.placed_at.since(before.request.placed_at);
            if gap < rules.gap_min {
                return Err(format!("{number}: a gap of {gap:?}"));
            }
            let Some(result) = &before.result else { continue };
            let same_lead = before.request.lead == after.request.lead;
            let rest = after.request.placed_at.since(result.ended_at);
            let usual = usual_retry(result.outcome);
            match rules.after.get(&result.outcome).or(usual.as_ref()) {
                _ if !same_lead => {}
                Some(delay) if rest >= *delay => {}
                Some(delay) => {
                    return Err(format!("{number}: again {rest:?} after {}, not {delay:?}", result.outcome));
                }
                None => return Err(format!("{number}: again after {}, which is final", result.outcome)),
            }
            if result.outcome == Outcome::Interrupted && rest < plan.campaign.ring {
                return Err(format!("{number}: the cut-off call may still have rung"));
            }
        }
    }
    Ok(())
}

fn hours_hold(plan: &Plan, sent: &[Sent]) -> Result<(), String> {
    for call in sent {
        if let WindowState::ClosedUntil(opens) = plan.campaign.windows.state(call.utc) {
            return Err(format!("{call:?} left outside the calling hours, which open at {opens:?}"));
        }
    }
    Ok(())
}

fn limits_hold(plan: &Plan, sent: &[Sent], ends: &BTreeMap<CallId, Utc>) -> Result<(), String> {
    for trunk in &plan.trunks {
        let calls: Vec<Sent> = sent.iter().copied().filter(|call| call.trunk == trunk.id.0).collect();
        most_at_once(&calls, ends, trunk.calls_max, &trunk.name)?;
        most_per_sec(&calls, trunk.calls_per_sec, &trunk.name)?;
    }
    if let Some(most) = plan.campaign.concurrency_max {
        most_at_once(sent, ends, most, "the campaign")?;
    }
    most_per_sec(sent, plan.campaign.calls_per_sec.unwrap_or(f64::MAX), "the campaign")
}

fn most_at_once(sent: &[Sent], ends: &BTreeMap<CallId, Utc>, most: u32, whose: &str) -> Result<(), String> {
    let mut steps: Vec<(Utc, i32)> = Vec::new();
    for call in sent {
        steps.push((call.utc, 1));
        steps.extend(ends.get(&call.call).map(|end| (*end, -1)));
    }
    // An end in the same millisecond comes first.
    steps.sort();
    let mut live = 0;
    for (at, step) in steps {
        live += step;
        if live > most as i32 {
            return Err(format!("{whose}: {live} calls at once at {at:?}, allowed are {most}"));
        }
    }
    Ok(())
}

fn most_per_sec(sent: &[Sent], per_sec: f64, whose: &str) -> Result<(), String> {
    let mut first = 0;
    for (n, call) in sent.iter().enumerate() {
        while sent[first].at.as_millis() + 1000 <= call.at.as_millis() {
            first += 1;
        }
        // A killed process cannot pass on what it sent in the same second: the pause between two processes is
        // at least 10 ms, so a second may hold the rate twice in the worst case.
        let count = (n - first + 1) as f64;
        if count > per_sec * 1.1 + 1.0 && count > per_sec.ceil() * 2.0 + 1.0 {
            return Err(format!("{whose}: {count} starts in a second at {}, allowed are {per_sec}", call.at));
        }
    }
    Ok(())
}
