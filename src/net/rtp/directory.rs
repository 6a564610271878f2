//! Which media thread owns which leg. All legs of a mix live on one thread, so a leg that joins a mix may
//! have to move. Used by the senders of commands, never by a media thread.

use paceline_core::ids::{CallId, MixId};
use rustc_hash::FxHashMap;

/// The thread index of each leg and mix.
#[derive(Debug, Default)]
pub struct Directory {
    legs: FxHashMap<CallId, Known>,
    mixes: FxHashMap<MixId, Home>,
}

#[derive(Debug)]
struct Known {
    thread: usize,
    mix: Option<MixId>,
}

#[derive(Debug)]
struct Home {
    thread: usize,
    legs: usize,
}

/// A leg's move to the thread of its mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub from: usize,
    pub to: usize,
}

impl Directory {
    /// Registers a leg. A leg that is opened again keeps its thread and leaves its mix.
    pub fn open(&mut self, leg: CallId, thread: usize) -> usize {
        self.leave(leg);
        self.legs.entry(leg).or_insert(Known { thread, mix: None }).thread
    }

    pub fn thread(&self, leg: CallId) -> Option<usize> {
        self.legs.get(&leg).map(|known| known.thread)
    }

    /// Registers the leg as a member of the mix. The first member keeps its thread; the others move to
    /// it.
    pub fn join(&mut self, leg: CallId, mix: MixId) -> Option<Way> {
        let known = self.legs.get(&leg)?;
        let from = known.thread;
        if known.mix == Some(mix) {
            return Some(Way { from, to: from });
        }
        self.leave(leg);
        let home = self.mixes.entry(mix).or_insert(Home { thread: from, legs: 0 });
        home.legs += 1;
        let to = home.thread;
        self.legs.insert(leg, Known { thread: to, mix: Some(mix) });
        Some(Way { from, to })
    }

    pub fn leave(&mut self, leg: CallId) {
        let Some(mix) = self.legs.get_mut(&leg).and_then(|known| known.mix.take()) else { return };
        if let Some(home) = self.mixes.get_mut(&mix) {
            home.legs -= 1;
            if home.legs == 0 {
                self.mixes.remove(&mix);
            }
        }
    }

    /// Removes the leg and returns its thread.
    pub fn close(&mut self, leg: CallId) -> Option<usize> {
        self.leave(leg);
        self.legs.remove(&leg).map(|known| known.thread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_of_a_mix_move_to_the_thread_of_its_first_leg() {
        let mut directory = Directory::default();
        assert_eq!(directory.open(CallId(1), 0), 0);
        assert_eq!(directory.open(CallId(2), 1), 1);
        assert_eq!(directory.join(CallId(2), MixId(9)), Some(Way { from: 1, to: 1 }));
        assert_eq!(directory.join(CallId(1), MixId(9)), Some(Way { from: 0, to: 1 }));
        assert_eq!(directory.join(CallId(1), MixId(9)), Some(Way { from: 1, to: 1 }));
        assert_eq!(directory.join(CallId(3), MixId(9)), None, "nobody knows it");
        assert_eq!(directory.thread(CallId(1)), Some(1));
    }

    #[test]
    fn a_mix_without_legs_is_forgotten() {
        let mut directory = Directory::default();
        directory.open(CallId(1), 0);
        directory.open(CallId(2), 1);
        directory.join(CallId(1), MixId(9));
        directory.join(CallId(2), MixId(9));
        directory.leave(CallId(1));
        directory.join(CallId(2), MixId(10));
        assert!(!directory.mixes.contains_key(&MixId(9)));
        assert_eq!(directory.close(CallId(2)), Some(0));
        assert_eq!(directory.close(CallId(2)), None);
        assert!(directory.mixes.is_empty());
        assert_eq!(directory.open(CallId(1), 1), 0, "it stays where it was");
    }
}
