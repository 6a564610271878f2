//! Test calls before the start of a campaign: placed by its own text, no lead is touched, and whatever comes in between
//! (a crash, a start, a change) leaves the campaign as people asked for it.

use super::Site;
use super::campaign_rows::{ROW, calls, get, json_request, send, site, state, upload_sound};
use super::uploads::{Service, until};
use serde_json::{Value, json};

/// Every callee answers, hears all of it and presses 1, if `key` is so.
fn people(site: &Site, key: bool) {
    let press = if key { "press = { 1 = 1.0 }\nafter = { median_secs = 0.3 }\n" } else { "press = {}\n" };
    site.write(
        "people.toml",
        &format!("seed = 3\n{SHARES}[keys]\n{press}[listening]\nearly_share = 0\nto_the_end = 1\n"),
    );
}

const SHARES: &str = "[shares]\nanswer = 1.0\nvoicemail = 0\nbusy = 0\nno_answer = 0\nreject = 0\npowered_off = 0\n\
    unreachable = 0\nvacant = 0\nsuspended = 0\nrestricted = 0\n[post_dial]\ndelay = { median_secs = 0.05 }\n\
    [ring]\nuntil_answer = { median_secs = 0.3 }\n";

const SERVE: [&str; 3] = ["serve", "--people", "people.toml"];
const OWN: &str = "15400618888";

/// A text whose calls last until their callee presses 1, or for `wait` seconds.
fn text(wait: u32) -> String {
    let text = ROW.replace("input_wait_secs = 1", &format!("input_wait_secs = {wait}"));
    format!("{text}[keys]\n1 = {{ result = \"agree\" }}\n")
}

fn made(service: &Service, site: &Site, wait: u32) {
    upload_sound(service, site);
    send(service, "POST", "/campaigns", &json!({ "toml": text(wait) }), 201);
}

fn with_list(service: &Service) {
    let list = service.upload_to("row", "first.csv", b"phone,name\n15400610000,a\n15400610001,b\n");
    let task = service.load(&list);
    assert_eq!(service.ended(&task)["state"], "done");
}

fn test_call(service: &Service) -> i64 {
    let asked = json!({ "action": "test_call", "number": OWN });
    send(service, "POST", "/campaigns/row/actions", &asked, 202)["attempt"].as_i64().expect("an attempt")
}

fn trace(service: &Service, attempt: i64) -> Value {
    get(service, &format!("/calls/{attempt}/trace"))
}

fn ended(service: &Service, attempt: i64) -> Value {
    until("the end of the test call", || {
        Some(trace(service, attempt)).filter(|it| it["ended_at"].is_string())
    })
}

fn item(service: &Service) -> Value {
    let list = get(service, "/campaigns/row/checklist");
    let items = list["items"].as_array().expect("items").iter();
    items.clone().find(|item| item["code"] == "test_call").expect("the item").clone()
}

fn open_leads(service: &Service) -> Value {
    let page = get(service, "/campaigns/row/leads?state=open");
    page["leads"].as_array().map_or(Value::Null, |leads| leads.len().into())
}

#[test]
fn a_draft_is_tested_and_its_leads_wait_for_the_start() {
    let site = site();
    people(&site, true);
    let service = Service::start(&site, &SERVE);
    made(&service, &site, 20);
    assert_eq!((&state(&service, "row"), &item(&service)["ok"]), (&json!("draft"), &json!(false)));
    let first = test_call(&service);
    let done = ended(&service, first);
    let steps: Vec<&str> =
        done["steps"].as_array().expect("steps").iter().filter_map(|it| it["text"].as_str()).collect();
    assert!(steps.iter().any(|step| step.starts_with("INVITE ")), "{steps:?}");
    until("the result", || (item(&service)["ok"] == true).then_some(()));
    let words = item(&service)["words"].clone();
    let (en, zh) = (words["en"].as_str().expect("words"), words["zh"].as_str().expect("words"));
    assert!(en.starts_with("answered ") && en.contains("key 1 → agree"), "{en}");
    assert!(zh.starts_with("接通 ") && zh.contains("按键 1 → agree"), "{zh}");
    assert_eq!(state(&service, "row"), "draft");
    with_list(&service);
    let second = test_call(&service);
    assert_eq!(state(&service, "row"), "ready");
    ended(&service, second);
    assert_eq!((open_leads(&service), calls(&service, "row").len()), (json!(2), 2));
    assert!(calls(&service, "row").iter().all(|call| call["lead"].is_null()));
    assert_eq!(get(&service, "/campaigns/row")["desired_state"], "closed");
    // A pause of a campaign that is not open, and a resume, do not open it.
    for action in ["pause", "resume"] {
        let (status, _) =
            json_request(&service, "POST", "/campaigns/row/actions", &json!({ "action": action }));
        assert_eq!(status, 404, "{action}");
    }
    send(&service, "POST", "/campaigns/row/actions", &json!({ "action": "start" }), 202);
    until("the calls", || (state(&service, "row") == "finished").then_some(()));
    assert_eq!(calls(&service, "row").len(), 4);
}

#[test]
fn a_crash_during_a_test_leaves_the_campaign_closed_and_its_leads_untouched() {
    let site = site();
    people(&site, false);
    let mut service = Service::start(&site, &SERVE);
    made(&service, &site, 20);
    with_list(&service);
    let attempt = test_call(&service);
    until("the answer", || trace(&service, attempt)["answered_at"].is_string().then_some(()));
    service.kill();
    drop(service);
    let service = Service::start(&site, &SERVE);
    assert_eq!(ended(&service, attempt)["outcome"], "interrupted");
    assert_eq!(state(&service, "row"), "ready");
    assert_eq!(get(&service, "/campaigns/row")["desired_state"], "closed");
    assert_eq!((open_leads(&service), calls(&service, "row").len()), (json!(2), 1));
    let shown = item(&service);
    assert_eq!(shown["ok"], false, "{shown}");
    assert!(shown["words"]["zh"].as_str().is_some_and(|zh| zh.contains("服务停止")), "{shown}");
}

#[test]
fn a_start_and_a_change_end_the_test() {
    let site = site();
    people(&site, false);
    let service = Service::start(&site, &SERVE);
    made(&service, &site, 20);
    with_list(&service);
    let changed = test_call(&service);
    until("the answer", || trace(&service, changed)["answered_at"].is_string().then_some(()));
    let patch = json!({ "fields": { "announcement": { "input_wait_secs": 1 } } });
    send(&service, "PATCH", "/campaigns/row", &patch, 200);
    assert_eq!(ended(&service, changed)["ended_by"], "dialer");
    let patch = json!({ "fields": { "announcement": { "input_wait_secs": 20 } } });
    send(&service, "PATCH", "/campaigns/row", &patch, 200);
    let started = test_call(&service);
    until("the answer", || trace(&service, started)["answered_at"].is_string().then_some(()));
    send(&service, "POST", "/campaigns/row/actions", &json!({ "action": "start" }), 202);
    let test = trace(&service, started);
    assert!(test["ended_at"].is_string(), "the campaign opens once its test has ended: {test}");
    until("the calls of the list", || {
        let calls = calls(&service, "row");
        (calls.iter().filter(|call| !call["lead"].is_null()).count() == 2).then_some(())
    });
    assert_eq!(state(&service, "row"), "running");
    // In the open campaign a test is placed beside the list.
    let beside = test_call(&service);
    until("the answer", || trace(&service, beside)["answered_at"].is_string().then_some(()));
}

#[test]
fn a_test_that_is_refused_or_fails_says_so_in_both_languages() {
    let site = site();
    let busy = SHARES.replace("answer = 1.0", "answer = 0.0").replace("busy = 0", "busy = 1.0");
    site.write("people.toml", &busy);
    let service = Service::start(&site, &SERVE);
    let draft = ROW.replace("[announcement]\nfile = \"notice.wav\"\ninput_wait_secs = 1\n", "");
    send(&service, "POST", "/campaigns", &json!({ "toml": draft.replace("\"row\"", "\"bare\"") }), 201);
    made(&service, &site, 20);
    let listed = json!({ "number": "15400619999", "reason": "asked" });
    send(&service, "POST", "/blacklist", &listed, 201);
    for (campaign, number, en, zh) in [
        ("bare", OWN, "no announcement", "没有要播放的语音"),
        ("row", "15400619999", "is on the blacklist", "在黑名单中"),
    ] {
        let asked = json!({ "action": "test_call", "number": number });
        let path = format!("/campaigns/{campaign}/actions");
        let refused = send(&service, "POST", &path, &asked, 409);
        let words = &refused["words"];
        assert!(words["en"].as_str().is_some_and(|it| it.contains(en)), "{refused}");
        assert!(words["zh"].as_str().is_some_and(|it| it.contains(zh)), "{refused}");
    }
    assert_eq!(calls(&service, "row").len(), 0);
    let attempt = test_call(&service);
    ended(&service, attempt);
    let shown = item(&service);
    assert_eq!(shown["ok"], false, "{shown}");
    assert!(shown["words"]["zh"].as_str().is_some_and(|zh| zh.contains("没有成功:占线")), "{shown}");
    assert!(shown["words"]["en"].as_str().is_some_and(|en| en.contains("failed: busy (SIP 486)")), "{shown}");
}
