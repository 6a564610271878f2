//! Any range of days. Every change of what is drawn brings new days, and one in a few hundred finds a fault
//! that the fixed seeds miss: this runs any range of seeds, in every mode, and names all that fail.
//!
//! `PACELINE_SEEDS=1000-1500 cargo test --test all many_days -- --ignored --nocapture`; with
//! `CARGO_PROFILE_TEST_OPT_LEVEL=2` it is three times as fast. `PACELINE_DAYS=ratio,preview` selects kinds,
//! and `PACELINE_SHOW="LeadId(17),CallId(4)"` prints every input and output that contains one of these.

use super::floor::FloorPlan;
use super::floor::ledger;
use super::floor::properties::Total;
use super::{HOUR, MINUTE, Plan};
use paceline::sim::day::Day;
use paceline::sim::line::Line;
use paceline_core::campaign::Mode;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

/// Leads of one day on the floor.
const LEADS: i64 = 120;

const MODES: [Mode; 5] = [Mode::Announce, Mode::Preview, Mode::Progressive, Mode::Ratio, Mode::Predictive];

/// Kinds of days.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// No agents: announcements alone.
    Plain,
    /// The same, with a crash every ten minutes.
    PlainCrashing,
    Floor(Mode),
    /// A crash every ten minutes.
    Crashing(Mode),
    /// A manager who interferes.
    Managed(Mode),
    /// A manager who changes the campaign's rules too.
    Changing(Mode),
    /// The dialer's counts are compared with the store all day long.
    Ledger(Mode),
}

impl Kind {
    fn all() -> Vec<Kind> {
        let plain = [Kind::Plain, Kind::PlainCrashing];
        let floors = MODES.into_iter().flat_map(|mode| {
            [
                Kind::Floor(mode),
                Kind::Crashing(mode),
                Kind::Managed(mode),
                Kind::Changing(mode),
                Kind::Ledger(mode),
            ]
        });
        plain.into_iter().chain(floors).collect()
    }

    fn word(self) -> String {
        match self {
            Kind::Plain => "plain".into(),
            Kind::PlainCrashing => "plain-crashing".into(),
            Kind::Floor(mode) => mode.word().into(),
            Kind::Crashing(mode) => format!("{}-crashing", mode.word()),
            Kind::Managed(mode) => format!("{}-managed", mode.word()),
            Kind::Changing(mode) => format!("{}-changing", mode.word()),
            Kind::Ledger(mode) => format!("{}-ledger", mode.word()),
        }
    }

    fn run(self, seed: u64, show: &Rc<Vec<String>>) -> Result<(), String> {
        match self {
            Kind::Plain | Kind::PlainCrashing => {
                let mut plan = Plan::from_seed(seed, 100);
                if let Kind::PlainCrashing = self {
                    plan.troubles.crash_every = Some(MINUTE * 10);
                }
                super::properties::judged(&plan, |day| shown(day, show)).map(|_| ())
            }
            Kind::Floor(mode) => {
                Total::default().judged(&FloorPlan::from_seed(seed, mode, LEADS), |day| shown(day, show))
            }
            Kind::Crashing(mode) => {
                let mut plan = FloorPlan::from_seed(seed, mode, LEADS / 2);
                plan.troubles.crash_every = Some(HOUR / 6);
                Total::default().judged(&plan, |day| shown(day, show))
            }
            Kind::Managed(mode) => {
                let plan = FloorPlan { managed: true, ..FloorPlan::from_seed(seed, mode, LEADS) };
                Total::default().judged(&plan, |day| shown(day, show))
            }
            Kind::Changing(mode) => {
                Total::default().judged(&FloorPlan::changing(seed, mode, LEADS), |day| shown(day, show))
            }
            Kind::Ledger(mode) => ledger::one_day(seed, mode, Some(MINUTE * 25)).map(|_| ()),
        }
    }
}

/// Prints every input and output that contains one of these words.
fn shown(day: &mut Day<Line>, words: &Rc<Vec<String>>) {
    if words.is_empty() {
        return;
    }
    let speaks = |text: &str, words: &[String]| words.iter().any(|word| text.contains(word));
    if let Some(mut watch) = day.watch.take() {
        let words = words.clone();
        day.watch = Some(Box::new(move |at, utc, output| {
            let text = format!("{output:?}");
            if speaks(&text, &words) {
                eprintln!("{at} {utc:?}    -> {text}");
            }
            watch(at, utc, output);
        }));
    }
    if let Some(mut inspect) = day.inspect.take() {
        let words = words.clone();
        day.inspect = Some(Box::new(move |at, utc, input, dialer| {
            let text = format!("{input:?}");
            if speaks(&text, &words) {
                eprintln!("{at} {utc:?} <- {text}");
            }
            inspect(at, utc, input, dialer);
        }));
    }
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    let text = std::env::var("PACELINE_SEEDS").unwrap_or_else(|_| "1000-1019".into());
    let (from, to) = text.split_once('-').unwrap_or((&text, &text));
    let number =
        |text: &str| text.trim().parse().expect("PACELINE_SEEDS is a number, or two with a dash between");
    number(from)..=number(to)
}

fn words(variable: &str) -> Vec<String> {
    let text = std::env::var(variable).unwrap_or_default();
    text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[test]
#[ignore = "as long as one cares to wait"]
fn many_days() {
    let (wanted, show) = (words("PACELINE_DAYS"), Rc::new(words("PACELINE_SHOW")));
    let mut failed = 0;
    for kind in Kind::all() {
        let word = kind.word();
        if !wanted.is_empty() && !wanted.contains(&word) {
            continue;
        }
        let (began, mut days) = (Instant::now(), 0);
        for seed in seeds() {
            days += 1;
            let day = catch_unwind(AssertUnwindSafe(|| kind.run(seed, &show)));
            let broken = day.unwrap_or_else(|panic| Err(format!("panic: {}", said(&*panic))));
            if let Err(broken) = broken {
                failed += 1;
                eprintln!("FAILED {word} {seed}: {broken}");
            }
        }
        eprintln!("{word}: {days} days in {:.1?}", began.elapsed());
    }
    assert_eq!(failed, 0, "days failed, named above");
}
