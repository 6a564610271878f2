//! The trunks that campaigns may name, each with its id: those of `paceline.toml` and those that people added. A service
//! fills the directory from the store and keeps it true while trunks change; without a store the trunks of the file are
//! numbered in their order.

use super::settings::Config;
use super::trunk::TrunkConfig;
use paceline_core::campaign::SIMULATED_TRUNK;
use paceline_core::ids::TrunkId;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Shared by the clones of one configuration.
#[derive(Clone, Debug, Default)]
pub struct TrunkDirectory {
    known: Arc<RwLock<Option<KnownTrunks>>>,
}

/// Every trunk by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownTrunks {
    pub trunks: BTreeMap<String, KnownTrunk>,
    /// The built-in simulated carrier.
    pub simulated: TrunkId,
}

/// A trunk that rings real phones.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownTrunk {
    pub id: TrunkId,
    pub settings: TrunkConfig,
}

impl TrunkDirectory {
    /// Leaves a trunk out.
    pub fn forget(&self, trunk: TrunkId) {
        if let Some(known) = &mut *self.known.write().unwrap_or_else(PoisonError::into_inner) {
            known.trunks.retain(|_, it| it.id != trunk);
        }
    }

    /// Replaces what is known.
    pub fn set(&self, known: KnownTrunks) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

impl KnownTrunks {
    /// Gives each trunk of the file, and the simulated carrier, the id that it has in the store, or the next free one.
    /// `rows` = name and id of every row of the store; `others` = the trunks that people added.
    pub fn number(
        of_file: &BTreeMap<String, TrunkConfig>,
        rows: &BTreeMap<String, TrunkId>,
        others: BTreeMap<String, KnownTrunk>,
    ) -> KnownTrunks {
        let mut last = rows.values().map(|id| id.0).max().unwrap_or(0);
        let mut id_of = |name: &str| {
            rows.get(name).copied().unwrap_or_else(|| {
                last += 1;
                TrunkId(last)
            })
        };
        let mut trunks = others;
        for (name, settings) in of_file {
            let known = KnownTrunk { id: id_of(name), settings: settings.clone() };
            trunks.insert(name.clone(), known);
        }
        KnownTrunks { trunks, simulated: id_of(SIMULATED_TRUNK) }
    }
}

impl Config {
    /// Every trunk that rings real phones, by name.
    pub fn known_trunks(&self) -> BTreeMap<String, KnownTrunk> {
        let known = self.directory.known.read().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) => known.trunks.clone(),
            None => self.numbered().trunks,
        }
    }

    fn numbered(&self) -> KnownTrunks {
        KnownTrunks::number(&self.trunks, &BTreeMap::new(), BTreeMap::new())
    }

    /// Whether there is a trunk beside the built-in simulated carrier.
    pub fn has_trunks(&self) -> bool {
        let known = self.directory.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map_or(!self.trunks.is_empty(), |known| !known.trunks.is_empty())
    }

    /// The id of the built-in simulated carrier's trunk.
    pub fn simulated_trunk(&self) -> TrunkId {
        let known = self.directory.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map_or_else(|| self.numbered().simulated, |known| known.simulated)
    }

    /// The trunks that a campaign uses that names these; names that no trunk has are left out. Without any trunk the
    /// simulated carrier stands for every one.
    pub fn trunks_named(&self, named: &[String]) -> Vec<TrunkId> {
        if !self.has_trunks() || named.iter().any(|name| name == SIMULATED_TRUNK) {
            return vec![self.simulated_trunk()];
        }
        let known = self.known_trunks();
        match named.is_empty() {
            true => known.values().map(|trunk| trunk.id).collect(),
            false => named.iter().filter_map(|name| known.get(name)).map(|trunk| trunk.id).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_trunk_keeps_its_id_whatever_is_added_or_taken_out_of_the_file() {
        let file = |names: &[&str]| -> BTreeMap<String, TrunkConfig> {
            names.iter().map(|name| ((*name).to_owned(), TrunkConfig::default())).collect()
        };
        let ids = |known: &KnownTrunks| -> BTreeMap<String, TrunkId> {
            let all = known.trunks.iter().map(|(name, trunk)| (name.clone(), trunk.id));
            all.chain([(SIMULATED_TRUNK.to_owned(), known.simulated)]).collect()
        };
        let first = KnownTrunks::number(&file(&["b", "d"]), &BTreeMap::new(), BTreeMap::new());
        assert_eq!(
            (first.trunks["b"].id, first.trunks["d"].id, first.simulated),
            (TrunkId(1), TrunkId(2), TrunkId(3))
        );
        let second = KnownTrunks::number(&file(&["a", "d"]), &ids(&first), BTreeMap::new());
        assert_eq!(
            (second.trunks["a"].id, second.trunks["d"].id, second.simulated),
            (TrunkId(4), TrunkId(2), TrunkId(3))
        );
    }

    #[test]
    fn a_campaign_uses_the_trunks_that_it_names_or_all() {
        let mut config = Config::default();
        assert_eq!(config.trunks_named(&names(&["main"])), [config.simulated_trunk()], "there is no other");
        config.trunks.insert("main".into(), TrunkConfig::default());
        config.trunks.insert("other".into(), TrunkConfig::default());
        assert_eq!(config.trunks_named(&[]), [TrunkId(1), TrunkId(2)]);
        assert_eq!(config.trunks_named(&names(&["other", "gone"])), [TrunkId(2)]);
        assert_eq!(config.trunks_named(&names(&["simulated"])), [TrunkId(3)]);
        let shared = config.clone();
        config.directory.set(KnownTrunks { trunks: BTreeMap::new(), simulated: TrunkId(9) });
        assert_eq!(shared.trunks_named(&[]), [TrunkId(9)], "clones share the directory");
    }
}
