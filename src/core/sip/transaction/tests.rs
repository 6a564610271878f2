//! Checks the state machines against the timer tables of RFC 3261 section 17 and RFC 6026.

use super::*;

const fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// Every retransmission time of the machine, then its end and the time of it.
macro_rules! run {
    ($machine:expr) => {{
        let mut copies = Vec::new();
        loop {
            let Some(wake) = $machine.next_wake() else { break (copies, Due::Nothing, at(0)) };
            match $machine.handle_timeout(wake) {
                Due::Resend => copies.push(wake.as_millis()),
                Due::Nothing => panic!("woken for nothing at {wake}"),
                end => break (copies, end, wake),
            }
        }
    }};
}

#[test]
fn an_unanswered_invite_is_sent_seven_times_and_given_up_after_32_seconds() {
    let mut invite = ClientInvite::new(at(0), false);
    let (copies, end, when) = run!(invite);
    assert_eq!(copies, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!((end, when), (Due::TimedOut, at(32_000)));
}

#[test]
fn over_a_reliable_transport_nothing_is_repeated() {
    let mut invite = ClientInvite::new(at(0), true);
    assert_eq!(run!(invite), (vec![], Due::TimedOut, at(32_000)));
    let mut bye = Client::new(at(0), true);
    assert_eq!(run!(bye), (vec![], Due::TimedOut, at(32_000)));
    let mut invite = ClientInvite::new(at(0), true);
    assert_eq!(invite.handle_response(at(10), 486), ResponseAction::PassAndAcknowledge);
    assert_eq!(run!(invite), (vec![], Due::Over, at(10)));
}

#[test]
fn timer_b_stops_at_the_first_provisional() {
    let mut invite = ClientInvite::new(at(0), false);
    assert_eq!(invite.handle_response(at(400), 100), ResponseAction::Pass);
    assert_eq!(invite.next_wake(), None);
    assert_eq!(invite.handle_timeout(at(400_000)), Due::Nothing);
    assert_eq!(invite.handle_response(at(400_000), 180), ResponseAction::Pass);
    assert_eq!(invite.handle_response(at(400_100), 200), ResponseAction::Pass);
}

#[test]
fn a_refusal_is_acknowledged_each_time_for_32_seconds() {
    let mut invite = ClientInvite::new(at(0), false);
    assert_eq!(invite.handle_response(at(100), 486), ResponseAction::PassAndAcknowledge);
    assert_eq!(invite.handle_response(at(600), 486), ResponseAction::Acknowledge);
    assert_eq!(invite.handle_response(at(700), 180), ResponseAction::Absorb);
    assert_eq!(invite.handle_response(at(700), 200), ResponseAction::Absorb);
    assert_eq!(run!(invite), (vec![], Due::Over, at(32_100)));
}

#[test]
fn every_2xx_is_passed_on_while_accepted_and_the_ack_renews_the_wait() {
    let mut invite = ClientInvite::new(at(0), false);
    for moment in [100, 600, 1_600] {
        assert_eq!(invite.handle_response(at(moment), 200), ResponseAction::Pass);
    }
    assert_eq!(invite.handle_response(at(1_700), 486), ResponseAction::Absorb);
    assert_eq!(invite.next_wake(), Some(at(32_100)));
    invite.extend_accepted(at(5_000));
    assert_eq!(run!(invite), (vec![], Due::Over, at(37_000)));
}

#[test]
fn a_stand_in_waits_32_seconds_for_what_another_process_left() {
    let mut invite = ClientInvite::resume(at(1_000), false);
    assert_eq!(run!(invite.clone()), (vec![], Due::TimedOut, at(33_000)));
    assert_eq!(invite.handle_response(at(2_000), 487), ResponseAction::PassAndAcknowledge);
}

#[test]
fn an_unanswered_bye_is_sent_eleven_times_and_given_up_after_32_seconds() {
    let mut bye = Client::new(at(0), false);
    let (copies, end, when) = run!(bye);
    assert_eq!(copies, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!((end, when), (Due::TimedOut, at(32_000)));
}

#[test]
fn a_provisional_slows_a_non_invite_request_to_t2_and_timer_f_still_ends_it() {
    let mut bye = Client::new(at(0), false);
    assert_eq!(bye.handle_response(at(100), 100), ResponseAction::Pass);
    let (copies, end, when) = run!(bye);
    assert_eq!(copies, [4_100, 8_100, 12_100, 16_100, 20_100, 24_100, 28_100]);
    assert_eq!((end, when), (Due::TimedOut, at(32_000)));
}

#[test]
fn a_completed_request_absorbs_copies_for_t4() {
    let mut bye = Client::new(at(0), false);
    assert_eq!(bye.handle_response(at(100), 200), ResponseAction::Pass);
    assert_eq!(bye.handle_response(at(200), 200), ResponseAction::Absorb);
    assert!(bye.is_final());
    assert_eq!(run!(bye), (vec![], Due::Over, at(5_100)));
}

#[test]
fn a_silent_server_invite_says_100_after_200_ms() {
    let mut invite = ServerInvite::new(at(0), false);
    assert_eq!(invite.handle_repeat(), RepeatAction::Absorb);
    assert_eq!(invite.handle_timeout(at(200)), Due::Trying);
    assert!(invite.respond(at(200), 100));
    assert_eq!(invite.next_wake(), None);
    assert_eq!(invite.handle_repeat(), RepeatAction::Resend);
}

#[test]
fn a_refusal_is_repeated_until_its_ack_comes() {
    let mut invite = ServerInvite::new(at(0), false);
    assert!(invite.respond(at(0), 486));
    assert!(!invite.respond(at(0), 200), "one final response only");
    let mut unheard = invite.clone();
    let (copies, end, when) = run!(unheard);
    assert_eq!(copies, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!((end, when), (Due::TimedOut, at(32_000)));
    assert_eq!(invite.handle_repeat(), RepeatAction::Resend);
    assert!(!invite.handle_ack(at(600)), "the transaction takes this ACK");
    assert_eq!(invite.handle_repeat(), RepeatAction::Absorb);
    assert_eq!(run!(invite), (vec![], Due::Over, at(5_600)));
}

#[test]
fn an_accepted_server_invite_absorbs_copies_and_passes_the_ack() {
    let mut invite = ServerInvite::new(at(0), false);
    assert!(invite.respond(at(0), 180));
    assert!(invite.respond(at(5_000), 200));
    assert_eq!(invite.handle_repeat(), RepeatAction::Absorb);
    assert!(invite.handle_ack(at(5_100)));
    assert_eq!(run!(invite), (vec![], Due::Over, at(37_000)));
}

#[test]
fn a_server_request_repeats_its_response_for_32_seconds() {
    let mut options = Server::new(at(0), false);
    assert_eq!(options.handle_repeat(), RepeatAction::Absorb);
    assert!(options.respond(at(10), 200));
    assert!(!options.respond(at(10), 500));
    assert_eq!(options.handle_repeat(), RepeatAction::Resend);
    assert_eq!(run!(options), (vec![], Due::Over, at(32_010)));
    let mut options = Server::new(at(0), true);
    assert!(options.respond(at(10), 200));
    assert_eq!(run!(options), (vec![], Due::Over, at(10)));
}
