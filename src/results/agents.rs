//! The agents table: one row per agent and day, with times from the state log and counts from the calls.
//! Times cover the agent's whole day; calls are those of this campaign.

use super::days::Days;
use super::local_time::LocalTime;
use super::summary::{AgentUse, Tally};
use super::table::{self, Cell, Column, Kind, Sink};
use super::{CampaignRecord, Reader, ResultsError};
use crate::store::AgentRow;
use crate::store::seat_log::SeatLogRow;
use jiff::civil::Date;
use paceline_core::agent::{Activity, Availability};
use paceline_core::ids::{AgentId, GroupId};
use std::collections::{BTreeMap, BTreeSet};

/// Rows per query.
const PAGE: u32 = 2_000;

/// Milliseconds before the campaign's first day from which the state log is read: the state at the start of
/// that day may have begun earlier.
const LOOKBACK: i64 = 24 * 3_600_000;

pub const COLUMNS: [(&str, Kind); 13] = [
    ("agent", Kind::Text),
    ("name", Kind::Text),
    ("day", Kind::Text),
    ("signed_in_secs", Kind::Secs),
    ("idle_secs", Kind::Secs),
    ("reserved_secs", Kind::Secs),
    ("ringing_secs", Kind::Secs),
    ("talking_secs", Kind::Secs),
    ("wrap_up_secs", Kind::Secs),
    ("paused_secs", Kind::Secs),
    ("answered", Kind::Whole),
    ("abandoned_rung", Kind::Whole),
    ("dispositions", Kind::Text),
];

pub(super) fn columns() -> Vec<Column> {
    table::columns(&COLUMNS)
}

/// One agent's calls of the campaign on one day.
#[derive(Clone, Debug, Default)]
pub(super) struct DailyCalls {
    pub answered: u64,
    pub talked: i64,
    pub dispositions: BTreeMap<String, u64>,
}

/// One agent's state log of one day, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DailyStates {
    signed_in: i64,
    idle: i64,
    reserved: i64,
    ringing: i64,
    talking: i64,
    wrap_up: i64,
    paused: i64,
    abandoned_rung: i64,
    /// The part of `wrap_up` after calls of this campaign.
    wrap_up_here: i64,
    /// The agent worked for this campaign, or in its group.
    here: bool,
}

impl DailyStates {
    fn add(&mut self, row: &SeatLogRow, millis: i64) {
        if row.availability == Availability::SignedOut.word() {
            return;
        }
        self.signed_in += millis;
        let paused = row.availability != Availability::Available.word();
        let activity = Activity::ALL.into_iter().find(|activity| activity.word() == row.activity);
        *match activity.unwrap_or_default() {
            Activity::Idle if paused => &mut self.paused,
            Activity::Idle => &mut self.idle,
            Activity::Reserved => &mut self.reserved,
            Activity::Ringing => &mut self.ringing,
            Activity::Talking | Activity::Consulting => &mut self.talking,
            Activity::WrapUp => &mut self.wrap_up,
        } += millis;
    }
}

/// Selects the state log rows that belong to a campaign.
struct SeatFilter {
    /// `None` = every campaign.
    campaign: Option<i64>,
    group: Option<GroupId>,
    dates: BTreeSet<Date>,
    /// Start of the first date and end of the last, in milliseconds.
    from: i64,
    to: i64,
}

impl SeatFilter {
    async fn of(
        reader: &mut Reader,
        campaign: &CampaignRecord,
        tally: &Tally,
    ) -> Result<SeatFilter, ResultsError> {
        let group = match group_name(&campaign.toml) {
            Some(name) => reader.group(&name).await?,
            None => None,
        };
        let (from, to) = tally.bounds();
        let to = to.min(reader.last_commit().await?.as_millis());
        Ok(SeatFilter { campaign: Some(campaign.id.0), group, dates: tally.dates(), from, to })
    }

    /// Whether what a row tells was done for the campaign.
    fn is_of(&self, row: &SeatLogRow) -> bool {
        self.campaign.is_none_or(|campaign| row.campaign_id == Some(campaign))
    }

    fn matches(&self, row: &SeatLogRow) -> bool {
        let groups = || serde_json::from_str::<Vec<i64>>(&row.groups).unwrap_or_default();
        self.campaign.is_none()
            || row.campaign_id == self.campaign
            || row.availability != Availability::SignedOut.word()
                && self.group.is_some_and(|group| groups().contains(&group.0))
    }
}

/// The agent group named in the campaign file, which was validated when it was read.
fn group_name(toml: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(toml).ok()?;
    Some(table.get("agents")?.as_table()?.get("group")?.as_str()?.to_string())
}

/// Call it after the call tables are written: the tally then holds the agents' calls.
pub(super) async fn fill(
    reader: &mut Reader,
    campaign: &CampaignRecord,
    clock: &LocalTime,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) -> Result<(), ResultsError> {
    let filter = SeatFilter::of(reader, campaign, tally).await?;
    for agent in reader.all_agents().await? {
        let calls = tally.calls_of(agent.id);
        let seats = daily_states(reader, agent.id, &filter, Days::of(clock.zone().clone())).await?;
        let dates: BTreeSet<Date> = calls
            .keys()
            .chain(
                seats.iter().filter(|(date, seat)| seat.here && filter.dates.contains(date)).map(|day| day.0),
            )
            .copied()
            .collect();
        let mut used = AgentUse { name: agent.details.name.clone(), ..AgentUse::default() };
        let (mut talked, mut wrapped) = (0, 0);
        for date in &dates {
            let (call, seat) = (calls.get(date).cloned(), seats.get(date).cloned());
            let (call, seat) = (call.unwrap_or_default(), seat.unwrap_or_default());
            used.answered += call.answered;
            talked += call.talked;
            wrapped += seat.wrap_up_here;
            sink.row(&cells(&agent, *date, &call, &seat))?;
        }
        if !dates.is_empty() {
            (used.talk_secs, used.wrap_up_secs) = (talked as f64 / 1000.0, wrapped as f64 / 1000.0);
            tally.agent(agent.number, used);
        }
    }
    Ok(())
}

/// The hours of these agents in `from..to` (milliseconds of UTC), over all campaigns: one row per agent and day on which
/// it was signed in or had a call. `tally` holds the calls of that span.
pub(super) async fn fill_hours(
    reader: &mut Reader,
    agents: &[AgentRow],
    clock: &LocalTime,
    (from, to): (i64, i64),
    sink: &mut dyn Sink,
    tally: &Tally,
) -> Result<(), ResultsError> {
    let to = to.min(reader.last_commit().await?.as_millis());
    let filter = SeatFilter { campaign: None, group: None, dates: BTreeSet::new(), from, to };
    for agent in agents {
        let calls = tally.calls_of(agent.id);
        let seats = daily_states(reader, agent.id, &filter, Days::of(clock.zone().clone())).await?;
        let worked = seats.iter().filter(|(_, seat)| seat.signed_in > 0).map(|(date, _)| date);
        let dates: BTreeSet<Date> = calls.keys().chain(worked).copied().collect();
        for date in &dates {
            let (call, seat) = (calls.get(date).cloned(), seats.get(date).cloned());
            sink.row(&cells(agent, *date, &call.unwrap_or_default(), &seat.unwrap_or_default()))?;
        }
    }
    Ok(())
}

async fn daily_states(
    reader: &mut Reader,
    agent: AgentId,
    filter: &SeatFilter,
    mut days: Days,
) -> Result<BTreeMap<Date, DailyStates>, ResultsError> {
    let mut found = BTreeMap::new();
    let mut last: Option<SeatLogRow> = None;
    let mut after = (filter.from.saturating_sub(LOOKBACK), i64::MIN);
    while after.0 < filter.to {
        let page = reader.seat_log(agent, after, PAGE).await?;
        let Some(end) = page.last() else { break };
        after = (end.at, end.id);
        for row in page {
            if let Some(before) = last.replace(row.clone()) {
                add_state(&mut found, filter, &mut days, &before, Some(&row));
            }
        }
    }
    if let Some(before) = last {
        add_state(&mut found, filter, &mut days, &before, None);
    }
    Ok(found)
}

/// Adds one state, which lasts until the next row or the end of the log.
fn add_state(
    found: &mut BTreeMap<Date, DailyStates>,
    filter: &SeatFilter,
    days: &mut Days,
    row: &SeatLogRow,
    next: Option<&SeatLogRow>,
) {
    let until = next.map_or(filter.to, |next| next.at.min(filter.to));
    let here = filter.matches(row);
    for (date, millis) in days.parts(row.at.max(filter.from), until) {
        let day: &mut DailyStates = found.entry(date).or_default();
        day.add(row, millis);
        day.here |= here;
        if row.activity == Activity::WrapUp.word() && filter.is_of(row) {
            day.wrap_up_here += millis;
        }
    }
    let rang = row.activity == Activity::Ringing.word() && filter.is_of(row);
    let spoke = [Activity::Ringing, Activity::Talking, Activity::Consulting];
    let unanswered = next.is_some_and(|next| spoke.iter().all(|activity| activity.word() != next.activity));
    if rang
        && unanswered
        && let Some(day) = days.day(row.at)
    {
        let day = found.entry(day.date).or_default();
        day.abandoned_rung += 1;
        day.here = true;
    }
}

fn cells(agent: &AgentRow, date: Date, calls: &DailyCalls, seat: &DailyStates) -> Vec<Cell> {
    let dispositions: Vec<_> = calls.dispositions.iter().map(|(code, n)| format!("{code}={n}")).collect();
    vec![
        Cell::text(Some(agent.number.clone())),
        Cell::text(Some(agent.details.name.clone())),
        Cell::Text(date.to_string()),
        Cell::Secs(seat.signed_in),
        Cell::Secs(seat.idle),
        Cell::Secs(seat.reserved),
        Cell::Secs(seat.ringing),
        Cell::Secs(seat.talking),
        Cell::Secs(seat.wrap_up),
        Cell::Secs(seat.paused),
        Cell::Whole(calls.answered as i64),
        Cell::Whole(seat.abandoned_rung),
        Cell::text(Some(dispositions.join(";"))),
    ]
}
