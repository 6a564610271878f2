//! The way from a simulated far end to a service on the same machine: the service may show carriers an address of a
//! router, at which this machine does not reach it.

use paceline_core::media::MediaTarget;
use paceline_core::sip::user_agent::Peer;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// IP addresses of a service on this machine. Its ports are those that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearService {
    pub sip: IpAddr,
    pub media: IpAddr,
}

impl NearService {
    /// The service that listens for SIP on this address.
    pub fn listening_on(address: SocketAddr) -> NearService {
        let ip = address.ip();
        let sip = if ip.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { ip };
        NearService { sip, media: Ipv4Addr::LOCALHOST.into() }
    }

    /// Where a SIP message for the service goes.
    pub fn peer(self, shown: Peer) -> Peer {
        Peer { address: SocketAddr::new(self.sip, shown.address.port()), ..shown }
    }

    /// Where media for the service goes. An unspecified address stays: it means hold.
    pub fn media(self, mut shown: MediaTarget) -> MediaTarget {
        for address in [&mut shown.rtp, &mut shown.rtcp] {
            if !address.ip().is_unspecified() {
                address.set_ip(self.media);
            }
        }
        shown
    }
}
