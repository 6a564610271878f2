//! The owners of a campaign for the count of their vote, and the order in which the vote needs them.

use super::packed_rows::{CHUNK_ROWS, Chunk, PackedRows};
use super::reader::Reader;
use super::upload_loads::pause;
use super::{Change, ImportId, Store, StoreError};
use paceline_core::ids::{CampaignId, LeadId};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;
use std::path::Path;

/// Leads whose place in the order is written in one transaction: a call's commit waits only milliseconds for it.
const CHUNK: usize = 1_000;

/// A lead as an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRow {
    pub lead: LeadId,
    pub household: Option<String>,
    /// Hundredths of a square metre.
    pub area: Option<u64>,
    pub state: String,
    /// Of a key.
    pub result: Option<String>,
    /// Of an agent's last summary.
    pub disposition: Option<String>,
    /// Flats that other rows name beside one of its numbers, with their areas.
    pub further: Vec<(String, Option<u64>)>,
    pub order: i64,
}

/// Flats that other rows name beside a lead's numbers, by lead, with their areas.
type FurtherFlats = BTreeMap<i64, Vec<(String, Option<u64>)>>;

impl Reader {
    /// Every lead of a campaign, in the order in which they came.
    pub async fn owners(&mut self, campaign: CampaignId) -> Result<Vec<OwnerRow>, StoreError> {
        let mut further = self.further_flats(campaign).await?;
        let mut owners = Vec::new();
        for import in self.imports(campaign).await? {
            self.owners_of(import.id, &mut owners).await?;
        }
        for owner in &mut owners {
            owner.further = further.remove(&owner.lead.0).unwrap_or_default();
        }
        owners.sort_by_key(|owner| owner.lead);
        Ok(owners)
    }

    /// Adds the leads of one list; they come packed, see `packed_rows.rs`.
    async fn owners_of(&mut self, import: ImportId, owners: &mut Vec<OwnerRow>) -> Result<(), StoreError> {
        let path = self.path().to_path_buf();
        let mut after = i64::MIN;
        loop {
            let chunk = owners_behind(&mut self.conn, import, after, CHUNK_ROWS).await;
            let chunk = chunk.map_err(|e| self.query_error(&e))?;
            let Some(rows) = chunk.rows else { return Ok(()) };
            let mut packed = PackedRows::of(&rows);
            while packed.has_row() {
                owners.push(owner_of(&mut packed, &path)?);
            }
            after = chunk.last;
        }
    }

    /// Some leads of a campaign, as [`Reader::owners`] gives them.
    pub async fn owners_among(
        &mut self,
        campaign: CampaignId,
        leads: &[LeadId],
    ) -> Result<Vec<OwnerRow>, StoreError> {
        let ids = super::blacklist::json_numbers(leads.iter().map(|lead| lead.0));
        let mut further = self.further_flats_among(campaign, &ids).await?;
        let rows = sqlx::query!(
            r#"select l.id as "id!", h.name as "household?", l.area, l.state, l.result, l.disposition, l.vote_order
                 from lead l join import i on i.id = l.import_id and i.state = 'done'
                 left join household h on h.id = l.household_id
                where i.campaign_id = $1 and l.id in (select value from json_each($2)) order by l.id"#,
            campaign.0,
            ids
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let owners = rows.into_iter().map(|row| OwnerRow {
            lead: LeadId(row.id),
            household: row.household,
            area: row.area.and_then(|area| u64::try_from(area).ok()),
            state: row.state,
            result: row.result,
            disposition: row.disposition,
            further: further.remove(&row.id).unwrap_or_default(),
            order: row.vote_order,
        });
        Ok(owners.collect())
    }

    async fn further_flats_among(
        &mut self,
        campaign: CampaignId,
        leads: &str,
    ) -> Result<FurtherFlats, StoreError> {
        let rows = sqlx::query!(
            r#"select f.household, f.area,
                      (select min(l.id) from phone p join lead l on l.id = p.lead_id
                         join import li on li.id = l.import_id and li.state = 'done'
                        where p.number = f.number and l.campaign_id = $1) as "lead?: i64"
                 from import i join further_flat f on f.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done'
                  and f.number in (select p.number from phone p
                                    where p.lead_id in (select value from json_each($2)))
                order by f.import_id, f.list_row"#,
            campaign.0,
            leads
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let mut further = FurtherFlats::new();
        for row in rows {
            let Some(lead) = row.lead else { continue };
            let area = row.area.and_then(|area| u64::try_from(area).ok());
            further.entry(lead).or_default().push((row.household, area));
        }
        Ok(further)
    }

    async fn further_flats(&mut self, campaign: CampaignId) -> Result<FurtherFlats, StoreError> {
        let rows = sqlx::query!(
            r#"select f.household, f.area,
                      (select min(l.id) from phone p join lead l on l.id = p.lead_id
                         join import li on li.id = l.import_id and li.state = 'done'
                        where p.number = f.number and l.campaign_id = $1) as "lead?: i64"
                 from import i join further_flat f on f.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done' order by f.import_id, f.list_row"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let mut further = FurtherFlats::new();
        for row in rows {
            let Some(lead) = row.lead else { continue };
            let area = row.area.and_then(|area| u64::try_from(area).ok());
            further.entry(lead).or_default().push((row.household, area));
        }
        Ok(further)
    }
}

async fn owners_behind(
    conn: &mut SqliteConnection,
    import: ImportId,
    after: i64,
    limit: i64,
) -> Result<Chunk, sqlx::Error> {
    sqlx::query_as!(
        Chunk,
        r#"select string_agg(packed.words, '' order by packed.list_row) as "rows?: String",
                  coalesce(max(packed.list_row), 0) as "last!: i64"
             from (
           select l.list_row, concat(concat_ws(' ', l.id, l.vote_order, coalesce(cast(l.area as text), '-'), l.state,
                    coalesce(cast(octet_length(h.name) as text), '-'),
                    coalesce(cast(octet_length(l.result) as text), '-'),
                    coalesce(cast(octet_length(l.disposition) as text), '-')),
                    ' ', h.name, l.result, l.disposition, '
') as words
             from lead l left join household h on h.id = l.household_id
            where l.import_id = $1 and l.list_row > $2 order by l.list_row limit $3) packed"#,
        import.0,
        after,
        limit
    )
    .fetch_one(conn)
    .await
}

fn owner_of(packed: &mut PackedRows<'_>, path: &Path) -> Result<OwnerRow, StoreError> {
    let lead = LeadId(packed.number().unwrap_or_default());
    let order = packed.number().unwrap_or_default();
    let area = packed.number().and_then(|area| u64::try_from(area).ok());
    let state = packed.text_word().unwrap_or_default();
    let [household, result, disposition] = packed.lengths();
    let row = OwnerRow {
        lead,
        household: packed.text(household),
        area,
        state,
        result: packed.text(result),
        disposition: packed.text(disposition),
        further: Vec::new(),
        order,
    };
    packed.end_row(path)?;
    Ok(row)
}

/// A campaign whose vote is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoteCampaign {
    pub id: CampaignId,
    pub enterprise: i64,
    pub name: String,
    pub toml: String,
    /// Where the vote stood when it was last reported; `None` = never.
    pub standing: Option<String>,
}

impl Store {
    /// A campaign with its text.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn vote_campaign(&self, campaign: CampaignId) -> Result<Option<VoteCampaign>, StoreError> {
        let mut conn = self.read().await?;
        let row = sqlx::query!(
            "select enterprise_id, name, toml, vote_standing from campaign where id = $1",
            campaign.0
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(row.map(|row| VoteCampaign {
            id: campaign,
            enterprise: row.enterprise_id,
            name: row.name,
            toml: row.toml,
            standing: row.vote_standing,
        }))
    }

    /// Writes the order in which untried leads of a vote are dialled.
    ///
    /// # Errors
    /// The store cannot be written; what was written before stays.
    pub async fn set_vote_order(&self, order: &[(LeadId, i64)]) -> Result<(), StoreError> {
        for chunk in order.chunks(CHUNK) {
            let began = self.now();
            let rows =
                super::imports::json(&chunk.iter().map(|(lead, at)| (lead.0, *at)).collect::<Vec<_>>());
            let written = self.transaction(async |conn| write_order(conn, &rows).await);
            written.await.map_err(self.query_error())?;
            pause(began, self.now()).await;
        }
        Ok(())
    }
}

impl Change<'_> {
    /// Notes where a vote stands.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_vote_standing(
        &mut self,
        campaign: CampaignId,
        standing: &str,
    ) -> Result<(), StoreError> {
        let written =
            sqlx::query!("update campaign set vote_standing = $2 where id = $1", campaign.0, standing)
                .execute(self.conn())
                .await;
        written.map_err(|error| self.error(error))?;
        Ok(())
    }
}

async fn write_order(conn: &mut SqliteConnection, rows: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update lead set vote_order = new.place
           from (select value ->> 0 as id, value ->> 1 as place from json_each($1)) new
          where lead.id = new.id",
        rows
    )
    .execute(conn)
    .await?;
    Ok(())
}
