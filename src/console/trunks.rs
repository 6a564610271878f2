//! Handlers of trunks: a test call over one.

use super::app_state::AppState;
use super::auth::{Body, Caller};
use super::caller_id_approvals;
use super::fields::{DIALLED, parse_dialled, parse_shown};
use super::floor;
use super::problem::Problem;
use super::rights::Action;
use super::shown_number::{NumberSight, shown_text};
use super::trunk_rows::set_enabled;
use crate::engine::{TrunkTestRefusal, test_campaign_retry};
use crate::store::{NewCampaign, Subject};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use paceline_core::campaign::{Mode, TRUNK_TEST};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a test call may wait for the trunk's rate and the store before the request is given up.
const PLACING_WAIT: Duration = Duration::from_secs(10);

/// A manager's action on a trunk.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
pub(super) enum TrunkAction {
    /// Calls a number over this trunk, plays a tone for some seconds and hangs up; in no list and in no campaign.
    TestCall {
        #[schemars(regex(pattern = DIALLED))]
        number: String,
        /// The number to show; without it the trunk's own.
        #[schemars(regex(pattern = DIALLED))]
        caller_id: Option<String>,
    },
    /// Takes the trunk out of use: no call is placed over it, calls that are up go on.
    Disable {},
    /// Takes it into use again, and ends what the line guard or the carrier let it rest for.
    Enable {},
}

pub(super) async fn trunk_action(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<TrunkAction>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (number, caller_id) = match asked {
        TrunkAction::TestCall { number, caller_id } => (number, caller_id),
        TrunkAction::Disable {} => return set_enabled(&state, &caller, &name, false).await,
        TrunkAction::Enable {} => return set_enabled(&state, &caller, &name, true).await,
    };
    let number = parse_dialled(&number)?;
    let caller_id = caller_id.as_deref().map(parse_shown).transpose()?;
    let board = floor::board(&state);
    let Some(trunk) = board.trunks.iter().find(|trunk| trunk.name == name) else {
        let known = board.trunks.iter().map(|trunk| trunk.name.clone()).collect();
        return Err(TrunkTestRefusal::UnknownTrunk(known).into());
    };
    if trunk.disabled {
        let detail = "the trunk is out of use: enable it, then test it";
        return Err(Problem::new(StatusCode::CONFLICT, "trunk_disabled", detail));
    }
    if let Some(shown) = caller_id {
        caller_id_approvals::check_shown_by_test(&state, &caller, shown).await?;
    }
    if caller.organisation.suspended {
        return Err(Problem::suspended());
    }
    let mut change = state.change(&caller, Action::TrunksTest, Subject::of("trunk", &name)).await?;
    let shown = shown_text(&number.to_string(), NumberSight::Masked);
    change.set_after(json!({ "action": "test_call", "number": shown }));
    change.commit().await?;
    let campaign = state
        .store()
        .define_campaign_of(
            caller.scope.enterprise,
            &NewCampaign {
                name: TRUNK_TEST,
                title: "Test calls over trunks",
                mode: Mode::Announce.word(),
                timezone: "UTC",
                toml: "",
                retry: &test_campaign_retry(),
            },
        )
        .await?;
    let placed = state.engine().test_trunk(campaign, name, number, caller_id);
    let late = || Problem::full("the call was not placed in time; look for it in the log of calls");
    let placed = tokio::time::timeout(PLACING_WAIT, placed).await.map_err(|_| late())?;
    let attempt = placed.ok_or_else(|| Problem::internal("the engine has stopped"))??;
    Ok((StatusCode::ACCEPTED, Json(json!({ "attempt": attempt.0 }))))
}

impl From<TrunkTestRefusal> for Problem {
    fn from(refusal: TrunkTestRefusal) -> Problem {
        let (status, code) = match &refusal {
            TrunkTestRefusal::UnknownTrunk(_) => (StatusCode::NOT_FOUND, "not_found"),
            TrunkTestRefusal::NotCarried => (StatusCode::UNPROCESSABLE_ENTITY, "not_carried"),
            TrunkTestRefusal::Full => (StatusCode::CONFLICT, "trunk_full"),
            TrunkTestRefusal::StoreStalled => (StatusCode::SERVICE_UNAVAILABLE, "store_stalled"),
            TrunkTestRefusal::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            TrunkTestRefusal::Blacklisted => (StatusCode::CONFLICT, "blacklisted"),
            TrunkTestRefusal::NotNow(_) => (StatusCode::CONFLICT, "not_now"),
        };
        Problem::new(status, code, refusal.to_string())
    }
}
