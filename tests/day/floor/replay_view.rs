//! Replays a virtual day from its journal: every minute is as it was, and an abandoned callee's call can be
//! explained.

use super::{FloorPlan, START};
use paceline::journal::{
    AgentState, CallTracer, JournalConfig, JournalWriter, RowSubject, State, Timeline, TraceTarget, Window,
    files, replay, replay_files, replay_with_shadow,
};
use paceline::sim::day::Troubles;
use paceline_core::campaign::Mode;
use paceline_core::dialer::{CallStage, Dialer, Input, Output};
use paceline_core::ids::{AgentId, AttemptId, CallId};
use paceline_core::outcome::Outcome;
use paceline_core::pacing::shadow::ShadowRules;
use paceline_core::time::{Duration, Time, Utc};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::Command;
use std::rc::Rc;

type Floor = (BTreeMap<AgentId, AgentState>, BTreeMap<CallId, CallStage>);

struct Recorded {
    dir: tempfile::TempDir,
    /// The floor after every input.
    seen: Vec<(Utc, Floor)>,
    abandoned: Vec<AttemptId>,
    of: String,
}

/// A day of ratio dialling with abandoned calls, in a journal of several segments.
fn recorded(seed: u64) -> Recorded {
    let mut plan = FloorPlan::from_seed(seed, Mode::Ratio, 300);
    plan.troubles = Troubles::default();
    plan.campaign.pacing.call_ratio = 3.0;
    plan.campaign.pacing.abandon_rate_max = 1.0;
    let mut day = plan.day();
    day.journal = Some(Vec::new());
    let seen = Rc::new(RefCell::new(Vec::new()));
    let watched = seen.clone();
    day.inspect = Some(Box::new(move |_, utc, _: &Input, dialer| {
        watched.borrow_mut().push((utc, floor(dialer)));
    }));
    day.run(Time::from_millis(12 * 3_600_000));
    let abandoned = day
        .store
        .attempts()
        .filter(|attempt| attempt.result.as_ref().is_some_and(|result| result.outcome == Outcome::Abandoned));
    let abandoned = abandoned.map(|attempt| attempt.request.attempt).collect();
    let dir = tempfile::tempdir().expect("a folder");
    let mut dialer = Dialer::new(seed);
    let inputs = day.journal.take().expect("inputs");
    drop(day);
    // One writer after the other, each until it has written everything: no record is dropped by a slow disk.
    for part in inputs.chunks(inputs.len() / 3 + 1) {
        let config = JournalConfig { total_bytes: 1 << 30, ..JournalConfig::in_dir(dir.path().to_owned()) };
        let mut writer = JournalWriter::start(config).expect("a journal");
        for (at, input) in part {
            writer.before(&dialer);
            dialer.handle(*at, input.clone());
            let outputs: Vec<_> = std::iter::from_fn(|| dialer.poll()).collect();
            writer.record(*at, input.clone(), &outputs);
        }
    }
    let found = replay(dir.path(), |_: Time, _: &Input, _: &[Output], _: &Dialer| {}).expect("a replay");
    assert_eq!(found.inputs, inputs.len() as u64, "seed {seed}");
    assert!(found.differences.is_empty(), "seed {seed}: {:?}", found.differences.first());
    let seen = Rc::into_inner(seen).expect("the day is over").into_inner();
    Recorded { dir, seen, abandoned, of: format!("seed {seed}") }
}

fn floor(dialer: &Dialer) -> Floor {
    let agents = dialer.seats().iter().map(|seat| (seat.agent, AgentState::of(seat))).collect();
    (agents, dialer.calls_now().map(|call| (call.call, call.stage)).collect())
}

#[test]
fn a_replayed_day_equals_the_recorded_one_at_every_minute() {
    let mut compared = 0;
    for seed in 1..4 {
        let day = recorded(seed);
        let files = files(day.dir.path()).expect("segments");
        assert!(files.len() > 1, "{}: one segment", day.of);
        let last = day.seen.last().expect("inputs").0;
        for part in 1..20u32 {
            let from = START + last.since(START) * part / 20;
            let until = from + Duration::from_secs(60);
            let mut found = Timeline::new(Window { from, until, campaign: Some("floor".into()) });
            replay_files(&files, &mut found).expect("a replay");
            let found = found.finish();
            // The floor when the window began, and after the last input of every millisecond in it.
            let before = day.seen.iter().rev().find(|(at, _)| *at <= from).map(|(_, floor)| (from, floor));
            let within = day
                .seen
                .windows(2)
                .filter(|pair| pair[0].0 > from && pair[0].0 < until && pair[1].0 > pair[0].0);
            for (at, floor) in before.into_iter().chain(within.map(|pair| (pair[0].0, &pair[0].1))) {
                assert_eq!(told(&found, at), shown(floor), "{} at {at:?}", day.of);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared} moments are too few");
}

/// The states that the timeline reports for a moment.
fn told(found: &Timeline, at: Utc) -> BTreeMap<String, &'static str> {
    let mut told = BTreeMap::new();
    for row in &found.rows {
        let Some(span) = row.spans.iter().find(|span| span.from <= at && at < span.until) else { continue };
        if span.state == State::Agent(AgentState::SignedOut) {
            continue;
        }
        let key = match &row.of {
            RowSubject::Agent { agent, .. } => format!("agent {agent}"),
            RowSubject::Call { attempt, .. } => format!("call {attempt}"),
        };
        told.insert(key, span.state.word());
    }
    told
}

/// The states that were recorded.
fn shown((agents, calls): &Floor) -> BTreeMap<String, &'static str> {
    let agents = agents.iter().filter(|(_, state)| **state != AgentState::SignedOut);
    let agents = agents.map(|(agent, state)| (format!("agent {agent}"), state.word()));
    let calls = calls.iter().map(|(call, stage)| (format!("call {}", call.attempt()), stage.word()));
    agents.chain(calls).collect()
}

#[test]
fn the_journal_explains_an_abandoned_call() {
    let day = recorded(2);
    let attempt = *day.abandoned.first().unwrap_or_else(|| panic!("{}: nobody was abandoned", day.of));
    let mut stories = CallTracer::new(TraceTarget::Attempt(attempt));
    replay_files(&files(day.dir.path()).expect("segments"), &mut stories).expect("a replay");
    let story = &stories.traces[0];
    let answered = story.answered_at.expect("she answered");
    assert!(story.abandoned() && story.connected.is_none(), "{story:?}");
    // The recording of the day says which agents were signed in and which were idle.
    let (_, (agents, _)) = day.seen.iter().rev().find(|(at, _)| *at <= answered).expect("the moment");
    for there in &story.agents_at_answer {
        assert_eq!(agents.get(&there.agent), Some(&there.state), "{}: {there:?}", day.of);
    }
    let free_then = |at: Utc, agent: AgentId| {
        day.seen
            .iter()
            .any(|(seen, (agents, _))| *seen == at && agents.get(&agent) == Some(&AgentState::Idle))
    };
    if let Some((first, at)) = story.first_free() {
        assert!(free_then(at, first.agent), "{}: {first:?}", day.of);
    }
    let journal = day.dir.path().to_str().expect("a path");
    let output = Command::new(env!("CARGO_BIN_EXE_paceline"))
        .args(["replay", journal, "--call", &attempt.to_string()])
        .env("LC_ALL", "C")
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    for told in
        ["chosen by the decision", "the callee answers", "no agent was free", "why: the callee answered"]
    {
        assert!(text.contains(told), "{told}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Another setting runs in the shadow of a finished day: the day itself is replayed as it was, bit for bit.
#[test]
fn a_recorded_day_replays_with_a_shadow_setting() {
    // Its agents talk often enough for the shadow to learn the line.
    let day = recorded(1);
    let rules = ShadowRules { mode: Mode::Progressive, call_ratio: 1.0, abandon_rate_max: 0.03 };
    let (found, compared) = replay_with_shadow(day.dir.path(), rules).expect("a replay");
    assert!(
        found.segments > 1 && found.differences.is_empty(),
        "{}: {:?}",
        day.of,
        found.differences.first()
    );
    let [(_, sides)] = &compared[..] else { panic!("{}: one campaign, {compared:?}", day.of) };
    assert!(
        sides.secs > 0.0 && sides.live.answered > 0 && sides.shadow.answered > 0,
        "{}: {sides:?}",
        day.of
    );
    assert!(sides.shadow.abandoned < sides.live.abandoned, "one line for each instead of three: {sides:?}");
}
