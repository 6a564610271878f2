//! Server transactions: the table of received requests, their retransmissions, and our responses. The table
//! is bounded, so a flood cannot exhaust memory.

use super::identifiers::tag_text;
use super::in_dialog::{ReceivedRequest, refusal_of_scheme};
use super::phones::Admission;
use super::wakes::Owner;
use super::write::{self, Reply};
use super::{Caller, Peer, UserAgent};
use crate::ids::CallId;
use crate::sip::message::{Message, Method};
use crate::sip::transaction::{Due, RepeatAction, Server, ServerInvite};
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};

/// Most server transactions at once.
pub(super) const SERVERS_MAX: usize = 20_000;

#[derive(Debug)]
enum Machine {
    Invite(ServerInvite),
    Other(Server),
}

#[derive(Debug)]
struct ServerTransaction {
    key: Box<str>,
    machine: Machine,
    to: Peer,
    /// The last response; empty after a 2xx to INVITE, which the call retransmits.
    bytes: Vec<u8>,
    call: Option<CallId>,
    armed: Option<Time>,
}

/// The table. Ids are assigned in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Servers {
    table: BTreeMap<u64, ServerTransaction>,
    by_key: BTreeMap<Box<str>, u64>,
    /// Ids of non-INVITE transactions, oldest first; may contain ids that are over.
    non_invites: VecDeque<u64>,
    given: u64,
}

impl Servers {
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.table.len()
    }
}

/// The key of a server transaction (RFC 3261 section 17.2.3). Without the RFC 3261 cookie in the branch it
/// consists of all that RFC 2543 compared.
fn transaction_key(request: &Message<'_>, method: Method<'_>) -> Option<String> {
    let via = request.via().ok()?;
    let kind = if method == Method::Ack { "INVITE" } else { method.as_str() };
    if via.has_magic_cookie() {
        let branch = via.branch().unwrap_or_default();
        return Some(format!("{kind} {branch} {}", via.sent_by().to_ascii_lowercase()));
    }
    let cseq = request.cseq().ok()?.number;
    let from = request.from_tag().unwrap_or_default();
    Some(format!("{kind} {} {cseq} {from} {via}", request.call_id()))
}

impl UserAgent {
    pub(super) fn handle_request(&mut self, now: Time, from: Peer, request: &Message<'_>, bytes: &[u8]) {
        let Ok(method) = request.method() else { return };
        let Some(key) = transaction_key(request, method) else { return };
        let known = self.servers.by_key.get(key.as_str()).copied();
        if method == Method::Ack {
            self.handle_ack(now, known, request);
            return;
        }
        if let Some(id) = known {
            self.repeat_response(id);
            return;
        }
        if let Some(reply) = refusal_of_scheme(request) {
            // Refused before authentication; each retransmission is answered anew.
            let reply = reply.tag(&tag_text(self.identifiers.of_text(&key)));
            let bytes = write::response(request, from, &reply);
            self.transmit(write::reply_peer(request, from), bytes);
            return;
        }
        let mut caller = Caller::Anybody;
        if matches!(method, Method::Invite | Method::Register) && request.to_tag().is_none() {
            match self.admit(now, from, method, request) {
                Admission::Admitted(who) => caller = who,
                // A refused source leaves no state: each retransmission is answered anew.
                Admission::Refused(reply) => {
                    let reply = reply.tag(&tag_text(self.identifiers.of_text(&key)));
                    let bytes = write::response(request, from, &reply);
                    self.transmit(write::reply_peer(request, from), bytes);
                    return;
                }
            }
        }
        let Some(id) = self.open_server(now, key, method, from, request) else {
            let busy = Reply::new(503, "Service Unavailable").header("Retry-After", "10");
            let bytes = write::response(request, from, &busy);
            self.transmit(write::reply_peer(request, from), bytes);
            return;
        };
        self.handle_new_request(now, ReceivedRequest { id, from, request }, method, caller, bytes);
    }

    fn handle_ack(&mut self, now: Time, known: Option<u64>, request: &Message<'_>) {
        let for_the_call = match known.and_then(|id| self.servers.table.get_mut(&id)) {
            Some(ServerTransaction { machine: Machine::Invite(machine), .. }) => machine.handle_ack(now),
            _ => true,
        };
        if let Some(id) = known {
            self.rearm_server(id);
        }
        if for_the_call {
            self.handle_ack_of_2xx(now, request);
        }
    }

    fn repeat_response(&mut self, id: u64) {
        let Some(server) = self.servers.table.get_mut(&id) else { return };
        let repeated = match &mut server.machine {
            Machine::Invite(machine) => machine.handle_repeat(),
            Machine::Other(machine) => machine.handle_repeat(),
        };
        if repeated == RepeatAction::Resend && !server.bytes.is_empty() {
            let (to, bytes) = (server.to, server.bytes.clone());
            self.transmit(to, bytes);
        }
    }

    /// Opens a transaction; `None` = the table is full of INVITEs.
    fn open_server(
        &mut self,
        now: Time,
        key: String,
        method: Method<'_>,
        from: Peer,
        request: &Message<'_>,
    ) -> Option<u64> {
        while self.servers.table.len() >= SERVERS_MAX {
            let oldest = self.servers.non_invites.pop_front()?;
            self.drop_server(oldest);
        }
        let reliable = super::client_transactions::is_reliable(from);
        let machine = match method {
            Method::Invite => Machine::Invite(ServerInvite::new(now, reliable)),
            _ => Machine::Other(Server::new(now, reliable)),
        };
        self.servers.given += 1;
        let id = self.servers.given;
        if method != Method::Invite {
            self.servers.non_invites.push_back(id);
        }
        let key: Box<str> = key.into();
        self.servers.by_key.insert(key.clone(), id);
        let to = write::reply_peer(request, from);
        let server = ServerTransaction { key, machine, to, bytes: Vec::new(), call: None, armed: None };
        self.servers.table.insert(id, server);
        self.rearm_server(id);
        Some(id)
    }

    fn drop_server(&mut self, id: u64) {
        if let Some(mut server) = self.servers.table.remove(&id) {
            self.servers.by_key.remove(&server.key);
            self.wakes.set(Owner::Server(id), &mut server.armed, None);
        }
        while self.servers.non_invites.front().is_some_and(|front| !self.servers.table.contains_key(front)) {
            self.servers.non_invites.pop_front();
        }
    }

    fn rearm_server(&mut self, id: u64) {
        let Some(server) = self.servers.table.get_mut(&id) else { return };
        let wanted = match &server.machine {
            Machine::Invite(machine) => machine.next_wake(),
            Machine::Other(machine) => machine.next_wake(),
        };
        self.wakes.set(Owner::Server(id), &mut server.armed, wanted);
    }

    /// Links the transaction of an INVITE to its call.
    pub(super) fn link_server_to_call(&mut self, id: u64, call: CallId) {
        if let Some(server) = self.servers.table.get_mut(&id) {
            server.call = Some(call);
        }
    }

    /// Sends a response through its transaction. `false` = a final response was sent before.
    pub(super) fn respond(&mut self, now: Time, id: u64, code: u16, bytes: Vec<u8>) -> bool {
        let Some(server) = self.servers.table.get_mut(&id) else { return false };
        let taken = match &mut server.machine {
            Machine::Invite(machine) => machine.respond(now, code),
            Machine::Other(machine) => machine.respond(now, code),
        };
        if taken {
            let keeps = !(matches!(server.machine, Machine::Invite(_)) && (200..300).contains(&code));
            server.bytes = if keeps { bytes.clone() } else { Vec::new() };
            let to = server.to;
            self.transmit(to, bytes);
            self.rearm_server(id);
        }
        taken
    }

    /// Builds a response from the request and sends it through its transaction.
    pub(super) fn reply(&mut self, now: Time, id: u64, request: &Message<'_>, from: Peer, reply: &Reply<'_>) {
        let bytes = write::response(request, from, reply);
        self.respond(now, id, reply.code, bytes);
    }

    /// The call whose INVITE this CANCEL refers to (RFC 3261 section 9.2); `None` = no such INVITE,
    /// `Some(None)` = an INVITE that did not become a call.
    pub(super) fn call_to_cancel(&self, cancel: &Message<'_>) -> Option<Option<CallId>> {
        let key = transaction_key(cancel, Method::Invite)?;
        let id = *self.servers.by_key.get(key.as_str())?;
        Some(self.servers.table.get(&id)?.call)
    }

    pub(super) fn server_due(&mut self, now: Time, id: u64) {
        let Some(server) = self.servers.table.get_mut(&id) else { return };
        server.armed = None;
        let due = match &mut server.machine {
            Machine::Invite(machine) => machine.handle_timeout(now),
            Machine::Other(machine) => machine.handle_timeout(now),
        };
        match due {
            Due::Resend => {
                let (to, bytes) = (server.to, server.bytes.clone());
                self.transmit(to, bytes);
            }
            Due::Trying => match server.call {
                Some(call) => self.send_trying(now, id, call),
                None => self.drop_server(id),
            },
            Due::TimedOut | Due::Over => self.drop_server(id),
            Due::Nothing => {}
        }
        self.rearm_server(id);
    }
}
