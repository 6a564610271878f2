//! `paceline serve`: runs the service until a signal. Campaigns are opened by the command line and over the
//! API.

use super::campaign_service::{self, KeptStates};
use super::folder::Refused;
use super::run::{Signals, finish_within, say_stopping, write_results};
use super::samples::{self, Samples};
use super::setup::{Openings, Service, Sounds};
use super::{Failure, campaign, config};
use crate::cli::{Exit, Global, ServeArgs, UseText};
use crate::config::LoadedCampaign;
use crate::console::{CampaignFolder, campaign_requests};
use crate::engine::{Board, EngineRequest};
use crate::output::error_line;
use crate::store::Scope;
use crate::store::campaign_rows::DesiredState;
use crate::tasks::{self, OpenCampaign, OpenRefusal};
use std::time::Duration;
use tokio::sync::mpsc;

/// Interval of result files of every open campaign.
const RESULTS_INTERVAL: Duration = Duration::from_secs(60);

/// Interval at which the states of campaigns are brought in step with the engine.
const STATES_INTERVAL: Duration = Duration::from_secs(1);

pub async fn serve(global: &Global, args: ServeArgs) -> Result<Exit, Failure> {
    let config = config(global).await?;
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
    let (to_samples, mut sample_requests) = mpsc::channel(samples::WAITING_MAX);
    let openings = Openings { folder, rows: Some(rows), samples: Some(to_samples) };
    let service = Service::start(config, args.people, true, true, openings, true).await?;
    if !service.has_api() {
        service.finish().await?;
        return Err(Failure::usage("the service cannot run without its API; check `listen` in [http]"));
    }
    service.say_first_start().await;
    let mut open = Vec::new();
    for (loaded, sounds) in loaded {
        let (paused, use_text) = (args.paused, args.use_text);
        open_campaign(&service, &mut open, Opening { loaded, sounds, paused, use_text }).await?;
    }
    campaign_service::open_again(&service, &mut open).await?;
    let mut samples = Samples::load(&service).await?;
    let mut kept_states = KeptStates::default();
    let mut states_due = tokio::time::interval(STATES_INTERVAL);
    let mut results_due = tokio::time::interval(RESULTS_INTERVAL);
    results_due.reset();
    loop {
        tokio::select! {
            () = signals.next() => break,
            Some(request) = requests.recv() => open_on_request(&service, &mut open, request).await,
            Some(request) = row_requests.recv() => campaign_service::carry_out(&service, &mut open, request).await,
            Some(request) = sample_requests.recv() => samples.carry_out(&service, &mut open, request).await,
            _ = states_due.tick() => {
                kept_states.follow(&service).await;
                samples.follow(&service).await;
            }
            _ = results_due.tick() => write_all_results(&store_url, &open).await,
        }
    }
    // A task that waits for its campaign begins again with the next start.
    drop(sample_requests);
    samples.sign_out();
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

/// A campaign file that is to be opened.
struct Opening {
    loaded: LoadedCampaign,
    sounds: Sounds,
    paused: bool,
    use_text: Option<UseText>,
}

/// Opens one more campaign file. A campaign that people paused stays so.
async fn open_campaign(
    service: &Service,
    open: &mut Vec<LoadedCampaign>,
    opening: Opening,
) -> Result<(), Refused> {
    let Opening { loaded, sounds, paused, use_text } = opening;
    let name = loaded.rules.name.clone();
    let row = service.store.campaign_row(&Scope::first(), &name).await;
    let row = row.map_err(|error| Refused::Other(Failure::unexpected(error)))?;
    // The board may lag: only a campaign that it shows as finished or drained may be opened again.
    if row
        .as_ref()
        .is_some_and(|row| campaign_service::live(&service.handle.board().borrow(), row.id).is_some())
    {
        return Err(Refused::Other(Failure::refused(format!("the campaign `{name}` is open already"))));
    }
    for warning in &loaded.warnings {
        error_line!("warning: {warning}");
    }
    let paused = paused || row.is_some_and(|row| row.desired == DesiredState::Paused);
    let opened = service.open(&loaded, sounds, true, paused, use_text).await?;
    error_line!("campaign {name} is open: {} leads, {} of them open", opened.leads, opened.leads_open);
    open.retain(|it| it.rules.name != name);
    open.push(opened.loaded.unwrap_or(loaded));
    Ok(())
}

/// Opens a campaign at the API's request and answers it.
async fn open_on_request(service: &Service, open: &mut Vec<LoadedCampaign>, request: OpenCampaign) {
    let OpenCampaign { file, paused, use_text, answer } = request;
    let use_text = use_text.map(|text| match text {
        tasks::UseText::File => UseText::File,
        tasks::UseText::Store => UseText::Store,
    });
    let opened = async {
        let loaded = campaign(&file, &service.config).map_err(Refused::Other)?;
        let sounds = Sounds::load(&loaded).map_err(Refused::Other)?;
        let name = loaded.rules.name.clone();
        open_campaign(service, open, Opening { loaded, sounds, paused, use_text }).await?;
        Ok(name)
    }
    .await;
    // The client may have disconnected.
    let _ = answer.send(opened.map_err(|refused| match refused {
        Refused::ChangedInBoth(failure) => OpenRefusal::ChangedInBoth(failure.sentence),
        Refused::Other(failure) => OpenRefusal::Other(failure.sentence),
    }));
}

async fn write_all_results(store_url: &str, open: &[LoadedCampaign]) {
    for loaded in open {
        if let Err(failure) = write_results(store_url, loaded).await {
            tracing::warn!(why = failure.sentence, "the result files are not written now; retrying later");
        }
    }
}
