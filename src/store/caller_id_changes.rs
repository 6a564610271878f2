//! Changes of caller IDs: entered, described, led from state to state.

use super::caller_ids::{CallerIdFields, CallerIdKey, CallerIdRow, CallerIdStep, read_one};
use super::{Change, StoreError};
use paceline_core::ids::AgentId;
use paceline_core::number::ShownNumber;
use paceline_core::time::Utc;
use sqlx::SqliteConnection;

impl Change<'_> {
    /// Enters a number; `None` = it stands in the enterprise's register already.
    pub async fn add_caller_id(
        &mut self,
        organisation: i64,
        number: ShownNumber,
        fields: &CallerIdFields,
        maker: Option<i64>,
    ) -> Result<Option<CallerIdKey>, StoreError> {
        let (enterprise, now, by) = (self.enterprise(), self.now.as_millis(), self.by);
        let digits = number.as_u64() as i64;
        let (hour, day, idle) = caps(fields);
        let id = sqlx::query_scalar!(
            r#"insert into caller_id (enterprise_id, organisation_id, number, holder, holder_id_end, region, carrier,
                                      note, state, state_since, per_hour_max, per_day_max, idle_days, changed_at,
                                      changed_by, entered_by, content_by, first_used_at)
               select $1, $2, $3, $4, $5, $6, $7, $8, 'entered', $9, $10, $11, $12, $9, $13, $14, $14,
                      (select min(first_used_at) from caller_id where enterprise_id = $1 and number = $3)
                where not exists (select 1 from caller_id
                                   where enterprise_id = $1 and number = $3 and state <> 'retired')
               returning id as "id!""#,
            enterprise,
            organisation,
            digits,
            fields.holder,
            fields.holder_id_end,
            fields.region,
            fields.carrier,
            fields.note,
            now,
            hour,
            day,
            idle,
            by,
            maker
        )
        .fetch_optional(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(id.map(CallerIdKey))
    }

    /// Writes what people changed about a number.
    pub async fn set_caller_id(
        &mut self,
        id: CallerIdKey,
        fields: &CallerIdFields,
    ) -> Result<(), StoreError> {
        let (enterprise, now, by) = (self.enterprise(), self.now.as_millis(), self.by);
        let (hour, day, idle) = caps(fields);
        sqlx::query!(
            "update caller_id set holder = $2, holder_id_end = $3, region = $4, carrier = $5, note = $6,
                    per_hour_max = $7, per_day_max = $8, idle_days = $9, is_found = false, version = version + 1,
                    changed_at = $10, changed_by = $11
              where id = $1 and enterprise_id = $12",
            id.0,
            fields.holder,
            fields.holder_id_end,
            fields.region,
            fields.carrier,
            fields.note,
            hour,
            day,
            idle,
            now,
            by,
            enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Changes a number's state, with its row of the log. `row` = as it was read in this change.
    pub async fn step_caller_id(
        &mut self,
        row: &CallerIdRow,
        step: &CallerIdStep<'_>,
    ) -> Result<(), StoreError> {
        let (at, by) = (self.now.as_millis(), self.by);
        let since = if step.now == row.state { row.state_since.as_millis() } else { at };
        let until = step.rest_until.map(Utc::as_millis);
        let agent = step.agent.map(|agent| agent.0);
        let evidence = serde_json::to_string(&step.evidence).unwrap_or_default();
        let (was, now, flags) = (row.state.word(), step.now.word(), i64::from(step.flags));
        sqlx::query!(
            "update caller_id set state = $2, state_since = $3, rest_until = $4, flags = $5, bound_agent = $6,
                    evidence = $7, is_found = false, version = version + 1, changed_at = $8, changed_by = $9
              where id = $1 and enterprise_id = $10",
            row.id.0,
            now,
            since,
            until,
            flags,
            agent,
            evidence,
            at,
            by,
            row.enterprise
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        let detail = step.detail.to_string();
        let entry = LogEntry { was, now, why: step.why, detail: &detail, note: step.note, by, at };
        add_log(self.conn(), row.id, entry).await.map_err(|error| self.error(error))
    }

    /// The numbers that this agent's calls alone showed belong to no agent: the account is gone.
    pub async fn unbind_caller_ids_of(&mut self, agent: AgentId) -> Result<(), StoreError> {
        let (enterprise, at) = (self.enterprise(), self.now.as_millis());
        sqlx::query!(
            "update caller_id set bound_agent = null, version = version + 1, changed_at = $3
              where bound_agent = $1 and enterprise_id = $2",
            agent.0,
            enterprise,
            at
        )
        .execute(self.conn())
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The row as it stands now, inside the change.
    pub async fn caller_id(&mut self, id: CallerIdKey) -> Result<Option<CallerIdRow>, StoreError> {
        read_one(self.conn(), id).await.map_err(|error| self.error(error))
    }
}

fn caps(fields: &CallerIdFields) -> (i64, i64, i64) {
    let whole = |cap: Option<u32>| i64::from(cap.unwrap_or(0));
    (whole(fields.per_hour_max), whole(fields.per_day_max), whole(fields.idle_days))
}

/// An entry of a number's log, to be written.
pub(super) struct LogEntry<'a> {
    pub was: &'a str,
    pub now: &'a str,
    pub why: &'a str,
    pub detail: &'a str,
    pub note: &'a str,
    pub by: Option<i64>,
    pub at: i64,
}

pub(super) async fn add_log(
    conn: &mut SqliteConnection,
    id: CallerIdKey,
    entry: LogEntry<'_>,
) -> Result<(), sqlx::Error> {
    let LogEntry { was, now, why, detail, note, by, at } = entry;
    sqlx::query!(
        "insert into caller_id_log (caller_id, at, was, now, why, detail, note, by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.0,
        at,
        was,
        now,
        why,
        detail,
        note,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}
