//! `paceline replay`: the same inputs into the same brain; where it decides otherwise, it says so. What it
//! shows of a minute or a call is in `look_back`.

use super::{Failure, look_back};
use crate::cli::{Exit, Global, ReplayArgs};
use crate::journal;
use paceline_core::dialer::{Dialer, Input, Output};
use paceline_core::time::Time;
use serde_json::json;

pub fn replay(global: &Global, args: &ReplayArgs) -> Result<Exit, Failure> {
    let back = &args.back;
    if back.at.is_some() || back.call.is_some() || back.number.is_some() {
        return look_back::look_back(global, &args.journal, back);
    }
    let found = journal::replay(&args.journal, |at: Time, input: &Input, outputs: &[Output], _: &Dialer| {
        if !args.decisions {
            return;
        }
        for output in outputs {
            if let Output::Decided { campaign, decision } = output {
                println!("{at} campaign {campaign}: placed {}, {}", decision.place, decision.why.word());
            }
        }
        tracing::debug!(%at, ?input, "input");
    })
    .map_err(Failure::refused)?;
    if global.json {
        println!(
            "{}",
            json!({
                "segments": found.segments, "inputs": found.inputs, "outputs": found.outputs,
                "calls_placed": found.calls_placed, "differences": found.differences.len(), "torn": found.torn,
            })
        );
    } else {
        println!(
            "{} segments, {} inputs, {} outputs, {} calls placed, {} differences",
            found.segments,
            found.inputs,
            found.outputs,
            found.calls_placed,
            found.differences.len()
        );
        if found.torn {
            println!("the last record was cut off, as a crash leaves it");
        }
    }
    for difference in &found.differences {
        eprintln!(
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
        eprintln!(
            "written by version {}, replayed by {}",
            found.versions.join(", "),
            env!("CARGO_PKG_VERSION")
        );
    }
    Ok(if found.differences.is_empty() { Exit::Done } else { Exit::Unexpected })
}
