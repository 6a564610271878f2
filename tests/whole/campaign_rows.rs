//! Campaigns that are made over the API of a running service: started with an uploaded list and sound, paused, and
//! opened again after a restart. And campaign files whose rows were changed over the API.

use super::Site;
use super::uploads::{Service, until};
use serde_json::{Value, json};

/// A site whose service opens campaigns from a folder, on the built-in simulated carrier.
pub(super) fn site() -> Site {
    let site = Site::new("127.0.0.1:5060".parse().expect("an address"), 1, "");
    site.write(
        "paceline.toml",
        // The disk of a build machine may be nearly full.
        "[files]\nfree_gib_min = 0\nfree_pct_min = 0\n[http]\nlisten = \"127.0.0.1:0\"\n[sip]\nlisten = [\"udp://127.0.0.1:0\"]\n",
    );
    site.write("list.csv", "phone,name\n15400610000,a\n15400610023,b\n");
    let hours = "[calling]\ncalls_per_sec = 50.0\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
                 [retry]\nattempts_max = 1\n";
    let campaign = std::fs::read_to_string(site.path("campaign.toml")).expect("a campaign");
    site.write("campaign.toml", &format!("{campaign}\n{hours}"));
    site
}

pub(super) const ROW: &str = "# made over the API\nname = \"row\"\nmode = \"announce\"\n[calling]\ncalls_per_sec = 50.0\n\
                   windows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n[retry]\nattempts_max = 1\n\
                   [announcement]\nfile = \"notice.wav\"\ninput_wait_secs = 1\n";

pub(super) fn json_request(service: &Service, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let head = "Content-Type: application/json\r\nIf-Match: *\r\n";
    service.request(method, path, head, body.to_string().as_bytes()).expect("an answer")
}

#[track_caller]
pub(super) fn send(service: &Service, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let (found, answer) = json_request(service, method, path, body);
    assert_eq!(found, status, "{method} {path}: {answer}");
    answer
}

pub(super) fn get(service: &Service, path: &str) -> Value {
    service.request("GET", path, "", &[]).expect("an answer").1
}

/// Sends the sound of the site and waits until it is measured.
pub(super) fn upload_sound(service: &Service, site: &Site) {
    let bytes = std::fs::read(site.path("notice.wav")).expect("a sound");
    let head = "Content-Type: application/octet-stream\r\nIdempotency-Key: sound\r\n";
    let (status, answer) =
        service.request("POST", "/audio?name=notice.wav", head, &bytes).expect("an answer");
    assert_eq!(status, 201, "{answer}");
    let done = service.ended(&answer["task"]);
    assert_eq!(done["state"], "done", "{done}");
}

pub(super) fn state(service: &Service, name: &str) -> Value {
    get(service, &format!("/campaigns/{name}"))["state"].clone()
}

pub(super) fn calls(service: &Service, name: &str) -> Vec<Value> {
    let answer = get(service, &format!("/calls?campaign={name}"));
    answer["calls"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_campaign_of_the_api_is_started_and_opened_again_after_a_restart() {
    let site = site();
    let mut service = Service::start(&site, &["serve"]);
    upload_sound(&service, &site);
    send(&service, "POST", "/campaigns", &json!({ "toml": ROW }), 201);
    let list = service.upload_to("row", "first.csv", b"phone,name\n15400610000,a\n15400610023,b\n");
    let task = service.load(&list);
    assert_eq!(service.ended(&task)["state"], "done");
    assert_eq!(state(&service, "row"), "ready");
    send(&service, "POST", "/campaigns/row/actions", &json!({ "action": "start" }), 202);
    until("the calls", || {
        let calls = calls(&service, "row");
        (calls.len() == 2 && calls.iter().all(|call| !call["ended_at"].is_null())).then_some(())
    });
    until("the end", || (state(&service, "row") == "finished").then_some(()));
    // Paused, a further list waits; so it does after a restart.
    let list = service.upload_to("row", "second.csv", b"phone,name\n15400610100,c\n");
    send(&service, "POST", "/campaigns/row/actions", &json!({ "action": "pause" }), 202);
    let task = service.load(&list);
    assert_eq!(service.ended(&task)["state"], "done");
    service.kill();
    drop(service);
    let service = Service::start(&site, &["serve"]);
    until("the campaign", || (state(&service, "row") == "paused").then_some(()));
    assert_eq!(calls(&service, "row").len(), 2);
    // A change of the open campaign is its next version; then it goes on.
    let patch = json!({ "fields": { "calling": { "ring_secs": 20 } } });
    assert_eq!(send(&service, "PATCH", "/campaigns/row", &patch, 200)["version"], 2);
    send(&service, "POST", "/campaigns/row/actions", &json!({ "action": "resume" }), 202);
    until("the third call", || (calls(&service, "row").len() == 3).then_some(()));
    let text = get(&service, "/campaigns/row")["toml"].clone();
    assert!(text.as_str().expect("a text").starts_with("# made over the API"), "{text}");
}

#[test]
fn one_that_cannot_be_opened_again_says_why_and_does_not_stop_the_others() {
    let site = site();
    let mut service = Service::start(&site, &["serve"]);
    upload_sound(&service, &site);
    for name in ["row", "other"] {
        send(
            &service,
            "POST",
            "/campaigns",
            &json!({ "toml": ROW.replace("\"row\"", &format!("\"{name}\"")) }),
            201,
        );
        let rows: String = (0..200).map(|n| format!("154{:08}\n", 10_000_000 + n)).collect();
        let list = service.upload_to(name, &format!("{name}.csv"), format!("phone\n{rows}").as_bytes());
        let task = service.load(&list);
        assert_eq!(service.ended(&task)["state"], "done");
        let slow = json!({ "fields": { "calling": { "calls_per_sec": 1.0 } } });
        send(&service, "PATCH", &format!("/campaigns/{name}"), &slow, 200);
        send(&service, "POST", &format!("/campaigns/{name}/actions"), &json!({ "action": "start" }), 202);
    }
    service.kill();
    drop(service);
    // The text in the store is broken by hand.
    let broken = "update campaign set toml = 'name = 3' where name = 'row'";
    site.sql(broken);
    let service = Service::start(&site, &["serve"]);
    until("the other campaign", || (state(&service, "other") == "running").then_some(()));
    let row = get(&service, "/campaigns/row");
    assert_eq!(row["desired_state"], "open", "{row}");
    assert!(row["trouble"]["en"].as_str().is_some_and(|why| why.contains("campaign.toml:1")), "{row}");
}

#[test]
fn a_file_and_its_row_that_were_both_changed_are_named() {
    let site = site();
    let service = Service::start(&site, &["serve", "--campaigns", ".", "--paused", "campaign.toml"]);
    let file = std::fs::read_to_string(site.path("campaign.toml")).expect("a campaign");
    // The API answers before the file is opened.
    let opened = |service: &Service| {
        until("the campaign", || Some(get(service, "/campaigns/whole")).filter(|it| it["version"].is_u64()))
    };
    let shown = opened(&service);
    assert_eq!(
        (&shown["toml"], &shown["version"], &shown["source"]),
        (&json!(file), &json!(1), &json!("file"))
    );
    let patch = json!({ "fields": { "calling": { "ring_secs": 20 } } });
    assert_eq!(send(&service, "PATCH", "/campaigns/whole", &patch, 200)["version"], 2);
    drop(service);

    // The file is as it was: the text of the API stands.
    let service = Service::start(&site, &["serve", "--campaigns", ".", "--paused", "campaign.toml"]);
    assert_eq!(opened(&service)["version"], 2);
    drop(service);
    // Both were changed.
    site.write("campaign.toml", &file.replace("attempts_max = 1", "attempts_max = 2"));
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("campaign.toml") && err.contains("version 2") && err.contains("--use"), "{err}");
    let service = Service::start(&site, &["serve", "--campaigns", "."]);
    let opening = json!({ "file": "campaign.toml", "paused": true });
    let (status, refused) = json_request(&service, "POST", "/campaigns", &opening);
    assert_eq!((status, &refused["code"]), (409, &json!("changed_in_both")), "{refused}");
    drop(service);
    let service = Service::start(&site, &["serve", "--paused", "--use", "store", "campaign.toml"]);
    let shown = get(&service, "/campaigns/whole");
    assert_eq!((&shown["version"], &shown["fields"]["calling"]["ring_secs"]), (&json!(2), &json!(20)));
    drop(service);
    // From then on the file is known; changed again, it is asked about again.
    site.write("campaign.toml", &file.replace("attempts_max = 1", "attempts_max = 3"));
    let (code, _, err) = site.run(&["run", "--use", "file", "campaign.toml"]);
    assert_eq!(code, 0, "{err}");
    let service = Service::start(&site, &["serve"]);
    let shown = get(&service, "/campaigns/whole");
    assert_eq!(
        (&shown["version"], &shown["fields"]["retry"]["attempts_max"]),
        (&json!(3), &json!(3)),
        "{shown}"
    );
}

/// In, then out: the bytes of every sample's file.
#[test]
fn each_sample_comes_out_as_it_went_in() {
    let site = site();
    let samples = std::fs::canonicalize("campaigns").expect("the samples");
    let folder = samples.display().to_string();
    let service = Service::start(&site, &["serve", "--campaigns", &folder]);
    let mut seen = 0;
    for entry in std::fs::read_dir(&samples).expect("the samples") {
        let file = entry.expect("an entry").path().join("campaign.toml");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let below = file.strip_prefix(&samples).expect("below").display().to_string();
        let made = send(&service, "POST", "/campaigns", &json!({ "file": below, "paused": true }), 201);
        let name = made["name"].as_str().expect("a name");
        let out = service.bytes("GET", &format!("/campaigns/{name}"), "Accept: application/toml\r\n");
        assert_eq!(String::from_utf8(out).expect("text"), text, "{below}");
        seen += 1;
    }
    assert!(seen >= 2, "{seen} samples");
}
