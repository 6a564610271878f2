//! Any bytes as RTP, RTCP and telephone events: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline_core::media::dtmf::DigitReceiver;
use paceline_core::media::reception::Reception;
use paceline_core::media::rtcp;
use paceline_core::media::rtp::Packet;

fuzz_target!(|bytes: &[u8]| {
    let _ = rtcp::parse(bytes, 0x0102_0304);
    let mut keys = DigitReceiver::default();
    let mut reception = Reception::default();
    // A stream of packets, each with its length before it.
    let mut rest = bytes;
    let mut now = 0;
    while let Some((&length, after)) = rest.split_first() {
        let (datagram, after) = after.split_at(after.len().min(length.into()));
        rest = after;
        now += 20_000;
        let Some(packet) = Packet::parse(datagram) else { continue };
        assert!(packet.payload.len() < datagram.len());
        reception.packet(packet.ssrc, packet.sequence, packet.timestamp, now);
        let _ = keys.packet(packet.ssrc, packet.timestamp, packet.payload, now);
        let _ = keys.expire(now);
        let mut copy = [0; 256];
        let written = packet.write(&mut copy);
        assert_eq!(Packet::parse(&copy[..written]), Some(packet));
    }
    let _ = reception.report();
});
