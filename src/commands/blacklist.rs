//! `paceline blacklist`: numbers and ranges that are not called, over the API of the service that runs on the
//! store, else on the store itself.

use super::user::call_api;
use super::{Failure, campaign, config, target};
use crate::cli::{BlacklistAction, BlacklistArgs, BlacklistScope, Exit, Global};
use crate::config::Config;
use crate::console::NUMBERS_MAX;
use crate::console::client::{Client, Method};
use crate::output::print_line;
use comfy_table::Table;
use serde_json::{Value, json};
use std::path::Path;

/// The zone of a date in `--until` without a campaign: that of the default region.
const ZONE: &str = "Asia/Shanghai";

pub async fn blacklist(global: &Global, args: BlacklistArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let client = target::service_or_local_client(&args.target, &config).await?;
    match args.action {
        BlacklistAction::Add { numbers, scope, reason, until } => {
            check_numbers(&numbers)?;
            let (name, zone) = campaign_of(&scope, &config)?;
            let until = until.map(|text| parse_until(&text, &zone)).transpose()?;
            let body = json!({ "campaign": name, "reason": reason, "until": until });
            add(global, &client, &numbers, body).await
        }
        BlacklistAction::Import { file, scope, reason, until } => {
            let (name, zone) = campaign_of(&scope, &config)?;
            let until = until.map(|text| parse_until(&text, &zone)).transpose()?;
            let numbers = read_numbers(&file)?;
            let source = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let body = json!({ "campaign": name, "reason": reason, "until": until, "source": source });
            add(global, &client, &numbers, body).await
        }
        BlacklistAction::Remove { numbers, scope } => {
            check_numbers(&numbers)?;
            let (name, _) = campaign_of(&scope, &config)?;
            let mut removed = 0;
            for number in numbers {
                let body = json!({ "number": number, "campaign": name });
                let answer = call_api(&client, Method::POST, "/blacklist/removals", Some(&body)).await?;
                removed += answer["removed"].as_u64().unwrap_or(0);
            }
            show(global, &json!({ "removed": removed }), &format!("{} removed", entries(removed)));
            Ok(Exit::Done)
        }
        BlacklistAction::List { number, scope } => {
            let (name, _) = campaign_of(&scope, &config)?;
            list(global, &client, number.as_deref(), name.as_deref()).await
        }
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// All of a command's numbers are checked first: one that is not understood changes nothing.
fn check_numbers(numbers: &[String]) -> Result<(), Failure> {
    for number in numbers {
        crate::console::check_pattern(number).map_err(|found| {
            Failure::refused(format!("`{}`: {found}; nothing was changed", number.escape_debug()))
        })?;
    }
    Ok(())
}

/// Name and time zone of the campaign that is meant: a campaign file, or a campaign's name.
fn campaign_of(scope: &BlacklistScope, config: &Config) -> Result<(Option<String>, String), Failure> {
    match &scope.campaign {
        None => Ok((None, ZONE.to_owned())),
        Some(file) if file.ends_with(".toml") => {
            let loaded = campaign(Path::new(file), config)?;
            let zone = loaded.rules.windows.timezone.clone();
            Ok((Some(loaded.rules.name), zone))
        }
        Some(name) => Ok((Some(name.clone()), ZONE.to_owned())),
    }
}

/// A moment, or a date, whose whole day still counts.
fn parse_until(text: &str, zone: &str) -> Result<String, Failure> {
    let unfit = || {
        Failure::usage(format!(
            "--until {text}: write a date (2027-02-12, the day included) or a moment (2027-02-12T18:00:00+08:00)"
        ))
    };
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment.to_string());
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| unfit())?;
    let end = date.tomorrow().ok().and_then(|next| next.in_tz(zone).ok()).ok_or_else(unfit)?;
    Ok(end.timestamp().to_string())
}

async fn add(global: &Global, client: &Client, numbers: &[String], mut body: Value) -> Result<Exit, Failure> {
    let (mut added, mut closed) = (0, 0);
    for chunk in numbers.chunks(NUMBERS_MAX) {
        body["numbers"] = json!(chunk);
        let answer = call_api(client, Method::POST, "/blacklist", Some(&body)).await?;
        added += answer["added"].as_u64().unwrap_or(0);
        closed += answer["leads_closed"].as_u64().unwrap_or(0);
    }
    let leads = if closed == 1 { "1 open lead".to_owned() } else { format!("{closed} open leads") };
    let words = format!("{} added; {leads} closed", entries(added));
    show(global, &json!({ "added": added, "leads_closed": closed }), &words);
    Ok(Exit::Done)
}

async fn list(
    global: &Global,
    client: &Client,
    number: Option<&str>,
    campaign: Option<&str>,
) -> Result<Exit, Failure> {
    let filters = [("number", number), ("campaign", campaign)];
    let filters: String = filters
        .into_iter()
        .filter_map(|(name, value)| Some(format!("&{name}={}", target::percent_encode(value?))))
        .collect();
    let (mut items, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/blacklist?limit=500&after={after}{filters}");
        let mut answer = call_api(client, Method::GET, &path, None).await?;
        if let Some(page) = answer["items"].as_array_mut() {
            items.append(page);
        }
        match answer["next"].as_i64() {
            Some(next) if next > after => after = next,
            _ => break,
        }
    }
    if global.json {
        print_line!("{}", json!({ "items": items }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new();
    table.set_header(["id", "number", "campaign", "until", "source", "by", "reason"]);
    for item in &items {
        let text = |field: &str| item[field].as_str().unwrap_or("-").escape_debug().to_string();
        let campaign = if item["scope"] == "system" { "(every)".to_owned() } else { text("campaign") };
        table.add_row([
            item["id"].to_string(),
            text("number"),
            campaign,
            text("until"),
            text("source"),
            text("added_by"),
            text("reason"),
        ]);
    }
    print_line!("{table}");
    Ok(Exit::Done)
}

fn show(global: &Global, answer: &Value, words: &str) {
    if global.json { print_line!("{answer}") } else { print_line!("{words}") }
}

/// The first cell of each row; a first row without a digit is a header.
fn read_numbers(file: &Path) -> Result<Vec<String>, Failure> {
    let refused = |found: String| Failure::refused(format!("{}: {found}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| refused("is no UTF-8 text; save it as UTF-8".into()))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut numbers = Vec::new();
    for (n, row) in rows.records().enumerate() {
        let row = row.map_err(|error| refused(error.to_string()))?;
        let cell = row.get(0).unwrap_or_default().trim();
        let is_header = n == 0 && !cell.contains(|c: char| c.is_ascii_digit());
        if cell.is_empty() || is_header {
            continue;
        }
        // The whole file is checked first: a row that is not understood adds nothing.
        if let Err(found) = crate::console::check_pattern(cell) {
            let line = row.position().map_or(n as u64 + 1, csv::Position::line);
            return Err(refused(format!(
                "row {line}: `{}`: {found}; nothing was added",
                cell.escape_debug()
            )));
        }
        numbers.push(cell.to_owned());
    }
    if numbers.is_empty() {
        return Err(refused("holds no number".into()));
    }
    Ok(numbers)
}
