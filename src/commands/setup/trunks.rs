//! The trunks of a run: those of the configuration, or the built-in simulated carrier.

use crate::commands::{Failure, carrier};
use crate::config::{Config, TrunkConfig, TrunkUri};
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
    let uri = TrunkUri { transport: Transport::Udp, host: "127.0.0.1".into(), port: Some(address.port()) };
    Ok(trunk_parts(TrunkId(0), SIMULATED_TRUNK, &trunk, &uri, vec![address]))
}

pub(super) async fn configured_trunks(config: &Config) -> Result<Vec<TrunkParts>, Failure> {
    let mut parts = Vec::new();
    for (place, (name, trunk)) in config.trunks.iter().enumerate() {
        let uri = trunk.address().map_err(|(found, hint)| Failure::usage(format!("{found}; {hint}")))?;
        let port = uri.port.unwrap_or(uri.default_port());
        let addresses: Vec<SocketAddr> = match uri.address() {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => tokio::net::lookup_host((uri.host.as_str(), port))
                .await
                .map_err(|error| {
                    Failure::usage(format!("trunk {name}: {} has no address: {error}", uri.host))
                })?
                .collect(),
        };
        if addresses.is_empty() {
            return Err(Failure::usage(format!("trunk {name}: {} has no address", uri.host)));
        }
        parts.push(trunk_parts(TrunkId(place as u16), name, trunk, &uri, addresses));
    }
    Ok(parts)
}

/// `addresses`, never empty: the first is where requests go, the others are further sources of the carrier.
fn trunk_parts(
    id: TrunkId,
    name: &str,
    trunk: &TrunkConfig,
    uri: &TrunkUri,
    addresses: Vec<SocketAddr>,
) -> TrunkParts {
    let peer = Peer { transport: uri.transport, address: addresses[0] };
    let host = if trunk.domain.is_empty() { uri.host_port() } else { trunk.domain.clone() };
    TrunkParts {
        limits: Trunk {
            id,
            name: name.to_owned(),
            calls_max: trunk.calls_max,
            calls_per_sec: trunk.calls_per_sec,
            allow: trunk.allow.clone(),
        },
        sip: SipTrunk {
            also_from: addresses[1..].to_vec(),
            from_domain: trunk.from_domain.clone(),
            username: trunk.username.clone(),
            password: trunk.password.clone(),
            realm: trunk.realm.clone(),
            caller_id_header: trunk.caller_id_header.into(),
            register: trunk.register,
            options: Duration::from_secs(u64::from(trunk.options_secs)),
            ..SipTrunk::new(id, peer, host)
        },
        codecs: trunk.codecs.iter().map(|codec| Codec::from(*codec)).collect(),
        dialplan: trunk.dialplan(),
    }
}
