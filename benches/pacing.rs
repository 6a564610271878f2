//! Virtual calls per second of CPU for the dialer with the simulated store and lines; the time of one
//! predictive decision; and a family of virtual floors scored with every pacing rule.
//!
//! `cargo bench --bench pacing -- [LEADS]`, `-- decisions`, `-- floors [RULE] [fixed|drawn] [SEEDS]
//! [FIRST]`

#[path = "pacing/decisions.rs"]
mod decisions;
#[path = "pacing/floors.rs"]
mod floors;

use paceline::sim::day::{Day, Troubles};
use paceline::sim::line::Line;
use paceline::sim::memory_store::MemoryStore;
use paceline::sim::people::Population;
use paceline_core::campaign::{
    Announcement, CallerIdRules, CallingWindows, Campaign, HomeCountry, Mode, RetryRules, Trunk,
};
use paceline_core::dialer::Output;
use paceline_core::ids::{CampaignId, LeadId, TrunkId};
use paceline_core::lead::{Lead, Phone};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Outcome;
use paceline_core::time::{Duration, Time, Utc, WallClock};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("decisions") => decisions::run(),
        Some("floors") => floors::run(&args[1..]),
        _ => whole_brain(),
    }
}

fn whole_brain() {
    let leads: u64 = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(200_000);
    let mut store = MemoryStore::default();
    for n in 0..leads {
        store.add_lead(lead(n));
    }
    let people = Arc::new(Population::parse("seed = 1").expect("people"));
    let start = Utc::from_millis(1_795_226_400_000);
    let line = Line::new(people, WallClock::new(Time::ZERO, start));
    let trunk = Trunk {
        id: TrunkId(0),
        name: "t".into(),
        calls_max: 2_000,
        calls_per_sec: 100.0,
        setup: None,
        allow: Vec::new(),
        deny: Vec::new(),
    };
    let mut day = Day::new(1, start, campaign(), vec![trunk], store, line, Troubles::default());
    let (placed, outputs) = (Rc::new(Cell::new(0u64)), Rc::new(Cell::new(0u64)));
    let (p, o) = (placed.clone(), outputs.clone());
    day.watch = Some(Box::new(move |_, _, output| {
        o.set(o.get() + 1);
        p.set(p.get() + u64::from(matches!(output, Output::PlaceCall { .. })));
    }));
    let (wall, cpu) = (Instant::now(), cpu_secs());
    assert!(day.run(Time::from_millis(u64::MAX)), "the campaign did not finish");
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_secs() - cpu);
    let virtual_secs = day.now.as_millis() as f64 / 1000.0;
    println!(
        "{leads} leads, {} calls, {} outputs, {virtual_secs:.0} virtual seconds",
        placed.get(),
        outputs.get()
    );
    println!(
        "{:.0} virtual calls per CPU second ({cpu:.2} s CPU, {wall:.2} s wall), {:.0} times real time",
        placed.get() as f64 / cpu,
        virtual_secs / cpu
    );
}

fn lead(n: u64) -> Lead {
    Lead {
        id: LeadId(n as i64 + 1),
        row: n + 2,
        household: None,
        phones: vec![Phone::new(PhoneNumber::from_e164(8_614_000_000_000 + n).expect("a number"))],
        next_at: None,
        uncounted: 0,
        callback: None,
        last_agent: None,
        assigned: None,
        is_first: false,
        version: 0,
    }
}

fn campaign() -> Campaign {
    Campaign {
        id: CampaignId(1),
        name: "bench".into(),
        mode: Mode::Announce,
        trunks: vec![TrunkId(0)],
        ring: Duration::from_secs(45),
        setup: Duration::from_secs(30),
        concurrency_max: None,
        calls_per_sec: None,
        windows: CallingWindows { timezone: "Asia/Shanghai".into(), ..CallingWindows::default() },
        start: None,
        end: None,
        retry: RetryRules {
            attempts_max: 3,
            per_day_max: 3,
            gap_min: Duration::from_secs(1800),
            after: [
                (Outcome::NoAnswer, Duration::from_secs(7200)),
                (Outcome::Busy, Duration::from_secs(600)),
            ]
            .into(),
        },
        announcement: Some(Announcement {
            length: Duration::from_secs(8),
            plays: 1,
            pause: Duration::ZERO,
            input_wait: Duration::from_secs(5),
        }),
        keys: BTreeMap::new(),
        caller_ids: CallerIdRules::default(),
        agents: None,
        pacing: Default::default(),
        home: HomeCountry::china(),
    }
}

/// CPU time of this process: fields 14 and 15 of `/proc/self/stat`, in hundredths of a second.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(')').next().expect("a name in brackets");
    let ticks: f64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
