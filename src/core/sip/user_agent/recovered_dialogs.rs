//! Ends dialogs recovered from an earlier process: CANCEL for an unanswered call, BYE for an answered one,
//! from identifiers saved before use. Also lists our own open dialogs for saving.

use super::caller::FIRST_CSEQ;
use super::clients::{Answer, Purpose};
use super::credentials::Credentials;
use super::leg::Leg;
use super::names::ClientKey;
use super::wakes::Owner;
use super::{Peer, SavedDialog, SavedPhone, Transport, UaEvent, UserAgent, write};
use crate::call::HangUpCause;
use crate::ids::CallId;
use crate::sip::dialog::Dialog;
use crate::sip::headers::{HeaderName, NameAddr};
use crate::sip::message::Method;
use crate::sip::session_timer::SESSION_EXPIRES;
use crate::time::{Duration, Time};

/// The INVITE may have been re-sent for a challenge: its branch then ends in `-1` or `-2`.
const RESENDS: u8 = 2;

/// Wait for an unreachable phone to register: the session interval we offered it, after which a phone that
/// accepted it has ended the call itself.
const PHONE_WAIT: Duration = Duration::from_secs(SESSION_EXPIRES as u64);

#[derive(Debug)]
pub(super) struct Leftover {
    saved: SavedDialog,
    /// Index of the re-sent INVITE that the CANCEL refers to.
    resend: u8,
    /// The dialog to end with BYE.
    bye: Option<Dialog>,
    credentials: Option<Credentials>,
    /// Its CANCEL was accepted: the far side knows, even if the INVITE's final response went to the earlier
    /// process.
    cancelled: bool,
    /// When to give up on a phone that does not register again.
    until: Time,
    /// No request is pending: waiting for the phone to register.
    waits: bool,
    armed: Option<Time>,
}

impl UserAgent {
    pub(super) fn loose_ends_of(&self, call: CallId) -> Vec<SavedDialog> {
        if let Some(answered) = self.saved_dialog(call) {
            return vec![answered];
        }
        let own = self.legs.get(&call).map(Box::as_ref);
        own.into_iter().chain(self.branches_of(call)).filter_map(placed_dialog).collect()
    }

    pub(super) fn end_leftover(&mut self, now: Time, saved: SavedDialog) {
        self.leftovers_given += 1;
        let id = self.leftovers_given;
        let bye = confirmed_dialog(&saved);
        // Connections of the earlier process are gone, and we cannot open one to a phone.
        let gone = saved.phone.is_some() && saved.peer.transport != Transport::Udp;
        let until = now + PHONE_WAIT;
        let left = Leftover {
            saved,
            resend: 0,
            bye,
            credentials: None,
            cancelled: false,
            until,
            waits: false,
            armed: None,
        };
        self.leftovers.insert(id, left);
        if gone {
            self.not_reached(now, id);
        } else {
            self.end_there(now, id);
        }
    }

    /// Sends BYE, or CANCEL, to the last known peer.
    fn end_there(&mut self, now: Time, id: u64) {
        if self.leftovers.get(&id).is_some_and(|left| left.bye.is_some()) {
            self.saved_bye(now, id);
        } else {
            self.stand_ins(now, id);
            self.saved_cancel(now, id);
        }
    }

    /// No answer from that peer. A phone is found by its registration: the current one, or the next.
    fn not_reached(&mut self, now: Time, id: u64) {
        let Some(left) = self.leftovers.get_mut(&id) else { return };
        let Some(phone) = left.saved.phone.clone().filter(|_| now < left.until) else {
            self.leftover_ended(id, false);
            return;
        };
        left.waits = true;
        self.wakes.set(Owner::Leftover(id), &mut left.armed, Some(left.until));
        let tried = left.saved.peer;
        if let Some(peer) = self.place_of(&phone).filter(|peer| *peer != tried) {
            self.end_at(now, id, peer);
        }
    }

    /// The account has registered: sends BYE or CANCEL for its waiting dialogs to the new contact.
    pub(super) fn end_with_phone(&mut self, now: Time, user: &str) {
        let waits =
            |left: &Leftover| left.waits && left.saved.phone.as_ref().is_some_and(|it| it.user == user);
        let waiting: Vec<u64> =
            self.leftovers.iter().filter(|(_, left)| waits(left)).map(|(id, _)| *id).collect();
        for id in waiting {
            let phone = self.leftovers.get(&id).and_then(|left| left.saved.phone.as_ref());
            if let Some(peer) = phone.and_then(|phone| self.place_of(phone)) {
                self.end_at(now, id, peer);
            }
        }
    }

    fn end_at(&mut self, now: Time, id: u64, peer: Peer) {
        let Some(left) = self.leftovers.get_mut(&id) else { return };
        left.waits = false;
        left.resend = 0;
        left.saved.peer = peer;
        if let Some(dialog) = &mut left.bye {
            dialog.peer = peer;
        }
        self.wakes.set(Owner::Leftover(id), &mut left.armed, None);
        self.end_there(now, id);
    }

    /// Current peer of this phone: the contact of the same device, or, without instance ids, the contact
    /// that registered last.
    fn place_of(&self, phone: &SavedPhone) -> Option<Peer> {
        let unnamed = |instance: &str| instance.is_empty() || phone.instance.is_empty();
        let contacts = self.contacts_of(&phone.user);
        let same = contacts.iter().find(|it| !unnamed(&it.instance) && it.instance == phone.instance);
        same.or(contacts.iter().rfind(|it| unnamed(&it.instance))).map(|contact| contact.peer)
    }

    /// Peers of phones in recovered dialogs, which must be trusted before they register again.
    pub(super) fn leftover_phones(&self) -> impl Iterator<Item = Peer> {
        let phones = self.leftovers.values().filter(|left| left.saved.phone.is_some());
        phones.map(|left| left.saved.peer).filter(|peer| peer.transport == Transport::Udp)
    }

    pub(super) fn leftover_due(&mut self, id: u64) {
        if let Some(left) = self.leftovers.get_mut(&id) {
            left.armed = None;
            self.leftover_ended(id, false);
        }
    }

    /// Waits for responses to each INVITE that may have been sent, so that a late 200 is acknowledged.
    fn stand_ins(&mut self, now: Time, id: u64) {
        let Some(left) = self.leftovers.get(&id) else { return };
        let Some(first) = ClientKey::from_branch(&left.saved.branch, false) else { return };
        let peer = left.saved.peer;
        let invites: Vec<_> = (0..=RESENDS)
            .map(|resend| {
                let key = ClientKey { resend, ..first };
                (key, write::saved_invite(&left.saved, key, left.saved.cseq + u32::from(resend)))
            })
            .collect();
        let phone = left.saved.phone.is_some();
        for (key, invite) in invites {
            self.stand_in(now, key, peer, invite, Purpose::SavedInvite(id));
            if phone {
                self.pin_client(key);
            }
        }
    }

    fn saved_cancel(&mut self, now: Time, id: u64) {
        let Some(left) = self.leftovers.get(&id) else { return };
        let Some(first) = ClientKey::from_branch(&left.saved.branch, false) else {
            self.leftover_ended(id, false);
            return;
        };
        let (peer, key) = (left.saved.peer, ClientKey { resend: left.resend, ..first });
        let invite = write::saved_invite(&left.saved, key, left.saved.cseq + u32::from(left.resend));
        let Some(cancel) = write::cancel_of(&invite, write::reason(HangUpCause::Stopped)) else {
            self.leftover_ended(id, false);
            return;
        };
        self.send_request(now, ClientKey { cancel: true, ..key }, peer, cancel, Purpose::SavedCancel(id));
    }

    pub(super) fn saved_cancel_answered(&mut self, now: Time, id: u64, answer: Answer<'_, '_>) {
        let Some(left) = self.leftovers.get_mut(&id) else { return };
        match answer.code() {
            // The INVITE's own final response is still to come.
            Some(100..=199) => {}
            Some(200..=299) => left.cancelled = true,
            Some(481) if left.resend < RESENDS => {
                left.resend += 1;
                self.saved_cancel(now, id);
            }
            _ if left.bye.is_some() => {}
            Some(_) => self.leftover_ended(id, true),
            None => self.not_reached(now, id),
        }
    }

    pub(super) fn saved_invite_answered(
        &mut self,
        now: Time,
        id: u64,
        key: ClientKey,
        answer: Answer<'_, '_>,
    ) {
        match answer {
            Answer::Response { code: 200..=299, message, from } => {
                let purpose = match self.leftovers.contains_key(&id) {
                    true => Purpose::SavedBye(id),
                    false => Purpose::Nobody,
                };
                let dialog = self.end_fork(now, key, message, from, purpose);
                if let Some(left) = self.leftovers.get_mut(&id) {
                    left.bye = dialog;
                }
            }
            // A late challenge or provisional says nothing about the end of the call.
            Answer::Response { code: 100..=199 | 401 | 407, .. } => {}
            _ if self.leftovers.get(&id).is_none_or(|left| left.waits || left.bye.is_some()) => {}
            _ if self.leftovers.get(&id).is_some_and(|left| left.cancelled) => self.leftover_ended(id, true),
            Answer::Response { .. } => self.leftover_ended(id, true),
            Answer::TimedOut | Answer::Unreachable => self.not_reached(now, id),
        }
    }

    fn saved_bye(&mut self, now: Time, id: u64) {
        let Some(mut left) = self.leftovers.remove(&id) else { return };
        if let Some(dialog) = &mut left.bye {
            let mut lines = vec![(HeaderName::Reason, write::reason(HangUpCause::Stopped).to_string())];
            let (uri, _) = dialog.path();
            if let Some(credentials) = &mut left.credentials {
                lines.extend(credentials.lines("BYE", &uri, b"", &mut self.names));
            }
            let to = dialog.next_hop();
            let (key, bye) = self.dialog_request(dialog, Method::Bye, &lines, None);
            self.send_request(now, key, to, bye, Purpose::SavedBye(id));
        }
        self.leftovers.insert(id, left);
    }

    pub(super) fn saved_bye_answered(&mut self, now: Time, id: u64, answer: Answer<'_, '_>) {
        let Some(left) = self.leftovers.get_mut(&id) else { return };
        match answer {
            Answer::Response { code: 100..=199, .. } => {}
            Answer::Response { code: 401 | 407, message, .. } => {
                let trunk = left.saved.trunk.and_then(|trunk| self.trunks.get(&trunk));
                let credentials = left.credentials.take().or_else(|| {
                    trunk.map(|trunk| Credentials::new(&trunk.config.username, &trunk.config.password))
                });
                let taken = credentials
                    .and_then(|mut credentials| credentials.take_challenges(message).then_some(credentials));
                left.credentials = taken;
                if left.credentials.is_some() {
                    self.saved_bye(now, id);
                } else {
                    self.leftover_ended(id, true);
                }
            }
            Answer::Response { .. } => self.leftover_ended(id, true),
            Answer::TimedOut | Answer::Unreachable => self.not_reached(now, id),
        }
    }

    fn leftover_ended(&mut self, id: u64, reached: bool) {
        if let Some(mut left) = self.leftovers.remove(&id) {
            self.wakes.set(Owner::Leftover(id), &mut left.armed, None);
            self.event(UaEvent::SavedDialogEnded { call_id: left.saved.call_id, reached });
        }
    }
}

/// The saved form of an unanswered INVITE, as first sent.
fn placed_dialog(leg: &Leg) -> Option<SavedDialog> {
    let placing = leg.placing.as_deref()?;
    Some(SavedDialog {
        trunk: leg.trunk,
        phone: leg.phone.as_deref().map(|phone| phone.account.clone()),
        peer: placing.peer,
        sent_by: placing.sent_by.clone(),
        request_uri: placing.request_uri.clone(),
        call_id: leg.dialog.call_id.clone(),
        from: leg.dialog.local.clone(),
        to: leg.dialog.remote.clone(),
        branch: ClientKey { resend: 0, ..placing.key }.branch_text(),
        cseq: FIRST_CSEQ,
        confirmed: None,
    })
}

fn confirmed_dialog(saved: &SavedDialog) -> Option<Dialog> {
    let confirmed = saved.confirmed.as_ref()?;
    let remote = match NameAddr::parse(&saved.to) {
        Some(to) => to.with_tag(&confirmed.remote_tag).to_string(),
        None => format!("{};tag={}", saved.to, confirmed.remote_tag),
    };
    Some(Dialog {
        call_id: saved.call_id.clone(),
        local: saved.from.clone(),
        remote,
        remote_tag: Some(confirmed.remote_tag.clone()),
        remote_target: confirmed.remote_target.clone(),
        route_set: confirmed.route_set.clone(),
        // Session refreshes may have used CSeq numbers since it was saved; a gap is allowed, a number twice
        // is not (RFC 3261 section 12.2.2).
        local_cseq: confirmed.cseq.saturating_add(1_000),
        remote_cseq: None,
        peer: saved.peer,
        pinned: saved.phone.is_some(),
    })
}
