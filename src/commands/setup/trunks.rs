//! The trunks of a run: those of the configuration, or the built-in simulated carrier.

use crate::commands::{Failure, carrier};
use crate::config::{Config, TrunkConfig};
use crate::engine::TrunkParts;
use crate::sim::serve::{self, CarrierOptions, RunningCarrier};
use crate::store::SIMULATED_TRUNK;
use paceline_core::campaign::Trunk;
use paceline_core::ids::TrunkId;
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{Peer, SipTrunk, Transport};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub(super) async fn start_simulated_carrier(people: Option<&Path>) -> Result<RunningCarrier, Failure> {
    let (people, people_dir) = carrier::people(people)?;
    let mut options = CarrierOptions::on_loopback(people);
    options.people_dir = people_dir;
    let running = serve::start(options).await.map_err(Failure::unexpected)?;
    eprintln!("no trunk is configured: calling the built-in simulated carrier, no real phone rings");
    Ok(running)
}

pub(super) fn simulated_trunk(running: &RunningCarrier) -> Result<TrunkParts, Failure> {
    let address = running
        .address(Transport::Udp)
        .ok_or_else(|| Failure::unexpected("the simulated carrier does not listen"))?;
    let trunk = TrunkConfig { calls_max: 500, calls_per_sec: 50.0, ..TrunkConfig::default() };
    Ok(trunk_parts(TrunkId(0), SIMULATED_TRUNK, &trunk, "127.0.0.1", vec![address]))
}

pub(super) async fn configured_trunks(config: &Config) -> Result<Vec<TrunkParts>, Failure> {
    let mut parts = Vec::new();
    for (place, (name, trunk)) in config.trunks.iter().enumerate() {
        let (host, port) = trunk.carrier_host().map_err(Failure::usage)?;
        let looked_up = tokio::net::lookup_host((host.as_str(), port.unwrap_or(default_port(trunk)))).await;
        let addresses: Vec<SocketAddr> = looked_up
            .map_err(|error| Failure::usage(format!("trunk {name}: {host} has no address: {error}")))?
            .collect();
        if addresses.is_empty() {
            return Err(Failure::usage(format!("trunk {name}: {host} has no address")));
        }
        parts.push(trunk_parts(TrunkId(place as u16), name, trunk, &host, addresses));
    }
    Ok(parts)
}

/// `addresses`, never empty: the first is where requests go, the others are further sources of the carrier.
fn trunk_parts(
    id: TrunkId,
    name: &str,
    trunk: &TrunkConfig,
    host: &str,
    addresses: Vec<SocketAddr>,
) -> TrunkParts {
    let peer = Peer { transport: trunk.transport.into(), address: addresses[0] };
    let port = addresses[0].port();
    TrunkParts {
        limits: trunk_limits(id, name, trunk),
        sip: SipTrunk {
            id,
            peer,
            also_from: addresses[1..].to_vec(),
            host: if port == default_port(trunk) { host.to_owned() } else { format!("{host}:{port}") },
            from_domain: trunk.from_domain.clone(),
            username: trunk.username.clone(),
            password: trunk.password.clone(),
            register: trunk.register,
            options: Duration::from_secs(u64::from(trunk.options_secs)),
        },
        codecs: trunk.codecs.iter().map(|codec| Codec::from(*codec)).collect(),
        strip_prefix: trunk.strip_prefix.clone(),
        add_prefix: trunk.add_prefix.clone(),
    }
}

/// The limits and callee patterns of a trunk, as the dialer has them.
pub(in crate::commands) fn trunk_limits(id: TrunkId, name: &str, trunk: &TrunkConfig) -> Trunk {
    Trunk {
        id,
        name: name.to_owned(),
        calls_max: trunk.calls_max,
        calls_per_sec: trunk.calls_per_sec,
        allow: trunk.allow.clone(),
    }
}

/// RFC 3261 section 19.1.2: 5061 for TLS, else 5060.
fn default_port(trunk: &TrunkConfig) -> u16 {
    if Transport::from(trunk.transport) == Transport::Tls { 5061 } else { 5060 }
}
