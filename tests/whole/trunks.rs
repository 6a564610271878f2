//! Trunks as carriers want them: forms of numbers, headers, transports, families and registration, judged by the
//! requests that arrive at a small carrier.

use super::{Site, free_port};
use paceline_core::sip::frame::{Frame, StreamFramer};
use paceline_core::sip::headers::HeaderName;
use paceline_core::sip::message::{Message, Method};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Requests that arrived, oldest first: the whole text of each, retransmissions included.
type Seen = Arc<Mutex<Vec<String>>>;

/// Registers with its first REGISTERs unanswered, refuses every INVITE: 404, but 403 before it has registered us.
#[derive(Clone, Copy)]
struct Habits {
    registers_lost: usize,
    refuses_register: bool,
}

const PLAIN: Habits = Habits { registers_lost: 0, refuses_register: false };

/// The response to a request, if it gets one.
fn respond(habits: Habits, seen: &Seen, bytes: &[u8]) -> Option<String> {
    let message = Message::parse(bytes).ok()?;
    let method = message.method().ok()?;
    let mut seen = seen.lock().expect("no panic holds it");
    let count = |wanted: &str| seen.iter().filter(|text| text.starts_with(wanted)).count();
    let registers = count("REGISTER ");
    let status = match method {
        Method::Register if habits.refuses_register => "403 Forbidden",
        Method::Register if registers < habits.registers_lost => "",
        Method::Invite if registers <= habits.registers_lost && habits.registers_lost > 0 => "403 Forbidden",
        Method::Invite => "404 Not Found",
        Method::Ack => "",
        _ => "200 OK",
    };
    seen.push(String::from_utf8_lossy(bytes).into_owned());
    if status.is_empty() {
        return None;
    }
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in [HeaderName::Via, HeaderName::From, HeaderName::CallId, HeaderName::CSeq, HeaderName::Contact]
    {
        if let Some(value) = message.header(name) {
            text += &format!("{}: {value}\r\n", name.as_str());
        }
    }
    let to = message.header(HeaderName::To)?;
    Some(text + &format!("To: {to};tag=far\r\nExpires: 300\r\nContent-Length: 0\r\n\r\n"))
}

fn udp_carrier(bind: &str, habits: Habits) -> (SocketAddr, Seen) {
    let socket = UdpSocket::bind(bind).expect("a free port");
    let address = socket.local_addr().expect("bound");
    let seen = Seen::default();
    let kept = seen.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            if let Some(text) = respond(habits, &kept, &buffer[..length]) {
                let _ = socket.send_to(text.as_bytes(), from);
            }
        }
    });
    (address, seen)
}

fn tcp_carrier() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let seen = Seen::default();
    let kept = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut framer) = (stream.expect("a connection"), StreamFramer::new());
            let mut buffer = [0; 4_096];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                framer.push(&buffer[..length]);
                while let Some(Ok(frame)) = framer.next() {
                    let Frame::Message(bytes) = frame else { continue };
                    if let Some(text) = respond(PLAIN, &kept, &bytes) {
                        let _ = stream.write_all(text.as_bytes());
                    }
                }
            }
        }
    });
    (address, seen)
}

const RULES: &str = "[calling]\nwindows = [{ days = \"mon-sun\", from = \"00:00\", to = \"24:00\" }]\n\
                     [retry]\nattempts_max = 1\n[caller_ids]\nnumbers = [\"075512345678\"]\n";

/// A site whose trunk has these settings and whose list has these numbers.
fn site(listen: &str, trunk: &str, numbers: &[&str]) -> Site {
    let site = Site::new(SocketAddr::from(([127, 0, 0, 1], 9)), 1, RULES);
    site.write(
        "paceline.toml",
        &format!(
            "[sip]\nlisten = [\"{listen}\"]\n[http]\nlisten = \"127.0.0.1:0\"\n[trunks.main]\n\
             options_secs = 0\ncalls_per_sec = 50.0\nallow = [\"*\"]\n{trunk}\n"
        ),
    );
    site.write("list.csv", &format!("phone\n{}\n", numbers.join("\n")));
    site
}

fn run(site: &Site) {
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert_eq!(code, 0, "{err}");
}

fn listen() -> String {
    format!("udp://127.0.0.1:{}", free_port())
}

/// The INVITEs, each once.
fn invites(seen: &Seen) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in seen.lock().expect("no panic holds it").iter().filter(|text| text.starts_with("INVITE ")) {
        if !once.contains(text) {
            once.push(text.clone());
        }
    }
    once
}

fn header(text: &str, name: HeaderName) -> String {
    let message = Message::parse(text.as_bytes()).expect("a message");
    message.header(name).map(|value| value.into_owned()).unwrap_or_default()
}

/// The user part of each request URI, sorted, and of the first From.
fn users(seen: &Seen) -> (Vec<String>, String) {
    let user = |text: &str| {
        text.split("sip:").nth(1).and_then(|rest| rest.split('@').next()).unwrap_or("").to_owned()
    };
    let invites = invites(seen);
    let mut called: Vec<String> = invites.iter().map(|text| user(text)).collect();
    called.sort();
    (called, invites.first().map(|text| user(&header(text, HeaderName::From))).unwrap_or_default())
}

const NUMBERS: [&str; 3] = ["15410000001", "0755-12345602", "+44 20 7946 0906"];

#[test]
fn numbers_leave_in_the_form_that_the_trunk_wants() {
    for (settings, called, shown) in [
        ("", ["00442079460906", "075512345602", "15410000001"], "075512345678"),
        (
            "number_form = \"+e164\"\ncaller_id_form = \"+e164\"",
            ["+442079460906", "+8615410000001", "+8675512345602"],
            "+8675512345678",
        ),
        (
            "number_form = \"national\"\ncaller_id_form = \"e164\"\nadd_prefix = \"9\"",
            ["900442079460906", "915410000001", "975512345602"],
            "8675512345678",
        ),
        (
            "strip_prefix = \"0\"\nadd_prefix = \"+86\"",
            ["+442079460906", "+8615410000001", "+8675512345602"],
            "075512345678",
        ),
    ] {
        let (carrier, seen) = udp_carrier("127.0.0.1:0", PLAIN);
        run(&site(&listen(), &format!("uri = \"sip:{carrier}\"\n{settings}"), &NUMBERS));
        assert_eq!(users(&seen), (called.map(str::to_owned).to_vec(), shown.to_owned()), "{settings}");
    }
}

#[test]
fn the_account_stands_in_from_where_the_number_has_a_header_of_its_own() {
    let (carrier, seen) = udp_carrier("127.0.0.1:0", PLAIN);
    let settings = format!(
        "uri = \"sip:{carrier}\"\nusername = \"1234567e0\"\npassword = \"x\"\ndomain = \"sip.example\"\n\
         caller_id_header = \"p_asserted_identity\"\ncaller_id_form = \"+e164\""
    );
    run(&site(&listen(), &settings, &NUMBERS[..1]));
    let invite = invites(&seen).remove(0);
    assert!(invite.starts_with("INVITE sip:15410000001@sip.example SIP/2.0"), "{invite}");
    assert!(header(&invite, HeaderName::From).starts_with("<sip:1234567e0@sip.example>"), "{invite}");
    assert_eq!(header(&invite, HeaderName::PAssertedIdentity), "<sip:+8675512345678@sip.example>");
}

#[test]
fn the_transport_in_the_uri_is_used() {
    let (carrier, seen) = tcp_carrier();
    run(&site(&listen(), &format!("uri = \"sip:{carrier};transport=tcp\""), &NUMBERS[..1]));
    assert!(header(&invites(&seen)[0], HeaderName::Via).starts_with("SIP/2.0/TCP "));
}

#[test]
fn a_trunk_with_an_ipv6_address_is_called_with_media_of_its_family() {
    let (carrier, seen) = udp_carrier("[::1]:0", PLAIN);
    let port = free_port();
    // Beside an address of the other family, which phones may use.
    for listen in [format!("udp://[::1]:{port}"), format!("udp://127.0.0.1:{port}\", \"udp://[::1]:{port}")] {
        seen.lock().expect("no panic holds it").clear();
        run(&site(&listen, &format!("uri = \"sip:{carrier}\""), &NUMBERS[..1]));
        let invite = invites(&seen).remove(0);
        assert!(invite.contains("c=IN IP6 ::1"), "{invite}");
        assert!(header(&invite, HeaderName::Via).contains(&format!("[::1]:{port}")), "{invite}");
        assert!(header(&invite, HeaderName::Contact).contains(&format!("@[::1]:{port}")), "{invite}");
    }
}

#[test]
fn a_family_that_nothing_listens_on_is_named() {
    let site = site(&listen(), "uri = \"sip:[::1]:5060\"", &NUMBERS[..1]);
    let (code, _, err) = site.run(&["run", "campaign.toml"]);
    assert!(code != 0 && err.contains("udp://[::]:5060"), "{code}: {err}");
}

#[test]
fn no_call_leaves_before_the_trunk_is_registered() {
    let (carrier, seen) = udp_carrier("127.0.0.1:0", Habits { registers_lost: 3, ..PLAIN });
    let settings = format!("uri = \"sip:{carrier}\"\nregister = true\nusername = \"a\"\npassword = \"b\"");
    let site = site(&listen(), &settings, &NUMBERS);
    run(&site);
    let methods: Vec<String> = seen
        .lock()
        .expect("no panic holds it")
        .iter()
        .map(|text| text.split(' ').next().unwrap_or("").to_owned())
        .collect();
    assert_eq!(&methods[..4], ["REGISTER"; 4], "{methods:?}");
    assert_eq!(invites(&seen).len(), NUMBERS.len());
    // Not one was refused with 403: all were asked after the registration.
    for attempt in site.attempts() {
        assert_eq!(&attempt[super::column("sip_code")], "404", "{attempt:?}");
    }
}

#[test]
fn a_refused_account_is_named_and_no_lead_is_touched() {
    let (carrier, seen) = udp_carrier("127.0.0.1:0", Habits { refuses_register: true, ..PLAIN });
    let settings =
        format!("uri = \"sip:{carrier}\"\nregister = true\nusername = \"alice\"\npassword = \"b\"");
    let site = site(&listen(), &settings, &NUMBERS);
    let mut program = site.start(&["run", "campaign.toml"]);
    let words = "the carrier refuses account alice of trunk main (403 Forbidden)";
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !site.log().contains(words) {
        assert!(std::time::Instant::now() < deadline, "{}", site.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = program.kill();
    let _ = program.wait();
    assert!(invites(&seen).is_empty());
}
