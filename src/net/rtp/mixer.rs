//! A mix: the legs of a bridge, conference or supervised call. At its tick all members receive first,
//! then each is sent its input. A single voice is relayed packet for packet; several are decoded, summed
//! at 8,000 samples a second and encoded again, once per distinct sum if the codec allows it.

use super::leg::{Leg, Tick, TickCounts};
use super::receive::ReceiveBatch;
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
pub struct MixBuffers {
    batches: Vec<ReceiveBatch>,
    frames: Vec<Frame>,
    counts: Vec<TickCounts>,
    late: Vec<u64>,
    inputs: Vec<MixInput>,
    /// Members that need a sum, which may consist of one voice only, because the codecs differ.
    mixed: Vec<bool>,
}

impl MixBuffers {
    fn prepare(&mut self, members: usize) {
        if self.batches.len() < members {
            self.batches.resize_with(members, ReceiveBatch::default);
            self.frames.resize(members, [0; SAMPLES]);
            self.counts.resize(members, TickCounts::default());
            self.late.resize(members, 0);
            self.inputs.resize(members, MixInput::Silence);
            self.mixed.resize(members, false);
        }
        self.batches[..members].iter_mut().for_each(ReceiveBatch::clear);
        self.counts[..members].fill(TickCounts::default());
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
        leg.reset_mix_state();
        self.members.push(Member { leg, voice });
    }

    pub fn remove(&mut self, leg: CallId) -> Option<Leg> {
        let place = self.members.iter().position(|member| member.leg.id == leg)?;
        let mut leg = self.members.remove(place).leg;
        leg.reset_mix_state();
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
    pub fn run_tick(
        &mut self,
        tick: &mut Tick<'_>,
        buffers: &mut MixBuffers,
        silence_micros: u64,
        counters: &Counters,
    ) {
        buffers.prepare(self.members.len());
        for (n, member) in self.members.iter_mut().enumerate() {
            (tick.now_micros, tick.wall_micros) = (system::monotonic_micros(), system::wall_micros());
            member.leg.begin_tick(tick, &mut buffers.counts[n], Some(&mut buffers.batches[n]));
            buffers.batches[n].sort();
        }
        self.relay_digits(buffers);
        let mixing = self.plan_inputs(buffers);
        for (n, member) in self.members.iter_mut().enumerate() {
            tick.now_micros = system::monotonic_micros();
            buffers.late[n] = tick.now_micros.saturating_sub(tick.due_micros);
            match buffers.inputs[n] {
                _ if buffers.mixed[n] => {}
                MixInput::Single(other) => {
                    member.leg.send_relayed(tick, &mut buffers.counts[n], &buffers.batches[other])
                }
                _ => member.leg.send_own(tick, &mut buffers.counts[n], tick.frames, None),
            }
        }
        if mixing {
            for _ in 0..tick.frames {
                self.send_mixed(tick, buffers);
            }
        }
        for (n, member) in self.members.iter_mut().enumerate() {
            member.leg.end_tick(tick, &buffers.counts[n], silence_micros);
            counters.count_tick(buffers.counts[n], buffers.late[n], super::leg::TICK_MICROS);
        }
    }

    fn relay_digits(&mut self, buffers: &MixBuffers) {
        for (n, batch) in buffers.batches[..self.members.len()].iter().enumerate() {
            if batch.digits().is_empty() {
                continue;
            }
            let voice = self.members[n].voice;
            for (_, other) in self.members.iter_mut().enumerate().filter(|(m, _)| *m != n) {
                if voice.reaches(other.leg.id) {
                    other.leg.queue_digits(batch.digits());
                }
            }
        }
    }

    /// Determines every member's input and which voices must be decoded. Returns true if any must.
    fn plan_inputs(&mut self, buffers: &mut MixBuffers) -> bool {
        let count = self.members.len();
        for n in 0..count {
            let listener = &self.members[n].leg;
            let members = self.members.iter().map(|member| (member.leg.id, member.voice));
            buffers.inputs[n] = mix::mix_input(members, n, listener.id);
            buffers.mixed[n] = match buffers.inputs[n] {
                MixInput::Silence => false,
                MixInput::Single(other) => {
                    let speaker = &self.members[other].leg;
                    !can_relay(speaker.codecs().0, listener.codecs().1) || !speaker.has_packets_for(listener)
                }
                MixInput::Several => true,
            };
        }
        let mut mixing = false;
        for n in 0..count {
            let voice = self.members[n].voice;
            let wanted =
                (0..count).any(|m| m != n && buffers.mixed[m] && voice.reaches(self.members[m].leg.id));
            self.members[n].leg.set_decoding(wanted);
            if wanted {
                self.members[n].leg.buffer_packets(&buffers.batches[n]);
            }
            mixing |= wanted;
        }
        mixing
    }

    /// Sends one mixed frame to every member that needs a sum.
    fn send_mixed(&mut self, tick: &mut Tick<'_>, buffers: &mut MixBuffers) {
        let mut total = Sum::new();
        for (n, member) in self.members.iter_mut().enumerate() {
            member.leg.decoded_frame(&mut buffers.frames[n]);
            if member.voice == Voice::Everyone {
                total.add(&buffers.frames[n]);
            }
        }
        // Listeners hear the same sum, so it is encoded once per law.
        let mut coded: [Option<[u8; SAMPLES]>; 2] = [None, None];
        for n in (0..self.members.len()).filter(|&n| buffers.mixed[n]) {
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
                        Voice::Everyone => total.without(&buffers.frames[n]),
                        _ => total.clone(),
                    };
                    (0..self.members.len())
                        .filter(|&m| whispers(m))
                        .for_each(|m| sum.add(&buffers.frames[m]));
                    let frame = self.members[n].leg.encode(&sum.frame());
                    if let Some(law) = shared {
                        coded[law] = Some(frame);
                    }
                    frame
                }
            };
            self.members[n].leg.send_own(tick, &mut buffers.counts[n], 1, Some(&frame));
        }
    }
}

/// True if audio can be relayed from one codec to the other without decoding it to samples.
fn can_relay(spoken: Option<Codec>, wanted: Option<Codec>) -> bool {
    match (spoken, wanted) {
        (Some(spoken), Some(wanted)) => (spoken == Codec::G722) == (wanted == Codec::G722),
        // Nothing was received yet, or nothing can be sent.
        _ => true,
    }
}
