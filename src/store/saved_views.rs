//! Views that people save: filters and columns of a page under a name, their own or shared with a group.

use super::agents::require_found;
use super::blacklist::json_numbers;
use super::{Change, Scope, Store, StoreError, take_ids};
use paceline_core::ids::{AgentId, GroupId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Given by the store.
    pub id: i64,
    pub owner: AgentId,
    /// Whose members see it beside the owner.
    pub group: Option<GroupId>,
    pub name: String,
    pub page: String,
    /// The query of the page's address, without the `?`.
    pub query: String,
    /// Empty = the columns of who looks at it.
    pub columns: Vec<String>,
    pub version: i64,
}

struct Row {
    id: i64,
    agent_id: i64,
    group_id: Option<i64>,
    name: String,
    page: String,
    query: String,
    columns: String,
    version: i64,
}

impl Row {
    fn view(self) -> SavedView {
        SavedView {
            id: self.id,
            owner: AgentId(self.agent_id),
            group: self.group_id.map(GroupId),
            name: self.name,
            page: self.page,
            query: self.query,
            columns: serde_json::from_str(&self.columns).unwrap_or_default(),
            version: self.version,
        }
    }
}

fn columns_text(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { serde_json::json!(columns).to_string() }
}

impl Store {
    /// Views of this account and, by accounts that are in use, those of these groups; by page, then by name.
    pub async fn saved_views(
        &self,
        scope: &Scope,
        owner: AgentId,
        groups: impl Iterator<Item = GroupId> + Send,
    ) -> Result<Vec<SavedView>, StoreError> {
        let (enterprise, groups) = (scope.enterprise, json_numbers(groups.map(|group| group.0)));
        let mut conn = self.read().await?;
        let rows = sqlx::query_as!(
            Row,
            r#"select v.id as "id!", v.agent_id, v.group_id, v.name, v.page, v.query, v.columns, v.version
                 from saved_view v join agent o on o.id = v.agent_id
                where v.enterprise_id = $1
                  and (v.agent_id = $2
                       or o.active and v.group_id in (select cast(value as bigint) from json_each($3)))
                order by v.page, v.name, v.id"#,
            enterprise,
            owner.0,
            groups
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().map(Row::view).collect())
    }
}

impl Change<'_> {
    /// A view of this account, as it stands in this transaction.
    pub async fn saved_view(&mut self, owner: AgentId, id: i64) -> Result<Option<SavedView>, StoreError> {
        let enterprise = self.enterprise();
        let row = sqlx::query_as!(
            Row,
            r#"select id as "id!", agent_id, group_id, name, page, query, columns, version from saved_view
                where id = $1 and agent_id = $2 and enterprise_id = $3"#,
            id,
            owner.0,
            enterprise
        )
        .fetch_optional(self.conn())
        .await
        .map_err(|e| self.error(e))?;
        Ok(row.map(Row::view))
    }

    /// How many views an account has.
    pub async fn count_saved_views(&mut self, owner: AgentId) -> Result<i64, StoreError> {
        let enterprise = self.enterprise();
        sqlx::query_scalar!(
            r#"select count(*) as "n!: i64" from saved_view where agent_id = $1 and enterprise_id = $2"#,
            owner.0,
            enterprise
        )
        .fetch_one(self.conn())
        .await
        .map_err(|e| self.error(e))
    }

    /// Adds a view and returns its id.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the account has one of this name for this page.
    pub async fn add_saved_view(&mut self, view: &SavedView) -> Result<i64, StoreError> {
        let (now, by, enterprise) = (self.now.as_millis(), self.by, self.enterprise());
        let id = take_ids(self.conn(), "saved_view", 1).await.map_err(|e| self.error(e))?;
        let (group, columns) = (view.group.map(|group| group.0), columns_text(&view.columns));
        let added = sqlx::query!(
            "insert into saved_view (id, enterprise_id, agent_id, group_id, name, page, query, columns, changed_at,
                                     changed_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            id,
            enterprise,
            view.owner.0,
            group,
            view.name,
            view.page,
            view.query,
            columns,
            now,
            by
        )
        .execute(self.conn())
        .await;
        added.map_err(|e| self.name_taken(e, &view.name))?;
        Ok(id)
    }

    /// Replaces name, group, query and columns of the view with this id.
    ///
    /// # Errors
    /// As [`Change::add_saved_view`].
    pub async fn change_saved_view(&mut self, view: &SavedView) -> Result<(), StoreError> {
        let (now, by, enterprise) = (self.now.as_millis(), self.by, self.enterprise());
        let (group, columns) = (view.group.map(|group| group.0), columns_text(&view.columns));
        let changed = sqlx::query!(
            "update saved_view set group_id = $3, name = $4, query = $5, columns = $6, version = version + 1,
                    changed_at = $7, changed_by = $8
              where id = $1 and enterprise_id = $2",
            view.id,
            enterprise,
            group,
            view.name,
            view.query,
            columns,
            now,
            by
        )
        .execute(self.conn())
        .await;
        let changed = changed.map_err(|e| self.name_taken(e, &view.name))?.rows_affected();
        require_found(changed, || format!("a view with id {}", view.id))
    }

    pub async fn remove_saved_view(&mut self, id: i64) -> Result<(), StoreError> {
        let enterprise = self.enterprise();
        let removed =
            sqlx::query!("delete from saved_view where id = $1 and enterprise_id = $2", id, enterprise)
                .execute(self.conn())
                .await
                .map_err(|e| self.error(e))?
                .rows_affected();
        require_found(removed, || format!("a view with id {id}"))
    }

    fn name_taken(&self, error: sqlx::Error, name: &str) -> StoreError {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                StoreError::Taken { what: format!("the view's name `{name}`") }
            }
            _ => self.error(error),
        }
    }
}
