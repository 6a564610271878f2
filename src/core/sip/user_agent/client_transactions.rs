//! Client transactions: the table of our requests, their retransmission, and dispatch of responses to their
//! owners.

use super::identifiers::ClientKey;
use super::leg::{LegState, Refresh};
use super::wakes::Owner;
use super::{Peer, Transport, UaOutput, UserAgent, write};
use crate::ids::{CallId, TrunkId};
use crate::sip::dialog::Dialog;
use crate::sip::message::{Message, Method};
use crate::sip::transaction::{Client, ClientInvite, Due, ResponseAction};
use crate::time::Time;

/// Most 2xx responses (forks) of one INVITE whose ACK is kept.
pub(super) const ACKS_MAX: usize = 8;

/// The owner of a request, to which its response or failure is dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Invite(CallId),
    Cancel(CallId),
    /// PRACK; its response is ignored.
    Prack(CallId),
    /// A session refresh by re-INVITE or UPDATE.
    Reinvite(CallId),
    Update(CallId),
    Bye(CallId),
    Register(TrunkId, Peer),
    Options(TrunkId),
    /// OPTIONS probe of a trunk's failed destination; its response is only noted.
    TargetProbe(TrunkId, Peer),
    /// OPTIONS probe of a phone's contact.
    Probe(u64),
    /// OPTIONS in a leg's dialog.
    LegProbe(CallId),
    SavedInvite(u64),
    SavedCancel(u64),
    SavedBye(u64),
    /// The response is ignored: NOTIFY, or the BYE of a losing fork.
    Ignored,
}

#[derive(Debug)]
pub(super) enum Machine {
    Invite(ClientInvite),
    Other(Client),
}

#[derive(Debug)]
pub(super) struct ClientTransaction {
    pub machine: Machine,
    pub to: Peer,
    /// The request; after a non-2xx final response to INVITE, the ACK.
    pub bytes: Vec<u8>,
    pub purpose: Purpose,
    /// The ACK of each 2xx by To tag, sent again for a retransmitted 2xx.
    pub acks: Vec<(String, Peer, Vec<u8>)>,
    /// Dialogs of 2xx responses whose ACK is withheld until the store has saved the answer; for
    /// [`Purpose::SavedInvite`] only.
    pub withheld: Vec<Dialog>,
    /// The request went to a phone: later requests of the dialog go to the same peer, whatever its Contact
    /// says.
    pub pinned: bool,
    armed: Option<Time>,
}

/// The result of a request, as dispatched to its owner.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer<'a, 'b> {
    Response {
        code: u16,
        message: &'a Message<'b>,
        from: Peer,
    },
    /// Timer B or F.
    TimedOut,
    /// The connection broke (RFC 3261 section 18.4).
    Unreachable,
}

impl Answer<'_, '_> {
    pub fn code(&self) -> Option<u16> {
        match self {
            Answer::Response { code, .. } => Some(*code),
            Answer::TimedOut | Answer::Unreachable => None,
        }
    }
}

/// A request as it leaves, and what its transaction is for.
pub(super) struct ClientRequest {
    pub key: ClientKey,
    pub to: Peer,
    pub bytes: Vec<u8>,
    pub purpose: Purpose,
}

impl UserAgent {
    pub(super) fn transmit(&mut self, to: Peer, bytes: Vec<u8>) {
        self.outputs.push_back(UaOutput::Transmit { to, bytes });
    }

    pub(super) fn send_invite_request(&mut self, now: Time, request: ClientRequest) {
        self.transmit(request.to, request.bytes.clone());
        let machine = Machine::Invite(ClientInvite::new(now, is_reliable(request.to)));
        self.insert_client(request, machine);
    }

    pub(super) fn send_request(&mut self, now: Time, request: ClientRequest) {
        self.transmit(request.to, request.bytes.clone());
        let machine = Machine::Other(Client::new(now, is_reliable(request.to)));
        self.insert_client(request, machine);
    }

    /// Waits for late responses to an INVITE sent by an earlier process.
    pub(super) fn resume_invite(&mut self, now: Time, request: ClientRequest) {
        let machine = Machine::Invite(ClientInvite::resume(now, is_reliable(request.to)));
        self.insert_client(request, machine);
    }

    fn insert_client(&mut self, request: ClientRequest, machine: Machine) {
        let ClientRequest { key, to, bytes, purpose } = request;
        self.drop_client(key);
        let (acks, withheld) = (Vec::new(), Vec::new());
        let mut client =
            ClientTransaction { machine, to, bytes, purpose, acks, withheld, pinned: false, armed: None };
        let wanted = client.next_wake();
        self.wakes.set(Owner::Client(key), &mut client.armed, wanted);
        self.clients.insert(key, client);
    }

    fn drop_client(&mut self, key: ClientKey) {
        if let Some(mut client) = self.clients.remove(&key) {
            self.wakes.set(Owner::Client(key), &mut client.armed, None);
        }
    }

    fn rearm_client(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(&key) {
            let wanted = client.next_wake();
            self.wakes.set(Owner::Client(key), &mut client.armed, wanted);
        }
    }

    pub(super) fn handle_response(&mut self, now: Time, from: Peer, code: u16, response: &Message<'_>) {
        let (Some(branch), Ok(cseq)) = (response.branch(), response.cseq()) else { return };
        let cancel = cseq.method == Method::Cancel;
        let Some(key) = ClientKey::from_branch(&branch, cancel) else { return };
        let Some(client) = self.clients.get_mut(&key) else { return };
        if client.is_invite() != (cseq.method == Method::Invite) {
            return;
        }
        let received = match &mut client.machine {
            Machine::Invite(machine) => machine.handle_response(now, code),
            Machine::Other(machine) => machine.handle_response(now, code),
        };
        let (purpose, asked) = (client.purpose, client.to);
        if let Some(trunk) = self.trunk_of(purpose) {
            self.hear_trunk(now, trunk, asked);
        }
        let Some(client) = self.clients.get_mut(&key) else { return };
        match received {
            ResponseAction::Absorb => return,
            ResponseAction::Acknowledge => {
                let (to, ack) = (client.to, client.bytes.clone());
                self.transmit(to, ack);
                return;
            }
            ResponseAction::PassAndAcknowledge => {
                let ack = write::ack_of_refusal(&client.bytes, response).unwrap_or_default();
                client.bytes = ack.clone();
                let to = client.to;
                if !ack.is_empty() {
                    self.transmit(to, ack);
                }
            }
            ResponseAction::Pass => {
                if code >= 200 && !client.is_invite() {
                    client.bytes = Vec::new();
                }
            }
        }
        self.rearm_client(key);
        if (200..300).contains(&code) && self.is_invite(key) {
            self.handle_2xx(now, key, purpose, Answer::Response { code, message: response, from });
        } else {
            self.dispatch(now, key, purpose, Answer::Response { code, message: response, from });
        }
    }

    /// The trunk that a response to this request shows to be alive.
    fn trunk_of(&self, purpose: Purpose) -> Option<TrunkId> {
        match purpose {
            Purpose::Register(trunk, _) | Purpose::Options(trunk) | Purpose::TargetProbe(trunk, _) => {
                Some(trunk)
            }
            Purpose::Invite(call)
            | Purpose::Cancel(call)
            | Purpose::Prack(call)
            | Purpose::Reinvite(call)
            | Purpose::Update(call)
            | Purpose::LegProbe(call)
            | Purpose::Bye(call) => self.legs.get(&call)?.trunk,
            Purpose::Probe(_)
            | Purpose::SavedInvite(_)
            | Purpose::SavedCancel(_)
            | Purpose::SavedBye(_)
            | Purpose::Ignored => None,
        }
    }

    /// Stops an INVITE that got no response, so that another destination is asked. A late provisional is
    /// cancelled and a late 2xx ended.
    pub(super) fn abandon_silent_invite(&mut self, now: Time, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.machine = Machine::Invite(ClientInvite::resume(now, is_reliable(client.to)));
        }
        self.rearm_client(key);
    }

    /// Sends CANCEL for an INVITE of which the call knows nothing any more.
    pub(super) fn cancel_abandoned(&mut self, now: Time, key: ClientKey) {
        let cancel_key = ClientKey { cancel: true, ..key };
        let Some(client) = self.clients.get(&key).filter(|_| !self.clients.contains_key(&cancel_key)) else {
            return;
        };
        let to = client.to;
        let reason = write::reason(crate::call::HangUpCause::Finished);
        if let Some(cancel) = write::cancel_of(&client.bytes, reason) {
            self.send_request(
                now,
                ClientRequest { key: cancel_key, to, bytes: cancel, purpose: Purpose::Ignored },
            );
        }
    }

    /// Handles a 2xx to an INVITE: a retransmission gets its ACK again, one of another fork is acknowledged
    /// and ended, the first goes to the call.
    fn handle_2xx(&mut self, now: Time, key: ClientKey, purpose: Purpose, answer: Answer<'_, '_>) {
        let Answer::Response { message, from, .. } = answer else { return };
        // An answer without a tag is an answer (RFC 3261 section 12.1.2).
        let tag = message.to_tag().unwrap_or_default();
        let Some(client) = self.clients.get_mut(&key) else { return };
        if let Some((_, to, ack)) = client.acks.iter().find(|(known, ..)| *known == tag) {
            let (to, ack) = (*to, ack.clone());
            self.transmit(to, ack);
            return;
        }
        // The request is no longer needed; the transaction stays for the ACKs.
        client.bytes = Vec::new();
        match self.classify_2xx(key, purpose, &tag) {
            AnswerKind::First => self.dispatch(now, key, purpose, answer),
            AnswerKind::Retransmission => {}
            AnswerKind::Fork => {
                if let Some(mut dialog) = self.answered_fork(key, message, from) {
                    self.acknowledge_and_end(now, key, &mut dialog, Purpose::Ignored);
                }
            }
        }
    }

    fn classify_2xx(&self, key: ClientKey, purpose: Purpose, tag: &str) -> AnswerKind {
        let (Purpose::Invite(call) | Purpose::Reinvite(call)) = purpose else { return AnswerKind::First };
        let Some(leg) = self.legs.get(&call) else { return AnswerKind::Fork };
        let expected = match purpose {
            Purpose::Reinvite(_) => leg.refresh == Refresh::Sent(key),
            _ => {
                leg.state == LegState::Calling
                    && leg.placing.as_ref().is_some_and(|placing| placing.key == key)
            }
        };
        if expected {
            AnswerKind::First
        } else if leg.dialog.remote_tag.as_deref() == Some(tag) {
            AnswerKind::Retransmission
        } else {
            AnswerKind::Fork
        }
    }

    /// The dialog that a 2xx opens.
    pub(super) fn answered_fork(&self, key: ClientKey, response: &Message<'_>, from: Peer) -> Option<Dialog> {
        let pinned = self.clients.get(&key).filter(|client| client.pinned).map(|client| client.to);
        let mut dialog = Dialog::from_response(response, pinned.unwrap_or(from))?;
        dialog.pinned = pinned.is_some();
        Some(dialog)
    }

    /// Sends ACK, then BYE.
    pub(super) fn acknowledge_and_end(
        &mut self,
        now: Time,
        key: ClientKey,
        dialog: &mut Dialog,
        purpose: Purpose,
    ) {
        let tag = dialog.remote_tag.clone().unwrap_or_default();
        let to = dialog.next_hop();
        let ack = self.dialog_ack(dialog);
        self.send_ack(now, key, &tag, to, ack);
        let (bye_key, bye) = self.dialog_request(dialog, Method::Bye, &[], None);
        self.send_request(now, ClientRequest { key: bye_key, to, bytes: bye, purpose });
    }

    /// Sends the ACK of a 2xx and keeps it for retransmissions.
    pub(super) fn send_ack(&mut self, now: Time, key: ClientKey, tag: &str, to: Peer, ack: Vec<u8>) {
        self.transmit(to, ack.clone());
        if let Some(client) = self.clients.get_mut(&key) {
            if client.acks.len() < ACKS_MAX {
                client.acks.push((tag.to_string(), to, ack));
            }
            if let Machine::Invite(machine) = &mut client.machine {
                machine.extend_accepted(now);
            }
        }
        self.rearm_client(key);
    }

    /// Detaches an INVITE from its call; responses within 32 seconds are still ended.
    pub(super) fn detach_invite(&mut self, now: Time, key: ClientKey) {
        if let Some(ClientTransaction { machine: Machine::Invite(machine), .. }) = self.clients.get_mut(&key)
        {
            machine.abandon(now);
        }
        self.rearm_client(key);
    }

    /// Marks an INVITE as sent to a phone.
    pub(super) fn pin_client(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.pinned = true;
        }
    }

    /// Reassigns the INVITE to another call id.
    pub(super) fn reassign_client(&mut self, key: ClientKey, call: CallId) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.purpose = Purpose::Invite(call);
        }
    }

    fn is_invite(&self, key: ClientKey) -> bool {
        self.clients.get(&key).is_some_and(ClientTransaction::is_invite)
    }

    pub(super) fn client_due(&mut self, now: Time, key: ClientKey) {
        let Some(client) = self.clients.get_mut(&key) else { return };
        client.armed = None;
        let due = match &mut client.machine {
            Machine::Invite(machine) => machine.handle_timeout(now),
            Machine::Other(machine) => machine.handle_timeout(now),
        };
        let (purpose, is_withheld) = (client.purpose, !client.withheld.is_empty());
        match due {
            Due::Resend => {
                let (to, bytes) = (client.to, client.bytes.clone());
                self.transmit(to, bytes);
            }
            Due::TimedOut => {
                self.drop_client(key);
                self.dispatch(now, key, purpose, Answer::TimedOut);
            }
            Due::Over => {
                self.drop_client(key);
                if let Purpose::SavedInvite(id) = purpose
                    && is_withheld
                {
                    self.withheld_answer_expired(now, id);
                }
            }
            Due::Nothing | Due::Trying => {}
        }
        self.rearm_client(key);
    }

    /// Fails every transaction that waits for a response over this connection (RFC 3261 section 18.4).
    pub(super) fn fail_clients(&mut self, now: Time, to: Peer) {
        let mut keys: Vec<ClientKey> = self
            .clients
            .iter()
            .filter(|(_, client)| client.to == to && !client.is_final())
            .map(|(key, _)| *key)
            .collect();
        // The table is unordered: sort for deterministic output.
        keys.sort_unstable();
        for key in keys {
            if let Some(client) = self.clients.get(&key) {
                let purpose = client.purpose;
                self.drop_client(key);
                self.dispatch(now, key, purpose, Answer::Unreachable);
            }
        }
    }

    fn dispatch(&mut self, now: Time, key: ClientKey, purpose: Purpose, answer: Answer<'_, '_>) {
        match purpose {
            Purpose::Invite(call) => self.invite_answered(now, call, key, answer),
            Purpose::Cancel(call) => self.cancel_answered(now, call, answer),
            Purpose::Reinvite(call) => self.refresh_answered(now, call, key, answer, true),
            Purpose::Update(call) => self.refresh_answered(now, call, key, answer, false),
            Purpose::Bye(call) => self.bye_answered(now, call, answer),
            Purpose::Register(trunk, to) => self.register_answered(now, trunk, to, answer),
            Purpose::Probe(id) => self.probe_answered(now, id, answer),
            Purpose::LegProbe(call) => self.leg_probe_answered(call, answer),
            Purpose::Options(trunk) => self.options_answered(now, trunk, answer),
            Purpose::SavedInvite(id) => self.saved_invite_answered(now, id, key, answer),
            Purpose::SavedCancel(id) => self.saved_cancel_answered(now, id, answer),
            Purpose::SavedBye(id) => self.saved_bye_answered(now, id, answer),
            Purpose::TargetProbe(..) | Purpose::Prack(_) | Purpose::Ignored => {}
        }
    }
}

/// The meaning of a 2xx to an INVITE.
enum AnswerKind {
    First,
    /// A retransmission of a 2xx whose ACK is still withheld.
    Retransmission,
    Fork,
}

impl ClientTransaction {
    fn next_wake(&self) -> Option<Time> {
        match &self.machine {
            Machine::Invite(machine) => machine.next_wake(),
            Machine::Other(machine) => machine.next_wake(),
        }
    }

    pub fn is_invite(&self) -> bool {
        matches!(self.machine, Machine::Invite(_))
    }

    pub fn is_final(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.is_final(),
            Machine::Other(machine) => machine.is_final(),
        }
    }
}

pub(super) fn is_reliable(peer: Peer) -> bool {
    peer.transport != Transport::Udp
}
