//! The 49 torture test messages of RFC 4475, byte for byte in the `.dat` files, each with our expected
//! handling. Tests only; the fuzz corpus starts from the same files.

use super::build::{ResponseBuilder, refusal};
use super::frame::{Frame, FrameError, StreamFramer};
use super::headers::{HeaderName, NameAddr, Via};
use super::message::{Message, Method, ParseError, StartLine};
use super::uri::Uri;
use Handling::{Answered, Dropped, Taken};
use std::net::SocketAddr;

/// Expected handling of a message before any transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handling {
    /// Parsed. If the RFC calls it invalid, a typed accessor reports it, or the fault is in a header that
    /// may be ignored.
    Taken,
    /// Refused with this code.
    Answered(u16),
    /// Dropped without a response.
    Dropped,
}

/// In the order of the RFC: sections 3.1.1, 3.1.2, 3.2, 3.3 and 3.4.
#[rustfmt::skip]
pub(super) const MESSAGES: [(&str, &[u8], Handling); 49] = [
    ("wsinv", include_bytes!("wsinv.dat"), Taken),
    ("intmeth", include_bytes!("intmeth.dat"), Taken),
    ("esc01", include_bytes!("esc01.dat"), Taken),
    ("escnull", include_bytes!("escnull.dat"), Taken),
    ("esc02", include_bytes!("esc02.dat"), Taken),
    ("lwsdisp", include_bytes!("lwsdisp.dat"), Taken),
    ("longreq", include_bytes!("longreq.dat"), Taken),
    ("dblreq", include_bytes!("dblreq.dat"), Taken),
    ("semiuri", include_bytes!("semiuri.dat"), Taken),
    ("transports", include_bytes!("transports.dat"), Taken),
    ("mpart01", include_bytes!("mpart01.dat"), Taken),
    ("unreason", include_bytes!("unreason.dat"), Taken),
    ("noreason", include_bytes!("noreason.dat"), Taken),
    ("badinv01", include_bytes!("badinv01.dat"), Answered(400)),
    ("clerr", include_bytes!("clerr.dat"), Answered(400)),
    ("ncl", include_bytes!("ncl.dat"), Answered(400)),
    ("scalar02", include_bytes!("scalar02.dat"), Answered(400)),
    ("scalarlg", include_bytes!("scalarlg.dat"), Dropped),
    ("quotbal", include_bytes!("quotbal.dat"), Answered(400)),
    ("ltgtruri", include_bytes!("ltgtruri.dat"), Answered(400)),
    ("lwsruri", include_bytes!("lwsruri.dat"), Answered(400)),
    ("lwsstart", include_bytes!("lwsstart.dat"), Answered(400)),
    ("trws", include_bytes!("trws.dat"), Answered(400)),
    ("escruri", include_bytes!("escruri.dat"), Answered(400)),
    ("baddate", include_bytes!("baddate.dat"), Taken),
    ("regbadct", include_bytes!("regbadct.dat"), Taken),
    ("badaspec", include_bytes!("badaspec.dat"), Taken),
    ("baddn", include_bytes!("baddn.dat"), Taken),
    ("badvers", include_bytes!("badvers.dat"), Answered(505)),
    ("mismatch01", include_bytes!("mismatch01.dat"), Answered(400)),
    ("mismatch02", include_bytes!("mismatch02.dat"), Answered(400)),
    ("bigcode", include_bytes!("bigcode.dat"), Dropped),
    ("badbranch", include_bytes!("badbranch.dat"), Taken),
    ("insuf", include_bytes!("insuf.dat"), Answered(400)),
    ("unkscm", include_bytes!("unkscm.dat"), Taken),
    ("novelsc", include_bytes!("novelsc.dat"), Taken),
    ("unksm2", include_bytes!("unksm2.dat"), Taken),
    ("bext01", include_bytes!("bext01.dat"), Taken),
    ("invut", include_bytes!("invut.dat"), Taken),
    ("regaut01", include_bytes!("regaut01.dat"), Taken),
    ("multi01", include_bytes!("multi01.dat"), Answered(400)),
    ("mcl01", include_bytes!("mcl01.dat"), Answered(400)),
    ("bcast", include_bytes!("bcast.dat"), Taken),
    ("zeromf", include_bytes!("zeromf.dat"), Taken),
    ("cparam01", include_bytes!("cparam01.dat"), Taken),
    ("cparam02", include_bytes!("cparam02.dat"), Taken),
    ("regescrt", include_bytes!("regescrt.dat"), Taken),
    ("sdp01", include_bytes!("sdp01.dat"), Taken),
    ("inv2543", include_bytes!("inv2543.dat"), Taken),
];

fn bytes(name: &str) -> &'static [u8] {
    MESSAGES.iter().find(|(known, ..)| *known == name).unwrap_or_else(|| panic!("{name}")).1
}

fn message(name: &str) -> Message<'static> {
    Message::parse(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn source() -> SocketAddr {
    "192.0.2.200:5099".parse().expect("an address")
}

fn value(name: &str, header: HeaderName) -> String {
    message(name).header(header).unwrap_or_else(|| panic!("{name} {header}")).into_owned()
}

#[test]
fn every_message_is_handled_as_expected() {
    for (name, bytes, expected) in MESSAGES {
        let verdict = match Message::parse(bytes) {
            Ok(_) => Taken,
            Err(error) => match refusal(bytes, error, source()) {
                None => Dropped,
                Some(refusal) => {
                    let text = String::from_utf8_lossy(&refusal);
                    let code = text.get(8..11).and_then(|code| code.parse().ok());
                    Answered(code.unwrap_or_else(|| panic!("{name}: {text}")))
                }
            },
        };
        assert_eq!(verdict, expected, "{name}");
    }
}

#[test]
fn accepted_requests_can_be_answered() {
    for (name, bytes, verdict) in MESSAGES {
        let Ok(message) = Message::parse(bytes) else { continue };
        assert_eq!(verdict, Taken, "{name}");
        if !message.is_request() {
            continue;
        }
        let response = ResponseBuilder::to(&message, source(), 200, "OK").tag("t").finish();
        let response = Message::parse(&response).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(response.call_id(), message.call_id(), "{name}");
        let (ours, theirs) = (response.from().expect("a From"), message.from().expect("a From"));
        assert_eq!(
            (&ours.display, &ours.uri, ours.tag()),
            (&theirs.display, &theirs.uri, theirs.tag()),
            "{name}"
        );
        assert_eq!(response.to().expect("a To").uri, message.to().expect("a To").uri, "{name}");
        assert!(response.to_tag().is_some(), "{name}");
        assert_eq!(response.vias().count(), message.vias().count(), "{name}");
        assert_eq!(response.branch(), message.branch(), "{name}");
        let same = (response.cseq().ok(), message.cseq().ok());
        assert_eq!(same.0, same.1, "{name}");
    }
}

#[test]
fn wsinv_is_parsed_despite_blanks_and_folds() {
    let message = message("wsinv");
    assert_eq!(
        message.start(),
        StartLine::Request { method: Method::Invite, uri: "sip:vivekg@chair-dnrc.example.com;unknownparam" }
    );
    let from = message.from().expect("a From");
    assert_eq!(from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((from.uri.to_string().as_str(), from.tag()), ("sip:jdrosen@example.com", Some("98asjd8")));
    assert_eq!(message.to_tag().as_deref(), Some("1918181833n"));
    let cseq = message.cseq().expect("a CSeq");
    assert_eq!((cseq.number, cseq.method), (9, Method::Invite));
    assert_eq!((message.max_forwards(), message.body().len()), (Some(68), 150));
    let vias: Vec<Via> = message.vias().map(|via| via.expect("a Via")).collect();
    let seen: Vec<_> =
        vias.iter().map(|via| (via.transport.as_str(), via.host.as_str(), via.branch())).collect();
    assert_eq!(
        seen,
        [
            ("UDP", "192.0.2.2", Some("390skdjuw")),
            ("TCP", "spindle.example.com", Some("z9hG4bK9ikj8")),
            ("UDP", "192.168.255.111", Some("z9hG4bK30239")),
        ]
    );
    assert_eq!(message.header(HeaderName::Subject).as_deref(), Some(""));
    assert_eq!(
        message.extension("newfangledheader").as_deref(),
        Some("newfangled value continued newfangled value")
    );
    assert_eq!(message.extension("UnknownHeaderWithUnusualValue").as_deref(), Some(";;,,;;,;"));
    let contact = message.contact().expect("a Contact");
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!(
        (contact.params.value("newparam"), contact.params.value("q")),
        (Some("newvalue"), Some("0.33"))
    );
    assert!(contact.params.has("secondparam"));
    let route = message.addresses(HeaderName::Route).next().expect("a Route");
    assert!(route.uri.is_loose_router() && route.uri.params.has("unknown-no-value"));
}

#[test]
fn intmeth_keeps_every_character() {
    let message = message("intmeth");
    let name = "!interesting-Method0123456789_*+`.%indeed'~";
    assert_eq!(message.method(), Ok(Method::Other(name)));
    let cseq = message.cseq().expect("a CSeq");
    assert_eq!((cseq.number, cseq.method.as_str()), (139_122_385, name));
    let uri = message.request_uri().expect("a URI");
    assert_eq!(uri.user.as_deref(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(uri.password.as_deref(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!(uri.host, "example.com");
    assert_eq!(message.to().expect("a To").display.as_deref(), Some("BEL:\x07 NUL:\0 DEL:\x7f"));
    let from = message.from().expect("a From");
    assert_eq!(from.display.as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(from.params.value("fromParam''~+*_!.-%"), Some("работающий"));
    assert_eq!(message.call_id(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_eq!(message.branch().as_deref(), Some("z9hG4bK-.!%66*_+`'~"));
    assert_eq!(message.extension("extensionHeader-!.%*+_`'~").as_deref(), Some("\u{feff}大停電"));
}

#[test]
fn escapes_are_resolved_where_they_may_be_and_only_there() {
    let esc01 = message("esc01");
    assert_eq!(esc01.request_uri().expect("a URI").user_text(), "sips:user@example.com");
    let to = esc01.to().expect("a To").uri;
    assert!(to.same_as(&Uri::parse("sip:user@example.com").expect("a URI")));
    assert_eq!(esc01.from().expect("a From").uri.user_text(), "I have spaces");
    let contact = esc01.contact().expect("a Contact").uri;
    // An escaped `lr` is the lr parameter; `%25%34%31` is the text `%41`, not `A`.
    assert_eq!(contact.params.as_str(), ";%6C%72;n%61me=v%61lue%25%34%31");
    assert!(contact.is_loose_router());
    assert_eq!(contact.parameter("name").as_deref(), Some("value%41"));
    assert_eq!(message("escnull").from().expect("a From").uri.user_text(), "null-\0-null");
    let nulls: Vec<_> = message("escnull").contacts().map(|contact| contact.uri.user_text().len()).collect();
    assert_eq!(nulls, [1, 2]);
    let esc02 = message("esc02");
    assert_eq!(esc02.method(), Ok(Method::Other("RE%47IST%45R")));
    assert_eq!(esc02.from().expect("a From").display.as_deref(), Some("%Z%45"));
    assert_eq!(esc02.contacts().count(), 2);
}

#[test]
fn the_other_valid_messages_have_the_expected_values() {
    assert_eq!(message("lwsdisp").from().expect("a From").display.as_deref(), Some("caller"));
    let longreq = message("longreq");
    assert_eq!((longreq.vias().count(), longreq.body().len()), (34, 150));
    assert_eq!(longreq.to().expect("a To").uri.port, Some(6000));
    let dblreq = message("dblreq");
    assert_eq!((dblreq.method(), dblreq.body().len()), (Ok(Method::Register), 0));
    let semiuri = message("semiuri").request_uri().expect("a URI");
    assert_eq!((semiuri.user_text().as_ref(), semiuri.params.is_empty()), ("user;par=u@example.net", true));
    assert_eq!(message("semiuri").list(HeaderName::Accept).count(), 6);
    let transports: Vec<_> = message("transports").vias().map(|via| via.expect("a Via").transport).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    let mpart01 = message("mpart01");
    assert_eq!((mpart01.body().len(), mpart01.content_type().as_deref()), (553, Some("multipart/mixed")));
    assert_eq!(
        message("unreason").start(),
        StartLine::Response {
            code: 200, reason: "= 2**3 * 5**2 но сто девяносто девять - простое"
        }
    );
    assert_eq!(message("noreason").start(), StartLine::Response { code: 100, reason: "" });
}

#[test]
fn faults_of_accepted_messages_are_reported_by_accessors() {
    assert_eq!(message("regbadct").contact(), Err(ParseError::Bad(HeaderName::Contact)));
    assert_eq!(value("baddate", HeaderName::Date), "Fri, 01 Jan 2010 16:00:00 EST");
    assert_eq!(message("badaspec").to().expect("a To").uri.to_string(), "sip:t.watson@example.org");
    assert_eq!(message("baddn").from().expect("a From").display.as_deref(), Some("Bell, Alexander"));
    assert!(!message("badbranch").via().expect("a Via").has_magic_cookie());
    assert!(!message("unkscm").request_uri().expect("a URI").is_sip());
    assert_eq!(message("novelsc").request_uri().expect("a URI").scheme, "soap.beep");
    assert_eq!(message("unksm2").to().expect("a To").uri.scheme, "isbn");
    assert_eq!(message("unksm2").from().expect("a From").uri.scheme, "http");
    let require: Vec<_> = message("bext01").require().collect();
    assert_eq!(require, ["nothingSupportsThis", "nothingSupportsThisEither"]);
    assert_eq!(message("invut").content_type().as_deref(), Some("application/unknownformat"));
    assert_eq!(super::auth::Answer::parse(&value("regaut01", HeaderName::Authorization)), None);
    assert_eq!(message("bcast").vias().count(), 2);
    assert_eq!(message("zeromf").max_forwards(), Some(0));
    let contact = |name: &str| -> NameAddr { message(name).contact().expect("a Contact") };
    assert!(contact("cparam01").params.has("unknownparam"));
    assert!(contact("cparam02").uri.params.has("unknownparam"));
    assert_eq!(contact("regescrt").uri.headers.as_deref(), Some("Route=%3Csip:sip.example.com%3E"));
    assert_eq!(value("sdp01", HeaderName::Accept), "text/nobodyKnowsThis");
    let inv2543 = message("inv2543");
    assert_eq!((inv2543.from_tag(), inv2543.branch(), inv2543.max_forwards()), (None, None, None));
    assert_eq!(inv2543.to().expect("a To").params.value("user"), Some("phone"));
    assert!(inv2543.body().starts_with(b"v=0\r\n"), "without Content-Length the body is the rest");
}

#[test]
fn a_stream_of_all_messages_with_a_length_is_framed() {
    let streamed = |name: &str, error| {
        let mut framer = StreamFramer::new();
        framer.push(bytes(name));
        match error {
            Some(error) => assert_eq!(framer.next(), Some(Err(error)), "{name}"),
            None => assert_eq!(framer.next(), None, "{name}"),
        }
    };
    streamed("clerr", None);
    streamed("ncl", Some(FrameError::BadLength));
    streamed("mcl01", Some(FrameError::BadLength));
    streamed("inv2543", Some(FrameError::NoLength));
    let odd = ["clerr", "ncl", "mcl01", "inv2543", "dblreq", "multi01"];
    let whole = || MESSAGES.iter().filter(|(name, ..)| !odd.contains(name));
    let mut framer = StreamFramer::new();
    for piece in whole().flat_map(|(_, bytes, _)| bytes.iter().copied()).collect::<Vec<_>>().chunks(1_000) {
        framer.push(piece);
    }
    for (name, bytes, _) in whole() {
        assert_eq!(framer.next(), Some(Ok(Frame::Message(bytes.to_vec()))), "{name}");
    }
    assert_eq!(framer.next(), None);
}
