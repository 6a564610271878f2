//! What an export is asked for: which rows, which columns, in which form.

use super::super::context::Words;
use crate::results::Format;
use crate::store::{AuditFilter, CallFilter, CampaignRecord, GroupCalls, LeadFilter, Scope};
use jiff::Timestamp;
use paceline_core::ids::{AgentId, CampaignId, LeadId};
use paceline_core::number::PhoneNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportWhat {
    Attempts,
    Leads,
    /// Attempts and inbound calls.
    Calls,
    /// The agents' hours.
    Agents,
    /// Refused rows of a list.
    ListReport,
    Recordings,
    Audit,
    Blacklist,
}

const TABLES: &[&str] = &["csv", "xlsx", "parquet"];

/// Filters of calls.
const CALLS: &[&str] = &[
    "campaign",
    "group",
    "agent",
    "outcome",
    "disposition",
    "result",
    "trunk",
    "caller_id",
    "building",
    "lead",
    "number",
    "ended_by",
    "talk_min",
    "talk_max",
    "waited_min",
    "recorded",
    "missed",
    "from",
    "until",
    "direction",
];

impl ExportWhat {
    pub const ALL: [ExportWhat; 8] = [
        ExportWhat::Attempts,
        ExportWhat::Leads,
        ExportWhat::Calls,
        ExportWhat::Agents,
        ExportWhat::ListReport,
        ExportWhat::Recordings,
        ExportWhat::Audit,
        ExportWhat::Blacklist,
    ];
    pub const WORDS: [&'static str; 8] =
        ["attempts", "leads", "calls", "agents", "list_report", "recordings", "audit", "blacklist"];

    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<ExportWhat> {
        Self::ALL.into_iter().find(|what| what.word() == word)
    }

    /// The words of the formats that it has.
    pub const fn formats(self) -> &'static [&'static str] {
        match self {
            ExportWhat::ListReport => &["csv", "xlsx"],
            ExportWhat::Recordings => &["zip"],
            _ => TABLES,
        }
    }

    /// The names of the filters that it takes.
    pub const fn filters(self) -> &'static [&'static str] {
        match self {
            ExportWhat::Attempts | ExportWhat::Calls | ExportWhat::Recordings => CALLS,
            ExportWhat::Leads => &[
                "campaign",
                "state",
                "reason",
                "outcome",
                "disposition",
                "building",
                "callback",
                "name",
                "row",
                "number",
            ],
            ExportWhat::Agents => &["campaign", "agent", "from", "until", "zone"],
            ExportWhat::ListReport => &["list"],
            ExportWhat::Audit => &["actor", "subject", "action", "from", "until"],
            ExportWhat::Blacklist => &["campaign", "scope", "source"],
        }
    }
}

/// The rows that are exported; what is left out restricts nothing. Each export takes the filters of its own page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExportFilters {
    /// A campaign's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub campaign: Option<String>,
    /// An agent's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub trunk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub lead: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub ended_by: Option<String>,
    /// Seconds from the answer to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub talk_min: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub talk_max: Option<i64>,
    /// Seconds of the wait for an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub waited_min: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub group: Option<String>,
    /// The number that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub caller_id: Option<String>,
    /// The first moment of the span, and the first behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub until: Option<String>,
    /// Of calls: `out` or `in` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["out", "in", null]))]
    pub direction: Option<String>,
    /// Of leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub building: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<bool>,
    /// A part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub row: Option<u64>,
    /// An uploaded list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub list: Option<i64>,
    /// Of the audit, as its page has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub action: Option<String>,
    /// Of the blacklist: `system` = the entries of every campaign alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["system", null]))]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub source: Option<String>,
    /// In which the days of agents' hours begin and end: an IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub zone: Option<String>,
}

/// Parses a moment; texts that are none were refused before.
fn moment(text: Option<&String>) -> Option<i64> {
    text?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

impl ExportFilters {
    /// The names of the filters that are set.
    pub fn names(&self) -> Vec<String> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// From and until in milliseconds.
    pub fn span(&self) -> (Option<i64>, Option<i64>) {
        (moment(self.from.as_ref()), moment(self.until.as_ref()))
    }

    /// Whether inbound calls match at all: they have no outcome, no result and no trunk.
    pub fn takes_inbound(&self) -> bool {
        self.direction.as_deref() != Some("out")
            && self.outcome.is_none()
            && self.result.is_none()
            && self.trunk.is_none()
            && self.caller_id.is_none()
    }

    pub fn takes_outbound(&self) -> bool {
        self.direction.as_deref() != Some("in")
    }

    /// As a filter of calls; what names agents and groups was looked up when the export was asked for. The campaign and the
    /// direction are chosen by who reads.
    pub fn calls(&self, wish: &ExportWish) -> CallFilter {
        let (from, until) = self.span();
        let numbers = |ids: &Vec<i64>| ids.iter().copied().map(AgentId).collect();
        CallFilter {
            from,
            until,
            group: wish.group_agents.as_ref().map(|agents| GroupCalls {
                agents: numbers(agents),
                campaigns: wish.group_campaigns.iter().copied().map(CampaignId).collect(),
            }),
            agent: wish.agent.map(AgentId),
            outcome: self.outcome.clone(),
            result: self.result.clone(),
            trunk: self.trunk.clone(),
            caller_id: wish.caller_id,
            disposition: self.disposition.clone(),
            building: self.building.clone(),
            lead: self.lead.map(LeadId),
            number: self.phone(),
            ended_by: self.ended_by.clone(),
            talk_min: self.talk_min.map(|secs| secs * 1_000),
            // A call of 4.9 s is one of 4 s.
            talk_max: self.talk_max.map(|secs| secs * 1_000 + 999),
            waited_min: self.waited_min.map(|secs| secs * 1_000),
            recorded: self.recorded,
            missed: self.missed,
            ..CallFilter::of(wish.scope())
        }
    }

    pub fn phone(&self) -> Option<PhoneNumber> {
        PhoneNumber::chinese(self.number.as_ref()?.as_bytes()).ok()
    }

    /// As a filter of the leads' table; `None` = nothing is restricted.
    pub fn leads(&self) -> Option<LeadFilter> {
        let filter = LeadFilter {
            state: self.state.clone(),
            reason: self.reason.clone(),
            outcome: self.outcome.clone(),
            disposition: self.disposition.clone(),
            building: self.building.clone(),
            callback: self.callback,
            name: self.name.clone(),
            row: self.row,
            number: self.phone().map(PhoneNumber::as_u64),
        };
        (filter != LeadFilter::default()).then_some(filter)
    }

    pub fn audit(&self, scope: &Scope) -> AuditFilter {
        let (kind, name) =
            match self.subject.as_deref().map(|text| text.split_once(':').unwrap_or((text, ""))) {
                Some((kind, name)) => {
                    (Some(kind.to_owned()), Some(name.to_owned()).filter(|name| !name.is_empty()))
                }
                None => (None, None),
            };
        let (from, until) = self.span();
        AuditFilter {
            organisations: (!scope.is_whole()).then(|| scope.organisations.clone()),
            actor: self.actor.clone(),
            subject_kind: kind,
            subject: name,
            action: self.action.clone(),
            from,
            until,
            before: None,
            limit: 0,
        }
    }
}

/// What a task is given beside the row of its export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportWish {
    /// More rows than a sheet holds go to further sheets.
    pub is_split: bool,
    /// Words of a list report: `zh` or `en`.
    pub language: String,
    pub enterprise: i64,
    pub organisations: Vec<i64>,
    /// Whether entries that hold for every campaign of the installation are the asker's to see.
    pub sees_system: bool,
    /// What the filters name, by row id.
    pub agent: Option<i64>,
    pub group_agents: Option<Vec<i64>>,
    #[serde(default)]
    pub group_campaigns: Vec<i64>,
    /// E.164 digits.
    pub caller_id: Option<u64>,
}

impl ExportWish {
    pub fn scope(&self) -> Scope {
        Scope { enterprise: self.enterprise, organisations: self.organisations.clone() }
    }
}

/// The format of a table.
pub(super) fn table_format(word: &str) -> Result<Format, Words> {
    Format::from_word(word)
        .ok_or_else(|| Words::new("this program does not write this format", "本版本程序不支持这种格式"))
}

/// The campaigns that an export reads: the named one, or all of the scope, by id.
pub(super) fn chosen_campaigns(
    all: Vec<CampaignRecord>,
    scope: &Scope,
    name: Option<&str>,
) -> Vec<CampaignRecord> {
    let seen = all.into_iter().filter(|it| scope.holds(it.enterprise, it.organisation));
    seen.filter(|it| name.is_none_or(|name| it.name == name)).collect()
}

/// Whether inbound calls of no campaign are the asker's: they belong to the first enterprise.
pub(super) fn inbound_places(
    campaigns: &[CampaignRecord],
    wish: &ExportWish,
    name: Option<&str>,
) -> Vec<Option<CampaignId>> {
    let stray = (name.is_none() && wish.sees_system).then_some(None);
    campaigns.iter().map(|it| Some(it.id)).chain(stray).collect()
}
