//! What the store and its commands promise: the simulated carrier apart, do not call at once, an end in time,
//! files for their owner alone. Tests the store, the commands and the engine.

use super::*;
use program::until;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn a_campaign_of_the_simulated_carrier_is_not_dialled_on_a_real_trunk() {
    let folder = Folder::new(phones((0..6).map(|n| 15_400_900_000_u64 + n * 100)));
    let mut run = program::Running::start(folder.dir.path(), &["run", "campaign.toml"], &[]);
    run.wait_for("/6");
    let ended = run.end_within(Duration::from_secs(8));
    let played = Played::read(folder.dir.path(), ended);
    assert!(!played.attempts.is_empty(), "{}", played.ended.all());
    assert!(played.attempts.iter().all(|row| row["trunk"] == "simulated"), "{:?}", played.attempts);
    let carrier = folder.carrier(&["--all", "0"]);
    let refused = carrier.run_for(20).ended(REFUSED);
    refused.ended.says(&["simulated", "list reset"]);
    assert_eq!(carrier.dialled(), [""; 0], "a sample rings no real phone");
}

/// The first call rings while its number is put on the blacklist, the others are not dialled yet.
#[test]
fn a_number_on_the_blacklist_is_not_called_from_then_on() {
    let folder = Folder::new(phones(["15400910066", "15400911100", "15400912100", "15400913100"]))
        .set("calling", "concurrency_max = 1")
        .edit("campaign.toml", "ring_secs = 12", "ring_secs = 60");
    let carrier = folder.carrier(&[]);
    let mut run = carrier.start_run(&[]);
    run.wait_for("/4");
    carrier.wait_for("invite", 1);
    let add = |pattern: &str| {
        let words = ["blacklist", "add", pattern, "--reason", "asked", "--config", "paceline.toml"];
        let added = carrier.folder.program(&words);
        assert_eq!(added.code, DONE, "{}", added.all());
    };
    add("1540091110*");
    add("154-0091-2100");
    add("15400910066");
    assert!(
        until(Duration::from_secs(2), || !carrier.events("cancel").is_empty()),
        "the ringing call is taken back"
    );
    let played = Played::read(carrier.folder.dir.path(), run.end_within(Duration::from_secs(30))).ended(DONE);
    assert_eq!(carrier.dialled(), ["15400910066", "15400913100"]);
    for number in ["15400911100", "15400912100"] {
        played.lead_has(number, &[("reason", "blacklisted"), ("attempts", "0")]);
    }
    let listed = carrier.folder.program(&["blacklist", "list", "--config", "paceline.toml"]);
    listed.says(&["1540091110", "15400910066", "asked"]);
}

#[test]
fn a_blacklist_entry_is_removed_and_ends_by_its_date() {
    let carrier = Folder::new(phones(["15400921100", "15400922100", "15400923100"])).carrier(&["--all", "0"]);
    let blacklist = |words: &[&str]| {
        let all = [&["blacklist"], words, &["--config", "paceline.toml"]].concat();
        carrier.folder.program(&all)
    };
    for words in [
        &["add", "15400921100"][..],
        &["add", "15400922100", "--until", "2020-01-01"],
        &["add", "15400923*", "--until", "2099-01-01"],
        &["remove", "15400921100"],
    ] {
        let ended = blacklist(words);
        // An end in the past may be refused in words.
        let may_refuse = words.contains(&"2020-01-01") && ended.code == REFUSED;
        assert!(ended.code == DONE || may_refuse, "{words:?}: {}", ended.all());
    }
    assert_eq!(blacklist(&["add", "nonsense"]).code, REFUSED);
    carrier.run().ended(DONE);
    let mut dialled = carrier.dialled();
    dialled.sort();
    assert_eq!(dialled, ["15400921100", "15400922100"]);
}

#[test]
fn sigterm_has_a_deadline() {
    let folder = Folder::new(phones((0..12).map(|n| 15_400_930_000_u64 + n * 100)))
        .write("notice.wav", sound::tone(30.0, 1_000.0, 8_000))
        .set("calling", "concurrency_max = 3");
    let carrier =
        folder.edit("trunk.toml", "[trunks.main]", "[node]\ndrain_secs = 2\n[trunks.main]").carrier(&[]);
    let mut run = carrier.start_run(&[]);
    run.wait_for("/12");
    carrier.wait_for("ack", 3);
    let dialled = carrier.dialled().len();
    run.terminate();
    let began = std::time::Instant::now();
    let played =
        Played::read(carrier.folder.dir.path(), run.end_within(Duration::from_secs(25))).ended(STOPPED);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(carrier.dialled().len(), dialled, "an INVITE left after the signal");
    assert_eq!(carrier.events("ended").len(), 3, "each call is ended by a BYE: {:#?}", carrier.record());
    assert_eq!(played.outcomes().get("answered"), Some(&3), "{}", played.shown());
}

#[test]
fn files_with_numbers_are_for_their_owner_alone() {
    let carrier = Folder::new(phones(["15400940000"])).carrier(&[]);
    carrier.run().ended(DONE);
    let mode = |file: &Path| std::fs::metadata(file).expect("a file").permissions().mode() & 0o777;
    let folder = |dir: &Path| std::fs::read_dir(dir).expect("a folder").map(|it| it.expect("a file").path());
    let ours = folder(&carrier.folder.path("")).filter(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        file.is_file() && name.starts_with("paceline.db") && !name.ends_with(".lock")
    });
    let mut seen = 0;
    for file in ours.chain(folder(&carrier.folder.path("results")).filter(|file| file.is_file())) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        seen += 1;
    }
    assert!(seen >= 4, "{seen} files");
    assert_eq!(mode(&carrier.folder.path("results")), 0o700);
}

/// The second run comes while the first call may still ring: the lead is kept and its number rests.
#[test]
fn a_call_that_only_rang_at_a_kill_leaves_its_lead_open() {
    let folder =
        Folder::new(phones(["15400950066"])).edit("campaign.toml", "attempts_max = 1", "attempts_max = 2");
    let carrier = folder.carrier(&[]);
    let mut run = carrier.start_run(&[]);
    run.wait_for("/1");
    carrier.wait_for("invite", 1);
    run.kill();
    let played = carrier.run_for(5).ended(STOPPED);
    played.lead_has("15400950066", &[("state", "open")]);
    assert_eq!(carrier.dialled(), ["15400950066"], "the number rests");
    assert_eq!(played.outcomes().get("interrupted"), Some(&1), "{}", played.shown());
}
