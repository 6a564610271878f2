//! A forecast of a campaign in every pacing mode: its stored rules and its open leads, in virtual time.

use super::context::{TaskContext, TaskEnd, Words};
use crate::config::campaign::{CampaignFile, CampaignFiles};
use crate::config::{Config, LoadedCampaign};
use crate::engine::TrunkBoard;
use crate::sim::forecast::{
    Assumptions, ForecastPlan, ForecastProgress, WorldFigures, ample_trunk, forecast_document, forecast_modes,
};
use crate::store::{CampaignRecord, Reader, StoreError};
use paceline_core::campaign::window::WindowState;
use paceline_core::campaign::{CalleePattern, Campaign, Trunk};
use paceline_core::ids::CampaignId;
use paceline_core::time::Utc;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bounds of what is asked.
pub const FORECAST_AGENTS_MAX: u32 = 2_000;
pub const FORECAST_HOURS_MAX: f64 = 24.0;
pub const FORECAST_SEEDS_MAX: u64 = 20;

/// Leads of a virtual day: more are not called in 24 hours by the agents that are asked for, and memory is bounded.
const LEADS_MAX: u64 = 200_000;

/// Threads of one forecast, beside live calls.
const THREADS_MAX: u64 = 2;

/// Calls from which figures are learnt, and those that are looked at, the newest of all.
const CALLS_MIN: u64 = 20;
const WRAP_UPS_MAX: u32 = 2_000;

/// Values of ringing and talk that are kept for their medians.
const VALUES_MAX: usize = 500_000;

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a forecast assumes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastWish {
    pub agents: u32,
    pub hours: f64,
    pub seeds: u64,
    pub answer_rate: Option<f64>,
    pub talk_secs: Option<f64>,
    pub wrap_secs: Option<f64>,
    pub ring_secs: Option<f64>,
    /// What is not given is measured in the campaign's own past calls.
    pub from_history: bool,
    /// Also the agents that finish the list in time.
    pub needed: bool,
}

/// Why this campaign has no forecast; `None` = it has one.
pub fn forecast_refusal(record: &CampaignRecord) -> Option<Words> {
    rules_of(record).err()
}

/// The rules of the campaign's text, which has agents.
fn rules_of(record: &CampaignRecord) -> Result<Campaign, Words> {
    // Lists and sounds may stand in the store: the text of a campaign without files is whole too.
    let loaded = LoadedCampaign::parse_row(&record.toml, &CampaignFiles::default(), &Config::default());
    let rules = loaded.map(|loaded| loaded.rules).map_err(|error| {
        Words::new(format!("the campaign's settings are faulty: {error}"), format!("活动设置有误:{error}"))
    })?;
    if rules.agents.is_none() {
        return Err(Words::new(
            "a forecast needs agents: name their group under [agents]",
            "预测需要坐席:请在 [agents] 中填写坐席组",
        ));
    }
    Ok(rules)
}

/// The trunks that the campaign's text names, as the engine has them; all where it names none.
fn trunks_of(record: &CampaignRecord, rules: &Campaign, board: &[TrunkBoard]) -> Vec<Trunk> {
    let named = toml::from_str::<CampaignFile>(&record.toml).map(|file| file.trunks).unwrap_or_default();
    let is_named = |trunk: &&TrunkBoard| named.is_empty() || named.contains(&trunk.name);
    let found = board.iter().filter(is_named);
    let trunks: Vec<Trunk> = found
        .map(|trunk| Trunk {
            id: trunk.id,
            name: trunk.name.clone(),
            calls_max: trunk.calls_max,
            calls_per_sec: trunk.calls_per_sec,
            setup: None,
            allow: vec![CalleePattern::every()],
            deny: Vec::new(),
        })
        .collect();
    if trunks.is_empty() { vec![ample_trunk(rules, 500)] } else { trunks }
}

/// The next moment at which the campaign may dial for a whole day, not for the rest of this one.
pub fn next_opening(rules: &Campaign, now: Utc) -> Utc {
    match rules.windows.state(now) {
        WindowState::OpenUntil(until) => match rules.windows.state(until) {
            WindowState::ClosedUntil(Some(opens)) => opens,
            _ => now,
        },
        WindowState::ClosedUntil(Some(opens)) => opens,
        WindowState::ClosedUntil(None) => now,
    }
}

/// Measures the past calls of a campaign. `Err` = so many calls are too few.
///
/// # Errors
/// The store cannot be read.
pub async fn measure_history(
    reader: &mut Reader,
    campaign: CampaignId,
) -> Result<Result<WorldFigures, u64>, StoreError> {
    let (mut after, mut calls, mut answered) = (0, 0u64, 0u64);
    let (mut talks, mut rings) = (Vec::new(), Vec::new());
    loop {
        let page = reader.attempts(campaign, after, 5_000).await?;
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
        // The newest count.
        for values in [&mut talks, &mut rings] {
            values.drain(..values.len().saturating_sub(VALUES_MAX));
        }
    }
    if calls < CALLS_MIN {
        return Ok(Err(calls));
    }
    let wraps = reader.wrap_ups(campaign, WRAP_UPS_MAX).await?;
    Ok(Ok(WorldFigures {
        answer_rate: Some(answered as f64 / calls as f64),
        talk_secs: median(talks),
        wrap_secs: median(wraps.into_iter().map(|wrap| wrap.as_secs_f64()).collect()),
        ring_secs: median(rings),
    }))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

pub(super) fn forecast(context: &mut TaskContext<'_>) -> Result<Value, TaskEnd> {
    let asked = context.task.asked.as_deref().unwrap_or_default();
    let wish: ForecastWish = serde_json::from_str(asked).map_err(|_| {
        let en = "this program does not know what was asked; ask again";
        TaskEnd::Failed(Words::new(en, "本版本程序不认识这次请求,请重新提交"))
    })?;
    let assumed = context.wait(assumptions(context, &wish))?;
    let plan = ForecastPlan {
        seeds: wish.seeds.clamp(1, FORECAST_SEEDS_MAX),
        own_ratio: assumed.campaign.pacing.call_ratio,
        needed: wish.needed,
        threads: threads(),
    };
    let progress = ForecastProgress::default();
    let rows = std::thread::scope(|scope| {
        let work = scope.spawn(|| forecast_modes(&assumed, &plan, &progress));
        let mut ended = None;
        while !work.is_finished() {
            if ended.is_none() {
                ended = context.progress(progress.done.load(Ordering::Relaxed), plan.total()).err();
                progress.is_stopped.store(ended.is_some(), Ordering::Relaxed);
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        let rows = work.join().unwrap_or_else(|fault| resume_unwind(fault));
        match ended {
            Some(end) => Err(end),
            None => rows.ok_or(TaskEnd::Cancelled),
        }
    })?;
    context.progress(plan.total(), plan.total())?;
    Ok(forecast_document(&assumed, &rows, assumed.campaign.pacing.abandon_rate_max))
}

fn threads() -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    (cores / 2).clamp(1, THREADS_MAX)
}

async fn assumptions(context: &TaskContext<'_>, wish: &ForecastWish) -> Result<Assumptions, TaskEnd> {
    let parts = &context.shared.parts;
    let campaign = CampaignId(context.task.subject);
    let mut reader = parts.store.reader().await?;
    let record = reader
        .campaigns()
        .await?
        .into_iter()
        .find(|record| record.id == campaign && record.enterprise == context.task.enterprise);
    let gone = || TaskEnd::Failed(Words::new("the campaign is gone", "活动已不存在"));
    let record = record.ok_or_else(gone)?;
    let rules = rules_of(&record).map_err(TaskEnd::Failed)?;
    let leads = parts.store.lead_counts(campaign).await?.open;
    if leads == 0 {
        let en = "the campaign has no open leads: load a list, then forecast again";
        return Err(TaskEnd::Failed(Words::new(en, "活动没有可拨的客户:请先导入名单,再做预测")));
    }
    let measured = match wish.from_history {
        true => measure_history(&mut reader, campaign).await?.map_err(|calls| {
            TaskEnd::Failed(Words::new(
                format!(
                    "{calls} calls are too few to learn from; {CALLS_MIN} are needed, or give the figures"
                ),
                format!("只有 {calls} 通历史呼叫,不足以估算;至少需要 {CALLS_MIN} 通,或直接填写各项数值"),
            ))
        })?,
        false => WorldFigures::default(),
    };
    let given = WorldFigures {
        answer_rate: wish.answer_rate,
        talk_secs: wish.talk_secs,
        wrap_secs: wish.wrap_secs,
        ring_secs: wish.ring_secs,
    };
    let trunks = trunks_of(&record, &rules, &parts.engine.board().borrow().trunks);
    let ids = trunks.iter().map(|trunk| trunk.id).collect();
    Ok(Assumptions {
        start: next_opening(&rules, parts.store.clock_now()),
        campaign: Campaign { trunks: ids, ..rules },
        trunks,
        leads: leads.min(LEADS_MAX),
        agents: wish.agents.clamp(1, FORECAST_AGENTS_MAX),
        world: given.world(measured),
        hours: wish.hours.clamp(0.1, FORECAST_HOURS_MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    }
}
