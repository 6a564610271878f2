//! App state, shared by all HTTP handlers: store, engine handle, metrics, password hasher, login throttle,
//! open campaigns and the limit of live streams.

use super::login_throttle::Guesses;
use super::problem::Problem;
use super::secrets::{self, Hasher};
use crate::engine::{AgentOpening, Ask, EngineHandle, PhoneSecret};
use crate::metrics::Metrics;
use crate::store::{AgentRow, Clock, Store};
use paceline_core::agent::Group;
use paceline_core::campaign::Campaign;
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// What the app state is built from.
pub struct DoorParts {
    pub store: Arc<Store>,
    pub engine: EngineHandle,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub phones: PhoneLine,
    /// The folder below which every recording lies.
    pub recordings: PathBuf,
    /// The folder that campaigns may be opened from over the API; `None` = none may.
    pub campaigns: Option<CampaignFolder>,
}

/// The SIP settings that an agent types into the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneLine {
    /// The SIP domain, and the realm of the passwords.
    pub domain: String,
    /// `host:port`
    pub proxy: String,
    /// `udp`, `tcp` or `tls`
    pub transport: String,
}

/// The folder of campaign files, and the channel to the task that opens them.
#[derive(Clone, Debug)]
pub struct CampaignFolder {
    pub dir: PathBuf,
    pub openings: mpsc::Sender<OpenCampaign>,
}

/// A request to open a campaign file.
#[derive(Debug)]
pub struct OpenCampaign {
    pub file: PathBuf,
    pub paused: bool,
    /// The campaign's name, or a sentence for the requester that says why it was not opened.
    pub answer: oneshot::Sender<Result<String, String>>,
}

/// An open campaign's title and rules, as views need them.
#[derive(Clone, Debug)]
pub struct OpenCampaignFacts {
    pub title: String,
    pub rules: Campaign,
}

/// App state of the HTTP handlers. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    inside: Arc<Inside>,
}

struct Inside {
    parts: DoorParts,
    hasher: Hasher,
    guesses: Guesses,
    campaigns: RwLock<BTreeMap<CampaignId, Arc<OpenCampaignFacts>>>,
    house_key: String,
    places: Arc<Semaphore>,
}

/// Live streams (server-sent events) that may be open at once.
const READERS_MAX: usize = 512;

impl Door {
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn new(parts: DoorParts) -> Result<Door, Problem> {
        let inside = Inside {
            parts,
            hasher: Hasher::default(),
            guesses: Guesses::default(),
            campaigns: RwLock::default(),
            house_key: secrets::drawn_key()?,
            places: Arc::new(Semaphore::new(READERS_MAX)),
        };
        Ok(Door { inside: Arc::new(inside) })
    }

    pub fn store(&self) -> &Store {
        &self.inside.parts.store
    }

    pub fn engine(&self) -> &EngineHandle {
        &self.inside.parts.engine
    }

    pub fn metrics(&self) -> &Metrics {
        &self.inside.parts.metrics
    }

    pub fn phones(&self) -> &PhoneLine {
        &self.inside.parts.phones
    }

    pub(super) fn recordings(&self) -> &PathBuf {
        &self.inside.parts.recordings
    }

    pub(super) fn folder(&self) -> Option<&CampaignFolder> {
        self.inside.parts.campaigns.as_ref()
    }

    /// One permit for each live stream; see [`READERS_MAX`].
    pub(super) fn places(&self) -> &Arc<Semaphore> {
        &self.inside.places
    }

    pub(super) fn hasher(&self) -> &Hasher {
        &self.inside.hasher
    }

    pub(super) fn guesses(&self) -> &Guesses {
        &self.inside.guesses
    }

    pub(super) fn now(&self) -> Utc {
        (self.inside.parts.clock)()
    }

    /// Bearer token with the role admin, valid while this process lives. Local commands read it from the
    /// key file beside the store, so access to that folder is what grants it.
    pub fn house_key(&self) -> &str {
        &self.inside.house_key
    }

    /// Records an opened campaign, so that views can show its title and dispositions.
    pub fn campaign_opened(&self, title: &str, rules: &Campaign) {
        let facts = OpenCampaignFacts { title: title.to_owned(), rules: rules.clone() };
        let mut campaigns = self.inside.campaigns.write().unwrap_or_else(PoisonError::into_inner);
        campaigns.insert(rules.id, Arc::new(facts));
    }

    pub(super) fn campaigns(&self) -> BTreeMap<CampaignId, Arc<OpenCampaignFacts>> {
        self.inside.campaigns.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn campaign_named(&self, name: &str) -> Option<(CampaignId, Arc<OpenCampaignFacts>)> {
        self.campaigns().into_iter().find(|(_, facts)| facts.rules.name == name)
    }

    /// The active account with this agent number.
    pub(super) async fn agent(&self, number: &str) -> Result<AgentRow, Problem> {
        let found = self.store().agents().await?.into_iter().find(|agent| agent.number == number);
        found.ok_or_else(|| Problem::missing("agent"))
    }

    pub(super) async fn agent_with(&self, id: AgentId) -> Result<AgentRow, Problem> {
        let found = self.store().agents().await?.into_iter().find(|agent| agent.id == id);
        found.ok_or_else(|| Problem::missing("agent"))
    }

    pub(super) async fn group(&self, name: &str) -> Result<Group, Problem> {
        let found = self.store().groups().await?.into_iter().find(|group| group.name == name);
        found.ok_or_else(|| Problem::missing("group"))
    }

    pub(super) async fn group_names(&self) -> Result<BTreeMap<GroupId, String>, Problem> {
        Ok(self.store().groups().await?.into_iter().map(|group| (group.id, group.name)).collect())
    }

    /// Sends a new or changed account to the engine, as the store has it now.
    pub(super) async fn tell_agent(&self, id: AgentId) -> Result<AgentRow, Problem> {
        let row = self.agent_with(id).await?;
        self.engine().ask(Ask::Agent(Box::new(opening(&row)))).await;
        Ok(row)
    }
}

/// An account in the form that the engine takes.
pub fn opening(row: &AgentRow) -> AgentOpening {
    let phone = row.details.sip_user.clone().and_then(|user| {
        Some(PhoneSecret {
            user,
            ha1_md5: secrets::unhex(row.secrets.ha1_md5.as_deref()?)?,
            ha1_sha256: secrets::unhex(row.secrets.ha1_sha256.as_deref()?)?,
        })
    });
    AgentOpening { agent: row.agent(), phone }
}
