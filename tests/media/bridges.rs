//! Bridges and conferences: who hears whom, byte for byte where nothing has to be transcoded.

use super::floor::{Floor, MIX, contains, find, heard_bytes, linear, presence, said, voice};
use super::plain_socket::PlainSocket;
use super::{TestMedia, target};
use paceline::net::rtp::{AudioCapture, MediaCommand, MediaEvent, Voice};
use paceline_core::call::{Digit, Heard};
use paceline_core::ids::{CallId, MixId};
use paceline_core::media::Codec;
use paceline_core::media::quality::{Fault, judge};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn two_legs_of_one_codec_hear_each_other_byte_for_byte() {
    for codec in Codec::ALL {
        let floor = Floor::open(1);
        let (callee, agent) = floor.bridge(codec, codec);
        let (question, answer) = (voice(300.0, 1.0), voice(900.0, 1.0));
        floor.talk((&agent, &question), (&callee, &answer));
        for (person, wanted) in [(&callee, &question), (&agent, &answer)] {
            let heard = heard_bytes(&person.hears);
            assert!(contains(&heard, said(wanted, codec)), "{codec:?}: not what was said");
            assert_eq!(person.hears.payloads().len(), 1, "one stream");
        }
    }
}

/// A callee with A-law and an agent with another codec say something to each other; each hears it at least
/// `alike`, at most `decibels` louder or softer.
#[track_caller]
fn callee_and_agent_hear_each_other(agents: Codec, secs: f64, alike_min: f64, decibels: f64) {
    let floor = Floor::open(1);
    let (callee, agent) = floor.bridge(Codec::Pcma, agents);
    let (question, answer) = (voice(300.0, secs), voice(900.0, secs));
    floor.talk((&agent, &question), (&callee, &answer));
    for (listener, said, codec) in [(&callee, &question, agents), (&agent, &answer, Codec::Pcma)] {
        let (_, alike, level) = find(&listener.hears.linear(), &linear(said, codec));
        assert!(alike > alike_min && level.abs() < decibels, "alike {alike:.4}, {level:.2} dB");
    }
}

#[test]
fn a_law_and_mu_law_bridge_without_loss_of_level_or_time() {
    callee_and_agent_hear_each_other(Codec::Pcmu, 1.0, 0.999, 0.1);
}

#[test]
fn g722_and_g711_bridge_with_little_loss() {
    callee_and_agent_hear_each_other(Codec::G722, 1.5, 0.97, 0.5);
}

#[test]
fn in_a_conference_of_three_each_hears_the_other_two() {
    let floor = Floor::open(1);
    let people = [floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcmu), floor.person(3, Codec::G722)];
    let voices = [voice(300.0, 1.0), voice(700.0, 1.0), voice(1_300.0, 1.0)];
    people.iter().for_each(|person| floor.join(person, Voice::Everyone));
    floor.wait_delivered(&people[0], &people[1]);
    for (person, sound) in people.iter().zip(&voices) {
        floor.say(person, sound);
    }
    floor.wait_delivered(&people[0], &people[1]);
    floor.wait_delivered(&people[1], &people[2]);
    floor.wait_delivered(&people[2], &people[0]);
    for (n, listener) in people.iter().enumerate() {
        let heard = listener.hears.linear();
        for (m, speaker) in people.iter().enumerate() {
            let (_, alike, level) = find(&heard, &linear(&voices[m], speaker.codec));
            if n == m {
                assert!(alike < 0.3, "{n} hears itself: {alike:.3}");
            } else {
                assert!(alike > 0.95 && level.abs() < 1.0, "{n} hears {m}: {alike:.3}, {level:.2} dB");
            }
        }
    }
}

#[test]
fn a_whisper_is_heard_by_the_agent_alone_and_a_listener_by_nobody() {
    let floor = Floor::open(2);
    let (callee, agent) = (floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcma));
    let (coach, listener) = (floor.person(3, Codec::Pcma), floor.person(4, Codec::Pcmu));
    floor.join(&callee, Voice::Everyone);
    floor.join(&agent, Voice::Everyone);
    floor.join(&coach, Voice::Only(agent.leg));
    floor.join(&listener, Voice::Nobody);
    floor.wait_delivered(&callee, &agent);
    floor.wait_delivered(&callee, &coach);
    let (answer, whisper, muttered) = (voice(300.0, 1.0), voice(900.0, 1.0), voice(1_500.0, 1.0));
    floor.say(&listener, &muttered);
    floor.start_saying(&coach, &whisper);
    floor.wait_said(&coach);
    floor.say(&callee, &answer);
    floor.wait_delivered(&callee, &agent);
    floor.wait_delivered(&callee, &listener);
    floor.wait_delivered(&agent, &callee);
    let hears = |person: &super::floor::Person, said: &Arc<paceline::audio::Sound>| {
        presence(&person.hears.linear(), &linear(said, Codec::Pcma))
    };
    for (who, person, answer_heard, whisper_heard) in [
        ("callee", &callee, false, false),
        ("agent", &agent, true, true),
        ("coach", &coach, true, false),
        ("listener", &listener, true, false),
    ] {
        for (what, said, wanted) in [
            ("answer", &answer, answer_heard),
            ("whisper", &whisper, whisper_heard),
            ("muttering", &muttered, false),
        ] {
            let found = hears(person, said);
            assert!(if wanted { found > 0.95 } else { found < 0.3 }, "{who} and the {what}: {found:.3}");
        }
    }
    // The callee's only input was relayed, never transcoded.
    floor.say(&agent, &answer);
    floor.wait_delivered(&agent, &callee);
    assert!(contains(&heard_bytes(&callee.hears), said(&answer, Codec::Pcma)));
}

#[test]
fn hold_silences_the_agent_and_talk_resumes_afterwards() {
    let floor = Floor::open(1);
    let (callee, agent) = (floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcma));
    floor.join(&callee, Voice::Everyone);
    floor.join(&agent, Voice::Everyone);
    floor.wait_delivered(&agent, &callee);
    // Hold by us: the callee hears music instead of the agent.
    let (music, secret, back) = (voice(2_000.0, 0.5), voice(300.0, 0.6), voice(900.0, 0.6));
    floor.ours.room.command(callee.leg, MediaCommand::Play { sound: music.clone(), plays: 0 });
    floor.say(&agent, &secret);
    floor.say(&callee, &back);
    floor.wait_delivered(&callee, &agent);
    floor.ours.room.command(callee.leg, MediaCommand::StopPlaying);
    floor.wait_delivered(&agent, &callee);
    assert!(contains(&heard_bytes(&agent.hears), said(&back, Codec::Pcma)), "the held one is still heard");
    let heard = heard_bytes(&callee.hears);
    let twice = [said(&music, Codec::Pcma), &music.encoded(Codec::Pcma)[..]].concat();
    assert!(contains(&heard, &twice), "music goes round");
    assert!(presence(&callee.hears.linear(), &linear(&secret, Codec::Pcma)) < 0.3);
    // Hold by the far end: nothing is sent to it.
    floor.hold(&callee, true);
    floor.say(&agent, &secret);
    floor.hold(&callee, false);
    floor.wait_delivered(&agent, &callee);
    floor.say(&agent, &back);
    floor.wait_delivered(&agent, &callee);
    let heard = callee.hears.linear();
    assert!(presence(&heard, &linear(&secret, Codec::Pcma)) < 0.3);
    assert!(contains(&heard_bytes(&callee.hears), said(&back, Codec::Pcma)));
}

#[test]
fn digits_pass_a_bridge_unless_their_sender_is_muted() {
    let floor = Floor::open(1);
    let (callee, agent) = (floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcma));
    floor.join(&callee, Voice::Everyone);
    floor.join(&agent, Voice::Nobody);
    let press = |person: &super::floor::Person, keys: &str| {
        let keys = keys.chars().map(|key| Digit::from_char(key).unwrap()).collect();
        floor.telephones.room.command(person.telephone, MediaCommand::SendDigits(keys));
    };
    press(&agent, "99");
    assert_eq!(floor.ours.wait_keys(agent.leg, 2), "99", "we hear the keys of a muted leg");
    press(&callee, "42#");
    assert_eq!(floor.telephones.wait_keys(agent.telephone, 3), "42#");
    floor.join(&agent, Voice::Everyone);
    press(&agent, "7");
    assert_eq!(floor.telephones.wait_keys(callee.telephone, 1), "7", "the 9s did not come before it");
}

#[test]
fn a_mix_across_threads_loses_and_doubles_no_packet() {
    for turn in 0..4 {
        let floor = Floor::open(3);
        // Their call ids put them on different threads.
        let people = [floor.person(3, Codec::Pcma), floor.person(4, Codec::Pcma)];
        let (first, second) = (&people[turn % 2], &people[1 - turn % 2]);
        let told = voice(400.0, 1.2);
        // Played while both legs move.
        floor.start_saying(second, &told);
        floor.join(first, Voice::Everyone);
        floor.join(second, Voice::Everyone);
        // Through other mixes and back: commands stay in order.
        for mix in [MixId(6), MixId(7), MIX] {
            floor.ours.room.command(second.leg, MediaCommand::Join { mix, voice: Voice::Everyone });
        }
        floor.wait_said(second);
        let whole = voice(800.0, 0.6);
        floor.wait_delivered(second, first);
        floor.say(first, &whole);
        floor.wait_delivered(first, second);
        assert!(contains(&heard_bytes(&second.hears), said(&whole, Codec::Pcma)));
        for person in &people {
            floor.ours.room.command(person.leg, MediaCommand::Close);
        }
        for _ in 0..2 {
            let stats = floor.ours.wait_for(|event| match event {
                MediaEvent::Closed { stats, .. } => Some(*stats),
                _ => None,
            });
            assert_eq!((stats.packets_lost, stats.packets_refused), (0, 0), "{stats:?}");
        }
        assert_eq!(floor.ours.room.totals().legs_open, 0);
    }
}

#[test]
fn a_leg_that_leaves_is_replaced_by_silence_without_a_break() {
    let (near, a, b) = (TestMedia::open(), PlainSocket::open(), PlainSocket::open());
    for (leg, far) in [(CallId(1), &a), (CallId(2), &b)] {
        near.room.open_leg(leg).unwrap();
        near.room.command(leg, MediaCommand::Connect(target(far.address, Codec::Pcma)));
        near.room.command(leg, MediaCommand::Join { mix: MIX, voice: Voice::Everyone });
    }
    let ours = a.receive().from;
    // In step with the received packets, so that both sides send at the same rate.
    let mut kept = vec![b.receive()];
    for n in 0..20 {
        a.send(ours, 8, n, 77, &[n as u8 | 0x40; 160]);
        a.receive();
        kept.push(b.receive());
    }
    near.room.command(CallId(1), MediaCommand::Leave);
    kept.extend((0..20).map(|_| b.receive()));
    for pair in kept.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 8_000, "time goes on");
        assert_ne!(pair[1].timestamp, pair[0].timestamp);
        assert_eq!(pair[1].ssrc, pair[0].ssrc, "our own source, not the speaker's");
    }
    assert_eq!(
        kept.iter().filter(|packet| packet.payload[0] & 0xE0 == 0x40).count(),
        20,
        "all of it was heard"
    );
    assert!(kept.last().unwrap().payload.iter().all(|&byte| byte == 0xD5), "then silence");
}

#[test]
fn a_flooded_member_does_not_disturb_other_members() {
    let floor = Floor::open(1);
    let (callee, agent) = (floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcma));
    let (other, friend) = (floor.person(3, Codec::Pcma), floor.person(4, Codec::Pcma));
    floor.join(&callee, Voice::Everyone);
    floor.join(&agent, Voice::Everyone);
    for person in [&other, &friend] {
        let join = MediaCommand::Join { mix: MixId(6), voice: Voice::Everyone };
        floor.ours.room.command(person.leg, join);
    }
    floor.wait_delivered(&callee, &agent);
    floor.wait_delivered(&other, &friend);
    let stranger = PlainSocket::open();
    let told = voice(500.0, 1.0);
    for shot in 0..20_000u16 {
        stranger.send(callee.ours, 8, shot, 66, &[0x66; 160]);
        if shot == 2_000 {
            floor.start_saying(&callee, &told);
        }
    }
    floor.wait_said(&callee);
    floor.say(&other, &told);
    floor.wait_delivered(&callee, &agent);
    floor.wait_delivered(&other, &friend);
    for person in [&agent, &friend] {
        let heard = heard_bytes(&person.hears);
        assert!(!contains(&heard, &[0x66; 160]), "the stranger is not heard");
        assert!(contains(&heard, said(&told, Codec::Pcma)), "all of it came through");
    }
}

#[test]
fn a_leg_is_measured_when_asked() {
    let floor = Floor::open(1);
    let (callee, agent) = (floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcma));
    floor.join(&callee, Voice::Everyone);
    floor.join(&agent, Voice::Everyone);
    floor.say(&callee, &voice(500.0, 0.5));
    floor.wait_delivered(&callee, &agent);
    let measure = |leg: CallId| {
        floor.ours.room.command(leg, MediaCommand::Measure);
        floor.ours.wait_for(|event| match event {
            MediaEvent::Measured { leg: found, stats } if *found == leg => Some(*stats),
            _ => None,
        })
    };
    // A sine of 0.3 is 13.5 dB below overload.
    let (callee, agent) = (measure(callee.leg), measure(agent.leg));
    assert_eq!(callee.heard_dbov, Some(-13), "{callee:?}");
    assert_eq!(agent.sent_dbov, Some(-13), "{agent:?}");
    assert!(agent.heard_dbov.is_some_and(|level| level < -60), "{agent:?}");
    assert_eq!(callee.packets_lost, 0);
}

#[test]
fn a_device_check_plays_back_the_agents_voice_and_grades_it() {
    let floor = Floor::open(1);
    let agent = floor.person(1, Codec::Pcma);
    let kept = AudioCapture::new(Duration::from_secs(3));
    floor.ours.room.command(agent.leg, MediaCommand::Capture(kept.clone()));
    let told = voice(600.0, 0.8);
    floor.say(&agent, &told);
    floor.ours.room.command(agent.leg, MediaCommand::Measure);
    let stats = floor.ours.wait_for(|event| match event {
        MediaEvent::Measured { stats, .. } => Some(*stats),
        _ => None,
    });
    assert_eq!(stats.packets_lost, 0);
    assert_ne!(judge(&stats.measured()).fault, Some(Fault::Silent), "{stats:?}");
    let sound = Arc::new(kept.sound("device check"));
    floor.ours.room.command(agent.leg, MediaCommand::Play { sound, plays: 1 });
    floor.ours.wait_heard(agent.leg, &Heard::PlayEnded);
    floor.wait_delivered_from_us(&agent);
    assert!(contains(&heard_bytes(&agent.hears), said(&told, Codec::Pcma)), "what was said comes back");
}

#[test]
fn relaying_keeps_loss_and_reordering_as_received() {
    let (near, a, b) = (TestMedia::open(), PlainSocket::open(), PlainSocket::open());
    for (leg, far) in [(CallId(1), &a), (CallId(2), &b)] {
        near.room.open_leg(leg).unwrap();
        near.room.command(leg, MediaCommand::Connect(target(far.address, Codec::Pcma)));
        near.room.command(leg, MediaCommand::Join { mix: MIX, voice: Voice::Everyone });
    }
    let ours = a.receive().from;
    // In one burst: the 6th is lost, the 3rd and 4th are swapped.
    for n in [0, 1, 3, 2, 4, 6, 7] {
        a.send(ours, 8, n, 77, &[n as u8 | 0x40; 160]);
    }
    let heard = |packet: &super::plain_socket::KeptPacket| {
        let byte = packet.payload[0];
        (byte & 0xF0 == 0x40).then_some(u16::from(byte & 0x0F))
    };
    let kept = b.receive_until(|packet| heard(packet) == Some(7));
    let passed: Vec<_> = kept.iter().filter_map(|packet| Some((heard(packet)?, packet))).collect();
    let first = passed[0].1;
    let mut numbers: Vec<u16> = passed.iter().map(|(n, _)| *n).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 6, 7]);
    for (n, packet) in &passed {
        assert_eq!(packet.sequence, first.sequence.wrapping_add(*n), "packet {n}");
        assert_eq!(packet.timestamp, first.timestamp.wrapping_add(u32::from(*n) * 160), "packet {n}");
    }
}
