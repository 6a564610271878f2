//! A simulated manager: pauses and resumes, blacklists, closes leads, tests numbers, starts another setting
//! in the shadow; meanwhile trunks go down and come back.

use super::judge::FloorJudge;
use super::{FloorPlan, MINUTE, changes, number};
use paceline::sim::day::Day;
use paceline::sim::lead_changes::LeadChange;
use paceline::sim::line::Line;
use paceline::sim::random::SimRng;
use paceline_core::campaign::Mode;
use paceline_core::dialer::input::{ManagerAction, TrunkState};
use paceline_core::dialer::{CallStage, Input};
use paceline_core::ids::{AgentId, LeadId};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::outcome::Reason;
use paceline_core::pacing::shadow::ShadowRules;
use paceline_core::time::{Duration, Time};

/// Acts of a day.
const ACTS_MAX: u32 = 60;

/// Runs the day with a manager who acts every few minutes; returns whether it finished, and whether the
/// manager let the list go on to its end.
pub fn run(day: &mut Day<Line>, plan: &FloorPlan, judge: &FloorJudge, until: Time) -> (bool, bool) {
    let mut rng = SimRng::keyed(plan.seed, &[plan.campaign.mode as u64, 7]);
    let mut whole = true;
    let (mut paused_until, mut acts) = (None, 0);
    let mut rules = plan.campaign.clone();
    let mut at = day.now;
    loop {
        let span = rng.between(Duration::from_secs(20), MINUTE * 25);
        // The manager acts also while the simulation has no event.
        at = at.max(day.now);
        let next = (at + span).min(paused_until.unwrap_or(until)).min(until);
        if day.run(next) {
            return (true, whole);
        }
        if next >= until {
            return (false, whole);
        }
        at = next;
        if paused_until.take_if(|paused| *paused <= at).is_some() {
            give(day, ManagerAction::Resume);
        } else if acts < ACTS_MAX {
            acts += 1;
            if plan.changed && (acts == ACTS_MAX || rng.chance(0.7)) {
                // In the end the rules are as they were, so that the list is called to its end.
                rules =
                    if acts == ACTS_MAX { plan.campaign.clone() } else { changes::drawn(&rules, &mut rng) };
                judge.change(rules.clone());
                day.give(Input::CampaignChanged { campaign: Box::new(rules.clone()) });
            } else {
                whole &= act(day, plan, &mut rng, &mut paused_until);
                whole &= change_leads(day, plan, &mut rng);
            }
        } else {
            // Leads of agents who are away would wait for them for ever.
            whole &= unassign_all(day, plan, &mut rng);
        }
    }
}

fn give(day: &mut Day<Line>, act: ManagerAction) {
    let campaign = day.campaign();
    day.give(Input::ManagerActed { campaign, action: act });
}

/// Changes a few leads in the store; the dialer learns of it a moment later. `false` = the campaign finished between.
fn change_leads(day: &mut Day<Line>, plan: &FloorPlan, rng: &mut SimRng) -> bool {
    let mut leads = Vec::new();
    for _ in 0..rng.next_u64() % 5 {
        let lead = plan.leads[rng.next_u64() as usize % plan.leads.len()].id;
        let agent = AgentId(1 + (rng.next_u64() % plan.agents.len() as u64) as i64);
        let change = match rng.next_u64() % 8 {
            0..2 => LeadChange::Close,
            2 => LeadChange::Reopen,
            3..5 => LeadChange::First,
            5 => LeadChange::Assign(agent),
            6 => LeadChange::Unassign,
            _ => {
                let at = day.utc() + rng.between(Duration::from_secs(5), MINUTE * 90);
                LeadChange::Book { at, agent: rng.chance(0.5).then_some(agent) }
            }
        };
        if day.store.change_lead(lead, change, day.utc()) {
            leads.push(lead);
        }
    }
    report_changes(day, leads, rng)
}

fn unassign_all(day: &mut Day<Line>, plan: &FloorPlan, rng: &mut SimRng) -> bool {
    let now = day.utc();
    let ids = plan.leads.iter().map(|lead| lead.id);
    let leads = ids.filter(|id| day.store.change_lead(*id, LeadChange::Unassign, now)).collect();
    report_changes(day, leads, rng)
}

fn report_changes(day: &mut Day<Line>, leads: Vec<LeadId>, rng: &mut SimRng) -> bool {
    if leads.is_empty() {
        return true;
    }
    let reported = day.now + rng.between(Duration::ZERO, Duration::from_secs(2));
    let finished = day.run(reported);
    give(day, ManagerAction::LeadsChanged { leads });
    !finished
}

/// One act; `false` = the list will not be called to its end.
fn act(day: &mut Day<Line>, plan: &FloorPlan, rng: &mut SimRng, paused_until: &mut Option<Time>) -> bool {
    let lead = &plan.leads[rng.next_u64() as usize % plan.leads.len()];
    match rng.next_u64() % 20 {
        0..3 => {
            *paused_until = Some(day.now + rng.between(Duration::from_secs(5), MINUTE * 20));
            give(day, ManagerAction::Pause);
        }
        3..7 => {
            // The number that rings at this moment, if any.
            let ringing = day.dialer.calls_now().find(|call| call.stage == CallStage::Ringing);
            let rung = ringing.and_then(|call| call.number).filter(|_| rng.chance(0.5));
            let unwanted = rung.unwrap_or(lead.phones[0].number);
            day.store.blacklist(unwanted);
            let campaign = rng.chance(0.5).then_some(plan.campaign.id);
            day.give(Input::Blacklisted { campaign, patterns: vec![NumberPattern::exact(unwanted)] });
        }
        7..10 => {
            day.store.close_lead(lead.id, Reason::Stopped);
            give(day, ManagerAction::LeadClosed { lead: lead.id });
        }
        10..13 => {
            let own = rng.chance(0.3);
            let number = if own { lead.phones[0].number } else { number(9_000 + rng.next_u64() % 40) };
            give(day, ManagerAction::TestCall { number });
        }
        13..15 => {
            let rules = ShadowRules { mode: Mode::Predictive, call_ratio: 1.0, abandon_rate_max: 0.03 };
            give(day, ManagerAction::Shadow(rng.chance(0.6).then_some(rules)));
        }
        15..18 => {
            let rest = TrunkState::Resting { span: rng.between(Duration::from_secs(1), MINUTE) };
            let state = if rng.chance(0.5) { rest } else { TrunkState::Down };
            day.give(Input::TrunkChanged { trunk: plan.trunk.id, state });
            let up = day.now + rng.between(Duration::from_secs(1), MINUTE * 3);
            day.run(up);
            day.give(Input::TrunkChanged { trunk: plan.trunk.id, state: TrunkState::Up });
        }
        18 => day.give(Input::Overran),
        _ if rng.chance(0.5) => {
            // The campaign goes on when it is resumed.
            let act = if rng.chance(0.5) { ManagerAction::Drain } else { ManagerAction::HangUpAll };
            give(day, act);
            *paused_until = Some(day.now + rng.between(Duration::from_secs(5), MINUTE * 20));
        }
        _ => {}
    }
    true
}
