//! Simulated agents on real SIP phones: they register, sign in, talk, write summaries and sign out.

use super::rig::{AGENT_HZ, LOCALHOST, PATIENCE, Rig, Wish, opening, ports, until, voice};
use paceline::engine::{EngineRequest, LiveEvent};
use paceline::sim::agents::{Act, AgentProfile, PhoneAgents, PhoneAgentsOptions, WorkContext};
use paceline::sim::people::Spread;
use paceline::sim::phones::{PhoneLogin, PhoneOptions};
use paceline_core::agent::Availability;
use paceline_core::campaign::{Disposition, Mode};
use paceline_core::ids::GroupId;
use paceline_core::media::Codec;
use paceline_core::outcome::LeadState;
use paceline_core::sip::user_agent::{Peer, Transport};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Agents with talks of half a second, without breaks.
fn brisk() -> AgentProfile {
    AgentProfile {
        late: Spread::new(0.05, 0.0, 0.0, 0.1),
        shift: Spread::new(80_000.0, 0.0, 0.0, 86_400.0),
        between_breaks: Spread::new(80_000.0, 0.0, 0.0, 86_400.0),
        talk: Spread::new(0.5, 0.3, 0.2, 1.0),
        wrap_up: Spread::new(0.2, 0.3, 0.1, 0.5),
        answer: Spread::new(0.2, 0.3, 0.1, 0.5),
        nailed_up: 0.7,
        misses: 0.0,
        declines: 0.0,
        consults: 0.0,
        holds: 0.1,
        loses_network: 0.0,
        moves_phone: 0.0,
        forgets_summary: 0.0,
        extends: 0.0,
        callbacks: 0.0,
        own_calls: 0.0,
        clumsy: 0.0,
        supervises: 0.0,
        ..AgentProfile::default()
    }
}

async fn crew(rig: &Rig, agents: i64, profile: AgentProfile) -> PhoneAgents {
    let group = rig.store.group_named("team").await.unwrap();
    let mut people = Vec::new();
    for n in 1..=agents {
        let opening = opening(n, group);
        people.push(opening.agent.clone());
        rig.handle.send(EngineRequest::SetAgent(Box::new(opening))).await;
    }
    let login = |n: i64| PhoneLogin { user: format!("{}", 8_000 + n), password: format!("secret-{n}") };
    let options = PhoneAgentsOptions {
        seed: 11,
        agents: people,
        profile,
        context: context(rig, group),
        phones: PhoneOptions {
            registrar: Some(Peer { transport: Transport::Udp, address: rig.registrar }),
            domain: "paceline".into(),
            phones: (1..=agents).map(login).collect(),
            address: LOCALHOST,
            rtp_ports: ports(2_000),
            codecs: vec![Codec::Pcma],
            answer_after: None,
            voice: Some(voice(AGENT_HZ)),
            keep: Duration::from_secs(1),
            service: None,
        },
    };
    let handle = rig.handle.clone();
    let act: Act = Arc::new(move |agent, act| {
        let handle = handle.clone();
        Box::pin(async move { handle.send_agent_action(agent, act).await })
    });
    let (seats, told) = mpsc::unbounded_channel();
    let mut live = rig.handle.live();
    tokio::spawn(async move {
        loop {
            match live.recv().await {
                Ok(LiveEvent::Seat(seat)) if seats.send((*seat).clone()).is_err() => return,
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                _ => {}
            }
        }
    });
    PhoneAgents::start(options, act, told).await.unwrap()
}

fn context(rig: &Rig, group: GroupId) -> WorkContext {
    let voted = Disposition {
        code: "voted".into(),
        label: "已投票".into(),
        state: LeadState::Done,
        retry: None,
        do_not_call: false,
        wrong_number: false,
        machine: false,
    };
    WorkContext {
        campaign: rig.campaign,
        group,
        dispositions: vec![voted],
        leads: Vec::new(),
        outside: Vec::new(),
    }
}

async fn finished(rig: &Rig) {
    let mut live = rig.handle.live();
    let over = async { while !matches!(live.recv().await, Ok(LiveEvent::Finished { .. })) {} };
    tokio::time::timeout(PATIENCE * 4, over).await.expect("the list comes to its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_agents_on_real_phones_work_through_a_list() {
    let rig = Rig::start(Wish { agents: 0, leads: 12, mode: Mode::Progressive, ..Wish::default() }).await;
    let crew = crew(&rig, 4, brisk()).await;
    finished(&rig).await;
    let mut reader = rig.store.reader().await.unwrap();
    let rows = reader.attempts(rig.campaign, 0, 100).await.unwrap();
    let spoken = rows.iter().filter(|row| row.connected_at.is_some()).count();
    assert_eq!((rows.len(), spoken), (12, 12), "every callee answers and speaks with somebody");
    assert!(crew.seen().borrow().refused.is_empty(), "{:?}", crew.seen().borrow());
    let heard = crew.calls().borrow().calls.iter().filter(|call| call.heard_audio).count();
    assert!(heard >= 4, "{heard} calls brought sound to the phones");
    crew.sign_out_all();
    until(&mut crew.seen(), |seen| seen.signed_in == 0).await;
    let gone = |board: &Arc<paceline::engine::Board>| {
        board.seats.values().all(|seat| seat.availability == Availability::SignedOut)
    };
    until(&mut rig.handle.board(), gone).await;
    rig.stop().await;
}

/// Measures the CPU time of 300 simulated agents; run by hand, prints its figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn three_hundred_agents_cost_little_cpu() {
    let wish = Wish { agents: 0, leads: 3_000, mode: Mode::Progressive, media_threads: 2, ..Wish::default() };
    let rig = Rig::start(wish).await;
    let long = Spread::new(15.0, 0.5, 5.0, 60.0);
    let crew = crew(&rig, 300, AgentProfile { talk: long, nailed_up: 1.0, ..brisk() }).await;
    let cpu = || -> f64 {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        fields.iter().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    };
    tokio::time::timeout(PATIENCE * 4, crew.seen().wait_for(|seen| seen.signed_in == 300))
        .await
        .unwrap()
        .unwrap();
    let mut most = 0;
    for _ in 0..4 {
        let (before, at) = (cpu(), std::time::Instant::now());
        tokio::time::sleep(Duration::from_secs(10)).await;
        let cores = (cpu() - before) / at.elapsed().as_secs_f64();
        let seen = crew.seen().borrow().clone();
        most = most.max(seen.talking);
        println!(
            "{} talking of {} signed in: {cores:.2} cores (service, agents and callees)",
            seen.talking, seen.signed_in
        );
    }
    assert!(most > 100, "{most} talked at once");
    rig.stop().await;
}
