//! Booked callbacks and retries are dialled at their moment, before untried leads.

use super::floor::staffed;
use super::*;
use crate::ids::AgentId;
use crate::lead::Callback;

fn booked(n: i64, agent: Option<i64>, at: Utc) -> Lead {
    let callback = Some(Callback { agent: agent.map(AgentId), skill: None });
    Lead { callback, next_at: Some(at), ..lead(n) }
}

impl Desk {
    fn fetches(&mut self) -> Vec<(u32, bool)> {
        self.take(|output| match output {
            Output::FetchLeads { count, untried, .. } => Some((*count, *untried)),
            _ => None,
        })
    }

    fn arrive(&mut self, leads: Vec<Lead>, next_due: Option<Utc>) {
        self.give(Input::LeadsArrived { campaign: ID, leads, next_due, leads_open: 1_000_000 });
    }

    fn opened_leads(&mut self) -> Vec<i64> {
        self.requests().iter().filter_map(|request| request.lead).map(|lead| lead.0).collect()
    }
}

#[test]
fn a_callback_is_fetched_at_its_moment_although_the_hopper_is_full() {
    let mut slow = campaign();
    slow.calls_per_sec = Some(0.05);
    let mut desk = Desk::new(slow);
    let (count, _) = desk.fetches()[0];
    let at = MORNING + Duration::from_secs(125);
    desk.arrive((1..=i64::from(count)).map(lead).collect(), Some(at));
    desk.wait(Duration::from_secs(124));
    let before = desk.opened_leads();
    assert!(before.len() < count as usize, "the hopper is not empty: {before:?}");
    desk.fetches();
    desk.wait(Duration::from_secs(1));
    let asked = desk.fetches();
    assert!(asked.iter().any(|(_, untried)| !untried), "only what is due is asked for: {asked:?}");
    desk.arrive(vec![booked(900, None, at), Lead { next_at: Some(at), ..lead(901) }], None);
    desk.wait(Duration::from_secs(40));
    assert_eq!(desk.opened_leads()[..2], [900, 901]);
}

#[test]
fn a_callback_whose_agent_is_idle_does_not_wait_for_the_pacing() {
    let mut ratio = staffed(Mode::Ratio);
    ratio.pacing.call_ratio = 1.0;
    let mut desk = Desk::floor(ratio);
    desk.nailed_up(1);
    desk.nailed_up(2);
    desk.fetches();
    let at = MORNING + Duration::from_secs(60);
    desk.arrive((1..=20).map(lead).collect(), Some(at));
    assert_eq!((desk.opened_leads(), desk.why()), (vec![1, 2], Some(Why::LinesOut)));
    desk.wait(Duration::from_secs(60));
    assert_eq!(desk.fetches().iter().map(|ask| ask.1).collect::<Vec<_>>(), [false]);
    desk.arrive(vec![booked(900, Some(2), at), booked(901, Some(7), at), booked(902, None, at)], None);
    // Agent 7 is not there; the callback for any agent takes the other idle one.
    assert_eq!(desk.opened_leads(), [900, 902]);
    assert_eq!(desk.activity(2), crate::agent::Activity::Reserved);
}

#[test]
fn a_callback_of_an_absent_agent_goes_to_any_agent_after_the_grace() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.nailed_up(1);
    desk.fetches();
    desk.arrive(vec![booked(900, Some(7), MORNING)], None);
    desk.wait(crate::explain::CALLBACK_GRACE - Duration::from_millis(1));
    assert_eq!(desk.opened_leads(), []);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.opened_leads(), [900]);
}

#[test]
fn a_due_time_that_was_written_meanwhile_is_not_forgotten() {
    let mut desk = Desk::new(campaign());
    desk.fetches();
    desk.arrive(vec![lead(1)], None);
    let call = desk.placing();
    // The store is asked, and answers from before the callback was written.
    let supply = |desk: &Desk| desk.dialer.campaigns[&ID].supply.next_due;
    desk.progress(call, ended(Outcome::NoAnswer, 480));
    desk.outputs.retain(|output| matches!(output, Output::SaveResult(_)));
    let due = supply(&desk);
    assert!(due.is_some());
    desk.dialer.campaigns.get_mut(&ID).expect("a run").supply.fetching =
        Some(crate::dialer::campaign_run::Fetching { count: 5, untried: false });
    desk.arrive(vec![], None);
    assert_eq!(supply(&desk), due);
}

#[test]
fn a_store_whose_clock_is_behind_is_not_asked_without_a_pause() {
    let mut desk = Desk::new(campaign());
    desk.fetches();
    desk.arrive(vec![], Some(MORNING));
    let mut asked = 0;
    while desk.now < Time::from_millis(1_000) {
        for _ in desk.fetches() {
            asked += 1;
            desk.arrive(vec![], Some(MORNING));
        }
        desk.wait(Duration::from_millis(1));
    }
    assert!((3..=5).contains(&asked), "{asked} requests in a second");
}
