//! State of one SIP leg: its dialog and pending deadlines. `outgoing_calls`, `incoming_calls`, `in_dialog` and `ending`
//! send its messages.

use super::credentials::Credentials;
use super::identifiers::ClientKey;
use super::{ConfirmedDialog, Peer, SavedPhone};
use crate::call::{Ended, HangUpCause};
use crate::ids::TrunkId;
use crate::media::{MediaCapabilities, MediaTarget};
use crate::sip::dialog::Dialog;
use crate::sip::headers::HeaderName;
use crate::sip::session_timer::{self, SessionTimer};
use crate::sip::transaction::{Backoff, T2, TRANSACTION_TIMEOUT};
use crate::time::{Duration, Time};

/// ```text
///  caller: Calling ── 2xx ──▶ Answered ── acknowledge ──▶ Confirmed ── BYE ──▶ Ending
///  callee: Arriving ── answer ──▶ Accepted ── ACK ─────────▶ Confirmed
/// ```
/// An ended leg is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegState {
    /// Outgoing: our INVITE has no final response.
    Calling,
    /// Outgoing: our INVITE has a 2xx whose ACK is withheld.
    Answered,
    /// Incoming: their INVITE has no final response.
    Arriving,
    /// Incoming: our 2xx is sent, its ACK has not come.
    Accepted,
    Confirmed,
    /// Our BYE has no final response.
    Ending,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub state: LegState,
    pub trunk: Option<TrunkId>,
    /// Our tag, by which requests of the far side find this leg.
    pub tag: u64,
    pub dialog: Dialog,
    pub media: Option<MediaCapabilities>,
    pub sdp: SdpOrigin,
    /// The media target last reported.
    pub target: Option<MediaTarget>,
    pub timer: Option<SessionTimer>,
    /// Whether the far side allows UPDATE.
    pub allows_update: bool,
    /// Our media moved: the next refresh must be a re-INVITE with the new description.
    pub reoffer: bool,
    pub credentials: Option<Box<Credentials>>,
    /// Outgoing call: present from `place` to the ACK.
    pub placing: Option<Box<Placing>>,
    /// Incoming call: present from the INVITE to the ACK.
    pub arriving: Option<Box<Arriving>>,
    /// A 2xx to the far side's INVITE or re-INVITE, retransmitted until its ACK comes.
    pub unacknowledged: Option<Box<Retransmission>>,
    /// State of our re-INVITE or UPDATE.
    pub refresh: Refresh,
    /// The end to report once our BYE is answered.
    pub ended: Option<Box<Ended>>,
    /// Time of the leg's entry in `Wakes`.
    pub armed: Option<Time>,
    /// Set if the far side is an agent's phone.
    pub phone: Option<Box<PhoneSide>>,
}

impl Leg {
    /// The leg of an outgoing call, before its first INVITE.
    pub fn calling(tag: u64, dialog: Dialog, media: MediaCapabilities, placing: Placing) -> Self {
        Leg {
            state: LegState::Calling,
            trunk: None,
            tag,
            dialog,
            media: Some(media),
            sdp: SdpOrigin { id: tag >> 33, version: 1 },
            target: None,
            timer: None,
            allows_update: false,
            reoffer: false,
            credentials: None,
            placing: Some(Box::new(placing)),
            arriving: None,
            unacknowledged: None,
            refresh: Refresh::None,
            ended: None,
            armed: None,
            phone: None,
        }
    }
}

/// State of a leg with an agent's phone.
#[derive(Debug, Default)]
pub(super) struct PhoneSide {
    /// The account and device.
    pub account: SavedPhone,
    /// Extra headers of our INVITE.
    pub lines: Vec<(HeaderName, String)>,
    /// Reason of a CANCEL, instead of the hang-up cause's.
    pub cancel_reason: Option<&'static str>,
    /// The Event value of a transfer in progress.
    pub transfer: Option<String>,
    /// Whether this dialog had a transfer before.
    pub transferred: bool,
}

/// Our session description: the id is constant, the version grows with every change (RFC 3264 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SdpOrigin {
    pub id: u64,
    pub version: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Refresh {
    #[default]
    None,
    /// Sent, no final response yet.
    Sent(ClientKey),
    /// Glare (491): to be sent again at this time.
    Again(Time),
}

/// State of an outgoing call until its ACK.
#[derive(Debug)]
pub(super) struct Placing {
    pub sent_by: String,
    pub request_uri: String,
    /// User part of the number asked for: a redirection must not change it.
    pub user: String,
    /// User part of our Contact; empty = ours.
    pub contact_user: String,
    /// The header beside From that carries the shown number.
    pub identity: Option<(HeaderName, String)>,
    /// The current INVITE transaction, and its CSeq.
    pub key: ClientKey,
    pub cseq: u32,
    /// Destination: the trunk, or the target of a 3xx.
    pub peer: Peer,
    /// Re-sent INVITEs by cause: challenges, redirections, a longer session interval.
    pub challenges: u8,
    pub redirections: u8,
    /// Destinations of the trunk that were left for the next one.
    pub left: Vec<Peer>,
    /// When the next destination is asked, unless this one has responded.
    pub silent_at: Option<Time>,
    pub session_secs: u32,
    pub raised: bool,
    /// Authorization headers of the INVITE; its ACK carries them too (RFC 3261 section 22.1).
    pub authorization: Vec<(HeaderName, String)>,
    /// When the call is cancelled: the end of the set-up time until the phone rings, then of the ring time.
    pub ring_until: Option<Time>,
    /// The ring time that begins with the first 18x; `None` = `ring_until` holds from the INVITE on.
    pub ring: Option<Duration>,
    pub provisional: bool,
    pub ringing: bool,
    pub early: Vec<EarlyDialog>,
    pub cancel: Option<Cancel>,
    /// The callee's BYE overtook its 2xx: its Reason in words.
    pub callee_hung_up: Option<String>,
    /// The 2xx carried no usable media.
    pub has_no_media: bool,
    /// Session interval in seconds and whether we refresh, from the 2xx.
    pub session: Option<(u32, bool)>,
}

impl Placing {
    /// A call whose first INVITE is about to leave.
    pub fn new(sent_by: String, request_uri: String, key: ClientKey, peer: Peer, ring_until: Time) -> Self {
        Placing {
            sent_by,
            request_uri,
            user: String::new(),
            contact_user: String::new(),
            identity: None,
            key,
            cseq: 1,
            peer,
            challenges: 0,
            redirections: 0,
            left: Vec::new(),
            silent_at: None,
            session_secs: session_timer::SESSION_EXPIRES,
            raised: false,
            authorization: Vec::new(),
            ring_until: Some(ring_until),
            ring: None,
            provisional: false,
            ringing: false,
            early: Vec::new(),
            cancel: None,
            callee_hung_up: None,
            has_no_media: false,
            session: None,
        }
    }
}

/// An early dialog: one branch of a fork, with its early media.
#[derive(Debug)]
pub(super) struct EarlyDialog {
    pub dialog: Dialog,
    /// RSeq of the last reliable provisional (RFC 3262); 0 = none yet.
    pub rseq: u32,
    pub target: Option<MediaTarget>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cancel {
    pub cause: HangUpCause,
    /// Deadline of the CANCEL. `None` = not sent yet: no provisional has come.
    pub give_up: Option<Time>,
}

/// State of an incoming call until its ACK.
#[derive(Debug)]
pub(super) struct Arriving {
    /// The server transaction of the INVITE.
    pub transaction: u64,
    /// The received INVITE: responses are built from it.
    pub invite: Vec<u8>,
    pub from: Peer,
    /// Whether the INVITE had an offer; if not, our offer goes into the 2xx and the answer comes with the
    /// ACK.
    pub has_offer: bool,
    /// Whether the caller requires reliable provisionals (100rel).
    pub reliable: bool,
    /// Our last RSeq.
    pub rseq: u32,
    /// A reliable 18x that waits for its PRACK.
    pub pending_provisional: Option<Retransmission>,
    /// Our SDP answer was sent in a reliable 18x.
    pub has_sent_answer: bool,
    /// Media of a 2xx that waits for the PRACK of that 18x (RFC 3262 section 3).
    pub pending_answer: Option<MediaCapabilities>,
    /// Deadline for the engine to answer or reject; then 480 is sent.
    pub decide_by: Time,
    /// Hang-up requested before the ACK: BYE follows it.
    pub hang_up: Option<HangUpCause>,
}

/// A response retransmitted until it is acknowledged (RFC 3261 section 13.3.1.4, RFC 3262 section 3).
#[derive(Debug)]
pub(super) struct Retransmission {
    pub to: Peer,
    pub bytes: Vec<u8>,
    pub cseq: u32,
    /// It carries our offer, so the ACK brings the answer.
    pub offers: bool,
    backoff: Backoff,
    until: Time,
}

impl Retransmission {
    /// A 2xx: retransmitted over every transport, interval doubling up to T2.
    pub fn of_2xx(now: Time, to: Peer, bytes: Vec<u8>, cseq: u32, offers: bool) -> Self {
        Retransmission {
            to,
            bytes,
            cseq,
            offers,
            backoff: Backoff::new(now, T2),
            until: now + TRANSACTION_TIMEOUT,
        }
    }

    /// A reliable provisional: interval doubling without a cap.
    pub fn of_provisional(now: Time, to: Peer, bytes: Vec<u8>, cseq: u32) -> Self {
        Retransmission {
            to,
            bytes,
            cseq,
            offers: false,
            backoff: Backoff::new(now, TRANSACTION_TIMEOUT),
            until: now + TRANSACTION_TIMEOUT,
        }
    }

    pub fn next_wake(&self) -> Time {
        self.backoff.at.min(self.until)
    }

    pub fn is_over(&self, now: Time) -> bool {
        self.until <= now
    }

    pub fn take_due(&mut self, now: Time) -> bool {
        self.backoff.take_due(now)
    }
}

impl Leg {
    pub fn next_wake(&self) -> Option<Time> {
        let placing = self.placing.as_deref();
        let ring =
            placing.filter(|_| self.state == LegState::Calling).and_then(|placing| match placing.cancel {
                Some(cancel) => cancel.give_up,
                None => placing.ring_until.into_iter().chain(placing.silent_at).min(),
            });
        let arriving = self.arriving.as_deref().filter(|_| self.state == LegState::Arriving);
        let until = arriving.map(|arriving| arriving.decide_by);
        let pending_provisional = arriving.and_then(|arriving| arriving.pending_provisional.as_ref());
        let again = match self.refresh {
            Refresh::Again(at) if self.state == LegState::Confirmed => Some(at),
            Refresh::Again(_) | Refresh::None | Refresh::Sent(_) => None,
        };
        let timer = self.timer.filter(|_| self.state == LegState::Confirmed).map(|timer| timer.at);
        let repeat = self.unacknowledged.as_ref().map(|repeat| repeat.next_wake());
        [ring, until, pending_provisional.map(Retransmission::next_wake), again, timer, repeat]
            .into_iter()
            .flatten()
            .min()
    }

    /// The saved form of the dialog once it is answered.
    pub fn confirmed(&self) -> Option<ConfirmedDialog> {
        let answered = matches!(
            self.state,
            LegState::Answered | LegState::Confirmed | LegState::Ending | LegState::Accepted
        );
        Some(ConfirmedDialog {
            remote_tag: self.dialog.remote_tag.clone().filter(|_| answered)?,
            remote_target: self.dialog.remote_target.clone(),
            route_set: self.dialog.route_set.clone(),
            cseq: self.dialog.local_cseq,
        })
    }
}

/// Longest wait for the effect of a CANCEL.
pub(super) const CANCEL_TIMEOUT: Duration = TRANSACTION_TIMEOUT;
