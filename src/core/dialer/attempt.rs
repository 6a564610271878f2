//! Attempts on their way out: opens the attempt in the store, takes the verdict, sends the INVITE, hangs up.

use super::floor::part;
use super::live_call::{Call, NewAttempt, Phase};
use super::placing::is_due;
use super::wake::Wake;
use super::{Dialer, Output};
use crate::call::{Ended, HangUpCause};
use crate::dialer::input::DialVerdict;
use crate::dialer::output::AttemptRequest;
use crate::ids::{AttemptId, CallId, CampaignId, TrunkId};
use crate::lead::{Lead, Phone};
use crate::number::PhoneNumber;
use crate::outcome::{EndedBy, LeadState, Outcome, Reason};
use crate::pacing::predictive::Event;
use crate::time::Duration;

/// A call is closed as lost when no report came for its set-up and ring time and this margin: 32 s of SIP timers (RFC
/// 3261 Timer B, Timer H) on either side, and some.
const LOST_MARGIN: Duration = Duration::from_secs(75);

/// How long a number rests beyond its set-up and ring time if the process dies during the call: 32 s until the INVITE has
/// an answer (Timer B), 32 s in which the callee's 200 is repeated (64 * T1), and some.
const REST_MARGIN: Duration = LOST_MARGIN;

impl Dialer {
    /// Opens an attempt; `None` = no such campaign.
    pub(super) fn open(&mut self, new: NewAttempt) -> Option<CallId> {
        let NewAttempt { campaign: id, leased, number, trunk, caller_id, open_until, for_agent, agent_first } =
            new;
        let utc = self.wall.utc(self.now);
        let run = self.campaigns.get_mut(&id)?;
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        let (day_start, day_end) = run.local_day(utc);
        let setup = run.setup_over(self.trunks.get(&trunk));
        let test = leased.is_none();
        // A booked callback is exempt from the cap on attempts.
        let booked = leased.as_ref().is_some_and(|leased| leased.lead.callback.is_some());
        let lead = leased.as_ref().map(|leased| &leased.lead);
        let household = lead.and_then(|lead| lead.household);
        let retry = &run.rules.retry;
        let request = AttemptRequest {
            attempt,
            campaign: id,
            lead: lead.map(|lead| lead.id),
            household,
            number,
            ordinal: lead.and_then(|lead| phone_of(lead, number)).map_or(1, |phone| phone.attempts + 1),
            trunk,
            caller_id: caller_id.as_ref().map(|caller_id| caller_id.number),
            placed_at: utc,
            open_until,
            attempts_max: if test || booked { u32::MAX } else { retry.attempts_max },
            per_day_max: if test { u32::MAX } else { retry.per_day_max },
            gap_min: if test { Duration::ZERO } else { retry.gap_min },
            day_start,
            day_end,
            rest: setup + run.rules.ring + REST_MARGIN,
            guaranteed: for_agent.is_some() || booked,
            lead_version: lead.map_or(0, |lead| lead.version),
        };
        run.opening.reserve(self.now);
        run.live += 1;
        if let Some(line) = self.trunks.get_mut(&trunk) {
            line.open(self.now);
            line.guard.opened(attempt.call(), number);
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.open(trunk, id);
        }
        self.busy_numbers.insert(number);
        if let Some(household) = household {
            self.busy_households.insert((id, household));
            run.hopper.park(household);
        }
        let part = lead.map(part).unwrap_or_default();
        let announced = leased.is_some() && for_agent.is_none() && !Self::needs_agents(run.rules.mode);
        let texts = run.texts;
        let call = Call {
            part,
            caller_id,
            placed_at: utc,
            open_until,
            for_agent,
            agent_first,
            announced,
            texts,
            ..Call::new(attempt, id, leased, number, trunk, self.now)
        };
        self.calls.insert(attempt.call(), call);
        self.feed_pacer(attempt.call(), |call| Event::Placed { call, part });
        self.outputs.push_back(Output::OpenAttempt(Box::new(request)));
        Some(attempt.call())
    }

    pub(super) fn attempt_opened(&mut self, id: CallId, verdict: DialVerdict) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.phase == Phase::Opening) else { return };
        let utc = self.wall.utc(self.now);
        // The agent who asked for the call waits for it, and must learn why it does not come.
        let asked = call.for_agent.filter(|_| call.agent_first);
        let refused = match verdict {
            DialVerdict::Closed(reason) | DialVerdict::NotBefore { reason, .. } => Some(reason),
            DialVerdict::Gone => Some(Reason::Stopped),
            DialVerdict::Opened => None,
        };
        if let (Some(agent), Some(_)) = (asked, refused)
            && let Some(seat) = self.seat(agent)
        {
            seat.refused = refused;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        match verdict {
            DialVerdict::Opened => {
                call.phase = Phase::Opened;
                if let Some(run) = self.campaigns.get_mut(&call.campaign) {
                    run.ledger.placed(call.placed_at);
                }
                // `send_invites` follows every input.
                if let Some(line) = self.trunks.get_mut(&call.trunk) {
                    line.queue_invite(id);
                }
            }
            DialVerdict::NotBefore { until, .. } => {
                // A decision that an agent took meanwhile is written already.
                let (decided, number) = (call.decided_elsewhere.is_some(), call.number);
                let leased = self.discard_attempt(id).filter(|_| !decided);
                // `until` has passed: the store changed the lead and leases it anew.
                if let Some((campaign, mut lead)) = leased.filter(|_| until > utc) {
                    let due =
                        lead.phones.iter_mut().find(|phone| phone.number == number && is_due(phone, utc));
                    // A phone that an agent dialled although it was closed or resting stays unchanged.
                    let Some(phone) = due else { return };
                    phone.next_at = Some(until);
                    // A booked callback stays booked and is never early.
                    let booked = lead.callback.is_some();
                    let next_at = if booked { lead.next_at.max(Some(until)) } else { lead.earliest() };
                    let state = if booked { LeadState::FollowUp } else { LeadState::Open };
                    self.save_lead(campaign, lead, state, None, next_at);
                }
            }
            DialVerdict::Closed(_) | DialVerdict::Gone => {
                self.discard_attempt(id);
            }
        }
    }

    /// Removes a call whose attempt was not opened.
    fn discard_attempt(&mut self, id: CallId) -> Option<(CampaignId, Lead)> {
        self.end_conversation(id);
        self.feed_pacer(id, |call| Event::Cancelled { call });
        let call = self.remove(id)?;
        if let Some(line) = self.trunks.get_mut(&call.trunk) {
            line.close(id);
            line.guard.forget(id);
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.close(call.trunk, call.campaign);
        }
        let run = self.campaigns.get_mut(&call.campaign)?;
        run.live = run.live.saturating_sub(1);
        run.supply.stale = true;
        run.supply.more_due = true;
        let lead = call.leased?.lead;
        run.hopper.release(lead.id);
        Some((call.campaign, lead))
    }

    /// Sends the queued INVITEs that the rates of their trunks and campaigns allow now.
    ///
    /// A start is reserved when its INVITE leaves and in both rates at once: a moment reserved ahead would be
    /// lost for another campaign of the trunk, and several calls would leave together after a late wake.
    pub(super) fn send_invites(&mut self) {
        let waiting = self.trunks.iter().filter(|(_, line)| !line.leaving().is_empty());
        let trunks: Vec<TrunkId> = waiting.map(|(trunk, _)| *trunk).collect();
        for trunk in trunks {
            self.send_invites_on(trunk);
        }
    }

    fn send_invites_on(&mut self, trunk: TrunkId) {
        let (now, utc) = (self.now, self.wall.utc(self.now));
        let mut place = 0;
        while let Some(line) = self.trunks.get_mut(&trunk)
            && let Some(id) = line.leaving().get(place).copied()
        {
            let Some(call) = self.calls.get(&id).filter(|call| call.phase == Phase::Opened) else {
                line.unqueue_invite(place);
                continue;
            };
            // A stopped call ends here and uses no start.
            if call.hanging_up.is_none() && utc < call.open_until {
                let start = line.next_invite(now);
                if start > now {
                    return self.wakes.set_sooner(Wake::Trunk(trunk), start);
                }
                if let Some(run) = self.campaigns.get_mut(&call.campaign) {
                    let start = run.wire.next_start(now);
                    if start > now {
                        self.wakes.set_sooner(Wake::Pace(call.campaign), start);
                        place += 1;
                        continue;
                    }
                    run.wire.reserve(now);
                }
                line.reserve_invite(now);
            }
            line.unqueue_invite(place);
            self.send_invite(id);
        }
    }

    /// Sends the INVITE of an opened attempt, unless it was stopped or the calling hours have ended.
    fn send_invite(&mut self, id: CallId) {
        let utc = self.wall.utc(self.now);
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.phase == Phase::Opened) else { return };
        if call.hanging_up.is_some() || utc >= call.open_until {
            let cause = if call.hanging_up.is_some() { "stopped" } else { "the calling hours ended" };
            let ended = never_left(&format!("{cause} before the call left"));
            return self.finish(id, ended);
        }
        call.phase = Phase::Placed;
        if let Some(line) = self.trunks.get_mut(&call.trunk) {
            line.sent(self.now, id);
            line.guard.sent(self.now, id);
        }
        let line = self.trunks.get(&call.trunk);
        let times = self.campaigns.get(&call.campaign).map(|run| (run.setup_over(line), run.rules.ring));
        let (setup, ring) = times.unwrap_or_default();
        self.wakes.set(Wake::CallLost(id), self.now + setup + ring + LOST_MARGIN);
        self.outputs.push_back(Output::PlaceCall {
            call: id,
            trunk: call.trunk,
            number: call.number,
            caller_id: call.caller_id.as_ref().map(|caller_id| caller_id.number),
            setup,
            ring,
        });
        self.ring_back_to_agent(id);
    }

    /// Asks the network to end a call; `Progress::Ended` follows.
    pub(super) fn hang_up(&mut self, id: CallId, cause: HangUpCause) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.hanging_up.is_none()) else { return };
        match call.phase {
            // The INVITE has not left: `send_invites` checks the mark.
            Phase::Opening | Phase::Opened => call.hanging_up = Some(cause),
            Phase::Placed
            | Phase::Ringing
            | Phase::Answered
            | Phase::Announcing
            | Phase::Waiting
            | Phase::Talking
            | Phase::Sorry => {
                call.hanging_up = Some(cause);
                self.wakes.clear(Wake::CallOver(id));
                self.wakes.set(Wake::CallLost(id), self.now + LOST_MARGIN);
                self.outputs.push_back(Output::HangUp { call: id, cause });
            }
            Phase::Ended => {}
        }
    }
}

/// The end of a call whose INVITE was never sent.
fn never_left(cause: &str) -> Ended {
    Ended {
        outcome: Outcome::Cancelled,
        by: EndedBy::Dialer,
        sip_code: None,
        cause: cause.into(),
        retry_after: None,
        try_next_trunk: false,
    }
}

fn phone_of(lead: &Lead, number: PhoneNumber) -> Option<&Phone> {
    lead.phones.iter().find(|phone| phone.number == number)
}
