//! `paceline trunk test`: the ladder, its meaning, and where the call stands afterwards. Tests the engine's record of
//! a call, the routes of trunks and traces, and the command.

use super::*;
use paceline::console::client::{Client, Method};
use program::{Running, free_port, until};
use serde_json::json;
use std::net::UdpSocket;
use std::time::Duration;

/// `paceline trunk test main NUMBER …` in the folder of a carrier.
fn test_call(folder: &Folder, more: &[&str]) -> Ended {
    let words = ["trunk", "test", "main", "--config", "paceline.toml"];
    folder.program(&[&words[..], more].concat())
}

/// The texts of a trace in their order, of these directions.
fn texts<'a>(trace: &'a Value, dirs: &[&str]) -> Vec<&'a str> {
    let steps = trace["steps"].as_array().expect("steps").iter();
    let chosen = steps.filter(|step| dirs.contains(&step["dir"].as_str().unwrap_or_default()));
    chosen.filter_map(|step| step["text"].as_str()).collect()
}

/// Asserts that a step begins with each of these words, in this order.
#[track_caller]
fn in_order(trace: &Value, words: &[&str]) {
    let all = texts(trace, &["out", "in", "note"]);
    let mut rest = all.iter();
    for word in words {
        assert!(rest.any(|text| text.starts_with(word)), "{word:?} is not next in {all:#?}");
    }
}

#[test]
fn an_answered_test_shows_every_message_and_the_sound_of_both_directions() {
    let carrier = Folder::new(phones(["15400890107"])).carrier(&[]);
    let called = test_call(&carrier.folder, &["+86 154 0089 0107", "--json"]);
    assert_eq!(called.code, DONE, "{}", called.all());
    let trace: Value = serde_json::from_str(&called.out).expect("JSON");
    in_order(
        &trace,
        &[
            "INVITE sip:15400890107@",
            "100 Trying",
            "180 Ringing",
            "200 OK",
            "ACK ",
            "play announcement",
            "hang_up finished",
            "BYE ",
            "200 OK (BYE)",
            "audio sent=",
        ],
    );
    assert_eq!(
        (trace["campaign"].as_str(), trace["outcome"].as_str()),
        (Some("_trunk_test"), Some("answered"))
    );
    let peer = format!("udp 127.0.0.1:{}", carrier.port);
    assert_eq!(trace["steps"][0]["peer"].as_str(), Some(peer.as_str()), "{trace:#}");
    let says = trace["words"]["en"].as_str().expect("words");
    assert!(says.starts_with("answered after") && says.contains("sound in both directions"), "{says}");
    let audio =
        texts(&trace, &["note"]).into_iter().find(|text| text.starts_with("audio sent=")).expect("audio");
    assert!(audio.contains("sent_db=-") && audio.contains("received_db=-"), "{audio}");
    assert!(trace["words"]["zh"].as_str().is_some_and(|zh| zh.contains("双向有声")), "{trace:#}");
    assert!(sound::heard_secs(&carrier, "15400890107", 450.0) > 1.0, "the tone is heard");
}

#[test]
fn a_callee_without_sound_is_said_so() {
    let carrier = Folder::new(phones(["15400890100"])).carrier(&["--all", "0"]);
    let called = test_call(&carrier.folder, &["15400890100"]);
    assert_eq!(called.code, DONE, "{}", called.all());
    called.says(&["nothing was heard: no RTP came back", "external_address"]);
}

#[test]
fn a_refusal_says_what_it_means_and_a_silent_trunk_where_it_was_looked_for() {
    let carrier = Folder::new(phones(["15400890100"])).carrier(&["--all", "40"]);
    let refused = test_call(&carrier.folder, &["15400890100"]);
    assert_eq!(refused.code, REFUSED, "{}", refused.all());
    refused.says(&["--> INVITE", "<-- 403 Forbidden", "--> ACK", "403: blocked by the carrier", "arrears"]);

    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = silent.local_addr().expect("its address").port();
    let folder = Folder::new(phones(["15400890100"]))
        .edit("trunk.toml", "sip:127.0.0.1:@PEER@", &format!("sip:127.0.0.1:{port}"))
        .trunk("setup_secs = 5");
    let carrier = folder.carrier(&[]);
    let called = test_call(&carrier.folder, &["15400890100"]);
    assert_eq!(called.code, REFUSED, "{}", called.all());
    let address = format!("nothing came back from udp 127.0.0.1:{port}");
    called.says(&["(again)", &address, "firewall", "[trunks.main]"]);
}

#[test]
fn a_ringing_phone_is_cancelled_and_the_ladder_shows_it() {
    // Five seconds until it rings; the trunk gives up before.
    let folder = Folder::new(phones(["15400890150"])).trunk("setup_secs = 3");
    let carrier = folder.carrier(&["--all", "50"]);
    let called = test_call(&carrier.folder, &["15400890150", "--json"]);
    assert_eq!(called.code, REFUSED, "{}", called.all());
    let trace: Value = serde_json::from_str(&called.out).expect("JSON");
    in_order(&trace, &["INVITE ", "100 Trying", "CANCEL ", "487 ", "ACK "]);
    assert!(
        trace["words"]["en"].as_str().is_some_and(|says| says.contains("did not ring within")),
        "{trace:#}"
    );
}

#[test]
fn a_trunk_that_is_not_registered_is_tried_and_says_why() {
    let folder =
        Folder::new(phones(["15400890100"])).trunk("register = true\nusername = \"10001\"\npassword = \"x\"");
    let carrier = folder.carrier(&["--regrefuse", "--needreg", "--all", "0"]);
    let called = test_call(&carrier.folder, &["15400890100"]);
    assert_eq!(called.code, REFUSED, "{}", called.all());
    called.says(&["account_refused 403", "INVITE", "trunk main is not registered (403", "username"]);
}

#[test]
fn numbers_that_are_not_called_are_not_called_by_a_test_either() {
    let carrier = Folder::new(phones(["15400890100"])).trunk("deny = [\"0755*\"]").carrier(&["--all", "0"]);
    let added = carrier.folder.program(&["blacklist", "add", "15400890199", "--config", "paceline.toml"]);
    assert_eq!(added.code, DONE, "{}", added.all());
    for (number, words) in [
        ("110", "110"),
        ("+86 119", "119"),
        ("154 0089 0199", "blacklist"),
        ("0755-12345600", "deny"),
        ("12", "12"),
    ] {
        let refused = test_call(&carrier.folder, &[number]);
        assert_eq!(refused.code, REFUSED, "{number}: {}", refused.all());
        refused.says(&[words]);
    }
    assert_eq!(carrier.dialled(), [""; 0]);
}

#[test]
fn a_caller_id_and_a_number_of_another_country_leave_as_the_trunk_wants_them() {
    let folder = Folder::new(phones(["15400890100"])).trunk("allow = [\"*\"]\nnumber_form = \"+e164\"");
    let carrier = folder.carrier(&["--all", "40"]);
    test_call(&carrier.folder, &["020 7946 0900", "--region", "GB", "--caller-id", "+86 755 1234 5678"]);
    let invite = &carrier.events("invite")[0];
    assert_eq!(carrier.dialled(), ["+442079460900"]);
    assert!(invite["frm"].as_str().is_some_and(|from| from.contains("075512345678")), "{invite}");
}

#[test]
fn a_campaign_may_not_have_a_name_of_the_systems_own() {
    let folder = Folder::new(phones(["15400890100"])).edit("campaign.toml", "\"case\"", "\"_case\"");
    folder.check().ended(REFUSED).ended.says(&["campaign.toml:1", "_case", "the system's own"]);
}

/// A service with a campaign: the test goes through it; every call has its trace, and `_trunk_test` is in no list of
/// campaigns.
#[test]
fn a_test_goes_through_the_service_and_every_call_has_its_trace() {
    let carrier = Folder::new(phones(["15400890101"])).carrier(&[]);
    let words = ["serve", "campaign.toml", "--config", "paceline.toml"];
    let mut service = Running::start(carrier.folder.dir.path(), &words, &[]);
    service.wait_for("/api/v1");
    carrier.wait_for("ended", 1);
    let called = test_call(&carrier.folder, &["15400890200"]);
    assert_eq!(called.code, DONE, "{}", called.all());
    called.says(&["a service runs on this store", "INVITE", "180", "200 OK", "ACK", "BYE"]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = Client::for_store(&carrier.folder.path("paceline.db")).expect("the key of the service");
    let ask = |method, path: &str, body: Option<Value>| {
        runtime.block_on(client.ask(method, &format!("/api/v1{path}"), body.as_ref()))
    };
    let get = |path: &str| ask(Method::GET, path, None).unwrap_or_else(|error| panic!("{path}: {error}"));
    let ended = || get("/calls?campaign=case")["calls"][0]["ended_at"].is_string();
    assert!(until(Duration::from_secs(10), ended), "the campaign's call has ended");
    let call = &get("/calls?campaign=case")["calls"][0];
    let trace = get(&format!("/calls/{}/trace", call["id"]));
    in_order(
        &trace,
        &["INVITE ", "100 ", "180 ", "200 OK", "ACK ", "play announcement", "key 1 rtp", "BYE "],
    );
    let at: Vec<u64> =
        trace["steps"].as_array().expect("steps").iter().filter_map(|step| step["at_ms"].as_u64()).collect();
    assert!(at.is_sorted() && at[0] == 0, "{at:?}");

    let tests = get("/calls?campaign=_trunk_test");
    assert_eq!(tests["calls"].as_array().map(Vec::len), Some(1), "{tests}");
    assert_eq!(tests["calls"][0]["outcome"], "answered");
    for path in ["/campaigns", "/floor"] {
        let shown = get(path).to_string();
        assert!(!shown.contains("_trunk_test") && shown.contains("case"), "{path}: {shown}");
    }
    let resume = ask(Method::POST, "/campaigns/_trunk_test/actions", Some(json!({ "action": "resume" })));
    assert!(resume.is_err(), "the system's campaign takes no actions");
    let other = json!({ "action": "test_call", "number": "15400890300" });
    let error = ask(Method::POST, "/trunks/other/actions", Some(other)).expect_err("no such trunk");
    assert!(error.contains("main"), "{error}");
    service.terminate();
    service.end_within(Duration::from_secs(10));
}

/// Nothing is configured: the built-in carrier is the trunk `simulated`.
#[test]
fn the_simulated_carrier_can_be_tested_too() {
    let folder = Folder::new(phones(["15400890100"]));
    let store = format!("[store]\nurl = \"sqlite://{}\"\n", folder.path("paceline.db").display());
    let sip = format!("[sip]\nlisten = [\"udp://127.0.0.1:{}\"]\n", free_port());
    let folder = folder.write("paceline.toml", format!("{store}{sip}"));
    let words = ["trunk", "test", "simulated", "15400890100", "--config", "paceline.toml"];
    folder.program(&words).says(&["INVITE sip:15400890100@", "<-- 100 Trying", "+0.000"]);
    let unknown = folder.program(&["trunk", "test", "main", "15400890100", "--config", "paceline.toml"]);
    assert_eq!(unknown.code, USAGE, "{}", unknown.all());
    unknown.says(&["no trunk `main`", "simulated"]);
}
