//! Campaigns as rows over the API: made, copied, changed with their comments kept, started when they have all they need.

use super::lists::{ended, send_file, switch, working};
use super::*;
use serde_json::json;

const MANAGER: &str = "8003";
const ADMIN: &str = "8005";
const LEAD: &str = "8002";

const TEXT: &str = "# The autumn vote\nname = \"autumn\"\ntitle = \"Autumn\"\nmode = \"announce\"\n\n[calling]\n\
                    ring_secs = 30   # usual: 45\n";

async fn make(app: &TestApp, text: &str) -> Value {
    app.post(MANAGER, "/campaigns", json!({ "toml": text })).await.is(201).json()
}

async fn show(app: &TestApp, name: &str) -> Value {
    app.get(MANAGER, &format!("/campaigns/{name}")).await.is(200).json()
}

/// Changes a campaign as the version of this ETag.
async fn change(app: &TestApp, method: &str, name: &str, etag: &str, body: Value) -> Answer {
    let mut request = app.request(MANAGER, method, &format!("/campaigns/{name}"), Some(body)).await;
    request.headers_mut().insert(header::IF_MATCH, etag.parse().unwrap());
    app.send(request).await
}

async fn patch(app: &TestApp, name: &str, fields: Value) -> Answer {
    let etag = show(app, name).await["etag"].as_str().unwrap().to_owned();
    change(app, "patch", name, &etag, json!({ "fields": fields })).await
}

async fn act(app: &TestApp, name: &str, action: &str) -> Answer {
    app.post(MANAGER, &format!("/campaigns/{name}/actions"), json!({ "action": action })).await
}

fn codes(problem: &Value) -> Vec<&str> {
    let items = problem["items"].as_array().expect("the stops");
    items.iter().map(|item| item["code"].as_str().unwrap()).collect()
}

/// Sends a sound and waits until it is measured; its id.
async fn upload_sound(app: &TestApp, name: &str, samples: usize) -> i64 {
    let data: Vec<u8> =
        (0..samples).flat_map(|n| (((n as f64 * 0.35).sin() * 9_000.0) as i16).to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    let added = send_file(app, MANAGER, &format!("/audio?name={name}"), file).await.is(201).json();
    ended(app, &added["task"]).await;
    added["id"].as_i64().unwrap()
}

/// Sends a list, checks and loads it.
async fn load_list(app: &TestApp, name: &str, rows: &str) {
    let path = format!("/campaigns/{name}/lists?file_name=list.csv");
    let added = send_file(app, MANAGER, &path, rows.as_bytes().to_vec()).await.is(201).json();
    ended(app, &added["task"]).await;
    let path = format!("/lists/{}/actions", added["list"]["id"]);
    let mut request = app.request(MANAGER, "post", &path, Some(json!({ "action": "load" }))).await;
    request.headers_mut().insert("idempotency-key", format!("load-{name}-{}", rows.len()).parse().unwrap());
    let begun = app.send(request).await.is(202).json();
    assert_eq!(ended(app, &begun["task"]).await["state"], "done");
}

#[tokio::test]
async fn a_campaign_is_made_from_a_text_and_copied() {
    let app = working().await;
    let made = make(&app, TEXT).await;
    assert_eq!(
        (&made["name"], &made["state"], &made["version"]),
        (&json!("autumn"), &json!("draft"), &json!(1))
    );
    let shown = show(&app, "autumn").await;
    assert_eq!(
        (&shown["toml"], &shown["etag"], &shown["source"]),
        (&json!(TEXT), &json!("\"v1\""), &json!("api"))
    );
    assert_eq!((&shown["desired_state"], &shown["changed_by"]), (&json!("closed"), &json!(MANAGER)));
    assert_eq!(
        (&shown["fields"]["calling"]["ring_secs"], &shown["fields"]["list"]["region"]),
        (&json!(30), &json!("CN"))
    );
    let taken = app.post(MANAGER, "/campaigns", json!({ "toml": TEXT })).await.is(409);
    assert_eq!(taken.code(), "name_taken");

    let mut request = app.request(MANAGER, "get", "/campaigns/autumn", None).await;
    request.headers_mut().insert(header::ACCEPT, "application/toml".parse().unwrap());
    let text = app.send(request).await.is(200);
    assert_eq!(
        (text.body, text.headers[header::ETAG].to_str().unwrap()),
        (TEXT.as_bytes().to_vec(), "\"v1\"")
    );

    let copy = json!({ "copy_of": "autumn", "name": "winter", "title": "Winter" });
    app.post(MANAGER, "/campaigns", copy).await.is(201);
    let copy = show(&app, "winter").await;
    assert_eq!(
        copy["toml"],
        TEXT.replace("name = \"autumn\"", "name = \"winter\"").replace("\"Autumn\"", "\"Winter\"")
    );
    for unfit in [
        json!({}),
        json!({ "toml": TEXT, "file": "x" }),
        json!({ "copy_of": "autumn" }),
        json!({ "toml": TEXT, "paused": true }),
    ] {
        app.post(MANAGER, "/campaigns", unfit).await.is(422);
    }
    app.post(MANAGER, "/campaigns", json!({ "copy_of": "nothing", "name": "x" })).await.is(404);
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_page_of_campaigns_is_filtered_and_goes_on() {
    let app = working().await;
    for n in 0..5 {
        make(&app, &format!("name = \"vote-{n}\"\ntitle = \"票{n}\"\nmode = \"announce\"\n")).await;
    }
    let grouped = "name = \"calls\"\nmode = \"ratio\"\n[agents]\ngroup = \"vote\"\n[[dispositions]]\ncode = \"x\"\n\
                   label = \"x\"\nstate = \"done\"\ndefault = true\n";
    make(&app, grouped).await;
    let mut names = Vec::new();
    let mut path = "/campaigns?limit=2".to_owned();
    loop {
        let page = app.get(MANAGER, &path).await.is(200).json();
        names.extend(
            page["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/campaigns?limit=2&after={next}");
    }
    assert_eq!(names, ["calls", "vote-4", "vote-3", "vote-2", "vote-1", "vote-0", "spring"]);
    let found = async |query: &str, by: &str| -> Vec<String> {
        let page = app.get(by, &format!("/campaigns?{query}")).await.is(200).json();
        page["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("q=VOTE-3", MANAGER).await, ["vote-3"]);
    assert_eq!(found("q=%E7%A5%A81", MANAGER).await, ["vote-1"]);
    assert_eq!(found("group=vote", MANAGER).await, ["calls"]);
    assert_eq!(found("state=running,paused", MANAGER).await, [] as [&str; 0]);
    assert_eq!(found("state=draft&q=vote", MANAGER).await.len(), 5);
    assert_eq!(found("limit=500", LEAD).await, ["calls"], "a shift lead sees those of its groups");
    app.get(MANAGER, "/campaigns?state=open").await.is(422);
    app.get(MANAGER, "/campaigns?after=x").await.is(422);
    assert!(
        app.get("8001", "/campaigns").await.is(200).json()["items"].is_null(),
        "agents have workplaces alone"
    );
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_change_by_fields_keeps_the_comments_and_is_a_version() {
    let app = working().await;
    make(&app, TEXT).await;
    let path = "/campaigns/autumn?dry_run=true";
    let body = json!({ "fields": { "calling": { "ring_secs": 40 } } });
    let tried = app.by(MANAGER, "patch", path, Some(body.clone())).await.is(200).json();
    let wanted = TEXT.replace("ring_secs = 30 ", "ring_secs = 40 ");
    assert_eq!((&tried["toml"], &tried["version"]), (&json!(wanted), &json!(1)), "{tried}");
    let changed: Vec<&Value> =
        tried["diff"].as_array().unwrap().iter().filter(|line| line["kind"] != "same").collect();
    assert_eq!(
        (changed.len(), &changed[0]["line_before"], &changed[1]["line_after"]),
        (2, &json!(7), &json!(7))
    );
    assert_eq!(
        (&tried["effects"][0]["field"], &tried["effects"][0]["when"]),
        (&json!("calling.ring_secs"), &json!("now"))
    );
    assert_eq!(tried["problems"][0]["key"], "announcement.file", "{tried}");
    assert_eq!(show(&app, "autumn").await["toml"], TEXT, "a dry run changes nothing");

    app.by(MANAGER, "patch", "/campaigns/autumn", Some(body.clone())).await.is(428);
    let saved = change(&app, "patch", "autumn", "\"v1\"", body.clone()).await.is(200);
    assert_eq!(saved.headers[header::ETAG].to_str().unwrap(), "\"v2\"");
    assert_eq!(saved.json()["version"], 2);
    let stale = change(&app, "patch", "autumn", "\"v1\"", body.clone()).await.is(412).json();
    assert_eq!(
        (&stale["code"], &stale["present"]["etag"], &stale["present"]["changed_by"]),
        (&json!("changed"), &json!("\"v2\""), &json!(MANAGER))
    );
    let same = change(&app, "patch", "autumn", "\"v2\"", body).await.is(200).json();
    assert_eq!(same["version"], 2, "the same text is no new version");
    let whole = json!({ "toml": TEXT, "note": "as it was" });
    assert_eq!(change(&app, "put", "autumn", "\"v2\"", whole).await.is(200).json()["version"], 3);

    let versions = app.get(MANAGER, "/campaigns/autumn/versions").await.is(200).json();
    let numbers: Vec<i64> =
        versions["items"].as_array().unwrap().iter().map(|it| it["number"].as_i64().unwrap()).collect();
    assert_eq!((numbers, &versions["items"][0]["note"]), (vec![3, 2, 1], &json!("as it was")));
    let second = app.get(MANAGER, "/campaigns/autumn/versions/2").await.is(200).json();
    assert_eq!(second["toml"], wanted);
    app.get(MANAGER, "/campaigns/autumn/versions/9").await.is(404);
    let audit = app.get(ADMIN, "/audit?subject=campaign:autumn").await.is(200).json();
    assert_eq!(audit["items"][0]["after"]["version"], 3, "{audit}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn faults_name_their_key_and_line() {
    let app = working().await;
    make(&app, TEXT).await;
    let bad = TEXT.replace("ring_secs = 30 ", "ring_secs = 3 ") + "colour = \"red\"\n";
    let path = "/campaigns/autumn?dry_run=true";
    let tried = app.by(MANAGER, "put", path, Some(json!({ "toml": bad }))).await.is(200).json();
    assert_eq!(
        (&tried["problems"][0]["line"], &tried["problems"][0]["level"]),
        (&json!(8), &json!("error")),
        "{tried}"
    );
    let bad = bad.replace("colour = \"red\"\n", "setup_secs = 1\n");
    let tried = app.by(MANAGER, "put", path, Some(json!({ "toml": bad }))).await.is(200).json();
    let faults: Vec<(&str, u64)> = tried["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["key"].as_str().unwrap(), it["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(faults, [("calling.ring_secs", 7), ("calling.setup_secs", 8)]);
    let first = &tried["problems"][0];
    assert_eq!(first["found"], json!({ "en": "ring_secs = 3", "zh": "ring_secs = 3" }));
    assert_eq!(first["advice"]["zh"], "请写 5 到 180(通常 45,不建议更短)", "{first}");
    let refused = change(&app, "put", "autumn", "*", json!({ "toml": bad })).await.is(422).json();
    assert_eq!(
        (&refused["code"], &refused["errors"][0]["at"]),
        (&json!("campaign_faulty"), &json!("/calling/ring_secs"))
    );
    let words = &refused["errors"][1]["words"];
    let zh = "第 8 行:setup_secs = 1;请写 3 到 120(通常 30)";
    assert_eq!(words, &json!({ "en": "setup_secs = 1; write 3 to 120 (30 is usual)", "zh": zh }));
    for (fields, at) in [
        (json!({ "results": { "dir": "/etc" } }), "/results/dir"),
        (json!({ "list": { "file": "../other/list.csv" } }), "/list/file"),
        (json!({ "announcement": { "file": "../notice.wav" } }), "/announcement/file"),
        (json!({ "announcement": { "file": "unknown.wav" } }), "/announcement/file"),
    ] {
        let refused = patch(&app, "autumn", fields.clone()).await.is(422).json();
        assert_eq!(refused["errors"][0]["at"], at, "{fields}");
    }
    patch(&app, "autumn", json!({ "trunks": [null] })).await.is(422);
    app.tasks.stop().await;
}

#[tokio::test]
async fn only_an_unused_draft_is_removed() {
    let app = working().await;
    make(&app, TEXT).await;
    let path = "/campaigns/autumn/lists?file_name=list.csv";
    let added = send_file(&app, MANAGER, path, b"phone\n13800138000\n".to_vec()).await.is(201).json();
    ended(&app, &added["task"]).await;
    app.by(MANAGER, "delete", "/campaigns/autumn", None).await.is(204);
    app.get(MANAGER, "/campaigns/autumn").await.is(404);
    app.get(MANAGER, &format!("/lists/{}", added["list"]["id"])).await.is(404);
    make(&app, TEXT).await;
    load_list(&app, "autumn", "phone\n13800138000\n").await;
    assert_eq!(show(&app, "autumn").await["state"], "ready");
    assert_eq!(app.by(MANAGER, "delete", "/campaigns/autumn", None).await.is(409).code(), "in_use");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_start_is_refused_by_each_stop_and_taken_after_its_cure() {
    let app = working().await;
    make(&app, TEXT).await;
    let refused = act(&app, "autumn", "start").await.is(409).json();
    assert_eq!((&refused["code"], codes(&refused)), (&json!("not_ready"), vec!["list", "announcement"]));
    load_list(&app, "autumn", "phone\n13800138000\n13800138001\n").await;
    upload_sound(&app, "notice.wav", 8_000).await;
    patch(&app, "autumn", json!({ "announcement": { "file": "notice.wav" } })).await.is(200);
    assert_eq!(show(&app, "autumn").await["files"][0]["name"], "notice.wav");
    patch(&app, "autumn", json!({ "calling": { "end": "2020-01-01" } })).await.is(200);
    assert_eq!(codes(&act(&app, "autumn", "start").await.is(409).json()), ["hours"]);
    patch(&app, "autumn", json!({ "calling": { "end": null }, "mode": "progressive" })).await.is(200);
    assert_eq!(codes(&act(&app, "autumn", "start").await.is(409).json()), ["agents"]);
    let staffed = json!({ "agents": { "group": "nobody" }, "dispositions": [
        { "code": "x", "label": "x", "state": "done", "default": true, "retry": null }] });
    patch(&app, "autumn", staffed).await.is(200);
    assert_eq!(codes(&act(&app, "autumn", "start").await.is(409).json()), ["agents"]);
    patch(&app, "autumn", json!({ "agents": null, "mode": "announce", "dispositions": null })).await.is(200);
    let list = app.get(MANAGER, "/campaigns/autumn/checklist").await.is(200).json();
    assert_eq!((&list["ready"], list["items"].as_array().unwrap().len()), (&json!(true), 10), "{list}");

    *app.campaign_refusal.lock().unwrap() = Some("the sound cannot be played".into());
    assert_eq!(act(&app, "autumn", "start").await.is(409).code(), "not_opened");
    assert_eq!(show(&app, "autumn").await["desired_state"], "closed");
    *app.campaign_refusal.lock().unwrap() = None;
    act(&app, "autumn", "start").await.is(202);
    let shown = show(&app, "autumn").await;
    assert_eq!((&shown["state"], &shown["desired_state"]), (&json!("running"), &json!("open")));
    assert_eq!(act(&app, "autumn", "start").await.is(409).code(), "already_open");
    assert_eq!(act(&app, "autumn", "archive").await.is(409).code(), "already_open");
    assert_eq!(app.by(MANAGER, "delete", "/campaigns/autumn", None).await.is(409).code(), "in_use");
    // A new version of an open campaign is applied; its name stays.
    patch(&app, "autumn", json!({ "calling": { "calls_per_sec": 3 } })).await.is(200);
    let requests = app.campaign_requests.lock().unwrap().clone();
    let words: Vec<&str> = requests.iter().map(String::as_str).collect();
    assert_eq!(words, ["open", "open", "apply"]);
    assert_eq!(
        patch(&app, "autumn", json!({ "name": "other" })).await.is(422).json()["errors"][0]["at"],
        "/name"
    );
    // The engine does not have it yet: what is asked for meanwhile stands in the row, which its opening reads.
    act(&app, "autumn", "pause").await.is(202);
    let shown = show(&app, "autumn").await;
    assert_eq!((&shown["state"], &shown["desired_state"]), (&json!("paused"), &json!("paused")));
    app.tasks.stop().await;
}

#[tokio::test]
async fn unapproved_bytes_keep_a_campaign_waiting() {
    let app = working().await;
    switch(&app, |settings| settings.approve_audio = true).await;
    make(&app, TEXT).await;
    load_list(&app, "autumn", "phone\n13800138000\n").await;
    let sound = upload_sound(&app, "notice.wav", 8_000).await;
    let body = json!({ "fields": { "announcement": { "file": "notice.wav" } } });
    let tried = app.by(MANAGER, "patch", "/campaigns/autumn?dry_run=true", Some(body)).await.is(200).json();
    assert_eq!(tried["effects"][0]["when"], "after_approval", "{tried}");
    patch(&app, "autumn", json!({ "announcement": { "file": "notice.wav" } })).await.is(200);
    let shown = show(&app, "autumn").await;
    assert_eq!(
        (&shown["state"], &shown["waiting_for"][0]["id"]),
        (&json!("waiting"), &json!(sound)),
        "{shown}"
    );
    let refused = act(&app, "autumn", "start").await.is(409).json();
    assert_eq!(
        (&refused["code"], &refused["waiting_for"][0]["kind"]),
        (&json!("not_approved"), &json!("audio"))
    );
    let waiting = app.get(ADMIN, "/approvals").await.is(200).json();
    let path = format!("/approvals/{}/actions", waiting["items"][0]["id"]);
    app.post(ADMIN, &path, json!({ "action": "approve" })).await.is(204);
    assert_eq!(show(&app, "autumn").await["state"], "ready");
    act(&app, "autumn", "start").await.is(202);
    app.tasks.stop().await;
}

#[tokio::test]
async fn pause_resume_and_archive_are_written_with_the_audit() {
    let app = working().await;
    make(&app, TEXT).await;
    act(&app, "autumn", "archive").await.is(202);
    assert_eq!(show(&app, "autumn").await["state"], "archived");
    let id = app.store.campaign_row(&paceline::store::Scope::first(), "spring").await.unwrap().unwrap().id;
    app.open_campaign(id, "spring", "vote").await;
    for (action, state, desired) in
        [("pause", "paused", "paused"), ("resume", "running", "open"), ("drain", "draining", "draining")]
    {
        act(&app, "spring", action).await.is(202);
        let shown = show(&app, "spring").await;
        assert_eq!((&shown["state"], &shown["desired_state"]), (&json!(state), &json!(desired)), "{action}");
        let audit = app.get(ADMIN, "/audit?subject=campaign:spring").await.is(200).json();
        assert_eq!(audit["items"][0]["after"]["action"], action);
    }
    app.tasks.stop().await;
}

#[tokio::test]
async fn campaigns_of_others_are_not_there() {
    let app = working().await;
    make(&app, TEXT).await;
    let organisation = paceline::store::Scope { enterprise: 2, organisations: vec![2] };
    assert!(app.store.campaign_row(&organisation, "autumn").await.unwrap().is_none());
    assert!(app.store.campaign_rows(&organisation, None, 10).await.unwrap().is_empty());
    // Without a group it is no shift lead's.
    app.get(LEAD, "/campaigns/autumn").await.is(404);
    app.get("8004", "/campaigns/autumn").await.is(200);
    app.get("8001", "/campaigns/autumn").await.is(403);
    app.by(LEAD, "put", "/campaigns/autumn", Some(json!({ "toml": TEXT }))).await.is(403);
    app.post(LEAD, "/campaigns/autumn/actions", json!({ "action": "start" })).await.is(404);
    app.tasks.stop().await;
}
