//! The line without a dialer: single calls, and a day of them.

use super::*;
use paceline_core::ids::TrunkId;
use paceline_core::number::PhoneNumber;

fn line(text: &str) -> Line {
    Line::new(Arc::new(Population::parse(text).expect("people")), WallClock::default())
}

fn place(line: &mut Line, now: Time, call: u64) {
    let number = PhoneNumber::from_e164(8_613_000_000_000 + call).expect("a number");
    let ring = Duration::from_secs(45);
    let place = Output::PlaceCall {
        call: CallId(call),
        trunk: TrunkId(0),
        number,
        caller_id: None,
        setup: ring,
        ring,
    };
    assert!(line.carry_out(now, &place));
}

/// Runs until nothing more happens; acknowledges and plays ten seconds at each answer, hangs up when the
/// play has ended.
fn run(line: &mut Line) -> Vec<(Time, Input)> {
    let mut seen = Vec::new();
    while let Some(now) = line.next_wake() {
        while let Some(input) = line.poll(now) {
            match &input {
                Input::CallProgressed { call, progress: Progress::Answered } => {
                    line.acknowledge(now, *call);
                    line.play(now, *call, Duration::from_secs(10));
                }
                Input::MediaHeard { call, heard: Heard::PlayEnded } => {
                    line.hang_up(now, *call, HangUpCause::Finished);
                }
                _ => {}
            }
            seen.push((now, input));
        }
    }
    seen
}

fn words(seen: &[(Time, Input)]) -> Vec<String> {
    let trying = |input: &Input| matches!(input, Input::CallProgressed { progress: Progress::Trying, .. });
    seen.iter()
        .filter(|(_, input)| !trying(input))
        .map(|(_, input)| match input {
            Input::CallProgressed { progress: Progress::Ended(ended), .. } => {
                format!("{} by {}", ended.outcome, ended.by)
            }
            Input::CallProgressed { progress, .. } => format!("{progress:?}"),
            Input::MediaHeard { heard, .. } => format!("{heard:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

const ONLY: &str = "busy = 0\nno_answer = 0\nreject = 0\nvoicemail = 0\npowered_off = 0\nunreachable = 0\n\
                    vacant = 0\nsuspended = 0\nrestricted = 0\nanswer = ";

#[test]
fn an_answered_call_plays_the_announcement_and_ends() {
    let mut line = line(&format!(
        "[shares]\n{ONLY}1\n[listening]\nearly_share = 0\nto_the_end = 1\n[keys]\npress = {{ 2 = 1.0 }}\n\
         after = {{ median_secs = 3 }}\nsecond = 0\n[ring]\nuntil_answer = {{ median_secs = 9 }}"
    ));
    place(&mut line, Time::ZERO, 1);
    let seen = run(&mut line);
    let expected =
        ["Sent", "Ringing", "Answered", "FirstAudio", "Digit(Digit(50))", "PlayEnded", "answered by dialer"];
    assert_eq!(words(&seen), expected);
    assert_eq!((line.calls(), line.calls_most(), line.placed()), (0, 1, 1));
}

#[test]
fn an_unanswered_call_is_cancelled_at_the_ring_time() {
    let mut line = line(&format!("[shares]\n{ONLY}0\nno_answer = 1").replacen("no_answer = 0\n", "", 1));
    place(&mut line, Time::ZERO, 1);
    let seen = run(&mut line);
    assert_eq!(words(&seen), ["Sent", "Ringing", "no_answer by dialer"]);
    let rings = |(_, input): &&(Time, Input)| {
        matches!(input, Input::CallProgressed { progress: Progress::Ringing, .. })
    };
    let (rang_at, _) = seen.iter().find(rings).expect("a ring");
    let (ended_at, _) = seen.last().unwrap();
    // The ring time of 45 s, and the way of CANCEL and 487.
    assert_eq!(ended_at.since(*rang_at), Duration::from_millis(45_040));
}

#[test]
fn a_hang_up_while_ringing_cancels_the_call() {
    let mut line = line(&format!("[shares]\n{ONLY}1"));
    place(&mut line, Time::ZERO, 1);
    let hang_up = Output::HangUp { call: CallId(1), cause: HangUpCause::Stopped };
    while line.poll(Time::ZERO).is_some() {}
    line.carry_out(Time::ZERO, &hang_up);
    assert_eq!(words(&run(&mut line)), ["cancelled by dialer"]);
}

#[test]
fn a_carrier_at_its_limit_refuses_with_retry_after() {
    let mut line = line("[trouble]\nunavailable = 1\nretry_after_secs = 30");
    place(&mut line, Time::ZERO, 1);
    let (_, last) = run(&mut line).pop().expect("an end");
    let Input::CallProgressed { progress: Progress::Ended(ended), .. } = last else { panic!("{last:?}") };
    assert_eq!((ended.retry_after, ended.try_next_trunk), (Some(Duration::from_secs(30)), true));
}

#[test]
fn the_same_people_give_the_same_day_and_every_call_ends_once() {
    let day = || {
        let mut line = line("seed = 5\n[trouble]\nunavailable = 0.02\nslow = 0.1\nsilent = 0.01");
        for call in 0..3_000 {
            place(&mut line, Time::from_millis(call * 50), call);
        }
        let seen = run(&mut line);
        assert_eq!(line.calls(), 0);
        seen
    };
    let one = day();
    let ends = one
        .iter()
        .filter(|(_, input)| matches!(input, Input::CallProgressed { progress: Progress::Ended(_), .. }));
    assert_eq!(ends.count(), 3_000);
    assert!(one.is_sorted_by_key(|(at, _)| *at));
    assert_eq!(one, day());
}
