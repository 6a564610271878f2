//! `paceline forecast`: simulates a campaign in every pacing mode before its first call.

use super::svg::{escape_xml, open_svg};
use super::{Failure, campaign, config};
use crate::cli::{Exit, ForecastArgs, Global, WorldArgs};
use crate::config::{Config, LoadedCampaign};
use crate::lists;
use crate::sim::forecast::{Assumptions, Forecast, World, ample_trunk};
use crate::store::Store;
use comfy_table::Table;
use paceline_core::campaign::{CalleePattern, Mode, Trunk};
use paceline_core::ids::TrunkId;
use paceline_core::time::{Duration, Utc};
use serde_json::json;
use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};

/// Limits of `--agents-needed`: most agents tried, and most seeds; each trial costs several simulated days.
const AGENTS_MAX: u32 = 2_000;
const NEEDED_SEEDS: u64 = 3;
/// Wrap-ups read from the history for their median.
const WRAP_UPS_MAX: u32 = 2_000;

/// One pacing mode over all seeds.
struct ModeForecast {
    name: String,
    days: Vec<Forecast>,
    /// Agents needed to finish the list in time, one per seed; empty without `--agents-needed`.
    needed: Vec<Option<u32>>,
}

/// Rates and medians measured in an earlier campaign.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    answer_rate: Option<f64>,
    talk_secs: Option<f64>,
    wrap_secs: Option<f64>,
    ring_secs: Option<f64>,
}

impl WorldArgs {
    /// The value of the argument, else the measured one, else the default.
    pub(super) fn with_measured(&self, measured: Measured) -> World {
        let secs = |given: Option<f64>, seen: Option<f64>, usual: f64| {
            Duration::from_secs_f64(given.or(seen).unwrap_or(usual).clamp(0.5, 7_200.0))
        };
        World {
            answer_rate: self.answer_rate.or(measured.answer_rate).unwrap_or(0.3).clamp(0.0, 1.0),
            talk: secs(self.talk_secs, measured.talk_secs, 60.0),
            wrap_up: secs(self.wrap_secs, measured.wrap_secs, 12.0),
            ring: secs(self.ring_secs, measured.ring_secs, 12.0),
        }
    }
}

pub async fn forecast(global: &Global, args: ForecastArgs) -> Result<Exit, Failure> {
    let config = config(global)?;
    let loaded = campaign(&args.campaign, &config)?;
    if loaded.rules.agents.is_none() {
        return Err(Failure::refused(format!(
            "{}: a forecast needs agents: name their group in [agents]",
            loaded.file.display()
        )));
    }
    let leads = match args.leads {
        Some(leads) => leads,
        None => count_dialable(&loaded).await?,
    };
    let measured = match &args.from_history {
        Some(name) => measure_history(&config, name).await?,
        None => Measured::default(),
    };
    let assumed = Assumptions {
        trunks: trunks(&config),
        leads,
        agents: args.agents,
        world: args.world.with_measured(measured),
        start: next_opening(&loaded),
        hours: args.hours.clamp(0.1, 24.0),
        campaign: loaded.rules.clone(),
    };
    let rows = tokio::task::spawn_blocking({
        let assumed = assumed.clone();
        let (seeds, own) = (args.seeds.clamp(1, 100), loaded.rules.pacing.call_ratio);
        let needed = args.agents_needed;
        move || forecast_modes(&assumed, seeds, own, needed)
    })
    .await
    .map_err(Failure::unexpected)?;
    if let Some(file) = &args.plot {
        std::fs::write(file, draw_chart(&rows, &loaded.title))
            .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    }
    show(global, &assumed, &rows, loaded.rules.pacing.abandon_rate_max);
    Ok(Exit::Done)
}

/// Counts the leads of the list that can be dialled. Report and fix file go to a temporary folder.
async fn count_dialable(loaded: &LoadedCampaign) -> Result<u64, Failure> {
    let spec = loaded.list.clone();
    let dir = create_temp_dir()?;
    let report = tokio::task::spawn_blocking(move || {
        let report = lists::check(&spec, &mut std::iter::empty(), &dir);
        // A temporary folder of this process alone.
        let _ = std::fs::remove_dir_all(&dir);
        report
    })
    .await
    .map_err(Failure::unexpected)?
    .map_err(Failure::refused)?;
    Ok(report.expected_dialable)
}

fn create_temp_dir() -> Result<std::path::PathBuf, Failure> {
    let dir = std::env::temp_dir().join(format!("paceline-forecast-{}", std::process::id()));
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::unexpected(format!("{}: {error}", dir.display())))?;
    Ok(dir)
}

fn trunks(config: &Config) -> Vec<Trunk> {
    let named = config.trunks.iter().enumerate().map(|(place, (name, trunk))| Trunk {
        id: TrunkId(place as u16),
        name: name.clone(),
        calls_max: trunk.calls_max,
        calls_per_sec: trunk.calls_per_sec,
        setup: None,
        allow: vec![CalleePattern::every()],
        deny: Vec::new(),
    });
    let trunks: Vec<Trunk> = named.collect();
    if trunks.is_empty() { vec![ample_trunk(500)] } else { trunks }
}

/// The next moment at which the campaign may dial.
fn next_opening(loaded: &LoadedCampaign) -> Utc {
    use paceline_core::campaign::window::WindowState;
    let now = crate::net::clock::Clock::utc();
    match loaded.rules.windows.state(now) {
        // A forecast covers a whole day, not the rest of this one.
        WindowState::OpenUntil(until) => match loaded.rules.windows.state(until) {
            WindowState::ClosedUntil(Some(opens)) => opens,
            _ => now,
        },
        WindowState::ClosedUntil(Some(opens)) => opens,
        WindowState::ClosedUntil(None) => now,
    }
}

/// Measures an earlier campaign in the store.
async fn measure_history(config: &Config, name: &str) -> Result<Measured, Failure> {
    let mut reader = Store::open_reader(&config.store.url).await.map_err(Failure::refused)?;
    let record = reader.campaign(name).await.map_err(Failure::refused)?;
    let (mut after, mut calls, mut answered) = (0, 0u64, 0u64);
    let (mut talks, mut rings) = (Vec::new(), Vec::new());
    loop {
        let page = reader.attempts(record.id, after, 5_000).await.map_err(Failure::unexpected)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in &page {
            calls += 1;
            answered += u64::from(row.answered_at.is_some() && !row.machine);
            if let (Some(rang), Some(at)) = (row.ringing_at, row.answered_at) {
                rings.push((at - rang) as f64 / 1_000.0);
            }
            if let (Some(from), Some(to)) = (row.connected_at, row.ended_at) {
                talks.push((to - from) as f64 / 1_000.0);
            }
        }
    }
    if calls < 20 {
        return Err(Failure::refused(format!(
            "{name}: {calls} calls are too few to learn from; 20 are needed"
        )));
    }
    let wraps = reader.wrap_ups(record.id, WRAP_UPS_MAX).await.map_err(Failure::unexpected)?;
    Ok(Measured {
        answer_rate: Some(answered as f64 / calls as f64),
        talk_secs: median(talks),
        wrap_secs: median(wraps.into_iter().map(|wrap| wrap.as_secs_f64()).collect()),
        ring_secs: median(rings),
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Simulates every pacing mode over the same seeds.
fn forecast_modes(assumed: &Assumptions, seeds: u64, own_ratio: f64, needed: bool) -> Vec<ModeForecast> {
    let mut modes = vec![
        ("progressive".to_owned(), Mode::Progressive, 1.0),
        (format!("ratio {own_ratio}"), Mode::Ratio, own_ratio),
    ];
    modes.extend(
        [1.5, 3.0]
            .into_iter()
            .filter(|ratio| (ratio - own_ratio).abs() > 0.01)
            .map(|ratio| (format!("ratio {ratio}"), Mode::Ratio, ratio)),
    );
    modes.push(("predictive".to_owned(), Mode::Predictive, 1.0));
    modes
        .into_iter()
        .map(|(name, mode, ratio)| {
            let days = for_each_seed(seeds, |seed| assumed.day(seed, mode, ratio));
            let seeds = if needed { seeds.min(NEEDED_SEEDS) } else { 0 };
            let needed = for_each_seed(seeds, |seed| assumed.agents_needed(seed, mode, ratio, AGENTS_MAX));
            ModeForecast { name, days, needed }
        })
        .collect()
}

/// Does the work for every seed on all cores; results in the order of the seeds.
fn for_each_seed<T: Send>(seeds: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let next = AtomicU64::new(1);
    let worker = || {
        let own = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        own.take_while(|seed| *seed <= seeds).map(|seed| (seed, work(seed))).collect::<Vec<_>>()
    };
    let mut done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(seeds)).map(|_| scope.spawn(worker)).collect();
        // A panic is passed on: a missing day would falsify the bands.
        let days =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|fault| resume_unwind(fault)));
        days.flatten().collect::<Vec<_>>()
    });
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, day)| day).collect()
}

/// Least, median and most over the seeds.
fn band(days: &[Forecast], of: impl Fn(&Forecast) -> f64) -> (f64, f64, f64) {
    let mut values: Vec<f64> = days.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let at = |place: usize| values.get(place).copied().unwrap_or(0.0);
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}

fn show(global: &Global, assumed: &Assumptions, rows: &[ModeForecast], ceiling: f64) {
    if global.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| json!({ "pacing": row.name, "days": row.days, "agents_needed": row.needed }))
            .collect();
        let text = json!({
            "leads": assumed.leads,
            "agents": assumed.agents,
            "answer_rate": assumed.world.answer_rate,
            "talk_secs": assumed.world.talk.as_secs_f64(),
            "wrap_secs": assumed.world.wrap_up.as_secs_f64(),
            "ring_secs": assumed.world.ring.as_secs_f64(),
            "abandon_rate_max": ceiling,
            "forecasts": rows,
        });
        println!("{text}");
        return;
    }
    println!(
        "{} leads, {} agents, {:.0} % answered, {:.0} s talk, {:.0} s wrap-up, {:.0} s ringing (medians)",
        assumed.leads,
        assumed.agents,
        assumed.world.answer_rate * 100.0,
        assumed.world.talk.as_secs_f64(),
        assumed.world.wrap_up.as_secs_f64(),
        assumed.world.ring.as_secs_f64(),
    );
    let mut table = Table::new();
    let mut header =
        vec!["pacing", "finished after", "busy", "idle a call", "abandoned", "calls/h", "talks/h"];
    let needed = rows.iter().any(|row| !row.needed.is_empty());
    if needed {
        header.push("agents needed");
    }
    table.set_header(header);
    for row in rows {
        let hours = band(&row.days, |day| day.hours);
        let finished = row.days.iter().all(|day| day.finished);
        let span = |of: fn(&Forecast) -> f64| {
            let (least, median, most) = band(&row.days, of);
            format!("{median:.0} ({least:.0}-{most:.0})")
        };
        let (least, busy, most) = band(&row.days, |day| day.utilisation * 100.0);
        let (_, abandoned, worst) = band(&row.days, |day| day.abandon_rate * 100.0);
        let mut cells = vec![
            row.name.clone(),
            if finished {
                format!("{:.1}-{:.1} h", hours.0, hours.2)
            } else {
                format!("not in {:.1} h", hours.2)
            },
            format!("{busy:.0} % ({least:.0}-{most:.0})"),
            format!("{} s", span(|day| day.idle_secs)),
            format!("{abandoned:.1} % (most {worst:.1})"),
            span(|day| day.calls_per_hour),
            span(|day| day.conversations_per_hour),
        ];
        if needed {
            cells.push(agents_needed_band(&row.needed));
        }
        table.add_row(cells);
    }
    println!("{table}");
    println!("the ceiling is {:.1} % abandoned of the people who answered", ceiling * 100.0);
}

/// Median and range of the agents needed, over the seeds.
fn agents_needed_band(needed: &[Option<u32>]) -> String {
    let mut known: Vec<u32> = needed.iter().flatten().copied().collect();
    known.sort_unstable();
    match (known.first(), known.last()) {
        (Some(least), Some(most)) if known.len() == needed.len() => match known[known.len() / 2] {
            median if least == most => median.to_string(),
            median => format!("{median} ({least}-{most})"),
        },
        _ => format!("over {AGENTS_MAX}, or the retries take longer"),
    }
}

/// A self-contained SVG chart with a bar per pacing mode.
fn draw_chart(rows: &[ModeForecast], title: &str) -> String {
    let (left, width, step) = (150.0, 420.0, 64.0);
    let height = 60.0 + rows.len() as f64 * step;
    let mut svg = open_svg(700.0, height, title);
    for (place, row) in rows.iter().enumerate() {
        let y = 50.0 + place as f64 * step;
        let (least, busy, most) = band(&row.days, |day| day.utilisation);
        let (_, abandoned, _) = band(&row.days, |day| day.abandon_rate);
        let bar = |from: f64, to: f64| (left + from * width, (to - from).max(0.0) * width);
        let (x, w) = bar(0.0, busy);
        let (range_x, range_w) = bar(least, most);
        let over = if abandoned > 0.03 { "#c0392b" } else { "#7f8c8d" };
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<text x=\"20\" y=\"{ty}\">{name}</text><rect x=\"{x}\" y=\"{y}\" width=\"{w:.1}\" height=\"22\" \
             fill=\"#2e86c1\"/><rect x=\"{range_x:.1}\" y=\"{ry}\" width=\"{range_w:.1}\" height=\"6\" \
             fill=\"#154360\"/><text x=\"{lx:.1}\" y=\"{ty}\">{pct:.0} % busy</text><text x=\"{left}\" y=\"{ay}\" \
             fill=\"{over}\">{ab:.1} % abandoned</text>",
            name = escape_xml(&row.name),
            ty = y + 16.0,
            ry = y + 8.0,
            lx = left + most.max(busy) * width + 8.0,
            pct = busy * 100.0,
            ay = y + 38.0,
            ab = abandoned * 100.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_seeds_and_a_panic_is_passed_on() {
        for seeds in [0, 1, 2, 7, 40] {
            assert_eq!(
                for_each_seed(seeds, |seed| seed * 3),
                (1..=seeds).map(|seed| seed * 3).collect::<Vec<_>>()
            );
        }
        let fault = std::panic::catch_unwind(|| for_each_seed(3, |seed| assert_ne!(seed, 2)));
        assert!(fault.is_err(), "a day that failed is not passed over");
    }

    #[test]
    fn a_band_is_least_median_and_most() {
        let days = [3.0, 1.0, 2.0].map(|hours| Forecast { hours, ..Forecast::default() });
        assert_eq!(band(&days, |day| day.hours), (1.0, 2.0, 3.0));
        assert_eq!(median(vec![]), None);
        assert_eq!(agents_needed_band(&[Some(12), Some(11), Some(14)]), "12 (11-14)");
        assert_eq!(agents_needed_band(&[Some(7), Some(7)]), "7");
        assert!(agents_needed_band(&[Some(7), None]).starts_with("over 2000"));
    }

    #[test]
    fn a_title_is_escaped_in_the_chart() {
        let svg = draw_chart(&[], "<script>&");
        assert!(svg.contains("&lt;script&gt;&amp;") && !svg.contains("<script>"));
    }
}
