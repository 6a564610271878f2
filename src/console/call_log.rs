//! Handler of the call log: filters, order, pages by key, counts, and how far a search has come.

use super::app_state::AppState;
use super::auth::Caller;
use super::call_filters::CallQuery;
use super::call_trace::cause_words;
use super::problem::Problem;
use super::shown_number::{NumberSight, shown_optional};
use super::views::{millis, stored_number};
use crate::store::{CallDirection, CallFilter, CallOrder, CallPage, CallRow, OrderRefused, Reader};
use axum::Json;
use axum::extract::{Query, State};
use paceline_core::number::ShownNumber;
use paceline_core::time::{Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

const PAGE: usize = 50;

/// Calls are counted exactly up to this number.
const COUNT_MAX: u64 = 10_000;

/// A query ends with what it has after so much time of the database.
const QUERY_MAX: Duration = Duration::from_secs(2);

/// Words of the orders.
pub(super) const ORDERS: &[&str] = &["newest", "oldest", "longest", "shortest", "waited"];

/// What is asked beside the filters.
#[derive(Deserialize)]
pub(super) struct PageQuery {
    sort: Option<String>,
    before: Option<i64>,
    limit: Option<usize>,
    count: Option<u8>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<CallQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let direction = query.direction();
    let mut reader = state.store().reader().await?;
    let after = match page.before {
        Some(id) => Some(reader.call_key(&caller.scope, direction, id).await?),
        None => None,
    };
    // The next page is of the day of the page before, also behind midnight.
    let at = after.flatten().map_or(state.now(), |key| Utc::from_millis(key.at));
    let filter = query.filter(&state, &caller, at).await?;
    let began = state.now();
    let is_late = || state.now() >= began + QUERY_MAX;
    let order = order_of(page.sort.as_deref());
    let limit = page.limit.unwrap_or(PAGE);
    let found = match (order, after) {
        // An id below that of every call: nothing is behind it.
        (_, Some(None)) => CallPage::default(),
        (CallOrder::Newest | CallOrder::Oldest, after) => {
            reader.call_page(&filter, order, after.flatten(), limit, &is_late).await?
        }
        _ => {
            let ranked = reader.ranked_call_page(&filter, order, page.before, limit, &is_late).await?;
            ranked.map_err(order_refused)?
        }
    };
    let count = match page.count {
        Some(_) => {
            let (n, exact) = reader.count_calls(&filter, COUNT_MAX, &is_late).await?;
            Some(json!({ "n": n, "exact": exact }))
        }
        None => None,
    };
    let rows = reader.call_rows(direction, &found.calls).await?;
    let is_empty = rows.is_empty() && found.next.is_none() && page.before.is_none();
    let earlier = if is_empty { last_before(&mut reader, &filter, &is_late).await? } else { None };
    let shown: Vec<Value> = rows.iter().map(|row| view(row, direction, caller.sight())).collect();
    Ok(Json(json!({
        "calls": shown,
        "next": found.next,
        "searched_to": millis(found.searched_to),
        "count": count,
        "from": millis(filter.from),
        "until": millis(filter.until),
        "earlier": millis(earlier),
    })))
}

fn order_of(word: Option<&str>) -> CallOrder {
    let found = CallOrder::ALL.iter().find(|(_, known)| Some(*known) == word);
    found.map_or(CallOrder::Newest, |(order, _)| *order)
}

fn order_refused(why: OrderRefused) -> Problem {
    let (en, zh) = match why {
        OrderRefused::TooMany => (
            "more than 10,000 calls match: choose fewer days or another filter, or sort by time",
            "符合条件的通话超过 10,000 条:请缩短日期或增加筛选,或按时间排序",
        ),
        OrderRefused::TooSlow => (
            "too many calls lie in this span: choose fewer days, or sort by time",
            "这段时间的通话太多:请缩短日期,或按时间排序",
        ),
    };
    Problem::of_field("/sort", en, zh)
}

/// When the last call before the span was, of those that the caller sees in the same campaign.
async fn last_before(
    reader: &mut Reader,
    filter: &CallFilter,
    is_late: &(dyn Fn() -> bool + Sync),
) -> Result<Option<i64>, Problem> {
    let Some(from) = filter.from else { return Ok(None) };
    let wider = CallFilter {
        seen: filter.seen.clone(),
        direction: filter.direction,
        campaign: filter.campaign,
        until: Some(from),
        ..CallFilter::of(filter.scope.clone())
    };
    let page = reader.call_page(&wider, CallOrder::Newest, None, 1, is_late).await?;
    let Some(id) = page.calls.first() else { return Ok(None) };
    Ok(reader.call_key(&filter.scope, filter.direction, *id).await?.map(|key| key.at))
}

/// The number that a call showed; a service number is nobody's telephone.
fn shown_caller_id(digits: i64, sight: NumberSight) -> Value {
    match stored_number(Some(digits), sight) {
        Value::Null => u64::try_from(digits)
            .ok()
            .and_then(ShownNumber::from_e164)
            .map_or(Value::Null, |number| number.national().into()),
        shown => shown,
    }
}

fn view(row: &CallRow, direction: CallDirection, sight: NumberSight) -> Value {
    let is_inbound = direction == CallDirection::In;
    json!({
        "id": row.id,
        "direction": if is_inbound { "in" } else { "out" },
        "campaign": row.campaign,
        "lead": row.lead_id,
        "name": shown_optional(row.name.as_ref(), sight),
        "building": shown_optional(row.building.as_ref(), sight),
        "number": stored_number(row.number, sight),
        "at": millis(Some(row.at)),
        "answered_at": millis(row.answered_at),
        "connected_at": millis(row.connected_at),
        "ended_at": millis(row.ended_at),
        "waited_ms": row.waited.map(|waited| waited.max(0)),
        "missed": row.missed,
        "ordinal": row.ordinal,
        "trunk": row.trunk,
        "caller_id": row.caller_id.map(|digits| shown_caller_id(digits, sight)),
        "outcome": row.outcome,
        "result": row.result,
        "ended_by": row.ended_by,
        "cause": row.cause,
        "cause_words": cause_words(&row.cause, sight),
        "agent": row.agent,
        "agent_name": row.agent_name,
        "disposition": row.disposition,
        "note": shown_optional(row.note.as_ref(), sight),
        "recorded": row.recorded,
        "recording": row.recorded.then(|| match is_inbound {
            true => format!("/api/v1/calls/in/{}/recording", row.id),
            false => format!("/api/v1/calls/{}/recording", row.id),
        }),
    })
}
