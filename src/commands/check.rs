//! `paceline check`: reads list, blacklists, audio and caller IDs; dials nothing.

use super::check_numbers::{Hours, Numbers, campaign_trunks};
use super::check_rules::{Retries, keyless_warning, pick_up_warning};
use super::rehearsal::expected_refusal;
use super::{Failure, config, named};
use crate::audio::Sound;
use crate::cli::{CampaignArgs, Exit, Global};
use crate::config::trunk_directory::KnownTrunk;
use crate::config::{Config, LoadedCampaign};
use crate::dialplan;
use crate::lists::{self, ListError, ListReport};
use crate::net::clock::Clock;
use crate::output::print_line;
use serde_json::json;
use std::path::Path;

pub async fn check(global: &Global, args: CampaignArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let named = named::find(&args.campaign, &config).await?;
    let has_list_file = named.has_list_file();
    let mut loaded = named.loaded;
    loaded.warnings.extend(pick_up_warning(&loaded));
    let keyless = keyless_warning(&loaded, &config).await;
    loaded.warnings.extend(keyless);
    let retries = Retries::of(&loaded);
    let mut refused: Vec<String> = expected_refusal(&config, &loaded).await.into_iter().collect();
    refused.extend(loaded.lacks.iter().map(ToString::to_string));
    let sounds: Vec<&Path> =
        loaded.announcement.iter().chain(&loaded.sorry).map(|file| file.as_path()).collect();
    let mut measured_sounds = Vec::new();
    for file in sounds {
        match Sound::load(file) {
            Ok(sound) => measured_sounds.push((file.display().to_string(), sound.measured)),
            Err(error) => refused.push(error.to_string()),
        }
    }
    let (spec, dir) = (loaded.list.clone(), loaded.results_dir.clone());
    if has_list_file {
        std::fs::create_dir_all(&dir)
            .map_err(|source| Failure::refused(ListError::Write { file: dir.clone(), source }))?;
    }
    let hours = Hours::of(&loaded, Clock::utc());
    let trunks = campaign_trunks(&loaded, &config);
    let home = loaded.rules.home.clone();
    let checking = tokio::task::spawn_blocking(move || {
        let mut numbers = Numbers::default();
        if !has_list_file {
            return (None, numbers);
        }
        let report = lists::check_with(&spec, &mut std::iter::empty(), &dir, &mut |batch| {
            numbers.add(batch, &trunks, &home);
            true
        });
        (Some(report), numbers)
    });
    let (report, numbers) = checking.await.map_err(Failure::unexpected)?;
    let report = match report {
        // It was uploaded, and checked then.
        None => None,
        Some(Ok(report)) => {
            if report.expected_dialable == 0 {
                refused.push(format!("{}: no row can be dialled; see fix.csv", loaded.list.file.display()));
            }
            Some(report)
        }
        Some(Err(error)) => {
            refused.push(error.to_string());
            None
        }
    };
    if global.json {
        let sounds: Vec<_> = measured_sounds
            .iter()
            .map(|(file, measured)| json!({ "file": file, "measured": measured }))
            .collect();
        print_line!(
            "{}",
            json!({
                "list": report,
                "sounds": sounds,
                "refused": refused,
                "warnings": loaded.warnings,
                "calling": hours,
                "retries": retries,
                "numbers": numbers.facts(&loaded),
                "trunks": trunk_lines(&config, &loaded),
            })
        );
    } else {
        show(&loaded, report.as_ref(), &measured_sounds);
        for line in trunk_lines(&config, &loaded) {
            print_line!("  {line}");
        }
        hours.show();
        retries.show();
        numbers.show(&loaded);
    }
    if refused.is_empty() { Ok(Exit::Done) } else { Err(Failure::refused(refused.join("\n"))) }
}

/// How each trunk of the campaign writes numbers, by example.
fn trunk_lines(config: &Config, loaded: &LoadedCampaign) -> Vec<String> {
    let region = &loaded.list.region;
    let mut lines = Vec::new();
    for (name, KnownTrunk { id, settings: trunk }) in config.known_trunks() {
        if !loaded.rules.trunks.contains(&id) {
            continue;
        }
        let plan = trunk.dialplan();
        let callees = dialplan::examples(region).into_iter();
        let callees: Vec<String> =
            callees.map(|number| format!("{number} as {}", plan.callee(number, region))).collect();
        let shown = loaded.rules.caller_ids.numbers.first();
        let shown = shown.map_or(String::new(), |shown| {
            format!("; caller ID {} as {}", shown.number, plan.caller_id(shown.number, region))
        });
        lines.push(format!("trunk {name} ({}): dials {}{shown}", trunk.uri, callees.join(", ")));
    }
    lines
}

fn show(
    loaded: &LoadedCampaign,
    report: Option<&ListReport>,
    measured_sounds: &[(String, crate::audio::Measured)],
) {
    print_line!("{} ({})", loaded.title, loaded.file.display());
    for warning in &loaded.warnings {
        print_line!("  warning: {warning}");
    }
    for (file, measured) in measured_sounds {
        print_line!(
            "  {file}: {:.1} s, {} Hz, {} channel(s), {:.1} dBFS, sent at {:.1} dBFS",
            measured.secs,
            measured.sample_rate,
            measured.channels,
            measured.rms_dbfs_in,
            measured.rms_dbfs_out
        );
        if measured.secs_claimed > 0.0 {
            print_line!(
                "    warning: the header claims {:.1} s and {:.1} s are there: the file was cut off; upload it again",
                measured.secs_claimed,
                measured.secs
            );
        }
        if measured.clipped > 0 {
            print_line!("    warning: {} samples at full scale: the recording is clipped", measured.clipped);
        }
    }
    print_line!(
        "  caller IDs: {}",
        match loaded.rules.caller_ids.numbers.len() {
            0 => "the trunk's own".to_owned(),
            count => format!("{count} registered"),
        }
    );
    let Some(report) = report else { return };
    print_line!("  list: {}, {}", report.file, report.encoding);
    for column in &report.columns {
        print_line!("    column {:?}: {:?}", column.name, column.role);
    }
    for sheet in &report.sheets {
        print_line!(
            "    sheet {:?}: rows read {} = leads {} + refused {}{}{}",
            sheet.name,
            sheet.rows_read,
            sheet.leads,
            sheet.refused_rows,
            if sheet.merged_regions > 0 {
                format!(", {} merged regions filled", sheet.merged_regions)
            } else {
                String::new()
            },
            if sheet.hidden_rows > 0 {
                format!(", {} hidden rows left out", sheet.hidden_rows)
            } else {
                String::new()
            },
        );
    }
    for sheet in &report.unread_sheets {
        print_line!("    warning: sheet {:?} is not read: {}", sheet.name, sheet.reason);
    }
    print_line!(
        "    rows read {} = leads {} + refused {}",
        report.rows_read,
        report.leads,
        report.refused_rows
    );
    print_line!(
        "    numbers {}, households {}, dialable {}",
        report.phones,
        report.households,
        report.expected_dialable
    );
    for (reason, count) in &report.refused {
        print_line!("    refused as {reason}: {count}");
    }
    for blacklist in &report.blacklists {
        print_line!(
            "    blacklist {}: {} numbers, {} prefixes, {} hits",
            blacklist.name,
            blacklist.numbers,
            blacklist.prefixes,
            blacklist.hits
        );
        if blacklist.unreadable > 0 {
            print_line!(
                "      warning: {} rows are not understood and block nothing: {}",
                blacklist.unreadable,
                blacklist.unreadable_hints.join("; ")
            );
        }
        for sheet in &blacklist.unread_sheets {
            print_line!("      warning: sheet {:?} is not read: {}", sheet.name, sheet.reason);
        }
    }
    for warning in &report.warnings {
        let sheet =
            if warning.sheet.is_empty() { String::new() } else { format!(" of sheet {:?}", warning.sheet) };
        match warning.rows.as_slice() {
            [] => print_line!("    warning: {}{sheet}", warning.what),
            rows => print_line!("    warning: {}: {} (rows {rows:?}{sheet})", warning.what, warning.count),
        }
    }
    let dir = loaded.results_dir.display();
    print_line!("  report: {dir}/list-report.json");
    if report.refused_rows > 0 {
        print_line!("  refused rows, with reason and hint: {dir}/fix.csv");
    }
}
