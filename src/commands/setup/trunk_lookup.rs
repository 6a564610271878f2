//! Looks the names of trunks up again while the service runs: carriers move, and a name server may come late.

use super::trunks::usable;
use crate::config::{Config, TrunkConfig, TrunkUri};
use crate::engine::{EngineHandle, EngineRequest, TrunkParts};
use crate::net::clock::Clock;
use crate::net::dns;
use paceline_core::ids::TrunkId;
use paceline_core::sip::user_agent::{Peer, Transport};
use paceline_core::time::{Duration, Time};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::mpsc;

/// How often a name is looked up, and how often one without an address that works.
const LOOK_UP_EVERY: Duration = Duration::from_secs(60);
const LOOK_UP_MISSING_EVERY: Duration = Duration::from_secs(5);

/// Names waiting to be looked up out of turn.
pub(super) const LOOKUPS_MAX: usize = 64;

/// The task that looks the names of trunks up again: every minute, and every 5 s while
/// no address works.
pub(super) struct TrunkLookup {
    trunks: Vec<NamedTrunk>,
    listeners: Vec<(Transport, SocketAddr)>,
    random: ChaCha8Rng,
    clock: Clock,
}

#[derive(Debug)]
pub(in crate::commands) struct NamedTrunk {
    id: TrunkId,
    name: String,
    uri: TrunkUri,
    /// As last found; empty = never.
    known: Vec<SocketAddr>,
    /// `None` = not by this task yet.
    looked_up: Option<Time>,
    /// Every known address has failed since.
    has_failed: bool,
    /// What was last reported as wrong.
    fault: Option<String>,
}

/// The trunks that are looked up change.
#[derive(Debug)]
pub(in crate::commands) enum LookupChange {
    /// In place of the one with its id.
    Watch(NamedTrunk),
    Forget(TrunkId),
}

impl NamedTrunk {
    /// `None` = the trunk is given by its address.
    pub fn of(settings: &TrunkConfig, parts: &TrunkParts) -> Option<NamedTrunk> {
        let uri = settings.address().ok()?;
        let is_named = uri.host.trim_matches(['[', ']']).parse::<IpAddr>().is_err();
        is_named.then(|| NamedTrunk {
            id: parts.limits.id,
            name: parts.limits.name.clone(),
            uri,
            known: parts.sip.also_from.clone(),
            looked_up: None,
            has_failed: false,
            fault: parts.not_found.clone(),
        })
    }

    fn due(&self) -> Time {
        let is_urgent = self.known.is_empty() || self.has_failed;
        let wait = if is_urgent { LOOK_UP_MISSING_EVERY } else { LOOK_UP_EVERY };
        self.looked_up.map_or(Time::ZERO, |at| at + wait)
    }

    /// Whether an answer has other addresses than are known. The order of equal SRV records is drawn, so it says nothing.
    fn differs(&self, found: &[SocketAddr]) -> bool {
        let set = |addresses: &[SocketAddr]| addresses.iter().copied().collect::<BTreeSet<_>>();
        set(&self.known) != set(found)
    }
}

impl TrunkLookup {
    pub fn of(config: &Config, parts: &[TrunkParts]) -> TrunkLookup {
        let (clock, listeners) = (Clock::start(), config.sip_listeners().unwrap_or_default());
        let known = config.known_trunks();
        let named = parts.iter().filter_map(|parts| {
            let trunk = NamedTrunk::of(&known.get(&parts.limits.name)?.settings, parts)?;
            Some(NamedTrunk { looked_up: Some(clock.now()), ..trunk })
        });
        let trunks = named.collect();
        let random = ChaCha8Rng::seed_from_u64(RandomState::new().hash_one(Clock::utc().as_millis()));
        TrunkLookup { trunks, listeners, random, clock }
    }

    /// Runs until the engine has stopped.
    pub async fn run(
        mut self,
        engine: EngineHandle,
        mut asked: mpsc::Receiver<TrunkId>,
        mut changes: mpsc::Receiver<LookupChange>,
    ) {
        loop {
            let next = self.trunks.iter().map(NamedTrunk::due).min();
            let wait = async {
                match next {
                    Some(next) => tokio::time::sleep_until(self.clock.instant(next).into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                trunk = asked.recv() => match trunk {
                    Some(id) => {
                        self.trunks.iter_mut().filter(|it| it.id == id).for_each(|it| it.has_failed = true);
                    }
                    None => return,
                },
                Some(change) = changes.recv() => self.take(change),
            }
            let now = self.clock.now();
            for place in 0..self.trunks.len() {
                if self.trunks[place].due() <= now {
                    self.look_up(place, &engine).await;
                }
            }
        }
    }

    fn take(&mut self, change: LookupChange) {
        let id = match &change {
            LookupChange::Watch(trunk) => trunk.id,
            LookupChange::Forget(id) => *id,
        };
        self.trunks.retain(|trunk| trunk.id != id);
        if let LookupChange::Watch(trunk) = change {
            self.trunks.push(NamedTrunk { looked_up: Some(self.clock.now()), ..trunk });
        }
    }

    /// A name that cannot be resolved any more keeps its addresses: the name server may be at fault.
    async fn look_up(&mut self, place: usize, engine: &EngineHandle) {
        let trunk = &mut self.trunks[place];
        let uri = trunk.uri.clone();
        let found = dns::resolve(&uri.host, uri.port, uri.transport, &mut self.random).await;
        (trunk.looked_up, trunk.has_failed) = (Some(self.clock.now()), false);
        let found = found.map_err(|error| error.to_string());
        let answer = found.and_then(|found| Ok((usable(&uri, &found, &self.listeners)?, found)));
        let (usable, found) = match answer {
            Ok(answer) => answer,
            Err(fault) => {
                if trunk.fault.as_ref() != Some(&fault) {
                    tracing::warn!(
                        trunk = trunk.name,
                        why = fault,
                        "the trunk's name cannot be looked up again"
                    );
                    trunk.fault = Some(fault);
                }
                return;
            }
        };
        trunk.fault = None;
        if trunk.differs(&found) {
            let peer = |address: &SocketAddr| Peer { transport: uri.transport, address: *address };
            let peers = usable.iter().map(peer).collect();
            trunk.known.clone_from(&found);
            engine.send(EngineRequest::SetTrunkAddresses { trunk: trunk.id, peers, sources: found }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_each_minute_and_every_five_seconds_while_nothing_works() {
        let addresses = |text: &[&str]| -> Vec<SocketAddr> {
            text.iter().map(|it| it.parse().expect("an address")).collect()
        };
        let now = Time::ZERO;
        let mut trunk = NamedTrunk {
            id: TrunkId(0),
            name: "main".into(),
            uri: TrunkUri::parse("sip:carrier.example", None).expect("a URI"),
            known: Vec::new(),
            looked_up: Some(now),
            has_failed: false,
            fault: None,
        };
        assert_eq!(trunk.due(), now + LOOK_UP_MISSING_EVERY);
        trunk.known = addresses(&["192.0.2.1:5060", "192.0.2.2:5060"]);
        assert_eq!(trunk.due(), now + LOOK_UP_EVERY);
        trunk.has_failed = true;
        assert_eq!(trunk.due(), now + LOOK_UP_MISSING_EVERY);
        assert!(!trunk.differs(&addresses(&["192.0.2.2:5060", "192.0.2.1:5060"])), "the order is drawn");
        assert!(trunk.differs(&addresses(&["192.0.2.2:5060"])));
    }
}
