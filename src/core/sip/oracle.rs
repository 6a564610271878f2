//! Compares our parser with `rsip` on ordinary messages, and mutates real messages: no panic, and an
//! accepted message can be written and parsed again. Tests only.

use super::auth::{Answer, Challenge};
use super::build::{RequestBuilder, ResponseBuilder, refusal};
use super::frame::{Frame, StreamFramer};
use super::headers::HeaderName;
use super::message::{Message, ParseError, StartLine};
use super::mutation::mutate;
use super::torture;
use super::uri::Uri;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rsip::prelude::{HasHeaders, HeadersExt, ToTypedHeader, UntypedHeader};

/// A typical carrier response: compact forms, a folded line, several values on a line.
const COMPACT: &[u8] = b"SIP/2.0 183 Session Progress\r\n\
    v: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKa1;rport=5060;received=203.0.113.5\r\n\
    Record-Route: <sip:sbc1.example.cn;lr;ftag=1>,\r\n <sip:192.0.2.9:5080;transport=udp;lr>\r\n\
    f: \"\xe5\xae\xa2\xe6\x9c\x8d\" <sip:075512345678@example.cn>;tag=7f\r\n\
    t: <sip:13800138000@example.cn>;tag=as58f4201b\r\ni: 8f2@203.0.113.5\r\nCSeq: 2 INVITE\r\n\
    m: <sip:13800138000@192.0.2.20:5060;transport=udp>\r\nk: 100rel, timer\r\nRequire: 100rel\r\nRSeq: 1\r\n\
    Reason: SIP;cause=183, Q.850;cause=31;text=\"Normal, unspecified\"\r\nx: 1800;refresher=uas\r\n\
    c: application/sdp\r\nl: 5\r\n\r\nv=0\r\n";

/// A challenge with two algorithms and a list of qops.
const CHALLENGED: &[u8] = b"SIP/2.0 407 Proxy Authentication Required\r\n\
    Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKa2;rport\r\n\
    From: <sip:a@example.cn>;tag=1\r\nTo: <sip:b@example.cn>;tag=2\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n\
    Proxy-Authenticate: Digest realm=\"example.cn\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n\
    Proxy-Authenticate: Digest realm=\"example.cn\",nonce=\"n2\",algorithm=MD5,qop=\"auth\",stale=TRUE\r\n\
    Retry-After: 30 (later);duration=60\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_carriers_compact_answer_is_read_in_full() {
    let message = Message::parse(COMPACT).expect("a response");
    assert_eq!(message.start(), StartLine::Response { code: 183, reason: "Session Progress" });
    assert_eq!(message.from().expect("a From").display.as_deref(), Some("客服"));
    let routes: Vec<_> =
        message.addresses(HeaderName::RecordRoute).map(|route| route.uri.to_string()).collect();
    assert_eq!(routes, ["sip:sbc1.example.cn;lr;ftag=1", "sip:192.0.2.9:5080;transport=udp;lr"]);
    assert_eq!((message.rseq(), message.has_token(HeaderName::Supported, "TIMER")), (Some(1), true));
    let reason = message.reason().expect("a reason");
    assert_eq!((reason.cause, reason.text.as_deref()), (Some(31), Some("Normal, unspecified")));
    assert_eq!(message.session_expires().map(|expires| expires.secs), Some(1_800));
    assert_eq!(
        (message.body(), message.content_type().as_deref()),
        (&b"v=0\r\n"[..], Some("application/sdp"))
    );
    let message = Message::parse(CHALLENGED).expect("a response");
    assert_eq!((message.retry_after(), message.challenges().len()), (Some(30), 2));
}

/// An ordinary request with all parts drawn from the seed.
fn ordinary(random: &mut ChaCha8Rng) -> Vec<u8> {
    let token = |random: &mut ChaCha8Rng, length: usize| -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-._";
        (0..length).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect()
    };
    let methods = ["INVITE", "BYE", "OPTIONS", "REGISTER", "CANCEL", "INFO", "UPDATE", "REFER"];
    let method = methods[random.random_range(0..methods.len())];
    let (user, host) = (token(random, 8), token(random, 5));
    let port = random.random_range(1..=u16::MAX);
    let uri = format!("sip:{user}@{host}.example.com:{port}");
    let display = if random.random() {
        format!("\"{} {}\" ", token(random, 4), token(random, 6))
    } else {
        String::new()
    };
    let to_tag = if random.random() { format!(";tag={}", token(random, 7)) } else { String::new() };
    let body = "v=0\r\n".repeat(random.random_range(0..4));
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}.example.net:{port};branch=z9hG4bK{};rport\r\n\
         Max-Forwards: {}\r\nFrom: {display}<sip:{}@example.org>;tag={}\r\nTo: <{uri}>{to_tag}\r\n\
         Call-ID: {}@{host}\r\nCSeq: {} {method}\r\nContact: <sip:{user}@192.0.2.1:{port};transport=udp>\r\n\
         User-Agent: {}\r\nContent-Length: {}\r\n\r\n{body}",
        token(random, 12),
        random.random_range(0..=255_u8),
        token(random, 6),
        token(random, 9),
        token(random, 16),
        random.random_range(0..1_u32 << 31),
        token(random, 10),
        body.len(),
    )
    .into_bytes()
}

#[test]
fn ordinary_requests_read_the_same_as_with_rsip() {
    for seed in 0..2_000 {
        let bytes = ordinary(&mut ChaCha8Rng::seed_from_u64(seed));
        let ours = Message::parse(&bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let theirs =
            rsip::Request::try_from(bytes.as_slice()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let StartLine::Request { method, uri } = ours.start() else { panic!("seed {seed}: a response") };
        assert_eq!(
            (method.as_str(), uri),
            (theirs.method.to_string().as_str(), theirs.uri.to_string().as_str())
        );
        let via = theirs.via_header().expect("a Via").typed().expect("a typed Via");
        assert_eq!(ours.branch().as_deref(), via.branch().map(|branch| branch.value()), "seed {seed}");
        let our_via = ours.via().expect("a Via");
        assert_eq!(our_via.sent_by(), via.uri.host_with_port.to_string(), "seed {seed}");
        let from = theirs.from_header().expect("a From").typed().expect("a typed From");
        let our_from = ours.from().expect("a From");
        assert_eq!(our_from.tag(), from.tag().map(|tag| tag.value()), "seed {seed}");
        assert_eq!(our_from.uri.to_string(), from.uri.to_string(), "seed {seed}");
        assert_eq!(
            our_from.display.as_deref(),
            from.display_name.as_deref().map(|name| name.trim_matches('"'))
        );
        let to = theirs.to_header().expect("a To").typed().expect("a typed To");
        assert_eq!(ours.to_tag().as_deref(), to.tag().map(|tag| tag.value()), "seed {seed}");
        let cseq = theirs.cseq_header().expect("a CSeq").typed().expect("a typed CSeq");
        let our_cseq = ours.cseq().expect("a CSeq");
        assert_eq!((our_cseq.number, our_cseq.method.as_str()), (cseq.seq, cseq.method.to_string().as_str()));
        assert_eq!(ours.call_id(), theirs.call_id_header().expect("a Call-ID").value(), "seed {seed}");
        let contact = theirs.contact_header().expect("a Contact").typed().expect("a typed Contact");
        let contact = Uri::parse(&contact.uri.to_string()).expect("a URI");
        assert!(ours.contact().expect("a Contact").uri.same_as(&contact), "seed {seed}");
        assert_eq!(
            (ours.body(), ours.lines().count()),
            (theirs.body.as_slice(), theirs.headers().iter().count())
        );
    }
}

/// Calls every accessor; none may panic.
fn call_every_accessor(message: &Message<'_>) {
    let _ = (message.via().is_ok(), message.vias().count(), message.from().is_ok(), message.to().is_ok());
    let _ = (message.contact().is_ok(), message.contacts().count(), message.request_uri());
    let _ =
        (message.max_forwards(), message.rseq(), message.rack(), message.expires(), message.min_expires());
    let _ = (message.session_expires(), message.min_se(), message.retry_after(), message.reason());
    let _ = (message.require().count(), message.supported().count(), message.content_type());
    for name in HeaderName::ALL {
        let _ = message.list(*name).count();
    }
    for (_, _, value) in message.lines() {
        let _ = (Challenge::parse_all(&value, false), Answer::parse(&value));
    }
    let _ = message.challenges();
    let _ = crate::sdp::read_answer(
        &crate::media::MediaCapabilities {
            address: std::net::SocketAddr::from(([192, 0, 2, 1], 4_000)),
            codecs: crate::media::Codec::ALL.to_vec(),
        },
        message.body(),
    );
}

/// The message rewritten by our builder, line by line.
fn rewritten(message: &Message<'_>) -> Vec<u8> {
    let StartLine::Request { method, uri } = message.start() else { panic!("a response") };
    let lines = message.lines().filter(|(name, ..)| *name != HeaderName::ContentLength);
    lines
        .fold(RequestBuilder::new(method, uri), |builder, (_, name, value)| builder.text(&name, &value))
        .body("x/y", message.body())
}

fn check(seed: u64, bytes: &[u8]) -> bool {
    let source = std::net::SocketAddr::from(([192, 0, 2, 77], 5_060));
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            let _ = refusal(bytes, error, source);
            return false;
        }
    };
    call_every_accessor(&message);
    if !message.is_request() {
        return true;
    }
    // A Via list with a malformed tail is copied unchanged, so only the count may differ.
    let response = ResponseBuilder::to(&message, source, 200, "OK").tag("t").finish();
    let response = Message::parse(&response)
        .unwrap_or_else(|error| panic!("seed {seed}: {error}: {}", bytes.escape_ascii()));
    assert_eq!(response.branch(), message.branch(), "seed {seed}");
    let again = rewritten(&message);
    let again = Message::parse(&again)
        .unwrap_or_else(|error| panic!("seed {seed}: {error}: {}", again.escape_ascii()));
    assert_eq!(again.start(), message.start(), "seed {seed}");
    assert_eq!(again.call_id(), message.call_id(), "seed {seed}");
    assert_eq!((again.from(), again.to()), (message.from(), message.to()), "seed {seed}");
    assert_eq!(again.via(), message.via(), "seed {seed}");
    assert_eq!(again.body(), message.body(), "seed {seed}");
    true
}

#[test]
fn mutated_messages_never_panic_and_accepted_ones_can_be_rewritten() {
    let mut taken = 0;
    for seed in 0..40_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = match random.random_range(0..4) {
            0 => ordinary(&mut random),
            1 => COMPACT.to_vec(),
            2 => CHALLENGED.to_vec(),
            _ => torture::MESSAGES[random.random_range(0..torture::MESSAGES.len())].1.to_vec(),
        };
        mutate(&mut random, &mut bytes);
        taken += usize::from(check(seed, &bytes));
    }
    assert!(
        taken > 8_000,
        "of 40,000 mutations only {taken} left a message: the damage is too great to test with"
    );
}

#[test]
fn random_bytes_are_never_a_message() {
    for seed in 0..5_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = vec![0; random.random_range(0..400)];
        random.fill_bytes(&mut bytes);
        assert!(!check(seed, &bytes), "seed {seed}");
    }
    assert_eq!(Message::parse(&[b'a'; 70_000]).err(), Some(ParseError::TooLarge));
}

#[test]
fn a_damaged_stream_never_panics_and_never_grows_without_bound() {
    for seed in 0..3_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes: Vec<u8> = (0..4).flat_map(|_| ordinary(&mut random)).collect();
        mutate(&mut random, &mut bytes);
        let mut framer = StreamFramer::new();
        let mut given = 0;
        for piece in bytes.chunks(random.random_range(1..600)) {
            framer.push(piece);
            while let Some(Ok(frame)) = framer.next() {
                if let Frame::Message(message) = frame {
                    given += message.len();
                    check(seed, &message);
                }
            }
        }
        assert!(given <= bytes.len(), "seed {seed}");
    }
}
