//! A store of an earlier schema, with rows in every table that is rebuilt, is migrated and has the same rows.

use super::*;
use sqlx::migrate::Migrator;
use sqlx::{Connection, Row, SqliteConnection};

/// The schema before organisations.
const BEFORE: i64 = 20;

async fn connect(dir: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("{}?mode=rwc", url(dir))).await.unwrap()
}

/// Creates a store with every migration before [`BEFORE`].
async fn earlier_store(dir: &Path) {
    let schema = dir.join("schema");
    std::fs::create_dir(&schema).unwrap();
    for file in std::fs::read_dir("schemas/sql").unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name.split('_').next().unwrap().parse::<i64>().unwrap() < BEFORE {
            std::fs::copy(file.path(), schema.join(name)).unwrap();
        }
    }
    let mut conn = connect(dir).await;
    sqlx::query("pragma journal_mode = wal").execute(&mut conn).await.unwrap();
    Migrator::new(schema.as_path()).await.unwrap().run(&mut conn).await.unwrap();
    for sql in [
        "insert into agent (id, number, name, login, password, role, telephone, recorded, skills, sip_user, ha1_md5,
                            ha1_sha256, active, created_at)
         values (1, '8001', 'Ana', 'ana', 'hash', 'agent', 8613800138000, 1, '[\"x\"]', '8001', 'm', 's', 1, 5),
                (2, '8002', 'Old', 'ana', '', 'lead', null, 0, '[]', null, null, null, 0, 6),
                (3, '8003', 'Boss', 'boss', 'hash', 'admin', null, 0, '[]', null, null, null, 1, 7),
                (7, '8007', 'Eye', 'eye', 'hash', 'analyst', null, 0, '[]', null, null, null, 1, 8)",
        "insert into agent_group (id, name, telephones, seats, active)
         values (1, 'vote', 1, 40, 1), (2, 'vote', 0, null, 0), (3, 'night', 0, null, 1)",
        "insert into membership values (1, 1, 2, 1), (3, 3, 1, 0)",
        "insert into api_token values (4, 'hash', 'analyst', 'CRM', 9, null), (5, 'other', 'admin', 'x', 9, 10)",
        "insert into web_session values ('cookie', 1, 11, 9000000000000)",
        "insert into campaign (id, name, title, mode, timezone, toml, retry, defined_at, line_trouble)
         values (1, 'spring', 'A vote', 'announce', 'Asia/Shanghai', 'name = \"spring\"', '{}', 12, 'why'),
                (9, 'autumn', 'B', 'announce', 'Asia/Shanghai', '', '{}', 13, '')",
        "insert into import (id, campaign_id, file, fingerprint, header, state, rows_read, began_at, done_at)
         values (1, 9, 'list.csv', 'x', '[]', 'done', 2, 0, 0)",
        "insert into lead (id, campaign_id, import_id, list_row, cells) values (1, 9, 1, 2, '[]')",
        "insert into attempt (id, campaign_id, lead_id, number, ordinal, trunk, call_id, dialog, state, placed_at,
                              agent_id, rest_millis)
         values (1, 9, 1, 8613800138000, 1, 'main', 'c', '{}', 'ended', 1, 2, 0)",
        "insert into blacklist (id, campaign_id, digits, is_prefix, source, added_at)
         values (1, 0, 8613800138001, 0, 'by hand', 1), (2, 9, 86138001, 1, 'list', 2)",
        "update counter set next = 6 where name = 'api_token'",
    ] {
        sqlx::query(sql).execute(&mut conn).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    conn.close().await.unwrap();
    std::fs::remove_dir_all(schema).unwrap();
}

/// Tables with their columns.
async fn tables(conn: &mut SqliteConnection) -> Vec<(String, Vec<String>)> {
    let names = "select name from sqlite_master where type = 'table' and name not like '\\_sqlx%' escape '\\'
                    and name not like 'sqlite%' order by name";
    let mut found = Vec::new();
    for row in sqlx::query(names).fetch_all(&mut *conn).await.unwrap() {
        let table: String = row.get(0);
        let columns = sqlx::query("select name from pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut *conn)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        found.push((table, columns));
    }
    found
}

/// Every row of a table as text, ordered.
async fn rows(conn: &mut SqliteConnection, table: &str, columns: &[String]) -> Vec<String> {
    let list: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let sql = format!("select json_array({}) from {table} order by 1", list.join(", "));
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(conn).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_row_of_an_earlier_store_is_the_same_after_the_migration() {
    let dir = tempfile::tempdir().unwrap();
    earlier_store(dir.path()).await;
    let mut conn = connect(dir.path()).await;
    let mut before = Vec::new();
    for (table, columns) in tables(&mut conn).await {
        let rows = rows(&mut conn, &table, &columns).await;
        before.push((table, columns, rows));
    }
    conn.close().await.unwrap();
    let store = Store::open(&url(dir.path()), ManualClock::at(MORNING).as_clock()).await.unwrap();
    store.close().await.unwrap();

    let mut conn = connect(dir.path()).await;
    assert!(before.len() > 20, "{} tables", before.len());
    for (table, columns, kept) in before {
        if table == "caller_id_first_use" {
            // Its rows are numbers of the register now.
            let moved =
                rows(&mut conn, "caller_id", &["number".to_owned(), "first_used_at".to_owned()]).await;
            assert_eq!(moved, kept, "{table}");
            continue;
        }
        let mut now = rows(&mut conn, &table, &columns).await;
        if table == "counter" {
            now.retain(|row| kept.contains(row));
        }
        assert_eq!(now, kept, "{table}");
    }
    let broken = sqlx::query("pragma foreign_key_check").fetch_all(&mut conn).await.unwrap();
    assert!(broken.is_empty(), "{} references are broken", broken.len());
    // References point to the rebuilt tables, and are kept.
    sqlx::query("pragma foreign_keys = on").execute(&mut conn).await.unwrap();
    for orphan in [
        "insert into membership values (99, 1, 1, 1)",
        "insert into import (id, campaign_id, file, fingerprint, header, state, began_at) values (9, 99, '', '', '', 'done', 0)",
    ] {
        assert!(sqlx::query(orphan).execute(&mut conn).await.is_err(), "{orphan}");
    }
    conn.close().await.unwrap();
}

#[tokio::test]
async fn people_of_an_earlier_store_keep_their_rights() {
    let dir = tempfile::tempdir().unwrap();
    earlier_store(dir.path()).await;
    let store = Store::open(&url(dir.path()), ManualClock::at(MORNING).as_clock()).await.unwrap();
    let agents = store.agents().await.unwrap();
    let operators: Vec<&str> = agents.iter().filter(|it| it.operator).map(|it| it.number.as_str()).collect();
    assert_eq!(operators, ["8003"], "today's admins run the installation");
    assert!(agents.iter().all(|it| (it.enterprise, it.organisation, it.version) == (1, 1, 1)));
    let organisations = store.organisations().await.unwrap();
    assert_eq!(organisations.len(), 1);
    assert!(organisations[0].settings.analysts_read_numbers, "analysts read numbers before");
    assert!(store.session_account("cookie").await.unwrap().is_some(), "a screen stays signed in");
    assert_eq!(store.token("hash").await.unwrap().unwrap().scopes, None);
    // Ids of removed rows are not used again, names of removed groups are.
    let id = store.add_token("new", paceline::store::Role::Auditor, "y", None).await.unwrap();
    assert_eq!(id, 6);
    assert_eq!(store.group_named("vote").await.unwrap().0, 1);
}
