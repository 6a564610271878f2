//! End of a call: writes the result, settles the lead and its household, frees number, line and agents.

use super::campaign_run::{CampaignRun, Supply};
use super::live_call::{Call, Phase};
use super::seen;
use super::wake::Wake;
use super::{Dialer, Output};
use crate::call::{Ended, HangUpCause};
use crate::campaign::retry::Finished;
use crate::dialer::output::{AttemptResult, LeadUpdate};
use crate::ids::{CallId, CampaignId};
use crate::lead::Lead;
use crate::line_guard::{HOLLOW_AGAIN, PROBE_AGAIN};
use crate::outcome::{EndedBy, LeadState, Outcome, Reason};
use crate::pacing::predictive::Event;
use crate::time::{Time, Utc};

impl Dialer {
    /// Ends a call: the network reported its end, or the dialer gave up waiting for one.
    pub(super) fn finish(&mut self, id: CallId, ended: Ended) {
        let utc = self.wall.utc(self.now);
        if self.calls.get(&id).is_none_or(|call| call.phase == Phase::Ended) {
            return;
        }
        let by_line = self.judge_end(id, &ended);
        // A callee who answered and was bridged to no agent was abandoned: also in the moment before
        // "answered" was on disk, and also where the reserved agent hung up.
        let for_agents = self.is_for_agents(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let unheard = match call.phase {
            Phase::Waiting => !call.queued,
            Phase::Answered => for_agents && !call.inbound,
            _ => false,
        } && call.spoke.is_none();
        let unusable = seen::is_unheard(call.shown(self.now), &ended);
        let unheard = unheard && !unusable;
        let phone_failed = unheard && self.has_phone_failed(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.phone_failed |= phone_failed;
        if unheard && !call.abandoned {
            // The callee hung up before an agent was bridged.
            call.abandoned = true;
            if let (Some(run), Some(at)) = (self.campaigns.get_mut(&call.campaign), call.answered_at) {
                run.ledger.abandoned(at);
            }
        }
        let gone = unheard.then_some(Event::Abandoned { call: id });
        let gone = gone.or_else(|| match (call.answered, call.hanging_up) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(Event::Cancelled { call: id }),
            (None, None) => {
                let network = by_line || ended.outcome == Outcome::LineFault;
                Some(Event::Unanswered { call: id, network })
            }
        });
        let outcome = match () {
            () if by_line || unusable => Outcome::LineFault,
            () => outcome(call, &ended, self.now),
        };
        let spoke = call.spoke;
        let ended_by = match call.hanging_up {
            Some(HangUpCause::AgentHungUp) if ended.by == EndedBy::Dialer => EndedBy::Agent,
            _ => ended.by,
        };
        let left = call.phase != Phase::Opened;
        call.phase = Phase::Ended;
        self.wakes.clear(Wake::CallOver(id));
        self.wakes.clear(Wake::CallLost(id));
        if let Some(line) = self.trunks.get_mut(&call.trunk) {
            line.close(id);
            if ended.try_next_trunk && outcome == Outcome::LineFault {
                line.note_fault(self.now, ended.sip_code.is_some(), ended.retry_after);
            } else if ended.sip_code.is_some() {
                line.note_response(id);
            }
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.close(call.trunk, call.campaign);
        }
        let Some(run) = self.campaigns.get_mut(&call.campaign) else { return };
        run.live = run.live.saturating_sub(1);
        run.unsaved += 1;
        run.note_end(call, outcome, ended_by, utc);
        let rest = run.rules.pacing.abandoned_rest;
        let rest_until = (outcome == Outcome::Abandoned).then_some(utc + rest);
        let lead = if left {
            settle(call, run, outcome, &ended, Laid { by_line, unusable }, &self.trunks, utc)
        } else {
            call.leased.as_ref().map(|leased| untouched(call.campaign, &leased.lead))
        };
        let lead = lead.map(|update| call.keep_decision(update));
        if let Some(household) = lead.as_ref().and_then(|update| update.household_done) {
            run.hopper.drop_waiting(|waiting| waiting.household == Some(household));
        }
        if let Some(update) = &lead {
            run.supply.note_due(update.next_at);
        }
        let attempted = lead.clone().filter(|_| left);
        self.outputs.push_back(Output::SaveResult(Box::new(AttemptResult {
            attempt: call.attempt,
            campaign: call.campaign,
            outcome,
            cause: ended.cause,
            sip_code: ended.sip_code,
            ended_by,
            ringing_at: call.ringing_at,
            answered_at: call.answered_at,
            connected_at: spoke.map(|(_, at)| at),
            agent: spoke.map(|(agent, _)| agent),
            ended_at: utc,
            keys: call.keys.clone(),
            key_ways: call.key_ways.clone(),
            result: call.result.clone(),
            counted: outcome.counts() && left && call.leased.is_some(),
            rest_until,
            lead,
        })));
        if let Some(event) = gone {
            self.feed_pacer(id, |_| event);
        }
        if let Some(update) = attempted {
            self.refresh_lead_copies(&update);
        }
        self.end_conversation(id);
    }

    /// The result is on disk: frees the number, the household and the lead.
    pub(super) fn result_saved(&mut self, id: CallId) {
        let Some(call) = self.remove(id) else { return };
        let Some(run) = self.campaigns.get_mut(&call.campaign) else { return };
        run.unsaved = run.unsaved.saturating_sub(1);
        run.supply.stale = true;
        let Some(mut leased) = call.leased else { return };
        run.hopper.release(leased.lead.id);
        if call.next_trunk && !run.draining {
            leased.tried.insert(call.trunk);
            run.hopper.put_first(leased);
        }
    }

    /// No report on a call came for longer than SIP timers allow: it is closed as a fault of our line.
    pub(super) fn call_lost(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id).filter(|call| call.hanging_up.is_none()) {
            call.hanging_up = Some(HangUpCause::MediaLost);
            self.outputs.push_back(Output::HangUp { call: id, cause: HangUpCause::MediaLost });
        }
        let ended = Ended {
            outcome: Outcome::LineFault,
            by: EndedBy::Dialer,
            sip_code: None,
            cause: "no end of the call was reported".into(),
            retry_after: None,
            try_next_trunk: false,
        };
        self.finish(id, ended);
    }

    /// Removes a call and frees its number and household.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        self.busy_numbers.remove(&call.number);
        let household = call.leased.as_ref().and_then(|leased| leased.lead.household);
        if let Some(household) = household {
            let key = (call.campaign, household);
            self.busy_households.remove(&key);
            if !self.busy_households.contains(&key)
                && let Some(run) = self.campaigns.get_mut(&call.campaign)
            {
                run.hopper.unpark(household);
            }
        }
        self.drop_unheard_texts(call.campaign);
        Some(call)
    }
}

/// The outcome that is written: an answered call stays answered, an unanswered one that we ended is
/// cancelled.
fn outcome(call: &Call, ended: &Ended, now: Time) -> Outcome {
    match (call.answered_at, call.hanging_up) {
        // The callee waited in vain, and the reason was a phone of ours.
        (Some(_), cause)
            if call.abandoned && (call.phone_failed || cause == Some(HangUpCause::AgentFailed)) =>
        {
            Outcome::AgentFailed
        }
        (Some(_), _) if call.abandoned => Outcome::Abandoned,
        (None, Some(HangUpCause::AgentFailed)) => Outcome::AgentFailed,
        (None, Some(HangUpCause::AgentHungUp)) => Outcome::Cancelled,
        // The answer's media cannot be used: neither side heard the other.
        (Some(_), None) if ended.outcome == Outcome::LineFault => Outcome::LineFault,
        (Some(_), _) => Outcome::Answered,
        (None, Some(HangUpCause::Stopped)) => Outcome::Cancelled,
        (None, _) => seen::unanswered(call.shown(now), ended),
    }
}

/// Faults of our side that the attempt is laid to.
#[derive(Clone, Copy)]
struct Laid {
    /// The line guard decided so.
    by_line: bool,
    /// The media of the answer could not be used.
    unusable: bool,
}

/// The lead's new state; `None` for a single-number test. Also decides whether the next trunk is tried.
fn settle(
    call: &mut Call,
    run: &CampaignRun,
    outcome: Outcome,
    ended: &Ended,
    laid: Laid,
    trunks: &std::collections::BTreeMap<crate::ids::TrunkId, super::TrunkLine>,
    at: Utc,
) -> Option<LeadUpdate> {
    let Laid { by_line, unusable } = laid;
    let asks_for_result = run.texts_of(call).ask_for_result();
    let leased = call.leased.as_mut()?;
    let other_trunk =
        run.rules.trunks.iter().filter(|trunk| **trunk != call.trunk && !leased.tried.contains(trunk)).any(
            |trunk| trunks.get(trunk).is_some_and(|line| line.trunk.carries(call.number, &run.rules.home)),
        );
    let may_pass_on = match outcome {
        Outcome::LineFault => ended.try_next_trunk || by_line,
        Outcome::CarrierBlock => true,
        _ => false,
    };
    let next_trunk =
        may_pass_on && other_trunk && call.hanging_up.is_none() && call.decided_elsewhere.is_none();
    // Another trunk would ring the person, if it was one, again at once.
    let next_trunk = next_trunk && call.answered_at.is_none();
    // A callee who heard nothing because our side or the line failed was not reached.
    let failed_us = unusable || outcome == Outcome::LineFault;
    let answered = call.answered_at.is_some() && !failed_us;
    let rest = if call.answered_at.is_some() { HOLLOW_AGAIN } else { PROBE_AGAIN };
    let finished = Finished { number: call.number, outcome, answered, at, next_trunk };
    let mut update = if by_line {
        run.rules.retry.settle_line_fault(run.rules.id, &leased.lead, finished, rest)
    } else {
        run.rules.retry.settle(run.rules.id, &leased.lead, finished)
    };
    update.result = call.result.clone();
    if call.blacklisted {
        let number = call.number;
        update.phones.iter_mut().filter(|phone| phone.number == number).for_each(|phone| phone.closed = true);
        let open = || update.phones.iter().filter(|phone| !phone.closed);
        // A lead that asked not to be called is closed; one whose number was listed keeps its other numbers.
        let next = open().map(|phone| phone.next_at.unwrap_or_default()).min().filter(|_| !answered);
        update.state = match next {
            Some(_) => LeadState::Open,
            None if answered => LeadState::Done,
            None => LeadState::Failed,
        };
        update.reason = next.is_none().then_some(Reason::Blacklisted);
        update.next_at = next;
    }
    // After a conversation the agent's disposition settles the household; in a campaign without
    // dispositions the conversation itself does.
    let to_be_said = run.agent_rules().is_some_and(|rules| !rules.dispositions.is_empty());
    let decided = match call.spoke {
        Some(_) => !to_be_said,
        None => call.result.is_some() || !asks_for_result,
    };
    if update.state == LeadState::Done && decided && !call.blacklisted {
        update.household_done = leased.lead.household;
    }
    call.next_trunk = next_trunk && update.state == LeadState::Open;
    leased.lead.phones = update.phones.clone();
    leased.lead.uncounted = update.uncounted;
    Some(update)
}

/// The unchanged state of a lead whose INVITE never left.
fn untouched(campaign: CampaignId, lead: &Lead) -> LeadUpdate {
    LeadUpdate {
        campaign,
        lead: lead.id,
        state: LeadState::Open,
        reason: None,
        next_at: lead.earliest(),
        phones: lead.phones.clone(),
        uncounted: lead.uncounted,
        result: None,
        household_done: None,
        callback: lead.callback.clone(),
        version: lead.version,
    }
}

impl Supply {
    /// Notes when an open lead will be due.
    pub(super) fn note_due(&mut self, next_at: Option<Utc>) {
        match next_at {
            // Another phone of the lead was never tried: due at once, among the untried leads.
            Some(at) if at == Utc::default() => (self.more_due, self.written_untried) = (true, true),
            Some(at) => {
                let sooner = |due: Option<Utc>| Some(due.map_or(at, |due| due.min(at)));
                (self.next_due, self.written_due) = (sooner(self.next_due), sooner(self.written_due));
            }
            None => {}
        }
    }

    /// Notes that the store has leads that no answer so far can hold, one that is on its way included.
    pub(super) fn note_leads_added(&mut self) {
        (self.more_due, self.written_untried, self.stale) = (true, true, true);
    }
}
