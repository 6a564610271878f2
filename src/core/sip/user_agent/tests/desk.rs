//! Test fixture: a user agent with one trunk; the test writes the far side's messages.

use crate::call::{Ended, HangUpCause, Progress};
use crate::ids::{CallId, TrunkId};
use crate::media::{Codec, MediaCapabilities, MediaTarget};
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;
use crate::sip::user_agent::*;
use crate::time::{Duration, Time};

pub const CALL: CallId = CallId(7);
pub const TRUNK: TrunkId = TrunkId(1);

/// The far side's SDP: PCMA at port 4000 of the carrier.
pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

pub struct Desk {
    pub ua: UserAgent,
    pub now: Time,
    /// Source of the far side's datagrams.
    pub peer: Peer,
    sent: Vec<(Peer, String)>,
    events: Vec<UaEvent>,
}

pub fn peer(address: &str) -> Peer {
    Peer { transport: Transport::Udp, address: address.parse().expect("an address") }
}

pub fn config(incoming: Incoming) -> UaConfig {
    UaConfig {
        sent_by: vec![(Transport::Udp, "192.0.2.5:5060".into()), (Transport::Tcp, "192.0.2.5:5062".into())],
        product: "Paceline/test".into(),
        seed: 42,
        incoming,
        registrar: None,
    }
}

pub fn trunk() -> SipTrunk {
    SipTrunk {
        username: "alice".into(),
        password: "secret".into(),
        ..SipTrunk::new(TRUNK, peer("203.0.113.10:5060"), "carrier.example")
    }
}

pub fn media() -> MediaCapabilities {
    MediaCapabilities {
        address: "192.0.2.5:20000".parse().expect("an address"),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
    }
}

pub fn request() -> CallRequest {
    CallRequest {
        call: CALL,
        trunk: TRUNK,
        user: "013800138000".into(),
        caller_id: Some("075512345678".into()),
        setup: Duration::from_secs(30),
        ring: Duration::from_secs(45),
        media: media(),
    }
}

impl Desk {
    pub fn new() -> Self {
        Desk::with(config(Incoming::Anybody), trunk())
    }

    pub fn with(config: UaConfig, trunk: SipTrunk) -> Self {
        let peer = trunk.peer;
        let mut ua = UserAgent::new(config);
        ua.set_trunk(Time::ZERO, trunk);
        let mut desk = Desk { ua, now: Time::ZERO, peer, sent: vec![], events: vec![] };
        desk.collect();
        desk
    }

    /// A desk with a call placed, and its INVITE.
    pub fn calling() -> (Self, String) {
        let mut desk = Desk::new();
        desk.ua.place(desk.now, request());
        let invite = desk.one();
        assert!(invite.starts_with("INVITE "), "{invite}");
        assert_eq!(desk.progress(), [Progress::Sent]);
        (desk, invite)
    }

    /// A desk with a call that was answered with `extra` lines and acknowledged; its INVITE and the 200.
    pub fn talking(extra: &[&str]) -> (Self, String, String) {
        let (mut desk, invite) = Desk::calling();
        let ok = answer(&invite, "200 OK", "far", extra, SDP);
        desk.receive(&ok);
        desk.ua.acknowledge(desk.now, CALL);
        let ack = desk.one();
        assert!(ack.starts_with("ACK "), "{ack}");
        desk.events();
        (desk, invite, ok)
    }

    pub fn receive(&mut self, text: &str) {
        let peer = self.peer;
        self.receive_from(peer, text);
    }

    pub fn receive_from(&mut self, from: Peer, text: &str) {
        self.ua.handle_message(self.now, from, text.as_bytes());
        self.collect();
    }

    /// Advances the time by `span`, waking the user agent at its deadlines.
    pub fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(wake) = self.ua.next_wake().filter(|wake| *wake <= end) {
            assert!(wake >= self.now, "a wake in the past: {wake}");
            self.now = wake;
            self.ua.handle_timeout(wake);
            self.collect();
        }
        self.now = end;
    }

    pub fn collect(&mut self) {
        while let Some(output) = self.ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => {
                    let text = String::from_utf8(bytes).expect("text");
                    // A 400 repeats the malformed headers of the request.
                    let sound = text.starts_with("SIP/2.0 400 ") || Message::parse(text.as_bytes()).is_ok();
                    assert!(sound, "we sent {text}");
                    self.sent.push((to, text));
                }
                UaOutput::Event(event) => self.events.push(event),
            }
        }
    }

    /// Messages sent since the last call.
    pub fn sent(&mut self) -> Vec<String> {
        self.collect();
        self.sent.drain(..).map(|(_, text)| text).collect()
    }

    pub fn sent_to(&mut self) -> Vec<(Peer, String)> {
        self.collect();
        std::mem::take(&mut self.sent)
    }

    /// The only message sent since the last call.
    pub fn one(&mut self) -> String {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:#?}");
        sent.remove(0)
    }

    pub fn silent(&mut self) {
        assert_eq!(self.sent(), Vec::<String>::new());
    }

    pub fn events(&mut self) -> Vec<UaEvent> {
        self.collect();
        std::mem::take(&mut self.events)
    }

    /// Progress events without `Trying`, which says nothing about the callee; other events are dropped.
    pub fn progress(&mut self) -> Vec<Progress> {
        let progress = |event| match event {
            UaEvent::Progress { progress: Progress::Trying, .. } => None,
            UaEvent::Progress { progress, .. } => Some(progress),
            _ => None,
        };
        self.events().into_iter().filter_map(progress).collect()
    }

    /// The call's end, which must be the only progress since the last call.
    pub fn ended(&mut self) -> Ended {
        match self.progress().as_slice() {
            [Progress::Ended(ended)] => ended.clone(),
            other => panic!("not just an end: {other:?}"),
        }
    }

    pub fn media(&mut self) -> Vec<(MediaTarget, bool)> {
        let media = |event| match event {
            UaEvent::Media { target, early, .. } => Some((target, early)),
            _ => None,
        };
        self.events().into_iter().filter_map(media).collect()
    }

    pub fn hang_up(&mut self, cause: HangUpCause) {
        self.ua.hang_up(self.now, CALL, cause);
        self.collect();
    }
}

pub fn header(text: &str, name: HeaderName) -> String {
    let message = Message::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    message.header(name).map(|value| value.into_owned()).unwrap_or_default()
}

pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The first lines of the messages.
pub fn lines(sent: &[String]) -> Vec<&str> {
    sent.iter().map(|text| first_line(text)).collect()
}

pub fn branch(text: &str) -> String {
    let message = Message::parse(text.as_bytes()).expect("a message");
    message.branch().expect("a branch").into_owned()
}

/// A response to a request: `answer(&invite, "180 Ringing", "far", &["Contact: <sip:x@y>"], "")`.
pub fn answer(request: &str, status: &str, tag: &str, extra: &[&str], body: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for (name, known) in [
        ("Via", HeaderName::Via),
        ("From", HeaderName::From),
        ("Call-ID", HeaderName::CallId),
        ("CSeq", HeaderName::CSeq),
    ] {
        text += &format!("{name}: {}\r\n", header(request, known));
    }
    let to = header(request, HeaderName::To);
    let to = if tag.is_empty() || to.contains(";tag=") { to } else { format!("{to};tag={tag}") };
    text += &format!("To: {to}\r\n");
    if !extra.iter().any(|line| line.starts_with("Contact")) {
        text += "Contact: <sip:far@203.0.113.10:5060>\r\n";
    }
    with_body(text, extra, body)
}

/// A request of the far side in the dialog of its 200 `ok`.
pub fn far_request(ok: &str, method: &str, cseq: u32, extra: &[&str], body: &str) -> String {
    let ours = header(ok, HeaderName::From);
    let theirs = header(ok, HeaderName::To);
    let text = format!(
        "{method} sip:paceline@192.0.2.5:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKfar{method}{cseq}\r\nMax-Forwards: 70\r\n\
         From: {theirs}\r\nTo: {ours}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:far@203.0.113.10:5060>\r\n",
        header(ok, HeaderName::CallId)
    );
    with_body(text, extra, body)
}

pub fn with_body(mut text: String, extra: &[&str], body: &str) -> String {
    for line in extra {
        text += &format!("{line}\r\n");
    }
    if !body.is_empty() && !extra.iter().any(|line| line.starts_with("Content-Type")) {
        text += "Content-Type: application/sdp\r\n";
    }
    text + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
}
