//! Rate limits for untrusted sources: per socket, per address, and for all together. Registered phones have
//! a separate limit, which other sources cannot use up.

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use paceline_core::sip::user_agent::Peer;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

/// Rate of one address, as a multiple of the rate of one socket, so that a flood from one socket does not
/// silence others behind the same address.
const ADDRESS_TIMES: u32 = 10;
/// Rate of all untrusted sources together, as a multiple.
const TOTAL_TIMES: u32 = 50;
/// Rate of a registered phone, as a multiple: far more than any call needs.
const PHONE_TIMES: u32 = 10;
/// Expired table entries are removed after this many untrusted messages, which bounds the tables.
const PURGE_AFTER: u32 = 4_096;

#[derive(Debug)]
pub struct UntrustedLimits {
    limits: Option<Limits>,
    since_purge: AtomicU32,
    trusted: RwLock<BTreeSet<IpAddr>>,
    phones: RwLock<BTreeSet<Peer>>,
}

#[derive(Debug)]
struct Limits {
    socket: DefaultKeyedRateLimiter<SocketAddr>,
    address: DefaultKeyedRateLimiter<IpAddr>,
    total: DefaultDirectRateLimiter,
    phone: DefaultKeyedRateLimiter<Peer>,
}

impl UntrustedLimits {
    /// `None` = every source is trusted.
    pub fn new(per_sec: Option<NonZeroU32>) -> Self {
        let limits = per_sec.map(|rate| {
            let times =
                |n: u32| Quota::per_second(rate.saturating_mul(NonZeroU32::MIN.saturating_add(n - 1)));
            Limits {
                socket: RateLimiter::keyed(times(1)),
                address: RateLimiter::keyed(times(ADDRESS_TIMES)),
                total: RateLimiter::direct(times(TOTAL_TIMES)),
                phone: RateLimiter::keyed(times(PHONE_TIMES)),
            }
        });
        UntrustedLimits {
            limits,
            since_purge: AtomicU32::new(0),
            trusted: RwLock::default(),
            phones: RwLock::default(),
        }
    }

    // A poisoned lock still guards a valid set: no code panics while holding it.

    pub fn trust(&self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.trusted.write().unwrap_or_else(PoisonError::into_inner).extend(addresses);
    }

    pub fn set_phones(&self, phones: BTreeSet<Peer>) {
        *self.phones.write().unwrap_or_else(PoisonError::into_inner) = phones;
    }

    fn is_phone(&self, peer: Peer) -> bool {
        self.phones.read().unwrap_or_else(PoisonError::into_inner).contains(&peer)
    }

    fn is_trunk(&self, address: IpAddr) -> bool {
        self.trusted.read().unwrap_or_else(PoisonError::into_inner).contains(&address)
    }

    /// Whether this peer is trusted: its connection is never closed for others.
    pub fn trusts(&self, peer: Peer) -> bool {
        self.limits.is_none() || self.is_trunk(peer.address.ip()) || self.is_phone(peer)
    }

    /// Whether this very socket is trusted, not its address alone: it is a registered phone, or every source is
    /// trusted.
    pub fn knows(&self, peer: Peer) -> bool {
        self.limits.is_none() || self.is_phone(peer)
    }

    /// Whether one more message from this peer is within the limits.
    pub fn admit(&self, from: Peer) -> bool {
        let Some(limits) = &self.limits else { return true };
        if self.is_trunk(from.address.ip()) {
            return true;
        }
        if self.since_purge.fetch_add(1, Ordering::Relaxed) + 1 >= PURGE_AFTER {
            self.since_purge.store(0, Ordering::Relaxed);
            limits.socket.retain_recent();
            limits.address.retain_recent();
            limits.phone.retain_recent();
        }
        if self.is_phone(from) {
            return limits.phone.check_key(&from).is_ok();
        }
        // Narrowest limit first: a message it refuses uses nothing of the wider ones.
        limits.socket.check_key(&from.address).is_ok()
            && limits.address.check_key(&from.address.ip()).is_ok()
            && limits.total.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::sip::user_agent::Transport;

    fn peer(address: [u8; 4], port: u16) -> Peer {
        Peer { transport: Transport::Udp, address: (address, port).into() }
    }

    #[test]
    fn an_untrusted_source_is_rate_limited_and_a_trunk_is_not() {
        let untrusted_limits = UntrustedLimits::new(NonZeroU32::new(5));
        let (trunk, stranger) = (peer([203, 0, 113, 1], 5060), peer([203, 0, 113, 2], 5060));
        untrusted_limits.trust([trunk.address.ip()]);
        let taken = |peer| (0..1_000).filter(|_| untrusted_limits.admit(peer)).count();
        assert_eq!(taken(trunk), 1_000);
        assert!(taken(stranger) < 100);
        assert!(
            untrusted_limits.admit(peer([203, 0, 113, 2], 5062)),
            "another socket behind the same address"
        );
    }

    #[test]
    fn a_flood_from_many_sockets_or_addresses_is_bounded_too() {
        let untrusted_limits = UntrustedLimits::new(NonZeroU32::new(5));
        let admitted =
            (0..20_000u16).filter(|port| untrusted_limits.admit(peer([192, 0, 2, 1], *port))).count();
        assert!(admitted < 200, "{admitted}");
        let admitted = (0..20_000u32)
            .filter(|address| untrusted_limits.admit(peer(address.to_be_bytes(), 5060)))
            .count();
        assert!(admitted < 2_000, "{admitted}");
    }

    #[test]
    fn a_registered_phone_is_admitted_in_any_flood() {
        let untrusted_limits = UntrustedLimits::new(NonZeroU32::new(5));
        let phone = peer([192, 0, 2, 1], 5060);
        untrusted_limits.set_phones(BTreeSet::from([phone]));
        for n in 0..20_000u32 {
            untrusted_limits.admit(peer([192, 0, 2, 1], 10_000 + n as u16 % 50_000));
            untrusted_limits.admit(peer(n.to_be_bytes(), 5060));
        }
        assert!((0..20).all(|_| untrusted_limits.admit(phone)));
        assert!(untrusted_limits.trusts(phone) && !untrusted_limits.trusts(peer([192, 0, 2, 1], 5061)));
        let all = (0..10_000).filter(|_| untrusted_limits.admit(phone)).count();
        assert!(all < 1_000, "not without bound: {all}");
    }
}
