//! Looks up single leads: one that an agent asked for, and the lead of an inbound caller.

use super::leads;
use paceline_core::dialer::input::{ArrivedCall, KnownCaller};
use paceline_core::ids::{AgentId, CallId, CampaignId, LeadId, TrunkId};
use paceline_core::lead::Lead;
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// The lead an agent asked for, in any state. `None` = not of this campaign, blacklisted, without a phone
/// that may be called, or its household is being called.
pub(crate) async fn find_requested(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    lead: LeadId,
    now: Utc,
) -> Result<Option<Lead>, sqlx::Error> {
    let now = now.as_millis();
    let is_callable = sqlx::query_scalar!(
        r#"select exists (
             select 1 from lead l join import i on i.id = l.import_id
              where l.id = $1 and l.campaign_id = $2 and i.state = 'done'
                and coalesce(l.reason, '') <> 'blacklisted'
                and exists (select 1 from phone p where p.lead_id = l.id and not exists
                      (select 1 from blacklist b
                        where (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                          and b.campaign_id in (0, $2) and (b.until is null or b.until > $3)
                          and (b.is_prefix or b.digits = p.number) and b.digits in
                           (p.number, p.number / 10, p.number / 100, p.number / 1000, p.number / 10000, p.number / 100000, p.number / 1000000, p.number / 10000000,
                            p.number / 100000000, p.number / 1000000000, p.number / 10000000000, p.number / 100000000000,
                            p.number / 1000000000000, p.number / 10000000000000, p.number / 100000000000000)))
                and not exists (select 1 from attempt a where a.state <> 'ended'
                      and (a.lead_id = l.id or a.household_id = l.household_id))) as "n!: bool""#,
        lead.0,
        campaign.0,
        now
    )
    .fetch_one(&mut *conn)
    .await?;
    if is_callable { Ok(leads::load(conn, &[lead.0]).await?.pop()) } else { Ok(None) }
}

/// Identifies an inbound caller by the latest attempt to this number.
pub(crate) async fn identify_caller(
    conn: &mut SqliteConnection,
    call: CallId,
    trunk: TrunkId,
    number: Option<PhoneNumber>,
) -> Result<ArrivedCall, sqlx::Error> {
    let mut arrived = ArrivedCall { call, trunk, number, known: None };
    let Some(number) = number else { return Ok(arrived) };
    let number = number.as_u64() as i64;
    let latest = sqlx::query!(
        "select campaign_id, lead_id, agent_id from attempt
          where number = $1 order by placed_at desc, id desc limit 1",
        number
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(latest) = latest {
        let lead = match latest.lead_id {
            Some(lead) => leads::load(conn, &[lead]).await?.pop(),
            None => None,
        };
        let campaign = CampaignId(latest.campaign_id);
        arrived.known = Some(KnownCaller { campaign, lead, agent: latest.agent_id.map(AgentId) });
    }
    Ok(arrived)
}
