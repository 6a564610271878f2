//! Every event the pacer accepts, as one closed list. Its plans are in `view`.

use crate::ids::{AgentId, CallId};
use serde::{Deserialize, Serialize};

/// A part of the list whose people answer alike: an upload, a region, a trunk, a try number. The caller
/// chooses the meaning; zero is "no parts".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Part(pub u16);

/// One fact about a call or an agent. Facts arrive in the order in which they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The call was placed.
    Placed { call: CallId, part: Part },
    /// The callee's phone rings.
    Ringing { call: CallId },
    /// Picked up; a detector is still deciding whether by a person. Without a detector this is left out.
    PickedUp { call: CallId },
    /// A person (or, without a detector, anyone) needs an agent from this moment.
    AnsweredLive { call: CallId },
    /// A detector found a machine; no agent is needed.
    AnsweredMachine { call: CallId },
    /// Ended without an answer. `network`: failed in the network, which says nothing about the callee.
    Unanswered { call: CallId, network: bool },
    /// The dialer cancelled it while it rang.
    Cancelled { call: CallId },
    /// An agent is bridged to the answered call.
    Connected { call: CallId, agent: AgentId },
    /// The answered call waited longer than it may. Sent once, even if an agent takes it later.
    Abandoned { call: CallId },
    /// The callee hung up before the wait was too long: neither connected nor abandoned.
    HungUpWaiting { call: CallId },
    /// The agent with this call found a machine on the line (no detector, or a wrong verdict).
    FoundMachine { call: CallId },
    /// The conversation ended; wrap-up begins.
    TalkEnded { agent: AgentId },
    /// Wrap-up ended; the agent is free, unless `AgentPaused` or `AgentLeft` follows at the same moment.
    WrapEnded { agent: AgentId },
    /// Signed in and idle.
    AgentCame { agent: AgentId },
    /// On a break, by the agent's wish or by the rules.
    AgentPaused { agent: AgentId },
    /// Back from a break and idle.
    AgentBack { agent: AgentId },
    /// Signed out.
    AgentLeft { agent: AgentId },
}
