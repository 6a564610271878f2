//! Leads: queries for due leads, and updates of their state as decided by the dialer.

use super::blacklist::json_numbers;
use super::campaigns::LeadCounts;
use paceline_core::dialer::output::LeadUpdate;
use paceline_core::ids::{AgentId, CampaignId, HouseholdId, LeadId};
use paceline_core::lead::{Callback, Lead, Phone};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome, Reason};
use paceline_core::time::Utc;
use rustc_hash::FxHashSet;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Due leads, and when the next retry or booked callback that is not among them is due.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DueLeads {
    pub leads: Vec<Lead>,
    pub next_due: Option<Utc>,
}

/// Due leads of one agent that are leased at a time: the agent may be away.
const ASSIGNED_MAX: i64 = 3;

/// Up to `count` due leads that are not in `leased`: due retries and callbacks first, then with
/// `with_untried` untried leads in list order; and the due time of the first retry or callback not returned.
/// Beside them the first few of each agent to whom leads are assigned.
///
/// While a vote needs untried leads (see [`super::votes`]), those come before retries, the most needed first, and
/// retries wait; callbacks and what a person moved to the front do not.
pub(crate) async fn find_due(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    count: usize,
    with_untried: bool,
    leased: &FxHashSet<i64>,
    now: Utc,
) -> Result<DueLeads, sqlx::Error> {
    // Leased leads come first in the index, so the limit grows by their number.
    let limit = (count + leased.len() + 1) as i64;
    let untried_limit = if with_untried { limit } else { leased.len() as i64 + 1 };
    let (mut timed, mut fresh) = (Vec::new(), Vec::new());
    let imports = sqlx::query_scalar!(
        r#"select id as "id!" from import where campaign_id = $1 and state = 'done' order by id"#,
        campaign.0
    )
    .fetch_all(&mut *conn)
    .await?;
    for import in imports {
        timed.extend(retries(conn, import, limit).await?);
        timed.extend(callbacks(conn, import, limit).await?);
        fresh.extend(untried(conn, import, untried_limit).await?);
    }
    let now = now.as_millis();
    let assigned = assigned(conn, campaign, now).await?;
    timed.retain(|lead: &Timed| !leased.contains(&lead.id));
    timed.sort_unstable_by_key(|lead| (lead.at, lead.id));
    fresh.retain(|lead: &Untried| !leased.contains(&lead.id));
    // Stable: in list order where a vote makes no difference.
    fresh.sort_by_key(|lead| std::cmp::Reverse(lead.order));
    let needed = fresh.iter().take_while(|lead| lead.order > 0).count();
    let (mut due, later): (Vec<Timed>, Vec<Timed>) = timed.into_iter().partition(|lead| lead.at <= now);
    let waits = |lead: &Timed| needed > 0 && lead.is_retry;
    let held: Vec<Timed> = due.extract_if(.., |lead| waits(lead)).collect();
    let left = count.saturating_sub(due.len());
    let not_returned = due.get(count).or(later.first()).map(|lead| lead.at);
    let next_due = not_returned.into_iter().chain(assigned.next_due).min();
    let fresh = fresh.into_iter().filter(|_| with_untried).map(|lead| lead.id);
    let (first, rest): (Vec<i64>, Vec<i64>) =
        (fresh.clone().take(needed).collect(), fresh.skip(needed).collect());
    // Retries fill up what the needed untried leads leave.
    let held = held.into_iter().filter(|_| with_untried).map(|lead| lead.id);
    let shared = first.into_iter().chain(held).chain(rest).take(left);
    let own = assigned.due.into_iter().filter(|id| count > 0 && !leased.contains(id));
    let ids: Vec<i64> = due.into_iter().take(count).map(|lead| lead.id).chain(shared).chain(own).collect();
    Ok(DueLeads { leads: load(conn, &ids).await?, next_due: next_due.map(Utc::from_millis) })
}

/// A lead with a time of its own.
#[derive(Clone, Copy, Debug)]
struct Timed {
    at: i64,
    id: i64,
    /// Neither a callback nor moved to the front by a person.
    is_retry: bool,
}

#[derive(Clone, Copy, Debug)]
struct Untried {
    id: i64,
    /// More = a vote needs it more.
    order: i64,
}

/// Leads that are assigned to one agent each, without those with a callback.
#[derive(Default)]
struct Assigned {
    /// The first few of each agent, retries before untried leads.
    due: Vec<i64>,
    /// When the next of the others is due.
    next_due: Option<i64>,
}

async fn assigned(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    now: i64,
) -> Result<Assigned, sqlx::Error> {
    let due = sqlx::query_scalar!(
        r#"select due.id as "id!: i64" from (
             select l.id, row_number() over (partition by a.agent_id
                      order by case when l.next_at = 0 then 1 else 0 end, l.next_at, l.id) as place
               from lead_assignment a join lead l on l.id = a.lead_id
               join import i on i.id = l.import_id and i.state = 'done'
              where a.campaign_id = $1 and l.state = 'open' and l.next_at <= $2) due
            where due.place <= $3"#,
        campaign.0,
        now,
        ASSIGNED_MAX
    )
    .fetch_all(&mut *conn)
    .await?;
    let next_due = sqlx::query_scalar!(
        r#"select min(l.next_at) as "at?: i64" from lead_assignment a join lead l on l.id = a.lead_id
             join import i on i.id = l.import_id and i.state = 'done'
            where a.campaign_id = $1 and l.state = 'open' and l.next_at > $2"#,
        campaign.0,
        now
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(Assigned { due, next_due })
}

async fn retries(conn: &mut SqliteConnection, import: i64, limit: i64) -> Result<Vec<Timed>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select next_at as "next_at!", id as "id!" from lead
            where import_id = $1 and state = 'open' and next_at > 0
              and not exists (select 1 from lead_assignment a where a.lead_id = lead.id)
            order by next_at, id limit $2"#,
        import,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    let timed = |at, id| Timed { at, id, is_retry: at > super::lead_actions::FRONT };
    Ok(rows.into_iter().map(|row| timed(row.next_at, row.id)).collect())
}

async fn callbacks(conn: &mut SqliteConnection, import: i64, limit: i64) -> Result<Vec<Timed>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select next_at as "next_at!", id as "id!" from lead
            where import_id = $1 and state = 'follow_up' and next_at > 0 order by next_at, id limit $2"#,
        import,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| Timed { at: row.next_at, id: row.id, is_retry: false }).collect())
}

async fn untried(conn: &mut SqliteConnection, import: i64, limit: i64) -> Result<Vec<Untried>, sqlx::Error> {
    sqlx::query_as!(
        Untried,
        r#"select id as "id!", vote_order as "order" from lead
            where import_id = $1 and state = 'open' and next_at = 0
              and not exists (select 1 from lead_assignment a where a.lead_id = lead.id)
            order by vote_order desc, id limit $2"#,
        import,
        limit
    )
    .fetch_all(&mut *conn)
    .await
}

/// Loads leads with their phones, in the order of `ids`.
pub(crate) async fn load(conn: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Lead>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = json_numbers(ids.iter().copied());
    let leads = sqlx::query!(
        r#"select l.id as "id!", l.list_row, l.household_id, l.next_at, l.uncounted, l.state,
                  l.callback_agent, l.callback_skill, l.rank, l.version,
                  (select o.agent_id from lead_assignment o where o.lead_id = l.id) as "assigned: i64",
                  (select a.agent_id from lead s join attempt a on a.lead_id = s.id
                    where (s.id = l.id or s.household_id = l.household_id) and a.agent_id is not null
                    order by a.id desc limit 1) as "last_agent: i64"
             from lead l where l.id in (select value from json_each($1))"#,
        wanted
    )
    .fetch_all(&mut *conn)
    .await?;
    let phones = sqlx::query!(
        r#"select lead_id, number, attempts, last_outcome, last_at, next_at, closed as "closed!: bool"
             from phone where lead_id in (select value from json_each($1)) order by lead_id, position"#,
        wanted
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut by_id: BTreeMap<i64, Lead> = BTreeMap::new();
    for row in leads {
        let booked = row.state == LeadState::FollowUp.word() && row.next_at > 0
            || row.callback_agent.is_some()
            || row.callback_skill.is_some();
        let callback = Callback { agent: row.callback_agent.map(AgentId), skill: row.callback_skill };
        let lead = Lead {
            id: LeadId(row.id),
            row: row.list_row as u64,
            household: row.household_id.map(HouseholdId),
            phones: Vec::new(),
            next_at: (row.next_at > 0).then_some(Utc::from_millis(row.next_at)),
            uncounted: row.uncounted as u32,
            callback: booked.then_some(callback),
            last_agent: row.last_agent.map(AgentId),
            assigned: row.assigned.map(AgentId),
            is_first: row.rank > 0,
            version: row.version,
        };
        by_id.insert(row.id, lead);
    }
    for row in phones {
        let number = PhoneNumber::from_e164(row.number as u64);
        let (Some(lead), Some(number)) = (by_id.get_mut(&row.lead_id), number) else { continue };
        lead.phones.push(Phone {
            number,
            attempts: row.attempts as u32,
            last_outcome: row.last_outcome.as_deref().and_then(Outcome::from_word),
            last_at: row.last_at.map(Utc::from_millis),
            next_at: row.next_at.map(Utc::from_millis),
            closed: row.closed,
        });
    }
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// Counts leads of a campaign that are open or have a callback booked.
pub(crate) async fn count_open(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
) -> Result<u64, sqlx::Error> {
    let open = sqlx::query_scalar!(
        r#"select (select count(*) from import i join lead l on l.import_id = i.id
                    where i.campaign_id = $1 and i.state = 'done' and l.state = 'open')
                + (select count(*) from import i join lead l on l.import_id = i.id
                    where i.campaign_id = $1 and i.state = 'done' and l.state = 'follow_up'
                      and l.next_at > 0) as "n!: i64""#,
        campaign.0
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(open as u64)
}

/// Counts leads of a campaign, open and ended.
pub(crate) async fn count(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
) -> Result<LeadCounts, sqlx::Error> {
    let open = count_open(conn, campaign).await?;
    let all = sqlx::query_scalar!(
        r#"select count(*) as "n!" from import i join lead l on l.import_id = i.id
            where i.campaign_id = $1 and i.state = 'done'"#,
        campaign.0
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(LeadCounts { all: all as u64, open })
}

/// Data of an ended attempt that is written into its lead's row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastAttempt {
    pub outcome: Outcome,
    pub at: Utc,
    /// The call's summary has already set the lead's state: only the attempt is added.
    pub has_summary: bool,
}

/// The event that updates a lead.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UpdateCause<'a> {
    NoCall,
    CallEnded(LastAttempt),
    /// A summary with this disposition. `defaulted`: nobody gave it.
    Summary {
        disposition: &'a str,
        defaulted: bool,
    },
}

/// Writes a lead update. Returns the change in the number of open leads.
///
/// A lead closed meanwhile (blacklisted, household reached) stays closed even if an ended call would retry
/// it; the attempt is counted all the same. A summary reopens a lead that its answered call closed, but none
/// that was closed with a reason. What neither a call nor an agent decided changes no lead that a person changed
/// meanwhile.
pub(crate) async fn save_update(
    conn: &mut SqliteConnection,
    update: &LeadUpdate,
    cause: UpdateCause<'_>,
) -> Result<i64, sqlx::Error> {
    let before = sqlx::query!(
        "select state, reason, next_at, version from lead where id = $1 and campaign_id = $2",
        update.lead.0,
        update.campaign.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(before) = before else { return Ok(0) };
    let is_undecided = matches!(cause, UpdateCause::NoCall | UpdateCause::Summary { defaulted: true, .. });
    if is_undecided && before.version != update.version {
        return Ok(0);
    }
    let was_open = is_open(&before.state, before.next_at);
    let (last, disposition) = match cause {
        UpdateCause::NoCall => (None, None),
        UpdateCause::CallEnded(last) => (Some(last), None),
        UpdateCause::Summary { disposition, .. } => (None, Some(disposition)),
    };
    let closed = !was_open && (disposition.is_none() || before.reason.is_some());
    let would_reopen = matches!(update.state, LeadState::Open | LeadState::FollowUp);
    let keeps_state = closed && would_reopen || last.is_some_and(|last| last.has_summary);
    let is_reopened = disposition.is_some()
        && update.state == LeadState::Failed
        && has_corrected_phone(conn, update).await?;
    let state = if is_reopened { LeadState::Open } else { update.state };
    let next_at = if is_reopened { 0 } else { update.next_at.map_or(0, Utc::as_millis) };
    let (word, reason) = (state.word(), update.reason.filter(|_| !is_reopened).map(Reason::word));
    let callback_agent = update.callback.as_ref().and_then(|callback| callback.agent).map(|agent| agent.0);
    let callback_skill = update.callback.as_ref().and_then(|callback| callback.skill.as_deref());
    let uncounted = i64::from(update.uncounted);
    let (outcome, at) = (last.map(|last| last.outcome.word()), last.map(|last| last.at.as_millis()));
    let added_attempts = i64::from(last.is_some());
    sqlx::query!(
        r#"update lead set
             state = case when $2 then state else $3 end,
             reason = case when $2 then reason else $4 end,
             next_at = case when $2 then next_at else $5 end,
             callback_agent = case when $2 then callback_agent else $11 end,
             callback_skill = case when $2 then callback_skill else $12 end,
             uncounted = $6, attempts = attempts + $7, last_outcome = coalesce($8, last_outcome),
             last_at = coalesce($9, last_at), result = coalesce($10, result),
             disposition = coalesce($13, disposition)
           where id = $1"#,
        update.lead.0,
        keeps_state,
        word,
        reason,
        next_at,
        uncounted,
        added_attempts,
        outcome,
        at,
        update.result,
        callback_agent,
        callback_skill,
        disposition
    )
    .execute(&mut *conn)
    .await?;
    for phone in &update.phones {
        save_phone(conn, update.lead, phone, last.is_some_and(|last| last.has_summary)).await?;
    }
    let mut delta = if keeps_state { 0 } else { i64::from(is_open(word, next_at)) - i64::from(was_open) };
    if let Some(household) = update.household_done {
        let others = sqlx::query!(
            "update lead set state = 'done', reason = 'household_done'
              where household_id = $1 and id <> $2
                and (state = 'open' or state = 'follow_up' and next_at > 0)",
            household.0,
            update.lead.0
        )
        .execute(&mut *conn)
        .await?;
        delta -= others.rows_affected() as i64;
    }
    Ok(delta)
}

/// Whether a lead is open or has a callback booked.
fn is_open(state: &str, next_at: i64) -> bool {
    state == LeadState::Open.word() || state == LeadState::FollowUp.word() && next_at > 0
}

/// Whether the lead has an open phone that this update does not know: the agent corrected the number during
/// the call, so the lead must not fail with the wrong one.
async fn has_corrected_phone(conn: &mut SqliteConnection, update: &LeadUpdate) -> Result<bool, sqlx::Error> {
    let known = json_numbers(update.phones.iter().map(|phone| phone.number.as_u64() as i64));
    sqlx::query_scalar!(
        r#"select exists (select 1 from phone p where p.lead_id = $1 and not p.closed
             and p.number not in (select value from json_each($2))) as "n!: bool""#,
        update.lead.0,
        known
    )
    .fetch_one(&mut *conn)
    .await
}

/// Saves the attempts of a phone; with `tried`, its retry time and its closed flag stay unchanged.
async fn save_phone(
    conn: &mut SqliteConnection,
    lead: LeadId,
    phone: &Phone,
    tried: bool,
) -> Result<(), sqlx::Error> {
    let number = phone.number.as_u64() as i64;
    let attempts = i64::from(phone.attempts);
    let outcome = phone.last_outcome.map(Outcome::word);
    let (last_at, next_at) = (phone.last_at.map(Utc::as_millis), phone.next_at.map(Utc::as_millis));
    sqlx::query!(
        "update phone set attempts = $3, last_outcome = $4, last_at = $5,
                next_at = case when $8 then next_at else $6 end,
                closed = case when $8 then closed else $7 end
          where lead_id = $1 and number = $2",
        lead.0,
        number,
        attempts,
        outcome,
        last_at,
        next_at,
        phone.closed,
        tried
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Fails every open lead of a campaign with this reason, booked callbacks included. Returns their number.
pub(crate) async fn close_all(
    conn: &mut SqliteConnection,
    campaign: CampaignId,
    reason: Reason,
) -> Result<u64, sqlx::Error> {
    let reason = reason.word();
    let closed = sqlx::query!(
        "update lead set state = 'failed', reason = $2
          where (state = 'open' or state = 'follow_up' and next_at > 0) and import_id in
            (select id from import where campaign_id = $1 and state = 'done')",
        campaign.0,
        reason
    )
    .execute(&mut *conn)
    .await?;
    Ok(closed.rows_affected())
}

/// Closes a phone, and its lead if no other phone is open. `None` = the lead stays open.
pub(crate) async fn close_phone(
    conn: &mut SqliteConnection,
    lead: LeadId,
    number: PhoneNumber,
    reason: Reason,
) -> Result<Option<Reason>, sqlx::Error> {
    let (number, reason_word) = (number.as_u64() as i64, reason.word());
    sqlx::query!("update phone set closed = true where lead_id = $1 and number = $2", lead.0, number)
        .execute(&mut *conn)
        .await?;
    let closed = sqlx::query!(
        "update lead set state = 'failed', reason = $2
          where id = $1 and (state = 'open' or state = 'follow_up' and next_at > 0)
            and not exists (select 1 from phone p where p.lead_id = $1 and not p.closed)",
        lead.0,
        reason_word
    )
    .execute(&mut *conn)
    .await?;
    Ok((closed.rows_affected() > 0).then_some(reason))
}
