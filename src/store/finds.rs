//! Queries behind the search and the day's page: leads by number, calls by id, lists and sounds by name, sums of minutes.

use super::blacklist::json_numbers;
use super::{Reader, Scope, StoreError};
use paceline_core::ids::CampaignId;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;

/// Something that was found: its id, what it is called, and the campaign that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub id: i64,
    pub title: Option<String>,
    pub campaign: String,
    pub campaign_id: i64,
}

/// A call that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCall {
    pub id: i64,
    pub number: Option<i64>,
    pub name: Option<String>,
    pub campaign: String,
    pub agent: Option<i64>,
    pub at: i64,
}

/// Sums of the minutes of one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HourSum {
    /// Hours since the moment that was asked for.
    pub hour: i64,
    pub placed: i64,
    pub answered: i64,
    pub abandoned: f64,
}

impl Reader {
    /// Leads of the scope's campaigns with this number.
    pub async fn leads_with_number(
        &mut self,
        scope: &Scope,
        number: PhoneNumber,
        limit: i64,
    ) -> Result<Vec<Found>, StoreError> {
        let number = number.as_u64() as i64;
        let organisations = json_numbers(scope.organisations.iter().copied());
        sqlx::query_as!(
            Found,
            r#"select l.id as "id!", l.name as title, c.name as campaign, c.id as "campaign_id!"
                 from phone p join lead l on l.id = p.lead_id
                 join import i on i.id = l.import_id and i.state = 'done'
                 join campaign c on c.id = l.campaign_id
                where p.number = $1 and c.enterprise_id = $2
                  and c.organisation_id in (select cast(value as bigint) from json_each($3))
                order by l.id desc limit $4"#,
            number,
            scope.enterprise,
            organisations,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// An outbound call of the scope by its attempt.
    pub async fn find_call(&mut self, scope: &Scope, attempt: i64) -> Result<Option<FoundCall>, StoreError> {
        let organisations = json_numbers(scope.organisations.iter().copied());
        sqlx::query_as!(
            FoundCall,
            r#"select a.id as "id!", a.number as "number?", l.name as "name?", c.name as campaign,
                      a.agent_id as agent, a.placed_at as at
                 from attempt a join campaign c on c.id = a.campaign_id left join lead l on l.id = a.lead_id
                where a.id = $1 and c.enterprise_id = $2
                  and c.organisation_id in (select cast(value as bigint) from json_each($3))"#,
            attempt,
            scope.enterprise,
            organisations
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// An inbound call of the scope by its leg. A caller in no campaign is the first enterprise's.
    pub async fn find_inbound_call(
        &mut self,
        scope: &Scope,
        leg: i64,
    ) -> Result<Option<FoundCall>, StoreError> {
        let organisations = json_numbers(scope.organisations.iter().copied());
        sqlx::query_as!(
            FoundCall,
            r#"select a.id as "id!", a.number as "number?", l.name as "name?",
                      coalesce(c.name, '') as "campaign!: String",
                      coalesce(a.summary_agent_id, a.agent_id) as "agent?: i64",
                      coalesce(a.began_at, 0) as "at!: i64"
                 from leg a left join campaign c on c.id = a.campaign_id left join lead l on l.id = a.lead_id
                where a.id = $1 and a.kind = 'inbound' and coalesce(c.enterprise_id, 1) = $2
                  and coalesce(c.organisation_id, 1) in (select cast(value as bigint) from json_each($3))"#,
            leg,
            scope.enterprise,
            organisations
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Uploaded lists of the scope whose file name has this in it, the newest first.
    pub async fn find_uploads(
        &mut self,
        scope: &Scope,
        part: &str,
        limit: i64,
    ) -> Result<Vec<Found>, StoreError> {
        let organisations = json_numbers(scope.organisations.iter().copied());
        sqlx::query_as!(
            Found,
            r#"select u.id as "id!", u.file_name as title, c.name as campaign, c.id as "campaign_id!"
                 from list_upload u join campaign c on c.id = u.campaign_id
                where u.enterprise_id = $1 and u.state <> 'discarded'
                  and u.organisation_id in (select cast(value as bigint) from json_each($2))
                  and replace(lower(u.file_name), lower($3), '') <> lower(u.file_name)
                order by u.id desc limit $4"#,
            scope.enterprise,
            organisations,
            part,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }

    /// Sounds of the scope whose name has this in it, the newest first.
    pub async fn find_sounds(
        &mut self,
        scope: &Scope,
        part: &str,
        limit: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let organisations = json_numbers(scope.organisations.iter().copied());
        let rows = sqlx::query!(
            r#"select id as "id!", name from audio
                where enterprise_id = $1 and state <> 'retired'
                  and organisation_id in (select cast(value as bigint) from json_each($2))
                  and replace(lower(name), lower($3), '') <> lower(name)
                order by id desc limit $4"#,
            scope.enterprise,
            organisations,
            part,
            limit
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Sums of the minutes of these campaigns by the hour, from this moment on.
    pub async fn hour_sums(
        &mut self,
        campaigns: &[CampaignId],
        from: Utc,
        until: Utc,
    ) -> Result<Vec<HourSum>, StoreError> {
        let campaigns = json_numbers(campaigns.iter().map(|campaign| campaign.0));
        let (from, until) = (from.as_millis(), until.as_millis());
        sqlx::query_as!(
            HourSum,
            r#"select (m.at - $2) / 3600000 as "hour!: i64",
                      cast(coalesce(sum(m.placed), 0) as bigint) as "placed!: i64",
                      cast(coalesce(sum(m.answered), 0) as bigint) as "answered!: i64",
                      cast(coalesce(sum(m.abandoned_calls), 0) as double precision) as "abandoned!: f64"
                 from campaign_minute m
                where m.campaign_id in (select cast(value as bigint) from json_each($1))
                  and m.at >= $2 and m.at < $3
                group by (m.at - $2) / 3600000 order by (m.at - $2) / 3600000"#,
            campaigns,
            from,
            until
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
