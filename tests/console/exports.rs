//! Exports over the API: what is written is what the store has at one moment, the manifest finds every change, and only its
//! maker sees it. The tasks run on their own threads, as in the service.

use super::lists::ended;
use super::records::{Scenario, scenario};
use super::*;
use paceline::results::manifest::Manifest;
use paceline::results::signing::{PublicKey, SigningKey};
use paceline::results::verify::verify_files;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

const MANAGER: &str = "8003";
const ADMIN: &str = "8005";

/// Calls that the property is asked of.
const CALLS: i64 = 3_000;
const OUTCOMES: [&str; 4] = ["answered", "no_answer", "busy", "abandoned"];
const TRUNKS: [&str; 2] = ["main", "spare"];

async fn ask(app: &TestApp, by: &str, body: Value) -> Answer {
    ask_at(app, by, "/exports", body).await
}

async fn ask_at(app: &TestApp, by: &str, path: &str, body: Value) -> Answer {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut request = app.request(by, "post", path, Some(body)).await;
    let key = format!("export-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    app.send(request).await
}

/// Asks for an export and waits for its end; the export as it is then.
async fn made(app: &TestApp, by: &str, body: Value) -> Value {
    // Each second has its share of requests.
    app.clock.advance(1_000);
    let begun = ask(app, by, body).await.is(202).json();
    let id = paceline::store::task_rows::TaskId(begun["task"].as_i64().unwrap());
    let mut changes = app.tasks.changes();
    let waiting = async {
        while app.store.task_of_any(id).await.unwrap().unwrap().state.is_open() {
            let _ = changes.recv().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("the task ends");
    app.get(by, &format!("/exports/{}", begun["export"]["id"])).await.is(200).json()
}

async fn bytes_of(app: &TestApp, by: &str, export: &Value, part: &str) -> Vec<u8> {
    app.get(by, &format!("/exports/{}/{part}", export["id"])).await.is(200).body
}

fn table(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// Writes an export and its manifest into a folder, as a person saves them.
async fn saved(app: &TestApp, by: &str, export: &Value) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(export["file_name"].as_str().unwrap());
    std::fs::write(&file, bytes_of(app, by, export, "file").await).unwrap();
    let manifest = bytes_of(app, by, export, "manifest").await;
    (dir, file, manifest)
}

/// Rows of the audit about an export.
async fn noted(app: &TestApp, export: &Value) -> usize {
    let audit = app.get(ADMIN, &format!("/audit?subject=export:{}", export["id"])).await.is(200).json();
    audit["items"].as_array().unwrap().len()
}

async fn working() -> TestApp {
    let Scenario { app, .. } = scenario().await;
    app.tasks.begin().await.unwrap();
    app
}

#[tokio::test]
async fn an_export_has_the_rows_of_its_moment_and_is_in_the_audit_when_it_is_taken() {
    let app = working().await;
    let wanted = json!({ "what": "calls", "format": "csv", "filters": { "campaign": "spring" } });
    let foreseen = json!({ "what": "attempts", "format": "csv" });
    let foreseen = ask_at(&app, MANAGER, "/exports?dry_run=true", foreseen).await.is(200).json();
    assert_eq!((foreseen["rows"].as_u64(), foreseen["masked"].as_bool()), (Some(1), Some(false)));
    assert_eq!(foreseen["columns"][0], "campaign");
    let export = made(&app, MANAGER, wanted).await;
    assert_eq!((export["state"].as_str(), export["rows"].as_u64()), (Some("done"), Some(1)), "{export}");
    assert_eq!((export["is_own"].as_bool(), export["made_by"].as_str()), (Some(true), Some(MANAGER)));
    let (dir, zip, manifest) = saved(&app, MANAGER, &export).await;
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&zip).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["attempts.csv", "calls_in.csv"]);
    let mut text = Vec::new();
    archive.by_name("attempts.csv").unwrap().read_to_end(&mut text).unwrap();
    let rows = table(&text);
    assert_eq!((rows[0]["campaign"].as_str(), rows[0]["disposition"].as_str()), ("spring", "voted"));
    // An outsider checks it with the key alone.
    let key = app.get(MANAGER, "/exports/key").await.is(200).json();
    let key = PublicKey::from_hex(key["public_key"].as_str().unwrap()).unwrap();
    let checked = Manifest::checked(&manifest, Some(key)).unwrap();
    assert_eq!(checked.counts[0].rows, BTreeMap::from([("answered".to_owned(), 1)]));
    assert_eq!(checked.rules.iter().map(|it| it.campaign.as_str()).collect::<Vec<_>>(), ["spring"]);
    assert_eq!(verify_files(&checked, std::slice::from_ref(&zip)).unwrap().rows, 1);
    // The files themselves, in any order.
    for name in &names {
        let mut out = std::fs::File::create(dir.path().join(name)).unwrap();
        std::io::copy(&mut archive.by_name(name).unwrap(), &mut out).unwrap();
    }
    let files = ["calls_in.csv", "attempts.csv"].map(|name| dir.path().join(name));
    verify_files(&checked, &files).unwrap();
    // Swapped, and one left out.
    let swapped = dir.path().join("swapped");
    std::fs::create_dir(&swapped).unwrap();
    std::fs::copy(&files[0], swapped.join("attempts.csv")).unwrap();
    std::fs::copy(&files[1], swapped.join("calls_in.csv")).unwrap();
    let fault = verify_files(&checked, &[swapped.join("attempts.csv"), swapped.join("calls_in.csv")]);
    assert!(fault.unwrap_err().to_string().contains("swapped"));
    assert!(verify_files(&checked, &files[..1]).unwrap_err().to_string().contains("missing"));
    // Asked for, and its file taken once; then each request that is sent some of its bytes.
    assert_eq!(noted(&app, &export).await, 2);
    for (n, (range, status)) in [
        ("bytes=0-9", 206),
        ("bytes=1-", 206),
        ("bytes=00-", 206),
        ("bytes=-1000000", 206),
        ("bytes=0-1,5-6", 200),
        ("bytes=1000000-", 416),
    ]
    .into_iter()
    .enumerate()
    {
        app.clock.advance(1_000);
        let path = format!("/exports/{}/file", export["id"]);
        let mut request = app.request(MANAGER, "get", &path, None).await;
        request.headers_mut().insert("range", range.parse().unwrap());
        app.send(request).await.is(status);
        assert_eq!(noted(&app, &export).await, 2 + (n + 1).min(5), "{range}");
    }
    app.tasks.stop().await;
}

#[tokio::test]
async fn every_changed_byte_and_every_row_that_is_gone_is_found() {
    let app = working().await;
    let filters = json!({ "campaign": "spring" });
    let export = made(&app, MANAGER, json!({ "what": "leads", "format": "csv", "filters": filters })).await;
    let (dir, file, manifest) = saved(&app, MANAGER, &export).await;
    let checked = Manifest::checked(&manifest, None).unwrap();
    let whole = std::fs::read(&file).unwrap();
    verify_files(&checked, std::slice::from_ref(&file)).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&file, &changed).unwrap();
        assert!(verify_files(&checked, std::slice::from_ref(&file)).is_err(), "byte {at}");
    }
    for at in 0..manifest.len() {
        let mut changed = manifest.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(Manifest::checked(&changed, None).is_err(), "byte {at} of the manifest");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len() as u64, checked.rows + 1);
    for at in 1..lines.len() {
        let fewer: Vec<u8> =
            lines.iter().enumerate().filter(|(n, _)| *n != at).flat_map(|(_, it)| it.to_vec()).collect();
        std::fs::write(&file, fewer).unwrap();
        let fault = verify_files(&checked, std::slice::from_ref(&file)).unwrap_err().to_string();
        assert_eq!(
            fault,
            format!("{}: 1 of {} rows are missing", export["file_name"].as_str().unwrap(), checked.rows)
        );
    }
    // Another system's key, with a signature that is right.
    let other = SigningKey::open(&dir.path().join("other.signing")).unwrap();
    let forged = Manifest {
        public_key: other.public().to_hex(),
        fingerprint: other.public().fingerprint(),
        ..checked
    };
    let forged = forged.signed(&other).unwrap();
    Manifest::checked(forged.as_bytes(), None).unwrap();
    let key = app.get(MANAGER, "/exports/key").await.json();
    let key = PublicKey::from_hex(key["public_key"].as_str().unwrap());
    assert!(Manifest::checked(forged.as_bytes(), key).unwrap_err().to_string().contains("another key"));
    // The same under our fingerprint, which people compare by eye.
    let ours = key.unwrap().fingerprint();
    let forged = Manifest { fingerprint: ours, ..Manifest::checked(forged.as_bytes(), None).unwrap() };
    let forged = forged.signed(&other).unwrap();
    assert!(Manifest::checked(forged.as_bytes(), None).unwrap_err().to_string().contains("fingerprint"));
    app.tasks.stop().await;
}

/// One call of the model.
struct Made {
    id: i64,
    outcome: &'static str,
    trunk: &'static str,
    placed_at: i64,
    talk: Option<i64>,
    disposition: Option<&'static str>,
}

/// Writes calls straight into the store, and returns them.
async fn many_calls(app: &TestApp) -> Vec<Made> {
    let url = crate::store::url(app.dir.path());
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let mut seed = 11_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut made = Vec::new();
    sqlx::query("begin immediate").execute(&mut conn).await.unwrap();
    for n in 0..CALLS {
        let placed_at = 1_770_000_000_000 + next(10_000_000) as i64;
        let outcome = OUTCOMES[next(4) as usize];
        let talk = (outcome == "answered").then(|| next(120_000) as i64);
        let disposition = talk.filter(|_| next(2) == 0).map(|_| "voted");
        let call =
            Made { id: 10_000 + n, outcome, trunk: TRUNKS[next(2) as usize], placed_at, talk, disposition };
        sqlx::query(
            "insert into attempt (id, campaign_id, number, ordinal, trunk, call_id, dialog, state, placed_at,
                                  answered_at, ended_at, outcome, disposition, rest_millis)
             values ($1, 1, 8613800138000 + $1, 1, $2, 'x' || $1, '{}', 'ended', $3, $4, $5, $6, $7, 0)",
        )
        .bind(call.id)
        .bind(call.trunk)
        .bind(call.placed_at)
        .bind(call.talk.map(|_| call.placed_at + 5_000))
        .bind(call.placed_at + 5_000 + call.talk.unwrap_or(0))
        .bind(call.outcome)
        .bind(call.disposition)
        .execute(&mut conn)
        .await
        .unwrap();
        made.push(call);
    }
    sqlx::query("commit").execute(&mut conn).await.unwrap();
    made
}

#[tokio::test]
async fn under_any_filter_the_rows_are_those_of_the_model_and_one_moment_gives_the_same_bytes() {
    let app = working().await;
    let calls = many_calls(&app).await;
    let moment = |millis: i64| jiff::Timestamp::from_millisecond(millis).unwrap().to_string();
    let mut seed = 5_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for round in 0..12 {
        let (outcome, trunk) = (OUTCOMES[next(4) as usize], TRUNKS[next(2) as usize]);
        let (from, talk) = (1_770_000_000_000 + next(9_000_000) as i64, next(100) as i64);
        let until = from + next(5_000_000) as i64 + 1;
        let [by_outcome, by_trunk, by_span, by_talk, by_code] = std::array::from_fn(|_| next(2) == 0);
        let mut filters = serde_json::Map::new();
        let mut set = |is_set: bool, name: &str, value: Value| {
            if is_set {
                filters.insert(name.to_owned(), value);
            }
        };
        set(by_outcome, "outcome", json!(outcome));
        set(by_trunk, "trunk", json!(trunk));
        set(by_span, "from", json!(moment(from)));
        set(by_span, "until", json!(moment(until)));
        set(by_talk, "talk_min", json!(talk));
        set(by_code, "disposition", json!("voted"));
        // The scenario's own call is none of the model's.
        set(true, "campaign", json!("spring"));
        let wanted: Vec<i64> = calls
            .iter()
            .filter(|it| !by_outcome || it.outcome == outcome)
            .filter(|it| !by_trunk || it.trunk == trunk)
            .filter(|it| !by_span || (from..until).contains(&it.placed_at))
            .filter(|it| !by_talk || it.talk.is_some_and(|millis| millis >= talk * 1_000))
            .filter(|it| !by_code || it.disposition.is_some())
            .map(|it| it.id)
            .collect();
        let body = |format: &str| json!({ "what": "attempts", "format": format, "filters": filters });
        let export = made(&app, MANAGER, body("csv")).await;
        let bytes = bytes_of(&app, MANAGER, &export, "file").await;
        let found: Vec<i64> = table(&bytes).iter().map(|row| row["attempt_id"].parse().unwrap()).collect();
        let found: Vec<i64> = found.into_iter().filter(|id| *id >= 10_000).collect();
        assert_eq!(found, wanted, "round {round}: {filters:?}");
        for format in if round % 4 == 0 { &["csv", "parquet"][..] } else { &["csv"] } {
            let (one, two) =
                (made(&app, MANAGER, body(format)).await, made(&app, MANAGER, body(format)).await);
            let (one, two) =
                (bytes_of(&app, MANAGER, &one, "file").await, bytes_of(&app, MANAGER, &two, "file").await);
            assert!(one == two, "{format} of one moment");
            assert!(*format != "csv" || one == bytes);
        }
    }
    app.tasks.stop().await;
}

#[tokio::test]
async fn columns_are_chosen_and_numbers_are_masked_for_who_may_not_read_them() {
    let app = working().await;
    app.hire("8007", Role::Analyst, &[]).await;
    let wanted = json!({ "what": "attempts", "format": "csv", "columns": ["phone", "outcome"] });
    let export = made(&app, "8007", wanted.clone()).await;
    assert_eq!(export["masked"], true);
    let rows = table(&bytes_of(&app, "8007", &export, "file").await);
    assert_eq!(rows[0].keys().collect::<Vec<_>>(), ["outcome", "phone"]);
    assert!(rows[0]["phone"].contains("****"), "{rows:?}");
    let leads = json!({ "what": "leads", "format": "csv", "filters": { "campaign": "spring" } });
    let masked = bytes_of(&app, "8007", &made(&app, "8007", leads.clone()).await, "file").await;
    let whole = bytes_of(&app, MANAGER, &made(&app, MANAGER, leads).await, "file").await;
    let number = crate::store::number(1).national();
    assert!(String::from_utf8_lossy(&whole).contains(&number));
    assert!(!String::from_utf8_lossy(&masked).contains(&number));
    // Another person's export is as if it were not there, but for an admin.
    let path = format!("/exports/{}", export["id"]);
    for part in ["", "/file", "/manifest"] {
        app.get(MANAGER, &format!("{path}{part}")).await.is(404);
        app.get(ADMIN, &format!("{path}{part}")).await.is(200);
    }
    assert!(
        app.get(MANAGER, "/exports").await.json()["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["is_own"] == true)
    );
    for (body, status) in [
        (json!({ "what": "audit", "format": "csv" }), 403),
        (json!({ "what": "list_report", "format": "csv", "filters": { "list": 1 } }), 403),
        (json!({ "what": "attempts", "format": "zip" }), 422),
        (json!({ "what": "attempts", "format": "csv", "columns": ["password"] }), 422),
        (json!({ "what": "attempts", "format": "csv", "filters": { "scope": "system" } }), 422),
        (json!({ "what": "attempts", "format": "csv", "filters": { "campaign": "autumn" } }), 404),
        (json!({ "what": "leads", "format": "csv" }), 422),
        (json!({ "what": "agents", "format": "csv" }), 422),
    ] {
        assert_eq!(ask(&app, "8007", body.clone()).await.status.as_u16(), status, "{body}");
    }
    app.tasks.stop().await;
}

#[tokio::test]
async fn each_kind_of_rows_is_written_in_each_of_its_formats() {
    let app = working().await;
    let span = json!({ "from": "2026-01-01T00:00:00Z", "until": "2026-12-31T00:00:00Z" });
    for (what, filters, rows, formats) in [
        ("agents", span, None, &["csv", "xlsx", "parquet"][..]),
        ("audit", json!({}), None, &["csv", "xlsx", "parquet"]),
        ("blacklist", json!({}), Some(0), &["csv", "xlsx", "parquet"]),
        ("calls", json!({ "direction": "out" }), Some(1), &["xlsx", "parquet"]),
        ("leads", json!({ "campaign": "spring", "state": "done" }), Some(1), &["xlsx", "parquet"]),
        ("recordings", json!({}), Some(1), &["zip"]),
    ] {
        for format in formats {
            let export =
                made(&app, ADMIN, json!({ "what": what, "format": format, "filters": filters })).await;
            assert_eq!(export["state"], "done", "{what} {format}: {export}");
            if let Some(rows) = rows {
                assert_eq!(export["rows"].as_u64(), Some(rows), "{what} {format}");
            }
            let (_dir, file, manifest) = saved(&app, ADMIN, &export).await;
            let checked = Manifest::checked(&manifest, None).unwrap();
            verify_files(&checked, std::slice::from_ref(&file)).unwrap();
            if what == "recordings" {
                assert_eq!(checked.files.len(), 2, "{:?}", checked.files);
            }
        }
    }
    app.tasks.stop().await;
}

/// A row that is found or not says whether a digit was guessed.
#[tokio::test]
async fn digits_that_are_masked_are_not_guessed_by_a_filter() {
    let app = working().await;
    app.hire("8007", Role::Analyst, &[]).await;
    for (field, text, status) in [
        ("name", "0013", 422),
        ("name", "8", 422),
        ("name", "王\u{ff18}", 422),
        ("name", "13800138000", 422),
        ("name", "王", 200),
        ("building", "13800138000", 422),
        ("building", "138 0013 8000", 422),
        ("building", "3-2", 200),
    ] {
        app.clock.advance(1_000);
        let filters = json!({ "campaign": "spring", field: text });
        let body = json!({ "what": "leads", "format": "csv", "filters": filters });
        let answer = ask_at(&app, "8007", "/exports?dry_run=true", body.clone()).await.is(status).json();
        if status == 422 {
            assert_eq!(answer["errors"][0]["at"], format!("/filters/{field}"), "{answer}");
            ask(&app, "8007", body.clone()).await.is(422);
        }
        // Who may read the numbers guesses nothing.
        ask_at(&app, MANAGER, "/exports?dry_run=true", body).await.is(200);
    }
    app.tasks.stop().await;
}

/// Files of exports in the object store, and such that are being written.
fn objects(app: &TestApp) -> usize {
    let count = |path: PathBuf| std::fs::read_dir(path).map_or(0, Iterator::count);
    let months = std::fs::read_dir(app.files.root().join("1/export")).into_iter().flatten();
    months.map(|month| count(month.unwrap().path())).sum::<usize>() + count(app.files.root().join("tmp"))
}

#[tokio::test]
async fn an_export_that_is_cancelled_removed_or_past_its_time_leaves_nothing() {
    let app = working().await;
    app.tasks.stop().await;
    let wanted = json!({ "what": "attempts", "format": "csv" });
    // No thread works now: both wait.
    let cancelled = ask(&app, MANAGER, wanted.clone()).await.is(202).json();
    app.post(MANAGER, &format!("/tasks/{}/actions", cancelled["task"]), json!({ "action": "cancel" }))
        .await
        .is(202);
    let removed = ask(&app, MANAGER, wanted.clone()).await.is(202).json();
    let path = format!("/exports/{}", cancelled["export"]["id"]);
    assert_eq!(app.get(MANAGER, &path).await.is(200).json()["state"], "cancelled");
    app.get(MANAGER, &format!("{path}/file")).await.is(404);
    app.by(MANAGER, "delete", &format!("/exports/{}", removed["export"]["id"]), None).await.is(204);
    // A process that ended in the middle: its task is queued again and finishes whole, or leaves nothing.
    let cut = ask(&app, MANAGER, wanted.clone()).await.is(202).json();
    let taken = app.store.take_task().await.unwrap().expect("the one that is left");
    assert_eq!(json!(taken.id.0), cut["task"]);
    std::fs::write(app.files.root().join("tmp/half"), "half").unwrap();
    let dir = app.dir.clone();
    let clock = app.clock.clone();
    drop(app);
    let app = TestApp::open(dir, clock).await;
    app.tasks.begin().await.unwrap();
    assert_eq!(ended(&app, &cut["task"]).await["state"], "done");
    let export = app.get(MANAGER, &format!("/exports/{}", cut["export"]["id"])).await.is(200).json();
    assert_eq!((export["state"].as_str(), objects(&app)), (Some("done"), 1));
    // Two of the same moment share their bytes.
    let twin = made(&app, MANAGER, wanted).await;
    app.by(MANAGER, "delete", &format!("/exports/{}", twin["id"]), None).await.is(204);
    bytes_of(&app, MANAGER, &export, "file").await;
    app.clock.advance(15 * 24 * 3_600_000);
    app.get(MANAGER, &format!("/exports/{}", export["id"])).await.is(404);
    let (gone, paths) = app.store.remove_expired_exports(10).await.unwrap();
    paths.iter().for_each(|path| app.files.delete(path).unwrap());
    assert_eq!((gone, paths.len(), objects(&app)), (2, 1, 0));
    app.tasks.stop().await;
}
