//! Opening the store: one process at a time, and a clear error for each refusal.

use super::*;
use std::fs;
use std::process;

async fn refusal(url: &str) -> String {
    match Store::open(url, Hands::at(MORNING).clock()).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_second_process_is_refused_with_the_pid_of_the_first() {
    let desk = Desk::new().await;
    let error = refusal(&url(desk.dir.path())).await;
    assert!(error.contains("in use by another paceline process"), "{error}");
    assert!(error.contains(&process::id().to_string()), "{error}");
    let (dir, hands) = desk.close().await;
    Desk::open(dir, hands, &retry_rules()).await;
}

#[tokio::test]
async fn a_reader_opens_during_and_after_the_writing_process() {
    let desk = Desk::new().await;
    desk.list(&rows(2), &[]).await;
    let url = url(desk.dir.path());
    let mut beside = Store::open_reader(&url).await.unwrap();
    assert_eq!(beside.counts(desk.campaign).await.unwrap().leads["open"], 2);
    drop(beside);
    let campaign = desk.campaign;
    let (_dir, _) = desk.close().await;
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
    let (dir, hands) = Desk::new().await.close().await;
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
    drop(hands);
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
    Store::open(&url, Hands::at(MORNING).clock()).await.unwrap();
    assert!(dir.path().join("春 天%20'#.db").exists());
}

#[tokio::test]
async fn a_campaign_is_identified_by_its_name() {
    let desk = Desk::new().await;
    assert_eq!(define(&desk.store, "spring", &retry_rules()).await, desk.campaign);
    assert_ne!(define(&desk.store, "autumn", &retry_rules()).await, desk.campaign);
}
