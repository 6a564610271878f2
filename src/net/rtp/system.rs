//! Linux system calls of the media threads: sendmmsg and recvmmsg, kernel arrival times, absolute sleep,
//! thread priority. The only `unsafe` code of the media room; packets are interpreted elsewhere.
#![expect(
    unsafe_code,
    reason = "sendmmsg, recvmmsg and the scheduler have no safe wrapper in std or socket2"
)]

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Datagrams read per call.
pub const INBOX: usize = 16;
/// Longer datagrams are not RTP and are dropped.
const DATAGRAM_BYTES: usize = 1_500;
const CONTROL_BYTES: usize = 64;
/// Packets per sendmmsg call.
pub const OUTBOX: usize = 12;
/// Buffer for one packet of 60 ms in any codec.
pub const PACKET_BYTES: usize = 500;

/// Microseconds on CLOCK_MONOTONIC.
pub fn monotonic_micros() -> u64 {
    clock_micros(libc::CLOCK_MONOTONIC)
}

/// Microseconds since 1970 by the wall clock, for kernel arrival times and RTCP.
pub fn wall_micros() -> u64 {
    clock_micros(libc::CLOCK_REALTIME)
}

fn clock_micros(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place to write to.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

/// Sleeps until this moment on CLOCK_MONOTONIC; returns at once if it is past.
pub fn sleep_until(micros: u64) {
    let until = libc::timespec {
        tv_sec: (micros / 1_000_000) as libc::time_t,
        tv_nsec: (micros % 1_000_000 * 1_000) as libc::c_long,
    };
    loop {
        // SAFETY: `until` is valid; the remaining time is not asked for.
        let error = unsafe {
            let nowhere = std::ptr::null_mut();
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &until, nowhere)
        };
        if error != libc::EINTR {
            return;
        }
    }
}

/// 32 unpredictable bytes; `None` if the kernel has no entropy.
pub fn random_seed() -> Option<[u8; 32]> {
    let mut seed = [0; 32];
    // SAFETY: the buffer is as long as said.
    let got = unsafe { libc::getrandom(seed.as_mut_ptr().cast(), seed.len(), 0) };
    (got == seed.len() as isize).then_some(seed)
}

/// Raises the limit of open files to its hard limit.
pub fn raise_file_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for reading and writing.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        limit.rlim_cur = limit.rlim_max;
        if libc::setrlimit(libc::RLIMIT_NOFILE, &limit) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(limit.rlim_cur)
}

/// Scheduling priority of the calling thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadPriority {
    /// SCHED_FIFO: runs before all normal threads.
    RealTime,
    /// A negative nice value.
    Nice,
    /// Default priority.
    Default,
}

/// Gives the calling thread the highest priority it is allowed to have.
pub fn raise_priority() -> ThreadPriority {
    let priority = libc::sched_param { sched_priority: 10 };
    // SAFETY: plain system calls on the calling thread.
    unsafe {
        if libc::sched_setscheduler(0, libc::SCHED_FIFO, &priority) == 0 {
            return ThreadPriority::RealTime;
        }
        if libc::setpriority(libc::PRIO_PROCESS, 0, -11) == 0 {
            return ThreadPriority::Nice;
        }
    }
    ThreadPriority::Default
}

/// Enables kernel arrival times for the socket, because it is read only every 20 ms.
pub fn enable_arrival_times(socket: &UdpSocket) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option value is an int, and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Dissolves the association of a connected socket, so that it receives from all sources again. It keeps
/// its port.
pub fn disconnect(socket: &UdpSocket) -> io::Result<()> {
    // SAFETY: all-zero is a valid sockaddr, and the family says that there is no address in it.
    let mut nobody: libc::sockaddr = unsafe { mem::zeroed() };
    nobody.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    let length = size_of::<libc::sockaddr>() as libc::socklen_t;
    // SAFETY: the address is as long as said.
    let result = unsafe { libc::connect(socket.as_raw_fd(), &nobody, length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Packets for one destination, written in place and sent in one call.
pub struct Outbox {
    bytes: [[u8; PACKET_BYTES]; OUTBOX],
    lengths: [usize; OUTBOX],
    count: usize,
}

impl Outbox {
    pub fn new() -> Self {
        Outbox { bytes: [[0; PACKET_BYTES]; OUTBOX], lengths: [0; OUTBOX], count: 0 }
    }

    /// Lets `write` fill the next packet buffer; `write` returns the length. A full outbox drops the
    /// packet.
    pub fn put(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        if let Some(place) = self.bytes.get_mut(self.count) {
            self.lengths[self.count] = write(place).min(PACKET_BYTES);
            self.count += 1;
        }
    }

    pub fn is_full(&self) -> bool {
        self.count == OUTBOX
    }

    /// Sends all packets and empties the outbox. `to` is `None` for a connected socket. Returns how many
    /// packets the kernel took; refused ones (full queue, unreachable network) are lost.
    pub fn send(&mut self, socket: &UdpSocket, to: Option<SocketAddr>) -> usize {
        let count = mem::take(&mut self.count);
        match (count, to) {
            (0, _) => 0,
            (1, Some(to)) => usize::from(socket.send_to(&self.bytes[0][..self.lengths[0]], to).is_ok()),
            (1, None) => {
                let packet = &self.bytes[0][..self.lengths[0]];
                // The first error may concern an earlier packet (ICMP); this packet was not tried then.
                usize::from(socket.send(packet).or_else(|_| socket.send(packet)).is_ok())
            }
            _ => self.send_many(socket, to, count),
        }
    }

    fn send_many(&mut self, socket: &UdpSocket, to: Option<SocketAddr>, count: usize) -> usize {
        let address = to.map(socket2::SockAddr::from);
        // SAFETY: all-zero is a valid value for these plain C structures.
        let mut parts: [libc::iovec; OUTBOX] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut messages: [libc::mmsghdr; OUTBOX] = unsafe { mem::zeroed() };
        for n in 0..count {
            parts[n].iov_base = self.bytes[n].as_mut_ptr().cast();
            parts[n].iov_len = self.lengths[n];
            let header = &mut messages[n].msg_hdr;
            if let Some(address) = &address {
                header.msg_name = address.as_ptr().cast_mut().cast();
                header.msg_namelen = address.len();
            }
            header.msg_iov = &raw mut parts[n];
            header.msg_iovlen = 1;
        }
        // SAFETY: `count` messages are filled in; addresses, parts and bytes outlive the call.
        let sent =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count as libc::c_uint, 0) };
        usize::try_from(sent).unwrap_or(0)
    }
}

/// Reusable buffers for received datagrams.
pub struct Inbox {
    bytes: Box<[[u8; DATAGRAM_BYTES]; INBOX]>,
    sources: [libc::sockaddr_storage; INBOX],
    control: [Control; INBOX],
    lengths: [Option<usize>; INBOX],
    arrivals: [Option<u64>; INBOX],
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_BYTES]);

/// One received datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub source: SocketAddr,
    pub bytes: &'a [u8],
    /// When it reached this machine, by the wall clock.
    pub arrived_wall_micros: Option<u64>,
}

impl Inbox {
    pub fn new() -> Self {
        Inbox {
            bytes: Box::new([[0; DATAGRAM_BYTES]; INBOX]),
            // SAFETY: all-zero is a valid sockaddr_storage.
            sources: unsafe { mem::zeroed() },
            control: [Control([0; CONTROL_BYTES]); INBOX],
            lengths: [None; INBOX],
            arrivals: [None; INBOX],
        }
    }

    /// Receives waiting datagrams, at most [`INBOX`], without blocking. Returns how many.
    pub fn receive(&mut self, socket: &UdpSocket) -> usize {
        // SAFETY: all-zero is a valid value for these plain C structures.
        let mut parts: [libc::iovec; INBOX] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut messages: [libc::mmsghdr; INBOX] = unsafe { mem::zeroed() };
        for n in 0..INBOX {
            parts[n].iov_base = self.bytes[n].as_mut_ptr().cast();
            parts[n].iov_len = DATAGRAM_BYTES;
            let header = &mut messages[n].msg_hdr;
            header.msg_name = (&raw mut self.sources[n]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut parts[n];
            header.msg_iovlen = 1;
            header.msg_control = self.control[n].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_BYTES;
        }
        // SAFETY: every message points to buffers of the lengths given, which outlive the call.
        let received = unsafe {
            let no_wait = std::ptr::null_mut();
            let (first, flags) = (messages.as_mut_ptr(), libc::MSG_DONTWAIT);
            libc::recvmmsg(socket.as_raw_fd(), first, INBOX as libc::c_uint, flags, no_wait)
        };
        let count = usize::try_from(received).unwrap_or(0).min(INBOX);
        for (n, message) in messages[..count].iter().enumerate() {
            let whole = message.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
            self.lengths[n] = whole.then_some((message.msg_len as usize).min(DATAGRAM_BYTES));
            self.arrivals[n] = arrival(&message.msg_hdr);
        }
        count
    }

    /// A datagram of the last [`Inbox::receive`]; `None` for one that was too long.
    pub fn datagram(&self, n: usize) -> Option<Datagram<'_>> {
        let bytes = self.bytes.get(n)?.get(..self.lengths[n]?)?;
        let source = address(&self.sources[n])?;
        Some(Datagram { source, bytes, arrived_wall_micros: self.arrivals[n] })
    }
}

fn arrival(header: &libc::msghdr) -> Option<u64> {
    // SAFETY: the kernel filled in control data and its length; CMSG_* stay within it, and the time
    // is read unaligned.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            if (*control).cmsg_level == libc::SOL_SOCKET && (*control).cmsg_type == libc::SCM_TIMESTAMPNS {
                let time = libc::CMSG_DATA(control).cast::<libc::timespec>().read_unaligned();
                return Some(time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000);
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    None
}

fn address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says so, and the storage is large enough and aligned for every family.
            let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddr::new(IpAddr::V6(ip).to_canonical(), u16::from_be(v6.sin6_port)))
        }
        _ => None,
    }
}
