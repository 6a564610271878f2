//! "Why was this lead not dialled?" and "why is nothing dialled?": a closed list of answers, each with its
//! numbers. `src/text` of the shell puts them into words.

use crate::campaign::window::{self, Holiday, WindowState};
use crate::campaign::{Campaign, Mode};
use crate::dialer::{Held, LeadPlace, View};
use crate::ids::AgentId;
use crate::lead::{Lead, Phone};
use crate::number::PhoneNumber;
use crate::outcome::{LeadState, Outcome, Reason};
use crate::time::{Duration, Utc};

/// A booked callback whose agent is away goes to any agent after this.
pub const CALLBACK_GRACE: Duration = Duration::from_secs(15 * 60);

/// The store's record of a lead.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadFacts {
    /// As the hopper would receive it.
    pub lead: Lead,
    pub state: LeadState,
    pub reason: Option<Reason>,
    pub last_outcome: Option<Outcome>,
    pub last_at: Option<Utc>,
    /// The last disposition that an agent wrote.
    pub disposition: Option<String>,
    /// One for each phone of the lead, in its order.
    pub numbers: Vec<NumberFacts>,
    /// Another lead of its household has a live call.
    pub household_open: bool,
    /// Number of due leads in front of it.
    pub ahead: u64,
}

/// The store's record of one number, over all campaigns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumberFacts {
    pub blacklisted: bool,
    /// Counted attempts: in this campaign, and on this local day in any campaign.
    pub in_campaign: u32,
    pub in_day: u32,
    /// When the last counted attempt was placed.
    pub last_placed: Option<Utc>,
    /// The last attempt's disposition set the time of the next one, so `gap_min` does not apply.
    pub called_for: bool,
    /// The number has a live call.
    pub open: bool,
    /// End of the rest after a crash cut off its call.
    pub rest_until: Option<Utc>,
}

/// Why a number is not dialled for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Retry delay after this outcome.
    Retry(Outcome),
    /// The callee answered and got no agent.
    Abandoned,
    /// A crash cut off its call: it may still have been ringing.
    CutOff,
    /// Minimum gap between two attempts.
    Gap(Duration),
    /// The daily cap of attempts is reached.
    PerDay { made: u32, most: u32 },
    /// The lead's own `next_at`.
    Postponed,
}

/// Why a lead is not dialled, or when it will be.
#[derive(Clone, Debug, PartialEq)]
pub enum LeadWhy {
    /// The lead has a live call, is previewed by an agent, or is in wrap-up.
    Held(Held),
    /// No further call will be made.
    Closed {
        state: LeadState,
        reason: Option<Reason>,
        last: Option<Outcome>,
        at: Option<Utc>,
        tries: u32,
        /// Whether the blacklist holds one of its numbers now.
        blacklisted: bool,
    },
    /// A crash cut off its call; the next start of the service settles it.
    CutOff,
    /// Every open number of the lead was blacklisted after the import.
    Blacklisted(PhoneNumber),
    /// The number has used the campaign's attempts; the lead is closed when its turn comes.
    AttemptsUsed { number: PhoneNumber, made: u32, most: u32 },
    /// A callback is booked. With `at` in the past its agent is not free; from `anyone_from` on any agent
    /// gets it.
    Booked { agent: Option<AgentId>, skill: Option<String>, at: Utc, anyone_from: Utc },
    /// The number rests. `opens` = the calling hours are closed at `until`, and open then.
    Rests { number: PhoneNumber, until: Utc, because: Rest, opens: Option<Utc> },
    /// A lead of the same household has a live call or is previewed.
    Household(Option<Held>),
    /// The same number has a live call for another lead.
    Number(Option<Held>),
    /// Outside the calling hours; `None` = they never open again.
    Hours { opens: Option<Utc>, holiday: Option<Holiday> },
    /// No trunk of the campaign may carry its numbers.
    NoTrunk(PhoneNumber),
    /// Assigned to this agent alone, who is not free.
    Assigned { agent: AgentId },
    /// In the hopper, with this many leads in front.
    Hopper { ahead: u32 },
    /// Due, with this many due leads in front.
    Due { ahead: u64 },
}

impl LeadWhy {
    /// The word of the API.
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
            LeadWhy::Rests { because: Rest::Postponed, .. } => "rests",
            LeadWhy::Household(_) => "household_busy",
            LeadWhy::Number(_) => "number_busy",
            LeadWhy::Hours { .. } => "outside_hours",
            LeadWhy::NoTrunk(_) => "no_trunk",
            LeadWhy::Assigned { .. } => "assigned",
            LeadWhy::Hopper { .. } => "in_hopper",
            LeadWhy::Due { .. } => "due",
        }
    }

    /// When the obstacle is expected to pass.
    pub fn until(&self) -> Option<Utc> {
        match self {
            LeadWhy::Booked { at, .. } => Some(*at),
            LeadWhy::Rests { until, opens, .. } => Some(opens.unwrap_or(*until)),
            LeadWhy::Hours { opens, .. } => *opens,
            _ => None,
        }
    }

    /// The lead itself has no obstacle: the campaign's `Why` is the answer.
    pub const fn waits_for_its_turn(&self) -> bool {
        matches!(self, LeadWhy::Hopper { .. } | LeadWhy::Due { .. })
    }
}

/// A campaign's dialling state, for "why is nothing dialled?".
#[derive(Clone, Debug, PartialEq)]
pub enum DialStatus {
    /// No service has it open.
    NotOpen {
        /// Open leads, and those of them that are due now.
        leads_open: u64,
        due: u64,
        /// When the next one is due.
        next_due: Option<Utc>,
        /// Calling hours: open until, or closed until.
        window: WindowState,
        /// The holiday that it is.
        holiday: Option<Holiday>,
    },
    Open {
        mode: Mode,
        view: Box<View>,
    },
}

/// Why this lead is not dialled at `now`. `place`: its place in the running dialer; `None` = no dialer runs.
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
            blacklisted: facts.numbers.iter().any(|number| number.blacklisted),
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
    match check_numbers(campaign, facts, &allowed, place, now) {
        Ok(()) => {}
        Err(why) => return why,
    }
    if let Some(why) = busy_reason(facts, place, own_open) {
        return why;
    }
    if let WindowState::ClosedUntil(until) = hours(campaign, now) {
        return LeadWhy::Hours { opens: until, holiday: campaign.windows.holiday_at(now) };
    }
    if let Some(place) = place {
        let carried = |(phone, _): &&(&Phone, &NumberFacts)| place.carried.contains(&phone.number);
        if let (None, Some((phone, _))) = (allowed.iter().find(carried), allowed.first()) {
            return LeadWhy::NoTrunk(phone.number);
        }
    }
    // A booked callback has its own answer above.
    let owner = facts.lead.assigned.filter(|_| facts.lead.callback.is_none());
    let is_free = place.is_some_and(|place| place.hopper.is_some() && !place.agent_away);
    if let Some(agent) = owner.filter(|_| !is_free) {
        return LeadWhy::Assigned { agent };
    }
    if let Some(ahead) = place.and_then(|place| place.hopper) {
        return LeadWhy::Hopper { ahead };
    }
    LeadWhy::Due { ahead: facts.ahead }
}

/// An open lead without a phone cannot be called.
fn closed_without_phones(facts: &LeadFacts) -> LeadWhy {
    LeadWhy::Closed {
        state: LeadState::Failed,
        reason: Some(Reason::InvalidNumber),
        last: facts.last_outcome,
        at: facts.last_at,
        tries: 0,
        blacklisted: false,
    }
}

fn busy_reason(facts: &LeadFacts, place: Option<&LeadPlace>, own_open: bool) -> Option<LeadWhy> {
    let (household, number) = place.map_or((None, None), |place| (place.household, place.number));
    if household.is_some() || facts.household_open {
        return Some(LeadWhy::Household(household));
    }
    (number.is_some() || own_open).then_some(LeadWhy::Number(number))
}

/// Calling hours, narrowed by the campaign's start and end.
pub fn hours(campaign: &Campaign, at: Utc) -> WindowState {
    window::within(campaign.windows.state(at), at, campaign.start, campaign.end)
}

/// `Ok` if one of the numbers may be dialled now; else the reason of the number that may be dialled first.
fn check_numbers(
    campaign: &Campaign,
    facts: &LeadFacts,
    phones: &[(&Phone, &NumberFacts)],
    place: Option<&LeadPlace>,
    now: Utc,
) -> Result<(), LeadWhy> {
    let retry = &campaign.retry;
    // A booked callback is owed, however many attempts were made before.
    let owed = facts.lead.callback.is_some();
    let mut soonest: Option<(Utc, PhoneNumber, Rest)> = None;
    let mut used = None;
    for (phone, number) in phones {
        if !owed && number.in_campaign >= retry.attempts_max {
            let (made, most) = (number.in_campaign, retry.attempts_max);
            used.get_or_insert(LeadWhy::AttemptsUsed { number: phone.number, made, most });
            continue;
        }
        match longest_rest(campaign, facts, phone, number, place, now) {
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

/// End of this number's rest and its reason: the longest one counts.
fn longest_rest(
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
                None => Rest::Postponed,
            },
        );
    }
    // The text of a postponed lead says when it is due, which is when its own hours open.
    if campaign.windows.by_number
        && let WindowState::ClosedUntil(Some(opens)) = campaign.windows.state_of(phone.number, now)
    {
        note(opens, Rest::Postponed);
    }
    if let Some(placed) = number.last_placed.filter(|_| !number.called_for) {
        note(placed + retry.gap_min, Rest::Gap(retry.gap_min));
    }
    if number.in_day >= retry.per_day_max {
        let (_, day_end) = campaign.windows.local_day(now);
        note(day_end, Rest::PerDay { made: number.in_day, most: retry.per_day_max });
    }
    if let Some(until) = facts.lead.next_at {
        note(
            until,
            facts.lead.phones.iter().find_map(|it| it.last_outcome).map_or(Rest::Postponed, Rest::Retry),
        );
    }
    longest
}

#[cfg(test)]
mod tests;
