//! Throttle for wrong passwords, per source network and per account, in bounded tables. Right answers are
//! not counted, so an office behind one address can sign in all at once.

use crate::sip::peer::Peer;
use crate::time::{Duration, Time};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};

const WINDOW: Duration = Duration::from_secs(60);
/// Wrong answers checked per minute and network.
const ADDRESS_MAX: usize = 20;
/// Limit for accounts that have not signed in from that network before; the rest is reserved for those that
/// have.
const ADDRESS_MAX_UNKNOWN: usize = 14;
/// Limit for one source socket of a network.
const SOCKET_MAX: usize = 8;
/// Wrong answers checked per minute and account, from all networks together.
const ACCOUNT_MAX: usize = 60;
const ACCOUNT_MAX_UNKNOWN: usize = 40;
/// Networks tracked at once. When the table is full, attempts from new networks are refused unchecked.
const ADDRESSES_MAX: usize = 10_000;

/// A source network: one IPv4 address, or the 64-bit IPv6 prefix of a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceNetwork(IpAddr);

impl SourceNetwork {
    pub fn of(peer: Peer) -> Self {
        SourceNetwork(match peer.address.ip().to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address @ IpAddr::V4(_) => address,
        })
    }

    pub fn text(self) -> String {
        self.0.to_string()
    }
}

/// Times of wrong answers for one account in the last minute.
#[derive(Debug, Default)]
pub struct AccountThrottle(VecDeque<Time>);

impl AccountThrottle {
    /// Whether one more answer may be checked. `known` = the account has signed in from this network
    /// before.
    pub fn allows(&self, now: Time, known: bool) -> bool {
        let recent = self.0.iter().filter(|at| now.since(**at) < WINDOW).count();
        recent < if known { ACCOUNT_MAX } else { ACCOUNT_MAX_UNKNOWN }
    }

    pub fn record_failure(&mut self, now: Time) {
        self.0.push_back(now);
        if self.0.len() > ACCOUNT_MAX {
            self.0.pop_front();
        }
    }
}

/// Wrong answers by source network, with the source port of each.
#[derive(Debug, Default)]
pub struct SourceThrottle {
    addresses: BTreeMap<SourceNetwork, VecDeque<(Time, u16)>>,
}

impl SourceThrottle {
    /// Whether one more answer from this peer may be checked.
    pub fn allows(&mut self, now: Time, from: Peer, known: bool) -> bool {
        let source = SourceNetwork::of(from);
        let Some(wrong) = self.addresses.get(&source) else { return self.has_room(now) };
        let recent = wrong.iter().filter(|(at, _)| now.since(*at) < WINDOW);
        let (mut all, mut socket) = (0, 0);
        for (_, port) in recent {
            all += 1;
            socket += usize::from(*port == from.address.port());
        }
        socket < SOCKET_MAX && all < if known { ADDRESS_MAX } else { ADDRESS_MAX_UNKNOWN }
    }

    pub fn record_failure(&mut self, now: Time, from: Peer) {
        if !self.has_room(now) && !self.addresses.contains_key(&SourceNetwork::of(from)) {
            return;
        }
        let wrong = self.addresses.entry(SourceNetwork::of(from)).or_default();
        wrong.push_back((now, from.address.port()));
        if wrong.len() > ADDRESS_MAX {
            wrong.pop_front();
        }
    }

    fn has_room(&mut self, now: Time) -> bool {
        if self.addresses.len() >= ADDRESSES_MAX {
            self.addresses.retain(|_, wrong| wrong.back().is_some_and(|(at, _)| now.since(*at) < WINDOW));
        }
        self.addresses.len() < ADDRESSES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::peer::Transport;

    fn peer(address: u32, port: u16) -> Peer {
        Peer { transport: Transport::Udp, address: (address.to_be_bytes(), port).into() }
    }

    #[test]
    fn a_network_is_throttled_after_twenty_wrong_answers_a_minute() {
        let mut throttle = SourceThrottle::default();
        let mut judged = 0;
        for port in 1..=100 {
            if throttle.allows(Time::ZERO, peer(7, port), port > 50) {
                judged += 1;
                throttle.record_failure(Time::ZERO, peer(7, port));
            }
        }
        assert_eq!(judged, 20);
        assert!(throttle.allows(Time::ZERO, peer(8, 1), false), "the neighbour is not meant");
        assert!(throttle.allows(Time::from_millis(60_000), peer(7, 1), false));
    }

    #[test]
    fn one_socket_cannot_use_up_the_limit_of_its_network() {
        let mut throttle = SourceThrottle::default();
        for _ in 0..SOCKET_MAX {
            assert!(throttle.allows(Time::ZERO, peer(7, 1), true));
            throttle.record_failure(Time::ZERO, peer(7, 1));
        }
        assert!(!throttle.allows(Time::ZERO, peer(7, 1), true));
        assert!(throttle.allows(Time::ZERO, peer(7, 2), false));
    }

    #[test]
    fn the_table_is_bounded_and_empties_with_time() {
        let mut throttle = SourceThrottle::default();
        for address in 0..50_000 {
            throttle.record_failure(Time::ZERO, peer(address, 1));
        }
        assert_eq!(throttle.addresses.len(), ADDRESSES_MAX);
        assert!(!throttle.allows(Time::ZERO, peer(60_000, 1), true));
        assert!(throttle.allows(Time::from_millis(60_000), peer(60_000, 1), true));
        assert!(throttle.addresses.is_empty());
    }

    #[test]
    fn an_ipv6_64_bit_prefix_is_one_network() {
        let v6 = |text: &str| {
            let address = text.parse().expect("an address");
            SourceNetwork::of(Peer {
                transport: Transport::Udp,
                address: std::net::SocketAddr::new(address, 1),
            })
        };
        assert_eq!(v6("2001:db8:1:2::1"), v6("2001:db8:1:2:ffff::9"));
        assert_ne!(v6("2001:db8:1:2::1"), v6("2001:db8:1:3::1"));
        assert_eq!(v6("::ffff:192.0.2.1"), v6("192.0.2.1"));
    }
}
