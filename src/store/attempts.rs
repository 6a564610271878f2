//! Attempts: the dial check ("may this number be dialled now?") in the transaction that opens an attempt,
//! then its answer, then its result. Each write is idempotent.

use super::blacklist::scope;
use super::leads::{self, LastAttempt, UpdateCause};
use super::{open_dialogs, summaries};
use paceline_core::call::Digit;
use paceline_core::dialer::input::DialVerdict;
use paceline_core::dialer::output::{AttemptRequest, AttemptResult};
use paceline_core::ids::{AttemptId, CallId};
use paceline_core::outcome::Reason;
use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;

/// Facts about the number, the lead and the household for the dial check.
#[derive(Debug)]
struct DialFacts {
    /// People have not changed the lead since it was leased.
    lead_current: bool,
    /// This attempt was already written, but its acknowledgement was lost.
    open_already: bool,
    /// The lead is open, or its callback is due.
    lead_callable: bool,
    phone_closed: Option<bool>,
    /// The number is on the blacklist until then; `i64::MAX` = for ever.
    blacklisted_until: Option<i64>,
    household_busy: bool,
    /// Counted attempts to the number: in this campaign, and today over all campaigns. Open ones count.
    in_campaign: i64,
    in_day: i64,
    /// Time of the last counted attempt, in any campaign.
    last_placed: Option<i64>,
    /// The last attempt's summary set the next call time; it overrides `gap_min`.
    called_for: bool,
    open: i64,
    /// The number rests after an interrupted or an abandoned call. A guaranteed request (an agent is reserved
    /// for it) ignores the rest after an abandoned call.
    rest_until: Option<i64>,
    /// The number or its household has a call of an earlier process that may still be up.
    dialog_open: bool,
    /// The household rests after an interrupted call to one of its other numbers.
    household_rest: Option<i64>,
}

/// When a number is asked for again whose earlier call is still being ended.
const DIALOG_RECHECK: Duration = Duration::from_secs(10);

/// A request with the SIP data that is saved beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    pub request: &'a AttemptRequest,
    pub trunk: &'a str,
    pub call_id: &'a str,
    pub dialog: &'a str,
    /// An agent asked for this lead, so it may be dialled although it is closed.
    pub is_requested: bool,
}

/// The verdict, and the number of leads it closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub verdict: DialVerdict,
    pub leads_closed: u64,
}

/// Runs the dial check and inserts the attempt if it passes.
pub(crate) async fn open(
    conn: &mut SqliteConnection,
    opening: Opening<'_>,
    clock: Utc,
) -> Result<Opened, sqlx::Error> {
    let request = opening.request;
    // The store's clock and the dialer's may differ; the later one counts, so that a limit that has expired
    // for the dialer has expired here too.
    let now = clock.max(request.placed_at);
    let facts = load_facts(conn, request, now).await?;
    if facts.open_already {
        return Ok(Opened { verdict: DialVerdict::Opened, leads_closed: 0 });
    }
    let refused = match check(request, &facts, opening.is_requested, now) {
        Ok(()) => {
            insert(conn, opening).await?;
            return Ok(Opened { verdict: DialVerdict::Opened, leads_closed: 0 });
        }
        Err(refused) => refused,
    };
    // If the lead has other phones, only this phone is closed and the lead can be fetched again at once.
    let (DialVerdict::Closed(reason), Some(lead)) = (refused, request.lead) else {
        return Ok(Opened { verdict: refused, leads_closed: 0 });
    };
    let closed = leads::close_phone(conn, lead, request.number, reason).await?;
    let verdict = match closed {
        Some(reason) => DialVerdict::Closed(reason),
        None => DialVerdict::NotBefore { until: request.placed_at, reason },
    };
    Ok(Opened { verdict, leads_closed: u64::from(closed.is_some()) })
}

fn check(
    request: &AttemptRequest,
    facts: &DialFacts,
    is_requested: bool,
    now: Utc,
) -> Result<(), DialVerdict> {
    if request.lead.is_some() && !facts.lead_current {
        return Err(DialVerdict::Gone);
    }
    if request.lead.is_some() && !is_requested {
        if !facts.lead_callable {
            return Err(DialVerdict::Gone);
        }
        if facts.phone_closed.unwrap_or(true) && facts.blacklisted_until.is_none() {
            return Err(DialVerdict::Gone);
        }
    }
    match facts.blacklisted_until {
        Some(i64::MAX) => return Err(DialVerdict::Closed(Reason::Blacklisted)),
        Some(until) => {
            let until = Utc::from_millis(until);
            return Err(DialVerdict::NotBefore { until, reason: Reason::Blacklisted });
        }
        None => {}
    }
    if now >= request.open_until {
        return Err(DialVerdict::NotBefore { until: request.open_until, reason: Reason::OutsideWindow });
    }
    if facts.open > 0 || facts.household_busy {
        return Err(DialVerdict::NotBefore { until: now + request.rest, reason: Reason::Duplicate });
    }
    let used = |until| Err(DialVerdict::NotBefore { until, reason: Reason::AttemptsUsed });
    let rest = facts.rest_until.max(facts.household_rest).map(Utc::from_millis);
    let ending = facts.dialog_open.then_some(now + DIALOG_RECHECK);
    if let Some(until) = rest.max(ending).filter(|until| *until > now) {
        return used(until);
    }
    if facts.in_campaign >= i64::from(request.attempts_max) {
        return Err(DialVerdict::Closed(Reason::AttemptsUsed));
    }
    let gap_until = facts.last_placed.map(|placed| Utc::from_millis(placed) + request.gap_min);
    if let Some(until) = gap_until.filter(|until| *until > now && !facts.called_for) {
        return used(until);
    }
    if facts.in_day >= i64::from(request.per_day_max) {
        return used(request.day_end);
    }
    Ok(())
}

async fn load_facts(
    conn: &mut SqliteConnection,
    request: &AttemptRequest,
    now: Utc,
) -> Result<DialFacts, sqlx::Error> {
    let (lead, household) = (request.lead.map(|lead| lead.0), request.household.map(|home| home.0));
    let (number, scope) = (request.number.as_u64() as i64, scope(Some(request.campaign)));
    let (day_start, day_end) = (request.day_start.as_millis(), request.day_end.as_millis());
    let dialogs_since = (now - open_dialogs::KEPT).as_millis();
    let (now, placed_at) = (now.as_millis(), request.placed_at.as_millis());
    sqlx::query_as!(
        DialFacts,
        r#"select
             exists (select 1 from attempt t where t.id = $8 and t.number = $3 and t.placed_at = $9
                      and t.state = 'open') as "open_already!: bool",
             exists (select 1 from lead l where l.id = $1 and l.campaign_id = $4
                      and (l.state = 'open' or l.state = 'follow_up' and l.next_at > 0 and l.next_at <= $7))
               as "lead_callable!: bool",
             exists (select 1 from lead v where v.id = $1 and v.version = $12) as "lead_current!: bool",
             (select p.closed from phone p where p.lead_id = $1 and p.number = $3) as "phone_closed: bool",
             -- The entry that holds longest.
             (select max(coalesce(b.until, 9223372036854775807)) from blacklist b
               where (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                          and b.campaign_id in (0, $4) and (b.until is null or b.until > $7)
                 and (b.is_prefix or b.digits = $3) and b.digits in
                  ($3, $3 / 10, $3 / 100, $3 / 1000, $3 / 10000, $3 / 100000, $3 / 1000000, $3 / 10000000,
                   $3 / 100000000, $3 / 1000000000, $3 / 10000000000, $3 / 100000000000,
                   $3 / 1000000000000, $3 / 10000000000000, $3 / 100000000000000))
               as "blacklisted_until: i64",
             exists (select 1 from attempt h where h.household_id = $2 and h.state <> 'ended')
               as "household_busy!: bool",
             exists (select 1 from unended u where u.cut_at >= $11 and u.number = $3
                     union all
                     select 1 from unended v where v.cut_at >= $11 and v.household_id = $2)
               as "dialog_open!: bool",
             (select max(r.rest_until) from attempt r where r.household_id = $2 and r.rest_until > $7
                 and r.outcome = 'interrupted') as "household_rest: i64",
             exists (select 1 from summary s where s.lead_id = $1 and s.attempt_id =
                      (select t.id from attempt t where t.number = $3 and t.counted
                        order by t.placed_at desc, t.id desc limit 1)) as "called_for!: bool",
             count(*) filter (where a.campaign_id = $4 and a.counted) as "in_campaign!: i64",
             count(*) filter (where a.counted and a.placed_at >= $5 and a.placed_at < $6) as "in_day!: i64",
             max(a.placed_at) filter (where a.counted) as "last_placed: i64",
             count(*) filter (where a.state <> 'ended') as "open!: i64",
             max(a.rest_until) filter (where a.rest_until > $7 and not ($10 and a.outcome = 'abandoned'))
               as "rest_until: i64"
           from attempt a where a.number = $3"#,
        lead,
        household,
        number,
        scope,
        day_start,
        day_end,
        now,
        request.attempt.0,
        placed_at,
        request.guaranteed,
        dialogs_since,
        request.lead_version
    )
    .fetch_one(&mut *conn)
    .await
}

async fn insert(conn: &mut SqliteConnection, opening: Opening<'_>) -> Result<(), sqlx::Error> {
    let request = opening.request;
    let (lead, household) = (request.lead.map(|lead| lead.0), request.household.map(|home| home.0));
    let number = request.number.as_u64() as i64;
    let ordinal = i64::from(request.ordinal);
    let caller_id = request.caller_id.map(|number| number.as_u64() as i64);
    let placed_at = request.placed_at.as_millis();
    let rest = request.rest.as_millis() as i64;
    sqlx::query!(
        "insert into attempt (id, campaign_id, lead_id, household_id, number, ordinal, trunk, caller_id,
                              call_id, dialog, state, placed_at, rest_millis, enterprise_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12,
                 (select enterprise_id from campaign where id = $2))",
        request.attempt.0,
        request.campaign.0,
        lead,
        household,
        number,
        ordinal,
        opening.trunk,
        caller_id,
        opening.call_id,
        opening.dialog,
        placed_at,
        rest
    )
    .execute(&mut *conn)
    .await?;
    if lead.is_some() {
        // It had its turn: what was moved to the front is so for one call.
        sqlx::query!("update lead set rank = 0 where id = $1 and rank > 0", lead).execute(&mut *conn).await?;
    }
    let Some(caller_id) = caller_id else { return Ok(()) };
    if household.is_some() {
        sqlx::query!(
            "update household set caller_id = $2 where id = $1 and caller_id is not $2",
            household,
            caller_id
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!(
        "insert into caller_id (enterprise_id, organisation_id, number, state, state_since, is_found, first_used_at,
                                changed_at)
         select c.enterprise_id, c.organisation_id, $1, 'normal', $2, true, $2, $2 from campaign c
          where c.id = $3 and not exists (select 1 from caller_id i where i.enterprise_id = c.enterprise_id and i.number = $1
                                             and i.first_used_at is not null)
         on conflict (enterprise_id, number) where state <> 'retired' do update set first_used_at = excluded.first_used_at",
        caller_id,
        placed_at,
        request.campaign.0
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Deletes an open attempt that was refused during a stall, in case its row had reached the disk. Its id is not
/// used again by a later process.
pub(crate) async fn delete_open(conn: &mut SqliteConnection, attempt: AttemptId) -> Result<(), sqlx::Error> {
    let next = attempt.0 + 1;
    sqlx::query!("update counter set next = $1 where name = 'attempt' and next < $1", next)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from attempt where id = $1 and state = 'open'", attempt.0)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Marks the attempt as answered and saves its dialog. An empty dialog keeps the saved one.
pub(crate) async fn save_answer(
    conn: &mut SqliteConnection,
    call: CallId,
    at: Utc,
    dialog: &str,
) -> Result<(), sqlx::Error> {
    let (attempt, at) = (call.attempt().0, at.as_millis());
    sqlx::query!(
        "update attempt set answered_at = coalesce(answered_at, $2),
                state = case when state = 'open' then 'answered' else state end,
                dialog = case when $3 = '' then dialog else $3 end
          where id = $1",
        attempt,
        at,
        dialog
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Saves a changed dialog (new remote target, early tag).
pub(crate) async fn save_dialog(
    conn: &mut SqliteConnection,
    call: CallId,
    dialog: &str,
) -> Result<(), sqlx::Error> {
    let attempt = call.attempt().0;
    sqlx::query!("update attempt set dialog = $2 where id = $1 and state <> 'ended'", attempt, dialog)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Saves the record of what the call did, once.
pub(crate) async fn save_steps(
    conn: &mut SqliteConnection,
    attempt: AttemptId,
    steps: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update attempt set steps = $2 where id = $1 and state <> 'ended'", attempt.0, steps)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Writes the result and the lead's new state. Idempotent: a repeated result is ignored.
/// Returns the change in the number of open leads.
pub(crate) async fn save_result(
    conn: &mut SqliteConnection,
    result: &AttemptResult,
) -> Result<i64, sqlx::Error> {
    let (outcome, ended_by) = (result.outcome.word(), result.ended_by.word());
    let sip_code = result.sip_code.map(i64::from);
    let ringing_at = result.ringing_at.map(Utc::as_millis);
    let answered_at = result.answered_at.map(Utc::as_millis);
    let connected_at = result.connected_at.map(Utc::as_millis);
    let agent = result.agent.map(|agent| agent.0);
    let rest_until = result.rest_until.map(Utc::as_millis);
    let ended_at = result.ended_at.as_millis();
    let keys: String = result.keys.iter().copied().map(Digit::as_char).collect();
    let ended = sqlx::query!(
        "update attempt set state = 'ended', outcome = $2, cause = $3, sip_code = $4, ended_by = $5,
                ringing_at = $6, answered_at = coalesce($7, answered_at), ended_at = $8, keys = $9,
                result = $10, counted = $11, connected_at = $12, agent_id = $13, rest_until = $14
          where id = $1 and state <> 'ended'",
        result.attempt.0,
        outcome,
        result.cause,
        sip_code,
        ended_by,
        ringing_at,
        answered_at,
        ended_at,
        keys,
        result.result,
        result.counted,
        connected_at,
        agent,
        rest_until
    )
    .execute(&mut *conn)
    .await?;
    if !result.key_ways.is_empty() && ended.rows_affected() > 0 {
        let ways: String = result.key_ways.iter().map(|way| way.letter()).collect();
        sqlx::query!("update attempt set key_ways = $2 where id = $1", result.attempt.0, ways)
            .execute(&mut *conn)
            .await?;
    }
    let Some(update) = result.lead.as_ref().filter(|_| ended.rows_affected() > 0) else { return Ok(0) };
    let has_summary = summaries::has_set_lead(conn, result.attempt).await?;
    let last = LastAttempt { outcome: result.outcome, at: result.ended_at, has_summary };
    leads::save_update(conn, update, UpdateCause::CallEnded(last)).await
}
