//! `paceline forecast`: simulates a campaign in every pacing mode before its first call.

use super::svg::{escape_xml, open_svg};
use super::{Failure, config, named};
use crate::cli::{Exit, ForecastArgs, Global, WorldArgs};
use crate::config::{Config, LoadedCampaign};
use crate::lists;
use crate::output::print_line;
use crate::sim::forecast::{
    AGENTS_MAX, Assumptions, Forecast, ForecastPlan, ForecastProgress, ModeForecast, World, WorldFigures,
    ample_trunk, forecast_document, forecast_modes,
};
use crate::store::Store;
use crate::tasks;
use comfy_table::Table;
use paceline_core::campaign::{CalleePattern, Campaign, Trunk};
use paceline_core::ids::CampaignId;
use std::fmt::Write as _;

impl WorldArgs {
    /// The value of the argument, else the measured one, else the default.
    pub(super) fn with_measured(&self, measured: WorldFigures) -> World {
        let WorldArgs { answer_rate, talk_secs, wrap_secs, ring_secs } = *self;
        WorldFigures { answer_rate, talk_secs, wrap_secs, ring_secs }.world(measured)
    }
}

pub async fn forecast(global: &Global, args: ForecastArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let named = named::find(&args.campaign, &config).await?;
    let loaded = &named.loaded;
    if loaded.rules.agents.is_none() {
        return Err(Failure::refused(format!(
            "{}: a forecast needs agents: name their group in [agents]",
            loaded.file.display()
        )));
    }
    let leads = match (args.leads, named.row) {
        (Some(leads), _) => leads,
        (None, Some(id)) if !named.has_list_file() => count_open(&config, id).await?,
        (None, _) => count_dialable(loaded).await?,
    };
    let measured = match &args.from_history {
        Some(name) => measure_history(&config, name).await?,
        None => WorldFigures::default(),
    };
    let assumed = Assumptions {
        trunks: trunks(&config, &loaded.rules),
        leads,
        agents: args.agents,
        world: args.world.with_measured(measured),
        start: tasks::next_opening(&loaded.rules, crate::net::clock::Clock::utc()),
        hours: args.hours.clamp(0.1, 24.0),
        campaign: loaded.rules.clone(),
    };
    let rows = tokio::task::spawn_blocking({
        let assumed = assumed.clone();
        let plan = ForecastPlan {
            seeds: args.seeds.clamp(1, 100),
            own_ratio: loaded.rules.pacing.call_ratio,
            needed: args.agents_needed,
            threads: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        };
        // A forecast of the command line is not stopped.
        move || forecast_modes(&assumed, &plan, &ForecastProgress::default()).unwrap_or_default()
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
/// Open leads of a campaign whose list was uploaded.
async fn count_open(config: &Config, id: CampaignId) -> Result<u64, Failure> {
    let mut reader = Store::open_reader(&config.store.url).await.map_err(Failure::refused)?;
    let counts = reader.counts(id).await.map_err(Failure::unexpected)?;
    Ok(counts.leads.get("open").copied().unwrap_or(0))
}

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

fn trunks(config: &Config, rules: &Campaign) -> Vec<Trunk> {
    let known = config.known_trunks();
    let named = known.iter().map(|(name, trunk)| Trunk {
        id: trunk.id,
        name: name.clone(),
        calls_max: trunk.settings.calls_max,
        calls_per_sec: trunk.settings.calls_per_sec,
        setup: None,
        allow: vec![CalleePattern::every()],
        deny: Vec::new(),
    });
    let trunks: Vec<Trunk> = named.collect();
    if trunks.is_empty() { vec![ample_trunk(rules, 500)] } else { trunks }
}

/// Measures an earlier campaign in the store.
async fn measure_history(config: &Config, name: &str) -> Result<WorldFigures, Failure> {
    let mut reader = Store::open_reader(&config.store.url).await.map_err(Failure::refused)?;
    let record = reader.campaign(name).await.map_err(Failure::refused)?;
    let measured = tasks::measure_history(&mut reader, record.id).await.map_err(Failure::unexpected)?;
    measured.map_err(|calls| {
        Failure::refused(format!("{name}: {calls} calls are too few to learn from; 20 are needed"))
    })
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
        let text = forecast_document(assumed, rows, ceiling);
        print_line!("{text}");
        return;
    }
    print_line!(
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
    print_line!("{table}");
    print_line!("the ceiling is {:.1} % abandoned of the people who answered", ceiling * 100.0);
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
    fn a_band_is_least_median_and_most() {
        let days = [3.0, 1.0, 2.0].map(|hours| Forecast { hours, ..Forecast::default() });
        assert_eq!(band(&days, |day| day.hours), (1.0, 2.0, 3.0));
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
