//! Digest authentication (RFC 2617, RFC 7616, RFC 8760). Client side: parse a digest challenge, answer it.
//! Server side: make a digest challenge, check the answer, mint nonces. Callers store credentials and nonce
//! counts.

use super::grammar::{escape_quoted, find_unquoted};
use crate::time::{Duration, Time};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Hash algorithm of a digest. `-sess` binds the session key to the first nonce and cnonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Md5,
    Md5Sess,
    Sha256,
    Sha256Sess,
}

impl Algorithm {
    /// Weakest first.
    pub const ALL: [Algorithm; 4] =
        [Algorithm::Md5, Algorithm::Md5Sess, Algorithm::Sha256, Algorithm::Sha256Sess];

    pub fn parse(text: &str) -> Option<Self> {
        Algorithm::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text))
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
        }
    }

    const fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess)
    }

    fn hash(self, bytes: &[u8]) -> String {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => hex(&Md5::digest(bytes)),
            Algorithm::Sha256 | Algorithm::Sha256Sess => hex(&Sha256::digest(bytes)),
        }
    }
}

/// Quality of protection: what the digest covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// No qop parameter (RFC 2069).
    None,
    Auth,
    AuthInt,
}

/// Our user name and password at a carrier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    pub username: &'a str,
    pub password: &'a str,
}

/// Omits the password.
impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// One digest challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// From Proxy-Authenticate (407), so the answer goes into Proxy-Authorization.
    pub proxy: bool,
    /// The text between its quotes, escapes unresolved, as it is hashed and echoed.
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    pub algorithm: Algorithm,
    /// Whether the challenge named an algorithm; if not, MD5 is used and none is echoed.
    pub names_algorithm: bool,
    pub qop: Qop,
    /// The credentials were right but the nonce has expired: try again with this one.
    pub stale: bool,
}

impl Challenge {
    /// The digest challenges of one WWW-Authenticate or Proxy-Authenticate line, several separated by
    /// commas included. Unsupported schemes, algorithms and qop values are skipped.
    pub fn parse_all(line: &str, proxy: bool) -> Vec<Challenge> {
        let mut challenges = Vec::new();
        let mut fields: Option<Fields<'_>> = None;
        for element in elements(line) {
            let (scheme, field) = split_scheme(element);
            if let Some(scheme) = scheme {
                challenges.extend(fields.take().and_then(|fields| Self::new(&fields, proxy)));
                fields = scheme.eq_ignore_ascii_case("Digest").then(Fields::default);
            }
            if let Some(fields) = &mut fields {
                fields.take(field);
            }
        }
        challenges.extend(fields.and_then(|fields| Self::new(&fields, proxy)));
        challenges
    }

    fn new(fields: &Fields<'_>, proxy: bool) -> Option<Self> {
        let qop = match fields.value("qop") {
            None => Qop::None,
            Some(list) => {
                let has = |wanted: &str| list.split(',').any(|qop| qop.trim().eq_ignore_ascii_case(wanted));
                match (has("auth"), has("auth-int")) {
                    (true, _) => Qop::Auth,
                    (false, true) => Qop::AuthInt,
                    (false, false) if list.trim().is_empty() => Qop::None,
                    (false, false) => return None,
                }
            }
        };
        Some(Challenge {
            proxy,
            realm: fields.value("realm")?.into(),
            nonce: fields.value("nonce")?.into(),
            opaque: fields.value("opaque").map(Into::into),
            algorithm: match fields.value("algorithm") {
                Some(name) => Algorithm::parse(name)?,
                None => Algorithm::Md5,
            },
            names_algorithm: fields.value("algorithm").is_some(),
            qop,
            stale: fields.value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// `Authorization` or `Proxy-Authorization`.
    pub const fn answer_header(&self) -> &'static str {
        if self.proxy { "Proxy-Authorization" } else { "Authorization" }
    }
}

/// The strongest challenge per realm and kind, in order of first appearance: each of these needs an answer
/// (RFC 8760 section 2.4).
pub fn strongest(challenges: Vec<Challenge>) -> Vec<Challenge> {
    let mut chosen: Vec<Challenge> = Vec::new();
    for challenge in challenges {
        let same = |known: &&mut Challenge| known.realm == challenge.realm && known.proxy == challenge.proxy;
        match chosen.iter_mut().find(same) {
            Some(known) if known.algorithm < challenge.algorithm => *known = challenge,
            Some(_) => {}
            None => chosen.push(challenge),
        }
    }
    chosen
}

/// The value of Authorization or Proxy-Authorization that answers a challenge. `nc` counts the requests
/// sent with this nonce, from 1; `cnonce` is our own random value.
pub fn authorize(
    challenge: &Challenge,
    credentials: &Credentials<'_>,
    method: &str,
    uri: &str,
    body: &[u8],
    nc: u32,
    cnonce: &str,
) -> String {
    let username = escape_quoted(credentials.username);
    let cnonce = escape_quoted(cnonce);
    let digest_input = DigestInput {
        algorithm: challenge.algorithm,
        qop: challenge.qop,
        username: &username,
        realm: &challenge.realm,
        nonce: &challenge.nonce,
        uri,
        nc: &format!("{nc:08x}"),
        cnonce: &cnonce,
    };
    let response = digest_input.response(credentials.password, method, body);
    let mut value = format!(
        "Digest username=\"{username}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\"",
        challenge.realm, challenge.nonce
    );
    if challenge.names_algorithm {
        let _ = write!(value, ", algorithm={}", challenge.algorithm.as_str());
    }
    if let Some(opaque) = &challenge.opaque {
        let _ = write!(value, ", opaque=\"{opaque}\"");
    }
    match challenge.qop {
        Qop::None if challenge.algorithm.is_session() => {
            let _ = write!(value, ", cnonce=\"{cnonce}\"");
        }
        Qop::None => {}
        Qop::Auth | Qop::AuthInt => {
            let name = if challenge.qop == Qop::Auth { "auth" } else { "auth-int" };
            let _ = write!(value, ", qop={name}, nc={nc:08x}, cnonce=\"{cnonce}\"");
        }
    }
    value
}

/// A client's digest answer from Authorization or Proxy-Authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub username: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub response: String,
    pub algorithm: Algorithm,
    pub qop: Qop,
    /// The nonce count; 0 if absent. A server prevents replay by remembering the highest.
    pub nc: u32,
    nc_text: String,
    pub cnonce: String,
    pub opaque: Option<String>,
}

impl Answer {
    /// `None` if the value is not a digest answer we can check.
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut fields = Fields::default();
        elements(rest).for_each(|element| fields.take(element));
        let text = |name: &str| fields.value(name).unwrap_or("").to_string();
        let qop = match fields.value("qop") {
            None => Qop::None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Qop::Auth,
            Some(qop) if qop.eq_ignore_ascii_case("auth-int") => Qop::AuthInt,
            Some(_) => return None,
        };
        let nc_text = text("nc");
        let nc = if nc_text.len() <= 8 { u32::from_str_radix(&nc_text, 16).unwrap_or(0) } else { 0 };
        Some(Answer {
            username: fields.value("username")?.into(),
            realm: fields.value("realm")?.into(),
            nonce: fields.value("nonce")?.into(),
            uri: fields.value("uri")?.into(),
            response: fields.value("response")?.into(),
            algorithm: match fields.value("algorithm") {
                Some(name) => Algorithm::parse(name)?,
                None => Algorithm::Md5,
            },
            qop,
            nc,
            nc_text,
            cnonce: text("cnonce"),
            opaque: fields.value("opaque").map(Into::into),
        })
    }

    /// Whether the answer was computed with this password, method and body. `NonceMint::check` verifies the
    /// nonce; the caller verifies `uri` and `realm`.
    pub fn is_right(&self, password: &str, method: &str, body: &[u8]) -> bool {
        self.is_response(&self.digest_input().response(password, method, body))
    }

    /// Like `is_right`, for a password stored as hashes.
    pub fn is_right_for(&self, password: &PasswordHash, method: &str, body: &[u8]) -> bool {
        let key = match self.algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => hex(&password.md5),
            Algorithm::Sha256 | Algorithm::Sha256Sess => hex(&password.sha256),
        };
        self.is_response(&self.digest_input().response_with(key, method, body))
    }

    fn is_response(&self, expected: &str) -> bool {
        same_in_constant_time(expected.as_bytes(), self.response.to_ascii_lowercase().as_bytes())
    }

    fn digest_input(&self) -> DigestInput<'_> {
        DigestInput {
            algorithm: self.algorithm,
            qop: self.qop,
            username: &self.username,
            realm: &self.realm,
            nonce: &self.nonce,
            uri: &self.uri,
            nc: &self.nc_text,
            cnonce: &self.cnonce,
        }
    }
}

/// The stored form of a password: H(user:realm:password), A1 of RFC 7616 section 3.4.2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasswordHash {
    pub md5: [u8; 16],
    pub sha256: [u8; 32],
}

impl PasswordHash {
    pub fn new(user: &str, realm: &str, password: &str) -> Self {
        let text = format!("{}:{}:{password}", escape_quoted(user), escape_quoted(realm));
        PasswordHash {
            md5: Md5::digest(text.as_bytes()).into(),
            sha256: Sha256::digest(text.as_bytes()).into(),
        }
    }
}

/// Omits the hashes: each of them grants access to the account.
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHash").finish_non_exhaustive()
    }
}

/// Input of a digest response except password, method and body.
struct DigestInput<'a> {
    algorithm: Algorithm,
    qop: Qop,
    username: &'a str,
    realm: &'a str,
    nonce: &'a str,
    uri: &'a str,
    nc: &'a str,
    cnonce: &'a str,
}

impl DigestInput<'_> {
    /// RFC 7616 section 3.4.1, and RFC 2069 without qop.
    fn response(&self, password: &str, method: &str, body: &[u8]) -> String {
        let key = format!("{}:{}:{password}", self.username, self.realm);
        self.response_with(self.algorithm.hash(key.as_bytes()), method, body)
    }

    fn response_with(&self, mut key: String, method: &str, body: &[u8]) -> String {
        let hash = |text: String| self.algorithm.hash(text.as_bytes());
        if self.algorithm.is_session() {
            key = hash(format!("{key}:{}:{}", self.nonce, self.cnonce));
        }
        let request = match self.qop {
            Qop::AuthInt => hash(format!("{method}:{}:{}", self.uri, self.algorithm.hash(body))),
            Qop::None | Qop::Auth => hash(format!("{method}:{}", self.uri)),
        };
        let qop = match self.qop {
            Qop::None => return hash(format!("{key}:{}:{request}", self.nonce)),
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        };
        hash(format!("{key}:{}:{}:{}:{qop}:{request}", self.nonce, self.nc, self.cnonce))
    }
}

/// State of a nonce returned by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceState {
    Fresh,
    /// Ours, but expired: challenge again with `stale=true`.
    Stale,
    Forged,
}

/// Mints stateless nonces: the time and a keyed hash over it.
#[derive(Clone)]
pub struct NonceMint {
    secret: [u8; 32],
    life: Duration,
}

/// Omits the secret.
impl std::fmt::Debug for NonceMint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NonceMint").field("life", &self.life).finish_non_exhaustive()
    }
}

impl NonceMint {
    /// The secret is random and new at every start.
    pub fn new(secret: [u8; 32], life: Duration) -> Self {
        NonceMint { secret, life }
    }

    /// A nonce for a realm: 16 hex digits of time, 32 of keyed hash.
    pub fn nonce(&self, now: Time, realm: &str) -> String {
        let made = now.as_millis();
        format!("{made:016x}{}", &self.keyed_hash(made, realm)[..32])
    }

    pub fn check(&self, now: Time, realm: &str, nonce: &str) -> NonceState {
        let parts = (nonce.len() == 48 && nonce.is_ascii()).then(|| nonce.split_at(16));
        let Some((made, keyed_hash)) = parts else { return NonceState::Forged };
        let Ok(made) = u64::from_str_radix(made, 16) else { return NonceState::Forged };
        if !same_in_constant_time(&self.keyed_hash(made, realm).as_bytes()[..32], keyed_hash.as_bytes()) {
            return NonceState::Forged;
        }
        let age = now.as_millis().saturating_sub(made);
        if u128::from(age) <= self.life.as_millis() { NonceState::Fresh } else { NonceState::Stale }
    }

    /// A digest challenge: the value of WWW-Authenticate or Proxy-Authenticate.
    pub fn challenge(&self, now: Time, realm: &str, algorithm: Algorithm, stale: bool) -> String {
        let stale = if stale { ", stale=true" } else { "" };
        let realm = escape_quoted(realm);
        format!(
            "Digest realm=\"{realm}\", nonce=\"{}\", qop=\"auth\", algorithm={}{stale}",
            self.nonce(now, &realm),
            algorithm.as_str()
        )
    }

    /// HMAC-SHA-256 (RFC 2104) over the time and the realm.
    fn keyed_hash(&self, made: u64, realm: &str) -> String {
        let pad = |byte: u8| -> [u8; 64] {
            std::array::from_fn(|at| self.secret.get(at).copied().unwrap_or(0) ^ byte)
        };
        let mut inner = Sha256::new();
        inner.update(pad(0x36));
        inner.update(made.to_be_bytes());
        inner.update(realm.as_bytes());
        let mut outer = Sha256::new();
        outer.update(pad(0x5c));
        outer.update(inner.finalize());
        hex(&outer.finalize())
    }
}

/// The `name=value` fields of a challenge or an answer. The first value of a repeated name counts.
#[derive(Debug, Default)]
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn take(&mut self, element: &'a str) {
        if let Some((name, value)) = element.split_once('=')
            && self.0.len() < 32
        {
            let value = value.trim();
            let plain = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            self.0.push((name.trim(), plain));
        }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// The elements between commas outside quotes.
fn elements(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find_unquoted(text, b',').unwrap_or(text.len());
        rest = text.get(end + 1..);
        Some(text[..end].trim())
    })
}

/// `Digest realm="x"` starts a challenge; `nonce="y"` continues it.
fn split_scheme(element: &str) -> (Option<&str>, &str) {
    let word = element.split(['=', ' ', '\t', '"']).next().unwrap_or("");
    let rest = &element[word.len()..];
    let field = rest.trim_start();
    if word.is_empty() || field.starts_with('=') || rest.len() == field.len() {
        (None, element)
    } else {
        (Some(word), field)
    }
}

fn same_in_constant_time(one: &[u8], two: &[u8]) -> bool {
    one.len() == two.len() && one.iter().zip(two).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
