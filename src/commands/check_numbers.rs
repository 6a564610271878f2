//! What the settings of a campaign mean for its numbers: when the calls begin and end, which hours that is where the
//! callees are, and which numbers no trunk may carry.

use super::setup::trunk_limits;
use crate::config::{Config, LoadedCampaign, hours};
use crate::lists::Batch;
use crate::output::print_line;
use crate::text::TimeFormat;
use paceline_core::campaign::window::{FOREVER, Holiday};
use paceline_core::campaign::{HomeCountry, Trunk};
use paceline_core::number_zone::zones_of_number;
use paceline_core::time::Utc;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Holidays that are named.
const HOLIDAYS_SHOWN: usize = 3;
/// Numbers without a trunk that are named by row.
const ROWS_SHOWN: usize = 5;

/// When a campaign calls, on the clock of its zone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Hours {
    now: String,
    timezone: String,
    /// `08:00-21:00`, or why there are none.
    today: String,
    /// `None` = never.
    first_call: Option<String>,
    /// `None` = no end, or never.
    last_call: Option<String>,
    holidays: Vec<String>,
}

impl Hours {
    pub fn of(loaded: &LoadedCampaign, now: Utc) -> Hours {
        let rules = &loaded.rules;
        let windows = &rules.windows;
        let clock = TimeFormat::in_zone(&windows.timezone);
        let stamp = |at: Utc| clock.written(at, "%Y-%m-%d %H:%M");
        let today = jiff::Timestamp::from_millisecond(now.as_millis())
            .map(|now| now.to_zoned(clock.zone().clone()).date())
            .unwrap_or_default();
        let weekday = today.weekday().to_monday_zero_offset() as usize;
        let spans: Vec<String> =
            windows.windows.iter().filter(|window| window.days[weekday]).map(hours::shown).collect();
        let bounds = windows.bounds(now, rules.start, rules.end);
        let coming = windows.holidays.iter().filter(|holiday| holiday.last >= today);
        Hours {
            now: clock.written(now, "%Y-%m-%d %H:%M, %A"),
            timezone: match windows.by_number {
                true => format!("each number's own (dates: {})", windows.timezone),
                false => windows.timezone.clone(),
            },
            today: match () {
                () if windows.is_holiday(today) => "none, a holiday".into(),
                () if spans.is_empty() => "none".into(),
                () => spans.join(", "),
            },
            first_call: bounds.map(|(first, _)| stamp(first)),
            last_call: bounds.filter(|(_, last)| *last != FOREVER).map(|(_, last)| stamp(last)),
            holidays: coming.take(HOLIDAYS_SHOWN).map(holiday_text).collect(),
        }
    }

    pub fn show(&self) {
        print_line!("  calling hours, {}: now {}; today {}", self.timezone, self.now, self.today);
        match (&self.first_call, &self.last_call) {
            (None, _) => print_line!("    warning: with these dates and hours there is no call at all"),
            (Some(first), None) => print_line!("    first call {first}; no end"),
            (Some(first), Some(last)) => print_line!("    first call {first}; last call before {last}"),
        }
        if !self.holidays.is_empty() {
            print_line!("    no calls on {}", self.holidays.join(", "));
        }
    }
}

fn holiday_text(holiday: &Holiday) -> String {
    match holiday.first == holiday.last {
        true => holiday.first.to_string(),
        false => format!("{} to {}", holiday.first, holiday.last),
    }
}

/// The trunks that a campaign uses; empty with the built-in simulated carrier.
pub(super) fn campaign_trunks(loaded: &LoadedCampaign, config: &Config) -> Vec<Trunk> {
    let all = config.known_trunks();
    let used = all.iter().filter(|(_, trunk)| loaded.rules.trunks.contains(&trunk.id));
    used.map(|(name, trunk)| trunk_limits(trunk.id, name, &trunk.settings)).collect()
}

/// The dialable numbers of a list, by where they are.
#[derive(Default)]
pub(super) struct Numbers {
    by_zones: BTreeMap<&'static [&'static str], u64>,
    without_trunk: u64,
    without_trunk_rows: Vec<u64>,
}

impl Numbers {
    /// Counts a batch; a list of `home`.
    pub fn add(&mut self, batch: &Batch, trunks: &[Trunk], home: &HomeCountry) {
        for lead in &batch.leads {
            for (number, _) in &lead.phones {
                *self.by_zones.entry(zones_of_number(*number)).or_default() += 1;
                if !trunks.is_empty() && !trunks.iter().any(|trunk| trunk.carries(*number, home)) {
                    self.without_trunk += 1;
                    if self.without_trunk_rows.len() < ROWS_SHOWN {
                        self.without_trunk_rows.push(lead.row);
                    }
                }
            }
        }
    }

    /// Numbers whose clocks differ from the campaign's: how many, where, and the calling hours there.
    fn elsewhere(&self, loaded: &LoadedCampaign) -> Vec<(u64, String, String)> {
        let windows = &loaded.rules.windows;
        let mut found = Vec::new();
        for (zones, count) in &self.by_zones {
            if zones.is_empty() {
                let what = match windows.by_number {
                    true => "never called: their time zone is not known",
                    false => "their time zone is not known",
                };
                found.push((*count, "?".to_owned(), what.to_owned()));
                continue;
            }
            let other = zones.iter().find(|zone| !hours::is_same_clock(zone, &windows.timezone));
            let (Some(other), false, Some(window)) = (other, windows.by_number, windows.windows.first())
            else {
                continue;
            };
            let there = hours::shown_in(window, &windows.timezone, other);
            found.push((
                *count,
                (*other).to_owned(),
                format!("{} here is {there} there", hours::shown(window)),
            ));
        }
        found
    }

    /// Where each number has the hours of its own zone: how many, in which zones, the hours there, and the same on the
    /// campaign's clock.
    fn own_zones(&self, loaded: &LoadedCampaign) -> Vec<(u64, &'static [&'static str], String, String)> {
        let windows = &loaded.rules.windows;
        let mut found = Vec::new();
        for (zones, count) in self.by_zones.iter().filter(|_| windows.by_number) {
            let (Some(first), Some(window)) = (zones.first(), windows.windows.first()) else { continue };
            let there = hours::shown(window);
            let here = hours::shown_in(window, first, &windows.timezone);
            found.push((*count, *zones, there, here));
        }
        found.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
        found
    }

    pub fn facts(&self, loaded: &LoadedCampaign) -> Value {
        let elsewhere: Vec<Value> = self
            .elsewhere(loaded)
            .into_iter()
            .map(|(numbers, zone, hours)| json!({ "numbers": numbers, "zone": zone, "hours": hours }))
            .collect();
        let own: Vec<Value> = self
            .own_zones(loaded)
            .into_iter()
            .map(|(numbers, zones, hours, here)| {
                json!({ "numbers": numbers, "zones": zones, "hours": hours, "on_campaign_clock": here })
            })
            .collect();
        json!({
            "other_time_zones": elsewhere,
            "time_zones": own,
            "no_trunk": self.without_trunk,
            "no_trunk_rows": self.without_trunk_rows,
        })
    }

    pub fn show(&self, loaded: &LoadedCampaign) {
        let clock = &loaded.rules.windows.timezone;
        for (count, zones, there, here) in self.own_zones(loaded) {
            match zones {
                [zone] if hours::is_same_clock(zone, clock) => {
                    print_line!("    {count} numbers in {zone}: {there}")
                }
                [zone] => print_line!("    {count} numbers in {zone}: {there} there is {here} in {clock}"),
                [zone, ..] => print_line!(
                    "    {count} numbers in one of {} zones ({zone} …): called while {there} holds in all of them",
                    zones.len()
                ),
                [] => {}
            }
        }
        for (count, zone, hours) in self.elsewhere(loaded) {
            print_line!(
                "    warning: {count} numbers are elsewhere ({zone}): {hours}; see [calling] timezone = \"number\""
            );
        }
        if self.without_trunk > 0 {
            print_line!(
                "  warning: {} numbers are carried by no trunk (no_trunk; rows {:?}): see allow and deny of [trunks]",
                self.without_trunk,
                self.without_trunk_rows
            );
        }
    }
}
