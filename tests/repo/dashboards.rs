//! Every series that a dashboard panel queries exists, with the labels of the query.

use super::{files, read};
use paceline::metrics::series::{ALL, Series};
use serde_json::Value;
use std::collections::BTreeSet;

/// Labels that Prometheus adds by itself.
const BUILT_IN_LABELS: &[&str] = &["le", "job", "instance"];

fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files("grafana", "json") {
        let path = file.display().to_string();
        let dashboard: Value = serde_json::from_str(&read(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(dashboard["id"], Value::Null, "{path}: an id belongs to one installation");
        assert!(dashboard["uid"].is_string(), "{path}: links need a stable uid");
        for panel in dashboard["panels"].as_array().expect("panels") {
            let title = panel["title"].as_str().expect("a title");
            let described = panel["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{path}: {title}: no description");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{path}: {title}");
            for target in panel["targets"].as_array().expect("targets") {
                found
                    .push((format!("{path}: {title}"), target["expr"].as_str().expect("an expr").to_owned()));
            }
        }
        for variable in dashboard["templating"]["list"].as_array().expect("variables") {
            if let Some(query) = variable["query"].as_str().filter(|query| query.starts_with("label_values("))
            {
                let inside = query.trim_start_matches("label_values(").trim_end_matches(')');
                let (series, label) = inside.split_once(", ").expect("a series and a label");
                found.push((format!("{path}: variables"), format!("sum by ({label}) ({series})")));
            }
        }
    }
    found
}

#[test]
fn every_series_a_panel_asks_for_exists_with_its_labels() {
    let expressions = expressions();
    assert!(expressions.len() > 10, "the panels are found");
    for (panel, expression) in &expressions {
        let asked = series_of(expression).unwrap_or_else(|fault| panic!("{panel}: {fault}"));
        assert!(!asked.is_empty(), "{panel}: `{expression}` asks for no series of ours");
        for label in labels_of(expression) {
            let known = BUILT_IN_LABELS.contains(&label.as_str())
                || asked.iter().all(|series| series.labels.contains(&label.as_str()));
            assert!(known, "{panel}: `{expression}`: no label `{label}`");
        }
    }
}

#[test]
fn every_series_is_on_a_panel() {
    let shown: BTreeSet<&str> = expressions()
        .iter()
        .flat_map(|(_, expression)| series_of(expression).expect("known series"))
        .map(|series| series.name)
        .collect();
    // Shown on no panel; for ad-hoc queries.
    let unshown = ["paceline_build_info", "paceline_rtp_legs"];
    for series in ALL.iter().filter(|series| !unshown.contains(&series.name)) {
        assert!(shown.contains(series.name), "{} is on no panel", series.name);
    }
}

fn series_of(expression: &str) -> Result<Vec<Series>, String> {
    let mut found = Vec::new();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    for word in expression.split(|letter| !is_name(letter)).filter(|word| word.starts_with("paceline_")) {
        let series = ALL.iter().find(|series| match series.histogram {
            true => ["_bucket", "_sum", "_count"].iter().any(|tail| word == format!("{}{tail}", series.name)),
            false => word == series.name,
        });
        found.push(*series.ok_or_else(|| format!("there is no series `{word}`"))?);
    }
    Ok(found)
}

/// Labels in `{…}` and in `by (…)`.
fn labels_of(expression: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in expression.split('{').skip(1) {
        for pair in part.split('}').next().unwrap_or("").split(',') {
            let name = pair.split(['=', '!']).next().unwrap_or("").trim();
            found.insert(name.to_owned());
        }
    }
    for part in expression.split("by (").skip(1) {
        found.extend(part.split(')').next().unwrap_or("").split(',').map(|name| name.trim().to_owned()));
    }
    found.remove("");
    found
}

#[test]
fn a_wrong_name_or_label_would_be_found() {
    assert!(series_of("rate(paceline_calls_palced_total[1m])").is_err());
    assert!(series_of("paceline_ring_seconds").is_err(), "a histogram is asked by its bucket");
    let labels = labels_of(r#"sum by (le, why) (x{campaign=~"$campaign",outcome!="busy"})"#);
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["campaign", "le", "outcome", "why"]);
}
