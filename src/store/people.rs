//! Accounts, groups and tokens as people and programs change them: the functions of a [`Change`] that write their
//! rows. The caller has checked right, scope and version.

use super::access::{self, NewToken};
use super::agents::{self, AgentDetails, AgentRow, Owner, Secrets, Stamp, require_found};
use super::change::Change;
use super::groups::{self, GroupRow};
use super::scope::Scope;
use super::{StoreError, TokenRow};
use paceline_core::agent::{Group, Membership};
use paceline_core::ids::{AgentId, GroupId};

impl Change<'_> {
    pub(super) fn stamp(&self) -> Stamp {
        Stamp { at: self.now, by: self.by, enterprise: Some(self.enterprise()) }
    }

    /// An active account as it stands in this transaction.
    pub async fn agent(&mut self, agent: AgentId) -> Result<AgentRow, StoreError> {
        let rows = agents::read_agents(self.conn()).await.map_err(|e| self.error(e))?;
        let found = rows.into_iter().find(|row| row.id == agent && row.active);
        found.ok_or_else(|| StoreError::Unknown { what: format!("an agent with id {agent}") })
    }

    /// An active group as it stands in this transaction.
    pub async fn group(&mut self, group: GroupId) -> Result<GroupRow, StoreError> {
        let rows = groups::read_groups(self.conn()).await.map_err(|e| self.error(e))?;
        let found = rows.into_iter().find(|row| row.group.id == group);
        found.ok_or_else(|| StoreError::Unknown { what: format!("a group with id {group}") })
    }

    /// # Errors
    /// [`StoreError::Taken`] if the number was ever used in the enterprise, or the login or SIP user is in use.
    pub async fn add_agent(
        &mut self,
        scope: &Scope,
        number: &str,
        details: &AgentDetails,
        secrets: &Secrets,
    ) -> Result<AgentId, StoreError> {
        let (owner, stamp) = (Owner::of(scope), self.stamp());
        let added = agents::insert(self.conn(), owner, number, details, secrets, stamp).await;
        let path = self.store.path();
        added.map_err(|e| agents::taken(path, &e, &format!("the number {number}"), &details.login))
    }

    pub async fn change_agent(&mut self, agent: AgentId, details: &AgentDetails) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let changed = agents::update(self.conn(), agent, details, stamp).await;
        let changed =
            changed.map_err(|e| agents::taken(self.store.path(), &e, "the number", &details.login))?;
        require_found(changed, || format!("an agent with id {agent}"))
    }

    /// Replaces the password hash and the SIP hashes.
    pub async fn set_secrets(&mut self, agent: AgentId, secrets: &Secrets) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let changed = agents::update_secrets(self.conn(), agent, secrets, stamp).await;
        require_found(changed.map_err(|e| self.error(e))?, || format!("an agent with id {agent}"))
    }

    /// Whether any account can sign in.
    pub async fn has_account_with_password(&mut self) -> Result<bool, StoreError> {
        let rows = agents::read_agents(self.conn()).await.map_err(|e| self.error(e))?;
        Ok(rows.iter().any(|row| row.active && !row.secrets.password.is_empty()))
    }

    /// Whether any account runs the installation.
    pub async fn has_operator(&mut self) -> Result<bool, StoreError> {
        let rows = agents::read_agents(self.conn()).await.map_err(|e| self.error(e))?;
        Ok(rows.iter().any(|row| row.active && row.operator))
    }

    /// Makes the account an operator of the installation, or takes that away.
    pub async fn set_operator(&mut self, agent: AgentId, operator: bool) -> Result<(), StoreError> {
        let enterprise = self.enterprise();
        let set = sqlx::query!(
            "update agent set operator = $2, version = version + 1
              where id = $1 and active and enterprise_id = $3",
            agent.0,
            operator,
            enterprise
        )
        .execute(self.conn())
        .await;
        require_found(set.map_err(|e| self.error(e))?.rows_affected(), || format!("an agent with id {agent}"))
    }

    /// Replaces the account's preferences, a JSON object.
    pub async fn set_preferences(&mut self, agent: AgentId, preferences: &str) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let now = stamp.at.as_millis();
        let set = sqlx::query!(
            "update agent set preferences = $2, version = version + 1, changed_at = $3, changed_by = $4
              where id = $1 and active and enterprise_id = $5",
            agent.0,
            preferences,
            now,
            stamp.by,
            stamp.enterprise
        )
        .execute(self.conn())
        .await;
        require_found(set.map_err(|e| self.error(e))?.rows_affected(), || format!("an agent with id {agent}"))
    }

    /// Deactivates an account and deletes its memberships and sessions. Number, calls and state log stay.
    pub async fn remove_agent(&mut self, agent: AgentId) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let removed = agents::deactivate(self.conn(), agent, stamp).await;
        require_found(removed.map_err(|e| self.error(e))?, || format!("an agent with id {agent}"))
    }

    /// Replaces the memberships of an agent.
    pub async fn set_memberships(
        &mut self,
        agent: AgentId,
        memberships: &[Membership],
    ) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let set = agents::replace_memberships(self.conn(), agent, memberships, stamp).await;
        set.map_err(|e| self.error(e))
    }

    /// # Errors
    /// [`StoreError::Taken`] if the name is in use in the enterprise. `group.id` is ignored.
    pub async fn add_group(&mut self, scope: &Scope, group: &Group) -> Result<GroupId, StoreError> {
        let (owner, stamp) = (Owner::of(scope), self.stamp());
        let added = groups::insert(self.conn(), owner, group, stamp).await;
        added.map_err(|e| groups::taken(self.store.path(), &e, &group.name))
    }

    /// Updates the group with this id.
    pub async fn change_group(&mut self, group: &Group) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let changed = groups::update(self.conn(), group, stamp).await;
        let changed = changed.map_err(|e| groups::taken(self.store.path(), &e, &group.name))?;
        require_found(changed, || format!("a group with id {}", group.id))
    }

    /// Deactivates a group and deletes its memberships; its members keep their other groups.
    pub async fn remove_group(&mut self, group: GroupId) -> Result<(), StoreError> {
        let stamp = self.stamp();
        let removed = groups::deactivate(self.conn(), group, stamp).await;
        require_found(removed.map_err(|e| self.error(e))?, || format!("a group with id {group}"))
    }

    /// # Errors
    /// [`StoreError::Taken`] if a token with this hash exists.
    pub async fn add_token(&mut self, scope: &Scope, token: &NewToken<'_>) -> Result<i64, StoreError> {
        let (owner, stamp) = (Owner::of(scope), self.stamp());
        let added = access::insert_token(self.conn(), owner, token, stamp).await;
        added.map_err(|e| access::token_taken(self.store.path(), &e))
    }

    /// Revokes a token; requests with it are refused from the commit on.
    pub async fn remove_token(&mut self, token: &TokenRow) -> Result<(), StoreError> {
        let enterprise = self.enterprise();
        let removed =
            sqlx::query!("delete from api_token where id = $1 and enterprise_id = $2", token.id, enterprise)
                .execute(self.conn())
                .await;
        let removed = removed.map_err(|e| self.error(e))?.rows_affected();
        require_found(removed, || format!("a token with id {}", token.id))
    }

    /// Ends the console sessions of an account; with `hash` only that one. Answers with how many ended.
    pub async fn end_sessions(&mut self, account: AgentId, hash: Option<&str>) -> Result<u64, StoreError> {
        let ended = sqlx::query!(
            "delete from web_session where agent_id = $1 and (cast($2 as text) is null or hash = $2)",
            account.0,
            hash
        )
        .execute(self.conn())
        .await;
        Ok(ended.map_err(|e| self.error(e))?.rows_affected())
    }
}

impl Owner {
    /// The owner of what a caller of this scope makes.
    pub(super) fn of(scope: &Scope) -> Owner {
        Owner { enterprise: scope.enterprise, organisation: scope.own() }
    }
}
