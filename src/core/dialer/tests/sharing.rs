//! Lines that several campaigns want: reserved ones, then by priority, then by weight; in virtual time.

use super::*;
use crate::campaign::Share;
use rand::RngExt;
use std::collections::BinaryHeap;

/// A campaign of a random floor. Its list never ends.
#[derive(Clone, Copy, Debug)]
struct Wanting {
    id: CampaignId,
    share: Share,
    /// Lines that it wants at most.
    wants: u32,
    /// Seconds that its calls last on average; 0 = no lead of it is due.
    lasts: u64,
}

/// Campaigns with endless lists on one trunk; calls ring and are not answered.
struct Lines {
    desk: Desk,
    random: ChaCha8Rng,
    campaigns: Vec<Wanting>,
    calls_max: u32,
    next_lead: i64,
    /// Ends of calls, the soonest first.
    ends: BinaryHeap<std::cmp::Reverse<(Time, CallId)>>,
    /// Line-milliseconds of each campaign.
    held: BTreeMap<CampaignId, u64>,
}

impl Lines {
    fn new(seed: u64, calls_max: u32, campaigns: &[Wanting]) -> Lines {
        let mut desk = Desk { dialer: Dialer::new(seed), now: Time::ZERO, outputs: Vec::new() };
        desk.give(Input::ClockSet(MORNING));
        desk.give(Input::Resumed(OpenWork { next_attempt: 1, ..OpenWork::default() }));
        let mut lines = Lines {
            desk,
            random: ChaCha8Rng::seed_from_u64(seed),
            campaigns: campaigns.to_vec(),
            calls_max,
            next_lead: 1,
            ends: BinaryHeap::new(),
            held: BTreeMap::new(),
        };
        for wanting in campaigns {
            lines.open(wanting);
        }
        // All begin to want lines at once.
        lines.give(Input::TrunkDefined(Trunk { calls_max, ..trunk(1) }));
        lines
    }

    fn open(&mut self, wanting: &Wanting) {
        let campaign = Campaign {
            id: wanting.id,
            trunks: vec![TrunkId(1)],
            concurrency_max: (wanting.wants < self.calls_max).then_some(wanting.wants),
            ..campaign()
        };
        self.give(Input::ShareSet { campaign: wanting.id, share: wanting.share });
        let (campaign, abandons, past) = (Box::new(campaign), Vec::new(), Vec::new());
        self.give(Input::CampaignOpened { campaign, leads_open: 1_000_000, paused: false, abandons, past });
    }

    fn act(&mut self, campaign: CampaignId, action: ManagerAction) {
        self.give(Input::ManagerActed { campaign, action });
    }

    /// Gives one input, and answers what the dialer asks for until it asks no more.
    fn give(&mut self, input: Input) {
        self.desk.give(input);
        loop {
            let outputs = std::mem::take(&mut self.desk.outputs);
            let mut answers = Vec::new();
            for output in outputs {
                match output {
                    Output::FetchLeads { campaign, count, .. } => {
                        let has_leads = self.campaigns.iter().any(|it| it.id == campaign && it.lasts > 0);
                        let leads = (0..count).filter(|_| has_leads).map(|_| self.fresh_lead()).collect();
                        let next_due = (!has_leads).then_some(MORNING + Duration::from_secs(9 * 3_600));
                        answers.push(Input::LeadsArrived {
                            campaign,
                            leads,
                            next_due,
                            leads_open: 1_000_000,
                        });
                    }
                    Output::OpenAttempt(request) => {
                        let attempt = request.attempt;
                        answers.push(Input::AttemptOpened { attempt, verdict: DialVerdict::Opened });
                    }
                    Output::PlaceCall { call, .. } => {
                        let campaign = self.desk.dialer.call_now(call).expect("a live call").campaign;
                        let of = self.campaigns.iter().find(|it| it.id == campaign).expect("a campaign");
                        let span = self.random.random_range(of.lasts * 500..=of.lasts * 1_500);
                        self.ends
                            .push(std::cmp::Reverse((self.desk.now + Duration::from_millis(span), call)));
                        answers.push(Input::CallProgressed { call, progress: Progress::Ringing });
                    }
                    Output::SaveResult(result) => {
                        answers.push(Input::ResultSaved { attempt: result.attempt });
                    }
                    _ => {}
                }
            }
            if answers.is_empty() {
                break;
            }
            answers.into_iter().for_each(|answer| self.desk.give(answer));
        }
        assert_eq!(self.desk.dialer.drift(), None);
    }

    fn fresh_lead(&mut self) -> Lead {
        let id = self.next_lead;
        self.next_lead += 1;
        let number = PhoneNumber::from_e164(8_613_000_000_000 + id as u64).expect("a number");
        Lead { household: None, ..lead_of(id, number) }
    }

    /// Lets calls end for so long.
    fn run(&mut self, span: Duration, each: impl Fn(&Lines)) {
        let until = self.desk.now + span;
        while let Some(std::cmp::Reverse((at, call))) = self.ends.pop() {
            if at > until {
                self.ends.push(std::cmp::Reverse((at, call)));
                break;
            }
            let span = (at - self.desk.now).as_millis() as u64;
            for wanting in &self.campaigns {
                *self.held.entry(wanting.id).or_default() += span * u64::from(self.live(wanting.id));
            }
            self.desk.now = at;
            self.give(Input::CallProgressed { call, progress: ended(Outcome::NoAnswer, 480) });
            each(self);
        }
        self.desk.now = until;
    }

    fn live(&self, id: CampaignId) -> u32 {
        self.desk.dialer.view(id).numbers.live
    }

    fn free(&self) -> u32 {
        let live: u32 = self.campaigns.iter().map(|it| self.live(it.id)).sum();
        assert!(live <= self.calls_max, "{live} calls on {} lines", self.calls_max);
        self.calls_max - live
    }

    fn lacking(&self) -> u32 {
        let lack = |it: &Wanting| it.share.lines_reserved.min(it.wants).saturating_sub(self.live(it.id));
        self.campaigns.iter().map(lack).sum()
    }

    /// Reserved lines are not taken by others, and no other line stays idle that a campaign wants.
    fn check(&self) {
        let (free, lacking) = (self.free(), self.lacking());
        assert!(free >= lacking, "{free} free lines, {lacking} reserved ones are lacking");
        if free > lacking {
            let content = self.campaigns.iter().all(|it| self.live(it.id) >= it.wants.min(self.calls_max));
            assert!(content, "{free} lines stay idle, {lacking} of them reserved: {:?}", self.campaigns);
        }
    }
}

fn lead_of(id: i64, number: PhoneNumber) -> Lead {
    let mut lead = lead(id);
    lead.phones.truncate(1);
    lead.phones[0].number = number;
    lead
}

/// The lines that each is due, as fractions: reserved ones, then by priority, within one priority as `max(reserved, level
/// * weight)` with the level at which they use what is there.
fn ideal(calls_max: u32, campaigns: &[Wanting]) -> BTreeMap<CampaignId, f64> {
    let wants = |it: &Wanting| f64::from(it.wants.min(calls_max));
    let reserved = |it: &Wanting| f64::from(it.share.lines_reserved).min(wants(it));
    let mut left = f64::from(calls_max) - campaigns.iter().map(reserved).sum::<f64>();
    let mut due = BTreeMap::new();
    for priority in 1..=Share::PRIORITY_MAX {
        let class: Vec<&Wanting> = campaigns.iter().filter(|it| it.share.priority == priority).collect();
        let there = left + class.iter().map(|it| reserved(it)).sum::<f64>();
        let at = |level: f64| {
            class.iter().map(move |it| (level * f64::from(it.share.weight)).max(reserved(it)).min(wants(it)))
        };
        let (mut low, mut high) = (0.0, f64::from(calls_max) + 1.0);
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            if at(middle).sum::<f64>() <= there { low = middle } else { high = middle }
        }
        for (it, lines) in class.iter().zip(at(low)) {
            due.insert(it.id, lines);
            left -= lines - reserved(it);
        }
    }
    due
}

fn random_floor(random: &mut ChaCha8Rng) -> (u32, Vec<Wanting>) {
    let calls_max = random.random_range(3..=40);
    let mut unreserved = calls_max;
    let count = random.random_range(2..=5);
    let campaigns = (1..=count).map(|id| {
        let lines_reserved = match random.random_range(0..3) {
            0 => random.random_range(0..=unreserved / 2),
            _ => 0,
        };
        let wants = match random.random_range(0..3) {
            0 => random.random_range(1..=calls_max),
            _ => 999,
        };
        let lines_reserved = lines_reserved.min(wants);
        unreserved -= lines_reserved;
        let priority = *[1, 5, 5, 5, 9].get(random.random_range(0..5)).expect("a priority");
        let share = Share { priority, weight: random.random_range(1..=6), lines_reserved };
        Wanting { id: CampaignId(id), share, wants, lasts: random.random_range(8..=90) }
    });
    let campaigns = campaigns.collect();
    (calls_max, campaigns)
}

#[test]
fn shares_are_within_a_line_of_what_is_due_whatever_the_campaigns_want() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for seed in 0..40 {
        let (calls_max, campaigns) = random_floor(&mut random);
        let mut lines = Lines::new(seed, calls_max, &campaigns);
        lines.run(Duration::from_secs(300), Lines::check);
        lines.held.clear();
        let span = Duration::from_secs(1_200);
        let begun = lines.desk.now;
        lines.run(span, Lines::check);
        let measured = (lines.desk.now - begun).as_millis() as f64;
        let due = ideal(calls_max, &campaigns);
        for it in &campaigns {
            let held = lines.held.get(&it.id).copied().unwrap_or(0) as f64 / measured;
            let due = due[&it.id];
            assert!(
                (held - due).abs() <= 1.0,
                "{it:?} holds {held:.2} of {calls_max} lines, {due:.2} are due: {campaigns:?}"
            );
        }
        let wants: Vec<(Share, u32)> = campaigns.iter().map(|it| (it.share, it.wants)).collect();
        for (it, at_once) in campaigns.iter().zip(divide_lines(calls_max, &wants)) {
            let due = due[&it.id];
            assert!((f64::from(at_once) - due).abs() <= 1.0, "{it:?}: {at_once} at once, {due:.2} are due");
        }
    }
}

fn wanting(id: i64, priority: u8, weight: u32, lines_reserved: u32) -> Wanting {
    let share = Share { priority, weight, lines_reserved };
    Wanting { id: CampaignId(id), share, wants: 999, lasts: 20 }
}

#[test]
fn a_change_of_shares_applies_to_the_next_lines_and_what_a_paused_campaign_leaves_is_used() {
    let campaigns = [wanting(1, 5, 1, 0), wanting(2, 5, 1, 0), wanting(3, 5, 1, 10)];
    let mut lines = Lines::new(3, 30, &campaigns);
    let live = |lines: &Lines| [1, 2, 3].map(|id| lines.live(CampaignId(id)));
    lines.run(Duration::from_secs(120), Lines::check);
    assert_eq!(live(&lines), [10, 10, 10]);
    lines.act(CampaignId(3), ManagerAction::Pause);
    lines.run(Duration::from_secs(120), |_| {});
    assert_eq!(live(&lines), [15, 15, 0], "reserved lines are kept for who may call");
    lines.give(Input::ShareSet { campaign: CampaignId(1), share: Share { weight: 2, ..Share::default() } });
    lines.run(Duration::from_secs(120), |_| {});
    assert_eq!(live(&lines), [20, 10, 0]);
    lines.act(CampaignId(3), ManagerAction::Resume);
    lines.run(Duration::from_secs(120), |_| {});
    assert_eq!(live(&lines), [13, 7, 10], "two to one of what the third leaves");
    lines.give(Input::ShareSet { campaign: CampaignId(2), share: Share { priority: 1, ..Share::default() } });
    lines.run(Duration::from_secs(120), |_| {});
    assert_eq!(live(&lines), [0, 20, 10]);
}

#[test]
fn the_why_names_the_campaign_that_has_the_lines_and_the_rule() {
    let given = |campaigns: &[Wanting], of: i64| {
        let mut lines = Lines::new(5, 12, campaigns);
        lines.run(Duration::from_secs(120), |_| {});
        let view = lines.desk.dialer.view(CampaignId(of));
        (view.why, view.share.map(|given| (given.to.0, given.by)))
    };
    let priority = [wanting(1, 5, 1, 0), wanting(2, 1, 1, 0)];
    assert_eq!(given(&priority, 1), (Some(Why::ShareUsed), Some((2, GivenBy::Priority))));
    assert_eq!(given(&priority, 2), (Some(Why::TrunksFull), None), "its own calls fill the lines");
    let weight = [wanting(1, 5, 1, 0), wanting(2, 5, 3, 0)];
    assert_eq!(given(&weight, 1), (Some(Why::ShareUsed), Some((2, GivenBy::Weight))));
    // No lead of the third is due: its lines stay reserved and idle.
    let idle = Wanting { lasts: 0, ..wanting(3, 9, 1, 6) };
    let reserved = [wanting(1, 5, 1, 0), idle];
    assert_eq!(given(&reserved, 1), (Some(Why::ShareUsed), Some((3, GivenBy::Reserved))));
}

#[test]
fn a_dialer_from_before_there_were_shares_goes_on_by_turns() {
    let campaigns = [wanting(1, 1, 1, 0), wanting(2, 9, 1, 0)];
    let mut lines = Lines::new(9, 10, &campaigns);
    lines.desk.dialer.sharing = None;
    lines.run(Duration::from_secs(300), |_| {});
    let live = [1, 2].map(|id| lines.live(CampaignId(id)));
    assert_eq!(live[0] + live[1], 10);
    assert!(live[1] >= 3, "{live:?}: turns, not priority");
}

#[test]
fn a_trunk_that_goes_is_used_no_more_and_a_test_over_it_is_refused() {
    let mut desk = Desk::with_trunks(campaign(), vec![trunk(0), trunk(1)]);
    desk.give(Input::TrunkRemoved { trunk: TrunkId(0) });
    desk.leads(vec![lead(1)]);
    assert!(desk.requests().is_empty(), "the campaign has no other trunk");
    assert_eq!(desk.why(), Some(Why::TrunksDown));
    desk.give(Input::TrunkDefined(trunk(2)));
    desk.give(Input::CampaignChanged {
        campaign: Box::new(Campaign { trunks: vec![TrunkId(2)], ..campaign() }),
    });
    assert_eq!(desk.requests().remove(0).trunk, TrunkId(2));
    assert_eq!(desk.dialer.drift(), None);
}

#[test]
fn a_person_ends_the_rest_of_a_trunk() {
    let mut desk = Desk::new(campaign());
    desk.give(Input::TrunkChanged {
        trunk: TrunkId(0),
        state: TrunkState::Resting { span: Duration::from_secs(600) },
    });
    desk.leads(vec![lead(1)]);
    assert_eq!((desk.requests().len(), desk.why()), (0, Some(Why::TrunksDown)));
    assert!(desk.dialer.trunk_rest(TrunkId(0)).asked_until.is_some());
    desk.give(Input::TrunkRestEnded { trunk: TrunkId(0) });
    assert_eq!(desk.requests().len(), 1);
    assert_eq!(desk.dialer.trunk_rest(TrunkId(0)).asked_until, None);
}
