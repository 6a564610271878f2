//! Recovery at start: closes open attempts as `interrupted`, lets their numbers rest, settles their leads by
//! the campaign's retry rules, and loads the state the dialer needs. One transaction: if the process is
//! killed during it, the next start repeats it.

use super::leads::{self, LastAttempt, UpdateCause};
use super::legs::{self, InterruptedLeg};
use super::open_dialogs::{self, OpenCall};
use super::{OpenDialog, Store, StoreError, seat_log, summaries};
use paceline_core::campaign::retry::Finished;
use paceline_core::campaign::{RetryRules, SIMULATED_TRUNK};
use paceline_core::dialer::input::OpenWork;
use paceline_core::ids::{AttemptId, CampaignId, HouseholdId, LeadId};
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::time::{Duration, Utc};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How far back uses of caller IDs are loaded.
const CALLER_ID_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// Text in the `cause` column of an interrupted attempt.
pub const INTERRUPTED_CAUSE: &str = "the dialer stopped";

/// State recovered at start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resumed {
    /// For `Input::Resumed`.
    pub work: OpenWork,
    /// Attempts that were connected or being set up.
    pub interrupted: Vec<Interrupted>,
    /// Interrupted legs that are no attempts.
    pub legs: Vec<InterruptedLeg>,
    /// Dialogs to end with CANCEL or BYE: those of `interrupted` and `legs`, and any left by earlier starts.
    pub open_dialogs: Vec<OpenDialog>,
    /// Last commit of the previous process.
    pub alive_at: Utc,
}

/// An attempt that was open when the previous process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub lead: Option<LeadId>,
    pub number: PhoneNumber,
    pub answered: bool,
    /// JSON, as saved with the attempt or its answer.
    pub dialog: String,
}

/// The row of an open attempt.
struct OpenAttempt {
    id: i64,
    campaign_id: i64,
    lead_id: Option<i64>,
    number: i64,
    dialog: String,
    placed_at: i64,
    answered_at: Option<i64>,
    rest_millis: i64,
    household_id: Option<i64>,
    trunk: String,
}

impl OpenAttempt {
    /// The simulated carrier ran inside the process that ended, so its calls ended with it.
    fn is_over(&self) -> bool {
        self.trunk == SIMULATED_TRUNK
    }

    fn call(&self) -> OpenCall<'_> {
        OpenCall {
            dialog: &self.dialog,
            attempt: Some(self.id),
            number: Some(self.number),
            household: self.household_id,
            answered: self.answered_at.is_some(),
        }
    }
}

impl Store {
    /// Closes what the previous process left open. Call it once, before any campaign is opened and before the
    /// writer starts.
    pub async fn resume(&self) -> Result<Resumed, StoreError> {
        let now = self.now();
        let resumed = self.transaction(async |conn| {
            let alive_at = sqlx::query_scalar!(r#"select at as "at!" from pulse where id = 1"#)
                .fetch_one(&mut *conn)
                .await?;
            let interrupted = close_open_attempts(conn, alive_at, now).await?;
            let legs = legs::close_interrupted(conn, INTERRUPTED_CAUSE, now).await?;
            seat_log::sign_out_all(conn).await?;
            for leg in &legs {
                let number = leg.number.map(|number| number.as_u64() as i64);
                let call = OpenCall { dialog: &leg.dialog, number, answered: true, ..OpenCall::default() };
                open_dialogs::insert(conn, call, now).await?;
            }
            let open_dialogs = open_dialogs::load_all(conn, now).await?;
            open_dialogs::extend_rests(conn, now).await?;
            let work = open_work(conn, now).await?;
            let alive_at = Utc::from_millis(alive_at);
            Ok(Resumed { work, interrupted, legs, open_dialogs, alive_at })
        });
        let resumed = resumed.await;
        self.write.note_lists_changed();
        resumed.map_err(self.query_error())
    }
}

async fn close_open_attempts(
    conn: &mut SqliteConnection,
    last_commit: i64,
    now: Utc,
) -> Result<Vec<Interrupted>, sqlx::Error> {
    let open = sqlx::query_as!(
        OpenAttempt,
        r#"select id as "id!", campaign_id, lead_id, number, dialog, placed_at, answered_at, rest_millis,
                  household_id, trunk
             from attempt where state <> 'ended' order by id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let agents = seat_log::agents_in_call(conn).await?;
    let mut rules: BTreeMap<i64, RetryRules> = BTreeMap::new();
    let mut interrupted = Vec::new();
    for cut in open {
        let Some(number) = PhoneNumber::from_e164(cut.number as u64) else { continue };
        close_interrupted(conn, &cut, agents.get(&cut.id).copied(), last_commit, now).await?;
        if let Some(lead) = cut.lead_id {
            let rules = match rules.entry(cut.campaign_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(retry_rules(conn, cut.campaign_id).await?),
            };
            settle_lead(conn, &cut, lead, number, rules, now).await?;
        }
        if !cut.is_over() {
            open_dialogs::insert(conn, cut.call(), now).await?;
        }
        interrupted.push(Interrupted {
            attempt: AttemptId(cut.id),
            campaign: CampaignId(cut.campaign_id),
            lead: cut.lead_id.map(LeadId),
            number,
            answered: cut.answered_at.is_some(),
            dialog: cut.dialog,
        });
    }
    Ok(interrupted)
}

async fn close_interrupted(
    conn: &mut SqliteConnection,
    cut: &OpenAttempt,
    agent: Option<i64>,
    last_commit: i64,
    now: Utc,
) -> Result<(), sqlx::Error> {
    let alive_at = last_commit.max(cut.placed_at).max(cut.answered_at.unwrap_or(0));
    let rest = if cut.is_over() { 0 } else { cut.rest_millis };
    let rest_until = now.as_millis().saturating_add(rest);
    let (now, outcome, by) = (now.as_millis(), Outcome::Interrupted.word(), EndedBy::Dialer.word());
    sqlx::query!(
        "update attempt set state = 'ended', outcome = $2, cause = $3, ended_by = $4, ended_at = $5,
                alive_at = $6, rest_until = $7, counted = true, agent_id = $8
          where id = $1",
        cut.id,
        outcome,
        INTERRUPTED_CAUSE,
        by,
        now,
        alive_at,
        rest_until,
        agent
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Settles the lead by the retry rules; an answered callee is not called again.
async fn settle_lead(
    conn: &mut SqliteConnection,
    cut: &OpenAttempt,
    lead: i64,
    number: PhoneNumber,
    rules: &RetryRules,
    now: Utc,
) -> Result<(), sqlx::Error> {
    let Some(lead) = leads::load(conn, &[lead]).await?.pop() else { return Ok(()) };
    let finished = Finished {
        number,
        outcome: Outcome::Interrupted,
        answered: cut.answered_at.is_some(),
        at: now,
        next_trunk: false,
    };
    let update = rules.settle(CampaignId(cut.campaign_id), &lead, finished);
    let has_summary = summaries::has_set_lead(conn, AttemptId(cut.id)).await?;
    let last = LastAttempt { outcome: Outcome::Interrupted, at: now, has_summary };
    leads::save_update(conn, &update, UpdateCause::CallEnded(last)).await?;
    Ok(())
}

/// An interrupted attempt was answered before its call could be taken back: its callee is not called again, and the call
/// ended no earlier than that.
/// Returns the change in the number of the campaign's open leads. Idempotent.
pub(crate) async fn note_answer(
    conn: &mut SqliteConnection,
    call_id: &str,
    now: Utc,
) -> Result<Option<(CampaignId, i64)>, sqlx::Error> {
    let at = now.as_millis();
    // An interrupted attempt rests, so the index of rests finds it.
    let found = sqlx::query!(
        r#"update attempt set answered_at = $2, ended_at = case when ended_at < $2 then $2 else ended_at end
            where id = (select a.id from attempt a
                         where a.rest_until > 0 and a.call_id = $1 and a.outcome = 'interrupted')
              and answered_at is null
           returning campaign_id, lead_id, number"#,
        call_id,
        at
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let Some(lead) = found.lead_id else { return Ok(None) };
    let campaign = CampaignId(found.campaign_id);
    let (Some(number), Some(lead)) =
        (PhoneNumber::from_e164(found.number as u64), leads::load(conn, &[lead]).await?.pop())
    else {
        return Ok(None);
    };
    let rules = retry_rules(conn, found.campaign_id).await?;
    let finished =
        Finished { number, outcome: Outcome::Interrupted, answered: true, at: now, next_trunk: false };
    let mut update = rules.settle(campaign, &lead, finished);
    // The attempt was counted when it was closed.
    (update.phones, update.uncounted) = (lead.phones, lead.uncounted);
    Ok(Some((campaign, leads::save_update(conn, &update, UpdateCause::NoCall).await?)))
}

async fn retry_rules(conn: &mut SqliteConnection, campaign: i64) -> Result<RetryRules, sqlx::Error> {
    let text = sqlx::query_scalar!("select retry from campaign where id = $1", campaign)
        .fetch_one(&mut *conn)
        .await?;
    // Unreadable rules fall back to no retry, the cautious choice.
    Ok(serde_json::from_str(&text).unwrap_or(RetryRules {
        attempts_max: 1,
        per_day_max: 1,
        gap_min: Duration::ZERO,
        after: BTreeMap::new(),
    }))
}

async fn open_work(conn: &mut SqliteConnection, now: Utc) -> Result<OpenWork, sqlx::Error> {
    let next_attempt = sqlx::query_scalar!(
        r#"select max(free.id) as "next!: i64"
             from (select coalesce(max(a.id), 0) + 1 as id from attempt a
                   union all select c.next from counter c where c.name = 'attempt') free"#
    )
    .fetch_one(&mut *conn)
    .await?;
    let since = (now - CALLER_ID_WINDOW).as_millis();
    let now = now.as_millis();
    let resting = sqlx::query!(
        r#"select number, rest_until as "until!" from attempt
            where rest_until > $1 and outcome <> 'abandoned' order by rest_until"#,
        now
    )
    .fetch_all(&mut *conn)
    .await?;
    let uses = sqlx::query!(
        r#"select caller_id as "number!", placed_at from attempt
            where placed_at > $1 and caller_id is not null order by placed_at, caller_id"#,
        since
    )
    .fetch_all(&mut *conn)
    .await?;
    let first = sqlx::query!(
        r#"select number as "number!", min(first_used_at) as "at!: i64" from caller_id
            where first_used_at is not null group by number order by number"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let sticky = sqlx::query!(
        r#"select campaign_id, id as "id!", caller_id as "number!" from household
            where caller_id is not null order by id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let at = |number: i64, at: i64| Some((PhoneNumber::from_e164(number as u64)?, Utc::from_millis(at)));
    let shown = |number: i64, at: i64| Some((ShownNumber::from_e164(number as u64)?, Utc::from_millis(at)));
    Ok(OpenWork {
        next_attempt,
        // Keyed by number; of two rests of one number the later one wins.
        resting: resting
            .into_iter()
            .filter_map(|row| at(row.number, row.until))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
        caller_id_uses: uses.into_iter().filter_map(|row| shown(row.number, row.placed_at)).collect(),
        caller_id_first_use: first.into_iter().filter_map(|row| shown(row.number, row.at)).collect(),
        caller_id_sticky: sticky
            .into_iter()
            .filter_map(|row| {
                let number = ShownNumber::from_e164(row.number as u64)?;
                Some((CampaignId(row.campaign_id), HouseholdId(row.id), number))
            })
            .collect(),
    })
}
