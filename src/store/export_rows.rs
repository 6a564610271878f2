//! Rows of exports, read page by page by key out of one snapshot: which calls match the filters of the call log, the
//! audit in its order, versions of rules.

use super::audit::AuditRow;
use super::blacklist::json_numbers;
use super::call_filters::{CallFilter, query_attempts, query_inbound};
use super::{AuditFilter, Reader, StoreError};
use paceline_core::ids::CampaignId;
use std::collections::BTreeMap;

/// Rows a page.
pub const EXPORT_PAGE: usize = 1_024;

/// The version of a campaign's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesVersion {
    /// 0 = the text was never changed here.
    pub number: i64,
    pub toml: String,
}

struct IdRow {
    id: i64,
}

struct CountRow {
    word: String,
    n: i64,
}

impl Reader {
    /// Ids of up to [`EXPORT_PAGE`] attempts of a campaign that match, behind `after`, ascending.
    pub async fn attempt_ids(
        &mut self,
        campaign: CampaignId,
        wanted: &CallFilter,
        after: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let (args, limit) = (wanted.args(), EXPORT_PAGE as i64);
        let rows = query_attempts!(
            IdRow,
            args,
            r#"select a.id as "id!: i64""#,
            "a.campaign_id = $24",
            ["and a.id > $25 order by a.id limit $26"],
            campaign.0,
            after,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// How many attempts of a campaign match, by outcome; the empty word is that of calls that go on.
    pub async fn count_attempts(
        &mut self,
        campaign: CampaignId,
        wanted: &CallFilter,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let args = wanted.args();
        let rows = query_attempts!(
            CountRow,
            args,
            r#"select coalesce(a.outcome, '') as "word!: String", count(*) as "n!: i64""#,
            "a.campaign_id = $24",
            ["group by 1"],
            campaign.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| (row.word, row.n as u64)).collect())
    }

    /// Ids of up to [`EXPORT_PAGE`] ended inbound calls of a campaign (`None` = of no campaign) that match, behind `after`, ascending.
    pub async fn inbound_ids(
        &mut self,
        campaign: Option<CampaignId>,
        wanted: &CallFilter,
        after: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let (args, limit) = (wanted.args(), EXPORT_PAGE as i64);
        let campaign = campaign.map(|campaign| campaign.0);
        let rows = query_inbound!(
            IdRow,
            args,
            r#"select a.id as "id!: i64""#,
            "(a.campaign_id = $20 or cast($20 as bigint) is null and a.campaign_id is null)",
            ["and a.id > $21 and a.ended_at is not null order by a.id limit $22"],
            campaign,
            after,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Up to [`EXPORT_PAGE`] rows of the audit of an enterprise behind `after`, oldest first. `filter.before` and its
    /// limit count for nothing.
    pub async fn audit_rows(
        &mut self,
        enterprise: i64,
        filter: &AuditFilter,
        after: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let organisations = filter.organisations.as_ref().map(|ids| json_numbers(ids.iter().copied()));
        let limit = EXPORT_PAGE as i64;
        let actor = filter.actor.as_ref().map(|text| {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("{escaped}%")
        });
        sqlx::query_as!(
            AuditRow,
            r#"select id as "id!", at, actor_kind, actor_id, actor, address, action, subject_kind, subject, before,
                      after, chain as "chain!: Vec<u8>"
                 from audit
                where enterprise_id = $1 and id > $2
                  and (cast($3 as text) is null or actor like $3 escape '\')
                  and (cast($4 as text) is null or subject_kind = $4)
                  and (cast($5 as text) is null or subject = $5)
                  and (cast($6 as text) is null or action = $6)
                  and (cast($7 as bigint) is null or at >= $7)
                  and (cast($8 as bigint) is null or at < $8)
                  and (cast($10 as text) is null
                       or (actor_kind = 'person' and actor_id in
                            (select a.id from agent a where a.enterprise_id = $1 and a.organisation_id in
                              (select cast(value as bigint) from json_each($10))))
                       or (actor_kind = 'program' and actor_id in
                            (select p.id from api_token p where p.enterprise_id = $1 and p.organisation_id in
                              (select cast(value as bigint) from json_each($10)))))
                order by id limit $9"#,
            enterprise,
            after,
            actor,
            filter.subject_kind,
            filter.subject,
            filter.action,
            filter.from,
            filter.until,
            limit,
            organisations
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// The newest version of a campaign's rules.
    pub async fn rules_version(&mut self, campaign: CampaignId) -> Result<RulesVersion, StoreError> {
        let row = sqlx::query!(
            r#"select c.toml as "toml!: String",
                      coalesce((select max(v.number) from campaign_version v where v.campaign_id = c.id), 0)
                        as "number!: i64"
                 from campaign c where c.id = $1"#,
            campaign.0
        )
        .fetch_one(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(RulesVersion { number: row.number, toml: row.toml })
    }
}
