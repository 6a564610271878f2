//! How many calls to place now, and why. Every decision carries its why and its numbers.

pub mod brake;
pub mod estimate;
pub mod guarded;
pub mod history;
pub mod ledger;
pub mod predictive;
pub mod rate;
pub mod ratio;
pub mod shadow;

pub use rate::Rate;

use serde::{Deserialize, Serialize};

/// What limits dialling at this moment: the answer to "why is it not dialling more?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The campaign's own `concurrency_max` is reached.
    ConcurrencyFull,
    /// Every trunk that could carry the calls is at `calls_max`.
    TrunksFull,
    /// The next start is due when the calls-per-second limit allows it.
    CallsPerSec,
    /// Every trunk is out of use.
    TrunksDown,
    /// Outside the calling hours, or before `start`.
    OutsideWindow,
    /// Leads are being fetched.
    HopperEmpty,
    /// The leads at hand wait for a call to their own household or number to end.
    HouseholdsBusy,
    /// Open leads remain, all of them due later.
    RetriesLater,
    /// Nobody is signed in to the group, or everybody is paused.
    NoAgents,
    /// Every agent is busy.
    AgentsBusy,
    /// As many calls are out as there may be for the idle agents.
    LinesOut,
    /// More lines would risk the abandon rate: one call per idle agent.
    AbandonBudget,
    /// Callees wait for an agent already.
    CalleesWaiting,
    /// As many calls per agent are out as may ever be.
    CallsPerAgent,
    /// What happened and what is there do not agree: one call per idle agent.
    FeedDoubted,
    /// The pacer failed, or is too slow: one call per idle agent.
    PacerFailed,
    /// Every caller ID is at its cap.
    CallerIdsUsed,
    /// The store cannot write (disk full): nothing is dialled that cannot be written down.
    StoreStalled,
    /// A person paused it.
    Paused,
    /// Letting calls end after a signal.
    Draining,
    /// No open leads, no calls: finished.
    Finished,
}

impl Why {
    pub const ALL: &[Why] = &[
        Why::ConcurrencyFull,
        Why::TrunksFull,
        Why::CallsPerSec,
        Why::TrunksDown,
        Why::OutsideWindow,
        Why::HopperEmpty,
        Why::HouseholdsBusy,
        Why::RetriesLater,
        Why::NoAgents,
        Why::AgentsBusy,
        Why::LinesOut,
        Why::AbandonBudget,
        Why::CalleesWaiting,
        Why::CallsPerAgent,
        Why::FeedDoubted,
        Why::PacerFailed,
        Why::CallerIdsUsed,
        Why::StoreStalled,
        Why::Paused,
        Why::Draining,
        Why::Finished,
    ];

    /// The label of `paceline_pacing_decisions_total`.
    pub const fn word(self) -> &'static str {
        match self {
            Why::ConcurrencyFull => "concurrency_full",
            Why::TrunksFull => "trunks_full",
            Why::CallsPerSec => "calls_per_sec",
            Why::TrunksDown => "trunks_down",
            Why::OutsideWindow => "outside_window",
            Why::HopperEmpty => "hopper_empty",
            Why::HouseholdsBusy => "households_busy",
            Why::RetriesLater => "retries_later",
            Why::NoAgents => "no_agents",
            Why::AgentsBusy => "agents_busy",
            Why::LinesOut => "lines_out",
            Why::AbandonBudget => "abandon_budget",
            Why::CalleesWaiting => "callees_waiting",
            Why::CallsPerAgent => "calls_per_agent",
            Why::FeedDoubted => "feed_doubted",
            Why::PacerFailed => "pacer_failed",
            Why::CallerIdsUsed => "caller_ids_used",
            Why::StoreStalled => "store_stalled",
            Why::Paused => "paused",
            Why::Draining => "draining",
            Why::Finished => "finished",
        }
    }
}

/// One pacing decision: how many calls to start in this step, and what limited them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub place: u32,
    pub why: Why,
}
