//! App state, shared by all HTTP handlers: store, engine handle, metrics, password hasher, login throttle,
//! open campaigns, limits of streams and forwarded requests.

use super::auth::Caller;
use super::campaign_requests::CampaignRequest;
use super::decision_log::DecisionLog;
use super::idempotency::ServedKeys;
use super::kept_counts::KeptCounts;
use super::limits::{Counts, LiveStreams};
use super::limits::{LOOK_UPS_MAX, LookUps};
use super::list_changes::{ListChangeRequest, ListChanges};
use super::login_throttle::LoginThrottle;
use super::problem::Problem;
use super::recording_access::RecordingAccess;
use super::request_limits::{RequestKey, RequestLimits, network_of};
use super::rights::Action;
use super::running_requests::RunningRequests;
use super::secrets::{self, Hasher};
use super::setup::SetupCode;
use super::shown_number::NumberSight;
use super::summary::CountedSummary;
use super::trunk_requests::TrunkChanges;
use super::uploads::Uploads;
use super::vote::CountedVote;
use crate::config::Config;
use crate::config::proxies::TrustedProxies;
use crate::config::settings::HttpConfig;
use crate::config::shown::ShownSetting;
use crate::engine::{AgentAccount, EngineHandle, EngineRequest, PhoneSecret};
use crate::files::Files;
use crate::metrics::Metrics;
use crate::store::{AgentRow, Change, Clock, GroupRow, OrganisationRow, Scope, Store, Subject};
use crate::tasks::{OpenCampaign, Tasks};
use crate::text;
use paceline_core::campaign::Campaign;
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::number::PhoneNumber;
use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, watch};

/// What the app state is built from.
pub struct AppStateParts {
    pub store: Arc<Store>,
    pub engine: EngineHandle,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub phones: PhoneSettings,
    /// The folder below which every recording lies.
    pub recordings: PathBuf,
    /// The folder that campaigns may be opened from over the API; `None` = none may.
    pub campaigns: Option<CampaignFolder>,
    /// Takes changes of lists that commands on this machine ask for; `None` = none are taken.
    pub list_changes: Option<mpsc::Sender<ListChangeRequest>>,
    /// Limits of connections and streams, and the proxies that are believed.
    pub http: HttpConfig,
    /// Every setting of the service, for its operator.
    pub settings: Vec<ShownSetting>,
    /// What campaigns' texts are checked against.
    pub config: Arc<Config>,
    /// Opens campaigns from their rows; `None` = this process runs one campaign.
    pub campaign_service: Option<mpsc::Sender<CampaignRequest>>,
    /// Applies changes of trunks; `None` = this process has none.
    pub trunk_changes: Option<TrunkChanges>,
    pub files: Files,
    pub tasks: Tasks,
}

/// The SIP settings that an agent types into the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneSettings {
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

/// An open campaign's title and rules, as views need them.
#[derive(Clone, Debug)]
pub struct OpenCampaignFacts {
    pub title: String,
    pub rules: Campaign,
    pub enterprise: i64,
    pub organisation: i64,
}

/// App state of the HTTP handlers. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    inner: Arc<Inner>,
}

struct Inner {
    parts: AppStateParts,
    hasher: Hasher,
    login_throttle: LoginThrottle,
    campaigns: RwLock<BTreeMap<CampaignId, Arc<OpenCampaignFacts>>>,
    local_service_token: String,
    live_streams: LiveStreams,
    forwarded_requests: Counts<IpAddr>,
    request_limits: RequestLimits,
    list_changes: Arc<ListChanges>,
    uploads: Uploads,
    proxies: TrustedProxies,
    setup_code: SetupCode,
    look_ups: LookUps,
    served_keys: ServedKeys,
    running_requests: Arc<RunningRequests>,
    decisions: Arc<DecisionLog>,
    recording_access: RecordingAccess,
    closing: Arc<watch::Sender<bool>>,
    counts: CampaignCounts,
}

/// Counts over whole campaigns.
#[derive(Default)]
pub(super) struct CampaignCounts {
    pub votes: KeptCounts<CountedVote>,
    pub sums: KeptCounts<serde_json::Value>,
    pub summaries: KeptCounts<CountedSummary>,
}

impl AppState {
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn new(parts: AppStateParts) -> Result<AppState, Problem> {
        // The configuration has refused entries that are no addresses.
        let proxies = TrustedProxies::parse(&parts.http.behind_proxy).unwrap_or_default();
        let clock = parts.clock.clone();
        let decisions = DecisionLog::of(&parts.engine, move || clock());
        let inner = Inner {
            decisions,
            recording_access: RecordingAccess::default(),
            closing: Arc::new(watch::Sender::new(false)),
            live_streams: LiveStreams::new(parts.http.streams_max as usize),
            forwarded_requests: Counts::default(),
            request_limits: RequestLimits::default(),
            list_changes: Arc::default(),
            uploads: Uploads::default(),
            proxies,
            setup_code: SetupCode::draw()?,
            look_ups: LookUps::default(),
            served_keys: ServedKeys::default(),
            running_requests: Arc::default(),
            counts: CampaignCounts::default(),
            parts,
            hasher: Hasher::default(),
            login_throttle: LoginThrottle::default(),
            campaigns: RwLock::default(),
            local_service_token: secrets::random_key()?,
        };
        Ok(AppState { inner: Arc::new(inner) })
    }

    pub fn store(&self) -> &Store {
        &self.inner.parts.store
    }

    /// [`AppState::store`] for work on another thread.
    pub(super) fn store_shared(&self) -> Arc<Store> {
        self.inner.parts.store.clone()
    }

    pub fn engine(&self) -> &EngineHandle {
        &self.inner.parts.engine
    }

    pub fn metrics(&self) -> &Metrics {
        &self.inner.parts.metrics
    }

    pub fn phones(&self) -> &PhoneSettings {
        &self.inner.parts.phones
    }

    /// The object store.
    pub(super) fn files(&self) -> &Files {
        &self.inner.parts.files
    }

    pub(super) fn tasks(&self) -> &Tasks {
        &self.inner.parts.tasks
    }

    pub(super) fn uploads(&self) -> &Uploads {
        &self.inner.uploads
    }

    /// Hearings of recordings, and the peaks that were computed last.
    pub(super) fn recording_access(&self) -> &RecordingAccess {
        &self.inner.recording_access
    }

    pub(super) fn recordings(&self) -> &PathBuf {
        &self.inner.parts.recordings
    }

    pub(super) fn campaign_folder(&self) -> Option<&CampaignFolder> {
        self.inner.parts.campaigns.as_ref()
    }

    /// What campaigns' texts are checked against.
    pub(super) fn config(&self) -> &Config {
        &self.inner.parts.config
    }

    /// Becomes true when the service stops.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.inner.closing.subscribe()
    }

    /// Ends every live stream once it is set to true.
    pub(super) fn closing_switch(&self) -> Arc<watch::Sender<bool>> {
        self.inner.closing.clone()
    }

    /// [`AppState::config`] for work on another thread.
    pub(super) fn config_shared(&self) -> Arc<Config> {
        self.inner.parts.config.clone()
    }

    /// Opens campaigns from their rows, and applies their new versions.
    pub(super) fn campaign_service(&self) -> Option<&mpsc::Sender<CampaignRequest>> {
        self.inner.parts.campaign_service.as_ref()
    }

    /// Applies changes of trunks.
    pub(super) fn trunk_changes(&self) -> Option<&TrunkChanges> {
        self.inner.parts.trunk_changes.as_ref()
    }

    pub(super) fn list_change_requests(&self) -> Option<&mpsc::Sender<ListChangeRequest>> {
        self.inner.parts.list_changes.as_ref()
    }

    pub(super) fn list_changes(&self) -> &Arc<ListChanges> {
        &self.inner.list_changes
    }

    pub(super) fn live_streams(&self) -> &LiveStreams {
        &self.inner.live_streams
    }

    pub(super) fn http(&self) -> &HttpConfig {
        &self.inner.parts.http
    }

    pub(super) fn proxies(&self) -> &TrustedProxies {
        &self.inner.proxies
    }

    /// Open requests by the address that a proxy vouches for.
    pub(super) fn forwarded_requests(&self) -> &Counts<IpAddr> {
        &self.inner.forwarded_requests
    }

    pub(super) fn setup_code(&self) -> &SetupCode {
        &self.inner.setup_code
    }

    pub(super) fn settings(&self) -> &[ShownSetting] {
        &self.inner.parts.settings
    }

    /// The latest pacing decisions.
    pub(super) fn decisions(&self) -> &DecisionLog {
        &self.inner.decisions
    }

    pub(super) fn campaign_counts(&self) -> &CampaignCounts {
        &self.inner.counts
    }

    pub(super) fn served_keys(&self) -> &ServedKeys {
        &self.inner.served_keys
    }

    /// Counts one request of a caller.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub(super) fn count_request(&self, key: RequestKey) -> Result<(), Problem> {
        let counted = self.inner.request_limits.count(key, self.now());
        counted.map_err(|secs| {
            let detail = format!("more than 50 requests a second; send the next one in {secs} s");
            Problem::too_many_requests(secs, detail)
        })
    }

    /// Counts one request without a valid cookie or token.
    ///
    /// # Errors
    /// As [`AppState::count_request`].
    pub(super) fn count_stranger(&self, address: IpAddr) -> Result<(), Problem> {
        self.count_request(RequestKey::Stranger(network_of(address)))
    }

    /// Requests that change something.
    pub(super) fn running_requests(&self) -> &Arc<RunningRequests> {
        &self.inner.running_requests
    }

    pub(super) fn hasher(&self) -> &Hasher {
        &self.inner.hasher
    }

    pub(super) fn login_throttle(&self) -> &LoginThrottle {
        &self.inner.login_throttle
    }

    pub(super) fn now(&self) -> Utc {
        (self.inner.parts.clock)()
    }

    /// [`AppState::now`] for work that outlives its request.
    pub(super) fn clock(&self) -> impl Fn() -> Utc + Send + use<> {
        let clock = self.inner.parts.clock.clone();
        move || clock()
    }

    /// Bearer token with the role admin, valid while this process lives. Local commands read it from the
    /// key file beside the store, so access to that folder is what grants it.
    pub fn local_service_token(&self) -> &str {
        &self.inner.local_service_token
    }

    /// Records an opened campaign of the first enterprise, so that views can show its title and dispositions.
    pub fn campaign_opened(&self, title: &str, rules: &Campaign) {
        self.campaign_opened_in(&Scope::first(), title, rules);
    }

    /// Records an opened campaign of this enterprise and the scope's own organisation.
    pub fn campaign_opened_in(&self, scope: &Scope, title: &str, rules: &Campaign) {
        let (id, title, rules) = (rules.id, title.to_owned(), rules.clone());
        let (enterprise, organisation) = (scope.enterprise, scope.own());
        let facts = OpenCampaignFacts { title, rules, enterprise, organisation };
        let mut campaigns = self.inner.campaigns.write().unwrap_or_else(PoisonError::into_inner);
        campaigns.insert(id, Arc::new(facts));
    }

    /// Forgets a campaign that was drained: it is opened for its tests alone.
    pub fn campaign_closed(&self, id: CampaignId) {
        self.inner.campaigns.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    pub(super) fn campaigns(&self) -> BTreeMap<CampaignId, Arc<OpenCampaignFacts>> {
        self.inner.campaigns.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The open campaign of this name, among those of the scope.
    pub(super) fn campaign_named(
        &self,
        scope: &Scope,
        name: &str,
    ) -> Option<(CampaignId, Arc<OpenCampaignFacts>)> {
        let seen = |facts: &OpenCampaignFacts| scope.holds(facts.enterprise, facts.organisation);
        self.campaigns().into_iter().find(|(_, facts)| facts.rules.name == name && seen(facts))
    }

    /// An organisation, and what a caller who belongs to it sees.
    pub(super) async fn organisation_of(&self, id: i64) -> Result<(Arc<OrganisationRow>, Scope), Problem> {
        let all = self.store().organisations().await?;
        let found = all.iter().find(|row| row.id == id).cloned();
        let mut organisation = found.ok_or_else(Problem::unauthenticated)?;
        // A part of a suspended enterprise is suspended too.
        organisation.suspended |= all.iter().any(|row| Some(row.id) == organisation.parent && row.suspended);
        let parts = all.iter().filter(|row| row.parent == Some(id)).map(|row| row.id);
        let organisations = std::iter::once(id).chain(parts).collect();
        let scope = Scope { enterprise: organisation.enterprise(), organisations };
        Ok((Arc::new(organisation), scope))
    }

    /// Begins a change in the caller's name: the one way in which the console writes. The audit says that the
    /// caller did `action` to `subject`.
    ///
    /// # Errors
    /// 403 if the caller may not do it.
    pub(super) async fn change(
        &self,
        caller: &Caller,
        action: Action,
        subject: Subject,
    ) -> Result<Change<'_>, Problem> {
        if !caller.may(action) {
            return Err(Problem::missing_right(action));
        }
        Ok(self.store().begin_change(&caller.actor(), action.word(), subject).await?)
    }

    /// A change of what is the caller's own (the account's password, preferences), which needs no right.
    pub(super) async fn change_own(
        &self,
        caller: &Caller,
        action: &str,
        subject: Subject,
    ) -> Result<Change<'_>, Problem> {
        Ok(self.store().begin_change(&caller.actor(), action, subject).await?)
    }

    /// Notes in the audit that the caller reads what is sensitive, before its first byte is sent.
    pub(super) async fn record_access(
        &self,
        caller: &Caller,
        action: Action,
        subject: Subject,
    ) -> Result<(), Problem> {
        Ok(self.store().record_access(&caller.actor(), action.word(), subject).await?)
    }

    /// Notes a look-up by number. A caller who is shown masked numbers may make few of them, or masked rows could be
    /// unmasked by trying.
    ///
    /// # Errors
    /// 429 if a caller without whole numbers has made as many in the hour.
    pub(super) async fn record_look_up(
        &self,
        caller: &Caller,
        action: Action,
        number: PhoneNumber,
    ) -> Result<(), Problem> {
        if caller.sight() == NumberSight::Masked {
            let who = format!("{:?}", caller.stream_reader());
            self.inner.look_ups.count(&who, self.now()).map_err(|secs| {
                let detail = format!(
                    "without the right to whole numbers, {LOOK_UPS_MAX} look-ups an hour are allowed"
                );
                Problem::too_many_requests(secs, detail)
            })?;
        }
        self.record_access(caller, action, Subject::of("number", text::masked(number))).await
    }

    /// Active accounts of a scope, ordered by number.
    pub(super) async fn agents_in(&self, scope: &Scope) -> Result<Vec<AgentRow>, Problem> {
        let mut rows = self.store().agents().await?;
        rows.retain(|row| scope.holds(row.enterprise, row.organisation));
        Ok(rows)
    }

    /// Active groups of a scope, ordered by name.
    pub(super) async fn groups_in(&self, scope: &Scope) -> Result<Vec<GroupRow>, Problem> {
        let mut rows = self.store().group_rows().await?;
        rows.retain(|row| scope.holds(row.enterprise, row.organisation));
        Ok(rows)
    }

    /// The active account with this agent number.
    pub(super) async fn agent_by_number(&self, scope: &Scope, number: &str) -> Result<AgentRow, Problem> {
        let found = self.agents_in(scope).await?.into_iter().find(|agent| agent.number == number);
        found.ok_or_else(|| Problem::not_found("agent"))
    }

    pub(super) async fn agent_by_id(&self, id: AgentId) -> Result<AgentRow, Problem> {
        let found = self.store().agents().await?.into_iter().find(|agent| agent.id == id);
        found.ok_or_else(|| Problem::not_found("agent"))
    }

    pub(super) async fn group_by_name(&self, scope: &Scope, name: &str) -> Result<GroupRow, Problem> {
        let found = self.groups_in(scope).await?.into_iter().find(|row| row.group.name == name);
        found.ok_or_else(|| Problem::not_found("group"))
    }

    pub(super) async fn group_names(&self) -> Result<BTreeMap<GroupId, String>, Problem> {
        Ok(self.store().groups().await?.into_iter().map(|group| (group.id, group.name)).collect())
    }

    /// Names of the scope's campaigns, open or not, by row id.
    pub(super) async fn campaign_names(&self, scope: &Scope) -> Result<BTreeMap<i64, String>, Problem> {
        let campaigns = self.store().reader().await?.campaigns().await?.into_iter();
        let own = campaigns.filter(|it| scope.holds(it.enterprise, it.organisation));
        Ok(own.map(|it| (it.id.0, it.name)).collect())
    }

    /// The numbers of all accounts, removed ones included.
    pub(super) async fn agent_numbers(&self) -> Result<BTreeMap<AgentId, String>, Problem> {
        Ok(self.store().all_agents().await?.into_iter().map(|row| (row.id, row.number)).collect())
    }

    /// Sends a new or changed account to the engine, as the store has it now.
    pub(super) async fn send_agent_to_engine(&self, id: AgentId) -> Result<AgentRow, Problem> {
        let row = self.agent_by_id(id).await?;
        self.engine().send(EngineRequest::SetAgent(Box::new(agent_account(&row)))).await;
        Ok(row)
    }
}

/// An account in the form that the engine takes.
pub fn agent_account(row: &AgentRow) -> AgentAccount {
    let phone = row.details.sip_user.clone().and_then(|user| {
        Some(PhoneSecret {
            user,
            ha1_md5: secrets::unhex(row.secrets.ha1_md5.as_deref()?)?,
            ha1_sha256: secrets::unhex(row.secrets.ha1_sha256.as_deref()?)?,
        })
    });
    AgentAccount { agent: row.agent(), phone }
}
