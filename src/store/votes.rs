//! The owners of a campaign for the count of their vote, and the order in which the vote needs them.

use super::reader::Reader;
use super::upload_loads::pause;
use super::{Change, Store, StoreError};
use paceline_core::ids::{CampaignId, LeadId};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

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

impl Reader {
    /// Every lead of a campaign, in the order in which they came.
    pub async fn owners(&mut self, campaign: CampaignId) -> Result<Vec<OwnerRow>, StoreError> {
        let mut further = self.further_flats(campaign).await?;
        let rows = sqlx::query!(
            r#"select l.id as "id!", h.name as "household?", l.area, l.state, l.result, l.disposition, l.vote_order
                 from import i join lead l on l.import_id = i.id left join household h on h.id = l.household_id
                where i.campaign_id = $1 and i.state = 'done' order by l.id"#,
            campaign.0
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

    async fn further_flats(
        &mut self,
        campaign: CampaignId,
    ) -> Result<BTreeMap<i64, Vec<(String, Option<u64>)>>, StoreError> {
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
        let mut further: BTreeMap<i64, Vec<(String, Option<u64>)>> = BTreeMap::new();
        for row in rows {
            let Some(lead) = row.lead else { continue };
            let area = row.area.and_then(|area| u64::try_from(area).ok());
            further.entry(lead).or_default().push((row.household, area));
        }
        Ok(further)
    }
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
