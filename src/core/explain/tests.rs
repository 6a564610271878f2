//! Every answer, each from a lead of its own.

use super::*;
use crate::campaign::{
    CallerIdRules, CallingWindows, DayWindow, HomeCountry, PacingRules, RetryRules, Rotation,
};
use crate::dialer::CallStage;
use crate::ids::{CallId, CampaignId, HouseholdId, LeadId, TrunkId};
use crate::lead::Callback;
use std::collections::BTreeMap;

/// 2026-11-21T02:00:00Z, ten in the morning in Shanghai, a Saturday.
const NOW: Utc = Utc::from_millis(1_795_226_400_000);
const HOUR: Duration = Duration::from_secs(3_600);
/// 21:00 of that day, and 09:00 of the next.
const CLOSES: Utc = Utc::from_millis(1_795_226_400_000 + 11 * 3_600_000);
const OPENS: Utc = Utc::from_millis(1_795_226_400_000 + 23 * 3_600_000);
const MIDNIGHT: Utc = Utc::from_millis(1_795_226_400_000 + 14 * 3_600_000);

fn number(n: u64) -> PhoneNumber {
    PhoneNumber::from_e164(8_613_800_138_000 + n).expect("a number")
}

fn campaign() -> Campaign {
    Campaign {
        id: CampaignId(1),
        name: "vote".into(),
        mode: Mode::Progressive,
        trunks: vec![TrunkId(0)],
        ring: Duration::from_secs(30),
        setup: Duration::from_secs(30),
        concurrency_max: None,
        calls_per_sec: None,
        windows: CallingWindows {
            timezone: "Asia/Shanghai".into(),
            windows: vec![DayWindow { days: [true; 7], from_minute: 9 * 60, to_minute: 21 * 60 }],
            ..CallingWindows::default()
        },
        start: None,
        end: None,
        retry: RetryRules {
            attempts_max: 3,
            per_day_max: 2,
            gap_min: Duration::from_secs(1_800),
            after: BTreeMap::from([(Outcome::Busy, HOUR)]),
        },
        announcement: None,
        keys: BTreeMap::new(),
        caller_ids: CallerIdRules {
            numbers: Vec::new(),
            rotation: Rotation::InOrder,
            sticky: false,
            per_hour_max: None,
            per_day_max: None,
            warm_up: false,
            register: Default::default(),
        },
        agents: None,
        pacing: PacingRules::default(),
        home: HomeCountry::china(),
    }
}

/// An open lead with two numbers, never called.
fn facts() -> LeadFacts {
    LeadFacts {
        lead: Lead {
            id: LeadId(7),
            row: 9,
            household: Some(HouseholdId(3)),
            phones: vec![Phone::new(number(0)), Phone::new(number(1))],
            next_at: None,
            uncounted: 0,
            callback: None,
            last_agent: None,
            assigned: None,
            is_first: false,
            version: 0,
        },
        state: LeadState::Open,
        reason: None,
        last_outcome: None,
        last_at: None,
        disposition: None,
        numbers: vec![NumberFacts::default(); 2],
        household_open: false,
        ahead: 312,
    }
}

/// A running dialer without this lead.
fn place() -> LeadPlace {
    LeadPlace { carried: vec![number(0), number(1)], ..LeadPlace::default() }
}

fn why(facts: &LeadFacts, place: Option<&LeadPlace>) -> LeadWhy {
    lead_why(&campaign(), facts, place, NOW)
}

#[track_caller]
fn rests(facts: &LeadFacts, until: Utc, because: Rest) {
    let found = why(facts, Some(&place()));
    let (number, opens) = match &found {
        LeadWhy::Rests { number, opens, .. } => (*number, *opens),
        other => panic!("{other:?}"),
    };
    assert_eq!(found, LeadWhy::Rests { number, until, because, opens });
}

#[test]
fn a_lead_that_waits_for_its_turn_says_how_many_stand_before_it() {
    assert_eq!(why(&facts(), None), LeadWhy::Due { ahead: 312 });
    assert_eq!(why(&facts(), Some(&place())), LeadWhy::Due { ahead: 312 });
    let at_hand = LeadPlace { hopper: Some(4), ..place() };
    let answer = why(&facts(), Some(&at_hand));
    assert_eq!(answer, LeadWhy::Hopper { ahead: 4 });
    assert!(answer.waits_for_its_turn());
}

#[test]
fn a_live_call_preview_or_wrap_up_is_answered_first() {
    for held in [
        Held::Call { call: CallId(5), stage: CallStage::Ringing, agent: None },
        Held::Screen { agent: AgentId(2) },
        Held::WrapUp { agent: AgentId(2) },
    ] {
        let mut closed = facts();
        closed.state = LeadState::Done;
        let place = LeadPlace { held: Some(held), ..place() };
        assert_eq!(why(&closed, Some(&place)), LeadWhy::Held(held));
    }
}

#[test]
fn a_closed_lead_says_for_which_reason() {
    for reason in Reason::ALL {
        let mut closed = facts();
        (closed.state, closed.reason) = (LeadState::Failed, Some(*reason));
        let found = why(&closed, Some(&place()));
        assert!(matches!(found, LeadWhy::Closed { reason: Some(said), .. } if said == *reason), "{found:?}");
    }
    let mut done = facts();
    (done.state, done.last_outcome, done.last_at) = (LeadState::Done, Some(Outcome::Answered), Some(NOW));
    done.lead.phones[0].attempts = 2;
    let found = why(&done, None);
    assert_eq!(
        found,
        LeadWhy::Closed {
            state: LeadState::Done,
            reason: None,
            last: Some(Outcome::Answered),
            at: Some(NOW),
            tries: 2,
            blacklisted: false,
        }
    );
    // A follow-up without a date is left to people.
    let mut follow_up = facts();
    follow_up.state = LeadState::FollowUp;
    assert_eq!(why(&follow_up, None).word(), "closed");
}

#[test]
fn a_number_rests_for_the_longest_of_its_reasons() {
    let one = |change: &dyn Fn(&mut Phone, &mut NumberFacts)| {
        let mut facts = facts();
        for place in 0..2 {
            change(&mut facts.lead.phones[place], &mut facts.numbers[place]);
        }
        facts
    };
    let retry = one(&|phone, _| {
        (phone.last_outcome, phone.next_at) = (Some(Outcome::Busy), Some(NOW + HOUR));
    });
    rests(&retry, NOW + HOUR, Rest::Retry(Outcome::Busy));
    let abandoned = one(&|phone, _| {
        (phone.last_outcome, phone.next_at) = (Some(Outcome::Abandoned), Some(NOW + HOUR * 72));
    });
    rests(&abandoned, NOW + HOUR * 72, Rest::Abandoned);
    let gap = Duration::from_secs(1_800);
    let just_called = one(&|_, number| number.last_placed = Some(NOW - Duration::from_secs(600)));
    rests(&just_called, NOW + Duration::from_secs(1_200), Rest::Gap(gap));
    let asked_for = one(&|_, number| {
        (number.last_placed, number.called_for) = (Some(NOW), true);
    });
    assert_eq!(why(&asked_for, None), LeadWhy::Due { ahead: 312 }, "an agent said when to call again");
    let capped = one(&|_, number| number.in_day = 2);
    rests(&capped, MIDNIGHT, Rest::PerDay { made: 2, most: 2 });
    let cut_off = one(&|_, number| number.rest_until = Some(NOW + Duration::from_secs(45)));
    rests(&cut_off, NOW + Duration::from_secs(45), Rest::CutOff);
    let put_off = one(&|phone, _| phone.next_at = Some(NOW + HOUR));
    rests(&put_off, NOW + HOUR, Rest::Postponed);
    let both = one(&|phone, number| {
        (phone.last_outcome, phone.next_at) = (Some(Outcome::Busy), Some(NOW + HOUR));
        number.in_day = 2;
    });
    rests(&both, MIDNIGHT, Rest::PerDay { made: 2, most: 2 });
}

#[test]
fn a_rest_after_a_crash_is_taken_from_the_dialer_too() {
    let until = NOW + Duration::from_secs(40);
    let place = LeadPlace { resting: vec![(number(0), until), (number(1), until)], ..place() };
    let found = why(&facts(), Some(&place));
    assert_eq!(found, LeadWhy::Rests { number: number(0), until, because: Rest::CutOff, opens: None });
}

#[test]
fn the_first_number_that_may_be_dialled_decides() {
    let mut facts = facts();
    facts.lead.phones[0].next_at = Some(NOW + HOUR);
    assert_eq!(why(&facts, None), LeadWhy::Due { ahead: 312 }, "the other number is free");
    facts.lead.phones[1].next_at = Some(NOW + HOUR * 2);
    assert_eq!(why(&facts, None).until(), Some(NOW + HOUR));
    facts.lead.phones[0].closed = true;
    assert_eq!(why(&facts, None).until(), Some(NOW + HOUR * 2));
}

#[test]
fn a_rest_that_ends_at_night_says_when_the_hours_open() {
    let mut facts = facts();
    facts.numbers.iter_mut().for_each(|number| number.in_day = 2);
    let found = why(&facts, None);
    assert!(matches!(found, LeadWhy::Rests { opens: Some(OPENS), .. }), "{found:?}");
    assert_eq!(found.until(), Some(OPENS));
}

#[test]
fn used_attempts_blacklists_and_trunks_are_named_with_their_number() {
    let mut used = facts();
    used.numbers.iter_mut().for_each(|number| number.in_campaign = 3);
    assert_eq!(why(&used, None), LeadWhy::AttemptsUsed { number: number(0), made: 3, most: 3 });
    used.numbers[1].in_campaign = 0;
    assert_eq!(why(&used, None), LeadWhy::Due { ahead: 312 });
    let mut listed = facts();
    listed.numbers[0].blacklisted = true;
    assert_eq!(why(&listed, None), LeadWhy::Due { ahead: 312 });
    listed.numbers[1].blacklisted = true;
    assert_eq!(why(&listed, None), LeadWhy::Blacklisted(number(0)));
    let nowhere = LeadPlace { carried: Vec::new(), ..place() };
    assert_eq!(why(&facts(), Some(&nowhere)), LeadWhy::NoTrunk(number(0)));
}

#[test]
fn households_and_shared_numbers_wait_for_each_other() {
    let held = Held::Screen { agent: AgentId(2) };
    let place_of = |household, number| LeadPlace { household, number, ..place() };
    assert_eq!(why(&facts(), Some(&place_of(Some(held), None))), LeadWhy::Household(Some(held)));
    assert_eq!(why(&facts(), Some(&place_of(None, Some(held)))), LeadWhy::Number(Some(held)));
    let mut stored = facts();
    stored.household_open = true;
    assert_eq!(why(&stored, None), LeadWhy::Household(None));
    let mut open = facts();
    open.numbers[1].open = true;
    assert_eq!(why(&open, Some(&place())), LeadWhy::Number(None));
    assert_eq!(why(&open, None), LeadWhy::CutOff, "nobody runs, so nobody is being called");
}

#[test]
fn a_booked_callback_waits_for_its_moment_and_then_for_its_agent() {
    let mut booked = facts();
    booked.state = LeadState::FollowUp;
    booked.lead.callback = Some(Callback { agent: Some(AgentId(2)), skill: None });
    booked.lead.next_at = Some(NOW + HOUR);
    let waits =
        |at| LeadWhy::Booked { agent: Some(AgentId(2)), skill: None, at, anyone_from: at + CALLBACK_GRACE };
    assert_eq!(why(&booked, None), waits(NOW + HOUR));
    booked.lead.next_at = Some(NOW);
    booked.numbers.iter_mut().for_each(|number| number.in_campaign = 3);
    let away = LeadPlace { hopper: Some(0), agent_away: true, ..place() };
    assert_eq!(why(&booked, Some(&away)), waits(NOW));
    let there = LeadPlace { hopper: Some(0), ..place() };
    assert_eq!(why(&booked, Some(&there)), LeadWhy::Hopper { ahead: 0 }, "it is owed, whatever was tried");
}

#[test]
fn outside_the_hours_it_says_when_they_open() {
    let at = |now| lead_why(&campaign(), &facts(), Some(&place()), now);
    assert_eq!(at(CLOSES), LeadWhy::Hours { opens: Some(OPENS), holiday: None });
    let over = Campaign { end: Some(NOW), ..campaign() };
    assert_eq!(lead_why(&over, &facts(), None, NOW), LeadWhy::Hours { opens: None, holiday: None });
    let later = Campaign { start: Some(NOW + HOUR), ..campaign() };
    assert_eq!(
        lead_why(&later, &facts(), None, NOW),
        LeadWhy::Hours { opens: Some(NOW + HOUR), holiday: None }
    );
}

#[test]
fn a_lead_without_a_phone_is_closed_and_breaks_nothing() {
    let mut bare = facts();
    bare.lead.phones.clear();
    bare.numbers.clear();
    assert_eq!(why(&bare, None).word(), "closed");
    let mut closed = facts();
    closed.lead.phones.iter_mut().for_each(|phone| phone.closed = true);
    assert_eq!(why(&closed, None).word(), "closed");
}
