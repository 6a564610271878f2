//! Tests: exported series against the table, and values against the facts counted.

use super::*;
use paceline_core::ids::{AttemptId, CampaignId, GroupId};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::pacing::Why;
use paceline_core::pacing::ledger::{AbandonReport, Ledger, LedgerTime, Rule};
use paceline_core::time::Utc;
use std::collections::BTreeSet;

fn ended(outcome: Outcome) -> AttemptResult {
    AttemptResult {
        attempt: AttemptId(1),
        campaign: CampaignId(1),
        outcome,
        cause: String::new(),
        sip_code: None,
        ended_by: EndedBy::Carrier,
        ringing_at: None,
        answered_at: None,
        connected_at: None,
        agent: None,
        ended_at: Utc::default(),
        keys: Vec::new(),
        key_ways: Vec::new(),
        result: None,
        counted: true,
        rest_until: None,
        lead: None,
    }
}

/// 3 abandoned of 60 answered calls, 150 placed.
fn abandon_report(chosen: &[Rule]) -> AbandonReport {
    let now = Utc::from_millis(3_600_000);
    let mut ledger = Ledger::default();
    (0..57).for_each(|_| ledger.connected(now, now));
    (0..3).for_each(|_| ledger.abandoned(now));
    (0..150).for_each(|_| ledger.placed(now));
    let at = LedgerTime { now, day_start: Utc::default() };
    ledger.abandon_report(chosen.iter().copied().collect(), 0.03, at)
}

fn all_touched() -> Metrics {
    let metrics = Metrics::new();
    metrics.count_call_placed("vote", "main");
    metrics.count_call_ended("vote", "main", &ended(Outcome::Busy));
    metrics.observe_ring_time("vote", Duration::from_secs(3));
    metrics.count_decision("vote", Decision { place: 2, why: Why::CallsPerSec });
    metrics.set_calls("vote", &View { ringing: 4, up: 2, leads_open: 17, ..View::default() });
    metrics.set_agents(&[(GroupId(1), "team".to_owned())].into(), std::iter::empty());
    metrics.set_abandon_rates("vote", &abandon_report(&[Rule::WholeDay, Rule::UsTsr]));
    let spoken = AttemptResult {
        answered_at: Some(Utc::default()),
        connected_at: Some(Utc::default()),
        ..ended(Outcome::Answered)
    };
    metrics.count_call_ended("vote", "main", &spoken);
    metrics.set_trunk_up("main", true);
    metrics.set_leads("vote", &[("done".to_owned(), 5)].into());
    let ours = ShownNumber::from_e164(8_675_587_654_321).expect("a number");
    for outcome in [Outcome::Answered, Outcome::Busy, Outcome::NoAnswer, Outcome::Answered] {
        metrics.count_caller_id(ours, outcome);
    }
    let late = vec![(1_000, 90), (5_000, 9), (u64::MAX, 1)];
    metrics.set_media_totals(&MediaTotals {
        packets_sent: 100,
        late,
        late_micros_sum: 250_000,
        ..MediaTotals::default()
    });
    metrics
}

#[test]
fn every_series_of_the_table_is_there_with_its_labels() {
    let metrics = all_touched();
    let gathered: BTreeSet<(String, Vec<String>)> = metrics
        .registry
        .gather()
        .iter()
        .map(|family| {
            let labels = family.get_metric()[0].get_label().iter().map(|label| label.name().to_owned());
            (family.name().to_owned(), labels.collect())
        })
        .collect();
    let table: BTreeSet<(String, Vec<String>)> = series::ALL
        .iter()
        .map(|series| {
            let mut labels: Vec<String> = series.labels.iter().map(ToString::to_string).collect();
            labels.sort();
            (series.name.to_owned(), labels)
        })
        .collect();
    assert_eq!(gathered, table);
}

#[test]
fn a_rule_no_longer_chosen_has_no_ceiling() {
    let metrics = all_touched();
    metrics.set_abandon_rates("vote", &abandon_report(&[Rule::WholeDay]));
    let text = metrics.text();
    let ceilings = text.lines().filter(|line| line.starts_with("paceline_abandon_ceiling_ratio{"));
    assert_eq!(
        ceilings.collect::<Vec<_>>(),
        [r#"paceline_abandon_ceiling_ratio{campaign="vote",rule="whole_day"} 0.03"#]
    );
    assert_eq!(text.matches("paceline_abandon_ratio{").count(), Rule::ALL.len(), "every rule is counted");
}

#[test]
fn counted_facts_are_exported() {
    let text = all_touched().text();
    for line in [
        r#"paceline_calls_placed_total{campaign="vote",trunk="main"} 1"#,
        r#"paceline_calls_ended_total{campaign="vote",outcome="busy",trunk="main"} 1"#,
        r#"paceline_calls{campaign="vote",phase="ringing"} 4"#,
        r#"paceline_calls{campaign="vote",phase="announcing"} 2"#,
        r#"paceline_leads{campaign="vote",state="open"} 17"#,
        r#"paceline_abandon_ratio{campaign="vote",rule="whole_day"} 0.05"#,
        r#"paceline_abandon_ratio{campaign="vote",rule="all_calls"} 0.02"#,
        r#"paceline_abandon_ceiling_ratio{campaign="vote",rule="us_tsr"} 0.03"#,
        r#"paceline_pacing_decisions_total{campaign="vote",why="calls_per_sec"} 1"#,
        r#"paceline_ring_seconds_bucket{campaign="vote",le="4"} 1"#,
        r#"paceline_ring_seconds_bucket{campaign="vote",le="2"} 0"#,
        r#"paceline_rtp_late_seconds_bucket{le="0.001"} 90"#,
        r#"paceline_rtp_late_seconds_bucket{le="0.005"} 99"#,
        r#"paceline_rtp_late_seconds_bucket{le="+Inf"} 100"#,
        "paceline_rtp_late_seconds_sum 0.25",
        r#"paceline_rtp_packets_total{direction="sent"} 100"#,
        r#"paceline_leads{campaign="vote",state="done"} 5"#,
        r#"paceline_caller_id_answer_ratio{number="075587654321"} 0.5"#,
        r#"paceline_trunk_up{trunk="main"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn repeated_totals_are_not_counted_twice() {
    let metrics = Metrics::new();
    let totals = |packets_sent| MediaTotals { packets_sent, ..MediaTotals::default() };
    metrics.set_media_totals(&totals(100));
    metrics.set_media_totals(&totals(100));
    metrics.set_media_totals(&totals(130));
    assert!(metrics.text().contains(r#"paceline_rtp_packets_total{direction="sent"} 130"#));
}

#[test]
fn the_stores_commits_are_shown_in_its_own_buckets() {
    let metrics = Metrics::new();
    assert!(metrics.text().contains("paceline_store_commit_seconds_count 0"));
    let mut totals = CommitTotals { secs: 0.25, commits: 3, ..CommitTotals::default() };
    (totals.buckets[2], totals.buckets[BOUNDS_SECS.len()]) = (2, 1);
    metrics.set_commits(totals);
    let text = metrics.text();
    for line in [
        r#"paceline_store_commit_seconds_bucket{le="0.001"} 0"#,
        r#"paceline_store_commit_seconds_bucket{le="0.002"} 2"#,
        r#"paceline_store_commit_seconds_bucket{le="+Inf"} 3"#,
        "paceline_store_commit_seconds_sum 0.25",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
