//! Pacing: how many calls to place now. Every decision carries the limit that held it down (`Why`).

pub mod brake;
pub mod estimate;
pub mod fail_safe;
pub mod history;
pub mod ledger;
pub mod predictive;
pub mod rate;
pub mod ratio;
pub mod shadow;

pub use rate::Rate;

use serde::{Deserialize, Serialize};

/// The limit that holds dialling down at this moment: the answer to "why is it not dialling more?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The campaign's own `concurrency_max` is reached.
    ConcurrencyFull,
    /// Every trunk that could carry the calls has reached its `calls_max`.
    TrunksFull,
    /// The calls-per-second limit puts the next start later.
    CallsPerSec,
    /// Every trunk is out of use.
    TrunksDown,
    /// Outside the calling hours, or before `start`.
    OutsideWindow,
    /// Leads are being fetched.
    HopperEmpty,
    /// Every lead in the hopper waits for a live call to its own household or number to end.
    HouseholdsBusy,
    /// Open leads remain, all of them due later.
    RetriesLater,
    /// No agent is signed in to the group, or all of them are paused.
    NoAgents,
    /// Every agent is busy.
    AgentsBusy,
    /// The number of pending calls that the idle agents allow is reached.
    LinesOut,
    /// More calls would risk the abandon rate: one call for each idle agent.
    AbandonBudget,
    /// Answered callees are already waiting for an agent.
    CalleesWaiting,
    /// The hard cap of calls per agent is reached.
    CallsPerAgent,
    /// The pacer's events and snapshots contradict each other: one call for each idle agent.
    FeedDoubted,
    /// The pacer failed or is too slow: one call for each idle agent.
    PacerFailed,
    /// Every caller ID has reached its cap.
    CallerIdsUsed,
    /// The register lets none of the campaign's caller IDs be shown: they rest, or are not whitelisted yet.
    CallerIdsResting,
    /// The store cannot write (disk full), and a call that cannot be recorded is not placed.
    StoreStalled,
    /// A user paused the campaign.
    Paused,
    /// The service was signalled to stop and lets the live calls end.
    Draining,
    /// No open leads and no calls: finished.
    Finished,
    /// The lines are another campaign's: reserved for it, or given to it by priority or weight.
    ShareUsed,
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
        Why::CallerIdsResting,
        Why::StoreStalled,
        Why::Paused,
        Why::Draining,
        Why::Finished,
        Why::ShareUsed,
    ];

    /// [`Why::word`] of each.
    pub const WORDS: [&'static str; Why::ALL.len()] = {
        let mut words = [""; Why::ALL.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Why::ALL[at].word();
            at += 1;
        }
        words
    };

    /// What the reason belongs to, coarsely enough for a share of time: one of [`Why::LIMITS`].
    pub const fn limit(self) -> &'static str {
        match self {
            Why::NoAgents | Why::AgentsBusy | Why::LinesOut | Why::CalleesWaiting | Why::CallsPerAgent => {
                "agents"
            }
            Why::AbandonBudget => "budget",
            Why::ConcurrencyFull
            | Why::TrunksFull
            | Why::ShareUsed
            | Why::TrunksDown
            | Why::CallerIdsUsed
            | Why::CallerIdsResting => "lines",
            Why::CallsPerSec => "rate",
            Why::HopperEmpty | Why::HouseholdsBusy | Why::RetriesLater | Why::Finished => "leads",
            Why::OutsideWindow => "hours",
            Why::Paused | Why::Draining => "stopped",
            Why::FeedDoubted | Why::PacerFailed | Why::StoreStalled => "fault",
        }
    }

    pub const LIMITS: [&'static str; 8] =
        ["agents", "budget", "lines", "rate", "leads", "hours", "stopped", "fault"];

    /// Label of the metric `paceline_pacing_decisions_total`.
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
            Why::CallerIdsResting => "caller_ids_resting",
            Why::StoreStalled => "store_stalled",
            Why::Paused => "paused",
            Why::Draining => "draining",
            Why::Finished => "finished",
            Why::ShareUsed => "share_used",
        }
    }
}

/// One pacing decision: how many calls to start in this step, and the limit that held the number down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub place: u32,
    pub why: Why,
}

#[cfg(test)]
mod tests {
    use super::Why;

    #[test]
    fn every_reason_belongs_to_a_limit() {
        for (why, word) in Why::ALL.iter().zip(Why::WORDS) {
            assert_eq!(why.word(), word);
            assert!(Why::LIMITS.contains(&why.limit()), "{word}");
        }
    }
}
