//! One leg of a call as SIP holds it: its dialog, and what it still waits for. Data and deadlines; what
//! is sent is in `caller`, `callee`, `in_dialog` and `ending`.

use super::credentials::Credentials;
use super::names::ClientKey;
use super::{ConfirmedDialog, Peer, SavedPhone};
use crate::call::{Ended, HangUpCause};
use crate::ids::TrunkId;
use crate::media::{MediaCapabilities, MediaTarget};
use crate::sip::dialog::Dialog;
use crate::sip::headers::HeaderName;
use crate::sip::session_timer::SessionTimer;
use crate::sip::transaction::{Backoff, PATIENCE, T2};
use crate::time::{Duration, Time};

/// ```text
///  caller: Calling ── 2xx ──▶ Answered ── acknowledge ──▶ Confirmed ── BYE ──▶ Ending
///  callee: Arriving ── answer ──▶ Accepted ── ACK ─────────▶ Confirmed
/// ```
/// A leg that is over is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegState {
    /// Our INVITE has no final response.
    Calling,
    /// Our INVITE has a 2xx whose ACK is withheld.
    Answered,
    /// Their INVITE has no final response.
    Arriving,
    /// Their INVITE has our 2xx, whose ACK has not come.
    Accepted,
    Confirmed,
    /// Our BYE has no final response.
    Ending,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub state: LegState,
    pub trunk: Option<TrunkId>,
    /// Our tag, which leads requests of the far side here.
    pub tag: u64,
    pub dialog: Dialog,
    pub media: Option<MediaCapabilities>,
    pub sdp: Description,
    /// What was last reported.
    pub target: Option<MediaTarget>,
    pub timer: Option<SessionTimer>,
    /// UPDATE is in the far side's Allow.
    pub allows_update: bool,
    /// Our media moved: the next refresh is a re-INVITE with the new description.
    pub reoffer: bool,
    pub credentials: Option<Box<Credentials>>,
    /// From place to ACK.
    pub placing: Option<Box<Placing>>,
    /// From INVITE to ACK.
    pub arriving: Option<Box<Arriving>>,
    /// A 2xx to the far side's INVITE or re-INVITE, sent until its ACK comes.
    pub unacknowledged: Option<Box<Repeat>>,
    /// Our re-INVITE or UPDATE.
    pub refresh: Refresh,
    /// What is reported once our BYE is done.
    pub ended: Option<Box<Ended>>,
    /// Where the leg's entry among the wakes stands.
    pub armed: Option<Time>,
    /// The far side is an agent's phone.
    pub phone: Option<Box<PhoneSide>>,
}

/// What only a leg with an agent's phone has.
#[derive(Debug, Default)]
pub(super) struct PhoneSide {
    /// Which of which account it is.
    pub account: SavedPhone,
    /// Further lines of our INVITE.
    pub lines: Vec<(HeaderName, String)>,
    /// What a CANCEL says instead of its cause.
    pub cancel_reason: Option<&'static str>,
    /// The Event of a transfer that is under way.
    pub transfer: Option<String>,
    /// There was a transfer before.
    pub transferred: bool,
}

/// Our session description: its id stays, its version grows with every change (RFC 3264 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Description {
    pub id: u64,
    pub version: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Refresh {
    #[default]
    None,
    /// On its way.
    Sent(ClientKey),
    /// It met a request of the far side (491) and is sent again then.
    Again(Time),
}

/// What only a caller needs, and only until the ACK.
#[derive(Debug)]
pub(super) struct Placing {
    pub sent_by: String,
    pub request_uri: String,
    /// User part of the number that was asked for: a redirection may not change it.
    pub user: String,
    pub caller_id: Option<String>,
    /// The INVITE that is out now, and its number.
    pub key: ClientKey,
    pub cseq: u32,
    /// Where it went: the trunk, or where a 3xx pointed.
    pub peer: Peer,
    /// How often it was sent again for a challenge, for a redirection, for a longer session.
    pub challenges: u8,
    pub redirections: u8,
    pub session_secs: u32,
    pub raised: bool,
    /// Authorization lines of the INVITE: its ACK carries them too (RFC 3261 section 22.1).
    pub authorization: Vec<(HeaderName, String)>,
    pub ring_until: Option<Time>,
    pub provisional: bool,
    pub ringing: bool,
    pub early: Vec<Early>,
    pub cancel: Option<Cancel>,
    /// A 2xx came without media that we could use.
    pub mute: bool,
    /// Who refreshes the session and how often, by the 2xx.
    pub session: Option<(u32, bool)>,
}

/// An early dialog: one phone among those that a fork rings.
#[derive(Debug)]
pub(super) struct Early {
    pub dialog: Dialog,
    /// The last reliable provisional (RFC 3262); 0 = none yet.
    pub rseq: u32,
    pub target: Option<MediaTarget>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cancel {
    pub cause: HangUpCause,
    /// When nothing came of it for that long. `None` = not sent yet: no provisional has come.
    pub give_up: Option<Time>,
}

/// What only a callee needs, and only until the ACK.
#[derive(Debug)]
pub(super) struct Arriving {
    /// The server transaction of the INVITE.
    pub transaction: u64,
    /// The INVITE as it came: responses are made from it.
    pub invite: Vec<u8>,
    pub from: Peer,
    /// The caller's offer; `None` = ours goes into the 2xx and the answer comes with the ACK.
    pub has_offer: bool,
    /// 18x go out reliably: the caller requires it.
    pub reliable: bool,
    /// The last RSeq we used.
    pub rseq: u32,
    /// A reliable 18x without PRACK.
    pub unheard: Option<Repeat>,
    /// Our answer left with a reliable 18x already.
    pub described: bool,
    /// The 2xx waits for the PRACK of that 18x (RFC 3262 section 3).
    pub answer_wanted: Option<MediaCapabilities>,
    /// Nobody decided until then: the caller is told.
    pub until: Time,
    /// BYE as soon as the ACK is here.
    pub hang_up: Option<HangUpCause>,
}

/// A response that is sent until it is acknowledged (RFC 3261 section 13.3.1.4, RFC 3262 section 3).
#[derive(Debug)]
pub(super) struct Repeat {
    pub to: Peer,
    pub bytes: Vec<u8>,
    pub cseq: u32,
    /// Our offer is in it, so the ACK brings the answer.
    pub offers: bool,
    backoff: Backoff,
    until: Time,
}

impl Repeat {
    /// A 2xx: over every transport, doubling up to T2.
    pub fn of_2xx(now: Time, to: Peer, bytes: Vec<u8>, cseq: u32, offers: bool) -> Self {
        Repeat { to, bytes, cseq, offers, backoff: Backoff::new(now, T2), until: now + PATIENCE }
    }

    /// A reliable provisional: doubling without a cap.
    pub fn of_provisional(now: Time, to: Peer, bytes: Vec<u8>, cseq: u32) -> Self {
        Repeat { to, bytes, cseq, offers: false, backoff: Backoff::new(now, PATIENCE), until: now + PATIENCE }
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
                None => placing.ring_until,
            });
        let arriving = self.arriving.as_deref().filter(|_| self.state == LegState::Arriving);
        let until = arriving.map(|arriving| arriving.until);
        let unheard = arriving.and_then(|arriving| arriving.unheard.as_ref());
        let again = match self.refresh {
            Refresh::Again(at) if self.state == LegState::Confirmed => Some(at),
            Refresh::Again(_) | Refresh::None | Refresh::Sent(_) => None,
        };
        let timer = self.timer.filter(|_| self.state == LegState::Confirmed).map(|timer| timer.at);
        let repeat = self.unacknowledged.as_ref().map(|repeat| repeat.next_wake());
        [ring, until, unheard.map(Repeat::next_wake), again, timer, repeat].into_iter().flatten().min()
    }

    /// What another process needs to end this call, once it is answered.
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

/// How long a CANCEL may stay without effect.
pub(super) const CANCEL_PATIENCE: Duration = PATIENCE;
