//! A campaign's folder as a zip, in and out: the same bytes come back, what is no folder is refused with what and where,
//! and an import that was cut off goes on.

use super::lists::{ended, switch, working};
use super::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

const MANAGER: &str = "8003";
const ADMIN: &str = "8005";
const ZIP: &str = "application/zip";

const TEXT: &str = "# The autumn vote\nname = \"autumn\"\ntitle = \"秋季投票\"\nmode = \"announce\"\n\n[list]\nfile = \"业主.csv\"\n\
                    blacklists = [\"blacklist.csv\"]\n\n[calling]\nring_secs = 30   # usual: 45\nholidays = \"days.txt\"\n\n\
                    [announcement]\nfile = \"notice.wav\"\n";
const LIST: &str = "姓名,手机\n张伟,13800138000\n李娜,13800138001\n王芳,13800138002\n";

/// One second of a tone as WAV.
fn sound(tone: f64) -> Vec<u8> {
    let data: Vec<u8> =
        (0..8_000).flat_map(|n| (((f64::from(n) * tone).sin() * 9_000.0) as i16).to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// A folder of this text with all its files.
fn folder(text: &str) -> Vec<(&str, Vec<u8>)> {
    vec![
        ("campaign.toml", text.as_bytes().to_vec()),
        ("业主.csv", LIST.as_bytes().to_vec()),
        ("blacklist.csv", b"phone\n13800138002\n".to_vec()),
        ("days.txt", b"2027-01-01\n".to_vec()),
        ("notice.wav", sound(0.35)),
    ]
}

fn packed(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unpacked(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut all = BTreeMap::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let (name, mut bytes) = (member.name().unwrap().into_owned(), Vec::new());
        member.read_to_end(&mut bytes).unwrap();
        all.insert(name, bytes);
    }
    all
}

async fn send(app: &TestApp, by: &str, key: &str, zip: Vec<u8>) -> Answer {
    let mut request = app.request(by, "post", "/campaigns", None).await;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, ZIP.parse().unwrap());
    headers.insert(header::CONTENT_LENGTH, zip.len().to_string().parse().unwrap());
    if !key.is_empty() {
        headers.insert("idempotency-key", key.parse().unwrap());
    }
    *request.body_mut() = Body::from(zip);
    app.send(request).await
}

/// Sends a folder and waits for its import.
async fn import(app: &TestApp, key: &str, members: &[(&str, Vec<u8>)]) -> Value {
    let begun = send(app, MANAGER, key, packed(members)).await.is(202).json();
    ended(app, &begun["task"]).await
}

async fn export(app: &TestApp, by: &str, name: &str) -> Answer {
    let mut request = app.request(by, "get", &format!("/campaigns/{name}"), None).await;
    request.headers_mut().insert(header::ACCEPT, ZIP.parse().unwrap());
    app.send(request).await
}

async fn leads(app: &TestApp, name: &str) -> u64 {
    let campaign = app.store.reader().await.unwrap().campaign(name).await.unwrap().id;
    app.store.lead_counts(campaign).await.unwrap().all
}

#[tokio::test]
async fn a_folder_goes_in_and_comes_out_with_the_same_bytes() {
    let app = working().await;
    let mut members = folder(TEXT);
    members.push(("notes.txt", b"mine".to_vec()));
    let begun = send(&app, MANAGER, "one", packed(&members)).await.is(202);
    assert_eq!(begun.json()["campaign"], "autumn");
    let task = begun.json()["task"].clone();
    assert!(begun.headers[header::LOCATION].to_str().unwrap().ends_with(&format!("/tasks/{task}")));
    let done = ended(&app, &task).await;
    assert_eq!((&done["state"], &done["kind"]), (&json!("done"), &json!("import_campaign")), "{done}");
    assert_eq!(done["result"]["ignored"], json!(["notes.txt"]), "what the text does not name is named");
    // One of the three is on the folder's blacklist.
    assert_eq!((done["result"]["list"]["state"].as_str(), leads(&app, "autumn").await), (Some("loaded"), 2));
    let shown = app.get(MANAGER, "/campaigns/autumn").await.is(200).json();
    assert_eq!((&shown["toml"], &shown["state"]), (&json!(TEXT), &json!("ready")), "{shown}");
    assert_eq!(shown["changed_by"], MANAGER);

    let out = export(&app, "8003", "autumn").await.is(200);
    assert!(out.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("autumn.zip"));
    let sent: BTreeMap<String, Vec<u8>> =
        folder(TEXT).into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    assert_eq!(unpacked(&out.body), sent);
    assert_eq!(export(&app, "8003", "autumn").await.body, out.body, "the same folder gives the same zip");
    let audit = app.get(ADMIN, "/audit?subject=campaign_folder:autumn").await.is(200).json();
    let kinds: Vec<&str> =
        audit["items"].as_array().unwrap().iter().filter_map(|row| row["subject_kind"].as_str()).collect();
    assert!(kinds.contains(&"campaign_folder"), "the download is in the audit: {audit}");

    // A change of the text keeps the files that it still names.
    let body = json!({ "fields": { "calling": { "ring_secs": 40 } } });
    let mut request = app.request(MANAGER, "patch", "/campaigns/autumn", Some(body)).await;
    request.headers_mut().insert(header::IF_MATCH, "\"v1\"".parse().unwrap());
    app.send(request).await.is(200);
    let changed = unpacked(&export(&app, "8003", "autumn").await.is(200).body);
    assert_eq!(changed.keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>());
    assert_eq!(String::from_utf8(changed["campaign.toml"].clone()).unwrap(), TEXT.replace("= 30 ", "= 40 "));
    // The folder that was sent is not kept beside its parts.
    let kept = app.store.blob_paths().await.unwrap();
    assert!(kept.iter().all(|path| !path.contains("campaign_folder")), "{kept:?}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_name_and_a_title_that_are_given_replace_those_of_the_text_and_nothing_else() {
    let app = working().await;
    let path = "/campaigns?name=winter&title=%E5%86%AC%E5%AD%A3";
    let mut request = app.request(MANAGER, "post", path, None).await;
    let zip = packed(&folder(TEXT));
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, ZIP.parse().unwrap());
    headers.insert(header::CONTENT_LENGTH, zip.len().to_string().parse().unwrap());
    headers.insert("idempotency-key", "named".parse().unwrap());
    *request.body_mut() = Body::from(zip);
    let begun = app.send(request).await.is(202).json();
    assert_eq!(begun["campaign"], "winter");
    assert_eq!(ended(&app, &begun["task"]).await["state"], "done");
    let shown = app.get(MANAGER, "/campaigns/winter").await.is(200).json();
    assert_eq!(shown["title"], "冬季", "{shown}");
    let text = shown["toml"].as_str().unwrap();
    let is_named = |line: &&str| line.starts_with("name =") || line.starts_with("title =");
    let rest =
        |text: &str| text.lines().filter(|line| !is_named(line)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rest(text), rest(TEXT), "comments and the order stay");
    app.get(MANAGER, "/campaigns/autumn").await.is(404);
}

#[tokio::test]
async fn the_same_request_again_imports_once_and_a_taken_name_is_refused() {
    let app = working().await;
    let zip = packed(&folder(TEXT));
    let begun = send(&app, MANAGER, "one", zip.clone()).await.is(202).json();
    let again = send(&app, MANAGER, "one", zip.clone()).await.is(202);
    assert_eq!(
        (again.json(), again.headers["idempotency-replayed"].to_str().unwrap()),
        (begun.clone(), "true")
    );
    ended(&app, &begun["task"]).await;
    let taken = send(&app, MANAGER, "two", zip.clone()).await.is(409);
    assert_eq!(taken.code(), "name_taken");
    assert_eq!(send(&app, MANAGER, "", zip.clone()).await.is(400).code(), "key_missing");
    for number in ["8001", "8002", "8004", "8006"] {
        send(&app, number, "three", zip.clone()).await.is(403);
    }
    app.tasks.stop().await;
}

#[tokio::test]
async fn every_sample_comes_out_as_a_folder_that_goes_in_and_out_unchanged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let (first, second) = (working().await, working().await);
    for entry in std::fs::read_dir(&root).unwrap() {
        let dir = entry.unwrap().path();
        let file = dir.join("campaign.toml");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let loaded =
            paceline::config::LoadedCampaign::load(&file, &paceline::config::Config::default()).unwrap();
        let name = loaded.rules.name.as_str();
        let new = paceline::store::NewCampaign {
            name,
            title: &loaded.title,
            mode: loaded.rules.mode.word(),
            timezone: "Asia/Shanghai",
            toml: &text,
            retry: &loaded.rules.retry,
        };
        let id = first.store.define_campaign(&new).await.unwrap();
        first.store.note_campaign_file(id, &file.display().to_string(), "").await.unwrap();
        let out = export(&first, MANAGER, name).await.is(200);
        let files = unpacked(&out.body);
        for (member, bytes) in files.iter().filter(|(member, _)| *member != "campaign.toml") {
            let source =
                [dir.join(member), root.join(member)].into_iter().find(|path| path.exists()).unwrap();
            assert_eq!(*bytes, std::fs::read(source).unwrap(), "{name}: {member}");
        }
        let written = String::from_utf8(files["campaign.toml"].clone()).unwrap();
        assert_eq!(
            written,
            text.replace("\"../blacklist.csv\"", "\"blacklist.csv\""),
            "only paths became names"
        );
        // A folder by itself: unpacked elsewhere it can be read with all its files.
        let there = tempfile::tempdir().unwrap();
        for (member, bytes) in &files {
            std::fs::write(there.path().join(member), bytes).unwrap();
        }
        let read = paceline::config::LoadedCampaign::load(
            &there.path().join("campaign.toml"),
            &paceline::config::Config::default(),
        );
        assert!(read.unwrap().list.blacklists.iter().all(|path| path.exists()));

        let begun = send(&second, MANAGER, name, out.body.clone()).await.is(202).json();
        let done = ended(&second, &begun["task"]).await;
        assert_eq!(done["state"], "done", "{done}");
        assert!(leads(&second, name).await > 50, "{name}");
        let again = export(&second, MANAGER, name).await.is(200);
        assert!(again.body == out.body, "{name}: in and out gives the same zip");
    }
    first.tasks.stop().await;
    second.tasks.stop().await;
}

#[tokio::test]
async fn a_zip_that_is_no_folder_is_refused_at_once_with_what_and_where() {
    let app = working().await;
    let with = |name: &'static str, bytes: Vec<u8>| {
        let mut members = folder(TEXT);
        members.retain(|(known, _)| *known != name);
        members.push((name, bytes));
        packed(&members)
    };
    let link = {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("campaign.toml", options).unwrap();
        zip.write_all(TEXT.as_bytes()).unwrap();
        zip.add_symlink("notice.wav", "/etc/passwd", options).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let names: Vec<String> = (0..70).map(|n| format!("f{n}.txt")).collect();
    let many: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    // The second name is changed in the finished zip, where no writer checks it: two files of one name.
    let mut twice = packed(&[
        ("campaign.toml", TEXT.into()),
        ("notice.wav", b"a".to_vec()),
        ("notice.waw", b"b".to_vec()),
    ]);
    let at: Vec<usize> = (0..twice.len() - 10).filter(|at| &twice[*at..at + 10] == b"notice.waw").collect();
    at.iter().for_each(|at| twice[at + 9] = b'v');
    let mut cut = packed(&folder(TEXT));
    cut.truncate(cut.len() - 40);
    // The directory says that a file is small; it is not.
    let mut lying = with("notice.wav", vec![b'x'; 1 << 20]);
    let entry = lying.windows(10).rposition(|bytes| bytes == b"notice.wav").unwrap() - 46;
    lying[entry + 24..entry + 28].copy_from_slice(&10_u32.to_le_bytes());

    for (zip, words) in [
        (b"no zip at all, but some text".to_vec(), "this is no zip"),
        (Vec::new(), "this is no zip"),
        (cut, "no end"),
        (packed(&[("list.csv", LIST.into())]), "no campaign.toml"),
        (packed(&many), "70 files"),
        (packed(&[("autumn/campaign.toml", TEXT.into())]), "lies in a folder"),
        (with("../notice.wav", Vec::new()), "leads out of the zip"),
        (with("/etc/passwd", Vec::new()), "leads out of the zip"),
        (with("C:\\x", Vec::new()), "leads out of the zip"),
        (with("Notice.WAV", Vec::new()), "take one of them out"),
        (twice, "two files of one name"),
        (link, "is a link"),
        (with("bomb.csv", vec![b' '; 64 << 20]), "times its size"),
        (with("campaign.toml", vec![b'#'; 70 << 10]), "campaign.toml has 71680 bytes"),
        (with("campaign.toml", b"name = \"\xff\"".to_vec()), "UTF-8"),
    ] {
        let refused = send(&app, MANAGER, "bad", zip).await.is(422);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{detail}\nshould say {words}");
        assert!(
            refused.json()["errors"][0]["words"]["zh"].as_str().is_some_and(|zh| !zh.is_empty()),
            "{detail}"
        );
    }
    // Faults of the text, each with its key.
    for (text, key) in [
        (TEXT.replace("[calling]", "[callin]"), ""),
        (TEXT.replace("notice.wav", "gone.wav"), "/announcement/file"),
        (TEXT.replace("blacklist.csv", "../blacklist.csv"), "/list/blacklists"),
        (TEXT.replace("业主.csv", "/etc/passwd"), "/list/file"),
        (format!("{TEXT}[results]\ndir = \"/srv\"\n"), "/results/dir"),
        (TEXT.replace("ring_secs = 30", "ring_secs = 1"), "/calling/ring_secs"),
    ] {
        let refused = send(&app, MANAGER, "text", packed(&folder(&text))).await.is(422);
        assert_eq!(refused.code(), "campaign_faulty");
        let at = refused.json()["errors"][0]["at"].as_str().unwrap().to_owned();
        assert!(at == key || (key.is_empty() && at.starts_with("campaign.toml:")), "{at} {key}");
    }
    // Found when it is unpacked: the task says it, and nothing of the campaign is there.
    for (zip, words) in [
        (lying, "`notice.wav` in the zip cannot be unpacked"),
        (with("notice.wav", b"this is no sound".to_vec()), "notice.wav"),
        (with("blacklist.csv", b"phone\nnobody\n".to_vec()), "blacklist.csv"),
    ] {
        let begun = send(&app, MANAGER, words.split(' ').next().unwrap(), zip).await.is(202).json();
        let failed = ended(&app, &begun["task"]).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        assert!(failed["error"]["en"].as_str().unwrap().contains(words), "{failed}");
        app.get(MANAGER, "/campaigns/autumn").await.is(404);
    }
    let kept = app.store.blob_paths().await.unwrap();
    assert_eq!(kept.len(), 0, "of what was refused nothing is kept: {kept:?}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_reader_without_numbers_gets_the_folder_without_its_lists() {
    let app = working().await;
    assert_eq!(import(&app, "one", &folder(TEXT)).await["state"], "done");
    let out = unpacked(&export(&app, "8004", "autumn").await.is(200).body);
    assert_eq!(out.keys().collect::<Vec<_>>(), ["campaign.toml", "days.txt", "notice.wav"]);
    let text = String::from_utf8(out["campaign.toml"].clone()).unwrap();
    assert!(
        text.starts_with(TEXT) && text.contains("left out") && text.contains("业主.csv, blacklist.csv"),
        "{text}"
    );
    switch(&app, |settings| settings.analysts_read_numbers = true).await;
    assert_eq!(unpacked(&export(&app, "8004", "autumn").await.is(200).body).len(), 5);
    export(&app, "8001", "autumn").await.is(403);
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_campaign_with_uploaded_lists_comes_out_as_a_folder_that_runs() {
    let app = working().await;
    let text = "name = \"winter\"\nmode = \"announce\"\n";
    app.post(MANAGER, "/campaigns", json!({ "toml": text })).await.is(201);
    for (name, rows) in [("a.csv", "甲,乙\n13800138000,x\n"), ("b.csv", "phone\n13800138001\n")] {
        let path = format!("/campaigns/winter/lists?file_name={name}");
        let added = super::lists::send_file(&app, MANAGER, &path, rows.into()).await.is(201).json();
        ended(&app, &added["task"]).await;
        let id = added["list"]["id"].as_i64().unwrap();
        let mut task = Value::Null;
        if name == "a.csv" {
            let body = json!({ "mapping": { "phones": ["甲"], "name": "乙" } });
            let mut request = app.request(MANAGER, "patch", &format!("/lists/{id}"), Some(body)).await;
            request.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
            task = app.send(request).await.is(202).json()["task"].clone();
        }
        if !task.is_null() {
            ended(&app, &task).await;
        }
        let mut request = app
            .request(MANAGER, "post", &format!("/lists/{id}/actions"), Some(json!({ "action": "load" })))
            .await;
        request
            .headers_mut()
            .insert("idempotency-key", format!("load {name}").replace(' ', "-").parse().unwrap());
        let begun = app.send(request).await.is(202).json();
        assert_eq!(ended(&app, &begun["task"]).await["state"], "done");
    }
    let out = unpacked(&export(&app, MANAGER, "winter").await.is(200).body);
    assert_eq!(out.keys().collect::<Vec<_>>(), ["a.csv", "b.csv", "campaign.toml"]);
    let text = String::from_utf8(out["campaign.toml"].clone()).unwrap();
    assert!(text.contains("file = \"a.csv\"") && text.contains("phones = [\"甲\"]"), "{text}");
    assert!(text.contains("paceline list add campaign.toml \"b.csv\""), "{text}");
    // Taken in again it has both lists, and comes out with the same bytes.
    let renamed = text.replace("\"winter\"", "\"rain\"");
    let members = [
        ("campaign.toml", renamed.clone().into_bytes()),
        ("a.csv", out["a.csv"].clone()),
        ("b.csv", out["b.csv"].clone()),
    ];
    let done = import(&app, "both", &members).await;
    assert_eq!((&done["state"], &done["result"]["ignored"]), (&json!("done"), &json!([])), "{done}");
    assert_eq!(done["result"]["further"][0]["state"], "loaded", "{done}");
    assert_eq!(leads(&app, "rain").await, leads(&app, "winter").await);
    let mut again = unpacked(&export(&app, MANAGER, "rain").await.is(200).body);
    assert_eq!(String::from_utf8(again.remove("campaign.toml").unwrap()).unwrap(), renamed);
    assert_eq!((&again["a.csv"], &again["b.csv"], again.len()), (&out["a.csv"], &out["b.csv"], 2));
    app.tasks.stop().await;
}

#[tokio::test]
async fn where_approvals_are_asked_for_the_folder_waits_for_them() {
    let app = working().await;
    switch(&app, |settings| (settings.approve_lists, settings.approve_audio) = (true, true)).await;
    let done = import(&app, "one", &folder(TEXT)).await;
    assert_eq!(
        (&done["state"], &done["result"]["list"]["state"]),
        (&json!("done"), &json!("waiting")),
        "{done}"
    );
    assert_eq!(leads(&app, "autumn").await, 0, "nobody is called of a list that waits");
    let mut kinds = Vec::new();
    let sounds = app.get(MANAGER, "/audio").await.is(200).json();
    ended(&app, &sounds["items"][0]["task"]).await;
    let shown = app.get(MANAGER, "/campaigns/autumn").await.is(200).json();
    for waiting in shown["waiting_for"].as_array().unwrap() {
        kinds.push(waiting["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!((&shown["state"], kinds), (&json!("waiting"), vec!["list".to_owned(), "audio".to_owned()]));
    let own = app.get(MANAGER, "/approvals").await.is(200).json();
    assert_eq!(own["items"], json!([]), "the importer decides neither");
    assert_eq!(app.get(ADMIN, "/approvals").await.is(200).json()["items"].as_array().unwrap().len(), 2);
    // Another sound of a name that is taken would go round its approval.
    let mut other = folder(TEXT);
    let renamed = TEXT.replace("\"autumn\"", "\"other\"");
    other[0].1 = renamed.into_bytes();
    other[4].1 = sound(0.5);
    let refused = import(&app, "two", &other).await;
    assert!(
        refused["error"]["en"].as_str().unwrap().contains("another sound is named notice.wav"),
        "{refused}"
    );
    app.tasks.stop().await;
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on_and_imports_once() {
    let app = working().await;
    app.tasks.stop().await;
    let begun = send(&app, MANAGER, "one", packed(&folder(TEXT))).await.is(202).json();
    // Taken, and the process ends before its first row.
    app.store.take_task().await.unwrap().expect("the import");
    let (dir, clock) = (app.dir.clone(), app.clock.clone());
    drop(app);
    let app = TestApp::open(dir, clock).await;
    app.tasks.begin().await.unwrap();
    let done = ended(&app, &begun["task"]).await;
    assert_eq!((&done["state"], leads(&app, "autumn").await), (&json!("done"), 2), "{done}");
    // Again from the state after its rows: as if the end had not been written.
    app.tasks.stop().await;
    let url = format!("sqlite://{}", app.store.path().display());
    let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("update task set state = 'running', result = null where kind = 'import_campaign'")
        .execute(&mut conn)
        .await
        .unwrap();
    drop(conn);
    let (dir, clock) = (app.dir.clone(), app.clock.clone());
    drop(app);
    let app = TestApp::open(dir, clock).await;
    app.tasks.begin().await.unwrap();
    let done = ended(&app, &begun["task"]).await;
    assert_eq!((&done["state"], leads(&app, "autumn").await), (&json!("done"), 2), "{done}");
    app.tasks.stop().await;
}

#[tokio::test]
async fn a_folder_that_came_out_runs_by_itself() {
    let app = working().await;
    let text = TEXT.replace(
        "ring_secs = 30   # usual: 45",
        "ring_secs = 5\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]",
    ) + "input_wait_secs = 1\n[retry]\nattempts_max = 1\n";
    assert_eq!(import(&app, "one", &folder(&text)).await["state"], "done");
    let out = unpacked(&export(&app, MANAGER, "autumn").await.is(200).body);
    app.tasks.stop().await;
    let there = tempfile::tempdir().unwrap();
    for (member, bytes) in &out {
        std::fs::write(there.path().join(member), bytes).unwrap();
    }
    let mut run = tokio::process::Command::new(env!("CARGO_BIN_EXE_paceline"));
    run.args(["run", "campaign.toml", "--json"])
        .current_dir(there.path())
        .env("LC_ALL", "C")
        .kill_on_drop(true);
    let ran = tokio::time::timeout(Duration::from_secs(240), run.output()).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let sums: Value = serde_json::from_slice(&ran.stdout).expect("its sums");
    assert_eq!(sums["summary"]["attempts"], 2, "{sums}");
}
