//! Which media thread owns which leg. All legs of a mix live on one thread, so a leg that joins a mix may
//! have to move. Used by the senders of commands, never by a media thread.

use paceline_core::ids::{CallId, MixId};
use rustc_hash::FxHashMap;

/// The thread index of each leg and mix.
#[derive(Debug, Default)]
pub struct LegPlacement {
    legs: FxHashMap<CallId, LegEntry>,
    mixes: FxHashMap<MixId, MixEntry>,
}

#[derive(Debug)]
struct LegEntry {
    thread: usize,
    mix: Option<MixId>,
}

#[derive(Debug)]
struct MixEntry {
    thread: usize,
    legs: usize,
}

/// A leg's move to the thread of its mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadMove {
    pub from: usize,
    pub to: usize,
}

impl LegPlacement {
    /// Registers a leg. A leg that is opened again keeps its thread and leaves its mix.
    pub fn open(&mut self, leg: CallId, thread: usize) -> usize {
        self.leave(leg);
        self.legs.entry(leg).or_insert(LegEntry { thread, mix: None }).thread
    }

    pub fn thread(&self, leg: CallId) -> Option<usize> {
        self.legs.get(&leg).map(|entry| entry.thread)
    }

    /// Registers the leg as a member of the mix. The first member keeps its thread; the others move to
    /// it.
    pub fn join(&mut self, leg: CallId, mix: MixId) -> Option<ThreadMove> {
        let entry = self.legs.get(&leg)?;
        let from = entry.thread;
        if entry.mix == Some(mix) {
            return Some(ThreadMove { from, to: from });
        }
        self.leave(leg);
        let mix_entry = self.mixes.entry(mix).or_insert(MixEntry { thread: from, legs: 0 });
        mix_entry.legs += 1;
        let to = mix_entry.thread;
        self.legs.insert(leg, LegEntry { thread: to, mix: Some(mix) });
        Some(ThreadMove { from, to })
    }

    pub fn leave(&mut self, leg: CallId) {
        let Some(mix) = self.legs.get_mut(&leg).and_then(|entry| entry.mix.take()) else { return };
        if let Some(mix_entry) = self.mixes.get_mut(&mix) {
            mix_entry.legs -= 1;
            if mix_entry.legs == 0 {
                self.mixes.remove(&mix);
            }
        }
    }

    /// Removes the leg and returns its thread.
    pub fn close(&mut self, leg: CallId) -> Option<usize> {
        self.leave(leg);
        self.legs.remove(&leg).map(|entry| entry.thread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_of_a_mix_move_to_the_thread_of_its_first_leg() {
        let mut placement = LegPlacement::default();
        assert_eq!(placement.open(CallId(1), 0), 0);
        assert_eq!(placement.open(CallId(2), 1), 1);
        assert_eq!(placement.join(CallId(2), MixId(9)), Some(ThreadMove { from: 1, to: 1 }));
        assert_eq!(placement.join(CallId(1), MixId(9)), Some(ThreadMove { from: 0, to: 1 }));
        assert_eq!(placement.join(CallId(1), MixId(9)), Some(ThreadMove { from: 1, to: 1 }));
        assert_eq!(placement.join(CallId(3), MixId(9)), None, "nobody knows it");
        assert_eq!(placement.thread(CallId(1)), Some(1));
    }

    #[test]
    fn a_mix_without_legs_is_forgotten() {
        let mut placement = LegPlacement::default();
        placement.open(CallId(1), 0);
        placement.open(CallId(2), 1);
        placement.join(CallId(1), MixId(9));
        placement.join(CallId(2), MixId(9));
        placement.leave(CallId(1));
        placement.join(CallId(2), MixId(10));
        assert!(!placement.mixes.contains_key(&MixId(9)));
        assert_eq!(placement.close(CallId(2)), Some(0));
        assert_eq!(placement.close(CallId(2)), None);
        assert!(placement.mixes.is_empty());
        assert_eq!(placement.open(CallId(1), 1), 0, "it stays where it was");
    }
}
