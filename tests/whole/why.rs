//! `paceline why` and its relatives: why no lead is dialled, why this number is not, and the events of one
//! minute, while a campaign runs and after it was stopped.

use super::{Site, carrier, column};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Every callee is busy.
const PEOPLE: &str = "seed = 4\n[shares]\nanswer = 0\nvoicemail = 0\nbusy = 1\nno_answer = 0\nreject = 0\n\
    powered_off = 0\nunreachable = 0\nvacant = 0\nsuspended = 0\nrestricted = 0\n\
    [post_dial]\ndelay = { median_secs = 0.05 }\n[early_media]\nannouncements = false\n";

const RULES: &str = "[calling]\nring_secs = 5\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
    [retry]\nattempts_max = 2\nper_day_max = 2\ngap_min = \"1s\"\n[retry.after]\nbusy = \"2h\"\n";

/// Runs the command until its answer is `wanted`; a minute at most.
#[track_caller]
fn until_says(site: &Site, arguments: &[&str], wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (code, answer, err) = site.run(arguments);
        if code == 0 && wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "it never came: {code} {answer} {err}\n{}", site.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn text(site: &Site, arguments: &[&str], chinese: bool) -> (i32, String, String) {
    let mut command = site.command(arguments);
    if chinese {
        command.env("LC_ALL", "zh_CN.UTF-8");
    }
    let output = command.output().expect("the program starts");
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), words(&output.stdout), words(&output.stderr))
}

#[test]
fn why_explains_an_idle_dialer_and_the_journal_a_minute() {
    let records = tempfile::tempdir().expect("a folder");
    let (runtime, far, address) = carrier(PEOPLE, &records.path().join("invites.csv"));
    let site = Site::new(address, 6, RULES);
    let (code, _, err) = site.run(&["why", "campaign.toml"]);
    assert_eq!(code, 3, "nothing was ever run: {err}");

    let mut child = site.start(&["run", "campaign.toml"]);
    // While the service runs, it answers.
    // Right after the last result the store is asked once more, and the hopper is empty until it answers.
    let all_tried = |answer: &Value| {
        answer["due"] == 0 && answer["view"]["numbers"]["live"] == 0 && answer["why"] != "hopper_empty"
    };
    let standing = until_says(&site, &["why", "campaign.toml", "--json"], all_tried);
    assert_eq!((standing["open"].as_bool(), standing["leads_open"].as_u64()), (Some(true), Some(6)));
    assert_eq!(standing["why"], "retries_later", "{standing}");
    assert!(
        standing["words"]["en"].as_str().is_some_and(|says| says.contains("(open leads: 6), until")),
        "{standing}"
    );
    assert!(standing["until"].is_string(), "{standing}");
    let (_, out, _) = text(&site, &["why", "campaign.toml", "--row", "2"], false);
    assert!(out.contains("15410000000") && out.contains("the last call ended so: busy"), "{out}");
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    assert_eq!(child.wait().expect("an end").code(), Some(4), "{}", site.log());
    runtime.block_on(far.stop());

    // After it has stopped, the store answers.
    let (code, standing, err) = site.run(&["why", "campaign.toml", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((standing["open"].as_bool(), standing["due"].as_u64()), (Some(false), Some(0)));
    let (_, out, _) = text(&site, &["why", "campaign.toml"], false);
    assert!(
        out.contains("no service has this campaign open; open leads: 6") && out.contains("paceline run"),
        "{out}"
    );
    let (_, out, _) = text(&site, &["why", "campaign.toml", "--number", "15410000003"], true);
    assert!(out.contains("前不拨打:上次结果:占线"), "{out}");
    let (_, leads, _) = site.run(&["why", "campaign.toml", "--number", "15410000003", "--json"]);
    let lead = &leads["leads"][0];
    assert_eq!((lead["because"].as_str(), lead["row"].as_u64()), (Some("retry_later"), Some(5)), "{lead}");
    let id = lead["lead"].to_string();
    let (code, by_id, err) = site.run(&["why", "campaign.toml", "--lead", &id, "--json"]);
    assert_eq!((code, &by_id["leads"][0]["numbers"]), (0, &lead["numbers"]), "{err}");

    for (asked, advice) in [
        (&["--number", "15410000009"][..], "15410000009 is not in the list; near it are 15410000000"),
        (&["--number", "13912345678"], "look for it in the file"),
        (&["--row", "99"], "its last lead is row 7"),
        (&["--lead", "4711"], "name a --number or a --row"),
        (&["--number", "110"], "emergency"),
    ] {
        let (code, out, err) = text(&site, &[&["why", "campaign.toml"], asked].concat(), false);
        assert!(code == 3 && out.is_empty() && err.contains(advice), "{asked:?}: {code} {out} {err}");
    }

    let attempts = site.attempts();
    let row = attempts.iter().find(|row| &row[column("phone")] == "15410000003").expect("a call");
    let attempt = &row[column("attempt_id")];
    let first = attempts.iter().map(|row| &row[column("placed_at")]).min().expect("a call");
    a_minute_is_told(&site, first);
    let (code, out, err) = text(&site, &["replay", "paceline.journal", "--call", attempt], false);
    assert_eq!(code, 0, "{err}");
    for told in
        ["154****0003", "chosen by the decision", "the call is placed", "SIP 486", "recorded as: busy"]
    {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert!(!out.contains("15410000003"), "{out}");
    let arguments = ["replay", "paceline.journal", "--number", "15410000003", "--numbers", "--json"];
    let (_, story, _) = site.run(&arguments);
    assert_eq!(story["calls"][0]["number"], "15410000003", "{story}");
    assert_eq!(story["calls"][0]["outcome"], "busy");
    let (code, _, err) = text(&site, &["replay", "paceline.journal", "--call", "99999"], false);
    assert!(code == 3 && err.contains("it holds attempts 1 to 6"), "{err}");
}

fn a_minute_is_told(site: &Site, placed: &str) {
    let at = ["replay", "paceline.journal", "--at", placed, "--for", "10s", "--campaign", "whole"];
    let (code, told, err) = site.run(&[&at[..], &["--json", "--svg", "minute.svg"]].concat());
    assert_eq!(code, 0, "{err}");
    let calls = told["calls"].as_array().expect("calls");
    assert_eq!(calls.len(), 6, "{told}");
    assert!(calls.iter().all(|call| call["outcome"] == "busy"), "{told}");
    assert!(told["decisions"].as_array().is_some_and(|decisions| !decisions.is_empty()), "{told}");
    let picture = std::fs::read_to_string(site.path("minute.svg")).expect("a picture");
    assert!(picture.starts_with("<svg") && picture.contains("154****0003"), "{picture}");
    let (code, out, err) = text(site, &[&at[..], &["--step", "250ms"]].concat(), false);
    assert!(code == 0 && out.contains("154****0003") && out.contains("only retries are left"), "{out}{err}");
    let other = ["replay", "paceline.journal", "--at", placed, "--campaign", "none"];
    let (code, _, err) = text(site, &other, false);
    assert!(code == 3 && err.contains("it knows whole"), "{err}");
    let (code, _, err) = text(site, &["replay", "paceline.journal", "--at", "2020-01-01T10:00"], false);
    assert!(code == 3 && err.contains("it covers 20"), "{err}");
}
