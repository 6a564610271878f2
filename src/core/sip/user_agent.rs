//! The user agent: the pure machine between bytes and call progress, as caller and as callee.
//! It never answers, never acknowledges and never retries on its own judgement where a person
//! could be called twice: those are commands.
//!
//! The contract: give it one command or datagram, take outputs with `poll` until there are none,
//! sleep until `next_wake`, then `handle_timeout`.

use crate::call::{Digit, HangUpCause, Progress};
use crate::ids::{CallId, TrunkId};
use crate::media::{MediaCapabilities, MediaTarget};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// Where bytes come from or go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    pub transport: Transport,
    pub address: SocketAddr,
}

/// How the user agent names itself on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UaConfig {
    /// Sent-by of Via and host of Contact, per transport: `203.0.113.5:5060`.
    pub sent_by: Vec<(Transport, String)>,
    /// `Paceline/0.1.0`
    pub product: String,
    /// Random, made anew at every start, and saved with each attempt by way of `Identity`.
    pub seed: u64,
}

/// A trunk as SIP needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipTrunk {
    pub id: TrunkId,
    /// Where requests are sent: the resolved outbound proxy or carrier.
    pub peer: Peer,
    /// Other addresses the same carrier may send from (its further DNS answers).
    pub also_from: Vec<SocketAddr>,
    /// Host part of request URIs and of To: as configured, port included where it was given.
    pub host: String,
    /// Host part of From; empty = `host`.
    pub from_domain: String,
    pub username: String,
    pub password: String,
    pub register: bool,
    /// 0 = no OPTIONS.
    pub options: Duration,
}

/// What to call. The user agent makes the offer from `media`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    pub call: CallId,
    pub trunk: TrunkId,
    /// User part of the request URI, after the trunk's prefix rules: `013800138000`.
    pub user: String,
    /// User part of From and P-Preferred-Identity; `None` = the trunk's user name or `anonymous`.
    pub caller_id: Option<String>,
    /// The call is cancelled after this.
    pub ring: Duration,
    /// Where we listen, and the codecs in order of preference.
    pub media: MediaCapabilities,
}

/// What is on disk before an INVITE leaves or its answer is acknowledged: enough to end the call
/// from another process. Plain text inside (JSON), versioned by its field names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDialog {
    pub trunk: TrunkId,
    pub peer: Peer,
    /// As in the Via of the INVITE, so that CANCEL matches.
    pub sent_by: String,
    pub request_uri: String,
    pub call_id: String,
    pub from: String,
    pub to: String,
    /// Branch of the first INVITE. Those after a challenge are derived from it (`-1`, `-2`).
    pub branch: String,
    pub cseq: u32,
    /// Once answered:
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<ConfirmedDialog>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedDialog {
    pub remote_tag: String,
    pub remote_target: String,
    /// In the order in which Route headers are sent.
    pub route_set: Vec<String>,
    pub cseq: u32,
}

/// Everything the user agent wants.
#[derive(Clone, Debug, PartialEq)]
pub enum UaOutput {
    Transmit { to: Peer, bytes: Vec<u8> },
    Event(UaEvent),
}

/// Everything the user agent has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum UaEvent {
    Progress {
        call: CallId,
        progress: Progress,
    },
    /// Offer and answer settled or changed: send media there, in that codec, in that direction.
    /// `early` = before the answer (183, or 180 with SDP).
    Media {
        call: CallId,
        target: MediaTarget,
        early: bool,
    },
    /// A key by SIP INFO (`application/dtmf-relay` or `application/dtmf`).
    Digit {
        call: CallId,
        digit: Digit,
    },
    /// A call comes in. Answer with `ring`, `early_media`, `answer`, `reject` or `redirect`.
    Incoming(Box<IncomingCall>),
    /// A call that came in was cancelled before we answered, or ended: same `Progress::Ended`.
    Registered {
        trunk: TrunkId,
        expires: Duration,
    },
    RegistrationFailed {
        trunk: TrunkId,
        code: Option<u16>,
        reason: String,
    },
    /// The trunk answered OPTIONS (any final response counts) or did not (timer F).
    TrunkAlive {
        trunk: TrunkId,
    },
    TrunkSilent {
        trunk: TrunkId,
    },
    /// Every leftover of a saved dialog is answered or has timed out.
    SavedDialogEnded {
        call_id: String,
    },
}

/// A call from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCall {
    /// Given by the user agent, from a range of its own (the top bit set).
    pub call: CallId,
    pub from: Peer,
    pub call_id: String,
    /// User part of the request URI and of From.
    pub to_user: String,
    pub from_user: String,
    /// What the caller offered, already matched against `UaConfig`; `None` = no SDP (offer in our 200).
    pub offer: Option<MediaTarget>,
}

/// The machine. Its parts are in the sibling files.
#[derive(Debug)]
pub struct UserAgent;

#[expect(unused_variables, clippy::unimplemented, reason = "the contract, to be filled in")]
impl UserAgent {
    pub fn new(config: UaConfig) -> Self {
        unimplemented!()
    }

    // What happened.

    /// A datagram, or one framed message from a stream (`sip::message::StreamFramer` cuts those).
    pub fn handle_message(&mut self, now: Time, from: Peer, bytes: &[u8]) {
        unimplemented!()
    }

    /// A TCP or TLS connection failed or was closed: its transactions fail (RFC 3261 section 18.4).
    pub fn handle_transport_error(&mut self, now: Time, to: Peer) {
        unimplemented!()
    }

    pub fn handle_timeout(&mut self, now: Time) {
        unimplemented!()
    }

    pub fn next_wake(&self) -> Option<Time> {
        unimplemented!()
    }

    pub fn poll(&mut self) -> Option<UaOutput> {
        unimplemented!()
    }

    // What is wanted: as a caller.

    pub fn set_trunk(&mut self, now: Time, trunk: SipTrunk) {
        unimplemented!()
    }

    /// What `place` will put on the wire for this call: to be saved before it. Pure: asking twice
    /// gives the same.
    pub fn identity(&self, request: &CallRequest) -> SavedDialog {
        unimplemented!()
    }

    /// Sends the INVITE.
    pub fn place(&mut self, now: Time, request: CallRequest) {
        unimplemented!()
    }

    /// What is to be saved once `Progress::Answered` was reported; `None` if there is no such dialog.
    pub fn saved(&self, call: CallId) -> Option<SavedDialog> {
        unimplemented!()
    }

    /// Sends the ACK of an answered call.
    pub fn acknowledge(&mut self, now: Time, call: CallId) {
        unimplemented!()
    }

    /// CANCEL, BYE or a final response, whatever the call's state asks for. `Progress::Ended` follows.
    pub fn hang_up(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        unimplemented!()
    }

    /// Ends what another process left on the wire: CANCEL for a call that was never answered (with
    /// ACK and BYE if a 200 still comes), BYE for one that was.
    pub fn end_saved(&mut self, now: Time, dialog: SavedDialog) {
        unimplemented!()
    }

    // What is wanted: as a callee.

    /// 180.
    pub fn ring(&mut self, now: Time, call: CallId) {
        unimplemented!()
    }

    /// 183 with an answer to the offer.
    pub fn early_media(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        unimplemented!()
    }

    /// 200 with SDP.
    pub fn answer(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        unimplemented!()
    }

    /// A final response of 300 to 699, with extra headers as `Name: value` lines (`Retry-After: 30`).
    pub fn reject(&mut self, now: Time, call: CallId, code: u16, reason: &str, headers: &[&str]) {
        unimplemented!()
    }
}
