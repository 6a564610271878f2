//! Agents whose phones refuse or are gone, on a service with a console. Tests the dialer's floor.

use super::*;
use program::{Running, until};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// `serve` with one agent, 8001, whose phone is `peer/phone.py`.
struct Floor {
    carrier: Carrier,
    service: Option<Running>,
    phone: Child,
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.phone.kill();
        let _ = self.phone.wait();
    }
}

impl Floor {
    #[track_caller]
    fn start(folder: Folder, behaviour: &str) -> Floor {
        let http =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let folder = folder
            .write("trunk.toml", TRUNK)
            .edit("trunk.toml", "127.0.0.1:0\"", &format!("127.0.0.1:{http}\""))
            .edit("campaign.toml", "name = \"bug\"", "name = \"floor\"");
        let folder = folder.edit("campaign.toml", "ring_secs = 12", "ring_secs = 12\nconcurrency_max = 1");
        let carrier = folder.carrier(&[]);
        let config = ["--config", "paceline.toml"];
        let group = carrier.folder.program(&[&["group", "add", "team"], &config[..]].concat());
        assert_eq!(group.code, DONE, "{}", group.all());
        let words =
            ["user", "add", "mei", "--number", "8001", "--group", "team", "--json", "--password-stdin"];
        let mut add = Command::new(env!("CARGO_BIN_EXE_paceline"))
            .args(words)
            .args(config)
            .current_dir(carrier.folder.dir.path())
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        add.stdin.take().expect("stdin").write_all(b"Secret-pass-123\n").expect("written");
        let added = add.wait_with_output().expect("it ends");
        let sheet: Value = serde_json::from_slice(&added.stdout).expect("JSON");
        let password = sheet["sheet"]["password"].as_str().unwrap_or_else(|| panic!("{sheet}")).to_owned();
        let words = [&["serve", "campaign.toml"], &config[..]].concat();
        let mut service = Running::start(carrier.folder.dir.path(), &words, &[]);
        service.wait_for("/api/v1");
        let phone = Command::new("python3")
            .arg(sources().join("peer/phone.py"))
            .args([
                &carrier.sip_port.to_string(),
                &http.to_string(),
                &password,
                behaviour,
                "phone.jsonl",
                "100",
            ])
            .current_dir(carrier.folder.dir.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .spawn()
            .expect("python3");
        Floor { carrier, service: Some(service), phone }
    }

    /// Stops the service and writes the results.
    #[track_caller]
    fn stop(mut self) -> (Played, Vec<Value>) {
        let service = self.service.take().expect("it runs");
        service.terminate();
        service.end_within(Duration::from_secs(20));
        let folder = &self.carrier.folder;
        let out = folder.program(&["export", "campaign.toml", "--config", "paceline.toml"]);
        assert_eq!(out.code, DONE, "{}", out.all());
        (Played::read(folder.dir.path(), out), self.carrier.record())
    }

    fn log(&self) -> String {
        self.service.as_ref().map(Running::err).unwrap_or_default()
    }
}

/// Seconds from the answer of a call to its end, as the carrier saw them.
fn felt_secs(record: &[Value], number: &str) -> Option<f64> {
    let time = |kind: &str| record.iter().find(|it| it["ev"] == kind && it["num"] == number)?["t"].as_f64();
    Some(time("ended")? - time("ack")?)
}

/// The callee of the first call has been dealt with: the carrier saw its end.
#[track_caller]
fn agent_failed(behaviour: &str) {
    let folder = Folder::of("90-agent-phone-refuses");
    let floor = Floor::start(folder, behaviour);
    let ended = until(Duration::from_secs(60), || !floor.carrier.events("ended").is_empty());
    assert!(ended, "no call was made: {:#?}\n{}", floor.carrier.record(), floor.log());
    // The end is booked a moment after the carrier saw it.
    std::thread::sleep(Duration::from_millis(500));
    let first = floor.carrier.dialled()[0].clone();
    let (played, record) = floor.stop();
    let attempt = played.attempts.iter().find(|row| digits(&row["phone"]) == first).expect("an attempt");
    // A phone that rings may be given up for the callee's sake; that is an abandoned call too.
    if behaviour != "ring" || attempt["outcome"] != "abandoned" {
        assert_eq!(attempt["outcome"], "agent_failed", "{}", played.shown());
        assert!(!is_true(&attempt["counted"]), "{}", played.shown());
        let state = &played.lead(&first)["state"];
        assert!(["open", "follow_up"].contains(&state.as_str()), "the lead is kept\n{}", played.shown());
    }
    // answer_wait_secs = 2 from the callee's answer, the message for those who waited in vain, and the hang-up.
    let felt = felt_secs(&record, &first).expect("answered and ended");
    assert!(felt < 6.5, "the callee waited for {felt} s");
}

#[test]
fn a_phone_that_declines_costs_the_callee_nothing() {
    agent_failed("decline");
}

#[test]
fn a_phone_that_is_gone_costs_the_callee_nothing() {
    agent_failed("gone");
}

#[test]
fn a_phone_that_rings_on_is_given_up_within_the_wait_of_the_callee() {
    agent_failed("ring");
}

/// A test call of a campaign with agents used to be hung up two milliseconds after its answer.
#[test]
fn a_test_call_works_in_a_mode_with_agents() {
    let folder = Folder::of("90-agent-phone-refuses").write("trunk.toml", TRUNK);
    let carrier = folder.carrier(&[]);
    let words = ["call", "15400960000", "--campaign", "campaign.toml", "--config", "paceline.toml", "--json"];
    let ended = carrier.folder.program(&words);
    match ended.code {
        DONE => {
            let printed: Value =
                serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {}", ended.all()));
            assert_eq!(printed["outcome"], "answered", "{}", ended.all());
            assert!(printed["talk_secs"].as_f64().is_some_and(|secs| secs > 0.5), "{}", ended.all());
        }
        // Refused in words, and then nothing is dialled.
        code => {
            assert_eq!((code, carrier.dialled()), (REFUSED, vec![]), "{}", ended.all());
            assert!(ended.err.len() > 30, "{}", ended.all());
        }
    }
}
