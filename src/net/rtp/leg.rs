//! One leg: its two sockets, what it sends each 20 ms, and what it makes of what arrives. When its
//! turn comes is the wheel's business.

use super::playing::Playing;
use super::system::{self, Datagram, Inbox, OUTBOX, Outbox};
use super::tap::Tap;
use super::{LegStats, MediaCommand, MediaEvent};
use paceline_core::call::{Digit, Heard};
use paceline_core::ids::CallId;
use paceline_core::media::dtmf::{DigitReceiver, DigitSender, Step};
use paceline_core::media::latch::{Latch, Verdict};
use paceline_core::media::reception::Reception;
use paceline_core::media::rtcp::{self, LastReport, Sent};
use paceline_core::media::rtp::{Packet, Stream};
use paceline_core::media::{Codec, MediaTarget};
use std::net::{SocketAddr, UdpSocket};

/// One packet's worth of the RTP clock.
pub const FRAME: u32 = 160;
/// Calls of recvmmsg per leg and beat; whoever floods a port does not get more of our time.
const SWEEPS: usize = 4;
/// RFC 3550 section 6.2: 5 s, randomised by half.
const REPORT_MICROS: u64 = 5_000_000;
/// Comfort noise (RFC 3389): no audio, but a sign of life.
const COMFORT_NOISE: u8 = 13;

/// The sockets of a leg and the even port they stand on.
#[derive(Debug)]
pub struct Line {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub port: u16,
}

/// What a leg needs from its thread for one beat.
pub struct Beat<'a> {
    /// CLOCK_MONOTONIC, and the wall clock at the same moment.
    pub now_micros: u64,
    pub wall_micros: u64,
    /// When the first of the due packets was due.
    pub due_micros: u64,
    /// Packets due now: one, or more when the thread was late.
    pub frames: u32,
    /// Beats before them that are given up.
    pub skipped: u32,
    pub inbox: &'a mut Inbox,
    pub outbox: &'a mut Outbox,
    pub random: &'a mut dyn FnMut() -> u64,
    pub report: &'a (dyn Fn(MediaEvent) + Send + Sync),
}

/// What one beat did, for the totals.
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
    /// The socket is connected to the signalled address, since that is who speaks: sending costs
    /// less, and the kernel turns strangers away before they cost us anything.
    connected: bool,
    stream: Stream,
    /// The next packet begins a talkspurt.
    marker: bool,
    playing: Option<Playing>,
    keys_out: DigitSender,
    keys_in: DigitReceiver,
    reception: Reception,
    tap: Option<Tap>,
    stats: LegStats,
    heard_audio: bool,
    silent_since: u64,
    told_silent: bool,
    report_at: u64,
    packets_at_report: u32,
    /// The far side's last sender report: its time, and when it came.
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
            keys_out: DigitSender::default(),
            keys_in: DigitReceiver::default(),
            reception: Reception::default(),
            tap: None,
            stats: LegStats::default(),
            heard_audio: false,
            silent_since: now_micros,
            told_silent: false,
            report_at: now_micros + first_report(random()),
            packets_at_report: 0,
            last_report: None,
        }
    }

    /// Everything but `Close`, which is the wheel's.
    pub fn command(&mut self, command: MediaCommand, now_micros: u64) {
        match command {
            MediaCommand::Connect(target) => self.connect(target, now_micros),
            MediaCommand::Play { sound, plays } => self.playing = Some(Playing::new(sound, plays)),
            MediaCommand::StopPlaying => self.playing = None,
            MediaCommand::SendDigits(digits) => self.keys_out.push(digits),
            MediaCommand::Record(tap) => self.tap = Some(tap),
            MediaCommand::Close => {}
        }
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

    fn connect_when_certain(&mut self) {
        if self.connected {
            return;
        }
        if let Some(latch) = self.latch.as_ref().filter(|latch| latch.is_certain()) {
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

    /// One turn: hear, then speak, then what is due besides.
    pub fn beat(&mut self, beat: &mut Beat<'_>, silence_micros: u64) -> Done {
        let mut done = Done::default();
        self.receive(beat, &mut done);
        self.connect_when_certain();
        self.send(beat, &mut done);
        if let Some(digit) = self.keys_in.passed(beat.now_micros) {
            self.tell(beat, Heard::Digit(digit));
        }
        self.mind_silence(beat, silence_micros);
        if beat.now_micros >= self.report_at {
            self.exchange_reports(beat);
        }
        self.stats.packets_sent += u64::from(done.sent);
        self.stats.packets_received += done.received;
        self.stats.packets_refused += done.refused;
        done
    }

    fn send(&mut self, beat: &mut Beat<'_>, done: &mut Done) {
        if beat.skipped > 0 {
            self.stream.pass(FRAME * beat.skipped);
            self.marker = true;
        }
        let sends = self.target.as_ref().is_some_and(MediaTarget::may_send);
        let (Some(target), Some(latch), true) = (&self.target, &self.latch, sends) else {
            // On hold the clock goes on, and what plays waits for the way to open again.
            self.stream.pass(FRAME * beat.frames);
            self.marker = true;
            return;
        };
        let codec = target.codec;
        let to = (!self.connected).then(|| latch.destination());
        let mut ended = false;
        for _ in 0..beat.frames.min(OUTBOX as u32) {
            let clock = self.stream.timestamp;
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
                    let sound = self.playing.as_ref().and_then(|playing| playing.current(codec));
                    let payload = sound.unwrap_or_else(|| super::playing::silence(codec));
                    let kind = target.payload_type;
                    beat.outbox.put(|place| self.stream.write(kind, self.marker, clock, payload, place));
                    self.marker = false;
                }
            }
            self.stream.pass(FRAME);
        }
        done.sent = beat.outbox.send(&self.line.rtp, to) as u32;
        if ended {
            self.tell(beat, Heard::PlayEnded);
        }
    }

    fn receive(&mut self, beat: &mut Beat<'_>, done: &mut Done) {
        for _ in 0..SWEEPS {
            let count = beat.inbox.receive(&self.line.rtp);
            for n in 0..count {
                let heard = match beat.inbox.datagram(n) {
                    Some(datagram) => self.hear(datagram, beat.now_micros, beat.wall_micros),
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
                }
            }
            if count < system::INBOX {
                return;
            }
        }
    }

    /// The keys that this datagram completed; `None` if it is not from the far side or not RTP.
    fn hear(&mut self, datagram: Datagram<'_>, now: u64, wall: u64) -> Option<[Option<Digit>; 2]> {
        let (target, latch) = (self.target.as_ref()?, self.latch.as_mut()?);
        let packet = Packet::parse(datagram.bytes)?;
        let event = target.telephone_event_in == Some(packet.payload_type);
        // The far side may have mapped the codec to a number of its own.
        let own = (packet.payload_type == target.payload_type).then_some(target.codec);
        let codec = own.or(Codec::ALL.into_iter().find(|codec| codec.payload_type() == packet.payload_type));
        if !event && codec.is_none() && packet.payload_type != COMFORT_NOISE {
            return None;
        }
        // The kernel's time of arrival on our own clock: a jump of the wall clock moves it at most a second.
        let waited = datagram.arrived_wall_micros.map_or(0, |arrived| wall.saturating_sub(arrived));
        let arrived = now.saturating_sub(waited.min(1_000_000));
        if latch.packet(datagram.source, packet.ssrc, packet.sequence, arrived) == Verdict::Refused {
            return None;
        }
        if event {
            // All packets of one key bear one timestamp: they would count as jitter.
            let keys = self.keys_in.packet(packet.ssrc, packet.timestamp, packet.payload, arrived);
            return self.reception.sequence(packet.ssrc, packet.sequence).then_some(keys);
        }
        if !self.reception.packet(packet.ssrc, packet.sequence, packet.timestamp, arrived) {
            return None;
        }
        if let (Some(tap), Some(codec)) = (&self.tap, codec) {
            tap.hear(codec, packet.ssrc, packet.timestamp, packet.payload);
        }
        Some([None, None])
    }

    fn mind_silence(&mut self, beat: &Beat<'_>, silence_micros: u64) {
        let expects = self.target.as_ref().is_some_and(MediaTarget::may_receive);
        if !expects {
            self.silent_since = beat.now_micros;
        } else if !self.told_silent && beat.now_micros.saturating_sub(self.silent_since) >= silence_micros {
            self.told_silent = true;
            self.tell(beat, Heard::Silent);
        }
    }

    fn exchange_reports(&mut self, beat: &mut Beat<'_>) {
        self.report_at = beat.now_micros + REPORT_MICROS / 2 + (beat.random)() % REPORT_MICROS;
        let count = beat.inbox.receive(&self.line.rtcp);
        for datagram in (0..count).filter_map(|n| beat.inbox.datagram(n)) {
            let known = self.latch.as_ref().is_some_and(|latch| {
                let host = datagram.source.ip();
                host == latch.signalled().ip() || latch.believed().is_some_and(|from| from.ip() == host)
            });
            let received = if known { rtcp::parse(datagram.bytes, self.stream.ssrc) } else { None };
            if let Some(ntp_middle) = received.and_then(|received| received.sender_ntp_middle) {
                let arrived = datagram.arrived_wall_micros.unwrap_or(beat.wall_micros);
                self.last_report = Some((ntp_middle, arrived));
            }
        }
        self.send_report(beat.wall_micros, false);
    }

    fn send_report(&mut self, wall_micros: u64, bye: bool) {
        let (Some(target), Some(latch)) = (&self.target, &self.latch) else { return };
        let to = match latch.destination() {
            to if to == target.rtp => target.rtcp,
            latched => SocketAddr::new(latched.ip(), latched.port().saturating_add(1)),
        };
        if to.ip().is_unspecified() || to.port() == 0 {
            return;
        }
        let sent = (self.stream.packets != self.packets_at_report).then(|| Sent {
            ntp: rtcp::ntp(wall_micros),
            timestamp: self.stream.timestamp,
            packets: self.stream.packets,
            octets: self.stream.octets,
        });
        self.packets_at_report = self.stream.packets;
        let last = self.last_report.map_or(LastReport::default(), |(ntp_middle, arrived)| LastReport {
            ntp_middle,
            delay: (wall_micros.saturating_sub(arrived) * 65_536 / 1_000_000).min(u64::from(u32::MAX)) as u32,
        });
        let heard = self.reception.report().map(|report| (report, last));
        let mut bytes = [0; rtcp::MAX_BYTES];
        let length = rtcp::write(&mut bytes, self.stream.ssrc, sent, heard, bye);
        // A report that cannot be sent is like one that was lost on the way.
        let _ = self.line.rtcp.send_to(&bytes[..length], to);
    }

    /// RTCP BYE; the sockets close. Gives back the port.
    pub fn close(mut self, wall_micros: u64) -> (u16, LegStats) {
        self.send_report(wall_micros, true);
        self.stats.packets_lost = self.reception.lost();
        self.stats.jitter_micros = self.reception.jitter_micros();
        (self.line.port, self.stats)
    }

    fn tell(&self, beat: &Beat<'_>, heard: Heard) {
        (beat.report)(MediaEvent::Heard { leg: self.id, heard });
    }
}

/// The first report comes sooner (RFC 3550 section 6.2): 2.5 s, randomised by half.
fn first_report(random: u64) -> u64 {
    REPORT_MICROS / 4 + random % (REPORT_MICROS / 2)
}
