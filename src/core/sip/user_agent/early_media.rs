//! Provisional responses to our INVITE: ringing, early dialogs of a fork, PRACK, and early media.

use super::client_transactions::{ClientRequest, Purpose};
use super::leg::EarlyDialog;
use super::{Peer, UaEvent, UserAgent, write};
use crate::call::Progress;
use crate::ids::CallId;
use crate::sdp;
use crate::sip::headers::HeaderName;
use crate::sip::message::{Message, Method};
use crate::time::Time;

/// Early dialogs kept per call (phones that a fork rings).
const EARLY_MAX: usize = 8;

impl UserAgent {
    pub(super) fn handle_provisional(&mut self, now: Time, call: CallId, message: &Message<'_>, from: Peer) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let Some(placing) = leg.placing.as_deref_mut() else { return };
        let silent_so_far = !std::mem::replace(&mut placing.provisional, true);
        placing.silent_at = None;
        if let Some(cancel) = placing.cancel {
            // A CANCEL waits for the first provisional (RFC 3261 section 9.1).
            if cancel.give_up.is_none() {
                self.send_cancel(now, call, cancel.cause);
            }
            return;
        }
        let code = message.code().unwrap_or(100);
        if code == 100 || code == 199 {
            if silent_so_far && !placing.ringing {
                self.report_progress(call, Progress::Trying);
            }
            return;
        }
        let first = !placing.ringing && (180..=189).contains(&code);
        placing.ringing |= first;
        if first {
            placing.ring_until = placing.ring.map(|ring| now + ring).or(placing.ring_until);
            self.report_progress(call, Progress::Ringing);
        }
        let Some(at) = self.early_dialog(call, message, from) else { return };
        let reliable = message.rseq().filter(|_| message.has_token(HeaderName::Require, "100rel"));
        if reliable.is_some_and(|rseq| !self.acknowledge_provisional(now, call, at, rseq)) {
            return;
        }
        self.apply_early_media(call, at, message);
    }

    /// Index of this provisional's early dialog, created if new; `None` above `EARLY_MAX`.
    fn early_dialog(&mut self, call: CallId, message: &Message<'_>, from: Peer) -> Option<usize> {
        let tag = message.to_tag().unwrap_or_default();
        let leg = self.legs.get_mut(&call)?;
        let placing = leg.placing.as_deref_mut()?;
        let known = placing.early.iter().position(|early| early.dialog.remote_tag.as_deref() == Some(&*tag));
        if known.is_some() {
            return known;
        }
        if placing.early.len() >= EARLY_MAX {
            return None;
        }
        let mut dialog = leg.dialog.clone();
        if !dialog.pinned {
            dialog.peer = from;
        }
        dialog.establish(message);
        placing.early.push(EarlyDialog { dialog, rseq: 0, target: None });
        Some(placing.early.len() - 1)
    }

    /// Sends PRACK for a reliable provisional (RFC 3262 section 4). `false` = the provisional is a
    /// retransmission or out of order.
    fn acknowledge_provisional(&mut self, now: Time, call: CallId, at: usize, rseq: u32) -> bool {
        let Some(leg) = self.legs.get_mut(&call) else { return false };
        let Some(placing) = leg.placing.as_deref_mut() else { return false };
        let invite_cseq = placing.cseq;
        let Some(early) = placing.early.get_mut(at) else { return false };
        if early.rseq != 0 && rseq != early.rseq.wrapping_add(1) {
            return false;
        }
        early.rseq = rseq;
        leg.dialog.local_cseq += 1;
        early.dialog.local_cseq = leg.dialog.local_cseq - 1;
        let mut dialog = early.dialog.clone();
        let mut lines = vec![(HeaderName::RAck, format!("{rseq} {invite_cseq} INVITE"))];
        let (uri, _) = dialog.path();
        if let Some(credentials) = leg.credentials.as_deref_mut() {
            lines.extend(credentials.lines("PRACK", &uri, b"", &mut self.identifiers));
        }
        let to = dialog.next_hop();
        let (key, bytes) = self.dialog_request(&mut dialog, Method::Prack, &lines, None);
        self.send_request(now, ClientRequest { key, to, bytes, purpose: Purpose::Prack(call) });
        true
    }

    /// Reads the SDP of a provisional: the source of early media, and the answer itself if the 2xx carries
    /// none.
    fn apply_early_media(&mut self, call: CallId, at: usize, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let (Some(placing), Some(media)) = (leg.placing.as_deref_mut(), &leg.media) else { return };
        let Some(answer) = write::description(message) else { return };
        let Ok(target) = sdp::read_answer(media, answer) else { return };
        let Some(early) = placing.early.get_mut(at) else { return };
        early.target = Some(target.clone());
        if leg.target.as_ref() != Some(&target) {
            leg.target = Some(target.clone());
            self.emit(UaEvent::Media { call, target, early: true });
        }
    }
}
