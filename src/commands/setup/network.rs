//! Opens SIP sockets and media ports, and finds the addresses under which carriers and phones reach them.

use crate::commands::Failure;
use crate::config::Config;
use crate::console::PhoneSettings;
use crate::engine::{MediaAddresses, TrunkParts};
use crate::net::clock::Clock;
use crate::net::rtp::{MediaConfig, MediaEvent, MediaServer};
use crate::net::sip::{SipEvent, SipSocketConfig, SipSockets, TlsConfig};
use paceline_core::sip::user_agent::{Incoming, RegistrarConfig, Transport, UaConfig};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// Capacity of the queue of SIP messages to the engine.
const SIP_WAITING_MAX: usize = 8_192;

/// SIP sockets, media threads and the user agent's configuration.
pub(super) struct Network {
    pub sockets: SipSockets,
    pub sip_events: mpsc::Receiver<SipEvent>,
    pub media: MediaServer,
    pub media_events: mpsc::UnboundedReceiver<MediaEvent>,
    pub media_address: MediaAddresses,
    pub ua: UaConfig,
}

impl Network {
    pub async fn open(config: &Config, trunks: &[TrunkParts], loopback: bool) -> Result<Network, Failure> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = match loopback {
            true => vec![(Transport::Udp, any), (Transport::Tcp, any)],
            false => {
                config.sip_listeners().map_err(|(found, hint)| Failure::usage(format!("{found}; {hint}")))?
            }
        };
        let (inbound, sip_events) = mpsc::channel(SIP_WAITING_MAX);
        let mut sip = SipSocketConfig::new(listen);
        if sip.listen.iter().any(|(transport, _)| *transport == Transport::Tls) {
            sip.tls = Some(certificate(config)?);
        }
        let sockets = SipSockets::bind(sip, inbound).await.map_err(Failure::usage)?;
        for trunk in trunks.iter().filter(|trunk| trunk.not_found.is_none()) {
            let peers: Vec<_> = [trunk.sip.peer].into_iter().chain(trunk.sip.alternates.clone()).collect();
            trunk
                .admit(&sockets, &peers, &trunk.sip.also_from)
                .map_err(|error| Failure::usage(format!("trunk {}: {error}", trunk.limits.name)))?;
        }
        let own = own_address(config, trunks, None);
        let other = sockets.addresses().iter().any(|(_, address)| address.is_ipv6() != own.is_ipv6());
        let other = other.then(|| own_address(config, trunks, Some(!own.is_ipv6())));
        let own = MediaAddresses { first: own, second: other };
        let external = config.sip.external_address.parse::<IpAddr>().ok();
        // The external address stands for ours of its family.
        let as_seen = |ip: IpAddr| external.filter(|seen| seen.is_ipv6() == ip.is_ipv6()).unwrap_or(ip);
        let sent_by = sockets
            .addresses()
            .iter()
            .map(|(transport, address)| {
                let ip =
                    if address.ip().is_unspecified() { own.near(Some(address.ip())) } else { address.ip() };
                (*transport, SocketAddr::new(as_seen(ip), address.port()).to_string())
            })
            .collect();
        let (media_sender, media_events) = mpsc::unbounded_channel();
        let [first, last] = config.rtp.ports;
        let media = MediaServer::start(
            MediaConfig {
                bind: match own.first {
                    own if own.is_loopback() => own,
                    IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                    IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
                },
                ports: first..=last,
                threads: 1,
                silence: Duration::from_secs(30),
            },
            move |event| {
                // The engine stops before the media threads; later events are dropped.
                let _ = media_sender.send(event);
            },
        )
        .map_err(Failure::unexpected)?;
        // Tags, branches and cnonces are derived from it, so it must be unpredictable.
        let seed = RandomState::new().hash_one(Clock::utc().as_millis());
        let ua = UaConfig {
            sent_by,
            product: concat!("Paceline/", env!("CARGO_PKG_VERSION")).into(),
            seed,
            incoming: Incoming::Trunks,
            registrar: Some(RegistrarConfig::new(&config.sip.domain)),
        };
        let media_address = MediaAddresses { first: as_seen(own.first), second: own.second.map(as_seen) };
        Ok(Network { sockets, sip_events, media, media_events, media_address, ua })
    }
}

/// The TLS certificate of the listening socket: the configured one, or a self-signed one for trials.
fn certificate(config: &Config) -> Result<TlsConfig, Failure> {
    let sip = &config.sip;
    let tls = match (sip.tls_cert.as_str(), sip.tls_key.as_str()) {
        ("", "") => {
            let store = config.store.file();
            let dir = store.parent().unwrap_or(Path::new("")).join("tls");
            let names = [sip.domain.as_str(), sip.external_address.as_str(), "localhost", "127.0.0.1"];
            let names: Vec<String> =
                names.iter().filter(|name| !name.is_empty()).map(|name| (*name).to_owned()).collect();
            TlsConfig::self_signed(&dir, &names).map_err(Failure::usage)?
        }
        (cert, key) => TlsConfig { cert: cert.into(), key: key.into() },
    };
    tls.check().map_err(Failure::usage)?;
    Ok(tls)
}

/// The local address from which the first trunk is reached, by the routing table; nothing is sent. With `family`
/// (whether it is IPv6), of the first trunk of that family.
fn own_address(config: &Config, trunks: &[TrunkParts], family: Option<bool>) -> IpAddr {
    let fits = |address: &SocketAddr| family.is_none_or(|is_ipv6| address.is_ipv6() == is_ipv6);
    let found =
        || trunks.iter().filter(|trunk| trunk.not_found.is_none()).map(|trunk| trunk.sip.peer.address);
    let far = found().find(&fits);
    // Without a trunk there: an address of the documentation, which the default route leads to.
    let far = far.or_else(|| match family {
        Some(true) => Some(SocketAddr::new("2001:db8::1".parse().ok()?, 5060)),
        Some(false) => Some(SocketAddr::from(([192, 0, 2, 1], 5060))),
        None => None,
    });
    let routed = far.and_then(|address| {
        let any: IpAddr =
            if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let probe = UdpSocket::bind((any, 0)).ok()?;
        probe.connect(address).ok()?;
        Some(probe.local_addr().ok()?.ip())
    });
    let listeners = config.sip_listeners().unwrap_or_default();
    let listening = listeners.iter().map(|(_, address)| *address).find(&fits).map(|address| address.ip());
    let loopback = match family {
        Some(true) => Ipv6Addr::LOCALHOST.into(),
        _ => Ipv4Addr::LOCALHOST.into(),
    };
    let set = listening.filter(|ip| !ip.is_unspecified());
    // A trunk tells the address that reaches it; without one of the family, what is configured is nearer.
    let by_trunk = routed.filter(|_| family.is_none() || found().any(|address| fits(&address)));
    by_trunk.or(set).or(routed).unwrap_or(loopback)
}

/// The address at which agents' phones register: UDP before TCP before TLS.
pub(super) fn phone_line(config: &Config, ua: &UaConfig) -> PhoneSettings {
    let order = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp"), (Transport::Tls, "tls")];
    let listening = order.into_iter().find_map(|(transport, word)| {
        let (_, address) = ua.sent_by.iter().find(|(listens, _)| *listens == transport)?;
        Some((word, address.clone()))
    });
    let (transport, proxy) = listening.unwrap_or_default();
    PhoneSettings { domain: config.sip.domain.clone(), proxy, transport: transport.into() }
}
