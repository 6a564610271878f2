//! `paceline export` writes result files again; `paceline undo-import` removes an imported list.

use super::folder;
use super::user::call_api;
use super::{Failure, config, named, target};
use crate::cli::{CampaignArgs, Exit, ExportArgs, FormatWord, Global};
use crate::console::client::Method;
use crate::net::clock::Clock;
use crate::output::print_line;
use crate::results::{self, Format};
use crate::store::Store;
use serde_json::json;
use std::sync::Arc;

pub async fn export(global: &Global, args: ExportArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let loaded = named::find(&args.campaign, &config).await?.loaded;
    let mut reader = Store::open_reader(&config.store.url).await.map_err(Failure::refused)?;
    let name = &loaded.rules.name;
    let format = match args.format {
        FormatWord::Csv => Format::Csv,
        FormatWord::Xlsx => Format::Xlsx,
        FormatWord::Parquet => Format::Parquet,
    };
    let files = match args.out {
        Some(file) => {
            results::export_file(&mut reader, name, format, &file).await.map_err(Failure::unexpected)?;
            vec![file]
        }
        None => results::export(&mut reader, name, format, &loaded.results_dir)
            .await
            .map_err(Failure::unexpected)?,
    };
    for file in files {
        print_line!("{}", file.display());
    }
    Ok(Exit::Done)
}

pub async fn undo_import(global: &Global, args: CampaignArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
    let named = named::find(&args.campaign, &config).await?;
    let loaded = named.loaded;
    if let Some(client) = target::running_service(&config).await {
        let path = format!("/campaigns/{}/actions", target::percent_encode(&loaded.rules.name));
        let answer =
            call_api(&client, Method::POST, &path, Some(&json!({ "action": "undo_import" }))).await?;
        let file = answer["import"]["file"].as_str().unwrap_or_default();
        print_line!("import removed: {file} ({} rows)", answer["import"]["rows"]);
        return Ok(Exit::Done);
    }
    let store = Store::open(&config.store.url, Arc::new(Clock::utc)).await.map_err(Failure::refused)?;
    let id = match named.row {
        Some(id) => id,
        None => folder::take_in(&store, None, &loaded, &config, None).await?.campaign,
    };
    let undone = store.undo_last_list(id).await.map_err(Failure::refused)?;
    if undone.is_empty() {
        return Err(Failure::refused(format!("campaign {} has no imported list", loaded.rules.name)));
    }
    for import in undone {
        print_line!("import removed: {} ({} rows)", import.file, import.rows_read);
    }
    Ok(Exit::Done)
}
