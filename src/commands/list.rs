//! `paceline list add` takes further rows into a campaign that has begun; `paceline list reset` forgets its calls on
//! the simulated carrier. While a service holds the store, the service does either, and its campaign goes on.

use super::folder;
use super::setup::{ListChange, ListFile, describe_change, save_campaign, take_in_list};
use super::target;
use super::user::call_api;
use super::{Failure, config, named};
use crate::cli::{CampaignArgs, Exit, Global, ListAction, ListAddArgs, ListArgs};
use crate::config::{Config, LoadedCampaign};
use crate::console::client::{Client, Method};
use crate::lists::ListSpec;
use crate::net::clock::Clock;
use crate::output::{error_line, print_line};
use crate::store::{Store, StoreError};
use paceline_core::ids::CampaignId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the service is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(250);

pub async fn list(global: &Global, args: ListArgs) -> Result<Exit, Failure> {
    match args.action {
        ListAction::Add(args) => add(global, args).await,
        ListAction::Reset(args) => reset(global, args).await,
    }
}

/// What an addition did. A service sends it as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Addition {
    pub campaign: String,
    /// `None` = exactly this file was taken in before.
    pub change: Option<ListChange>,
    /// Leads closed by `--close-gone`.
    pub closed: u64,
    pub report_dir: PathBuf,
}

/// What a reset did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reset {
    pub campaign: String,
    pub attempts_forgotten: u64,
    pub leads_reset: u64,
    pub leads_open: u64,
}

/// The store, or a client of the service that holds it.
enum Holder {
    Here(Box<Store>),
    Service(Client),
}

async fn open_store(config: &Config) -> Result<Holder, Failure> {
    match Store::open(&config.store.url, Arc::new(Clock::utc)).await {
        Ok(store) => Ok(Holder::Here(Box::new(store))),
        Err(error @ StoreError::InUse { .. }) => {
            let Some(client) = target::running_service(config).await else {
                return Err(Failure::refused(format!(
                    "{error}; it serves no API that this command could use: stop it (calls may end), and run this again"
                )));
            };
            error_line!("a service runs on this store: asking it at {}", client.url);
            Ok(Holder::Service(client))
        }
        Err(other) => Err(Failure::refused(other)),
    }
}

async fn add(global: &Global, args: ListAddArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let named = named::find(&args.campaign, &config).await?;
    let done: Addition = match open_store(&config).await? {
        Holder::Here(store) => {
            let (id, loaded) = match named.row {
                Some(id) => (id, named.loaded),
                None => {
                    let taken = save_campaign(&store, None, &named.loaded, &config, None).await?;
                    (taken.campaign, taken.loaded)
                }
            };
            add_rows(&store, id, &loaded, &args.file, args.close_gone).await?
        }
        Holder::Service(client) => {
            let body = json!({
                "action": "add", "campaign": absolute(&named::file_of(&args.campaign, &config).await?)?,
                "file": absolute(&args.file)?,
                "close_gone": args.close_gone,
            });
            through_service(&client, &body).await?
        }
    };
    let Some(change) = &done.change else {
        match global.json {
            true => print_line!("{}", json!({ "already_added": true })),
            false => print_line!("{}: this file was taken in before; nothing to add", args.file.display()),
        }
        return Ok(Exit::Done);
    };
    if global.json {
        print_line!("{}", json!({ "already_added": false, "change": change, "closed": done.closed }));
        return Ok(Exit::Done);
    }
    print_line!("{}: {} rows read: {}", args.file.display(), change.rows_read, describe_change(change));
    if change.refused_rows > 0 {
        print_line!("refused rows, with reason and hint: {}/fix.csv", done.report_dir.display());
    }
    match (change.gone, args.close_gone) {
        (0, _) => {}
        (gone, true) => {
            print_line!(
                "{} of the {gone} leads that are gone were open and are closed (stopped)",
                done.closed
            )
        }
        (_, false) => print_line!("the leads that are gone stay in the campaign; --close-gone closes them"),
    }
    Ok(Exit::Done)
}

/// Takes the rows of a file into a campaign of the store.
pub(super) async fn add_rows(
    store: &Store,
    id: CampaignId,
    loaded: &LoadedCampaign,
    file: &Path,
    close_gone: bool,
) -> Result<Addition, Failure> {
    let is_own_list = same_file(file, &loaded.list.file);
    // The sheets that the campaign names are those of its own list.
    let sheets = if is_own_list { loaded.list.sheets.clone() } else { Vec::new() };
    let spec = ListSpec { file: file.to_owned(), sheets, ..loaded.list.clone() };
    // The report of the campaign's own list stays as it is.
    let report_dir = match is_own_list {
        true => loaded.results_dir.clone(),
        false => loaded.results_dir.join("list-add"),
    };
    let is_whole_list = is_own_list || close_gone;
    let list = ListFile { spec, is_whole_list, again: close_gone, report_dir: &report_dir };
    let change = take_in_list(store, id, list).await?;
    let closed = match &change {
        Some(change) if close_gone => {
            store.close_unlisted(&change.gone_leads).await.map_err(Failure::unexpected)?
        }
        _ => 0,
    };
    Ok(Addition { campaign: loaded.rules.name.clone(), change, closed, report_dir })
}

async fn reset(global: &Global, args: CampaignArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let named = named::find(&args.campaign, &config).await?;
    let done: Reset = match open_store(&config).await? {
        Holder::Here(store) => {
            let id = match named.row {
                Some(id) => id,
                None => folder::take_in(&store, None, &named.loaded, &config, None).await?.campaign,
            };
            store.resume().await.map_err(Failure::unexpected)?;
            forget_simulated(&store, id, &named.loaded.rules.name).await?
        }
        Holder::Service(client) => {
            let file = absolute(&named::file_of(&args.campaign, &config).await?)?;
            through_service(&client, &json!({ "action": "reset", "campaign": file })).await?
        }
    };
    if global.json {
        print_line!("{}", json!(done));
    } else {
        print_line!(
            "{}: {} calls on the simulated carrier are forgotten, {} leads are as they were imported; {} are open",
            done.campaign,
            done.attempts_forgotten,
            done.leads_reset,
            done.leads_open
        );
    }
    Ok(Exit::Done)
}

pub(super) async fn forget_simulated(store: &Store, id: CampaignId, name: &str) -> Result<Reset, Failure> {
    let forgotten = store.forget_simulated(id).await.map_err(Failure::unexpected)?;
    let left = store.lead_counts(id).await.map_err(Failure::unexpected)?;
    Ok(Reset {
        campaign: name.to_owned(),
        attempts_forgotten: forgotten.attempts,
        leads_reset: forgotten.leads,
        leads_open: left.open,
    })
}

/// Has the service change the list, and waits until it has.
async fn through_service<T: DeserializeOwned>(client: &Client, body: &Value) -> Result<T, Failure> {
    let begun = call_api(client, Method::POST, "/local/list-changes", Some(body)).await?;
    let path = format!("/local/list-changes/{}", begun["change"]);
    loop {
        let mut change = call_api(client, Method::GET, &path, None).await?;
        match change["state"].as_str() {
            Some("done") => {
                return serde_json::from_value(change["result"].take()).map_err(Failure::unexpected);
            }
            Some("refused") => return Err(Failure::refused(change["why"].as_str().unwrap_or_default())),
            _ => tokio::time::sleep(ASK_EVERY).await,
        }
    }
}

/// The service has a working folder of its own.
fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    file.canonicalize()
        .map_err(|error| Failure::refused(format!("{}: cannot be read: {error}", file.display())))
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}
