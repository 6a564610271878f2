//! What the trunk does to us, and what callees do: the line guard, registration, outcomes. Tests the dialer.

use super::*;
use std::time::{Duration, Instant};

/// Leads that may be charged wrongly in one run.
const CHARGED_MAX: usize = 5;

/// Numbers 154 00PP NN00, which answer where no option of the carrier says otherwise.
fn mobiles(block: u32, count: u32) -> Vec<String> {
    (0..count).map(|n| format!("154{block:04}{n:02}00")).collect()
}

fn landlines(count: u32) -> Vec<String> {
    (0..count).map(|n| format!("075512{n:04}00")).collect()
}

/// A refusal of the line: the leads are there as before, and the run says what is wrong.
#[track_caller]
fn leads_are_kept(played: &Played, leads: usize, words: &[&str]) {
    assert_eq!(played.ended.code, STOPPED, "{}\n{}", played.ended.all(), played.shown());
    assert_eq!(played.leads.len(), leads);
    let closed = leads - played.leads_in("open") - played.leads_in("follow_up");
    assert_eq!(closed, 0, "leads closed by a refusal of the line\n{}", played.shown());
    assert_eq!(played.counted(), 0, "attempts counted\n{}", played.shown());
    played.ended.says_one_of(words);
    assert_eq!(played.summary["reconciles"], true, "{}", played.summary);
}

#[test]
fn a_trunk_that_forbids_every_call_rests_and_the_leads_stay() {
    let carrier = Folder::of("67-every-call-forbidden").carrier(&[]);
    let played = carrier.run_for(15);
    leads_are_kept(&played, 40, &["403", "Forbidden"]);
    played.ended.says(&["main"]);
    // Fifty a second until the first refusals are seen, then probes.
    assert!(carrier.dialled().len() < 36, "{} of 40 leads were dialled", carrier.dialled().len());
    let summary = played.summary.to_string();
    assert!(summary.contains("403") || summary.contains("orbidden"), "no reason in summary.json: {summary}");
}

#[test]
fn a_trunk_without_a_route_closes_no_leads() {
    at_once(&["29", "81", "80"], |behaviour| {
        let carrier = Folder::new(phones(mobiles(71, 40))).carrier(&["--all", behaviour]);
        let played = carrier.run_for(15);
        assert_eq!(played.ended.code, STOPPED, "{}", played.ended.all());
        let closed = played.leads_in("failed") + played.leads_in("done");
        assert!(closed <= CHARGED_MAX, "{behaviour}: {closed} leads closed\n{}", played.shown());
        assert!(
            played.counted() <= CHARGED_MAX,
            "{behaviour}: {} counted\n{}",
            played.counted(),
            played.shown()
        );
    });
}

#[test]
fn a_region_that_the_trunk_blocks_rests_alone() {
    let mixed: Vec<String> =
        mobiles(72, 16).into_iter().zip(landlines(16)).flat_map(|(a, b)| [a, b]).collect();
    let carrier = Folder::new(phones(mixed)).carrier(&["--by", "0755=40"]);
    let played = carrier.run_for(30);
    let done = |prefix: &str| {
        let of = played.leads.iter().filter(|row| digits(&row["phone"]).starts_with(prefix));
        of.filter(|row| row["state"] == "done" || row["state"] == "failed").count()
    };
    assert_eq!(done("154"), 16, "the mobiles are called\n{}", played.shown());
    assert!(done("0755") <= CHARGED_MAX, "{} landlines closed\n{}", done("0755"), played.shown());
}

#[test]
fn dialling_goes_on_when_the_trunk_lets_calls_through_again() {
    let carrier = Folder::new(phones(mobiles(73, 20))).carrier(&["--for", "5:40"]);
    let played = carrier.run_for(100).ended(DONE);
    assert_eq!(played.leads_in("done"), 20, "{}", played.shown());
    assert_eq!(played.counted(), 20, "each lead is charged for its answer alone\n{}", played.shown());
}

#[test]
fn a_trunk_that_is_overloaded_is_waited_for() {
    let carrier = Folder::new(phones(mobiles(74, 12))).carrier(&["--for", "4:84"]);
    let played = carrier.run_for(45);
    assert!([DONE, STOPPED].contains(&played.ended.code), "{}", played.ended.all());
    // A lead of the first seconds may still wait for its retry.
    assert!(played.leads_in("done") >= 8, "{}", played.shown());
    assert_eq!(played.leads_in("failed"), 0, "{}", played.shown());
    assert_eq!(played.counted(), played.leads_in("done"), "{}", played.shown());
}

/// Answers of this kind are the announcement "your account is in arrears"; people hang up on a recorded voice too, so
/// it takes some of them, and what was written as answered stays so.
#[test]
fn a_carrier_that_answers_every_call_and_hangs_up_is_not_given_the_list() {
    let folder = Folder::new(phones(mobiles(75, 30)))
        .edit("campaign.toml", "plays = 1", "plays = 9")
        .set("calling", "concurrency_max = 3");
    let carrier = folder.carrier(&["--all", "85"]);
    let played = carrier.run_for(25);
    assert_eq!(played.ended.code, STOPPED, "{}\n{}", played.ended.all(), played.shown());
    let closed = played.leads_in("failed") + played.leads_in("done");
    assert!(closed <= CHARGED_MAX, "{closed} leads closed\n{}", played.shown());
    assert!(played.counted() <= CHARGED_MAX, "{} counted\n{}", played.counted(), played.shown());
    played.ended.says(&["main"]);
}

#[test]
fn odd_numbers_at_the_head_of_a_list_do_not_stop_the_good_ones() {
    let mut numbers: Vec<String> = (0..12).map(|n| format!("1540076{n:02}00")).collect();
    numbers.extend(mobiles(77, 30));
    at_once(&["80", "81", "29"], |odd| {
        let carrier = Folder::new(phones(&numbers)).carrier(&["--by", &format!("1540076={odd}")]);
        let begun = Instant::now();
        let mut run = carrier.start_run(&[]);
        run.wait_for("/42");
        let all_good = program::until(Duration::from_secs(60), || {
            let dialled = carrier.dialled();
            numbers[12..].iter().all(|number| dialled.contains(number))
        });
        let took = begun.elapsed();
        run.interrupt();
        let played = Played::read(carrier.folder.dir.path(), run.end());
        assert!(all_good, "{odd}: not all good numbers were dialled in {took:?}\n{}", played.shown());
        let answered = played.leads.iter().filter(|row| row["last_outcome"] == "answered").count();
        assert_eq!(answered, 30, "{odd}\n{}", played.shown());
    });
}

#[test]
fn a_list_with_many_vacant_numbers_is_dialled_at_its_pace() {
    let numbers: Vec<String> =
        (0..40).map(|n| format!("1540078{n:02}{}", if n % 5 < 2 { "00" } else { "29" })).collect();
    let carrier = Folder::new(phones(&numbers)).set("calling", "concurrency_max = 8").carrier(&[]);
    let played = carrier.run_for(60).ended(DONE);
    let outcomes = played.outcomes();
    assert_eq!(
        (outcomes.get("answered"), outcomes.get("vacant")),
        (Some(&16), Some(&24)),
        "{}",
        played.shown()
    );
    assert_eq!(played.leads_in("open"), 0, "{}", played.shown());
}

#[test]
fn an_outcome_is_what_the_call_has_shown() {
    // Good numbers in front, so that nothing here looks like a fault of the line.
    let mut numbers = mobiles(79, 4);
    let shown = [("83", "no_answer"), ("28", "no_answer"), ("82", "unreachable"), ("30", "no_answer")];
    numbers.extend(shown.map(|(behaviour, _)| format!("154008000{behaviour}")));
    let carrier = Folder::new(phones(&numbers)).set("retry.after", "unreachable = \"2h\"").carrier(&[]);
    let played = carrier.run().ended(DONE);
    for (number, (_, outcome)) in numbers[4..].iter().zip(shown) {
        played.attempt_has(number, &[("outcome", outcome)]);
    }
}

#[test]
fn an_answer_whose_media_cannot_be_used_is_our_fault() {
    let carrier = Folder::of("30-32-answer-that-cannot-be-used").carrier(&[]);
    let played = carrier.run_for(8);
    assert_eq!(played.ended.code, STOPPED, "a lead is left\n{}\n{}", played.ended.all(), played.shown());
    played.lead_has("15400303232", &[("state", "open")]);
    assert_eq!(played.attempts[0]["outcome"], "line_fault", "{}", played.shown());
    assert_eq!(played.counted(), 0, "{}", played.shown());
}

#[test]
fn an_answer_without_a_codec_of_ours_or_without_a_port_is_our_fault() {
    let numbers = ["15400810068", "15400810069", "15400810100", "15400810200"];
    let carrier = Folder::new(phones(numbers)).carrier(&[]);
    let played = carrier.run_for(8);
    for number in &numbers[..2] {
        played.lead_has(number, &[("state", "open"), ("last_outcome", "line_fault")]);
    }
    for number in &numbers[2..] {
        played.lead_has(number, &[("state", "done"), ("last_outcome", "answered")]);
    }
    assert_eq!(played.counted(), 2, "{}", played.shown());
}

// Registration and OPTIONS.

#[test]
fn no_call_leaves_before_the_trunk_is_registered() {
    let carrier = Folder::of("63-calls-before-registered").carrier(&["--regdelay", "5"]);
    let played = carrier.run().ended(DONE);
    let record = carrier.record();
    let registered = record.iter().position(|it| it["ev"] == "register").expect("registered");
    let first = record.iter().position(|it| it["ev"] == "invite").expect("called");
    assert!(registered < first, "{record:#?}");
    assert_eq!(carrier.dialled().len(), 8, "each lead is called once");
    assert_eq!(played.leads_in("done"), 8, "{}", played.shown());
    assert_eq!(played.counted(), 8, "{}", played.shown());
}

#[test]
fn a_trunk_whose_registration_is_refused_names_the_account() {
    let carrier = Folder::of("63-calls-before-registered").write("peer.args", "").carrier(&["--regrefuse"]);
    let played = carrier.run_for(12);
    assert_eq!(carrier.dialled(), [""; 0]);
    leads_are_kept(&played, 8, &["10001"]);
    played.ended.says(&["main", "403"]);
}

#[test]
fn no_call_leaves_after_the_registration_is_lost() {
    let numbers = mobiles(82, 12);
    let folder = Folder::new(phones(&numbers))
        .set("calling", "concurrency_max = 1")
        .trunk("username = \"10001\"\npassword = \"x\"\nregister = true");
    let carrier = folder.carrier(&["--reglose", "6", "--needreg"]);
    let played = carrier.run_for(22);
    let record = carrier.record();
    let time = |it: &Value| it["t"].as_f64().expect("a time");
    let lost = record.iter().find(|it| it["ev"] == "register-refused").map(time).expect("refused");
    let late = record.iter().filter(|it| it["ev"] == "invite" && time(it) > lost + 0.5).count();
    assert_eq!(late, 0, "INVITEs after the loss at {lost}: {record:#?}");
    assert_eq!(played.ended.code, STOPPED, "{}", played.ended.all());
    assert_eq!(played.leads_in("failed"), 0, "{}", played.shown());
    assert!(played.leads_in("done") > 0 && played.leads_in("open") > 0, "{}", played.shown());
    played.ended.says_one_of(&["regist"]);
}

/// The trunk used to be out of use 32 s after the start: nine calls of five seconds go beyond that.
#[test]
fn a_carrier_that_ignores_options_and_answers_calls_stays_in_use() {
    let folder = Folder::of("64-trunk-ignores-options").write("list.csv", phones(mobiles(61, 9)));
    let carrier = folder.carrier(&[]);
    let played = carrier.run_for(75).ended(DONE);
    assert_eq!(played.leads_in("done"), 9, "{}", played.shown());
    assert!(!carrier.events("options").is_empty(), "OPTIONS was sent");
    assert!(!played.ended.err.contains("out of use"), "{}", played.ended.err);
}

#[test]
fn a_wrong_password_is_the_fault_of_the_account() {
    at_once(&["60", "61"], |behaviour| {
        let folder = Folder::new(phones(mobiles(83, 12))).trunk("username = \"10001\"\npassword = \"wrong\"");
        let carrier = folder.carrier(&["--all", behaviour]);
        let played = carrier.run_for(12);
        leads_are_kept(&played, 12, &["10001"]);
    });
}

#[test]
fn a_trunk_that_was_good_and_refuses_all_from_then_on_closes_no_leads() {
    let folder = Folder::new(phones(mobiles(84, 40))).set("calling", "concurrency_max = 4");
    let carrier = folder.carrier(&["--after", "9:40"]);
    let played = carrier.run_for(20);
    assert_eq!(played.ended.code, STOPPED, "{}\n{}", played.ended.all(), played.shown());
    let answered = played.leads.iter().filter(|row| row["last_outcome"] == "answered").count();
    let closed = played.leads_in("done") + played.leads_in("failed");
    assert_eq!(answered, 8, "{}", played.shown());
    assert!(closed - answered <= CHARGED_MAX, "{} leads closed\n{}", closed - answered, played.shown());
}

#[test]
fn a_trunk_that_refuses_all_leaves_the_list_to_the_next_trunk() {
    let good = Folder::new("").carrier(&["--all", "0"]);
    let other = format!(
        "[trunks.other]\nuri = \"sip:127.0.0.1:{}\"\ncalls_max = 100\ncalls_per_sec = 50.0\noptions_secs = 0",
        good.port
    );
    let folder = Folder::new(phones(mobiles(85, 20))).trunk(&other);
    let text = std::fs::read_to_string(folder.path("campaign.toml")).expect("a text");
    let text = text.replacen("[list]", "trunks = [\"main\", \"other\"]\n[list]", 1);
    let carrier = folder.write("campaign.toml", text).carrier(&["--all", "40"]);
    let played = carrier.run_for(60).ended(DONE);
    assert_eq!(played.leads_in("done"), 20, "{}", played.shown());
    assert_eq!(good.dialled().len(), 20, "each lead is answered once");
    assert!(carrier.dialled().len() < 20, "{} calls went to the trunk that refuses", carrier.dialled().len());
}

/// Busy is tried again after four seconds, on a list that takes half a minute.
#[test]
fn a_retry_is_dialled_at_its_moment() {
    let mut numbers = vec!["15400860023".to_owned()];
    numbers.extend(mobiles(87, 40));
    let folder = Folder::new(phones(&numbers))
        .set("calling", "concurrency_max = 2")
        .edit("campaign.toml", "attempts_max = 1", "attempts_max = 2")
        .edit("campaign.toml", "busy = \"10m\"", "busy = \"4s\"");
    let carrier = folder.carrier(&[]);
    let mut run = carrier.start_run(&[]);
    run.wait_for("/41");
    let tries = || {
        let all = carrier.events("invite").into_iter().filter(|it| it["num"] == "15400860023");
        all.filter_map(|it| it["t"].as_f64()).collect::<Vec<f64>>()
    };
    assert!(
        program::until(Duration::from_secs(20), || tries().len() == 2),
        "no second attempt: {:?}",
        tries()
    );
    run.interrupt();
    run.end();
    let between = tries()[1] - tries()[0];
    // Ringing of 0.3 s, the delay, five seconds for a line to become free.
    assert!((4.0..10.0).contains(&between), "the second attempt came after {between} s");
}
