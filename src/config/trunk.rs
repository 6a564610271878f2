//! One trunk of `paceline.toml`: `[trunks.NAME]`, its words and its checks.

use super::problem::{ConfigError, Source};
use super::trunk_uri::{self, TrunkUri};
use crate::dialplan::{DialPlan, NumberForm};
use paceline_core::campaign::CalleePattern;
use paceline_core::media::{Codec, RtpFollow};
use paceline_core::sip::user_agent::{CallerIdHeader, Transport};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// A trunk: one way to a carrier.
#[derive(Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkConfig {
    /// Outbound proxy or carrier: `sip:203.0.113.10:5060`, `sip:[2001:db8::10]`, `sip:carrier.example;transport=tls`.
    /// A name without a port is looked up by SRV records, then by its addresses.
    pub uri: String,
    /// SIP transport to the carrier, where the URI does not name it; without both, `udp`.
    pub transport: Option<TransportWord>,
    /// Domain of request URIs, To and From, where it is not the host of `uri` (an outbound proxy); empty = that
    /// host.
    pub domain: String,
    /// Realm of the carrier's digest challenges: only it is answered with the password; empty = any.
    pub realm: String,
    /// For TLS: PEM file with the authorities that sign the carrier's certificate; empty = the public ones.
    pub ca_file: String,
    /// User name for digest authentication and registration; empty = none.
    pub username: String,
    pub password: String,
    /// Register at the carrier.
    pub register: bool,
    /// Domain of the From header; empty = `domain`, else the host of `uri`.
    pub from_domain: String,
    /// Where the caller ID stands: `from`, or a header of its own while From carries the account.
    pub caller_id_header: CallerIdHeaderWord,
    /// Where RTP goes when the carrier's media comes from another address than its SDP says.
    pub rtp_follow: RtpFollowWord,
    /// Form in which callees' numbers leave; without it, as dialled in China (`075512345678`, `0044…`).
    pub number_form: Option<NumberForm>,
    /// Form in which the caller ID leaves; without it, as dialled in China.
    pub caller_id_form: Option<NumberForm>,
    /// Country of the carrier, for its national forms, as two letters; empty = the country of the list.
    pub region: String,
    /// Codecs in order of preference.
    pub codecs: Vec<CodecWord>,
    /// Most concurrent calls.
    pub calls_max: u32,
    /// Calls started per second.
    pub calls_per_sec: f64,
    /// How long a call over this trunk may take until the phone rings, in seconds; absent = the campaign's
    /// `[calling] setup_secs`.
    pub setup_secs: Option<u32>,
    /// Seconds between OPTIONS requests; a trunk that does not answer them is taken out of use. 0 = none.
    pub options_secs: u32,
    /// Callees this trunk may carry: `*` = every number, `0755*` or `13800138000` as dialled in the country of the
    /// list, `+852*` or `00852*` abroad, `00*` all abroad. Absent = numbers of the country of the list alone.
    pub allow: Option<Vec<String>>,
    /// Callees this trunk may not carry, whatever `allow` says; patterns as in `allow`.
    pub deny: Vec<String>,
    /// Put in front of the callee's number, after its form.
    pub add_prefix: String,
    /// Taken off the callee's number before that, after its form.
    pub strip_prefix: String,
}

/// Where a trunk wants the caller ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallerIdHeaderWord {
    #[default]
    From,
    PAssertedIdentity,
    PPreferredIdentity,
    RemotePartyId,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RtpFollowWord {
    /// Where SDP says, unless the media comes from another host and that address is private, or nothing came from it
    /// while the other host sent for 2 s.
    #[default]
    Auto,
    /// Always where SDP says.
    Sdp,
    /// Where the media comes from (symmetric RTP).
    Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TransportWord {
    Udp,
    Tcp,
    Tls,
}

/// A codec as `paceline.toml` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodecWord {
    Pcma,
    Pcmu,
    G722,
}

impl Default for TrunkConfig {
    fn default() -> Self {
        TrunkConfig {
            uri: String::new(),
            transport: None,
            domain: String::new(),
            realm: String::new(),
            ca_file: String::new(),
            username: String::new(),
            password: String::new(),
            register: false,
            from_domain: String::new(),
            caller_id_header: CallerIdHeaderWord::From,
            rtp_follow: RtpFollowWord::Auto,
            number_form: None,
            caller_id_form: None,
            region: String::new(),
            codecs: vec![CodecWord::Pcma, CodecWord::Pcmu, CodecWord::G722],
            calls_max: 300,
            calls_per_sec: 20.0,
            setup_secs: None,
            options_secs: 30,
            allow: None,
            deny: Vec::new(),
            add_prefix: String::new(),
            strip_prefix: String::new(),
        }
    }
}

/// Without the password, so that no log line holds it.
impl fmt::Debug for TrunkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrunkConfig { uri, transport, username, register, calls_max, calls_per_sec, .. } = self;
        write!(f, "TrunkConfig {{ uri: {uri:?}, transport: {transport:?}, username: {username:?}, ")?;
        write!(f, "register: {register}, calls_max: {calls_max}, calls_per_sec: {calls_per_sec} }}")
    }
}

impl From<TransportWord> for Transport {
    fn from(word: TransportWord) -> Self {
        match word {
            TransportWord::Udp => Transport::Udp,
            TransportWord::Tcp => Transport::Tcp,
            TransportWord::Tls => Transport::Tls,
        }
    }
}

impl From<RtpFollowWord> for RtpFollow {
    fn from(word: RtpFollowWord) -> Self {
        match word {
            RtpFollowWord::Auto => RtpFollow::Auto,
            RtpFollowWord::Sdp => RtpFollow::Sdp,
            RtpFollowWord::Source => RtpFollow::Source,
        }
    }
}

impl From<CallerIdHeaderWord> for CallerIdHeader {
    fn from(word: CallerIdHeaderWord) -> Self {
        match word {
            CallerIdHeaderWord::From => CallerIdHeader::From,
            CallerIdHeaderWord::PAssertedIdentity => CallerIdHeader::PAssertedIdentity,
            CallerIdHeaderWord::PPreferredIdentity => CallerIdHeader::PPreferredIdentity,
            CallerIdHeaderWord::RemotePartyId => CallerIdHeader::RemotePartyId,
        }
    }
}

impl From<CodecWord> for Codec {
    fn from(codec: CodecWord) -> Self {
        match codec {
            CodecWord::Pcma => Codec::Pcma,
            CodecWord::Pcmu => Codec::Pcmu,
            CodecWord::G722 => Codec::G722,
        }
    }
}

impl TrunkConfig {
    pub(super) fn check(&self, name: &str, source: &mut Source<'_>) {
        let at = |key: &'static str| ["trunks".to_owned(), name.to_owned(), key.to_owned()];
        let mut fault = |key: &'static str, found: String, hint: &str| {
            let path = at(key);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            source.fault(&path, found, hint);
        };
        match self.address() {
            Err((found, hint)) => fault("uri", found, &hint),
            Ok(uri) => {
                if uri.transport != Transport::Tls && !self.ca_file.is_empty() {
                    let found = format!("ca_file = {:?} without TLS", self.ca_file);
                    fault("ca_file", found, "write transport = \"tls\", or remove it");
                }
            }
        }
        for (key, domain) in [("domain", &self.domain), ("from_domain", &self.from_domain)] {
            if !domain.is_empty() && trunk_uri::is_host(domain).is_none() {
                let found = format!("`{}` is no domain", domain.escape_debug());
                fault(key, found, "write a host name or an address, for example sip.carrier.example");
            }
        }
        if !self.realm.is_empty() && self.username.is_empty() {
            let found = format!("realm = {:?} without a user name", self.realm);
            fault("realm", found, "set username and password, or remove it");
        }
        for (key, found, hint) in self.dialplan().contradictions() {
            fault(key, found, hint);
        }
        if self.allow.as_ref().is_some_and(Vec::is_empty) {
            let hint = "name patterns, as in [\"1*\", \"0755*\"], or [\"*\"] for every number; leave it out for the \
                        numbers of the list's country";
            fault("allow", "allow = [] lets no call out".into(), hint);
        }
        for (key, patterns) in [("allow", self.allow.as_deref().unwrap_or_default()), ("deny", &self.deny)] {
            for text in patterns {
                if let Err(why) = text.parse::<CalleePattern>() {
                    let found = format!("{key}: `{}` is no pattern of numbers", text.escape_debug());
                    fault(key, found, &why.to_string());
                }
            }
        }
        if self.codecs.is_empty() {
            fault("codecs", "no codec".into(), "name at least one of pcma, pcmu, g722");
        }
        if self.calls_max == 0 {
            fault("calls_max", "no call at all".into(), "write how many calls the carrier allows at once");
        }
        if !(self.calls_per_sec > 0.0 && self.calls_per_sec <= 2_000.0) {
            let found = format!("{} calls per second", self.calls_per_sec);
            fault("calls_per_sec", found, "write a rate above 0, up to 2000");
        }
        if let Some(secs) = self.setup_secs.filter(|secs| !(3..=120).contains(secs)) {
            fault("setup_secs", format!("setup_secs = {secs}"), "write 3 to 120, or leave it out");
        }
        if self.register && self.username.is_empty() {
            fault("register", "registering needs a user name".into(), "set username and password");
        }
        for (key, text) in [
            ("username", &self.username),
            ("add_prefix", &self.add_prefix),
            ("strip_prefix", &self.strip_prefix),
        ] {
            if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
                let found = format!("`{}` holds a space or control character", text.escape_debug());
                fault(key, found, "remove it");
            }
        }
        for (key, text) in [("add_prefix", &self.add_prefix), ("strip_prefix", &self.strip_prefix)] {
            let digits = text.strip_prefix('+').unwrap_or(text);
            if !digits.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '*' | '#')) {
                let found = format!("{key}: `{}` cannot be dialled", text.escape_debug());
                fault(key, found, "write digits, * and #, with a + in front if it is wanted");
            }
        }
    }

    /// The settings of a row; unreadable ones are those of a trunk without an address, which is not in use.
    pub fn of_row(text: &str) -> TrunkConfig {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The settings as a row keeps them: JSON without the password.
    pub fn as_row(&self) -> String {
        let settings = TrunkConfig { password: String::new(), ..self.clone() };
        serde_json::to_string(&settings).unwrap_or_default()
    }

    /// Checks settings that stand in no file.
    ///
    /// # Errors
    /// All faults, each with the key under `settings`.
    pub fn checked(&self, name: &str) -> Result<(), ConfigError> {
        let mut source = Source::new(Path::new("trunk"), "");
        self.check(name, &mut source);
        let prefix = format!("trunks.{name}.");
        for problem in &mut source.problems {
            let key = problem.key.as_deref().and_then(|key| key.strip_prefix(&prefix));
            problem.key = key.map(|key| format!("settings.{key}"));
        }
        source.finish()
    }

    /// Where the trunk's `uri` points, over which transport.
    ///
    /// # Errors
    /// What was found instead, and what to write.
    pub fn address(&self) -> Result<TrunkUri, (String, String)> {
        TrunkUri::parse(&self.uri, self.transport.map(Transport::from))
    }

    /// How the trunk wants its numbers.
    pub fn dialplan(&self) -> DialPlan {
        DialPlan {
            number_form: self.number_form,
            caller_id_form: self.caller_id_form,
            region: self.region.clone(),
            strip_prefix: self.strip_prefix.clone(),
            add_prefix: self.add_prefix.clone(),
        }
    }
}
