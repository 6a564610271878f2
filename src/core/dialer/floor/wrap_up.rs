//! Wrap-up (ACW): countdown, call summary, and what a disposition makes of the lead.

use super::Job;
use crate::agent::{Activity, CallSummary, Refusal, WrapUp};
use crate::campaign::Disposition;
use crate::dialer::output::{DoNotCallBy, LeadUpdate, SummaryRecord};
use crate::dialer::wake::Wake;
use crate::dialer::{Dialer, Output};
use crate::ids::{AgentId, CallId, CampaignId};
use crate::lead::{Callback, Lead};
use crate::number::PhoneNumber;
use crate::outcome::LeadState;
use crate::time::{Time, Utc};
use serde::{Deserialize, Serialize};

/// The call that a wrap-up is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::dialer) struct WrapUpJob {
    pub call: CallId,
    pub inbound: bool,
    pub campaign: CampaignId,
    /// The lead as the call left it.
    pub lead: Option<Lead>,
    pub number: Option<PhoneNumber>,
    pub answered_at: Option<Utc>,
    pub connected_at: Option<Utc>,
    /// Whether this agent's disposition settles the lead: the agent spoke with the callee, or the call was
    /// not answered. An agent who only missed a ring leaves it to the one who answered.
    pub decides: bool,
    pub until: Option<Time>,
}

/// Longest note, in characters.
const NOTE_MAX: usize = 4_000;

impl Dialer {
    /// Begins the wrap-up after a conversation, or after a ring where the campaign wants that. A summary
    /// given during the call is saved at once and leaves no wrap-up.
    pub(super) fn begin_wrap_up(&mut self, agent: AgentId, id: CallId) {
        let Some(mut job) = self.wrap_up_job(id) else { return self.set_idle(agent) };
        let mut given = None;
        if let Some(call) = self.calls.get_mut(&id)
            && call.spoke.is_some_and(|(last, _)| last == agent)
        {
            given = call.summary.take().map(|summary| (summary, call.said.take()));
            call.summary_asked = true;
            job.decides = true;
        }
        let spoke = job.connected_at.is_some();
        let Some(rules) = self.campaigns.get(&job.campaign).and_then(|run| run.agent_rules()) else {
            return self.set_idle(agent);
        };
        let wanted = match rules.wrap_up {
            WrapUp::AnyRing => true,
            WrapUp::Answered => spoke,
            WrapUp::Off => false,
        };
        if let Some((summary, said)) = given {
            self.save_summary(agent, &job, summary, said.map(|said| *said), false);
            return self.set_idle(agent);
        }
        if !wanted || rules.wrap_up_len.is_zero() || self.floor.closed {
            self.save_default(agent, &job);
            return self.set_idle(agent);
        }
        let until = self.now + rules.wrap_up_len;
        job.until = Some(until);
        self.wakes.set(Wake::WrapUp(agent), until);
        self.set_activity(agent, Activity::WrapUp);
        if let Some(seat) = self.seat(agent) {
            seat.job = Some(Job::WrapUp(Box::new(job)));
        }
    }

    /// The agent's leg broke during the call and no other agent took over: without a wrap-up, saves the
    /// summary given so far or the campaign's default.
    pub(super) fn save_last_summary(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.summary_asked) else { return };
        let Some((agent, _)) = call.spoke else { return };
        call.summary_asked = true;
        let (given, said) = (call.summary.take(), call.said.take());
        let Some(job) = self.wrap_up_job(id).map(|job| WrapUpJob { decides: true, ..job }) else { return };
        match given {
            Some(summary) => self.save_summary(agent, &job, summary, said.map(|said| *said), false),
            None => self.save_default(agent, &job),
        }
    }

    /// Ends the wrap-up: timed out, or the agent wants the next call.
    pub(in crate::dialer) fn end_wrap_up(&mut self, agent: AgentId) {
        self.wakes.clear(Wake::WrapUp(agent));
        let Some(seat) = self.seat(agent) else { return };
        // A job of another kind goes on.
        let Some(Job::WrapUp(job)) = seat.job.take_if(|job| matches!(job, Job::WrapUp(_))) else { return };
        self.save_default(agent, &job);
        self.set_idle(agent);
    }

    /// Wrap-up without a summary: writes the campaign's default disposition, marked as defaulted.
    fn save_default(&mut self, agent: AgentId, job: &WrapUpJob) {
        if job.connected_at.is_none() {
            return;
        }
        let Some(rules) = self.campaigns.get(&job.campaign).and_then(|run| run.agent_rules()) else {
            return;
        };
        if !rules.disposition_required {
            return;
        }
        let Some(code) = rules.disposition_default.clone() else { return };
        let summary = CallSummary { disposition: code, note: String::new(), callback: None };
        self.save_summary(agent, job, summary, None, true);
    }

    pub(super) fn extend_wrap_up(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let now = self.now;
        let Some(Job::WrapUp(job)) = self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()) else {
            return Err(Refusal::NothingToSummarise);
        };
        let rules = self.campaigns.get(&job.campaign).and_then(|run| run.agent_rules());
        let step = rules.map(|rules| rules.wrap_up_len).ok_or(Refusal::CampaignClosed)?;
        if let Some(Job::WrapUp(job)) = self.seat(agent).and_then(|seat| seat.job.as_mut()) {
            let until = job.until.unwrap_or(now) + step;
            job.until = Some(until);
            self.wakes.set(Wake::WrapUp(agent), until);
        }
        Ok(())
    }

    pub(super) fn next(&mut self, agent: AgentId) -> Result<(), Refusal> {
        match self.floor.seats.get(&agent).and_then(|seat| seat.job.as_ref()) {
            Some(Job::WrapUp(job)) => {
                let rules = self.campaigns.get(&job.campaign).and_then(|run| run.agent_rules());
                if job.connected_at.is_some() && rules.is_some_and(|rules| rules.disposition_required) {
                    return Err(Refusal::SummaryMissing);
                }
                self.end_wrap_up(agent);
                Ok(())
            }
            Some(Job::Preview { .. }) => self.dial_preview(agent),
            _ => Err(Refusal::NothingToSummarise),
        }
    }

    pub(super) fn summarise(&mut self, agent: AgentId, mut summary: CallSummary) -> Result<(), Refusal> {
        let utc = self.wall.utc(self.now);
        let seat = self.floor.seats.get(&agent).ok_or(Refusal::UnknownAgent)?;
        let campaign = match &seat.job {
            Some(Job::WrapUp(job)) => job.campaign,
            Some(Job::Call { call }) if self.in_conversation(*call) => {
                self.calls.get(call).map(|call| call.campaign).ok_or(Refusal::NothingToSummarise)?
            }
            _ => return Err(Refusal::NothingToSummarise),
        };
        let rules = self.campaigns.get(&campaign).and_then(|run| run.agent_rules());
        let rules = rules.ok_or(Refusal::CampaignClosed)?;
        // Without dispositions a note alone is a summary.
        let note_only = rules.dispositions.is_empty() && summary.disposition.is_empty();
        let said = rules.disposition(&summary.disposition).cloned();
        if !note_only && said.is_none() {
            return Err(Refusal::UnknownDisposition);
        }
        if summary.callback.as_ref().is_some_and(|callback| callback.at <= utc) {
            return Err(Refusal::CallbackInThePast);
        }
        summary.note = summary.note.chars().take(NOTE_MAX).collect();
        match self.seat(agent).and_then(|seat| seat.job.clone()) {
            Some(Job::WrapUp(job)) => {
                self.wakes.clear(Wake::WrapUp(agent));
                self.save_summary(agent, &job, summary, None, false);
                self.set_idle(agent);
            }
            Some(Job::Call { call }) => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.summary = Some(summary);
                    call.said = said.map(Box::new);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `said` = what the disposition meant when it was given, if that was during the call.
    fn save_summary(
        &mut self,
        agent: AgentId,
        job: &WrapUpJob,
        summary: CallSummary,
        said: Option<Disposition>,
        defaulted: bool,
    ) {
        let utc = self.wall.utc(self.now);
        let Some(run) = self.campaigns.get_mut(&job.campaign) else { return };
        let Some(rules) = run.agent_rules() else { return };
        let disposition = said.or_else(|| rules.disposition(&summary.disposition).cloned());
        let note_only = disposition.is_none() && rules.dispositions.is_empty();
        if disposition.is_none() && !note_only {
            return;
        }
        let (machine, do_not_call) =
            disposition.as_ref().map_or((false, false), |said| (said.machine, said.do_not_call));
        if let (false, Some(answered_at), Some(connected_at)) =
            (job.inbound, job.answered_at, job.connected_at)
        {
            run.note_machine(self.now, job.call, answered_at, connected_at, machine);
        }
        let lead = job.lead.clone().filter(|_| job.decides).zip(disposition.as_ref()).map(|(lead, said)| {
            let booked = summary.callback.as_ref().map(|callback| {
                let agent = callback.own.then_some(agent);
                (callback.at, Callback { agent, skill: callback.skill.clone() })
            });
            let gap = run.rules.retry.gap_min;
            after_summary(job.campaign, lead, job.number, said, booked, utc, gap)
        });
        if let Some(update) = &lead {
            run.supply.note_due(update.next_at);
            run.supply.stale = true;
            if let Some(household) = update.household_done {
                run.hopper.drop_waiting(|waiting| waiting.household == Some(household));
            }
        }
        if let (true, Some(number)) = (do_not_call, job.number) {
            self.outputs.push_back(Output::Blacklist {
                campaign: job.campaign,
                number,
                by: DoNotCallBy::Summary,
            });
        }
        self.outputs.push_back(Output::SaveSummary(Box::new(SummaryRecord {
            attempt: job.call.attempt(),
            inbound: job.inbound,
            campaign: job.campaign,
            agent,
            summary,
            defaulted,
            machine,
            at: utc,
            lead: lead.clone(),
        })));
        if let Some(update) = lead {
            self.apply_lead_decision(job.call, update);
        }
    }
}

/// The lead's new state by a disposition.
fn after_summary(
    campaign: CampaignId,
    mut lead: Lead,
    number: Option<PhoneNumber>,
    disposition: &Disposition,
    booked: Option<(Utc, Callback)>,
    now: Utc,
    gap: crate::time::Duration,
) -> LeadUpdate {
    let mut state = disposition.state;
    let due = match (&booked, state) {
        (Some((at, _)), _) => Some(*at),
        (None, LeadState::Open) => Some(now + disposition.retry.unwrap_or(gap)),
        (None, _) => None,
    };
    if let Some(phone) = lead.phones.iter_mut().find(|phone| Some(phone.number) == number) {
        if disposition.wrong_number {
            phone.closed = true;
        } else if let Some(due) = due {
            phone.closed = false;
            phone.next_at = Some(due);
        }
    }
    // A wrong number closes that phone alone; the lead's other phones are still tried.
    let others = lead.phones.iter().any(|phone| !phone.closed);
    // A callback needs an open phone.
    let booked = booked.filter(|_| others);
    if let Some((at, _)) = &booked {
        state = LeadState::FollowUp;
        // What was agreed goes before the rest of a number after its last call.
        for phone in lead.phones.iter_mut().filter(|phone| !phone.closed) {
            phone.next_at = phone.next_at.map(|next| next.min(*at));
        }
    }
    if disposition.wrong_number && booked.is_none() && others {
        state = LeadState::Open;
    }
    let next_at = match state {
        LeadState::Open => lead.earliest().map(|at| at.max(now)),
        LeadState::FollowUp => due,
        LeadState::Done | LeadState::Failed => None,
    };
    if state == LeadState::Open && next_at.is_none() {
        state = LeadState::Failed;
    }
    LeadUpdate {
        campaign,
        lead: lead.id,
        state,
        reason: None,
        next_at,
        phones: lead.phones,
        uncounted: lead.uncounted,
        result: None,
        household_done: (state == LeadState::Done).then_some(lead.household).flatten(),
        callback: booked.map(|(_, callback)| callback),
        version: lead.version,
    }
}
