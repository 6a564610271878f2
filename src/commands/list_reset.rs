//! `paceline list reset`: forgets a campaign's calls on the simulated carrier, so that it may use a real trunk.

use super::setup::campaign_row;
use super::{Failure, campaign, config};
use crate::cli::{CampaignArgs, Exit, Global};
use crate::net::clock::Clock;
use crate::store::Store;
use std::sync::Arc;

pub async fn reset(global: &Global, args: CampaignArgs) -> Result<Exit, Failure> {
    let config = config(global)?;
    let loaded = campaign(&args.campaign, &config)?;
    let store = Store::open(&config.store.url, Arc::new(Clock::utc)).await.map_err(Failure::refused)?;
    let id = store.define_campaign(&campaign_row(&loaded)).await.map_err(Failure::unexpected)?;
    store.resume().await.map_err(Failure::unexpected)?;
    let forgotten = store.forget_simulated(id).await.map_err(Failure::unexpected)?;
    let left = store.lead_counts(id).await.map_err(Failure::unexpected)?;
    if global.json {
        println!(
            "{}",
            serde_json::json!({ "campaign": loaded.rules.name, "attempts_forgotten": forgotten.attempts,
                                "leads_reset": forgotten.leads, "leads_open": left.open })
        );
    } else {
        println!(
            "{}: {} calls on the simulated carrier are forgotten, {} leads are as they were imported; {} are open",
            loaded.rules.name, forgotten.attempts, forgotten.leads, left.open
        );
    }
    Ok(Exit::Done)
}
