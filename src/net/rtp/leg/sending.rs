//! What a leg sends at its tick, in order of precedence: DTMF digits, playback, audio of its mix,
//! silence. The outgoing stream never stops except on hold.

use super::*;

/// Ticks without a packet to relay before silence is sent instead: usual network jitter is left to the
/// far end's jitter buffer.
const WAITED: u32 = 3;
pub const FILLING: u32 = WAITED + 1;

impl Leg {
    /// Accounts for skipped ticks; to be called before anything is sent in this tick.
    pub(super) fn open_turn(&mut self, skipped: u32) {
        if skipped > 0 {
            self.stream.pass(FRAME * skipped);
            self.marker = true;
            self.relay.interrupted();
        }
    }

    pub(super) fn may_speak(&self) -> bool {
        self.latch.is_some() && self.target.as_ref().is_some_and(MediaTarget::may_send)
    }

    /// Sends this leg's own packets: digits, playback, or `mixed`, a mix frame in this leg's codec,
    /// otherwise silence. Sends `frames` packets at once after a delay.
    pub fn say(&mut self, beat: &mut Beat<'_>, done: &mut Done, mut frames: u32, mixed: Option<&[u8]>) {
        self.relay.interrupted();
        self.dry = FILLING;
        if !self.may_speak() {
            // On hold the RTP clock runs on, and playback waits.
            self.stream.pass(FRAME * frames);
            self.marker = true;
            return;
        }
        if self.ahead_micros >= BEAT_MICROS && frames > 0 {
            self.ahead_micros -= BEAT_MICROS;
            frames -= 1;
        }
        let mut ended = false;
        for _ in 0..frames {
            ended |= self.step(beat, mixed);
        }
        self.flush(beat, done);
        if ended {
            self.tell(beat, Heard::PlayEnded);
        }
    }

    /// Sends one frame. Returns true when playback has ended.
    fn step(&mut self, beat: &mut Beat<'_>, mixed: Option<&[u8]>) -> bool {
        let Some(target) = &self.target else { return false };
        let (codec, kind, clock) = (target.codec, target.payload_type, self.stream.timestamp);
        let mut ended = false;
        let step = match target.telephone_event {
            Some(kind) => (kind, self.keys_out.step(clock)),
            None => (0, Step::Audio),
        };
        match step {
            (kind, Step::Event { payload, marker, timestamp }) => {
                beat.outbox.put(|place| self.stream.write(kind, marker, timestamp, &payload, place));
            }
            (_, Step::Audio) => {
                let frame = self.playing.as_mut().map(|playing| playing.frame(codec));
                if let Some(None) = frame {
                    self.playing = None;
                    ended = true;
                }
                let played = self.playing.as_ref().and_then(|playing| playing.current(codec));
                let sound = played.or(mixed);
                let payload = sound.unwrap_or_else(|| playing::silence(codec));
                beat.outbox.put(|place| self.stream.write(kind, self.marker, clock, payload, place));
                self.marker = false;
                self.sent_level.add_coded(codec, payload);
                // Silence of our own is a gap in the recording, which plays as silence too.
                if let (Some(pen), Some(sound)) = (&mut self.pen, sound) {
                    pen.sent(codec, clock, sound, beat.due_micros);
                }
            }
        }
        self.stream.pass(FRAME);
        ended
    }

    /// Relays the packets of one other member, unless digits or playback take precedence.
    pub fn pass_on(&mut self, beat: &mut Beat<'_>, done: &mut Done, arrivals: &Arrivals) {
        let own = self.playing.is_some() || !self.keys_out.is_idle();
        if own || !self.may_speak() {
            return self.say(beat, done, beat.frames, None);
        }
        // Let the pause after a digit run out.
        for _ in 0..beat.frames {
            self.keys_out.step(self.stream.timestamp);
        }
        if arrivals.packets().is_empty() {
            return self.bear_silence(beat, done);
        }
        let Some((codec, kind)) = self.target.as_ref().map(|target| (target.codec, target.payload_type))
        else {
            return;
        };
        self.dry = 0;
        let last = arrivals.packets().len() - 1;
        for (n, packet) in arrivals.packets().iter().enumerate() {
            let mut other_law = [0; PAYLOAD_BYTES];
            let Some(payload) = in_codec(packet, codec, &mut other_law) else { continue };
            let Some(mut place) = self.relay.place(&self.stream, packet.numbers, n == last) else { continue };
            place.marker |= std::mem::take(&mut self.marker);
            if beat.outbox.is_full() {
                self.flush(beat, done);
            }
            beat.outbox.put(|bytes| self.stream.pass_on(kind, place, payload, bytes));
            self.sent_level.add_coded(codec, payload);
            if let Some(pen) = &mut self.pen {
                pen.sent(codec, place.timestamp, payload, beat.now_micros);
            }
        }
        self.flush(beat, done);
    }

    /// The relayed source sent nothing in this tick: wait a few ticks, then send silence.
    fn bear_silence(&mut self, beat: &mut Beat<'_>, done: &mut Done) {
        let waited = self.dry;
        self.dry = (self.dry + beat.frames).min(FILLING);
        if self.dry <= WAITED {
            return;
        }
        if waited <= WAITED {
            self.stream.pass(FRAME * waited);
            self.marker = true;
        }
        self.say(beat, done, beat.frames, None);
    }

    fn flush(&mut self, beat: &mut Beat<'_>, done: &mut Done) {
        let Some(latch) = &self.latch else { return };
        let to = (!self.connected).then(|| latch.destination());
        done.sent += beat.outbox.send(&self.line.rtp, to) as u32;
    }

    /// Queues digits that another member of the mix pressed.
    pub fn press(&mut self, keys: &[Digit]) {
        let takes = self.target.as_ref().is_some_and(|target| target.telephone_event.is_some());
        if takes && self.may_speak() {
            self.keys_out.push(keys.iter().copied());
        }
    }

    /// Encodes a mix frame in this leg's codec.
    pub fn code(&mut self, frame: &Frame) -> [u8; SAMPLES] {
        let codec = self.target.as_ref().map_or(Codec::Pcma, |target| target.codec);
        self.coder.code(codec, frame)
    }
}

/// The packet's payload in `codec`, if the same or convertible by table (A-law and mu-law).
fn in_codec<'a>(packet: &'a Arrived, codec: Codec, place: &'a mut [u8; PAYLOAD_BYTES]) -> Option<&'a [u8]> {
    let payload = packet.payload();
    let law = match (packet.codec, codec) {
        (from, to) if from == to => return Some(payload),
        (Codec::Pcma, Codec::Pcmu) => g711::ulaw_from_alaw,
        (Codec::Pcmu, Codec::Pcma) => g711::alaw_from_ulaw,
        _ => return None,
    };
    let place = &mut place[..payload.len()];
    for (to, &from) in place.iter_mut().zip(payload) {
        *to = law(from);
    }
    Some(place)
}
