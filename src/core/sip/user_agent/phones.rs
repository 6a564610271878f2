//! Agents' phones: admission of INVITE and REGISTER by digest challenge, registration, and an OPTIONS probe
//! every 25 seconds. `sip::registrar` holds accounts and bindings.

use super::client_transactions::{Answer, ClientRequest, Purpose};
use super::identifiers::{ClientKey, tag_text};
use super::in_dialog::ReceivedRequest;
use super::wakes::Owner;
use super::write::{self, OutOfDialog, Reply};
use super::{Caller, Incoming, Peer, Transport, UaEvent, UserAgent};
use crate::ids::TrunkId;
use crate::sip::headers::HeaderName;
use crate::sip::message::{Message, Method};
use crate::sip::registrar::{AuthOutcome, Binding, KnownContact, PhoneAccount, Registrar};
use crate::sip::uri::Uri;
use crate::time::{Duration, Time};

/// Admission of a request outside any dialog, decided before any state is kept.
pub(super) enum Admission {
    Admitted(Caller),
    /// Refused with this response, without state.
    Refused(Reply<'static>),
}

/// A reachable contact of an account.
pub(super) struct PhoneContact {
    pub peer: Peer,
    pub uri: String,
    pub instance: String,
}

impl UserAgent {
    pub(super) fn define_phone(&mut self, account: PhoneAccount) {
        let user = account.user.clone();
        let Some(registrar) = &mut self.registrar else { return };
        for id in registrar.set_account(account) {
            self.drop_binding(id);
        }
        self.report_link_change(&user);
    }

    pub(super) fn drop_phone(&mut self, user: &str) {
        let ids = self.registrar.as_ref().map(|registrar| registrar.binding_ids(user)).unwrap_or_default();
        for id in ids {
            self.drop_binding(id);
        }
        self.report_link_change(user);
        if let Some(registrar) = &mut self.registrar {
            registrar.remove_account(user);
        }
    }

    /// Decides the identity of the caller or registrant, or the response that refuses it.
    pub(super) fn admit(
        &mut self,
        now: Time,
        from: Peer,
        method: Method<'_>,
        request: &Message<'_>,
    ) -> Admission {
        if method == Method::Register {
            return self.authenticate_phone(now, from, method, request);
        }
        let trunk = self.trunk_at(from);
        let answered = self.registrar.as_ref().is_some_and(|registrar| registrar.has_digest_answer(request));
        match self.config.incoming {
            Incoming::Anybody if !answered => {
                return Admission::Admitted(trunk.map_or(Caller::Anybody, |(trunk, _)| Caller::Trunk(trunk)));
            }
            Incoming::Trunks if !answered => {
                if let Some((trunk, exact)) = trunk
                    && (exact || !self.is_phone(request))
                {
                    return Admission::Admitted(Caller::Trunk(trunk));
                }
            }
            Incoming::Anybody | Incoming::Trunks | Incoming::Nobody => {}
        }
        match self.registrar {
            Some(_) => self.authenticate_phone(now, from, method, request),
            None => Admission::Refused(Reply::new(603, "Decline")),
        }
    }

    /// The trunk with this source address, and whether the port matches exactly.
    fn trunk_at(&self, from: Peer) -> Option<(TrunkId, bool)> {
        let exact = self
            .trunks
            .iter()
            .find(|(_, trunk)| trunk.targets.iter().any(|peer| peer.address == from.address));
        let near = || self.trunks.iter().find(|(_, trunk)| trunk.sends_from(from));
        exact.map(|(id, _)| (*id, true)).or_else(|| near().map(|(id, _)| (*id, false)))
    }

    /// Whether From names one of our accounts: a phone may share the address of a trunk.
    fn is_phone(&self, request: &Message<'_>) -> bool {
        let Ok(from) = request.from() else { return false };
        self.registrar.as_ref().is_some_and(|registrar| registrar.agent(&from.uri.user_text()).is_some())
    }

    fn authenticate_phone(
        &mut self,
        now: Time,
        from: Peer,
        method: Method<'_>,
        request: &Message<'_>,
    ) -> Admission {
        // Without a registrar, REGISTER is refused later as an unknown method.
        let Some(registrar) = &mut self.registrar else { return Admission::Admitted(Caller::Anybody) };
        match registrar.authenticate(now, from, request) {
            AuthOutcome::Authenticated { user } => {
                let own = method == Method::Register
                    || request.from().is_ok_and(|address| address.uri.user_text() == user.as_str());
                match registrar.agent(&user) {
                    Some(agent) if own => Admission::Admitted(Caller::Phone { agent, user }),
                    _ => Admission::Refused(Reply::new(403, "Forbidden")),
                }
            }
            AuthOutcome::Forbidden => Admission::Refused(Reply::new(403, "Forbidden")),
            AuthOutcome::Challenge { stale } => {
                let (code, reason, name) = match method {
                    Method::Register => (401, "Unauthorized", "WWW-Authenticate"),
                    _ => (407, "Proxy Authentication Required", "Proxy-Authenticate"),
                };
                let product = request.header(HeaderName::UserAgent).unwrap_or_default();
                let lines = registrar.challenges(now, from, stale, &product).into_iter();
                Admission::Refused(
                    lines.fold(Reply::new(code, reason), |reply, line| reply.header(name, line)),
                )
            }
        }
    }

    /// Handles the REGISTER of an authenticated phone.
    pub(super) fn handle_phone_register(&mut self, now: Time, received: ReceivedRequest<'_, '_>, user: &str) {
        let Some(registrar) = &mut self.registrar else { return };
        let restarted = registrar.is_restart(user, received.request);
        let reply = match registrar.register(now, received.from, user, received.request) {
            Err(refusal) => {
                let reply = Reply::new(refusal.code, refusal.reason);
                let reply = match refusal.min_expires {
                    Some(secs) => reply.header("Min-Expires", secs.to_string()),
                    None => reply,
                };
                // Nothing has changed: no event, and no dialog of this phone is ended.
                self.respond_to(now, received, reply);
                return;
            }
            Ok(changes) => {
                let lines = registrar.contact_lines(now, user);
                for (id, mut binding) in changes.removed {
                    self.wakes.set(Owner::Binding(id), &mut binding.armed, None);
                }
                for id in changes.kept {
                    self.rearm_binding(id);
                }
                lines.into_iter().fold(Reply::new(200, "OK"), |reply, line| reply.header("Contact", line))
            }
        };
        self.respond_to(now, received, reply);
        if let Some(agent) = self.registrar.as_ref().and_then(|registrar| registrar.agent(user)) {
            self.emit(UaEvent::PhoneRegistered { user: user.into(), agent });
        }
        // First end the recovered dialogs: `PhoneChanged` may make the engine ring the phone again.
        self.end_recovered_with_phone(now, user);
        self.report_link_change(user);
        let agent = self.registrar.as_ref().and_then(|registrar| registrar.agent(user));
        if let Some((agent, same_device)) = agent.zip(restarted) {
            self.emit(UaEvent::PhoneRestarted { agent, same_device });
        }
    }

    pub(super) fn restore_binding(&mut self, now: Time, user: &str, known: KnownContact, left: Duration) {
        let Some(id) = self.registrar.as_mut().and_then(|it| it.restore_contact(now, user, known, left))
        else {
            return;
        };
        self.rearm_binding(id);
    }

    /// Reports the account's reachability if it has changed.
    fn report_link_change(&mut self, user: &str) {
        let Some((agent, link)) =
            self.registrar.as_mut().and_then(|registrar| registrar.take_link_change(user))
        else {
            return;
        };
        self.emit(UaEvent::PhoneChanged { user: user.into(), agent, link });
    }

    fn drop_binding(&mut self, id: u64) -> Option<Binding> {
        let mut binding = self.registrar.as_mut()?.remove_binding(id)?;
        self.wakes.set(Owner::Binding(id), &mut binding.armed, None);
        Some(binding)
    }

    fn rearm_binding(&mut self, id: u64) {
        if let Some(binding) = self.registrar.as_mut().and_then(|registrar| registrar.binding_mut(id)) {
            let wanted = Some(binding.next_wake());
            self.wakes.set(Owner::Binding(id), &mut binding.armed, wanted);
        }
    }

    pub(super) fn binding_due(&mut self, now: Time, id: u64) {
        let Some(binding) = self.registrar.as_mut().and_then(|registrar| registrar.binding_mut(id)) else {
            return;
        };
        binding.armed = None;
        let user = binding.user.clone();
        if binding.expires <= now {
            self.drop_binding(id);
        } else if binding.probe_at <= now {
            binding.start_probe(now);
            self.send_probe(now, id);
        }
        self.rearm_binding(id);
        self.report_link_change(&user);
    }

    fn send_probe(&mut self, now: Time, id: u64) {
        let Some(registrar) = &self.registrar else { return };
        let Some(binding) = registrar.binding(id) else { return };
        let (peer, uri) = (binding.peer, binding.contact.to_string());
        let own = format!("<{}>", Uri::sip("paceline", registrar.realm()));
        let to = format!("<{}>", Uri::sip(&binding.user, registrar.realm()));
        let tag = tag_text(self.identifiers.fresh());
        let call_id = tag_text(self.identifiers.fresh());
        let key = ClientKey::new(self.identifiers.fresh());
        let from = format!("{own};tag={tag}");
        let request = OutOfDialog { method: "OPTIONS", uri: &uri, from, to, call_id: &call_id, cseq: 1 };
        let bytes = write::out_of_dialog(&self.config, peer, key, &request, &[]);
        self.send_request(now, ClientRequest { key, to: peer, bytes, purpose: Purpose::Probe(id) });
    }

    /// Any final response shows that the phone is reachable.
    pub(super) fn probe_answered(&mut self, now: Time, id: u64, answer: Answer<'_, '_>) {
        if answer.code().is_none_or(|code| code < 200) {
            return;
        }
        let Some(binding) = self.registrar.as_mut().and_then(|registrar| registrar.binding_mut(id)) else {
            return;
        };
        binding.record_probe_answer(now);
        let user = binding.user.clone();
        self.report_link_change(&user);
    }

    /// Removes the bindings of a failed connection (RFC 5626 section 4.2.2). The phone registers again over
    /// a new one.
    pub(super) fn fail_bindings(&mut self, peer: Peer) {
        if peer.transport == Transport::Udp {
            return;
        }
        let ids = self.registrar.as_ref().map(|registrar| registrar.bindings_at(peer)).unwrap_or_default();
        for id in ids {
            if let Some(binding) = self.drop_binding(id) {
                self.report_link_change(&binding.user);
            }
        }
    }

    /// The account's contacts that answer probes.
    pub(super) fn contacts_of(&self, user: &str) -> Vec<PhoneContact> {
        let contacts = |registrar: &Registrar| {
            let ids = registrar.binding_ids(user).into_iter();
            let alive = ids.filter_map(|id| registrar.binding(id)).filter(|binding| !binding.silent);
            alive
                .map(|binding| PhoneContact {
                    peer: binding.peer,
                    uri: binding.contact.to_string(),
                    instance: binding.instance.clone(),
                })
                .collect()
        };
        self.registrar.as_ref().map(contacts).unwrap_or_default()
    }
}
