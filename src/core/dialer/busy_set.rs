//! Reference-counted set of numbers and households with a live call, so that the end of one call frees no
//! key that another call still holds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set whose keys are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marks<K: Ord>(BTreeMap<K, u32>);

impl<K: Ord> Default for Marks<K> {
    fn default() -> Self {
        Marks(BTreeMap::new())
    }
}

impl<K: Ord> Marks<K> {
    pub fn set(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    /// Removes one reference; a key that is not in the set stays absent.
    pub fn free(&mut self, key: &K) {
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
        let mut marks = Marks::default();
        marks.set(7);
        marks.set(7);
        marks.free(&7);
        assert!(marks.contains(&7));
        marks.free(&7);
        marks.free(&7);
        assert!(!marks.contains(&7) && marks.counts().is_empty());
    }
}
