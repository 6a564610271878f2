//! `paceline serve`: runs the service until a signal. Campaigns are opened by the command line and over the
//! API.

use super::run::{Signals, finish_within, say_stopping, write_results};
use super::setup::{Openings, Service, Sounds};
use super::{Failure, campaign, config};
use crate::cli::{Exit, Global, ServeArgs};
use crate::config::LoadedCampaign;
use crate::console::{CampaignFolder, OpenCampaign, OpenRefusal, campaign_requests};
use crate::engine::{Board, EngineRequest};
use std::time::Duration;
use tokio::sync::mpsc;

/// Interval of result files of every open campaign.
const RESULTS_INTERVAL: Duration = Duration::from_secs(60);

pub async fn serve(global: &Global, args: ServeArgs) -> Result<Exit, Failure> {
    let config = config(global)?;
    let mut signals = Signals::new()?;
    // Report faulty campaigns before anything is opened.
    let mut loaded = Vec::new();
    for file in &args.campaigns {
        let campaign = campaign(file, &config)?;
        let sounds = Sounds::load(&campaign)?;
        loaded.push((campaign, sounds));
    }
    let (openings, mut requests) = mpsc::channel(4);
    let folder = args.folder.map(|dir| CampaignFolder { dir, openings });
    let store_url = config.store.url.clone();
    let drain = Duration::from_secs(u64::from(config.node.drain_secs));
    let (rows, mut row_requests) = mpsc::channel(campaign_requests::WAITING_MAX);
    let openings = Openings { folder, rows: Some(rows) };
    let service = Service::start(config, args.people, true, true, openings, true).await?;
    if !service.has_api() {
        service.finish().await?;
        return Err(Failure::usage("the service cannot run without its API; check `listen` in [http]"));
    }
    service.say_first_start().await;
    let mut open = Vec::new();
    for (campaign, sounds) in loaded {
        open_campaign(&service, &mut open, campaign, sounds, args.paused).await?;
    }
    let mut results_due = tokio::time::interval(RESULTS_INTERVAL);
    results_due.reset();
    loop {
        tokio::select! {
            () = signals.next() => break,
            Some(request) = requests.recv() => open_on_request(&service, &mut open, request).await,
            _ = results_due.tick() => write_all_results(&store_url, &open).await,
        }
    }
    service.handle.send(EngineRequest::Drain).await;
    say_stopping(drain);
    let handle = service.handle.clone();
    let finishing = service.finish();
    finish_within(drain, &handle, &mut signals, finishing).await?;
    write_all_results(&store_url, &open).await;
    let left = |board: &Board| board.campaigns.values().any(|campaign| campaign.view.leads_open > 0);
    let stopped = left(&handle.board().borrow());
    Ok(if stopped { Exit::Stopped } else { Exit::Done })
}

/// Opens one more campaign.
async fn open_campaign(
    service: &Service,
    open: &mut Vec<LoadedCampaign>,
    campaign: LoadedCampaign,
    sounds: Sounds,
    paused: bool,
) -> Result<(), Failure> {
    let name = campaign.rules.name.clone();
    // The board may lag: only a campaign that it shows as finished or drained may be opened again.
    let is_over = |board: &Board| {
        board.campaigns.values().any(|it| it.name == name && (it.finished || it.view.drained))
    };
    if open.iter().any(|it| it.rules.name == name) && !is_over(&service.handle.board().borrow()) {
        return Err(Failure::refused(format!("the campaign `{name}` is open already")));
    }
    for warning in &campaign.warnings {
        eprintln!("warning: {warning}");
    }
    let opened = service.open(&campaign, sounds, true, paused).await?;
    eprintln!("campaign {name} is open: {} leads, {} of them open", opened.leads, opened.leads_open);
    open.retain(|it| it.rules.name != name);
    open.push(campaign);
    Ok(())
}

/// Opens a campaign at the API's request and answers it.
async fn open_on_request(service: &Service, open: &mut Vec<LoadedCampaign>, request: OpenCampaign) {
    let opened = async {
        let loaded = campaign(&request.file, &service.config)?;
        let sounds = Sounds::load(&loaded)?;
        let name = loaded.rules.name.clone();
        open_campaign(service, open, loaded, sounds, request.paused).await?;
        Ok(name)
    }
    .await;
    // The client may have disconnected.
    let _ = request.answer.send(opened.map_err(|failure: Failure| OpenRefusal::Other(failure.sentence)));
}

async fn write_all_results(store_url: &str, open: &[LoadedCampaign]) {
    for loaded in open {
        if let Err(failure) = write_results(store_url, loaded).await {
            tracing::warn!(why = failure.sentence, "the result files are not written now; retrying later");
        }
    }
}
