//! Test rig: the whole service in one process on loopback (store, engine, SIP, media), with SIP phones for
//! agents, which register, and for callees.

use paceline::audio::{Language, Sound};
use paceline::dialplan::DialPlan;
use paceline::engine::{
    self, AgentAccount, CampaignOpening, EngineHandle, EngineRequest, LiveEvent, Parts, PhoneSecret, Prompts,
    TrunkParts,
};
use paceline::lists::LeadRow;
use paceline::metrics::Metrics;
use paceline::net::clock::Clock;
use paceline::net::rtp::{MediaConfig, MediaServer};
use paceline::net::sip::{SipSocketConfig, SipSockets};
use paceline::sim::phones::{self, PhoneCall, PhoneLogin, PhoneOptions, PhonesSeen, RunningPhones};
use paceline::store::{NewCampaign, NewImport, Store, Writer};
use paceline_core::agent::{
    Activity, Agent, AgentAction, Endpoint, Group, Holding, Membership, Refusal, SeatView, Strategy,
    WorkMode, WrapUp,
};
use paceline_core::campaign::{
    AgentRules, CalleePattern, CallerIdRules, CallingWindows, Campaign, Disposition, HomeCountry, Mode,
    PacingRules, Preview, Recorded, RetryRules, Trunk,
};
use paceline_core::ids::{AgentId, CampaignId, GroupId, TrunkId};
use paceline_core::media::Codec;
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::LeadState;
use paceline_core::sip::user_agent::{
    Incoming, Peer, PhoneAccount, RegistrarConfig, SipTrunk, Transport, UaConfig,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const REALM: &str = "paceline";
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A range of RTP ports that no other rig has been given lately and that
/// nothing is bound to now. Ranges are given out in a circle: a long run asks
/// for more ports than there are.
pub fn ports(count: u16) -> std::ops::RangeInclusive<u16> {
    const RANGE: std::ops::RangeInclusive<u16> = 25_000..=64_000;
    static NEXT: Mutex<u16> = Mutex::new(*RANGE.start());
    let mut next = NEXT.lock().unwrap();
    for _ in 0..1_000 {
        let first = if *RANGE.end() - *next < count { *RANGE.start() } else { *next };
        *next = first + count;
        let range = first..=first + count - 1;
        if range.clone().all(|port| UdpSocket::bind((LOCALHOST, port)).is_ok()) {
            return range;
        }
    }
    panic!("no {count} free ports in a row");
}

/// Settings of a rig.
pub struct Wish {
    pub agents: i64,
    pub mode: Mode,
    pub leads: u64,
    pub agent_codecs: Vec<Codec>,
    pub recorded: Recorded,
    pub media_threads: usize,
}

impl Default for Wish {
    fn default() -> Self {
        Wish {
            agents: 1,
            mode: Mode::Progressive,
            leads: 1,
            agent_codecs: vec![Codec::Pcma],
            recorded: Recorded::Never,
            media_threads: 1,
        }
    }
}

pub struct Rig {
    pub handle: EngineHandle,
    pub dir: tempfile::TempDir,
    pub agents: RunningPhones,
    pub callees: RunningPhones,
    pub registrar: SocketAddr,
    pub campaign: CampaignId,
    pub store: Store,
    engine: tokio::task::JoinHandle<()>,
    writer: Writer,
}

/// A tone of one pitch, so that a voice can be recognised by frequency.
pub fn voice(hz: f32) -> Arc<Sound> {
    let samples: Vec<f32> =
        (0..8_000).map(|n| 0.3 * (std::f32::consts::TAU * hz * n as f32 / 8_000.0).sin()).collect();
    Arc::new(Sound::from_samples("voice", &samples, 8_000))
}

pub const AGENT_HZ: f32 = 700.0;
pub const CALLEE_HZ: f32 = 1_300.0;

impl Rig {
    pub async fn start(wish: Wish) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("paceline.db").display());
        let store = Store::open(&url, Arc::new(Clock::utc)).await.unwrap();
        let resumed = store.resume().await.unwrap();
        let callees = phones::start(PhoneOptions {
            registrar: None,
            domain: "carrier".into(),
            phones: Vec::new(),
            address: LOCALHOST,
            rtp_ports: ports(1_000),
            codecs: vec![Codec::Pcma],
            answer_after: Some(Duration::from_millis(50)),
            voice: Some(voice(CALLEE_HZ)),
            keep: Duration::from_secs(20),
            service: None,
        })
        .await
        .unwrap();

        let (inbound, sip_events) = mpsc::channel(8_192);
        let listen = vec![(Transport::Udp, SocketAddr::new(LOCALHOST, 0))];
        let sockets = SipSockets::bind(SipSocketConfig::new(listen), inbound).await.unwrap();
        sockets.trust([LOCALHOST]);
        let registrar = sockets.addresses()[0].1;
        let (heard, media_events) = mpsc::unbounded_channel();
        let media = MediaServer::start(
            MediaConfig {
                bind: LOCALHOST,
                ports: ports(2_000),
                threads: wish.media_threads,
                silence: Duration::from_secs(30),
            },
            move |event| {
                let _ = heard.send(event);
            },
        )
        .unwrap();
        let (writer, store_replies) = store.start_writer();
        let peer = Peer { transport: Transport::Udp, address: callees.address() };
        let trunk = TrunkParts {
            limits: Trunk {
                id: TrunkId(0),
                name: "carrier".into(),
                calls_max: 1_000,
                calls_per_sec: 200.0,
                setup: None,
                allow: vec![CalleePattern::every()],
                deny: Vec::new(),
            },
            sip: SipTrunk::new(TrunkId(0), peer, callees.address().to_string()),
            codecs: vec![Codec::Pcma],
            rtp_follow: paceline_core::media::RtpFollow::Auto,
            dialplan: DialPlan::default(),
            certificate: None,
            not_found: None,
        };
        let (handle, engine) = engine::start(Parts {
            clock: Clock::start(),
            seed: 7,
            trunks: vec![trunk],
            ua: UaConfig {
                sent_by: vec![(Transport::Udp, registrar.to_string())],
                product: "Paceline/test".into(),
                seed: Clock::utc().as_millis() as u64,
                incoming: Incoming::Trunks,
                registrar: Some(RegistrarConfig::new(REALM)),
            },
            sockets,
            sip_events,
            media,
            media_events,
            media_address: LOCALHOST.into(),
            store: writer.sender(),
            store_replies,
            commits: store.commit_times(),
            journal: None,
            metrics: Arc::new(Metrics::new()),
            prompts: Prompts::load(Language::Zh, None).unwrap(),
            recordings: dir.path().join("recordings"),
            lookups: None,
        });
        handle
            .send(EngineRequest::Resume { work: resumed.work, dialogs: Vec::new(), phones: BTreeMap::new() })
            .await;
        let group = store.group_named("team").await.unwrap();
        handle.send(EngineRequest::SetGroup(plain_group(group))).await;
        for n in 1..=wish.agents {
            handle.send(EngineRequest::SetAgent(Box::new(opening(n, group)))).await;
        }
        let login = |n: i64| PhoneLogin { user: format!("{}", 8_000 + n), password: format!("secret-{n}") };
        let agents = phones::start(PhoneOptions {
            registrar: Some(Peer { transport: Transport::Udp, address: registrar }),
            domain: REALM.into(),
            phones: (1..=wish.agents).map(login).collect(),
            address: LOCALHOST,
            rtp_ports: ports(1_000),
            codecs: wish.agent_codecs.clone(),
            answer_after: Some(Duration::ZERO),
            voice: Some(voice(AGENT_HZ)),
            keep: Duration::from_secs(20),
            service: None,
        })
        .await
        .unwrap();
        let wanted = wish.agents as usize;
        until(&mut agents.seen(), |seen| seen.registered >= wanted).await;
        let campaign = campaign(&store, &wish, group).await;
        let id = campaign.id;
        let (leads_open, paused) = (wish.leads, false);
        let opening = CampaignOpening {
            share: Default::default(),
            campaign,
            region: "CN".into(),
            leads: wish.leads,
            leads_open,
            paused,
            sound: None,
            sorry: None,
            abandons: Vec::new(),
            past: Vec::new(),
        };
        handle.send(EngineRequest::OpenCampaign(Box::new(opening))).await;
        Rig { handle, dir, agents, callees, registrar, campaign: id, store, engine, writer }
    }

    /// The agents' phones lose their power, without a word.
    pub async fn kill_phones(&mut self) {
        self.agents = phones::start(PhoneOptions {
            registrar: None,
            domain: REALM.into(),
            phones: Vec::new(),
            address: LOCALHOST,
            rtp_ports: ports(10),
            codecs: vec![Codec::Pcma],
            answer_after: None,
            voice: None,
            keep: Duration::from_secs(1),
            service: None,
        })
        .await
        .unwrap();
    }

    /// The agents' phones start again, on other ports.
    pub async fn restart_phones(&mut self, agents: i64) {
        let login = |n: i64| PhoneLogin { user: format!("{}", 8_000 + n), password: format!("secret-{n}") };
        self.agents = phones::start(PhoneOptions {
            registrar: Some(Peer { transport: Transport::Udp, address: self.registrar }),
            domain: REALM.into(),
            phones: (1..=agents).map(login).collect(),
            address: LOCALHOST,
            rtp_ports: ports(1_000),
            codecs: vec![Codec::Pcma],
            answer_after: Some(Duration::ZERO),
            voice: Some(voice(AGENT_HZ)),
            keep: Duration::from_secs(20),
            service: None,
        })
        .await
        .unwrap();
    }

    pub async fn act(&self, n: i64, act: AgentAction) -> Result<(), Refusal> {
        self.handle.send_agent_action(AgentId(n), act).await
    }

    pub async fn sign_in(&self, n: i64, holding: Holding) {
        let act = AgentAction::SignIn {
            groups: vec![],
            endpoint: Endpoint::Phone,
            holding,
            work_mode: WorkMode::Both,
        };
        // The phone has registered; the engine may learn of it a moment later.
        let mut live = self.handle.live();
        while let Err(refusal) = self.act(n, act.clone()).await {
            assert_eq!(refusal, Refusal::PhoneNotReady);
            let _ = tokio::time::timeout(Duration::from_millis(200), live.recv()).await;
        }
    }

    /// Waits until this agent's seat is as wanted.
    pub async fn seat(&self, n: i64, wanted: impl Fn(&SeatView) -> bool) -> SeatView {
        let mut live = self.handle.live();
        let mut board = self.handle.board();
        let found = async {
            loop {
                let seat = board.borrow_and_update().seats.get(&AgentId(n)).cloned();
                if let Some(seat) = seat.filter(|seat| wanted(seat)) {
                    return (*seat).clone();
                }
                tokio::select! {
                    changed = board.changed() => changed.expect("the engine runs"),
                    event = live.recv() => {
                        if let Ok(LiveEvent::Seat(seat)) = event && seat.agent == AgentId(n) && wanted(&seat) {
                            return (*seat).clone();
                        }
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| {
            panic!(
                "agent {n} never looked as wanted: {:?}",
                self.handle.board().borrow().seats.get(&AgentId(n))
            )
        })
    }

    pub async fn talking(&self, n: i64) -> SeatView {
        self.seat(n, |seat| seat.activity == Activity::Talking).await
    }

    /// The latest call to this agent's phone.
    pub fn agent_call(&self, n: i64) -> PhoneCall {
        latest(&self.agents.seen().borrow(), &format!("{}", 8_000 + n))
    }

    pub fn callee_call(&self) -> PhoneCall {
        self.callees.seen().borrow().calls.last().cloned().expect("a callee was called")
    }

    pub async fn stop(self) {
        self.handle.send(EngineRequest::HangUpAll).await;
        self.handle.send(EngineRequest::Stop).await;
        tokio::time::timeout(PATIENCE, self.engine).await.expect("the engine leaves").unwrap();
        self.writer.close().await;
    }
}

fn latest(seen: &PhonesSeen, user: &str) -> PhoneCall {
    let found = seen.calls.iter().rev().find(|call| call.user == user);
    found.cloned().expect("the phone was called")
}

pub async fn until<T>(watched: &mut watch::Receiver<T>, wanted: impl FnMut(&T) -> bool) {
    let found = tokio::time::timeout(PATIENCE, watched.wait_for(wanted)).await;
    assert!(found.is_ok_and(|found| found.is_ok()), "it should have come by now");
}

fn plain_group(id: GroupId) -> Group {
    Group {
        id,
        name: "team".into(),
        telephones: true,
        announce_number: true,
        idle_release: None,
        work_mode: None,
        seats: None,
    }
}

pub fn opening(n: i64, group: GroupId) -> AgentAccount {
    let (number, password) = (format!("{}", 8_000 + n), format!("secret-{n}"));
    let account = PhoneAccount::with_password(&number, AgentId(n), REALM, &password);
    AgentAccount {
        agent: Agent {
            id: AgentId(n),
            number: number.clone(),
            name: format!("agent {n}"),
            skills: BTreeSet::new(),
            groups: vec![Membership { group, priority: 1, in_use: true }],
            telephone: None,
            recorded: true,
            leads: n >= 2,
        },
        phone: Some(PhoneSecret { user: number, ha1_md5: account.ha1_md5, ha1_sha256: account.ha1_sha256 }),
    }
}

async fn campaign(store: &Store, wish: &Wish, group: GroupId) -> Campaign {
    let retry = RetryRules {
        attempts_max: 3,
        per_day_max: 3,
        gap_min: Duration::from_secs(1_800),
        after: Default::default(),
    };
    let new = NewCampaign {
        name: "floor",
        title: "floor",
        mode: wish.mode.word(),
        timezone: "Asia/Shanghai",
        toml: "",
        retry: &retry,
    };
    let id = store.define_campaign(&new).await.unwrap();
    let import = NewImport {
        campaign: id,
        file: "list.csv".into(),
        fingerprint: "f".into(),
        header: vec!["phone".into()],
    };
    let mut import = store.begin_import(&import).await.unwrap();
    let rows: Vec<LeadRow> = (0..wish.leads).map(row).collect();
    import.push(&rows, &[]).await.unwrap();
    import.commit(wish.leads, "{}").await.unwrap();
    Campaign {
        id,
        name: "floor".into(),
        mode: wish.mode,
        trunks: vec![TrunkId(0)],
        ring: Duration::from_secs(30),
        setup: Duration::from_secs(30),
        concurrency_max: None,
        calls_per_sec: None,
        windows: CallingWindows::daily("Asia/Shanghai", 0, 1_440),
        start: None,
        end: None,
        retry,
        announcement: None,
        keys: Default::default(),
        caller_ids: CallerIdRules::default(),
        agents: Some(AgentRules {
            group,
            strategy: Strategy::LongestIdle,
            wrap_up: WrapUp::Answered,
            wrap_up_len: Duration::from_secs(60),
            ring: Duration::from_secs(10),
            announce_number: false,
            prefer_last: true,
            preview: Preview::Click,
            wait: Duration::from_secs(60),
            recorded: wish.recorded,
            dispositions: vec![Disposition {
                code: "voted".into(),
                label: "已投票".into(),
                state: LeadState::Done,
                retry: None,
                do_not_call: false,
                wrong_number: false,
                machine: false,
            }],
            disposition_required: true,
            disposition_default: Some("voted".into()),
        }),
        pacing: PacingRules::default(),
        home: HomeCountry::china(),
    }
}

fn row(n: u64) -> LeadRow {
    let number = PhoneNumber::from_e164(8_613_900_000_000 + n).unwrap();
    LeadRow {
        row: n + 2,
        household: None,
        name: Some(format!("owner {n}")),
        phones: vec![(number, number.national())],
        cells: vec![number.national()],
        ..LeadRow::default()
    }
}

/// A pitch's share of the power: 1 = nothing else (DFT at that frequency).
pub fn share(samples: &[i16], hz: f32) -> f64 {
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    if power == 0.0 {
        return 0.0;
    }
    let step = std::f64::consts::TAU * f64::from(hz) / 8_000.0;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        re += f64::from(*sample) * (step * n as f64).cos();
        im += f64::from(*sample) * (step * n as f64).sin();
    }
    2.0 * (re * re + im * im) / (power * samples.len() as f64)
}
