//! Several copies of one lead (hopper, preview, call, wrap-up): the last decision counts, no callee is
//! called twice or too early, and no lead is lost.

use super::floor::{GROUP, staffed};
use super::*;
use crate::agent::{
    Activity, AgentAction, Availability, CallSummary, CallbackRequest, ConsultTarget, Holding, WrapUp,
};
use crate::dialer::input::{ArrivedCall, KnownCaller};
use crate::dialer::output::{LeadUpdate, SummaryRecord};
use crate::ids::AgentId;

const HOUR: Duration = Duration::from_secs(3600);

/// An inbound call.
const CALLER: CallId = CallId(1 << 63 | 1);

impl Desk {
    fn returned(&mut self) -> Vec<LeadId> {
        let leads = self.take(|output| match output {
            Output::ReturnLeads { leads, .. } => Some(leads.clone()),
            _ => None,
        });
        leads.concat()
    }

    fn saved(&mut self) -> Vec<LeadUpdate> {
        self.take(|output| match output {
            Output::SaveLead(update) => Some((**update).clone()),
            _ => None,
        })
    }

    /// The callee of this lead calls us.
    fn calls_us(&mut self, lead: Lead) {
        let known = Some(KnownCaller { campaign: ID, lead: Some(lead.clone()), agent: None });
        let arrived =
            ArrivedCall { call: CALLER, trunk: TrunkId(0), number: Some(lead.phones[0].number), known };
        self.give(Input::CallArrived(Box::new(arrived)));
        self.progress(CALLER, Progress::Answered);
    }

    fn says(&mut self, n: i64, code: &str, callback: Option<Utc>) -> SummaryRecord {
        let callback = callback.map(|at| CallbackRequest { at, own: true, skill: None });
        let summary = CallSummary { disposition: code.into(), note: String::new(), callback };
        assert_eq!(self.act(n, AgentAction::Summarise(summary)), None);
        self.summaries().pop().expect("a summary")
    }

    fn sound(&self) {
        assert_eq!(self.dialer.drift(), None);
    }
}

fn any_ring() -> Campaign {
    let mut campaign = staffed(Mode::Progressive);
    campaign.agents.as_mut().expect("agents").wrap_up = WrapUp::AnyRing;
    campaign
}

fn with_two_phones(n: i64) -> Lead {
    Lead { phones: vec![Phone::new(number(10)), Phone::new(number(11))], ..lead(n) }
}

/// Lead 1 is being called for agent 1, while the callee, who called us, speaks with agent 2.
fn called_from_both_sides() -> (Desk, CallId) {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.progress(call, Progress::Ringing);
    desk.act(1, AgentAction::Pause { reason: "tea".into() });
    desk.nailed_up(2);
    desk.calls_us(lead(1));
    assert_eq!(desk.activity(2), Activity::Talking);
    desk.progress(CALLER, ended(Outcome::Answered, 200));
    (desk, call)
}

#[test]
fn a_callback_booked_in_an_inbound_call_outlives_the_outbound_call() {
    let (mut desk, call) = called_from_both_sides();
    let at = desk.dialer.utc() + HOUR;
    desk.says(2, "voted", Some(at));
    assert_eq!(desk.hang_ups(), [HangUpCause::Stopped], "her phone stops ringing");
    desk.progress(call, ended(Outcome::Cancelled, 487));
    let result = desk.result();
    let update = result.lead.expect("a lead");
    assert_eq!((update.state, update.next_at), (LeadState::FollowUp, Some(at)));
    assert_eq!(update.callback.and_then(|booked| booked.agent), Some(AgentId(2)));
    assert_eq!(update.phones[0].attempts, 1, "the try is written down");
    desk.sound();
}

#[test]
fn a_refused_attempt_does_not_overwrite_a_decision_about_its_lead() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    let request = desk.requests().remove(0);
    desk.act(1, AgentAction::Pause { reason: "tea".into() });
    desk.nailed_up(2);
    desk.calls_us(lead(1));
    desk.progress(CALLER, ended(Outcome::Answered, 200));
    desk.says(2, "voted", Some(MORNING + HOUR * 2));
    let until = MORNING + HOUR;
    let verdict = DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed };
    desk.give(Input::AttemptOpened { attempt: request.attempt, verdict });
    assert_eq!(desk.saved(), []);
    desk.sound();
}

#[test]
fn a_wrong_number_cancels_no_call_to_the_leads_other_phone() {
    let mut desk = Desk::floor(any_ring());
    desk.nailed_up(1);
    let second = Lead {
        phones: vec![Phone { closed: true, ..Phone::new(number(10)) }, Phone::new(number(11))],
        ..lead(1)
    };
    desk.leads(vec![second]);
    let call = desk.place_all()[0];
    desk.act(1, AgentAction::Pause { reason: "tea".into() });
    desk.nailed_up(2);
    desk.calls_us(with_two_phones(1));
    desk.progress(CALLER, ended(Outcome::Answered, 200));
    let said = desk.says(2, "wrong_number", None).lead.expect("a lead");
    assert_eq!((said.state, said.phones[0].closed), (LeadState::Open, true));
    assert_eq!(desk.hang_ups(), []);
    desk.progress(call, ended(Outcome::NoAnswer, 487));
    assert!(desk.result().lead.expect("a lead").phones[0].closed, "and it stays wrong");
}

#[test]
fn a_wrap_up_keeps_the_attempts_made_meanwhile() {
    let (mut desk, call, _) = Desk::talking();
    desk.nailed_up(2);
    assert_eq!(desk.act(1, AgentAction::Consult { target: ConsultTarget::Group(GROUP) }), None);
    assert_eq!(desk.act(1, AgentAction::Transfer), None);
    assert_eq!(desk.activity(1), Activity::WrapUp);
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().lead.expect("a lead").phones[0].attempts, 1);
    let said = desk.says(1, "voted", None).lead.expect("a lead");
    assert_eq!((said.phones[0].attempts, said.phones[0].last_outcome), (1, Some(Outcome::Answered)));
}

#[test]
fn an_agent_who_missed_the_ring_does_not_settle_the_lead() {
    let mut desk = Desk::floor(any_ring());
    desk.sign_in(1, Holding::PerCall);
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.nailed_up(2);
    desk.answer(call);
    let missed = desk.rung().pop().expect("her phone rings").1;
    desk.progress(missed, ended(Outcome::NoAnswer, 487));
    assert_eq!((desk.activity(1), desk.activity(2)), (Activity::WrapUp, Activity::Talking));
    assert_eq!(desk.says(1, "cannot_hear", None).lead, None);
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.says(2, "voted", None).lead.expect("a lead").state, LeadState::Done);
}

#[test]
fn a_call_that_was_never_opened_brings_no_wrap_up() {
    let mut desk = Desk::floor(any_ring());
    desk.nailed_up(1);
    let act = AgentAction::Call { campaign: ID, number: number(77) };
    assert_eq!(desk.act(1, act), None);
    let request = desk.requests().remove(0);
    let verdict = DialVerdict::Closed(Reason::Blacklisted);
    desk.give(Input::AttemptOpened { attempt: request.attempt, verdict });
    assert_eq!(desk.activity(1), Activity::Idle);
}

#[test]
fn a_broken_agent_leg_still_saves_the_summary() {
    let (mut desk, call, leg) = Desk::talking();
    let by = EndedBy::Carrier;
    let broken = Ended {
        outcome: Outcome::Answered,
        by,
        sip_code: None,
        cause: "no packet".into(),
        retry_after: None,
        try_next_trunk: false,
    };
    desk.progress(leg, Progress::Ended(broken));
    assert_eq!(desk.summaries(), [], "somebody may take over yet");
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    let said = desk.summaries();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].agent, said[0].defaulted), (AgentId(1), true));
}

#[test]
fn closing_the_floor_ends_wrap_ups_and_leaves_conversations_alone() {
    let (mut desk, call, _) = Desk::talking();
    desk.give(Input::FloorClosed);
    assert_eq!(desk.activity(1), Activity::Talking);
    desk.sound();
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.seat(1).availability, Availability::SignedOut);
}

#[test]
fn a_waiting_lead_is_returned_before_an_agent_fetches_it() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.leads(vec![lead(1), lead(2)]);
    desk.nailed_up(1);
    desk.place_all();
    // Lead 2 waits in the hopper.
    desk.nailed_up(2);
    desk.act(2, AgentAction::Pause { reason: "tea".into() });
    desk.outputs.clear();
    desk.leads(vec![lead(3)]);
    assert_eq!(desk.act(2, AgentAction::CallLead { campaign: ID, lead: LeadId(3) }), None);
    let told: Vec<String> = desk.take(|output| match output {
        Output::ReturnLeads { leads, .. } => Some(format!("return {leads:?}")),
        Output::FetchLead { lead, .. } => Some(format!("fetch {lead:?}")),
        _ => None,
    });
    assert_eq!(told, ["return [LeadId(3)]", "fetch LeadId(3)"]);
}

#[test]
fn a_lead_that_an_agent_could_not_call_is_returned_unchanged() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    let asked = Lead {
        phones: vec![Phone { closed: true, ..Phone::new(number(10)) }],
        next_at: Some(MORNING + HOUR),
        ..lead(1)
    };
    assert_eq!(desk.act(1, AgentAction::CallLead { campaign: ID, lead: LeadId(1) }), None);
    let lead = Some(Box::new(asked));
    desk.give(Input::LeadFetched { campaign: ID, agent: AgentId(1), lead });
    let request = desk.requests().remove(0);
    let verdict = DialVerdict::NotBefore { until: MORNING + HOUR, reason: Reason::AttemptsUsed };
    desk.give(Input::AttemptOpened { attempt: request.attempt, verdict });
    assert_eq!((desk.saved(), desk.activity(1)), (vec![], Activity::Idle));
    desk.sound();
}

#[test]
fn a_drained_campaign_returns_its_leads() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.leads(vec![lead(1), lead(2)]);
    assert_eq!(desk.returned(), []);
    desk.give(Input::ManagerActed { campaign: ID, action: ManagerAction::Drain });
    assert_eq!(desk.returned(), [LeadId(1), LeadId(2)]);
}

#[test]
fn a_blacklisted_number_returns_its_lead_to_the_store() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.leads(vec![with_two_phones(1), lead(2)]);
    desk.give(Input::ManagerActed {
        campaign: ID,
        action: ManagerAction::Blacklisted { number: number(10) },
    });
    assert_eq!(desk.returned(), [LeadId(1)], "her other number is still to be called");
}

#[test]
fn an_untouched_preview_is_returned_and_pauses_its_agent() {
    let mut desk = Desk::floor(staffed(Mode::Preview));
    desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    assert_eq!(desk.activity(1), Activity::Reserved);
    desk.wait(Duration::from_secs(400));
    assert_eq!(desk.act(1, AgentAction::Extend), None, "she is there, and thinks");
    desk.wait(Duration::from_secs(599));
    assert_eq!(desk.activity(1), Activity::Reserved);
    desk.wait(Duration::from_secs(1));
    let seat = desk.seat(1);
    assert_eq!(seat.availability, Availability::Paused { reason: "preview_not_answered".into() });
    assert_eq!((seat.activity, seat.work), (Activity::Idle, None));
    // The lead goes to the next agent.
    desk.nailed_up(2);
    assert_eq!(desk.seat(2).work.and_then(|work| work.lead), Some(LeadId(1)));
}

#[test]
fn a_leg_answered_across_our_hang_up_ends_without_a_report() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    desk.leads(vec![lead(1)]);
    let call = desk.place_all()[0];
    desk.answer(call);
    let leg = desk.rung().pop().expect("her phone rings").1;
    desk.progress(call, ended(Outcome::Answered, 200));
    desk.result();
    desk.progress(leg, Progress::Answered);
    desk.sound();
    desk.wait(Duration::from_secs(120));
    assert_eq!(desk.dialer.calls_live(), 0);
}
