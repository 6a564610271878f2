//! Simulated agents of `paceline demo` and of the sample campaign: their accounts, and SIP phones that register with
//! the running service.

use super::Failure;
use crate::config::LoadedCampaign;
use crate::engine::{EngineHandle, LiveEvent};
use crate::sim::agents::{Act, AgentProfile, PhoneAgents, PhoneAgentsOptions, WorkContext};
use crate::sim::near_service::NearService;
use crate::sim::people::Spread;
use crate::sim::phones::{PhoneLogin, PhoneOptions};
use crate::sim::tones;
use crate::store::{AgentDetails, Role, Secrets, Store};
use paceline_core::agent::{Agent, Membership, SeatView};
use paceline_core::ids::{AgentId, CampaignId, GroupId};
use paceline_core::media::Codec;
use paceline_core::sip::user_agent::{Peer, PhoneAccount, Transport};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Address and RTP ports of the simulated phones.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const RTP_PORTS: std::ops::RangeInclusive<u16> = 50_000..=51_999;

/// How many agents are simulated, and how they behave.
pub(super) struct Crew {
    pub agents: u32,
    pub profile: AgentProfile,
}

/// Agents with an account, and the logins of their phones.
pub(super) struct DemoAgents {
    agents: Vec<Agent>,
    logins: Vec<PhoneLogin>,
}

/// Creates `count` accounts from 8001 on. 8001 is the shift lead; passwords are drawn for this run.
pub(super) async fn create(
    store: &Store,
    group: GroupId,
    count: u32,
    realm: &str,
) -> Result<DemoAgents, Failure> {
    let mut created = DemoAgents { agents: Vec::new(), logins: Vec::new() };
    for n in 1..=count {
        let number = format!("{}", 8_000 + n);
        let password = format!("{:016x}", random_word());
        let account = PhoneAccount::with_password(&number, AgentId(0), realm, &password);
        let details = AgentDetails {
            name: format!("坐席 {number}"),
            login: format!("agent{number}"),
            role: if n == 1 { Role::Lead } else { Role::Agent },
            telephone: None,
            recorded: false,
            skills: Default::default(),
            sip_user: Some(number.clone()),
        };
        let secrets = Secrets {
            password: String::new(),
            ha1_md5: Some(hex(&account.ha1_md5)),
            ha1_sha256: Some(hex(&account.ha1_sha256)),
        };
        let id = store.add_agent(&number, &details, &secrets).await.map_err(Failure::unexpected)?;
        let membership = Membership { group, priority: 1, in_use: true };
        store.set_memberships(id, &[membership]).await.map_err(Failure::unexpected)?;
        created.agents.push(Agent {
            id,
            number: number.clone(),
            name: details.name,
            skills: details.skills,
            groups: vec![membership],
            telephone: None,
            recorded: false,
            leads: n == 1,
        });
        created.logins.push(PhoneLogin { user: number, password });
    }
    Ok(created)
}

impl DemoAgents {
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }
}

/// The simulated agents of a sample campaign, with new passwords for their phones: no earlier process's are kept.
pub(super) async fn equip(store: &Store, campaign: CampaignId, realm: &str) -> Result<DemoAgents, Failure> {
    let mut equipped = DemoAgents { agents: Vec::new(), logins: Vec::new() };
    for row in store.simulated_agents(campaign).await.map_err(Failure::unexpected)? {
        let Some(user) = row.details.sip_user.clone() else { continue };
        let password = format!("{:016x}", random_word());
        let account = PhoneAccount::with_password(&user, row.id, realm, &password);
        let secrets = Secrets {
            password: String::new(),
            ha1_md5: Some(hex(&account.ha1_md5)),
            ha1_sha256: Some(hex(&account.ha1_sha256)),
        };
        store.set_secrets(row.id, &secrets).await.map_err(Failure::unexpected)?;
        // The phones are found by their user names.
        equipped.agents.push(Agent { number: user.clone(), ..row.agent() });
        equipped.logins.push(PhoneLogin { user, password });
    }
    Ok(equipped)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random 64-bit word, for passwords that only this run needs.
fn random_word() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

/// What agents are started with.
pub(super) struct CrewStart<'a> {
    pub registrar: SocketAddr,
    pub domain: &'a str,
    pub service: NearService,
    pub staff: DemoAgents,
    pub profile: AgentProfile,
}

/// Starts the agents: their phones register, and they take calls until `sign_out_all`.
pub(super) async fn start(
    handle: &EngineHandle,
    start: CrewStart<'_>,
    loaded: &LoadedCampaign,
    campaign: CampaignId,
) -> Result<PhoneAgents, Failure> {
    let CrewStart { registrar, domain, service, staff: created, profile } = start;
    let rules = loaded.rules.agents.as_ref();
    let group = created.agents.first().and_then(|agent| agent.groups.first()).map(|of| of.group);
    let context = WorkContext {
        campaign,
        group: group.unwrap_or(GroupId(0)),
        dispositions: rules.map(|rules| rules.dispositions.clone()).unwrap_or_default(),
        leads: Vec::new(),
        outside: Vec::new(),
    };
    let voice = tones::greeting(crate::sim::Behaviour::Answer);
    let voice: Vec<f32> = voice.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let options = PhoneAgentsOptions {
        seed: random_word(),
        agents: created.agents,
        profile,
        context,
        phones: PhoneOptions {
            registrar: Some(Peer { transport: Transport::Udp, address: registrar }),
            domain: domain.into(),
            phones: created.logins,
            address: ADDRESS,
            rtp_ports: RTP_PORTS,
            codecs: vec![Codec::Pcma],
            answer_after: None,
            voice: Some(Arc::new(crate::audio::Sound::from_samples("agent", &voice, tones::RATE))),
            keep: Duration::ZERO,
            service: Some(service),
        },
    };
    let engine = handle.clone();
    let act: Act = Arc::new(move |agent, act| {
        let engine = engine.clone();
        Box::pin(async move { engine.send_agent_action(agent, act).await })
    });
    let (changed, seats) = mpsc::unbounded_channel();
    tokio::spawn(forward_seats(handle.clone(), changed));
    PhoneAgents::start(options, act, seats).await.map_err(Failure::unexpected)
}

/// AgentProfile for a short demonstration: short talks and breaks, now and then a hold, a consult, a callback.
pub(super) fn demo_habits() -> AgentProfile {
    AgentProfile {
        late: Spread::new(2.0, 0.8, 0.1, 10.0),
        between_breaks: Spread::new(120.0, 0.5, 30.0, 600.0),
        a_break: Spread::new(15.0, 0.5, 5.0, 60.0),
        talk: Spread::new(12.0, 0.6, 3.0, 60.0),
        wrap_up: Spread::new(4.0, 0.5, 1.0, 15.0),
        whim: Spread::new(30.0, 0.7, 5.0, 120.0),
        own_mode: 0.0,
        callbacks: 0.0,
        own_calls: 0.0,
        clumsy: 0.0,
        forgets_sign_out: 0.0,
        ..AgentProfile::default()
    }
}

/// As [`demo_habits`], for as long as the sample campaign has leads.
pub(super) fn sample_habits() -> AgentProfile {
    const WEEK: f64 = 7.0 * 86_400.0;
    AgentProfile { shift: Spread::new(WEEK, 0.0, WEEK, WEEK), ..demo_habits() }
}

/// Forwards every changed seat to the simulated agents, until the engine or the agents stop.
async fn forward_seats(handle: EngineHandle, changed: mpsc::UnboundedSender<SeatView>) {
    let mut live = handle.live();
    // A handle kept here would keep the engine running.
    drop(handle);
    loop {
        match live.recv().await {
            Ok(LiveEvent::Seat(seat)) if changed.send((*seat).clone()).is_err() => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
