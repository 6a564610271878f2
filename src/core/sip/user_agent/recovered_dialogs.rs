//! Ends dialogs recovered from an earlier process: CANCEL for an unanswered call, BYE for an answered one,
//! from identifiers saved before use. A late 200 gets its ACK and BYE once the store has saved the answer: if
//! this process dies before, the far end repeats the 200 to the next one.

use super::client_transactions::{ACKS_MAX, Answer, ClientRequest, Purpose};
use super::credentials::Credentials;
use super::identifiers::ClientKey;
use super::wakes::Owner;
use super::{Peer, SavedDialog, SavedPhone, Transport, UaEvent, UserAgent, write};
use crate::call::HangUpCause;
use crate::sip::dialog::Dialog;
use crate::sip::headers::{HeaderName, NameAddr};
use crate::sip::message::{Message, Method};
use crate::sip::session_timer::SESSION_EXPIRES;
use crate::sip::transaction::T2;
use crate::time::{Duration, Time};

/// The INVITE may have been re-sent for a challenge: its branch then ends in `-1` or `-2`.
const RESENDS: u8 = 2;

/// Wait for a repeated 200 after the far end has refused every CANCEL: an answered INVITE is such a case, and
/// its 200 is repeated at least every T2 (RFC 3261 section 13.3.1.4).
const ANSWER_WAIT: Duration = T2;

/// Wait for an unreachable phone to register: the session interval we offered it, after which a phone that
/// accepted it has ended the call itself.
const PHONE_WAIT: Duration = Duration::from_secs(SESSION_EXPIRES as u64);

#[derive(Debug)]
pub(super) struct RecoveredDialog {
    saved: SavedDialog,
    /// Index of the re-sent INVITE that the CANCEL refers to.
    resend: u8,
    /// The dialog to end with BYE.
    bye: Option<Dialog>,
    credentials: Option<Credentials>,
    /// Its CANCEL was accepted: the far side knows, even if the INVITE's final response went to the earlier
    /// process.
    cancelled: bool,
    /// The callee answered; the ACK is withheld until the store has saved this.
    is_answer_unsaved: bool,
    /// Every CANCEL was refused: waiting [`ANSWER_WAIT`] for a repeated 200.
    awaits_answer: bool,
    /// When to give up on a phone that does not register again.
    until: Time,
    /// No request is pending: waiting for the phone to register.
    is_waiting: bool,
    armed: Option<Time>,
}

impl UserAgent {
    pub(super) fn end_recovered(&mut self, now: Time, saved: SavedDialog) {
        self.last_recovered += 1;
        let id = self.last_recovered;
        let bye = confirmed_dialog(&saved);
        // Connections of the earlier process are gone, and we cannot open one to a phone.
        let gone = saved.phone.is_some() && saved.peer.transport != Transport::Udp;
        let until = now + PHONE_WAIT;
        let recovered = RecoveredDialog {
            saved,
            resend: 0,
            bye,
            credentials: None,
            cancelled: false,
            is_answer_unsaved: false,
            awaits_answer: false,
            until,
            is_waiting: false,
            armed: None,
        };
        self.recovered_dialogs.insert(id, recovered);
        if gone {
            self.handle_no_answer(now, id);
        } else {
            self.send_end(now, id);
        }
    }

    /// Sends BYE, or CANCEL, to the last known peer.
    fn send_end(&mut self, now: Time, id: u64) {
        if self.recovered_dialogs.get(&id).is_some_and(|recovered| recovered.bye.is_some()) {
            self.saved_bye(now, id);
        } else {
            self.resume_invites(now, id);
            self.saved_cancel(now, id);
        }
    }

    /// No answer from that peer. A phone is found by its registration: the current one, or the next.
    fn handle_no_answer(&mut self, now: Time, id: u64) {
        let Some(recovered) = self.recovered_dialogs.get_mut(&id) else { return };
        let Some(phone) = recovered.saved.phone.clone().filter(|_| now < recovered.until) else {
            self.finish_recovered(id, false);
            return;
        };
        recovered.is_waiting = true;
        self.wakes.set(Owner::Recovered(id), &mut recovered.armed, Some(recovered.until));
        let tried = recovered.saved.peer;
        if let Some(peer) = self.current_peer(&phone).filter(|peer| *peer != tried) {
            self.end_at_peer(now, id, peer);
        }
    }

    /// The account has registered: sends BYE or CANCEL for its waiting dialogs to the new contact.
    pub(super) fn end_recovered_with_phone(&mut self, now: Time, user: &str) {
        let is_waiting = |recovered: &RecoveredDialog| {
            recovered.is_waiting && recovered.saved.phone.as_ref().is_some_and(|it| it.user == user)
        };
        let waiting: Vec<u64> = self
            .recovered_dialogs
            .iter()
            .filter(|(_, recovered)| is_waiting(recovered))
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            let phone = self.recovered_dialogs.get(&id).and_then(|recovered| recovered.saved.phone.as_ref());
            if let Some(peer) = phone.and_then(|phone| self.current_peer(phone)) {
                self.end_at_peer(now, id, peer);
            }
        }
    }

    fn end_at_peer(&mut self, now: Time, id: u64, peer: Peer) {
        let Some(recovered) = self.recovered_dialogs.get_mut(&id) else { return };
        recovered.is_waiting = false;
        recovered.resend = 0;
        recovered.saved.peer = peer;
        if let Some(dialog) = &mut recovered.bye {
            dialog.peer = peer;
        }
        self.wakes.set(Owner::Recovered(id), &mut recovered.armed, None);
        self.send_end(now, id);
    }

    /// Current peer of this phone: the contact of the same device, or, without instance ids, the contact
    /// that registered last.
    fn current_peer(&self, phone: &SavedPhone) -> Option<Peer> {
        let unnamed = |instance: &str| instance.is_empty() || phone.instance.is_empty();
        let contacts = self.contacts_of(&phone.user);
        let same = contacts.iter().find(|it| !unnamed(&it.instance) && it.instance == phone.instance);
        same.or(contacts.iter().rfind(|it| unnamed(&it.instance))).map(|contact| contact.peer)
    }

    /// Peers of phones in recovered dialogs, which must be trusted before they register again.
    pub(super) fn recovered_phone_peers(&self) -> impl Iterator<Item = Peer> {
        let phones = self.recovered_dialogs.values().filter(|recovered| recovered.saved.phone.is_some());
        phones.map(|recovered| recovered.saved.peer).filter(|peer| peer.transport == Transport::Udp)
    }

    pub(super) fn recovered_due(&mut self, id: u64) {
        if let Some(recovered) = self.recovered_dialogs.get_mut(&id) {
            recovered.armed = None;
            let reached = recovered.awaits_answer;
            self.finish_recovered(id, reached);
        }
    }

    /// Waits for responses to each INVITE that may have been sent, so that a late 200 is acknowledged.
    fn resume_invites(&mut self, now: Time, id: u64) {
        let Some(recovered) = self.recovered_dialogs.get(&id) else { return };
        let Some(first) = ClientKey::from_branch(&recovered.saved.branch, false) else { return };
        let peer = recovered.saved.peer;
        let invites: Vec<_> = (0..=RESENDS)
            .map(|resend| {
                let key = ClientKey { resend, ..first };
                (key, write::saved_invite(&recovered.saved, key, recovered.saved.cseq + u32::from(resend)))
            })
            .collect();
        let phone = recovered.saved.phone.is_some();
        for (key, invite) in invites {
            self.resume_invite(
                now,
                ClientRequest { key, to: peer, bytes: invite, purpose: Purpose::SavedInvite(id) },
            );
            if phone {
                self.pin_client(key);
            }
        }
    }

    fn saved_cancel(&mut self, now: Time, id: u64) {
        let Some(recovered) = self.recovered_dialogs.get(&id) else { return };
        let Some(first) = ClientKey::from_branch(&recovered.saved.branch, false) else {
            self.finish_recovered(id, false);
            return;
        };
        let (peer, key) = (recovered.saved.peer, ClientKey { resend: recovered.resend, ..first });
        let invite =
            write::saved_invite(&recovered.saved, key, recovered.saved.cseq + u32::from(recovered.resend));
        let Some(cancel) = write::cancel_of(&invite, write::reason(HangUpCause::Stopped)) else {
            self.finish_recovered(id, false);
            return;
        };
        self.send_request(
            now,
            ClientRequest {
                key: ClientKey { cancel: true, ..key },
                to: peer,
                bytes: cancel,
                purpose: Purpose::SavedCancel(id),
            },
        );
    }

    pub(super) fn saved_cancel_answered(&mut self, now: Time, id: u64, answer: Answer<'_, '_>) {
        let Some(recovered) = self.recovered_dialogs.get_mut(&id) else { return };
        match answer.code() {
            // The INVITE's own final response is still to come.
            Some(100..=199) => {}
            Some(200..=299) => recovered.cancelled = true,
            _ if recovered.bye.is_some() || recovered.is_answer_unsaved => {}
            Some(481) if recovered.resend < RESENDS => {
                recovered.resend += 1;
                self.saved_cancel(now, id);
            }
            Some(_) => {
                recovered.awaits_answer = true;
                self.wakes.set(Owner::Recovered(id), &mut recovered.armed, Some(now + ANSWER_WAIT));
            }
            None => self.handle_no_answer(now, id),
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
                self.withhold_answer(id, key, message, from);
            }
            // A late challenge or provisional says nothing about the end of the call.
            Answer::Response { code: 100..=199 | 401 | 407, .. } => {}
            _ if self.recovered_dialogs.get(&id).is_none_or(|recovered| recovered.is_settled()) => {}
            _ if self.recovered_dialogs.get(&id).is_some_and(|recovered| recovered.cancelled) => {
                self.finish_recovered(id, true)
            }
            Answer::Response { .. } => self.finish_recovered(id, true),
            Answer::TimedOut | Answer::Unreachable => self.handle_no_answer(now, id),
        }
    }

    /// Reports a 2xx and keeps its dialog until `UserAgent::acknowledge_recovered`. A repetition is reported
    /// again, since the store may have refused to save the first.
    fn withhold_answer(&mut self, id: u64, key: ClientKey, message: &Message<'_>, from: Peer) {
        self.emit(UaEvent::SavedDialogAnswered { call_id: message.call_id().into_owned() });
        let Some(dialog) = self.answered_fork(key, message, from) else { return };
        if let Some(client) = self.clients.get_mut(&key)
            && client.withheld.len() < ACKS_MAX
            && client.withheld.iter().all(|known| known.remote_tag != dialog.remote_tag)
        {
            client.withheld.push(dialog);
        }
        if let Some(recovered) = self.recovered_dialogs.get_mut(&id).filter(|it| it.bye.is_none()) {
            recovered.is_answer_unsaved = true;
            if std::mem::take(&mut recovered.awaits_answer) {
                self.wakes.set(Owner::Recovered(id), &mut recovered.armed, None);
            }
        }
    }

    /// Sends ACK and BYE for the withheld 2xx responses of this call.
    pub(super) fn acknowledge_withheld(&mut self, now: Time, call_id: &str) {
        let is_withheld = |dialog: &Dialog| dialog.call_id == call_id;
        let mut keys: Vec<(ClientKey, u64)> = self
            .clients
            .iter()
            .filter(|(_, client)| client.withheld.iter().any(is_withheld))
            .filter_map(|(key, client)| match client.purpose {
                Purpose::SavedInvite(id) => Some((*key, id)),
                _ => None,
            })
            .collect();
        // The table is unordered: sort for deterministic output.
        keys.sort_unstable();
        for (key, id) in keys {
            let Some(client) = self.clients.get_mut(&key) else { continue };
            let withheld: Vec<Dialog> =
                client.withheld.extract_if(.., |dialog| is_withheld(dialog)).collect();
            for mut dialog in withheld {
                let is_first = self.recovered_dialogs.get(&id).is_some_and(|it| it.bye.is_none());
                let purpose = if is_first { Purpose::SavedBye(id) } else { Purpose::Ignored };
                self.acknowledge_and_end(now, key, &mut dialog, purpose);
                if let Some(recovered) = self.recovered_dialogs.get_mut(&id).filter(|_| is_first) {
                    recovered.is_answer_unsaved = false;
                    recovered.bye = Some(dialog);
                }
            }
        }
    }

    /// The store did not save the answer within 32 seconds: the far end has ended the call without an ACK.
    pub(super) fn withheld_answer_expired(&mut self, now: Time, id: u64) {
        let Some(recovered) = self.recovered_dialogs.get_mut(&id) else { return };
        if std::mem::take(&mut recovered.is_answer_unsaved) {
            self.handle_no_answer(now, id);
        }
    }

    fn saved_bye(&mut self, now: Time, id: u64) {
        let Some(mut recovered) = self.recovered_dialogs.remove(&id) else { return };
        if let Some(dialog) = &mut recovered.bye {
            let mut lines = vec![(HeaderName::Reason, write::reason(HangUpCause::Stopped).to_string())];
            let (uri, _) = dialog.path();
            if let Some(credentials) = &mut recovered.credentials {
                lines.extend(credentials.lines("BYE", &uri, b"", &mut self.identifiers));
            }
            let to = dialog.next_hop();
            let (key, bye) = self.dialog_request(dialog, Method::Bye, &lines, None);
            self.send_request(now, ClientRequest { key, to, bytes: bye, purpose: Purpose::SavedBye(id) });
        }
        self.recovered_dialogs.insert(id, recovered);
    }

    pub(super) fn saved_bye_answered(&mut self, now: Time, id: u64, answer: Answer<'_, '_>) {
        let Some(recovered) = self.recovered_dialogs.get_mut(&id) else { return };
        match answer {
            Answer::Response { code: 100..=199, .. } => {}
            Answer::Response { code: 401 | 407, message, .. } => {
                let trunk = recovered.saved.trunk.and_then(|trunk| self.trunks.get(&trunk));
                let credentials = recovered
                    .credentials
                    .take()
                    .or_else(|| trunk.map(|trunk| Credentials::of(&trunk.config)));
                let taken = credentials
                    .and_then(|mut credentials| credentials.store_challenges(message).then_some(credentials));
                recovered.credentials = taken;
                if recovered.credentials.is_some() {
                    self.saved_bye(now, id);
                } else {
                    self.finish_recovered(id, true);
                }
            }
            Answer::Response { .. } => self.finish_recovered(id, true),
            Answer::TimedOut | Answer::Unreachable => self.handle_no_answer(now, id),
        }
    }

    fn finish_recovered(&mut self, id: u64, reached: bool) {
        if let Some(mut recovered) = self.recovered_dialogs.remove(&id) {
            self.wakes.set(Owner::Recovered(id), &mut recovered.armed, None);
            self.emit(UaEvent::SavedDialogEnded { call_id: recovered.saved.call_id, reached });
        }
    }
}

impl RecoveredDialog {
    /// The end of an INVITE transaction changes nothing: its phone is unreachable, its answer is known, or a
    /// timer runs.
    fn is_settled(&self) -> bool {
        self.is_waiting || self.bye.is_some() || self.is_answer_unsaved || self.awaits_answer
    }
}

fn confirmed_dialog(saved: &SavedDialog) -> Option<Dialog> {
    let confirmed = saved.confirmed.as_ref()?;
    let remote = match NameAddr::parse(&saved.to) {
        _ if confirmed.remote_tag.is_empty() => saved.to.clone(),
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
