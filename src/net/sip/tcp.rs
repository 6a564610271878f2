//! TCP connections for SIP: one for each peer, used both ways whoever opened it, with a bounded queue.

use super::{Counters, Shared, SipEvent};
use paceline_core::sip::frame::{Frame, StreamFramer};
use paceline_core::sip::user_agent::{Peer, Transport};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Messages that wait for a slow peer before the connection is given up.
const WAITING_MAX: usize = 1_024;
/// How long a peer may refuse to take or accept anything.
const STUCK_AFTER: Duration = Duration::from_secs(10);
/// Connections of one untrusted address.
const PER_STRANGER: usize = 16;

#[derive(Clone, Debug)]
pub struct Connections {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    open: Mutex<HashMap<SocketAddr, Open>>,
    shared: Shared,
    connections_max: usize,
    idle: Duration,
    serial: AtomicU64,
}

#[derive(Debug)]
struct Open {
    /// Tells a connection from a later one to the same address.
    serial: u64,
    queue: mpsc::Sender<Vec<u8>>,
    task: AbortHandle,
}

impl Connections {
    pub fn new(shared: Shared, connections_max: usize, idle: Duration) -> Self {
        let open = Mutex::default();
        Connections {
            inner: Arc::new(Inner { open, shared, connections_max, idle, serial: AtomicU64::new(0) }),
        }
    }

    pub async fn listen(&self, address: SocketAddr) -> io::Result<(SocketAddr, AbortHandle)> {
        let listener = TcpListener::bind(address).await?;
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
                let (queue, waiting) = mpsc::channel(WAITING_MAX);
                let first = queue.try_send(bytes).err();
                Inner::start(&self.inner, &mut open, to, queue, |inner, serial| {
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
            self.inner.shared.fail(peer(to));
        }
    }

    pub fn close(&self) {
        for (_, connection) in self.inner.open().drain() {
            connection.task.abort();
        }
    }
}

fn peer(address: SocketAddr) -> Peer {
    Peer { transport: Transport::Tcp, address }
}

async fn accept(inner: Arc<Inner>, listener: TcpListener) {
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            // Out of file descriptors, most likely: a moment for others to close theirs.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut open = inner.open();
        let from_there = open.keys().filter(|known| known.ip() == address.ip()).count();
        let trusted = inner.shared.strangers.trusts(address.ip());
        if open.len() >= inner.connections_max || (!trusted && from_there >= PER_STRANGER) {
            Counters::add(&inner.shared.counters.refused);
            continue;
        }
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        Inner::start(&inner, &mut open, address, queue, |inner, serial| {
            tokio::spawn(inner.serve(stream, address, waiting, serial)).abort_handle()
        });
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, HashMap<SocketAddr, Open>> {
        // A poisoned lock still holds a whole table: nothing panics while it is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(
        inner: &Arc<Inner>,
        open: &mut HashMap<SocketAddr, Open>,
        address: SocketAddr,
        queue: mpsc::Sender<Vec<u8>>,
        spawn: impl FnOnce(Arc<Inner>, u64) -> AbortHandle,
    ) {
        let serial = inner.serial.fetch_add(1, Ordering::Relaxed);
        let task = spawn(inner.clone(), serial);
        if let Some(old) = open.insert(address, Open { serial, queue, task }) {
            old.task.abort();
        }
    }

    async fn connect(self: Arc<Self>, to: SocketAddr, waiting: mpsc::Receiver<Vec<u8>>, serial: u64) {
        match tokio::time::timeout(STUCK_AFTER, TcpStream::connect(to)).await {
            Ok(Ok(stream)) => self.serve(stream, to, waiting, serial).await,
            Ok(Err(_)) | Err(_) => self.closed(to, serial).await,
        }
    }

    async fn serve(
        self: Arc<Self>,
        mut stream: TcpStream,
        address: SocketAddr,
        mut waiting: mpsc::Receiver<Vec<u8>>,
        serial: u64,
    ) {
        // A SIP message is one write; waiting for more to send helps nobody. Failure costs only delay.
        let _ = stream.set_nodelay(true);
        let mut framer = StreamFramer::new();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let idle = async {
                if self.shared.strangers.trusts(address.ip()) {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(self.idle).await;
            };
            let alive = tokio::select! {
                read = stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => false,
                    Ok(length) => {
                        framer.push(&buffer[..length]);
                        self.take(&mut framer, &mut stream, address).await
                    }
                },
                bytes = waiting.recv() => match bytes {
                    Some(bytes) => self.write(&mut stream, &bytes).await,
                    None => false,
                },
                () = idle => false,
            };
            if !alive {
                break;
            }
        }
        self.closed(address, serial).await;
    }

    /// Every whole message goes to the engine. Says whether the stream is still in step.
    async fn take(&self, framer: &mut StreamFramer, stream: &mut TcpStream, address: SocketAddr) -> bool {
        loop {
            match framer.next() {
                None => return true,
                Some(Ok(Frame::Ping)) => {
                    if !self.write(stream, b"\r\n").await {
                        return false;
                    }
                }
                Some(Ok(Frame::Message(bytes))) => {
                    if !self.shared.strangers.admit(address.ip()) {
                        Counters::add(&self.shared.counters.refused);
                        continue;
                    }
                    Counters::add(&self.shared.counters.received);
                    let message = SipEvent::Message { from: peer(address), bytes };
                    if self.shared.inbound.send(message).await.is_err() {
                        return false;
                    }
                }
                Some(Err(_)) => return false,
            }
        }
    }

    async fn write(&self, stream: &mut TcpStream, bytes: &[u8]) -> bool {
        let written = tokio::time::timeout(STUCK_AFTER, stream.write_all(bytes)).await;
        Counters::add(&self.shared.counters.sent);
        matches!(written, Ok(Ok(())))
    }

    async fn closed(&self, address: SocketAddr, serial: u64) {
        if self.forget(address, serial) {
            // Nobody is left to hear it once the engine is gone.
            let _ = self.shared.inbound.send(SipEvent::Failed { peer: peer(address) }).await;
        }
    }

    /// Says whether it was still the connection to that address.
    fn forget(&self, address: SocketAddr, serial: u64) -> bool {
        let mut open = self.open();
        let ours = open.get(&address).is_some_and(|connection| connection.serial == serial);
        if ours {
            open.remove(&address);
        }
        ours
    }
}
