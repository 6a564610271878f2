//! Settings of the user agent and its trunks, and the parameters of outgoing calls.

use super::{Peer, RegistrarConfig, Transport};
use crate::ids::{CallId, TrunkId};
use crate::media::MediaCapabilities;
use crate::sip::headers::HeaderName;
use crate::sip::uri::Uri;
use crate::time::Duration;
use std::net::SocketAddr;

/// Settings of the user agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UaConfig {
    /// Sent-by of Via and host of Contact, per transport: `203.0.113.5:5060`.
    pub sent_by: Vec<(Transport, String)>,
    /// `Paceline/0.1.0`
    pub product: String,
    /// Random, new at every start, and saved with each attempt in `SavedDialog`.
    pub seed: u64,
    /// Sources of accepted incoming calls; calls from others are declined with 603.
    pub incoming: Incoming,
    /// Registrar of agents' phones; `None` = REGISTER is rejected as an unknown method.
    pub registrar: Option<RegistrarConfig>,
}

/// Sources from which incoming calls are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incoming {
    /// No incoming calls: the dialer.
    #[default]
    Nobody,
    /// Only the addresses of our trunks.
    Trunks,
    /// Any source: the simulated carrier.
    Anybody,
}

/// SIP settings of a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipTrunk {
    pub id: TrunkId,
    /// Destination of requests: the resolved outbound proxy or carrier.
    pub peer: Peer,
    /// Further destinations in order (RFC 3263), used while earlier ones are silent or refuse.
    pub alternates: Vec<Peer>,
    /// Further source addresses of the same carrier (its other DNS answers).
    pub also_from: Vec<SocketAddr>,
    /// Host part of request URIs and of To, as configured, port included if given.
    pub host: String,
    /// Host part of From; empty = `host`.
    pub from_domain: String,
    pub username: String,
    pub password: String,
    /// The only realm that is given the password; empty = any realm of this trunk.
    pub realm: String,
    pub caller_id_header: CallerIdHeader,
    pub register: bool,
    /// Interval of OPTIONS probes; 0 = none.
    pub options: Duration,
}

impl SipTrunk {
    /// A trunk without account, registration or probes.
    pub fn new(id: TrunkId, peer: Peer, host: impl Into<String>) -> Self {
        SipTrunk {
            id,
            peer,
            alternates: Vec::new(),
            also_from: Vec::new(),
            host: host.into(),
            from_domain: String::new(),
            username: String::new(),
            password: String::new(),
            realm: String::new(),
            caller_id_header: CallerIdHeader::From,
            register: false,
            options: Duration::ZERO,
        }
    }

    /// Host part of From and of the identity headers.
    pub(super) fn own_domain(&self) -> &str {
        if self.from_domain.is_empty() { &self.host } else { &self.from_domain }
    }

    /// User part of From: the account where another header carries the number, else the number.
    pub(super) fn user_of_from<'a>(&'a self, caller_id: Option<&'a str>) -> &'a str {
        let account = Some(self.username.as_str()).filter(|account| !account.is_empty());
        let first = if self.caller_id_header == CallerIdHeader::From { caller_id } else { account };
        first.or(account).or(caller_id).unwrap_or("anonymous")
    }

    /// The header beside From that carries this number.
    pub(super) fn identity_header(&self, caller_id: &str) -> (HeaderName, String) {
        let uri = Uri::sip(caller_id, self.own_domain());
        match self.caller_id_header {
            CallerIdHeader::From | CallerIdHeader::PPreferredIdentity => {
                (HeaderName::PPreferredIdentity, format!("<{uri}>"))
            }
            CallerIdHeader::PAssertedIdentity => (HeaderName::PAssertedIdentity, format!("<{uri}>")),
            CallerIdHeader::RemotePartyId => {
                (HeaderName::RemotePartyId, format!("<{uri}>;party=calling;screen=yes;privacy=off"))
            }
        }
    }
}

/// Where the shown number stands in an INVITE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerIdHeader {
    /// In From, and in P-Preferred-Identity beside it.
    #[default]
    From,
    /// From carries the account (RFC 3325).
    PAssertedIdentity,
    PPreferredIdentity,
    /// From carries the account (draft-ietf-sip-privacy, as older carriers read it).
    RemotePartyId,
}

/// An outgoing call. The user agent makes the SDP offer from `media`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    pub call: CallId,
    pub trunk: TrunkId,
    /// User part of the request URI, after the trunk's prefix rules: `013800138000`.
    pub user: String,
    /// The shown number in the trunk's form; `None` = the trunk's user name or `anonymous`.
    pub caller_id: Option<String>,
    /// How long the call may take until the phone rings; it is cancelled after it.
    pub setup: Duration,
    /// Ring time, from the first 18x; the call is cancelled after it.
    pub ring: Duration,
    /// Where we listen, and the codecs in order of preference.
    pub media: MediaCapabilities,
}

/// A call to an agent's phones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRequest {
    pub call: CallId,
    /// The account; all its contacts ring at once.
    pub user: String,
    /// Caller shown on the phone.
    pub from_user: String,
    pub from_name: String,
    /// Asks the phone to auto-answer (`Call-Info: …;answer-after=0` and `Alert-Info`).
    pub auto_answer: bool,
    /// Ring time; the call is cancelled after it.
    pub ring: Duration,
    /// Where we listen, and the codecs in order of preference.
    pub media: MediaCapabilities,
}
