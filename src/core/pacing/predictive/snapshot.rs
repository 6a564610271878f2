//! The pacer's input (`Snapshot`) and output (`Plan`), as plain values.

use super::event::Part;
use crate::ids::{AgentId, CallId};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// An agent's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    Idle,
    /// Has been offered a call and is not connected yet.
    Reserved,
    Talking,
    /// `until`: when wrap-up times out, if known.
    WrapUp {
        until: Option<Time>,
    },
    Paused,
}

/// One signed-in agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentNow {
    pub agent: AgentId,
    pub doing: Doing,
    /// Start of this state; the chance of being free soon is computed from it.
    pub since: Time,
    /// Takes no other call after this one (a break was requested, a shift ends).
    pub leaving: bool,
}

/// Progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Placed,
    Ringing,
    /// A detector is deciding.
    PickedUp,
}

/// One pending call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNow {
    pub call: CallId,
    pub part: Part,
    pub stage: Stage,
    /// When this stage began.
    pub since: Time,
}

/// One answered callee waiting for an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingNow {
    pub call: CallId,
    pub since: Time,
}

/// Agents and calls at one moment, as the caller sees them. Where events and snapshot differ, the snapshot
/// wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Every signed-in agent, on a break or not.
    pub agents: Vec<AgentNow>,
    /// Every call that was placed and neither answered by a person nor ended.
    pub calls: Vec<CallNow>,
    /// Callees who have answered and have no agent yet.
    pub waiting: Vec<WaitingNow>,
    /// Lines that no call holds.
    pub lines_free: u32,
    /// Calls that the per-second limits allow now; `u32::MAX` where the caller enforces them itself.
    pub starts_allowed: u32,
    /// Leads that can still be dialled today; `None` = more than will be needed.
    pub leads_left: Option<u64>,
    /// The part of the next calls.
    pub next_part: Part,
    /// When dialling ends for today, if known.
    pub closes: Option<Time>,
}

/// The limit that held the number of calls down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// No agent is signed in, or all of them are on a break.
    NoAgents,
    /// An answer to one more call would too probably find every agent busy.
    AgentsBusy,
    /// The abandon budget is used up for now: one call for each idle agent.
    Budget,
    /// The hard cap of pending calls per agent.
    CallsPerAgent,
    /// Every line is in use.
    LinesFull,
    CallsPerSec,
    LeadsOut,
    /// Events and snapshot contradict each other: one call for each idle agent.
    FeedDoubted,
    /// A value of the model is not finite, or its tables could not be built: one call for each idle agent.
    ModelFailed,
}

impl Limit {
    /// The word for logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Limit::NoAgents => "no_agents",
            Limit::AgentsBusy => "agents_busy",
            Limit::Budget => "abandon_budget",
            Limit::CallsPerAgent => "calls_per_agent",
            Limit::LinesFull => "lines_full",
            Limit::CallsPerSec => "calls_per_sec",
            Limit::LeadsOut => "leads_out",
            Limit::FeedDoubted => "feed_doubted",
            Limit::ModelFailed => "model_failed",
        }
    }
}

/// The reason of a plan with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub limit: Limit,
    /// Agents expected to be free at the median answer time of a call placed now, the idle ones included.
    pub expected_free: f64,
    /// Answers expected by then, from the pending calls and those placed now.
    pub expected_answers: f64,
    /// P(the next call's answer finds no idle agent), after this plan.
    pub risk: f64,
    /// Upper limit of that probability.
    pub risk_max: f64,
    /// Callees who may still be abandoned in the rest of this day.
    pub budget_left: f64,
}

/// The pacer's decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub place: u32,
    /// Calls to cancel, oldest first; each has rung for at least the legal minimum.
    pub cancel: Vec<CallId>,
    pub why: Reason,
    /// Decide again by then, if no event comes first.
    pub next_look: Option<Time>,
}
