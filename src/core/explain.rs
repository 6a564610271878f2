//! "Why was this lead not dialled?" and "why is nothing dialled?": a closed list of answers, each with
//! its numbers. The words that people read for them are the shell's.

use crate::campaign::window::{self, WindowState};
use crate::campaign::{Campaign, Mode};
use crate::dialer::{Held, LeadPlace, View};
use crate::ids::AgentId;
use crate::lead::{Lead, Phone};
use crate::number::PhoneNumber;
use crate::outcome::{LeadState, Outcome, Reason};
use crate::time::{Duration, Utc};

/// A booked callback whose agent is not there goes to anyone after this.
pub const CALLBACK_GRACE: Duration = Duration::from_secs(15 * 60);

/// What the books know of a lead.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadFacts {
    /// As the hopper would get it.
    pub lead: Lead,
    pub state: LeadState,
    pub reason: Option<Reason>,
    pub last_outcome: Option<Outcome>,
    pub last_at: Option<Utc>,
    /// What an agent said of it last.
    pub disposition: Option<String>,
    /// One for each phone of the lead, in its order.
    pub numbers: Vec<NumberFacts>,
    /// A call of its household, by another lead, is not over.
    pub household_open: bool,
    /// Leads that are due and come before it.
    pub ahead: u64,
}

/// What the books know of one number, over all campaigns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumberFacts {
    pub blacklisted: bool,
    /// Counted attempts in this campaign; on this local day in any.
    pub in_campaign: u32,
    pub in_day: u32,
    /// When the last counted attempt was placed.
    pub last_placed: Option<Utc>,
    /// What was said of that attempt named the time of the next: no gap holds.
    pub called_for: bool,
    /// A call to it is not over.
    pub open: bool,
    /// It rests until then, because a crash cut off its call.
    pub rest_until: Option<Utc>,
}

/// Why a number rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The retry rule for what the line said last.
    Retry(Outcome),
    /// She answered and nobody spoke with her.
    Abandoned,
    /// A crash cut off its call: it may still have been ringing.
    CutOff,
    /// So much must lie between two attempts.
    Gap(Duration),
    /// As many attempts were made today as may be.
    PerDay { made: u32, most: u32 },
    /// It is as the lead itself says.
    Said,
}

/// Why a lead is not dialled, or when it will be.
#[derive(Clone, Debug, PartialEq)]
pub enum LeadWhy {
    /// Its call is out, or it is on an agent's screen, or what became of it is being written.
    Held(Held),
    /// Nothing more will be done.
    Closed { state: LeadState, reason: Option<Reason>, last: Option<Outcome>, at: Option<Utc>, tries: u32 },
    /// A call of an earlier process was cut off; the next start of the service settles it.
    CutOff,
    /// Every number of it that is open was blacklisted since the list was taken in.
    Blacklisted(PhoneNumber),
    /// It has as many attempts on this number as the campaign allows; it is closed when its turn comes.
    AttemptsUsed { number: PhoneNumber, made: u32, most: u32 },
    /// A callback is booked. `at` is past = its agent is not free, and from `anyone_from` on anyone gets it.
    Booked { agent: Option<AgentId>, skill: Option<String>, at: Utc, anyone_from: Utc },
    /// Its number rests. `opens` = the calling hours are closed then, and open at this moment.
    Rests { number: PhoneNumber, until: Utc, because: Rest, opens: Option<Utc> },
    /// Somebody of its household is being called, or looked at by an agent.
    Household(Option<Held>),
    /// The same number is being called for another lead.
    Number(Option<Held>),
    /// Outside the calling hours; `None` = they never open again.
    Hours(Option<Utc>),
    /// No trunk of the campaign may carry its numbers.
    NoTrunk(PhoneNumber),
    /// At hand: so many stand before it.
    Hopper { ahead: u32 },
    /// Due: so many due leads come before it.
    Due { ahead: u64 },
}

impl LeadWhy {
    /// The word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            LeadWhy::Held(Held::Call { .. }) => "called_now",
            LeadWhy::Held(Held::Screen { .. }) => "on_screen",
            LeadWhy::Held(Held::WrapUp { .. }) => "wrap_up",
            LeadWhy::Closed { .. } => "closed",
            LeadWhy::CutOff => "cut_off",
            LeadWhy::Blacklisted(_) => "blacklisted",
            LeadWhy::AttemptsUsed { .. } => "attempts_used",
            LeadWhy::Booked { .. } => "callback_booked",
            LeadWhy::Rests { because: Rest::Retry(_), .. } => "retry_later",
            LeadWhy::Rests { because: Rest::Abandoned, .. } => "rests_abandoned",
            LeadWhy::Rests { because: Rest::CutOff, .. } => "rests_cut_off",
            LeadWhy::Rests { because: Rest::Gap(_), .. } => "rests_gap",
            LeadWhy::Rests { because: Rest::PerDay { .. }, .. } => "rests_per_day",
            LeadWhy::Rests { because: Rest::Said, .. } => "rests",
            LeadWhy::Household(_) => "household_busy",
            LeadWhy::Number(_) => "number_busy",
            LeadWhy::Hours(_) => "outside_hours",
            LeadWhy::NoTrunk(_) => "no_trunk",
            LeadWhy::Hopper { .. } => "in_hopper",
            LeadWhy::Due { .. } => "due",
        }
    }

    /// When what stands in the way is expected to pass.
    pub fn until(&self) -> Option<Utc> {
        match self {
            LeadWhy::Booked { at, .. } => Some(*at),
            LeadWhy::Rests { until, opens, .. } => Some(opens.unwrap_or(*until)),
            LeadWhy::Hours(until) => *until,
            _ => None,
        }
    }

    /// Nothing of the lead's own stands in the way: the campaign's why is the answer.
    pub const fn waits_for_its_turn(&self) -> bool {
        matches!(self, LeadWhy::Hopper { .. } | LeadWhy::Due { .. })
    }
}

/// How a campaign stands, for "why is nothing dialled?".
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// No service has it open.
    NotOpen {
        /// Leads that could still be dialled, and those of them that are due now.
        leads_open: u64,
        due: u64,
        /// When the next one is due.
        next_due: Option<Utc>,
        /// Its calling hours: open until, or closed until.
        window: WindowState,
    },
    Open {
        mode: Mode,
        view: Box<View>,
    },
}

/// Why this lead is not dialled at `now`. `place` = where the running dialer has it; `None` = none runs.
pub fn lead_why(campaign: &Campaign, facts: &LeadFacts, place: Option<&LeadPlace>, now: Utc) -> LeadWhy {
    if let Some(held) = place.and_then(|place| place.held) {
        return LeadWhy::Held(held);
    }
    let booked = facts.state == LeadState::FollowUp && facts.lead.next_at.is_some();
    if !(facts.state == LeadState::Open || booked) {
        return LeadWhy::Closed {
            state: facts.state,
            reason: facts.reason,
            last: facts.last_outcome,
            at: facts.last_at,
            tries: facts.lead.phones.iter().map(|phone| phone.attempts).sum(),
        };
    }
    let own_open = facts.numbers.iter().any(|number| number.open);
    if place.is_none() && own_open {
        return LeadWhy::CutOff;
    }
    let open = || facts.lead.phones.iter().zip(&facts.numbers).filter(|(phone, _)| !phone.closed);
    let allowed: Vec<(&Phone, &NumberFacts)> = open().filter(|(_, number)| !number.blacklisted).collect();
    if allowed.is_empty() {
        return match open().next() {
            Some((phone, _)) => LeadWhy::Blacklisted(phone.number),
            None => closed_without_phones(facts),
        };
    }
    if let Some(callback) = &facts.lead.callback {
        let at = facts.lead.next_at.unwrap_or(now);
        let waits = place.is_some_and(|place| place.agent_away);
        if at > now || waits {
            let (agent, skill) = (callback.agent, callback.skill.clone());
            return LeadWhy::Booked { agent, skill, at, anyone_from: at + CALLBACK_GRACE };
        }
    }
    match first_ready(campaign, facts, &allowed, place, now) {
        Ok(()) => {}
        Err(why) => return why,
    }
    if let Some(why) = busy(facts, place, own_open) {
        return why;
    }
    if let WindowState::ClosedUntil(until) = hours(campaign, now) {
        return LeadWhy::Hours(until);
    }
    if let Some(place) = place {
        let carried = |(phone, _): &&(&Phone, &NumberFacts)| place.carried.contains(&phone.number);
        if let (None, Some((phone, _))) = (allowed.iter().find(carried), allowed.first()) {
            return LeadWhy::NoTrunk(phone.number);
        }
        if let Some(ahead) = place.hopper {
            return LeadWhy::Hopper { ahead };
        }
    }
    LeadWhy::Due { ahead: facts.ahead }
}

/// An open lead without a phone is one that nobody can call.
fn closed_without_phones(facts: &LeadFacts) -> LeadWhy {
    LeadWhy::Closed {
        state: LeadState::Failed,
        reason: Some(Reason::InvalidNumber),
        last: facts.last_outcome,
        at: facts.last_at,
        tries: 0,
    }
}

fn busy(facts: &LeadFacts, place: Option<&LeadPlace>, own_open: bool) -> Option<LeadWhy> {
    let (household, number) = place.map_or((None, None), |place| (place.household, place.number));
    if household.is_some() || facts.household_open {
        return Some(LeadWhy::Household(household));
    }
    (number.is_some() || own_open).then_some(LeadWhy::Number(number))
}

/// The calling hours as the campaign narrows them.
pub fn hours(campaign: &Campaign, at: Utc) -> WindowState {
    window::within(campaign.windows.state(at), at, campaign.start, campaign.end)
}

/// Whether one of its numbers may be dialled now; else why not the first that may be.
fn first_ready(
    campaign: &Campaign,
    facts: &LeadFacts,
    phones: &[(&Phone, &NumberFacts)],
    place: Option<&LeadPlace>,
    now: Utc,
) -> Result<(), LeadWhy> {
    let retry = &campaign.retry;
    // A booked callback is owed, whatever was tried before.
    let owed = facts.lead.callback.is_some();
    let mut soonest: Option<(Utc, PhoneNumber, Rest)> = None;
    let mut used = None;
    for (phone, number) in phones {
        if !owed && number.in_campaign >= retry.attempts_max {
            let (made, most) = (number.in_campaign, retry.attempts_max);
            used.get_or_insert(LeadWhy::AttemptsUsed { number: phone.number, made, most });
            continue;
        }
        match rests(campaign, facts, phone, number, place, now) {
            None => return Ok(()),
            Some((until, because)) if soonest.is_none_or(|(soonest, ..)| until < soonest) => {
                soonest = Some((until, phone.number, because));
            }
            Some(_) => {}
        }
    }
    let Some((until, number, because)) = soonest else { return Err(used.unwrap_or(LeadWhy::CutOff)) };
    let opens = match hours(campaign, until) {
        WindowState::ClosedUntil(opens) => opens,
        WindowState::OpenUntil(_) => None,
    };
    Err(LeadWhy::Rests { number, until, because, opens })
}

/// Until when this number rests, and why: whatever holds it longest.
fn rests(
    campaign: &Campaign,
    facts: &LeadFacts,
    phone: &Phone,
    number: &NumberFacts,
    place: Option<&LeadPlace>,
    now: Utc,
) -> Option<(Utc, Rest)> {
    let retry = &campaign.retry;
    let mut longest: Option<(Utc, Rest)> = None;
    let mut note = |until: Utc, because: Rest| {
        if until > now && longest.is_none_or(|(longest, _)| until > longest) {
            longest = Some((until, because));
        }
    };
    let cut_off = place.and_then(|place| place.resting.iter().find(|(resting, _)| *resting == phone.number));
    if let Some(until) = number.rest_until.max(cut_off.map(|(_, until)| *until)) {
        note(until, Rest::CutOff);
    }
    if let Some(until) = phone.next_at {
        note(
            until,
            match phone.last_outcome {
                Some(Outcome::Abandoned) => Rest::Abandoned,
                Some(outcome) => Rest::Retry(outcome),
                None => Rest::Said,
            },
        );
    }
    if let Some(placed) = number.last_placed.filter(|_| !number.called_for) {
        note(placed + retry.gap_min, Rest::Gap(retry.gap_min));
    }
    if number.in_day >= retry.per_day_max {
        let (_, day_end) = campaign.windows.local_day(now);
        note(day_end, Rest::PerDay { made: number.in_day, most: retry.per_day_max });
    }
    if let Some(until) = facts.lead.next_at {
        note(until, facts.lead.phones.iter().find_map(|it| it.last_outcome).map_or(Rest::Said, Rest::Retry));
    }
    longest
}

#[cfg(test)]
mod tests;
