//! A list that grows after its campaign has begun: which numbers the campaign's leads have, further numbers of
//! known leads, leads that are no longer in the list.

use super::corrections::add_phone;
use super::imports::ImportId;
use super::{Store, StoreError};
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use sqlx::SqliteConnection;

/// Leads and numbers per transaction.
const CHUNK: usize = 1_000;

/// How the fingerprint of an import begins whose file was added to the campaign's list, and does not replace it.
pub const ADDED: &str = "add:";

/// One number of a lead of the campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownNumber {
    pub number: PhoneNumber,
    pub lead: LeadId,
    /// The row of the list that the lead is from.
    pub row: u64,
    /// The lead is from the campaign's own list, not from a file that was added.
    pub is_listed: bool,
}

impl Store {
    /// Every number of the campaign's leads, in the order of the leads.
    pub async fn numbers_of_leads(&self, campaign: CampaignId) -> Result<Vec<KnownNumber>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select p.number, l.id as "lead!", l.list_row, i.fingerprint
                 from import i join lead l on l.import_id = i.id join phone p on p.lead_id = l.id
                where i.campaign_id = $1 and i.state = 'done' order by l.id, p.position"#,
            campaign.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let known = rows.into_iter().filter_map(|row| {
            Some(KnownNumber {
                number: PhoneNumber::from_e164(row.number as u64)?,
                lead: LeadId(row.lead),
                row: row.list_row as u64,
                is_listed: !row.fingerprint.starts_with(ADDED),
            })
        });
        Ok(known.collect())
    }

    /// The cells of every refused row of the campaign, as JSON arrays of text.
    pub async fn refused_cells(&self, campaign: CampaignId) -> Result<Vec<String>, StoreError> {
        let mut conn = self.read().await?;
        sqlx::query_scalar!(
            "select r.cells from import i join refused_row r on r.import_id = i.id
              where i.campaign_id = $1 and i.state = 'done'",
            campaign.0
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())
    }

    /// Gives leads further numbers, each with its original text, behind those they have. A lead that failed for want
    /// of an answer is open again; one that is done stays done. May be repeated: a number that the lead has is not
    /// added again.
    pub async fn add_numbers(&self, numbers: &[(LeadId, PhoneNumber, String)]) -> Result<(), StoreError> {
        for chunk in numbers.chunks(CHUNK) {
            let written = self.transaction(async |conn| add_numbers_to_leads(conn, chunk).await);
            written.await.map_err(self.query_error())?;
        }
        self.write.note_lists_changed();
        Ok(())
    }

    /// Closes the leads of an import whose household is done already, as if they had been there when it was.
    pub async fn close_leads_of_done_households(&self, import: ImportId) -> Result<u64, StoreError> {
        let closed = self.transaction(async |conn| {
            let closed = sqlx::query!(
                "update lead set state = 'done', reason = 'household_done'
                  where import_id = $1 and state = 'open' and household_id in
                    (select other.household_id from lead other
                      where other.household_id = lead.household_id and other.state = 'done'
                        and other.import_id <> $1)",
                import.0
            )
            .execute(conn)
            .await?;
            Ok(closed.rows_affected())
        });
        let closed = closed.await.map_err(self.query_error())?;
        self.write.note_lists_changed();
        Ok(closed)
    }

    /// Closes open leads as `stopped`, since they are no longer in the list. Returns how many were open.
    pub async fn close_unlisted(&self, leads: &[LeadId]) -> Result<u64, StoreError> {
        let mut closed = 0;
        for chunk in leads.chunks(CHUNK) {
            let ids = super::blacklist::json_numbers(chunk.iter().map(|lead| lead.0));
            let done = self.transaction(async |conn| {
                let done = sqlx::query!(
                    "update lead set state = 'failed', reason = 'stopped'
                      where state in ('open', 'follow_up') and id in (select value from json_each($1))",
                    ids
                )
                .execute(conn)
                .await?;
                Ok(done.rows_affected())
            });
            closed += done.await.map_err(self.query_error())?;
        }
        self.write.note_lists_changed();
        Ok(closed)
    }
}

/// Gives leads further numbers; see [`Store::add_numbers`].
pub(super) async fn add_numbers_to_leads(
    conn: &mut SqliteConnection,
    numbers: &[(LeadId, PhoneNumber, String)],
) -> Result<(), sqlx::Error> {
    for (lead, number, given) in numbers {
        add_phone(conn, *lead, *number, &given.replace('\0', "\u{fffd}")).await?;
    }
    Ok(())
}
