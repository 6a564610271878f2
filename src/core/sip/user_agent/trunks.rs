//! Trunk registration (as a client) and OPTIONS probing: refresh times, back-off after a failure, and whether the
//! trunk may be used. With `register`, it may from the first 200 to REGISTER until the registration expires or is
//! refused. Silence to OPTIONS counts only at a carrier that answered OPTIONS before and no call since.

use super::client_transactions::{Answer, ClientRequest, Purpose};
use super::credentials::Credentials;
use super::identifiers::{ClientKey, tag_text};
use super::targets::Targets;
use super::wakes::Owner;
use super::write::{self, OutOfDialog};
use super::{Peer, SipTrunk, TrunkUse, UaEvent, UserAgent};
use crate::ids::TrunkId;
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;
use crate::sip::uri::Uri;
use crate::time::{Duration, Time};
use std::net::SocketAddr;

/// Requested expiry in seconds; a registrar that wants longer answers 423.
const EXPIRES: u32 = 300;
const BACK_OFF_MIN: Duration = Duration::from_secs(30);
const BACK_OFF_MAX: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Trunk {
    pub config: SipTrunk,
    pub targets: Targets,
    registration: Option<Registration>,
    probe: Probe,
    /// When the trunk last sent any response.
    heard_at: Option<Time>,
    /// The carrier has taken our credentials since the trunk was defined.
    pub account_proven: bool,
    /// What was reported last.
    reported: TrunkUse,
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
    /// Until when the last 200 registers us; `None` = never, or refused since.
    until: Option<Time>,
    /// The refusal of our account that stands.
    refused: Option<(u16, String)>,
    /// Whether any REGISTER was ever accepted.
    was_registered: bool,
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
    sent_at: Option<Time>,
    /// Whether the trunk has ever answered OPTIONS.
    was_answered: bool,
    is_silent: bool,
    /// From the last OPTIONS to its answer.
    round_trip: Option<Duration>,
}

impl Trunk {
    /// Whether a request from this peer is this carrier's: any port of its addresses.
    pub fn sends_from(&self, from: Peer) -> bool {
        let known = self.targets.iter().map(|peer| peer.address).chain(self.config.also_from.iter().copied());
        known.into_iter().any(|address| address.ip() == from.address.ip())
    }

    fn state(&self, now: Time) -> TrunkUse {
        if let Some(registration) = &self.registration {
            if let Some((code, reason)) = &registration.refused {
                let (account, reason) = (self.config.username.clone(), reason.clone());
                return TrunkUse::AccountRefused { account, code: *code, reason };
            }
            if registration.until.is_none_or(|until| until <= now) {
                let was = registration.was_registered;
                return if was { TrunkUse::RegistrationLost } else { TrunkUse::NotRegistered };
            }
        }
        if self.probe.is_silent { TrunkUse::Silent } else { TrunkUse::Up }
    }

    /// Whether the carrier's binding of our contact is still what the new settings ask for.
    fn keeps_binding(&self, new: &SipTrunk) -> bool {
        let old = &self.config;
        new.register
            && (&old.username, old.own_domain(), &old.host, old.peer)
                == (&new.username, new.own_domain(), &new.host, new.peer)
    }

    pub fn reported_use(&self) -> &TrunkUse {
        &self.reported
    }

    /// Time from the last OPTIONS to its answer; `None` = none was answered.
    pub fn round_trip(&self) -> Option<Duration> {
        self.probe.round_trip
    }

    fn next_wake(&self) -> Option<Time> {
        let register = self.registration.as_ref().and_then(|registration| registration.due);
        let expires = self.registration.as_ref().and_then(|registration| registration.until);
        [register, expires, self.probe.due, self.targets.next_wake()].into_iter().flatten().min()
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
        let same = self.trunks.get(&id).is_some_and(|old| old.config == config);
        let stays = self.trunks.get(&id).is_some_and(|old| old.keeps_binding(&config));
        if !stays {
            self.end_registration(now, id);
        }
        let old = self.trunks.remove(&id);
        let mut armed = None;
        let mut kept = None;
        let mut reported = TrunkUse::Up;
        if let Some(old) = old {
            armed = old.armed;
            reported = old.reported;
            kept = old.registration.filter(|_| same);
        }
        let registration = config.register.then(|| {
            kept.unwrap_or_else(|| Registration {
                call_id: format!("{:016x}{:016x}", self.identifiers.fresh(), self.identifiers.fresh()),
                tag: tag_text(self.identifiers.fresh()),
                cseq: 0,
                expires: EXPIRES,
                due: Some(now),
                until: None,
                refused: None,
                was_registered: false,
                failures: 0,
                credentials: None,
                challenges: 0,
                raised: false,
            })
        });
        let probe = Probe { due: (!config.options.is_zero()).then_some(now), ..Probe::default() };
        let targets = Targets::of(&config);
        let trunk = Trunk {
            config,
            targets,
            registration,
            probe,
            heard_at: None,
            account_proven: false,
            reported,
            armed,
        };
        self.trunks.insert(id, trunk);
        self.report_trunk(now, id);
        self.rearm_trunk(id);
    }

    /// Forgets a trunk; its registration is taken back.
    pub(super) fn forget_trunk(&mut self, now: Time, id: TrunkId) {
        self.end_registration(now, id);
        if let Some(mut trunk) = self.trunks.remove(&id) {
            self.wakes.set(Owner::Trunk(id), &mut trunk.armed, None);
        }
    }

    /// Takes the registration back (RFC 3261 section 10.2.2): an expiry of 0. Its answer is not awaited: without it the
    /// registration ends by itself.
    fn end_registration(&mut self, now: Time, id: TrunkId) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let is_bound = |it: &&mut Registration| it.until.is_some_and(|until| until > now);
        let Some(registration) = trunk.registration.as_mut().filter(is_bound) else { return };
        registration.expires = 0;
        self.send_register_for(now, id, |_, _| Purpose::Ignored);
    }

    /// Takes the addresses of a trunk that was looked up again. Calls stay with the destinations that they have; a
    /// registration is made at the new one, if the one used so far is gone.
    pub(super) fn move_trunk(&mut self, now: Time, id: TrunkId, peers: &[Peer], sources: Vec<SocketAddr>) {
        let (Some(trunk), Some((first, others))) = (self.trunks.get_mut(&id), peers.split_first()) else {
            return;
        };
        let before = trunk.targets.current();
        trunk.config.peer = *first;
        trunk.config.alternates = others.to_vec();
        trunk.config.also_from = sources;
        trunk.targets.replace(&trunk.config);
        if trunk.targets.current() != before {
            if let Some(registration) = trunk.registration.as_mut().filter(|it| it.due.is_some()) {
                registration.due = Some(now);
            }
            // Whether the new address answers is not known yet.
            trunk.probe.is_silent = false;
            trunk.probe.due = trunk.probe.due.map(|due| due.min(now));
        }
        self.report_trunk(now, id);
        self.rearm_trunk(id);
    }

    /// Reports that no destination of the trunk is left: its name may have other addresses by now.
    fn report_failed_targets(&mut self, id: TrunkId) {
        if self.trunks.get(&id).is_some_and(|trunk| trunk.targets.have_all_failed()) {
            self.emit(UaEvent::TargetsFailed { trunk: id });
        }
    }

    /// Reports whether the trunk may be used, if that has changed.
    fn report_trunk(&mut self, now: Time, id: TrunkId) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let state = trunk.state(now);
        if trunk.reported != state {
            trunk.reported = state.clone();
            self.emit(UaEvent::TrunkChanged { trunk: id, state });
        }
    }

    /// Notes a response of the trunk to any request.
    pub(super) fn hear_trunk(&mut self, now: Time, id: TrunkId, from: Peer) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        trunk.heard_at = Some(now);
        trunk.probe.is_silent = false;
        trunk.targets.hear(now, from);
        self.report_trunk(now, id);
        self.rearm_trunk(id);
    }

    /// Notes that a destination of the trunk failed; `rest` = it asked for a pause.
    pub(super) fn fail_target(&mut self, now: Time, id: TrunkId, peer: Peer, rest: Option<Duration>) {
        if let Some(trunk) = self.trunks.get_mut(&id) {
            trunk.targets.fail(now, peer, rest);
            self.report_failed_targets(id);
            self.rearm_trunk(id);
        }
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
        let failed = self.trunks.get_mut(&id).map(|trunk| trunk.targets.due(now)).unwrap_or_default();
        for peer in failed {
            self.send_probe_to(now, id, peer, Purpose::TargetProbe(id, peer));
        }
        let expired = |until: &mut Time| *until <= now;
        if let Some(registration) = self.trunks.get_mut(&id).and_then(|trunk| trunk.registration.as_mut())
            && registration.until.as_mut().is_some_and(expired)
        {
            registration.until = None;
        }
        self.report_trunk(now, id);
        self.rearm_trunk(id);
    }

    fn send_register(&mut self, now: Time, id: TrunkId) {
        self.send_register_for(now, id, Purpose::Register);
    }

    fn send_register_for(&mut self, now: Time, id: TrunkId, purpose: fn(TrunkId, Peer) -> Purpose) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let (own, host, peer) = (trunk.own_address(), trunk.config.host.clone(), trunk.targets.current());
        let username = trunk.config.username.clone();
        let Some(registration) = &mut trunk.registration else { return };
        registration.due = None;
        registration.cseq += 1;
        let uri = Uri::sip("", &host).to_string();
        let mut lines = vec![
            (HeaderName::Contact, write::contact(&self.config, peer, &username)),
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
        self.send_request(now, ClientRequest { key, to: peer, bytes, purpose: purpose(id, peer) });
    }

    pub(super) fn register_answered(&mut self, now: Time, id: TrunkId, to: Peer, answer: Answer<'_, '_>) {
        let pick = self.identifiers.fresh();
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let contact = write::contact(&self.config, to, &trunk.config.username);
        let config = &trunk.config;
        let Some(registration) = &mut trunk.registration else { return };
        let Answer::Response { code, message, .. } = answer else {
            trunk.targets.fail(now, to, None);
            self.register_failed(now, id, to, None, "no response".into(), None);
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
                registration.until = Some(now + expires);
                registration.refused = None;
                registration.was_registered = true;
                trunk.account_proven |= registration.credentials.is_some();
                self.emit(UaEvent::Registered { trunk: id, expires });
                self.report_trunk(now, id);
            }
            401 | 407 if registration.challenges < 2 => {
                let credentials = registration.credentials.get_or_insert_with(|| Credentials::of(config));
                if credentials.store_challenges(message) {
                    registration.challenges += 1;
                    self.send_register(now, id);
                } else {
                    self.register_failed(now, id, to, Some(code), write::cause_text(message), None);
                }
            }
            423 if !registration.raised
                && message.min_expires().is_some_and(|min| min > registration.expires) =>
            {
                registration.raised = true;
                registration.expires = message.min_expires().unwrap_or(EXPIRES);
                self.send_register(now, id);
            }
            _ => {
                let (words, pause) = (write::cause_text(message), message.retry_after());
                if code == 503 {
                    trunk.targets.fail(now, to, None);
                }
                self.register_failed(now, id, to, Some(code), words, pause);
            }
        }
        self.rearm_trunk(id);
    }

    fn register_failed(
        &mut self,
        now: Time,
        id: TrunkId,
        to: Peer,
        code: Option<u16>,
        reason: String,
        retry_after: Option<u32>,
    ) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let moved = trunk.targets.current() != to;
        let Some(registration) = trunk.registration.as_mut() else { return };
        let doubled = BACK_OFF_MIN * 2u32.pow(registration.failures.min(5));
        let wanted = retry_after.map_or(Duration::ZERO, |secs| Duration::from_secs(secs.into()));
        // Another destination is asked at once, but each of them only once in a row.
        let once = (registration.failures as usize) + 1 < trunk.targets.len();
        let pause = if moved && once { Duration::ZERO } else { doubled.max(wanted).min(BACK_OFF_MAX) };
        registration.due = Some(now + pause);
        if let Some(code) = code.filter(|code| matches!(code, 401..=404 | 407)) {
            registration.until = None;
            registration.refused = Some((code, reason.clone()));
        }
        registration.failures += 1;
        registration.credentials = None;
        registration.challenges = 0;
        registration.raised = false;
        self.emit(UaEvent::RegistrationFailed { trunk: id, code, reason });
        self.report_failed_targets(id);
        self.report_trunk(now, id);
        self.rearm_trunk(id);
    }

    fn send_options(&mut self, now: Time, id: TrunkId) {
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        trunk.probe.due = None;
        trunk.probe.sent_at = Some(now);
        let peer = trunk.targets.current();
        self.send_probe_to(now, id, peer, Purpose::Options(id));
    }

    fn send_probe_to(&mut self, now: Time, id: TrunkId, peer: Peer, purpose: Purpose) {
        let Some(trunk) = self.trunks.get(&id) else { return };
        let own = trunk.own_address();
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
            (HeaderName::Contact, write::contact(&self.config, peer, "")),
            (HeaderName::Accept, "application/sdp".to_string()),
        ];
        let bytes = write::out_of_dialog(&self.config, peer, key, &request, &lines);
        self.send_request(now, ClientRequest { key, to: peer, bytes, purpose });
    }

    pub(super) fn options_answered(&mut self, now: Time, id: TrunkId, answer: Answer<'_, '_>) {
        if answer.code().is_some_and(|code| code < 200) {
            return;
        }
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        let interval = trunk.config.options;
        trunk.probe.due = (!interval.is_zero()).then(|| now + interval);
        match answer {
            Answer::Response { .. } => {
                trunk.probe.was_answered = true;
                trunk.probe.round_trip = trunk.probe.sent_at.map(|at| now - at);
                trunk.probe.is_silent = false;
            }
            Answer::TimedOut | Answer::Unreachable => {
                let heard_since = trunk.heard_at.is_some_and(|at| Some(at) >= trunk.probe.sent_at);
                trunk.probe.is_silent = trunk.probe.was_answered && !heard_since;
            }
        }
        self.report_trunk(now, id);
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
