//! Every series, one line each, in the order in which the dashboard shows them. Labels are bounded:
//! never a phone number, a lead or an agent.

use crate::net::rtp::MediaTotals;
use crate::store::commits::{BOUNDS_SECS, CommitTotals};
use paceline_core::dialer::View;
use paceline_core::dialer::output::AttemptResult;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::pacing::Decision;
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The series. One set a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls_placed: IntCounterVec,
    calls_ended: IntCounterVec,
    calls: IntGaugeVec,
    leads: IntGaugeVec,
    decisions: IntCounterVec,
    ring_secs: HistogramVec,
    trunk_up: IntGaugeVec,
    caller_id_answers: GaugeVec,
    /// Histograms that other rooms keep: written out as they are.
    late: Mutex<MediaTotals>,
    commits: Mutex<CommitTotals>,
    caller_ids: Mutex<BTreeMap<PhoneNumber, (u64, u64)>>,
}

/// Every series that `/metrics` can show, for those who hold dashboards against it.
pub const SERIES: &[&str] = &[
    "paceline_calls_placed_total",
    "paceline_calls_ended_total",
    "paceline_calls",
    "paceline_leads",
    "paceline_pacing_decisions_total",
    "paceline_ring_seconds",
    "paceline_trunk_up",
    "paceline_caller_id_answer_ratio",
    "paceline_rtp_packets_total",
    "paceline_rtp_late_seconds",
    "paceline_store_commit_seconds",
];

impl Metrics {
    /// # Panics
    /// Never: the names are fixed and differ.
    #[expect(clippy::new_without_default, reason = "a second set would count half the calls")]
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Metrics {
            calls_placed: counter("paceline_calls_placed_total", "INVITEs that left", &["campaign", "trunk"]),
            calls_ended: counter(
                "paceline_calls_ended_total",
                "Calls that ended, by what the line said",
                &["campaign", "trunk", "outcome"],
            ),
            calls: gauge("paceline_calls", "Calls that are out", &["campaign", "phase"]),
            leads: gauge("paceline_leads", "Leads by state", &["campaign", "state"]),
            decisions: counter(
                "paceline_pacing_decisions_total",
                "Pacing decisions by what limited them",
                &["campaign", "why"],
            ),
            ring_secs: HistogramVec::new(
                HistogramOpts::new("paceline_ring_seconds", "From the INVITE to the answer")
                    .buckets(vec![1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0]),
                &["campaign"],
            )
            .expect("a fixed name"),
            trunk_up: gauge("paceline_trunk_up", "Whether the trunk is in use", &["trunk"]),
            caller_id_answers: GaugeVec::new(
                Opts::new(
                    "paceline_caller_id_answer_ratio",
                    "Answered of ended calls that showed this number",
                ),
                &["number"],
            )
            .expect("a fixed name"),
            registry,
            late: Mutex::default(),
            commits: Mutex::default(),
            caller_ids: Mutex::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let all: [Box<dyn prometheus::core::Collector>; 8] = [
            Box::new(self.calls_placed.clone()),
            Box::new(self.calls_ended.clone()),
            Box::new(self.calls.clone()),
            Box::new(self.leads.clone()),
            Box::new(self.decisions.clone()),
            Box::new(self.ring_secs.clone()),
            Box::new(self.trunk_up.clone()),
            Box::new(self.caller_id_answers.clone()),
        ];
        for series in all {
            self.registry.register(series).expect("names differ");
        }
    }

    pub fn call_placed(&self, campaign: &str, trunk: &str) {
        self.calls_placed.with_label_values(&[campaign, trunk]).inc();
    }

    pub fn call_ended(&self, campaign: &str, trunk: &str, result: &AttemptResult) {
        self.calls_ended.with_label_values(&[campaign, trunk, result.outcome.word()]).inc();
    }

    /// One ended call that showed this number.
    pub fn showed(&self, number: PhoneNumber, outcome: Outcome) {
        let mut seen = self.caller_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, answered) = seen.entry(number).or_default();
        *ended += 1;
        *answered += u64::from(outcome == Outcome::Answered);
        self.caller_id_answers.with_label_values(&[number.national()]).set(*answered as f64 / *ended as f64);
    }

    pub fn calls(&self, campaign: &str, view: &View) {
        let set = |phase: &str, count: u32| {
            self.calls.with_label_values(&[campaign, phase]).set(i64::from(count));
        };
        set("starting", view.starting);
        set("ringing", view.ringing);
        set("announcing", view.up);
        self.leads.with_label_values(&[campaign, LeadState::Open.word()]).set(view.leads_open as i64);
    }

    /// Leads by state, as the store counts them.
    pub fn leads(&self, campaign: &str, by_state: &BTreeMap<String, u64>) {
        for (state, count) in by_state {
            self.leads.with_label_values(&[campaign, state]).set(*count as i64);
        }
    }

    pub fn decided(&self, campaign: &str, decision: Decision) {
        self.decisions.with_label_values(&[campaign, decision.why.word()]).inc();
    }

    pub fn rang(&self, campaign: &str, span: Duration) {
        self.ring_secs.with_label_values(&[campaign]).observe(span.as_secs_f64());
    }

    pub fn trunk_up(&self, trunk: &str, up: bool) {
        self.trunk_up.with_label_values(&[trunk]).set(i64::from(up));
    }

    pub fn media(&self, totals: &MediaTotals) {
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = totals.clone();
    }

    pub fn commits(&self, totals: CommitTotals) {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner) = totals;
    }

    /// The text that `/metrics` answers with (Prometheus text format 0.0.4).
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            tracing::error!(%error, "metrics cannot be written");
        }
        let mut text = String::from_utf8(bytes).unwrap_or_default();
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner).clone();
        header(&mut text, "paceline_rtp_packets_total", "counter", "RTP packets");
        for (direction, count) in [
            ("sent", late.packets_sent),
            ("received", late.packets_received),
            ("refused", late.packets_refused),
        ] {
            let _ = writeln!(text, "paceline_rtp_packets_total{{direction=\"{direction}\"}} {count}");
        }
        let buckets =
            late.late.iter().map(|(micros, count)| (*micros as f64 / 1e6, *micros == u64::MAX, *count));
        let name = "paceline_rtp_late_seconds";
        histogram(&mut text, name, "Lateness of our own packets", buckets, late.late_micros_sum as f64 / 1e6);
        let bounds = BOUNDS_SECS.iter().copied().chain([f64::INFINITY]);
        let buckets = bounds.zip(commits.buckets).map(|(bound, count)| (bound, bound.is_infinite(), count));
        let name = "paceline_store_commit_seconds";
        histogram(&mut text, name, "How long commits took", buckets, commits.secs);
        text
    }
}

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("a fixed name")
}

fn gauge(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect("a fixed name")
}

fn header(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// `buckets`: (upper bound in seconds, whether it is the last, packets in this bucket alone).
fn histogram(
    text: &mut String,
    name: &str,
    help: &str,
    buckets: impl Iterator<Item = (f64, bool, u64)>,
    sum: f64,
) {
    header(text, name, "histogram", help);
    let mut total = 0;
    for (bound, last, count) in buckets {
        total += count;
        if !last {
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
        }
    }
    let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {total}\n{name}_sum {sum}\n{name}_count {total}");
}
