//! RTP from unknown sources: it is not accepted, our packets are not sent to it, and other legs are not
//! disturbed.

use super::plain_socket::PlainSocket;
use super::{KEYS, TestMedia, target};
use paceline::net::rtp::{AudioCapture, MediaCommand, MediaEvent};
use paceline_core::call::Heard;
use paceline_core::ids::CallId;
use paceline_core::media::Codec;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

#[test]
fn packets_of_an_unknown_source_are_ignored() {
    let (near, far, stranger) = (TestMedia::open(), PlainSocket::open(), PlainSocket::open());
    let leg = CallId(1);
    let capture = AudioCapture::new(Duration::from_secs(10));
    let address = near.room.open_leg(leg).unwrap();
    for sequence in 0..10 {
        stranger.send(address, 8, sequence, 66, &[0x66; 160]);
    }
    near.room.command(leg, MediaCommand::Capture(capture.clone()));
    near.room.command(leg, MediaCommand::Connect(target(far.address, Codec::Pcma)));
    // In step with our own packets, so that both send during the same 40 ticks.
    for sequence in 0..40 {
        let ours = far.receive();
        assert_eq!(ours.from, address);
        for shot in 0..5 {
            stranger.send(address, 8, sequence * 5 + shot, 66, &[0x66; 160]);
        }
        stranger.send(address, KEYS, 9_000 + sequence, 66, &[9, 0x80, 3, 0x20]);
        far.send(address, 8, sequence, 7, &[0x55; 160]);
    }
    far.send(address, KEYS, 100, 7, &[1, 0x8A, 3, 0x20]);
    assert_eq!(near.wait_keys(leg, 1), "1", "the stranger's 9 was not heard");
    near.room.command(leg, MediaCommand::Close);
    let stats = near.wait_for(|event| match event {
        MediaEvent::Closed { stats, .. } => Some(*stats),
        _ => None,
    });
    assert_eq!(stats.packets_received, 41, "{stats:?}");
    let recorded: Vec<u8> = capture.payloads().into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert!(recorded.contains(&0x55) && !recorded.contains(&0x66));
    stranger.socket.set_nonblocking(true).unwrap();
    assert!(stranger.socket.recv(&mut [0; 400]).is_err(), "the stranger got a packet");
}

#[test]
fn a_far_end_on_another_port_is_latched_and_sent_to() {
    let (near, signalled) = (TestMedia::open(), PlainSocket::open());
    let actual = signalled.beside();
    let leg = CallId(1);
    let address = near.room.open_leg(leg).unwrap();
    near.room.command(leg, MediaCommand::Connect(target(signalled.address, Codec::Pcma)));
    // Steadily, in step with the packets at the signalled address; then those move to the actual port.
    signalled.socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut sequence = 0;
    while signalled.socket.recv(&mut [0; 400]).is_ok() {
        actual.send(address, 8, sequence, 7, &[0x55; 160]);
        sequence += 1;
        assert!(sequence < 500, "never followed");
    }
    near.wait_heard(leg, &Heard::FirstAudio);
    assert_eq!(actual.receive().from, address);
}

#[test]
fn malformed_and_flooding_packets_do_not_disturb_another_call() {
    let seed = 0xBAD_5EED_u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (near, victim, neighbour) = (TestMedia::open(), PlainSocket::open(), PlainSocket::open());
    let (hit, spared) = (CallId(1), CallId(2));
    let address = near.room.open_leg(hit).unwrap();
    near.room.open_leg(spared).unwrap();
    near.room.command(hit, MediaCommand::Connect(target(victim.address, Codec::Pcma)));
    near.room.command(spared, MediaCommand::Connect(target(neighbour.address, Codec::Pcma)));
    victim.receive();
    victim.send(address, 8, 1, 7, &[0xD5; 160]);
    near.wait_heard(hit, &Heard::FirstAudio);
    // From the latched address itself, the worst case; also to the RTCP port.
    let control = std::net::SocketAddr::new(address.ip(), address.port() + 1);
    for n in 0..5_500u32 {
        let mut bytes = [0u8; 300];
        random.fill_bytes(&mut bytes);
        if n % 2 == 0 {
            bytes[0] = 0x80 | (bytes[0] & 0x3F);
            bytes[1] = [8, KEYS, 200, 201][n as usize / 2 % 4];
        }
        let length = random.random_range(0..bytes.len());
        let to = if n % 10 == 0 { control } else { address };
        // A full queue only harms the flooder.
        let _ = victim.socket.send_to(&bytes[..length], to);
    }
    let steady: Vec<_> = (0..50).map(|_| neighbour.receive()).collect();
    for pair in steady.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "seed {seed:#x}");
    }
    // The flooded leg still works.
    for sequence in 0..20 {
        victim.send(address, KEYS, sequence, 7, &[5, 0x8A, 3, 0x20]);
    }
    near.wait_for(|event| match event {
        MediaEvent::Heard { leg, heard: Heard::Digit(digit) } if *leg == hit => {
            (digit.as_char() == '5').then_some(())
        }
        _ => None,
    });
}
