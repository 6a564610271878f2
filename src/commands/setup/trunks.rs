//! The trunks of a run: those of the configuration, or the built-in simulated carrier.

use crate::commands::{Failure, carrier};
use crate::config::trunk_directory::KnownTrunk;
use crate::config::{Config, TrunkConfig, TrunkUri};
use crate::engine::{CertificateRule, TrunkParts};
use crate::net::clock::Clock;
use crate::net::dns;
use crate::output::error_line;
use crate::sim::near_service::NearService;
use crate::sim::serve::{self, CarrierOptions, RunningCarrier};
use paceline_core::campaign::{CalleePattern, SIMULATED_TRUNK, Trunk};
use paceline_core::ids::TrunkId;
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{Peer, SipTrunk, Transport};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `people` = file of simulated callees, `service` = where this service is reached from here.
pub(super) async fn start_simulated_carrier(
    people: Option<&Path>,
    service: Option<NearService>,
) -> Result<RunningCarrier, Failure> {
    let (people, people_dir) = carrier::people(people)?;
    let mut options = CarrierOptions::on_loopback(people);
    (options.people_dir, options.service) = (people_dir, service);
    serve::start(options).await.map_err(Failure::unexpected)
}

pub(super) fn simulated_trunk(id: TrunkId, running: &RunningCarrier) -> Result<TrunkParts, Failure> {
    let address = running
        .address(Transport::Udp)
        .ok_or_else(|| Failure::unexpected("the simulated carrier does not listen"))?;
    // No real phone rings, so numbers of every country are carried.
    let allow = Some(vec!["*".to_owned()]);
    let trunk = TrunkConfig { calls_max: 500, calls_per_sec: 50.0, allow, ..TrunkConfig::default() };
    let uri = TrunkUri { transport: Transport::Udp, host: "127.0.0.1".into(), port: Some(address.port()) };
    Ok(trunk_parts(id, SIMULATED_TRUNK, &trunk, &uri, &[address], &[address]))
}

/// The trunks that are known. One whose name has no address is not in use until [`super::trunk_lookup`] has found it.
///
/// # Errors
/// A trunk whose settings are wrong; without `may_wait`, also if no trunk has an address.
pub(super) async fn configured_trunks(config: &Config, may_wait: bool) -> Result<Vec<TrunkParts>, Failure> {
    let mut parts = Vec::new();
    for (name, trunk) in config.known_trunks() {
        match find_trunk(config, &name, &trunk).await {
            Ok(found) => parts.push(found),
            // A trunk that a person added must not keep the service from starting.
            Err(words) if !config.trunks.contains_key(&name) => {
                error_line!("warning: trunk {name}: {words}; it is left out");
            }
            Err(words) => return Err(Failure::usage(format!("trunk {name}: {words}"))),
        }
    }
    let reasons: Vec<String> = parts
        .iter()
        .filter_map(|trunk| Some(format!("trunk {}: {}", trunk.limits.name, trunk.not_found.as_ref()?)))
        .collect();
    if parts.is_empty() && !may_wait {
        return Err(Failure::usage("no trunk can be used; change the settings of one, or remove them all"));
    }
    if reasons.len() == parts.len() && !may_wait {
        return Err(Failure::usage(reasons.join("\n")));
    }
    for reason in reasons {
        error_line!("warning: {reason}; the trunk is not in use, and is looked up again every 5 s");
    }
    Ok(parts)
}

/// Looks a trunk up.
///
/// # Errors
/// Its address is none, or `[sip] listen` cannot reach it.
pub(super) async fn find_trunk(
    config: &Config,
    name: &str,
    trunk: &KnownTrunk,
) -> Result<TrunkParts, String> {
    let KnownTrunk { id, settings } = trunk;
    let said = |(found, hint): (String, String)| format!("{found}; {hint}");
    let listeners = config.sip_listeners().map_err(said)?;
    let uri = settings.address().map_err(said)?;
    // The order of equal SRV records is drawn anew each time.
    let mut random = ChaCha8Rng::seed_from_u64(RandomState::new().hash_one(Clock::utc().as_millis()));
    match dns::resolve(&uri.host, uri.port, uri.transport, &mut random).await {
        Ok(found) => {
            let usable = usable(&uri, &found, &listeners)?;
            Ok(trunk_parts(*id, name, settings, &uri, &usable, &found))
        }
        Err(error) => {
            let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
            let waiting = trunk_parts(*id, name, settings, &uri, &[nowhere], &[]);
            Ok(TrunkParts { not_found: Some(error.to_string()), ..waiting })
        }
    }
}

/// The addresses that our sockets reach, in their order. Media goes out in the family of the first one, so the
/// others of it follow and those of the other family do not.
///
/// # Errors
/// What is missing in `[sip] listen`.
pub(super) fn usable(
    uri: &TrunkUri,
    found: &[SocketAddr],
    listeners: &[(Transport, SocketAddr)],
) -> Result<Vec<SocketAddr>, String> {
    let word = match uri.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    };
    // Connections are made without a listener of their transport, but only in a family that we listen on.
    let listens = |address: &SocketAddr| {
        listeners.iter().any(|(transport, ours)| {
            ours.is_ipv6() == address.is_ipv6()
                && (uri.transport != Transport::Udp || *transport == Transport::Udp)
        })
    };
    let Some(first) = found.iter().find(|address| listens(address)) else {
        let (family, example) = match found.first() {
            Some(address) if address.is_ipv6() => ("IPv6", format!("{word}://[::]:5060")),
            _ => ("IPv4", format!("{word}://0.0.0.0:5060")),
        };
        return Err(format!(
            "{} is reached over {word} and {family}, and [sip] listen has no such address: add \"{example}\"",
            uri.host
        ));
    };
    Ok(found.iter().filter(|address| address.is_ipv6() == first.is_ipv6()).copied().collect())
}

/// `usable`, never empty: the destinations in their order. All of `found` are sources of the carrier.
fn trunk_parts(
    id: TrunkId,
    name: &str,
    trunk: &TrunkConfig,
    uri: &TrunkUri,
    usable: &[SocketAddr],
    found: &[SocketAddr],
) -> TrunkParts {
    let peer = |address: &SocketAddr| Peer { transport: uri.transport, address: *address };
    let host = if trunk.domain.is_empty() { uri.host_port() } else { trunk.domain.clone() };
    TrunkParts {
        limits: trunk_limits(id, name, trunk),
        sip: SipTrunk {
            alternates: usable[1..].iter().map(peer).collect(),
            also_from: found.to_vec(),
            from_domain: trunk.from_domain.clone(),
            username: trunk.username.clone(),
            password: trunk.password.clone(),
            realm: trunk.realm.clone(),
            caller_id_header: trunk.caller_id_header.into(),
            register: trunk.register,
            options: Duration::from_secs(u64::from(trunk.options_secs)),
            ..SipTrunk::new(id, peer(&usable[0]), host)
        },
        codecs: trunk.codecs.iter().map(|codec| Codec::from(*codec)).collect(),
        rtp_follow: trunk.rtp_follow.into(),
        dialplan: trunk.dialplan(),
        certificate: Some(CertificateRule {
            host: uri.host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            authorities: (!trunk.ca_file.is_empty()).then(|| PathBuf::from(&trunk.ca_file)),
        }),
        not_found: None,
    }
}

/// The limits and callee patterns of a trunk, as the dialer has them.
pub(in crate::commands) fn trunk_limits(id: TrunkId, name: &str, trunk: &TrunkConfig) -> Trunk {
    Trunk {
        id,
        name: name.to_owned(),
        calls_max: trunk.calls_max,
        calls_per_sec: trunk.calls_per_sec,
        setup: trunk.setup_secs.map(|secs| Duration::from_secs(u64::from(secs))),
        allow: patterns(trunk.allow.as_deref().unwrap_or_default()),
        deny: patterns(&trunk.deny),
    }
}

/// The patterns of `allow` or `deny`. What is none was refused when the configuration was read.
fn patterns(texts: &[String]) -> Vec<CalleePattern> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_families_that_we_listen_on_are_used_and_never_two_at_once() {
        let uri = TrunkUri::parse("sip:carrier.example", None).expect("a URI");
        let (v6, v4, v4_too) =
            (address("[2001:db8::1]:5060"), address("192.0.2.1:5060"), address("192.0.2.2:5060"));
        let listen = |texts: &[(Transport, &str)]| -> Vec<(Transport, SocketAddr)> {
            texts.iter().map(|(transport, text)| (*transport, address(text))).collect()
        };
        let both = listen(&[(Transport::Udp, "0.0.0.0:5060"), (Transport::Udp, "[::]:5060")]);
        let found = [v6, v4, v4_too];
        assert_eq!(usable(&uri, &found, &both), Ok(vec![v6]));
        assert_eq!(usable(&uri, &found, &both[..1]), Ok(vec![v4, v4_too]));
        let words = usable(&uri, &[v6], &both[..1]).expect_err("IPv4 alone");
        assert!(words.contains("udp://[::]:5060"), "{words}");
        let tcp = listen(&[(Transport::Tcp, "0.0.0.0:5060")]);
        let words = usable(&uri, &[v4], &tcp).expect_err("TCP alone");
        assert!(words.contains("udp://0.0.0.0:5060"), "{words}");
        let over_tls = TrunkUri::parse("sip:carrier.example;transport=tls", None).expect("a URI");
        assert_eq!(usable(&over_tls, &[v4], &both), Ok(vec![v4]));
    }
}
