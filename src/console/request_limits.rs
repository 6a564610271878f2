//! Limits of requests: 50 a second for each caller, 100 at once, and the same for each address from which strangers
//! ask. Callers with an account or a token are limited by that alone: an office of 500 agents has one address.
//! Metrics and health checks are not counted, nor are this machine's commands with the key file.
//!
//! Token buckets as GCRA (ITU-T I.371): a bucket is one moment, that at which it is full again, so idle buckets need
//! no memory. `governor` reads its own clock and keeps every key until it is swept; here `now` is an argument and
//! the number of strangers bounded.

use paceline_core::ids::AgentId;
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Milliseconds after which one more request is allowed: 50 a second.
const INTERVAL: i64 = 20;

/// Requests allowed at once.
const BURST: i64 = 100;

/// Strangers' buckets that are not full, at most. Further addresses share one bucket.
const STRANGERS_MAX: usize = 20_000;

/// Milliseconds between two sweeps: a flood of strangers must not cost a sweep a request.
const SWEEP_INTERVAL: i64 = 500;

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequestKey {
    Account(AgentId),
    /// Hash of a program's token.
    Program(String),
    /// Requests without a valid cookie or token.
    Stranger(IpAddr),
    /// Sign-ins. A screen in the office that asks in vain must not lock its colleagues out.
    SignIn(IpAddr),
    /// Strangers for whom there is no bucket left.
    OtherStrangers,
}

impl RequestKey {
    fn is_stranger(&self) -> bool {
        !matches!(self, RequestKey::Account(_) | RequestKey::Program(_))
    }
}

/// The part of an address that a stranger cannot change at will: an IPv6 customer has a /64 (RFC 6177).
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[derive(Debug, Default)]
struct Buckets {
    /// When each bucket that is not full will be, in milliseconds.
    full_at: BTreeMap<RequestKey, i64>,
    strangers: usize,
    /// When full buckets were last forgotten, in milliseconds.
    swept_at: i64,
}

impl Buckets {
    /// Takes one request out of the bucket. `Err` = it is empty for so many milliseconds.
    fn take(&mut self, key: RequestKey, now: i64) -> Result<(), i64> {
        let key = match self.full_at.contains_key(&key) || !key.is_stranger() || self.has_room(now) {
            true => key,
            false => RequestKey::OtherStrangers,
        };
        let whole = now + BURST * INTERVAL;
        if let Some(at) = self.full_at.get_mut(&key) {
            // A wall clock that was set back leaves moments further ahead than an empty bucket.
            *at = (*at).clamp(now, whole);
        }
        let full_at = self.full_at.get(&key).map_or(now, |at| *at) + INTERVAL;
        if full_at > whole {
            return Err(full_at - whole);
        }
        let is_stranger = key.is_stranger();
        if self.full_at.insert(key, full_at).is_none() && is_stranger {
            self.strangers += 1;
        }
        Ok(())
    }

    /// Whether there is room for one more stranger; forgets full buckets if there is not.
    fn has_room(&mut self, now: i64) -> bool {
        if self.strangers >= STRANGERS_MAX && (now - self.swept_at).abs() >= SWEEP_INTERVAL {
            self.swept_at = now;
            self.full_at.retain(|_, at| *at > now);
            self.strangers = self.full_at.keys().filter(|key| key.is_stranger()).count();
        }
        self.strangers < STRANGERS_MAX
    }
}

/// The buckets of all callers. Accounts and programs are as many as the store has.
#[derive(Debug, Default)]
pub(super) struct RequestLimits {
    buckets: Mutex<Buckets>,
}

impl RequestLimits {
    /// Counts one request. `Err` = refused; the next is allowed in so many seconds.
    pub fn count(&self, key: RequestKey, now: Utc) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.take(key, now.as_millis()).map_err(|millis| millis.max(0).unsigned_abs().div_ceil(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn stranger(n: u32) -> RequestKey {
        RequestKey::Stranger(IpAddr::V4(std::net::Ipv4Addr::from_bits(n)))
    }

    #[test]
    fn in_no_span_are_more_allowed_than_rate_and_burst() {
        for seed in 0..200 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut buckets, mut now, mut allowed) = (Buckets::default(), 1_000_000, Vec::new());
            let gap = random.random_range(0..60);
            for _ in 0..2_000 {
                now += random.random_range(0..=gap);
                if random.random_bool(0.002) {
                    now += 3_000;
                }
                match buckets.take(stranger(1), now) {
                    Ok(()) => allowed.push(now),
                    Err(wait) => {
                        let mut later =
                            Buckets { full_at: buckets.full_at.clone(), strangers: 1, swept_at: 0 };
                        assert!(later.take(stranger(1), now + wait - 1).is_err(), "seed {seed}");
                        assert!(later.take(stranger(1), now + wait).is_ok(), "seed {seed}");
                    }
                }
            }
            for (first, from) in allowed.iter().enumerate() {
                for (more, until) in allowed[first..].iter().enumerate().skip(BURST as usize) {
                    let most = BURST + (until - from) / INTERVAL;
                    assert!((more as i64) < most, "seed {seed}: {more} from {from} until {until}");
                }
            }
        }
    }

    #[test]
    fn a_caller_at_the_rate_is_never_refused_and_no_caller_costs_another() {
        let mut buckets = Buckets::default();
        for n in 0..1_000 {
            for _ in 0..200 {
                let _ = buckets.take(stranger(1), n * INTERVAL);
            }
            assert!(buckets.take(stranger(2), n * INTERVAL).is_ok());
            assert!(buckets.take(RequestKey::Account(AgentId(1)), n * INTERVAL).is_ok());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut buckets = Buckets::default();
        for _ in 0..=BURST {
            let _ = buckets.take(stranger(1), 10_000_000);
        }
        let wait = buckets.take(stranger(1), 0).expect_err("the bucket is empty");
        assert!(wait <= INTERVAL && buckets.take(stranger(1), wait).is_ok());
    }

    #[test]
    fn the_memory_for_strangers_is_bounded_and_callers_keep_their_buckets() {
        let mut buckets = Buckets::default();
        for _ in 0..BURST {
            buckets.take(RequestKey::Account(AgentId(1)), 0).expect("within the burst");
        }
        let refused = (0..100_000).filter(|n| buckets.take(stranger(*n), 0).is_err()).count();
        assert!(buckets.full_at.len() <= STRANGERS_MAX + 2, "{}", buckets.full_at.len());
        assert!(refused > 70_000, "the others share one bucket: {refused}");
        assert!(buckets.take(RequestKey::Account(AgentId(1)), 0).is_err());
        assert!(buckets.take(RequestKey::Account(AgentId(2)), 0).is_ok());
        // Once the buckets are full again, strangers have their own.
        assert!((0..1_000).all(|n| buckets.take(stranger(500_000 + n), 60_000).is_ok()));
        assert!(buckets.full_at.len() < 1_010);
    }

    #[test]
    fn an_ipv6_customer_has_one_bucket() {
        let network = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
