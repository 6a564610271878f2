//! A UDP socket for SIP: receives in batches, sends at once if the kernel buffer has room.

use super::{Counters, Shared, SipEvent};
use paceline_core::sip::user_agent::{Peer, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Kernel buffer in bytes: a burst of responses must fit while the engine is busy; the default of 208 KiB
/// lost some.
const KERNEL_BUFFER: usize = 4 << 20;
const DATAGRAM_MAX: usize = 65_535;
/// Most datagrams queued for room in the kernel buffer.
const QUEUE_MAX: usize = 4_096;
/// Datagrams received before yielding to other tasks.
const BATCH: usize = 128;

#[derive(Debug)]
pub struct UdpPort {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
    waiting: mpsc::Sender<(SocketAddr, Vec<u8>)>,
    /// While any datagram is queued, later ones queue behind it: BYE must not overtake its ACK.
    waiting_count: Arc<AtomicUsize>,
    shared: Shared,
}

impl UdpPort {
    pub fn bind(address: SocketAddr, shared: Shared) -> io::Result<(UdpPort, [AbortHandle; 2])> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The kernel silently caps these at its own limit.
        socket.set_recv_buffer_size(KERNEL_BUFFER)?;
        socket.set_send_buffer_size(KERNEL_BUFFER)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = Arc::new(UdpSocket::from_std(socket.into())?);
        let (waiting, queue) = mpsc::channel(QUEUE_MAX);
        let waiting_count = Arc::new(AtomicUsize::new(0));
        let receiver = tokio::spawn(receive(socket.clone(), shared.clone()));
        let sender = tokio::spawn(send_waiting(socket.clone(), queue, waiting_count.clone(), shared.clone()));
        let address = socket.local_addr()?;
        let tasks = [receiver.abort_handle(), sender.abort_handle()];
        Ok((UdpPort { socket, address, waiting, waiting_count, shared }, tasks))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether this socket can send to `address`.
    pub fn reaches(&self, address: SocketAddr) -> bool {
        let local = self.address.ip();
        let same_family = local.is_ipv4() == address.is_ipv4();
        same_family && (local.is_unspecified() || local.is_loopback() == address.ip().is_loopback())
    }

    pub fn send(&self, to: SocketAddr, bytes: Vec<u8>) {
        if self.waiting_count.load(Ordering::Acquire) == 0 {
            match self.socket.try_send_to(&bytes, to) {
                Ok(_) => return Counters::add(&self.shared.counters.sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.shared.fail(Peer { transport: Transport::Udp, address: to }),
            }
        }
        self.waiting_count.fetch_add(1, Ordering::AcqRel);
        if self.waiting.try_send((to, bytes)).is_err() {
            self.waiting_count.fetch_sub(1, Ordering::AcqRel);
            Counters::add(&self.shared.counters.dropped);
        }
    }
}

async fn send_waiting(
    socket: Arc<UdpSocket>,
    mut queue: mpsc::Receiver<(SocketAddr, Vec<u8>)>,
    waiting_count: Arc<AtomicUsize>,
    shared: Shared,
) {
    while let Some((to, bytes)) = queue.recv().await {
        match socket.send_to(&bytes, to).await {
            Ok(_) => Counters::add(&shared.counters.sent),
            Err(_) => shared.fail(Peer { transport: Transport::Udp, address: to }),
        }
        waiting_count.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn receive(socket: Arc<UdpSocket>, shared: Shared) {
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        if socket.readable().await.is_err() {
            return;
        }
        for _ in 0..BATCH {
            match socket.try_recv_from(&mut buffer) {
                Ok((length, address)) => take(&shared, address, &buffer[..length]),
                // The ICMP error of an earlier datagram may surface here: nothing was received, continue.
                Err(_) => break,
            }
        }
        if shared.inbound.is_closed() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn take(shared: &Shared, address: SocketAddr, bytes: &[u8]) {
    // A lone CRLF is a keep-alive (RFC 5626 section 4.4.1); over UDP it needs no reply.
    if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return;
    }
    let from = Peer { transport: Transport::Udp, address };
    if !shared.untrusted_limits.admit(from) {
        return Counters::add(&shared.counters.refused);
    }
    let message = SipEvent::Message { from, bytes: bytes.to_vec() };
    match shared.inbound.try_send(message) {
        Ok(()) => Counters::add(&shared.counters.received),
        Err(_) => Counters::add(&shared.counters.dropped),
    }
}
