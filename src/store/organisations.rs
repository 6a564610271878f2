//! Organisations: enterprises, and their parts one level below.

use super::scope::Scope;
use super::{Store, StoreError};
use serde::{Deserialize, Serialize};

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
    /// Why an agent pauses, in the order in which screens show it.
    pub pause_reasons: Vec<PauseReason>,
    /// Days without calls, `YYYY-MM-DD`, ascending.
    pub holidays: Vec<String>,
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
        let rows = sqlx::query!(
            r#"select id as "id!", parent_id, slug, name, settings, state, version from organisation order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
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

    /// What a caller of this organisation sees: the organisation and its parts.
    pub async fn scope_of(&self, organisation: i64) -> Result<Scope, StoreError> {
        let all = self.organisations().await?;
        let own = all.iter().find(|row| row.id == organisation);
        let enterprise = own.map_or(organisation, OrganisationRow::enterprise);
        let parts = all.iter().filter(|row| row.parent == Some(organisation)).map(|row| row.id);
        Ok(Scope { enterprise, organisations: std::iter::once(organisation).chain(parts).collect() })
    }
}
