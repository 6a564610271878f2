//! Shapes of answers about leads, the day, the search and the schedule; a part of [`answers`](super::answers).

use super::answers::{Moment, Words, Yes, answers, by_hand};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;
use std::borrow::Cow;

by_hand! {
    TodayKind = json!({ "type": "string",
        "enum": ["not_dialling", "approval", "caller_id", "starts_soon", "list_ends", "line", "health", "finished"] });
    Severity = json!({ "type": "string", "enum": ["stop", "warn", "info"] });
    SearchKind = json!({ "type": "string",
        "enum": ["campaign", "lead", "person", "group", "call", "list", "audio", "page"] });
    BarKind = json!({ "type": "string", "enum": ["window", "holiday", "frame"] });
}

answers! {
    /// An action as a request has it.
    LeadActionView { action: String, agent: Option<String>, at: Option<Moment>, skill: Option<String>, }
    LeadActionDone {
        done: Yes,
        /// What undoes it; `null` = nothing does.
        inverse: Option<LeadActionView>,
    }
    LeadsTask { task: i64, }
    LeadsCounted { count: u64, }
    LeadAdded { lead: i64, }

    TodayItem {
        kind: TodayKind,
        campaign: Option<String>,
        title: Option<String>,
        words: Words,
        href: String,
        since: Option<Moment>,
        severity: Severity,
    }
    HourSums { placed: u64, answered: u64, abandoned: f64, }
    TodayHour {
        hour: Moment,
        placed: u64,
        answered: u64,
        abandoned: f64,
        /// The same hour of the same weekday a week before.
        before: Option<HourSums>,
    }
    Today { items: Vec<TodayItem>, hours: Vec<TodayHour>, }

    SearchHit { kind: SearchKind, id: String, title: String, detail: Option<String>, href: String, }
    SearchHits { items: Vec<SearchHit>, }

    ScheduleBar { from: Moment, until: Moment, kind: BarKind, words: Words, }
    ScheduledCampaign {
        name: String,
        title: String,
        state: String,
        timezone: String,
        group: Option<String>,
        bars: Vec<ScheduleBar>,
        /// Its calls were let end: it calls nobody before it is started again.
        drained: bool,
    }
    LineShare {
        campaign: String,
        /// 1 is first.
        priority: u8,
        weight: u32,
        lines_reserved: u32,
        /// What it gets if every campaign of the trunk calls at once.
        lines: u32,
    }
    ScheduledTrunk { name: String, calls_max: u32, campaigns: Vec<String>, shares: Vec<LineShare>, }
    Conflict { from: Moment, until: Moment, trunk: String, words: Words, campaigns: Vec<String>, }
    Schedule {
        campaigns: Vec<ScheduledCampaign>,
        trunks: Vec<ScheduledTrunk>,
        conflicts: Vec<Conflict>,
        /// Of the organisation.
        holidays: Vec<String>,
    }
    HolidaysView { days: Vec<String>, version: i64, }
    Version {
        version: String,
        /// Of the store.
        schema: i64,
    }
}
