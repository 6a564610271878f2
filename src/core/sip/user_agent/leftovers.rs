//! What another process left on the wire: CANCEL for a call that was never answered, BYE for one that
//! was, from the names that were saved before they were used.

use super::clients::{Answer, Purpose};
use super::credentials::Credentials;
use super::names::ClientKey;
use super::{SavedDialog, UaEvent, UserAgent, write};
use crate::call::HangUpCause;
use crate::sip::dialog::Dialog;
use crate::sip::headers::{HeaderName, NameAddr};
use crate::sip::message::Method;
use crate::time::Time;

/// The INVITE may have been sent again for a challenge: its branch then ends in `-1` or `-2`.
const RESENDS: u8 = 2;

#[derive(Debug)]
pub(super) struct Leftover {
    saved: SavedDialog,
    /// Which sending of the INVITE the CANCEL means.
    resend: u8,
    /// The dialog that is ended with BYE.
    bye: Option<Dialog>,
    credentials: Option<Credentials>,
}

impl UserAgent {
    pub(super) fn end_leftover(&mut self, now: Time, saved: SavedDialog) {
        self.leftovers_given += 1;
        let id = self.leftovers_given;
        let bye = confirmed_dialog(&saved);
        let confirmed = bye.is_some();
        self.leftovers.insert(id, Leftover { saved, resend: 0, bye, credentials: None });
        if confirmed {
            self.saved_bye(now, id);
        } else {
            self.stand_ins(now, id);
            self.saved_cancel(now, id);
        }
    }

    /// Somebody must acknowledge what still comes to each INVITE that may have been sent.
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
        for (key, invite) in invites {
            self.stand_in(now, key, peer, invite, Purpose::SavedInvite(id));
        }
    }

    fn saved_cancel(&mut self, now: Time, id: u64) {
        let Some(left) = self.leftovers.get(&id) else { return };
        let Some(first) = ClientKey::from_branch(&left.saved.branch, false) else {
            self.leftover_ended(id);
            return;
        };
        let (peer, key) = (left.saved.peer, ClientKey { resend: left.resend, ..first });
        let invite = write::saved_invite(&left.saved, key, left.saved.cseq + u32::from(left.resend));
        let Some(cancel) = write::cancel_of(&invite, write::reason(HangUpCause::Stopped)) else {
            self.leftover_ended(id);
            return;
        };
        self.send_request(now, ClientKey { cancel: true, ..key }, peer, cancel, Purpose::SavedCancel(id));
    }

    pub(super) fn saved_cancel_answered(&mut self, now: Time, id: u64, answer: Answer<'_, '_>) {
        let Some(left) = self.leftovers.get_mut(&id) else { return };
        match answer.code() {
            // The INVITE's own final response is still to come.
            Some(100..=299) => {}
            Some(481) if left.resend < RESENDS => {
                left.resend += 1;
                self.saved_cancel(now, id);
            }
            _ if left.bye.is_some() => {}
            _ => self.leftover_ended(id),
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
            // A challenge that was answered long ago comes again: it says nothing about the call.
            Answer::Response { code: 100..=199 | 401 | 407, .. } => {}
            _ if self.leftovers.get(&id).is_some_and(|left| left.bye.is_some()) => {}
            _ => self.leftover_ended(id),
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
                let trunk = self.trunks.get(&left.saved.trunk);
                let credentials = left.credentials.take().or_else(|| {
                    trunk.map(|trunk| Credentials::new(&trunk.config.username, &trunk.config.password))
                });
                let taken = credentials
                    .and_then(|mut credentials| credentials.take_challenges(message).then_some(credentials));
                left.credentials = taken;
                if left.credentials.is_some() {
                    self.saved_bye(now, id);
                } else {
                    self.leftover_ended(id);
                }
            }
            _ => self.leftover_ended(id),
        }
    }

    fn leftover_ended(&mut self, id: u64) {
        if let Some(left) = self.leftovers.remove(&id) {
            self.event(UaEvent::SavedDialogEnded { call_id: left.saved.call_id });
        }
    }
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
        // Session refreshes may have used numbers since it was saved; a gap is allowed, a number twice
        // is not (RFC 3261 section 12.2.2).
        local_cseq: confirmed.cseq.saturating_add(1_000),
        remote_cseq: None,
        peer: saved.peer,
        pinned: false,
    })
}
