//! The campaigns that a caller may see, open or not, with their texts read.

use super::app_state::AppState;
use super::auth::Caller;
use super::campaign_text::NamedFiles;
use super::campaign_views::may_see;
use super::problem::Problem;
use crate::config::{LoadedCampaign, holidays};
use crate::store::Role;
use crate::store::campaign_rows::CampaignRow;
use paceline_core::campaign::is_system_name;

/// Rows that one answer looks at.
const ROWS_MAX: u32 = 500;

/// Rows of the caller's campaigns, without the system's own; at most 500. An agent sees none.
pub(super) async fn rows(state: &AppState, caller: &Caller) -> Result<Vec<CampaignRow>, Problem> {
    if caller.role == Role::Agent {
        return Ok(Vec::new());
    }
    let groups = state.groups_in(&caller.scope).await?.into_iter();
    let groups = groups.map(|row| (row.group.name, row.group.id)).collect();
    let mut rows = state.store().campaign_rows(&caller.scope, None, ROWS_MAX).await?;
    rows.retain(|row| !is_system_name(&row.name) && may_see(caller, row, &groups));
    Ok(rows)
}

/// The campaign of a row with the holidays of its organisation; `None` = its text has faults.
pub(super) async fn load(
    state: &AppState,
    caller: &Caller,
    row: &CampaignRow,
) -> Result<Option<LoadedCampaign>, Problem> {
    let files = NamedFiles::of(state, caller, &row.toml, Some(row)).await?;
    let Ok(mut loaded) = LoadedCampaign::parse_row(&row.toml, files.files(), state.config()) else {
        return Ok(None);
    };
    add_holidays(state, row, &mut loaded).await?;
    Ok(Some(loaded))
}

/// Adds the holidays of the campaign's organisation, and those of the enterprise above it.
pub(super) async fn add_holidays(
    state: &AppState,
    row: &CampaignRow,
    loaded: &mut LoadedCampaign,
) -> Result<(), Problem> {
    // The sample campaign rings no phone and calls at any hour.
    let all = if row.is_sample { Vec::new() } else { state.store().organisations().await? };
    let above = all.iter().find(|it| it.id == row.organisation).and_then(|own| own.parent);
    for own in all.iter().filter(|it| it.id == row.organisation || Some(it.id) == above) {
        holidays::add(&mut loaded.rules.windows, &own.settings.holidays);
    }
    Ok(())
}
