//! Caller ID choice: rotation, stickiness, caps per hour and day, and what the register of numbers says of each. One
//! ledger of uses serves all campaigns, because a number is flagged for the sum of its calls.

use crate::ids::{AgentId, CampaignId, HouseholdId};
use crate::number::{PhoneNumber, ShownNumber};
use crate::time::{Duration, Utc};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A number the campaign may show. `shown` is its form in China (`075512345678`); the trunk decides which form
/// leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerId {
    pub number: ShownNumber,
    pub shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// The first until its cap, then the next.
    InOrder,
    RoundRobin,
    Random,
    LeastUsed,
    /// A number of the callee's own area code first, then the least used.
    Region,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdRules {
    /// Empty = the trunk's own identity.
    pub numbers: Vec<CallerId>,
    pub rotation: Rotation,
    /// A household sees the same number again.
    pub sticky: bool,
    /// `None` = no cap. An hour is the last 60 minutes.
    pub per_hour_max: Option<u32>,
    /// `None` = no cap. A day is the last 24 hours.
    pub per_day_max: Option<u32>,
    /// A new number starts slowly: see [`warm_up_max`].
    pub warm_up: bool,
}

/// The trunk's own identity, without caps.
impl Default for CallerIdRules {
    fn default() -> Self {
        CallerIdRules {
            numbers: Vec::new(),
            rotation: Rotation::RoundRobin,
            sticky: true,
            per_hour_max: None,
            per_day_max: None,
            warm_up: false,
        }
    }
}

impl CallerIdRules {
    /// Calls that a number may still show itself in within 24 hours, after `used` of them. `None` = as many as wanted.
    pub fn left_today(&self, used: u32, first: Option<Utc>, at: Utc) -> Option<u32> {
        self.day_max(first, at).map(|most| most.saturating_sub(used))
    }

    /// The cap of a number that was first used at `first`.
    fn day_max(&self, first: Option<Utc>, at: Utc) -> Option<u32> {
        let days = first.map_or(0, |first| at.since(first).as_secs() / DAY.as_secs());
        let warm_up = Some(warm_up_max(days)).filter(|most| self.warm_up && *most != u32::MAX);
        match (self.per_day_max, warm_up) {
            (Some(own), Some(warm_up)) => Some(own.min(warm_up)),
            (own, warm_up) => own.or(warm_up),
        }
    }
}

/// How much of its calls a registered number may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    Full,
    /// In each hour a tenth of what the campaign's other numbers take on average. A campaign that has no other number
    /// shows it as any.
    Tenth,
    /// Not shown: not whitelisted yet, resting, retired.
    Not,
}

/// What the register says of one number. A campaign's own rules hold beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredNumber {
    pub number: ShownNumber,
    pub usage: Usage,
    /// Shown in calls of this agent alone, and to no other number's disadvantage: in those it comes first.
    pub agent: Option<AgentId>,
    /// `None` = no cap of its own.
    pub per_hour_max: Option<u32>,
    pub per_day_max: Option<u32>,
    /// Start of its warm-up: see [`warm_up_max`]. `None` = as the campaign says.
    pub warm_up_from: Option<Utc>,
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A number that takes a tenth of its calls is asked for again after this.
const TENTH_AGAIN: Duration = Duration::from_secs(60);

/// Daily cap of a number `days` days after its first call: 20, doubling daily, without limit from the
/// second week on.
pub fn warm_up_max(days: u64) -> u32 {
    if days >= 7 { u32::MAX } else { 20 << days }
}

/// Uses of every caller ID, over all campaigns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallerIdLedger {
    uses: BTreeMap<ShownNumber, Uses>,
    sticky: BTreeMap<(CampaignId, HouseholdId), ShownNumber>,
    /// What the register says; a number that does not stand in it has the campaign's rules alone.
    registered: BTreeMap<ShownNumber, RegisteredNumber>,
    /// Next index for round robin.
    next: BTreeMap<CampaignId, usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Uses {
    /// Of the last 24 hours, ascending.
    last_day: VecDeque<Utc>,
    first: Option<Utc>,
    total: u64,
}

/// The caller ID chosen for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The campaign has no caller IDs: the trunk shows its own.
    TrunkOwn,
    Show(CallerId),
    /// Every number that may be shown is at its cap until then.
    UsedUntil(Utc),
    /// The register lets none of them be shown.
    NoneUsable,
}

/// The call that a caller ID is chosen for.
#[derive(Clone, Copy, Debug)]
pub struct ShownTo {
    pub household: Option<HouseholdId>,
    pub callee: PhoneNumber,
    /// The agent whose call it is from the start (preview, own dialling).
    pub agent: Option<AgentId>,
}

impl CallerIdLedger {
    /// Restores a use from an earlier process.
    pub fn restore_use(&mut self, number: ShownNumber, at: Utc) {
        self.note_use(number, at);
    }

    pub fn restore_first_use(&mut self, number: ShownNumber, at: Utc) {
        self.uses.entry(number).or_default().first = Some(at);
    }

    pub fn restore_sticky(&mut self, campaign: CampaignId, household: HouseholdId, number: ShownNumber) {
        self.sticky.insert((campaign, household), number);
    }

    /// Replaces what the register says.
    pub fn register(&mut self, numbers: Vec<RegisteredNumber>) {
        self.registered = numbers.into_iter().map(|it| (it.number, it)).collect();
    }

    /// Chooses a caller ID for one call. It counts as used only once `note` is called.
    pub fn choose(
        &mut self,
        campaign: CampaignId,
        rules: &CallerIdRules,
        to: ShownTo,
        at: Utc,
        random: &mut ChaCha8Rng,
    ) -> Choice {
        if rules.numbers.is_empty() {
            return Choice::TrunkOwn;
        }
        let ShownTo { household, callee, .. } = to;
        let usable = self.usable(rules, to.agent);
        if usable.is_empty() {
            return Choice::NoneUsable;
        }
        let free_at = |n: &usize| self.free_at(rules, &usable, *n, at);
        let free: Vec<usize> = usable.iter().copied().filter(|n| free_at(n) <= at).collect();
        if free.is_empty() {
            let soonest = usable.iter().map(free_at).min();
            return Choice::UsedUntil(soonest.unwrap_or(at + HOUR));
        }
        let remembered = household
            .filter(|_| rules.sticky)
            .and_then(|household| self.sticky.get(&(campaign, household)))
            .and_then(|number| free.iter().copied().find(|n| rules.numbers[*n].number == *number));
        let chosen = remembered.unwrap_or_else(|| match rules.rotation {
            Rotation::InOrder => free[0],
            Rotation::RoundRobin => {
                let next = self.next.get(&campaign).copied().unwrap_or(0);
                free.iter().copied().find(|n| *n >= next).unwrap_or(free[0])
            }
            Rotation::Random => free[random.random_range(0..free.len())],
            Rotation::LeastUsed => self.least_used(rules, &free),
            Rotation::Region => {
                let is_near = |n: &usize| {
                    rules.numbers[*n].number.dialable().is_some_and(|shown| callee.same_area(shown))
                };
                let near: Vec<usize> = free.iter().copied().filter(is_near).collect();
                self.least_used(rules, if near.is_empty() { &free } else { &near })
            }
        });
        if remembered.is_none() && rules.rotation == Rotation::RoundRobin {
            self.next.insert(campaign, (chosen + 1) % rules.numbers.len());
        }
        Choice::Show(rules.numbers[chosen].clone())
    }

    /// Counts a use of this number.
    pub fn note(
        &mut self,
        campaign: CampaignId,
        household: Option<HouseholdId>,
        number: ShownNumber,
        at: Utc,
    ) {
        self.note_use(number, at);
        if let Some(household) = household {
            self.sticky.insert((campaign, household), number);
        }
    }

    fn note_use(&mut self, number: ShownNumber, at: Utc) {
        let uses = self.uses.entry(number).or_default();
        while uses.last_day.front().is_some_and(|use_at| *use_at + DAY <= at) {
            uses.last_day.pop_front();
        }
        uses.last_day.push_back(at);
        uses.first.get_or_insert(at);
        uses.total += 1;
    }

    fn least_used(&self, rules: &CallerIdRules, among: &[usize]) -> usize {
        let total =
            |n: &usize| self.uses.get(&rules.numbers[*n].number).map_or(0, |uses| uses.last_day.len());
        among.iter().copied().min_by_key(|n| (total(n), *n)).unwrap_or(0)
    }

    /// Indices of the numbers that the register lets be shown: those bound to the call's agent, else those bound to
    /// no agent.
    fn usable(&self, rules: &CallerIdRules, agent: Option<AgentId>) -> Vec<usize> {
        let bound_to = |wanted: Option<AgentId>| -> Vec<usize> {
            let is_usable = |number: &ShownNumber| match self.registered.get(number) {
                Some(it) => it.usage != Usage::Not && it.agent == wanted,
                None => wanted.is_none(),
            };
            (0..rules.numbers.len()).filter(|n| is_usable(&rules.numbers[*n].number)).collect()
        };
        match agent.map(|agent| bound_to(Some(agent))) {
            Some(own) if !own.is_empty() => own,
            _ => bound_to(None),
        }
    }

    /// When the number at this index may be shown again; `at` or earlier = now. `usable` = the numbers beside it.
    fn free_at(&self, rules: &CallerIdRules, usable: &[usize], n: usize, at: Utc) -> Utc {
        let number = rules.numbers[n].number;
        let registered = self.registered.get(&number);
        let tenth_at = self.tenth_free_at(rules, usable, number, at);
        let Some(uses) = self.uses.get(&number) else { return tenth_at };
        let smaller = |one: Option<u32>, other: Option<u32>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let days =
            registered.and_then(|it| it.warm_up_from).map(|from| at.since(from).as_secs() / DAY.as_secs());
        let own = registered.map_or((None, None), |it| (it.per_hour_max, it.per_day_max));
        let hour_max = smaller(rules.per_hour_max, own.0);
        let day_max = smaller(smaller(rules.day_max(uses.first, at), own.1), days.map(warm_up_max));
        let free = |cap: Option<u32>, span: Duration| match cap {
            Some(cap) => uses.free_at(cap as usize, span, at),
            None => at,
        };
        free(hour_max, HOUR).max(free(day_max, DAY)).max(tenth_at)
    }

    /// When a number that takes a tenth of its calls may be shown: once the others have had ten times its calls of
    /// the last hour, on average.
    fn tenth_free_at(&self, rules: &CallerIdRules, usable: &[usize], number: ShownNumber, at: Utc) -> Utc {
        let usage = |number: &ShownNumber| self.registered.get(number).map_or(Usage::Full, |it| it.usage);
        if usage(&number) != Usage::Tenth {
            return at;
        }
        let others = usable.iter().map(|n| rules.numbers[*n].number).filter(|it| usage(it) == Usage::Full);
        let (others, theirs) = others.fold((0, 0), |(n, sum), it| (n + 1, sum + self.uses_in_hour(it, at)));
        if others == 0 || self.uses_in_hour(number, at) * 10 * others < theirs {
            return at;
        }
        at + TENTH_AGAIN
    }

    fn uses_in_hour(&self, number: ShownNumber, at: Utc) -> usize {
        let Some(uses) = self.uses.get(&number) else { return 0 };
        uses.last_day.len() - uses.last_day.partition_point(|use_at| *use_at + HOUR <= at)
    }
}

impl Uses {
    /// When fewer than `cap` uses will lie in the last `span`.
    fn free_at(&self, cap: usize, span: Duration, at: Utc) -> Utc {
        match self.last_day.len().checked_sub(cap) {
            Some(excess) if cap > 0 => (self.last_day[excess] + span).max(at),
            Some(_) => at + DAY,
            None => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const AT: Utc = Utc::from_millis(1_700_000_000_000);
    const CAMPAIGN: CampaignId = CampaignId(1);

    fn number(digits: u64) -> PhoneNumber {
        PhoneNumber::from_e164(digits).expect("a number")
    }

    fn rules(rotation: Rotation) -> CallerIdRules {
        let numbers = [8675512345671, 862012345672, 8675512345673]
            .map(|digits| CallerId { number: number(digits).into(), shown: number(digits).national() });
        CallerIdRules {
            numbers: numbers.to_vec(),
            rotation,
            sticky: true,
            per_hour_max: None,
            per_day_max: None,
            warm_up: false,
        }
    }

    fn to(household: Option<HouseholdId>) -> ShownTo {
        ShownTo { household, callee: number(8675588880000), agent: None }
    }

    /// The last digits of the numbers shown to these households, one call a minute.
    fn shown(rules: &CallerIdRules, households: &[Option<i64>]) -> Vec<u64> {
        let mut ledger = CallerIdLedger::default();
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut at = AT;
        let mut shown = Vec::new();
        for household in households {
            let household = household.map(HouseholdId);
            match ledger.choose(CAMPAIGN, rules, to(household), at, &mut random) {
                Choice::Show(id) => {
                    ledger.note(CAMPAIGN, household, id.number, at);
                    shown.push(id.number.as_u64() % 10);
                }
                other => panic!("{other:?}"),
            }
            at = at + Duration::from_secs(60);
        }
        shown
    }

    #[test]
    fn round_robin_takes_turns() {
        assert_eq!(shown(&rules(Rotation::RoundRobin), &[None; 5]), [1, 2, 3, 1, 2]);
    }

    #[test]
    fn in_order_stays_with_the_first_until_its_cap() {
        let mut rules = rules(Rotation::InOrder);
        assert_eq!(shown(&rules, &[None; 3]), [1, 1, 1]);
        rules.per_hour_max = Some(2);
        assert_eq!(shown(&rules, &[None; 5]), [1, 1, 2, 2, 3]);
    }

    #[test]
    fn a_household_sees_the_same_number_again() {
        let households = [Some(1), Some(2), Some(1), Some(2), Some(3)];
        assert_eq!(shown(&rules(Rotation::RoundRobin), &households), [1, 2, 1, 2, 3]);
    }

    #[test]
    fn least_used_evens_out_and_region_prefers_its_own_area() {
        assert_eq!(shown(&rules(Rotation::LeastUsed), &[None; 4]), [1, 2, 3, 1]);
        assert_eq!(shown(&rules(Rotation::Region), &[None; 4]), [1, 3, 1, 3]);
    }

    #[test]
    fn caps_hold_and_say_until_when() {
        let mut rules = rules(Rotation::LeastUsed);
        rules.numbers.truncate(1);
        rules.per_hour_max = Some(2);
        let mut ledger = CallerIdLedger::default();
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let only = rules.numbers[0].number;
        ledger.note(CAMPAIGN, None, only, AT);
        ledger.note(CAMPAIGN, None, only, AT + Duration::from_secs(60));
        let later = AT + Duration::from_secs(120);
        let choice = ledger.choose(CAMPAIGN, &rules, to(None), later, &mut random);
        assert_eq!(choice, Choice::UsedUntil(AT + HOUR));
        let choice = ledger.choose(CAMPAIGN, &rules, to(None), AT + HOUR, &mut random);
        assert_eq!(choice, Choice::Show(rules.numbers[0].clone()));
    }

    #[test]
    fn a_new_number_starts_slowly() {
        let mut rules = rules(Rotation::InOrder);
        rules.warm_up = true;
        let shown = shown(&rules, &[None; 45]);
        assert_eq!(shown.iter().filter(|n| **n == 1).count(), 20);
        assert_eq!(shown.iter().filter(|n| **n == 2).count(), 20);
        assert_eq!((warm_up_max(0), warm_up_max(3), warm_up_max(7)), (20, 160, u32::MAX));
    }

    #[test]
    fn the_calls_left_within_a_day_follow_cap_and_warm_up() {
        let mut rules = rules(Rotation::InOrder);
        rules.per_day_max = None;
        rules.warm_up = false;
        assert_eq!(rules.left_today(5, None, AT), None);
        rules.per_day_max = Some(30);
        assert_eq!((rules.left_today(5, None, AT), rules.left_today(31, None, AT)), (Some(25), Some(0)));
        rules.warm_up = true;
        // A new number: 20 on its first day, 40 on the second, where its own cap is lower.
        let yesterday = Utc::from_millis(AT.as_millis() - 25 * 3_600_000);
        assert_eq!(rules.left_today(5, None, AT), Some(15));
        assert_eq!(rules.left_today(5, Some(yesterday), AT), Some(25));
    }

    fn registered(number: ShownNumber, usage: Usage) -> RegisteredNumber {
        let (per_hour_max, per_day_max) = (None, None);
        RegisteredNumber { number, usage, agent: None, per_hour_max, per_day_max, warm_up_from: None }
    }

    /// Uses of each number after so many calls, one every `gap`.
    fn uses(
        ledger: &mut CallerIdLedger,
        rules: &CallerIdRules,
        to: ShownTo,
        calls: u64,
        gap: Duration,
    ) -> [u32; 3] {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let (mut at, mut uses) = (AT, [0; 3]);
        for _ in 0..calls {
            if let Choice::Show(id) = ledger.choose(CAMPAIGN, rules, to, at, &mut random) {
                ledger.note(CAMPAIGN, None, id.number, at);
                uses[(id.number.as_u64() % 10 - 1) as usize] += 1;
            }
            at = at + gap;
        }
        uses
    }

    #[test]
    fn a_number_that_recovers_takes_a_tenth_under_every_rotation() {
        for rotation in
            [Rotation::InOrder, Rotation::RoundRobin, Rotation::Random, Rotation::LeastUsed, Rotation::Region]
        {
            let rules = rules(rotation);
            let mut ledger = CallerIdLedger::default();
            ledger.register(vec![registered(rules.numbers[0].number, Usage::Tenth)]);
            let [one, two, three] = uses(&mut ledger, &rules, to(None), 3_000, Duration::from_secs(10));
            let average = (two + three) / 2;
            assert!(
                one <= average / 10 + 20 && (rotation == Rotation::Region || one >= average / 20),
                "{rotation:?}: {one} {two} {three}"
            );
        }
    }

    #[test]
    fn a_number_alone_is_shown_in_its_recovery_and_none_is_shown_that_may_not() {
        let mut rules = rules(Rotation::RoundRobin);
        rules.numbers.truncate(1);
        let only = rules.numbers[0].number;
        let mut ledger = CallerIdLedger::default();
        ledger.register(vec![registered(only, Usage::Tenth)]);
        assert_eq!(uses(&mut ledger, &rules, to(None), 50, Duration::from_secs(10)), [50, 0, 0]);
        ledger.register(vec![registered(only, Usage::Not)]);
        let mut random = ChaCha8Rng::seed_from_u64(7);
        assert_eq!(ledger.choose(CAMPAIGN, &rules, to(None), AT, &mut random), Choice::NoneUsable);
    }

    #[test]
    fn a_bound_number_is_shown_in_calls_of_its_agent_alone() {
        let rules = rules(Rotation::RoundRobin);
        let mut ledger = CallerIdLedger::default();
        let mine = AgentId(8);
        let bound =
            RegisteredNumber { agent: Some(mine), ..registered(rules.numbers[1].number, Usage::Full) };
        ledger.register(vec![bound]);
        let own = ShownTo { agent: Some(mine), ..to(None) };
        let others = ShownTo { agent: Some(AgentId(9)), ..to(None) };
        assert_eq!(uses(&mut ledger, &rules, own, 6, HOUR), [0, 6, 0]);
        assert_eq!(uses(&mut ledger, &rules, others, 6, HOUR), [3, 0, 3]);
        assert_eq!(uses(&mut ledger, &rules, to(None), 6, HOUR), [3, 0, 3]);
    }

    #[test]
    fn a_registered_numbers_own_caps_and_warm_up_hold() {
        let rules = rules(Rotation::InOrder);
        let mut ledger = CallerIdLedger::default();
        let warming = RegisteredNumber {
            per_hour_max: Some(5),
            warm_up_from: Some(AT),
            ..registered(rules.numbers[0].number, Usage::Full)
        };
        ledger.register(vec![warming]);
        let [one, ..] = uses(&mut ledger, &rules, to(None), 60, Duration::from_secs(60));
        assert_eq!(one, 5, "an hour");
        let mut ledger = CallerIdLedger::default();
        ledger.register(vec![RegisteredNumber { per_hour_max: None, ..warming }]);
        let [one, ..] = uses(&mut ledger, &rules, to(None), 60, Duration::from_secs(60));
        assert_eq!(one, warm_up_max(0), "its first day");
    }
}
