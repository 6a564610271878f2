//! Places one call from our side. `dial_one` drives the bare user agent over a real socket; a second body for
//! it can run `paceline call NUMBER --campaign FILE --json` and read its row.

use paceline_core::call::{Digit, Progress};
use paceline_core::ids::{CallId, TrunkId};
use paceline_core::media::{Codec, MediaCapabilities, MediaTarget};
use paceline_core::sip::user_agent::{
    CallRequest, Incoming, Peer, SipTrunk, Transport, UaConfig, UaEvent, UaOutput, UserAgent,
};
use paceline_core::time::Time;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// The result of the call: the columns of `attempts.csv` that come from the trunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptRow {
    pub outcome: String,
    pub sip_code: Option<u16>,
    pub ended_by: String,
    pub keys: String,
    pub answered: bool,
    pub rang: bool,
    pub try_next_trunk: bool,
    pub retry_after: Option<Duration>,
    /// Every media negotiation, in order.
    pub media: Vec<(bool, MediaTarget)>,
}

/// Settings of a call.
#[derive(Clone, Debug)]
pub struct Dial {
    pub user: String,
    pub ring: Duration,
    /// From the answer to our hang-up, unless the callee hangs up first.
    pub talk: Duration,
    pub username: String,
    pub password: String,
    /// The port that our SDP names for RTP; `None` = any free one.
    pub media_port: Option<u16>,
}

impl Default for Dial {
    fn default() -> Self {
        Dial {
            user: "13800138000".into(),
            ring: Duration::from_secs(10),
            talk: Duration::from_millis(300),
            username: "paceline".into(),
            password: "secret".into(),
            media_port: None,
        }
    }
}

/// Places one call to `far` and follows it to its end and a little beyond, so that retransmissions of the far
/// end are still answered.
pub fn dial_one(far: SocketAddr, dial: &Dial) -> AttemptRow {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let local = socket.local_addr().expect("bound");
    let start = Instant::now();
    let now = || Time::from_millis(start.elapsed().as_millis() as u64);
    let peer = Peer { transport: Transport::Udp, address: far };
    let mut ua = UserAgent::new(UaConfig {
        sent_by: vec![(Transport::Udp, local.to_string())],
        product: "Paceline/test".into(),
        seed: u64::from(local.port()),
        incoming: Incoming::Nobody,
        registrar: None,
    });
    let trunk = SipTrunk {
        username: dial.username.clone(),
        password: dial.password.clone(),
        ..SipTrunk::new(TrunkId(0), peer, far.to_string())
    };
    ua.set_trunk(now(), trunk);
    let call = CallId(1);
    let media = MediaCapabilities {
        address: SocketAddr::from((
            [127, 0, 0, 1],
            dial.media_port.unwrap_or_else(|| super::sipp::free_port() & !1),
        )),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
    };
    let request = CallRequest {
        call,
        trunk: TrunkId(0),
        user: dial.user.clone(),
        caller_id: Some("075512345678".into()),
        setup: Duration::from_secs(30),
        ring: dial.ring,
        media,
    };
    ua.place(now(), request);

    let mut row = AttemptRow::default();
    let mut hang_up_at: Option<Time> = None;
    let mut leave_at: Option<Time> = None;
    let mut buffer = vec![0; 65_535];
    let give_up = Time::from_millis(60_000);
    while leave_at.is_none_or(|at| now() < at) {
        assert!(now() < give_up, "the call did not end within a minute: {row:?}");
        while let Some(output) = ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => {
                    socket.send_to(&bytes, to.address).expect("loopback takes it");
                }
                UaOutput::Event(UaEvent::Progress { progress, .. }) => match progress {
                    Progress::Sent | Progress::Trying => {}
                    Progress::Ringing => row.rang = true,
                    Progress::Answered => {
                        row.answered = true;
                        ua.acknowledge(now(), call);
                        hang_up_at = Some(now() + dial.talk);
                    }
                    Progress::Ended(ended) => {
                        row.outcome = ended.outcome.to_string();
                        row.ended_by = ended.by.to_string();
                        row.sip_code = ended.sip_code;
                        row.try_next_trunk = ended.try_next_trunk;
                        row.retry_after = ended.retry_after;
                        hang_up_at = None;
                        leave_at = Some(now() + Duration::from_millis(900));
                    }
                },
                UaOutput::Event(UaEvent::Media { target, early, .. }) => row.media.push((early, target)),
                UaOutput::Event(UaEvent::Digit { digit, .. }) => row.keys.push(Digit::as_char(digit)),
                UaOutput::Event(_) => {}
            }
        }
        if hang_up_at.is_some_and(|at| at <= now()) {
            hang_up_at = None;
            ua.hang_up(now(), call, paceline_core::call::HangUpCause::Finished);
            continue;
        }
        let wakes = [ua.next_wake(), hang_up_at, leave_at];
        let wake = wakes.into_iter().flatten().min().unwrap_or(give_up);
        let wait = wake.since(now()).clamp(Duration::from_millis(1), Duration::from_secs(1));
        socket.set_read_timeout(Some(wait)).expect("a timeout");
        match socket.recv_from(&mut buffer) {
            Ok((length, address)) => {
                let from = Peer { transport: Transport::Udp, address };
                ua.handle_message(now(), from, &buffer[..length]);
            }
            Err(_) => ua.handle_timeout(now()),
        }
    }
    row
}
