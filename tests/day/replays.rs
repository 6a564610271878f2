//! The same inputs lead to the same outputs: in memory, and through the journal's files.

use super::Plan;
use super::floor::recorded_with_changes;
use paceline::journal::{CallTracer, JournalConfig, JournalWriter, ReplayObserver, TraceTarget, replay};
use paceline_core::campaign::{Share, Trunk};
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::ids::{AttemptId, CampaignId, TrunkId};
use paceline_core::time::{Time, Utc};

fn recorded(seed: u64) -> (u64, Vec<(Time, Input)>) {
    let mut plan = Plan::from_seed(seed, 300);
    plan.troubles.crash_every = None;
    let mut day = plan.day();
    day.journal = Some(Vec::new());
    assert!(day.run(Time::from_millis(u64::MAX)), "seed {seed}");
    (seed, day.journal.expect("a journal"))
}

fn outputs(dialer: &mut Dialer, at: Time, input: &Input) -> Vec<Output> {
    dialer.handle(at, input.clone());
    std::iter::from_fn(|| dialer.poll()).collect()
}

#[test]
fn the_same_inputs_lead_to_the_same_outputs_bit_for_bit() {
    let (seed, journal) = recorded(3);
    let mut one = Dialer::new(seed);
    let mut two = Dialer::new(seed);
    for (at, input) in &journal {
        assert_eq!(outputs(&mut one, *at, input), outputs(&mut two, *at, input), "seed {seed} at {at}");
    }
    assert_eq!(one, two);
}

/// Writes the journal of a day with calls into one segment; returns when the day begins.
pub fn write_journal(dir: &std::path::Path) -> paceline_core::time::Utc {
    let (seed, journal) = recorded(4);
    let config = JournalConfig { dir: dir.to_owned(), segment_bytes: 64 << 20, total_bytes: 64 << 20 };
    let mut writer = JournalWriter::start(config).expect("a journal");
    let mut dialer = Dialer::new(seed);
    for (at, input) in &journal {
        writer.before(&dialer);
        let led_to = outputs(&mut dialer, *at, input);
        writer.record(*at, input.clone(), &led_to);
    }
    Plan::from_seed(seed, 300).start
}

/// A day in several segments: the trace of a call is the same whether all of it is replayed or only until ten minutes
/// after the call, and then less is read.
#[test]
fn a_trace_that_ends_with_its_call_is_the_whole_trace() {
    let (seed, journal) = recorded(4);
    let dir = tempfile::tempdir().expect("a folder");
    let config = JournalConfig { dir: dir.path().to_owned(), segment_bytes: 64 << 10, total_bytes: 64 << 20 };
    let mut writer = JournalWriter::start(config).expect("a journal");
    let mut dialer = Dialer::new(seed);
    for (at, input) in &journal {
        writer.before(&dialer);
        let led_to = outputs(&mut dialer, *at, input);
        writer.record(*at, input.clone(), &led_to);
    }
    drop(writer);
    let mut whole = CallTracer::new(TraceTarget::Attempt(AttemptId(5)));
    let all = replay(dir.path(), Watched { tracer: &mut whole, now: Utc::default(), stops: false });
    let mut early = CallTracer::new(TraceTarget::Attempt(AttemptId(5)));
    let read = replay(dir.path(), Watched { tracer: &mut early, now: Utc::default(), stops: true });
    assert_eq!(early.traces, whole.traces);
    assert!(!whole.traces.is_empty() && whole.traces[0].outcome.is_some(), "the call is told to its end");
    let (read, all) = (read.expect("a replay").inputs, all.expect("a replay").inputs);
    assert!(read < all, "{read} of {all} inputs");
}

struct Watched<'a> {
    tracer: &'a mut CallTracer,
    now: Utc,
    stops: bool,
}

impl ReplayObserver for Watched<'_> {
    fn segment(&mut self, dialer: &Dialer) {
        self.tracer.segment(dialer);
    }

    fn is_done(&self) -> bool {
        self.stops && self.tracer.is_complete(self.now)
    }

    fn after(&mut self, at: Time, input: &Input, outputs: &[Output], dialer: &Dialer) {
        self.tracer.after(at, input, outputs, dialer);
        self.now = dialer.utc();
    }
}

#[test]
fn a_journal_replays_without_a_difference_over_several_segments() {
    let (seed, journal) = recorded(4);
    let dir = tempfile::tempdir().expect("a folder");
    let config = JournalConfig { dir: dir.path().to_owned(), segment_bytes: 64 << 10, total_bytes: 64 << 20 };
    let mut writer = JournalWriter::start(config).expect("a journal");
    let mut dialer = Dialer::new(seed);
    for (at, input) in &journal {
        writer.before(&dialer);
        let led_to = outputs(&mut dialer, *at, input);
        writer.record(*at, input.clone(), &led_to);
    }
    drop(writer);
    let found = replay(dir.path(), |_: Time, _: &Input, _: &[Output], _: &Dialer| {}).expect("a replay");
    assert_eq!(found.inputs, journal.len() as u64);
    assert!(found.segments > 1, "one segment only");
    assert!(found.differences.is_empty(), "{:?}", found.differences);
    assert!(found.calls_placed > 100);
}

#[test]
fn a_day_on_which_the_rules_change_replays_without_a_difference() {
    let (seed, journal) = recorded_with_changes(7);
    let changes = journal.iter().filter(|(_, input)| matches!(input, Input::CampaignChanged { .. })).count();
    assert!(changes > 10, "seed {seed}: {changes} changes");
    let dir = tempfile::tempdir().expect("a folder");
    let config = JournalConfig { dir: dir.path().to_owned(), segment_bytes: 64 << 10, total_bytes: 64 << 20 };
    let mut writer = JournalWriter::start(config).expect("a journal");
    let mut dialer = Dialer::new(seed);
    for (at, input) in &journal {
        writer.before(&dialer);
        let led_to = outputs(&mut dialer, *at, input);
        writer.record(*at, input.clone(), &led_to);
    }
    drop(writer);
    let found = replay(dir.path(), |_: Time, _: &Input, _: &[Output], _: &Dialer| {}).expect("a replay");
    assert!(found.segments > 1 && found.differences.is_empty(), "seed {seed}: {:?}", found.differences);
    assert_eq!(found.inputs, journal.len() as u64);
}

#[test]
fn a_changed_byte_is_found_and_a_torn_end_is_no_error() {
    let (seed, journal) = recorded(5);
    let dir = tempfile::tempdir().expect("a folder");
    let mut writer = JournalWriter::start(JournalConfig::in_dir(dir.path().to_owned())).expect("a journal");
    let mut dialer = Dialer::new(seed);
    for (at, input) in &journal {
        writer.before(&dialer);
        let led_to = outputs(&mut dialer, *at, input);
        writer.record(*at, input.clone(), &led_to);
    }
    drop(writer);
    let file = dir.path().join("00000001.journal");
    let whole = std::fs::read(&file).expect("bytes");
    std::fs::write(&file, &whole[..whole.len() - 3]).expect("written");
    let found = replay(&file, |_: Time, _: &Input, _: &[Output], _: &Dialer| {}).expect("a torn journal");
    assert!(found.torn && found.inputs == journal.len() as u64 - 1);
    // At any place: in a length, in a checksum, or between them. The first line names the format; a snapshot
    // and the first records follow.
    let near = 19..19 + 12;
    for at in near.chain((0..40).map(|part| whole.len() / 41 * (part + 1))) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&file, &changed).expect("written");
        let found = replay(&file, |_: Time, _: &Input, _: &[Output], _: &Dialer| {});
        assert!(found.is_err(), "seed {seed}: a changed byte at {at} of {} went unseen", whole.len());
    }
    let older = [b"paceline journal 1".as_slice(), &whole[18..]].concat();
    std::fs::write(&file, older).expect("written");
    let told = replay(&file, |_: Time, _: &Input, _: &[Output], _: &Dialer| {}).expect_err("another version");
    assert!(told.to_string().contains("another version"), "{told}");
}

/// A trunk is changed, let rest, taken out and replaced while calls are up; shares change with it.
#[test]
fn a_day_on_which_trunks_and_shares_change_replays_without_a_difference() {
    let (seed, journal) = recorded(6);
    let dir = tempfile::tempdir().expect("a folder");
    let config = JournalConfig { dir: dir.path().to_owned(), segment_bytes: 64 << 10, total_bytes: 64 << 20 };
    let mut writer = JournalWriter::start(config).expect("a journal");
    let mut dialer = Dialer::new(seed);
    let trunks: Vec<_> = journal
        .iter()
        .filter_map(|(_, input)| match input {
            Input::TrunkDefined(trunk) => Some(trunk.clone()),
            _ => None,
        })
        .collect();
    let campaigns: Vec<_> = dialer_campaigns(&journal);
    let mut changes = 0;
    let mut give = |dialer: &mut Dialer, at: Time, input: Input| {
        writer.before(dialer);
        let led_to = outputs(dialer, at, &input);
        writer.record(at, input, &led_to);
    };
    for (n, (at, input)) in journal.iter().enumerate() {
        give(&mut dialer, *at, input.clone());
        if n % 97 != 96 {
            continue;
        }
        changes += 1;
        let trunk = &trunks[n % trunks.len()];
        let campaign = campaigns[n % campaigns.len()];
        let share =
            Share { priority: 1 + (n % 9) as u8, weight: 1 + (n % 7) as u32, lines_reserved: (n % 3) as u32 };
        give(&mut dialer, *at, Input::ShareSet { campaign, share });
        let limits = Trunk { calls_max: 5 + (n % 11) as u32, ..trunk.clone() };
        give(&mut dialer, *at, Input::TrunkDefined(limits));
        give(&mut dialer, *at, Input::TrunkRestEnded { trunk: trunk.id });
        let spare = Trunk { id: TrunkId(900), name: "spare".into(), ..trunk.clone() };
        match changes % 2 {
            0 => give(&mut dialer, *at, Input::TrunkRemoved { trunk: spare.id }),
            _ => give(&mut dialer, *at, Input::TrunkDefined(spare)),
        }
    }
    assert!(changes > 10, "{changes} changes");
    assert_eq!(dialer.drift(), None);
    drop(writer);
    let found = replay(dir.path(), |_: Time, _: &Input, _: &[Output], _: &Dialer| {}).expect("a replay");
    assert!(found.segments > 1 && found.differences.is_empty(), "seed {seed}: {:?}", found.differences);
}

fn dialer_campaigns(journal: &[(Time, Input)]) -> Vec<CampaignId> {
    let opened = journal.iter().filter_map(|(_, input)| match input {
        Input::CampaignOpened { campaign, .. } => Some(campaign.id),
        _ => None,
    });
    opened.collect()
}
