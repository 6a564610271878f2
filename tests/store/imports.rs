//! Imports: all or nothing, undone while no attempt was made, recognised when repeated.

use super::*;
use paceline::store::StoreError;

fn new_import(campaign: CampaignId) -> NewImport {
    NewImport { campaign, file: "list.csv".into(), fingerprint: "abc".into(), header: vec!["电话".into()] }
}

#[tokio::test]
async fn an_import_is_invisible_until_it_is_committed() {
    let mut fixture = Fixture::new().await;
    let mut import = fixture.store.begin_import(&new_import(fixture.campaign)).await.unwrap();
    import.push(&rows(10_000), &[refused(20_000, Reason::Duplicate)]).await.unwrap();
    assert_eq!((fixture.fetch(5).await, import.rows()), ((vec![], None, 0), 10_001));
    import.commit(10_001, "{\"rows\":10001}").await.unwrap();
    let (leads, _, open) = fixture.fetch(5).await;
    assert_eq!((leads.len(), open), (5, 10_000));
    let record = fixture.store.imports(fixture.campaign).await.unwrap().remove(0);
    assert_eq!((record.rows_read, record.report.as_str()), (10_001, "{\"rows\":10001}"));
    assert_eq!((record.header, record.done_at), (vec!["电话".to_string()], fixture.clock.now()));
}

#[tokio::test]
async fn an_interrupted_import_leaves_no_rows() {
    let fixture = Fixture::new().await;
    let mut import = fixture.store.begin_import(&new_import(fixture.campaign)).await.unwrap();
    let home = |n: u64| row(n, &[n], Some("3-101"));
    import.push(&[home(2), home(3)], &[refused(9, Reason::Duplicate)]).await.unwrap();
    drop(import);
    let campaign = fixture.campaign;
    let (dir, clock) = fixture.close().await;
    let fixture = Fixture::open(dir, clock, &retry_rules()).await;
    assert_eq!(fixture.store.imports(campaign).await.unwrap(), []);
    let url = format!("sqlite://{}", file(fixture.dir.path()).display());
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    for table in ["lead", "phone", "refused_row", "household", "import"] {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_cancelled_import_leaves_no_rows() {
    let mut fixture = Fixture::new().await;
    let mut import = fixture.store.begin_import(&new_import(fixture.campaign)).await.unwrap();
    import.push(&rows(50), &[]).await.unwrap();
    import.abandon().await.unwrap();
    assert_eq!(fixture.fetch(5).await, (vec![], None, 0));
    assert_eq!(fixture.store.known_numbers(fixture.campaign).await.unwrap(), []);
}

#[tokio::test]
async fn undoing_an_import_removes_its_leads() {
    let mut fixture = Fixture::new().await;
    let kept = fixture.list(&rows(3), &[]).await;
    let mut import = fixture.store.begin_import(&new_import(fixture.campaign)).await.unwrap();
    import.push(&[row(2, &[100], None), row(3, &[101], None)], &[]).await.unwrap();
    let undone = import.commit(2, "{}").await.unwrap();
    assert_eq!(fixture.fetch(0).await.2, 5);
    fixture.store.undo_import(undone).await.unwrap();
    assert_eq!(fixture.fetch(0).await.2, 3);
    let imports = fixture.store.imports(fixture.campaign).await.unwrap();
    assert_eq!(imports.iter().map(|import| import.id).collect::<Vec<_>>(), [kept]);
    assert_eq!(
        fixture.store.known_numbers(fixture.campaign).await.unwrap(),
        [number(0), number(1), number(2)]
    );
    let again = fixture.store.undo_import(undone).await.unwrap_err();
    assert!(matches!(again, StoreError::ImportNotDone { .. }), "{again}");
}

#[tokio::test]
async fn a_dialled_import_cannot_be_undone() {
    let mut fixture = Fixture::new().await;
    let import = fixture.list(&rows(3), &[]).await;
    fixture.call(Outcome::NoAnswer).await;
    fixture.call(Outcome::Answered).await;
    let refused = fixture.store.undo_import(import).await.unwrap_err();
    assert!(matches!(refused, StoreError::ImportInUse { attempts: 2 }), "{refused}");
    assert_eq!(fixture.fetch(0).await.2, 2);
}

#[tokio::test]
async fn a_lead_in_the_hopper_whose_import_was_undone_is_gone() {
    let mut fixture = Fixture::new().await;
    let import = fixture.list(&rows(1), &[]).await;
    let lead = fixture.fetch(1).await.0.remove(0);
    fixture.store.undo_import(import).await.unwrap();
    let request = fixture.request(Some(&lead), lead.phones[0].number);
    assert_eq!(fixture.dial(&request).await, DialVerdict::Gone);
}

#[tokio::test]
async fn a_repeated_list_is_recognised() {
    let fixture = Fixture::new().await;
    let import = fixture.store.begin_import(&new_import(fixture.campaign)).await.unwrap();
    assert_eq!(fixture.store.same_list(fixture.campaign, "abc").await.unwrap(), None);
    let id = import.commit(0, "{}").await.unwrap();
    assert_eq!(fixture.store.same_list(fixture.campaign, "abc").await.unwrap().unwrap().id, id);
    assert_eq!(fixture.store.same_list(fixture.campaign, "abd").await.unwrap(), None);
    fixture.store.undo_import(id).await.unwrap();
    assert_eq!(fixture.store.same_list(fixture.campaign, "abc").await.unwrap(), None);
}

#[tokio::test]
async fn households_are_shared_across_lists() {
    let mut fixture = Fixture::new().await;
    fixture.list(&[row(2, &[1], Some("3-101")), row(3, &[2], None)], &[]).await;
    fixture.list(&[row(2, &[3], Some("3-101")), row(3, &[4], Some("3-102")), row(4, &[5], None)], &[]).await;
    let leads = fixture.fetch(10).await.0;
    let homes: Vec<_> = leads.iter().map(|lead| lead.household).collect();
    assert_eq!(homes[0], homes[2]);
    assert!(homes[0].is_some() && homes[3].is_some() && homes[0] != homes[3]);
    assert_eq!((homes[1], homes[4]), (None, None));
}

#[tokio::test]
async fn text_is_read_back_unchanged() {
    let fixture = Fixture::new().await;
    let nasty =
        ["", "a\"b", "a\\b", "'; drop table lead; --", "\u{1f600}", "a\0b", "\u{202e}x", "\n", "1e10"];
    let leads: Vec<_> = nasty
        .iter()
        .enumerate()
        .map(|(n, text)| LeadRow {
            row: n as u64 + 2,
            household: None,
            name: Some((*text).to_string()),
            phones: vec![(number(n as u64), (*text).to_string())],
            cells: vec![(*text).to_string(), "second".into()],
            ..LeadRow::default()
        })
        .collect();
    let import = fixture.list(&leads, &[]).await;
    let mut reader = fixture.store.reader().await.unwrap();
    let rows = reader.list_rows(import, 0, 100).await.unwrap();
    for (row, text) in rows.iter().zip(nasty) {
        let text = text.replace('\0', "\u{fffd}");
        assert_eq!(row.given.as_deref(), Some(text.as_str()));
        assert_eq!(serde_json::from_str::<Vec<String>>(&row.cells).unwrap(), [text.as_str(), "second"]);
        assert_eq!(row.name.as_deref(), Some(text.as_str()));
    }
}

#[tokio::test]
async fn attempts_open_while_a_list_is_imported() {
    let mut fixture = Fixture::new().await;
    let mut import = fixture.store.begin_import(&new_import(fixture.campaign)).await.unwrap();
    let rows = rows(20_000);
    let pushing = tokio::spawn(async move {
        import.push(&rows, &[]).await.unwrap();
        import
    });
    for n in 0..50 {
        let request = fixture.request(None, number(90_000 + n));
        assert_eq!(fixture.dial(&request).await, DialVerdict::Opened);
    }
    pushing.await.unwrap().commit(20_000, "{}").await.unwrap();
    assert_eq!(fixture.fetch(1).await.2, 20_000);
}
