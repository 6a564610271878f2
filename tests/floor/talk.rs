//! One conversation and what can be done to it, by ear.

use super::rig::{AGENT_HZ, CALLEE_HZ, Rig, Wish, share, until};
use paceline::net::rtp::Tap;
use paceline_core::agent::{Activity, AgentAct, CallSummary, Holding};

/// Waits until `more` of sound came after `seen` samples, and returns that part.
async fn hear(tap: &Tap, seen: usize, more: usize) -> Vec<i16> {
    let heard = async {
        loop {
            let linear = tap.linear();
            if linear.len() >= seen + more {
                return linear[seen..].to_vec();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(super::rig::PATIENCE, heard).await.expect("sound goes on")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agent_and_callee_hear_each_other_and_nobody_else() {
    let rig = Rig::start(Wish::default()).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    until(&mut rig.callees.seen(), |seen| seen.calls.last().is_some_and(|call| call.heard_audio)).await;
    let callee = rig.callee_call();
    let start = callee.tap.linear().len();
    let heard = hear(&callee.tap, start, 8_000).await;
    assert!(share(&heard[4_000..8_000], AGENT_HZ) > 0.9, "the callee hears the agent");
    let agent = rig.agent_call(1);
    let heard = hear(&agent.tap, agent.tap.linear().len(), 4_000).await;
    assert!(share(&heard[..4_000], CALLEE_HZ) > 0.9, "the agent hears the callee");

    rig.callees.hang_up(callee.call);
    rig.seat(1, |seat| seat.activity == Activity::WrapUp).await;
    let summary = CallSummary { disposition: "voted".into(), note: "gladly".into(), callback: None };
    rig.act(1, AgentAct::Summarise(summary)).await.unwrap();
    rig.seat(1, |seat| seat.activity == Activity::Idle).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_rung_per_call_is_bridged_too() {
    let rig = Rig::start(Wish::default()).await;
    rig.sign_in(1, Holding::PerCall).await;
    rig.talking(1).await;
    let callee = rig.callee_call();
    until(&mut rig.callees.seen(), |seen| seen.calls.last().is_some_and(|call| call.heard_audio)).await;
    let heard = hear(&callee.tap, callee.tap.linear().len(), 12_000).await;
    assert!(share(&heard[8_000..12_000], AGENT_HZ) > 0.9, "the callee hears the agent");
    rig.act(1, AgentAct::HangUp { leg: None }).await.unwrap();
    until(&mut rig.agents.seen(), |seen| seen.calls.iter().all(|call| call.ended)).await;
    rig.stop().await;
}
