//! What the pacer looks at (`Snapshot`) and what it answers (`Plan`), as plain values.

use super::event::Part;
use crate::ids::{AgentId, CallId};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What one agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    Idle,
    /// Has been given a call and does not talk yet.
    Reserved,
    Talking,
    /// `until`: when wrap-up ends by itself, if that is known.
    WrapUp {
        until: Option<Time>,
    },
    Paused,
}

/// One logged-in agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentNow {
    pub agent: AgentId,
    pub doing: Doing,
    /// When they began to do that; an agent's chance to be free soon is reckoned from it.
    pub since: Time,
    /// Will not take another call when this one is done (a break was asked for, a shift ends).
    pub leaving: bool,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Placed,
    Ringing,
    /// A detector is deciding.
    PickedUp,
}

/// One call on its way to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNow {
    pub call: CallId,
    pub part: Part,
    pub stage: Stage,
    /// When this stage began.
    pub since: Time,
}

/// One person answered and waiting for an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingNow {
    pub call: CallId,
    pub since: Time,
}

/// The floor at one moment, as the driver sees it. Where events said less, this is believed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Everybody signed in, on a break or not.
    pub agents: Vec<AgentNow>,
    /// Every call that has left and was neither answered by a person nor ended.
    pub calls: Vec<CallNow>,
    /// People who have answered and have no agent yet.
    pub waiting: Vec<WaitingNow>,
    /// Lines that no call holds.
    pub lines_free: u32,
    /// Calls that the limits per second allow at this moment; `u32::MAX` where the driver keeps them itself.
    pub starts_allowed: u32,
    /// Leads that can still be dialled today; `None` = more than will be needed.
    pub leads_left: Option<u64>,
    /// The part the next calls come from.
    pub next_part: Part,
    /// When dialling ends for today, if that is known.
    pub closes: Option<Time>,
}

/// What held the number down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Nobody is there to talk, or all are on a break.
    NoAgents,
    /// One more call would too probably find every agent busy.
    AgentsBusy,
    /// The abandon budget is used up for now: one call for each idle agent.
    Budget,
    /// The hard cap of calls on their way per agent.
    CallsPerAgent,
    /// Every line is in use.
    LinesFull,
    CallsPerSec,
    LeadsOut,
    /// The events and the snapshot do not agree: one call for each idle agent.
    FeedDoubted,
    /// A number of the model was not a number, or its tables could not be made: one call for each idle agent.
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
    /// Agents expected to be free when a call placed now would be answered (median), the idle included.
    pub expected_free: f64,
    /// People expected to have answered by then, from the calls on their way and those placed now.
    pub expected_answers: f64,
    /// The chance that the next call's answer finds nobody, as the plan left it.
    pub risk: f64,
    /// The chance that would be taken.
    pub risk_max: f64,
    /// People who may still be abandoned in the rest of this day.
    pub budget_left: f64,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub place: u32,
    /// Calls to give up, oldest first; each has rung for at least the legal minimum.
    pub cancel: Vec<CallId>,
    pub why: Reason,
    /// Ask again by then, if nothing happens before.
    pub next_look: Option<Time>,
}
