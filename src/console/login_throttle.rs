//! Login throttle: leaky buckets of password throttle per account and address, per account, and per address.
//! A guess over a limit is refused before the password is hashed, and costs nothing.

use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Pair(String, IpAddr),
    Login(String),
    Address(IpAddr),
}

/// LoginThrottle allowed at once, and the seconds after which one more is allowed.
#[derive(Clone, Copy, Debug)]
struct Limit {
    burst: f64,
    secs: f64,
}

/// One account from one address.
const PAIR: Limit = Limit { burst: 5.0, secs: 60.0 };
/// One account from all addresses.
const LOGIN: Limit = Limit { burst: 20.0, secs: 30.0 };
/// One address over all accounts.
const ADDRESS: Limit = Limit { burst: 20.0, secs: 6.0 };

/// Buckets kept; beyond, the older half is dropped.
const BUCKETS_MAX: usize = 20_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    used: f64,
    at: Utc,
    /// The account has signed in from this address, so throttle by others cannot lock it out here.
    known: bool,
}

/// All buckets.
#[derive(Debug, Default)]
pub struct LoginThrottle {
    buckets: Mutex<BTreeMap<Key, Bucket>>,
}

impl LoginThrottle {
    /// Counts one guess. `Err` = refused; the next is allowed in so many seconds.
    pub fn count_guess(&self, login: &str, address: IpAddr, now: Utc) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = Key::Pair(login.to_owned(), address);
        let known = buckets.get(&pair).is_some_and(|bucket| bucket.known);
        let mut wanted = vec![(pair, PAIR)];
        if !known {
            wanted.push((Key::Login(login.to_owned()), LOGIN));
            wanted.push((Key::Address(address), ADDRESS));
        }
        let wait = wanted.iter().filter_map(|(key, limit)| wait(buckets.get(key), *limit, now)).max();
        if let Some(secs) = wait {
            return Err(secs);
        }
        for (key, limit) in wanted {
            let bucket = buckets.entry(key).or_insert(Bucket { used: 0.0, at: now, known: false });
            *bucket = Bucket { used: used(bucket, limit, now) + 1.0, at: now, known: bucket.known };
        }
        if buckets.len() > BUCKETS_MAX {
            drop_older_half(&mut buckets);
        }
        Ok(())
    }

    /// The password was right: the guess is given back, and the account is known at this address.
    pub fn count_success(&self, login: &str, address: IpAddr, now: Utc) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.insert(Key::Pair(login.to_owned(), address), Bucket { used: 0.0, at: now, known: true });
        for key in [Key::Login(login.to_owned()), Key::Address(address)] {
            if let Some(bucket) = buckets.get_mut(&key) {
                bucket.used = (bucket.used - 1.0).max(0.0);
            }
        }
    }
}

fn used(bucket: &Bucket, limit: Limit, now: Utc) -> f64 {
    (bucket.used - now.since(bucket.at).as_secs_f64() / limit.secs).max(0.0)
}

/// Seconds until one more guess fits; `None` = it fits.
fn wait(bucket: Option<&Bucket>, limit: Limit, now: Utc) -> Option<u64> {
    let over = used(bucket?, limit, now) + 1.0 - limit.burst;
    (over > 1e-9).then(|| (over * limit.secs).ceil().max(1.0) as u64)
}

fn drop_older_half(buckets: &mut BTreeMap<Key, Bucket>) {
    let mut ages: Vec<Utc> = buckets.values().map(|bucket| bucket.at).collect();
    ages.sort_unstable();
    let middle = ages[ages.len() / 2];
    buckets.retain(|_, bucket| bucket.at > middle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn judged(
        throttle: &LoginThrottle,
        login: &str,
        address: IpAddr,
        from: Utc,
        every: Duration,
        tries: u32,
    ) -> u32 {
        (0..tries).map(|n| u32::from(throttle.count_guess(login, address, from + every * n).is_ok())).sum()
    }

    #[test]
    fn of_sixty_guesses_in_a_minute_six_are_allowed() {
        let throttle = LoginThrottle::default();
        assert_eq!(judged(&throttle, "ana", HERE, Utc::from_millis(0), Duration::from_secs(1), 61), 6);
        assert!(
            throttle.count_guess("bo", HERE, Utc::from_millis(60_000)).is_ok(),
            "another account at this desk"
        );
    }

    #[test]
    fn one_address_cannot_try_every_account() {
        let throttle = LoginThrottle::default();
        let at = Utc::from_millis(0);
        let judged = (0..500).filter(|n| throttle.count_guess(&format!("u{n}"), HERE, at).is_ok()).count();
        assert_eq!(judged, 20);
        assert!(throttle.count_guess("u0", THERE, at).is_ok());
    }

    #[test]
    fn one_account_cannot_be_tried_from_everywhere() {
        let throttle = LoginThrottle::default();
        let at = Utc::from_millis(0);
        let address = |n: u32| IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
        assert_eq!((0..500).filter(|n| throttle.count_guess("ana", address(*n), at).is_ok()).count(), 20);
    }

    #[test]
    fn a_known_account_is_not_locked_out_by_guesses_of_others() {
        let throttle = LoginThrottle::default();
        let at = Utc::from_millis(0);
        throttle.count_guess("ana", HERE, at).unwrap();
        throttle.count_success("ana", HERE, at);
        for n in 0..100 {
            let _ = throttle.count_guess(&format!("u{n}"), HERE, at);
            let _ = throttle.count_guess("ana", THERE, at);
        }
        assert!(throttle.count_guess("bo", HERE, at).is_err());
        assert!(throttle.count_guess("ana", HERE, at).is_ok());
    }

    #[test]
    fn a_guess_after_the_given_wait_is_allowed() {
        let throttle = LoginThrottle::default();
        let mut now = Utc::from_millis(1_000_000);
        for _ in 0..50 {
            if let Err(secs) = throttle.count_guess("ana", HERE, now) {
                now = now + Duration::from_secs(secs);
                throttle.count_guess("ana", HERE, now).expect("it waited");
            }
        }
    }

    #[test]
    fn the_number_of_buckets_stays_bounded() {
        let throttle = LoginThrottle::default();
        for n in 0..60_000_u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            let _ = throttle.count_guess(&format!("u{n}"), address, Utc::from_millis(i64::from(n)));
        }
        assert!(throttle.buckets.lock().unwrap().len() <= BUCKETS_MAX + 3);
    }
}
