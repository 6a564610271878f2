//! Trunk registration (as a client) and OPTIONS probing: refresh times, and back-off after a failure.

use super::client_transactions::{Answer, Purpose};
use super::credentials::Credentials;
use super::identifiers::{ClientKey, tag_text};
use super::wakes::Owner;
use super::write::{self, OutOfDialog};
use super::{Peer, SipTrunk, UaEvent, UserAgent};
use crate::ids::TrunkId;
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;
use crate::sip::uri::Uri;
use crate::time::{Duration, Time};

/// Requested expiry in seconds; a registrar that wants longer answers 423.
const EXPIRES: u32 = 300;
const BACK_OFF_MIN: Duration = Duration::from_secs(30);
const BACK_OFF_MAX: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Trunk {
    pub config: SipTrunk,
    registration: Option<Registration>,
    probe: Probe,
    armed: Option<Time>,
}

/// ```text
///   Due ── REGISTER ──▶ Asked ── 200 ──▶ registered, Due again at 50-80 % of its time
///                         │ 401/407, 423: at once again
///                         └ else, or silence ──▶ Due again after 30 s, 60 s … 10 min
/// ```
#[derive(Debug)]
struct Registration {
    call_id: String,
    tag: String,
    cseq: u32,
    expires: u32,
    due: Option<Time>,
    failures: u32,
    credentials: Option<Credentials>,
    /// Challenges answered since the last success or failure.
    challenges: u8,
    /// Whether the expiry was raised since then.
    raised: bool,
}

/// OPTIONS probe of the trunk.
#[derive(Debug, Default)]
struct Probe {
    due: Option<Time>,
}

impl Trunk {
    /// Whether a request from this peer is this carrier's: any port of its addresses.
    pub fn sends_from(&self, from: Peer) -> bool {
        let known = [self.config.peer.address].into_iter().chain(self.config.also_from.iter().copied());
        known.into_iter().any(|address| address.ip() == from.address.ip())
    }

    fn next_wake(&self) -> Option<Time> {
        let register = self.registration.as_ref().and_then(|registration| registration.due);
        [register, self.probe.due].into_iter().flatten().min()
    }

    /// Our own address at this trunk: `sip:user@domain`.
    fn own_address(&self) -> String {
        let config = &self.config;
        let user = if config.username.is_empty() { "paceline" } else { &config.username };
        format!("<{}>", Uri::sip(user, config.own_domain()))
    }
}

impl UserAgent {
    pub(super) fn define_trunk(&mut self, now: Time, config: SipTrunk) {
        let id = config.id;
        let old = self.trunks.remove(&id);
        let same = old.as_ref().is_some_and(|old| old.config == config);
        let mut armed = None;
        let mut kept = None;
        if let Some(old) = old {
            armed = old.armed;
            kept = old.registration.filter(|_| same);
        }
        let registration = config.register.then(|| {
            kept.unwrap_or_else(|| Registration {
                call_id: format!("{:016x}{:016x}", self.identifiers.fresh(), self.identifiers.fresh()),
                tag: tag_text(self.identifiers.fresh()),
                cseq: 0,
                expires: EXPIRES,
                due: Some(now),
                failures: 0,
                credentials: None,
                challenges: 0,
                raised: false,
            })
        });
        let probe = Probe { due: (!config.options.is_zero()).then_some(now) };
        self.trunks.insert(id, Trunk { config, registration, probe, armed });
        self.rearm_trunk(id);
    }

    fn rearm_trunk(&mut self, id: TrunkId) {
        if let Some(trunk) = self.trunks.get_mut(&id) {
            let wanted = trunk.next_wake();
            self.wakes.set(Owner::Trunk(id), &mut trunk.armed, wanted);
        }
    }

    pub(super) fn trunk_due(&mut self, now: Time, id: TrunkId) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        trunk.armed = None;
        let register = trunk.registration.as_ref().is_some_and(|it| it.due.is_some_and(|due| due <= now));
        if register {
            self.send_register(now, id);
        }
        if self.trunks.get(&id).is_some_and(|trunk| trunk.probe.due.is_some_and(|due| due <= now)) {
            self.send_options(now, id);
        }
        self.rearm_trunk(id);
    }

    fn send_register(&mut self, now: Time, id: TrunkId) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let (own, host, peer) = (trunk.own_address(), trunk.config.host.clone(), trunk.config.peer);
        let username = trunk.config.username.clone();
        let Some(registration) = &mut trunk.registration else { return };
        registration.due = None;
        registration.cseq += 1;
        let uri = Uri::sip("", &host).to_string();
        let mut lines = vec![
            (HeaderName::Contact, write::contact(&self.config, peer.transport, &username)),
            (HeaderName::Expires, registration.expires.to_string()),
        ];
        if let Some(credentials) = &mut registration.credentials {
            lines.extend(credentials.lines("REGISTER", &uri, b"", &mut self.identifiers));
        }
        let key = ClientKey::new(self.identifiers.fresh());
        let request = OutOfDialog {
            method: "REGISTER",
            uri: &uri,
            from: format!("{own};tag={}", registration.tag),
            to: own,
            call_id: &registration.call_id,
            cseq: registration.cseq,
        };
        let bytes = write::out_of_dialog(&self.config, peer, key, &request, &lines);
        self.send_request(now, key, peer, bytes, Purpose::Register(id));
    }

    pub(super) fn register_answered(&mut self, now: Time, id: TrunkId, answer: Answer<'_, '_>) {
        let pick = self.identifiers.fresh();
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let contact = write::contact(&self.config, trunk.config.peer.transport, &trunk.config.username);
        let config = &trunk.config;
        let Some(registration) = &mut trunk.registration else { return };
        let Answer::Response { code, message, .. } = answer else {
            self.register_failed(now, id, None, "no response".into(), None);
            return;
        };
        match code {
            100..=199 => return,
            200..=299 => {
                let secs = granted(message, &contact).unwrap_or(registration.expires);
                registration.failures = 0;
                registration.challenges = 0;
                registration.raised = false;
                // At 50 to 80 % of the expiry, so that many trunks do not refresh at once.
                let share = 500 + pick % 300;
                registration.due = Some(now + Duration::from_millis(u64::from(secs.max(2)) * share));
                let expires = Duration::from_secs(secs.into());
                self.emit(UaEvent::Registered { trunk: id, expires });
            }
            401 | 407 if registration.challenges < 2 => {
                let credentials = registration.credentials.get_or_insert_with(|| Credentials::of(config));
                if credentials.store_challenges(message) {
                    registration.challenges += 1;
                    self.send_register(now, id);
                } else {
                    self.register_failed(now, id, Some(code), write::cause_text(message), None);
                }
            }
            423 if !registration.raised
                && message.min_expires().is_some_and(|min| min > registration.expires) =>
            {
                registration.raised = true;
                registration.expires = message.min_expires().unwrap_or(EXPIRES);
                self.send_register(now, id);
            }
            _ => self.register_failed(now, id, Some(code), write::cause_text(message), message.retry_after()),
        }
        self.rearm_trunk(id);
    }

    fn register_failed(
        &mut self,
        now: Time,
        id: TrunkId,
        code: Option<u16>,
        reason: String,
        retry_after: Option<u32>,
    ) {
        let Some(registration) = self.trunks.get_mut(&id).and_then(|trunk| trunk.registration.as_mut())
        else {
            return;
        };
        let doubled = BACK_OFF_MIN * 2u32.pow(registration.failures.min(5));
        let wanted = retry_after.map_or(Duration::ZERO, |secs| Duration::from_secs(secs.into()));
        registration.due = Some(now + doubled.max(wanted).min(BACK_OFF_MAX));
        registration.failures += 1;
        registration.credentials = None;
        registration.challenges = 0;
        registration.raised = false;
        self.emit(UaEvent::RegistrationFailed { trunk: id, code, reason });
        self.rearm_trunk(id);
    }

    fn send_options(&mut self, now: Time, id: TrunkId) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        trunk.probe.due = None;
        let (own, peer) = (trunk.own_address(), trunk.config.peer);
        let uri = Uri::sip("", &trunk.config.host).to_string();
        let key = ClientKey::new(self.identifiers.fresh());
        let call_id = format!("{:016x}", self.identifiers.fresh());
        let request = OutOfDialog {
            method: "OPTIONS",
            uri: &uri,
            from: format!("{own};tag={}", tag_text(self.identifiers.fresh())),
            to: format!("<{uri}>"),
            call_id: &call_id,
            cseq: 1,
        };
        let lines = vec![
            (HeaderName::Contact, write::contact(&self.config, peer.transport, "")),
            (HeaderName::Accept, "application/sdp".to_string()),
        ];
        let bytes = write::out_of_dialog(&self.config, peer, key, &request, &lines);
        self.send_request(now, key, peer, bytes, Purpose::Options(id));
    }

    pub(super) fn options_answered(&mut self, now: Time, id: TrunkId, answer: Answer<'_, '_>) {
        if answer.code().is_some_and(|code| code < 200) {
            return;
        }
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let interval = trunk.config.options;
        trunk.probe.due = (!interval.is_zero()).then(|| now + interval);
        self.emit(match answer {
            Answer::Response { .. } => UaEvent::TrunkAlive { trunk: id },
            Answer::TimedOut | Answer::Unreachable => UaEvent::TrunkSilent { trunk: id },
        });
        self.rearm_trunk(id);
    }
}

/// Granted expiry of our Contact (RFC 3261 section 10.2.4): its own `expires`, else the Expires header.
fn granted(message: &Message<'_>, contact: &str) -> Option<u32> {
    let ours = crate::sip::headers::NameAddr::parse(contact)?;
    let mut contacts = message.contacts();
    let listed =
        contacts.find(|contact| contact.uri.same_as(&ours.uri)).and_then(|contact| contact.expires());
    listed.or_else(|| message.expires())
}
