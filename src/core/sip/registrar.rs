//! The registrar of agents' phones (RFC 3261 section 10.3): accounts, digest authentication, and the
//! bindings (registered contacts) of each account. Data only: messages and events are `user_agent`'s task.

mod authenticate;
mod bindings;
mod nonces;
mod throttle;

pub use authenticate::AuthOutcome;
pub use bindings::{Binding, BindingChanges, KnownContact, Refusal};

use super::auth::{NonceMint, PasswordHash};
use super::peer::Transport;
use super::uri::split_host_port;
use crate::ids::AgentId;
use crate::time::{Duration, Time};
use nonces::ProvenNonces;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use throttle::{AccountThrottle, SourceNetwork, SourceThrottle};

/// Lifetime of an unused nonce. A nonce that a phone has authenticated with stays valid for that phone.
const NONCE_LIFE: Duration = Duration::from_secs(60);
/// Networks remembered per account as signed in from before.
const KNOWN_MAX: usize = 8;

/// A phone account. The password itself is never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneAccount {
    pub user: String,
    pub agent: AgentId,
    pub ha1_md5: [u8; 16],
    pub ha1_sha256: [u8; 32],
}

impl PhoneAccount {
    /// Hashes a known password into an account. `realm` is the registrar's own.
    pub fn with_password(user: &str, agent: AgentId, realm: &str, password: &str) -> Self {
        let hash = PasswordHash::new(user, realm, password);
        PhoneAccount { user: user.into(), agent, ha1_md5: hash.md5, ha1_sha256: hash.sha256 }
    }

    fn hash(&self) -> PasswordHash {
        PasswordHash { md5: self.ha1_md5, sha256: self.ha1_sha256 }
    }
}

/// Omits the hashes.
impl std::fmt::Debug for PhoneAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneAccount")
            .field("user", &self.user)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

/// Settings of the registrar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrarConfig {
    /// The domain of the phones' addresses; part of every password hash.
    pub realm: String,
    /// Shorter registrations are refused with 423, longer ones shortened to `expires_max`.
    pub expires_min: Duration,
    pub expires_max: Duration,
    /// Most bindings of one account.
    pub contacts_max: usize,
}

impl RegistrarConfig {
    /// Registrations of one minute to one hour, ten contacts.
    pub fn new(realm: &str) -> Self {
        RegistrarConfig {
            realm: realm.into(),
            expires_min: Duration::from_secs(60),
            expires_max: Duration::from_secs(3_600),
            contacts_max: 10,
        }
    }
}

/// Current reachability of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneLink {
    /// Number of contacts that answer OPTIONS.
    pub contacts: usize,
    /// Source address of the contact that registered last.
    pub address: SocketAddr,
    pub transport: Transport,
    /// Its User-Agent, at most 100 bytes. Untrusted text: escape it on output.
    pub product: String,
    /// When the last of its bindings expires.
    pub expires: Time,
    /// Round trip of OPTIONS; `None` = not measured yet.
    pub latency: Option<Duration>,
}

/// One account with its authentication state.
#[derive(Debug)]
struct Phone {
    account: PhoneAccount,
    nonces: ProvenNonces,
    /// Networks it has signed in from, latest last.
    known_networks: VecDeque<SourceNetwork>,
    throttle: AccountThrottle,
    reported: Option<PhoneLink>,
}

/// Accounts, bindings and throttles.
#[derive(Debug)]
pub struct Registrar {
    config: RegistrarConfig,
    /// Our own hosts: the realm, and the hosts of our sent-by addresses.
    hosts: Vec<String>,
    mint: NonceMint,
    /// Hash checked for a user who does not exist, so that the work is the same.
    decoy: PasswordHash,
    source_throttle: SourceThrottle,
    phones: BTreeMap<String, Phone>,
    bindings: BTreeMap<u64, Binding>,
    last_binding: u64,
}

impl Registrar {
    /// Nonces derive from the seed, which must be random. `sent_by` are our own `host:port`s.
    pub fn new<'a>(config: RegistrarConfig, seed: u64, sent_by: impl Iterator<Item = &'a str>) -> Self {
        let hosts = sent_by.filter_map(split_host_port).map(|(host, _)| host.to_string());
        let hosts = hosts.chain([config.realm.clone()]).collect();
        let secret = |what: &str| -> [u8; 32] { Sha256::digest(format!("{what} {seed:016x}")).into() };
        let decoy = secret("nobody");
        let mut md5 = [0; 16];
        md5.copy_from_slice(&decoy[..16]);
        Registrar {
            config,
            hosts,
            mint: NonceMint::new(secret("nonce"), NONCE_LIFE),
            decoy: PasswordHash { md5, sha256: decoy },
            source_throttle: SourceThrottle::default(),
            phones: BTreeMap::new(),
            bindings: BTreeMap::new(),
            last_binding: 0,
        }
    }

    pub fn realm(&self) -> &str {
        &self.config.realm
    }

    /// Defines an account. A changed password ends its bindings: their ids are returned.
    pub fn set_account(&mut self, account: PhoneAccount) -> Vec<u64> {
        match self.phones.get_mut(&account.user) {
            Some(phone) if phone.account.hash() == account.hash() => {
                phone.account = account;
                Vec::new()
            }
            _ => {
                let user = account.user.clone();
                let reported = self.phones.remove(&user).and_then(|phone| phone.reported);
                let phone = Phone {
                    account,
                    nonces: ProvenNonces::default(),
                    known_networks: VecDeque::new(),
                    throttle: AccountThrottle::default(),
                    reported,
                };
                self.phones.insert(user.clone(), phone);
                self.binding_ids(&user)
            }
        }
    }

    /// The agent who owns the account.
    pub fn agent(&self, user: &str) -> Option<AgentId> {
        self.phones.get(user).map(|phone| phone.account.agent)
    }

    /// Removes an account. The caller has removed its bindings before.
    pub fn remove_account(&mut self, user: &str) {
        self.phones.remove(user);
    }

    /// The account's reachability if it has changed since the last report.
    pub fn take_link_change(&mut self, user: &str) -> Option<(AgentId, Option<PhoneLink>)> {
        let link = self.link(user);
        let phone = self.phones.get_mut(user)?;
        if is_same_link(phone.reported.as_ref(), link.as_ref()) {
            return None;
        }
        phone.reported.clone_from(&link);
        Some((phone.account.agent, link))
    }

    fn link(&self, user: &str) -> Option<PhoneLink> {
        let alive: Vec<&Binding> =
            self.bindings.values().filter(|it| it.user == user && !it.silent).collect();
        let last = alive.iter().max_by_key(|binding| binding.registered)?;
        Some(PhoneLink {
            contacts: alive.len(),
            address: last.peer.address,
            transport: last.peer.transport,
            product: last.product.clone(),
            expires: alive.iter().map(|binding| binding.expires).max()?,
            latency: last.latency,
        })
    }
}

/// Whether two links are equal enough not to report: latency within a few milliseconds, expiry moved by
/// less than a minute.
fn is_same_link(one: Option<&PhoneLink>, two: Option<&PhoneLink>) -> bool {
    let (one, two) = match (one, two) {
        (None, None) => return true,
        (Some(one), Some(two)) => (one, two),
        _ => return false,
    };
    let same_latency = match (one.latency, two.latency) {
        (Some(old), Some(new)) => old.abs_diff(new) < (old / 2).max(Duration::from_millis(20)),
        (old, new) => old == new,
    };
    let moved = one.expires.since(two.expires).max(two.expires.since(one.expires));
    one.contacts == two.contacts
        && one.address == two.address
        && one.transport == two.transport
        && one.product == two.product
        && same_latency
        && moved < Duration::from_secs(60)
}

#[cfg(test)]
mod tests;
