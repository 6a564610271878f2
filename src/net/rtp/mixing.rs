//! A mix: the legs of a bridge, conference or supervised call. At its tick all members receive first,
//! then each is sent its input. A single voice is relayed packet for packet; several are decoded, summed
//! at 8,000 samples a second and encoded again, once per distinct sum if the codec allows it.

use super::leg::{Beat, Done, Leg};
use super::receive::Arrivals;
use super::system;
use super::totals::Counters;
use paceline_core::ids::{CallId, MixId};
use paceline_core::media::Codec;
use paceline_core::media::mix::{self, Frame, MixInput, SAMPLES, Sum, Voice};

pub struct Mix {
    pub id: MixId,
    members: Vec<Member>,
}

struct Member {
    leg: Leg,
    voice: Voice,
}

/// Working buffers of one tick, indexed like the members of the mix. They belong to the media thread and
/// grow to its largest mix.
#[derive(Default)]
pub struct Desk {
    arrivals: Vec<Arrivals>,
    frames: Vec<Frame>,
    done: Vec<Done>,
    late: Vec<u64>,
    inputs: Vec<MixInput>,
    /// Members that need a sum, which may consist of one voice only, because the codecs differ.
    mixed: Vec<bool>,
}

impl Desk {
    fn lay(&mut self, members: usize) {
        if self.arrivals.len() < members {
            self.arrivals.resize_with(members, Arrivals::default);
            self.frames.resize(members, [0; SAMPLES]);
            self.done.resize(members, Done::default());
            self.late.resize(members, 0);
            self.inputs.resize(members, MixInput::Silence);
            self.mixed.resize(members, false);
        }
        self.arrivals[..members].iter_mut().for_each(Arrivals::clear);
        self.done[..members].fill(Done::default());
    }
}

impl Mix {
    pub fn new(id: MixId) -> Self {
        Mix { id, members: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn add(&mut self, mut leg: Leg, voice: Voice) {
        leg.change_company();
        self.members.push(Member { leg, voice });
    }

    pub fn remove(&mut self, leg: CallId) -> Option<Leg> {
        let place = self.members.iter().position(|member| member.leg.id == leg)?;
        let mut leg = self.members.remove(place).leg;
        leg.change_company();
        Some(leg)
    }

    pub fn find(&mut self, leg: CallId) -> Option<&mut Leg> {
        self.members.iter_mut().map(|member| &mut member.leg).find(|found| found.id == leg)
    }

    pub fn set_voice(&mut self, leg: CallId, voice: Voice) {
        if let Some(member) = self.members.iter_mut().find(|member| member.leg.id == leg) {
            member.voice = voice;
        }
    }

    pub fn drain(&mut self) -> impl Iterator<Item = Leg> {
        self.members.drain(..).map(|member| member.leg)
    }

    /// One tick of all members.
    pub fn beat(&mut self, beat: &mut Beat<'_>, desk: &mut Desk, silence_micros: u64, counters: &Counters) {
        desk.lay(self.members.len());
        for (n, member) in self.members.iter_mut().enumerate() {
            (beat.now_micros, beat.wall_micros) = (system::monotonic_micros(), system::wall_micros());
            member.leg.listen(beat, &mut desk.done[n], Some(&mut desk.arrivals[n]));
            desk.arrivals[n].sort();
        }
        self.share_keys(desk);
        let mixing = self.plan(desk);
        for (n, member) in self.members.iter_mut().enumerate() {
            beat.now_micros = system::monotonic_micros();
            desk.late[n] = beat.now_micros.saturating_sub(beat.due_micros);
            match desk.inputs[n] {
                _ if desk.mixed[n] => {}
                MixInput::Single(other) => member.leg.pass_on(beat, &mut desk.done[n], &desk.arrivals[other]),
                _ => member.leg.say(beat, &mut desk.done[n], beat.frames, None),
            }
        }
        if mixing {
            for _ in 0..beat.frames {
                self.mix(beat, desk);
            }
        }
        for (n, member) in self.members.iter_mut().enumerate() {
            member.leg.finish(beat, &desk.done[n], silence_micros);
            counters.beat(desk.done[n], desk.late[n], super::leg::BEAT_MICROS);
        }
    }

    fn share_keys(&mut self, desk: &Desk) {
        for (n, arrivals) in desk.arrivals[..self.members.len()].iter().enumerate() {
            if arrivals.keys().is_empty() {
                continue;
            }
            let voice = self.members[n].voice;
            for (_, other) in self.members.iter_mut().enumerate().filter(|(m, _)| *m != n) {
                if voice.reaches(other.leg.id) {
                    other.leg.press(arrivals.keys());
                }
            }
        }
    }

    /// Determines every member's input and which voices must be decoded. Returns true if any must.
    fn plan(&mut self, desk: &mut Desk) -> bool {
        let count = self.members.len();
        for n in 0..count {
            let listener = &self.members[n].leg;
            let members = self.members.iter().map(|member| (member.leg.id, member.voice));
            desk.inputs[n] = mix::mix_input(members, n, listener.id);
            desk.mixed[n] = match desk.inputs[n] {
                MixInput::Silence => false,
                MixInput::Single(other) => !alike(self.members[other].leg.codecs().0, listener.codecs().1),
                MixInput::Several => true,
            };
        }
        let mut mixing = false;
        for n in 0..count {
            let voice = self.members[n].voice;
            let wanted = (0..count).any(|m| m != n && desk.mixed[m] && voice.reaches(self.members[m].leg.id));
            self.members[n].leg.decode_speech(wanted);
            if wanted {
                self.members[n].leg.take_in(&desk.arrivals[n]);
            }
            mixing |= wanted;
        }
        mixing
    }

    /// Sends one mixed frame to every member that needs a sum.
    fn mix(&mut self, beat: &mut Beat<'_>, desk: &mut Desk) {
        let mut total = Sum::new();
        for (n, member) in self.members.iter_mut().enumerate() {
            member.leg.speech(&mut desk.frames[n]);
            if member.voice == Voice::Everyone {
                total.add(&desk.frames[n]);
            }
        }
        // Listeners hear the same sum, so it is encoded once per law.
        let mut coded: [Option<[u8; SAMPLES]>; 2] = [None, None];
        for n in (0..self.members.len()).filter(|&n| desk.mixed[n]) {
            let (id, voice) = (self.members[n].leg.id, self.members[n].voice);
            let whispers = |m: usize| m != n && self.members[m].voice == Voice::Only(id);
            let whispered = (0..self.members.len()).any(whispers);
            let law = match self.members[n].leg.codecs().1 {
                Some(Codec::Pcma) => Some(0),
                Some(Codec::Pcmu) => Some(1),
                _ => None,
            };
            let shared = law.filter(|_| !whispered && voice != Voice::Everyone);
            let frame = match shared.and_then(|law| coded[law]) {
                Some(frame) => frame,
                None => {
                    let mut sum = match voice {
                        Voice::Everyone => total.without(&desk.frames[n]),
                        _ => total.clone(),
                    };
                    (0..self.members.len()).filter(|&m| whispers(m)).for_each(|m| sum.add(&desk.frames[m]));
                    let frame = self.members[n].leg.code(&sum.frame());
                    if let Some(law) = shared {
                        coded[law] = Some(frame);
                    }
                    frame
                }
            };
            self.members[n].leg.say(beat, &mut desk.done[n], 1, Some(&frame));
        }
    }
}

/// True if audio can be relayed from one codec to the other without decoding it to samples.
fn alike(spoken: Option<Codec>, wanted: Option<Codec>) -> bool {
    match (spoken, wanted) {
        (Some(spoken), Some(wanted)) => (spoken == Codec::G722) == (wanted == Codec::G722),
        // Nothing was received yet, or nothing can be sent.
        _ => true,
    }
}
