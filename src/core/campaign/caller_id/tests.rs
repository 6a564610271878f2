//! Tests of caller ID choice.

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
        register: RegisterId::default(),
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

fn said(numbers: Vec<RegisteredNumber>) -> Registered {
    Registered { numbers, ..Registered::default() }
}

fn registered(number: ShownNumber, usage: Usage) -> RegisteredNumber {
    let (per_hour_max, per_day_max) = (None, None);
    RegisteredNumber {
        register: RegisterId::default(),
        number,
        usage,
        agent: None,
        per_hour_max,
        per_day_max,
        warm_up_from: None,
    }
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
        ledger.register(said(vec![registered(rules.numbers[0].number, Usage::Tenth)]));
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
    ledger.register(said(vec![registered(only, Usage::Tenth)]));
    assert_eq!(uses(&mut ledger, &rules, to(None), 50, Duration::from_secs(10)), [50, 0, 0]);
    ledger.register(said(vec![registered(only, Usage::Not)]));
    let mut random = ChaCha8Rng::seed_from_u64(7);
    assert_eq!(ledger.choose(CAMPAIGN, &rules, to(None), AT, &mut random), Choice::NoneUsable);
}

#[test]
fn a_bound_number_is_shown_in_calls_of_its_agent_alone() {
    let rules = rules(Rotation::RoundRobin);
    let mut ledger = CallerIdLedger::default();
    let mine = AgentId(8);
    let bound = RegisteredNumber { agent: Some(mine), ..registered(rules.numbers[1].number, Usage::Full) };
    ledger.register(said(vec![bound]));
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
    ledger.register(said(vec![warming]));
    let [one, ..] = uses(&mut ledger, &rules, to(None), 60, Duration::from_secs(60));
    assert_eq!(one, 5, "an hour");
    let mut ledger = CallerIdLedger::default();
    ledger.register(said(vec![RegisteredNumber { per_hour_max: None, ..warming }]));
    let [one, ..] = uses(&mut ledger, &rules, to(None), 60, Duration::from_secs(60));
    assert_eq!(one, warm_up_max(0), "its first day");
}

#[test]
fn each_register_speaks_of_the_calls_of_its_own_enterprise_and_all_calls_count() {
    let (first, second) = (rules(Rotation::InOrder), rules(Rotation::InOrder));
    let second = CallerIdRules { register: RegisterId(2), per_day_max: Some(8), ..second };
    let number = first.numbers[0].number;
    let mut ledger = CallerIdLedger::default();
    ledger.register(said(vec![registered(number, Usage::Not)]));
    assert_eq!(uses(&mut ledger, &first, to(None), 4, HOUR), [0, 4, 0], "its own register says no");
    assert_eq!(uses(&mut ledger, &second, to(None), 4, HOUR), [4, 0, 0], "the other register says nothing");
    let theirs = RegisteredNumber { register: RegisterId(2), ..registered(number, Usage::Not) };
    ledger.register(said(vec![theirs]));
    assert_eq!(uses(&mut ledger, &first, to(None), 4, HOUR), [4, 0, 0]);
    // A cap counts the calls of both: a number is flagged for the sum of them.
    ledger.register(Registered::default());
    assert_eq!(uses(&mut ledger, &second, to(None), 1, HOUR), [0, 1, 0], "eight calls showed the first");
}

#[test]
fn a_campaign_that_shows_only_approved_numbers_shows_no_number_of_its_text_alone() {
    let rules = rules(Rotation::InOrder);
    let mut ledger = CallerIdLedger::default();
    let approved_only = BTreeSet::from([CAMPAIGN]);
    let stands = registered(rules.numbers[2].number, Usage::Full);
    ledger.register(Registered { numbers: vec![stands], approved_only: approved_only.clone() });
    assert_eq!(uses(&mut ledger, &rules, to(None), 5, HOUR), [0, 0, 5]);
    ledger.register(Registered { numbers: Vec::new(), approved_only });
    let mut random = ChaCha8Rng::seed_from_u64(7);
    assert_eq!(ledger.choose(CAMPAIGN, &rules, to(None), AT, &mut random), Choice::NoneUsable);
    assert!(matches!(ledger.choose(CampaignId(2), &rules, to(None), AT, &mut random), Choice::Show(_)));
}
