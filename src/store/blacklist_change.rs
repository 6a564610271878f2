//! The blacklist as people and programs change it over the API.

use super::StoreError;
use super::agents::require_found;
use super::blacklist::{BlacklistAddition, CHUNK, delete_entry, delete_patterns, insert};
use super::change::Change;
use paceline_core::ids::CampaignId;
use paceline_core::number_pattern::NumberPattern;

impl Change<'_> {
    /// Puts patterns on the blacklist; the number of those that this source had not named before. After the commit
    /// call [`Store::apply_blacklist`](super::Store::apply_blacklist).
    pub async fn add_blacklist(&mut self, addition: &BlacklistAddition) -> Result<u64, StoreError> {
        let (now, mut added) = (self.at(), 0);
        for chunk in addition.patterns.chunks(CHUNK) {
            added += insert(self.conn(), addition, chunk, 0, now).await.map_err(|e| self.error(e))?;
        }
        Ok(added)
    }

    /// As [`Store::remove_blacklist`](super::Store::remove_blacklist).
    pub async fn remove_blacklist(
        &mut self,
        campaign: Option<CampaignId>,
        patterns: &[NumberPattern],
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for chunk in patterns.chunks(CHUNK) {
            let deleted = delete_patterns(self.conn(), campaign, chunk).await;
            removed += deleted.map_err(|e| self.error(e))?;
        }
        Ok(removed)
    }

    /// As [`Store::remove_blacklist_entry`](super::Store::remove_blacklist_entry).
    pub async fn remove_blacklist_entry(&mut self, id: i64) -> Result<(), StoreError> {
        let removed = delete_entry(self.conn(), id).await.map_err(|e| self.error(e))?;
        require_found(removed, || format!("a blacklist entry with id {id}"))
    }
}
