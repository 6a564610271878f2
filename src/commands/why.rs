//! `paceline why`: explains why nothing is dialled, or why one lead is not; asks the service that has the
//! campaign open, else the store alone.

use super::rehearsal::expected_refusal;
use super::{Failure, config, named, target};
use crate::cli::{Exit, Global, WhyArgs};
use crate::config::{Config, LoadedCampaign};
use crate::console::client::{Client, Method};
use crate::console::why;
use crate::lists;
use crate::net::clock::Clock;
use crate::output::{error_line, print_line};
use crate::store::{LeadSelector, Reader, Scope, Store};
use crate::text::Lang;
use paceline_core::campaign::Campaign;
use paceline_core::ids::LeadId;
use serde_json::{Value, json};

pub async fn why(global: &Global, args: WhyArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let loaded = named::find(&args.campaign, &config).await?.loaded;
    let selector = selected_lead(&args, &loaded)?;
    let named = args.target.url.is_some() || args.target.token.is_some();
    let answers = match (target::service_client(&args.target, &config), named) {
        (Ok(client), true) => {
            explain_by_service(&client, &loaded, selector).await.map_err(Failure::refused)?
        }
        (Err(failure), true) => return Err(failure),
        // A service without this campaign open knows no more than the store.
        (Ok(client), false) => match explain_by_service(&client, &loaded, selector).await {
            Ok(answers) => answers,
            Err(_) => explain_from_store(&config, &loaded, selector).await?,
        },
        (Err(_), false) => explain_from_store(&config, &loaded, selector).await?,
    };
    if global.json {
        let shown = if selector.is_some() { json!({ "leads": answers }) } else { answers[0].clone() };
        print_line!("{shown}");
    } else {
        answers.iter().for_each(|answer| show(answer, Lang::of_process()));
    }
    if let Some(refusal) = expected_refusal(&config, &loaded).await {
        error_line!("paceline: `run` refuses this campaign: {refusal}");
    }
    Ok(Exit::Done)
}

fn selected_lead(args: &WhyArgs, loaded: &LoadedCampaign) -> Result<Option<LeadSelector>, Failure> {
    if let Some(number) = &args.number {
        let number = lists::clean_number(number, &loaded.list.region)
            .map_err(|refusal| Failure::refused(format!("{number}: {}: {}", refusal.reason, refusal.hint)))?;
        return Ok(Some(LeadSelector::Number(number)));
    }
    let lead = args.lead.map(|lead| LeadSelector::Lead(LeadId(lead)));
    Ok(args.row.map(LeadSelector::Row).or(lead))
}

/// The explanation of the running service.
async fn explain_by_service(
    client: &Client,
    loaded: &LoadedCampaign,
    selector: Option<LeadSelector>,
) -> Result<Vec<Value>, String> {
    let root = format!("/api/v1/campaigns/{}", percent_encoded(&loaded.rules.name));
    let Some(selector) = selector else {
        return Ok(vec![client.ask(Method::GET, &format!("{root}/why"), None).await?]);
    };
    let query = match selector {
        LeadSelector::Lead(lead) => {
            return Ok(vec![client.ask(Method::GET, &format!("{root}/leads/{lead}/why"), None).await?]);
        }
        LeadSelector::Row(row) => format!("row={row}"),
        LeadSelector::Number(number) => format!("number={}", number.national()),
    };
    let found = client.ask(Method::GET, &format!("{root}/leads?{query}"), None).await?;
    let mut answers = Vec::new();
    for lead in found["leads"].as_array().into_iter().flatten() {
        answers.push(client.ask(Method::GET, &format!("{root}/leads/{}/why", lead["id"]), None).await?);
    }
    Ok(answers)
}

/// The explanation from the store, where no service has the campaign open.
async fn explain_from_store(
    config: &Config,
    loaded: &LoadedCampaign,
    selector: Option<LeadSelector>,
) -> Result<Vec<Value>, Failure> {
    let mut reader = Store::open_reader(&config.store.url).await.map_err(Failure::refused)?;
    let record = reader.campaign(&loaded.rules.name).await.map_err(|error| {
        Failure::refused(format!("{error}; it was never run from here, so nothing is known of its leads"))
    })?;
    let rules = Campaign { id: record.id, ..loaded.rules.clone() };
    let now = Clock::utc();
    let answers = async {
        let standing = why::explain_campaign(&mut reader, &rules, None, &record.line_trouble, now).await?;
        let Some(selector) = selector else { return Ok(Ok(vec![standing])) };
        let answers = explain_leads(&mut reader, &rules, selector, &standing).await?;
        if answers.is_empty() {
            return Ok(Err(
                why::explain_missing_lead(&mut reader, Some(&Scope::first()), &rules, selector).await?
            ));
        }
        Ok(Ok(answers))
    };
    let answers: Result<Result<Vec<Value>, String>, crate::store::StoreError> = answers.await;
    answers.map_err(Failure::unexpected)?.map_err(Failure::refused)
}

async fn explain_leads(
    reader: &mut Reader,
    rules: &Campaign,
    selector: LeadSelector,
    standing: &Value,
) -> Result<Vec<Value>, crate::store::StoreError> {
    let now = Clock::utc();
    let day = rules.windows.local_day(now);
    let mut answers = Vec::new();
    for lead in reader.find_leads(rules.id, selector).await? {
        let Some(facts) = reader.lead_facts(rules.id, lead, now, day).await? else { continue };
        let mut answer = why::explain_lead(reader, rules, &facts, None, now).await?;
        answer["turn"] = standing.clone();
        answers.push(answer);
    }
    Ok(answers)
}

fn show(answer: &Value, lang: Lang) {
    let key = if lang == Lang::Zh { "zh" } else { "en" };
    let words = |part: &Value| part[key].as_str().map(without_control);
    if answer["lead"].is_null() {
        print_line!(
            "{}: {}",
            without_control(&text(&answer["campaign"])),
            words(&answer["words"]).unwrap_or_default()
        );
    } else {
        let numbers: Vec<String> = answer["numbers"].as_array().into_iter().flatten().map(text).collect();
        print_line!(
            "{} {} ({}, {} {}): {}",
            lang.lead(),
            answer["lead"],
            numbers.join(", "),
            lang.row(),
            answer["row"],
            words(&answer["words"]).unwrap_or_default()
        );
    }
    // The words about a line hold their advice.
    let is_said = |advice: &String| words(&answer["words"]).is_some_and(|words| words.contains(advice));
    if let Some(advice) = words(&answer["advice"]).filter(|advice| !is_said(advice)) {
        print_line!("  {advice}");
    }
    if let Some(line) = words(&answer["line"]["words"]).filter(|_| answer["line"]["words"] != answer["words"])
    {
        print_line!("  {line}");
    }
    // A lead that only waits its turn is explained by the campaign's own answer.
    let waits = matches!(answer["because"].as_str(), Some("in_hopper" | "due"));
    if waits && let Some(turn) = words(&answer["turn"]["words"]) {
        print_line!("  {}: {turn}", lang.campaign());
        if let Some(advice) = words(&answer["turn"]["advice"]) {
            print_line!("  {advice}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Text without control characters.
fn without_control(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// Percent-encodes a name for one path segment.
fn percent_encoded(name: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.bytes()
        .map(|byte| if safe(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_encoded_as_one_path_segment() {
        assert_eq!(percent_encoded("jade-garden_2.x"), "jade-garden_2.x");
        assert_eq!(percent_encoded("a/b ?"), "a%2Fb%20%3F");
        assert_eq!(percent_encoded("投票"), "%E6%8A%95%E7%A5%A8");
    }
}
