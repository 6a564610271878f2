//! What people do to leads: close, open again, move to the front, assign, book. Each is a part of one [`Change`]; no lead
//! is changed while a call to it is up, and each change raises the lead's version, so that no attempt is opened on a copy
//! from before.

use super::blacklist::json_numbers;
use super::change::Change;
use super::{Scope, StoreError};
use paceline_core::campaign::RetryRules;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Reason};
use paceline_core::time::Utc;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

/// `next_at` of a lead that was moved to the front: due before every retry, and after 0, which stands for untried leads.
pub const FRONT: i64 = 1;

/// One action on a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadAction {
    Close,
    Reopen,
    /// Moved before all other leads, for one call.
    First,
    /// To the agent with this row id.
    Assign {
        agent: i64,
    },
    Unassign,
    Book {
        /// In milliseconds since 1970.
        at: i64,
        agent: Option<i64>,
        skill: Option<String>,
    },
    /// Closed as blacklisted; the numbers are put on the blacklist beside it.
    Blacklist,
}

impl LeadAction {
    pub const fn word(&self) -> &'static str {
        match self {
            LeadAction::Close => "close",
            LeadAction::Reopen => "reopen",
            LeadAction::First => "first",
            LeadAction::Assign { .. } => "assign",
            LeadAction::Unassign => "unassign",
            LeadAction::Book { .. } => "book",
            LeadAction::Blacklist => "blacklist",
        }
    }
}

/// Why a lead was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeadRefusal {
    /// Another campaign's, or its list was undone.
    Unknown,
    /// Its call is up.
    Busy,
    /// It is closed.
    NotOpen,
    /// It is open already.
    NotClosed,
    /// It has a callback booked.
    Booked,
    /// Every number of it is blacklisted.
    Blacklisted,
    /// Every number of it has used the campaign's attempts.
    AttemptsUsed,
    /// It is assigned to no agent.
    NotAssigned,
    /// The moment is not in the future.
    Past,
}

impl LeadRefusal {
    pub const fn word(self) -> &'static str {
        match self {
            LeadRefusal::Unknown => "not_found",
            LeadRefusal::Busy => "busy",
            LeadRefusal::NotOpen => "not_open",
            LeadRefusal::NotClosed => "not_closed",
            LeadRefusal::Booked => "booked",
            LeadRefusal::Blacklisted => "blacklisted",
            LeadRefusal::AttemptsUsed => "attempts_used",
            LeadRefusal::NotAssigned => "not_assigned",
            LeadRefusal::Past => "past",
        }
    }
}

/// A lead before and after its change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedLead {
    pub campaign: CampaignId,
    pub before: LeadStanding,
    pub after: LeadStanding,
    /// What undoes the change; `None` = nothing does.
    pub inverse: Option<LeadAction>,
    pub numbers: Vec<PhoneNumber>,
}

/// Where a lead stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadStanding {
    pub state: String,
    pub reason: Option<String>,
    /// 0 = due at once.
    pub next_at: i64,
    pub callback_agent: Option<i64>,
    pub callback_skill: Option<String>,
    pub assigned: Option<i64>,
}

impl LeadStanding {
    fn is(&self, state: LeadState) -> bool {
        self.state == state.word()
    }

    fn is_booked(&self) -> bool {
        self.is(LeadState::FollowUp) && self.next_at > 0
    }

    /// The booking, if its moment is to come.
    fn booking(&self, now: Utc) -> Option<LeadAction> {
        (self.is_booked() && self.next_at > now.as_millis()).then(|| LeadAction::Book {
            at: self.next_at,
            agent: self.callback_agent,
            skill: self.callback_skill.clone(),
        })
    }
}

struct Facts {
    campaign: i64,
    retry: String,
    state: String,
    reason: Option<String>,
    next_at: i64,
    callback_agent: Option<i64>,
    callback_skill: Option<String>,
    assigned: Option<i64>,
    is_called: bool,
}

/// A phone of a lead, as far as an action asks.
struct PhoneFacts {
    number: i64,
    closed: bool,
    blacklisted: bool,
    /// Counted attempts in the campaign.
    made: i64,
}

impl Change<'_> {
    /// Does this to a lead of a campaign of the scope, or says why not; then nothing is written.
    pub async fn change_lead(
        &mut self,
        scope: &Scope,
        campaign: CampaignId,
        lead: LeadId,
        action: &LeadAction,
    ) -> Result<Result<ChangedLead, LeadRefusal>, StoreError> {
        let now = self.at();
        let written = change(self.conn(), scope, (campaign, lead), action, now).await;
        let written = written.map_err(|e| self.error(e))?;
        if written.is_ok() {
            self.note_leads_changed();
        }
        Ok(written)
    }
}

async fn change(
    conn: &mut SqliteConnection,
    scope: &Scope,
    (campaign, lead): (CampaignId, LeadId),
    action: &LeadAction,
    now: Utc,
) -> Result<Result<ChangedLead, LeadRefusal>, sqlx::Error> {
    let facts = load_facts(conn, scope, lead).await?.filter(|facts| facts.campaign == campaign.0);
    let Some(facts) = facts else { return Ok(Err(LeadRefusal::Unknown)) };
    if facts.is_called {
        return Ok(Err(LeadRefusal::Busy));
    }
    let phones = load_phones(conn, facts.campaign, lead, now).await?;
    let attempts_max =
        serde_json::from_str::<RetryRules>(&facts.retry).map_or(u32::MAX, |it| it.attempts_max);
    let before = LeadStanding {
        state: facts.state,
        reason: facts.reason,
        next_at: facts.next_at,
        callback_agent: facts.callback_agent,
        callback_skill: facts.callback_skill,
        assigned: facts.assigned,
    };
    let (after, inverse) = match decide(&before, &phones, action, i64::from(attempts_max), now) {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Err(refusal)),
    };
    write_standing(conn, lead, &after, action, now).await?;
    if after.assigned != before.assigned {
        write_assignment(conn, facts.campaign, lead, after.assigned).await?;
    }
    if let LeadAction::Reopen | LeadAction::First | LeadAction::Book { .. } = action {
        let most = if matches!(action, LeadAction::Book { .. }) { i64::MAX } else { i64::from(attempts_max) };
        make_phones_due(conn, lead, &phones, most).await?;
    }
    let numbers = phones.iter().filter_map(|phone| PhoneNumber::from_e164(u64::try_from(phone.number).ok()?));
    let campaign = CampaignId(facts.campaign);
    Ok(Ok(ChangedLead { campaign, before, after, inverse, numbers: numbers.collect() }))
}

/// The new standing, and what undoes it.
fn decide(
    before: &LeadStanding,
    phones: &[PhoneFacts],
    action: &LeadAction,
    attempts_max: i64,
    now: Utc,
) -> Result<(LeadStanding, Option<LeadAction>), LeadRefusal> {
    let is_open = before.is(LeadState::Open) || before.is_booked();
    let closed = |reason: Reason| LeadStanding {
        state: LeadState::Failed.word().to_owned(),
        reason: Some(reason.word().to_owned()),
        ..before.clone()
    };
    let open = || LeadStanding {
        state: LeadState::Open.word().to_owned(),
        reason: None,
        next_at: 0,
        callback_agent: None,
        callback_skill: None,
        assigned: before.assigned,
    };
    match action {
        LeadAction::Close if is_open || before.is(LeadState::FollowUp) => {
            Ok((closed(Reason::Stopped), Some(before.booking(now).unwrap_or(LeadAction::Reopen))))
        }
        LeadAction::Close => Err(LeadRefusal::NotOpen),
        LeadAction::Blacklist => Ok((closed(Reason::Blacklisted), None)),
        LeadAction::Reopen if before.is(LeadState::Open) => Err(LeadRefusal::NotClosed),
        LeadAction::Reopen => {
            check_callable(phones, attempts_max)?;
            let was_failed = before.is(LeadState::Failed).then_some(LeadAction::Close);
            Ok((open(), before.booking(now).or(was_failed)))
        }
        LeadAction::First if before.is_booked() => Err(LeadRefusal::Booked),
        LeadAction::First if !is_open => Err(LeadRefusal::NotOpen),
        LeadAction::First => Ok((LeadStanding { next_at: FRONT, ..before.clone() }, None)),
        LeadAction::Assign { .. } | LeadAction::Unassign if !is_open => Err(LeadRefusal::NotOpen),
        LeadAction::Unassign if before.assigned.is_none() => Err(LeadRefusal::NotAssigned),
        LeadAction::Assign { .. } | LeadAction::Unassign => {
            let assigned = if let LeadAction::Assign { agent } = action { Some(*agent) } else { None };
            let inverse = before.assigned.map_or(LeadAction::Unassign, |agent| LeadAction::Assign { agent });
            Ok((LeadStanding { assigned, ..before.clone() }, Some(inverse)))
        }
        LeadAction::Book { at, .. } if *at <= now.as_millis() => Err(LeadRefusal::Past),
        LeadAction::Book { at, agent, skill } => {
            check_callable(phones, i64::MAX)?;
            let undone = if is_open { LeadAction::Reopen } else { LeadAction::Close };
            let after = LeadStanding {
                state: LeadState::FollowUp.word().to_owned(),
                reason: None,
                next_at: *at,
                callback_agent: *agent,
                callback_skill: skill.clone(),
                // Who is to call back is who calls.
                assigned: before.assigned.filter(|owner| agent.is_none_or(|agent| agent == *owner)),
            };
            Ok((after, Some(before.booking(now).unwrap_or(undone))))
        }
    }
}

/// At least one number may be called.
fn check_callable(phones: &[PhoneFacts], attempts_max: i64) -> Result<(), LeadRefusal> {
    let mut allowed = phones.iter().filter(|phone| !phone.blacklisted).peekable();
    if allowed.peek().is_none() {
        return Err(LeadRefusal::Blacklisted);
    }
    if allowed.any(|phone| phone.made < attempts_max) { Ok(()) } else { Err(LeadRefusal::AttemptsUsed) }
}

async fn load_facts(
    conn: &mut SqliteConnection,
    scope: &Scope,
    lead: LeadId,
) -> Result<Option<Facts>, sqlx::Error> {
    let organisations = json_numbers(scope.organisations.iter().copied());
    sqlx::query_as!(
        Facts,
        r#"select l.campaign_id as campaign, c.retry, l.state, l.reason, l.next_at, l.callback_agent,
                  l.callback_skill,
                  (select a.agent_id from lead_assignment a where a.lead_id = l.id) as "assigned: i64",
                  exists (select 1 from attempt t where t.lead_id = l.id and t.state <> 'ended')
                    as "is_called!: bool"
             from lead l join import i on i.id = l.import_id and i.state = 'done'
             join campaign c on c.id = l.campaign_id
            where l.id = $1 and c.enterprise_id = $2
              and c.organisation_id in (select cast(value as bigint) from json_each($3))"#,
        lead.0,
        scope.enterprise,
        organisations
    )
    .fetch_optional(conn)
    .await
}

async fn load_phones(
    conn: &mut SqliteConnection,
    campaign: i64,
    lead: LeadId,
    now: Utc,
) -> Result<Vec<PhoneFacts>, sqlx::Error> {
    let now = now.as_millis();
    sqlx::query_as!(
        PhoneFacts,
        r#"select p.number, p.closed as "closed!: bool",
                  exists (select 1 from blacklist b
                           where (b.import_id = 0 or exists (select 1 from blacklist_import i
                                        where i.id = b.import_id and i.state = 'loaded'))
                          and b.campaign_id in (0, $2) and (b.until is null or b.until > $3)
                             and (b.is_prefix or b.digits = p.number) and b.digits in
                              (p.number, p.number / 10, p.number / 100, p.number / 1000, p.number / 10000, p.number / 100000,
                               p.number / 1000000, p.number / 10000000, p.number / 100000000, p.number / 1000000000,
                               p.number / 10000000000, p.number / 100000000000, p.number / 1000000000000,
                               p.number / 10000000000000, p.number / 100000000000000))
                    as "blacklisted!: bool",
                  (select count(*) from attempt a
                    where a.number = p.number and a.campaign_id = $2 and a.counted) as "made!: i64"
             from phone p where p.lead_id = $1 order by p.position"#,
        lead.0,
        campaign,
        now
    )
    .fetch_all(conn)
    .await
}

async fn write_standing(
    conn: &mut SqliteConnection,
    lead: LeadId,
    after: &LeadStanding,
    action: &LeadAction,
    now: Utc,
) -> Result<(), sqlx::Error> {
    // Of several leads the one that was moved last comes first.
    let rank = (*action == LeadAction::First).then_some(now.as_millis());
    let closes = matches!(action, LeadAction::Close | LeadAction::Blacklist);
    sqlx::query!(
        "update lead set state = $2, reason = $3, next_at = $4, callback_agent = $5, callback_skill = $6,
                rank = coalesce($7, case when $8 then 0 else rank end), version = version + 1
          where id = $1",
        lead.0,
        after.state,
        after.reason,
        after.next_at,
        after.callback_agent,
        after.callback_skill,
        rank,
        closes
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn write_assignment(
    conn: &mut SqliteConnection,
    campaign: i64,
    lead: LeadId,
    agent: Option<i64>,
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from lead_assignment where lead_id = $1", lead.0).execute(&mut *conn).await?;
    let Some(agent) = agent else { return Ok(()) };
    sqlx::query!(
        "insert into lead_assignment (lead_id, campaign_id, agent_id) values ($1, $2, $3)",
        lead.0,
        campaign,
        agent
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The lead's open numbers are due at once; where none is open, those are opened that may be called.
async fn make_phones_due(
    conn: &mut SqliteConnection,
    lead: LeadId,
    phones: &[PhoneFacts],
    attempts_max: i64,
) -> Result<(), sqlx::Error> {
    let may_be_called = |phone: &&PhoneFacts| !phone.blacklisted && phone.made < attempts_max;
    let are_closed = !phones.iter().filter(may_be_called).any(|phone| !phone.closed);
    let due = phones.iter().filter(may_be_called).filter(|phone| are_closed || !phone.closed);
    let due = json_numbers(due.map(|phone| phone.number));
    sqlx::query!(
        "update phone set closed = false, next_at = null
          where lead_id = $1 and number in (select cast(value as bigint) from json_each($2))",
        lead.0,
        due
    )
    .execute(conn)
    .await?;
    Ok(())
}
