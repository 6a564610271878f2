//! The rows that a campaign has, by their numbers: a list is known by its rows, not by its bytes, so that no number is
//! ever two leads.

use crate::lists::{Batch, FurtherFlat};
use crate::store::{Store, StoreError};
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// A further number of a known lead, with its original text.
pub type NewNumber = (LeadId, PhoneNumber, String);

/// The rows that a campaign has.
#[derive(Default)]
pub struct KnownRows {
    leads: FxHashMap<u64, LeadId>,
    /// Leads that came from the campaign's own list, with their row; empty unless they are looked for.
    listed: BTreeMap<LeadId, u64>,
    /// Of those, the leads that the file still has.
    seen: FxHashSet<LeadId>,
    /// Refused rows, by their cells in any order.
    refused: FxHashSet<u64>,
}

impl KnownRows {
    /// `with_listed` = [`KnownRows::gone`] will be asked.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load(
        store: &Store,
        campaign: CampaignId,
        with_listed: bool,
    ) -> Result<KnownRows, StoreError> {
        let mut rows = KnownRows::default();
        for known in store.numbers_of_leads(campaign).await? {
            rows.leads.entry(known.number.as_u64()).or_insert(known.lead);
            if known.is_listed && with_listed {
                rows.listed.entry(known.lead).or_insert(known.row);
            }
        }
        for cells in store.refused_cells(campaign).await? {
            let cells: Vec<String> = serde_json::from_str(&cells).unwrap_or_default();
            rows.refused.insert(row_key(&cells));
        }
        Ok(rows)
    }

    /// Keeps the rows of the batch that are new, and returns how many were known. A row of which some numbers are known is
    /// a known lead with further numbers, and perhaps with a further flat.
    pub fn keep_new(
        &mut self,
        batch: &mut Batch,
        numbers: &mut Vec<NewNumber>,
        flats: &mut Vec<FurtherFlat>,
    ) -> u64 {
        let mut known_rows = 0;
        batch.leads.retain(|row| {
            let known: Vec<Option<LeadId>> =
                row.phones.iter().map(|(number, _)| self.leads.get(&number.as_u64()).copied()).collect();
            let Some(lead) = known.iter().flatten().next().copied() else { return true };
            if !self.listed.is_empty() {
                self.seen.extend(known.iter().flatten());
            }
            known_rows += 1;
            let of_owner = row.phones.iter().zip(&known).find(|(_, known)| known.is_some());
            if let (Some(((number, _), _)), Some(household)) = (of_owner, &row.household) {
                flats.push(FurtherFlat {
                    row: row.row,
                    number: *number,
                    household: household.clone(),
                    area: row.area,
                });
            }
            for ((number, given), _) in row.phones.iter().zip(&known).filter(|(_, known)| known.is_none()) {
                numbers.push((lead, *number, given.clone()));
            }
            false
        });
        batch.refused.retain(|row| {
            // A number that the list names twice is still in the list.
            let is_new = self.refused.insert(row_key(&row.cells));
            known_rows += u64::from(!is_new);
            is_new
        });
        known_rows
    }

    /// Leads of the batch that are known, and further numbers of them; nothing is kept.
    pub fn count_known(&self, batch: &Batch) -> (u64, u64) {
        let (mut rows, mut numbers) = (0, 0);
        for row in &batch.leads {
            let is_known = |(number, _): &&(PhoneNumber, String)| self.leads.contains_key(&number.as_u64());
            let known = row.phones.iter().filter(is_known).count();
            if known > 0 {
                rows += 1;
                numbers += (row.phones.len() - known) as u64;
            }
        }
        (rows, numbers)
    }

    /// Leads of the campaign's own list that the file no longer has, with their rows.
    pub fn gone(&self) -> (Vec<LeadId>, Vec<u64>) {
        let gone = self.listed.iter().filter(|(lead, _)| !self.seen.contains(lead));
        gone.map(|(lead, row)| (*lead, *row)).unzip()
    }
}

/// Identifies a row by its cells, whatever the order of the columns.
fn row_key(cells: &[String]) -> u64 {
    let mut texts: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    texts.sort_unstable();
    let mut hasher = FxHasher::default();
    texts.hash(&mut hasher);
    hasher.finish()
}
