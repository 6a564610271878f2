//! Campaigns from their rows: opened at a request of the API and again after a restart, changed while they dial, and
//! their states kept in step with the engine.

use super::Failure;
use super::setup::{OpenedCampaign, Service, Sounds};
use crate::config::LoadedCampaign;
use crate::config::campaign::CampaignFiles;
use crate::console::campaign_requests::CampaignRequest;
use crate::engine::{Board, CampaignBoard, CampaignOpening, EngineRequest};
use crate::output::error_line;
use crate::store::campaign_rows::{CampaignRow, CampaignState, DesiredState};
use crate::store::scope::Scope;
use crate::text::fault_lines_zh;
use paceline_core::dialer::input::ManagerAction;
use paceline_core::ids::CampaignId;
use paceline_core::pacing::Why;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Carries out a request of the API.
pub(super) async fn carry_out(service: &Service, open: &mut Vec<LoadedCampaign>, request: CampaignRequest) {
    let (answer, done) = match request {
        CampaignRequest::Open { campaign, answer } => (answer, open_row(service, open, campaign).await),
        CampaignRequest::Apply { campaign, answer } => (answer, apply(service, open, campaign).await),
        CampaignRequest::PrepareTest { campaign, answer } => {
            let prepared = prepare_test(service, campaign).await;
            // The console may have stopped.
            let _ = answer.send(prepared.map(Box::new).map_err(|failure| failure.sentence));
            return;
        }
    };
    // The console may have stopped.
    let _ = answer.send(done.map_err(|failure| failure.sentence));
}

/// Opens again what people asked to be open. One that cannot be opened is closed, with its reason, and does not stop
/// the others.
pub(super) async fn open_again(service: &Service, open: &mut Vec<LoadedCampaign>) -> Result<(), Failure> {
    let store = &service.store;
    store.note_campaigns_closed().await.map_err(Failure::unexpected)?;
    for id in store.campaigns_to_open().await.map_err(Failure::unexpected)? {
        let row = store.any_campaign_row(id).await.map_err(Failure::unexpected)?;
        if open.iter().any(|it| it.rules.name == row.name) && row.enterprise == 1 {
            continue;
        }
        let is_over = !row.has_open_leads || row.desired == DesiredState::Draining;
        let reopened = if is_over { Ok(()) } else { open_row(service, open, id).await };
        let (desired, state, trouble) = match &reopened {
            Ok(()) if is_over => (DesiredState::Closed, CampaignState::Ready, None),
            Ok(()) => continue,
            Err(failure) => {
                error_line!("warning: campaign {} is not opened again: {}", row.name, failure.sentence);
                let zh = format!("重启后没有打开:{}", fault_lines_zh(&failure.sentence));
                let words = json!({ "en": failure.sentence, "zh": zh }).to_string();
                (row.desired, CampaignState::Ready, Some(words))
            }
        };
        let noted = store.note_campaign_state(id, desired, state, trouble.as_deref()).await;
        noted.map_err(Failure::unexpected)?;
    }
    Ok(())
}

/// The text of a row, with the objects that its names stand for.
pub(super) async fn load_row(service: &Service, row: &CampaignRow) -> Result<LoadedCampaign, Failure> {
    let mut objects = BTreeMap::new();
    for file in service.store.campaign_files(row.id).await.map_err(Failure::unexpected)? {
        let path = service.files.file(&file.path).map_err(Failure::unexpected)?;
        objects.insert(file.name, path);
    }
    let files = CampaignFiles { file: row.file.as_deref().map(PathBuf::from), objects };
    let loaded = LoadedCampaign::parse_row(&row.toml, &files, &service.config).map_err(Failure::refused)?;
    match loaded.lacks.first() {
        Some(lack) => Err(Failure::refused(lack)),
        None => Ok(loaded),
    }
}

/// The campaign in the engine, unless it is at its end.
pub(super) fn live(board: &Board, id: CampaignId) -> Option<&CampaignBoard> {
    board.campaigns.get(&id).filter(|it| !it.finished && !it.view.drained)
}

/// Opens a campaign as its row asks.
pub(super) async fn open_row(
    service: &Service,
    open: &mut Vec<LoadedCampaign>,
    id: CampaignId,
) -> Result<(), Failure> {
    let row = service.store.any_campaign_row(id).await.map_err(Failure::unexpected)?;
    if live(&service.handle.board().borrow(), id).is_some() {
        return Err(Failure::refused(format!("the campaign `{}` is open already", row.name)));
    }
    let loaded = load_row(service, &row).await?;
    let sounds = load_sounds(&loaded).await?;
    let paused = row.desired == DesiredState::Paused;
    let scope = Scope { enterprise: row.enterprise, organisations: vec![row.organisation] };
    let opened = service.open_saved(id, &scope, &loaded, sounds, paused).await?;
    let OpenedCampaign { leads, leads_open, .. } = opened;
    // A person may have paused or drained it while it was being opened.
    let now = service.store.any_campaign_row(id).await.map_err(Failure::unexpected)?.desired;
    let (state, action) = match now {
        DesiredState::Open if paused => (CampaignState::Running, Some(ManagerAction::Resume)),
        DesiredState::Open => (CampaignState::Running, None),
        DesiredState::Paused => (CampaignState::Paused, (!paused).then_some(ManagerAction::Pause)),
        DesiredState::Draining | DesiredState::Closed => {
            (CampaignState::Draining, Some(ManagerAction::Drain))
        }
    };
    if let Some(action) = action {
        service.handle.send(EngineRequest::ManagerAction { campaign: id, action }).await;
    }
    let noted = service.store.note_campaign_state(id, now, state, None).await;
    noted.map_err(Failure::unexpected)?;
    error_line!("campaign {} is open: {leads} leads, {leads_open} of them open", row.name);
    // Result files are written for campaigns that lie in a folder.
    if row.file.is_some() {
        open.retain(|it| it.rules.name != row.name);
        open.push(loaded);
    }
    Ok(())
}

/// What the engine needs to place a test call of a campaign that is not open.
async fn prepare_test(service: &Service, id: CampaignId) -> Result<CampaignOpening, Failure> {
    let row = service.store.any_campaign_row(id).await.map_err(Failure::unexpected)?;
    if waits_for_sound(service, &row).await? {
        return Err(Failure::refused(
            "a sound of the campaign waits for an approval; a test call plays it once it is approved",
        ));
    }
    let loaded = load_row(service, &row).await?;
    let sounds = load_sounds(&loaded).await?;
    let scope = Scope { enterprise: row.enterprise, organisations: vec![row.organisation] };
    service.opening_for_tests(id, &scope, loaded, sounds).await
}

/// Decodes the sounds away from the loop that serves requests.
async fn load_sounds(loaded: &LoadedCampaign) -> Result<Sounds, Failure> {
    let loaded = loaded.clone();
    tokio::task::spawn_blocking(move || Sounds::load(&loaded)).await.map_err(Failure::unexpected)?
}

/// Applies the current version of a row to the open campaign, unless a sound in it waits for an approval: then the
/// version is applied once it is approved.
async fn apply(service: &Service, open: &mut [LoadedCampaign], id: CampaignId) -> Result<(), Failure> {
    let row = service.store.any_campaign_row(id).await.map_err(Failure::unexpected)?;
    // A campaign that was drained may be resumed: it takes what was changed meanwhile.
    let is_known = service.handle.board().borrow().campaigns.contains_key(&id);
    if !is_known {
        // A test by the former text would show what is no longer there.
        service.handle.send(EngineRequest::EndTests { campaign: id }).await;
        return Ok(());
    }
    if waits_for_sound(service, &row).await? {
        return Ok(());
    }
    let loaded = load_row(service, &row).await?;
    let sounds = load_sounds(&loaded).await?;
    let scope = Scope { enterprise: row.enterprise, organisations: vec![row.organisation] };
    service.change_open(id, &scope, &loaded, sounds).await?;
    if let Some(known) = open.iter_mut().find(|it| it.rules.name == row.name && row.file.is_some()) {
        *known = loaded;
    }
    Ok(())
}

async fn waits_for_sound(service: &Service, row: &CampaignRow) -> Result<bool, Failure> {
    let organisations = service.store.organisations().await.map_err(Failure::unexpected)?;
    let asks = organisations.iter().any(|it| it.id == row.organisation && it.settings.approve_audio);
    let files = service.store.campaign_files(row.id).await.map_err(Failure::unexpected)?;
    let waits = files.iter().any(|file| file.audio.as_ref().is_some_and(|(_, state)| state != "ready"));
    Ok(asks && waits)
}

/// States of campaigns as they were written last, so that only changes are written.
#[derive(Debug, Default)]
pub(super) struct KeptStates {
    written: BTreeMap<CampaignId, CampaignState>,
}

impl KeptStates {
    /// Writes the states of campaigns that the engine has brought to another. A campaign that was drained is closed;
    /// one that has called every lead goes on when a list is added, so it stays open as far as people are concerned.
    pub async fn follow(&mut self, service: &Service) {
        let board: Arc<Board> = service.handle.board().borrow().clone();
        for (id, campaign) in &board.campaigns {
            let state = match (live(&board, *id).is_some(), campaign.view.why) {
                (false, _) => CampaignState::Ready,
                (true, Some(Why::Paused)) => CampaignState::Paused,
                (true, Some(Why::Draining)) => CampaignState::Draining,
                (true, _) => CampaignState::Running,
            };
            if self.written.insert(*id, state) == Some(state) {
                continue;
            }
            if let Err(error) = note(service, *id, state, campaign.view.drained).await {
                self.written.remove(id);
                tracing::warn!(%error, campaign = campaign.name, "the state of a campaign is not written now");
            }
        }
    }
}

async fn note(
    service: &Service,
    id: CampaignId,
    state: CampaignState,
    drained: bool,
) -> Result<(), crate::store::StoreError> {
    let row = service.store.any_campaign_row(id).await?;
    let desired = if drained { DesiredState::Closed } else { row.desired };
    // What a person asked for since the board was made stays.
    let is_put_away = row.kept_state == CampaignState::Archived && !state.is_open();
    let is_settled = is_put_away || (row.kept_state == state && row.desired == desired);
    if is_settled {
        return Ok(());
    }
    service.store.note_campaign_state(id, desired, state, None).await
}
