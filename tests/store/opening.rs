//! Opening the store: one process at a time, and a clear error for each refusal.

use super::*;
use std::fs;
use std::process;

async fn refusal(url: &str) -> String {
    match Store::open(url, ManualClock::at(MORNING).as_clock()).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_second_process_is_refused_with_the_pid_of_the_first() {
    let fixture = Fixture::new().await;
    let error = refusal(&url(fixture.dir.path())).await;
    assert!(error.contains("in use by another paceline process"), "{error}");
    assert!(error.contains(&process::id().to_string()), "{error}");
    let (dir, clock) = fixture.close().await;
    Fixture::open(dir, clock, &retry_rules()).await;
}

#[tokio::test]
async fn a_reader_opens_during_and_after_the_writing_process() {
    let fixture = Fixture::new().await;
    fixture.list(&rows(2), &[]).await;
    let url = url(fixture.dir.path());
    let mut beside = Store::open_reader(&url).await.unwrap();
    assert_eq!(beside.counts(fixture.campaign).await.unwrap().leads["open"], 2);
    drop(beside);
    let campaign = fixture.campaign;
    let (_dir, _) = fixture.close().await;
    let mut after = Store::open_reader(&url).await.unwrap();
    assert_eq!(after.counts(campaign).await.unwrap().leads["open"], 2);
    assert_eq!(after.campaign("spring").await.unwrap().id, campaign);
    let unknown = after.campaign("winter").await.unwrap_err().to_string();
    assert!(unknown.contains("`winter`"), "{unknown}");
}

#[tokio::test]
async fn a_reader_creates_no_store() {
    let dir = tempfile::tempdir().unwrap();
    let error = Store::open_reader(&url(dir.path())).await.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("there is no store"), "{error}");
    assert!(!file(dir.path()).exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(file(dir.path()), "name,phone\nAna,138\n".repeat(100)).unwrap();
    let error = refusal(&url(dir.path())).await;
    assert!(error.contains("is not a database"), "{error}");
    assert!(fs::read_to_string(file(dir.path())).unwrap().starts_with("name,phone"));
}

#[tokio::test]
async fn a_store_with_a_newer_schema_is_refused() {
    let (dir, clock) = Fixture::new().await.close().await;
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url(dir.path())).await.unwrap();
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'later', true, x'00', 0)",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    drop(conn);
    let error = refusal(&url(dir.path())).await;
    assert!(error.contains("newer paceline (schema 9999"), "{error}");
    let error = Store::open_reader(&url(dir.path())).await.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("newer paceline"), "{error}");
    drop(clock);
}

#[tokio::test]
async fn a_folder_at_the_stores_path_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(file(dir.path())).unwrap();
    let error = refusal(&url(dir.path())).await;
    assert!(error.contains("cannot be opened"), "{error}");
}

#[tokio::test]
async fn a_url_of_another_database_is_refused_without_its_password() {
    let error = refusal("postgres://paceline:hunter2@db.example/paceline").await;
    assert!(error.contains("sqlite://FILE") && !error.contains("hunter2"), "{error}");
    for url in ["", "sqlite::memory:", "paceline.db"] {
        let error = refusal(url).await;
        assert!(error.contains("sqlite://FILE"), "{error}");
    }
}

#[tokio::test]
async fn a_file_name_may_hold_any_character() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("春 天%20'#.db").display());
    Store::open(&url, ManualClock::at(MORNING).as_clock()).await.unwrap();
    assert!(dir.path().join("春 天%20'#.db").exists());
}

#[tokio::test]
async fn a_campaign_is_identified_by_its_name() {
    let fixture = Fixture::new().await;
    assert_eq!(define(&fixture.store, "spring", &retry_rules()).await, fixture.campaign);
    assert_ne!(define(&fixture.store, "autumn", &retry_rules()).await, fixture.campaign);
}
