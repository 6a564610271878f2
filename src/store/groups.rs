//! Groups of agents. A campaign names its group; a missing group is created with default flags.

use super::agents::require_found;
use super::{Store, StoreError};
use paceline_core::agent::{Group, WorkMode};
use paceline_core::ids::GroupId;
use paceline_core::time::Duration;
use sqlx::SqliteConnection;

impl Store {
    /// # Errors
    /// [`StoreError::Taken`] if the name is in use. `group.id` is ignored.
    pub async fn add_group(&self, group: &Group) -> Result<GroupId, StoreError> {
        let added = self.change_accounts(async |conn| insert(conn, group).await).await;
        added.map(GroupId).map_err(|e| self.group_taken(&e, &group.name))
    }

    /// Updates the group with this id.
    pub async fn change_group(&self, group: &Group) -> Result<(), StoreError> {
        let fields = Fields::of(group);
        let changed = self
            .change_accounts(async |conn| {
                let changed = sqlx::query!(
                    "update agent_group set name = $2, telephones = $3, announce_number = $4,
                            idle_release_millis = $5, work_mode = $6, seats = $7
                      where id = $1 and active",
                    group.id.0,
                    group.name,
                    group.telephones,
                    group.announce_number,
                    fields.idle_release,
                    fields.work_mode,
                    fields.seats
                )
                .execute(conn)
                .await?;
                Ok(changed.rows_affected())
            })
            .await
            .map_err(|e| self.group_taken(&e, &group.name))?;
        require_found(changed, || format!("a group with id {}", group.id))
    }

    /// Deactivates a group and deletes its memberships; its members keep their other groups.
    pub async fn remove_group(&self, group: GroupId) -> Result<(), StoreError> {
        let removed = self
            .change_accounts(async |conn| {
                sqlx::query!("delete from membership where group_id = $1", group.0)
                    .execute(&mut *conn)
                    .await?;
                let removed =
                    sqlx::query!("update agent_group set active = false where id = $1 and active", group.0)
                        .execute(&mut *conn)
                        .await?;
                Ok(removed.rows_affected())
            })
            .await
            .map_err(self.query_error())?;
        require_found(removed, || format!("a group with id {group}"))
    }

    /// Active groups, ordered by name.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query!(
            r#"select id as "id!", name, telephones as "telephones!: bool",
                      announce_number as "announce_number!: bool", idle_release_millis, work_mode, seats
                 from agent_group where active order by name"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let groups = rows.into_iter().map(|row| Group {
            id: GroupId(row.id),
            name: row.name,
            telephones: row.telephones,
            announce_number: row.announce_number,
            idle_release: row.idle_release_millis.map(|millis| Duration::from_millis(millis.max(0) as u64)),
            work_mode: row.work_mode.as_deref().and_then(work_mode),
            seats: row.seats.map(|seats| u32::try_from(seats).unwrap_or(u32::MAX)),
        });
        Ok(groups.collect())
    }

    /// The group of this name; created with default flags if it is missing.
    pub async fn group_named(&self, name: &str) -> Result<GroupId, StoreError> {
        self.change_accounts(async |conn| {
            let known = sqlx::query_scalar!(
                r#"select id as "id!" from agent_group where name = $1 and active"#,
                name
            )
            .fetch_optional(&mut *conn)
            .await?;
            if let Some(id) = known {
                return Ok(GroupId(id));
            }
            let usual = Group {
                id: GroupId(0),
                name: name.to_string(),
                telephones: false,
                announce_number: true,
                idle_release: None,
                work_mode: None,
                seats: None,
            };
            Ok(GroupId(insert(conn, &usual).await?))
        })
        .await
        .map_err(self.query_error())
    }

    fn group_taken(&self, error: &sqlx::Error, name: &str) -> StoreError {
        match error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                StoreError::Taken { what: format!("the group name `{name}`") }
            }
            error => StoreError::from_query(&self.path, error),
        }
    }
}

/// Column values of a group's flags.
struct Fields {
    idle_release: Option<i64>,
    work_mode: Option<&'static str>,
    seats: Option<i64>,
}

impl Fields {
    fn of(group: &Group) -> Fields {
        Fields {
            idle_release: group.idle_release.map(|span| span.as_millis() as i64),
            work_mode: group.work_mode.map(word),
            seats: group.seats.map(i64::from),
        }
    }
}

const fn word(mode: WorkMode) -> &'static str {
    match mode {
        WorkMode::Inbound => "inbound",
        WorkMode::Outbound => "outbound",
        WorkMode::Both => "both",
    }
}

fn work_mode(text: &str) -> Option<WorkMode> {
    [WorkMode::Inbound, WorkMode::Outbound, WorkMode::Both].into_iter().find(|mode| word(*mode) == text)
}

async fn insert(conn: &mut SqliteConnection, group: &Group) -> Result<i64, sqlx::Error> {
    let fields = Fields::of(group);
    let added = sqlx::query!(
        "insert into agent_group (name, telephones, announce_number, idle_release_millis, work_mode, seats)
         values ($1, $2, $3, $4, $5, $6)",
        group.name,
        group.telephones,
        group.announce_number,
        fields.idle_release,
        fields.work_mode,
        fields.seats
    )
    .execute(conn)
    .await?;
    Ok(added.last_insert_rowid())
}

impl super::Reader {
    /// The active group of this name.
    pub async fn group(&mut self, name: &str) -> Result<Option<GroupId>, StoreError> {
        let id =
            sqlx::query_scalar!(r#"select id as "id!" from agent_group where name = $1 and active"#, name)
                .fetch_optional(&mut self.conn)
                .await
                .map_err(|e| self.query_error(&e))?;
        Ok(id.map(GroupId))
    }
}
