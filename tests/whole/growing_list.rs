//! A list that changes between two runs, or while a service dials it: saved again in another form, rows added,
//! corrected and removed. No number is called twice.

use super::{Site, rows};
use encoding_rs::GB18030;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// On the built-in simulated carrier, at any hour, one attempt a number.
fn site(list: &str) -> Site {
    let site = Site::new("127.0.0.1:5060".parse().expect("an address"), 1, "");
    site.write(
        "paceline.toml",
        "[http]\nlisten = \"127.0.0.1:0\"\n[sip]\nlisten = [\"udp://127.0.0.1:0\"]\n",
    );
    site.write("list.csv", list);
    let campaign = std::fs::read_to_string(site.path("campaign.toml")).expect("a campaign");
    let hours = "[calling]\ncalls_per_sec = 50.0\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
                 [retry]\nattempts_max = 1\n";
    site.write("campaign.toml", &format!("{campaign}\n{hours}"));
    site
}

fn run(site: &Site) -> String {
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert_eq!(code, 0, "{err}");
    err
}

fn called(site: &Site) -> Vec<String> {
    let rows = rows(&site.path("results/attempts.csv"));
    let mut called: Vec<String> = rows.iter().map(|row| row[5].to_owned()).collect();
    called.sort();
    let distinct: BTreeSet<&String> = called.iter().collect();
    assert_eq!(distinct.len(), called.len(), "a number was called twice: {called:?}");
    called
}

#[test]
fn a_changed_list_is_known_by_its_rows() {
    let site = site("phone,name,room\n15400610000,a,1\n15400610023,乙,2\n15400610029,c,3\n138001,bad,9\n");
    run(&site);
    let first = ["15400610000", "15400610023", "15400610029"];
    assert_eq!(called(&site), first);

    // The same rows in another encoding and column order.
    let again =
        "room,phone,name\r\n1,15400610000,a\r\n2,15400610023,乙\r\n3,15400610029,c\r\n9,138001,bad\r\n";
    std::fs::write(site.path("list.csv"), &GB18030.encode(again).0).expect("a list");
    let err = run(&site);
    assert!(err.contains("0 new leads") && err.contains("4 known rows"), "{err}");
    assert_eq!(called(&site), first);

    // One row in front, one behind, one corrected, one gone.
    site.write(
        "list.csv",
        "phone,name,room\n15400610100,new-top,0\n15400610000,a,1\n15400610200,c,3\n15400610329,new-bottom,4\n",
    );
    let err = run(&site);
    assert!(err.contains("3 new leads") && err.contains("2 leads no longer in the list"), "{err}");
    let second = called(&site);
    let new: Vec<&String> = second.iter().filter(|phone| !first.contains(&phone.as_str())).collect();
    assert!(
        new.len() >= 2
            && new
                .iter()
                .all(|phone| ["15400610100", "15400610200", "15400610329"].contains(&phone.as_str()))
    );

    // A file of further rows: one known, one new; the second time there is nothing to do.
    site.write("more.csv", "手机\n15400610000\n15400610400\n");
    let (code, out, err) = site.run(&["list", "add", "campaign.toml", "more.csv", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        (&out["change"]["new_leads"], &out["change"]["known_rows"]),
        (&Value::from(1), &Value::from(1))
    );
    let (_, out, _) = site.run(&["list", "add", "campaign.toml", "more.csv", "--json"]);
    assert_eq!(out["already_added"], Value::from(true));
    let err = run(&site);
    assert!(!err.contains("no longer"), "added rows are not gone: {err}");
    assert!(called(&site).contains(&"15400610400".to_owned()));
    let (_, out, _) = site.run(&["list", "add", "campaign.toml", "list.csv", "--close-gone", "--json"]);
    assert_eq!(out["change"]["gone"], Value::from(2), "{out}");
}

/// Numbers of the calls that have ended so far.
fn ended(site: &Site) -> BTreeSet<String> {
    let (code, _, err) = site.run(&["export", "campaign.toml", "--out", "now.csv"]);
    assert_eq!(code, 0, "{err}");
    let outcome = super::column("outcome");
    let rows = rows(&site.path("now.csv"));
    rows.iter().filter(|row| !row[outcome].is_empty()).map(|row| row[5].to_owned()).collect()
}

#[track_caller]
fn wait_for_calls(site: &Site, numbers: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !numbers.iter().all(|number| ended(site).contains(*number)) {
        assert!(Instant::now() < deadline, "not called: {numbers:?}\n{}", site.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[track_caller]
pub(super) fn wait_for_log(site: &Site, words: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !site.log().contains(words) {
        assert!(Instant::now() < deadline, "{words} is not in the log\n{}", site.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_list_grows_while_a_service_dials_it() {
    let site = site("phone,name,room\n15400610000,a,1\n15400610023,b,2\n");
    let mut service = site.start(&["serve", "campaign.toml"]);
    wait_for_log(&site, "campaign whole is open");
    // Both are called, so the campaign is finished; then it goes on.
    wait_for_calls(&site, &["15400610000", "15400610023"]);
    site.write("more.csv", "手机\n15400610000\n15400610400\n15400610400\n138001\n");
    let add = ["list", "add", "campaign.toml", "more.csv", "--json"];
    let (code, out, err) = site.run(&add);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("a service runs on this store"), "{err}");
    let counts = ["rows_read", "new_leads", "known_rows", "refused_rows", "duplicate_rows"];
    assert_eq!(counts.map(|name| out["change"][name].as_u64()), [4, 1, 1, 2, 1].map(Some), "{out}");
    wait_for_calls(&site, &["15400610400"]);
    assert_eq!(site.run(&add).1["already_added"], Value::from(true));
    // What is refused is refused in the same words as without a service.
    let (code, _, err) = site.run(&["list", "add", "campaign.toml", "none.csv"]);
    assert!(code == 3 && err.contains("none.csv"), "{err}");
    site.write("bad.csv", "phone\nnobody\n");
    let (code, _, err) = site.run(&["list", "add", "campaign.toml", "bad.csv"]);
    assert!(code == 3 && err.contains("no row can be dialled"), "{err}");
    // The numbers on the whole list are one lead each, wherever they came from.
    site.write("list.csv", "phone,name,room\n15400610000,a,1\n15400610400,c,3\n15400610500,d,4\n");
    let (code, out, err) = site.run(&["list", "add", "campaign.toml", "list.csv", "--close-gone", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((&out["change"]["new_leads"], &out["change"]["gone"]), (&1.into(), &1.into()), "{out}");
    wait_for_calls(&site, &["15400610500"]);
    let killed = std::process::Command::new("kill").args(["-TERM", &service.id().to_string()]).status();
    assert!(killed.expect("kill").success());
    assert_eq!(service.wait().expect("it stops").code(), Some(0), "{}", site.log());
    assert_eq!(called(&site), ["15400610000", "15400610023", "15400610400", "15400610500"]);
}
