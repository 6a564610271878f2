//! Blacklists that are sent as files: checked first, then the entries of their source, all or none.

use super::lists::{ended, send_file};
use super::*;
use paceline_core::number::PhoneNumber;
use serde_json::json;

const MANAGER: &str = "8003";

async fn working() -> TestApp {
    let app = TestApp::new().await;
    app.staff().await;
    app.tasks.begin().await.unwrap();
    app
}

async fn sent(app: &TestApp, source: &str, bytes: impl Into<Vec<u8>>) -> Value {
    let path = format!("/blacklist/imports?source={source}&file_name=dnc.csv");
    let added = send_file(app, MANAGER, &path, bytes.into()).await.is(201).json();
    ended(app, &added["task"]["id"]).await;
    app.get(MANAGER, &format!("/blacklist/imports/{}", added["id"])).await.is(200).json()
}

async fn load(app: &TestApp, import: &Value, gone: u64) -> Value {
    let path = format!("/blacklist/imports/{}/actions", import["id"]);
    let begun = app.post(MANAGER, &path, json!({ "action": "load", "gone": gone })).await.is(202).json();
    assert_eq!(ended(app, &begun["task"]["id"]).await["state"], "done");
    app.get(MANAGER, &format!("/blacklist/imports/{}", import["id"])).await.is(200).json()
}

async fn blocked(app: &TestApp) -> Vec<String> {
    app.store.blacklisted(None).await.unwrap().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_file_is_checked_first_and_replaces_its_source_only_when_it_is_loaded() {
    let app = working().await;
    let hand = json!({ "number": "13900139000" });
    app.post(MANAGER, "/blacklist", hand).await.is(201);
    let import =
        sent(&app, "dnc", "号码\n13800138000\n1380014*\n王小明\n13712340001555\n13800138000\n").await;
    assert_eq!(import["state"], "checked", "{import}");
    let report = &import["report"];
    assert_eq!((report["numbers"].as_u64(), report["ranges"].as_u64()), (Some(1), Some(1)), "{report}");
    assert_eq!((report["repeated"].as_u64(), report["refused"].as_u64()), (Some(1), Some(2)), "{report}");
    let refused = report["refused_rows"].as_array().unwrap();
    assert_eq!(refused[0]["row"], 4);
    assert!(!refused[0]["hint"]["zh"].as_str().unwrap().is_ascii(), "{refused:?}");
    // Nothing holds before it is loaded.
    assert_eq!(blocked(&app).await, ["+8613900139000"]);
    let mut changes = app.store.blacklist_changes();
    let loaded = load(&app, &import, 0).await;
    assert_eq!(loaded["state"], "loaded");
    assert_eq!(blocked(&app).await, ["+8613800138000", "+8613900139000", "+861380014*"]);
    assert_eq!(changes.recv().await.expect("the engine hears of it").patterns.len(), 2);
    let audit = app.get("8005", "/audit?subject=blacklist:dnc").await.is(200).json();
    assert_eq!(audit["items"][0]["after"]["entries"], 2, "{audit}");

    // The next file of the source drops a number: its count must be named.
    let import = sent(&app, "dnc", "13800138000\n13700137000\n").await;
    assert_eq!((import["gone"].as_u64(), import["report"]["known"].as_u64()), (Some(1), Some(1)));
    let path = format!("/blacklist/imports/{}/actions", import["id"]);
    let refusal = app.post(MANAGER, &path, json!({ "action": "load" })).await.is(409);
    assert_eq!((refusal.code().as_str(), refusal.json()["count"].as_u64()), ("count_needed", Some(1)));
    load(&app, &import, 1).await;
    assert_eq!(blocked(&app).await, ["+8613700137000", "+8613800138000", "+8613900139000"]);
    let sources = app.get(MANAGER, "/blacklist/sources").await.is(200).json();
    assert_eq!(
        sources["items"],
        json!([
            { "source": "by hand", "campaign": null, "entries": 1 }, { "source": "dnc", "campaign": null, "entries": 2 },
        ])
    );
    // A source is emptied with its count, and by nothing else.
    let remove = |count: u64| {
        app.post(MANAGER, "/blacklist/sources/removals", json!({ "source": "dnc", "count": count }))
    };
    assert_eq!(remove(3).await.is(409).code(), "count_needed");
    let begun = remove(2).await.is(202).json();
    ended(&app, &begun["task"]["id"]).await;
    assert_eq!(blocked(&app).await, ["+8613900139000"]);
    app.tasks.stop().await;
}

#[tokio::test]
async fn faulty_files_are_refused_and_a_discarded_one_leaves_nothing() {
    let app = working().await;
    let import = sent(&app, "dnc", "甲,乙\n丙,丁\n").await;
    assert_eq!(import["state"], "unreadable", "{import}");
    assert!(import["error"]["zh"].is_string());
    let path = format!("/blacklist/imports/{}/actions", import["id"]);
    assert_eq!(app.post(MANAGER, &path, json!({ "action": "load" })).await.is(409).code(), "wrong_state");
    app.post(MANAGER, &path, json!({ "action": "discard" })).await.is(202);
    let import = sent(&app, "dnc", "13800138000\n").await;
    let path = format!("/blacklist/imports/{}/actions", import["id"]);
    app.post(MANAGER, &path, json!({ "action": "discard" })).await.is(202);
    let months = std::fs::read_dir(app.files.root().join("1/blacklist")).unwrap();
    assert_eq!(
        months.map(|month| std::fs::read_dir(month.unwrap().path()).unwrap().count()).sum::<usize>(),
        0
    );
    assert!(blocked(&app).await.is_empty());
    app.tasks.stop().await;
}

#[tokio::test]
async fn an_exported_blacklist_is_imported_again_as_it_was() {
    let app = working().await;
    let numbers: Vec<String> = (0..300).map(|n| format!("1380013{n:04}")).collect();
    let others = ["0755-88881234", "010-62551234", "0571*", "1391234*", "4008001234", "+852 2345 6789"];
    for some in [numbers, others.map(str::to_owned).to_vec()] {
        let body =
            json!({ "numbers": some, "reason": "asked by 13900139000 on 2026-01-02", "source": "letters" });
        app.post(MANAGER, "/blacklist", body).await.is(201);
    }
    let before = blocked(&app).await;
    assert_eq!(before.len(), 306);
    for format in ["csv", "xlsx"] {
        let mut request = app
            .request(MANAGER, "post", "/exports", Some(json!({ "what": "blacklist", "format": format })))
            .await;
        request.headers_mut().insert("idempotency-key", format!("round-{format}").parse().unwrap());
        let begun = app.send(request).await.is(202).json();
        assert_eq!(ended(&app, &begun["task"]).await["state"], "done");
        let file = app.get(MANAGER, &format!("/exports/{}/file", begun["export"]["id"])).await.is(200).body;
        let import = sent(&app, "letters", file).await;
        assert_eq!(import["state"], "checked", "{format}: {import}");
        let report = &import["report"];
        assert_eq!(
            (report["known"].as_u64(), report["gone"].as_u64()),
            (Some(306), Some(0)),
            "{format}: {report}"
        );
        assert_eq!(
            (import["entries"].as_u64(), report["refused"].as_u64()),
            (Some(306), Some(0)),
            "{report}"
        );
        load(&app, &import, 0).await;
        assert_eq!(blocked(&app).await, before, "{format}");
    }
    app.tasks.stop().await;
}

/// A load that is cut off has written rows, and none of them holds; begun again it holds as a whole.
#[tokio::test]
async fn rows_of_a_load_that_was_cut_off_do_not_hold() {
    let app = working().await;
    let import = sent(&app, "dnc", "13800138000\n13700137000\n").await;
    app.tasks.stop().await;
    let path = format!("/blacklist/imports/{}/actions", import["id"]);
    let begun = app.post(MANAGER, &path, json!({ "action": "load" })).await.is(202).json();
    let taken = app.store.take_task().await.unwrap().expect("the load");
    let id = paceline::store::blacklist_imports::BlacklistImportId(import["id"].as_i64().unwrap());
    let row = app.store.blacklist_import(1, id).await.unwrap().unwrap();
    let one = PhoneNumber::chinese(b"13800138000").unwrap();
    app.store.insert_import_rows(&row, &[one.into()]).await.unwrap();
    assert!(blocked(&app).await.is_empty());
    assert!(app.get(MANAGER, "/blacklist").await.json()["items"].as_array().unwrap().is_empty());
    assert_eq!(json!(taken.id.0), begun["task"]["id"]);
    let (dir, clock) = (app.dir.clone(), app.clock.clone());
    drop(app);
    let app = TestApp::open(dir, clock).await;
    app.tasks.begin().await.unwrap();
    assert_eq!(ended(&app, &begun["task"]["id"]).await["state"], "done");
    assert_eq!(blocked(&app).await, ["+8613700137000", "+8613800138000"]);
    app.tasks.stop().await;
}

/// Service numbers among others, rows of several numbers, ranges of several prefixes: nothing is dropped in silence.
#[tokio::test]
async fn the_report_reconciles_and_names_every_row_that_is_refused() {
    let app = working().await;
    let rows = [
        "13800138000",
        "110",
        "138001",
        "0755*",
        "13800138000",
        "95588*",
        "13900139000/13900139001",
        "13700137000 110",
        "13600136000-13600136199",
        "王小明",
    ];
    let import = sent(&app, "dnc", format!("号码\n{}\n", rows.join("\n"))).await;
    assert_eq!(import["state"], "checked", "{import}");
    let report = &import["report"];
    let of = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(of("rows"), rows.len() as u64, "{report}");
    assert_eq!(
        of("rows") + of("further"),
        of("numbers") + of("ranges") + of("repeated") + of("refused"),
        "{report}"
    );
    let refused = report["refused_rows"].as_array().unwrap();
    let places: Vec<u64> = refused.iter().map(|it| it["row"].as_u64().unwrap()).collect();
    assert_eq!(places, [3, 4, 7, 9, 11], "{report}");
    assert_eq!(of("refused"), 5);
    for row in refused {
        let (en, zh) = (row["hint"]["en"].as_str().unwrap(), row["hint"]["zh"].as_str().unwrap());
        // The refused text itself may be Chinese: the words follow it.
        let zh = zh.split_once("”:").map_or(zh, |(_, words)| words);
        assert!(!en.is_empty() && zh.contains(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{row}");
    }
    assert!(refused[0]["hint"]["zh"].as_str().unwrap().contains("紧急或服务号码"), "{report}");
    app.tasks.stop().await;
}
