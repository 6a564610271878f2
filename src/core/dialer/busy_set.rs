//! Reference-counted set of numbers and households with a live call, so that the end of one call frees no
//! key that another call still holds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set whose keys are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BusySet<K: Ord>(BTreeMap<K, u32>);

impl<K: Ord> Default for BusySet<K> {
    fn default() -> Self {
        BusySet(BTreeMap::new())
    }
}

impl<K: Ord> BusySet<K> {
    pub fn insert(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    /// Removes one reference; a key that is not in the set stays absent.
    pub fn remove(&mut self, key: &K) {
        let Some(count) = self.0.get_mut(key) else { return };
        *count -= 1;
        if *count == 0 {
            self.0.remove(key);
        }
    }

    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    pub fn counts(&self) -> &BTreeMap<K, u32> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_one_call_frees_nothing_that_another_holds() {
        let mut set = BusySet::default();
        set.insert(7);
        set.insert(7);
        set.remove(&7);
        assert!(set.contains(&7));
        set.remove(&7);
        set.remove(&7);
        assert!(!set.contains(&7) && set.counts().is_empty());
    }
}
