//! Where an account can be reached: what a REGISTER that has proven itself adds, refreshes and removes.

use super::Registrar;
use crate::sip::headers::{HeaderName, NameAddr};
use crate::sip::message::Message;
use crate::sip::uri::Uri;
use crate::sip::user_agent::{Peer, Transport};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The longest text of a phone's that is kept.
const CONTACT_MAX: usize = 512;
const NAME_MAX: usize = 256;
const PRODUCT_MAX: usize = 100;
/// The first question after a registration, and those after it: often enough to keep a NAT open.
const PROBE_FIRST: Duration = Duration::from_secs(2);
const PROBE_EVERY: Duration = Duration::from_secs(25);
/// Unanswered questions after which a contact counts as silent.
const FAILURES_MAX: u8 = 3;

/// One contact of one account.
#[derive(Clone, Debug)]
pub struct Binding {
    pub user: String,
    /// The URI that the phone gave: the request URI of what is sent to it, never its address.
    pub contact: Uri,
    /// `+sip.instance` (RFC 5626): the same device, whatever its contact says now.
    pub instance: String,
    call_id: String,
    cseq: u32,
    /// Where the REGISTER came from: requests go there and nowhere else.
    pub peer: Peer,
    pub product: String,
    pub registered: Time,
    pub expires: Time,
    /// When it is asked next whether it is there.
    pub probe_at: Time,
    /// When it was asked, while no answer has come.
    pub asked: Option<Time>,
    failures: u8,
    /// It does not answer any more.
    pub silent: bool,
    pub latency: Option<Duration>,
    /// Where its entry among the wakes stands.
    pub armed: Option<Time>,
}

impl Binding {
    pub fn next_wake(&self) -> Time {
        self.expires.min(self.probe_at)
    }

    /// It is asked now, for the next time. A question that is still open counts as a failure.
    pub fn ask(&mut self, now: Time) {
        if self.asked.is_some() {
            self.missed();
        }
        self.asked = Some(now);
        self.probe_at = now + PROBE_EVERY;
    }

    pub fn missed(&mut self) {
        self.asked = None;
        self.failures = self.failures.saturating_add(1);
        self.silent |= self.failures >= FAILURES_MAX;
    }

    pub fn heard(&mut self, now: Time) {
        if let Some(asked) = self.asked.take() {
            self.latency = Some(now.since(asked));
        }
        self.failures = 0;
        self.silent = false;
    }
}

/// Where a phone was found, for a process that starts later. A connection would be gone by then, so it is
/// a place that datagrams reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownContact {
    pub contact: String,
    pub instance: String,
    pub peer: Peer,
    pub product: String,
}

/// Why a REGISTER is refused, as a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    /// For 423.
    pub min_expires: Option<u64>,
}

const fn refusal(code: u16, reason: &'static str) -> Refusal {
    Refusal { code, reason, min_expires: None }
}

/// One Contact of a REGISTER.
struct Wanted {
    uri: Uri,
    instance: String,
    /// Zero = it goes.
    span: Duration,
}

/// What a REGISTER did: bindings to be woken anew, and those that are gone.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub kept: Vec<u64>,
    pub gone: Vec<(u64, Binding)>,
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

    /// Every binding of the account, the oldest first.
    pub fn binding_ids(&self, user: &str) -> Vec<u64> {
        self.bindings.iter().filter(|(_, it)| it.user == user).map(|(id, _)| *id).collect()
    }

    /// The account's contacts that datagrams reach and that answer, with the time that each has left.
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

    /// A contact that an earlier process knew. It counts as silent until it answers, and is asked at once.
    /// `None` = it is none, or the phone has signed in meanwhile.
    pub fn expect(&mut self, now: Time, user: &str, known: KnownContact, left: Duration) -> Option<u64> {
        let KnownContact { contact, instance, peer, product } = known;
        let uri = Uri::parse(&contact).filter(|uri| uri.is_sip() && contact.len() <= CONTACT_MAX)?;
        let wanted =
            Wanted { uri, instance: cut(&instance, NAME_MAX), span: left.min(self.config.expires_max) };
        let room = self.binding_ids(user).len() < self.config.contacts_max && self.phones.contains_key(user);
        if !room || wanted.span.is_zero() || self.known(user, &wanted).is_some() {
            return None;
        }
        self.given += 1;
        let binding = Binding {
            user: user.into(),
            contact: wanted.uri,
            instance: wanted.instance,
            call_id: String::new(),
            cseq: 0,
            peer,
            product: cut(&product, PRODUCT_MAX),
            registered: now,
            expires: now + wanted.span,
            probe_at: now,
            asked: None,
            failures: 0,
            silent: true,
            latency: None,
            armed: None,
        };
        self.bindings.insert(self.given, binding);
        Some(self.given)
    }

    /// Where all of them come from.
    pub fn peers(&self) -> BTreeSet<Peer> {
        self.bindings.values().map(|binding| binding.peer).collect()
    }

    /// Those over this connection.
    pub fn bindings_at(&self, peer: Peer) -> Vec<u64> {
        self.bindings.iter().filter(|(_, it)| it.peer == peer).map(|(id, _)| *id).collect()
    }

    /// Takes the contacts of a REGISTER from `user`, who has been proven (RFC 3261 section 10.3, steps 5
    /// to 8): all of them or none.
    pub fn register(
        &mut self,
        now: Time,
        from: Peer,
        user: &str,
        request: &Message<'_>,
    ) -> Result<Changes, Refusal> {
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
            let gone = ids.filter_map(|id| Some((id, self.remove_binding(id)?))).collect();
            return Ok(Changes { kept: Vec::new(), gone });
        }
        if contacts.len() > self.config.contacts_max {
            return Err(refusal(403, "Too Many Contacts"));
        }
        let mut wanted = Vec::new();
        for contact in &contacts {
            wanted.push(self.wanted(user, contact, request)?);
        }
        Ok(self.apply(now, from, user, request, wanted))
    }

    fn wanted(&self, user: &str, contact: &str, request: &Message<'_>) -> Result<Wanted, Refusal> {
        let bad = refusal(400, "Bad Contact");
        let contact = NameAddr::parse(contact).filter(|_| contact.len() <= CONTACT_MAX).ok_or(bad)?;
        if !contact.uri.is_sip() {
            return Err(bad);
        }
        let own = contact.params.value("expires").map(|text| text.parse::<u32>().unwrap_or(3_600));
        let max = self.config.expires_max;
        let secs = own.or(request.expires()).map_or(max, |secs| Duration::from_secs(secs.into()));
        let span = secs.min(max);
        if !span.is_zero() && span < self.config.expires_min {
            let min_expires = Some(self.config.expires_min.as_secs());
            return Err(Refusal { code: 423, reason: "Interval Too Brief", min_expires });
        }
        let instance = contact.params.value("+sip.instance").unwrap_or_default().to_string();
        let uri = Uri { headers: None, ..contact.uri };
        let wanted = Wanted { uri, instance, span };
        let number = request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        if let Some(old) = self.known(user, &wanted).and_then(|id| self.bindings.get(&id))
            && old.call_id == cut(&request.call_id(), NAME_MAX)
            && number <= old.cseq
        {
            return Err(refusal(500, "CSeq Out Of Order"));
        }
        Ok(wanted)
    }

    /// The binding that this contact means: of the same device, or with the same URI.
    fn known(&self, user: &str, wanted: &Wanted) -> Option<u64> {
        let same = |it: &Binding| match (wanted.instance.is_empty(), it.instance.is_empty()) {
            (false, false) => it.instance == wanted.instance,
            _ => it.contact.same_as(&wanted.uri),
        };
        self.bindings.iter().find(|(_, it)| it.user == user && same(it)).map(|(id, _)| *id)
    }

    fn apply(
        &mut self,
        now: Time,
        from: Peer,
        user: &str,
        request: &Message<'_>,
        wanted: Vec<Wanted>,
    ) -> Changes {
        let mut changes = Changes::default();
        let call_id = cut(&request.call_id(), NAME_MAX);
        let cseq = request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        let product = request.header(HeaderName::UserAgent).unwrap_or_default();
        for wanted in wanted {
            let old = self.known(user, &wanted).and_then(|id| Some((id, self.bindings.remove(&id)?)));
            let Wanted { uri, instance, span } = wanted;
            if span.is_zero() {
                changes.gone.extend(old);
                continue;
            }
            let (id, old) = match old {
                Some((id, old)) => (id, Some(old)),
                None => {
                    self.given += 1;
                    (self.given, None)
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
                product: cut(&product, PRODUCT_MAX),
                registered: now,
                expires: now + span,
                probe_at: same_place.map_or(now + PROBE_FIRST, |old| old.probe_at),
                asked: same_place.and_then(|old| old.asked),
                failures: 0,
                silent: false,
                latency: same_place.and_then(|old| old.latency),
                armed: old.as_ref().and_then(|old| old.armed),
            };
            self.bindings.insert(id, binding);
            changes.kept.push(id);
        }
        // A phone that restarts on another port each time leaves its old contacts behind: they go first.
        let mut all = self.binding_ids(user);
        all.sort_by_key(|id| self.bindings.get(id).map(|it| it.registered));
        let too_many = all.len().saturating_sub(self.config.contacts_max);
        for id in all.into_iter().take(too_many) {
            changes.kept.retain(|kept| *kept != id);
            changes.gone.extend(self.remove_binding(id).map(|binding| (id, binding)));
        }
        changes
    }

    /// The Contact lines of a 200: every binding with the seconds that it has left.
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

fn cut(text: &str, longest: usize) -> String {
    text[..text.floor_char_boundary(longest)].to_string()
}
