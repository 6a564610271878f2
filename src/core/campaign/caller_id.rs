//! Caller ID choice: rotation, stickiness, caps per hour and day, and what the register of numbers says of each. One
//! ledger of uses serves all campaigns of all enterprises, because a number is flagged for the sum of its calls. What a
//! register says holds in the calls of its own enterprise.

use crate::ids::{AgentId, CampaignId, HouseholdId, RegisterId};
use crate::number::{PhoneNumber, ShownNumber};
use crate::time::{Duration, Utc};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    /// The register that says how far each number may be shown.
    pub register: RegisterId,
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
            register: RegisterId::default(),
        }
    }
}

impl CallerIdRules {
    /// Calls that a number may still show itself in within 24 hours, after `used` of them. `None` = as many as wanted.
    pub fn left_today(&self, used: u32, first: Option<Utc>, at: Utc) -> Option<u32> {
        self.day_max(first, at).map(|most| most.saturating_sub(used))
    }

    /// The cap of 24 hours of a number that was first used at `first`; `None` = none.
    pub fn day_max(&self, first: Option<Utc>, at: Utc) -> Option<u32> {
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
    pub register: RegisterId,
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

/// What the registers say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// A number that is not among them may be shown as the campaign's own rules let it.
    pub numbers: Vec<RegisteredNumber>,
    /// Campaigns that show only numbers that are among them: a second person approves what they show.
    pub approved_only: BTreeSet<CampaignId>,
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
    registered: BTreeMap<(RegisterId, ShownNumber), RegisteredNumber>,
    /// See [`Registered::approved_only`].
    approved_only: BTreeSet<CampaignId>,
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

    /// Replaces what the registers say.
    pub fn register(&mut self, said: Registered) {
        self.registered = said.numbers.into_iter().map(|it| ((it.register, it.number), it)).collect();
        self.approved_only = said.approved_only;
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
        let usable = self.usable(campaign, rules, to.agent);
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
    fn usable(&self, campaign: CampaignId, rules: &CallerIdRules, agent: Option<AgentId>) -> Vec<usize> {
        let is_strict = self.approved_only.contains(&campaign);
        let bound_to = |wanted: Option<AgentId>| -> Vec<usize> {
            let is_usable = |number: &ShownNumber| match self.registered.get(&(rules.register, *number)) {
                Some(it) => it.usage != Usage::Not && it.agent == wanted,
                None => wanted.is_none() && !is_strict,
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
        let registered = self.registered.get(&(rules.register, number));
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
        let usage = |number: &ShownNumber| {
            self.registered.get(&(rules.register, *number)).map_or(Usage::Full, |it| it.usage)
        };
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
mod tests;
