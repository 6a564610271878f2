//! Retry rules: which outcomes are tried again, after how long, how often; and the lead's new state after
//! one attempt. Also applied to attempts that a crash cut off.

use crate::ids::CampaignId;
use crate::lead::Lead;
use crate::number::PhoneNumber;
use crate::outcome::{LeadState, Outcome, Reason};
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::dialer::output::LeadUpdate;

/// The `[retry]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRules {
    /// Counted attempts per number in this campaign.
    pub attempts_max: u32,
    /// Counted attempts per number and local day, over all campaigns.
    pub per_day_max: u32,
    /// Between two attempts on one number, whatever the outcome.
    pub gap_min: Duration,
    /// Delay by outcome. An outcome without an entry here and in [`USUAL_RETRIES`] is final.
    pub after: BTreeMap<Outcome, Duration>,
}

/// Attempts of one lead that did not count (trunk faults and the like) before it is given up.
pub const UNCOUNTED_MAX: u32 = 10;

/// Outcomes that say nothing about the callee are tried again after these spans, unless `[retry.after]` names
/// them. `carrier_block` is not among them: once the line guard lays it to the callee, the carrier refuses this
/// number, and calling it again changes nothing.
pub const USUAL_RETRIES: [(Outcome, Duration); 4] = [
    // The trunk or our side failed, and no other trunk took the call over.
    (Outcome::LineFault, Duration::from_secs(5 * 60)),
    // The process died; the callee may have heard it ring. Never after an answer.
    (Outcome::Interrupted, Duration::from_secs(10 * 60)),
    // The agent's phone failed: the callee was not served, answered or not.
    (Outcome::AgentFailed, Duration::from_secs(5 * 60)),
    // A person hung up all calls, or an agent gave up the ringing.
    (Outcome::Cancelled, Duration::from_secs(10 * 60)),
];

/// The usual delay after an outcome that says nothing about the callee.
pub fn usual_retry(outcome: Outcome) -> Option<Duration> {
    USUAL_RETRIES.iter().find(|(usual, _)| *usual == outcome).map(|(_, delay)| *delay)
}

/// One finished attempt, as far as the lead is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    pub number: PhoneNumber,
    pub outcome: Outcome,
    /// Whether the callee answered, whatever the outcome (an interrupted call).
    pub answered: bool,
    pub at: Utc,
    /// The trunk failed, and another trunk is to be tried for this lead at once.
    pub next_trunk: bool,
}

impl RetryRules {
    /// The new state of `lead` after this attempt. The caller adds `result` and the household.
    pub fn settle(&self, campaign: CampaignId, lead: &Lead, attempt: Finished) -> LeadUpdate {
        let mut lead = lead.clone();
        let counted = attempt.outcome.counts();
        if !counted {
            lead.uncounted += 1;
        }
        let mut used_up = false;
        if let Some(phone) = lead.phones.iter_mut().find(|phone| phone.number == attempt.number) {
            phone.attempts += u32::from(counted);
            phone.last_outcome = Some(attempt.outcome);
            phone.last_at = Some(attempt.at);
            match self.delay(attempt) {
                Some(delay) if phone.attempts < self.attempts_max && lead.uncounted <= UNCOUNTED_MAX => {
                    phone.next_at = Some(attempt.at + delay);
                }
                Some(_) => {
                    phone.closed = true;
                    used_up = counted;
                }
                None => phone.closed = true,
            }
        }
        let abandoned = self.abandoned(attempt);
        if let Some(rest) = abandoned {
            // The callee rests on all phones, not only on the one that was abandoned.
            for phone in lead.phones.iter_mut().filter(|phone| !phone.closed) {
                phone.next_at = phone.next_at.max(Some(attempt.at + rest));
            }
        }
        let ours = attempt.outcome == Outcome::AgentFailed;
        let reached =
            (attempt.answered || attempt.outcome == Outcome::Answered) && abandoned.is_none() && !ours;
        // A callback booked while this call was live is never early.
        let booked = lead.callback.as_ref().and(lead.next_at).filter(|at| *at > attempt.at);
        let next_at =
            if reached { None } else { lead.earliest().map(|at| booked.map_or(at, |due| at.max(due))) };
        let state = match (attempt.outcome, next_at) {
            (Outcome::Answered, _) => LeadState::Done,
            (_, Some(_)) => LeadState::Open,
            (_, None) => LeadState::Failed,
        };
        LeadUpdate {
            campaign,
            lead: lead.id,
            state,
            reason: (state == LeadState::Failed && used_up).then_some(Reason::AttemptsUsed),
            next_at,
            phones: lead.phones,
            uncounted: lead.uncounted,
            result: None,
            household_done: None,
            // A callback that was not reached stays booked.
            callback: lead.callback.filter(|_| state == LeadState::Open),
            version: lead.version,
        }
    }

    /// The new state of `lead` after an attempt that the line guard laid to the line: it costs the lead
    /// nothing, not even a place among the uncounted attempts, and the number waits for `rest` unless another
    /// trunk takes it.
    pub fn settle_line_fault(
        &self,
        campaign: CampaignId,
        lead: &Lead,
        attempt: Finished,
        rest: Duration,
    ) -> LeadUpdate {
        let mut update = self.settle(campaign, &Lead { uncounted: 0, ..lead.clone() }, attempt);
        update.uncounted = lead.uncounted;
        if !attempt.next_trunk {
            for phone in update.phones.iter_mut().filter(|phone| phone.number == attempt.number) {
                phone.next_at = Some(attempt.at + rest);
            }
            let earliest = update.phones.iter().filter(|phone| !phone.closed).map(|phone| phone.next_at);
            let booked = update.callback.as_ref().and(lead.next_at);
            update.next_at = earliest.map(Option::unwrap_or_default).min().max(booked);
        }
        update
    }

    /// How long an abandoned callee rests, where the campaign retries them: the only answered callees who
    /// are called again.
    fn abandoned(&self, attempt: Finished) -> Option<Duration> {
        let rest = self.after.get(&Outcome::Abandoned).filter(|_| attempt.outcome == Outcome::Abandoned);
        rest.map(|rest| (*rest).max(self.gap_min))
    }

    /// Delay until this number may be tried again; `None` = never.
    fn delay(&self, attempt: Finished) -> Option<Duration> {
        if let Some(rest) = self.abandoned(attempt) {
            return Some(rest);
        }
        // A phone of ours failed an answered callee, who was not served and is called again.
        if attempt.answered && attempt.outcome != Outcome::AgentFailed {
            return None;
        }
        let named = self.after.get(&attempt.outcome).copied().or_else(|| usual_retry(attempt.outcome));
        match attempt.outcome {
            // A callee who was spoken with is never called again, whatever a rule says.
            Outcome::Answered => None,
            // The number never rang, so neither gap nor cap applies.
            Outcome::LineFault | Outcome::CarrierBlock if attempt.next_trunk => Some(Duration::ZERO),
            Outcome::LineFault => named,
            _ => named.map(|delay| delay.max(self.gap_min)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AgentId, LeadId};
    use crate::lead::{Callback, Phone};

    const AT: Utc = Utc::from_millis(1_000_000_000);

    fn rules() -> RetryRules {
        RetryRules {
            attempts_max: 3,
            per_day_max: 3,
            gap_min: Duration::from_secs(1800),
            after: BTreeMap::from([
                (Outcome::NoAnswer, Duration::from_secs(7200)),
                (Outcome::Busy, Duration::from_secs(600)),
            ]),
        }
    }

    fn number(n: u64) -> PhoneNumber {
        PhoneNumber::from_e164(8613800138000 + n).expect("a number")
    }

    fn lead(phones: u64) -> Lead {
        Lead {
            id: LeadId(1),
            row: 2,
            household: None,
            phones: (0..phones).map(|n| Phone::new(number(n))).collect(),
            next_at: None,
            uncounted: 0,
            callback: None,
            last_agent: None,
            assigned: None,
            is_first: false,
            version: 0,
        }
    }

    fn settle(lead: &Lead, outcome: Outcome) -> LeadUpdate {
        let answered = outcome == Outcome::Answered;
        let done = Finished { number: lead.phones[0].number, outcome, answered, at: AT, next_trunk: false };
        rules().settle(CampaignId(1), lead, done)
    }

    #[test]
    fn an_outcome_that_is_named_is_tried_again_after_its_delay() {
        let update = settle(&lead(1), Outcome::NoAnswer);
        assert_eq!((update.state, update.next_at), (LeadState::Open, Some(AT + Duration::from_secs(7200))));
        assert_eq!(update.phones[0].attempts, 1);
    }

    #[test]
    fn the_gap_is_kept_whatever_the_delay() {
        assert_eq!(settle(&lead(1), Outcome::Busy).next_at, Some(AT + Duration::from_secs(1800)));
    }

    #[test]
    fn an_outcome_that_is_not_named_is_final() {
        let update = settle(&lead(1), Outcome::Vacant);
        assert_eq!((update.state, update.reason, update.next_at), (LeadState::Failed, None, None));
    }

    #[test]
    fn a_callback_that_was_booked_while_the_call_was_out_is_never_early() {
        let mut booked = lead(1);
        booked.callback = Some(Callback { agent: Some(AgentId(7)), skill: None });
        booked.next_at = Some(AT + Duration::from_secs(9000));
        let update = settle(&booked, Outcome::NoAnswer);
        assert_eq!((update.state, update.next_at), (LeadState::Open, booked.next_at));
        // One that was called at its moment is tried again after the delay.
        booked.next_at = Some(AT);
        assert_eq!(settle(&booked, Outcome::NoAnswer).next_at, Some(AT + Duration::from_secs(7200)));
    }

    #[test]
    fn the_last_attempt_ends_the_lead_with_its_reason() {
        let mut lead = lead(1);
        lead.phones[0].attempts = 2;
        let update = settle(&lead, Outcome::NoAnswer);
        assert_eq!((update.state, update.reason), (LeadState::Failed, Some(Reason::AttemptsUsed)));
    }

    #[test]
    fn the_next_phone_is_due_at_once() {
        let update = settle(&lead(2), Outcome::Vacant);
        assert_eq!((update.state, update.next_at), (LeadState::Open, Some(Utc::default())));
        assert!(update.phones[0].closed && !update.phones[1].closed);
    }

    #[test]
    fn an_outcome_that_says_nothing_about_the_callee_is_tried_again() {
        for (outcome, delay) in USUAL_RETRIES {
            let update = settle(&lead(1), outcome);
            let gap = if outcome == Outcome::LineFault { Duration::ZERO } else { rules().gap_min };
            assert_eq!(
                (update.state, update.next_at),
                (LeadState::Open, Some(AT + delay.max(gap))),
                "{outcome}"
            );
        }
        let block = settle(&lead(1), Outcome::CarrierBlock);
        assert_eq!((block.state, block.phones[0].closed), (LeadState::Failed, true));
    }

    #[test]
    fn an_answered_callee_is_never_called_again() {
        let mut rules = rules();
        rules.after.insert(Outcome::Answered, Duration::ZERO);
        rules.after.insert(Outcome::Interrupted, Duration::ZERO);
        for (outcome, state) in
            [(Outcome::Answered, LeadState::Done), (Outcome::Interrupted, LeadState::Failed)]
        {
            let done = Finished { number: number(0), outcome, answered: true, at: AT, next_trunk: false };
            let update = rules.settle(CampaignId(1), &lead(2), done);
            assert_eq!((update.state, update.next_at), (state, None), "{outcome}");
        }
    }

    fn abandoned(rules: &RetryRules, lead: &Lead) -> LeadUpdate {
        let (number, outcome) = (number(0), Outcome::Abandoned);
        let done = Finished { number, outcome, answered: true, at: AT, next_trunk: false };
        rules.settle(CampaignId(1), lead, done)
    }

    #[test]
    fn an_abandoned_callee_rests_on_all_phones_and_is_called_again() {
        let mut rules = rules();
        let rest = Duration::from_secs(72 * 3600);
        rules.after.insert(Outcome::Abandoned, rest);
        let update = abandoned(&rules, &lead(2));
        assert_eq!((update.state, update.reason, update.next_at), (LeadState::Open, None, Some(AT + rest)));
        assert_eq!(update.phones[0].attempts, 1);
        assert!(update.phones.iter().all(|phone| phone.next_at == Some(AT + rest) && !phone.closed));
    }

    #[test]
    fn an_abandoned_callee_whose_attempts_are_used_is_left_alone() {
        let mut rules = rules();
        rules.after.insert(Outcome::Abandoned, Duration::from_secs(72 * 3600));
        let mut lead = lead(1);
        lead.phones[0].attempts = 2;
        let update = abandoned(&rules, &lead);
        assert_eq!((update.state, update.reason), (LeadState::Failed, Some(Reason::AttemptsUsed)));
    }

    #[test]
    fn an_abandoned_callee_is_not_called_again_without_a_rule() {
        let update = abandoned(&rules(), &lead(2));
        assert_eq!((update.state, update.next_at), (LeadState::Failed, None));
    }

    #[test]
    fn a_callback_that_was_not_reached_stays_booked() {
        let mut lead = lead(1);
        lead.callback = Some(Callback { agent: Some(AgentId(7)), skill: None });
        assert_eq!(settle(&lead, Outcome::NoAnswer).callback, lead.callback);
        assert_eq!(settle(&lead, Outcome::Answered).callback, None);
    }

    #[test]
    fn a_fault_of_the_line_uses_no_attempt_and_stays_bounded() {
        let mut lead = lead(1);
        for n in 1..=UNCOUNTED_MAX + 1 {
            let update = settle(&lead, Outcome::LineFault);
            assert_eq!(update.phones[0].attempts, 0);
            lead.phones = update.phones;
            lead.uncounted = update.uncounted;
            assert_eq!(update.state == LeadState::Open, n <= UNCOUNTED_MAX, "after {n} faults");
        }
    }

    #[test]
    fn a_fault_that_another_trunk_can_take_over_is_due_at_once() {
        let done = Finished {
            number: number(0),
            outcome: Outcome::LineFault,
            answered: false,
            at: AT,
            next_trunk: true,
        };
        assert_eq!(rules().settle(CampaignId(1), &lead(1), done).next_at, Some(AT));
    }
}
