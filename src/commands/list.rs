//! `paceline list add`: takes further rows into a campaign that has begun.

use super::setup::{ListFile, describe_change, save_campaign, take_in_list};
use super::{Failure, campaign, config};
use crate::cli::{Exit, Global, ListAction, ListAddArgs, ListArgs};
use crate::lists::ListSpec;
use crate::net::clock::Clock;
use crate::store::{Store, StoreError};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

pub async fn list(global: &Global, args: ListArgs) -> Result<Exit, Failure> {
    match args.action {
        ListAction::Add(args) => add(global, args).await,
        ListAction::Reset(args) => super::list_reset::reset(global, args).await,
    }
}

async fn add(global: &Global, args: ListAddArgs) -> Result<Exit, Failure> {
    let config = config(global)?;
    let loaded = campaign(&args.campaign, &config)?;
    let store = Store::open(&config.store.url, Arc::new(Clock::utc)).await.map_err(|error| match error {
        StoreError::InUse { .. } => Failure::refused(format!(
            "{error}; stop it (calls may end), add the rows, and start it again: it resumes where it stopped"
        )),
        other => Failure::refused(other),
    })?;
    let is_own_list = same_file(&args.file, &loaded.list.file);
    let is_whole_list = is_own_list || args.close_gone;
    // The sheets that the campaign names are those of its own list.
    let sheets = if is_own_list { loaded.list.sheets.clone() } else { Vec::new() };
    let spec = ListSpec { file: args.file.clone(), sheets, ..loaded.list.clone() };
    // The report of the campaign's own list stays as it is.
    let report_dir = match is_own_list {
        true => loaded.results_dir.clone(),
        false => loaded.results_dir.join("list-add"),
    };
    let id = save_campaign(&store, &loaded).await?;
    let list = ListFile { spec, is_whole_list, again: args.close_gone, report_dir: &report_dir };
    let change = take_in_list(&store, id, list).await?;
    let Some(change) = change else {
        match global.json {
            true => println!("{}", json!({ "already_added": true })),
            false => println!("{}: this file was taken in before; nothing to add", args.file.display()),
        }
        return Ok(Exit::Done);
    };
    let closed = match args.close_gone {
        true => store.close_unlisted(&change.gone_leads).await.map_err(Failure::unexpected)?,
        false => 0,
    };
    if global.json {
        println!("{}", json!({ "already_added": false, "change": change, "closed": closed }));
        return Ok(Exit::Done);
    }
    println!("{}: {} rows read: {}", args.file.display(), change.rows_read, describe_change(&change));
    if change.refused_rows > 0 {
        println!("refused rows, with reason and hint: {}/fix.csv", report_dir.display());
    }
    match (change.gone, args.close_gone) {
        (0, _) => {}
        (gone, true) => {
            println!("{closed} of the {gone} leads that are gone were open and are closed (stopped)")
        }
        (_, false) => println!("the leads that are gone stay in the campaign; --close-gone closes them"),
    }
    Ok(Exit::Done)
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}
