//! Builds a running engine from configuration and campaign files: audio, store, list, trunks, sockets, media.
//! Every refusal happens here, before the first call.

use super::demo_agents::Crew;
use super::{Failure, carrier, demo_agents, floor};
use crate::audio::Sound;
use crate::config::{Config, LoadedCampaign, TrunkConfig};
use crate::console::client::{Client, KeyFile};
use crate::console::{self, CampaignFolder, Console, Door, DoorParts, PhoneLine};
use crate::engine::{self, Ask, CampaignBoard, EngineHandle, Opening, Parts, TrunkParts};
use crate::journal::{JournalConfig, JournalWriter};
use crate::lists::{self, Batch};
use crate::metrics::Metrics;
use crate::net::clock::Clock;
use crate::net::rtp::{MediaConfig, MediaRoom};
use crate::net::sip::{SipSocketConfig, SipSockets, TlsConfig};
use crate::sim::agents::AgentPhones;
use crate::sim::serve::{self, CarrierOptions, RunningCarrier};
use crate::store::{NewCampaign, NewImport, Store, Writer};
use paceline_core::campaign::{Mode, Trunk};
use paceline_core::ids::{CampaignId, TrunkId};
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{
    Incoming, Peer, RegistrarConfig, SavedDialog, SipTrunk, Transport, UaConfig,
};
use sha2::{Digest, Sha256};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Capacity of the queue of SIP messages to the engine.
const SIP_WAITING_MAX: usize = 8_192;

/// Configuration, campaign and options of one run.
pub(super) struct Setup {
    pub config: Config,
    pub loaded: LoadedCampaign,
    pub people: Option<PathBuf>,
    /// Whether the API, `/metrics` and the health checks are served.
    pub metrics_port: bool,
    /// Simulated agents for the campaign.
    pub crew: Option<Crew>,
}

/// A running service with one open campaign.
pub(super) struct RunningCampaign {
    pub handle: EngineHandle,
    pub campaign: CampaignId,
    pub leads: u64,
    pub leads_open: u64,
    pub metrics: Arc<Metrics>,
    crew: Option<AgentPhones>,
    service: Service,
}

impl RunningCampaign {
    /// Waits until no call is out, stops the engine and writes everything.
    pub async fn finish(self) -> Result<CampaignBoard, Failure> {
        let board = self.handle.board();
        if let Some(crew) = &self.crew {
            crew.send_home();
        }
        self.service.finish().await?;
        let board = board.borrow().campaigns.get(&self.campaign).cloned();
        Ok(board.unwrap_or_default())
    }
}

impl Setup {
    /// Builds everything and opens the campaign; `paused` = single-number tests only.
    pub async fn start(self, paused: bool) -> Result<RunningCampaign, Failure> {
        let Setup { config, loaded, people, metrics_port, crew } = self;
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
        // Report a faulty campaign before anything is opened.
        let sounds = Sounds::load(&loaded)?;
        let phones = loaded.rules.agents.is_some();
        let service = Service::start(config, people, metrics_port, phones, None).await?;
        let opened = service.open(&loaded, sounds, !paused, paused).await?;
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
}

/// Engine, store, SIP, media and the HTTP port, with no campaign yet.
pub(super) struct Service {
    pub handle: EngineHandle,
    pub metrics: Arc<Metrics>,
    pub config: Config,
    engine: tokio::task::JoinHandle<()>,
    writer: Writer,
    // Dropped last: the store with its lock, and the simulated carrier.
    pub store: Arc<Store>,
    carrier: Option<RunningCarrier>,
    state: Door,
    console: Option<(Console, Option<KeyFile>)>,
}

impl Service {
    /// `phones` = agents' phones may register.
    pub async fn start(
        config: Config,
        people: Option<PathBuf>,
        serves: bool,
        phones: bool,
        campaigns: Option<CampaignFolder>,
    ) -> Result<Service, Failure> {
        let store = Store::open(&config.store.url, Arc::new(Clock::utc)).await.map_err(Failure::refused)?;
        let resumed = store.resume().await.map_err(Failure::unexpected)?;
        let simulated = match config.trunks.is_empty() {
            true => Some(start_simulated_carrier(people.as_deref()).await?),
            false => None,
        };
        let trunks = match &simulated {
            Some(running) => vec![simulated_trunk(running)?],
            None => configured_trunks(&config).await?,
        };
        // With the simulated carrier and no phones, SIP stays on loopback.
        let net = Net::open(&config, &trunks, simulated.is_some() && !phones).await?;
        let line = phone_line(&config, &net.ua);
        let metrics = Arc::new(Metrics::new());
        let (writer, store_replies) = store.start_writer();
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
            commits: store.commits(),
            journal: start_journal(&config)?,
            metrics: metrics.clone(),
            prompts: floor::load_prompts(&config)?,
            recordings: PathBuf::from(&config.recordings.dir),
        });
        let dialogs = resumed
            .unended
            .iter()
            .flat_map(|cut| saved_dialogs(&cut.dialog).into_iter().map(|dialog| (cut.id, dialog)));
        let dialogs = dialogs.collect();
        if !resumed.interrupted.is_empty() {
            eprintln!(
                "{} calls were cut off by the last stop; they are ended and counted",
                resumed.interrupted.len()
            );
        }
        if !resumed.legs.is_empty() {
            eprintln!(
                "{} further legs, such as agents' phones, were up; they are hung up",
                resumed.legs.len()
            );
        }
        let phones = store.known_phones().await.map_err(Failure::unexpected)?;
        handle.ask(Ask::Resume { work: resumed.work, dialogs, phones }).await;
        let store = Arc::new(store);
        floor::recover_recordings(&config, &store, &resumed.legs, resumed.alive_at).await?;
        floor::send_agents(&store, &handle).await?;
        let state = Door::new(DoorParts {
            store: store.clone(),
            engine: handle.clone(),
            metrics: metrics.clone(),
            clock: Arc::new(Clock::utc),
            phones: line,
            recordings: PathBuf::from(&config.recordings.dir),
            campaigns,
        })
        .map_err(|_| Failure::unexpected("the random number generator of this machine failed"))?;
        let console = if serves { start_console(&config, &state).await } else { None };
        Ok(Service { handle, metrics, config, engine, writer, store, carrier: simulated, state, console })
    }

    /// Whether the API is served.
    pub fn has_api(&self) -> bool {
        self.console.is_some()
    }

    /// Opens a campaign; `with_list` = imports its list, `paused` = only test calls are placed.
    pub async fn open(
        &self,
        loaded: &LoadedCampaign,
        sounds: Sounds,
        with_list: bool,
        paused: bool,
    ) -> Result<OpenedCampaign, Failure> {
        let campaign = save_campaign(&self.store, loaded).await?;
        if with_list {
            import_list(&self.store, campaign, loaded).await?;
        }
        let (leads, leads_open) = lead_counts(&self.config.store.url, loaded).await?;
        let mut rules = loaded.rules.clone();
        rules.id = campaign;
        if let (Some(announcement), Some(sound)) = (&mut rules.announcement, &sounds.announcement) {
            announcement.length = sound.length;
        }
        if let (Some(agents), Some(group)) = (&mut rules.agents, &loaded.group) {
            agents.group = self.store.group_named(group).await.map_err(Failure::unexpected)?;
            floor::send_agents(&self.store, &self.handle).await?;
        }
        let Sounds { announcement, sorry } = sounds;
        self.state.campaign_opened(&loaded.title, &rules);
        let abandons = self.store.abandons(campaign, rules.pacing.answer_wait).await;
        let abandons = abandons.map_err(Failure::unexpected)?;
        let past = match rules.mode {
            Mode::Predictive => self.store.past_calls(campaign).await.map_err(Failure::unexpected)?,
            _ => Vec::new(),
        };
        let opening =
            Opening { campaign: rules, leads_open, paused, abandons, past, sound: announcement, sorry };
        self.handle.ask(Ask::Open(Box::new(opening))).await;
        // Wait until the board shows the campaign. An engine that has stopped never will, and closes the
        // board.
        let _ = self.handle.board().wait_for(|board| board.campaigns.contains_key(&campaign)).await;
        Ok(OpenedCampaign { campaign, leads, leads_open })
    }

    /// Adds simulated agents to the group, each with a phone that registers here.
    async fn add_demo_agents(
        &self,
        group: &str,
        wanted: Crew,
        loaded: &LoadedCampaign,
        campaign: CampaignId,
    ) -> Result<AgentPhones, Failure> {
        let line = self.state.phones();
        let registrar = line.proxy.parse().map_err(Failure::unexpected)?;
        let group = self.store.group_named(group).await.map_err(Failure::unexpected)?;
        let created = demo_agents::create(&self.store, group, wanted.agents, &line.domain).await?;
        floor::send_agents(&self.store, &self.handle).await?;
        demo_agents::start(&self.handle, registrar, &line.domain, created, loaded, campaign, wanted.habits)
            .await
    }

    /// Waits until no call is out, stops the engine and writes everything.
    pub async fn finish(self) -> Result<(), Failure> {
        self.handle.ask(Ask::Leave).await;
        self.engine.await.map_err(Failure::unexpected)?;
        self.writer.close().await;
        // The API is served until the last call has ended.
        if let Some((console, _key)) = self.console {
            console.stop().await;
        }
        if let Some(carrier) = self.carrier {
            carrier.stop().await;
        }
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

/// The campaign's row for the store.
pub(super) fn campaign_row(loaded: &LoadedCampaign) -> NewCampaign<'_> {
    let rules = &loaded.rules;
    NewCampaign {
        name: &rules.name,
        title: &loaded.title,
        mode: rules.mode.word(),
        timezone: &rules.windows.timezone,
        toml: &loaded.text,
        retry: &rules.retry,
    }
}

async fn save_campaign(store: &Store, loaded: &LoadedCampaign) -> Result<CampaignId, Failure> {
    let id = store.define_campaign(&campaign_row(loaded)).await.map_err(Failure::unexpected)?;
    // Refresh the blacklists: the store checks them again before every attempt, whatever the import saw.
    for file in &loaded.list.blacklists {
        let (path, region) = (file.clone(), loaded.list.region.clone());
        let numbers = tokio::task::spawn_blocking(move || lists::read_blacklist(&path, &region))
            .await
            .map_err(Failure::unexpected)?
            .map_err(Failure::refused)?;
        let source = file.display().to_string();
        store.replace_blacklist(Some(id), &source, &numbers).await.map_err(Failure::unexpected)?;
    }
    Ok(id)
}

/// Imports the list once, all of it or nothing.
async fn import_list(store: &Store, campaign: CampaignId, loaded: &LoadedCampaign) -> Result<(), Failure> {
    let file = loaded.list.file.clone();
    let fingerprint = tokio::task::spawn_blocking(move || fingerprint(&file))
        .await
        .map_err(Failure::unexpected)?
        .map_err(Failure::refused)?;
    let earlier = store.imports(campaign).await.map_err(Failure::unexpected)?;
    if earlier.iter().any(|import| import.fingerprint == fingerprint) {
        return Ok(());
    }
    if let Some(last) = earlier.last() {
        return Err(Failure::refused(format!(
            "{}: changed since it was imported ({} rows from {}); restore the old list, or remove the import with \
             `paceline undo-import` (as long as no lead was called), or put the new rows into a new campaign",
            loaded.list.file.display(),
            last.rows_read,
            last.file
        )));
    }
    let system = store.blacklisted(None).await.map_err(Failure::unexpected)?;
    let (batches_in, mut batches) = mpsc::channel::<Batch>(2);
    let spec = loaded.list.clone();
    let dir = loaded.results_dir.clone();
    let reading = tokio::task::spawn_blocking(move || {
        lists::check_and(&spec, &mut system.into_iter(), &dir, &mut |batch| {
            let copy = Batch {
                columns: batch.columns.clone(),
                leads: batch.leads.clone(),
                refused: batch.refused.clone(),
            };
            batches_in.blocking_send(copy).is_ok()
        })
    });
    let mut import = None;
    while let Some(batch) = batches.recv().await {
        if import.is_none() {
            let new = NewImport {
                campaign,
                file: loaded.list.file.display().to_string(),
                fingerprint: fingerprint.clone(),
                header: batch.columns.to_vec(),
            };
            import = Some(store.begin_import(&new).await.map_err(Failure::unexpected)?);
        }
        if let Some(import) = &mut import {
            import.push(&batch.leads, &batch.refused).await.map_err(Failure::unexpected)?;
        }
    }
    let report = reading.await.map_err(Failure::unexpected)?.map_err(Failure::refused)?;
    let Some(import) = import.filter(|_| report.leads > 0) else {
        let dir = loaded.results_dir.display();
        return Err(Failure::refused(format!("{}: no row can be dialled; see {dir}/fix.csv", report.file)));
    };
    let json = serde_json::to_string(&report).map_err(Failure::unexpected)?;
    import.commit(report.rows_read, &json).await.map_err(Failure::unexpected)?;
    eprintln!(
        "list imported: {} rows = {} leads + {} refused{}",
        report.rows_read,
        report.leads,
        report.refused_rows,
        if report.refused_rows > 0 {
            format!(" (why: {}/fix.csv)", loaded.results_dir.display())
        } else {
            String::new()
        }
    );
    Ok(())
}

/// Identifies a list file: its size and SHA-256.
fn fingerprint(file: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", file.display());
    let mut reader = std::fs::File::open(file).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0u64;
    loop {
        let read = std::io::Read::read(&mut reader, &mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{size}:{hex}"))
}

async fn lead_counts(url: &str, loaded: &LoadedCampaign) -> Result<(u64, u64), Failure> {
    let mut reader = Store::open_reader(url).await.map_err(Failure::unexpected)?;
    let record = reader.campaign(&loaded.rules.name).await.map_err(Failure::unexpected)?;
    let counts = reader.counts(record.id).await.map_err(Failure::unexpected)?;
    Ok((counts.leads.values().sum(), counts.leads.get("open").copied().unwrap_or(0)))
}

async fn start_simulated_carrier(people: Option<&Path>) -> Result<RunningCarrier, Failure> {
    let (people, people_dir) = carrier::people(people)?;
    let mut options = CarrierOptions::on_loopback(people);
    options.people_dir = people_dir;
    let running = serve::start(options).await.map_err(Failure::unexpected)?;
    eprintln!("no trunk is configured: calling the built-in simulated carrier, no real phone rings");
    Ok(running)
}

fn simulated_trunk(running: &RunningCarrier) -> Result<TrunkParts, Failure> {
    let address = running
        .address(Transport::Udp)
        .ok_or_else(|| Failure::unexpected("the simulated carrier does not listen"))?;
    let trunk = TrunkConfig { calls_max: 500, calls_per_sec: 50.0, ..TrunkConfig::default() };
    Ok(trunk_parts(TrunkId(0), "simulated", &trunk, "127.0.0.1", vec![address]))
}

async fn configured_trunks(config: &Config) -> Result<Vec<TrunkParts>, Failure> {
    let mut parts = Vec::new();
    for (place, (name, trunk)) in config.trunks.iter().enumerate() {
        let (host, port) = trunk.host().map_err(Failure::usage)?;
        let looked_up = tokio::net::lookup_host((host.as_str(), port.unwrap_or(default_port(trunk)))).await;
        let addresses: Vec<SocketAddr> = looked_up
            .map_err(|error| Failure::usage(format!("trunk {name}: {host} has no address: {error}")))?
            .collect();
        if addresses.is_empty() {
            return Err(Failure::usage(format!("trunk {name}: {host} has no address")));
        }
        parts.push(trunk_parts(TrunkId(place as u16), name, trunk, &host, addresses));
    }
    Ok(parts)
}

/// `addresses`, never empty: the first is where requests go, the others are further sources of the carrier.
fn trunk_parts(
    id: TrunkId,
    name: &str,
    trunk: &TrunkConfig,
    host: &str,
    addresses: Vec<SocketAddr>,
) -> TrunkParts {
    let peer = Peer { transport: trunk.transport.into(), address: addresses[0] };
    let port = addresses[0].port();
    TrunkParts {
        limits: Trunk {
            id,
            name: name.to_owned(),
            calls_max: trunk.calls_max,
            calls_per_sec: trunk.calls_per_sec,
            allow: trunk.allow.clone(),
        },
        sip: SipTrunk {
            id,
            peer,
            also_from: addresses[1..].to_vec(),
            host: if port == default_port(trunk) { host.to_owned() } else { format!("{host}:{port}") },
            from_domain: trunk.from_domain.clone(),
            username: trunk.username.clone(),
            password: trunk.password.clone(),
            register: trunk.register,
            options: Duration::from_secs(u64::from(trunk.options_secs)),
        },
        codecs: trunk.codecs.iter().map(|codec| Codec::from(*codec)).collect(),
        strip_prefix: trunk.strip_prefix.clone(),
        add_prefix: trunk.add_prefix.clone(),
    }
}

/// SIP sockets, media threads and the user agent's configuration.
struct Net {
    sockets: SipSockets,
    sip_events: mpsc::Receiver<crate::net::sip::SipEvent>,
    media: MediaRoom,
    media_events: mpsc::UnboundedReceiver<crate::net::rtp::MediaEvent>,
    media_address: IpAddr,
    ua: UaConfig,
}

impl Net {
    async fn open(config: &Config, trunks: &[TrunkParts], loopback: bool) -> Result<Net, Failure> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = match loopback {
            true => vec![(Transport::Udp, any), (Transport::Tcp, any)],
            false => config.listen().map_err(|(found, hint)| Failure::usage(format!("{found}; {hint}")))?,
        };
        let (inbound, sip_events) = mpsc::channel(SIP_WAITING_MAX);
        let mut sip = SipSocketConfig::new(listen);
        if sip.listen.iter().any(|(transport, _)| *transport == Transport::Tls) {
            sip.tls = Some(certificate(config)?);
        }
        let sockets = SipSockets::bind(sip, inbound).await.map_err(Failure::usage)?;
        for trunk in trunks {
            sockets.trust([trunk.sip.peer.address.ip()]);
            for address in &trunk.sip.also_from {
                sockets.trust([address.ip()]);
            }
            // TLS: the certificate must match the configured host.
            let (host, _) = trunk.sip.host.rsplit_once(':').unwrap_or((&trunk.sip.host, ""));
            sockets.expect_name(trunk.sip.peer.address, host);
        }
        let own = own_address(config, trunks);
        let sent_by = sockets
            .addresses()
            .iter()
            .map(|(transport, address)| {
                let ip = if address.ip().is_unspecified() { own } else { address.ip() };
                let ip = config.sip.external_address.parse().unwrap_or(ip);
                (*transport, SocketAddr::new(ip, address.port()).to_string())
            })
            .collect();
        let (media_sender, media_events) = mpsc::unbounded_channel();
        let [first, last] = config.rtp.ports;
        let media = MediaRoom::start(
            MediaConfig {
                bind: if own.is_loopback() { own } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) },
                ports: first..=last,
                threads: 1,
                silence: Duration::from_secs(30),
            },
            move |event| {
                // The engine stops before the media threads; later events are dropped.
                let _ = media_sender.send(event);
            },
        )
        .map_err(Failure::unexpected)?;
        // Tags, branches and cnonces are derived from it, so it must be unpredictable.
        let seed = RandomState::new().hash_one(Clock::utc().as_millis());
        let ua = UaConfig {
            sent_by,
            product: concat!("Paceline/", env!("CARGO_PKG_VERSION")).into(),
            seed,
            incoming: Incoming::Trunks,
            registrar: Some(RegistrarConfig::new(&config.sip.domain)),
        };
        let media_address = config.sip.external_address.parse().unwrap_or(own);
        Ok(Net { sockets, sip_events, media, media_events, media_address, ua })
    }
}

/// RFC 3261 section 19.1.2: 5061 for TLS, else 5060.
fn default_port(trunk: &TrunkConfig) -> u16 {
    if Transport::from(trunk.transport) == Transport::Tls { 5061 } else { 5060 }
}

/// The TLS certificate of the listening socket: the configured one, or a self-signed one for trials.
fn certificate(config: &Config) -> Result<TlsConfig, Failure> {
    let sip = &config.sip;
    let tls = match (sip.tls_cert.as_str(), sip.tls_key.as_str()) {
        ("", "") => {
            let store = config.store.url.trim_start_matches("sqlite:").trim_start_matches("//");
            let dir = Path::new(store).parent().unwrap_or(Path::new("")).join("tls");
            let names = [sip.domain.as_str(), sip.external_address.as_str(), "localhost", "127.0.0.1"];
            let names: Vec<String> =
                names.iter().filter(|name| !name.is_empty()).map(|name| (*name).to_owned()).collect();
            TlsConfig::self_made(&dir, &names).map_err(Failure::usage)?
        }
        (cert, key) => TlsConfig { cert: cert.into(), key: key.into() },
    };
    tls.check().map_err(Failure::usage)?;
    Ok(tls)
}

/// The local address from which the first trunk is reached, by the routing table; nothing is sent.
fn own_address(config: &Config, trunks: &[TrunkParts]) -> IpAddr {
    let trunk = trunks.first().map(|trunk| trunk.sip.peer.address);
    let routed = trunk.and_then(|address| {
        let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { "::".parse().ok()? };
        let probe = UdpSocket::bind((any, 0)).ok()?;
        probe.connect(address).ok()?;
        Some(probe.local_addr().ok()?.ip())
    });
    let listening = config.listen().ok().and_then(|all| all.first().map(|(_, address)| address.ip()));
    routed.or(listening.filter(|ip| !ip.is_unspecified())).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn start_journal(config: &Config) -> Result<Option<JournalWriter>, Failure> {
    let dir = match config.store.journal.as_str() {
        "off" => return Ok(None),
        "" => {
            let file = config.store.url.trim_start_matches("sqlite:").trim_start_matches("//");
            Path::new(file).with_extension("journal")
        }
        named => PathBuf::from(named),
    };
    JournalWriter::start(JournalConfig::in_dir(dir.clone()))
        .map(Some)
        .map_err(|error| Failure::usage(format!("the journal cannot be kept in {}: {error}", dir.display())))
}

/// Starts the HTTP server, and writes its address and a key beside the store for commands on this machine.
async fn start_console(config: &Config, state: &Door) -> Option<(Console, Option<KeyFile>)> {
    let Ok(listen) = config.http.listen.parse() else { return None };
    match console::start(listen, state.clone()).await {
        Ok(console) => {
            let address = console.address;
            let client = Client::new(&format!("http://{address}"), state.house_key());
            let key = KeyFile::write(state.store().path(), &client).inspect_err(|error| {
                eprintln!("warning: {error}: `paceline agents` and `user` need --url and a token");
            });
            // Printed last: a script that waits for this line finds the key file.
            eprintln!("metrics and health: http://{address}/metrics; API: http://{address}/api/v1");
            Some((console, key.ok()))
        }
        Err(error) => {
            eprintln!("warning: {listen}: {error}; API, metrics and health are not served");
            None
        }
    }
}

/// The address at which agents' phones register: UDP before TCP before TLS.
fn phone_line(config: &Config, ua: &UaConfig) -> PhoneLine {
    let order = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp"), (Transport::Tls, "tls")];
    let listening = order.into_iter().find_map(|(transport, word)| {
        let (_, address) = ua.sent_by.iter().find(|(listens, _)| *listens == transport)?;
        Some((word, address.clone()))
    });
    let (transport, proxy) = listening.unwrap_or_default();
    PhoneLine { domain: config.sip.domain.clone(), proxy, transport: transport.into() }
}
