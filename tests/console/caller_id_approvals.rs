//! A second person's word on caller IDs, and the paper that shows who holds each.

use super::lists::{send_file, working};
use super::*;
use serde_json::json;

const MANAGER: &str = "8003";
const ADMIN: &str = "8005";
const NUMBER: &str = "075588886666";
const PDF: &[u8] = b"%PDF-1.7\nthe contract";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";

async fn switch(app: &TestApp, is_on: bool) -> Answer {
    let change = json!({ "settings": { "approve_caller_ids": is_on } });
    let mut request = app.request(ADMIN, "patch", "/organisations/main", Some(change)).await;
    request.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
    app.send(request).await
}

async fn add(app: &TestApp, number: &str) -> Value {
    let body = json!({ "number": number, "holder": "翠园物业" });
    app.post(MANAGER, "/caller-ids", body).await.is(201).json()
}

async fn act_as(app: &TestApp, who: &str, number: &str, action: &str) -> Answer {
    app.post(who, &format!("/caller-ids/{number}/actions"), json!({ "action": action })).await
}

async fn act(app: &TestApp, number: &str, action: &str) -> Answer {
    act_as(app, MANAGER, number, action).await
}

async fn show(app: &TestApp, number: &str) -> Value {
    app.get(MANAGER, &format!("/caller-ids/{number}")).await.is(200).json()
}

/// What waits for this account's word.
async fn waiting(app: &TestApp, who: &str) -> Vec<Value> {
    app.get(who, "/approvals").await.is(200).json()["items"].as_array().unwrap().clone()
}

async fn decide(app: &TestApp, who: &str, id: &Value, body: Value) -> Answer {
    app.post(who, &format!("/approvals/{id}/actions"), body).await
}

/// The last message to the dialer about the numbers.
async fn told(app: &TestApp) -> String {
    app.settled().await;
    let engine = app.engine.lock().unwrap();
    engine.others.iter().rfind(|it| it.starts_with("RegisterCallerIds")).cloned().unwrap_or_default()
}

async fn proof(app: &TestApp, number: &str, bytes: &[u8]) -> Answer {
    send_file(app, MANAGER, &format!("/caller-ids/{number}/proof"), bytes.to_vec()).await
}

#[tokio::test]
async fn a_number_is_shown_once_another_person_has_approved_it() {
    let app = working().await;
    switch(&app, true).await.is(200);
    let added = add(&app, "0755-8888 6666").await;
    assert_eq!(added["approval"], "missing", "{added}");
    for action in ["mark_whitelisted", "resume"] {
        let refused = act(&app, NUMBER, action).await.is(409).json();
        assert_eq!(refused["code"], "not_approved", "{action}");
        assert!(refused["who"]["zh"].as_str().unwrap().contains("另一位"), "{refused}");
    }
    let asked = act(&app, NUMBER, "request").await.is(200).json();
    assert_eq!(
        (&asked["state"], &asked["approval"], &asked["actions"]),
        (&json!("requested"), &json!("waiting"), &json!(["retire"]))
    );
    // Not the one who entered it and asked.
    assert_eq!(waiting(&app, MANAGER).await, Vec::<Value>::new());
    let open = waiting(&app, ADMIN).await;
    assert_eq!((&open[0]["kind"], &open[0]["title"]), (&json!("caller_id"), &json!(NUMBER)));
    assert_eq!(open[0]["href"], format!("/caller-ids?caller-id={NUMBER}"));
    let own = decide(&app, MANAGER, &open[0]["id"], json!({ "action": "approve" })).await.is(403);
    assert_eq!(own.code(), "own_work");

    // Refused: back to the beginning, with the reason in its log.
    let refuse = json!({ "action": "refuse", "note": "合同已过期" });
    decide(&app, ADMIN, &open[0]["id"], refuse).await.is(204);
    let shown = show(&app, NUMBER).await;
    assert_eq!((&shown["state"], &shown["approval"]), (&json!("entered"), &json!("missing")));
    let log = &shown["log"][0];
    assert_eq!(
        (&log["why"], &log["note"], &log["by"]),
        (&json!("refused"), &json!("合同已过期"), &json!(ADMIN))
    );

    act(&app, NUMBER, "request").await.is(200);
    let open = waiting(&app, ADMIN).await;
    decide(&app, ADMIN, &open[0]["id"], json!({ "action": "approve" })).await.is(204);
    let shown = show(&app, NUMBER).await;
    assert_eq!((&shown["approval"], &shown["log"][0]["why"]), (&json!("approved"), &json!("approved")));
    act(&app, NUMBER, "mark_whitelisted").await.is(200);
    assert!(told(&app).await.contains("usage: Full"), "{}", told(&app).await);

    // Another holder is another content: no call shows it until it is approved anew.
    let path = format!("/caller-ids/{NUMBER}");
    let shown = app.by(MANAGER, "patch", &path, Some(json!({ "holder": "海棠物业" }))).await.is(200).json();
    assert_eq!((&shown["state"], &shown["approval"]), (&json!("whitelisted"), &json!("waiting")));
    assert!(told(&app).await.contains("usage: Not"), "{}", told(&app).await);
    assert_eq!(act(&app, NUMBER, "bind").await.is(409).code(), "not_approved");
    // A note is no part of it. What was approved once is approved when it comes back.
    let note = app.by(MANAGER, "patch", &path, Some(json!({ "note": "x" }))).await.is(200).json();
    assert_eq!(note["approval_id"], shown["approval_id"]);
    let back = json!({ "holder": "翠园物业" });
    let shown = app.by(MANAGER, "patch", &path, Some(back)).await.is(200).json();
    assert_eq!((&shown["approval"], &shown["approval_id"]), (&json!("approved"), &Value::Null));
    assert_eq!(waiting(&app, ADMIN).await, Vec::<Value>::new());
    app.tasks.stop().await;
}

#[tokio::test]
async fn those_who_entered_asked_or_described_a_number_do_not_decide() {
    let app = working().await;
    app.hire("8013", Role::Manager, &[]).await;
    switch(&app, true).await.is(200);
    add(&app, NUMBER).await;
    let path = format!("/caller-ids/{NUMBER}");
    app.by("8013", "patch", &path, Some(json!({ "holder": "海棠物业" }))).await.is(200);
    act_as(&app, ADMIN, NUMBER, "request").await.is(200);
    let others = app.get(MANAGER, "/approvals?state=others").await.is(200).json();
    let id = others["items"][0]["id"].clone();
    for who in [MANAGER, "8013", ADMIN] {
        let refused = decide(&app, who, &id, json!({ "action": "approve" })).await.is(403);
        assert_eq!(refused.code(), "own_work", "{who}");
    }
    app.hire("8014", Role::Manager, &[]).await;
    decide(&app, "8014", &id, json!({ "action": "approve" })).await.is(204);
    assert_eq!(show(&app, NUMBER).await["approval"], "approved");
    app.tasks.stop().await;
}

#[tokio::test]
async fn the_switch_stops_no_number_that_is_in_use() {
    let app = working().await;
    let states = [
        ("075588886661", vec!["mark_whitelisted"], "approved"),
        ("075588886662", vec!["resume"], "approved"),
        ("075588886663", vec!["resume", "flag"], "approved"),
        ("075588886664", vec!["resume", "rest"], "approved"),
        ("075588886665", vec![], "missing"),
        ("075588886667", vec!["request"], "missing"),
        ("075588886668", vec!["mark_whitelisted", "bind", "unbind"], "missing"),
    ];
    for (number, acts, _) in &states {
        add(&app, number).await;
        for action in acts {
            act(&app, number, action).await.is(200);
        }
    }
    // A number that a call showed.
    sqlx::query(
        "insert into caller_id (number, state, state_since, is_found, first_used_at, changed_at)
         values (8675588886660, 'normal', 1, true, 1, 1)",
    )
    .execute(&mut connection(&app).await)
    .await
    .unwrap();
    switch(&app, true).await.is(200);
    for (number, _, approval) in &states {
        assert_eq!(show(&app, number).await["approval"], *approval, "{number}");
    }
    let found = show(&app, "075588886660").await;
    assert_eq!((&found["approval"], &found["log"][0]["why"]), (&json!("approved"), &json!("kept")));
    let said = told(&app).await;
    assert_eq!(said.matches("usage: Full").count(), 3, "{said}");
    // Calls that show others from now on show none that nobody approved.
    assert!(said.contains("approved_only: {CampaignId("), "{said}");
    sqlx::query(
        "insert into caller_id (number, state, state_since, is_found, first_used_at, changed_at)
         values (8675588886669, 'normal', 1, true, 1, 1)",
    )
    .execute(&mut connection(&app).await)
    .await
    .unwrap();
    let later = show(&app, "075588886669").await;
    assert_eq!((&later["approval"], &later["state"]), (&json!("missing"), &json!("normal")));
    assert!(later["actions"].as_array().unwrap().contains(&json!("request")), "{later}");
    let asked = act(&app, "075588886669", "request").await.is(200).json();
    assert_eq!((&asked["state"], &asked["approval"]), (&json!("normal"), &json!("waiting")));
    // Without the switch every number is shown as its state says.
    switch(&app, false).await.is(200);
    assert_eq!(show(&app, "075588886669").await["approval"], "not_needed");
    let said = told(&app).await;
    assert!(said.contains("approved_only: {}") && !said.contains("usage: Full"), "{said}");
    app.tasks.stop().await;
}

async fn connection(app: &TestApp) -> sqlx::SqliteConnection {
    <sqlx::SqliteConnection as sqlx::Connection>::connect(&crate::store::url(app.dir.path())).await.unwrap()
}

#[tokio::test]
async fn a_campaign_waits_for_the_numbers_that_it_names() {
    let app = working().await;
    let text = "name = \"autumn\"\ntitle = \"Autumn\"\nmode = \"announce\"\n[caller_ids]\n\
                numbers = [\"0755-88886666\", \"0755-88886667\"]\n";
    app.post(MANAGER, "/campaigns", json!({ "toml": text })).await.is(201);
    let body = json!({ "fields": { "title": "Autumn 2" } });
    let tried = app.by(MANAGER, "patch", "/campaigns/autumn?dry_run=true", Some(body)).await.is(200).json();
    let warning = tried["problems"].as_array().unwrap().iter().find(|it| it["key"] == "caller_ids.numbers");
    let warning = warning.unwrap_or_else(|| panic!("{tried}"));
    assert_eq!(warning["level"], "warning");
    assert!(warning["found"]["en"].as_str().unwrap().contains("075588886666, 075588886667"), "{warning}");
    let list = async || app.get(MANAGER, "/campaigns/autumn/checklist").await.is(200).json();
    let line = async |code: &str| {
        list().await["items"].as_array().unwrap().iter().find(|it| it["code"] == code).unwrap().clone()
    };
    let advice = line("caller_ids").await;
    assert_eq!((&advice["level"], &advice["ok"]), (&json!("advice"), &json!(false)));
    assert!(advice["words"]["en"].as_str().unwrap().contains("not in the register"), "{advice}");

    switch(&app, true).await.is(200);
    add(&app, NUMBER).await;
    let shown = app.get(MANAGER, "/campaigns/autumn").await.is(200).json();
    let waits: Vec<(&str, bool)> = shown["waiting_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["title"].as_str().unwrap(), it["id"] == 0))
        .collect();
    assert_eq!(waits, [("075588886666", false), ("075588886667", true)], "{shown}");
    assert_eq!(shown["state"], "waiting");
    let start = json!({ "action": "start" });
    let refused = app.post(MANAGER, "/campaigns/autumn/actions", start).await.is(409).json();
    assert_eq!(
        (&refused["code"], &refused["waiting_for"][0]["kind"]),
        (&json!("not_approved"), &json!("caller_id"))
    );
    add(&app, "075588886667").await;
    for number in [NUMBER, "075588886667"] {
        act(&app, number, "request").await.is(200);
        let open = waiting(&app, ADMIN).await;
        decide(&app, ADMIN, &open[0]["id"], json!({ "action": "approve" })).await.is(204);
    }
    assert_eq!(line("approvals").await["ok"], true);
    let shown = app.get(MANAGER, "/campaigns/autumn").await.is(200).json();
    assert_eq!(shown["waiting_for"], json!([]));
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_proof_is_kept_given_out_by_right_and_noted() {
    let app = working().await;
    add(&app, NUMBER).await;
    let path = format!("/caller-ids/{NUMBER}/proof");
    app.get(MANAGER, &path).await.is(404);
    for bytes in [b"<html>".as_slice(), b"", b"GIF89a"] {
        let refused = proof(&app, NUMBER, bytes).await;
        assert_eq!(refused.is(415).code(), "not_a_proof");
    }
    let large = vec![b'%'; (10 << 20) + 1];
    assert_eq!(proof(&app, NUMBER, &large).await.is(413).code(), "too_large");
    let shown = proof(&app, NUMBER, PDF).await.is(201).json();
    assert_eq!(
        (&shown["proof"]["media_type"], &shown["proof"]["bytes"], &shown["proof"]["by"]),
        (&json!("application/pdf"), &json!(PDF.len()), &json!(MANAGER))
    );
    let sent = app.get(ADMIN, &path).await.is(200);
    assert_eq!(sent.body, PDF);
    let header = |name: &str| sent.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/pdf");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-disposition").starts_with(&format!("attachment; filename=\"{NUMBER}.pdf\"")));
    for who in ["8001", "8002", "8004", "8006"] {
        app.get(who, &path).await.is(403);
        send_file(&app, who, &path, PDF.to_vec()).await.is(403);
    }
    let audit = app.get(ADMIN, "/audit?limit=2").await.is(200).json();
    let rows: Vec<(&str, &str)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["action"].as_str().unwrap(), it["subject_kind"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(rows.len(), 2, "{audit}");
    assert!(audit["items"][0].to_string().contains("caller_id_proof"), "{audit}");

    // Another paper takes its place, and is another content.
    switch(&app, true).await.is(200);
    act(&app, NUMBER, "request").await.is(200);
    let first = waiting(&app, ADMIN).await;
    let shown = proof(&app, NUMBER, PNG).await.is(201).json();
    assert_eq!((&shown["approval"], &shown["proof"]["media_type"]), (&json!("waiting"), &json!("image/png")));
    let second = waiting(&app, ADMIN).await;
    assert!(second.len() == 1 && second[0]["id"] != first[0]["id"], "{first:?} {second:?}");
    let old = decide(&app, ADMIN, &first[0]["id"], json!({ "action": "approve" })).await.is(409);
    assert_eq!(old.code(), "not_open");
    assert_eq!(app.get(ADMIN, &path).await.is(200).body, PNG);
    // The former object is gone, and the same bytes are kept once.
    assert_eq!(proof(&app, NUMBER, PNG).await.is(201).json()["approval_id"], second[0]["id"]);
    let kept: i64 =
        sqlx::query_scalar("select count(*) from blob where kind = 'proof' and deleted_at is null")
            .fetch_one(&mut connection(&app).await)
            .await
            .unwrap();
    assert_eq!(kept, 1);
    act(&app, NUMBER, "retire").await.is(200);
    assert_eq!(waiting(&app, ADMIN).await, Vec::<Value>::new());
    proof(&app, NUMBER, PDF).await.is(409);
    app.tasks.stop().await;
}
