//! Symmetric RTP latching (RFC 7362): which source address a leg accepts. SDP says where the far end
//! listens, not always where it sends from (NAT, media gateways), and strangers send packets to open
//! ports. The signalled address is accepted at once and always; any other source must first send a steady
//! stream while the signalled address is silent.
//!
//! **Where we send** follows a public source of another host only on a trunk with [`RtpFollow::Auto`], once, and only
//! where the signalled address has never been heard: no packet of it came while the other source sent for 2 s.
//! Every host that reaches a port could send such a stream, so these bounds keep audio from strangers: a stream that was
//! live is never taken over, since its first packet from the signalled address ends every other claim for the rest
//! of the leg; RTCP from the signalled host shows that it is there, and audio goes to it again; of other ports of
//! the signalled host none is followed, because carriers send from other ports than they receive on. What remains
//! is a far end that never sends at all: `rtp_follow = "sdp"` closes that too.

use super::RtpFollow;
use std::net::{IpAddr, SocketAddr};

/// Packets in sequence before latching onto another port of the signalled host, or onto any host when SDP
/// named a private address (the far end is behind NAT).
const PLAUSIBLE_PACKETS: u32 = 5;
/// Packets in sequence before latching onto any other host. The leg then receives from it but keeps
/// sending to the signalled address.
const UNRELATED_PACKETS: u32 = 25;
/// Minimum time per packet: a steady stream takes its time, a burst of forged packets does not.
const LEAST_MICROS_EACH: u64 = 15_000;
/// How long another host must send, with nothing from the signalled address, before audio goes there.
const SILENT_MICROS: u64 = 2_000_000;
/// Candidate sources tracked at once: enough that a spray of single packets cannot displace a steady
/// stream.
const MAX_CANDIDATES: usize = 8;

/// The latching state of one leg.
#[derive(Clone, Debug)]
pub struct Latch {
    signalled: SocketAddr,
    follow: RtpFollow,
    latched: Option<SocketAddr>,
    /// When the latched source sent its first packet.
    latched_since: u64,
    /// The signalled address was silent for as long as another host sent.
    is_silent: bool,
    /// RTCP came from the signalled host.
    is_alive: bool,
    candidates: Vec<Candidate>,
}

#[derive(Clone, Debug)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u32,
    began_micros: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Accepted, and the leg is latched onto this source, or sends to it, from now on.
    Latched,
    Refused,
}

impl Latch {
    pub fn new(signalled: SocketAddr, follow: RtpFollow) -> Self {
        Latch {
            signalled,
            follow,
            latched: None,
            latched_since: 0,
            is_silent: false,
            is_alive: false,
            candidates: Vec::new(),
        }
    }

    pub fn signalled(&self) -> SocketAddr {
        self.signalled
    }

    pub fn latched(&self) -> Option<SocketAddr> {
        self.latched
    }

    /// True if the latched source is the signalled address: no other source can be accepted any more.
    pub fn has_latched_signalled(&self) -> bool {
        self.latched == Some(self.signalled)
    }

    pub fn follow(&self) -> RtpFollow {
        self.follow
    }

    /// Where to send: the signalled address, or the latched source if the rule says so and it can be the far
    /// end's own host.
    pub fn destination(&self) -> SocketAddr {
        let Some(source) = self.latched else { return self.signalled };
        let follows = match self.follow {
            RtpFollow::Sdp => false,
            RtpFollow::Source => self.is_plausible_host(source.ip()),
            // A carrier may send from another port than it receives on; a private host is not reached from here.
            RtpFollow::Auto => {
                let is_deaf = self.is_silent && !self.is_alive;
                source.ip() != self.signalled.ip() && (is_private(self.signalled.ip()) || is_deaf)
            }
        };
        if follows { source } else { self.signalled }
    }

    /// Notes RTCP from this host.
    pub fn note_control(&mut self, host: IpAddr) {
        self.is_alive |= host == self.signalled.ip();
    }

    /// Checks a packet that is valid RTP of a negotiated payload type.
    pub fn check_packet(&mut self, source: SocketAddr, ssrc: u32, sequence: u16, now_micros: u64) -> Verdict {
        if self.latched == Some(source) {
            let waited = now_micros.saturating_sub(self.latched_since) >= SILENT_MICROS;
            if source == self.signalled || self.is_silent || !waited {
                return Verdict::Accepted;
            }
            let before = self.destination();
            self.is_silent = true;
            return if self.destination() == before { Verdict::Accepted } else { Verdict::Latched };
        }
        if source == self.signalled {
            self.latched = Some(source);
            self.candidates.clear();
            return Verdict::Latched;
        }
        if self.latched.is_some() {
            return Verdict::Refused;
        }
        let needed = if self.is_plausible_host(source.ip()) { PLAUSIBLE_PACKETS } else { UNRELATED_PACKETS };
        let Some(candidate) = self.candidates.iter_mut().find(|candidate| candidate.source == source) else {
            self.add_candidate(Candidate { source, ssrc, sequence, packets: 1, began_micros: now_micros });
            return Verdict::Refused;
        };
        if !candidate.continues(ssrc, sequence) {
            *candidate = Candidate { source, ssrc, sequence, packets: 1, began_micros: now_micros };
            return Verdict::Refused;
        }
        candidate.sequence = sequence;
        candidate.packets += 1;
        let taken = now_micros.saturating_sub(candidate.began_micros);
        if candidate.packets < needed || taken < u64::from(needed - 1) * LEAST_MICROS_EACH {
            return Verdict::Refused;
        }
        self.latched = Some(source);
        self.latched_since = candidate.began_micros;
        self.candidates.clear();
        Verdict::Latched
    }

    /// When full, the new candidate replaces the one with the fewest packets; of several, the oldest.
    fn add_candidate(&mut self, newcomer: Candidate) {
        if self.candidates.len() < MAX_CANDIDATES {
            self.candidates.push(newcomer);
        } else if let Some(weakest) =
            self.candidates.iter_mut().min_by_key(|candidate| (candidate.packets, candidate.began_micros))
        {
            *weakest = newcomer;
        }
    }

    fn is_plausible_host(&self, host: IpAddr) -> bool {
        host == self.signalled.ip() || is_private(self.signalled.ip())
    }
}

impl Candidate {
    fn continues(&self, ssrc: u32, sequence: u16) -> bool {
        let ahead = sequence.wrapping_sub(self.sequence);
        self.ssrc == ssrc && (1..=3).contains(&ahead)
    }
}

/// Addresses valid only inside their own network. Loopback is not included: it has one host.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    /// Feeds `count` steady packets, 20 ms apart, and returns after how many the leg latched.
    fn latched_after(latch: &mut Latch, source: &str, count: u16, from_micros: u64) -> Option<u16> {
        (1..=count).find(|&n| {
            latch.check_packet(at(source), 9, n, from_micros + u64::from(n) * 20_000) == Verdict::Latched
        })
    }

    #[test]
    fn the_signalled_address_latches_at_once() {
        let mut latch = Latch::new(at("203.0.113.9:4000"), RtpFollow::Source);
        assert_eq!(latched_after(&mut latch, "203.0.113.9:4000", 5, 0), Some(1));
        assert!(latch.has_latched_signalled());
        assert_eq!(latched_after(&mut latch, "203.0.113.9:4002", 100, 0), None);
        assert_eq!(latched_after(&mut latch, "198.51.100.1:4000", 100, 0), None);
    }

    #[test]
    fn another_port_of_the_signalled_host_latches_after_five_packets() {
        let mut latch = Latch::new(at("203.0.113.9:4000"), RtpFollow::Source);
        assert_eq!(latched_after(&mut latch, "203.0.113.9:9999", 10, 0), Some(5));
        assert_eq!(latch.destination(), at("203.0.113.9:9999"));
        assert!(!latch.has_latched_signalled());
    }

    #[test]
    fn behind_nat_a_steady_source_is_the_far_end() {
        let mut latch = Latch::new(at("192.168.1.20:4000"), RtpFollow::Source);
        assert_eq!(latched_after(&mut latch, "198.51.100.7:31000", 10, 0), Some(5));
        assert_eq!(latch.destination(), at("198.51.100.7:31000"));
    }

    #[test]
    fn an_unrelated_host_latches_late_and_is_never_sent_to() {
        let mut latch = Latch::new(at("203.0.113.9:4000"), RtpFollow::Source);
        assert_eq!(latched_after(&mut latch, "198.51.100.7:31000", 60, 0), Some(25));
        assert_eq!(latch.destination(), at("203.0.113.9:4000"));
    }

    #[test]
    fn a_burst_or_repeated_packet_never_latches() {
        let mut latch = Latch::new(at("127.0.0.1:4000"), RtpFollow::Source);
        for n in 0..200u16 {
            assert_eq!(latch.check_packet(at("127.0.0.1:666"), 9, n, 1_000 + u64::from(n)), Verdict::Refused);
        }
        for n in 0..200u64 {
            assert_eq!(latch.check_packet(at("127.0.0.1:666"), 9, 5, n * 20_000), Verdict::Refused);
        }
        assert_eq!(latch.destination(), at("127.0.0.1:4000"));
    }

    #[test]
    fn the_signalled_address_replaces_a_latched_one() {
        let mut latch = Latch::new(at("203.0.113.9:4000"), RtpFollow::Source);
        assert_eq!(latched_after(&mut latch, "203.0.113.9:9999", 10, 0), Some(5));
        assert_eq!(latch.check_packet(at("203.0.113.9:4000"), 1, 1, 1_000_000), Verdict::Latched);
        assert_eq!(latch.check_packet(at("203.0.113.9:9999"), 9, 11, 1_000_000), Verdict::Refused);
        assert_eq!(latch.destination(), at("203.0.113.9:4000"));
    }

    #[test]
    fn a_spray_of_packets_cannot_displace_the_far_end() {
        let mut latch = Latch::new(at("192.168.1.20:4000"), RtpFollow::Source);
        let mut latched = None;
        for n in 0..100u16 {
            let now = u64::from(n) * 20_000;
            for port in 0..5 {
                let sprayer = SocketAddr::new("198.51.100.66".parse().unwrap(), 1_000 + n * 5 + port);
                assert_eq!(latch.check_packet(sprayer, 1, 1, now), Verdict::Refused);
            }
            if latch.check_packet(at("198.51.100.7:31000"), 9, n, now + 1) == Verdict::Latched {
                latched = Some(n);
                break;
            }
        }
        assert_eq!(latched, Some(4));
    }

    #[test]
    fn a_silent_public_address_gives_way_to_another_host_after_two_seconds() {
        let (signalled, source) = (at("203.0.113.9:4000"), at("198.51.100.7:31000"));
        let send = |latch: &mut Latch, n: u16| latch.check_packet(source, 9, n, 5 + u64::from(n) * 20_000);
        for (follow, follows) in
            [(RtpFollow::Auto, true), (RtpFollow::Sdp, false), (RtpFollow::Source, false)]
        {
            let mut latch = Latch::new(signalled, follow);
            let moved = (0..500).find(|n| {
                send(&mut latch, *n);
                latch.destination() != signalled
            });
            assert_eq!(moved, follows.then_some(100), "{follow:?}: 2 s after the first packet");
        }
        // The first packet of the signalled address takes the audio back, and for good.
        let mut latch = Latch::new(signalled, RtpFollow::Auto);
        (0..200).for_each(|n| {
            send(&mut latch, n);
        });
        assert_eq!(latch.destination(), source);
        assert_eq!(latch.check_packet(signalled, 1, 1, 4_100_000), Verdict::Latched);
        assert!((200..2_000).all(|n| send(&mut latch, n) == Verdict::Refused));
        assert_eq!(latch.destination(), signalled);
        // RTCP of the signalled host: it is there, and sends its audio from elsewhere.
        let mut latch = Latch::new(signalled, RtpFollow::Auto);
        (0..200).for_each(|n| {
            send(&mut latch, n);
        });
        latch.note_control(source.ip());
        assert_eq!(latch.destination(), source);
        latch.note_control(signalled.ip());
        assert_eq!(latch.destination(), signalled);
    }

    /// Packets of the far end, of its host's other ports and of strangers, in any order: once the signalled address
    /// was heard, audio goes nowhere else, and before that never to two hosts.
    #[test]
    fn a_live_stream_is_never_taken_over() {
        use rand::{RngExt, SeedableRng};
        let sources =
            ["203.0.113.9:4000", "203.0.113.9:4002", "198.51.100.7:31000", "198.51.100.8:31000"].map(at);
        for seed in 0..300 {
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut latch = Latch::new(sources[0], RtpFollow::Auto);
            let weights = [0, 1, 2, 3].map(|_| random.random_range(0.0..1.0f64).powi(3));
            let (mut was_heard, mut elsewhere) = (false, None);
            for n in 0..1_000u16 {
                let now = u64::from(n) * 20_000;
                for (source, weight) in sources.iter().zip(weights) {
                    if !random.random_bool(weight) {
                        continue;
                    }
                    was_heard |= *source == sources[0];
                    latch.check_packet(*source, source.port().into(), n, now);
                    let to = latch.destination();
                    if to == sources[0] {
                        continue;
                    }
                    assert!(!was_heard, "seed {seed}: {to} after the signalled address was heard");
                    assert_ne!(to.ip(), sources[0].ip(), "seed {seed}: another port of the host");
                    assert_eq!(*elsewhere.get_or_insert(to), to, "seed {seed}: audio moved twice");
                    assert!(now >= SILENT_MICROS, "seed {seed}: too early");
                }
            }
        }
    }

    #[test]
    fn a_trunk_stays_with_sdp_for_now_unless_its_address_is_private_or_the_trunk_says_otherwise() {
        let (public, private) = ("203.0.113.9:4000", "192.168.1.20:4000");
        let table = [
            (public, "203.0.113.9:9999", RtpFollow::Auto, public),
            (public, "198.51.100.7:31000", RtpFollow::Auto, public),
            (private, "198.51.100.7:31000", RtpFollow::Auto, "198.51.100.7:31000"),
            (private, "192.168.1.20:9999", RtpFollow::Auto, private),
            ("100.64.0.9:4000", "198.51.100.7:31000", RtpFollow::Auto, "198.51.100.7:31000"),
            ("[fe80::9]:4000", "[2001:db8::7]:31000", RtpFollow::Auto, "[2001:db8::7]:31000"),
            (private, "198.51.100.7:31000", RtpFollow::Sdp, private),
            (public, "203.0.113.9:9999", RtpFollow::Sdp, public),
            (public, "203.0.113.9:9999", RtpFollow::Source, "203.0.113.9:9999"),
            (public, "198.51.100.7:31000", RtpFollow::Source, public),
        ];
        for (signalled, source, follow, wanted) in table {
            let mut latch = Latch::new(at(signalled), follow);
            assert!(latched_after(&mut latch, source, 60, 0).is_some(), "it is heard in any case");
            assert_eq!(latch.destination(), at(wanted), "{signalled} {source} {follow:?}");
        }
    }
}
