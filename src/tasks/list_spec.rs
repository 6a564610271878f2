//! How an uploaded list is read: what its person said about it, and what its campaign's file says.

use super::context::{TaskContext, TaskEnd, Words};
use crate::config::campaign::CampaignFile;
use crate::lists::{ListSpec, Preview, Role};
use crate::store::list_uploads::UploadRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub use crate::lists::Reading;

/// Which columns are what, by their names in the preview. A column that is not named is kept with the lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Columns with numbers, in dialling order.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 128)))]
    pub phones: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 128))]
    pub name: String,
    /// Columns that together name the household: building, unit, room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 128)))]
    pub household: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 128))]
    pub building: String,
    /// Size of the flat in square metres.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 128))]
    pub area: String,
}

impl Mapping {
    /// What a report says that the columns are.
    pub(super) fn of(columns: &[crate::lists::ColumnReport]) -> Mapping {
        let of_role = |role: Role| columns.iter().filter(move |it| it.role == role).map(|it| it.name.clone());
        Mapping {
            phones: of_role(Role::Phone).collect(),
            name: of_role(Role::Name).next().unwrap_or_default(),
            household: of_role(Role::Household).collect(),
            building: of_role(Role::Building).next().unwrap_or_default(),
            area: of_role(Role::FloorArea).next().unwrap_or_default(),
        }
    }
}

/// What a campaign's text says of its list, as far as another file may be read by it.
#[derive(Clone, Debug, Default)]
pub(super) struct CampaignList {
    region: String,
    phones: Vec<String>,
    household: Vec<String>,
    name: String,
    /// Column that `[vote]` names.
    area: String,
}

impl CampaignList {
    /// A text that this program cannot parse gives the defaults; it is refused where it is opened.
    pub fn of(toml: &str) -> CampaignList {
        let Ok(file) = toml::from_str::<CampaignFile>(toml) else {
            return CampaignList { region: "CN".into(), ..CampaignList::default() };
        };
        let list = file.list;
        let household = list.household.to_vec();
        let area = file.vote.area;
        CampaignList { region: list.region, phones: list.phones, household, name: list.name, area }
    }
}

/// Reads the row's texts.
///
/// # Errors
/// They are not of this program.
pub(super) fn spec_of(
    context: &TaskContext<'_>,
    upload: &UploadRow,
    campaign: &CampaignList,
) -> Result<ListSpec, TaskEnd> {
    let foreign = |error: serde_json::Error| {
        let en = format!("the settings of this list cannot be read ({error}): choose them again");
        TaskEnd::Failed(Words::new(en, "该名单的读取设置无法识别,请重新选择"))
    };
    let mut reading: Reading = serde_json::from_str(&upload.reading).map_err(foreign)?;
    reading.by_content = true;
    let mapping: Option<Mapping> =
        upload.mapping.as_deref().map(serde_json::from_str).transpose().map_err(foreign)?;
    let file: PathBuf = context.shared.parts.files.file(&upload.path)?;
    let mut spec = ListSpec {
        file,
        sheets: reading.sheets.clone().unwrap_or_default(),
        region: campaign.region.clone(),
        reading,
        ..ListSpec::default()
    };
    if let Some(mapping) = mapping {
        spec.phones = mapping.phones;
        spec.name = mapping.name;
        spec.household = mapping.household;
        spec.building = mapping.building;
        spec.floor_area = mapping.area;
        spec.columns_are_complete = true;
    }
    Ok(spec)
}

/// Columns that the campaign's file names, where the list has them all. A person's mapping goes before.
pub(super) fn add_campaign_columns(spec: &mut ListSpec, campaign: &CampaignList, preview: &Preview) {
    if spec.columns_are_complete {
        return;
    }
    let has = |names: &[String]| !names.is_empty() && names.iter().all(|name| preview.columns.contains(name));
    if has(&campaign.phones) {
        spec.phones = campaign.phones.clone();
    }
    if has(&campaign.household) {
        spec.household = campaign.household.clone();
    }
    if has(std::slice::from_ref(&campaign.name)) {
        spec.name = campaign.name.clone();
    }
    if has(std::slice::from_ref(&campaign.area)) {
        spec.floor_area = campaign.area.clone();
    }
}
