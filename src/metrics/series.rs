//! The table of metric series, in the order of the dashboard. Labels are bounded: campaigns, trunks, groups,
//! our own caller IDs and closed lists of words; never a callee, a lead or an agent.

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// One series: name, labels and help as Prometheus shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    pub name: &'static str,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    /// Exported as `_bucket`, `_sum` and `_count`.
    pub histogram: bool,
}

pub const CALLS: Series = plain(
    "paceline_calls",
    &["campaign", "phase"],
    "Live calls by phase: starting, ringing, waiting, talking, announcing.",
);
pub const CALLS_PLACED: Series =
    plain("paceline_calls_placed_total", &["campaign", "trunk"], "Calls whose INVITE left.");
pub const CALLS_ENDED: Series =
    plain("paceline_calls_ended_total", &["campaign", "trunk", "outcome"], "Ended calls, by outcome.");
pub const DECISIONS: Series = plain(
    "paceline_pacing_decisions_total",
    &["campaign", "why"],
    "Changed pacing decisions, by what limits dialling from then on.",
);
pub const LEADS: Series = plain("paceline_leads", &["campaign", "state"], "Leads by state.");
pub const RING_SECS: Series =
    histogram("paceline_ring_seconds", &["campaign"], "From placing a call to its answer.");
pub const AGENTS: Series = plain(
    "paceline_agents",
    &["group", "activity"],
    "Agents signed in, by what they are doing; paused ones are counted as paused.",
);
pub const ABANDON_RATIO: Series = plain(
    "paceline_abandon_ratio",
    &["campaign", "rule"],
    "Abandoned calls of those the rule counts, in the rule's own window.",
);
pub const ABANDON_CEILING: Series = plain(
    "paceline_abandon_ceiling_ratio",
    &["campaign", "rule"],
    "The ceiling of the abandon rate, for the rules that the campaign has chosen.",
);
pub const ANSWER_TO_AGENT_SECS: Series = histogram(
    "paceline_answer_to_agent_seconds",
    &["campaign"],
    "From a callee's answer until callee and agent are bridged.",
);
pub const TRUNK_UP: Series = plain("paceline_trunk_up", &["trunk"], "1 while the trunk can carry calls.");
pub const CALLER_ID_ANSWERS: Series = plain(
    "paceline_caller_id_answer_ratio",
    &["number"],
    "Answered of ended calls that showed this number of ours, since the start.",
);
pub const RTP_PACKETS: Series = plain(
    "paceline_rtp_packets_total",
    &["direction"],
    "RTP packets: sent, received, refused (strangers, or no valid RTP).",
);
pub const RTP_LEGS: Series = plain("paceline_rtp_legs", &[], "Legs with open RTP ports.");
pub const RTP_LATE_SECS: Series =
    histogram("paceline_rtp_late_seconds", &[], "How late our own packets left, against the 20 ms beat.");
pub const STORE_COMMIT_SECS: Series =
    histogram("paceline_store_commit_seconds", &[], "How long commits took; each carries many writes.");
pub const BUILD: Series = plain("paceline_build_info", &["version"], "Always 1.");

/// Every series.
pub const ALL: &[Series] = &[
    CALLS,
    CALLS_PLACED,
    CALLS_ENDED,
    DECISIONS,
    LEADS,
    RING_SECS,
    AGENTS,
    ABANDON_RATIO,
    ABANDON_CEILING,
    ANSWER_TO_AGENT_SECS,
    TRUNK_UP,
    CALLER_ID_ANSWERS,
    RTP_PACKETS,
    RTP_LEGS,
    RTP_LATE_SECS,
    STORE_COMMIT_SECS,
    BUILD,
];

/// Seconds; a campaign's ring time is 5 to 180.
pub const RING_BOUNDS: &[f64] = &[1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 180.0];

/// Seconds; a nailed-up leg is bridged within hundredths of one, legal limits are whole seconds.
pub const ANSWER_TO_AGENT_BOUNDS: &[f64] = &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0];

const fn plain(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Series {
    Series { name, labels, help, histogram: false }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Series {
    Series { name, labels, help, histogram: true }
}

/// Why registering a series of the table cannot fail.
const REGISTERS_ONCE: &str = "the names in the table are valid and each stands there once";

impl Series {
    fn opts(&self) -> Opts {
        Opts::new(self.name, self.help)
    }

    pub(super) fn counters(&self, registry: &Registry) -> IntCounterVec {
        let counters = IntCounterVec::new(self.opts(), self.labels).expect(REGISTERS_ONCE);
        registry.register(Box::new(counters.clone())).expect(REGISTERS_ONCE);
        counters
    }

    pub(super) fn gauges(&self, registry: &Registry) -> IntGaugeVec {
        let gauges = IntGaugeVec::new(self.opts(), self.labels).expect(REGISTERS_ONCE);
        registry.register(Box::new(gauges.clone())).expect(REGISTERS_ONCE);
        gauges
    }

    pub(super) fn gauge(&self, registry: &Registry) -> IntGauge {
        let gauge = IntGauge::with_opts(self.opts()).expect(REGISTERS_ONCE);
        registry.register(Box::new(gauge.clone())).expect(REGISTERS_ONCE);
        gauge
    }

    pub(super) fn ratios(&self, registry: &Registry) -> GaugeVec {
        let ratios = GaugeVec::new(self.opts(), self.labels).expect(REGISTERS_ONCE);
        registry.register(Box::new(ratios.clone())).expect(REGISTERS_ONCE);
        ratios
    }

    pub(super) fn histograms(&self, registry: &Registry, bounds: &[f64]) -> HistogramVec {
        let options = HistogramOpts::new(self.name, self.help).buckets(bounds.to_vec());
        let histograms = HistogramVec::new(options, self.labels).expect(REGISTERS_ONCE);
        registry.register(Box::new(histograms.clone())).expect(REGISTERS_ONCE);
        histograms
    }
}
