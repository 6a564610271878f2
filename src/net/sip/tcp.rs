//! TCP and TLS connections for SIP: one per peer, used in both directions whichever side opened it, with a
//! bounded send queue.

use super::tls::Tls;
use super::{Counters, Shared, SipEvent};
use paceline_core::sip::frame::{Frame, StreamFramer};
use paceline_core::sip::user_agent::{Peer, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Messages queued for a slow peer before the connection is closed.
const QUEUE_MAX: usize = 1_024;
/// Time-out of connecting, of the TLS handshake and of one write.
const IO_TIMEOUT: Duration = Duration::from_secs(10);
/// Most untrusted connections of one address; one more closes its oldest.
const PER_UNTRUSTED: usize = 64;

/// A TCP or TLS stream.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

#[derive(Clone, Debug)]
pub struct Connections {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    open: Mutex<HashMap<SocketAddr, Open>>,
    shared: Shared,
    /// `None` = plain TCP.
    tls: Option<Tls>,
    connections_max: usize,
    idle: Duration,
    serial: AtomicU64,
}

#[derive(Debug)]
struct Open {
    /// Distinguishes a connection from a later one to the same address.
    serial: u64,
    queue: mpsc::Sender<Vec<u8>>,
    task: AbortHandle,
    /// We opened it, or a whole message came over it. Until then no source is trusted with it.
    has_spoken: bool,
}

/// What became of the bytes that were read.
enum Taken {
    /// No whole message.
    Nothing,
    Message,
    /// The connection is to be closed.
    Closed,
}

impl Connections {
    pub fn new(shared: Shared, tls: Option<Tls>, connections_max: usize, idle: Duration) -> Self {
        let (open, serial) = (Mutex::default(), AtomicU64::new(0));
        Connections { inner: Arc::new(Inner { open, shared, tls, connections_max, idle, serial }) }
    }

    pub async fn listen(&self, address: SocketAddr) -> io::Result<(SocketAddr, AbortHandle)> {
        let listener = bind(address)?;
        let bound = listener.local_addr()?;
        let task = tokio::spawn(accept(self.inner.clone(), listener));
        Ok((bound, task.abort_handle()))
    }

    pub fn send(&self, to: SocketAddr, bytes: Vec<u8>) {
        let mut open = self.inner.open();
        let refused = match open.get(&to) {
            Some(connection) => connection.queue.try_send(bytes).err(),
            None if open.len() >= self.inner.connections_max => Some(mpsc::error::TrySendError::Full(bytes)),
            None => {
                let (queue, waiting) = mpsc::channel(QUEUE_MAX);
                let first = queue.try_send(bytes).err();
                Inner::start(&self.inner, &mut open, to, queue, true, |inner, serial| {
                    tokio::spawn(inner.connect(to, waiting, serial)).abort_handle()
                });
                first
            }
        };
        if refused.is_some() {
            Counters::add(&self.inner.shared.counters.dropped);
            if let Some(stuck) = open.remove(&to) {
                stuck.task.abort();
            }
            drop(open);
            self.inner.shared.fail(self.inner.peer(to));
        }
    }

    pub fn close(&self) {
        for (_, connection) in self.inner.open().drain() {
            connection.task.abort();
        }
    }
}

/// Binds a listening socket. One on `[::]` leaves IPv4 to a socket of its own.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    TcpListener::from_std(socket.into())
}

async fn accept(inner: Arc<Inner>, listener: TcpListener) {
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            // Probably out of file descriptors: wait for connections to close.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut open = inner.open();
        if !inner.make_room(&mut open, address) {
            Counters::add(&inner.shared.counters.refused);
            continue;
        }
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        Inner::start(&inner, &mut open, address, queue, false, |inner, serial| {
            tokio::spawn(inner.accepted(stream, address, waiting, serial)).abort_handle()
        });
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, HashMap<SocketAddr, Open>> {
        // A poisoned lock still guards a valid table: no code panics while holding it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn peer(&self, address: SocketAddr) -> Peer {
        let transport = if self.tls.is_some() { Transport::Tls } else { Transport::Tcp };
        Peer { transport, address }
    }

    /// Makes room for one more connection, if necessary by closing the oldest untrusted one, those first that
    /// never sent a whole message; an address at its own limit loses one of its own.
    fn make_room(&self, open: &mut HashMap<SocketAddr, Open>, address: SocketAddr) -> bool {
        let limits = &self.shared.untrusted_limits;
        let strange = |known: &SocketAddr, connection: &Open| {
            !limits.knows(self.peer(*known)) && (!connection.has_spoken || !limits.trusts(self.peer(*known)))
        };
        let near = |known: &SocketAddr| known.ip() == address.ip();
        let neighbours = open.iter().filter(|(known, connection)| near(known) && strange(known, connection));
        let crowded = neighbours.count() >= PER_UNTRUSTED;
        let full = open.len() >= self.connections_max;
        if !crowded && !full {
            return true;
        }
        let leaving = open
            .iter()
            .filter(|(known, connection)| strange(known, connection) && (near(known) || !crowded))
            .min_by_key(|(_, connection)| (connection.has_spoken, connection.serial));
        let Some(oldest) = leaving.map(|(known, _)| *known) else { return false };
        if let Some(connection) = open.remove(&oldest) {
            connection.task.abort();
            self.shared.fail(self.peer(oldest));
        }
        true
    }

    fn start(
        inner: &Arc<Inner>,
        open: &mut HashMap<SocketAddr, Open>,
        address: SocketAddr,
        queue: mpsc::Sender<Vec<u8>>,
        is_ours: bool,
        spawn: impl FnOnce(Arc<Inner>, u64) -> AbortHandle,
    ) {
        let serial = inner.serial.fetch_add(1, Ordering::Relaxed);
        let task = spawn(inner.clone(), serial);
        if let Some(old) = open.insert(address, Open { serial, queue, task, has_spoken: is_ours }) {
            old.task.abort();
        }
    }

    async fn connect(self: Arc<Self>, to: SocketAddr, waiting: mpsc::Receiver<Vec<u8>>, serial: u64) {
        let Ok(Ok(stream)) = tokio::time::timeout(IO_TIMEOUT, TcpStream::connect(to)).await else {
            return self.closed(to, serial).await;
        };
        // A SIP message is one write, so Nagle's delay does not help. A failure here only costs delay.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.serve(stream, to, waiting, serial).await };
        let (connector, name) = tls.client(to);
        match tokio::time::timeout(IO_TIMEOUT, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => self.serve(stream, to, waiting, serial).await,
            Ok(Err(error)) => {
                tracing::warn!(%to, %error, "no TLS with this peer");
                self.closed(to, serial).await;
            }
            Err(_) => self.closed(to, serial).await,
        }
    }

    async fn accepted(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        waiting: mpsc::Receiver<Vec<u8>>,
        serial: u64,
    ) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.serve(stream, address, waiting, serial).await };
        let Some(acceptor) = tls.acceptor.clone() else { return self.closed(address, serial).await };
        match tokio::time::timeout(IO_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, address, waiting, serial).await,
            Ok(Err(_)) | Err(_) => self.closed(address, serial).await,
        }
    }

    async fn serve(
        self: Arc<Self>,
        mut stream: impl Stream,
        address: SocketAddr,
        mut waiting: mpsc::Receiver<Vec<u8>>,
        serial: u64,
    ) {
        let mut framer = StreamFramer::new();
        let mut buffer = vec![0; 16 * 1024];
        // A whole message keeps a connection; keep-alives and parts of messages do not.
        let mut last_message = Instant::now();
        let mut part_since: Option<Instant> = None;
        loop {
            let may_idle = self.may_idle(address, serial);
            let deadline = match part_since {
                Some(since) if may_idle => Some(since + self.idle),
                None if may_idle => None,
                _ => Some(last_message + self.idle),
            };
            let idle = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            let alive = tokio::select! {
                read = stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => false,
                    Ok(length) => {
                        framer.push(&buffer[..length]);
                        match self.take(&mut framer, &mut stream, address).await {
                            Taken::Nothing => true,
                            Taken::Message => {
                                last_message = Instant::now();
                                part_since = None;
                                self.note_spoken(address, serial);
                                true
                            }
                            Taken::Closed => false,
                        }
                    }
                },
                bytes = waiting.recv() => match bytes {
                    Some(bytes) => {
                        last_message = Instant::now();
                        self.write(&mut stream, &bytes).await
                    }
                    None => false,
                },
                // Registered meanwhile: it may idle now.
                () = idle => part_since.is_none() && self.may_idle(address, serial),
            };
            if !alive {
                break;
            }
            if framer.holds_part() {
                part_since.get_or_insert_with(Instant::now);
            } else {
                part_since = None;
            }
        }
        self.closed(address, serial).await;
    }

    /// Passes every whole message to the engine.
    async fn take(&self, framer: &mut StreamFramer, stream: &mut impl Stream, address: SocketAddr) -> Taken {
        let mut taken = Taken::Nothing;
        loop {
            match framer.next() {
                None => return taken,
                Some(Ok(Frame::Ping)) => {
                    if !self.write(stream, b"\r\n").await {
                        return Taken::Closed;
                    }
                }
                Some(Ok(Frame::Message(bytes))) => {
                    if !self.shared.untrusted_limits.admit(self.peer(address)) {
                        Counters::add(&self.shared.counters.refused);
                        continue;
                    }
                    Counters::add(&self.shared.counters.received);
                    taken = Taken::Message;
                    let message = SipEvent::Message { from: self.peer(address), bytes };
                    if self.shared.inbound.send(message).await.is_err() {
                        return Taken::Closed;
                    }
                }
                Some(Err(_)) => return Taken::Closed,
            }
        }
    }

    fn note_spoken(&self, address: SocketAddr, serial: u64) {
        if let Some(open) = self.open().get_mut(&address).filter(|open| open.serial == serial) {
            open.has_spoken = true;
        }
    }

    /// Whether this connection may stay without traffic: it is a registered phone's, or of a trunk's address and
    /// in use.
    fn may_idle(&self, address: SocketAddr, serial: u64) -> bool {
        let (limits, peer) = (&self.shared.untrusted_limits, self.peer(address));
        let open = self.open();
        let has_spoken = open.get(&address).is_some_and(|open| open.serial == serial && open.has_spoken);
        limits.knows(peer) || has_spoken && limits.trusts(peer)
    }

    async fn write(&self, stream: &mut impl Stream, bytes: &[u8]) -> bool {
        let whole = async {
            stream.write_all(bytes).await?;
            // TLS may otherwise hold a record back.
            stream.flush().await
        };
        let written = tokio::time::timeout(IO_TIMEOUT, whole).await;
        Counters::add(&self.shared.counters.sent);
        matches!(written, Ok(Ok(())))
    }

    async fn closed(&self, address: SocketAddr, serial: u64) {
        if self.forget(address, serial) {
            // Sending fails only when the engine is gone.
            let _ = self.shared.inbound.send(SipEvent::Failed { peer: self.peer(address) }).await;
        }
    }

    /// Removes the connection; `false` = a later one to that address has replaced it.
    fn forget(&self, address: SocketAddr, serial: u64) -> bool {
        let mut open = self.open();
        let ours = open.get(&address).is_some_and(|connection| connection.serial == serial);
        if ours {
            open.remove(&address);
        }
        ours
    }
}
