//! One media leg: its two sockets and the handling of received packets. Sending is in `sending`, RTCP in
//! `reports`. The media thread decides when the leg has its tick and which mix it is in.

mod reports;
mod sending;

use super::capture::AudioCapture;
use super::command::MediaCommand;
use super::event::{LegStats, MediaEvent};
use super::playback::{self, Playback};
use super::receive::{PAYLOAD_BYTES, ReceiveBatch, ReceivedPacket};
use super::recording::RecordingSink;
use super::system::{self, Datagram, Inbox, Outbox};
use super::transcode::{FrameEncoder, LevelMeter, PlayoutDecoder};
use paceline_core::call::{Digit, Heard, KeyWay};
use paceline_core::ids::CallId;
use paceline_core::media::audio_watch::{AudioChange, AudioWatch};
use paceline_core::media::dtmf::{DigitReceiver, DigitSender, Step};
use paceline_core::media::latch::{Latch, Verdict};
use paceline_core::media::mix::{Frame, SAMPLES};
use paceline_core::media::press_merger::PressMerger;
use paceline_core::media::reception::Reception;
use paceline_core::media::relay::{HeaderFields, Relay};
use paceline_core::media::rtcp::{self, LastSenderReport, SenderInfo};
use paceline_core::media::rtp::Packet;
use paceline_core::media::stream::SendStream;
use paceline_core::media::tone_keys::ToneListener;
use paceline_core::media::{Codec, MediaTarget, g711};
use std::net::{SocketAddr, UdpSocket};

/// Timestamp units of one packet (20 ms).
pub const FRAME_SAMPLES: u32 = 160;
pub const TICK_MICROS: u64 = 20_000;
/// Limit of recvmmsg calls per leg and tick: a flooded port gets no more of the thread's time.
const RECEIVE_CALLS_MAX: usize = 4;
/// Ticks without a packet to relay before silence is sent instead: usual network jitter is left to the
/// far end's jitter buffer.
const RELAY_WAIT_TICKS: u32 = 3;
/// Value of `Leg::dry_ticks` while silence is sent.
const SENDING_SILENCE: u32 = RELAY_WAIT_TICKS + 1;
/// RFC 3550 section 6.2: 5 s, randomised by half.
const REPORT_MICROS: u64 = 5_000_000;
/// Comfort noise (RFC 3389): carries no audio, but shows that the far end is alive.
const COMFORT_NOISE: u8 = 13;

/// The RTP and RTCP sockets of a leg, bound to `port` (even) and `port + 1`.
#[derive(Debug)]
pub struct RtpSockets {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub port: u16,
}

/// The context of one tick, provided by the media thread.
pub struct Tick<'a> {
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
pub struct TickCounts {
    pub sent: u32,
    pub received: u64,
    pub refused: u64,
}

/// What an accepted packet changed.
struct Arrival {
    digits: [Option<Digit>; 2],
    tone: Option<Digit>,
    audio: Option<AudioChange>,
}

pub struct Leg {
    pub id: CallId,
    sockets: RtpSockets,
    target: Option<MediaTarget>,
    latch: Option<Latch>,
    /// The RTP socket is connected to the signalled address, once that is latched: sending costs less,
    /// and the kernel drops packets of other sources.
    connected: bool,
    stream: SendStream,
    /// The next packet begins a talkspurt (RTP marker bit).
    marker: bool,
    playback: Option<Playback>,
    relay: Relay,
    /// Ticks since a packet was relayed; [`SENDING_SILENCE`] while silence is sent instead.
    dry_ticks: u32,
    /// When the leg's last tick was due, and by how much its ticks have come early since, after moves to
    /// other slots.
    due_micros: u64,
    ahead_micros: u64,
    /// Jitter buffer and decoder, present while a mix needs this voice decoded.
    decoder: Option<Box<PlayoutDecoder>>,
    encoder: FrameEncoder,
    /// Codec of the newest received packet.
    received_codec: Option<Codec>,
    heard_level: LevelMeter,
    sent_level: LevelMeter,
    digit_sender: DigitSender,
    digit_receiver: DigitReceiver,
    press_merger: PressMerger,
    /// Present while keys are looked for in the audio.
    tone_listener: Option<Box<ToneListener>>,
    reception: Reception,
    capture: Option<AudioCapture>,
    recording: Option<RecordingSink>,
    stats: LegStats,
    has_heard_audio: bool,
    silent_since: u64,
    has_reported_silence: bool,
    audio_watch: AudioWatch,
    /// When RTCP is read next while the far end's audio has stopped.
    rtcp_read_at: u64,
    report_at: u64,
    packets_at_report: u32,
    /// The far end's last sender report: its NTP time, and when it arrived.
    last_report: Option<(u32, u64)>,
}

impl Leg {
    pub fn new(id: CallId, sockets: RtpSockets, now_micros: u64, random: &mut dyn FnMut() -> u64) -> Self {
        let (numbers, clock) = (random(), random());
        Leg {
            id,
            sockets,
            target: None,
            latch: None,
            connected: false,
            stream: SendStream::new(numbers as u32, (numbers >> 32) as u16, clock as u32),
            marker: true,
            playback: None,
            relay: Relay::default(),
            dry_ticks: SENDING_SILENCE,
            due_micros: now_micros,
            ahead_micros: 0,
            decoder: None,
            encoder: FrameEncoder::default(),
            received_codec: None,
            heard_level: LevelMeter::default(),
            sent_level: LevelMeter::default(),
            digit_sender: DigitSender::default(),
            digit_receiver: DigitReceiver::default(),
            press_merger: PressMerger::default(),
            tone_listener: None,
            reception: Reception::default(),
            capture: None,
            recording: None,
            stats: LegStats::default(),
            has_heard_audio: false,
            silent_since: now_micros,
            has_reported_silence: false,
            audio_watch: AudioWatch::new(now_micros),
            rtcp_read_at: 0,
            report_at: now_micros + first_report(random()),
            packets_at_report: 0,
            last_report: None,
        }
    }

    /// Executes a command that concerns this leg alone; the media thread handles the others.
    pub fn command(&mut self, command: MediaCommand, now_micros: u64) {
        match command {
            MediaCommand::Connect(target) => self.connect(target, now_micros),
            MediaCommand::Play { sound, plays } => self.playback = Some(Playback::new(sound, plays)),
            MediaCommand::StopPlaying => self.playback = None,
            MediaCommand::DetectTones => {
                self.tone_listener.get_or_insert_default();
            }
            MediaCommand::SendDigits(digits) => self.digit_sender.push(digits),
            MediaCommand::Capture(capture) => self.capture = Some(capture),
            MediaCommand::StopRecording => self.recording = None,
            MediaCommand::Join { .. }
            | MediaCommand::Leave
            | MediaCommand::Record(_)
            | MediaCommand::PressedByInfo(_)
            | MediaCommand::Measure
            | MediaCommand::Close => {}
        }
    }

    /// Records both directions into `sink`; a recording under way ends.
    pub fn record(&mut self, sink: Option<RecordingSink>) {
        self.recording = sink;
    }

    fn connect(&mut self, target: MediaTarget, now_micros: u64) {
        let on_hold = target.rtp.ip().is_unspecified() || target.rtp.port() == 0;
        let moved = self.latch.as_ref().is_none_or(|latch| latch.signalled() != target.rtp);
        if moved && !on_hold {
            self.disconnect();
            self.latch = Some(Latch::new(target.rtp));
        }
        if target.telephone_event.is_none() && !self.digit_sender.is_idle() {
            tracing::debug!(leg = %self.id, "the far side takes no telephone events: keys dropped");
            self.digit_sender = DigitSender::default();
        }
        self.target = Some(target);
        self.silent_since = now_micros;
        self.has_reported_silence = false;
        self.audio_watch.restart(now_micros);
    }

    fn connect_when_latched(&mut self) {
        if self.connected {
            return;
        }
        if let Some(latch) = self.latch.as_ref().filter(|latch| latch.has_latched_signalled()) {
            self.connected = self.sockets.rtp.connect(latch.signalled()).is_ok();
        }
    }

    fn disconnect(&mut self) {
        if self.connected {
            self.connected = false;
            if let Err(error) = system::disconnect(&self.sockets.rtp) {
                tracing::warn!(leg = %self.id, "the moved far side may not be heard: {error}");
            }
        }
    }

    /// One tick of a leg outside of all mixes: receive, send, then silence detection and RTCP.
    pub fn run_tick(&mut self, tick: &mut Tick<'_>, silence_micros: u64) -> TickCounts {
        let mut counts = TickCounts::default();
        self.begin_tick(tick, &mut counts, None);
        self.send_own(tick, &mut counts, tick.frames, None);
        self.end_tick(tick, &counts, silence_micros);
        counts
    }

    /// First part of a tick: receive. `batch` collects the packets for other members of the mix.
    pub fn begin_tick(
        &mut self,
        tick: &mut Tick<'_>,
        counts: &mut TickCounts,
        mut batch: Option<&mut ReceiveBatch>,
    ) {
        self.due_micros = tick.due_micros + u64::from(tick.frames.saturating_sub(1)) * TICK_MICROS;
        self.receive(tick, counts, batch.as_deref_mut());
        self.connect_when_latched();
        if let Some(digit) = self.digit_receiver.expire(tick.now_micros) {
            self.report_key(tick.report, digit, KeyWay::Rtp, tick.now_micros);
            if let Some(batch) = batch {
                batch.push_digit(digit);
            }
        }
        self.skip_ticks(tick.skipped);
    }

    /// Last part of a tick: silence detection, RTCP and statistics.
    pub fn end_tick(&mut self, tick: &mut Tick<'_>, counts: &TickCounts, silence_micros: u64) {
        self.detect_silence(tick, silence_micros);
        self.watch_audio(tick);
        if tick.now_micros >= self.report_at {
            self.exchange_reports(tick);
        }
        self.stats.packets_sent += u64::from(counts.sent);
        self.stats.packets_received += counts.received;
        self.stats.packets_refused += counts.refused;
    }

    /// Moves the leg's ticks to another moment. An earlier tick fills the far end's jitter buffer; once
    /// that amounts to a whole frame, one frame is skipped.
    pub fn shift_tick(&mut self, next_due_micros: u64) {
        self.ahead_micros += (self.due_micros + TICK_MICROS).saturating_sub(next_due_micros);
    }

    /// Resets relay, decoder and tone detection after joining or leaving a mix.
    pub fn reset_mix_state(&mut self) {
        self.relay = Relay::default();
        self.dry_ticks = SENDING_SILENCE;
        self.decoder = None;
        self.tone_listener = None;
    }

    /// Creates the decoder when it is wanted and drops it when not.
    pub fn set_decoding(&mut self, wanted: bool) {
        match (wanted, &self.decoder) {
            (true, None) => {
                self.decoder = Some(Box::new(PlayoutDecoder::new(self.received_codec.unwrap_or(Codec::Pcma))))
            }
            (false, Some(_)) => self.decoder = None,
            _ => {}
        }
    }

    /// The next 20 ms of this leg's decoded voice.
    pub fn decoded_frame(&mut self, frame: &mut Frame) {
        match &mut self.decoder {
            Some(decoder) => {
                if decoder.pop_frame(frame) && self.received_codec == Some(Codec::G722) {
                    self.heard_level.add_linear(frame);
                }
            }
            None => frame.fill(0),
        }
    }

    /// The codec received from the far end, and the codec sent to it.
    pub fn codecs(&self) -> (Option<Codec>, Option<Codec>) {
        (self.received_codec, self.target.as_ref().map(|target| target.codec))
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

    fn receive(
        &mut self,
        tick: &mut Tick<'_>,
        counts: &mut TickCounts,
        mut batch: Option<&mut ReceiveBatch>,
    ) {
        for _ in 0..RECEIVE_CALLS_MAX {
            let count = tick.inbox.receive(&self.sockets.rtp);
            for n in 0..count {
                let arrival = match tick.inbox.datagram(n) {
                    Some(datagram) => {
                        let batch = batch.as_deref_mut();
                        self.handle_datagram(datagram, tick.now_micros, tick.wall_micros, batch)
                    }
                    None => None,
                };
                let Some(Arrival { digits, tone, audio }) = arrival else {
                    counts.refused += 1;
                    continue;
                };
                counts.received += 1;
                self.silent_since = tick.now_micros;
                if !self.has_heard_audio {
                    self.has_heard_audio = true;
                    self.report_heard(tick, Heard::FirstAudio);
                }
                if audio == Some(AudioChange::Resumed) {
                    self.report_heard(tick, Heard::AudioResumed);
                }
                // A tone is not sent on as an event: the other legs of a mix hear it.
                if let Some(digit) = tone {
                    self.report_key(tick.report, digit, KeyWay::Tone, tick.now_micros);
                }
                for digit in digits.into_iter().flatten() {
                    self.report_key(tick.report, digit, KeyWay::Rtp, tick.now_micros);
                    if let Some(batch) = batch.as_deref_mut() {
                        batch.push_digit(digit);
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
    fn handle_datagram(
        &mut self,
        datagram: Datagram<'_>,
        now: u64,
        wall: u64,
        batch: Option<&mut ReceiveBatch>,
    ) -> Option<Arrival> {
        let (target, latch) = (self.target.as_ref()?, self.latch.as_mut()?);
        let packet = Packet::parse(datagram.bytes)?;
        let event = target.telephone_event_in == Some(packet.payload_type);
        // The far end may have mapped the codec to a payload type of its own.
        let own = (packet.payload_type == target.payload_type).then_some(target.codec);
        let codec = own.or(Codec::ALL.into_iter().find(|codec| codec.payload_type() == packet.payload_type));
        if !event && codec.is_none() && packet.payload_type != COMFORT_NOISE {
            return None;
        }
        let arrived = monotonic_arrival(datagram.arrived_wall_micros, wall, now);
        if latch.check_packet(datagram.source, packet.ssrc, packet.sequence, arrived) == Verdict::Refused {
            return None;
        }
        if event {
            // All packets of one digit carry the same timestamp, so they would count as jitter.
            let digits = self.digit_receiver.packet(&packet, arrived);
            let belongs = self.reception.event_packet(packet.ssrc, packet.sequence);
            let audio = self.audio_watch.packet(packet.ssrc, packet.sequence, false, now);
            if let Some(digit) = self.digit_receiver.pressed(arrived) {
                self.press_merger.hold(digit, now);
            }
            return belongs.then_some(Arrival { digits, tone: None, audio });
        }
        if !self.reception.packet(packet.ssrc, packet.sequence, packet.timestamp, arrived) {
            return None;
        }
        let tone = codec.and_then(|codec| {
            self.handle_audio(codec, &packet, arrived, batch);
            self.detect_tone(codec, &packet)
        });
        let audio = self.audio_watch.packet(packet.ssrc, packet.sequence, codec.is_none(), now);
        Some(Arrival { digits: [None, None], tone, audio })
    }

    fn handle_audio(
        &mut self,
        codec: Codec,
        packet: &Packet<'_>,
        arrived: u64,
        batch: Option<&mut ReceiveBatch>,
    ) {
        self.received_codec = Some(codec);
        self.heard_level.add_coded(codec, packet.payload);
        if let Some(capture) = &self.capture {
            capture.add(codec, packet.ssrc, packet.timestamp, packet.payload);
        }
        let Packet { ssrc, sequence, timestamp, marker, .. } = *packet;
        if let Some(sink) = &mut self.recording {
            sink.heard(codec, ssrc, timestamp, packet.payload, arrived);
        }
        if let Some(batch) = batch {
            batch.push(HeaderFields { ssrc, sequence, timestamp, marker }, codec, packet.payload);
        }
    }

    /// Feeds received packets to the decoder, if there is one.
    pub fn buffer_packets(&mut self, batch: &ReceiveBatch) {
        if let Some(decoder) = &mut self.decoder {
            batch.packets().iter().for_each(|packet| decoder.push(packet));
        }
    }

    /// Sends RTCP BYE and closes the sockets. Returns the port and the statistics.
    pub fn close(mut self, wall_micros: u64) -> (u16, LegStats) {
        self.send_report(wall_micros, true);
        (self.sockets.port, self.stats())
    }

    /// Looks for a key in the audio. G.722 has to be decoded for it, which is done only where the far end takes no
    /// telephone events.
    fn detect_tone(&mut self, codec: Codec, packet: &Packet<'_>) -> Option<Digit> {
        let has_events = self.target.as_ref().is_some_and(|target| target.telephone_event.is_some());
        if codec == Codec::G722 && has_events {
            return None;
        }
        let mut tone = None;
        if let Some(listener) = &mut self.tone_listener {
            listener.packet(codec, packet.ssrc, packet.timestamp, packet.payload, |digit| tone = Some(digit));
        }
        tone
    }

    /// Reports a key press, unless another way has reported it.
    pub fn report_key(
        &mut self,
        report: &(dyn Fn(MediaEvent) + Send + Sync),
        digit: Digit,
        way: KeyWay,
        now_micros: u64,
    ) {
        if way == KeyWay::Rtp {
            self.tone_listener = None;
        }
        if self.press_merger.is_new(digit, way, now_micros) {
            let heard = match way {
                KeyWay::Rtp => Heard::Digit(digit),
                way => Heard::DigitBy { digit, way },
            };
            report(MediaEvent::Heard { leg: self.id, heard });
        }
    }

    fn report_heard(&self, tick: &Tick<'_>, heard: Heard) {
        (tick.report)(MediaEvent::Heard { leg: self.id, heard });
    }
}

/// Kernel arrival time converted to the monotonic clock; a jump of the wall clock shifts it by a second at most.
fn monotonic_arrival(arrived_wall_micros: Option<u64>, wall_micros: u64, now_micros: u64) -> u64 {
    let waited = arrived_wall_micros.map_or(0, |arrived| wall_micros.saturating_sub(arrived));
    now_micros.saturating_sub(waited.min(1_000_000))
}

/// Delay of the first RTCP report (RFC 3550 section 6.2): 2.5 s, randomised by half.
fn first_report(random: u64) -> u64 {
    REPORT_MICROS / 4 + random % (REPORT_MICROS / 2)
}
