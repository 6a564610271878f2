//! The campaigns whose texts name caller IDs: which, with what caps, and which of the numbers may not be shown yet.

use super::app_state::AppState;
use super::caller_id_approvals::organisations_asking;
use super::problem::Problem;
use crate::config::LoadedCampaign;
use crate::store::Scope;
use crate::store::approvals::ApprovalKind;
use crate::store::caller_ids::standing;
use crate::store::campaign_rows::WaitingBytes;
use crate::tasks;
use paceline_core::campaign::CallerIdRules;
use paceline_core::number::ShownNumber;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What campaigns say of a number.
#[derive(Default)]
pub(super) struct NamedBy {
    pub campaigns: BTreeSet<String>,
    /// Its caps in each.
    pub rules: Vec<CallerIdRules>,
}

/// The numbers that a text names, and their caps there.
fn named_in(toml: &str) -> (Vec<ShownNumber>, CallerIdRules) {
    let table: toml::Table = toml.parse().unwrap_or_default();
    let sub = |name: &str| table.get(name).and_then(toml::Value::as_table);
    let region = sub("list").and_then(|it| it.get("region")).and_then(toml::Value::as_str).unwrap_or("CN");
    let of = |key: &str| sub("caller_ids").and_then(|it| it.get(key));
    let texts = of("numbers").and_then(toml::Value::as_array).into_iter().flatten();
    let numbers = texts.filter_map(toml::Value::as_str).filter_map(|it| tasks::parse_caller_id(it, region));
    let day_max = of("per_day_max").and_then(toml::Value::as_integer);
    let rules = CallerIdRules {
        per_day_max: day_max.and_then(|max| u32::try_from(max).ok()).filter(|max| *max > 0),
        warm_up: of("warm_up").and_then(toml::Value::as_bool).unwrap_or(false),
        ..CallerIdRules::default()
    };
    (numbers.collect(), rules)
}

/// The campaigns of a scope by the numbers that their texts name.
pub(super) async fn by_number(
    state: &AppState,
    scope: &Scope,
) -> Result<BTreeMap<ShownNumber, NamedBy>, Problem> {
    let mut found: BTreeMap<ShownNumber, NamedBy> = BTreeMap::new();
    for text in state.store().campaign_texts(scope.enterprise).await? {
        if !scope.holds(scope.enterprise, text.organisation) {
            continue;
        }
        let (numbers, rules) = named_in(&text.toml);
        for number in numbers {
            let named = found.entry(number).or_default();
            named.campaigns.insert(text.name.clone());
            named.rules.push(rules.clone());
        }
    }
    Ok(found)
}

/// The numbers that campaigns of an enterprise name and that are not approved, where their organisation asks for it. A
/// number that does not stand in the register has the id 0.
pub(super) async fn not_approved(state: &AppState, scope: &Scope) -> Result<Vec<WaitingBytes>, Problem> {
    let asking = organisations_asking(state).await?;
    if asking.is_empty() {
        return Ok(Vec::new());
    }
    let rows = state.store().caller_ids().await?;
    let standing = standing(&rows);
    let mut waiting = Vec::new();
    for text in state.store().campaign_texts(scope.enterprise).await? {
        for number in named_in(&text.toml).0 {
            let row = standing.get(&(scope.enterprise, number));
            let waits = match row {
                Some(row) => asking.contains(&row.organisation) && !row.is_approved(),
                None => asking.contains(&text.organisation) && !text.is_sample,
            };
            waiting.extend(waits.then(|| WaitingBytes {
                campaign: text.campaign,
                kind: ApprovalKind::CallerId,
                id: row.map_or(0, |row| row.id.0),
                title: number.national(),
            }));
        }
    }
    Ok(waiting)
}

/// Numbers of a text that do not stand in the enterprise's register.
pub(super) async fn not_registered(
    state: &AppState,
    enterprise: i64,
    loaded: &LoadedCampaign,
) -> Result<Vec<ShownNumber>, Problem> {
    let named = loaded.rules.caller_ids.numbers.iter().map(|it| it.number);
    let rows = state.store().caller_ids().await?;
    let standing = standing(&rows);
    Ok(named.filter(|number| !standing.contains_key(&(enterprise, *number))).collect())
}

/// `number, number and 3 more`, in both languages.
pub(super) fn listed(numbers: &[ShownNumber]) -> (String, String) {
    const SHOWN: usize = 3;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(|number| number.national()).collect();
    let (mut en, mut zh) = (shown.join(", "), shown.join("、"));
    if let Some(more) = numbers.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        en += &format!(" and {more} more");
        zh += &format!(" 等 {} 个", numbers.len());
    }
    (en, zh)
}

/// A warning of a tried text about numbers that do not stand in the register.
pub(super) async fn warnings(
    state: &AppState,
    enterprise: i64,
    loaded: &LoadedCampaign,
) -> Result<Vec<Value>, Problem> {
    let numbers = not_registered(state, enterprise, loaded).await?;
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let (en, zh) = listed(&numbers);
    Ok(vec![json!({
        "key": "caller_ids.numbers",
        "line": null,
        "found": {
            "en": format!("not in the register of caller IDs: {en}"),
            "zh": format!("未登记的外显号码:{zh}"),
        },
        "advice": {
            "en": "enter it at Caller IDs, so that its holder, its caps and its health are kept",
            "zh": "请在「外显号码」中登记,以便记录持有人、上限与健康",
        },
        "level": "warning",
    })])
}
