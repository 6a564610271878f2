//! Limits of connections and live streams. Every permit gives its place back when dropped.

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use paceline_core::ids::AgentId;
use paceline_core::time::{Duration, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// Live streams of one account, or of one program: a few screens and tabs.
pub(super) const STREAMS_PER_ACCOUNT_MAX: usize = 8;

/// Look-ups by number in an hour, of a caller who is shown masked numbers.
pub(super) const LOOK_UPS_MAX: usize = 30;

const HOUR: Duration = Duration::from_secs(3_600);

/// Moments of the last hour's look-ups, by caller.
#[derive(Debug, Default)]
pub(super) struct LookUps {
    made: Mutex<BTreeMap<String, VecDeque<Utc>>>,
}

impl LookUps {
    /// Counts one look-up. `Err` = as many as are allowed were made; the next is in so many seconds.
    pub fn count(&self, who: &str, now: Utc) -> Result<(), u64> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        for moments in made.values_mut() {
            while moments.front().is_some_and(|at| *at + HOUR <= now) {
                moments.pop_front();
            }
        }
        made.retain(|_, moments| !moments.is_empty());
        let own = made.entry(who.to_owned()).or_default();
        if own.len() >= LOOK_UPS_MAX {
            let free = own.front().map_or(now, |at| *at + HOUR);
            return Err((free.as_millis() - now.as_millis()).max(0) as u64 / 1_000 + 1);
        }
        own.push_back(now);
        Ok(())
    }
}

/// Counts what is open by key; a key without anything open takes no memory.
#[derive(Debug)]
pub(super) struct Counts<K: Ord> {
    open: Arc<Mutex<BTreeMap<K, usize>>>,
}

// Not derived: a derive would ask for `K: Default` and `K: Clone`.
impl<K: Ord> Default for Counts<K> {
    fn default() -> Self {
        Counts { open: Arc::default() }
    }
}

impl<K: Ord> Clone for Counts<K> {
    fn clone(&self) -> Self {
        Counts { open: self.open.clone() }
    }
}

/// One counted place.
#[derive(Debug)]
pub(super) struct Permit<K: Ord> {
    key: Option<K>,
    counts: Counts<K>,
}

impl<K: Ord + Clone> Counts<K> {
    /// `None` = `max` are open under this key.
    pub fn try_acquire(&self, key: K, max: usize) -> Option<Permit<K>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let here = open.get(&key).copied().unwrap_or(0);
        if here >= max {
            return None;
        }
        open.insert(key.clone(), here + 1);
        Some(Permit { key: Some(key), counts: self.clone() })
    }
}

impl<K: Ord> Drop for Permit<K> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut open = self.counts.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&key) {
            Some(here) if *here > 1 => *here -= 1,
            _ => {
                open.remove(&key);
            }
        }
    }
}

/// The reader of a live stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StreamReader {
    Account(AgentId),
    /// Hash of a program's token.
    Program(String),
}

/// Open live streams: in all, and by account.
#[derive(Debug)]
pub(super) struct LiveStreams {
    max: usize,
    all: Counts<()>,
    by_reader: Counts<StreamReader>,
}

/// The place of one live stream.
#[derive(Debug)]
pub(super) struct StreamPermit {
    _all: Permit<()>,
    _reader: Permit<StreamReader>,
}

/// Why a live stream is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamRefusal {
    AccountFull,
    ServiceFull,
}

impl LiveStreams {
    pub fn new(max: usize) -> LiveStreams {
        LiveStreams { max, all: Counts::default(), by_reader: Counts::default() }
    }

    pub fn try_open(&self, reader: StreamReader) -> Result<StreamPermit, StreamRefusal> {
        let of_reader = self.by_reader.try_acquire(reader, STREAMS_PER_ACCOUNT_MAX);
        let reader = of_reader.ok_or(StreamRefusal::AccountFull)?;
        let all = self.all.try_acquire((), self.max).ok_or(StreamRefusal::ServiceFull)?;
        Ok(StreamPermit { _all: all, _reader: reader })
    }
}

/// A response body that holds a permit until it has been sent.
pub(super) struct HeldBody {
    body: Body,
    _permit: Permit<IpAddr>,
}

impl HeldBody {
    pub fn new(body: Body, permit: Permit<IpAddr>) -> HeldBody {
        HeldBody { body, _permit: permit }
    }
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_or_dropped_permit_leaves_nothing_behind() {
        let counts: Counts<u8> = Counts::default();
        assert!(counts.try_acquire(1, 0).is_none());
        assert!(counts.open.lock().unwrap().is_empty());
        let first = counts.try_acquire(1, 2).unwrap();
        let second = counts.try_acquire(1, 2).unwrap();
        assert!(counts.try_acquire(1, 2).is_none() && counts.try_acquire(2, 2).is_some());
        drop(first);
        assert!(counts.try_acquire(1, 2).is_some());
        drop(second);
        assert!(counts.open.lock().unwrap().is_empty());
    }

    #[test]
    fn one_account_cannot_take_the_streams_of_others() {
        let streams = LiveStreams::new(10);
        let account = |id| StreamReader::Account(AgentId(id));
        let held: Vec<_> = (0..8).map(|_| streams.try_open(account(1)).unwrap()).collect();
        assert_eq!(streams.try_open(account(1)).unwrap_err(), StreamRefusal::AccountFull);
        let more: Vec<_> = (2..4).map(|id| streams.try_open(account(id)).unwrap()).collect();
        assert_eq!(streams.try_open(account(5)).unwrap_err(), StreamRefusal::ServiceFull);
        drop((held, more));
        assert!(streams.try_open(account(1)).is_ok());
    }
}
