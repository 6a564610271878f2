//! Trunks as carriers want them: forms of numbers, headers, transports, families and registration, judged by the
//! requests that arrive at a small carrier.

use super::campaign_rows::{self, send};
use super::uploads::{Service, until};
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

/// A service without a trunk, with a campaign of these numbers on the trunk `spare`.
fn service_site() -> Site {
    let site = super::campaign_rows::site();
    site.write(
        "paceline.toml",
        &format!(
            "[files]\nfree_gib_min = 0\nfree_pct_min = 0\n[http]\nlisten = \"127.0.0.1:0\"\n[sip]\nlisten = [\"{}\"]\n",
            listen()
        ),
    );
    site
}

fn trunk(address: SocketAddr, password: &str) -> serde_json::Value {
    serde_json::json!({
        "uri": format!("sip:{address}"), "username": "7550", "password": password, "register": true,
        "options_secs": 1, "calls_per_sec": 50.0, "calls_max": 5, "allow": ["*"],
    })
}

fn live(service: &Service, name: &str) -> serde_json::Value {
    campaign_rows::get(service, &format!("/trunks/{name}"))["live"].clone()
}

/// A carrier that takes the registration, and refuses every INVITE with 404.
#[test]
fn a_trunk_that_is_added_to_a_running_service_registers_carries_calls_and_goes() {
    let (address, seen) = udp_carrier("127.0.0.1:0", PLAIN);
    let (other, moved) = udp_carrier("127.0.0.1:0", PLAIN);
    let site = service_site();
    let mut service = Service::start(&site, &["serve"]);
    let body = serde_json::json!({ "name": "spare", "settings": trunk(address, "hush 7") });
    let added = send(&service, "POST", "/trunks", &body, 201);
    assert_eq!(added["has_password"], true);
    until("the registration", || (live(&service, "spare")["state"] == "up").then_some(()));
    until("an answer to OPTIONS", || live(&service, "spare")["options_ms"].as_u64());

    // A test call goes over it, and is counted.
    let call = serde_json::json!({ "action": "test_call", "number": "13800138000" });
    let attempt = send(&service, "POST", "/trunks/spare/actions", &call, 202)["attempt"].clone();
    until("the end of the call", || {
        let trace = campaign_rows::get(&service, &format!("/calls/{attempt}/trace"));
        (trace["sip_code"] == 404).then_some(())
    });
    until("its code", || {
        let codes = live(&service, "spare")["codes_today"].clone();
        (codes[0]["code"] == 404 && codes[0]["calls"] == 1).then_some(())
    });
    assert!(invites(&seen).len() == 1, "{:?}", seen.lock().unwrap());

    // Out of use it unregisters, and a campaign's calls would not leave; a restart keeps it so.
    let act = |service: &Service, action: &str| {
        send(service, "POST", "/trunks/spare/actions", &serde_json::json!({ "action": action }), 202)
    };
    let unregistered = |seen: &Seen| {
        let seen = seen.lock().expect("no panic holds it");
        seen.iter().any(|text| text.starts_with("REGISTER") && text.contains("Expires: 0"))
    };
    assert!(!unregistered(&seen));
    act(&service, "disable");
    until("the end of the registration", || unregistered(&seen).then_some(()));
    until("the state", || (live(&service, "spare")["state"] == "disabled").then_some(()));
    service.kill();
    drop(service);
    let mut service = Service::start(&site, &["serve"]);
    until("the trunk", || (live(&service, "spare")["state"] == "disabled").then_some(()));
    until("today's codes, which outlive a crash", || {
        (live(&service, "spare")["codes_today"][0]["calls"] == 1).then_some(())
    });
    act(&service, "enable");
    until("the registration", || (live(&service, "spare")["state"] == "up").then_some(()));

    // Another address: the registration moves there, and so does the next call.
    let change = serde_json::json!({ "settings": { "uri": format!("sip:{other}"), "calls_max": 2 } });
    send(&service, "PATCH", "/trunks/spare", &change, 200);
    until("the registration there", || {
        let moved = moved.lock().expect("no panic holds it");
        moved.iter().any(|text| text.starts_with("REGISTER")).then_some(())
    });
    until("its limit", || (live(&service, "spare")["calls_max"] == 2).then_some(()));
    until("the state", || (live(&service, "spare")["state"] == "up").then_some(()));
    send(&service, "POST", "/trunks/spare/actions", &call, 202);
    until("the call there", || (invites(&moved).len() == 1).then_some(()));
    assert_eq!(invites(&seen).len(), 1);

    // The process dies after a change: the change holds.
    service.kill();
    drop(service);
    let service = Service::start(&site, &["serve"]);
    assert_eq!(campaign_rows::get(&service, "/trunks/spare")["settings"]["calls_max"], 2);
    until("the end of the calls", || (live(&service, "spare")["calls"] == 0).then_some(()));
    send(&service, "DELETE", "/trunks/spare", &serde_json::Value::Null, 204);
    let left = campaign_rows::get(&service, "/trunks");
    assert!(!left.to_string().contains("spare"), "{left}");
}

/// Wrong credentials are said in words, and mended while the service runs.
#[test]
fn a_refused_account_is_said_and_mended_without_a_restart() {
    let refuses = Habits { refuses_register: true, ..PLAIN };
    let (address, _) = udp_carrier("127.0.0.1:0", refuses);
    let (other, _) = udp_carrier("127.0.0.1:0", PLAIN);
    let site = service_site();
    let service = Service::start(&site, &["serve"]);
    let body = serde_json::json!({ "name": "spare", "settings": trunk(address, "wrong") });
    send(&service, "POST", "/trunks", &body, 201);
    let words = until("the refusal", || {
        let shown = live(&service, "spare");
        let words = shown["words"]["en"].as_str().unwrap_or_default().to_owned();
        (shown["state"] == "down" && words.contains("refuses the account 7550")).then_some(words)
    });
    assert!(words.contains("check username and password"), "{words}");
    let change = serde_json::json!({ "settings": { "uri": format!("sip:{other}"), "password": "right" } });
    send(&service, "PATCH", "/trunks/spare", &change, 200);
    until("the state", || (live(&service, "spare")["state"] == "up").then_some(()));
}

/// A trunk that an open campaign names stays; a new one is used by campaigns that name none.
#[test]
fn a_campaign_that_names_no_trunk_begins_to_use_a_new_one_and_one_that_is_named_stays() {
    let (first, _) = udp_carrier("127.0.0.1:0", PLAIN);
    let (address, seen) = udp_carrier("127.0.0.1:0", PLAIN);
    let site = service_site();
    let service = Service::start(&site, &["serve"]);
    let body = serde_json::json!({ "name": "first", "settings": trunk(first, "x") });
    send(&service, "POST", "/trunks", &body, 201);
    until("the registration", || (live(&service, "first")["state"] == "up").then_some(()));
    campaign_rows::upload_sound(&service, &site);
    let slow = campaign_rows::ROW.replace("calls_per_sec = 50.0", "calls_per_sec = 2.0");
    send(&service, "POST", "/campaigns", &serde_json::json!({ "toml": slow }), 201);
    let rows: String = (0..200).map(|n| format!("138{:08}\n", 10_000_000 + n)).collect();
    let list = service.upload_to("row", "first.csv", format!("phone\n{rows}").as_bytes());
    assert_eq!(service.ended(&service.load(&list))["state"], "done");
    send(&service, "POST", "/campaigns/row/actions", &serde_json::json!({ "action": "start" }), 202);
    until("a call", || campaign_rows::calls(&service, "row").first().cloned());
    let body = serde_json::json!({ "name": "spare", "settings": trunk(address, "x") });
    send(&service, "POST", "/trunks", &body, 201);
    let disable = serde_json::json!({ "action": "disable" });
    send(&service, "POST", "/trunks/first/actions", &disable, 202);
    until("a call over the new trunk", || invites(&seen).first().cloned());
    let patch = serde_json::json!({ "fields": { "trunks": ["spare"] } });
    send(&service, "PATCH", "/campaigns/row", &patch, 200);
    let refused = send(&service, "DELETE", "/trunks/spare", &serde_json::Value::Null, 409);
    assert_eq!(
        (&refused["code"], &refused["campaigns"]),
        (&"in_use".into(), &serde_json::json!(["row"])),
        "{refused}"
    );
}
