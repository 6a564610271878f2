//! Silence detection and RTCP reports of a leg.

use super::*;

impl Leg {
    pub(super) fn detect_silence(&mut self, tick: &Tick<'_>, silence_micros: u64) {
        let expects = self.target.as_ref().is_some_and(MediaTarget::may_receive);
        if !expects {
            self.silent_since = tick.now_micros;
        } else if !self.has_reported_silence
            && tick.now_micros.saturating_sub(self.silent_since) >= silence_micros
        {
            self.has_reported_silence = true;
            self.report_heard(tick, Heard::Silent);
        }
    }

    /// Reports that the far end's audio has stopped. RTCP is read once a second meanwhile: it tells a muted phone
    /// from a dead one.
    pub(super) fn watch_audio(&mut self, tick: &mut Tick<'_>) {
        let expects = self.target.as_ref().is_some_and(MediaTarget::may_receive);
        if self.audio_watch.has_stopped() && tick.now_micros >= self.rtcp_read_at {
            self.rtcp_read_at = tick.now_micros + 1_000_000;
            self.read_reports(tick);
        }
        match self.audio_watch.check(expects, tick.now_micros) {
            Some(AudioChange::Stopped { rtcp }) => self.report_heard(tick, Heard::AudioStopped { rtcp }),
            Some(AudioChange::Resumed) => self.report_heard(tick, Heard::AudioResumed),
            None => {}
        }
    }

    pub(super) fn exchange_reports(&mut self, tick: &mut Tick<'_>) {
        self.report_at = tick.now_micros + REPORT_MICROS / 2 + (tick.random)() % REPORT_MICROS;
        self.read_reports(tick);
        self.send_report(tick.wall_micros, false);
    }

    fn read_reports(&mut self, tick: &mut Tick<'_>) {
        let count = tick.inbox.receive(&self.sockets.rtcp);
        for datagram in (0..count).filter_map(|n| tick.inbox.datagram(n)) {
            let known = self.latch.as_ref().is_some_and(|latch| {
                let host = datagram.source.ip();
                host == latch.signalled().ip() || latch.latched().is_some_and(|from| from.ip() == host)
            });
            let received = if known { rtcp::parse(datagram.bytes, self.stream.ssrc) } else { None };
            let Some(received) = received else { continue };
            if let Some(latch) = &mut self.latch {
                latch.note_control(datagram.source.ip());
            }
            let arrived = datagram.arrived_wall_micros.unwrap_or(tick.wall_micros);
            if !received.bye {
                self.audio_watch.rtcp(monotonic_arrival(Some(arrived), tick.wall_micros, tick.now_micros));
            }
            if let Some(ntp_middle) = received.sender_ntp_middle {
                self.last_report = Some((ntp_middle, arrived));
            }
        }
    }

    pub(super) fn send_report(&mut self, wall_micros: u64, bye: bool) {
        let (Some(target), Some(latch)) = (&self.target, &self.latch) else { return };
        let to = match latch.destination() {
            to if to == target.rtp => target.rtcp,
            latched => SocketAddr::new(latched.ip(), latched.port().saturating_add(1)),
        };
        if to.ip().is_unspecified() || to.port() == 0 {
            return;
        }
        let sent = (self.stream.packets != self.packets_at_report).then(|| SenderInfo {
            ntp: rtcp::ntp(wall_micros),
            timestamp: self.stream.timestamp,
            packets: self.stream.packets,
            octets: self.stream.octets,
        });
        self.packets_at_report = self.stream.packets;
        let last =
            self.last_report.map_or(LastSenderReport::default(), |(ntp_middle, arrived)| LastSenderReport {
                ntp_middle,
                delay: (wall_micros.saturating_sub(arrived) * 65_536 / 1_000_000).min(u64::from(u32::MAX))
                    as u32,
            });
        let heard = self.reception.report().map(|report| (report, last));
        let mut bytes = [0; rtcp::MAX_BYTES];
        let length = rtcp::write(&mut bytes, self.stream.ssrc, sent, heard, bye);
        // An unsent report is equivalent to a lost one.
        let _ = self.sockets.rtcp.send_to(&bytes[..length], to);
    }
}
