//! A far end without a media room: a plain socket that keeps every packet as received.

use super::{PATIENCE, own_loopback};
use paceline_core::media::rtp::Packet;
use std::net::{IpAddr, SocketAddr, UdpSocket};

pub struct PlainSocket {
    pub socket: UdpSocket,
    pub address: SocketAddr,
}

/// An owned received packet.
#[derive(Clone, Debug)]
pub struct KeptPacket {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
    pub from: SocketAddr,
}

impl PlainSocket {
    pub fn open() -> PlainSocket {
        PlainSocket::on(own_loopback())
    }

    /// Another port of this far end's host.
    pub fn beside(&self) -> PlainSocket {
        PlainSocket::on(self.address.ip())
    }

    fn on(host: IpAddr) -> PlainSocket {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let address = socket.local_addr().unwrap();
        PlainSocket { socket, address }
    }

    pub fn receive(&self) -> KeptPacket {
        let mut bytes = [0; 2_000];
        let (length, from) = self.socket.recv_from(&mut bytes).expect("a packet should have come by now");
        let packet = Packet::parse(&bytes[..length]).expect("we send nothing but RTP");
        KeptPacket {
            payload_type: packet.payload_type,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
            payload: packet.payload.to_vec(),
            from,
        }
    }

    /// Receives until `enough` accepts a packet; returns all packets so far.
    pub fn receive_until(&self, enough: impl Fn(&KeptPacket) -> bool) -> Vec<KeptPacket> {
        let mut kept = Vec::new();
        loop {
            kept.push(self.receive());
            if kept.last().is_some_and(&enough) {
                return kept;
            }
        }
    }

    pub fn send(&self, to: SocketAddr, payload_type: u8, sequence: u16, ssrc: u32, payload: &[u8]) {
        let timestamp = u32::from(sequence) * 160;
        let packet = Packet { payload_type, marker: false, sequence, timestamp, ssrc, payload };
        let mut bytes = [0; 400];
        let length = packet.write(&mut bytes);
        self.socket.send_to(&bytes[..length], to).unwrap();
    }
}
