//! Trunks as rows: their settings, sealed passwords and versions, and what their calls of a day ended with.

use super::{Change, Reader, Store, StoreError};
use paceline_core::ids::TrunkId;
use paceline_core::time::Utc;
use std::collections::BTreeMap;

/// Where a trunk's settings stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkSource {
    /// `paceline.toml`.
    File,
    Row,
    /// The simulated carrier.
    BuiltIn,
}

impl TrunkSource {
    pub const WORDS: [&'static str; 3] = ["file", "row", "built_in"];

    pub const fn word(self) -> &'static str {
        match self {
            TrunkSource::File => "file",
            TrunkSource::Row => "row",
            TrunkSource::BuiltIn => "built_in",
        }
    }

    fn from_word(word: &str) -> Option<TrunkSource> {
        [TrunkSource::File, TrunkSource::Row, TrunkSource::BuiltIn].into_iter().find(|it| it.word() == word)
    }
}

/// A trunk.
#[derive(Clone, Debug, PartialEq)]
pub struct TrunkRow {
    pub id: TrunkId,
    pub name: String,
    /// JSON, without a password; `{}` for one of the file.
    pub settings: String,
    pub password_sealed: String,
    pub source: TrunkSource,
    pub is_enabled: bool,
    pub version: i64,
}

struct Columns {
    id: i64,
    name: String,
    settings: String,
    password_sealed: String,
    source: String,
    is_enabled: bool,
    version: i64,
}

impl Columns {
    /// `None` = a row that no writer makes.
    fn row(self) -> Option<TrunkRow> {
        Some(TrunkRow {
            id: TrunkId(u16::try_from(self.id).ok()?),
            name: self.name,
            settings: self.settings,
            password_sealed: self.password_sealed,
            source: TrunkSource::from_word(&self.source)?,
            is_enabled: self.is_enabled,
            version: self.version,
        })
    }
}

/// Ends of a trunk's calls by SIP code; answered calls count as 200.
pub type CodesByTrunk = BTreeMap<String, BTreeMap<u16, u64>>;

impl Reader {
    /// Every trunk, by id.
    pub async fn trunk_rows(&mut self) -> Result<Vec<TrunkRow>, StoreError> {
        let rows = sqlx::query_as!(
            Columns,
            r#"select id as "id!", name, settings, password_sealed, source, is_enabled as "is_enabled: bool", version
                 from trunk order by id"#
        )
        .fetch_all(&mut self.conn)
        .await
        .map_err(|error| self.query_error(&error))?;
        Ok(rows.into_iter().filter_map(Columns::row).collect())
    }
}

impl Store {
    /// Every trunk, by id.
    pub async fn trunk_rows(&self) -> Result<Vec<TrunkRow>, StoreError> {
        let mut conn = self.read().await?;
        let rows = sqlx::query_as!(
            Columns,
            r#"select id as "id!", name, settings, password_sealed, source, is_enabled as "is_enabled: bool", version
                 from trunk order by id"#
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        Ok(rows.into_iter().filter_map(Columns::row).collect())
    }

    /// Names and SIP codes of the calls that were placed since then and have ended.
    pub async fn codes_by_trunk(&self, since: Utc) -> Result<CodesByTrunk, StoreError> {
        let mut conn = self.read().await?;
        let since = since.as_millis();
        let rows = sqlx::query!(
            r#"select trunk, case when answered_at is not null then 200 else sip_code end as "code: i64",
                      count(*) as "calls!: i64"
                 from attempt where placed_at >= $1 and ended_at is not null group by 1, 2"#,
            since
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(self.query_error())?;
        let mut found = CodesByTrunk::new();
        for row in rows {
            if let Some(code) = row.code.and_then(|code| u16::try_from(code).ok()) {
                found.entry(row.trunk).or_default().insert(code, row.calls as u64);
            }
        }
        Ok(found)
    }

    /// Writes the trunks of the file and the built-in one with their ids; rows of the file that it has no more go.
    pub async fn keep_trunks_of_file(
        &self,
        kept: &BTreeMap<String, (TrunkId, TrunkSource)>,
    ) -> Result<(), StoreError> {
        let before = self.trunk_rows().await?;
        let is_gone = |row: &&TrunkRow| row.source == TrunkSource::File && !kept.contains_key(&row.name);
        let gone: Vec<i64> = before.iter().filter(is_gone).map(|row| i64::from(row.id.0)).collect();
        let new: Vec<_> = kept
            .iter()
            .filter(|(name, (_, source))| {
                !before.iter().any(|row| row.name == **name && row.source == *source)
            })
            .collect();
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        let now = self.now().as_millis();
        let mut conn = self.write.lock().await;
        for id in gone {
            sqlx::query!("delete from trunk where id = $1", id)
                .execute(&mut *conn)
                .await
                .map_err(self.query_error())?;
        }
        for (name, (id, source)) in new {
            let (id, source) = (i64::from(id.0), source.word());
            // A trunk of the file takes the place of a row of its name.
            sqlx::query!(
                "insert into trunk (id, name, source, changed_at) values ($1, $2, $3, $4)
                 on conflict (name) do update set source = excluded.source, settings = '{}', password_sealed = '',
                     is_enabled = true, version = trunk.version + 1, changed_at = excluded.changed_at",
                id,
                name,
                source,
                now
            )
            .execute(&mut *conn)
            .await
            .map_err(self.query_error())?;
        }
        Ok(())
    }
}

impl Change<'_> {
    pub async fn trunk(&mut self, name: &str) -> Result<Option<TrunkRow>, StoreError> {
        let error = self.store.query_error();
        let row = sqlx::query_as!(
            Columns,
            r#"select id as "id!", name, settings, password_sealed, source, is_enabled as "is_enabled: bool", version
                 from trunk where name = $1"#,
            name
        )
        .fetch_optional(&mut *self.conn())
        .await
        .map_err(error)?;
        Ok(row.and_then(Columns::row))
    }

    /// The id that the next trunk gets; `None` = there are as many as there can be.
    pub async fn next_trunk_id(&mut self) -> Result<Option<TrunkId>, StoreError> {
        let error = self.store.query_error();
        let last = sqlx::query_scalar!(r#"select max(id) as "id: i64" from trunk"#)
            .fetch_one(&mut *self.conn())
            .await
            .map_err(error)?;
        Ok(u16::try_from(last.unwrap_or(0)).ok().and_then(|last| last.checked_add(1)).map(TrunkId))
    }

    /// `settings` = JSON without the password.
    pub async fn add_trunk(
        &mut self,
        id: TrunkId,
        name: &str,
        settings: &str,
        password_sealed: &str,
    ) -> Result<(), StoreError> {
        let (id, now, by) = (i64::from(id.0), self.now.as_millis(), self.by);
        let error = self.store.query_error();
        sqlx::query!(
            "insert into trunk (id, name, settings, password_sealed, source, changed_at, changed_by)
             values ($1, $2, $3, $4, 'row', $5, $6)",
            id,
            name,
            settings,
            password_sealed,
            now,
            by
        )
        .execute(&mut *self.conn())
        .await
        .map_err(error)?;
        Ok(())
    }

    pub async fn change_trunk(
        &mut self,
        id: TrunkId,
        settings: &str,
        password_sealed: &str,
    ) -> Result<(), StoreError> {
        let (id, now, by) = (i64::from(id.0), self.now.as_millis(), self.by);
        let error = self.store.query_error();
        sqlx::query!(
            "update trunk set settings = $2, password_sealed = $3, version = version + 1, changed_at = $4,
                 changed_by = $5 where id = $1",
            id,
            settings,
            password_sealed,
            now,
            by
        )
        .execute(&mut *self.conn())
        .await
        .map_err(error)?;
        Ok(())
    }

    pub async fn enable_trunk(&mut self, id: TrunkId, is_enabled: bool) -> Result<(), StoreError> {
        let (id, now, by) = (i64::from(id.0), self.now.as_millis(), self.by);
        let error = self.store.query_error();
        sqlx::query!(
            "update trunk set is_enabled = $2, version = version + 1, changed_at = $3, changed_by = $4 where id = $1",
            id,
            is_enabled,
            now,
            by
        )
        .execute(&mut *self.conn())
        .await
        .map_err(error)?;
        Ok(())
    }

    pub async fn delete_trunk(&mut self, id: TrunkId) -> Result<(), StoreError> {
        let id = i64::from(id.0);
        let error = self.store.query_error();
        sqlx::query!("delete from trunk where id = $1", id)
            .execute(&mut *self.conn())
            .await
            .map_err(error)?;
        Ok(())
    }
}
