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
use paceline_core::campaign::{SIMULATED_TRUNK, Share};
use paceline_core::dialer::divide_lines;
use paceline_core::explain::hours;
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The zone of days, and of moments that are of no campaign.
const ZONE: &str = "Asia/Shanghai";

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
    share: Share,
}

/// More lines are asked for than a trunk has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Conflict {
    from: Utc,
    until: Utc,
    lines: u32,
    campaigns: Vec<String>,
    /// Of each campaign.
    shares: Vec<Share>,
}

fn parse_date(field: &str, text: &str) -> Result<Date, Problem> {
    let unfit = |_| Problem::of_field(&format!("/{field}"), "a day like 2027-02-01", "日期,如 2027-02-01");
    text.parse::<Date>().map_err(unfit)
}

impl ScheduleQuery {
    /// First and last day.
    fn days(&self, now: Utc) -> Result<(Date, Date), Problem> {
        let today = TimeFormat::in_zone(ZONE).written(now, "%Y-%m-%d");
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
        // A campaign that was drained calls nobody before it is started again.
        let is_drained = facts.is_drained(&row);
        for trunk in trunks_of(&state, row.id, &loaded).into_iter().filter(|_| !is_drained) {
            let lines = loaded.rules.concurrency_max.unwrap_or(0);
            let own = bars.iter().map(|(from, until)| Span {
                from: *from,
                until: *until,
                campaign: row.name.clone(),
                lines,
                share: loaded.share(),
            });
            spans.entry(trunk).or_default().extend(own);
        }
        let mut shown = campaign_view(&row, standing, &loaded, &bars, (first, last));
        shown["drained"] = is_drained.into();
        campaigns.push(shown);
    }
    let (mut trunks, mut conflicts) = (Vec::new(), Vec::new());
    for (name, calls_max) in lines_of_trunks(&state) {
        let own = spans.remove(&name).unwrap_or_default();
        let mut names: Vec<&String> = own.iter().map(|span| &span.campaign).collect();
        names.sort_unstable();
        names.dedup();
        let shares = shares_of(&own, calls_max);
        trunks.push(json!({ "name": name, "calls_max": calls_max, "campaigns": names, "shares": shares }));
        let found = conflicts_of(&own, calls_max);
        let zone = TimeFormat::in_zone(ZONE);
        conflicts.extend(found.iter().map(|it| conflict_view(it, &name, calls_max, &zone)));
    }
    let holidays = &caller.organisation.settings.holidays;
    Ok(Json(json!({
        "campaigns": campaigns, "trunks": trunks, "conflicts": conflicts, "holidays": holidays,
    })))
}

/// Trunks of a campaign by name; a campaign that names none uses all.
fn trunks_of(state: &AppState, id: CampaignId, loaded: &LoadedCampaign) -> Vec<String> {
    let config = state.config();
    // An open campaign uses what it was opened with: one on the simulated carrier stays there.
    let open = state.campaigns().get(&id).map(|facts| facts.rules.trunks.clone());
    let used = open.unwrap_or_else(|| config.trunks_named(&loaded.written.trunks));
    if used == [config.simulated_trunk()] {
        return vec![SIMULATED_TRUNK.to_owned()];
    }
    let known = config.known_trunks().into_iter();
    known.filter(|(_, trunk)| used.contains(&trunk.id)).map(|(name, _)| name).collect()
}

/// Every trunk with its lines; the simulated carrier once it carries calls.
fn lines_of_trunks(state: &AppState) -> BTreeMap<String, u32> {
    let known = state.config().known_trunks();
    let mut lines: BTreeMap<String, u32> =
        known.into_iter().map(|(name, trunk)| (name, trunk.settings.calls_max)).collect();
    let board = state.engine().board().borrow().clone();
    if let Some(simulated) = board.trunks.iter().find(|trunk| trunk.name == SIMULATED_TRUNK) {
        lines.insert(simulated.name.clone(), simulated.calls_max);
    }
    lines
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
        let shares = open.iter().map(|span| span.share).collect();
        match found.last_mut().filter(|last| last.until == from && last.campaigns == campaigns) {
            Some(last) => last.until = until,
            None => found.push(Conflict { from, until, lines, campaigns, shares }),
        }
    }
    found
}

/// What each campaign gets of a trunk if all that use it call at once, those with the most first.
fn shares_of(spans: &[Span], calls_max: u32) -> Vec<Value> {
    let mut asked: BTreeMap<&str, (Share, u32)> = BTreeMap::new();
    for span in spans {
        let most = if span.lines == 0 { calls_max } else { span.lines };
        asked.insert(&span.campaign, (span.share, most));
    }
    let wants: Vec<(Share, u32)> = asked.values().copied().collect();
    let given = divide_lines(calls_max, &wants);
    let mut rows: Vec<(&str, Share, u32)> =
        asked.iter().zip(given).map(|((name, (share, _)), lines)| (*name, *share, lines)).collect();
    rows.sort_by_key(|(name, share, lines)| (share.priority, std::cmp::Reverse(*lines), *name));
    let view = |(name, share, lines): (&str, Share, u32)| {
        json!({
            "campaign": name,
            "priority": share.priority,
            "weight": share.weight,
            "lines_reserved": share.lines_reserved,
            "lines": lines,
        })
    };
    rows.into_iter().map(view).collect()
}

/// The rule by which the lines of a conflict are given, as the end of a sentence.
fn rule_words(shares: &[Share], campaigns: &[String]) -> (String, String) {
    let mut order: Vec<(&Share, &String)> = shares.iter().zip(campaigns).collect();
    order.sort_by_key(|(share, _)| share.priority);
    let reserved: Vec<_> = order.iter().filter(|(share, _)| share.lines_reserved > 0).collect();
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    if !reserved.is_empty() {
        let each = |between: &str| {
            let parts =
                reserved.iter().map(|(share, name)| format!("{name}{between}{}", share.lines_reserved));
            parts.collect::<Vec<_>>()
        };
        en.push(format!("first those reserved ({})", each(" ").join(", ")));
        zh.push(format!("先满足保留线路({})", each(" ").join("、")));
    }
    let classes: Vec<Vec<&(&Share, &String)>> = {
        let mut classes: Vec<Vec<&(&Share, &String)>> = Vec::new();
        for it in &order {
            match classes.last_mut().filter(|class| class[0].0.priority == it.0.priority) {
                Some(class) => class.push(it),
                None => classes.push(vec![it]),
            }
        }
        classes
    };
    if classes.len() > 1 {
        let named = |class: &Vec<&(&Share, &String)>, and: &str| {
            class.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(and)
        };
        let all = |and: &str| classes.iter().map(|class| named(class, and)).collect::<Vec<_>>();
        en.push(format!("by priority: {}", all(" and ").join(", then ")));
        zh.push(format!("按优先级:{}", all("与").join(",再到 ")));
    }
    for class in classes.iter().filter(|class| class.len() > 1) {
        let weights: Vec<String> = class.iter().map(|(share, _)| share.weight.to_string()).collect();
        let (weights, names) = (weights.join(":"), class.iter().map(|(_, name)| name.as_str()));
        let names: Vec<&str> = names.collect();
        match classes.len() {
            1 => {
                en.push(format!("by weight {weights} ({})", names.join(", ")));
                zh.push(format!("按权重 {weights} 分配({})", names.join("、")));
            }
            _ => {
                en.push(format!("{} by weight {weights}", names.join(" and ")));
                zh.push(format!("{}按权重 {weights} 分配", names.join("与")));
            }
        }
    }
    (en.join("; "), zh.join(";"))
}

fn conflict_view(conflict: &Conflict, trunk: &str, lines_max: u32, zone: &TimeFormat) -> Value {
    let (count, lines) = (conflict.campaigns.len(), conflict.lines);
    let (from, until) = (zone.written(conflict.from, "%H:%M"), zone.written(conflict.until, "%H:%M"));
    let until = if until == "00:00" { "24:00".to_owned() } else { until };
    let (rule, rule_zh) = rule_words(&conflict.shares, &conflict.campaigns);
    let en = format!(
        "{from}–{until} {count} campaigns together ask for {lines} lines, the trunk {trunk} has {lines_max}: given {rule}"
    );
    let zh = format!("{from}–{until} {count} 个活动合计 {lines} 路,线路 {trunk} 共 {lines_max} 路:{rule_zh}");
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
            share: Share::default(),
        };
        let spans = [span(0, 100, "a", 40), span(50, 150, "b", 40), span(60, 70, "c", 0)];
        assert_eq!(conflicts_of(&spans, 80), []);
        let found = conflicts_of(&spans, 60);
        let wanted = Conflict {
            from: Utc::from_millis(50),
            until: Utc::from_millis(100),
            lines: 80,
            campaigns: vec!["a".into(), "b".into()],
            shares: vec![Share::default(); 2],
        };
        assert_eq!(found, [wanted]);
        // One campaign alone is no conflict: its own limit is its own affair.
        assert_eq!(conflicts_of(&spans[..1], 10), []);
    }

    #[test]
    fn a_conflict_says_by_which_rule_the_lines_are_given() {
        let share =
            |priority: u8, weight: u32, lines_reserved: u32| Share { priority, weight, lines_reserved };
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let conflict = Conflict {
            from: Utc::from_millis(12 * 3_600_000),
            until: Utc::from_millis(13 * 3_600_000),
            lines: 180,
            campaigns: names(&["a", "b", "c"]),
            shares: vec![share(5, 2, 0), share(5, 1, 0), share(5, 1, 0)],
        };
        let shown = conflict_view(&conflict, "main", 120, &TimeFormat::in_zone(ZONE));
        assert_eq!(
            shown["words"]["zh"],
            "20:00–21:00 3 个活动合计 180 路,线路 main 共 120 路:按权重 2:1:1 分配(a、b、c)"
        );
        let (en, _) =
            rule_words(&[share(5, 1, 0), share(1, 1, 20), share(5, 3, 0)], &names(&["a", "b", "c"]));
        assert_eq!(en, "first those reserved (b 20); by priority: b, then a and c; a and c by weight 1:3");
    }

    #[test]
    fn shares_of_a_trunk_add_up_to_its_lines() {
        let span = |campaign: &str, lines: u32, weight: u32| Span {
            from: Utc::from_millis(0),
            until: Utc::from_millis(1),
            campaign: campaign.into(),
            lines,
            share: Share { weight, ..Share::default() },
        };
        let shown = shares_of(&[span("a", 0, 2), span("b", 0, 1), span("c", 5, 1)], 65);
        let lines: Vec<u64> = shown.iter().filter_map(|it| it["lines"].as_u64()).collect();
        assert_eq!(lines, [40, 20, 5]);
    }
}
