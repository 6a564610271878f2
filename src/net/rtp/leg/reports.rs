//! Silence detection and RTCP reports of a leg.

use super::*;

impl Leg {
    pub(super) fn mind_silence(&mut self, beat: &Beat<'_>, silence_micros: u64) {
        let expects = self.target.as_ref().is_some_and(MediaTarget::may_receive);
        if !expects {
            self.silent_since = beat.now_micros;
        } else if !self.told_silent && beat.now_micros.saturating_sub(self.silent_since) >= silence_micros {
            self.told_silent = true;
            self.tell(beat, Heard::Silent);
        }
    }

    pub(super) fn exchange_reports(&mut self, beat: &mut Beat<'_>) {
        self.report_at = beat.now_micros + REPORT_MICROS / 2 + (beat.random)() % REPORT_MICROS;
        let count = beat.inbox.receive(&self.line.rtcp);
        for datagram in (0..count).filter_map(|n| beat.inbox.datagram(n)) {
            let known = self.latch.as_ref().is_some_and(|latch| {
                let host = datagram.source.ip();
                host == latch.signalled().ip() || latch.latched().is_some_and(|from| from.ip() == host)
            });
            let received = if known { rtcp::parse(datagram.bytes, self.stream.ssrc) } else { None };
            if let Some(ntp_middle) = received.and_then(|received| received.sender_ntp_middle) {
                let arrived = datagram.arrived_wall_micros.unwrap_or(beat.wall_micros);
                self.last_report = Some((ntp_middle, arrived));
            }
        }
        self.send_report(beat.wall_micros, false);
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
        let _ = self.line.rtcp.send_to(&bytes[..length], to);
    }
}
