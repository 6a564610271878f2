//! Settings of the installation: `paceline.toml`, then `PACELINE_SECTION__KEY` variables; defaults for the
//! rest.

use super::problem::{ConfigError, Problem, Source, unreadable};
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::Transport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The whole of `paceline.toml`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub store: StoreConfig,
    pub sip: SipConfig,
    pub rtp: RtpConfig,
    pub http: HttpConfig,
    pub node: NodeConfig,
    /// Trunks by name. None = the built-in simulated carrier.
    pub trunks: BTreeMap<String, TrunkConfig>,
    pub retention: RetentionConfig,
    pub recordings: RecordingsConfig,
    pub prompts: PromptsConfig,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The database file: `sqlite://paceline.db`.
    pub url: String,
    /// Folder of the journal; empty = beside the database, with the ending `.journal`; `off` = no journal.
    pub journal: String,
}

impl StoreConfig {
    /// The database file that the URL names, without its options (`?…`).
    pub fn file(&self) -> PathBuf {
        let file = self.url.trim_start_matches("sqlite:").trim_start_matches("//");
        PathBuf::from(file.split('?').next().unwrap_or_default())
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SipConfig {
    /// `udp://0.0.0.0:5060`, `tcp://…`
    pub listen: Vec<String>,
    /// The IP address that carriers see, when behind NAT.
    pub external_address: String,
    /// SIP domain of the agents' phones, and realm of their passwords. A change invalidates every phone
    /// password.
    pub domain: String,
    /// For `tls://…`: certificate and key as PEM files; empty = a self-signed one, kept beside the database.
    pub tls_cert: String,
    /// The key that belongs to `tls_cert`.
    pub tls_key: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingsConfig {
    /// Folder of the recordings; created when missing.
    pub dir: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptsConfig {
    /// Language of spoken prompts: `zh` or `en`.
    pub language: PromptLanguage,
    /// Folder with sound files that replace the built-in prompts; empty = none.
    pub dir: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromptLanguage {
    #[default]
    Zh,
    En,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RtpConfig {
    /// First and last UDP port for RTP.
    pub ports: [u16; 2],
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port of the API, `/metrics` and the health checks.
    pub listen: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodeConfig {
    /// Name of this node, where several nodes share one PostgreSQL.
    pub name: String,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Days until a recording is deleted.
    pub recordings_days: u32,
}

/// A trunk: one way to a carrier.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkConfig {
    /// Outbound proxy or carrier: `sip:203.0.113.10:5060`.
    pub uri: String,
    /// SIP transport to the carrier.
    pub transport: TransportWord,
    /// User name for digest authentication and registration; empty = none.
    pub username: String,
    pub password: String,
    /// Register at the carrier.
    pub register: bool,
    /// Domain of the From header; empty = the host of `uri`.
    pub from_domain: String,
    /// Codecs in order of preference.
    pub codecs: Vec<CodecWord>,
    /// Most concurrent calls.
    pub calls_max: u32,
    /// Calls started per second.
    pub calls_per_sec: f64,
    /// Seconds between OPTIONS requests; a trunk that does not answer them is taken out of use. 0 = none.
    pub options_secs: u32,
    /// Callee patterns this trunk may carry: `1*`, `0*`.
    pub allow: Vec<String>,
    /// Put in front of the callee's number.
    pub add_prefix: String,
    /// Taken off the callee's number before that.
    pub strip_prefix: String,
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

impl Default for StoreConfig {
    fn default() -> Self {
        StoreConfig { url: "sqlite://paceline.db".into(), journal: String::new() }
    }
}

impl Default for SipConfig {
    fn default() -> Self {
        SipConfig {
            listen: vec!["udp://0.0.0.0:5060".into()],
            external_address: String::new(),
            domain: "paceline".into(),
            tls_cert: String::new(),
            tls_key: String::new(),
        }
    }
}

impl Default for RecordingsConfig {
    fn default() -> Self {
        RecordingsConfig { dir: "recordings".into() }
    }
}

impl Default for PromptsConfig {
    fn default() -> Self {
        PromptsConfig { language: PromptLanguage::Zh, dir: String::new() }
    }
}

impl Default for RtpConfig {
    fn default() -> Self {
        RtpConfig { ports: [20_000, 29_999] }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig { listen: "127.0.0.1:8080".into() }
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig { name: "node-1".into() }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        RetentionConfig { recordings_days: 90 }
    }
}

impl Default for TrunkConfig {
    fn default() -> Self {
        TrunkConfig {
            uri: String::new(),
            transport: TransportWord::Udp,
            username: String::new(),
            password: String::new(),
            register: false,
            from_domain: String::new(),
            codecs: vec![CodecWord::Pcma, CodecWord::Pcmu, CodecWord::G722],
            calls_max: 300,
            calls_per_sec: 20.0,
            options_secs: 30,
            allow: vec!["1*".into(), "0*".into()],
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

impl From<CodecWord> for Codec {
    fn from(codec: CodecWord) -> Self {
        match codec {
            CodecWord::Pcma => Codec::Pcma,
            CodecWord::Pcmu => Codec::Pcmu,
            CodecWord::G722 => Codec::G722,
        }
    }
}

const ENV_PREFIX: &str = "PACELINE_";

impl Config {
    /// `file` if named, else `paceline.toml` in the working directory if it is there, else defaults;
    /// then every `PACELINE_SECTION__KEY` of `env`.
    ///
    /// # Errors
    /// Names the file and line, or the variable.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let default = Path::new("paceline.toml");
        let file = file.or_else(|| default.exists().then_some(default));
        let text = match file {
            Some(file) => std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?,
            None => String::new(),
        };
        Config::parse(file.unwrap_or(default), &text, env)
    }

    /// As `load`, from a text.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse(
        file: &Path,
        text: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut source = Source::new(file, text);
        let mut config: Config = source.parse()?;
        let mut env: Vec<(String, String)> =
            env.into_iter().filter(|(key, _)| key.starts_with(ENV_PREFIX) && key.contains("__")).collect();
        env.sort();
        for (key, value) in env {
            config = config.with_variable(&key, &value)?;
        }
        config.check(&mut source);
        source.finish()?;
        Ok(config)
    }

    /// Applies one environment variable. A value that parses as TOML is TOML, any other a string.
    fn with_variable(self, key: &str, value: &str) -> Result<Config, ConfigError> {
        let fault = |found: String| ConfigError {
            problems: vec![Problem {
                file: "environment".into(),
                line: None,
                found: format!("{key}={value}: {found}"),
                hint: "a setting is PACELINE_SECTION__KEY, for example PACELINE_HTTP__LISTEN".into(),
            }],
        };
        let path: Vec<String> =
            key[ENV_PREFIX.len()..].split("__").map(|part| part.to_ascii_lowercase()).collect();
        let mut whole = toml::Table::try_from(&self).map_err(|error| fault(error.to_string()))?;
        let parsed = toml::from_str::<toml::Table>(&format!("v = {value}")).ok();
        let typed = parsed.and_then(|mut table| table.remove("v"));
        let text = toml::Value::String(value.to_owned());
        let mut last = String::new();
        for candidate in typed.into_iter().chain([text]) {
            let mut attempt = std::mem::take(&mut whole);
            let before = attempt.clone();
            set_at(&mut attempt, &path, candidate).map_err(&fault)?;
            match attempt.try_into::<Config>() {
                Ok(config) => return Ok(config),
                Err(error) => last = error.message().to_owned(),
            }
            whole = before;
        }
        Err(fault(last))
    }

    fn check(&self, source: &mut Source<'_>) {
        if !self.store.url.starts_with("sqlite:") {
            let found =
                format!("`{}` is not a store we have", self.store.url.split(':').next().unwrap_or(""));
            source.fault(&["store", "url"], found, "write sqlite://FILE");
        }
        if let Err((found, hint)) = self.sip_listeners() {
            source.fault(&["sip", "listen"], found, hint);
        }
        if !self.sip.external_address.is_empty() && self.sip.external_address.parse::<IpAddr>().is_err() {
            let found = format!("`{}` is no IP address", self.sip.external_address);
            source.fault(&["sip", "external_address"], found, "write the address the carrier sees");
        }
        let [first, last] = self.rtp.ports;
        if first < 1024 || last <= first {
            let found = format!("the ports {first} to {last} hold no pair");
            source.fault(&["rtp", "ports"], found, "write two ports, for example [20000, 29999]");
        }
        if self.http.listen.parse::<SocketAddr>().is_err() {
            let found = format!("`{}` is no address with a port", self.http.listen);
            source.fault(&["http", "listen"], found, "for example 127.0.0.1:8080");
        }
        for (name, trunk) in &self.trunks {
            trunk.check(name, source);
        }
    }

    /// The transports and addresses on which SIP listens.
    ///
    /// # Errors
    /// What was found and what to do, for an entry that cannot be parsed.
    pub fn sip_listeners(&self) -> Result<Vec<(Transport, SocketAddr)>, (String, String)> {
        self.sip.listen.iter().map(|entry| parse_listener(entry)).collect()
    }
}

fn parse_listener(entry: &str) -> Result<(Transport, SocketAddr), (String, String)> {
    let fault = || {
        (format!("`{entry}` is nothing to listen on"), "write udp://0.0.0.0:5060, tcp://… or tls://…".into())
    };
    let (scheme, address) = entry.split_once("://").ok_or_else(fault)?;
    let transport = match scheme {
        "udp" => Transport::Udp,
        "tcp" => Transport::Tcp,
        "tls" => Transport::Tls,
        _ => return Err(fault()),
    };
    Ok((transport, address.parse().map_err(|_| fault())?))
}

impl TrunkConfig {
    fn check(&self, name: &str, source: &mut Source<'_>) {
        let at = |key: &'static str| ["trunks".to_owned(), name.to_owned(), key.to_owned()];
        let mut fault = |key: &'static str, found: String, hint: &str| {
            let path = at(key);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            source.fault(&path, found, hint);
        };
        if let Err(found) = self.carrier_host() {
            fault("uri", found, "write sip:HOST or sip:HOST:PORT");
        }
        if self.codecs.is_empty() {
            fault("codecs", "no codec".into(), "name at least one of pcma, pcmu, g722");
        }
        if self.calls_max == 0 {
            fault("calls_max", "no call at all".into(), "write how many calls the carrier allows at once");
        }
        if !(self.calls_per_sec > 0.0 && self.calls_per_sec <= 1_000.0) {
            let found = format!("{} calls per second", self.calls_per_sec);
            fault("calls_per_sec", found, "write a rate above 0, up to 1000");
        }
        if self.register && self.username.is_empty() {
            fault("register", "registering needs a user name".into(), "set username and password");
        }
        for text in [&self.username, &self.from_domain, &self.add_prefix, &self.strip_prefix] {
            if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
                fault(
                    "uri",
                    format!("`{}` holds a space or control character", text.escape_debug()),
                    "remove it",
                );
            }
        }
    }

    /// Host and port of the carrier.
    ///
    /// # Errors
    /// What was found instead of a SIP URI.
    pub fn carrier_host(&self) -> Result<(String, Option<u16>), String> {
        use rsip::host_with_port::Host;
        let uri: rsip::Uri =
            self.uri.as_str().try_into().map_err(|_| format!("`{}` is no SIP URI", self.uri))?;
        if !matches!(uri.scheme, Some(rsip::Scheme::Sip)) {
            return Err(format!("`{}` does not begin with sip:", self.uri));
        }
        let host = match uri.host_with_port.host {
            Host::Domain(domain) => domain.to_string(),
            Host::IpAddr(address) => address.to_string(),
        };
        if host.is_empty() {
            return Err(format!("`{}` names no host", self.uri));
        }
        Ok((host, uri.host_with_port.port.map(|port| *port.value())))
    }
}

/// Sets `value` at `path`, creating missing tables.
fn set_at(table: &mut toml::Table, path: &[String], value: toml::Value) -> Result<(), String> {
    match path {
        [] => Err("no key".into()),
        [key] => {
            table.insert(key.clone(), value);
            Ok(())
        }
        [key, rest @ ..] => {
            let entry = table.entry(key.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            set_at(entry.as_table_mut().ok_or_else(|| format!("`{key}` is no section"))?, rest, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Config::parse(Path::new("paceline.toml"), text, env).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_the_embedded_defaults() {
        let config = parse("", &[]).expect("defaults");
        assert!(config.trunks.is_empty());
        assert_eq!(config.rtp.ports, [20_000, 29_999]);
    }

    #[test]
    fn environment_variables_override_the_file_and_keep_types() {
        let text = "[trunks.main]\nuri = \"sip:192.0.2.1\"\n";
        let env = [
            ("PACELINE_HTTP__LISTEN", "127.0.0.1:0"),
            ("PACELINE_TRUNKS__MAIN__CALLS_MAX", "7"),
            ("PACELINE_TRUNKS__MAIN__PASSWORD", "12345"),
            ("PACELINE_LOG", "debug"),
        ];
        let config = parse(text, &env).expect("a configuration");
        assert_eq!(config.http.listen, "127.0.0.1:0");
        assert_eq!((config.trunks["main"].calls_max, config.trunks["main"].password.as_str()), (7, "12345"));
    }

    #[test]
    fn problems_name_file_line_and_what_to_do() {
        let check = |text: &str, expected: &str| {
            let error = parse(text, &[]).expect_err(text);
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        };
        check("[sip]\nlisten = [\"udp:5060\"]\n", "paceline.toml:2: `udp:5060` is nothing to listen on");
        check("[trunks.a]\nuri = \"203.0.113.1\"\n", "paceline.toml:2:");
        check("[http]\nlisen = \"x\"\n", "paceline.toml:2: unknown key `lisen`; did you mean `listen`?");
        check("[rtp]\nports = [29999, 20000]\n", "paceline.toml:2:");
        check("[trunks.a]\nuri = \"sip:h\"\ncalls_max = \"many\"\n", "paceline.toml:3:");
        check("[trunks.a]\nuri = \"sip:h\"\ntransport = \"upd\"\n", "did you mean `udp`?");
        let error = parse("", &[("PACELINE_RTP__PORTS", "twenty")]).expect_err("a variable");
        assert!(error.contains("PACELINE_RTP__PORTS"), "{error}");
    }

    #[test]
    fn a_password_is_never_shown() {
        let trunk = TrunkConfig { password: "hush".into(), ..TrunkConfig::default() };
        assert!(!format!("{trunk:?}").contains("hush"));
    }
}
