//! The sample campaign of a running service: it calls over the simulated carrier alone, also beside real trunks and
//! after one was added, and goes on after a restart.

use super::uploads::{Service, until};
use super::{Site, carrier, free_port};
use serde_json::{Value, json};
use std::path::Path;

/// Callees who answer at once and soon hang up.
const PEOPLE: &str = "seed = 7\n[shares]\nanswer = 1.0\nvoicemail = 0.0\nbusy = 0.0\nno_answer = 0.0\nreject = 0.0\n\
    powered_off = 0.0\nunreachable = 0.0\nvacant = 0.0\nsuspended = 0.0\nrestricted = 0.0\n\
    [ring]\nuntil_answer = { median_secs = 0.2, sigma = 0.1, min_secs = 0.1, max_secs = 1 }\n\
    [talk]\ntime = { median_secs = 2, sigma = 0.1, min_secs = 1, max_secs = 4 }\n";

const HOURS: &str = "[calling]\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n[retry]\nattempts_max = 1\n";

/// A site whose configuration has no trunk; the address that it shows carriers is that of a router.
fn site() -> (Site, String) {
    let site = Site::new("127.0.0.1:5060".parse().expect("an address"), 4, HOURS);
    // The disk of a build machine may be nearly full.
    let config = format!(
        "[files]\nfree_gib_min = 0\nfree_pct_min = 0\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [sip]\nlisten = [\"udp://0.0.0.0:{}\"]\nexternal_address = \"203.0.113.9\"\n",
        free_port()
    );
    site.write("paceline.toml", &config);
    site.write("people.toml", PEOPLE);
    (site, config)
}

fn start_sample(service: &Service, key: &str) -> (u16, Value) {
    let head = format!("Idempotency-Key: {key}\r\n");
    service.request("POST", "/setup/sample", &head, &[]).expect("an answer")
}

fn calls(service: &Service, query: &str) -> Vec<Value> {
    let answer = service.request("GET", &format!("/calls?{query}"), "", &[]).expect("an answer").1;
    answer["calls"].as_array().cloned().unwrap_or_default()
}

/// Calls in which a simulated agent spoke with a callee.
fn conversations(service: &Service) -> usize {
    let calls = calls(service, "campaign=sample&outcome=answered&limit=500");
    calls.iter().filter(|call| !call["agent"].is_null()).count()
}

fn invites(record: &Path) -> usize {
    std::fs::read_to_string(record)
        .unwrap_or_default()
        .lines()
        .filter(|line| line.contains(",invite,"))
        .count()
}

#[test]
fn the_sample_calls_over_the_simulated_carrier_beside_a_real_trunk_that_carries_the_others() {
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("invites.csv");
    let (runtime, far, address) = carrier(PEOPLE, &record);
    let (site, config) = site();
    let trunk = format!("[trunks.main]\nuri = \"sip:{address}\"\noptions_secs = 0\n");
    site.write("paceline.toml", &format!("{config}{trunk}"));
    let service = Service::start(&site, &["serve", "campaign.toml", "--people", "people.toml"]);
    let (status, begun) = start_sample(&service, "one");
    assert_eq!((status, &begun["campaign"]), (202, &json!("sample")), "{begun}");
    let done = service.ended(&begun["task"]);
    assert_eq!(done["state"], "done", "{done}");
    let (status, refused) = start_sample(&service, "two");
    assert_eq!((status, &refused["code"]), (409, &json!("sample_there")), "{refused}");

    until("conversations with simulated agents", || (conversations(&service) >= 3).then_some(()));
    until("the calls of the other campaign", || (calls(&service, "campaign=whole").len() == 4).then_some(()));
    let of_sample = calls(&service, "campaign=sample&limit=500").len();
    assert!(of_sample >= 3);
    assert_eq!(calls(&service, "campaign=sample&trunk=main"), Vec::<Value>::new());
    assert!(calls(&service, "campaign=sample&trunk=simulated&limit=500").len() >= of_sample);
    assert_eq!(calls(&service, "campaign=whole&trunk=main").len(), 4);
    drop(service);
    // The real carrier was called by the other campaign alone.
    let called = runtime.block_on(far.stop()).ledger.by_callee().len();
    assert_eq!(called, 4, "{} invites", invites(&record));
}

#[test]
fn a_trunk_that_is_added_later_carries_nothing_of_the_sample_which_goes_on_after_a_restart() {
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("invites.csv");
    let (runtime, far, address) = carrier(PEOPLE, &record);
    let (site, config) = site();
    let mut service = Service::start(&site, &["serve", "--people", "people.toml"]);
    let (status, begun) = start_sample(&service, "one");
    assert_eq!(status, 202, "{begun}");
    assert_eq!(service.ended(&begun["task"])["state"], "done");
    until("conversations with simulated agents", || (conversations(&service) >= 2).then_some(()));
    service.kill();
    drop(service);

    let trunk = format!("[trunks.main]\nuri = \"sip:{address}\"\noptions_secs = 0\n");
    site.write("paceline.toml", &format!("{config}{trunk}"));
    let service = Service::start(&site, &["serve", "--people", "people.toml"]);
    let before = conversations(&service);
    until("further conversations", || (conversations(&service) >= before + 2).then_some(()));
    assert_eq!(calls(&service, "trunk=main"), Vec::<Value>::new());
    drop(service);
    let called = runtime.block_on(far.stop()).ledger.by_callee().len();
    assert_eq!(called, 0, "{} invites reached the real carrier", invites(&record));
}
