//! Sums over a campaign's leads by building, and where its calls begin.

use super::StoreError;
use super::reader::Reader;
use paceline_core::ids::CampaignId;
use std::collections::BTreeMap;

/// The leads of one building.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildingSums {
    pub leads: u64,
    pub states: BTreeMap<String, u64>,
    /// By the result that a key set.
    pub results: BTreeMap<String, u64>,
}

impl Reader {
    /// Leads by building; `None` = the list names none for them.
    pub async fn building_sums(
        &mut self,
        campaign: CampaignId,
    ) -> Result<BTreeMap<Option<String>, BuildingSums>, StoreError> {
        let rows = sqlx::query!(
            r#"select l.building, l.state, l.result, count(*) as "n!"
                 from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done'
                group by l.building, l.state, l.result"#,
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        let mut sums: BTreeMap<Option<String>, BuildingSums> = BTreeMap::new();
        for row in rows {
            let n = row.n as u64;
            let building = sums.entry(row.building.filter(|it| !it.is_empty())).or_default();
            building.leads += n;
            *building.states.entry(row.state).or_default() += n;
            if let Some(result) = row.result {
                *building.results.entry(result).or_default() += n;
            }
        }
        Ok(sums)
    }

    /// When the campaign's first call was placed, in milliseconds of UTC.
    pub async fn first_call(&mut self, campaign: CampaignId) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar!(
            r#"select placed_at as "at!" from attempt where campaign_id = $1 order by id limit 1"#,
            campaign.0
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
