//! One media leg: its two sockets and the handling of received packets. Sending is in `sending`, RTCP in
//! `reports`. The media thread decides when the leg has its tick and which mix it is in.

mod reports;
mod sending;

pub use sending::FILLING;

use super::playing::{self, Playing};
use super::receive::{Arrivals, Arrived, PAYLOAD_BYTES};
use super::recording::Pen;
use super::system::{self, Datagram, Inbox, Outbox};
use super::tap::Tap;
use super::transcode::{Coder, Level, Speech};
use super::{LegStats, MediaCommand, MediaEvent};
use paceline_core::call::{Digit, Heard};
use paceline_core::ids::CallId;
use paceline_core::media::dtmf::{DigitReceiver, DigitSender, Step};
use paceline_core::media::latch::{Latch, Verdict};
use paceline_core::media::mix::{Frame, SAMPLES};
use paceline_core::media::reception::Reception;
use paceline_core::media::relay::{Numbers, Relay};
use paceline_core::media::rtcp::{self, LastSenderReport, SenderInfo};
use paceline_core::media::rtp::{Packet, Stream};
use paceline_core::media::{Codec, MediaTarget, g711};
use std::net::{SocketAddr, UdpSocket};

/// Timestamp units of one packet (20 ms).
pub const FRAME: u32 = 160;
pub const BEAT_MICROS: u64 = 20_000;
/// Limit of recvmmsg calls per leg and tick: a flooded port gets no more of the thread's time.
const SWEEPS: usize = 4;
/// RFC 3550 section 6.2: 5 s, randomised by half.
const REPORT_MICROS: u64 = 5_000_000;
/// Comfort noise (RFC 3389): carries no audio, but shows that the far end is alive.
const COMFORT_NOISE: u8 = 13;

/// The RTP and RTCP sockets of a leg, bound to `port` (even) and `port + 1`.
#[derive(Debug)]
pub struct Line {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub port: u16,
}

/// The context of one tick, provided by the media thread.
pub struct Beat<'a> {
    /// CLOCK_MONOTONIC, and the wall clock at the same moment.
    pub now_micros: u64,
    pub wall_micros: u64,
    /// When the first of the due packets was due.
    pub due_micros: u64,
    /// Packets due now: one, or more if the thread was late.
    pub frames: u32,
    /// Earlier ticks that are skipped because the thread was too late.
    pub skipped: u32,
    pub inbox: &'a mut Inbox,
    pub outbox: &'a mut Outbox,
    pub random: &'a mut dyn FnMut() -> u64,
    pub report: &'a (dyn Fn(MediaEvent) + Send + Sync),
}

/// Packet counts of one tick, for the totals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub sent: u32,
    pub received: u64,
    pub refused: u64,
}

pub struct Leg {
    pub id: CallId,
    line: Line,
    target: Option<MediaTarget>,
    latch: Option<Latch>,
    /// The RTP socket is connected to the signalled address, once that is latched: sending costs less,
    /// and the kernel drops packets of other sources.
    connected: bool,
    stream: Stream,
    /// The next packet begins a talkspurt (RTP marker bit).
    marker: bool,
    playing: Option<Playing>,
    relay: Relay,
    /// Ticks since a packet was relayed; [`FILLING`] while silence is sent instead.
    dry: u32,
    /// When the leg's last tick was due, and by how much its ticks have come early since, after moves to
    /// other slots.
    due_micros: u64,
    ahead_micros: u64,
    /// Jitter buffer and decoder, present while a mix needs this voice decoded.
    speech: Option<Box<Speech>>,
    coder: Coder,
    /// Codec of the newest received packet.
    spoken: Option<Codec>,
    heard_level: Level,
    sent_level: Level,
    keys_out: DigitSender,
    keys_in: DigitReceiver,
    reception: Reception,
    tap: Option<Tap>,
    pen: Option<Pen>,
    stats: LegStats,
    heard_audio: bool,
    silent_since: u64,
    told_silent: bool,
    report_at: u64,
    packets_at_report: u32,
    /// The far end's last sender report: its NTP time, and when it arrived.
    last_report: Option<(u32, u64)>,
}

impl Leg {
    pub fn new(id: CallId, line: Line, now_micros: u64, random: &mut dyn FnMut() -> u64) -> Self {
        let (numbers, clock) = (random(), random());
        Leg {
            id,
            line,
            target: None,
            latch: None,
            connected: false,
            stream: Stream::new(numbers as u32, (numbers >> 32) as u16, clock as u32),
            marker: true,
            playing: None,
            relay: Relay::default(),
            dry: FILLING,
            due_micros: now_micros,
            ahead_micros: 0,
            speech: None,
            coder: Coder::default(),
            spoken: None,
            heard_level: Level::default(),
            sent_level: Level::default(),
            keys_out: DigitSender::default(),
            keys_in: DigitReceiver::default(),
            reception: Reception::default(),
            tap: None,
            pen: None,
            stats: LegStats::default(),
            heard_audio: false,
            silent_since: now_micros,
            told_silent: false,
            report_at: now_micros + first_report(random()),
            packets_at_report: 0,
            last_report: None,
        }
    }

    /// Executes a command that concerns this leg alone; the media thread handles the others.
    pub fn command(&mut self, command: MediaCommand, now_micros: u64) {
        match command {
            MediaCommand::Connect(target) => self.connect(target, now_micros),
            MediaCommand::Play { sound, plays } => self.playing = Some(Playing::new(sound, plays)),
            MediaCommand::StopPlaying => self.playing = None,
            MediaCommand::SendDigits(digits) => self.keys_out.push(digits),
            MediaCommand::Tap(tap) => self.tap = Some(tap),
            MediaCommand::StopRecording => self.pen = None,
            MediaCommand::Join { .. }
            | MediaCommand::Leave
            | MediaCommand::Record(_)
            | MediaCommand::Measure
            | MediaCommand::Close => {}
        }
    }

    /// Records both directions into `pen`; a recording under way ends.
    pub fn record(&mut self, pen: Option<Pen>) {
        self.pen = pen;
    }

    fn connect(&mut self, target: MediaTarget, now_micros: u64) {
        let on_hold = target.rtp.ip().is_unspecified() || target.rtp.port() == 0;
        let moved = self.latch.as_ref().is_none_or(|latch| latch.signalled() != target.rtp);
        if moved && !on_hold {
            self.disconnect();
            self.latch = Some(Latch::new(target.rtp));
        }
        if target.telephone_event.is_none() && !self.keys_out.is_idle() {
            tracing::debug!(leg = %self.id, "the far side takes no telephone events: keys dropped");
            self.keys_out = DigitSender::default();
        }
        self.target = Some(target);
        self.silent_since = now_micros;
        self.told_silent = false;
    }

    fn connect_when_latched(&mut self) {
        if self.connected {
            return;
        }
        if let Some(latch) = self.latch.as_ref().filter(|latch| latch.has_latched_signalled()) {
            self.connected = self.line.rtp.connect(latch.signalled()).is_ok();
        }
    }

    fn disconnect(&mut self) {
        if self.connected {
            self.connected = false;
            if let Err(error) = system::disconnect(&self.line.rtp) {
                tracing::warn!(leg = %self.id, "the moved far side may not be heard: {error}");
            }
        }
    }

    /// One tick of a leg outside of all mixes: receive, send, then silence detection and RTCP.
    pub fn beat(&mut self, beat: &mut Beat<'_>, silence_micros: u64) -> Done {
        let mut done = Done::default();
        self.listen(beat, &mut done, None);
        self.say(beat, &mut done, beat.frames, None);
        self.finish(beat, &done, silence_micros);
        done
    }

    /// First part of a tick: receive. `arrivals` collects the packets for other members of the mix.
    pub fn listen(&mut self, beat: &mut Beat<'_>, done: &mut Done, mut arrivals: Option<&mut Arrivals>) {
        self.due_micros = beat.due_micros + u64::from(beat.frames.saturating_sub(1)) * BEAT_MICROS;
        self.receive(beat, done, arrivals.as_deref_mut());
        self.connect_when_latched();
        if let Some(digit) = self.keys_in.expire(beat.now_micros) {
            self.tell(beat, Heard::Digit(digit));
            if let Some(arrivals) = arrivals {
                arrivals.press(digit);
            }
        }
        self.open_turn(beat.skipped);
    }

    /// Last part of a tick: silence detection, RTCP and statistics.
    pub fn finish(&mut self, beat: &mut Beat<'_>, done: &Done, silence_micros: u64) {
        self.mind_silence(beat, silence_micros);
        if beat.now_micros >= self.report_at {
            self.exchange_reports(beat);
        }
        self.stats.packets_sent += u64::from(done.sent);
        self.stats.packets_received += done.received;
        self.stats.packets_refused += done.refused;
    }

    /// Moves the leg's ticks to another moment. An earlier tick fills the far end's jitter buffer; once
    /// that amounts to a whole frame, one frame is skipped.
    pub fn move_turn(&mut self, next_due_micros: u64) {
        self.ahead_micros += (self.due_micros + BEAT_MICROS).saturating_sub(next_due_micros);
    }

    /// Resets relay and decoder state after joining or leaving a mix.
    pub fn change_company(&mut self) {
        self.relay = Relay::default();
        self.dry = FILLING;
        self.speech = None;
    }

    /// Creates the decoder when it is wanted and drops it when not.
    pub fn decode_speech(&mut self, wanted: bool) {
        match (wanted, &self.speech) {
            (true, None) => self.speech = Some(Box::new(Speech::new(self.spoken.unwrap_or(Codec::Pcma)))),
            (false, Some(_)) => self.speech = None,
            _ => {}
        }
    }

    /// The next 20 ms of this leg's decoded voice.
    pub fn speech(&mut self, frame: &mut Frame) {
        match &mut self.speech {
            Some(speech) => {
                if speech.take(frame) && self.spoken == Some(Codec::G722) {
                    self.heard_level.add_linear(frame);
                }
            }
            None => frame.fill(0),
        }
    }

    /// The codec received from the far end, and the codec sent to it.
    pub fn codecs(&self) -> (Option<Codec>, Option<Codec>) {
        (self.spoken, self.target.as_ref().map(|target| target.codec))
    }

    pub fn due_micros(&self) -> u64 {
        self.due_micros
    }

    /// Statistics so far.
    pub fn stats(&self) -> LegStats {
        LegStats {
            packets_lost: self.reception.lost(),
            jitter_micros: self.reception.jitter_micros(),
            heard_dbov: self.heard_level.dbov(),
            sent_dbov: self.sent_level.dbov(),
            ..self.stats
        }
    }

    fn receive(&mut self, beat: &mut Beat<'_>, done: &mut Done, mut arrivals: Option<&mut Arrivals>) {
        for _ in 0..SWEEPS {
            let count = beat.inbox.receive(&self.line.rtp);
            for n in 0..count {
                let heard = match beat.inbox.datagram(n) {
                    Some(datagram) => {
                        let arrivals = arrivals.as_deref_mut();
                        self.hear(datagram, beat.now_micros, beat.wall_micros, arrivals)
                    }
                    None => None,
                };
                let Some(heard) = heard else {
                    done.refused += 1;
                    continue;
                };
                done.received += 1;
                self.silent_since = beat.now_micros;
                if !self.heard_audio {
                    self.heard_audio = true;
                    self.tell(beat, Heard::FirstAudio);
                }
                for digit in heard.into_iter().flatten() {
                    self.tell(beat, Heard::Digit(digit));
                    if let Some(arrivals) = arrivals.as_deref_mut() {
                        arrivals.press(digit);
                    }
                }
            }
            if count < system::INBOX {
                return;
            }
        }
    }

    /// Handles one datagram. Returns the digits it completed; `None` if it is not RTP from the latched
    /// source.
    fn hear(
        &mut self,
        datagram: Datagram<'_>,
        now: u64,
        wall: u64,
        arrivals: Option<&mut Arrivals>,
    ) -> Option<[Option<Digit>; 2]> {
        let (target, latch) = (self.target.as_ref()?, self.latch.as_mut()?);
        let packet = Packet::parse(datagram.bytes)?;
        let event = target.telephone_event_in == Some(packet.payload_type);
        // The far end may have mapped the codec to a payload type of its own.
        let own = (packet.payload_type == target.payload_type).then_some(target.codec);
        let codec = own.or(Codec::ALL.into_iter().find(|codec| codec.payload_type() == packet.payload_type));
        if !event && codec.is_none() && packet.payload_type != COMFORT_NOISE {
            return None;
        }
        // Kernel arrival time converted to the monotonic clock; a jump of the wall clock shifts it by a
        // second at most.
        let waited = datagram.arrived_wall_micros.map_or(0, |arrived| wall.saturating_sub(arrived));
        let arrived = now.saturating_sub(waited.min(1_000_000));
        if latch.check_packet(datagram.source, packet.ssrc, packet.sequence, arrived) == Verdict::Refused {
            return None;
        }
        if event {
            // All packets of one digit carry the same timestamp, so they would count as jitter.
            let keys = self.keys_in.packet(packet.ssrc, packet.timestamp, packet.payload, arrived);
            return self.reception.event_packet(packet.ssrc, packet.sequence).then_some(keys);
        }
        if !self.reception.packet(packet.ssrc, packet.sequence, packet.timestamp, arrived) {
            return None;
        }
        if let Some(codec) = codec {
            self.hear_sound(codec, &packet, arrived, arrivals);
        }
        Some([None, None])
    }

    fn hear_sound(
        &mut self,
        codec: Codec,
        packet: &Packet<'_>,
        arrived: u64,
        arrivals: Option<&mut Arrivals>,
    ) {
        self.spoken = Some(codec);
        self.heard_level.add_coded(codec, packet.payload);
        if let Some(tap) = &self.tap {
            tap.hear(codec, packet.ssrc, packet.timestamp, packet.payload);
        }
        let Packet { ssrc, sequence, timestamp, marker, .. } = *packet;
        if let Some(pen) = &mut self.pen {
            pen.heard(codec, ssrc, timestamp, packet.payload, arrived);
        }
        if let Some(arrivals) = arrivals {
            arrivals.put(Numbers { ssrc, sequence, timestamp, marker }, codec, packet.payload);
        }
    }

    /// Feeds received packets to the decoder, if there is one.
    pub fn take_in(&mut self, arrivals: &Arrivals) {
        if let Some(speech) = &mut self.speech {
            arrivals.packets().iter().for_each(|packet| speech.put(packet));
        }
    }

    /// Sends RTCP BYE and closes the sockets. Returns the port and the statistics.
    pub fn close(mut self, wall_micros: u64) -> (u16, LegStats) {
        self.send_report(wall_micros, true);
        (self.line.port, self.stats())
    }

    fn tell(&self, beat: &Beat<'_>, heard: Heard) {
        (beat.report)(MediaEvent::Heard { leg: self.id, heard });
    }
}

/// Delay of the first RTCP report (RFC 3550 section 6.2): 2.5 s, randomised by half.
fn first_report(random: u64) -> u64 {
    REPORT_MICROS / 4 + random % (REPORT_MICROS / 2)
}
