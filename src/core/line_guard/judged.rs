//! What the guard has to say: the kind of fault, its scope, and attempts that are taken back.

use crate::ids::{AttemptId, CampaignId, LeadId};
use crate::number::PhoneNumber;
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};

/// An attempt that was charged to its callee, and is taken back if the line was at fault: it becomes
/// `line_fault`, does not count, and its lead is open again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charged {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub lead: LeadId,
    pub number: PhoneNumber,
    /// It was counted against the caps.
    pub counted: bool,
}

/// How the line refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 403 and the like: the carrier does not let us call.
    Forbidden,
    /// 404 and the like to every number: no route, or a wrong number form.
    NotFound,
    /// 480: not reachable.
    Unreachable,
    /// 4xx and 5xx of our side or the trunk, or no response.
    Faulty,
    /// Busy, declined and the like without a ring.
    Soft,
    /// Answered, and hung up by the far side at once: a recorded message.
    HangsUp,
}

impl Fault {
    /// The kind of an unanswered call's outcome.
    pub fn of(outcome: Outcome) -> Fault {
        match outcome {
            Outcome::CarrierBlock => Fault::Forbidden,
            Outcome::Vacant => Fault::NotFound,
            Outcome::Unreachable => Fault::Unreachable,
            Outcome::LineFault => Fault::Faulty,
            _ => Fault::Soft,
        }
    }

    pub(super) const ALL: usize = 6;

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// What of a trunk rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Trunk,
    /// Numbers that begin with these E.164 digits.
    Region(u64),
}

/// Why a trunk or a region on it rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTrouble {
    pub scope: Scope,
    pub fault: Fault,
    /// Of the latest call.
    pub sip_code: Option<u16>,
    /// Calls in a row that showed it.
    pub calls: u32,
    /// Probes of the first round.
    pub probes: u32,
}
