//! Offers and answers as real peers write them, and thousands of mutated ones.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn capabilities(codecs: &[Codec]) -> MediaCapabilities {
    MediaCapabilities { address: "203.0.113.5:10000".parse().expect("an address"), codecs: codecs.to_vec() }
}

fn socket(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// An offer as current Asterisk writes it.
const ASTERISK: &str = "v=0\r\no=- 158 1 IN IP4 192.0.2.1\r\ns=Asterisk\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 17058 RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n";

#[test]
fn our_offer_lists_codecs_rtpmaps_and_direction() {
    assert_eq!(
        offer(&capabilities(&[Codec::Pcma, Codec::Pcmu, Codec::G722]), 7, 1),
        "v=0\r\no=- 7 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 8 0 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n\
         a=sendrecv\r\n"
    );
    let v6 = MediaCapabilities { address: socket("[2001:db8::5]:4000"), codecs: vec![Codec::Pcma] };
    let text = offer_directed(&v6, 7, 2, Direction::SendOnly);
    assert!(text.contains("o=- 7 2 IN IP6 2001:db8::5\r\n") && text.contains("\r\nc=IN IP6 2001:db8::5\r\n"));
    assert!(text.ends_with("a=sendonly\r\n"));
}

#[test]
fn an_offer_is_answered_with_the_first_of_our_codecs_in_its_numbers() {
    let (target, text) =
        answer(ASTERISK.as_bytes(), &capabilities(&[Codec::Pcma, Codec::Pcmu]), 9, 3).expect("an answer");
    assert_eq!(
        target,
        MediaTarget {
            rtp: socket("192.0.2.1:17058"),
            rtcp: socket("192.0.2.1:17059"),
            codec: Codec::Pcma,
            payload_type: 8,
            telephone_event: Some(101),
            telephone_event_in: Some(101),
            direction: Direction::SendRecv,
            packet_ms: 20,
            follow: RtpFollow::Source,
        }
    );
    assert_eq!(
        text,
        "v=0\r\no=- 9 3 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn dynamic_payload_types_are_used_both_ways() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 96 97 98\r\na=rtpmap:96 opus/48000/2\r\n\
        a=rtpmap:97 pcma/8000/1\r\na=rtpmap:98 telephone-event/8000\r\n";
    let ours = capabilities(&[Codec::Pcmu, Codec::Pcma]);
    let (target, text) = answer(offer.as_bytes(), &ours, 1, 1).expect("an answer");
    assert_eq!((target.codec, target.payload_type), (Codec::Pcma, 97));
    assert_eq!((target.telephone_event, target.telephone_event_in), (Some(98), Some(98)));
    assert!(text.contains("m=audio 10000 RTP/AVP 97 98\r\na=rtpmap:97 PCMA/8000\r\n"), "{text}");
    // In an answer each side may use its own payload type for telephone events.
    let target = read_answer(&ours, offer.as_bytes()).expect("a target");
    assert_eq!((target.telephone_event, target.telephone_event_in), (Some(98), Some(101)));
}

#[test]
fn an_rtpmap_overrides_the_static_payload_type() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 L16/8000\r\na=rtpmap:0 PCMU/8000/2\r\n";
    assert_eq!(answer(offer.as_bytes(), &capabilities(&Codec::ALL), 1, 1), Err(SdpError::NoCodec));
    let bare = "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 18 9\n";
    let (target, text) = answer(bare.as_bytes(), &capabilities(&Codec::ALL), 1, 1).expect("an answer");
    assert_eq!((target.codec, target.telephone_event), (Codec::G722, None));
    assert!(!text.contains("telephone-event"), "{text}");
}

#[test]
fn every_direction_is_mirrored_and_an_all_zero_address_means_hold() {
    let table = [
        ("a=sendrecv", "192.0.2.1", Direction::SendRecv, true),
        ("", "192.0.2.1", Direction::SendRecv, true),
        ("a=sendonly", "192.0.2.1", Direction::RecvOnly, false),
        ("a=recvonly", "192.0.2.1", Direction::SendOnly, true),
        ("a=inactive", "192.0.2.1", Direction::Inactive, false),
        ("a=sendrecv", "0.0.0.0", Direction::RecvOnly, false),
        ("a=recvonly", "0.0.0.0", Direction::Inactive, false),
        ("a=inactive", "0.0.0.0", Direction::Inactive, false),
    ];
    for (attribute, address, direction, may_send) in table {
        for session_level in [false, true] {
            let media = "m=audio 4000 RTP/AVP 8";
            let (one, two) = if session_level { (attribute, media) } else { (media, attribute) };
            let offer = format!("v=0\r\nc=IN IP4 {address}\r\n{one}\r\n{two}\r\n");
            let (target, text) =
                answer(offer.as_bytes(), &capabilities(&[Codec::Pcma]), 1, 1).expect("an answer");
            assert_eq!((target.direction, target.may_send()), (direction, may_send), "{offer}");
            let word = match direction {
                Direction::SendRecv => "sendrecv",
                Direction::SendOnly => "sendonly",
                Direction::RecvOnly => "recvonly",
                Direction::Inactive => "inactive",
            };
            assert!(text.ends_with(&format!("a={word}\r\n")), "{offer}{text}");
        }
    }
}

#[test]
fn the_media_level_wins_over_the_session_level() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\na=inactive\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 192.0.2.7\r\n\
        a=sendrecv\r\na=rtcp:5005 IN IP4 192.0.2.8\r\n";
    let (target, _) = answer(offer.as_bytes(), &capabilities(&[Codec::Pcma]), 1, 1).expect("an answer");
    assert_eq!((target.rtp, target.rtcp), (socket("192.0.2.7:4000"), socket("192.0.2.8:5005")));
    assert_eq!(target.direction, Direction::SendRecv);
    let port_alone = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 65535 RTP/AVP 8\r\na=rtcp:53020\r\n";
    let (target, _) = answer(port_alone.as_bytes(), &capabilities(&[Codec::Pcma]), 1, 1).expect("an answer");
    assert_eq!(target.rtcp, socket("192.0.2.1:53020"));
}

#[test]
fn other_media_lines_are_refused_in_order() {
    let offer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 5000 RTP/AVP 31 32\r\nm=audio 5002 RTP/SAVP 8\r\n\
        m=audio 0 RTP/AVP 8\r\nm=audio 5004 RTP/AVP 18\r\nm=audio 5006 RTP/AVP 13 8\r\nm=audio 5008 RTP/AVP 8\r\n\
        m=image 5010 udptl t38\r\n";
    let (target, text) = answer(offer.as_bytes(), &capabilities(&[Codec::Pcma]), 1, 1).expect("an answer");
    assert_eq!(target.rtp, socket("192.0.2.1:5006"));
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 31",
            "m=audio 0 RTP/SAVP 8",
            "m=audio 0 RTP/AVP 8",
            "m=audio 0 RTP/AVP 18",
            "m=audio 10000 RTP/AVP 8",
            "m=audio 0 RTP/AVP 8",
            "m=image 0 udptl t38",
        ]
    );
}

#[test]
fn unusable_descriptions_are_refused_with_the_reason() {
    let many = "m=audio 4000 RTP/AVP 8\r\n".repeat(MAX_MEDIA + 1);
    let long = "a=x\r\n".repeat(MAX_DESCRIPTION / 5 + 1);
    let table = [
        ("", SdpError::Unreadable),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\n", SdpError::Unreadable),
        ("v=0\r\nm=audio x RTP/AVP 8\r\n", SdpError::Unreadable),
        ("v=0\r\nm=audio 70000 RTP/AVP 8\r\n", SdpError::Unreadable),
        ("v=0\r\nm=audio 4000\r\n", SdpError::Unreadable),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 4000 RTP/AVP 31\r\n", SdpError::NoAudio),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 8\r\n", SdpError::NoAudio),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\n", SdpError::NoCodec),
        ("v=0\r\nm=audio 4000 RTP/AVP 8\r\n", SdpError::NoAddress),
        ("v=0\r\nc=IN IP4 media.example.com\r\nm=audio 4000 RTP/AVP 8\r\n", SdpError::NoAddress),
        ("v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 8\r\n", SdpError::NoAddress),
        (&many, SdpError::TooLarge),
        (&long, SdpError::TooLarge),
    ];
    for (text, error) in table {
        let ours = capabilities(&Codec::ALL);
        assert_eq!(answer(text.as_bytes(), &ours, 1, 1), Err(error), "{text:.80}");
        assert_eq!(read_answer(&ours, text.as_bytes()), Err(error), "{text:.80}");
    }
}

#[test]
fn our_offer_and_our_answer_agree() {
    let (caller, mut callee) = (capabilities(&[Codec::G722, Codec::Pcma]), capabilities(&[Codec::Pcma]));
    callee.address = socket("203.0.113.9:20000");
    let (at_callee, text) = answer(offer(&caller, 1, 1).as_bytes(), &callee, 2, 1).expect("an answer");
    let at_caller = read_answer(&caller, text.as_bytes()).expect("a target");
    assert_eq!((at_callee.rtp, at_caller.rtp), (caller.address, callee.address));
    assert_eq!((at_callee.codec, at_caller.codec), (Codec::Pcma, Codec::Pcma));
    assert_eq!((at_caller.telephone_event, at_caller.telephone_event_in), (Some(101), Some(101)));
}

#[test]
fn mutated_descriptions_never_panic_and_answers_to_them_are_readable() {
    let samples = [ASTERISK.to_string(), offer(&capabilities(&Codec::ALL), u64::MAX, u64::MAX)];
    let ours = capabilities(&Codec::ALL);
    let mut answered = 0;
    for seed in 0..20_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = samples[random.random_range(0..samples.len())].clone().into_bytes();
        crate::sip::mutation::mutate(&mut random, &mut bytes);
        if let Ok((_, text)) = answer(&bytes, &ours, 1, 1) {
            answered += 1;
            let mirrored = read_answer(&ours, text.as_bytes());
            assert!(mirrored.is_ok(), "seed {seed}: {mirrored:?} {text}");
        }
        let _ = read_answer(&ours, &bytes);
    }
    assert!(answered > 5_000, "most mutations leave a usable offer, yet only {answered} did");
}

#[test]
fn packets_have_the_length_that_the_far_end_asks_for() {
    let table = [
        ("", 20),
        ("a=ptime:30\r\n", 30),
        ("a=ptime:10\r\na=maxptime:10\r\n", 10),
        ("a=maxptime:10\r\n", 10),
        ("a=maxptime:150\r\n", 20),
        ("a=ptime:60\r\na=maxptime:40\r\n", 40),
        ("a=ptime:200\r\n", 60),
        ("a=ptime:25\r\n", 20),
        ("a=ptime:5\r\n", 10),
        ("a=ptime:0\r\n", 20),
        ("a=ptime:20.0\r\n", 20),
        ("a=ptime:fast\r\na=maxptime:4294967296\r\n", 20),
    ];
    for (lines, wanted) in table {
        let text = format!("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n{lines}");
        let target = read_answer(&capabilities(&[Codec::Pcma]), text.as_bytes()).expect("a target");
        assert_eq!(target.packet_ms, wanted, "{lines:?}");
    }
}
