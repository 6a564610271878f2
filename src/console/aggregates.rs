//! Sums over calls by one thing or two that they have in common, such as hour and outcome. The filters are those of the
//! call log, so that each sum opens the calls that make it.

use super::app_state::AppState;
use super::auth::Caller;
use super::call_filters::{CallQuery, ZONE};
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_optional};
use super::views::{millis, moment, stored_number};
use crate::store::call_sums::{CallSums, QUARTER, SumsBy};
use crate::store::{CallDirection, Reader};
use crate::text::TimeFormat;
use axum::Json;
use axum::extract::{Query, State};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Sums in an answer.
const ITEMS_MAX: usize = 20_000;

/// Words of `by` and `then`.
pub(super) const DIMENSIONS: &[&str] =
    &["hour", "day", "building", "outcome", "disposition", "caller_id", "trunk", "agent"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimension {
    /// Local hours; both hours of a clock that is set back, each with its offset.
    Hour,
    Day,
    Building,
    Outcome,
    Disposition,
    CallerId,
    Trunk,
    Agent,
}

impl Dimension {
    const ALL: [Dimension; 8] = [
        Dimension::Hour,
        Dimension::Day,
        Dimension::Building,
        Dimension::Outcome,
        Dimension::Disposition,
        Dimension::CallerId,
        Dimension::Trunk,
        Dimension::Agent,
    ];

    fn of(word: &str) -> Option<Dimension> {
        DIMENSIONS.iter().position(|it| *it == word).map(|at| Dimension::ALL[at])
    }

    fn is_time(self) -> bool {
        matches!(self, Dimension::Hour | Dimension::Day)
    }
}

#[derive(Deserialize)]
pub(super) struct AggregatesQuery {
    by: Option<String>,
    then: Option<String>,
}

/// Handler of sums over calls.
pub(super) async fn aggregates(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<AggregatesQuery>,
    Query(calls): Query<CallQuery>,
) -> Result<Json<Value>, Problem> {
    let first = query.by.as_deref().unwrap_or(DIMENSIONS[0]);
    let by: Vec<Dimension> = std::iter::once(first)
        .chain(query.then.as_deref().filter(|then| *then != first))
        .filter_map(Dimension::of)
        .collect();
    let now = state.now();
    let filter = calls.filter(&state, &caller, now).await?;
    let mut reader = state.store().reader().await?;
    let zone = match &calls.campaign {
        Some(name) => reader.campaign_in(&caller.scope, name).await?.map(|campaign| campaign.timezone),
        None => None,
    };
    let zone = zone.unwrap_or_else(|| ZONE.to_owned());
    let rows = reader.call_sums(&filter, sums_by(&by)).await?;
    let names = Names::of(&mut reader, &rows, NumberSight::of(&caller)).await?;
    let folded = folded(rows, &by, TimeFormat::in_zone(&zone).zone(), &names);
    if folded.len() > ITEMS_MAX {
        let detail = format!("{} sums, at most {ITEMS_MAX} are answered: narrow the filters", folded.len());
        return Err(Problem::unprocessable(detail));
    }
    let mut total = Sums::default();
    folded.values().for_each(|sums| total.add(sums));
    let items: Vec<Value> = in_order(folded, &by).iter().map(|(keys, sums)| item(keys, sums)).collect();
    Ok(Json(json!({
        "items": items,
        "total": item(&[], &total),
        "divisors": divisors(filter.direction),
        "timezone": zone,
        "from": millis(filter.from),
        "until": millis(filter.until),
        "as_of": moment(now),
    })))
}

fn sums_by(by: &[Dimension]) -> SumsBy {
    let has = |dimension| by.contains(&dimension);
    SumsBy {
        quarter: by.iter().any(|it| it.is_time()),
        building: has(Dimension::Building),
        outcome: has(Dimension::Outcome),
        disposition: has(Dimension::Disposition),
        caller_id: has(Dimension::CallerId),
        trunk: has(Dimension::Trunk),
        agent: has(Dimension::Agent),
    }
}

/// Accounts and caller IDs as the caller is shown them.
struct Names {
    agents: BTreeMap<i64, (String, String)>,
    sight: NumberSight,
}

impl Names {
    async fn of(reader: &mut Reader, rows: &[CallSums], sight: NumberSight) -> Result<Names, Problem> {
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.agent).collect();
        ids.sort_unstable();
        ids.dedup();
        let agents = if ids.is_empty() { BTreeMap::new() } else { reader.agent_names(&ids).await? };
        Ok(Names { agents, sight })
    }
}

/// What the calls of a sum have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Begin and end of an hour or a day.
    span: Option<(i64, i64)>,
    /// `None` = the calls have none.
    value: Option<String>,
    /// An agent's name.
    label: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    calls: i64,
    answered: i64,
    talked: i64,
    talked_ms: i64,
    abandoned: i64,
    people: i64,
    without_faults: i64,
}

impl Sums {
    fn of(row: &CallSums) -> Sums {
        Sums {
            calls: row.calls,
            answered: row.answered,
            talked: row.talked,
            talked_ms: row.talked_ms,
            abandoned: row.abandoned,
            people: row.people,
            without_faults: row.without_faults,
        }
    }

    fn add(&mut self, other: &Sums) {
        self.calls += other.calls;
        self.answered += other.answered;
        self.talked += other.talked;
        self.talked_ms += other.talked_ms;
        self.abandoned += other.abandoned;
        self.people += other.people;
        self.without_faults += other.without_faults;
    }
}

fn folded(rows: Vec<CallSums>, by: &[Dimension], zone: &TimeZone, names: &Names) -> BTreeMap<Vec<Key>, Sums> {
    let mut sums: BTreeMap<Vec<Key>, Sums> = BTreeMap::new();
    for row in &rows {
        let keys = by.iter().map(|dimension| key(*dimension, row, zone, names)).collect();
        sums.entry(keys).or_default().add(&Sums::of(row));
    }
    sums
}

fn key(dimension: Dimension, row: &CallSums, zone: &TimeZone, names: &Names) -> Key {
    let of = |value: Option<String>| Key { value: value.filter(|it| !it.is_empty()), ..Key::default() };
    match dimension {
        Dimension::Hour | Dimension::Day => {
            let at = row.quarter.unwrap_or_default() * QUARTER;
            time_key(dimension, at, zone).unwrap_or_default()
        }
        Dimension::Building => of(shown_optional(row.building.as_ref(), names.sight)),
        Dimension::Outcome => of(row.outcome.clone()),
        Dimension::Disposition => of(row.disposition.clone()),
        Dimension::Trunk => of(Some(row.trunk.clone().unwrap_or_default())),
        Dimension::CallerId => of(stored_number(row.caller_id, names.sight).as_str().map(str::to_owned)),
        Dimension::Agent => {
            let (number, name) = row.agent.and_then(|id| names.agents.get(&id)).cloned().unzip();
            Key { label: name, ..of(number) }
        }
    }
}

/// The local hour or day of a moment; `None` = out of the calendar's range.
fn time_key(dimension: Dimension, at: i64, zone: &TimeZone) -> Option<Key> {
    let local = |at: i64| Some(Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone()));
    let here = local(at)?;
    if dimension == Dimension::Day {
        let begin = here.start_of_day().ok()?;
        let end = begin.checked_add(1.day()).ok()?.start_of_day().ok()?;
        let span = Some((begin.timestamp().as_millisecond(), end.timestamp().as_millisecond()));
        return Some(Key { span, value: Some(begin.strftime("%Y-%m-%d").to_string()), label: None });
    }
    // By the quarter hours that show the same hour with the same offset: where the clock is set by half an hour, an hour
    // is shorter.
    let is_same = |at: i64| {
        local(at).is_some_and(|it| {
            (it.date(), it.hour(), it.offset()) == (here.date(), here.hour(), here.offset())
        })
    };
    let quarters = |step: i64| (1..4).take_while(|n| is_same(at + step * n * QUARTER)).count() as i64;
    let (begin, end) = (at - quarters(-1) * QUARTER, at + (quarters(1) + 1) * QUARTER);
    let value = local(begin)?.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Some(Key { span: Some((begin, end)), value: Some(value), label: None })
}

/// Hours and days in their order, others by their calls, the most first; what calls have none of stands last.
fn in_order(sums: BTreeMap<Vec<Key>, Sums>, by: &[Dimension]) -> Vec<(Vec<Key>, Sums)> {
    let mut weights: Vec<BTreeMap<Key, i64>> = vec![BTreeMap::new(); by.len()];
    for (keys, sums) in &sums {
        for (weights, key) in weights.iter_mut().zip(keys) {
            *weights.entry(key.clone()).or_default() += sums.calls;
        }
    }
    let mut items: Vec<(Vec<Key>, Sums)> = sums.into_iter().collect();
    items.sort_by_cached_key(|(keys, _)| {
        let place = |(at, key): (usize, &Key)| {
            let weight = if by[at].is_time() { 0 } else { weights[at].get(key).copied().unwrap_or_default() };
            (key.value.is_none(), -weight, key.clone())
        };
        keys.iter().enumerate().map(place).collect::<Vec<_>>()
    });
    items
}

fn item(keys: &[Key], sums: &Sums) -> Value {
    // Of an hour and a day the hour is the narrower one.
    let span = keys.iter().filter_map(|key| key.span).min_by_key(|(begin, end)| end - begin);
    json!({
        "keys": keys.iter().map(|key| &key.value).collect::<Vec<_>>(),
        "labels": keys.iter().map(|key| &key.label).collect::<Vec<_>>(),
        "from": millis(span.map(|span| span.0)),
        "until": millis(span.map(|span| span.1)),
        "calls": sums.calls,
        "answered": sums.answered,
        "divisor": sums.without_faults,
        "talked": sums.talked,
        "talked_secs": sums.talked_ms as f64 / 1000.0,
        "abandoned": sums.abandoned,
        "people": sums.people,
    })
}

/// What each rate is a share of, in words.
fn divisors(direction: CallDirection) -> Value {
    let divisor = |of: &str, by: &str, en: &str, zh: &str| json!({ "of": of, "by": by, "words": { "en": en, "zh": zh } });
    let talk = divisor("talked_secs", "talked", "talk time / calls with a talk", "通话时长 / 有通话的呼叫");
    match direction {
        CallDirection::Out => json!([
            divisor(
                "answered",
                "divisor",
                "answered / placed, without line faults",
                "接通 / 拨出,不含线路故障"
            ),
            divisor(
                "abandoned",
                "people",
                "abandoned / answered by a person: connected or abandoned, without machines",
                "呼损 / 真人接听(转到坐席或呼损,不含机器)",
            ),
            talk,
        ]),
        CallDirection::In => json!([
            divisor("answered", "divisor", "taken by an agent / arrived", "坐席接起 / 呼入"),
            divisor("abandoned", "people", "missed / ended", "未接 / 已结束的呼入"),
            talk,
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn zone(name: &str) -> TimeZone {
        TimeFormat::in_zone(name).zone().clone()
    }

    fn hour(moment: &str, name: &str) -> (String, i64) {
        let quarter = at(moment) / QUARTER * QUARTER;
        let key = time_key(Dimension::Hour, quarter, &zone(name)).unwrap();
        let (begin, end) = key.span.unwrap();
        assert!((begin..end).contains(&at(moment)), "{moment} {name}");
        (key.value.unwrap(), (end - begin) / 60_000)
    }

    #[test]
    fn an_hour_is_the_zones_and_both_hours_of_a_clock_set_back_are_kept_apart() {
        assert_eq!(hour("2026-03-02T06:45:00Z", "Asia/Shanghai"), ("2026-03-02T14:00:00+08:00".into(), 60));
        // 3:00 is 2:00 again on 25 October 2026 in Berlin.
        assert_eq!(hour("2026-10-25T00:30:00Z", "Europe/Berlin"), ("2026-10-25T02:00:00+02:00".into(), 60));
        assert_eq!(hour("2026-10-25T01:30:00Z", "Europe/Berlin"), ("2026-10-25T02:00:00+01:00".into(), 60));
        // Kathmandu is 5:45 ahead: its hours begin at a quarter past.
        assert_eq!(hour("2026-03-02T06:15:00Z", "Asia/Kathmandu"), ("2026-03-02T12:00:00+05:45".into(), 60));
        assert_eq!(hour("2026-03-02T06:00:00Z", "Asia/Kathmandu"), ("2026-03-02T11:00:00+05:45".into(), 60));
    }

    /// Every quarter hour belongs to one hour and to one day, and neither overlaps its neighbour.
    #[test]
    fn hours_and_days_cover_the_time_without_gap_or_overlap() {
        for name in
            ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Asia/Shanghai"]
        {
            let zone = zone(name);
            for (from, until) in [
                ("2026-03-27T00:00:00Z", "2026-04-08T00:00:00Z"),
                ("2026-10-01T00:00:00Z", "2026-11-03T00:00:00Z"),
            ] {
                for dimension in [Dimension::Hour, Dimension::Day] {
                    let mut last: Option<(i64, i64)> = None;
                    for quarter in at(from) / QUARTER..at(until) / QUARTER {
                        let key = time_key(dimension, quarter * QUARTER, &zone).unwrap();
                        let span = key.span.unwrap();
                        assert!((span.0..span.1).contains(&(quarter * QUARTER)), "{name} {key:?}");
                        if let Some(last) = last.filter(|last| *last != span) {
                            assert_eq!(last.1, span.0, "{name}: {key:?}");
                        }
                        last = Some(span);
                    }
                }
            }
        }
    }

    #[test]
    fn a_day_of_a_clock_change_has_23_or_25_hours() {
        let hours = |moment: &str| {
            let span = time_key(Dimension::Day, at(moment), &zone("Europe/Berlin")).unwrap().span.unwrap();
            (span.1 - span.0) / 3_600_000
        };
        assert_eq!((hours("2026-03-29T12:00:00Z"), hours("2026-10-25T12:00:00Z")), (23, 25));
    }

    #[test]
    fn times_keep_their_order_and_others_come_by_their_calls() {
        let key = |value: Option<&str>| Key { value: value.map(str::to_owned), ..Key::default() };
        let sums = |calls| Sums { calls, ..Sums::default() };
        let table = BTreeMap::from([
            (vec![key(None)], sums(90)),
            (vec![key(Some("a"))], sums(2)),
            (vec![key(Some("b"))], sums(5)),
        ]);
        let order = |by| in_order(table.clone(), &[by]).into_iter().map(|(keys, _)| keys[0].value.clone());
        assert_eq!(order(Dimension::Trunk).collect::<Vec<_>>(), [Some("b".into()), Some("a".into()), None]);
        assert_eq!(order(Dimension::Day).collect::<Vec<_>>(), [Some("a".into()), Some("b".into()), None]);
    }
}
