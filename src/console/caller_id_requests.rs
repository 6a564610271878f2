//! Bodies of the requests about caller IDs, and what is refused in them.

use super::fields::{TEXT, moment_of, parse_text};
use super::problem::Problem;
use crate::store::caller_ids::{CallerIdFields, CallerIdRow};
use crate::tasks;
use paceline_core::caller_id_life::CallerIdAct;
use paceline_core::number::ShownNumber;
use paceline_core::time::Utc;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::json;

const CAP_MAX: u32 = 100_000;
const IDLE_DAYS_MAX: u32 = 365;
/// Where a number without a country code is from.
pub(super) const REGION: &str = "CN";

/// What is known of a number. A field that is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerIdRequest {
    /// Of an entry, in any spelling: `0755-12345678`, `+8675512345678`. It cannot be changed.
    #[schemars(length(min = 3, max = 32))]
    pub number: Option<String>,
    /// Whose number it is; empty = not known.
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    holder: Option<String>,
    /// The holder's identity number. Only its last four characters are kept.
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    holder_id: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    region: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    carrier: Option<String>,
    #[schemars(length(max = 64), regex(pattern = TEXT_OR_NONE))]
    note: Option<String>,
    /// Calls in 60 minutes that may show it; 0 = as its campaigns say.
    #[schemars(range(max = 100_000))]
    per_hour_max: Option<u32>,
    /// Calls in 24 hours that may show it; 0 = as its campaigns say.
    #[schemars(range(max = 100_000))]
    per_day_max: Option<u32>,
    /// Days without a call after which the carrier takes the number back; 0 = never.
    #[schemars(range(max = 365))]
    idle_days: Option<u32>,
}

/// The body of an entry: as a change, and it has a number.
pub(super) fn new_caller_id_schema() -> Schema {
    let mut schema = schema_for!(CallerIdRequest).to_value();
    schema["required"] = json!(["number"]);
    schema["properties"]["number"]["type"] = "string".into();
    Schema::try_from(schema).unwrap_or_default()
}

const TEXT_OR_NONE: &str =
    r"^([^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f])?)?$";

impl CallerIdRequest {
    pub fn apply_to(&self, fields: &mut CallerIdFields) -> Result<(), Problem> {
        let text = |name: &str, given: &Option<String>, kept: &mut String| match given.as_deref() {
            None => Ok(()),
            Some("") => {
                kept.clear();
                Ok(())
            }
            Some(given) => parse_text(name, given).map(|text| *kept = text),
        };
        text("holder", &self.holder, &mut fields.holder)?;
        text("region", &self.region, &mut fields.region)?;
        text("carrier", &self.carrier, &mut fields.carrier)?;
        text("note", &self.note, &mut fields.note)?;
        let mut holder_id = String::new();
        text("holder_id", &self.holder_id, &mut holder_id)?;
        if self.holder_id.is_some() {
            let start = holder_id.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
            // A number of four characters or fewer would be kept whole.
            fields.holder_id_end = if start == 0 { String::new() } else { holder_id.split_off(start) };
        }
        let cap = |name: &str, given: Option<u32>, max: u32, kept: &mut Option<u32>| match given {
            Some(n) if n > max => {
                Err(Problem::of_field(&format!("/{name}"), &format!("0 to {max}"), &format!("0 到 {max}")))
            }
            Some(n) => {
                *kept = (n > 0).then_some(n);
                Ok(())
            }
            None => Ok(()),
        };
        cap("per_hour_max", self.per_hour_max, CAP_MAX, &mut fields.per_hour_max)?;
        cap("per_day_max", self.per_day_max, CAP_MAX, &mut fields.per_day_max)?;
        cap("idle_days", self.idle_days, IDLE_DAYS_MAX, &mut fields.idle_days)
    }
}

pub(super) fn fields_of(row: &CallerIdRow) -> CallerIdFields {
    CallerIdFields {
        holder: row.holder.clone(),
        holder_id_end: row.holder_id_end.clone(),
        region: row.region.clone(),
        carrier: row.carrier.clone(),
        note: row.note.clone(),
        per_hour_max: row.per_hour_max,
        per_day_max: row.per_day_max,
        idle_days: row.idle_days,
    }
}

/// A number that is entered: one that an own line can have.
pub(super) fn parse_number(text: &str) -> Result<ShownNumber, Problem> {
    let number = tasks::parse_caller_id(text, REGION).ok_or_else(|| {
        Problem::of_field(
            "/number",
            "this is no number that a call may show: write 0755-12345678 or +8675512345678",
            "这不是可以外显的号码:请写成 0755-12345678 或 +8675512345678",
        )
    })?;
    if number.is_of_subscribers() {
        return Ok(number);
    }
    Err(Problem::of_field(
        "/number",
        "this is a carrier's or a city's service number, which no subscriber can hold: enter a number of your own line",
        "这是运营商或城市的服务号码,任何用户都不能持有:请登记自己线路的号码",
    ))
}

/// The body of an act.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum CallerIdAction {
    /// It was applied for at the carrier.
    Request {},
    MarkWhitelisted {},
    /// To an agent, whose calls alone show it; or to a line.
    Bind {
        /// The agent's number; without it no agent.
        #[schemars(length(max = 32))]
        agent: Option<String>,
    },
    /// Few calls a day for seven days, more each day.
    StartWarmUp {},
    /// Its callees see a warning: it rests.
    Flag {
        #[schemars(length(max = 64), regex(pattern = TEXT))]
        note: Option<String>,
    },
    ClearFlag {},
    Rest {
        /// Without it until somebody resumes it.
        #[schemars(with = "Option<super::answers::Moment>")]
        until: Option<String>,
    },
    Resume {},
    Unbind {},
    Retire {},
}

impl CallerIdAction {
    pub const fn act(&self) -> CallerIdAct {
        match self {
            CallerIdAction::Request {} => CallerIdAct::Request,
            CallerIdAction::MarkWhitelisted {} => CallerIdAct::MarkWhitelisted,
            CallerIdAction::Bind { .. } => CallerIdAct::Bind,
            CallerIdAction::StartWarmUp {} => CallerIdAct::StartWarmUp,
            CallerIdAction::Flag { .. } => CallerIdAct::Flag,
            CallerIdAction::ClearFlag {} => CallerIdAct::ClearFlag,
            CallerIdAction::Rest { .. } => CallerIdAct::Rest,
            CallerIdAction::Resume {} => CallerIdAct::Resume,
            CallerIdAction::Unbind {} => CallerIdAct::Unbind,
            CallerIdAction::Retire {} => CallerIdAct::Retire,
        }
    }
}

/// The end of a rest.
pub(super) fn parse_until(text: &str, now: Utc) -> Result<Utc, Problem> {
    let unfit = || {
        Problem::of_field(
            "/until",
            "a moment in the future, like 2030-01-31T09:30:00Z",
            "须为将来的时间,例如 2030-01-31T09:30:00Z",
        )
    };
    moment_of(text).filter(|at| *at > now).ok_or_else(unfit)
}
