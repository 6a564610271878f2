//! One attempt with the record of what its call did, for the trace.

use super::{Reader, StoreError};
use paceline_core::ids::AttemptId;

/// One attempt; moments in milliseconds of the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTrace {
    pub campaign: String,
    pub trunk: String,
    /// E.164 digits.
    pub number: i64,
    pub lead_id: Option<i64>,
    /// Row id of the agent who spoke with the callee.
    pub agent_id: Option<i64>,
    pub placed_at: i64,
    pub ringing_at: Option<i64>,
    pub answered_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
    pub sip_code: Option<i64>,
    pub cause: String,
    pub ended_by: Option<String>,
    /// JSON; empty while the call is live, for a call that a crash cut off, and for calls of before.
    pub steps: Option<String>,
    /// The owner of the campaign.
    pub enterprise: i64,
    pub organisation: i64,
}

impl Reader {
    /// The trace of an attempt; `None` = there is no such attempt.
    pub async fn call_trace(&mut self, attempt: AttemptId) -> Result<Option<CallTrace>, StoreError> {
        sqlx::query_as!(
            CallTrace,
            r#"select c.name as campaign, a.trunk, a.number, a.lead_id, a.agent_id, a.placed_at, a.ringing_at,
                      a.answered_at, a.ended_at, a.outcome, a.sip_code, a.cause, a.ended_by, a.steps,
                      c.enterprise_id as enterprise, c.organisation_id as organisation
                 from attempt a join campaign c on c.id = a.campaign_id where a.id = $1"#,
            attempt.0
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))
    }
}
