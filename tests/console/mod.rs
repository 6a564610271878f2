//! Tests of the console through its router: a real store in a temporary folder, and a stub behind the engine
//! handle that records requests and answers as the test says.

mod abandoned;
mod actions;
mod agents;
mod audio;
mod audit;
mod blacklist;
mod blacklist_imports;
mod call_log;
mod caller_id_approvals;
mod caller_id_registers;
mod caller_ids;
mod calls;
mod campaign_folder;
mod campaign_rows;
mod commands;
mod day_pages;
mod desk;
mod enterprises;
mod exports;
mod figures;
mod hostile;
mod idempotency;
mod lead_actions;
mod leads_table;
mod limits;
mod lists;
mod live;
mod openapi;
mod pacing;
mod pages;
mod records;
mod roles;
mod sample;
mod saved_views;
mod setup;
mod sign_in;
mod sums;
mod tokens;
mod trunks;
mod votes;
mod walk;
mod why;

use crate::store::{MORNING, ManualClock, url};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use paceline::config::settings::HttpConfig;
use paceline::console::campaign_requests::CampaignRequest;
use paceline::console::trunk_requests::{TrunkChanges, TrunkRequest};
use paceline::console::{AppState, AppStateParts, PhoneSettings, routes, secrets};
use paceline::engine::{Board, EngineHandle, EngineRequest, LiveEvent, TrunkTestRefusal};
use paceline::files::{Files, Reserve};
use paceline::metrics::Metrics;
use paceline::sealed::SealKey;
use paceline::store::{AgentDetails, Role, Secrets, Store};
use paceline::tasks::{SampleOpening, TaskParts, Tasks};
use paceline_core::agent::{AgentAction, Group, Membership, Refusal};
use paceline_core::campaign::{AgentRules, Campaign};
use paceline_core::ids::{AgentId, AttemptId, CampaignId, GroupId};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tower::ServiceExt;

const HOST: &str = "paceline.test";

/// Requests that the engine stub received, and the refusal it answers with.
#[derive(Default)]
pub struct EngineStub {
    pub actions: Vec<(AgentId, AgentAction)>,
    /// Agent number, and whether the agent has a phone.
    pub agents: Vec<(String, bool)>,
    pub gone: Vec<AgentId>,
    pub groups: Vec<Group>,
    pub others: Vec<String>,
    pub refusal: Option<Refusal>,
    /// The answer to a test call; none = the attempt 7.
    pub trunk_test: Option<Result<AttemptId, TrunkTestRefusal>>,
    pub test_refusal: Option<String>,
}

pub struct TestApp {
    pub dir: Arc<tempfile::TempDir>,
    pub store: Arc<Store>,
    pub clock: ManualClock,
    pub state: AppState,
    pub engine: Arc<Mutex<EngineStub>>,
    pub live: broadcast::Sender<LiveEvent>,
    pub board: watch::Sender<Arc<Board>>,
    pub files: Files,
    pub tasks: Tasks,
    /// Words of the requests that the service of campaigns received.
    pub campaign_requests: Arc<Mutex<Vec<String>>>,
    /// Why that service refuses the next ones.
    pub campaign_refusal: Arc<Mutex<Option<String>>>,
    router: axum::Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The session key in the cookie that a sign-in set.
    pub fn key(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().strip_prefix("paceline=").unwrap().to_owned()
    }
}

impl TestApp {
    pub async fn new() -> TestApp {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        TestApp::open(dir, ManualClock::at(MORNING)).await
    }

    pub async fn open(dir: Arc<tempfile::TempDir>, clock: ManualClock) -> TestApp {
        TestApp::with_http(dir, clock, HttpConfig::default()).await
    }

    /// With these limits and trusted proxies.
    pub async fn with_http(dir: Arc<tempfile::TempDir>, clock: ManualClock, http: HttpConfig) -> TestApp {
        TestApp::with_config(dir, clock, paceline::config::Config { http, ..Default::default() }).await
    }

    pub async fn with_config(
        dir: Arc<tempfile::TempDir>,
        clock: ManualClock,
        config: paceline::config::Config,
    ) -> TestApp {
        let store = Arc::new(open_store(dir.path(), &clock).await);
        let (asks, mut asked) = mpsc::channel(64);
        let (board, shown) = watch::channel(Arc::new(Board::default()));
        let (live, _) = broadcast::channel(8);
        let engine = Arc::new(Mutex::new(EngineStub::default()));
        let stub = engine.clone();
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                let mut stub = stub.lock().unwrap();
                match ask {
                    EngineRequest::AgentAction { agent, action, answer } => {
                        stub.actions.push((agent, action));
                        let _ = answer.send(stub.refusal.map_or(Ok(()), Err));
                    }
                    EngineRequest::SetAgent(opening) => {
                        stub.agents.push((opening.agent.number.clone(), opening.phone.is_some()));
                    }
                    EngineRequest::RemoveAgent { agent } => stub.gone.push(agent),
                    EngineRequest::SetGroup(group) => stub.groups.push(group),
                    EngineRequest::CheckDevice { answer, .. } => {
                        let _ = answer.send(Err(Refusal::NotSignedIn));
                    }
                    EngineRequest::TestTrunk(test) => {
                        let answer = stub.trunk_test.clone().unwrap_or(Ok(AttemptId(7)));
                        let _ = test.answer.send(answer);
                    }
                    EngineRequest::CallSteps { answer, .. } => {
                        let _ = answer.send(None);
                    }
                    EngineRequest::TestCall { campaign, number, opening: _, answer } => {
                        stub.others.push(format!("TestCall {campaign:?} {number}"));
                        let _ = answer.send(match &stub.test_refusal {
                            Some(why) => Err(why.clone()),
                            None => Ok(AttemptId(5)),
                        });
                    }
                    other => stub.others.push(format!("{other:?}")),
                }
            }
        });
        let handle = EngineHandle::new(asks, shown, live.clone());
        // No reserve: the disk of a build machine may be nearly full.
        let no_reserve = Reserve { bytes: 0, percent: 0 };
        let files = Files::open_with(&dir.path().join("files"), no_reserve).unwrap();
        let campaign_requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let campaign_refusal: Arc<Mutex<Option<String>>> = Arc::default();
        let (samples, mut asked_samples) = mpsc::channel::<SampleOpening>(4);
        let (seen, refusal) = (campaign_requests.clone(), campaign_refusal.clone());
        tokio::spawn(async move {
            while let Some(SampleOpening { campaign, answer }) = asked_samples.recv().await {
                seen.lock().unwrap().push(format!("sample {}", campaign.0));
                let _ = answer.send(refusal.lock().unwrap().clone().map_or(Ok(()), Err));
            }
        });
        let mut of_tasks = config.clone();
        of_tasks.recordings.dir = dir.path().join("recordings").display().to_string();
        let parts = TaskParts {
            store: store.clone(),
            files: files.clone(),
            engine: handle.clone(),
            config: Arc::new(of_tasks),
            samples: Some(samples),
            openings: None,
        };
        // Its threads begin where a test asks for them.
        let tasks = Tasks::idle(parts);
        let (campaign_service, mut asked_of_it) = mpsc::channel(4);
        let (seen, refusal) = (campaign_requests.clone(), campaign_refusal.clone());
        tokio::spawn(async move {
            while let Some(asked) = asked_of_it.recv().await {
                let refused = refusal.lock().unwrap().clone();
                let (word, answer) = match asked {
                    CampaignRequest::PrepareTest { answer, .. } => {
                        seen.lock().unwrap().push("test".to_owned());
                        let _ =
                            answer.send(Err(refused.unwrap_or_else(|| "no test is prepared here".into())));
                        continue;
                    }
                    CampaignRequest::Open { answer, .. } => ("open", answer),
                    CampaignRequest::Apply { answer, .. } => ("apply", answer),
                };
                seen.lock().unwrap().push(word.to_owned());
                let _ = answer.send(refused.map_or(Ok(()), Err));
            }
        });
        let (trunk_requests, mut asked_of_trunks) = mpsc::channel(4);
        let key = SealKey::load_or_make(&dir.path().join("paceline.secret")).unwrap();
        let trunk_changes = TrunkChanges::new(trunk_requests, key);
        let (seen, refusal) = (campaign_requests.clone(), campaign_refusal.clone());
        tokio::spawn(async move {
            while let Some(asked) = asked_of_trunks.recv().await {
                let refused = refusal.lock().unwrap().clone();
                match asked {
                    TrunkRequest::Apply { name, answer } => {
                        seen.lock().unwrap().push(format!("trunk {name}"));
                        let _ = answer.send(refused.map_or(Ok(()), Err));
                    }
                    TrunkRequest::Remove { trunk, answer } => {
                        seen.lock().unwrap().push(format!("no trunk {trunk}"));
                        // A refusal that is a number stands for calls that are up.
                        let calls = refused.and_then(|calls| calls.parse().ok());
                        let _ = answer.send(calls.map_or(Ok(()), Err));
                    }
                }
            }
        });
        let state = AppState::new(AppStateParts {
            files: files.clone(),
            tasks: tasks.clone(),
            store: store.clone(),
            engine: handle,
            metrics: Arc::new(Metrics::new()),
            clock: clock.as_clock(),
            phones: PhoneSettings {
                domain: "calls.example".into(),
                proxy: "192.0.2.7:5060".into(),
                transport: "udp".into(),
            },
            recordings: dir.path().join("recordings"),
            campaigns: None,
            list_changes: None,
            http: config.http.clone(),
            settings: paceline::config::Config::default().shown(),
            config: Arc::new(config),
            campaign_service: Some(campaign_service),
            trunk_changes: Some(trunk_changes),
        })
        .unwrap();
        let router = routes(state.clone());
        TestApp {
            dir,
            store,
            clock,
            state,
            engine,
            live,
            board,
            files,
            tasks,
            campaign_requests,
            campaign_refusal,
            router,
        }
    }

    pub async fn group(&self, name: &str) -> GroupId {
        self.store.group_named(name).await.unwrap()
    }

    /// Adds an account without a password; tests sign in by [`TestApp::key`].
    pub async fn hire(&self, number: &str, role: Role, groups: &[&str]) -> AgentId {
        let details = AgentDetails {
            name: format!("N{number}"),
            login: format!("login{number}"),
            role,
            telephone: None,
            recorded: false,
            skills: BTreeSet::new(),
            sip_user: Some(number.into()),
        };
        let id = self.store.add_agent(number, &details, &Secrets::default()).await.unwrap();
        let mut members = Vec::new();
        for group in groups {
            members.push(Membership { group: self.group(group).await, priority: 1, in_use: true });
        }
        self.store.set_memberships(id, &members).await.unwrap();
        id
    }

    /// Adds an account of every role: 8001 agent and 8002 lead of `vote`, 8003 manager, 8004 analyst, 8005
    /// admin, 8006 auditor; 8101 agent and 8102 lead of `night`.
    pub async fn staff(&self) {
        self.hire("8001", Role::Agent, &["vote"]).await;
        self.hire("8002", Role::Lead, &["vote"]).await;
        self.hire("8003", Role::Manager, &[]).await;
        self.hire("8004", Role::Analyst, &[]).await;
        self.hire("8005", Role::Admin, &[]).await;
        self.hire("8006", Role::Auditor, &[]).await;
        self.hire("8101", Role::Agent, &["night"]).await;
        self.hire("8102", Role::Lead, &["night"]).await;
    }

    pub async fn id(&self, number: &str) -> AgentId {
        let accounts = self.store.all_agents().await.unwrap();
        accounts.iter().find(|row| row.number == number).expect("she works here").id
    }

    /// Starts a session for this account; returns its key.
    pub async fn key(&self, number: &str) -> String {
        let key = format!("key of {number}");
        let until = self.clock.now() + Duration::from_secs(3600);
        self.store.add_session(&secrets::key_hash(&key), self.id(number).await, until).await.unwrap();
        key
    }

    /// Opens a campaign of this group.
    pub async fn open_campaign(&self, id: CampaignId, name: &str, group: &str) {
        let mut rules: Campaign = campaign(name);
        rules.id = id;
        rules.agents = Some(AgentRules { group: self.group(group).await, ..agent_rules() });
        self.state.campaign_opened("A title", &rules);
    }

    /// Waits until the engine stub has received every request sent so far.
    pub async fn settled(&self) {
        let _ = self.state.engine().send_agent_action(AgentId(0), AgentAction::Ready).await;
        self.engine.lock().unwrap().actions.pop();
    }

    pub async fn ask(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request; the answer must be one that the OpenAPI document describes.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        let response = self.ask(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        openapi::check_answer(&method, &path, &answer);
        answer
    }

    /// Sends a request as our own page would: with the session cookie of this account (none if it is empty).
    pub async fn by(&self, number: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send(self.request(number, method, path, body).await).await
    }

    pub async fn request(
        &self,
        number: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Request<Body> {
        let mut request = bare(method, path, body);
        request.headers_mut().insert(header::ORIGIN, format!("http://{HOST}").parse().unwrap());
        if !number.is_empty() {
            let cookie = format!("paceline={}", self.key(number).await);
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        request
    }

    pub async fn get(&self, number: &str, path: &str) -> Answer {
        self.by(number, "get", path, None).await
    }

    pub async fn post(&self, number: &str, path: &str, body: Value) -> Answer {
        self.by(number, "post", path, Some(body)).await
    }
}

/// Opens the store once the app before it has let it go: its last request, or a look at the caller IDs, may still end.
async fn open_store(dir: &std::path::Path, clock: &ManualClock) -> Store {
    for _ in 0..2_000 {
        match Store::open(&url(dir), clock.as_clock()).await {
            Err(paceline::store::StoreError::InUse { .. }) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the store is still in use after ten seconds")
}

/// A request without cookie and Origin.
pub fn bare(method: &str, path: &str, body: Option<Value>) -> Request<Body> {
    let request = Request::builder()
        .method(method.to_uppercase().as_str())
        .uri(format!("/api/v1{path}"))
        .header(header::HOST, HOST);
    match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

fn agent_rules() -> AgentRules {
    let sample = "name = \"x\"\nmode = \"progressive\"\n[list]\nfile = \"list.csv\"\n[agents]\ngroup = \"x\"\n\
                  [[dispositions]]\ncode = \"voted\"\nlabel = \"已投票\"\nstate = \"done\"\ndefault = true\n";
    loaded(sample).rules.agents.expect("agents")
}

fn campaign(name: &str) -> Campaign {
    let sample = format!(
        "name = \"{name}\"\nmode = \"announce\"\n[list]\nfile = \"list.csv\"\n[announcement]\nfile = \"a.wav\"\n"
    );
    loaded(&sample).rules
}

fn loaded(text: &str) -> paceline::config::LoadedCampaign {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campaign.toml");
    std::fs::write(&file, text).unwrap();
    paceline::config::LoadedCampaign::load(&file, &paceline::config::Config::default())
        .unwrap_or_else(|error| panic!("{error}"))
}
