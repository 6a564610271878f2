//! Uploaded lists over the API: received, read in another way, checked, mended, loaded while the campaign runs, undone.
//! The tasks run on their own threads, as in the service.

use super::*;
use paceline::config::LoadedCampaign;
use paceline::store::task_rows::TaskId;
use paceline::store::{NewCampaign, OrganisationSettings, Subject};
use paceline_core::number::PhoneNumber;
use serde_json::json;
use std::io::Write;

const MANAGER: &str = "8003";
const ADMIN: &str = "8005";

/// The service with task threads, accounts of every role and the campaign `spring`.
pub async fn working() -> TestApp {
    let app = TestApp::new().await;
    app.staff().await;
    define(&app, "spring", "").await;
    app.tasks.begin().await.unwrap();
    app
}

async fn define(app: &TestApp, name: &str, more: &str) -> CampaignId {
    let text = format!(
        "name = \"{name}\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\n{more}[announcement]\nfile = \"a.wav\"\n"
    );
    let file = std::path::Path::new("campaigns/x/campaign.toml");
    let loaded = LoadedCampaign::parse(file, text.clone(), &paceline::config::Config::default()).unwrap();
    let retry = &loaded.rules.retry;
    let new =
        NewCampaign { name, title: name, mode: "announce", timezone: "Asia/Shanghai", toml: &text, retry };
    app.store.define_campaign(&new).await.unwrap()
}

fn key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Sends a file as a person's page does.
pub async fn send_file(app: &TestApp, by: &str, path: &str, bytes: Vec<u8>) -> Answer {
    let mut request = app.request(by, "post", path, None).await;
    request.headers_mut().insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
    request.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().to_string().parse().unwrap());
    request.headers_mut().insert("idempotency-key", key().parse().unwrap());
    *request.body_mut() = Body::from(bytes);
    app.send(request).await
}

async fn upload(app: &TestApp, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    send_file(app, MANAGER, &format!("/campaigns/spring/lists?file_name={name}"), bytes.into()).await
}

async fn act(app: &TestApp, by: &str, list: i64, action: &str) -> Answer {
    let body = Some(json!({ "action": action }));
    let mut request = app.request(by, "post", &format!("/lists/{list}/actions"), body).await;
    request.headers_mut().insert("idempotency-key", key().parse().unwrap());
    app.send(request).await
}

/// Waits for the end of a task and returns it.
pub async fn ended(app: &TestApp, task: &Value) -> Value {
    let id = TaskId(task.as_i64().expect("a task"));
    let mut changes = app.tasks.changes();
    let waiting = async {
        loop {
            let row = app.store.task_of_any(id).await.unwrap().unwrap();
            if !row.state.is_open() {
                return app.get(MANAGER, &format!("/tasks/{}", id.0)).await.is(200).json();
            }
            let _ = changes.recv().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("the task ends")
}

/// Sends a list and waits for its check; the list as it is then.
async fn checked(app: &TestApp, name: &str, bytes: impl Into<Vec<u8>>) -> Value {
    let added = upload(app, name, bytes).await.is(201).json();
    ended(app, &added["task"]).await;
    list(app, added["list"]["id"].as_i64().unwrap()).await
}

async fn list(app: &TestApp, id: i64) -> Value {
    app.get(MANAGER, &format!("/lists/{id}")).await.is(200).json()
}

fn id(list: &Value) -> i64 {
    list["id"].as_i64().unwrap()
}

async fn load(app: &TestApp, list: i64) -> Value {
    let begun = act(app, MANAGER, list, "load").await.is(202).json();
    ended(app, &begun["task"]).await
}

async fn patch(app: &TestApp, list: &Value, body: Value) -> Answer {
    let mut request = app.request(MANAGER, "patch", &format!("/lists/{}", id(list)), Some(body)).await;
    request.headers_mut().insert(header::IF_MATCH, list["etag"].as_str().unwrap().parse().unwrap());
    app.send(request).await
}

async fn leads(app: &TestApp) -> u64 {
    let campaign = app.store.reader().await.unwrap().campaign("spring").await.unwrap().id;
    app.store.lead_counts(campaign).await.unwrap().all
}

const OWNERS: &str = "楼栋,单元,房号,姓名,手机,面积\n3,2,1401,张伟,13800138000,89.5\n3,2,1402,李娜,1380013,120㎡\n\
                      3,2,1402,李强,13800138002,120\n3,2,1403,王芳,110,\n4,1,101,赵敏,13800138000,77\n";

#[tokio::test]
async fn a_list_is_checked_mended_loaded_and_undone() {
    let app = working().await;
    let list = checked(&app, "业主名单-3期.csv", OWNERS).await;
    assert_eq!(
        (&list["state"], &list["file_name"]),
        (&json!("checked"), &json!("业主名单-3期.csv")),
        "{list}"
    );
    assert_eq!((&list["rows"], &list["leads"], &list["refused"]), (&json!(5), &json!(2), &json!(3)));
    let found = &list["found"];
    assert_eq!(
        found["mapping"],
        json!({ "phones": ["手机"], "name": "姓名", "household": ["楼栋", "单元", "房号"], "area": "面积" })
    );
    assert_eq!(found["preview"]["columns"][4], "手机");
    assert_eq!(found["report"]["columns"][4]["basis"], "header_and_content");
    assert_eq!(found["new_leads"], 2);
    assert_eq!(leads(&app).await, 0, "nothing is loaded by a check");

    // Refused rows, by page and by reason, and as files.
    let path = format!("/lists/{}/rows", id(&list));
    let page = app.get(MANAGER, &format!("{path}?limit=2")).await.is(200).json();
    assert_eq!(page["items"][0]["cells"][4], "1380013");
    let rest = app.get(MANAGER, &format!("{path}?limit=2&after={}", page["next"])).await.is(200).json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    let twice = app.get(MANAGER, &format!("{path}?reason=duplicate")).await.is(200).json();
    assert_eq!((&twice["items"][0]["row"], twice["items"].as_array().unwrap().len()), (&json!(6), 1));
    let shown = app.get(MANAGER, &format!("{path}?kind=lead")).await.is(200).json();
    assert_eq!(shown["items"].as_array().unwrap().len(), 2);
    let fix = app.get(MANAGER, &format!("/lists/{}/fix.csv", id(&list))).await.is(200);
    assert!(fix.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains(".fix.csv"));
    let workbook = app.get(MANAGER, &format!("/lists/{}/fix.xlsx", id(&list))).await.is(200);
    assert!(workbook.body.starts_with(b"PK"));
    let sent = app.get(MANAGER, &format!("/lists/{}/file", id(&list))).await.is(200);
    assert_eq!(String::from_utf8(sent.body).unwrap(), OWNERS);

    // Loaded: two leads, with their building and area; known by its rows when it comes again.
    let done = load(&app, id(&list)).await;
    assert_eq!((&done["state"], &done["result"]["new_leads"]), (&json!("done"), &json!(2)), "{done}");
    assert_eq!((leads(&app).await, self::list(&app, id(&list)).await["state"].clone()), (2, json!("loaded")));
    assert!(
        app.engine.lock().unwrap().others.iter().any(|it| it.contains("LeadsAdded")),
        "the dialer is notified"
    );

    // The mended fix file: as CSV in Chinese, and the workbook that was offered, in English.
    let english = String::from_utf8(fix.body).unwrap();
    assert!(english.starts_with("\u{FEFF}row,reason,hint,"), "{english}");
    let fix = app.get(MANAGER, &format!("/lists/{}/fix.csv?lang=zh", id(&list))).await.is(200);
    let chinese = String::from_utf8(fix.body.clone()).unwrap();
    assert!(chinese.starts_with("\u{FEFF}行,原因,修改办法,"), "{chinese}");
    assert!(chinese.contains("号码不对,7 位:手机号码应为 11 位"), "{chinese}");
    assert_eq!(english.lines().count(), chinese.lines().count());
    let mended = String::from_utf8(fix.body).unwrap().replace("1380013,", "13800138001,");
    let mended = checked(&app, "mended.csv", mended).await;
    assert_eq!((&mended["leads"], &mended["found"]["new_leads"]), (&json!(2), &json!(1)), "{mended}");
    assert_eq!(load(&app, id(&mended)).await["result"]["new_leads"], 1);
    assert_eq!(leads(&app).await, 3);
    let again = checked(&app, "again.xlsx", workbook.body).await;
    assert_eq!((&again["rows"], &again["refused"]), (&json!(3), &json!(2)), "{again}");

    // Undone: only its own leads go.
    let undone = act(&app, MANAGER, id(&list), "undo").await.is(202).json();
    assert_eq!(ended(&app, &undone["task"]).await["state"], "done");
    assert_eq!((leads(&app).await, self::list(&app, id(&list)).await["state"].clone()), (1, json!("undone")));
    assert_eq!(act(&app, MANAGER, id(&list), "undo").await.is(409).code(), "wrong_state");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_wrong_guess_of_the_reader_is_mended_by_hand() {
    let app = working().await;
    // No column looks like a phone.
    let odd = checked(&app, "odd.txt", "第一列|第二列\n甲|乙\n丙|丁\n").await;
    assert_eq!(odd["state"], "unreadable");
    assert!(
        odd["error"]["en"].as_str().unwrap().starts_with("odd.txt: no column holds phone numbers"),
        "{odd}"
    );
    assert!(odd["error"]["zh"].as_str().unwrap().contains("对应列"), "{odd}");
    assert_eq!(odd["found"]["preview"]["columns"], json!(["第一列", "第二列"]));

    // GB18030 read as Big5, then as it is; the columns chosen by hand.
    let text = encoding_rs::GB18030.encode("姓名,备用,手机\n张伟,13800138009,13800138000\n").0.into_owned();
    let list = checked(&app, "业主.csv", text).await;
    assert_eq!(list["found"]["preview"]["encoding"], "gb18030");
    let changed = patch(&app, &list, json!({ "reading": { "encoding": "Big5" } })).await.is(202).json();
    ended(&app, &changed["task"]).await;
    let list = self::list(&app, id(&list)).await;
    assert_ne!(list["found"]["preview"]["columns"][0], "姓名");
    let body = json!({ "reading": {}, "mapping": { "phones": ["备用", "手机"], "name": "姓名" } });
    let changed = patch(&app, &list, body).await.is(202).json();
    ended(&app, &changed["task"]).await;
    let list = self::list(&app, id(&list)).await;
    assert_eq!(list["found"]["report"]["phones"], 2, "{list}");
    assert_eq!(list["found"]["report"]["columns"][1]["basis"], "named");

    // Unknown columns, encodings, rows; without the version; in an old version.
    let unknown = patch(&app, &list, json!({ "mapping": { "phones": ["电话"] } })).await.is(202).json();
    ended(&app, &unknown["task"]).await;
    let list_now = self::list(&app, id(&list)).await;
    assert_eq!(list_now["state"], "unreadable");
    assert!(list_now["error"]["en"].as_str().unwrap().contains("there is no column '电话'"), "{list_now}");
    assert_eq!(patch(&app, &list, json!({ "mapping": null })).await.is(412).code(), "changed");
    for wrong in [
        json!({ "reading": { "encoding": "Klingon" } }),
        json!({ "reading": { "separator": "x" } }),
        json!({ "reading": { "header_row": 5_000 } }),
        json!({ "mapping": { "phones": [] } }),
        json!({ "reading": { "by_content": false } }),
    ] {
        patch(&app, &list_now, wrong).await.is(422);
    }
    let bare =
        app.by(MANAGER, "patch", &format!("/lists/{}", id(&list)), Some(json!({ "mapping": null }))).await;
    assert_eq!(bare.is(428).code(), "if_match");
    let mended = patch(&app, &list_now, json!({ "mapping": null })).await.is(202).json();
    ended(&app, &mended["task"]).await;
    assert_eq!(self::list(&app, id(&list)).await["state"], "checked");
    app.tasks.stop().await;
}

#[tokio::test]
async fn numbers_given_to_known_leads_go_when_the_list_is_undone() {
    let app = working().await;
    let first = checked(&app, "first.csv", "手机\n13800138000\n").await;
    load(&app, id(&first)).await;
    let more = checked(&app, "more.csv", "手机,备用手机\n13800138000,13800138001\n13800138002,\n").await;
    assert_eq!((&more["found"]["new_leads"], &more["found"]["known_rows"]), (&json!(1), &json!(1)));
    assert_eq!(more["found"]["new_numbers"], 1);
    assert_eq!(load(&app, id(&more)).await["result"]["new_numbers"], 1);
    let campaign = app.store.reader().await.unwrap().campaign("spring").await.unwrap().id;
    let numbers = async || -> Vec<u64> {
        let known = app.store.known_numbers(campaign).await.unwrap();
        known.into_iter().map(PhoneNumber::as_u64).collect()
    };
    assert_eq!(numbers().await, [8_613_800_138_000, 8_613_800_138_001, 8_613_800_138_002]);
    let undone = act(&app, MANAGER, id(&more), "undo").await.is(202).json();
    ended(&app, &undone["task"]).await;
    assert_eq!(numbers().await, [8_613_800_138_000]);
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_load_that_was_cut_off_begins_again_and_loads_each_row_once() {
    let app = working().await;
    let rows: String = (0..9_000).map(|n| format!("138{n:08}\n")).collect();
    let list = checked(&app, "big.csv", format!("手机\n{rows}")).await;
    app.tasks.stop().await;
    // The load begins, and the process is killed with half of the rows written: its task runs for ever.
    let begun = act(&app, MANAGER, id(&list), "load").await.is(202).json();
    let task = app.store.take_task().await.unwrap().expect("the load");
    assert_eq!(json!(task.id.0), begun["task"]);
    let campaign = app.store.reader().await.unwrap().campaign("spring").await.unwrap().id;
    let new = paceline::store::NewImport {
        campaign,
        file: "big.csv".into(),
        fingerprint: "x".into(),
        header: vec!["手机".into()],
    };
    let upload = paceline::store::list_uploads::UploadId(id(&list));
    let mut import = app.store.begin_upload_import(upload, &new).await.unwrap();
    let half: Vec<paceline::lists::LeadRow> = (0..4_500_u64)
        .map(|n| paceline::lists::LeadRow {
            row: n + 2,
            phones: vec![(PhoneNumber::from_e164(8_613_800_000_000 + n).unwrap(), String::new())],
            cells: vec![String::new()],
            ..Default::default()
        })
        .collect();
    import.push_paced(&half, &[]).await.unwrap();
    assert_eq!(leads(&app).await, 0, "half a list is never seen");
    drop(import);
    let (dir, clock) = (app.dir.clone(), app.clock.clone());
    drop(app);
    let app = TestApp::open(dir, clock).await;
    assert_eq!(leads(&app).await, 0);
    app.tasks.begin().await.unwrap();
    let done = ended(&app, &begun["task"]).await;
    assert_eq!((&done["state"], &done["result"]["new_leads"]), (&json!("done"), &json!(9_000)), "{done}");
    assert_eq!(leads(&app).await, 9_000);
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_cancelled_load_leaves_the_list_as_it_was() {
    let app = working().await;
    let list = checked(&app, "list.csv", "手机\n13800138000\n").await;
    app.tasks.stop().await;
    let begun = act(&app, MANAGER, id(&list), "load").await.is(202).json();
    assert_eq!(act(&app, MANAGER, id(&list), "load").await.is(409).code(), "busy");
    assert_eq!(act(&app, MANAGER, id(&list), "discard").await.is(409).code(), "busy");
    let path = format!("/tasks/{}/actions", begun["task"]);
    let cancelled = app.post(MANAGER, &path, json!({ "action": "cancel" })).await.is(202).json();
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(app.post(MANAGER, &path, json!({ "action": "cancel" })).await.is(409).code(), "not_open");
    let list = self::list(&app, id(&list)).await;
    assert_eq!((&list["state"], &list["error"]["en"]), (&json!("checked"), &json!("this was cancelled")));
    // Discarded: its object goes, and the list is gone.
    act(&app, MANAGER, id(&list), "discard").await.is(202);
    app.get(MANAGER, &format!("/lists/{}", id(&list))).await.is(404);
    assert_eq!(app.store.blob_paths().await.unwrap().len(), 0);
    let all = app.get(MANAGER, "/campaigns/spring/lists").await.is(200).json();
    assert_eq!(all["items"], json!([]));
}

#[tokio::test]
async fn another_person_approves_a_list_before_it_is_loaded() {
    let app = working().await;
    let list = checked(&app, "list.csv", "手机\n13800138000\n").await;
    assert_eq!(act(&app, MANAGER, id(&list), "submit").await.is(409).code(), "not_needed");
    switch(&app, |settings| settings.approve_lists = true).await;
    assert_eq!(act(&app, MANAGER, id(&list), "load").await.is(409).code(), "not_approved");
    let asked = act(&app, MANAGER, id(&list), "submit").await.is(202).json();
    assert_eq!(asked["list"]["state"], "waiting");
    assert_eq!(act(&app, MANAGER, id(&list), "load").await.is(409).code(), "not_approved");
    let path = format!("/approvals/{}/actions", asked["approval"]);
    let own = app.get(MANAGER, "/approvals").await.is(200).json();
    assert_eq!(own["items"], json!([]), "one's own work waits for others");
    let others = app.get(MANAGER, "/approvals?state=others").await.is(200).json();
    assert_eq!(
        (&others["items"][0]["title"], &others["items"][0]["may_decide"]),
        (&json!("list.csv"), &json!(false))
    );
    let approve = json!({ "action": "approve" });
    assert_eq!(app.post(MANAGER, &path, approve.clone()).await.is(403).code(), "own_work");
    app.post("8002", &path, approve.clone()).await.is(403);
    app.post(ADMIN, &path, json!({ "action": "refuse" })).await.is(422);
    app.post(ADMIN, &path, json!({ "action": "refuse", "note": "旧名单" })).await.is(204);
    assert_eq!(self::list(&app, id(&list)).await["state"], "refused");
    assert_eq!(app.post(ADMIN, &path, approve.clone()).await.is(409).code(), "not_open");

    // Read in another way it is another content; approved, it loads.
    let list = self::list(&app, id(&list)).await;
    let changed = patch(&app, &list, json!({ "mapping": { "phones": ["手机"] } })).await.is(202).json();
    ended(&app, &changed["task"]).await;
    let asked = act(&app, MANAGER, id(&list), "submit").await.is(202).json();
    let path = format!("/approvals/{}/actions", asked["approval"]);
    app.post(ADMIN, &path, approve).await.is(204);
    let done = app.get(ADMIN, "/approvals?state=done").await.is(200).json();
    assert_eq!(
        (&done["items"][0]["state"], &done["items"][0]["decided_by"]),
        (&json!("approved"), &json!("8005"))
    );
    assert_eq!(load(&app, id(&list)).await["state"], "done");
    assert_eq!(leads(&app).await, 1);
    app.tasks.stop().await;
}

/// Changes the settings of the first organisation.
pub async fn switch(app: &TestApp, set: impl FnOnce(&mut OrganisationSettings)) {
    let mut row = app.store.organisations().await.unwrap().remove(0);
    set(&mut row.settings);
    let url = format!("sqlite://{}", app.store.path().display());
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let text = serde_json::to_string(&row.settings).unwrap();
    sqlx::query("update organisation set settings = $1 where id = 1")
        .bind(text)
        .execute(&mut conn)
        .await
        .unwrap();
}

#[tokio::test]
async fn only_those_who_edit_lists_see_them_and_rows_need_the_right_to_numbers() {
    let app = working().await;
    let list = checked(&app, "list.csv", OWNERS).await;
    for number in ["8001", "8002", "8004"] {
        for path in ["", "/rows", "/fix.csv", "/fix.xlsx", "/file", "/report"] {
            app.get(number, &format!("/lists/{}{path}", id(&list))).await.is(403);
        }
        send_file(&app, number, "/campaigns/spring/lists?file_name=x.csv", b"a\n1\n".to_vec()).await.is(403);
    }
    // A program that edits lists and may not read numbers sees no number.
    let subject = Subject::of("token", "lists");
    let actor = paceline::store::Actor {
        kind: paceline::store::ActorKind::System,
        id: None,
        name: "test".into(),
        address: String::new(),
        enterprise: 1,
        key: None,
    };
    let scopes = ["lists.edit".to_owned(), "campaigns.read".to_owned()];
    let hash = secrets::key_hash("lists token");
    let new = paceline::store::NewToken {
        hash: &hash,
        role: Role::Manager,
        name: "lists",
        scopes: Some(&scopes),
        expires: None,
    };
    let mut change = app.store.begin_change(&actor, "tokens.edit", subject).await.unwrap();
    change.add_token(&paceline::store::Scope::first(), &new).await.unwrap();
    change.commit().await.unwrap();
    let ask = async |path: String| {
        let mut request = bare("get", &path, None);
        request.headers_mut().insert(header::AUTHORIZATION, "Bearer lists token".parse().unwrap());
        app.send(request).await
    };
    for path in ["/rows", "/fix.csv", "/fix.xlsx", "/file"] {
        ask(format!("/lists/{}{path}", id(&list))).await.is(403);
    }
    for path in ["", "/report"] {
        let answer = ask(format!("/lists/{}{path}", id(&list))).await.is(200);
        let text = String::from_utf8(answer.body).unwrap();
        assert!(!text.contains("13800138000") && text.contains("138****8000"), "{text}");
    }
    app.tasks.stop().await;
}

/// A workbook of one member, written as a real program would.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn bombs_and_files_that_are_no_lists_are_refused_with_words() {
    let app = working().await;
    let zeros = vec![b' '; 40 << 20];
    for (members, words) in [
        (vec![("xl/worksheets/sheet1.xml", zeros.as_slice())], "unpacks to"),
        (vec![("xl/sharedStrings.xml", zeros.as_slice())], "unpacks to"),
        (vec![("../../etc/cron.d/x", b"x".as_slice())], "leads out of it"),
        (vec![("xl\\..\\..\\x", b"x".as_slice())], "leads out of it"),
    ] {
        let answer = upload(&app, "list.xlsx", archive(&members)).await.is(422);
        assert_eq!(answer.code(), "not_a_list");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("list.xlsx: ") && detail.contains(words), "{detail}");
    }
    // The archive's directory says 10 bytes, and the member that would be held in memory has a million.
    let mut lying = archive(&[("xl/sharedStrings.xml", &vec![b'x'; 1 << 20][..])]);
    let entry = lying.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    lying[entry + 24..entry + 28].copy_from_slice(&10_u32.to_le_bytes());
    let answer = upload(&app, "list.xlsx", lying).await.is(422).json();
    assert!(answer["detail"].as_str().unwrap().contains("larger than"), "{answer}");
    let many: Vec<String> = (0..2_100).map(|n| format!("x{n}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    upload(&app, "list.xlsx", archive(&many)).await.is(422);
    upload(&app, "list.csv", "").await.is(422);
    // Refused by its check: what it is and what to do.
    for (name, bytes, words) in [
        ("list.xlsx", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old".to_vec(), "old Excel file"),
        ("list.csv", b"%PDF-1.7 ...".to_vec(), "a PDF file"),
        ("list.csv", archive(&[("readme.txt", b"x")]), "workbook"),
        ("list.csv", b"PK\x03\x04 cut".to_vec(), ""),
    ] {
        let answer = upload(&app, name, bytes).await;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
            continue;
        }
        let task = answer.is(201).json();
        ended(&app, &task["task"]).await;
        let list = self::list(&app, task["list"]["id"].as_i64().unwrap()).await;
        assert_eq!(list["state"], "unreadable");
        let error = list["error"]["en"].as_str().unwrap();
        assert!(error.starts_with(name) && error.contains(words), "{error}");
    }
    // Names that are paths.
    for name in ["..%2F..%2Fetc%2Fpasswd", "a%5Cb.csv", "a%0Ab.csv", "..", "%00", ""] {
        send_file(&app, MANAGER, &format!("/campaigns/spring/lists?file_name={name}"), b"x".to_vec())
            .await
            .is(422);
    }
    let long = "x".repeat(256);
    send_file(&app, MANAGER, &format!("/campaigns/spring/lists?file_name={long}"), b"x".to_vec())
        .await
        .is(422);
    // Of the refused files nothing is left, and nothing was written elsewhere.
    let kept = app.store.blob_paths().await.unwrap();
    let on_disk = walk(app.files.root());
    assert_eq!(on_disk, kept.into_iter().collect::<Vec<_>>());
    app.tasks.stop().await;
}

fn walk(root: &std::path::Path) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path.strip_prefix(root).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn an_upload_is_bounded_and_needs_a_key() {
    let app = TestApp::new().await;
    app.staff().await;
    define(&app, "spring", "").await;
    let path = "/campaigns/spring/lists?file_name=x.csv";
    let mut request = app.request(MANAGER, "post", path, None).await;
    *request.body_mut() = Body::from("手机\n13800138000\n");
    assert_eq!(app.send(request).await.is(400).code(), "key_missing");
    // A length above the limit is refused before a byte is read.
    let mut request = app.request(MANAGER, "post", path, None).await;
    request.headers_mut().insert("idempotency-key", key().parse().unwrap());
    request.headers_mut().insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
    request.headers_mut().insert(header::CONTENT_LENGTH, ((512_u64 << 20) + 1).to_string().parse().unwrap());
    *request.body_mut() =
        Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    assert_eq!(app.send(request).await.is(413).code(), "too_large");
    // A form is no file.
    let mut request = app.request(MANAGER, "post", path, None).await;
    request.headers_mut().insert("idempotency-key", key().parse().unwrap());
    request.headers_mut().insert(header::CONTENT_TYPE, "multipart/form-data; boundary=x".parse().unwrap());
    *request.body_mut() = Body::from("--x");
    assert_eq!(app.send(request).await.is(415).code(), "not_a_file");
    send_file(&app, MANAGER, "/campaigns/winter/lists?file_name=x.csv", b"x".to_vec()).await.is(404);
    send_file(&app, MANAGER, "/campaigns/spring/lists", b"x".to_vec()).await.is(422);
    assert_eq!(walk(app.files.root()), Vec::<String>::new());
}

/// A big list needs no more memory than a small one: measured, printed, and bounded well below its size.
#[tokio::test]
#[ignore = "writes 200 MB; run it alone and read what it prints"]
async fn memory_of_a_big_upload_stays_small() {
    let app = working().await;
    let row = |n: u64| {
        format!("张伟{n},138{:08},3-2-{n},some more text to make the row long, and more\n", n % 100_000_000)
    };
    let pieces = futures_util::stream::iter((0..20_000_u64).map(move |piece| {
        let mut text =
            if piece == 0 { "姓名,手机,房号,备注,备注2\n".to_owned() } else { String::new() };
        (0..100).for_each(|n| text.push_str(&row(piece * 100 + n)));
        Ok::<_, std::io::Error>(text.into_bytes())
    }));
    let before = resident();
    let mut request = app.request(MANAGER, "post", "/campaigns/spring/lists?file_name=big.csv", None).await;
    request.headers_mut().insert("idempotency-key", key().parse().unwrap());
    request.headers_mut().insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
    *request.body_mut() = Body::from_stream(pieces);
    let added = app.send(request).await.is(201).json();
    let received = peak();
    println!(
        "{} MB sent; resident before {before} MB, peak while received {received} MB",
        added["list"]["bytes"]
    );
    ended(&app, &added["task"]).await;
    let list = self::list(&app, added["list"]["id"].as_i64().unwrap()).await;
    println!("checked: {} rows, peak {} MB", list["rows"], peak());
    assert!(received < before + 100, "receiving took {} MB", received - before);
    assert!(peak() < 600, "{} MB", peak());
    app.tasks.stop().await;
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

fn resident() -> u64 {
    status("VmRSS:")
}

fn peak() -> u64 {
    status("VmHWM:")
}

#[tokio::test]
async fn a_person_sends_two_files_at_once_and_no_more() {
    let app = TestApp::new().await;
    app.staff().await;
    define(&app, "spring", "").await;
    let (started, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let endless = || {
        let mut started = Some(started.clone());
        Body::from_stream(futures_util::stream::poll_fn(move |_| {
            started.take().map(|started| started.send(()));
            std::task::Poll::<Option<Result<Vec<u8>, std::io::Error>>>::Pending
        }))
    };
    let request = async |by: &str| {
        let mut request = app.request(by, "post", "/campaigns/spring/lists?file_name=x.csv", None).await;
        request.headers_mut().insert("idempotency-key", key().parse().unwrap());
        request.headers_mut().insert(header::CONTENT_TYPE, "application/octet-stream".parse().unwrap());
        *request.body_mut() = endless();
        request
    };
    let mut first = std::pin::pin!(app.ask(request(MANAGER).await));
    let mut second = std::pin::pin!(app.ask(request(MANAGER).await));
    for _ in 0..2 {
        tokio::select! {
            _ = &mut first => panic!("an endless file ended"),
            _ = &mut second => panic!("an endless file ended"),
            _ = begun.recv() => {}
        }
    }
    let third = app.send(request(MANAGER).await).await.is(429);
    assert!(third.headers.contains_key(header::RETRY_AFTER));
    // A colleague may.
    let other = std::pin::pin!(app.ask(request(ADMIN).await));
    tokio::select! {
        _ = other => panic!("an endless file ended"),
        _ = begun.recv() => {}
    }
}

/// The time limit of other requests does not cut an upload off as long as bytes come.
#[tokio::test]
async fn an_upload_may_take_longer_than_other_requests() {
    use paceline::console::server::{Timeouts, start_with};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = working().await;
    let answer = Duration::from_millis(400);
    let timeouts = Timeouts { answer, ..Timeouts::default() };
    let console = start_with("127.0.0.1:0".parse().unwrap(), app.state.clone(), timeouts).await.unwrap();
    let send = async |path: &str, content: &str| {
        let mut stream = tokio::net::TcpStream::connect(console.address).await.unwrap();
        let head = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Idempotency-Key: {}\r\nContent-Type: {content}\r\nContent-Length: 20\r\n\r\n",
            app.state.local_service_token(),
            key()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"13800138000").await.unwrap();
        // Longer than the limit: this is the case that is tested.
        tokio::time::sleep(answer * 2).await;
        let _ = stream.write_all(b"\n1380013\n").await;
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text).await;
        text
    };
    let uploaded = send("/campaigns/spring/lists?file_name=x.csv", "application/octet-stream").await;
    assert!(uploaded.starts_with("HTTP/1.1 201"), "{uploaded}");
    let other = send("/groups", "application/json").await;
    assert!(other.starts_with("HTTP/1.1 408") || other.is_empty(), "{other}");
    console.stop().await;
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_task_that_ends_the_process_each_time_fails_with_what_to_do() {
    let app = TestApp::new().await;
    app.staff().await;
    define(&app, "spring", "").await;
    let added = upload(&app, "list.csv", "phone\n13800138000\n").await.is(201).json();
    for start in 1..=3 {
        let taken = app.store.take_task().await.unwrap().expect("the check");
        assert_eq!(json!(taken.id.0), added["task"], "start {start}");
        // The process ends here; the next one begins as the service does.
        assert_eq!(app.store.requeue_tasks().await.unwrap(), u64::from(start < 3));
    }
    app.tasks.begin().await.unwrap();
    let task = ended(&app, &added["task"]).await;
    assert_eq!(task["state"], "failed");
    for (language, part) in [("en", "the service ended 3 times"), ("zh", "3 次中断")] {
        assert!(task["error"][language].as_str().unwrap().contains(part), "{task}");
    }
    let shown = list(&app, id(&added["list"])).await;
    assert_eq!(shown["state"], "unreadable", "{shown}");
    // Asked for again, it is a new task.
    let again = patch(&app, &shown, json!({ "reading": {} })).await.is(202).json();
    assert_eq!(ended(&app, &again["task"]).await["state"], "done");
    app.tasks.stop().await;
}
