//! Phones that die: no callee stays joined to a dead leg, and none is joined to it.

use super::floor::staffed;
use super::*;
use crate::agent::{Activity, Availability, Holding};
use crate::dialer::output::SoundName;
use crate::ids::AgentId;

fn probes(desk: &mut Desk) -> Vec<CallId> {
    desk.take(|output| match output {
        Output::ProbeLeg { leg } => Some(*leg),
        _ => None,
    })
}

fn stopped(desk: &mut Desk, leg: CallId, rtcp: bool) {
    desk.give(Input::MediaHeard { call: leg, heard: Heard::AudioStopped { rtcp } });
}

/// Agent 1 talks with a callee over a nailed-up leg.
fn talking() -> (Desk, CallId, CallId) {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    let leg = desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    assert_eq!(desk.activity(1), Activity::Talking);
    desk.outputs.clear();
    (desk, leg, call)
}

fn music(desk: &mut Desk, call: CallId) -> bool {
    let played = desk.take(|output| match output {
        Output::Play { leg, sound: SoundName::HoldMusic } if *leg == call => Some(()),
        _ => None,
    });
    !played.is_empty()
}

#[test]
fn a_callee_leaves_a_dead_leg_and_goes_to_the_next_agent() {
    let (mut desk, leg, call) = talking();
    stopped(&mut desk, leg, false);
    assert_eq!(probes(&mut desk), [leg]);
    desk.wait(Duration::from_secs(2));
    assert!(music(&mut desk, call), "within four seconds of the last packet");
    assert_ne!(desk.activity(1), Activity::Talking);
    let rung = desk.rung();
    assert_eq!(rung.len(), 1, "the leg is raised again");
    assert_eq!(rung[0].0, AgentId(1));
    let other = desk.nailed_up(2);
    assert_eq!(desk.activity(2), Activity::Talking);
    let _ = other;
    desk.progress(call, ended(Outcome::Answered, 200));
    assert_eq!(desk.result().outcome, Outcome::Answered);
}

#[test]
fn a_phone_that_answers_the_probe_is_only_muted() {
    for (rtcp, answers) in [(false, true), (true, false)] {
        let (mut desk, leg, call) = talking();
        stopped(&mut desk, leg, rtcp);
        if answers {
            assert_eq!(probes(&mut desk), [leg]);
            desk.give(Input::LegProbed { leg, alive: true });
        }
        desk.wait(Duration::from_secs(60));
        assert_eq!((desk.activity(1), music(&mut desk, call)), (Activity::Talking, false));
        assert_eq!(desk.hang_ups(), []);
    }
}

#[test]
fn no_callee_is_joined_to_a_leg_in_doubt() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    let leg = desk.nailed_up(1);
    desk.leads(vec![lead(1)]);
    let call = desk.placing();
    stopped(&mut desk, leg, false);
    desk.progress(call, Progress::Answered);
    desk.give(Input::AnswerSaved { call });
    assert_ne!(desk.activity(1), Activity::Talking);
    desk.give(Input::LegProbed { leg, alive: true });
    assert_eq!(desk.activity(1), Activity::Talking);
}

#[test]
fn a_phone_that_restarted_gets_a_new_call_at_once() {
    // The probe finds that the dialog is unknown, or the audio stops.
    for by_probe in [true, false] {
        let (mut desk, leg, call) = talking();
        desk.give(Input::PhoneRestarted { agent: AgentId(1), same_device: true });
        assert_eq!(probes(&mut desk), [leg]);
        if by_probe {
            desk.give(Input::LegProbed { leg, alive: false });
        } else {
            desk.give(Input::LegProbed { leg, alive: true });
            stopped(&mut desk, leg, false);
        }
        assert!(music(&mut desk, call));
        let rung = desk.rung();
        assert_eq!(rung.len(), 1, "by probe: {by_probe}");
        desk.progress(rung[0].1, Progress::Answered);
        assert_eq!(desk.activity(1), Activity::Talking, "with the same callee, over the new leg");
    }
}

#[test]
fn an_agent_whose_leg_does_not_come_back_is_paused_with_the_reason() {
    let (mut desk, leg, _) = talking();
    stopped(&mut desk, leg, false);
    desk.wait(Duration::from_secs(2 + 8));
    assert_eq!(desk.seat(1).availability, Availability::Paused { reason: "phone_lost".into() });
}

#[test]
fn a_dead_phone_rung_per_call_loses_the_callee_too() {
    let mut desk = Desk::floor(staffed(Mode::Progressive));
    desk.sign_in(1, Holding::PerCall);
    desk.leads(vec![lead(1)]);
    let call = desk.answered();
    let leg = desk.rung()[0].1;
    desk.progress(leg, Progress::Answered);
    assert_eq!(desk.activity(1), Activity::Talking);
    desk.outputs.clear();
    stopped(&mut desk, leg, false);
    desk.wait(Duration::from_secs(2));
    assert!(music(&mut desk, call));
}
