//! Last known SIP contacts of agents' phones, so that a new process can reach them before they register
//! again. The format of a contact belongs to the core's registrar; here it is opaque JSON.

use super::{Store, StoreError};
use paceline_core::ids::AgentId;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Replaces the saved contacts of an agent. Removed agents and agents without a SIP account are skipped.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    agent: AgentId,
    contacts: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into phone_contact (agent_id, sip_user, ha1_sha256, contacts)
         select id, sip_user, ha1_sha256, $2 from agent
          where id = $1 and active and sip_user is not null and ha1_sha256 is not null
         on conflict (agent_id) do update set sip_user = excluded.sip_user,
           ha1_sha256 = excluded.ha1_sha256, contacts = excluded.contacts",
        agent.0,
        contacts
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

impl Store {
    /// The saved contacts of each agent whose SIP user and password (HA1) have not changed since.
    pub async fn load_phone_contacts(&self) -> Result<BTreeMap<AgentId, String>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select p.agent_id as "agent_id!", p.contacts from phone_contact p
                 join agent a on a.id = p.agent_id
                where a.active and a.sip_user = p.sip_user and a.ha1_sha256 = p.ha1_sha256"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(|row| (AgentId(row.agent_id), row.contacts)).collect())
    }
}
