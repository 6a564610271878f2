//! The user agent's timer queue: one entry per owner.

use super::identifiers::ClientKey;
use crate::ids::{CallId, TrunkId};
use crate::time::Time;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Client(ClientKey),
    Server(u64),
    Leg(CallId),
    Trunk(TrunkId),
    /// A phone's binding.
    Binding(u64),
    Recovered(u64),
}

#[derive(Debug, Default)]
pub(super) struct Wakes {
    queue: BTreeSet<(Time, Owner)>,
}

impl Wakes {
    /// Moves the owner's entry to `wanted`. The owner keeps `armed`, the time of its current entry.
    pub fn set(&mut self, owner: Owner, armed: &mut Option<Time>, wanted: Option<Time>) {
        if *armed == wanted {
            return;
        }
        if let Some(old) = *armed {
            self.queue.remove(&(old, owner));
        }
        if let Some(new) = wanted {
            self.queue.insert((new, owner));
        }
        *armed = wanted;
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn next(&self) -> Option<Time> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Removes and returns the next due owner, which must set its `armed` to `None`.
    pub fn pop_due(&mut self, now: Time) -> Option<Owner> {
        let &(at, owner) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        Some(owner)
    }
}
