//! Settings of the installation: `paceline.toml`, then `PACELINE_SECTION__KEY` variables; defaults for the
//! rest.

use super::environment::{self, Variable};
use super::problem::{ConfigError, Problem, Source, line_of, unreadable};
use super::proxies::TrustedProxies;
use super::shown::{self, Origins};
use super::trunk::TrunkConfig;
use super::trunk_directory::TrunkDirectory;
use paceline_core::campaign::SIMULATED_TRUNK;
use paceline_core::sip::user_agent::Transport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Where the values come from; no key of the file.
    #[serde(skip)]
    pub origins: Origins,
    /// The trunks of the store beside those of the file; no key of the file.
    #[serde(skip)]
    pub directory: TrunkDirectory,
    pub files: FilesConfig,
    pub secrets: SecretsConfig,
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

    /// The folder of the journal; `None` = there is none.
    pub fn journal_folder(&self) -> Option<PathBuf> {
        match self.journal.as_str() {
            "off" => None,
            "" => Some(self.file().with_extension("journal")),
            named => Some(PathBuf::from(named)),
        }
    }
}

/// `[secrets]`: the key under which the store keeps passwords that it must be able to say, as those of trunks.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// The file with the key; empty = beside the database, with the ending `.secret`. It is made at the first start; a
    /// backup without it has no passwords of trunks.
    pub key_file: String,
}

impl SecretsConfig {
    /// `store` = the database file.
    pub fn file(&self, store: &Path) -> PathBuf {
        match self.key_file.as_str() {
            "" => store.with_extension("secret"),
            named => PathBuf::from(named),
        }
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

/// `[files]`: the object store, where uploaded lists and sounds lie.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// `file://FOLDER`; empty = `files` beside the store. Only this user may read it.
    pub url: String,
    /// Free space that uploads leave to everything else, in GiB.
    pub free_gib_min: u32,
    /// The same in percent of the disk; the larger of the two holds.
    pub free_pct_min: u32,
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
    /// Reverse proxies whose `X-Forwarded-For` is believed, as addresses or networks: `["127.0.0.1",
    /// "10.0.0.0/8"]`. Requests over a proxy never count as local, listed or not.
    pub behind_proxy: Vec<String>,
    /// Open connections in all. A few more are kept free for `/metrics` and the health checks.
    pub connections_max: u32,
    /// Open connections of one address, or open requests where a proxy vouches for the address. An office
    /// often has one address for all its agents.
    pub connections_per_address_max: u32,
    /// Live streams (open screens) in all; one account has at most 8.
    pub streams_max: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodeConfig {
    /// Name of this node, where several nodes share one PostgreSQL.
    pub name: String,
    /// How long calls that are up may go on after SIGTERM or Ctrl-C, in seconds; then they are ended and
    /// written. No new call is placed meanwhile.
    pub drain_secs: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Days until a recording is deleted.
    pub recordings_days: u32,
    /// Days until the file of an export is deleted.
    pub exports_days: u32,
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

impl FilesConfig {
    fn folder_named(&self) -> Option<PathBuf> {
        self.url.strip_prefix("file://").filter(|folder| !folder.is_empty()).map(PathBuf::from)
    }

    /// The folder of the object store; `store` = the store's file.
    pub fn folder(&self, store: &Path) -> PathBuf {
        self.folder_named().unwrap_or_else(|| store.with_file_name("files"))
    }
}

impl Default for FilesConfig {
    fn default() -> Self {
        FilesConfig { url: String::new(), free_gib_min: 5, free_pct_min: 10 }
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
        HttpConfig {
            listen: "127.0.0.1:8080".into(),
            behind_proxy: Vec::new(),
            connections_max: 4_000,
            connections_per_address_max: 1_000,
            streams_max: 2_000,
        }
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig { name: "node-1".into(), drain_secs: 60 }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        RetentionConfig { recordings_days: 90, exports_days: 14 }
    }
}

/// Upper bound of the limits in `[http]`; more open files than that need another machine.
const HTTP_LIMIT_MAX: u32 = 100_000;

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
        source.variables = environment::variables(env);
        for variable in &source.variables {
            config = config.with_variable(variable)?;
        }
        config.check(&mut source);
        // The text was parsed above, so it is a table.
        let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
        config.origins = Origins {
            file: (!text.is_empty()).then(|| file.to_path_buf()),
            in_file: shown::paths(&table),
            trunk_lines: config
                .trunks
                .keys()
                .filter(|name| table.get("trunks").is_some_and(|trunks| trunks.get(name.as_str()).is_some()))
                .filter_map(|name| Some((name.clone(), line_of(text, &["trunks", name])?)))
                .collect(),
            variables: source.variables.iter().map(|it| (it.name.clone(), it.path.clone())).collect(),
        };
        source.finish()?;
        Ok(config)
    }

    /// Applies one environment variable. A value that parses as TOML is TOML, any other a string.
    fn with_variable(self, variable: &Variable) -> Result<Config, ConfigError> {
        let fault = |found: String| ConfigError {
            problems: vec![Problem {
                file: "environment".into(),
                line: None,
                key: None,
                found: format!("{}: {found}", variable.name),
                hint: "a setting is PACELINE_SECTION__KEY, for example PACELINE_HTTP__LISTEN".into(),
            }],
        };
        let (path, value) = (&variable.path, &variable.value);
        let mut whole = toml::Table::try_from(&self).map_err(|error| fault(error.to_string()))?;
        let parsed = toml::from_str::<toml::Table>(&format!("v = {value}")).ok();
        let typed = parsed.and_then(|mut table| table.remove("v"));
        let text = toml::Value::String(value.clone());
        let mut last = String::new();
        for candidate in typed.into_iter().chain([text]) {
            let mut attempt = std::mem::take(&mut whole);
            let before = attempt.clone();
            set_at(&mut attempt, path, candidate).map_err(&fault)?;
            match attempt.try_into::<Config>() {
                Ok(config) => return Ok(config),
                Err(error) => last = variable.describe(error.message()),
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
        if self.files.free_pct_min > 90 {
            let found = format!("free_pct_min = {}", self.files.free_pct_min);
            source.fault(&["files", "free_pct_min"], found, "write 0 to 90");
        }
        if !self.files.url.is_empty() && self.files.folder_named().is_none() {
            let found = format!("`{}` is no object store we have", self.files.url);
            source.fault(&["files", "url"], found, "write file://FOLDER, or leave it out");
        }
        if self.http.listen.parse::<SocketAddr>().is_err() {
            let found = format!("`{}` is no address with a port", self.http.listen);
            source.fault(&["http", "listen"], found, "for example 127.0.0.1:8080");
        }
        if self.node.drain_secs > 3_600 {
            let found = format!("drain_secs = {}", self.node.drain_secs);
            source.fault(&["node", "drain_secs"], found, "write 0 (end calls at once) to 3600");
        }
        if let Err((found, hint)) = TrustedProxies::parse(&self.http.behind_proxy) {
            source.fault(&["http", "behind_proxy"], found, hint);
        }
        for (key, max) in [
            ("connections_max", self.http.connections_max),
            ("connections_per_address_max", self.http.connections_per_address_max),
            ("streams_max", self.http.streams_max),
        ] {
            if !(1..=HTTP_LIMIT_MAX).contains(&max) {
                let hint = format!("write 1 to {HTTP_LIMIT_MAX}, or leave the key out for its default");
                source.fault(&["http", key], format!("a limit of {max}"), hint);
            }
        }
        for (name, trunk) in &self.trunks {
            if name == SIMULATED_TRUNK {
                let found = format!("`{name}` is the name of the built-in simulated carrier");
                source.fault(&["trunks", name], found, "give the trunk another name");
            }
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

    /// Whether the service listens for SIP over UDP and IPv4, as the simulated carrier and simulated phones need.
    pub fn listens_for_simulation(&self) -> bool {
        let listeners = self.sip_listeners().unwrap_or_default();
        listeners.iter().any(|(transport, address)| *transport == Transport::Udp && address.is_ipv4())
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
        check("[http]\nbehind_proxy = [\"proxy\"]\n", "paceline.toml:2: `proxy` is no address of a proxy");
        check("[http]\nconnections_max = 0\n", "paceline.toml:2: a limit of 0; write 1 to 100000");
        check(
            "[trunks.a]\nuri = \"sip:h;transport=tcp\"\ntransport = \"udp\"\n",
            "paceline.toml:2: the URI says tcp",
        );
        check("[trunks.a]\nuri = \"sip:h\"\nca_file = \"ca.pem\"\n", "paceline.toml:3: ca_file");
        check("[trunks.a]\nuri = \"sip:h\"\ndomain = \"a b\"\n", "paceline.toml:3: `a b` is no domain");
        check("[trunks.a]\nuri = \"sip:h\"\nnumber_form = \"E164\"\n", "paceline.toml:3:");
        check("[trunks.a]\nuri = \"sip:h\"\nrealm = \"Our PBX\"\n", "without a user name");
        check(
            "[trunks.a]\nuri = \"sip:h\"\nnumber_form = \"+e164\"\nadd_prefix = \"+86\"\n",
            "paceline.toml:4: add_prefix",
        );
        let error = parse("", &[("PACELINE_RTP__PORTS", "twenty")]).expect_err("a variable");
        assert!(error.contains("PACELINE_RTP__PORTS"), "{error}");
    }

    /// Every key of the settings, as a path, with those of a trunk named `main`.
    fn every_key(table: &toml::Table, path: &str, keys: &mut Vec<String>) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}__{key}") };
            if let toml::Value::Table(inner) = value {
                every_key(inner, &path, keys);
            }
            keys.push(path);
        }
    }

    #[test]
    fn no_error_shows_a_value_from_the_environment() {
        let mut config = Config::default();
        config.trunks.insert("main".into(), TrunkConfig::default());
        let mut keys = Vec::new();
        every_key(&toml::Table::try_from(&config).expect("a table"), "", &mut keys);
        assert!(keys.len() > 25, "{keys:?}");
        keys.extend(["trunks__main__pasword".to_owned(), "trunks__main__password__x".to_owned()]);
        let text = "[trunks.main]\nuri = \"sip:192.0.2.1\"\n";
        let mut refused = 0;
        for key in keys.iter().filter(|key| key.contains("__")) {
            for value in [
                "canary-4711",
                "canary 4711",
                "canary\t4711\"",
                "[\"canary-4711\"]",
                "{ canary-4711 = 1 }",
                "{ canary-4711",
                "x, expected canary-4711, y",
                "udp://canary-4711",
                "00047110",
                "-4711",
                "4711e99",
                "[4711, 4710]",
                "4",
            ] {
                let name = format!("PACELINE_{}", key.to_uppercase());
                let Err(error) = parse(text, &[(&name, value)]) else { continue };
                refused += 1;
                let words = error.replace(&name, "").to_lowercase();
                assert!(error.contains(&name), "{error}: names the variable {name}");
                assert!(!words.contains("canary") && !words.contains("4711"), "{name}={value}: {error}");
            }
        }
        assert!(refused > 100, "{refused} refusals were seen");
    }

    #[test]
    fn an_error_in_another_key_does_not_show_a_secret_either() {
        let text = "[trunks.main]\nuri = \"sip:192.0.2.1\"\n";
        for secret in ["s e", "top secret\u{7}"] {
            let env = [("PACELINE_TRUNKS__MAIN__USERNAME", secret), ("PACELINE_HTTP__STREAMS_MAX", "0")];
            let error = parse(text, &env).expect_err("refused");
            assert!(!error.contains(secret) && !error.contains("secret"), "{error}");
            assert!(error.contains("PACELINE_TRUNKS__MAIN__USERNAME"), "{error}");
            assert!(error.contains("PACELINE_HTTP__STREAMS_MAX"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let trunk = TrunkConfig { password: "hush".into(), ..TrunkConfig::default() };
        assert!(!format!("{trunk:?}").contains("hush"));
    }
}
