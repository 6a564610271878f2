//! `kill -9` in the middle of a campaign, again and again; signals; a second process.

use super::{Site, carrier, column};
use paceline::sim::ledger::Ledger;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Callees of a quick campaign: most answer within a second and stay, some are busy, some never answer.
pub(super) const PEOPLE: &str = "seed = 9\n[shares]\nanswer = 0.6\nvoicemail = 0\nbusy = 0.15\nno_answer = 0.25\nreject = 0\n\
    powered_off = 0\nunreachable = 0\nvacant = 0\nsuspended = 0\nrestricted = 0\n\
    [post_dial]\ndelay = { median_secs = 0.05 }\n[ring]\nuntil_answer = { median_secs = 0.6 }\n\
    [keys]\npress = { 1 = 0.5, 2 = 0.2 }\nafter = { median_secs = 0.6 }\n\
    [listening]\nearly_share = 0.2\nto_the_end = 1\n";

pub(super) const RULES: &str = "[calling]\nring_secs = 5\nconcurrency_max = 25\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
    [retry]\nattempts_max = 3\nper_day_max = 3\ngap_min = \"1s\"\n[retry.after]\nno_answer = \"2s\"\nbusy = \"1s\"\ninterrupted = \"1s\"\n\
    [keys]\n1 = { result = \"agree\" }\n2 = { result = \"against\" }\n";

/// A campaign that is killed again and again.
struct Crashes {
    seed: u64,
    leads: u32,
    kills_max: usize,
    /// Milliseconds from a start to its kill.
    alive: std::ops::Range<u64>,
    /// After the kill of this number comes another within a second, then a pause longer than any rest.
    pauses: Vec<usize>,
}

/// Longer than a number rests after a crash: `ring_secs` of [`RULES`] and 75 seconds.
const PAUSE: Duration = Duration::from_secs(85);

/// Runs the campaign with its kills and lets it finish. The judge is the carrier's own record of INVITEs: no call
/// of a number begins while another is up, and none after an answer.
fn crash(plan: &Crashes) {
    let seed = plan.seed;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("invites.csv");
    let (runtime, far, address) = carrier(PEOPLE, &record);
    let site = Site::new(address, plan.leads, RULES);
    let mut kills = 0;
    while kills < plan.kills_max {
        let mut child = site.start(&["run", "campaign.toml"]);
        let follows_at_once = plan.pauses.contains(&(kills + 1)) || plan.pauses.contains(&kills);
        let alive = if follows_at_once { 300..900 } else { plan.alive.clone() };
        // The moment of the kill is random: mostly from the first call of the process on, else from its start.
        if kills % 5 != 0 && !follows_at_once {
            wait_for_growth(&record, &mut child);
        }
        std::thread::sleep(Duration::from_millis(random.random_range(alive)));
        if child.try_wait().expect("a state").is_some() {
            break;
        }
        child.kill().expect("killed");
        child.wait().expect("reaped");
        if plan.pauses.contains(&kills) {
            std::thread::sleep(PAUSE);
        }
        kills += 1;
    }
    let status = site.start(&["run", "campaign.toml"]).wait().expect("an end");
    let log = site.log();
    assert_eq!(status.code(), Some(0), "seed {seed}, {kills} kills\n{log}");
    runtime.block_on(far.stop());
    let ledger = Ledger::read_csv(&std::fs::read_to_string(&record).expect("a record")).expect("readable");

    assert!(kills >= 5, "{kills} kills: too tame\n{log}");
    // An ACK leaves only once the answer is on disk, also from a later process that ends the call at once. A callee
    // whose answer no process acknowledged heard nothing and may be called again.
    assert_eq!(
        ledger.called_after_connecting(),
        Vec::<&str>::new(),
        "seed {seed}: called again after an acknowledged answer"
    );
    assert_eq!(ledger.overlapping(), Vec::<&str>::new(), "seed {seed}: called while a call was up");
    let rows: BTreeMap<String, csv::StringRecord> =
        site.attempts().into_iter().map(|row| (row[column("call_id")].to_owned(), row)).collect();
    for (call_id, call) in &ledger.calls {
        let row = rows.get(call_id).unwrap_or_else(|| panic!("seed {seed}: {call:?} has no row"));
        assert_eq!(row[column("phone")], call.callee, "seed {seed}");
    }
    let interrupted = rows.values().filter(|row| &row[column("outcome")] == "interrupted").count();
    assert!(interrupted > 0, "no kill met a call\n{log}");
    for (callee, calls) in ledger.by_callee() {
        let asked: Vec<&str> = rows
            .values()
            .filter(|row| &row[column("phone")] == callee)
            .map(|row| &row[column("outcome")])
            .collect();
        let retried = ["no_answer", "busy", "interrupted"];
        let again = asked.iter().filter(|outcome| retried.contains(outcome)).count();
        assert!(
            calls.len() <= again + 1 && calls.len() <= 3,
            "seed {seed}: {callee} was called {} times: {asked:?}",
            calls.len()
        );
    }
    let open: BTreeSet<String> =
        site.leads().iter().filter(|row| &row[6] == "open").map(|row| row[0].to_owned()).collect();
    assert!(open.is_empty(), "seed {seed}: leads without an end: {open:?}");
    let summary = std::fs::read_to_string(site.path("results/summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert_eq!(summary["reconciles"], true, "{summary}");
    assert_eq!(summary["leads"], plan.leads);
    println!(
        "seed {seed}: {kills} kills, {} leads, {} calls at the carrier, {interrupted} interrupted, {} numbers \
         called more than once, 0 overlapping, 0 called after an acknowledged answer, {} after one that no process acknowledged",
        plan.leads,
        ledger.calls.len(),
        ledger.by_callee().values().filter(|calls| calls.len() > 1).count(),
        ledger.called_after_answering().len()
    );

    let (code, replayed, err) = site.run(&["replay", "paceline.journal", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(replayed["differences"], 0);
    // Every kill ends a segment, and the oldest are deleted; a few kills keep them all.
    if kills < 50 {
        assert!(replayed["calls_placed"].as_u64() >= Some(ledger.calls.len() as u64 / 2), "{replayed}");
    }
}

#[test]
fn a_campaign_killed_repeatedly_calls_no_number_twice_and_reconciles() {
    crash(&Crashes { seed: 20_261_121, leads: 150, kills_max: 12, alive: 150..1_600, pauses: vec![] });
}

/// `PACELINE_KILLS=200 cargo test --test all two_hundred_kills -- --ignored --nocapture`: about 15 minutes.
#[test]
#[ignore = "takes a quarter of an hour"]
fn two_hundred_kills_and_retries_never_make_two_calls_of_one_number_overlap() {
    let kills_max = std::env::var("PACELINE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let (leads, pauses) =
        (kills_max as u32 * 8, (1..).map(|n| n * 40).take_while(|n| *n < kills_max).collect());
    crash(&Crashes { seed: 20_261_129, leads, kills_max, alive: 300..1_600, pauses });
}

#[test]
fn a_signal_lets_calls_end_and_the_next_run_goes_on() {
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("invites.csv");
    let (runtime, far, address) = carrier(PEOPLE, &record);
    let site = Site::new(address, 60, &RULES.replace("concurrency_max = 25", "concurrency_max = 10"));
    let mut child = site.start(&["run", "campaign.toml"]);
    wait_for_calls(&record, 15);
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    let status = child.wait().expect("an end");
    assert_eq!(status.code(), Some(4), "{}", site.log());
    let rows = site.attempts();
    assert!(rows.iter().all(|row| !row[column("outcome")].is_empty()), "every call has ended and is written");
    assert!(rows.iter().all(|row| &row[column("outcome")] != "interrupted"));

    let (code, summary, err) = site.run(&["run", "campaign.toml", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(summary["summary"]["reconciles"], true);
    let report = runtime.block_on(far.stop());
    assert_eq!(report.ledger.called_after_answering(), Vec::<&str>::new());
    assert_eq!(report.ledger.overlapping(), Vec::<&str>::new());
}

#[test]
fn a_second_process_on_the_same_store_is_refused_in_a_sentence() {
    let records = tempfile::tempdir().expect("a folder");
    let record = records.path().join("invites.csv");
    let (runtime, far, address) = carrier(PEOPLE, &record);
    let site = Site::new(address, 60, RULES);
    let mut child = site.start(&["run", "campaign.toml"]);
    wait_for_calls(&record, 1);
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("in use by another paceline process"), "{err}");
    child.kill().expect("killed");
    child.wait().expect("reaped");
    runtime.block_on(far.stop());
}

/// Waits until the far end has written more, or the process has ended; 20 seconds at most.
fn wait_for_growth(record: &std::path::Path, child: &mut std::process::Child) {
    let size = || std::fs::metadata(record).map_or(0, |metadata| metadata.len());
    let (before, deadline) = (size(), std::time::Instant::now() + Duration::from_secs(20));
    while size() == before
        && std::time::Instant::now() < deadline
        && child.try_wait().expect("a state").is_none()
    {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the far end has seen that many calls; a minute at most.
fn wait_for_calls(record: &std::path::Path, calls: usize) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let text = std::fs::read_to_string(record).unwrap_or_default();
        if Ledger::read_csv(&text).is_ok_and(|ledger| ledger.calls.len() >= calls) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "only this arrived: {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
