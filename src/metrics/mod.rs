//! Prometheus metrics: one method for each fact that is counted. Names and labels are in `series`; histograms
//! that other modules keep themselves (packet lateness, commits) are in `external_histogram`.

mod external_histogram;
pub mod series;

use crate::net::rtp::MediaTotals;
use crate::store::commits::{BOUNDS_SECS, CommitTotals};
use external_histogram::ExternalHistogram;
use paceline_core::agent::{Activity, Availability, SeatView};
use paceline_core::dialer::View;
use paceline_core::dialer::output::AttemptResult;
use paceline_core::ids::GroupId;
use paceline_core::number::ShownNumber;
use paceline_core::outcome::{LeadState, Outcome};
use paceline_core::pacing::Decision;
use paceline_core::pacing::ledger::AbandonReport;
use prometheus::{
    Encoder, GaugeVec, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// All series. One instance a process; every method may be called from any thread.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls_placed: IntCounterVec,
    calls_ended: IntCounterVec,
    calls: IntGaugeVec,
    leads: IntGaugeVec,
    decisions: IntCounterVec,
    ring_secs: HistogramVec,
    agents: IntGaugeVec,
    abandon_ratio: GaugeVec,
    abandon_ceiling: GaugeVec,
    answer_to_agent: HistogramVec,
    trunk_up: IntGaugeVec,
    caller_id_answers: GaugeVec,
    /// Ended and answered calls by caller ID.
    caller_ids: Mutex<BTreeMap<ShownNumber, (u64, u64)>>,
    rtp_packets: IntCounterVec,
    rtp_legs: IntGauge,
    late: ExternalHistogram,
    commits: ExternalHistogram,
}

impl Metrics {
    #[expect(clippy::new_without_default, reason = "a second set would count half the calls")]
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Metrics {
            calls_placed: series::CALLS_PLACED.counters(&registry),
            calls_ended: series::CALLS_ENDED.counters(&registry),
            calls: series::CALLS.gauges(&registry),
            leads: series::LEADS.gauges(&registry),
            decisions: series::DECISIONS.counters(&registry),
            ring_secs: series::RING_SECS.histograms(&registry, series::RING_BOUNDS),
            agents: series::AGENTS.gauges(&registry),
            abandon_ratio: series::ABANDON_RATIO.ratios(&registry),
            abandon_ceiling: series::ABANDON_CEILING.ratios(&registry),
            answer_to_agent: series::ANSWER_TO_AGENT_SECS
                .histograms(&registry, series::ANSWER_TO_AGENT_BOUNDS),
            trunk_up: series::TRUNK_UP.gauges(&registry),
            caller_id_answers: series::CALLER_ID_ANSWERS.ratios(&registry),
            caller_ids: Mutex::default(),
            rtp_packets: series::RTP_PACKETS.counters(&registry),
            rtp_legs: series::RTP_LEGS.gauge(&registry),
            late: ExternalHistogram::new(&series::RTP_LATE_SECS, &registry),
            commits: ExternalHistogram::new(&series::STORE_COMMIT_SECS, &registry),
            registry,
        };
        let build = series::BUILD.gauges(&metrics.registry);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        metrics
    }

    /// A call's INVITE was sent.
    pub fn count_call_placed(&self, campaign: &str, trunk: &str) {
        self.calls_placed.with_label_values(&[campaign, trunk]).inc();
    }

    /// A call has ended; its result is on its way to the store.
    pub fn count_call_ended(&self, campaign: &str, trunk: &str, result: &AttemptResult) {
        self.calls_ended.with_label_values(&[campaign, trunk, result.outcome.word()]).inc();
        if let (Some(answered), Some(connected)) = (result.answered_at, result.connected_at) {
            let waited = connected.since(answered).as_secs_f64();
            self.answer_to_agent.with_label_values(&[campaign]).observe(waited);
        }
    }

    /// Counts an ended call for the caller ID it showed.
    pub fn count_caller_id(&self, number: ShownNumber, outcome: Outcome) {
        let mut shown = self.caller_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, answered) = shown.entry(number).or_default();
        *ended += 1;
        *answered += u64::from(outcome == Outcome::Answered);
        self.caller_id_answers.with_label_values(&[number.national()]).set(*answered as f64 / *ended as f64);
    }

    /// Sets a campaign's live calls by phase, and its open leads.
    pub fn set_calls(&self, campaign: &str, view: &View) {
        let phases = [
            ("starting", view.starting),
            ("ringing", view.ringing),
            ("waiting", view.waiting),
            ("talking", view.talking),
            ("announcing", view.up),
        ];
        for (phase, count) in phases {
            self.calls.with_label_values(&[campaign, phase]).set(i64::from(count));
        }
        self.set_lead_count(campaign, LeadState::Open.word(), view.leads_open);
    }

    /// Sets agents by group and activity. A group without agents shows zeros.
    pub fn set_agents<'a>(
        &self,
        groups: &BTreeMap<GroupId, String>,
        seats: impl Iterator<Item = &'a SeatView> + Clone,
    ) {
        for (group, name) in groups {
            let mut counts: BTreeMap<&str, i64> =
                Activity::ALL.iter().map(|activity| (activity.word(), 0)).collect();
            counts.insert("paused", 0);
            for seat in seats.clone().filter(|seat| seat.groups.contains(group)) {
                let idle = seat.activity == Activity::Idle;
                let paused = idle && matches!(seat.availability, Availability::Paused { .. });
                *counts.entry(if paused { "paused" } else { seat.activity.word() }).or_default() += 1;
            }
            for (activity, count) in counts {
                self.agents.with_label_values(&[name.as_str(), activity]).set(count);
            }
        }
    }

    /// Sets a campaign's abandon rates by every rule, and the ceiling of the chosen rules.
    pub fn set_abandon_rates(&self, campaign: &str, standing: &AbandonReport) {
        for rate in standing.rates {
            let labels = [campaign, rate.rule.word()];
            self.abandon_ratio.with_label_values(&labels).set(rate.rate);
            if standing.chosen.contains(rate.rule) {
                self.abandon_ceiling.with_label_values(&labels).set(standing.ceiling);
            } else {
                // The rule may have been chosen in an earlier opening of the campaign.
                let _ = self.abandon_ceiling.remove_label_values(&labels);
            }
        }
    }

    /// Sets leads by state, as the store counts them.
    pub fn set_leads(&self, campaign: &str, by_state: &BTreeMap<String, u64>) {
        for (state, count) in by_state {
            self.set_lead_count(campaign, state, *count);
        }
    }

    fn set_lead_count(&self, campaign: &str, state: &str, count: u64) {
        self.leads.with_label_values(&[campaign, state]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The pacing decision has changed.
    pub fn count_decision(&self, campaign: &str, decision: Decision) {
        self.decisions.with_label_values(&[campaign, decision.why.word()]).inc();
    }

    /// Observes the ring time of an answered call.
    pub fn observe_ring_time(&self, campaign: &str, span: Duration) {
        self.ring_secs.with_label_values(&[campaign]).observe(span.as_secs_f64());
    }

    pub fn set_trunk_up(&self, trunk: &str, up: bool) {
        self.trunk_up.with_label_values(&[trunk]).set(i64::from(up));
    }

    /// Takes the totals of the media threads.
    pub fn set_media_totals(&self, totals: &MediaTotals) {
        let directions = [
            ("sent", totals.packets_sent),
            ("received", totals.packets_received),
            ("refused", totals.packets_refused),
        ];
        for (direction, total) in directions {
            let counter = self.rtp_packets.with_label_values(&[direction]);
            counter.inc_by(total.saturating_sub(counter.get()));
        }
        self.rtp_legs.set(i64::try_from(totals.legs_open).unwrap_or(i64::MAX));
        let secs = |micros: u64| if micros == u64::MAX { f64::INFINITY } else { micros as f64 / 1e6 };
        let buckets = totals.late.iter().map(|(micros, count)| (secs(*micros), *count));
        self.late.set(buckets, totals.late_micros_sum as f64 / 1e6);
    }

    /// Takes the store's histogram of commits.
    pub fn set_commits(&self, totals: CommitTotals) {
        let bounds = BOUNDS_SECS.into_iter().chain([f64::INFINITY]);
        self.commits.set(bounds.zip(totals.buckets), totals.secs);
    }

    /// The response of `/metrics` (Prometheus text format 0.0.4).
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics cannot be written whole");
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests;
