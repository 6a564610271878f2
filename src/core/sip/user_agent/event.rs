//! Outputs of the user agent: bytes to send, and events for the engine.

use super::{Peer, PhoneLink};
use crate::call::{Digit, Progress};
use crate::ids::{AgentId, CallId, TrunkId};
use crate::media::MediaTarget;
use crate::time::Duration;

/// Output of the user agent.
#[derive(Clone, Debug, PartialEq)]
pub enum UaOutput {
    Transmit { to: Peer, bytes: Vec<u8> },
    Event(UaEvent),
}

/// Events reported by the user agent.
#[derive(Clone, Debug, PartialEq)]
pub enum UaEvent {
    Progress {
        call: CallId,
        progress: Progress,
    },
    /// Offer and answer completed or changed: send media to `target`, in its codec and direction. `early` =
    /// early media, before the answer (183, or 180 with SDP).
    Media {
        call: CallId,
        target: MediaTarget,
        early: bool,
    },
    /// A DTMF digit by SIP INFO (`application/dtmf-relay` or `application/dtmf`).
    Digit {
        call: CallId,
        digit: Digit,
    },
    /// An incoming call. Respond with `ring`, `early_media`, `answer` or `reject`. If the caller cancels or
    /// hangs up, `Progress::Ended` follows as for any call.
    Incoming(Box<IncomingCall>),
    /// Our registration at a trunk succeeded.
    Registered {
        trunk: TrunkId,
        expires: Duration,
    },
    RegistrationFailed {
        trunk: TrunkId,
        code: Option<u16>,
        reason: String,
    },
    /// Whether the trunk may be used has changed, or why it may not.
    TrunkChanged {
        trunk: TrunkId,
        state: TrunkUse,
    },
    /// Every destination of the trunk has failed, until one answers.
    TargetsFailed {
        trunk: TrunkId,
    },
    /// Reachability of an agent's phone has changed; `None` = no contact, or none answers.
    PhoneChanged {
        user: String,
        agent: AgentId,
        link: Option<PhoneLink>,
    },
    /// A phone registered, refreshed or removed its registration: see `UserAgent::known_contacts`.
    PhoneRegistered {
        user: String,
        agent: AgentId,
    },
    /// A phone asks by REFER to transfer the other party to `target` (a number or user name, as dialled).
    /// It was sent 202 and a NOTIFY with 100; `report_transfer` sends it the result.
    Transfer {
        call: CallId,
        target: String,
    },
    /// The callee of a recovered dialog answered, which the earlier process did not see. ACK and BYE follow
    /// `UserAgent::acknowledge_recovered`. A repeated 200 is reported again until then.
    SavedDialogAnswered {
        call_id: String,
    },
    /// A recovered dialog is finished. `reached` = false: the far side never answered and ends the call by
    /// its own timers.
    SavedDialogEnded {
        call_id: String,
        reached: bool,
    },
    /// The far end answered the OPTIONS of `UserAgent::probe_leg`. `alive` = false: it does not know the
    /// dialog (481), or its connection failed.
    LegProbed {
        call: CallId,
        alive: bool,
    },
    /// A phone registered under a new Call-ID, as after a restart (RFC 3261 section 10.2.4).
    PhoneRestarted {
        agent: AgentId,
        /// Its contact or instance was registered before.
        same_device: bool,
    },
}

/// Whether a trunk may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrunkUse {
    Up,
    /// `register = true`, and no REGISTER has been accepted yet.
    NotRegistered,
    /// The registration has expired, and no refresh was answered.
    RegistrationLost,
    /// The carrier refuses this account.
    AccountRefused {
        account: String,
        code: u16,
        reason: String,
    },
    /// OPTIONS, which it answered before, gets no answer, nor did any call since.
    Silent,
}

/// An incoming call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCall {
    /// Assigned by the user agent, from a range of its own (top bit set).
    pub call: CallId,
    pub from: Peer,
    pub call_id: String,
    /// User parts of the request URI and of From.
    pub to_user: String,
    pub from_user: String,
    pub caller: Caller,
    /// The caller's offer, in the codec we should choose; `None` = no SDP (our 200 carries the offer).
    pub offer: Option<MediaTarget>,
    /// The caller asks for auto-answer (`Call-Info: …;answer-after=0`).
    pub wants_auto_answer: bool,
    /// Values of Authorization and Proxy-Authorization: the answer to a challenge of ours.
    pub authorization: Vec<String>,
}

/// Identity of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// An agent's phone, authenticated by its password.
    Phone {
        agent: AgentId,
        user: String,
    },
    /// The call comes from an address of this trunk.
    Trunk(TrunkId),
    Anybody,
}
