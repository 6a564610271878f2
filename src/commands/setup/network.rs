//! Opens SIP sockets and media ports, and finds the addresses under which carriers and phones reach them.

use crate::commands::Failure;
use crate::config::Config;
use crate::console::PhoneSettings;
use crate::engine::TrunkParts;
use crate::net::clock::Clock;
use crate::net::rtp::{MediaConfig, MediaEvent, MediaServer};
use crate::net::sip::{SipEvent, SipSocketConfig, SipSockets, TlsConfig};
use paceline_core::sip::user_agent::{Incoming, RegistrarConfig, Transport, UaConfig};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
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
    pub media_address: IpAddr,
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
        for trunk in trunks {
            sockets.trust([trunk.sip.peer.address.ip()]);
            for address in &trunk.sip.also_from {
                sockets.trust([address.ip()]);
            }
            // TLS: the certificate must match the configured host.
            let (host, _) = trunk.sip.host.rsplit_once(':').unwrap_or((&trunk.sip.host, ""));
            sockets.require_certificate_name(trunk.sip.peer.address, host);
        }
        let own = own_address(config, trunks);
        let sent_by = sockets
            .addresses()
            .iter()
            .map(|(transport, address)| {
                let ip = if address.ip().is_unspecified() { own } else { address.ip() };
                let ip = config.sip.external_address.parse().unwrap_or(ip);
                (*transport, SocketAddr::new(ip, address.port()).to_string())
            })
            .collect();
        let (media_sender, media_events) = mpsc::unbounded_channel();
        let [first, last] = config.rtp.ports;
        let media = MediaServer::start(
            MediaConfig {
                bind: if own.is_loopback() { own } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) },
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
        let media_address = config.sip.external_address.parse().unwrap_or(own);
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

/// The local address from which the first trunk is reached, by the routing table; nothing is sent.
fn own_address(config: &Config, trunks: &[TrunkParts]) -> IpAddr {
    let trunk = trunks.first().map(|trunk| trunk.sip.peer.address);
    let routed = trunk.and_then(|address| {
        let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { "::".parse().ok()? };
        let probe = UdpSocket::bind((any, 0)).ok()?;
        probe.connect(address).ok()?;
        Some(probe.local_addr().ok()?.ip())
    });
    let listening = config.sip_listeners().ok().and_then(|all| all.first().map(|(_, address)| address.ip()));
    routed.or(listening.filter(|ip| !ip.is_unspecified())).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
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
