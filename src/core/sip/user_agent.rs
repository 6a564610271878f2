//! The user agent: the pure machine between bytes and call progress, as caller and as callee.
//! It never answers, never acknowledges and never retries on its own judgement where a person
//! could be called twice: those are commands.
//!
//! The contract: give it one command or datagram, take outputs with `poll` until there are none,
//! sleep until `next_wake`, then `handle_timeout`.

mod callee;
mod caller;
mod clients;
mod credentials;
mod ending;
mod in_dialog;
mod leg;
mod names;
mod phone_calls;
mod phones;
mod recovered_dialogs;
mod refresh;
mod servers;
mod transfer;
mod trunks;
mod wakes;
mod write;

use super::message::{Message, StartLine};
use super::registrar::Registrar;
pub use super::registrar::{KnownContact, PhoneAccount, PhoneLink, RegistrarConfig};
use crate::call::{Digit, HangUpCause, Progress};
use crate::ids::{AgentId, CallId, TrunkId};
use crate::media::{MediaCapabilities, MediaTarget};
use crate::time::{Duration, Time};
use clients::ClientTransaction;
use leg::Leg;
use names::{ClientKey, Names};
use phone_calls::PhoneCall;
use recovered_dialogs::Leftover;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use servers::Servers;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use trunks::Trunk;
use wakes::{Owner, Wakes};

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
    /// Random, made anew at every start, and saved with each attempt by way of `SavedDialog`.
    pub seed: u64,
    /// Whose calls are reported; everybody else's are declined with 603.
    pub incoming: Incoming,
    /// Agents' phones sign in here; `None` = they cannot, and REGISTER is not understood.
    pub registrar: Option<RegistrarConfig>,
}

/// From whom calls are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incoming {
    /// Nobody may call in: the dialer.
    #[default]
    Nobody,
    /// The addresses of our trunks.
    Trunks,
    /// Whoever sends an INVITE: the simulated carrier.
    Anybody,
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

/// A call to an agent's phones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRequest {
    pub call: CallId,
    /// The account: every contact of it rings at once.
    pub user: String,
    /// Who calls, as the phone shows it.
    pub from_user: String,
    pub from_name: String,
    /// Asks the phone to answer by itself (`Call-Info: …;answer-after=0` and `Alert-Info`).
    pub auto_answer: bool,
    /// The call is taken back after this.
    pub ring: Duration,
    /// Where we listen, and the codecs in order of preference.
    pub media: MediaCapabilities,
}

/// What is on disk before an INVITE leaves or its answer is acknowledged: enough to end the call
/// from another process. Plain text inside (JSON), versioned by its field names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDialog {
    /// `None` = the far side is an agent's phone.
    #[serde(default)]
    pub trunk: Option<TrunkId>,
    /// What is said to a phone goes to `peer` and nowhere else; where that was a connection, to wherever
    /// the phone signs in next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<SavedPhone>,
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

/// Which phone a saved dialog is with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPhone {
    /// Its account.
    pub user: String,
    /// Its `+sip.instance` (RFC 5626), which tells it from other phones of the account; empty = it gave none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
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
    /// How an agent's phone can be reached now; `None` = no contact is left, or none answers.
    PhoneChanged {
        user: String,
        agent: AgentId,
        link: Option<PhoneLink>,
    },
    /// A phone has signed in, or out, or renewed its registration: see [`UserAgent::known_contacts`].
    PhoneRegistered {
        user: String,
        agent: AgentId,
    },
    /// A phone wants the other side of its call transferred to `target` (a number or a user name, as
    /// dialled). It has been told that we try; `transfer_done` tells it how that went.
    Transfer {
        call: CallId,
        target: String,
    },
    /// Every leftover of a saved dialog is answered, or nobody answers it: then `reached` is false, and the
    /// far side learns of the end by its own timers.
    SavedDialogEnded {
        call_id: String,
        reached: bool,
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
    pub caller: Caller,
    /// What the caller offered, in the codec we should choose; `None` = no SDP (offer in our 200).
    pub offer: Option<MediaTarget>,
    /// The caller asks the phone to answer by itself (`Call-Info: …;answer-after=0`).
    pub answers_itself: bool,
    /// Values of Authorization and Proxy-Authorization: what a challenge of ours was answered with.
    pub authorization: Vec<String>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// An agent's phone, proven by its password.
    Phone {
        agent: AgentId,
        user: String,
    },
    /// The call comes from the address of this trunk.
    Trunk(TrunkId),
    Anybody,
}

/// The machine. Its parts are in the sibling files.
#[derive(Debug)]
pub struct UserAgent {
    config: UaConfig,
    names: Names,
    outputs: VecDeque<UaOutput>,
    wakes: Wakes,
    trunks: BTreeMap<TrunkId, Trunk>,
    legs: BTreeMap<CallId, Box<Leg>>,
    /// Our tag to the leg it belongs to.
    tags: FxHashMap<u64, CallId>,
    /// Keys are made from our seed, so nobody outside can make them meet.
    clients: FxHashMap<ClientKey, ClientTransaction>,
    servers: Servers,
    leftovers: BTreeMap<u64, Leftover>,
    leftovers_given: u64,
    /// Calls from outside so far, and those that are not over.
    incoming: u64,
    incoming_now: usize,
    registrar: Option<Registrar>,
    /// Calls that ring an agent's phones, and to which of them each leg belongs.
    phone_calls: BTreeMap<CallId, PhoneCall>,
    branch_of: BTreeMap<CallId, CallId>,
    branches_given: u64,
}

impl UserAgent {
    pub fn new(config: UaConfig) -> Self {
        UserAgent {
            names: Names::new(config.seed),
            registrar: registrar_of(&config),
            config,
            outputs: VecDeque::new(),
            wakes: Wakes::default(),
            trunks: BTreeMap::new(),
            legs: BTreeMap::new(),
            tags: FxHashMap::default(),
            clients: FxHashMap::default(),
            servers: Servers::default(),
            leftovers: BTreeMap::new(),
            leftovers_given: 0,
            incoming: 0,
            incoming_now: 0,
            phone_calls: BTreeMap::new(),
            branch_of: BTreeMap::new(),
            branches_given: 0,
        }
    }

    // What happened.

    /// A datagram, or one framed message from a stream (`sip::frame::StreamFramer` cuts those).
    pub fn handle_message(&mut self, now: Time, from: Peer, bytes: &[u8]) {
        match Message::parse(bytes) {
            Ok(message) => match message.start() {
                StartLine::Request { .. } => self.handle_request(now, from, &message, bytes),
                StartLine::Response { code, .. } => self.handle_response(now, from, code, &message),
            },
            // No state for what cannot be read: an answer where one is deserved, and it is forgotten.
            Err(error) => {
                if let Some(refusal) = super::build::refusal(bytes, error, from.address) {
                    self.transmit(from, refusal);
                }
            }
        }
    }

    /// A TCP or TLS connection failed or was closed: its transactions fail (RFC 3261 section 18.4).
    pub fn handle_transport_error(&mut self, now: Time, to: Peer) {
        self.fail_bindings(to);
        self.fail_clients(now, to);
    }

    pub fn handle_timeout(&mut self, now: Time) {
        // Nobody who was served wants to be served again at once; if one ever did, the others and the
        // network would still get their turn.
        for _ in 0..self.wakes.len() + 64 {
            let Some(owner) = self.wakes.pop_due(now) else { return };
            match owner {
                Owner::Client(key) => self.client_due(now, key),
                Owner::Server(id) => self.server_due(now, id),
                Owner::Leg(call) => self.leg_due(now, call),
                Owner::Trunk(id) => self.trunk_due(now, id),
                Owner::Binding(id) => self.binding_due(now, id),
                Owner::Leftover(id) => self.leftover_due(id),
            }
        }
    }

    pub fn next_wake(&self) -> Option<Time> {
        self.wakes.next()
    }

    pub fn poll(&mut self) -> Option<UaOutput> {
        self.outputs.pop_front()
    }

    // What is wanted: as a caller.

    /// Defines or changes a trunk. Its registration and its probing begin at once where they are on.
    pub fn set_trunk(&mut self, now: Time, trunk: SipTrunk) {
        self.define_trunk(now, trunk);
    }

    /// What `place` will put on the wire for this call: to be saved before it. Pure: asking twice
    /// gives the same. For a trunk that was never defined it names no host.
    pub fn identity(&self, request: &CallRequest) -> SavedDialog {
        match self.trunks.get(&request.trunk) {
            Some(trunk) => self.identity_of(&trunk.config, request),
            None => self.identity_of(&unknown_trunk(request.trunk), request),
        }
    }

    /// Sends the INVITE.
    pub fn place(&mut self, now: Time, request: CallRequest) {
        self.place_call(now, request);
    }

    /// What is to be saved once `Progress::Answered` was reported; `None` if there is no such dialog.
    pub fn saved(&self, call: CallId) -> Option<SavedDialog> {
        self.saved_dialog(call)
    }

    /// What another process would have to end if this one stopped now, of a call of any kind: each INVITE
    /// that rings a phone or a trunk, or the dialog once it is answered. Empty = nothing.
    pub fn loose_ends(&self, call: CallId) -> Vec<SavedDialog> {
        self.loose_ends_of(call)
    }

    /// Sends the ACK of an answered call.
    pub fn acknowledge(&mut self, now: Time, call: CallId) {
        self.acknowledge_call(now, call);
    }

    /// CANCEL, BYE or a final response, whatever the call's state asks for. `Progress::Ended` follows
    /// once the far side knows, at the latest after 32 seconds.
    pub fn hang_up(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        self.hang_up_call(now, call, cause);
    }

    /// Ends what another process left on the wire: CANCEL for a call that was never answered (with
    /// ACK and BYE if a 200 still comes), BYE for one that was. A phone whose connection is gone with that
    /// process, or who does not answer, is told when it signs in again, within half an hour.
    pub fn end_saved(&mut self, now: Time, dialog: SavedDialog) {
        self.end_leftover(now, dialog);
    }

    /// Our media of a confirmed call is elsewhere now: re-INVITE. `UaEvent::Media` follows if the far
    /// side moved too.
    pub fn move_media(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        self.move_our_media(now, call, media);
    }

    /// Whether this call is not over.
    pub fn knows(&self, call: CallId) -> bool {
        self.legs.contains_key(&call) || self.phone_calls.contains_key(&call)
    }

    /// Calls that are not over, both ways.
    pub fn calls(&self) -> usize {
        self.legs.len()
    }

    // What is wanted: of agents' phones.

    /// Defines or changes a phone account. Another password ends what was registered with the old one.
    pub fn set_phone(&mut self, _now: Time, account: PhoneAccount) {
        self.define_phone(account);
    }

    /// Where the account's phones are, for a process that starts later, each with the time that its
    /// registration has left. Those on a connection are not among them.
    pub fn known_contacts(&self, now: Time, user: &str) -> Vec<(KnownContact, Duration)> {
        self.registrar.as_ref().map(|registrar| registrar.known_contacts(now, user)).unwrap_or_default()
    }

    /// A phone that an earlier process knew may still be there: it is asked, and reported once it answers.
    pub fn expect_phone(&mut self, now: Time, user: &str, known: KnownContact, left: Duration) {
        self.expect_binding(now, user, known, left);
    }

    /// The account is no more: its bindings end. Calls with it go on.
    pub fn remove_phone(&mut self, _now: Time, user: &str) {
        self.forget_phone(user);
    }

    /// Rings every contact of an account at once. The same reports follow as from `place`; the first
    /// answer wins and is acknowledged at once. In `Progress::Ended` the far side is the agent; without a
    /// contact that answers it follows immediately with `agent_failed`.
    pub fn call_phone(&mut self, now: Time, request: PhoneRequest) {
        self.ring_phone(now, request);
    }

    /// Where phones send from that have registered, here or with the process whose calls are ended, each
    /// once.
    pub fn phone_peers(&self) -> BTreeSet<Peer> {
        let mut peers = self.registrar.as_ref().map(Registrar::peers).unwrap_or_default();
        peers.extend(self.leftover_phones());
        peers
    }

    /// How a transfer went that a phone asked for.
    pub fn transfer_done(&mut self, now: Time, call: CallId, ok: bool) {
        self.end_transfer(now, call, ok);
    }

    // What is wanted: as a callee.

    /// 180.
    pub fn ring(&mut self, now: Time, call: CallId) {
        self.send_provisional(now, call, 180, None);
    }

    /// 183 with an answer to the offer.
    pub fn early_media(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        self.send_provisional(now, call, 183, Some(media));
    }

    /// 200 with SDP. `Progress::Answered` follows with the caller's ACK.
    pub fn answer(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        self.answer_call(now, call, media);
    }

    /// A final response of 300 to 699, with extra headers as `Name: value` lines (`Retry-After: 30`).
    pub fn reject(&mut self, now: Time, call: CallId, code: u16, reason: &str, headers: &[&str]) {
        self.reject_call(now, call, code.clamp(300, 699), reason, headers, HangUpCause::Finished);
    }
}

fn registrar_of(config: &UaConfig) -> Option<Registrar> {
    let own = config.sent_by.iter().map(|(_, sent_by)| sent_by.as_str());
    config.registrar.clone().map(|registrar| Registrar::new(registrar, config.seed, own))
}

fn unknown_trunk(id: TrunkId) -> SipTrunk {
    SipTrunk {
        id,
        peer: Peer { transport: Transport::Udp, address: ([0, 0, 0, 0], 0).into() },
        also_from: Vec::new(),
        host: "invalid".into(),
        from_domain: String::new(),
        username: String::new(),
        password: String::new(),
        register: false,
        options: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
