//! Registrar bindings: adds, refreshes and removes contacts as an authenticated REGISTER asks.

use super::Registrar;
use crate::sip::headers::{HeaderName, NameAddr};
use crate::sip::message::Message;
use crate::sip::peer::{Peer, Transport};
use crate::sip::uri::Uri;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest contact text from a phone that is stored, in bytes.
const CONTACT_MAX: usize = 512;
const NAME_MAX: usize = 256;
const PRODUCT_MAX: usize = 100;
/// Delay of the first OPTIONS probe after a registration, and the interval of later ones: short enough to
/// keep a NAT mapping open.
const PROBE_FIRST: Duration = Duration::from_secs(2);
const PROBE_EVERY: Duration = Duration::from_secs(25);
/// Unanswered probes after which a binding counts as silent.
const FAILURES_MAX: u8 = 3;

/// One binding: a registered contact of an account.
#[derive(Clone, Debug)]
pub struct Binding {
    pub user: String,
    /// The phone's Contact URI: the request URI of requests to it, never their destination.
    pub contact: Uri,
    /// `+sip.instance` (RFC 5626): identifies the device even if its contact changes.
    pub instance: String,
    call_id: String,
    cseq: u32,
    /// Source of the REGISTER: requests to the phone go there and nowhere else.
    pub peer: Peer,
    pub product: String,
    pub registered: Time,
    pub expires: Time,
    /// Time of the next OPTIONS probe.
    pub probe_at: Time,
    /// When the open probe was sent; `None` = no probe is open.
    pub probe_sent: Option<Time>,
    failures: u8,
    /// Whether the phone has stopped answering probes.
    pub silent: bool,
    pub latency: Option<Duration>,
    /// Time of its entry in `Wakes`.
    pub armed: Option<Time>,
}

impl Binding {
    pub fn next_wake(&self) -> Time {
        self.expires.min(self.probe_at)
    }

    /// Records a probe being sent. A probe still open counts as a failure.
    pub fn start_probe(&mut self, now: Time) {
        if self.probe_sent.is_some() {
            self.record_missed_probe();
        }
        self.probe_sent = Some(now);
        self.probe_at = now + PROBE_EVERY;
    }

    pub fn record_missed_probe(&mut self) {
        self.probe_sent = None;
        self.failures = self.failures.saturating_add(1);
        self.silent |= self.failures >= FAILURES_MAX;
    }

    pub fn record_probe_answer(&mut self, now: Time) {
        if let Some(probe_sent) = self.probe_sent.take() {
            self.latency = Some(now.since(probe_sent));
        }
        self.failures = 0;
        self.silent = false;
    }
}

/// A binding over UDP, saved for the next process. A connection would not survive a restart, so only UDP
/// contacts are saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownContact {
    pub contact: String,
    pub instance: String,
    pub peer: Peer,
    pub product: String,
}

/// The response that refuses a REGISTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    /// Value of Min-Expires, for 423.
    pub min_expires: Option<u64>,
}

const fn refusal(code: u16, reason: &'static str) -> Refusal {
    Refusal { code, reason, min_expires: None }
}

/// One Contact of a REGISTER.
struct RequestedContact {
    uri: Uri,
    instance: String,
    /// Registration time; zero = remove the binding.
    lifetime: Duration,
}

/// Result of a REGISTER: ids of bindings to rearm, and removed bindings.
#[derive(Clone, Debug, Default)]
pub struct BindingChanges {
    pub kept: Vec<u64>,
    pub removed: Vec<(u64, Binding)>,
}

impl Registrar {
    pub fn binding(&self, id: u64) -> Option<&Binding> {
        self.bindings.get(&id)
    }

    pub fn binding_mut(&mut self, id: u64) -> Option<&mut Binding> {
        self.bindings.get_mut(&id)
    }

    pub fn remove_binding(&mut self, id: u64) -> Option<Binding> {
        self.bindings.remove(&id)
    }

    /// Ids of the account's bindings, oldest first.
    pub fn binding_ids(&self, user: &str) -> Vec<u64> {
        self.bindings.iter().filter(|(_, it)| it.user == user).map(|(id, _)| *id).collect()
    }

    /// The account's UDP contacts that answer, each with its remaining registration time.
    pub fn known_contacts(&self, now: Time, user: &str) -> Vec<(KnownContact, Duration)> {
        let ours = self.bindings.values().filter(|it| it.user == user && !it.silent);
        let reached = ours.filter(|it| it.peer.transport == Transport::Udp);
        reached
            .map(|it| {
                let known = KnownContact {
                    contact: it.contact.to_string(),
                    instance: it.instance.clone(),
                    peer: it.peer,
                    product: it.product.clone(),
                };
                (known, it.expires.since(now))
            })
            .collect()
    }

    /// Restores a contact saved by an earlier process. It counts as silent until it answers the probe,
    /// which is due at once. `None` = invalid contact, no room, or the phone has registered meanwhile.
    pub fn restore_contact(
        &mut self,
        now: Time,
        user: &str,
        known: KnownContact,
        left: Duration,
    ) -> Option<u64> {
        let KnownContact { contact, instance, peer, product } = known;
        let uri = Uri::parse(&contact).filter(|uri| uri.is_sip() && contact.len() <= CONTACT_MAX)?;
        let wanted = RequestedContact {
            uri,
            instance: truncate(&instance, NAME_MAX),
            lifetime: left.min(self.config.expires_max),
        };
        let room = self.binding_ids(user).len() < self.config.contacts_max && self.phones.contains_key(user);
        if !room || wanted.lifetime.is_zero() || self.find_binding(user, &wanted).is_some() {
            return None;
        }
        self.last_binding += 1;
        let binding = Binding {
            user: user.into(),
            contact: wanted.uri,
            instance: wanted.instance,
            call_id: String::new(),
            cseq: 0,
            peer,
            product: truncate(&product, PRODUCT_MAX),
            registered: now,
            expires: now + wanted.lifetime,
            probe_at: now,
            probe_sent: None,
            failures: 0,
            silent: true,
            latency: None,
            armed: None,
        };
        self.bindings.insert(self.last_binding, binding);
        Some(self.last_binding)
    }

    /// Source addresses of all bindings.
    pub fn peers(&self) -> BTreeSet<Peer> {
        self.bindings.values().map(|binding| binding.peer).collect()
    }

    /// Ids of the bindings on this connection.
    pub fn bindings_at(&self, peer: Peer) -> Vec<u64> {
        self.bindings.iter().filter(|(_, it)| it.peer == peer).map(|(id, _)| *id).collect()
    }

    /// Applies the contacts of a REGISTER from the authenticated `user` (RFC 3261 section 10.3, steps 5 to
    /// 8): all of them or none.
    pub fn register(
        &mut self,
        now: Time,
        from: Peer,
        user: &str,
        request: &Message<'_>,
    ) -> Result<BindingChanges, Refusal> {
        let to = request.to().map_err(|_| refusal(400, "Bad To"))?;
        if to.uri.user_text() != user {
            return Err(refusal(403, "Forbidden"));
        }
        let contacts: Vec<_> = request.list(HeaderName::Contact).take(self.config.contacts_max + 1).collect();
        if contacts.iter().any(|contact| contact == "*") {
            if contacts.len() != 1 || request.expires() != Some(0) {
                return Err(refusal(400, "Bad Contact"));
            }
            let ids = self.binding_ids(user).into_iter();
            let removed = ids.filter_map(|id| Some((id, self.remove_binding(id)?))).collect();
            return Ok(BindingChanges { kept: Vec::new(), removed });
        }
        if contacts.len() > self.config.contacts_max {
            return Err(refusal(403, "Too Many Contacts"));
        }
        let mut wanted = Vec::new();
        for contact in &contacts {
            wanted.push(self.parse_contact(user, contact, request)?);
        }
        Ok(self.store_contacts(now, from, user, request, wanted))
    }

    fn parse_contact(
        &self,
        user: &str,
        contact: &str,
        request: &Message<'_>,
    ) -> Result<RequestedContact, Refusal> {
        let bad = refusal(400, "Bad Contact");
        let contact = NameAddr::parse(contact).filter(|_| contact.len() <= CONTACT_MAX).ok_or(bad)?;
        if !contact.uri.is_sip() {
            return Err(bad);
        }
        let own = contact.params.value("expires").map(|text| text.parse::<u32>().unwrap_or(3_600));
        let max = self.config.expires_max;
        let secs = own.or(request.expires()).map_or(max, |secs| Duration::from_secs(secs.into()));
        let lifetime = secs.min(max);
        if !lifetime.is_zero() && lifetime < self.config.expires_min {
            let min_expires = Some(self.config.expires_min.as_secs());
            return Err(Refusal { code: 423, reason: "Interval Too Brief", min_expires });
        }
        let instance = contact.params.value("+sip.instance").unwrap_or_default().to_string();
        let uri = Uri { headers: None, ..contact.uri };
        let wanted = RequestedContact { uri, instance, lifetime };
        let number = request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        if let Some(old) = self.find_binding(user, &wanted).and_then(|id| self.bindings.get(&id))
            && old.call_id == truncate(&request.call_id(), NAME_MAX)
            && number <= old.cseq
        {
            return Err(refusal(500, "CSeq Out Of Order"));
        }
        Ok(wanted)
    }

    /// Whether this REGISTER begins a new registration: it has a Call-ID that the account has not used, as a
    /// phone after a restart has (RFC 3261 section 10.2.4). `Some(true)` = its contact or instance is registered.
    pub fn is_restart(&self, user: &str, request: &Message<'_>) -> Option<bool> {
        let call_id = truncate(&request.call_id(), NAME_MAX);
        if self.bindings.values().any(|it| it.user == user && it.call_id == call_id) {
            return None;
        }
        let contacts = request.list(HeaderName::Contact).take(self.config.contacts_max);
        let wanted = contacts.filter_map(|contact| self.parse_contact(user, &contact, request).ok());
        let mut wanted = wanted.filter(|wanted| !wanted.lifetime.is_zero()).peekable();
        wanted.peek()?;
        Some(wanted.any(|wanted| self.find_binding(user, &wanted).is_some()))
    }

    /// The existing binding for this contact: same device, or same URI.
    fn find_binding(&self, user: &str, wanted: &RequestedContact) -> Option<u64> {
        let same = |it: &Binding| match (wanted.instance.is_empty(), it.instance.is_empty()) {
            (false, false) => it.instance == wanted.instance,
            _ => it.contact.same_as(&wanted.uri),
        };
        self.bindings.iter().find(|(_, it)| it.user == user && same(it)).map(|(id, _)| *id)
    }

    fn store_contacts(
        &mut self,
        now: Time,
        from: Peer,
        user: &str,
        request: &Message<'_>,
        wanted: Vec<RequestedContact>,
    ) -> BindingChanges {
        let mut changes = BindingChanges::default();
        let call_id = truncate(&request.call_id(), NAME_MAX);
        let cseq = request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        let product = request.header(HeaderName::UserAgent).unwrap_or_default();
        for wanted in wanted {
            let old = self.find_binding(user, &wanted).and_then(|id| Some((id, self.bindings.remove(&id)?)));
            let RequestedContact { uri, instance, lifetime } = wanted;
            if lifetime.is_zero() {
                changes.removed.extend(old);
                continue;
            }
            let (id, old) = match old {
                Some((id, old)) => (id, Some(old)),
                None => {
                    self.last_binding += 1;
                    (self.last_binding, None)
                }
            };
            let same_place = old.as_ref().filter(|old| old.peer == from && !old.silent);
            let binding = Binding {
                user: user.into(),
                contact: uri,
                instance,
                call_id: call_id.clone(),
                cseq,
                peer: from,
                product: truncate(&product, PRODUCT_MAX),
                registered: now,
                expires: now + lifetime,
                probe_at: same_place.map_or(now + PROBE_FIRST, |old| old.probe_at),
                probe_sent: same_place.and_then(|old| old.probe_sent),
                failures: 0,
                silent: false,
                latency: same_place.and_then(|old| old.latency),
                armed: old.as_ref().and_then(|old| old.armed),
            };
            self.bindings.insert(id, binding);
            changes.kept.push(id);
        }
        // A phone that restarts on another port each time leaves old contacts behind: remove the oldest.
        let mut all = self.binding_ids(user);
        all.sort_by_key(|id| self.bindings.get(id).map(|it| it.registered));
        let too_many = all.len().saturating_sub(self.config.contacts_max);
        for id in all.into_iter().take(too_many) {
            changes.kept.retain(|kept| *kept != id);
            changes.removed.extend(self.remove_binding(id).map(|binding| (id, binding)));
        }
        changes
    }

    /// Contact values of the 200: every binding with its remaining seconds.
    pub fn contact_lines(&self, now: Time, user: &str) -> Vec<String> {
        let ours = self.bindings.values().filter(|it| it.user == user);
        ours.map(|it| {
            let secs = it.expires.since(now).as_secs();
            match it.instance.is_empty() {
                true => format!("<{}>;expires={secs}", it.contact),
                false => format!("<{}>;+sip.instance=\"{}\";expires={secs}", it.contact, it.instance),
            }
        })
        .collect()
    }
}

fn truncate(text: &str, longest: usize) -> String {
    text[..text.floor_char_boundary(longest)].to_string()
}
