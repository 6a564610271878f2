//! Outcome of an attempt (`Outcome`), why a lead ended without one (`Reason`), who ended a call
//! (`EndedBy`), and a lead's state (`LeadState`). The words are a contract with scripts.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every word, in the order of the contract.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word as files, columns and labels carry it.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words!(
    /// The outcome of one attempt.
    Outcome {
        Answered = "answered",
        Machine = "machine",
        Abandoned = "abandoned",
        NoAnswer = "no_answer",
        Busy = "busy",
        Rejected = "rejected",
        /// 空号
        Vacant = "vacant",
        /// 关机
        PoweredOff = "powered_off",
        /// 停机
        Suspended = "suspended",
        /// 暂时无法接通
        Unreachable = "unreachable",
        /// 呼叫限制
        Restricted = "restricted",
        /// The carrier refuses this callee (403, "in blacklist").
        CarrierBlock = "carrier_block",
        /// Our side or the trunk: CPS refusal, arrears, no route.
        LineFault = "line_fault",
        AgentFailed = "agent_failed",
        /// The process died while the call was up or being set up.
        Interrupted = "interrupted",
        /// A manager or an agent stopped it.
        Cancelled = "cancelled",
    }
);

impl Outcome {
    /// Whether an attempt with this outcome counts against the attempt caps.
    pub const fn counts(self) -> bool {
        !matches!(self, Outcome::LineFault | Outcome::CarrierBlock | Outcome::AgentFailed)
    }
}

words!(
    /// Why a list row became no lead, or a lead ended without being dialled (again).
    Reason {
        InvalidNumber = "invalid_number",
        /// 110, 119, 120, 122, 12xxx, 95xxx and the like: refused in code.
        EmergencyNumber = "emergency_number",
        Duplicate = "duplicate",
        Blacklisted = "blacklisted",
        OutsideWindow = "outside_window",
        AttemptsUsed = "attempts_used",
        HouseholdDone = "household_done",
        Stopped = "stopped",
        /// No trunk of the campaign may carry its numbers.
        NoTrunk = "no_trunk",
    }
);

words!(
    /// A lead's state.
    LeadState {
        /// Still to be dialled, now or at its `next_at`.
        Open = "open",
        /// A callback or follow-up is booked.
        FollowUp = "follow_up",
        /// Reached; nothing more to do.
        Done = "done",
        /// Will not be dialled again and was not reached.
        Failed = "failed",
    }
);

words!(
    /// Who ended the call.
    EndedBy {
        Callee = "callee",
        Agent = "agent",
        Dialer = "dialer",
        Carrier = "carrier",
    }
);
