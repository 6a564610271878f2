//! The campaign table: the name, and the campaign file as of the last run.

use super::campaign_rows::{VersionRow, add_version};
use super::scope::FIRST_ENTERPRISE;
use super::{Reader, Store, StoreError, leads};
use paceline_core::campaign::RetryRules;
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;

/// A campaign as its file defines it.
#[derive(Clone, Debug)]
pub struct NewCampaign<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub mode: &'a str,
    /// IANA name; the times in the results are written in it.
    pub timezone: &'a str,
    pub toml: &'a str,
    pub retry: &'a RetryRules,
}

/// A stored campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignRecord {
    pub id: CampaignId,
    pub name: String,
    pub title: String,
    pub mode: String,
    pub timezone: String,
    pub toml: String,
    pub defined_at: Utc,
    /// Why its trunks rest, in words; empty = they work.
    pub line_trouble: String,
    pub enterprise: i64,
    pub organisation: i64,
}

/// Lead counts of a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeadCounts {
    pub all: u64,
    pub open: u64,
}

/// Leads that may be called, and leads that the blacklist closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenLeads {
    pub open: u64,
    pub blacklisted: u64,
}

/// The file that a campaign is from, and its objects: names in its text with their paths in the object store.
pub type CampaignSource = (Option<String>, Vec<(String, String)>);

impl Reader {
    /// Where a campaign's text is from and which objects it names.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn campaign_source(&mut self, campaign: CampaignId) -> Result<CampaignSource, StoreError> {
        let file = sqlx::query_scalar!("select file from campaign where id = $1", campaign.0)
            .fetch_optional(&mut self.conn)
            .await
            .map_err(|error| self.query_error(&error))?;
        let objects = sqlx::query!(
            "select f.name, b.path from campaign_file f join blob b on b.id = f.blob_id
              where f.campaign_id = $1 order by f.name",
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|error| self.query_error(&error))?;
        Ok((file.flatten(), objects.into_iter().map(|row| (row.name, row.path)).collect()))
    }
}

impl Store {
    /// The text of a campaign's file, as it was last run.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if there is no such campaign.
    pub async fn campaign_toml(&self, campaign: CampaignId) -> Result<String, StoreError> {
        let mut conn = self.read().await?;
        let found = sqlx::query_scalar!("select toml from campaign where id = $1", campaign.0)
            .fetch_optional(&mut *conn)
            .await
            .map_err(self.query_error())?;
        found.ok_or_else(|| StoreError::Unknown { what: format!("campaign {}", campaign.0) })
    }

    /// Counts all and open leads of a campaign. Reads indexes only.
    pub async fn lead_counts(&self, campaign: CampaignId) -> Result<LeadCounts, StoreError> {
        let mut conn = self.read().await?;
        leads::count(&mut conn, campaign).await.map_err(self.query_error())
    }

    /// Leads of a campaign that may be called, and those that the blacklist closed.
    pub async fn open_and_blacklisted(&self, campaign: CampaignId) -> Result<OpenLeads, StoreError> {
        let mut conn = self.read().await?;
        let open = leads::count_open(&mut conn, campaign).await.map_err(self.query_error())?;
        let listed = sqlx::query_scalar!(
            r#"select count(*) as "n!: i64" from import i join lead l on l.import_id = i.id
                where i.campaign_id = $1 and i.state = 'done' and l.reason = 'blacklisted'"#,
            campaign.0
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(OpenLeads { open, blacklisted: listed as u64 })
    }

    /// Inserts the campaign of the first enterprise that a file defines, or updates it. Campaigns are identified by
    /// name. A text that differs from the current one becomes the next version.
    pub async fn define_campaign(&self, campaign: &NewCampaign<'_>) -> Result<CampaignId, StoreError> {
        self.define_campaign_of(FIRST_ENTERPRISE, campaign).await
    }

    /// As [`define_campaign`](Store::define_campaign), of this enterprise.
    pub async fn define_campaign_of(
        &self,
        enterprise: i64,
        campaign: &NewCampaign<'_>,
    ) -> Result<CampaignId, StoreError> {
        let retry = serde_json::to_string(campaign.retry)
            .map_err(|e| StoreError::Statement { path: self.path.clone(), why: e.to_string() })?;
        let now = self.now();
        let at = now.as_millis();
        let (name, title, mode) = (campaign.name, campaign.title, campaign.mode);
        let (timezone, toml) = (campaign.timezone, campaign.toml);
        self.transaction(async |conn| {
            sqlx::query!(
                r#"insert into campaign (name, title, mode, timezone, toml, retry, defined_at, enterprise_id,
                                         organisation_id)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
                   on conflict (enterprise_id, name) do update set title = excluded.title, mode = excluded.mode,
                     timezone = excluded.timezone, toml = excluded.toml, retry = excluded.retry"#,
                name,
                title,
                mode,
                timezone,
                toml,
                retry,
                at,
                enterprise
            )
            .execute(&mut *conn)
            .await?;
            let row = sqlx::query!(
                r#"select c.id as "id!", c.current, v.toml as "toml?: String"
                     from campaign c left join campaign_version v on v.campaign_id = c.id and v.number = c.current
                    where c.name = $1 and c.enterprise_id = $2"#,
                name,
                enterprise
            )
            .fetch_one(&mut *conn)
            .await?;
            if row.toml.as_deref() != Some(toml) {
                let version = VersionRow {
                    number: row.current + 1,
                    toml: toml.to_owned(),
                    source: "file".into(),
                    note: None,
                    made_at: now,
                    made_by: None,
                };
                add_version(conn, row.id, &version).await?;
            }
            Ok(CampaignId(row.id))
        })
        .await
        .map_err(self.query_error())
    }
}
