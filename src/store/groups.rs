//! Groups of agents. A campaign names its group; a missing group is created with default flags.

use super::agents::{Owner, Stamp, require_found};
use super::scope::FIRST_ENTERPRISE;
use super::{Store, StoreError};
use paceline_core::agent::{Group, WorkMode};
use paceline_core::ids::GroupId;
use paceline_core::time::Duration;
use sqlx::SqliteConnection;

impl Store {
    /// # Errors
    /// [`StoreError::Taken`] if the name is in use. `group.id` is ignored.
    pub async fn add_group(&self, group: &Group) -> Result<GroupId, StoreError> {
        let (owner, stamp) = (Owner::first(), Stamp::of_command(self.now()));
        let added = self.change_accounts(async |conn| insert(conn, owner, group, stamp).await).await;
        added.map_err(|e| taken(&self.path, &e, &group.name))
    }

    /// Updates the group with this id.
    pub async fn change_group(&self, group: &Group) -> Result<(), StoreError> {
        let stamp = Stamp::of_command(self.now());
        let changed = self.change_accounts(async |conn| update(conn, group, stamp).await).await;
        let changed = changed.map_err(|e| taken(&self.path, &e, &group.name))?;
        require_found(changed, || format!("a group with id {}", group.id))
    }

    /// Deactivates a group and deletes its memberships; its members keep their other groups.
    pub async fn remove_group(&self, group: GroupId) -> Result<(), StoreError> {
        let stamp = Stamp::of_command(self.now());
        let removed = self.change_accounts(async |conn| deactivate(conn, group, stamp).await).await;
        require_found(removed.map_err(self.query_error())?, || format!("a group with id {group}"))
    }

    /// Active groups, ordered by name.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        Ok(self.group_rows().await?.into_iter().map(|row| row.group).collect())
    }

    /// Active groups with their owners and versions, ordered by name.
    pub async fn group_rows(&self) -> Result<Vec<GroupRow>, StoreError> {
        let mut conn = self.read().await?;
        read_groups(&mut conn).await.map_err(self.query_error())
    }

    /// The group of this name; created with default flags if it is missing.
    pub async fn group_named(&self, name: &str) -> Result<GroupId, StoreError> {
        let stamp = Stamp::of_command(self.now());
        self.change_accounts(async |conn| {
            let known = sqlx::query_scalar!(
                r#"select id as "id!" from agent_group where name = $1 and active and enterprise_id = $2"#,
                name,
                FIRST_ENTERPRISE
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
            insert(conn, Owner::first(), &usual, stamp).await
        })
        .await
        .map_err(self.query_error())
    }
}

/// A stored group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    pub group: Group,
    pub enterprise: i64,
    pub organisation: i64,
    /// Rises with each change.
    pub version: i64,
}

pub(super) async fn read_groups(conn: &mut SqliteConnection) -> Result<Vec<GroupRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id!", name, telephones as "telephones!: bool",
                  announce_number as "announce_number!: bool", idle_release_millis, work_mode, seats,
                  enterprise_id, organisation_id, version
             from agent_group where active order by name, id"#
    )
    .fetch_all(conn)
    .await?;
    let groups = rows.into_iter().map(|row| GroupRow {
        group: Group {
            id: GroupId(row.id),
            name: row.name,
            telephones: row.telephones,
            announce_number: row.announce_number,
            idle_release: row.idle_release_millis.map(|millis| Duration::from_millis(millis.max(0) as u64)),
            work_mode: row.work_mode.as_deref().and_then(work_mode),
            seats: row.seats.map(|seats| u32::try_from(seats).unwrap_or(u32::MAX)),
        },
        enterprise: row.enterprise_id,
        organisation: row.organisation_id,
        version: row.version,
    });
    Ok(groups.collect())
}

pub(super) fn taken(path: &std::path::Path, error: &sqlx::Error, name: &str) -> StoreError {
    match error {
        sqlx::Error::Database(database) if database.is_unique_violation() => {
            StoreError::Taken { what: format!("the group name `{name}`") }
        }
        error => StoreError::from_query(path, error),
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

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    owner: Owner,
    group: &Group,
    stamp: Stamp,
) -> Result<GroupId, sqlx::Error> {
    let (fields, now) = (Fields::of(group), stamp.at.as_millis());
    let id = sqlx::query_scalar!(
        r#"insert into agent_group (organisation_id, enterprise_id, name, telephones, announce_number,
                                    idle_release_millis, work_mode, seats, changed_at, changed_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id as "id!""#,
        owner.organisation,
        owner.enterprise,
        group.name,
        group.telephones,
        group.announce_number,
        fields.idle_release,
        fields.work_mode,
        fields.seats,
        now,
        stamp.by
    )
    .fetch_one(conn)
    .await?;
    Ok(GroupId(id))
}

/// Updates an active group; answers with the number of rows.
pub(super) async fn update(
    conn: &mut SqliteConnection,
    group: &Group,
    stamp: Stamp,
) -> Result<u64, sqlx::Error> {
    let (fields, now) = (Fields::of(group), stamp.at.as_millis());
    let changed = sqlx::query!(
        "update agent_group set name = $2, telephones = $3, announce_number = $4, idle_release_millis = $5,
                work_mode = $6, seats = $7, version = version + 1, changed_at = $8, changed_by = $9
          where id = $1 and active and (cast($10 as bigint) is null or enterprise_id = $10)",
        group.id.0,
        group.name,
        group.telephones,
        group.announce_number,
        fields.idle_release,
        fields.work_mode,
        fields.seats,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected())
}

/// Deactivates a group and deletes its memberships.
pub(super) async fn deactivate(
    conn: &mut SqliteConnection,
    group: GroupId,
    stamp: Stamp,
) -> Result<u64, sqlx::Error> {
    let now = stamp.at.as_millis();
    let removed = sqlx::query!(
        "update agent_group set active = false, version = version + 1, changed_at = $2, changed_by = $3
          where id = $1 and active and (cast($4 as bigint) is null or enterprise_id = $4)",
        group.0,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(&mut *conn)
    .await?;
    if removed.rows_affected() == 0 {
        return Ok(0);
    }
    sqlx::query!(
        "update agent set version = version + 1, changed_at = $2, changed_by = $3
          where id in (select m.agent_id from membership m where m.group_id = $1)
            and (cast($4 as bigint) is null or enterprise_id = $4)",
        group.0,
        now,
        stamp.by,
        stamp.enterprise
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("delete from membership where group_id = $1", group.0).execute(conn).await?;
    Ok(removed.rows_affected())
}

impl super::Reader {
    /// The active group of this name.
    pub async fn group(&mut self, name: &str) -> Result<Option<GroupId>, StoreError> {
        let id = sqlx::query_scalar!(
            r#"select id as "id!" from agent_group where name = $1 and active order by enterprise_id"#,
            name
        )
        .fetch_optional(&mut self.conn)
        .await
        .map_err(|e| self.query_error(&e))?;
        Ok(id.map(GroupId))
    }
}
