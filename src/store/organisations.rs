//! Organisations: enterprises, and their parts one level below.

use super::caller_id_approvals;
use super::change::Change;
use super::{Store, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;

/// An enterprise, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationRow {
    pub id: i64,
    /// The enterprise that this is a part of.
    pub parent: Option<i64>,
    /// Unique over all: `login@slug`.
    pub slug: String,
    pub name: String,
    pub settings: OrganisationSettings,
    pub suspended: bool,
    /// Rises with each change.
    pub version: i64,
}

impl OrganisationRow {
    /// The top of the tree above it, or itself.
    pub fn enterprise(&self) -> i64 {
        self.parent.unwrap_or(self.id)
    }
}

/// What an organisation sets for itself. A field that is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganisationSettings {
    /// Whether analysts and auditors read whole telephone numbers.
    pub analysts_read_numbers: bool,
    /// Whether agents add leads.
    pub agents_add_leads: bool,
    /// A list is loaded once another person has approved it.
    pub approve_lists: bool,
    /// A sound is used once another person has approved it.
    pub approve_audio: bool,
    /// A caller ID is shown once another person has approved it.
    pub approve_caller_ids: bool,
    /// A caller ID that is flagged stays in use: it is shown as suspected, and people decide.
    pub flagged_numbers_stay: bool,
    /// Days and ranges on which no campaign calls, as `2027-02-05..2027-02-12`.
    pub holidays: Vec<String>,
    /// Why an agent pauses, in the order in which screens show it.
    pub pause_reasons: Vec<PauseReason>,
}

/// A reason for a pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseReason {
    pub code: String,
    pub label: Label,
    /// After this many seconds screens mark the pause; `None` = never.
    pub max_secs: Option<u32>,
}

/// A text in both languages of the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub zh: String,
    pub en: String,
}

impl Store {
    /// Every organisation, by id.
    pub async fn organisations(&self) -> Result<Vec<OrganisationRow>, StoreError> {
        let mut conn = self.read().await?;
        read_organisations(&mut conn).await.map_err(self.query_error())
    }
}

impl Change<'_> {
    /// An organisation as it stands in this transaction.
    pub async fn organisation(&mut self, id: i64) -> Result<OrganisationRow, StoreError> {
        let rows = read_organisations(self.conn()).await.map_err(|e| self.error(e))?;
        let found = rows.into_iter().find(|row| row.id == id);
        found.ok_or_else(|| StoreError::Unknown { what: format!("an organisation with id {id}") })
    }

    /// Adds an enterprise, or with `parent` a part of one.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the slug is in use.
    pub async fn add_organisation(
        &mut self,
        parent: Option<i64>,
        slug: &str,
        name: &str,
    ) -> Result<i64, StoreError> {
        let (now, by) = (self.now.as_millis(), self.by);
        let added = sqlx::query_scalar!(
            r#"insert into organisation (parent_id, slug, name, made_at, changed_at, changed_by)
               values ($1, $2, $3, $4, $4, $5) returning id as "id!""#,
            parent,
            slug,
            name,
            now,
            by
        )
        .fetch_one(self.conn())
        .await;
        added.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                StoreError::Taken { what: format!("the organisation's word `{slug}`") }
            }
            _ => self.error(error),
        })
    }

    /// Replaces name, settings and state of the organisation with this id. Caller IDs that are in use when it begins to
    /// ask for their approval count as approved.
    pub async fn change_organisation(&mut self, row: &OrganisationRow) -> Result<(), StoreError> {
        let (now, by) = (self.now.as_millis(), self.by);
        let before = self.organisation(row.id).await?;
        if row.settings.approve_caller_ids && !before.settings.approve_caller_ids {
            let kept = caller_id_approvals::keep_those_in_use(self.conn(), row.id, by, now).await;
            kept.map_err(|error| self.error(error))?;
        }
        let settings = serde_json::to_string(&row.settings).unwrap_or_else(|_| "{}".into());
        let state = if row.suspended { "suspended" } else { "active" };
        let changed = sqlx::query!(
            "update organisation set name = $2, settings = $3, state = $4, version = version + 1, changed_at = $5,
                    changed_by = $6
              where id = $1",
            row.id,
            row.name,
            settings,
            state,
            now,
            by
        )
        .execute(self.conn())
        .await;
        let changed = changed.map_err(|e| self.error(e))?.rows_affected();
        super::agents::require_found(changed, || format!("an organisation with id {}", row.id))
    }
}

async fn read_organisations(conn: &mut SqliteConnection) -> Result<Vec<OrganisationRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id!", parent_id, slug, name, settings, state, version from organisation order by id"#
    )
    .fetch_all(conn)
    .await?;
    let all = rows.into_iter().map(|row| OrganisationRow {
        id: row.id,
        parent: row.parent_id,
        slug: row.slug,
        name: row.name,
        settings: serde_json::from_str(&row.settings).unwrap_or_default(),
        suspended: row.state == "suspended",
        version: row.version,
    });
    Ok(all.collect())
}
