//! Handlers of a campaign's results: sums over its leads, and the owners' vote that they come to.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_series::find_visible;
use super::kept_counts::Counted;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_json, shown_optional};
use super::views::moment;
use crate::config::campaign::CampaignFile;
use crate::config::campaign::vote::VotePlan;
use crate::store::CampaignRecord;
use crate::store::building_sums::BuildingSums;
use crate::store::lead_table::{LeadKey, LeadTableRow};
use crate::store::votes::OwnerRow;
use crate::tasks::vote_owners;
use crate::text::Lang;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use paceline_core::ids::{CampaignId, LeadId};
use paceline_core::vote::{Count, CountedHead, Head, Owner, Said, StillNeeded, Tally, Voice, VoteRules};
use paceline_core::vote::{count_with_heads, heads};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Heads in an answer.
const PAGE: usize = 50;

/// Words of `said`.
pub(super) const SAID: &[&str] = &["agree", "against", "abstain", "differing", "open", "silent"];

/// Sums over the leads of a campaign.
pub(super) async fn sums(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let campaign = find_visible(&state, &caller, &name).await?.id;
    let text = state.store().campaign_toml(campaign).await?;
    let kept = &state.campaign_counts().sums;
    let counting = count_leads(state.clone(), campaign, text.clone());
    let counted = kept.get(campaign, &text, state.clock(), counting).await?;
    // Names of buildings and results are a list's and a text's own words.
    let mut shown = shown_json((*counted.value).clone(), caller.sight());
    shown["as_of"] = moment(counted.as_of);
    Ok(Json(shown))
}

async fn count_leads(state: AppState, campaign: CampaignId, text: String) -> Result<Value, Problem> {
    let mut reader = state.store().reader().await?;
    let counts = reader.lead_sums(campaign).await?;
    let buildings = reader.building_sums(campaign).await?;
    // A text of another program names no labels.
    let file = toml::from_str::<CampaignFile>(&text).ok();
    let labels: BTreeMap<&str, &str> = file
        .iter()
        .flat_map(|file| &file.dispositions)
        .filter(|it| !it.label.is_empty())
        .map(|it| (it.code.as_str(), it.label.as_str()))
        .collect();
    let disposition = |(code, leads): (&String, &u64)| {
        let label = labels.get(code.as_str()).copied().unwrap_or(code);
        json!({ "code": code, "label": label, "leads": leads })
    };
    let building = |(name, sums): (&Option<String>, &BuildingSums)| json!({ "building": name, "leads": sums.leads, "states": sums.states, "results": sums.results });
    Ok(json!({
        "rows": counts.rows_read,
        "leads": counts.leads.values().sum::<u64>(),
        "refused": counts.refused.values().sum::<u64>(),
        "refused_by": counts.refused,
        "states": counts.leads,
        "reasons": counts.reasons,
        "results": counts.results,
        "dispositions": counts.lead_dispositions.iter().map(disposition).collect::<Vec<_>>(),
        "buildings": buildings.iter().map(building).collect::<Vec<_>>(),
    }))
}

/// A vote as it was counted, with what its pages show of each head.
#[derive(Debug)]
pub(super) struct CountedVote {
    plan: VotePlan,
    count: Count,
    heads: Vec<KeptHead>,
}

/// A head without its texts, which are read for a page alone: there may be a million.
#[derive(Debug)]
struct KeptHead {
    said: Said,
    /// Hundredths of a square metre.
    area: u64,
    /// In the order of the list.
    leads: Box<[LeadId]>,
}

impl KeptHead {
    fn first_lead(&self) -> i64 {
        self.leads.first().map_or(0, |lead| lead.0)
    }
}

/// A campaign's vote, counted once for all who ask within its time.
async fn find_vote(
    state: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<(CampaignId, Counted<CountedVote>), Problem> {
    let CampaignRecord { id, .. } = find_visible(state, caller, name).await?;
    let text = state.store().campaign_toml(id).await?;
    let plan = VotePlan::of_text(&text).ok_or_else(|| {
        let detail = "this campaign counts no vote: write [vote] into its settings";
        Problem::new(StatusCode::NOT_FOUND, "no_vote", detail)
    })?;
    let counting = count_vote(state.clone(), id, plan);
    Ok((id, state.campaign_counts().votes.get(id, &text, state.clock(), counting).await?))
}

async fn count_vote(state: AppState, campaign: CampaignId, plan: VotePlan) -> Result<CountedVote, Problem> {
    let rows = state.store().reader().await?.owners(campaign).await?;
    beside(move || counted_vote(rows, plan)).await
}

fn counted_vote(rows: Vec<OwnerRow>, plan: VotePlan) -> CountedVote {
    let owners = vote_owners(rows, &plan);
    let (count, heads) = count_with_heads(&plan.rules, &owners);
    let kept = |head: CountedHead| KeptHead {
        said: head.said,
        area: head.area,
        leads: head.owners.iter().map(|place| LeadId(owners[*place].lead)).collect(),
    };
    CountedVote { count, heads: heads.into_iter().map(kept).collect(), plan }
}

/// Runs what takes a second for a large list beside the requests of others.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

/// The count of a campaign's vote.
pub(super) async fn vote(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (_, Counted { value, as_of }) = find_vote(&state, &caller, &name).await?;
    let mut shown = shown_count(&value.plan.rules, &value.count);
    shown["stop"] = value.plan.stop.into();
    shown["as_of"] = moment(as_of);
    Ok(Json(shown))
}

fn shown_count(rules: &VoteRules, counted: &Count) -> Value {
    let Count { heads, area, still_needed, .. } = counted;
    let has_area = counted.has_area();
    let of_area = |it: Value| if has_area { it } else { Value::Null };
    json!({
        "heads": heads,
        "area": of_area(shown_area(area)),
        "thresholds": {
            "joint": rules.joint,
            "quorum_heads": rules.quorum_heads.to_string(),
            "quorum_area": rules.quorum_area.to_string(),
            "majority": rules.majority.to_string(),
        },
        "reached": {
            "quorum_heads": rules.quorum_heads.is_reached(heads.took_part, heads.total),
            "quorum_area": of_area(rules.quorum_area.is_reached(area.took_part, area.total).into()),
            "agree_heads": rules.majority.is_reached(heads.agree, heads.took_part),
            "agree_area": of_area(rules.majority.is_reached(area.agree, area.took_part).into()),
        },
        "still_needed": shown_needs(still_needed, has_area),
        "standing": counted.standing,
        "flats": counted.flats,
        "flats_without_area": counted.flats_without_area,
        "words": { "en": Lang::En.vote(counted), "zh": Lang::Zh.vote(counted) },
    })
}

fn square_metres(hundredths: u64) -> f64 {
    hundredths as f64 / 100.0
}

fn shown_area(area: &Tally) -> Value {
    json!({
        "total": square_metres(area.total),
        "took_part": square_metres(area.took_part),
        "agree": square_metres(area.agree),
        "against": square_metres(area.against),
        "abstain": square_metres(area.abstain),
        "differing": square_metres(area.differing),
        "open": square_metres(area.open),
    })
}

fn shown_needs(needed: &StillNeeded, has_area: bool) -> Value {
    json!({
        "quorum_heads": needed.quorum_heads,
        "quorum_area": has_area.then(|| square_metres(needed.quorum_area)),
        "agree_heads": needed.agree_heads,
        "agree_area": has_area.then(|| square_metres(needed.agree_area)),
    })
}

#[derive(Deserialize)]
pub(super) struct FlatsQuery {
    said: Option<String>,
    after: Option<String>,
}

/// Heads with their flats and with what each owner said.
pub(super) async fn flats(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<FlatsQuery>,
) -> Result<Json<Value>, Problem> {
    let (campaign, Counted { value, .. }) = find_vote(&state, &caller, &name).await?;
    let after = query.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(0);
    let said = query.said.as_deref();
    let wanted =
        |head: &&KeptHead| said.is_none_or(|said| said_word(head.said) == said) && head.first_lead() > after;
    let page: Vec<&KeptHead> = value.heads.iter().filter(wanted).take(PAGE + 1).collect();
    let has_more = page.len() > PAGE;
    let shown = &page[..page.len().min(PAGE)];
    let leads: Vec<LeadId> = shown.iter().flat_map(|head| head.leads.iter().copied()).collect();
    let mut reader = state.store().reader().await?;
    let owners = vote_owners(reader.owners_among(campaign, &leads).await?, &value.plan);
    let keys: Vec<LeadKey> = leads.iter().map(|lead| LeadKey { row: 0, lead: lead.0 }).collect();
    let rows = reader.lead_rows(&keys).await?;
    let rows: BTreeMap<LeadId, &LeadTableRow> = rows.iter().map(|row| (LeadId(row.lead_id), row)).collect();
    let sight = NumberSight::of(&caller);
    // Owners who hang together are all on the page, so they hang together here too.
    let read = heads(value.plan.rules.joint, &owners);
    let read: BTreeMap<i64, &Head> = read.iter().map(|head| (first_lead(head, &owners), head)).collect();
    let items: Vec<Value> = shown
        .iter()
        .filter_map(|kept| Some((*kept, *read.get(&kept.first_lead())?)))
        .map(|(kept, head)| shown_head(kept, head, &owners, &rows, sight))
        .collect();
    let next = shown.last().filter(|_| has_more).map(|head| head.first_lead());
    Ok(Json(json!({ "items": items, "next": next })))
}

fn first_lead(head: &Head, owners: &[Owner]) -> i64 {
    head.owners.first().map_or(0, |place| owners[*place].lead)
}

const fn said_word(said: Said) -> &'static str {
    match said {
        Said::One(voice) => voice_word(voice),
        Said::Different => "differing",
        Said::Nothing { is_open: true } => "open",
        Said::Nothing { is_open: false } => "silent",
    }
}

const fn voice_word(voice: Voice) -> &'static str {
    match voice {
        Voice::Agree => "agree",
        Voice::Against => "against",
        Voice::Abstain => "abstain",
    }
}

fn shown_head(
    kept: &KeptHead,
    head: &Head,
    owners: &[Owner],
    rows: &BTreeMap<LeadId, &LeadTableRow>,
    sight: NumberSight,
) -> Value {
    let owner = |place: &usize| {
        let owner = &owners[*place];
        let row = rows.get(&LeadId(owner.lead));
        json!({
            "lead": owner.lead,
            "row": row.map_or(0, |row| row.list_row),
            "name": shown_optional(row.and_then(|row| row.name.as_ref()), sight),
            "voice": owner.voice.map(voice_word),
            "result": row.and_then(|row| row.result.as_deref()),
            "disposition": row.and_then(|row| row.disposition.as_deref()),
            "open": owner.is_open && owner.voice.is_none(),
        })
    };
    let has_area = head.flats.iter().any(|flat| flat.area.is_some());
    json!({
        "flats": head
            .flats
            .iter()
            .map(|flat| json!({ "name": shown_optional(flat.name.as_ref(), sight), "area": flat.area.map(square_metres) }))
            .collect::<Vec<_>>(),
        "owners": head.owners.iter().map(owner).collect::<Vec<_>>(),
        "area": has_area.then(|| square_metres(kept.area)),
        "said": said_word(kept.said),
    })
}
