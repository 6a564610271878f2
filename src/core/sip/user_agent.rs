//! The SIP user agent (UAC and UAS): turns received bytes into call progress and commands into messages. It
//! never answers, acknowledges or retries by itself where that could call a person twice: those are
//! commands.
//!
//! Parts: `outgoing_calls` (INVITE to ACK), `early_media` (provisionals, forks, PRACK), `cancel`,
//! `incoming_calls`, `in_dialog` (re-INVITE, UPDATE, INFO, BYE), `ending` (hang-up), `refresh` (session timers),
//! `phones` (registration), `phone_calls`, `transfer` (REFER), `trunks` (REGISTER, OPTIONS), `targets` (a trunk's
//! addresses), `saved_dialog` and
//! `recovered_dialogs` (after a crash), `client_transactions` and `server_transactions` (retransmission).
//!
//! Contract: pass one command or datagram, drain `poll`, sleep until `next_wake`, then call
//! `handle_timeout`.

mod cancel;
mod client_transactions;
mod config;
mod credentials;
mod early_media;
mod ending;
mod event;
mod identifiers;
mod in_dialog;
mod incoming_calls;
mod leg;
mod outgoing_calls;
mod phone_calls;
mod phones;
mod recovered_dialogs;
mod refresh;
mod saved_dialog;
mod server_transactions;
mod targets;
mod transfer;
mod trunks;
mod wakes;
mod write;

use super::message::{Message, StartLine};
pub use super::peer::{Peer, Transport};
use super::registrar::Registrar;
pub use super::registrar::{KnownContact, PhoneAccount, PhoneLink, RegistrarConfig};
use crate::call::HangUpCause;
use crate::ids::{CallId, TrunkId};
use crate::media::MediaCapabilities;
use crate::time::{Duration, Time};
use client_transactions::ClientTransaction;
pub use config::{CallRequest, CallerIdHeader, Incoming, PhoneRequest, SipTrunk, UaConfig};
pub use event::{Caller, IncomingCall, TrunkUse, UaEvent, UaOutput};
use identifiers::{ClientKey, Identifiers};
use leg::Leg;
use phone_calls::PhoneCall;
use recovered_dialogs::RecoveredDialog;
use rustc_hash::FxHashMap;
pub use saved_dialog::{ConfirmedDialog, SavedDialog, SavedPhone};
use server_transactions::Servers;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use trunks::Trunk;
use wakes::{Owner, Wakes};

/// The user agent. Its parts are in the sibling files.
#[derive(Debug)]
pub struct UserAgent {
    config: UaConfig,
    identifiers: Identifiers,
    outputs: VecDeque<UaOutput>,
    wakes: Wakes,
    trunks: BTreeMap<TrunkId, Trunk>,
    legs: BTreeMap<CallId, Box<Leg>>,
    /// Our dialog tag to the leg it belongs to.
    tags: FxHashMap<u64, CallId>,
    /// Keys derive from our seed, so an outsider cannot make them collide.
    clients: FxHashMap<ClientKey, ClientTransaction>,
    servers: Servers,
    recovered_dialogs: BTreeMap<u64, RecoveredDialog>,
    last_recovered: u64,
    /// Incoming calls so far, and those still open.
    incoming: u64,
    incoming_now: usize,
    registrar: Option<Registrar>,
    /// Calls that ring an agent's phones, and the call of each branch leg.
    phone_calls: BTreeMap<CallId, PhoneCall>,
    branch_of: BTreeMap<CallId, CallId>,
    last_branch: u64,
}

impl UserAgent {
    pub fn new(config: UaConfig) -> Self {
        UserAgent {
            identifiers: Identifiers::new(config.seed),
            registrar: registrar_of(&config),
            config,
            outputs: VecDeque::new(),
            wakes: Wakes::default(),
            trunks: BTreeMap::new(),
            legs: BTreeMap::new(),
            tags: FxHashMap::default(),
            clients: FxHashMap::default(),
            servers: Servers::default(),
            recovered_dialogs: BTreeMap::new(),
            last_recovered: 0,
            incoming: 0,
            incoming_now: 0,
            phone_calls: BTreeMap::new(),
            branch_of: BTreeMap::new(),
            last_branch: 0,
        }
    }

    // Received events.

    /// Handles a datagram, or one message from a stream (framed by `sip::frame::StreamFramer`).
    pub fn handle_message(&mut self, now: Time, from: Peer, bytes: &[u8]) {
        match Message::parse(bytes) {
            Ok(message) => match message.start() {
                StartLine::Request { .. } => self.handle_request(now, from, &message, bytes),
                StartLine::Response { code, .. } => self.handle_response(now, from, code, &message),
            },
            // No state is kept for an unreadable message: it gets an error response if one applies.
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
        // A served owner does not become due again at once; the bound keeps a faulty owner from starving
        // the others.
        for _ in 0..self.wakes.len() + 64 {
            let Some(owner) = self.wakes.pop_due(now) else { return };
            match owner {
                Owner::Client(key) => self.client_due(now, key),
                Owner::Server(id) => self.server_due(now, id),
                Owner::Leg(call) => self.leg_due(now, call),
                Owner::Trunk(id) => self.trunk_due(now, id),
                Owner::Binding(id) => self.binding_due(now, id),
                Owner::Recovered(id) => self.recovered_due(id),
            }
        }
    }

    pub fn next_wake(&self) -> Option<Time> {
        self.wakes.next()
    }

    pub fn poll(&mut self) -> Option<UaOutput> {
        self.outputs.pop_front()
    }

    // Commands for outgoing calls.

    /// Defines or changes a trunk. Its registration and probing, if enabled, begin at once.
    pub fn set_trunk(&mut self, now: Time, trunk: SipTrunk) {
        self.define_trunk(now, trunk);
    }

    /// Forgets a trunk that has no call; its registration is taken back.
    pub fn remove_trunk(&mut self, now: Time, trunk: TrunkId) {
        self.forget_trunk(now, trunk);
    }

    /// What was last reported of a trunk.
    pub fn trunk_use(&self, trunk: TrunkId) -> Option<TrunkUse> {
        Some(self.trunks.get(&trunk)?.reported_use().clone())
    }

    /// Time from the trunk's last OPTIONS to its answer; `None` = none was answered.
    pub fn trunk_round_trip(&self, trunk: TrunkId) -> Option<Duration> {
        self.trunks.get(&trunk)?.round_trip()
    }

    /// Changes the addresses of a defined trunk (RFC 3263): destinations in their order, and further sources. With
    /// no destination nothing changes. Calls that are up keep theirs.
    pub fn set_targets(&mut self, now: Time, trunk: TrunkId, peers: &[Peer], sources: Vec<SocketAddr>) {
        self.move_trunk(now, trunk, peers, sources);
    }

    /// The dialog identifiers `place` will use for this call, to be saved before it. Pure: asking twice
    /// gives the same. For an undefined trunk it names no host.
    pub fn identity(&self, request: &CallRequest) -> SavedDialog {
        match self.trunks.get(&request.trunk) {
            Some(trunk) => self.identity_of(&trunk.config, trunk.targets.current(), request),
            None => {
                let trunk = unknown_trunk(request.trunk);
                self.identity_of(&trunk, trunk.peer, request)
            }
        }
    }

    /// Sends the INVITE.
    pub fn place(&mut self, now: Time, request: CallRequest) {
        self.place_call(now, request);
    }

    /// The dialog to save once `Progress::Answered` was reported; `None` if there is no such dialog.
    pub fn saved_dialog(&self, call: CallId) -> Option<SavedDialog> {
        self.answered_dialog(call)
    }

    /// Open dialogs of a call of any kind, which another process would have to end if this one stopped now:
    /// each ringing INVITE, or the answered dialog. Empty = none.
    pub fn open_dialogs(&self, call: CallId) -> Vec<SavedDialog> {
        self.open_dialogs_of(call)
    }

    /// The trunk of a call; none for a call with an agent's phone.
    pub fn trunk_of_call(&self, call: CallId) -> Option<TrunkId> {
        self.legs.get(&call)?.trunk
    }

    /// Sends the ACK of an answered call.
    pub fn acknowledge(&mut self, now: Time, call: CallId) {
        self.acknowledge_call(now, call);
    }

    /// Hangs up: CANCEL, BYE or a final response, depending on the call's state. `Progress::Ended` follows
    /// once the far side has confirmed, at the latest after 32 seconds.
    pub fn hang_up(&mut self, now: Time, call: CallId, cause: HangUpCause) {
        self.hang_up_call(now, call, cause);
    }

    /// Asks the far end of an answered call by OPTIONS in the dialog whether it still knows it. The answer is
    /// [`UaEvent::LegProbed`], after 32 seconds if there is none.
    pub fn probe_leg(&mut self, now: Time, call: CallId) {
        self.send_leg_probe(now, call);
    }

    /// The store has saved the answer reported by [`UaEvent::SavedDialogAnswered`]: sends ACK and BYE.
    pub fn acknowledge_recovered(&mut self, now: Time, call_id: &str) {
        self.acknowledge_withheld(now, call_id);
    }

    /// Ends a dialog of another process: CANCEL for an unanswered call (ACK and BYE if a 200 still comes and
    /// is saved), BYE for an answered one. A phone whose connection is gone, or that does not answer, is sent
    /// it at its next REGISTER within half an hour.
    pub fn end_saved_dialog(&mut self, now: Time, dialog: SavedDialog) {
        self.end_recovered(now, dialog);
    }

    /// Moves our media of a confirmed call: re-INVITE. `UaEvent::Media` follows if the far side moved too.
    pub fn move_media(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        self.move_our_media(now, call, media);
    }

    /// Whether this call is still open.
    pub fn has_call(&self, call: CallId) -> bool {
        self.legs.contains_key(&call) || self.phone_calls.contains_key(&call)
    }

    /// Where requests to this trunk go now.
    pub fn trunk_peer(&self, trunk: TrunkId) -> Option<Peer> {
        self.trunks.get(&trunk).map(|trunk| trunk.targets.current())
    }

    /// The far side of this call's signalling.
    pub fn call_peer(&self, call: CallId) -> Option<Peer> {
        self.legs.get(&call).map(|leg| leg.dialog.peer)
    }

    /// Number of open legs, incoming and outgoing.
    pub fn calls(&self) -> usize {
        self.legs.len()
    }

    // Commands for agents' phones.

    /// Defines or changes a phone account. A changed password ends existing bindings.
    pub fn set_phone(&mut self, _now: Time, account: PhoneAccount) {
        self.define_phone(account);
    }

    /// The account's UDP contacts to save for the next process, each with its remaining registration time.
    /// Contacts on a connection are not included.
    pub fn known_contacts(&self, now: Time, user: &str) -> Vec<(KnownContact, Duration)> {
        self.registrar.as_ref().map(|registrar| registrar.known_contacts(now, user)).unwrap_or_default()
    }

    /// Restores a contact saved by an earlier process: it is probed, and reported once it answers.
    pub fn restore_phone(&mut self, now: Time, user: &str, known: KnownContact, left: Duration) {
        self.restore_binding(now, user, known, left);
    }

    /// Removes an account and its bindings. Its calls continue.
    pub fn remove_phone(&mut self, _now: Time, user: &str) {
        self.drop_phone(user);
    }

    /// Rings every contact of an account at once, with the same progress events as `place`; the first
    /// answer wins and is acknowledged at once. In `Progress::Ended` the far side is the agent; without an
    /// answering contact it follows immediately with `agent_failed`.
    pub fn call_phone(&mut self, now: Time, request: PhoneRequest) {
        self.ring_phone(now, request);
    }

    /// Source addresses of registered phones and of phones in recovered dialogs, each once.
    pub fn phone_peers(&self) -> BTreeSet<Peer> {
        let mut peers = self.registrar.as_ref().map(Registrar::peers).unwrap_or_default();
        peers.extend(self.recovered_phone_peers());
        peers
    }

    /// Reports the result of a transfer to the phone that asked for it.
    pub fn report_transfer(&mut self, now: Time, call: CallId, ok: bool) {
        self.end_transfer(now, call, ok);
    }

    // Commands for incoming calls.

    /// Sends 180.
    pub fn ring(&mut self, now: Time, call: CallId) {
        self.send_provisional(now, call, 180, None);
    }

    /// Sends early media: 183 with an answer to the offer.
    pub fn early_media(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        self.send_provisional(now, call, 183, Some(media));
    }

    /// Sends 200 with SDP. `Progress::Answered` follows with the caller's ACK.
    pub fn answer(&mut self, now: Time, call: CallId, media: MediaCapabilities) {
        self.answer_call(now, call, media);
    }

    /// Sends a final response of 300 to 699, with extra headers as `Name: value` lines (`Retry-After: 30`).
    pub fn reject(&mut self, now: Time, call: CallId, code: u16, reason: &str, headers: &[&str]) {
        self.reject_call(now, call, code.clamp(300, 699), reason, headers, HangUpCause::Finished);
    }
}

fn registrar_of(config: &UaConfig) -> Option<Registrar> {
    let own = config.sent_by.iter().map(|(_, sent_by)| sent_by.as_str());
    config.registrar.clone().map(|registrar| Registrar::new(registrar, config.seed, own))
}

fn unknown_trunk(id: TrunkId) -> SipTrunk {
    let peer = Peer { transport: Transport::Udp, address: ([0, 0, 0, 0], 0).into() };
    SipTrunk::new(id, peer, "invalid")
}

#[cfg(test)]
mod tests;
