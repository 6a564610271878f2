//! The outcome of a call by what it has shown, not by its last code alone.
//!
//! | shown | last word | outcome |
//! |---|---|---|
//! | rang | 480 and the like | `no_answer`: a phone that rang was reachable |
//! | rang for `RANG_LONG` | 5xx of the carrier | `no_answer`: a gateway gave up the ringing; no other trunk rings it again |
//! | answered, nothing was heard yet | our side cannot use the media | `line_fault`: the callee got nothing, the lead stays open |
//! | answered | anything else | `answered` |
//! | never rang | any | as the code says: see `sip::verdict` |

use crate::call::Ended;
use crate::outcome::{EndedBy, Outcome};
use crate::time::Duration;

/// A ring this long is a ring of a phone, whatever the gateway says in the end.
const RANG_LONG: Duration = Duration::from_secs(10);

/// The media of an answer that cannot be used is reported at once; a later loss cuts off a talk.
const UNHEARD_MAX: Duration = Duration::from_secs(2);

/// What a call has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown {
    /// Since the first ring.
    pub rang: Option<Duration>,
    /// Since the answer.
    pub answered: Option<Duration>,
    /// An agent was bridged, or a key pressed.
    pub heard: bool,
    /// The dialer asked for the end.
    pub asked: bool,
}

/// Our side could not use the media of an answer, so the callee heard nothing.
pub(super) fn is_unheard(shown: Shown, ended: &Ended) -> bool {
    let at_once = shown.answered.is_some_and(|talk| talk < UNHEARD_MAX);
    at_once && !shown.heard && !shown.asked && ended.by == EndedBy::Dialer
}

/// The outcome of an unanswered call.
pub(super) fn unanswered(shown: Shown, ended: &Ended) -> Outcome {
    let gave_up = ended.sip_code.is_some_and(|code| (500..600).contains(&code));
    match (ended.outcome, shown.rang) {
        (Outcome::Unreachable, Some(_)) => Outcome::NoAnswer,
        (Outcome::LineFault, Some(ring)) if ring >= RANG_LONG && gave_up => Outcome::NoAnswer,
        (outcome, _) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{LineFault, NoAnswer, Unreachable, Vacant};

    #[test]
    fn every_row_of_the_table_holds() {
        let secs = Duration::from_secs;
        let ended = |outcome, sip_code, by| Ended {
            outcome,
            by,
            sip_code,
            cause: String::new(),
            retry_after: None,
            try_next_trunk: false,
        };
        let rang = |secs: Option<u64>| Shown {
            rang: secs.map(Duration::from_secs),
            answered: None,
            heard: false,
            asked: false,
        };
        for (ring, outcome, code, wanted) in [
            (Some(3), Unreachable, 480, NoAnswer),
            (None, Unreachable, 480, Unreachable),
            (Some(3), NoAnswer, 487, NoAnswer),
            (Some(3), NoAnswer, 408, NoAnswer),
            (Some(30), LineFault, 503, NoAnswer),
            (Some(1), LineFault, 503, LineFault),
            (None, LineFault, 503, LineFault),
            (Some(30), Vacant, 404, Vacant),
        ] {
            let end = ended(outcome, Some(code), EndedBy::Carrier);
            assert_eq!(unanswered(rang(ring), &end), wanted, "{ring:?} {code}");
        }
        let lost = ended(LineFault, Some(200), EndedBy::Dialer);
        for (talk, heard, wanted) in [(0, false, true), (0, true, false), (20, false, false)] {
            let shown = Shown { rang: Some(secs(5)), answered: Some(secs(talk)), heard, asked: false };
            assert_eq!(is_unheard(shown, &lost), wanted, "{talk} {heard}");
        }
    }
}
