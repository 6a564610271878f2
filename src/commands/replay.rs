//! `paceline replay`: feeds a journal's inputs to the dialer again and reports where its outputs differ.
//! Timelines and call traces are in `replay_view`.

use super::{Failure, replay_view};
use crate::cli::{Exit, Global, ReplayArgs};
use crate::journal;
use crate::output::{error_line, print_line};
use crate::text::Lang;
use paceline_core::campaign::Mode;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::pacing::shadow::ShadowRules;
use paceline_core::time::Time;
use serde_json::json;

pub fn replay(global: &Global, args: &ReplayArgs) -> Result<Exit, Failure> {
    if let Some(setting) = &args.shadow {
        return replay_with_shadow(global, args, setting);
    }
    let view = &args.view;
    if view.at.is_some() || view.call.is_some() || view.number.is_some() {
        return replay_view::show(global, &args.journal, view);
    }
    let found = journal::replay(&args.journal, |at: Time, input: &Input, outputs: &[Output], _: &Dialer| {
        if !args.decisions {
            return;
        }
        for output in outputs {
            if let Output::Decided { campaign, decision } = output {
                print_line!("{at} campaign {campaign}: placed {}, {}", decision.place, decision.why.word());
            }
        }
        tracing::debug!(%at, ?input, "input");
    })
    .map_err(Failure::refused)?;
    if global.json {
        print_line!(
            "{}",
            json!({
                "segments": found.segments, "inputs": found.inputs, "outputs": found.outputs,
                "calls_placed": found.calls_placed, "differences": found.differences.len(), "torn": found.torn,
            })
        );
    } else {
        print_line!(
            "{} segments, {} inputs, {} outputs, {} calls placed, {} differences",
            found.segments,
            found.inputs,
            found.outputs,
            found.calls_placed,
            found.differences.len()
        );
        if found.torn {
            print_line!("the last record was cut off, as a crash leaves it");
        }
    }
    for difference in &found.differences {
        error_line!(
            "{}: input {} at {}: {:?}\n  decides now: {:?}",
            difference.file.display(),
            difference.input_number,
            difference.at,
            difference.input,
            difference.outputs
        );
    }
    let same_version = found.versions.iter().all(|version| version == env!("CARGO_PKG_VERSION"));
    if !same_version {
        error_line!(
            "written by version {}, replayed by {}",
            found.versions.join(", "),
            env!("CARGO_PKG_VERSION")
        );
    }
    Ok(if found.differences.is_empty() { Exit::Done } else { Exit::Unexpected })
}

/// Replays with a shadow pacer of another setting, and compares it with the live one.
fn replay_with_shadow(global: &Global, args: &ReplayArgs, setting: &str) -> Result<Exit, Failure> {
    let rules = parse_shadow_rules(setting).ok_or_else(|| {
        Failure::usage(format!(
            "--shadow {setting}: write progressive, predictive or ratio:1.5, with a ceiling as in predictive@2.5"
        ))
    })?;
    let (found, compared) = journal::replay_with_shadow(&args.journal, rules).map_err(Failure::refused)?;
    if global.json {
        let sides: Vec<_> =
            compared.iter().map(|(name, sides)| json!({ "campaign": name, "compared": sides })).collect();
        print_line!(
            "{}",
            json!({ "inputs": found.inputs, "differences": found.differences.len(), "shadow": sides })
        );
    } else {
        let lang = Lang::from_env(|name| std::env::var(name).ok());
        for (name, sides) in &compared {
            print_line!("{name}: {}", lang.shadow(sides));
        }
        print_line!("{} inputs, {} differences", found.inputs, found.differences.len());
        if compared.is_empty() {
            print_line!("no campaign with agents was open");
        }
    }
    Ok(if found.differences.is_empty() { Exit::Done } else { Exit::Unexpected })
}

/// `ratio:1.5@2` = mode ratio, 1.5 lines for each idle agent, a ceiling of two in a hundred.
fn parse_shadow_rules(text: &str) -> Option<ShadowRules> {
    let (way, ceiling) = text.split_once('@').unwrap_or((text, "3"));
    let ceiling: f64 = ceiling.parse().ok().filter(|pct| (0.0..=100.0).contains(pct))?;
    let (mode, call_ratio) = match way.split_once(':') {
        None if way == "progressive" => (Mode::Progressive, 1.0),
        None if way == "predictive" => (Mode::Predictive, 1.0),
        Some(("ratio", lines)) => {
            (Mode::Ratio, lines.parse().ok().filter(|ratio| (0.1..=10.0).contains(ratio))?)
        }
        _ => return None,
    };
    Some(ShadowRules { mode, call_ratio, abandon_rate_max: ceiling / 100.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_or_refused() {
        let rules = parse_shadow_rules("ratio:1.5@2").expect("a setting");
        assert_eq!((rules.mode, rules.call_ratio, rules.abandon_rate_max), (Mode::Ratio, 1.5, 0.02));
        assert_eq!(parse_shadow_rules("predictive").map(|rules| rules.mode), Some(Mode::Predictive));
        for wrong in ["ratio", "ratio:x", "ratio:99", "predictive@-1", "preview", ""] {
            assert_eq!(parse_shadow_rules(wrong), None, "{wrong}");
        }
    }
}
