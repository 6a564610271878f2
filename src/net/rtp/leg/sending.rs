//! What a leg sends at its tick, in order of precedence: DTMF digits, playback, audio of its mix,
//! silence. The outgoing stream never stops except on hold.

use super::*;

impl Leg {
    /// Accounts for skipped ticks; to be called before anything is sent in this tick.
    pub(super) fn skip_ticks(&mut self, skipped: u32) {
        if skipped > 0 {
            self.stream.advance_clock(FRAME_SAMPLES * skipped);
            self.marker = true;
            self.relay.interrupt();
            self.packetizer.clear();
        }
    }

    pub(super) fn can_send(&self) -> bool {
        self.latch.is_some() && self.target.as_ref().is_some_and(MediaTarget::may_send)
    }

    /// Sends this leg's own packets: digits, playback, or `mixed`, a mix frame in this leg's codec,
    /// otherwise silence. Sends `frames` packets at once after a delay.
    pub fn send_own(
        &mut self,
        tick: &mut Tick<'_>,
        counts: &mut TickCounts,
        mut frames: u32,
        mixed: Option<&[u8]>,
    ) {
        self.relay.interrupt();
        self.dry_ticks = SENDING_SILENCE;
        if !self.can_send() {
            // On hold the RTP clock runs on, and playback waits.
            self.stream.advance_clock(FRAME_SAMPLES * frames);
            self.marker = true;
            self.packetizer.clear();
            self.note_held_playback(tick, true);
            return;
        }
        self.note_held_playback(tick, false);
        if self.ahead_micros >= TICK_MICROS && frames > 0 {
            self.ahead_micros -= TICK_MICROS;
            frames -= 1;
        }
        let mut ended = false;
        for _ in 0..frames {
            ended |= self.send_frame(tick, mixed);
        }
        self.flush(tick, counts);
        if ended {
            self.report_heard(tick, Heard::PlayEnded);
        }
    }

    /// Reports a playback that waits or goes on, once each.
    fn note_held_playback(&mut self, tick: &Tick<'_>, is_held: bool) {
        if self.playback.is_some() && self.play_is_held != is_held {
            self.play_is_held = is_held;
            self.report_heard(tick, if is_held { Heard::PlayHeld } else { Heard::PlayResumed });
        }
    }

    /// Sends one frame. Returns true when playback has ended.
    fn send_frame(&mut self, tick: &mut Tick<'_>, mixed: Option<&[u8]>) -> bool {
        let Some(target) = &self.target else { return false };
        let (codec, kind, clock) = (target.codec, target.payload_type, self.stream.timestamp);
        let size = target.packet_bytes().clamp(1, packetizer::MAX_BYTES);
        let mut ended = false;
        let step = match target.telephone_event {
            Some(kind) => (kind, self.digit_sender.step(clock)),
            None => (0, Step::Audio),
        };
        match step {
            (kind, Step::Event { payload, marker, timestamp }) => {
                self.packetizer.clear();
                tick.outbox.put(|place| self.stream.write(kind, marker, timestamp, &payload, place));
            }
            (_, Step::Audio) => {
                let frame = self.playback.as_mut().map(|playback| playback.advance(codec));
                if let Some(None) = frame {
                    self.playback = None;
                    ended = true;
                }
                let played = self.playback.as_ref().and_then(|playback| playback.current(codec));
                let sound = played.or(mixed);
                let payload = sound.unwrap_or_else(|| playback::silence(codec));
                if size == payload.len() && self.packetizer.is_empty() {
                    tick.outbox.put(|place| self.stream.write(kind, self.marker, clock, payload, place));
                    self.marker = false;
                } else {
                    self.packetizer.push(clock, payload);
                    let mut packet = [0; packetizer::MAX_BYTES];
                    while let Some(clock) = self.packetizer.next(size, &mut packet) {
                        let payload = &packet[..size];
                        tick.outbox.put(|place| self.stream.write(kind, self.marker, clock, payload, place));
                        self.marker = false;
                    }
                }
                self.sent_level.add_coded(codec, payload);
                // Silence of our own is a gap in the recording, which plays as silence too.
                if let (Some(sink), Some(sound)) = (&mut self.recording, sound) {
                    sink.sent(codec, clock, sound, tick.due_micros);
                }
            }
        }
        self.stream.advance_clock(FRAME_SAMPLES);
        ended
    }

    /// Relays the packets of one other member, unless digits or playback take precedence.
    pub fn send_relayed(&mut self, tick: &mut Tick<'_>, counts: &mut TickCounts, batch: &ReceiveBatch) {
        let own = self.playback.is_some() || !self.digit_sender.is_idle();
        if own || !self.can_send() {
            return self.send_own(tick, counts, tick.frames, None);
        }
        // Let the pause after a digit run out.
        for _ in 0..tick.frames {
            self.digit_sender.step(self.stream.timestamp);
        }
        if batch.packets().is_empty() {
            return self.wait_or_send_silence(tick, counts);
        }
        let Some((codec, kind)) = self.target.as_ref().map(|target| (target.codec, target.payload_type))
        else {
            return;
        };
        self.dry_ticks = 0;
        let last = batch.packets().len() - 1;
        for (n, packet) in batch.packets().iter().enumerate() {
            let mut other_law = [0; PAYLOAD_BYTES];
            let Some(payload) = in_codec(packet, codec, &mut other_law) else { continue };
            let Some(mut place) = self.relay.position(&self.stream, packet.header, n == last) else {
                continue;
            };
            place.marker |= std::mem::take(&mut self.marker);
            if tick.outbox.is_full() {
                self.flush(tick, counts);
            }
            tick.outbox.put(|bytes| self.stream.write_relayed(kind, place, payload, bytes));
            self.sent_level.add_coded(codec, payload);
            if let Some(sink) = &mut self.recording {
                sink.sent(codec, place.timestamp, payload, tick.now_micros);
            }
        }
        self.flush(tick, counts);
    }

    /// The relayed source sent nothing in this tick: wait a few ticks, then send silence.
    fn wait_or_send_silence(&mut self, tick: &mut Tick<'_>, counts: &mut TickCounts) {
        let waited = self.dry_ticks;
        self.dry_ticks = (self.dry_ticks + tick.frames).min(SENDING_SILENCE);
        if self.dry_ticks <= RELAY_WAIT_TICKS {
            return;
        }
        if waited <= RELAY_WAIT_TICKS {
            self.stream.advance_clock(FRAME_SAMPLES * waited);
            self.marker = true;
        }
        self.send_own(tick, counts, tick.frames, None);
    }

    fn flush(&mut self, tick: &mut Tick<'_>, counts: &mut TickCounts) {
        let Some(latch) = &self.latch else { return };
        let to = (!self.connected).then(|| latch.destination());
        counts.sent += tick.outbox.send(&self.sockets.rtp, to) as u32;
    }

    /// Queues digits that another member of the mix pressed.
    pub fn queue_digits(&mut self, digits: &[Digit]) {
        let takes = self.target.as_ref().is_some_and(|target| target.telephone_event.is_some());
        if takes && self.can_send() {
            self.digit_sender.push(digits.iter().copied());
        }
    }

    /// Encodes a mix frame in this leg's codec.
    pub fn encode(&mut self, frame: &Frame) -> [u8; SAMPLES] {
        let codec = self.target.as_ref().map_or(Codec::Pcma, |target| target.codec);
        self.encoder.encode(codec, frame)
    }
}

/// The packet's payload in `codec`, if the same or convertible by table (A-law and mu-law).
fn in_codec<'a>(
    packet: &'a ReceivedPacket,
    codec: Codec,
    place: &'a mut [u8; PAYLOAD_BYTES],
) -> Option<&'a [u8]> {
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
