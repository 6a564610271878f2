//! Accounts of agents, leads, managers and analysts. An account is never deleted, so that old calls keep
//! their agent's name; a removed account is inactive and cannot sign in.

use super::scope::FIRST_ENTERPRISE;
use super::{Store, StoreError};
use paceline_core::agent::{Agent, Membership};
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Role of an account; decides its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes calls.
    Agent,
    /// Shift lead: also listens, whispers, barges in and forces states.
    Lead,
    /// Runs campaigns and administers accounts.
    Manager,
    /// Read-only access to results.
    Analyst,
    /// Read-only access to people, calls and the audit.
    Auditor,
    Admin,
}

impl Role {
    pub const ALL: [Role; 6] =
        [Role::Agent, Role::Lead, Role::Manager, Role::Analyst, Role::Auditor, Role::Admin];

    pub const fn word(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Lead => "lead",
            Role::Manager => "manager",
            Role::Analyst => "analyst",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
        }
    }

    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether the role may supervise calls.
    pub const fn can_supervise(self) -> bool {
        matches!(self, Role::Lead | Role::Manager | Role::Admin)
    }
}

/// The editable fields of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentDetails {
    pub name: String,
    /// Unique among active accounts.
    pub login: String,
    pub role: Role,
    pub telephone: Option<PhoneNumber>,
    pub recorded: bool,
    pub skills: BTreeSet<String>,
    /// User name of the agent's SIP phone; unique among active accounts.
    pub sip_user: Option<String>,
}

/// Password hash and SIP digest hashes (HA1), computed by the caller.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Argon2id hash; empty = sign-in by password is disabled.
    pub password: String,
    /// HA1 of the SIP account, hex.
    pub ha1_md5: Option<String>,
    pub ha1_sha256: Option<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// A stored account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    pub id: AgentId,
    /// Never changes and is never reused.
    pub number: String,
    pub details: AgentDetails,
    pub secrets: Secrets,
    /// Memberships, ordered by group.
    pub groups: Vec<Membership>,
    /// False = removed.
    pub active: bool,
    pub created_at: Utc,
    pub enterprise: i64,
    pub organisation: i64,
    /// Runs the installation: enterprises, trunks, configuration.
    pub operator: bool,
    /// A JSON object of the account's own making: language, theme, keys.
    pub preferences: String,
    /// Rises with each change.
    pub version: i64,
    /// The sample campaign whose simulated agent this is; `None` = a person's account.
    pub simulated_for: Option<CampaignId>,
}

impl AgentRow {
    /// The account as the core's [`Agent`].
    pub fn agent(&self) -> Agent {
        Agent {
            id: self.id,
            number: self.number.clone(),
            name: self.details.name.clone(),
            skills: self.details.skills.clone(),
            groups: self.groups.clone(),
            telephone: self.details.telephone,
            recorded: self.details.recorded,
            leads: self.details.role.can_supervise(),
        }
    }
}

impl Store {
    /// Creates an account with this agent number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the number was ever used, or the login or SIP user is in use.
    pub async fn add_agent(
        &self,
        number: &str,
        details: &AgentDetails,
        secrets: &Secrets,
    ) -> Result<AgentId, StoreError> {
        let stamp = Stamp::of_command(self.now());
        let added = self
            .change_accounts(async |conn| insert(conn, Owner::first(), number, details, secrets, stamp).await)
            .await;
        added.map_err(|e| taken(&self.path, &e, &format!("the number {number}"), &details.login))
    }

    /// Updates the details of an account. The agent number stays.
    pub async fn change_agent(&self, agent: AgentId, details: &AgentDetails) -> Result<(), StoreError> {
        let stamp = Stamp::of_command(self.now());
        let changed = self.change_accounts(async |conn| update(conn, agent, details, stamp).await).await;
        let changed = changed.map_err(|e| taken(&self.path, &e, "the number", &details.login))?;
        require_found(changed, || format!("an agent with id {agent}"))
    }

    /// Replaces the password hash and the SIP hashes.
    pub async fn set_secrets(&self, agent: AgentId, secrets: &Secrets) -> Result<(), StoreError> {
        let stamp = Stamp::of_command(self.now());
        let changed =
            self.change_accounts(async |conn| update_secrets(conn, agent, secrets, stamp).await).await;
        require_found(changed.map_err(self.query_error())?, || format!("an agent with id {agent}"))
    }

    /// Deactivates an account and deletes its memberships and sessions. Number, calls and state log stay.
    pub async fn remove_agent(&self, agent: AgentId) -> Result<(), StoreError> {
        let stamp = Stamp::of_command(self.now());
        let removed = self.change_accounts(async |conn| deactivate(conn, agent, stamp).await).await;
        require_found(removed.map_err(self.query_error())?, || format!("an agent with id {agent}"))
    }

    /// Active accounts, ordered by number.
    pub async fn agents(&self) -> Result<Vec<AgentRow>, StoreError> {
        Ok(self.accounts().await?.iter().filter(|agent| agent.active).cloned().collect())
    }

    /// All accounts, removed ones included, read once after each change: requests and live streams share them, also
    /// while an import keeps the disk busy.
    pub(crate) async fn accounts(&self) -> Result<Arc<Vec<AgentRow>>, StoreError> {
        let mut known = self.accounts.lock().await;
        let changes = self.accounts_changed.load(Ordering::Acquire);
        if let Some((_, accounts)) = known.as_ref().filter(|(at, _)| *at == changes) {
            return Ok(accounts.clone());
        }
        let mut conn = self.read().await?;
        let accounts = Arc::new(read_agents(&mut conn).await.map_err(self.query_error())?);
        *known = Some((changes, accounts.clone()));
        Ok(accounts)
    }

    /// All accounts, removed ones included.
    pub async fn all_agents(&self) -> Result<Vec<AgentRow>, StoreError> {
        Ok(self.accounts().await?.as_ref().clone())
    }

    pub async fn agent_by_login(&self, login: &str) -> Result<Option<AgentRow>, StoreError> {
        Ok(self.agents().await?.into_iter().find(|agent| agent.details.login == login))
    }

    /// Replaces the memberships of an agent.
    pub async fn set_memberships(&self, agent: AgentId, groups: &[Membership]) -> Result<(), StoreError> {
        let stamp = Stamp::of_command(self.now());
        self.change_accounts(async |conn| replace_memberships(conn, agent, groups, stamp).await)
            .await
            .map_err(self.query_error())
    }

    /// Picks an agent number that was never used: the pattern's leading digits, its `?` filled up to `digits`
    /// in all (`8?` and 3 give `800` to `899`). `chance` is a random number drawn by the caller; none of
    /// `taken` is picked.
    /// `None` = no such number is free, or the pattern is invalid.
    pub async fn free_agent_number(
        &self,
        pattern: &str,
        digits: usize,
        chance: u64,
        taken: &BTreeSet<String>,
    ) -> Result<Option<String>, StoreError> {
        let used: BTreeSet<String> = self.all_agents().await?.into_iter().map(|agent| agent.number).collect();
        let free: Vec<String> = numbers_matching(pattern, digits)
            .into_iter()
            .filter(|number| !used.contains(number) && !taken.contains(number))
            .collect();
        Ok(free.get((chance % free.len().max(1) as u64) as usize).cloned())
    }
}

/// Whose a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub enterprise: i64,
    pub organisation: i64,
}

impl Owner {
    /// The first enterprise, which owns what commands and files make.
    pub const fn first() -> Owner {
        Owner { enterprise: FIRST_ENTERPRISE, organisation: FIRST_ENTERPRISE }
    }
}

/// When a row is changed, by which account, and in which enterprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub at: Utc,
    pub by: Option<i64>,
    /// Only rows of this one are changed; `None` = of any: commands on this machine.
    pub enterprise: Option<i64>,
}

impl Stamp {
    /// Of a command, which is no account.
    pub const fn of_command(at: Utc) -> Stamp {
        Stamp { at, by: None, enterprise: None }
    }
}

/// Names the unique column that an insert or update of an account violated.
pub(super) fn taken(path: &std::path::Path, error: &sqlx::Error, number: &str, login: &str) -> StoreError {
    let sqlx::Error::Database(database) = error else {
        return StoreError::from_query(path, error);
    };
    if !database.is_unique_violation() {
        return StoreError::from_query(path, error);
    }
    let what = match database.message() {
        text if text.contains("agent.login") => format!("the login `{login}`"),
        text if text.contains("agent.sip_user") => "the SIP user".to_string(),
        _ => number.to_string(),
    };
    StoreError::Taken { what }
}

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    owner: Owner,
    number: &str,
    details: &AgentDetails,
    secrets: &Secrets,
    stamp: Stamp,
) -> Result<AgentId, sqlx::Error> {
    let (fields, now) = (Fields::of(details), stamp.at.as_millis());
    let id = sqlx::query_scalar!(
        r#"insert into agent (organisation_id, enterprise_id, number, name, login, password, role, telephone,
                              recorded, skills, sip_user, ha1_md5, ha1_sha256, created_at, changed_at, changed_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)
           returning id as "id!""#,
        owner.organisation,
        owner.enterprise,
        number,
        details.name,
        details.login,
        secrets.password,
        fields.role,
        fields.telephone,
        details.recorded,
        fields.skills,
        details.sip_user,
        secrets.ha1_md5,
        secrets.ha1_sha256,
        now,
        stamp.by
    )
    .fetch_one(conn)
    .await?;
    Ok(AgentId(id))
}

/// Updates the details of an active account; answers with the number of rows.
pub(super) async fn update(
    conn: &mut SqliteConnection,
    agent: AgentId,
    details: &AgentDetails,
    stamp: Stamp,
) -> Result<u64, sqlx::Error> {
    let (fields, now) = (Fields::of(details), stamp.at.as_millis());
    let changed = sqlx::query!(
        "update agent set name = $2, login = $3, role = $4, telephone = $5, recorded = $6, skills = $7,
                sip_user = $8, version = version + 1, changed_at = $9, changed_by = $10
          where id = $1 and active and (cast($11 as bigint) is null or enterprise_id = $11)",
        agent.0,
        details.name,
        details.login,
        fields.role,
        fields.telephone,
        details.recorded,
        fields.skills,
        details.sip_user,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected())
}

pub(super) async fn update_secrets(
    conn: &mut SqliteConnection,
    agent: AgentId,
    secrets: &Secrets,
    stamp: Stamp,
) -> Result<u64, sqlx::Error> {
    let now = stamp.at.as_millis();
    let changed = sqlx::query!(
        "update agent set password = $2, ha1_md5 = $3, ha1_sha256 = $4, version = version + 1,
                changed_at = $5, changed_by = $6
          where id = $1 and active and (cast($7 as bigint) is null or enterprise_id = $7)",
        agent.0,
        secrets.password,
        secrets.ha1_md5,
        secrets.ha1_sha256,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected())
}

/// Deactivates an account and deletes its memberships and sessions.
pub(super) async fn deactivate(
    conn: &mut SqliteConnection,
    agent: AgentId,
    stamp: Stamp,
) -> Result<u64, sqlx::Error> {
    let now = stamp.at.as_millis();
    let removed = sqlx::query!(
        "update agent set active = false, version = version + 1, changed_at = $2, changed_by = $3
          where id = $1 and active and (cast($4 as bigint) is null or enterprise_id = $4)",
        agent.0,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(&mut *conn)
    .await?;
    if removed.rows_affected() == 0 {
        return Ok(0);
    }
    sqlx::query!("delete from membership where agent_id = $1", agent.0).execute(&mut *conn).await?;
    sqlx::query!("delete from web_session where agent_id = $1", agent.0).execute(&mut *conn).await?;
    Ok(removed.rows_affected())
}

pub(super) async fn replace_memberships(
    conn: &mut SqliteConnection,
    agent: AgentId,
    groups: &[Membership],
    stamp: Stamp,
) -> Result<(), sqlx::Error> {
    let now = stamp.at.as_millis();
    let changed = sqlx::query!(
        "update agent set version = version + 1, changed_at = $2, changed_by = $3
          where id = $1 and (cast($4 as bigint) is null or enterprise_id = $4)",
        agent.0,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(&mut *conn)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query!("delete from membership where agent_id = $1", agent.0).execute(&mut *conn).await?;
    for membership in groups {
        let priority = i64::from(membership.priority);
        sqlx::query!(
            "insert into membership (agent_id, group_id, priority, in_use) values ($1, $2, $3, $4)",
            agent.0,
            membership.group.0,
            priority,
            membership.in_use
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Column values of an account's details.
struct Fields {
    role: &'static str,
    telephone: Option<i64>,
    skills: String,
}

impl Fields {
    fn of(details: &AgentDetails) -> Fields {
        Fields {
            role: details.role.word(),
            telephone: details.telephone.map(|number| number.as_u64() as i64),
            skills: serde_json::to_string(&details.skills).unwrap_or_else(|_| "[]".into()),
        }
    }
}

pub(super) fn require_found(rows: u64, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Unknown { what: what() }) } else { Ok(()) }
}

/// Every number that matches the pattern, ascending.
fn numbers_matching(pattern: &str, digits: usize) -> Vec<String> {
    let prefix = pattern.trim_end_matches('?');
    let open = digits.saturating_sub(prefix.len());
    let fits = prefix.bytes().all(|b| b.is_ascii_digit()) && prefix.len() < pattern.len() && open <= 6;
    if !fits || open == 0 {
        return Vec::new();
    }
    (0..10_u32.pow(open as u32)).map(|n| format!("{prefix}{n:0open$}")).collect()
}

pub(super) async fn read_agents(conn: &mut SqliteConnection) -> Result<Vec<AgentRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id!", number, name, login, password, role, telephone, recorded as "recorded!: bool",
                  skills, sip_user, ha1_md5, ha1_sha256, active as "active!: bool", created_at, enterprise_id,
                  organisation_id, operator as "operator!: bool", preferences, version, simulated_for
             from agent order by number, id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let members = sqlx::query!(
        r#"select agent_id, group_id, priority, in_use as "in_use!: bool" from membership
            order by agent_id, group_id"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut groups: BTreeMap<i64, Vec<Membership>> = BTreeMap::new();
    for row in members {
        groups.entry(row.agent_id).or_default().push(Membership {
            group: GroupId(row.group_id),
            priority: u8::try_from(row.priority).unwrap_or(u8::MAX),
            in_use: row.in_use,
        });
    }
    let agents = rows.into_iter().map(|row| AgentRow {
        id: AgentId(row.id),
        number: row.number,
        details: AgentDetails {
            name: row.name,
            login: row.login,
            role: Role::from_word(&row.role).unwrap_or(Role::Agent),
            telephone: row.telephone.and_then(|number| PhoneNumber::from_e164(number as u64)),
            recorded: row.recorded,
            skills: serde_json::from_str(&row.skills).unwrap_or_default(),
            sip_user: row.sip_user,
        },
        secrets: Secrets { password: row.password, ha1_md5: row.ha1_md5, ha1_sha256: row.ha1_sha256 },
        groups: groups.remove(&row.id).unwrap_or_default(),
        active: row.active,
        created_at: Utc::from_millis(row.created_at),
        enterprise: row.enterprise_id,
        organisation: row.organisation_id,
        operator: row.operator,
        preferences: row.preferences,
        version: row.version,
        simulated_for: row.simulated_for.map(CampaignId),
    });
    Ok(agents.collect())
}

impl super::Reader {
    /// All accounts, removed ones included, ordered by number.
    pub async fn all_agents(&mut self) -> Result<Vec<AgentRow>, StoreError> {
        let rows = read_agents(&mut self.conn).await;
        rows.map_err(|e| self.query_error(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_all_numbers_with_its_prefix() {
        let numbers = numbers_matching("8?", 3);
        assert_eq!((numbers.len(), numbers[0].as_str(), numbers[99].as_str()), (100, "800", "899"));
        assert_eq!(numbers_matching("80?", 3).len(), 10);
        assert_eq!(numbers_matching("8???", 4).len(), 1000);
        for none in ["8", "", "x?", "?8", "800?"] {
            assert!(numbers_matching(none, 3).is_empty(), "{none}");
        }
    }
}
