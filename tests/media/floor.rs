//! A small call centre: telephones in one media room, our legs to them in another. Each telephone plays
//! what its person says and captures what that person hears.

use super::{TestMedia, target};
use paceline::audio::Sound;
use paceline::net::rtp::{AudioCapture, MediaCommand, MediaEvent, Voice};
use paceline_core::call::Heard;
use paceline_core::ids::{CallId, MixId};
use paceline_core::media::{Codec, Direction};
use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub const MIX: MixId = MixId(5);

pub struct Floor {
    /// The room under test.
    pub ours: TestMedia,
    pub telephones: TestMedia,
}

/// A person at a telephone, and our leg to that telephone.
pub struct Person {
    pub leg: CallId,
    pub codec: Codec,
    pub telephone: CallId,
    /// The telephone's RTP address.
    pub address: SocketAddr,
    /// Our leg's RTP address.
    pub ours: SocketAddr,
    pub hears: AudioCapture,
}

impl Floor {
    pub fn open(threads: usize) -> Floor {
        Floor { ours: TestMedia::with_threads(threads), telephones: TestMedia::open() }
    }

    /// Connects a telephone and our leg; returns when both have received silence from each other.
    pub fn person(&self, n: u64, codec: Codec) -> Person {
        let (leg, telephone) = (CallId(n), CallId(n));
        let address = self.telephones.room.open_leg(telephone).unwrap();
        let ours = self.ours.room.open_leg(leg).unwrap();
        let hears = AudioCapture::new(Duration::from_secs(60));
        self.telephones.room.command(telephone, MediaCommand::Connect(target(ours, codec)));
        self.ours.room.command(leg, MediaCommand::Connect(target(address, codec)));
        self.ours.wait_heard(leg, &Heard::FirstAudio);
        self.telephones.wait_heard(telephone, &Heard::FirstAudio);
        self.telephones.room.command(telephone, MediaCommand::Capture(hears.clone()));
        Person { leg, codec, telephone, address, ours, hears }
    }

    /// A callee and an agent who hear each other, once packets flow both ways.
    pub fn bridge(&self, callee: Codec, agent: Codec) -> (Person, Person) {
        let (callee, agent) = (self.person(1, callee), self.person(2, agent));
        self.join(&agent, Voice::Everyone);
        self.join(&callee, Voice::Everyone);
        self.wait_delivered(&agent, &callee);
        self.wait_delivered(&callee, &agent);
        (callee, agent)
    }

    /// Both speak at the same time; returns when each has heard all of the other.
    pub fn talk(&self, one: (&Person, &Arc<Sound>), two: (&Person, &Arc<Sound>)) {
        self.say_both(one, two);
        self.wait_delivered(one.0, two.0);
        self.wait_delivered(two.0, one.0);
    }

    pub fn join(&self, person: &Person, voice: Voice) {
        self.ours.room.command(person.leg, MediaCommand::Join { mix: MIX, voice });
    }

    /// Plays `sound` once at the telephone; returns when all of it was sent.
    pub fn say(&self, person: &Person, sound: &Arc<Sound>) {
        self.start_saying(person, sound);
        self.wait_said(person);
    }

    pub fn start_saying(&self, person: &Person, sound: &Arc<Sound>) {
        let play = MediaCommand::Play { sound: sound.clone(), plays: 1 };
        self.telephones.room.command(person.telephone, play);
    }

    pub fn wait_said(&self, person: &Person) {
        self.telephones.wait_heard(person.telephone, &Heard::PlayEnded);
    }

    /// Both people speak at the same time.
    pub fn say_both(&self, one: (&Person, &Arc<Sound>), two: (&Person, &Arc<Sound>)) {
        self.start_saying(one.0, one.1);
        self.start_saying(two.0, two.1);
        for _ in 0..2 {
            self.telephones.wait_for(|event| {
                matches!(event, MediaEvent::Heard { heard: Heard::PlayEnded, .. }).then_some(())
            });
        }
    }

    /// Puts the media to this person on hold, or resumes it.
    pub fn hold(&self, person: &Person, held: bool) {
        let mut there = target(person.address, person.codec);
        there.direction = if held { Direction::RecvOnly } else { Direction::SendRecv };
        self.ours.room.command(person.leg, MediaCommand::Connect(there));
    }

    /// Waits until everything our own leg sent to this person has arrived, by a key sent after it.
    pub fn wait_delivered_from_us(&self, person: &Person) {
        let key = paceline_core::call::Digit::from_char('C').unwrap();
        self.ours.room.command(person.leg, MediaCommand::SendDigits(vec![key]));
        let heard = Heard::Digit(key);
        self.telephones.wait_heard(person.telephone, &heard);
    }

    /// Waits until everything sent from one person has reached the other, by a key sent after it on the
    /// same path.
    pub fn wait_delivered(&self, from: &Person, to: &Person) {
        let key = paceline_core::call::Digit::from_char('D').unwrap();
        self.telephones.room.command(from.telephone, MediaCommand::SendDigits(vec![key]));
        self.telephones.wait_for(|event| {
            let heard = Heard::Digit(key);
            matches!(event, MediaEvent::Heard { leg, heard: found } if *leg == to.telephone && *found == heard)
                .then_some(())
        });
    }
}

/// Silence before each voice, so that a digit sent before has ended.
const PAUSE_FRAMES: usize = 20;

/// A frequency sweep without two equal frames. Another start frequency makes another voice.
pub fn voice(hz: f64, secs: f64) -> Arc<Sound> {
    let pause = std::iter::repeat_n(0.0, PAUSE_FRAMES * 320);
    let samples: Vec<f32> = pause
        .chain((0..(16_000.0 * secs) as usize).map(|n| {
            let t = n as f64 / 16_000.0;
            (0.3 * (TAU * (hz + 150.0 * t) * t).sin()) as f32
        }))
        .collect();
    Arc::new(Sound::from_samples("voice", &samples, 16_000))
}

/// The encoded frames of a voice, without the silence before it.
pub fn said(sound: &Sound, codec: Codec) -> &[u8] {
    &sound.encoded(codec)[PAUSE_FRAMES * 160..]
}

/// Linear samples of a voice after coding in this codec, at 8,000 a second.
pub fn linear(sound: &Sound, codec: Codec) -> Vec<i16> {
    use paceline_core::media::{g711, g722};
    match codec {
        Codec::Pcma => g711::decode_alaw(said(sound, codec)),
        Codec::Pcmu => g711::decode_ulaw(said(sound, codec)),
        Codec::G722 => {
            let whole = g722::Decoder::new().decode(sound.encoded(codec));
            whole.into_iter().step_by(2).skip(PAUSE_FRAMES * 160).collect()
        }
    }
}

/// Finds `wanted` in the received audio: its position, the similarity (1 = equal but for the level) and
/// the level in dB. Compares pieces of 50 ms, each within 40 ms of the expected position, because a
/// jitter buffer may change its delay.
pub fn find(heard: &[i16], wanted: &[i16]) -> (usize, f64, f64) {
    const PIECE: usize = 400;
    let begin = best_place(heard, &wanted[..(2 * PIECE).min(wanted.len())], 0..heard.len());
    let (mut at, mut alike, mut power, mut wanted_power) = (begin.0, Vec::new(), 0.0, 0.0);
    for piece in wanted.chunks_exact(PIECE) {
        let (place, found) = best_place(heard, piece, at.saturating_sub(320)..at + 320);
        alike.push(found);
        // The level is measured after an adaptive encoder has settled.
        if alike.len() > wanted.len() / PIECE / 2 {
            power += heard.get(place..place + PIECE).map_or(0.0, energy);
            wanted_power += energy(piece);
        }
        at = place + PIECE;
    }
    let mean = alike.iter().sum::<f64>() / alike.len() as f64;
    (begin.0, mean, 10.0 * (power.max(1.0) / wanted_power.max(1.0)).log10())
}

fn best_place(heard: &[i16], piece: &[i16], places: std::ops::Range<usize>) -> (usize, f64) {
    let own = energy(piece).max(1.0);
    let mut best = (places.start, -1.0);
    for at in places {
        let Some(here) = heard.get(at..at + piece.len()) else { break };
        let dot: i64 = here.iter().zip(piece).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum();
        let alike = dot as f64 / (own * energy(here).max(1.0)).sqrt();
        if alike > best.1 {
            best = (at, alike);
        }
    }
    best
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|&s| i64::from(s) * i64::from(s)).sum::<i64>() as f64
}

/// Similarity of the best match of `wanted` anywhere in `heard`; near 0 for an absent voice.
pub fn presence(heard: &[i16], wanted: &[i16]) -> f64 {
    if heard.len() <= wanted.len() { 0.0 } else { find(heard, wanted).1 }
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    let found = bytes.windows(part.len()).any(|window| window == part);
    if !found {
        let places = part.chunks(160).map(|frame| bytes.windows(160).position(|window| window == frame));
        eprintln!("frames found at {:?}", places.collect::<Vec<_>>());
    }
    found
}

pub fn heard_bytes(capture: &AudioCapture) -> Vec<u8> {
    capture.payloads().into_iter().flat_map(|(_, bytes)| bytes).collect()
}
