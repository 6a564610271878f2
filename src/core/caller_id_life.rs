//! Life cycle of a caller ID: from the application to the carrier to its retirement.
//!
//! ```text
//! entered → requested → whitelisted → bound → warming → normal
//!                                     unbound ←┘          │ ↑
//!           retired ← (any)        resting ← flagged ←────┘ │
//!                                     └→ recovering ────────┘
//! ```

use crate::campaign::caller_id::Usage;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};

/// How long a warm-up takes: see [`warm_up_max`](crate::campaign::caller_id::warm_up_max).
pub const WARM_UP: Duration = Duration::from_secs(7 * 24 * 3_600);

/// State of a caller ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerIdState {
    /// Written down, and nothing else.
    Entered,
    /// Applied for at the carrier, or waits for an approval.
    Requested,
    /// The carrier lets it through.
    Whitelisted,
    /// Bound to a line or an agent.
    Bound,
    /// Few calls a day, more each day.
    Warming,
    Normal,
    /// Its callees answer less often than others: out of use until its rest is over.
    Flagged,
    /// A person took it out of use.
    Resting,
    /// Back from a flag with a tenth of its calls.
    Recovering,
    Unbound,
    Retired,
}

/// What people do with a caller ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerIdAct {
    Request,
    MarkWhitelisted,
    Bind,
    StartWarmUp,
    Flag,
    ClearFlag,
    Rest,
    Resume,
    Unbind,
    Retire,
}

impl CallerIdState {
    pub const ALL: [CallerIdState; 11] = [
        CallerIdState::Entered,
        CallerIdState::Requested,
        CallerIdState::Whitelisted,
        CallerIdState::Bound,
        CallerIdState::Warming,
        CallerIdState::Normal,
        CallerIdState::Flagged,
        CallerIdState::Resting,
        CallerIdState::Recovering,
        CallerIdState::Unbound,
        CallerIdState::Retired,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            CallerIdState::Entered => "entered",
            CallerIdState::Requested => "requested",
            CallerIdState::Whitelisted => "whitelisted",
            CallerIdState::Bound => "bound",
            CallerIdState::Warming => "warming",
            CallerIdState::Normal => "normal",
            CallerIdState::Flagged => "flagged",
            CallerIdState::Resting => "resting",
            CallerIdState::Recovering => "recovering",
            CallerIdState::Unbound => "unbound",
            CallerIdState::Retired => "retired",
        }
    }

    pub fn from_word(word: &str) -> Option<CallerIdState> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// How far calls may show the number.
    pub const fn usage(self) -> Usage {
        match self {
            CallerIdState::Whitelisted
            | CallerIdState::Bound
            | CallerIdState::Warming
            | CallerIdState::Normal => Usage::Full,
            CallerIdState::Recovering => Usage::Tenth,
            CallerIdState::Entered
            | CallerIdState::Requested
            | CallerIdState::Flagged
            | CallerIdState::Resting
            | CallerIdState::Unbound
            | CallerIdState::Retired => Usage::Not,
        }
    }

    /// The state after this act; `None` = it is not possible in this state. `is_suspected` = a flag was raised and not
    /// cleared since.
    pub const fn after(self, act: CallerIdAct, is_suspected: bool) -> Option<CallerIdState> {
        use CallerIdState::*;
        match (act, self) {
            (_, Retired) => None,
            (CallerIdAct::Request, Entered | Unbound) => Some(Requested),
            (CallerIdAct::MarkWhitelisted, Entered | Requested) => Some(Whitelisted),
            (CallerIdAct::Bind, Whitelisted | Unbound) => Some(Bound),
            // Another agent; the number's use goes on.
            (CallerIdAct::Bind, Bound | Warming | Normal | Recovering) => Some(self),
            (CallerIdAct::StartWarmUp, Whitelisted | Bound | Normal) => Some(Warming),
            (CallerIdAct::Flag, Whitelisted | Bound | Warming | Normal | Recovering) => Some(Flagged),
            (CallerIdAct::ClearFlag, Flagged | Recovering) => Some(Normal),
            (CallerIdAct::ClearFlag, Resting) if is_suspected => Some(Normal),
            (CallerIdAct::Rest, Whitelisted | Bound | Warming | Normal | Flagged | Recovering) => {
                Some(Resting)
            }
            (CallerIdAct::Resume, Flagged | Resting) if is_suspected => Some(Recovering),
            (CallerIdAct::Resume, Entered | Whitelisted | Bound | Warming | Resting) => Some(Normal),
            (CallerIdAct::Unbind, Bound | Warming | Normal | Recovering) => Some(Unbound),
            (CallerIdAct::Retire, _) => Some(Retired),
            _ => None,
        }
    }

    /// Acts that are possible in this state.
    pub fn acts(self, is_suspected: bool) -> Vec<CallerIdAct> {
        CallerIdAct::ALL.into_iter().filter(|act| self.after(*act, is_suspected).is_some()).collect()
    }

    /// The state into which time leads: a warm-up ends, the rest of a flag is over. `since` = the state's begin;
    /// `until` = the end of a rest.
    pub fn at(self, since: Utc, until: Option<Utc>, is_suspected: bool, now: Utc) -> CallerIdState {
        match self {
            CallerIdState::Warming if since + WARM_UP <= now => CallerIdState::Normal,
            CallerIdState::Flagged | CallerIdState::Resting if until.is_some_and(|until| until <= now) => {
                self.after(CallerIdAct::Resume, is_suspected).unwrap_or(self)
            }
            _ => self,
        }
    }
}

impl CallerIdAct {
    pub const ALL: [CallerIdAct; 10] = [
        CallerIdAct::Request,
        CallerIdAct::MarkWhitelisted,
        CallerIdAct::Bind,
        CallerIdAct::StartWarmUp,
        CallerIdAct::Flag,
        CallerIdAct::ClearFlag,
        CallerIdAct::Rest,
        CallerIdAct::Resume,
        CallerIdAct::Unbind,
        CallerIdAct::Retire,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            CallerIdAct::Request => "request",
            CallerIdAct::MarkWhitelisted => "mark_whitelisted",
            CallerIdAct::Bind => "bind",
            CallerIdAct::StartWarmUp => "start_warm_up",
            CallerIdAct::Flag => "flag",
            CallerIdAct::ClearFlag => "clear_flag",
            CallerIdAct::Rest => "rest",
            CallerIdAct::Resume => "resume",
            CallerIdAct::Unbind => "unbind",
            CallerIdAct::Retire => "retire",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Utc = Utc::from_millis(1_800_000_000_000);

    #[test]
    fn a_number_goes_its_way_from_application_to_use() {
        let acts = [
            CallerIdAct::Request,
            CallerIdAct::MarkWhitelisted,
            CallerIdAct::Bind,
            CallerIdAct::StartWarmUp,
            CallerIdAct::Resume,
        ];
        let end = acts.iter().try_fold(CallerIdState::Entered, |state, act| state.after(*act, false));
        assert_eq!(end, Some(CallerIdState::Normal));
    }

    #[test]
    fn a_suspected_number_comes_back_with_a_tenth_of_its_calls() {
        for state in [CallerIdState::Flagged, CallerIdState::Resting] {
            let back = state.after(CallerIdAct::Resume, true).expect("a way back");
            assert_eq!((back, back.usage()), (CallerIdState::Recovering, Usage::Tenth));
            assert_eq!(state.at(NOW, Some(NOW), true, NOW), CallerIdState::Recovering);
            assert_eq!(state.at(NOW, Some(NOW + WARM_UP), true, NOW), state);
        }
        assert_eq!(CallerIdState::Resting.after(CallerIdAct::Resume, false), Some(CallerIdState::Normal));
    }

    #[test]
    fn a_number_is_shown_in_no_state_in_which_it_may_not_be() {
        let is_shown = |state: &CallerIdState| state.usage() != Usage::Not;
        let shown: Vec<&str> =
            CallerIdState::ALL.iter().filter(|it| is_shown(it)).map(|it| it.word()).collect();
        assert_eq!(shown, ["whitelisted", "bound", "warming", "normal", "recovering"]);
        // A retired number stays so, and every other one can be retired.
        for state in CallerIdState::ALL {
            assert_eq!(state.acts(true).is_empty(), state == CallerIdState::Retired);
        }
    }

    #[test]
    fn a_warm_up_ends_after_seven_days() {
        let warming = CallerIdState::Warming;
        assert_eq!(warming.at(NOW, None, false, NOW + WARM_UP), CallerIdState::Normal);
        assert_eq!(warming.at(NOW, None, false, NOW + Duration::from_secs(6 * 24 * 3_600)), warming);
    }
}
