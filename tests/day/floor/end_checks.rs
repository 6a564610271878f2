//! Checks of the store and the state log after the day is over.

use super::FloorPlan;
use super::judge::{Callee, ReportedSeat, Seen};
use super::lead_checks::called_anew;
use paceline::sim::memory_store::{MemoryStore, StoredAttempt};
use paceline_core::agent::Availability;
use paceline_core::campaign::Mode;
use paceline_core::dialer::Dialer;
use paceline_core::dialer::output::{AttemptResult, SummaryRecord};
use paceline_core::ids::{AgentId, AttemptId, LeadId};
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::time::{Duration, Utc};
use std::collections::BTreeMap;

/// After this, a booked callback whose agent is away goes to any agent.
const GRACE: Duration = Duration::from_secs(15 * 60);

/// `finished` = the list was called to its end; a day without outbound agents ends before that.
pub fn judge(
    plan: &FloorPlan,
    seen: &Seen,
    store: &MemoryStore,
    dialer: &Dialer,
    finished: bool,
) -> Result<(), String> {
    every_agent_signed_out(dialer)?;
    every_answered_call_ends_well(seen, store)?;
    state_logs_add_up(seen)?;
    every_repeated_call_has_a_reason(plan, seen, store)?;
    callbacks_reach_their_agents(seen, store, finished)?;
    if finished { every_lease_ended(store) } else { Ok(()) }
}

fn every_agent_signed_out(dialer: &Dialer) -> Result<(), String> {
    match dialer
        .seats()
        .into_iter()
        .find(|seat| seat.availability != Availability::SignedOut || seat.work.is_some())
    {
        Some(seat) => Err(format!("still there: {seat:?}")),
        None if dialer.calls_live() > 0 => Err(format!("{} calls and legs are left", dialer.calls_live())),
        None => Ok(()),
    }
}

/// A lead that no part of the dialer holds while the store counts it as leased would never be called again.
fn every_lease_ended(store: &MemoryStore) -> Result<(), String> {
    match store.leased().next() {
        Some(lead) => Err(format!("lead {lead} is still leased: {:?}", store.lead(lead))),
        None => Ok(()),
    }
}

fn callee(seen: &Seen, attempt: AttemptId) -> Option<&Callee> {
    seen.callees.get(&attempt.call()).or_else(|| seen.past.get(&attempt))
}

fn every_answered_call_ends_well(seen: &Seen, store: &MemoryStore) -> Result<(), String> {
    let ever_announced = seen.versions.iter().any(|rules| rules.mode == Mode::Announce);
    for attempt in store.attempts().filter(|attempt| attempt.answered_at.is_some()) {
        let id = attempt.request.attempt;
        let Some(result) = &attempt.result else { return Err(format!("attempt {id} has no end")) };
        let Some(callee) = callee(seen, id) else { return Err(format!("attempt {id} was never seen")) };
        let fine = match result.outcome {
            Outcome::Answered => {
                (callee.bridged && result.connected_at.is_some() && result.agent.is_some())
                    || callee.announced
                    // The callee hung up before an announcement could be played.
                    || ever_announced && callee.acked.is_none() && callee.ended_by_callee
                    || attempt.request.lead.is_none() && result.agent.is_none()
                    || (callee.sorry && result.agent.is_none())
            }
            // Nothing is charged to a callee whom a phone of ours failed.
            Outcome::AgentFailed if result.counted || callee.agents.is_empty() => false,
            Outcome::Abandoned | Outcome::AgentFailed => {
                (callee.sorry
                    || callee.ended_by_callee
                    || callee.hung_up && (callee.for_one || callee.ordered_off))
                    && !callee.bridged
            }
            Outcome::Interrupted => !seen.crashes_at.is_empty(),
            _ => false,
        };
        if !fine {
            return Err(format!("answered, and then? {result:?} {callee:?}"));
        }
    }
    Ok(())
}

/// The times from sign-in to sign-out add up to the total, and conversations are as long as reported.
fn state_logs_add_up(seen: &Seen) -> Result<(), String> {
    for (agent, log) in &seen.log {
        state_log_adds_up(seen, log).map_err(|broken| format!("agent {agent}: {broken}"))?;
    }
    Ok(())
}

fn state_log_adds_up(seen: &Seen, log: &[ReportedSeat]) -> Result<(), String> {
    let mut shift: Option<(Utc, Duration, Duration)> = None;
    let mut logged: Option<&ReportedSeat> = None;
    let mut before: Option<&ReportedSeat> = None;
    for line in log {
        if line.logged && line.seat.since != line.at {
            return Err(format!("a line of the log is dated {:?}: {line:?}", line.seat.since));
        }
        let crashed =
            |before: &ReportedSeat| seen.crashes_at.iter().any(|at| *at > before.at && *at <= line.at);
        if before.is_some_and(crashed) {
            (shift, logged) = (None, None);
        } else if let (Some(before), Some((_, whole, talked))) = (before, &mut shift) {
            let span = line.at.since(before.at);
            *whole += span;
            // The agent of a conversation may change within one activity: a consulted agent takes it over.
            if Seen::owns_call(&before.seat) {
                *talked += span;
            }
        }
        before = Some(line);
        if !line.logged {
            continue;
        }
        let state = |line: &ReportedSeat| (line.seat.availability.clone(), line.seat.activity.clone());
        if logged.is_some_and(|logged| state(logged) == state(line)) {
            return Err(format!("the same state twice: {line:?}"));
        }
        logged = Some(line);
        let here = line.seat.availability != Availability::SignedOut;
        match (shift, here) {
            (None, true) if line.seat.signed_in_at.is_some() => {
                shift = Some((line.at, Duration::ZERO, Duration::ZERO));
            }
            (Some((from, whole, talked)), false) => {
                if line.at.since(from) != whole {
                    return Err(format!("a shift of {:?} sums to {whole:?}", line.at.since(from)));
                }
                let said = line.seat.talked;
                if said.abs_diff(talked) > Duration::from_millis(2) {
                    return Err(format!("talked {said:?}, the log says {talked:?} at {:?}", line.at));
                }
                shift = None;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A callee who answered is called again only after an abandon or a failed phone of ours, by a summary, or by an agent's request.
fn every_repeated_call_has_a_reason(
    plan: &FloorPlan,
    seen: &Seen,
    store: &MemoryStore,
) -> Result<(), String> {
    let rest = plan.campaign.retry.after.get(&Outcome::Abandoned);
    let mut answered: BTreeMap<_, &StoredAttempt> = BTreeMap::new();
    for attempt in store.attempts() {
        let Some(lead) = attempt.request.lead else { continue };
        let key = (lead, attempt.request.number);
        if let Some(earlier) =
            answered.get(&key).filter(|_| !seen.attempts_asked.contains(&attempt.request.attempt))
        {
            let result = earlier.result.as_ref().ok_or("no end")?;
            let rested = attempt.request.placed_at.since(result.ended_at);
            let abandoned = result.outcome == Outcome::Abandoned && rest.is_some_and(|rest| rested >= *rest);
            let failed = result.outcome == Outcome::AgentFailed;
            let opened = |record: &&SummaryRecord| {
                let of = record.lead.as_ref().is_some_and(|update| {
                    update.lead == lead && matches!(update.state, LeadState::Open | LeadState::FollowUp)
                });
                of && record.at <= attempt.request.placed_at
            };
            // A lead that an agent has requested since is settled by that newer call.
            let (from, placed) = (earlier.request.placed_at, attempt.request.placed_at);
            let asked_since = seen.asked_at.get(&lead).is_some_and(|at| *at >= from)
                || called_anew(store, lead, from, placed);
            if !abandoned && !failed && !asked_since && store.summaries().iter().rfind(opened).is_none() {
                return Err(format!(
                    "{key:?} had answered ({result:?}) and was called again: {:?}",
                    attempt.request
                ));
            }
        }
        if attempt.answered_at.is_some() {
            answered.insert(key, attempt);
        }
    }
    Ok(())
}

fn callbacks_reach_their_agents(seen: &Seen, store: &MemoryStore, finished: bool) -> Result<(), String> {
    let mut last: BTreeMap<LeadId, &SummaryRecord> = BTreeMap::new();
    for record in store.summaries() {
        if let Some(update) = &record.lead {
            last.insert(update.lead, record);
            continue;
        }
    }
    for record in store.summaries() {
        let (Some(update), Some(booked)) = (&record.lead, &record.summary.callback) else { continue };
        if update.callback.is_none() {
            // If the only number was wrong, no callback is possible.
            if update.phones.iter().any(|phone| !phone.closed) {
                return Err(format!("the callback of {record:?} was dropped"));
            }
            continue;
        }
        if update.next_at != Some(booked.at) {
            return Err(format!("booked for {:?}, and due at {:?}: {record:?}", booked.at, update.next_at));
        }
        // What a person changed since then is checked by itself.
        if store.changes().iter().any(|it| it.lead == update.lead && it.at >= record.at) {
            continue;
        }
        let later = store.attempts().find(|attempt| {
            attempt.request.lead == Some(update.lead) && attempt.request.placed_at >= record.at
        });
        let Some(next) = later else {
            let lead = store.lead(update.lead).ok_or("no such lead")?;
            // A later call in which the callee spoke with an agent decides instead.
            let overtaken = store.attempts().any(|attempt| {
                let spoke = |result: &AttemptResult| result.ended_at >= record.at && result.agent.is_some();
                attempt.request.lead == Some(update.lead)
                    && attempt.request.attempt != record.attempt
                    && attempt.result.as_ref().is_some_and(spoke)
            });
            let newest = !overtaken && last.get(&update.lead).is_some_and(|last| std::ptr::eq(*last, record));
            if finished && newest && lead.reason.is_none() {
                return Err(format!(
                    "lead {} was to be called at {:?} and never was: {lead:?}",
                    update.lead, booked.at
                ));
            }
            continue;
        };
        if seen.attempts_asked.contains(&next.request.attempt) {
            continue;
        }
        let reopened = store.summaries().iter().any(|other| {
            other.at > record.at
                && other.at <= next.request.placed_at
                && other.lead.as_ref().is_some_and(|of| of.lead == update.lead)
        });
        if next.request.placed_at < booked.at && !reopened {
            return Err(format!("lead {}: called before {:?}: {:?}", update.lead, booked.at, next.request));
        }
        let tried =
            callee(seen, next.request.attempt).is_some_and(|callee| callee.agents.contains(&record.agent));
        let reached: Option<AgentId> =
            callee(seen, next.request.attempt).and_then(|callee| callee.first_agent);
        let in_time = next.request.placed_at < booked.at + GRACE;
        if booked.own && in_time && !reopened && !tried && reached.is_some_and(|agent| agent != record.agent)
        {
            return Err(format!(
                "lead {}: agent {} booked it for {:?}, agent {reached:?} got it: {:?}",
                update.lead, record.agent, booked.at, next.request
            ));
        }
    }
    Ok(())
}

/// The number of callbacks that came to the agent who had booked them.
pub fn callbacks_kept(seen: &Seen, store: &MemoryStore) -> usize {
    let kept = |record: &&SummaryRecord| {
        let (Some(update), Some(booked)) = (&record.lead, &record.summary.callback) else { return false };
        booked.own
            && store.attempts().any(|attempt| {
                attempt.request.lead == Some(update.lead)
                    && attempt.request.placed_at >= booked.at
                    && callee(seen, attempt.request.attempt).and_then(|callee| callee.first_agent)
                        == Some(record.agent)
            })
    };
    store.summaries().iter().filter(kept).count()
}
