//! The summary: counts taken while the tables are written, reconciled with counts from SQL and with the list
//! reader's row counts. The differences are part of the summary.

use super::abandon::{AbandonRates, Abandons};
use super::agents::DailyCalls;
use super::attempts::{observed_end, talk_span, wait_span};
use super::days::Days;
use crate::store::CampaignRecord;
use crate::store::inbound_calls::InboundCallRow;
use crate::store::reader::Counts;
use crate::store::result_rows::{AttemptRow, ListRow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use paceline_core::ids::AgentId;
use paceline_core::number::ShownNumber;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

type Tallies = BTreeMap<String, u64>;

/// `summary.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    pub campaign: String,
    pub title: String,
    pub timezone: String,
    /// Why a trunk of the campaign rests: the line refuses us; `null` = the trunks work.
    pub line_trouble: Option<String>,
    /// Rows of the lists, without blank lines and headers.
    pub rows_read: u64,
    pub leads: u64,
    /// Rows that the import refused.
    pub refused: u64,
    pub refused_by_reason: Tallies,
    pub leads_by_state: Tallies,
    /// Leads by the reason that ended them without another attempt.
    pub leads_by_reason: Tallies,
    pub leads_by_last_outcome: Tallies,
    /// Leads by the result that key presses set.
    pub leads_by_result: Tallies,
    /// Leads by their latest disposition.
    pub leads_by_disposition: Tallies,
    pub attempts: u64,
    /// Attempts that are still open.
    pub attempts_open: u64,
    /// Attempts that count against the caps.
    pub attempts_counted: u64,
    /// Single-number test calls: attempts without a lead.
    pub attempts_tests: u64,
    pub attempts_by_outcome: Tallies,
    /// Attempts by the result that key presses set.
    pub attempts_by_result: Tallies,
    /// Keys pressed, by the way they came: `rtp`, `info`, `tone`.
    pub keys_by_way: Tallies,
    /// Attempts by disposition.
    pub attempts_by_disposition: Tallies,
    /// Dispositions written by default because wrap-up timed out.
    pub dispositions_defaulted: u64,
    /// Attempts in which an agent and the callee could hear each other.
    pub attempts_connected: u64,
    pub attempts_by_trunk: Tallies,
    pub caller_ids: BTreeMap<String, CallerIdUse>,
    /// By the agent's number.
    pub agents: BTreeMap<String, AgentUse>,
    pub calls_in: u64,
    pub calls_in_connected: u64,
    pub calls_in_by_disposition: Tallies,
    pub abandon: AbandonRates,
    pub ring_secs: Spans,
    pub wait_secs: Spans,
    pub talk_secs: Spans,
    /// Whether every sum agrees; `differences` names those that do not.
    pub reconciles: bool,
    pub differences: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct CallerIdUse {
    pub attempts: u64,
    pub answered: u64,
}

/// One agent's work for the campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct AgentUse {
    pub name: String,
    /// Conversations, inbound calls included.
    pub answered: u64,
    pub talk_secs: f64,
    pub wrap_up_secs: f64,
}

/// Durations in seconds, over the calls that have one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Spans {
    pub calls: u64,
    pub total: f64,
    pub mean: f64,
    pub max: f64,
}

/// Accumulates the summary while the tables are written.
#[derive(Debug)]
pub(super) struct Tally {
    summary: Summary,
    days: Days,
    dates: BTreeSet<Date>,
    /// Start of the first of `dates` and end of the last, in milliseconds.
    bounds: (i64, i64),
    by_agent: BTreeMap<i64, BTreeMap<Date, DailyCalls>>,
    ring: SpanSum,
    wait: SpanSum,
    talk: SpanSum,
    ended_with_lead: u64,
    tries_of_leads: u64,
    calls_in_with_agent: u64,
    abandons: Abandons,
}

/// The fields of a call that count for its agent.
struct AgentCall<'a> {
    agent: Option<i64>,
    at: i64,
    connected_at: Option<i64>,
    ended_at: Option<i64>,
    disposition: Option<&'a String>,
}

#[derive(Debug, Default)]
struct SpanSum {
    calls: u64,
    total: i64,
    max: i64,
}

impl SpanSum {
    fn add(&mut self, from: Option<i64>, to: Option<i64>) {
        if let (Some(from), Some(to)) = (from, to) {
            let span = (to - from).max(0);
            self.calls += 1;
            self.total += span;
            self.max = self.max.max(span);
        }
    }

    fn spans(&self) -> Spans {
        let secs = |millis: i64| millis as f64 / 1000.0;
        let mean = (secs(self.total) / self.calls.max(1) as f64 * 1000.0).round() / 1000.0;
        Spans { calls: self.calls, total: secs(self.total), mean, max: secs(self.max) }
    }
}

fn count(tallies: &mut Tallies, word: Option<&String>) {
    if let Some(word) = word {
        *tallies.entry(word.clone()).or_default() += 1;
    }
}

impl Tally {
    pub(super) fn of(zone: &TimeZone) -> Tally {
        Tally {
            summary: Summary::default(),
            days: Days::of(zone.clone()),
            dates: BTreeSet::new(),
            bounds: (i64::MAX, i64::MIN),
            by_agent: BTreeMap::new(),
            ring: SpanSum::default(),
            wait: SpanSum::default(),
            talk: SpanSum::default(),
            ended_with_lead: 0,
            tries_of_leads: 0,
            calls_in_with_agent: 0,
            abandons: Abandons::default(),
        }
    }

    /// The days with at least one call.
    pub(super) fn dates(&self) -> BTreeSet<Date> {
        self.dates.clone()
    }

    pub(super) fn bounds(&self) -> (i64, i64) {
        self.bounds
    }

    pub(super) fn calls_of(&self, agent: AgentId) -> BTreeMap<Date, DailyCalls> {
        self.by_agent.get(&agent.0).cloned().unwrap_or_default()
    }

    pub(super) fn agent(&mut self, number: String, used: AgentUse) {
        self.summary.agents.insert(number, used);
    }

    /// Notes the day of an event; `None` = out of the calendar's range.
    fn date(&mut self, at: i64) -> Option<Date> {
        let day = self.days.day(at)?;
        if self.bounds.0 > day.start || self.bounds.1 < day.end || !self.dates.contains(&day.date) {
            self.dates.insert(day.date);
            self.bounds = (self.bounds.0.min(day.start), self.bounds.1.max(day.end));
        }
        Some(day.date)
    }

    /// Adds a call to its agent's day, which is the day of the connection.
    fn agent_call(&mut self, call: AgentCall<'_>) {
        let Some(agent) = call.agent else { return };
        let Some(date) = self.date(call.connected_at.unwrap_or(call.at)) else { return };
        let day = self.by_agent.entry(agent).or_default().entry(date).or_default();
        if let Some(connected_at) = call.connected_at {
            day.answered += 1;
            day.talked += (call.ended_at.unwrap_or(connected_at) - connected_at).max(0);
        }
        count(&mut day.dispositions, call.disposition);
    }

    pub(super) fn call_in(&mut self, row: &InboundCallRow) {
        self.summary.calls_in += 1;
        self.summary.calls_in_connected += u64::from(row.connected_at.is_some());
        self.calls_in_with_agent += u64::from(row.connected_at.is_some() && row.agent_id.is_some());
        count(&mut self.summary.calls_in_by_disposition, row.disposition.as_ref());
        let at = row.began_at.or(row.ended_at).unwrap_or_default();
        self.date(at);
        self.agent_call(AgentCall {
            agent: row.agent_id,
            at,
            connected_at: row.connected_at,
            ended_at: row.ended_at,
            disposition: row.disposition.as_ref(),
        });
    }

    /// Takes an attempt to its agent's day, and nothing else of it.
    pub(super) fn agent_attempt(&mut self, row: &AttemptRow) {
        self.agent_call(AgentCall {
            agent: row.agent_id,
            at: row.placed_at,
            connected_at: row.connected_at,
            ended_at: observed_end(row),
            disposition: row.disposition.as_ref(),
        });
    }

    pub(super) fn attempt(&mut self, row: &AttemptRow, mode: &str) {
        self.date(row.placed_at);
        self.agent_attempt(row);
        let summary = &mut self.summary;
        summary.attempts += 1;
        summary.attempts_counted += u64::from(row.counted);
        summary.attempts_tests += u64::from(row.lead_id.is_none());
        summary.attempts_open += u64::from(row.outcome.is_none());
        self.ended_with_lead += u64::from(row.outcome.is_some() && row.lead_id.is_some());
        count(&mut summary.attempts_by_outcome, row.outcome.as_ref());
        count(&mut summary.attempts_by_result, row.result.as_ref());
        count(&mut summary.attempts_by_trunk, Some(&row.trunk));
        count(&mut summary.attempts_by_disposition, row.disposition.as_ref());
        summary.dispositions_defaulted += u64::from(row.disposition_defaulted);
        summary.attempts_connected += u64::from(row.connected_at.is_some());
        if let Some(number) = row.caller_id.and_then(|number| ShownNumber::from_e164(number as u64)) {
            let uses = summary.caller_ids.entry(number.national()).or_default();
            uses.attempts += 1;
            uses.answered += u64::from(row.answered_at.is_some());
        }
        let day = row.answered_at.and_then(|at| self.days.day(at));
        self.abandons.attempt(row, day.map(|day| day.date));
        let end = observed_end(row);
        self.ring.add(row.ringing_at, row.answered_at.or(end));
        let (waited, talked) = (wait_span(row), talk_span(row, mode));
        self.wait.add(waited.0, waited.1);
        self.talk.add(talked.0, talked.1);
    }

    pub(super) fn list_row(&mut self, row: &ListRow) {
        let summary = &mut self.summary;
        if row.lead_id.is_none() {
            summary.refused += 1;
            return count(&mut summary.refused_by_reason, row.reason.as_ref());
        }
        summary.leads += 1;
        self.tries_of_leads += row.attempts as u64;
        count(&mut summary.leads_by_state, Some(&row.state));
        count(&mut summary.leads_by_reason, row.reason.as_ref());
        count(&mut summary.leads_by_last_outcome, row.last_outcome.as_ref());
        count(&mut summary.leads_by_result, row.result.as_ref());
        count(&mut summary.leads_by_disposition, row.disposition.as_ref());
    }

    /// `counts` are the same counts taken by SQL.
    pub(super) fn summary(mut self, campaign: &CampaignRecord, counts: &Counts) -> Summary {
        let differences = self.differences(counts);
        let mut summary = self.summary;
        summary.campaign = campaign.name.clone();
        summary.title = campaign.title.clone();
        summary.timezone = campaign.timezone.clone();
        summary.line_trouble = Some(campaign.line_trouble.clone()).filter(|words| !words.is_empty());
        summary.rows_read = counts.rows_read;
        summary.keys_by_way.clone_from(&counts.keys_by_way);
        summary.ring_secs = self.ring.spans();
        summary.wait_secs = self.wait.spans();
        summary.talk_secs = self.talk.spans();
        summary.abandon = self.abandons.rates(&summary, &mut self.days);
        summary.reconciles = differences.is_empty();
        summary.differences = differences;
        summary
    }

    fn differences(&self, counts: &Counts) -> Vec<String> {
        let summary = &self.summary;
        let sum = |tallies: &Tallies| tallies.values().sum::<u64>();
        let checks = [
            ("rows read", counts.rows_read, "leads + refused rows", summary.leads + summary.refused),
            ("leads", summary.leads, "leads by state", sum(&summary.leads_by_state)),
            ("refused rows", summary.refused, "refused rows by reason", sum(&counts.refused)),
            (
                "attempts",
                summary.attempts,
                "attempts by outcome + open",
                sum(&summary.attempts_by_outcome) + summary.attempts_open,
            ),
            (
                "conversations of agents",
                summary.agents.values().map(|used| used.answered).sum(),
                "connected attempts + calls in",
                counts.connected + self.calls_in_with_agent,
            ),
            (
                "attempts by disposition",
                sum(&summary.attempts_by_disposition),
                "stored",
                sum(&counts.dispositions),
            ),
            (
                "leads by disposition",
                sum(&summary.leads_by_disposition),
                "stored",
                sum(&counts.lead_dispositions),
            ),
            ("attempts of leads", self.tries_of_leads, "ended attempts", self.ended_with_lead),
        ];
        let mut differences: Vec<_> = checks
            .into_iter()
            .filter(|(_, left, _, right)| left != right)
            .map(|(what, left, other, right)| format!("{what} {left}, {other} {right}"))
            .collect();
        if summary.leads_by_state != counts.leads {
            let (written, stored) = (&summary.leads_by_state, &counts.leads);
            differences.push(format!("leads by state: written {written:?}, stored {stored:?}"));
        }
        differences
    }
}
