//! A single leg with a well-behaved far end: playback, digits, hold, codec changes, RTCP, ports.

use super::plain_socket::PlainSocket;
use super::{KEYS, TestMedia, target};
use paceline::audio::Sound;
use paceline::net::rtp::{AudioCapture, MediaCommand, MediaError, MediaEvent};
use paceline_core::call::{Digit, Heard, KeyWay};
use paceline_core::ids::CallId;
use paceline_core::media::{Codec, Direction, MediaTarget, RtpFollow, rtcp};
use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

const LEG: CallId = CallId(1);

/// A frequency sweep without two equal frames.
fn sweep(secs: f64) -> Arc<Sound> {
    let samples: Vec<f32> = (0..(16_000.0 * secs) as usize)
        .map(|n| {
            let t = n as f64 / 16_000.0;
            (0.3 * (TAU * (300.0 + 400.0 * t) * t).sin()) as f32
        })
        .collect();
    Arc::new(Sound::from_samples("sweep", &samples, 16_000))
}

fn play(sound: &Arc<Sound>, plays: u32) -> MediaCommand {
    MediaCommand::Play { sound: sound.clone(), plays }
}

fn digits(keys: &str) -> Vec<Digit> {
    keys.chars().map(|key| Digit::from_char(key).unwrap()).collect()
}

#[test]
fn an_announcement_arrives_byte_for_byte_with_an_unbroken_clock() {
    for codec in Codec::ALL {
        let (near, far) = (TestMedia::open(), PlainSocket::open());
        let sound = sweep(0.5);
        let address = near.room.open_leg(LEG).unwrap();
        assert_eq!(address.port() % 2, 0);
        near.room.command(LEG, MediaCommand::Connect(target(far.address, codec)));
        near.room.command(LEG, play(&sound, 2));
        let wanted = [&sound.encoded(codec)[..], sound.encoded(codec)].concat();
        let last = wanted[wanted.len() - 160..].to_vec();
        let mut packets = far.receive_until(|packet| packet.payload == last);
        if !packets.windows(2).any(|pair| pair[0].payload == last) {
            packets.extend(far.receive_until(|packet| packet.payload == last));
        }
        assert!(packets[0].marker, "the first packet begins a talkspurt");
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "{codec:?}");
            assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160), "{codec:?}");
            assert_eq!((pair[1].ssrc, pair[1].payload_type), (pair[0].ssrc, codec.payload_type()));
        }
        assert!(packets.iter().all(|packet| packet.from == address), "sent from the leg's own port");
        let heard: Vec<u8> = packets.iter().flat_map(|packet| packet.payload.clone()).collect();
        let at = heard.windows(160).position(|frame| frame == &wanted[..160]).unwrap();
        assert!(heard[at..] == wanted[..], "{codec:?}: not what was to be played");
        near.wait_heard(LEG, &Heard::PlayEnded);
        // Afterwards silence is sent.
        let after = far.receive();
        assert_eq!(after.timestamp, packets.last().unwrap().timestamp.wrapping_add(160));
    }
}

#[test]
fn two_media_servers_receive_each_other_and_their_counts_agree() {
    let (near, far) = (TestMedia::open(), TestMedia::open());
    let (a, b) = (CallId(7), CallId(8));
    let (at, bt) = (near.room.open_leg(a).unwrap(), far.room.open_leg(b).unwrap());
    let capture = AudioCapture::new(Duration::from_secs(10));
    far.room.command(b, MediaCommand::Capture(capture.clone()));
    far.room.command(b, MediaCommand::Connect(target(at, Codec::Pcma)));
    near.room.command(a, MediaCommand::Connect(target(bt, Codec::Pcma)));
    near.wait_heard(a, &Heard::FirstAudio);
    far.wait_heard(b, &Heard::FirstAudio);
    let sound = sweep(1.0);
    near.room.command(a, play(&sound, 1));
    near.wait_heard(a, &Heard::PlayEnded);
    far.room.command(b, MediaCommand::SendDigits(digits("15#")));
    assert_eq!(near.wait_keys(a, 3), "15#");
    near.room.command(a, MediaCommand::Close);
    let sent = closed(&near, a);
    far.room.command(b, MediaCommand::Close);
    let heard = closed(&far, b);
    // The last packets may arrive between the far end's last tick and its close.
    let unread = sent.packets_sent - heard.packets_refused - heard.packets_received;
    assert!(unread <= 2, "{sent:?} {heard:?}");
    assert_eq!((heard.packets_lost, sent.packets_lost), (0, 0));
    let wanted = sound.encoded(Codec::Pcma);
    let recorded: Vec<u8> = capture.payloads().into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert!(recorded.windows(wanted.len()).any(|part| part == &wanted[..]), "the announcement was recorded");
    assert_eq!(capture.missing(), 0);
    let totals = near.room.totals();
    assert_eq!((totals.legs_open, totals.packets_sent), (0, sent.packets_sent));
    assert_eq!(totals.late.iter().map(|bucket| bucket.1).sum::<u64>(), sent.packets_sent);
}

fn closed(media: &TestMedia, leg: CallId) -> paceline::net::rtp::LegStats {
    media.wait_for(|event| match event {
        MediaEvent::Closed { leg: id, stats } if *id == leg => Some(*stats),
        _ => None,
    })
}

#[test]
fn digits_are_sent_as_events_and_playback_resumes_where_it_was() {
    let (near, far) = (TestMedia::open(), PlainSocket::open());
    let sound = sweep(1.0);
    near.room.open_leg(LEG).unwrap();
    near.room.command(LEG, MediaCommand::Connect(target(far.address, Codec::Pcmu)));
    near.room.command(LEG, play(&sound, 1));
    let mut packets = vec![far.receive()];
    near.room.command(LEG, MediaCommand::SendDigits(digits("42")));
    let wanted = sound.encoded(Codec::Pcmu);
    packets.extend(far.receive_until(|packet| packet.payload == wanted[wanted.len() - 160..]));
    let (keys, audio): (Vec<_>, Vec<_>) = packets.into_iter().partition(|packet| packet.payload_type == KEYS);
    assert_eq!(keys.len(), 14, "five packets of tone and two more ends for each key");
    assert_eq!(keys.iter().filter(|packet| packet.marker).count(), 2);
    let heard: Vec<u8> = audio.iter().flat_map(|packet| packet.payload.clone()).collect();
    let at = heard.windows(160).position(|frame| frame == &wanted[..160]).unwrap();
    assert!(heard[at..] == wanted[..], "no frame is lost to the keys");
}

#[test]
fn on_hold_nothing_is_sent_and_the_announcement_waits() {
    let (near, far) = (TestMedia::open(), PlainSocket::open());
    let sound = sweep(0.6);
    near.room.open_leg(LEG).unwrap();
    let mut there = target(far.address, Codec::Pcma);
    near.room.command(LEG, MediaCommand::Connect(there.clone()));
    near.room.command(LEG, play(&sound, 1));
    let first = far.receive_until(|packet| packet.payload == sound.encoded(Codec::Pcma)[..160]);
    there.direction = Direction::RecvOnly;
    near.room.command(LEG, MediaCommand::Connect(there.clone()));
    // Packets in flight arrive, then nothing for many ticks.
    far.socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut bytes = [0; 400];
    let mut before = first.len();
    while let Ok(length) = far.socket.recv(&mut bytes) {
        assert_eq!(length, 172);
        before += 1;
        assert!(before < 1_000, "still sending");
    }
    far.socket.set_read_timeout(Some(super::PATIENCE)).unwrap();
    there.direction = Direction::SendRecv;
    near.room.command(LEG, MediaCommand::Connect(there));
    let wanted = sound.encoded(Codec::Pcma);
    let rest = far.receive_until(|packet| packet.payload == wanted[wanted.len() - 160..]);
    assert!(rest[0].marker, "a new talkspurt");
    let rest: Vec<u8> = rest.into_iter().flat_map(|packet| packet.payload).collect();
    assert!(wanted.ends_with(&rest), "goes on where it stopped");
    near.wait_heard(LEG, &Heard::PlayEnded);
}

#[test]
fn playback_continues_after_a_new_address_and_codec() {
    let (near, first, second) = (TestMedia::open(), PlainSocket::open(), PlainSocket::open());
    let sound = sweep(0.6);
    near.room.open_leg(LEG).unwrap();
    near.room.command(LEG, MediaCommand::Connect(target(first.address, Codec::Pcma)));
    near.room.command(LEG, play(&sound, 1));
    let start = first.receive_until(|packet| packet.payload == sound.encoded(Codec::Pcma)[..160]);
    near.room.command(LEG, MediaCommand::Connect(target(second.address, Codec::Pcmu)));
    let wanted = sound.encoded(Codec::Pcmu);
    let rest = second.receive_until(|packet| packet.payload == wanted[wanted.len() - 160..]);
    assert!(rest.iter().all(|packet| packet.payload_type == 0 && packet.ssrc == start[0].ssrc));
    first.socket.set_nonblocking(true).unwrap();
    let mut earlier = start.last().unwrap().sequence;
    let mut bytes = [0; 400];
    while let Ok(length) = first.socket.recv(&mut bytes) {
        let packet = paceline_core::media::rtp::Packet::parse(&bytes[..length]).unwrap();
        earlier = packet.sequence;
    }
    assert_eq!(rest[0].sequence, earlier.wrapping_add(1), "no packet between the two");
    let rest: Vec<u8> = rest.into_iter().flat_map(|packet| packet.payload).collect();
    assert!(wanted.ends_with(&rest));
}

#[test]
fn silence_is_reported_except_on_hold() {
    let near = TestMedia::with_silence_timeout(Duration::from_millis(300));
    let far = PlainSocket::open();
    near.room.open_leg(LEG).unwrap();
    near.room.open_leg(CallId(2)).unwrap();
    let mut held = target(far.address, Codec::Pcma);
    held.direction = Direction::SendOnly;
    near.room.command(CallId(2), MediaCommand::Connect(held));
    near.room.command(LEG, MediaCommand::Connect(target(far.address, Codec::Pcma)));
    let event = near.wait_for(|event| matches!(event, MediaEvent::Heard { .. }).then(|| event.clone()));
    assert_eq!(event, MediaEvent::Heard { leg: LEG, heard: Heard::Silent });
}

#[test]
fn closing_sends_bye_and_the_port_rests_before_reuse() {
    let near = TestMedia::open();
    let (far, control) = loop {
        // RTCP goes to the port after the far side's.
        let far = PlainSocket::open();
        let next = (far.address.ip(), far.address.port().saturating_add(1));
        if let Ok(control) = std::net::UdpSocket::bind(next) {
            break (far, control);
        }
    };
    control.set_read_timeout(Some(super::PATIENCE)).unwrap();
    let address = near.room.open_leg(LEG).unwrap();
    near.room.command(LEG, MediaCommand::Connect(target(far.address, Codec::Pcma)));
    far.receive();
    near.room.command(LEG, MediaCommand::Close);
    let mut bytes = [0; 400];
    loop {
        let (length, from) = control.recv_from(&mut bytes).unwrap();
        assert_eq!(from.port(), address.port() + 1);
        if rtcp::parse(&bytes[..length], 0).unwrap().bye {
            break;
        }
    }
    let stats = closed(&near, LEG);
    assert!(stats.packets_sent > 0);
    assert_ne!(near.room.open_leg(CallId(2)).unwrap(), address, "a port rests before it is used again");
}

#[test]
fn the_error_without_free_ports_names_the_range() {
    let near = TestMedia::open();
    let error = (0..200).find_map(|leg| near.room.open_leg(CallId(leg)).err()).unwrap();
    assert!(matches!(error, MediaError::NoPorts(..) | MediaError::Bind { .. }), "{error}");
    assert!(near.room.totals().legs_open >= 90);
}

#[test]
fn audio_that_stops_and_comes_again_is_reported() {
    let (near, far) = (TestMedia::open(), PlainSocket::open());
    let ours = near.room.open_leg(LEG).unwrap();
    near.room.command(LEG, MediaCommand::Connect(target(far.address, Codec::Pcma)));
    // Each packet of ours is a tick of 20 ms.
    for sequence in 0..20 {
        far.receive();
        far.send(ours, 8, sequence, 9, &[0xD5; 160]);
    }
    near.wait_heard(LEG, &Heard::AudioStopped { rtcp: false });
    far.send(ours, 8, 140, 9, &[0xD5; 160]);
    near.wait_heard(LEG, &Heard::AudioResumed);
    near.wait_heard(LEG, &Heard::AudioStopped { rtcp: false });
}

/// A frame of a tone pair, in A-law; `n` counts the frames.
fn tone(n: u16, low: f64, high: f64) -> Vec<u8> {
    let samples: Vec<i16> = (0..160)
        .map(|k| {
            let t = TAU * f64::from(u32::from(n) * 160 + k) / 8_000.0;
            (6_000.0 * ((low * t).sin() + (high * t).sin())) as i16
        })
        .collect();
    paceline_core::media::g711::encode_alaw(&samples)
}

#[test]
fn a_key_reported_as_event_tone_and_info_is_one_key() {
    let (near, far) = (TestMedia::open(), PlainSocket::open());
    let ours = near.room.open_leg(LEG).unwrap();
    near.room.command(LEG, MediaCommand::Connect(target(far.address, Codec::Pcma)));
    near.room.command(LEG, MediaCommand::DetectTones);
    let mut sequence = 0;
    let mut send = |kind: u8, timestamp: u32, payload: &[u8]| {
        sequence += 1;
        let packet = paceline_core::media::rtp::Packet {
            payload_type: kind,
            marker: false,
            sequence,
            timestamp,
            ssrc: 9,
            payload,
        };
        let mut bytes = [0; 400];
        let length = packet.write(&mut bytes);
        far.socket.send_to(&bytes[..length], ours).unwrap();
    };
    let mut clock = 0;
    // A tone alone: the key is heard in the audio.
    for n in 0..10 {
        far.receive();
        send(8, clock, &tone(n, 770.0, 1_336.0));
        clock += 160;
    }
    let heard = |wanted: Heard| near.wait_heard(LEG, &wanted);
    let digit = |key: char| Digit::from_char(key).unwrap();
    heard(Heard::DigitBy { digit: digit('5'), way: KeyWay::Tone });
    for _ in 0..10 {
        far.receive();
        send(8, clock, &[0xD5; 160]);
        clock += 160;
    }
    // The next press by all three ways, each packet of the event with a new timestamp.
    near.room.command(LEG, MediaCommand::PressedByInfo(digit('1')));
    for n in 0..10u16 {
        far.receive();
        send(8, clock, &tone(n, 697.0, 1_209.0));
        let [high, low] = (160 * (n.min(6) + 1)).to_be_bytes();
        send(KEYS, clock, &[1, if n > 6 { 0x8A } else { 10 }, high, low]);
        clock += 160;
    }
    near.room.command(LEG, MediaCommand::Close);
    let mut keys = Vec::new();
    while let Ok(event) = near.events.recv_timeout(super::PATIENCE) {
        match event {
            MediaEvent::Heard { heard, .. } => keys.extend(heard.key()),
            MediaEvent::Closed { .. } => break,
            _ => {}
        }
    }
    assert_eq!(keys, [(digit('1'), KeyWay::Info)], "one press");
}

#[test]
fn packets_have_the_length_that_the_far_end_asks_for() {
    for packet_ms in [10, 30, 40, 60] {
        let (near, far) = (TestMedia::open(), PlainSocket::open());
        let sound = sweep(0.6);
        near.room.open_leg(LEG).unwrap();
        let there = MediaTarget { packet_ms, ..target(far.address, Codec::Pcma) };
        let size = there.packet_bytes();
        near.room.command(LEG, MediaCommand::Connect(there));
        near.room.command(LEG, play(&sound, 1));
        let wanted = sound.encoded(Codec::Pcma);
        let mut heard = Vec::new();
        let mut last: Option<super::plain_socket::KeptPacket> = None;
        while heard.windows(wanted.len()).next().is_none_or(|_| !heard.ends_with(&[0xD5; 960])) {
            let packet = far.receive();
            assert_eq!(packet.payload.len(), size, "{packet_ms} ms");
            if let Some(last) = &last {
                assert_eq!(packet.timestamp, last.timestamp.wrapping_add(size as u32), "{packet_ms} ms");
                assert_eq!(packet.sequence, last.sequence.wrapping_add(1));
            }
            heard.extend(&packet.payload);
            last = Some(packet);
        }
        assert!(heard.windows(wanted.len()).any(|part| part == &wanted[..]), "{packet_ms} ms: not the sound");
    }
}

#[test]
fn a_playback_that_waits_is_reported_and_a_pause_is_counted_while_it_can_be_heard() {
    let (near, far) = (TestMedia::open(), PlainSocket::open());
    let sound = sweep(0.3);
    near.room.open_leg(LEG).unwrap();
    let there = target(far.address, Codec::Pcma);
    let inactive = MediaTarget { direction: Direction::Inactive, ..there.clone() };
    near.room.command(LEG, MediaCommand::Connect(inactive));
    let pause = Duration::from_millis(400);
    near.room.command(LEG, MediaCommand::PlayAfter { pause, sound: sound.clone(), plays: 1 });
    near.wait_heard(LEG, &Heard::PlayHeld);
    near.room.command(LEG, MediaCommand::Connect(there));
    near.wait_heard(LEG, &Heard::PlayResumed);
    let wanted = sound.encoded(Codec::Pcma);
    let packets = far.receive_until(|packet| packet.payload == wanted[wanted.len() - 160..]);
    let silent = packets.iter().take_while(|packet| packet.payload == [0xD5; 160]).count();
    assert_eq!(silent, 20, "400 ms of silence before the sound");
    assert_eq!(packets.len() - silent, wanted.len() / 160);
    near.wait_heard(LEG, &Heard::PlayEnded);
}

#[test]
fn media_goes_where_sdp_says_although_it_comes_from_elsewhere() {
    let (near, far) = (TestMedia::open(), PlainSocket::open());
    let other = far.beside();
    let ours = near.room.open_leg(LEG).unwrap();
    let there = MediaTarget { follow: RtpFollow::Auto, ..target(far.address, Codec::Pcma) };
    near.room.command(LEG, MediaCommand::Connect(there));
    for sequence in 0..20 {
        far.receive();
        other.send(ours, 8, sequence, 9, &[0xD5; 160]);
    }
    near.wait_heard(LEG, &Heard::FirstAudio);
    for _ in 0..20 {
        assert_eq!(far.receive().from, ours);
    }
}
