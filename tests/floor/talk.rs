//! Bridged calls, hold, whisper, barge, transfer and recording, checked by the audio.

use super::rig::{AGENT_HZ, CALLEE_HZ, Rig, Wish, share, until, voice};
use paceline::net::rtp::AudioCapture;
use paceline_core::agent::{Activity, AgentAction, CallSummary, ConsultTarget, Holding, Supervision};
use paceline_core::campaign::Recorded;

/// Waits for `more` samples after the first `seen`, and returns them.
async fn hear(capture: &AudioCapture, seen: usize, more: usize) -> Vec<i16> {
    let heard = async {
        loop {
            let linear = capture.linear();
            if linear.len() >= seen + more {
                return linear[seen..].to_vec();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(super::rig::PATIENCE, heard).await.expect("sound goes on")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agent_and_callee_hear_each_other() {
    let rig = Rig::start(Wish::default()).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    until(&mut rig.callees.seen(), |seen| seen.calls.last().is_some_and(|call| call.heard_audio)).await;
    let callee = rig.callee_call();
    let start = callee.capture.linear().len();
    let heard = hear(&callee.capture, start, 8_000).await;
    assert!(clear(&heard[4_000..8_000], AGENT_HZ) > 0.9, "the callee hears the agent");
    let agent = rig.agent_call(1);
    let heard = hear(&agent.capture, agent.capture.linear().len(), 4_000).await;
    assert!(share(&heard[..4_000], CALLEE_HZ) > 0.9, "the agent hears the callee");

    rig.callees.hang_up(callee.call);
    rig.seat(1, |seat| seat.activity == Activity::WrapUp).await;
    let summary = CallSummary { disposition: "voted".into(), note: "gladly".into(), callback: None };
    rig.act(1, AgentAction::Summarise(summary)).await.unwrap();
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
    let heard = hear(&callee.capture, callee.capture.linear().len(), 12_000).await;
    assert!(clear(&heard[8_000..12_000], AGENT_HZ) > 0.9, "the callee hears the agent");
    rig.act(1, AgentAction::HangUp { leg: None }).await.unwrap();
    until(&mut rig.agents.seen(), |seen| seen.calls.iter().all(|call| call.ended)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callee_of_a_phone_that_dies_hears_music_until_the_phone_is_back() {
    let mut rig = Rig::start(Wish::default()).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    let callee = rig.callee_call();
    until(&mut rig.callees.seen(), |seen| seen.calls.last().is_some_and(|call| call.heard_audio)).await;
    // The board lags behind the live events.
    until(&mut rig.handle.board(), |board| board.seats.values().any(|it| it.activity == Activity::Talking))
        .await;
    rig.kill_phones().await;
    rig.seat(1, |seat| seat.activity != Activity::Talking).await;
    let heard = hear(&callee.capture, callee.capture.linear().len(), 20_000).await;
    let rest = &heard[4_000..20_000];
    let (loudness, agent) = (loud(rest), share(rest, AGENT_HZ));
    assert!(loudness > 100.0 && agent < 0.5, "music, and no agent: {loudness}, {agent}");
    rig.restart_phones(1).await;
    // The agent may have been paused meanwhile, with the reason.
    rig.seat(1, |seat| seat.leg_up).await;
    let _ = rig.act(1, AgentAction::Ready).await;
    rig.talking(1).await;
    let heard = hear(&callee.capture, callee.capture.linear().len(), 12_000).await;
    assert!(clear(&heard[8_000..12_000], AGENT_HZ) > 0.9, "the callee hears the agent again");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_hold_both_hear_music_and_no_speech_passes() {
    let rig = Rig::start(Wish::default()).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    let (callee, agent) = (rig.callee_call(), rig.agent_call(1));
    hear(&callee.capture, 0, 8_000).await;
    rig.act(1, AgentAction::Hold).await.unwrap();
    for (capture, hz) in [(&callee.capture, AGENT_HZ), (&agent.capture, CALLEE_HZ)] {
        // Packets under way come first, so the start is skipped.
        let heard = hear(capture, capture.linear().len(), 16_000).await;
        let rest = &heard[4_000..16_000];
        assert!(share(rest, hz) < 0.01, "speech passes on hold: {}", share(rest, hz));
        assert!(loud(rest) > 100.0, "no music: {}", loud(rest));
    }
    rig.act(1, AgentAction::Retrieve).await.unwrap();
    let heard = hear(&callee.capture, callee.capture.linear().len(), 12_000).await;
    assert!(clear(&heard[8_000..12_000], AGENT_HZ) > 0.9);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whisper_is_heard_by_the_agent_alone() {
    let rig = Rig::start(Wish { agents: 2, ..Wish::default() }).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    rig.sign_in(2, Holding::NailedUp).await;
    rig.seat(2, |seat| seat.leg_up).await;
    let whisper = 440.0;
    rig.agents.say(rig.agent_call(2).call, voice(whisper));
    let supervise = |how| AgentAction::Supervise { agent: paceline_core::ids::AgentId(1), how };
    rig.act(2, supervise(Supervision::Whisper)).await.unwrap();
    let (callee, agent, lead) = (rig.callee_call(), rig.agent_call(1), rig.agent_call(2));
    let heard = hear(&agent.capture, agent.capture.linear().len(), 16_000).await;
    assert!(clear(&heard[8_000..16_000], whisper) > 0.2, "the agent hears the whisper");
    assert!(clear(&heard[8_000..16_000], CALLEE_HZ) > 0.2, "and the callee");
    let heard = hear(&callee.capture, callee.capture.linear().len(), 8_000).await;
    assert!(share(&heard[..8_000], whisper) < 0.001, "the callee does not hear it");
    assert!(clear(&heard[4_000..8_000], AGENT_HZ) > 0.9, "the callee hears the agent");
    let heard = hear(&lead.capture, lead.capture.linear().len(), 8_000).await;
    let both = [AGENT_HZ, CALLEE_HZ].map(|hz| clear(&heard[4_000..8_000], hz));
    assert!(both.iter().all(|share| *share > 0.2), "the shift lead hears both: {both:?}");
    rig.act(2, supervise(Supervision::Barge)).await.unwrap();
    let heard = hear(&callee.capture, callee.capture.linear().len(), 12_000).await;
    assert!(clear(&heard[8_000..12_000], whisper) > 0.2, "who barges in is heard by the callee");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transferred_callee_hears_the_other_agent_across_codecs() {
    let wish = Wish {
        agents: 2,
        agent_codecs: vec![paceline_core::media::Codec::G722],
        media_threads: 2,
        ..Wish::default()
    };
    let rig = Rig::start(wish).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    rig.sign_in(2, Holding::NailedUp).await;
    rig.seat(2, |seat| seat.leg_up).await;
    let other = 440.0;
    rig.agents.say(rig.agent_call(2).call, voice(other));
    let callee = rig.callee_call();
    let heard = hear(&callee.capture, callee.capture.linear().len(), 8_000).await;
    assert!(clear(&heard[4_000..8_000], AGENT_HZ) > 0.7, "G.722 to G.711");
    let target = ConsultTarget::Agent(paceline_core::ids::AgentId(2));
    rig.act(1, AgentAction::Consult { target }).await.unwrap();
    rig.act(1, AgentAction::Transfer).await.unwrap();
    rig.talking(2).await;
    let heard = hear(&callee.capture, callee.capture.linear().len(), 12_000).await;
    assert!(clear(&heard[8_000..12_000], other) > 0.7, "the callee hears the second agent");
    rig.seat(1, |seat| seat.activity == Activity::WrapUp).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_holds_both_sides_and_is_saved_with_the_call() {
    let rig = Rig::start(Wish { recorded: Recorded::All, ..Wish::default() }).await;
    rig.sign_in(1, Holding::NailedUp).await;
    rig.talking(1).await;
    let callee = rig.callee_call();
    hear(&callee.capture, 0, 16_000).await;
    rig.callees.hang_up(callee.call);
    rig.seat(1, |seat| seat.activity == Activity::WrapUp).await;
    let mut reader = rig.store.reader().await.unwrap();
    let path = async {
        loop {
            let rows = reader.attempts(rig.campaign, 0, 10).await.unwrap();
            if let Some(path) = rows.first().and_then(|row| row.recording.clone()) {
                return path;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            reader.refresh().await.unwrap();
        }
    };
    let path = tokio::time::timeout(super::rig::PATIENCE, path).await.expect("the store knows the file");
    let bytes = std::fs::read(rig.dir.path().join("recordings").join(&path)).unwrap();
    let pairs: Vec<[i16; 2]> = bytes[44..]
        .chunks_exact(4)
        .map(|pair| [i16::from_le_bytes([pair[0], pair[1]]), i16::from_le_bytes([pair[2], pair[3]])])
        .collect();
    let (left, right): (Vec<i16>, Vec<i16>) = pairs.iter().map(|[left, right]| (*left, *right)).unzip();
    assert!(left.len() >= 14_000, "two seconds were spoken: {} samples", left.len());
    let middle = 4_000..12_000;
    assert!(clear(&left[middle.clone()], CALLEE_HZ) > 0.9, "left: the callee");
    assert!(clear(&right[middle], AGENT_HZ) > 0.9, "right: the agent");
    rig.stop().await;
}

/// A pitch's largest share in any quarter of a second, because a loaded machine may leave gaps.
fn clear(samples: &[i16], hz: f32) -> f64 {
    samples.windows(2_000).step_by(500).map(|window| share(window, hz)).fold(0.0, f64::max)
}

/// Root mean square.
fn loud(samples: &[i16]) -> f64 {
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (power / samples.len() as f64).sqrt()
}
