//! Handler of the schedule: when each campaign calls, the trunks that campaigns share, and where they ask for more lines
//! than a trunk has.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_views::{StateFacts, group_of};
use super::problem::Problem;
use super::views::moment;
use super::visible_campaigns;
use crate::config::LoadedCampaign;
use crate::store::campaign_rows::{CampaignRow, CampaignState};
use crate::text::TimeFormat;
use axum::Json;
use axum::extract::{Query, State};
use jiff::civil::Date;
use paceline_core::campaign::window::WindowState;
use paceline_core::explain::hours;
use paceline_core::time::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Days of one answer.
const DAYS_MAX: i32 = 31;

/// Days without `until`.
const DAYS: i64 = 6;

/// Bars of one campaign.
const BARS_MAX: usize = 500;

#[derive(Deserialize)]
pub(super) struct ScheduleQuery {
    from: Option<String>,
    until: Option<String>,
}

/// A span in which a campaign may call, with the lines that it asks for.
struct Span {
    from: Utc,
    until: Utc,
    campaign: String,
    lines: u32,
}

/// More lines are asked for than a trunk has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Conflict {
    from: Utc,
    until: Utc,
    lines: u32,
    campaigns: Vec<String>,
}

fn parse_date(field: &str, text: &str) -> Result<Date, Problem> {
    let unfit = |_| Problem::of_field(&format!("/{field}"), "a day like 2027-02-01", "日期,如 2027-02-01");
    text.parse::<Date>().map_err(unfit)
}

impl ScheduleQuery {
    /// First and last day.
    fn days(&self, now: Utc) -> Result<(Date, Date), Problem> {
        let today = TimeFormat::in_zone("Asia/Shanghai").written(now, "%Y-%m-%d");
        let week = jiff::Span::new().days(DAYS);
        let (first, last) = match (&self.from, &self.until) {
            (Some(from), Some(until)) => (parse_date("from", from)?, parse_date("until", until)?),
            (None, Some(until)) => {
                let last = parse_date("until", until)?;
                (last.saturating_sub(week), last)
            }
            (from, None) => {
                let first = parse_date("from", from.as_deref().unwrap_or(&today))?;
                (first, first.saturating_add(week))
            }
        };
        let days = first.until(last).map_or(-1, |span| span.get_days());
        if (0..DAYS_MAX).contains(&days) {
            return Ok((first, last));
        }
        let en = format!("the last day, at most {} days after `from`", DAYS_MAX - 1);
        Err(Problem::of_field("/until", &en, &format!("最后一天,距 `from` 至多 {} 天", DAYS_MAX - 1)))
    }
}

/// The beginning of a day in a zone.
fn begin_of(day: Date, zone: &TimeFormat) -> Option<Utc> {
    let at = day.to_zoned(zone.zone().clone()).ok()?;
    Some(Utc::from_millis(at.timestamp().as_millisecond()))
}

pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ScheduleQuery>,
) -> Result<Json<Value>, Problem> {
    let (first, last) = query.days(state.now())?;
    let facts = StateFacts::load(&state, &caller.scope).await?;
    let (mut campaigns, mut spans) = (Vec::new(), BTreeMap::<String, Vec<Span>>::new());
    for row in visible_campaigns::rows(&state, &caller).await? {
        let standing = facts.state(&row);
        if matches!(standing, CampaignState::Archived | CampaignState::Finished) {
            continue;
        }
        let Some(loaded) = visible_campaigns::load(&state, &caller, &row).await? else { continue };
        let bars = windows_of(&loaded, first, last);
        for trunk in trunks_of(&state, &loaded) {
            let lines = loaded.rules.concurrency_max.unwrap_or(0);
            let own = bars.iter().map(|(from, until)| Span {
                from: *from,
                until: *until,
                campaign: row.name.clone(),
                lines,
            });
            spans.entry(trunk).or_default().extend(own);
        }
        campaigns.push(campaign_view(&row, standing, &loaded, &bars, (first, last)));
    }
    let (mut trunks, mut conflicts) = (Vec::new(), Vec::new());
    for (name, config) in &state.config().trunks {
        let own = spans.remove(name).unwrap_or_default();
        let mut names: Vec<&String> = own.iter().map(|span| &span.campaign).collect();
        names.sort_unstable();
        names.dedup();
        trunks.push(json!({ "name": name, "calls_max": config.calls_max, "campaigns": names }));
        let found = conflicts_of(&own, config.calls_max);
        conflicts.extend(found.iter().map(|it| conflict_view(it, name, config.calls_max)));
    }
    let holidays = &caller.organisation.settings.holidays;
    Ok(Json(json!({
        "campaigns": campaigns, "trunks": trunks, "conflicts": conflicts, "holidays": holidays,
    })))
}

/// Trunks of a campaign by name; a campaign that names none uses all.
fn trunks_of(state: &AppState, loaded: &LoadedCampaign) -> Vec<String> {
    match loaded.written.trunks.is_empty() {
        true => state.config().trunks.keys().cloned().collect(),
        false => loaded.written.trunks.clone(),
    }
}

/// Spans between the two days, both included, in which the campaign may call.
fn windows_of(loaded: &LoadedCampaign, first: Date, last: Date) -> Vec<(Utc, Utc)> {
    let zone = TimeFormat::in_zone(&loaded.rules.windows.timezone);
    let end = last.tomorrow().ok().and_then(|day| begin_of(day, &zone));
    let (Some(mut at), Some(end)) = (begin_of(first, &zone), end) else { return Vec::new() };
    let mut bars = Vec::new();
    while at < end && bars.len() < BARS_MAX {
        at = match hours(&loaded.rules, at) {
            WindowState::OpenUntil(until) => {
                bars.push((at, until.min(end)));
                until
            }
            WindowState::ClosedUntil(Some(opens)) if opens > at => opens,
            WindowState::ClosedUntil(_) => break,
        };
    }
    bars
}

fn campaign_view(
    row: &CampaignRow,
    standing: CampaignState,
    loaded: &LoadedCampaign,
    bars: &[(Utc, Utc)],
    (first, last): (Date, Date),
) -> Value {
    let windows = &loaded.rules.windows;
    let zone = TimeFormat::in_zone(&windows.timezone);
    let bar = |from: Utc, until: Utc, kind: &str, en: String, zh: String| {
        json!({
            "from": moment(from), "until": moment(until), "kind": kind, "words": { "en": en, "zh": zh },
        })
    };
    let time = |at: Utc| zone.written(at, "%H:%M");
    let mut shown: Vec<Value> = bars
        .iter()
        .map(|(from, until)| {
            // The end of a day is 24:00, not the next day's beginning.
            let from_time = time(*from);
            let until_time =
                Some(time(*until)).filter(|end| end != "00:00").unwrap_or_else(|| "24:00".into());
            let en = format!("calls from {from_time} to {until_time}");
            bar(*from, *until, "window", en, format!("{from_time} 至 {until_time} 可拨打"))
        })
        .collect();
    for holiday in &windows.holidays {
        let (from, until) = (holiday.first.max(first), holiday.last.min(last));
        let ends = until.tomorrow().ok().and_then(|day| begin_of(day, &zone));
        if let (true, Some(begins), Some(ends)) = (from <= until, begin_of(from, &zone), ends) {
            let (en, zh) = ("a holiday: nobody is called", "节假日,不外呼");
            shown.push(bar(begins, ends, "holiday", en.into(), zh.into()));
        }
    }
    json!({
        "name": row.name,
        "title": row.title,
        "state": standing.word(),
        "timezone": windows.timezone,
        "group": group_of(&row.toml),
        "bars": shown,
    })
}

/// Where these spans together ask for more than so many lines, in order.
fn conflicts_of(spans: &[Span], lines_max: u32) -> Vec<Conflict> {
    let mut moments: Vec<Utc> = spans.iter().flat_map(|span| [span.from, span.until]).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut found: Vec<Conflict> = Vec::new();
    for pair in moments.windows(2) {
        let (from, until) = (pair[0], pair[1]);
        let open: Vec<&Span> =
            spans.iter().filter(|span| span.from <= from && span.until >= until && span.lines > 0).collect();
        let lines: u32 = open.iter().map(|span| span.lines).sum();
        if lines <= lines_max || open.len() < 2 {
            continue;
        }
        let campaigns: Vec<String> = open.iter().map(|span| span.campaign.clone()).collect();
        match found.last_mut().filter(|last| last.until == from && last.campaigns == campaigns) {
            Some(last) => last.until = until,
            None => found.push(Conflict { from, until, lines, campaigns }),
        }
    }
    found
}

fn conflict_view(conflict: &Conflict, trunk: &str, lines_max: u32) -> Value {
    let (count, lines) = (conflict.campaigns.len(), conflict.lines);
    let en = format!(
        "{count} campaigns together ask for {lines} lines of the trunk {trunk}, which has {lines_max}: they take turns"
    );
    let zh = format!("{count} 个活动合计 {lines} 路,线路 {trunk} 共 {lines_max} 路:轮流使用");
    json!({
        "from": moment(conflict.from),
        "until": moment(conflict.until),
        "trunk": trunk,
        "words": { "en": en, "zh": zh },
        "campaigns": conflict.campaigns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_lasts_as_long_as_the_campaigns_together_ask_for_too_much() {
        let span = |from: i64, until: i64, campaign: &str, lines: u32| Span {
            from: Utc::from_millis(from),
            until: Utc::from_millis(until),
            campaign: campaign.into(),
            lines,
        };
        let spans = [span(0, 100, "a", 40), span(50, 150, "b", 40), span(60, 70, "c", 0)];
        assert_eq!(conflicts_of(&spans, 80), []);
        let found = conflicts_of(&spans, 60);
        let wanted = Conflict {
            from: Utc::from_millis(50),
            until: Utc::from_millis(100),
            lines: 80,
            campaigns: vec!["a".into(), "b".into()],
        };
        assert_eq!(found, [wanted]);
        // One campaign alone is no conflict: its own limit is its own affair.
        assert_eq!(conflicts_of(&spans[..1], 10), []);
    }
}
