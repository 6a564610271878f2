//! The trunks of the store: those of the file get their rows at every start, and each gets what the engine needs.

use super::trunk_lookup::NamedTrunk;
use super::trunks::find_trunk;
use crate::commands::Failure;
use crate::config::trunk_directory::{KnownTrunk, KnownTrunks};
use crate::config::{Config, TrunkConfig};
use crate::console::trunk_requests::sealed_for;
use crate::engine::TrunkParts;
use crate::sealed::SealKey;
use crate::store::Store;
use crate::store::trunks::{TrunkRow, TrunkSource};
use paceline_core::campaign::SIMULATED_TRUNK;
use paceline_core::ids::{CampaignId, TrunkId};
use std::collections::BTreeMap;

/// The trunks that campaigns may name, without passwords of rows.
pub(in crate::commands) fn known_trunks(config: &Config, rows: &[TrunkRow]) -> KnownTrunks {
    known(config, rows, |row| TrunkConfig::of_row(&row.settings))
}

fn known(config: &Config, rows: &[TrunkRow], settings: impl Fn(&TrunkRow) -> TrunkConfig) -> KnownTrunks {
    let ids: BTreeMap<String, TrunkId> = rows.iter().map(|row| (row.name.clone(), row.id)).collect();
    let added = rows.iter().filter(|row| row.source == TrunkSource::Row);
    let added = added.map(|row| (row.name.clone(), KnownTrunk { id: row.id, settings: settings(row) }));
    KnownTrunks::number(&config.trunks, &ids, added.collect())
}

/// The trunks of the store at a start.
pub(super) struct KeptRows {
    pub rows: Vec<TrunkRow>,
    /// There were none: what an earlier version saved names trunks by their places in the file, from 0.
    pub is_first: bool,
}

/// Gives the trunks of the file their rows, and fills the directory.
pub(super) async fn keep_rows(config: &Config, store: &Store, key: &SealKey) -> Result<KeptRows, Failure> {
    let before = store.trunk_rows().await.map_err(Failure::unexpected)?;
    let known = known_trunks(config, &before);
    let of_file = config
        .trunks
        .keys()
        .filter_map(|name| Some((name.clone(), (known.trunks.get(name)?.id, TrunkSource::File))));
    let built_in = (SIMULATED_TRUNK.to_owned(), (known.simulated, TrunkSource::BuiltIn));
    let kept = of_file.chain([built_in]).collect();
    store.keep_trunks_of_file(&kept).await.map_err(Failure::unexpected)?;
    let maker = TrunkMaker::load(config, store, key).await.map_err(Failure::unexpected)?;
    Ok(KeptRows { rows: maker.rows, is_first: before.is_empty() })
}

/// Whether the campaign has called over the simulated carrier.
pub(in crate::commands) async fn is_simulated_by(store: &Store, id: CampaignId) -> bool {
    store.simulated_attempts(id).await.is_ok_and(|calls| calls > 0)
}

/// Makes what the engine needs of a trunk from its row.
pub(in crate::commands) struct TrunkMaker<'a> {
    config: &'a Config,
    rows: Vec<TrunkRow>,
}

impl TrunkMaker<'_> {
    /// Reads the rows and fills the directory with them.
    pub async fn load<'a>(
        config: &'a Config,
        store: &Store,
        key: &SealKey,
    ) -> Result<TrunkMaker<'a>, String> {
        let rows = store.trunk_rows().await.map_err(|error| error.to_string())?;
        let with_password = |row: &TrunkRow| {
            let password = key.open(&row.password_sealed, &sealed_for(&row.name)).unwrap_or_else(|error| {
                tracing::error!(
                    trunk = row.name,
                    "the password of the trunk cannot be read ({error}); enter it again on the page of trunks"
                );
                String::new()
            });
            TrunkConfig { password, ..TrunkConfig::of_row(&row.settings) }
        };
        config.directory.set(known(config, &rows, with_password));
        Ok(TrunkMaker { config, rows })
    }

    pub fn row(&self, name: &str) -> Option<&TrunkRow> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The parts of a trunk, and its name as it is looked up again, if it has one; `None` = the simulated carrier.
    ///
    /// # Errors
    /// What is missing in `[sip] listen`.
    pub async fn parts(&self, name: &str) -> Result<Option<(TrunkParts, Option<NamedTrunk>)>, String> {
        let Some(trunk) = self.config.known_trunks().remove(name) else { return Ok(None) };
        let parts = find_trunk(self.config, name, &trunk).await?;
        let watched = NamedTrunk::of(&trunk.settings, &parts);
        Ok(Some((parts, watched)))
    }
}
