//! Builds a running engine from configuration and campaign files: audio, store, list, trunks, sockets, media.
//! Every refusal happens here, before the first call.

mod crew;
mod import;
mod network;
mod simulation;
mod trunk_lookup;
mod trunk_rows;
mod trunks;

pub(super) use trunk_lookup::LookupChange;
pub(super) use trunk_rows::{TrunkMaker, is_simulated_by, known_trunks};
pub(super) use trunks::trunk_limits;

pub(super) use import::{ListChange, ListFile, describe_change, save_campaign, take_in_list};

use super::demo_agents::Crew;
use super::folder::{Refused, TakenIn};
use super::list_service::{ListService, ListTurn};
use super::trunk_service::TrunkService;
use super::{Failure, campaign_service, recordings, rehearsal};
use crate::audio::{Language, Sound};
use crate::cli::UseText;
use crate::config::settings::{FilesConfig, PromptLanguage};
use crate::config::{Config, LoadedCampaign, holidays};
use crate::console::campaign_requests::CampaignRequest;
use crate::console::client::{Client, KeyFile};
use crate::console::list_changes::WAITING_MAX;
use crate::console::trunk_requests::{self, TrunkChanges};
use crate::console::{self, AppState, AppStateParts, CampaignFolder, Console};
use crate::engine::{
    self, CampaignBoard, CampaignChange, CampaignOpening, EngineHandle, EngineRequest, Parts, Prompts,
    TrunkParts,
};
use crate::files::{Files, Reserve};
use crate::journal::{JournalConfig, JournalWriter};
use crate::metrics::Metrics;
use crate::net::clock::Clock;
use crate::output::error_line;
use crate::sealed::SealKey;
use crate::sim::agents::PhoneAgents;
use crate::store::scope::FIRST_ENTERPRISE;
use crate::store::{BlacklistChange, Scope, Store, Writer};
use crate::tasks::{SampleOpening, TaskParts, Tasks};
use import::import_list;
use network::{Network, phone_line};
use paceline_core::campaign::{CallingWindows, Campaign, Mode};
use paceline_core::ids::{CampaignId, GroupId, RegisterId, TrunkId};
use paceline_core::sip::user_agent::SavedDialog;
use simulation::{Simulation, local_registrar};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use trunk_lookup::{LOOKUPS_MAX, TrunkLookup};
use trunk_rows::{KeptRows, keep_rows};
use trunks::configured_trunks;

/// Configuration, campaign and options of one run.
pub(super) struct Setup {
    pub config: Config,
    pub loaded: LoadedCampaign,
    /// People file of the simulated carrier.
    pub people: Option<PathBuf>,
    /// Serve the API, `/metrics` and the health checks.
    pub with_api: bool,
    /// Simulated agents for the campaign.
    pub crew: Option<Crew>,
    /// Print the link of the first start.
    pub first_start: bool,
    /// Which text of the campaign counts where the file and the store have both changed.
    pub use_text: Option<UseText>,
}

/// A running service with one open campaign.
pub(super) struct RunningCampaign {
    pub handle: EngineHandle,
    pub campaign: CampaignId,
    pub leads: u64,
    pub leads_open: u64,
    /// Of the text that counts.
    pub loaded: LoadedCampaign,
    pub metrics: Arc<Metrics>,
    crew: Option<PhoneAgents>,
    service: Service,
}

impl RunningCampaign {
    /// Waits until no call is out, stops the engine and writes everything.
    pub async fn finish(self) -> Result<CampaignBoard, Failure> {
        let board = self.handle.board();
        if let Some(crew) = &self.crew {
            crew.sign_out_all();
        }
        self.service.finish().await?;
        let board = board.borrow().campaigns.get(&self.campaign).cloned();
        Ok(board.unwrap_or_default())
    }
}

impl Setup {
    /// Builds everything and opens the campaign; `paused` = single-number tests only.
    pub async fn start(self, paused: bool) -> Result<RunningCampaign, Failure> {
        let Setup { config, loaded, people, with_api, crew, first_start, use_text } = self;
        for warning in &loaded.warnings {
            error_line!("warning: {warning}");
        }
        // Report a faulty campaign before anything is opened.
        let sounds = Sounds::load(&loaded)?;
        let phones = loaded.rules.agents.is_some();
        let service = Service::start(config, people, with_api, phones, Openings::default(), false).await?;
        if first_start {
            service.say_first_start().await;
        }
        let opened = service.open(&loaded, sounds, !paused, paused, use_text).await?;
        let loaded = opened.loaded.unwrap_or(loaded);
        let crew = match (&loaded.group, crew) {
            (Some(group), Some(crew)) => {
                Some(service.add_demo_agents(group, crew, &loaded, opened.campaign).await?)
            }
            _ => None,
        };
        Ok(RunningCampaign {
            handle: service.handle.clone(),
            campaign: opened.campaign,
            leads: opened.leads,
            leads_open: opened.leads_open,
            loaded,
            metrics: service.metrics.clone(),
            crew,
            service,
        })
    }
}

/// The sound files of a campaign.
pub(super) struct Sounds {
    announcement: Option<Arc<Sound>>,
    sorry: Option<Arc<Sound>>,
}

impl Sounds {
    pub fn load(loaded: &LoadedCampaign) -> Result<Sounds, Failure> {
        let load = |file: &Option<PathBuf>| -> Result<Option<Arc<Sound>>, Failure> {
            let sound = file.as_deref().map(Sound::load).transpose().map_err(Failure::refused)?;
            Ok(sound.map(Arc::new))
        };
        Ok(Sounds { announcement: load(&loaded.announcement)?, sorry: load(&loaded.sorry)? })
    }
}

/// An opened campaign, with the counts of its leads.
pub(super) struct OpenedCampaign {
    pub campaign: CampaignId,
    pub leads: u64,
    pub leads_open: u64,
    /// The campaign of the text in the store, where that counts and not the file's.
    pub loaded: Option<LoadedCampaign>,
}

/// The ways in which the API opens campaigns; without them it opens none.
#[derive(Default)]
pub(super) struct Openings {
    pub folder: Option<CampaignFolder>,
    pub rows: Option<mpsc::Sender<CampaignRequest>>,
    pub samples: Option<mpsc::Sender<SampleOpening>>,
}

/// Engine, store, SIP, media and the HTTP port, with no campaign yet.
pub(super) struct Service {
    pub handle: EngineHandle,
    pub metrics: Arc<Metrics>,
    pub config: Config,
    engine: tokio::task::JoinHandle<()>,
    writer: Writer,
    // Dropped after engine and writer: the store with its lock, and the simulated carrier.
    pub store: Arc<Store>,
    simulation: Simulation,
    /// Where phones on this machine register; `None` = there is no address for UDP and IPv4.
    registrar: Option<SocketAddr>,
    state: AppState,
    console: Option<(Console, Option<KeyFile>)>,
    tasks: Tasks,
    /// The object store.
    pub files: Files,
    /// Deletes recordings past their retention.
    retention: JoinHandle<()>,
    /// Changes lists for commands on this machine.
    lists: JoinHandle<()>,
    /// Held while rows are taken in: two imports at once would not know each other's rows.
    list_turn: ListTurn,
}

impl Service {
    /// `people` = file of simulated callees, `with_api` = serve the HTTP API, `phones` = agents' phones may
    /// register, `may_wait` = start although no trunk has an address yet.
    pub async fn start(
        config: Config,
        people: Option<PathBuf>,
        with_api: bool,
        phones: bool,
        openings: Openings,
        may_wait: bool,
    ) -> Result<Service, Failure> {
        let Openings { folder: campaigns, rows: campaign_service, samples } = openings;
        let store = Store::open(&config.store.url, Arc::new(Clock::utc)).await.map_err(Failure::refused)?;
        let resumed = store.resume().await.map_err(Failure::unexpected)?;
        let key_file = config.secrets.file(store.path());
        let key = SealKey::load_or_make(&key_file).map_err(Failure::usage)?;
        let KeptRows { rows: trunk_rows, is_first } = keep_rows(&config, &store, &key).await?;
        // With the simulated carrier and no phones, SIP stays on loopback.
        let is_loopback = !config.has_trunks() && !phones;
        let (simulation, simulated) = Simulation::begin(&config, people, is_loopback).await?;
        let trunks = match simulated {
            Some(trunk) => vec![trunk],
            None => configured_trunks(&config, may_wait).await?,
        };
        let is_disabled =
            |parts: &TrunkParts| trunk_rows.iter().any(|row| row.id == parts.limits.id && !row.is_enabled);
        let (disabled, trunks): (Vec<TrunkParts>, Vec<TrunkParts>) =
            trunks.into_iter().partition(is_disabled);
        let net = Network::open(&config, &trunks, is_loopback).await?;
        let registrar = local_registrar(net.sockets.addresses());
        let line = phone_line(&config, &net.ua);
        let metrics = Arc::new(Metrics::new());
        let (writer, store_replies) = store.start_writer();
        let lookup = TrunkLookup::of(&config, &trunks);
        let (lookup_changes, changed_lookups) = mpsc::channel(LOOKUPS_MAX);
        let (lookups, asked_lookups) = mpsc::channel(LOOKUPS_MAX);
        let (handle, engine) = engine::start(Parts {
            clock: Clock::start(),
            seed: net.ua.seed,
            trunks,
            ua: net.ua,
            sockets: net.sockets,
            sip_events: net.sip_events,
            media: net.media,
            media_events: net.media_events,
            media_address: net.media_address,
            store: writer.sender(),
            store_replies,
            commits: store.commit_times(),
            journal: start_journal(&config)?,
            metrics: metrics.clone(),
            prompts: load_prompts(&config)?,
            recordings: PathBuf::from(&config.recordings.dir),
            lookups: Some(lookups),
        });
        tokio::spawn(lookup.run(handle.clone(), asked_lookups, changed_lookups));
        for trunk in disabled {
            let name = trunk.limits.name.clone();
            if let Err(why) = handle.set_trunk(trunk, false).await {
                error_line!("warning: trunk {name}: {why}");
            }
        }
        let today = engine::start_of_day(Clock::utc());
        let codes = store.codes_by_trunk(today).await.map_err(Failure::unexpected)?;
        for row in &trunk_rows {
            let codes = codes.get(&row.name).cloned().unwrap_or_default();
            handle.send(EngineRequest::CountedToday { trunk: row.id, codes }).await;
        }
        let dialogs = resumed
            .open_dialogs
            .iter()
            .flat_map(|cut| saved_dialogs(&cut.dialog).into_iter().map(|dialog| (cut.id, dialog)))
            .map(|(id, dialog)| (id, if is_first { with_trunk_id(dialog) } else { dialog }));
        let dialogs = dialogs.collect();
        if !resumed.interrupted.is_empty() {
            error_line!(
                "{} calls were cut off by the last stop; they are ended and counted",
                resumed.interrupted.len()
            );
        }
        if !resumed.legs.is_empty() {
            error_line!(
                "{} further legs, such as agents' phones, were up; they are hung up",
                resumed.legs.len()
            );
        }
        tokio::spawn(forward_blacklist_changes(store.blacklist_changes(), handle.clone()));
        let phones = store.load_phone_contacts().await.map_err(Failure::unexpected)?;
        handle.send(EngineRequest::Resume { work: resumed.work, dialogs, phones }).await;
        handle.register_caller_ids(store.registered_numbers().await.map_err(Failure::unexpected)?).await;
        let store = Arc::new(store);
        recordings::recover_recordings(&config, &store, &resumed.legs, resumed.alive_at).await?;
        let retention = tokio::spawn(recordings::keep_retention(config.clone(), store.clone()));
        send_agents(&store, &handle).await?;
        let (list_changes, requests) = mpsc::channel(WAITING_MAX);
        let list_turn = ListTurn::default();
        let lists = ListService {
            config: config.clone(),
            store: store.clone(),
            engine: handle.clone(),
            turn: list_turn.clone(),
        };
        let lists = tokio::spawn(lists.run(requests));
        let (trunk_requests, asked_trunks) = mpsc::channel(trunk_requests::WAITING_MAX);
        let trunk_service = TrunkService {
            config: config.clone(),
            store: store.clone(),
            engine: handle.clone(),
            key: key.clone(),
            lookup: lookup_changes,
            campaigns: campaign_service.clone(),
        };
        tokio::spawn(trunk_service.run(asked_trunks));
        let folder = config.files.folder(store.path());
        let files = Files::open_with(&folder, reserve(&config)).map_err(|error| {
            Failure::usage(format!("the object store {} cannot be used: {error}", folder.display()))
        })?;
        let parts = TaskParts {
            store: store.clone(),
            files: files.clone(),
            engine: handle.clone(),
            config: Arc::new(config.clone()),
            samples,
            openings: campaigns.as_ref().map(|folder| folder.openings.clone()),
        };
        let tasks = match with_api {
            true => Tasks::start(parts).await.map_err(Failure::unexpected)?,
            false => Tasks::idle(parts),
        };
        let state = AppState::new(AppStateParts {
            files: files.clone(),
            tasks: tasks.clone(),
            store: store.clone(),
            engine: handle.clone(),
            metrics: metrics.clone(),
            clock: Arc::new(Clock::utc),
            phones: line,
            recordings: PathBuf::from(&config.recordings.dir),
            campaigns,
            list_changes: Some(list_changes),
            http: config.http.clone(),
            settings: config.shown(),
            config: Arc::new(config.clone()),
            campaign_service,
            trunk_changes: Some(TrunkChanges::new(trunk_requests, key)),
        })
        .map_err(|_| Failure::unexpected("the random number generator of this machine failed"))?;
        let console = if with_api { start_console(&config, &state).await } else { None };
        Ok(Service {
            handle,
            metrics,
            config,
            engine,
            writer,
            store,
            simulation,
            registrar,
            state,
            console,
            tasks,
            files,
            retention,
            lists,
            list_turn,
        })
    }

    /// Prints the link of the first start, while no account can sign in.
    pub async fn say_first_start(&self) {
        let Some((console, _)) = &self.console else { return };
        let mut address = console.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        match self.state.open_setup_code().await {
            Ok(Some(code)) => {
                error_line!("first start: http://{address}/welcome#{code} makes the first account")
            }
            Ok(None) => {}
            Err(_) => error_line!("warning: the accounts cannot be read; the log says why"),
        }
    }

    /// Whether the API is served.
    pub fn has_api(&self) -> bool {
        self.console.is_some()
    }

    /// A client of the API's routes inside this process.
    pub fn local_client(&self) -> Client {
        Client::in_process(self.state.clone())
    }

    /// Opens a campaign file; `with_list` = imports its list, `paused` = only test calls are placed.
    pub async fn open(
        &self,
        loaded: &LoadedCampaign,
        sounds: Sounds,
        with_list: bool,
        paused: bool,
        use_text: Option<UseText>,
    ) -> Result<OpenedCampaign, Refused> {
        let taken = save_campaign(&self.store, Some(&self.files), loaded, &self.config, use_text).await?;
        let TakenIn { campaign, loaded, is_from_store } = taken;
        let opened = async {
            let sounds = if is_from_store { Sounds::load(&loaded)? } else { sounds };
            self.open_taken_in(campaign, &loaded, sounds, with_list, paused).await
        };
        let opened = opened.await.map_err(Refused::Other)?;
        Ok(OpenedCampaign { loaded: is_from_store.then_some(loaded), ..opened })
    }

    async fn open_taken_in(
        &self,
        campaign: CampaignId,
        loaded: &LoadedCampaign,
        sounds: Sounds,
        with_list: bool,
        paused: bool,
    ) -> Result<OpenedCampaign, Failure> {
        // Before the list is read, which may be long.
        self.refuse_after_simulation(campaign, loaded).await?;
        if with_list {
            let _turn = self.list_turn.lock().await;
            import_list(&self.store, campaign, loaded).await?;
        }
        self.open_saved(campaign, &Scope::first(), loaded, sounds, paused).await
    }

    /// Opens a campaign whose row and leads are in the store.
    pub async fn open_saved(
        &self,
        campaign: CampaignId,
        scope: &Scope,
        loaded: &LoadedCampaign,
        sounds: Sounds,
        paused: bool,
    ) -> Result<OpenedCampaign, Failure> {
        self.refuse_after_simulation(campaign, loaded).await?;
        self.simulation.serve(&self.config, &self.trunks_of(campaign, loaded).await?, &self.handle).await?;
        let counts = self.store.lead_counts(campaign).await.map_err(Failure::unexpected)?;
        let (leads, leads_open) = (counts.all, counts.open);
        let rules = self.rules_of(campaign, scope, loaded, &sounds).await?;
        let Sounds { announcement, sorry } = sounds;
        self.state.campaign_opened_in(scope, &loaded.title, &rules);
        let abandons = self.store.abandons(campaign, rules.pacing.answer_wait).await;
        let abandons = abandons.map_err(Failure::unexpected)?;
        let past = match rules.mode {
            Mode::Predictive => self.store.past_calls(campaign).await.map_err(Failure::unexpected)?,
            _ => Vec::new(),
        };
        let opening = CampaignOpening {
            campaign: rules,
            share: loaded.share(),
            region: loaded.list.region.clone(),
            leads,
            leads_open,
            paused,
            abandons,
            past,
            sound: announcement,
            sorry,
        };
        self.handle.send(EngineRequest::OpenCampaign(Box::new(opening))).await;
        // Wait until the board shows the campaign. An engine that has stopped never will, and closes the
        // board.
        let _ = self.handle.board().wait_for(|board| board.campaigns.contains_key(&campaign)).await;
        Ok(OpenedCampaign { campaign, leads, leads_open, loaded: None })
    }

    /// A campaign for its test calls alone: without agents, whose time no test takes.
    pub async fn opening_for_tests(
        &self,
        campaign: CampaignId,
        scope: &Scope,
        mut loaded: LoadedCampaign,
        sounds: Sounds,
    ) -> Result<CampaignOpening, Failure> {
        self.simulation.serve(&self.config, &self.trunks_of(campaign, &loaded).await?, &self.handle).await?;
        loaded.rules.agents = None;
        let rules = self.rules_of(campaign, scope, &loaded, &sounds).await?;
        if campaign_service::live(&self.handle.board().borrow(), campaign).is_none() {
            self.state.campaign_closed(campaign);
        }
        Ok(CampaignOpening {
            campaign: rules,
            share: loaded.share(),
            region: loaded.list.region,
            leads: 0,
            leads_open: 0,
            paused: true,
            abandons: Vec::new(),
            past: Vec::new(),
            sound: sounds.announcement,
            sorry: None,
        })
    }

    /// The core's rules with the ids of the store and the length of the announcement.
    async fn rules_of(
        &self,
        campaign: CampaignId,
        scope: &Scope,
        loaded: &LoadedCampaign,
        sounds: &Sounds,
    ) -> Result<Campaign, Failure> {
        let mut rules = loaded.rules.clone();
        // Trunks may have come and gone since the text was read.
        rules.trunks = self.trunks_of(campaign, loaded).await?;
        // The sample campaign rings nobody, and is there to be seen at any hour.
        if !self.store.any_campaign_row(campaign).await.map_err(Failure::unexpected)?.is_sample {
            self.add_holidays(scope.own(), &mut rules.windows).await?;
        }
        rules.id = campaign;
        rules.caller_ids.register = RegisterId(scope.enterprise);
        // A campaign that was made since the registers were sent may be one that shows only approved numbers.
        let said = self.store.registered_numbers().await.map_err(Failure::unexpected)?;
        self.handle.register_caller_ids(said).await;
        if let (Some(announcement), Some(sound)) = (&mut rules.announcement, &sounds.announcement) {
            announcement.length = sound.length;
        }
        if let (Some(agents), Some(group)) = (&mut rules.agents, &loaded.group) {
            agents.group = self.group_of(scope, group).await?;
            self.refuse_simulated_agents(agents.group, group, &rules.trunks).await?;
            send_agents(&self.store, &self.handle).await?;
        }
        Ok(rules)
    }

    async fn trunks_of(&self, id: CampaignId, loaded: &LoadedCampaign) -> Result<Vec<TrunkId>, Failure> {
        let calls = self.store.simulated_attempts(id).await.map_err(Failure::unexpected)?;
        Ok(simulation::trunks_of(&self.config, loaded, calls > 0))
    }

    /// The group of this name in the campaign's enterprise. Of the first enterprise's, one that is missing is made.
    async fn group_of(&self, scope: &Scope, name: &str) -> Result<GroupId, Failure> {
        let groups = self.store.group_rows().await.map_err(Failure::unexpected)?;
        let found = groups.iter().find(|row| row.enterprise == scope.enterprise && row.group.name == name);
        match found {
            Some(row) => Ok(row.group.id),
            None if scope.enterprise == FIRST_ENTERPRISE => {
                self.store.group_named(name).await.map_err(Failure::unexpected)
            }
            None => Err(Failure::refused(format!("there is no group {name}; make it, or name another"))),
        }
    }

    /// Gives an open campaign new rules and sounds.
    pub async fn change_open(
        &self,
        campaign: CampaignId,
        scope: &Scope,
        loaded: &LoadedCampaign,
        sounds: Sounds,
    ) -> Result<(), Failure> {
        self.refuse_after_simulation(campaign, loaded).await?;
        self.simulation.serve(&self.config, &self.trunks_of(campaign, loaded).await?, &self.handle).await?;
        let rules = self.rules_of(campaign, scope, loaded, &sounds).await?;
        self.state.campaign_opened_in(scope, &loaded.title, &rules);
        let Sounds { announcement, sorry } = sounds;
        let share = loaded.share();
        self.handle
            .change_campaign(CampaignChange { campaign: rules, share, sound: announcement, sorry })
            .await;
        Ok(())
    }

    /// Adds the holidays of a campaign's organisation to its own, and those of the enterprise above it.
    pub(in crate::commands) async fn add_holidays(
        &self,
        organisation: i64,
        windows: &mut CallingWindows,
    ) -> Result<(), Failure> {
        let all = self.store.organisations().await.map_err(Failure::unexpected)?;
        let own = all.iter().find(|row| row.id == organisation);
        let above = own.and_then(|own| own.parent);
        for row in all.iter().filter(|row| row.id == organisation || Some(row.id) == above) {
            holidays::add(windows, &row.settings.holidays);
        }
        Ok(())
    }

    /// A campaign whose leads were called on the simulated carrier does not go on with a real trunk: those leads are
    /// closed by calls that rang no phone, and the others of a sample list may be real numbers.
    async fn refuse_after_simulation(&self, id: CampaignId, loaded: &LoadedCampaign) -> Result<(), Failure> {
        let calls = self.store.simulated_attempts(id).await.map_err(Failure::unexpected)?;
        let used = simulation::trunks_of(&self.config, loaded, calls > 0);
        if calls == 0 || used == [self.config.simulated_trunk()] {
            return Ok(());
        }
        Err(Failure::refused(rehearsal::refusal(&self.config, loaded, calls)))
    }

    /// Waits until no call is out, stops the engine and writes everything.
    pub async fn finish(self) -> Result<(), Failure> {
        self.retention.abort();
        // An import that is cut off here leaves nothing.
        self.lists.abort();
        self.tasks.stop().await;
        self.handle.send(EngineRequest::Stop).await;
        self.engine.await.map_err(Failure::unexpected)?;
        self.writer.close().await;
        // The API is served until the last call has ended.
        if let Some((console, _key)) = self.console {
            console.stop().await;
        }
        self.simulation.stop().await;
        Ok(())
    }
}

/// The saved dialogs with which a call of an earlier process is ended: one, or one for each phone that rang.
/// An unreadable one is logged as an error, since that call cannot be hung up.
fn saved_dialogs(text: &str) -> Vec<SavedDialog> {
    let read = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text),
        false => serde_json::from_str(text).map(|one| vec![one]),
    };
    read.unwrap_or_else(|error| {
        tracing::error!(%error, "a saved dialog is unreadable: a call of the last process cannot be hung up");
        Vec::new()
    })
}

/// A dialog of a version that named trunks by their places in the file, from 0: the first start numbers the trunks in the
/// same order from 1.
fn with_trunk_id(dialog: SavedDialog) -> SavedDialog {
    let trunk = dialog.trunk.map(|place| TrunkId(place.0.saturating_add(1)));
    SavedDialog { trunk, ..dialog }
}

/// Reports what is put on the blacklist to the engine, until the store is closed.
async fn forward_blacklist_changes(
    mut changes: tokio::sync::mpsc::UnboundedReceiver<BlacklistChange>,
    engine: EngineHandle,
) {
    while let Some(BlacklistChange { campaign, patterns }) = changes.recv().await {
        engine.blacklisted(campaign, patterns).await;
    }
}

/// Sends every group and agent of the store to the engine. May be repeated at any time.
async fn send_agents(store: &Store, handle: &EngineHandle) -> Result<(), Failure> {
    for group in store.groups().await.map_err(Failure::unexpected)? {
        handle.send(EngineRequest::SetGroup(group)).await;
    }
    for row in store.agents().await.map_err(Failure::unexpected)? {
        handle.send(EngineRequest::SetAgent(Box::new(console::agent_account(&row)))).await;
    }
    Ok(())
}

/// Free space that uploads leave to everything else.
pub(in crate::commands) fn reserve(config: &Config) -> Reserve {
    let FilesConfig { free_gib_min, free_pct_min, .. } = config.files;
    Reserve { bytes: u64::from(free_gib_min) << 30, percent: u64::from(free_pct_min) }
}

/// Loads the prompts in the configured language.
fn load_prompts(config: &Config) -> Result<Prompts, Failure> {
    let language = match config.prompts.language {
        PromptLanguage::Zh => Language::Zh,
        PromptLanguage::En => Language::En,
    };
    let dir = Some(&config.prompts.dir).filter(|dir| !dir.is_empty()).map(Path::new);
    Prompts::load(language, dir).map_err(Failure::refused)
}

fn start_journal(config: &Config) -> Result<Option<JournalWriter>, Failure> {
    let Some(dir) = config.store.journal_folder() else { return Ok(None) };
    JournalWriter::start(JournalConfig::in_dir(dir.clone()))
        .map(Some)
        .map_err(|error| Failure::usage(format!("the journal cannot be kept in {}: {error}", dir.display())))
}

/// Starts the HTTP server, and writes its address and a key beside the store for commands on this machine.
async fn start_console(config: &Config, state: &AppState) -> Option<(Console, Option<KeyFile>)> {
    let Ok(listen) = config.http.listen.parse() else { return None };
    match console::start(listen, state.clone()).await {
        Ok(console) => {
            let address = console.address;
            let client = Client::new(&format!("http://{address}"), state.local_service_token());
            let key = KeyFile::write(state.store().path(), &client).inspect_err(|error| {
                error_line!("warning: {error}: `paceline agents` and `user` need --url and a token");
            });
            // Printed last: a script that waits for this line finds the key file.
            error_line!("metrics and health: http://{address}/metrics; API: http://{address}/api/v1");
            Some((console, key.ok()))
        }
        Err(error) => {
            error_line!("warning: {listen}: {error}; API, metrics and health are not served");
            None
        }
    }
}
