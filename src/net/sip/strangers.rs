//! How much those may send whom nobody configured: each address a little, all together not too much.

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

/// All strangers together may send this many times what one of them may.
const TOGETHER: u32 = 50;
/// The table of addresses is tidied after so many messages of strangers, which bounds it.
const TIDY_AFTER: u32 = 4_096;

#[derive(Debug)]
pub struct Strangers {
    each: Option<DefaultKeyedRateLimiter<IpAddr>>,
    together: Option<DefaultDirectRateLimiter>,
    admitted: AtomicU32,
    trusted: RwLock<BTreeSet<IpAddr>>,
}

impl Strangers {
    /// `None` = nobody is a stranger.
    pub fn new(per_sec: Option<NonZeroU32>) -> Self {
        let together = per_sec.map(|rate| rate.saturating_mul(NonZeroU32::MIN.saturating_add(TOGETHER - 1)));
        Strangers {
            each: per_sec.map(|rate| RateLimiter::keyed(Quota::per_second(rate))),
            together: together.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            admitted: AtomicU32::new(0),
            trusted: RwLock::default(),
        }
    }

    pub fn trust(&self, addresses: impl IntoIterator<Item = IpAddr>) {
        // A poisoned lock still holds a whole set: nothing panics while it is held.
        self.trusted.write().unwrap_or_else(PoisonError::into_inner).extend(addresses);
    }

    pub fn trusts(&self, address: IpAddr) -> bool {
        self.each.is_none() || self.trusted.read().unwrap_or_else(PoisonError::into_inner).contains(&address)
    }

    /// Whether one more message from there is taken.
    pub fn admit(&self, address: IpAddr) -> bool {
        let (Some(each), Some(together)) = (&self.each, &self.together) else { return true };
        if self.trusts(address) {
            return true;
        }
        if together.check().is_err() || each.check_key(&address).is_err() {
            return false;
        }
        if self.admitted.fetch_add(1, Ordering::Relaxed) + 1 >= TIDY_AFTER {
            self.admitted.store(0, Ordering::Relaxed);
            each.retain_recent();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_held_to_his_rate_and_a_trunk_is_not() {
        let strangers = Strangers::new(NonZeroU32::new(5));
        let [trunk, stranger] = ["203.0.113.1", "203.0.113.2"].map(|text| text.parse().expect("an address"));
        strangers.trust([trunk]);
        let taken = |address| (0..1_000).filter(|_| strangers.admit(address)).count();
        assert_eq!(taken(trunk), 1_000);
        assert!(taken(stranger) < 100);
    }

    #[test]
    fn a_flood_from_many_addresses_is_bounded_too() {
        let strangers = Strangers::new(NonZeroU32::new(5));
        let admitted = (0..20_000u32).filter(|n| strangers.admit(IpAddr::from(n.to_be_bytes()))).count();
        assert!(admitted < 2_000, "{admitted}");
    }
}
