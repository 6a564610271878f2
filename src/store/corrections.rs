//! Corrections of a lead by agents: name, phone, additional phone. The list row stays unchanged, each
//! correction is kept with the previous value, and an attempt keeps the number it dialled.

use super::change::Change;
use super::{Reader, Store, StoreError};
use paceline_core::ids::{AgentId, AttemptId, LeadId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

/// The corrected field and its new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadChange {
    Name(String),
    /// Closes the wrong number `was` and adds `now`.
    Phone {
        was: PhoneNumber,
        now: PhoneNumber,
    },
    /// Adds a number, of the same person or of another member of the household.
    AddPhone(PhoneNumber),
}

impl LeadChange {
    /// Field, previous value where it is known, and new value, as [`CorrectionRow`] has them.
    pub fn words(&self) -> (&'static str, Option<String>, String) {
        match self {
            LeadChange::Name(name) => ("name", None, name.clone()),
            LeadChange::Phone { was, now } => ("phone", Some(was.national()), now.national()),
            LeadChange::AddPhone(number) => ("add_phone", None, number.national()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    pub lead: LeadId,
    pub agent: AgentId,
    /// The call in which the agent learnt it.
    pub attempt: Option<AttemptId>,
    pub change: LeadChange,
}

/// A stored correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectionRow {
    pub agent_id: i64,
    pub at: i64,
    /// name | phone | add_phone
    pub field: String,
    pub was: Option<String>,
    pub now: String,
    pub attempt_id: Option<i64>,
}

impl Store {
    /// Writes a correction. A new phone may be dialled at once: it reopens a lead that failed without a
    /// reason or with `attempts_used`, but none that is done or was closed for another reason.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if the lead does not exist or does not have this phone.
    pub async fn correct_lead(&self, correction: &Correction) -> Result<(), StoreError> {
        let now = self.now();
        let written = self.transaction(async |conn| write(conn, correction, now).await).await;
        self.write.note_lists_changed();
        match written.map_err(self.query_error())? {
            true => Ok(()),
            false => Err(StoreError::Unknown { what: format!("lead {} with that phone", correction.lead) }),
        }
    }
}

impl Change<'_> {
    /// As [`Store::correct_lead`].
    pub async fn correct_lead(&mut self, correction: &Correction) -> Result<(), StoreError> {
        let now = self.at();
        let written = write(self.conn(), correction, now).await.map_err(|e| self.error(e))?;
        self.store.write.note_lists_changed();
        match written {
            true => Ok(()),
            false => Err(StoreError::Unknown { what: format!("lead {} with that phone", correction.lead) }),
        }
    }
}

/// `false` = nothing was written.
async fn write(conn: &mut SqliteConnection, correction: &Correction, at: Utc) -> Result<bool, sqlx::Error> {
    let lead = correction.lead.0;
    let before = sqlx::query!("select name from lead where id = $1", lead).fetch_optional(&mut *conn).await?;
    let Some(before) = before else { return Ok(false) };
    let (field, was, now) = match &correction.change {
        LeadChange::Name(name) => {
            let name = name.replace('\0', "\u{fffd}");
            sqlx::query!("update lead set name = $2 where id = $1", lead, name).execute(&mut *conn).await?;
            ("name", before.name, name)
        }
        LeadChange::Phone { was, now } => {
            let number = was.as_u64() as i64;
            let closed = sqlx::query!(
                "update phone set closed = true where lead_id = $1 and number = $2 and $2 <> $3",
                lead,
                number,
                now.as_u64() as i64
            )
            .execute(&mut *conn)
            .await?;
            if closed.rows_affected() == 0 {
                return Ok(false);
            }
            add_phone(conn, correction.lead, *now, &now.national()).await?;
            ("phone", Some(was.national()), now.national())
        }
        LeadChange::AddPhone(number) => {
            add_phone(conn, correction.lead, *number, &number.national()).await?;
            ("add_phone", None, number.national())
        }
    };
    let attempt = correction.attempt.map(|attempt| attempt.0);
    let at = at.as_millis();
    sqlx::query!(
        "insert into lead_correction (lead_id, agent_id, at, field, was, now, attempt_id)
         values ($1, $2, $3, $4, $5, $6, $7)",
        lead,
        correction.agent.0,
        at,
        field,
        was,
        now,
        attempt
    )
    .execute(&mut *conn)
    .await?;
    Ok(true)
}

/// Appends a phone to the lead's phones; a phone it already has keeps its position.
pub(super) async fn add_phone(
    conn: &mut SqliteConnection,
    lead: LeadId,
    number: PhoneNumber,
    given: &str,
) -> Result<(), sqlx::Error> {
    let number = number.as_u64() as i64;
    let added = sqlx::query!(
        "insert into phone (lead_id, position, number, given)
         select $1, (select coalesce(max(position), -1) + 1 from phone where lead_id = $1), $2, $3
          where not exists (select 1 from phone where lead_id = $1 and number = $2)",
        lead.0,
        number,
        given
    )
    .execute(&mut *conn)
    .await?;
    if added.rows_affected() > 0 {
        sqlx::query!(
            "update lead set state = 'open', reason = null, next_at = 0
              where id = $1 and state = 'failed' and coalesce(reason, 'attempts_used') = 'attempts_used'",
            lead.0
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

impl Reader {
    /// The corrections of a lead, the oldest first.
    pub async fn corrections(&mut self, lead: LeadId) -> Result<Vec<CorrectionRow>, StoreError> {
        sqlx::query_as!(
            CorrectionRow,
            "select agent_id, at, field, was, now, attempt_id from lead_correction
              where lead_id = $1 order by id",
            lead.0
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
