//! SIP transport: UDP, TCP and TLS sockets that exchange bytes with peer addresses. Messages are not parsed
//! beyond finding their end on a stream.

mod tcp;
mod tls;
mod udp;
mod untrusted_limits;

pub use tls::TlsConfig;

use paceline_core::sip::user_agent::{Peer, Transport};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use untrusted_limits::UntrustedLimits;

/// An event from the sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SipEvent {
    /// A datagram, or one message from a stream.
    Message { from: Peer, bytes: Vec<u8> },
    /// The connection to this peer failed or was closed, or the peer cannot be reached (RFC 3261 section
    /// 18.4).
    Failed { peer: Peer },
}

/// Settings used when the sockets are bound.
#[derive(Clone, Debug)]
pub struct SipSocketConfig {
    /// Port 0 = any free port. With several sockets of one address family the first one sends.
    pub listen: Vec<(Transport, SocketAddr)>,
    /// Messages per second from one untrusted socket (ten times that from one address, fifty times from all
    /// untrusted sources together); `None` = every source is trusted.
    pub untrusted_per_sec: Option<NonZeroU32>,
    /// Most open connections, outgoing and incoming.
    pub connections_max: usize,
    /// An untrusted connection is closed this long after its last whole message, any connection this long after
    /// the start of a message that does not become whole. A connection to us is trusted from its first message on.
    pub idle: Duration,
    /// Our certificate; required to listen on TLS.
    pub tls: Option<TlsConfig>,
    /// PEM file with the certificate authorities for trunks over TLS; `None` = the public ones.
    pub authorities: Option<PathBuf>,
}

impl SipSocketConfig {
    pub fn new(listen: Vec<(Transport, SocketAddr)>) -> Self {
        SipSocketConfig {
            listen,
            untrusted_per_sec: NonZeroU32::new(20),
            connections_max: 1_000,
            idle: Duration::from_secs(60),
            tls: None,
            authorities: None,
        }
    }
}

/// Totals since the sockets were bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SipSocketTotals {
    pub received: u64,
    pub sent: u64,
    /// Messages above the limits for untrusted sources, and refused connections.
    pub refused: u64,
    /// Messages dropped because a queue to the engine or to a peer was full.
    pub dropped: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SipSocketError {
    #[error("cannot listen for SIP on {transport:?} {address}: {source}")]
    Bind { transport: Transport, address: SocketAddr, source: io::Error },
    #[error("SIP over TLS: {0}")]
    Tls(String),
    #[error("the certificate file {} cannot be used: {why}", file.display())]
    Certificate { file: PathBuf, why: String },
    #[error("no SIP socket to listen on")]
    Nothing,
}

#[derive(Debug, Default)]
struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// State shared by the socket tasks.
#[derive(Clone, Debug)]
struct Shared {
    inbound: mpsc::Sender<SipEvent>,
    untrusted_limits: Arc<UntrustedLimits>,
    counters: Arc<Counters>,
}

impl Shared {
    /// Reports a failure from code that cannot wait.
    fn fail(&self, peer: Peer) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.inbound.try_send(SipEvent::Failed { peer })
        {
            let inbound = self.inbound.clone();
            tokio::spawn(async move { inbound.send(event).await });
        }
    }
}

/// The SIP sockets. Dropping them closes everything.
#[derive(Debug)]
pub struct SipSockets {
    addresses: Vec<(Transport, SocketAddr)>,
    udp: Vec<udp::UdpPort>,
    tcp: tcp::Connections,
    tls: tcp::Connections,
    names: tls::Tls,
    shared: Shared,
    tasks: Vec<AbortHandle>,
}

impl SipSockets {
    /// Binds all of `listen`; received messages go to `inbound`. When it is full, datagrams are dropped
    /// (SIP retransmits them) and streams wait.
    pub async fn bind(
        config: SipSocketConfig,
        inbound: mpsc::Sender<SipEvent>,
    ) -> Result<SipSockets, SipSocketError> {
        if config.listen.is_empty() {
            return Err(SipSocketError::Nothing);
        }
        let shared = Shared {
            inbound,
            untrusted_limits: Arc::new(UntrustedLimits::new(config.untrusted_per_sec)),
            counters: Arc::default(),
        };
        let names = tls::Tls::new(config.tls.as_ref(), config.authorities.as_deref())?;
        let (most, idle) = (config.connections_max, config.idle);
        let tcp = tcp::Connections::new(shared.clone(), None, most, idle);
        let tls = tcp::Connections::new(shared.clone(), Some(names.clone()), most, idle);
        let (addresses, udp, tasks) = (Vec::new(), Vec::new(), Vec::new());
        let mut sockets = SipSockets { addresses, udp, tcp, tls, names, shared, tasks };
        if config.listen.iter().any(|(transport, _)| *transport == Transport::Tls) && config.tls.is_none() {
            return Err(SipSocketError::Tls("listening needs a certificate".into()));
        }
        for (transport, address) in config.listen {
            sockets.listen(transport, address).await.map_err(|source| SipSocketError::Bind {
                transport,
                address,
                source,
            })?;
        }
        Ok(sockets)
    }

    async fn listen(&mut self, transport: Transport, address: SocketAddr) -> io::Result<()> {
        let bound = match transport {
            Transport::Udp => {
                let (port, task) = udp::UdpPort::bind(address, self.shared.clone())?;
                let bound = port.address();
                self.udp.push(port);
                self.tasks.extend(task);
                bound
            }
            Transport::Tcp | Transport::Tls => {
                let connections = if transport == Transport::Tls { &self.tls } else { &self.tcp };
                let (bound, task) = connections.listen(address).await?;
                self.tasks.push(task);
                bound
            }
        };
        self.addresses.push((transport, bound));
        Ok(())
    }

    /// The bound addresses, ports filled in, in the order of `listen`.
    pub fn addresses(&self) -> &[(Transport, SocketAddr)] {
        &self.addresses
    }

    /// Trusts these addresses (trunks): no rate limit and no idle time-out.
    pub fn trust(&self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.shared.untrusted_limits.trust(addresses);
    }

    /// Replaces the set of registered phones: each has a rate limit of its own and keeps its connection.
    /// Call it whenever the set changes.
    pub fn set_phones(&self, phones: BTreeSet<Peer>) {
        self.shared.untrusted_limits.set_phones(phones);
    }

    /// Requires a TLS certificate for `host` (the trunk's configured name) from this address.
    pub fn require_certificate_name(&self, address: SocketAddr, host: &str) {
        self.names.expect(address, host);
    }

    /// Accepts only certificates of this peer that are signed by the authorities of a PEM file.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn use_authorities(&self, address: SocketAddr, authorities: &Path) -> Result<(), SipSocketError> {
        self.names.believe(address, authorities)
    }

    /// Sends bytes without waiting. A failure to send is reported as `Failed`.
    pub fn send(&self, to: Peer, bytes: Vec<u8>) {
        match to.transport {
            Transport::Udp => match self.udp.iter().find(|port| port.reaches(to.address)) {
                Some(port) => port.send(to.address, bytes),
                None => self.shared.fail(to),
            },
            Transport::Tcp => self.tcp.send(to.address, bytes),
            Transport::Tls => self.tls.send(to.address, bytes),
        }
    }

    pub fn totals(&self) -> SipSocketTotals {
        let counters = &self.shared.counters;
        SipSocketTotals {
            received: counters.received.load(Ordering::Relaxed),
            sent: counters.sent.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
        }
    }
}

impl Drop for SipSockets {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.tcp.close();
        self.tls.close();
    }
}

#[cfg(test)]
mod tests;
