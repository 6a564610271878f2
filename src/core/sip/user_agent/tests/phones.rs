//! Phones at the registrar: literal REGISTERs and their responses, bindings, OPTIONS probes, INVITEs of
//! phones and of strangers.

use super::desk::*;
use crate::ids::AgentId;
use crate::sip::auth::{Challenge, Credentials, authorize, strongest};
use crate::sip::headers::HeaderName;
use crate::sip::message::Message;
use crate::sip::user_agent::*;
use crate::time::Duration;

pub const REALM: &str = "calls.example";
pub const PHONE: &str = "198.51.100.7:40123";

/// A desk with two accounts, 1001 (agent 1) and 1002 (agent 2), both with the password `secret`.
pub fn desk() -> Desk {
    desk_with(Incoming::Trunks)
}

pub fn desk_with(incoming: Incoming) -> Desk {
    desk_of(config(incoming))
}

/// The next process after a restart.
pub fn next_desk() -> Desk {
    desk_of(UaConfig { seed: 43, ..config(Incoming::Trunks) })
}

fn desk_of(config: UaConfig) -> Desk {
    let config = UaConfig { registrar: Some(RegistrarConfig::new(REALM)), ..config };
    let mut desk = Desk::with(config, trunk());
    for (user, agent) in [("1001", 1), ("1002", 2)] {
        desk.ua.set_phone(desk.now, PhoneAccount::with_password(user, AgentId(agent), REALM, "secret"));
    }
    desk
}

pub fn request_of(method: &str, user: &str, cseq: u32, extra: &[&str], body: &str) -> String {
    let uri = if method == "REGISTER" { "sip:calls.example" } else { "sip:8000@calls.example" };
    let to = if method == "REGISTER" { format!("sip:{user}@calls.example") } else { uri.to_string() };
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK{method}{user}{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@calls.example>;tag=phone\r\nTo: <{to}>\r\nCall-ID: of-{user}\r\n\
         CSeq: {cseq} {method}\r\nUser-Agent: Testphone/1\r\n"
    );
    with_body(text, extra, body)
}

/// The Authorization header that answers the challenges of a 401 or 407.
pub fn authorization(refusal: &str, method: &str, user: &str, password: &str, uri: &str) -> String {
    let message = Message::parse(refusal.as_bytes()).expect("a message");
    let challenge: Challenge = strongest(message.challenges()).remove(0);
    let credentials = Credentials { username: user, password };
    let value = authorize(&challenge, &credentials, method, uri, b"", 1, "cnonce");
    format!("{}: {value}", challenge.answer_header())
}

/// Sends a request, answers its challenge, and returns the response. Uses `cseq` and `cseq + 1`.
pub fn proven(
    desk: &mut Desk,
    from: Peer,
    method: &str,
    user: &str,
    cseq: u32,
    extra: &[&str],
    body: &str,
) -> String {
    // Nonces issued to one address in the same millisecond are equal.
    desk.now += Duration::from_millis(1);
    desk.receive_from(from, &request_of(method, user, cseq, extra, body));
    let refusal = desk.sent().pop().expect("a challenge");
    let uri = if method == "REGISTER" { "sip:calls.example" } else { "sip:8000@calls.example" };
    let line = authorization(&refusal, method, user, "secret", uri);
    let mut extra = extra.to_vec();
    extra.push(&line);
    desk.receive_from(from, &request_of(method, user, cseq + 1, &extra, body));
    let mut sent = desk.sent();
    if sent.is_empty() { String::new() } else { sent.remove(0) }
}

pub fn sign_in(desk: &mut Desk, address: &str, user: &str, cseq: u32, contact: &str) -> String {
    let contact = format!("Contact: {contact}");
    let ok = proven(desk, peer(address), "REGISTER", user, cseq, &[&contact], "");
    assert!(ok.starts_with("SIP/2.0 200 "), "{ok}");
    ok
}

pub fn links(desk: &mut Desk) -> Vec<(String, Option<PhoneLink>)> {
    let link = |event| match event {
        UaEvent::PhoneChanged { user, link, .. } => Some((user, link)),
        _ => None,
    };
    desk.events().into_iter().filter_map(link).collect()
}

fn contacts(ok: &str) -> Vec<String> {
    let message = Message::parse(ok.as_bytes()).expect("a message");
    message.list(HeaderName::Contact).map(|contact| contact.into_owned()).collect()
}

#[test]
fn a_phone_registers_and_its_link_is_known() {
    let mut desk = desk();
    desk.receive_from(
        peer(PHONE),
        &request_of("REGISTER", "1001", 1, &["Contact: <sip:1001@10.0.0.9:5060>"], ""),
    );
    let (to, refusal) = desk.sent_to().remove(0);
    assert_eq!(to, peer(PHONE), "rport: back to where it came from");
    assert!(refusal.starts_with("SIP/2.0 401 "), "{refusal}");
    assert!(refusal.contains("received=198.51.100.7") && refusal.contains("rport=40123"), "{refusal}");
    let kinds: Vec<usize> = ["SHA-256", "MD5"].iter().filter_map(|kind| refusal.find(kind)).collect();
    assert!(kinds.len() == 2 && kinds[0] < kinds[1], "{refusal}");
    let ok = sign_in(&mut desk, PHONE, "1001", 2, "<sip:1001@10.0.0.9:5060>;expires=120");
    assert_eq!(contacts(&ok), ["<sip:1001@10.0.0.9:5060>;expires=120"]);
    let news = links(&mut desk);
    let [(user, Some(link))] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!((user.as_str(), link.contacts, link.product.as_str()), ("1001", 1, "Testphone/1"));
    assert_eq!((link.address, link.transport, link.latency), (peer(PHONE).address, Transport::Udp, None));
    assert_eq!(link.expires, desk.now + Duration::from_secs(120));
}

#[test]
fn an_unknown_user_is_indistinguishable_from_a_wrong_password() {
    let mut desk = desk();
    for method in ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE"] {
        let mut heard = Vec::new();
        for user in ["1001", "9999"] {
            desk.receive_from(peer(PHONE), &request_of(method, user, 1, &[], ""));
            heard.push(desk.one());
        }
        let plain = |text: &str, user: &str| {
            let text = text.replace(user, "USER");
            let lines = text.lines().filter(|line| !line.starts_with("To:"));
            lines.map(str::to_string).collect::<Vec<_>>()
        };
        assert_eq!(plain(&heard[0], "1001"), plain(&heard[1], "9999"), "{method}");
    }
    for user in ["1001", "9999"] {
        for method in ["REGISTER", "INVITE"] {
            desk.receive_from(peer(PHONE), &request_of(method, user, 2, &[], ""));
            let refusal = desk.one();
            let uri = if method == "REGISTER" { "sip:calls.example" } else { "sip:8000@calls.example" };
            let line = authorization(&refusal, method, user, "wrong", uri);
            desk.receive_from(peer(PHONE), &request_of(method, user, 3, &[&line], ""));
            let forbidden = desk.one();
            assert!(forbidden.starts_with("SIP/2.0 403 Forbidden\r\n"), "{forbidden}");
        }
    }
    assert_eq!(desk.events(), []);
}

#[test]
fn unauthenticated_requests_leave_no_state() {
    let mut desk = desk();
    for n in 0..1_000 {
        for method in ["REGISTER", "INVITE"] {
            desk.receive_from(peer(PHONE), &request_of(method, "1001", n, &[], ""));
        }
    }
    assert_eq!(desk.ua.servers.len(), 0);
    assert_eq!(desk.ua.next_wake(), None);
    assert_eq!(desk.sent().len(), 2_000);
}

/// Responses to an authenticated REGISTER by Contact and Expires.
#[test]
fn register_follows_section_10_3() {
    let table: &[(&[&str], &str, &[&str])] = &[
        (&["Contact: <sip:1001@a>"], "200", &["<sip:1001@a>;expires=3600"]),
        (&["Contact: <sip:1001@a>", "Expires: 600"], "200", &["<sip:1001@a>;expires=600"]),
        (&["Contact: <sip:1001@a>;expires=300;q=0.1", "Expires: 600"], "200", &["<sip:1001@a>;expires=300"]),
        (&["Contact: <sip:1001@a>;expires=999999"], "200", &["<sip:1001@a>;expires=3600"]),
        (&["Contact: <sip:1001@a>;expires=4294967296"], "200", &["<sip:1001@a>;expires=3600"]),
        (
            &["Contact: <sip:1@a>, \"x, y\" <sip:2@a>"],
            "200",
            &["<sip:1@a>;expires=3600", "<sip:2@a>;expires=3600"],
        ),
        (&["Contact: sip:1001@a"], "200", &["<sip:1001@a>;expires=3600"]),
        (
            &["Contact: <sip:1001@a;transport=tcp;ob>;reg-id=1;+sip.instance=\"<urn:uuid:1>\""],
            "200",
            &["<sip:1001@a;transport=tcp;ob>;+sip.instance=\"<urn:uuid:1>\";expires=3600"],
        ),
        (&[], "200", &[]),
        (&["Contact: *", "Expires: 0"], "200", &[]),
        (&["Contact: <sip:1001@a>;expires=0"], "200", &[]),
        (&["Contact: <sip:1001@a>;expires=59"], "423", &[]),
        (&["Contact: *"], "400", &[]),
        (&["Contact: *", "Expires: 60"], "400", &[]),
        (&["Contact: *, <sip:1001@a>", "Expires: 0"], "400", &[]),
        (&["Contact: <tel:+86755>"], "400", &[]),
        (&["Contact: <>"], "400", &[]),
        (&["Contact: <sip:1001@a>", "Require: gruu"], "420", &[]),
    ];
    for (lines, code, expected) in table {
        let mut desk = desk();
        let heard = proven(&mut desk, peer(PHONE), "REGISTER", "1001", 1, lines, "");
        assert_eq!(first_line(&heard).split(' ').nth(1), Some(*code), "{lines:?}: {heard}");
        if *code == "200" {
            assert_eq!(contacts(&heard), *expected, "{lines:?}");
        }
        assert_eq!(links(&mut desk).len(), usize::from(!expected.is_empty()), "{lines:?}");
        if *code == "423" {
            assert_eq!(header(&heard, HeaderName::MinExpires), "60");
        }
    }
}

#[test]
fn a_refused_register_changes_nothing_and_reports_nothing() {
    for extra in [["Contact: <sip:1001@10.0.0.9>", "Expires: 5"], ["Contact: <mailto:a@b>", "Expires: 600"]] {
        let mut desk = desk();
        let reply = proven(&mut desk, peer(PHONE), "REGISTER", "1001", 1, &extra, "");
        assert!(reply.starts_with("SIP/2.0 4"), "{reply}");
        assert_eq!(desk.events(), [], "{reply}");
    }
}

#[test]
fn another_account_cannot_be_registered_or_wiped() {
    let mut desk = desk();
    sign_in(&mut desk, PHONE, "1001", 1, "<sip:1001@10.0.0.9>");
    links(&mut desk);
    for lines in [&["Contact: <sip:evil@6.6.6.6>"][..], &["Contact: *", "Expires: 0"]] {
        let to_another = |text: String| text.replace("To: <sip:1002@", "To: <sip:1001@");
        desk.receive_from(peer(PHONE), &to_another(request_of("REGISTER", "1002", 1, lines, "")));
        let line = authorization(&desk.one(), "REGISTER", "1002", "secret", "sip:calls.example");
        let mut lines = lines.to_vec();
        lines.push(&line);
        desk.receive_from(peer(PHONE), &to_another(request_of("REGISTER", "1002", 2, &lines, "")));
        assert!(desk.one().starts_with("SIP/2.0 403 "));
    }
    assert_eq!(links(&mut desk), []);
}

#[test]
fn the_same_contact_is_refreshed_and_the_oldest_of_eleven_goes() {
    let mut desk = desk();
    for n in 0..2 {
        let ok = sign_in(&mut desk, PHONE, "1001", 10 * n + 1, "<sip:1001@10.0.0.9>");
        assert_eq!(contacts(&ok).len(), 1);
    }
    for n in 0..12_u32 {
        desk.wait(Duration::from_millis(5));
        let ok =
            sign_in(&mut desk, PHONE, "1001", 100 + 10 * n, &format!("<sip:1001@10.0.0.9:{}>", 6_000 + n));
        assert_eq!(contacts(&ok).len(), 10.min(n as usize + 2), "{ok}");
        assert_eq!(ok.contains("<sip:1001@10.0.0.9>"), n < 9, "{n}: {ok}");
    }
    // The same device registers another contact: the same binding.
    let ok = sign_in(&mut desk, PHONE, "1002", 1, "<sip:1002@10.0.0.9:1>;+sip.instance=\"<urn:uuid:9>\"");
    assert_eq!(contacts(&ok).len(), 1);
    let ok = sign_in(&mut desk, PHONE, "1002", 11, "<sip:1002@10.0.0.9:2>;+sip.instance=\"<urn:uuid:9>\"");
    assert_eq!(contacts(&ok).len(), 1, "{ok}");
    assert!(ok.contains("10.0.0.9:2"), "{ok}");
}

#[test]
fn a_retransmitted_register_gets_the_same_response_and_an_older_one_is_refused() {
    let mut desk = desk();
    desk.receive_from(peer(PHONE), &request_of("REGISTER", "1001", 4, &[], ""));
    let line = authorization(&desk.one(), "REGISTER", "1001", "secret", "sip:calls.example");
    let request = request_of("REGISTER", "1001", 5, &["Contact: <sip:1001@a>", &line], "");
    desk.receive_from(peer(PHONE), &request);
    let first = desk.one();
    desk.receive_from(peer(PHONE), &request);
    assert_eq!(desk.one(), first, "a copy of the request");
    // The same digest answer in a new transaction is a replay.
    desk.receive_from(peer(PHONE), &request.replace("z9hG4bK", "z9hG4bKreplay"));
    let replay = desk.one();
    assert!(replay.starts_with("SIP/2.0 401 ") && replay.contains("stale=true"), "{replay}");
    let old = proven(&mut desk, peer(PHONE), "REGISTER", "1001", 2, &["Contact: <sip:1001@a>"], "");
    assert!(old.starts_with("SIP/2.0 500 "), "{old}");
}

#[test]
fn a_binding_ends_by_expiry_by_removal_and_with_its_account() {
    let mut desk = desk();
    sign_in(&mut desk, PHONE, "1001", 1, "<sip:1001@10.0.0.9>;expires=60");
    assert!(matches!(links(&mut desk).as_slice(), [(_, Some(_))]));
    desk.wait(Duration::from_secs(61));
    assert_eq!(links(&mut desk), [("1001".to_string(), None)]);
    sign_in(&mut desk, PHONE, "1001", 11, "<sip:1001@10.0.0.9>");
    assert!(matches!(links(&mut desk).as_slice(), [(_, Some(_))]));
    desk.sent();
    proven(&mut desk, peer(PHONE), "REGISTER", "1001", 21, &["Contact: *", "Expires: 0"], "");
    assert_eq!(links(&mut desk), [("1001".to_string(), None)]);
    sign_in(&mut desk, PHONE, "1002", 1, "<sip:1002@10.0.0.9>");
    links(&mut desk);
    desk.ua.remove_phone(desk.now, "1002");
    assert_eq!(links(&mut desk), [("1002".to_string(), None)]);
    desk.wait(Duration::from_secs(7_200));
    assert_eq!(desk.ua.next_wake(), None);
}

#[test]
fn a_phone_is_probed_at_its_source_and_its_latency_is_reported() {
    let mut desk = desk();
    // The contact names another host, to which nothing is ever sent.
    sign_in(&mut desk, PHONE, "1001", 1, "<sip:1001@6.6.6.6:5060>");
    links(&mut desk);
    desk.wait(Duration::from_secs(2));
    let (to, options) = desk.sent_to().remove(0);
    assert_eq!(to, peer(PHONE));
    assert!(options.starts_with("OPTIONS sip:1001@6.6.6.6:5060 "), "{options}");
    desk.now += Duration::from_millis(37);
    desk.receive_from(peer(PHONE), &answer(&options, "200 OK", "far", &[], ""));
    let news = links(&mut desk);
    assert_eq!(news[0].1.as_ref().and_then(|link| link.latency), Some(Duration::from_millis(37)));
    desk.wait(Duration::from_millis(24_970));
    let options = desk.one();
    desk.now += Duration::from_millis(40);
    desk.receive_from(peer(PHONE), &answer(&options, "486 Busy Here", "far", &[], ""));
    assert_eq!(links(&mut desk), [], "three milliseconds more are no news");
    // Three unanswered probes: the phone is reported as unreachable.
    desk.wait(Duration::from_secs(120));
    assert_eq!(links(&mut desk), [("1001".to_string(), None)]);
    desk.sent();
    // One answered probe makes it reachable again.
    desk.wait(Duration::from_secs(25));
    let options = desk.sent().pop().expect("a question");
    desk.receive_from(peer(PHONE), &answer(&options, "200 OK", "far", &[], ""));
    assert!(matches!(links(&mut desk).as_slice(), [(_, Some(_))]));
}

#[test]
fn a_binding_ends_with_its_connection() {
    let mut desk = desk();
    let tcp = Peer { transport: Transport::Tcp, ..peer(PHONE) };
    let ok =
        proven(&mut desk, tcp, "REGISTER", "1001", 1, &["Contact: <sip:1001@10.0.0.9;transport=tcp>"], "");
    assert!(ok.starts_with("SIP/2.0 200 "), "{ok}");
    assert_eq!(links(&mut desk)[0].1.as_ref().map(|link| link.transport), Some(Transport::Tcp));
    desk.ua.handle_transport_error(desk.now, tcp);
    assert_eq!(links(&mut desk), [("1001".to_string(), None)]);
}

#[test]
fn a_phone_calls_in_once_it_has_proven_itself() {
    let mut desk = desk();
    let trying = proven(&mut desk, peer(PHONE), "INVITE", "1001", 1, &["Contact: <sip:1001@10.0.0.9>"], SDP);
    assert_eq!(trying, "");
    let events = desk.events();
    let [UaEvent::Incoming(incoming)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(incoming.caller, Caller::Phone { agent: AgentId(1), user: "1001".into() });
    assert_eq!((incoming.to_user.as_str(), incoming.from_user.as_str()), ("8000", "1001"));
    desk.ua.answer(desk.now, incoming.call, media());
    let (to, ok) = desk.sent_to().remove(0);
    assert_eq!(to, peer(PHONE));
    assert!(ok.starts_with("SIP/2.0 200 ") && header(&ok, HeaderName::Allow).contains("REFER"), "{ok}");
    // Requests in the call go to the phone's source address, not to its Contact.
    let ack = request_of("ACK", "1001", 2, &[], "")
        .replace("To: <sip:8000@calls.example>", &format!("To: {}", header(&ok, HeaderName::To)));
    desk.receive_from(peer(PHONE), &ack.replace("z9hG4bK", "z9hG4bKack"));
    desk.ua.hang_up(desk.now, incoming.call, crate::call::HangUpCause::Finished);
    let (to, bye) = desk.sent_to().remove(0);
    assert!(bye.starts_with("BYE sip:1001@10.0.0.9 "), "{bye}");
    assert_eq!(to, peer(PHONE));
}

#[test]
fn a_phone_cannot_call_under_another_name() {
    let mut desk = desk();
    let as_another = |text: String| text.replace("From: <sip:1002@", "From: <sip:1001@");
    desk.receive_from(peer(PHONE), &as_another(request_of("INVITE", "1002", 1, &[], SDP)));
    let line = authorization(&desk.one(), "INVITE", "1002", "secret", "sip:8000@calls.example");
    desk.receive_from(peer(PHONE), &as_another(request_of("INVITE", "1002", 2, &[&line], SDP)));
    assert!(desk.one().starts_with("SIP/2.0 403 "));
    assert_eq!(desk.events(), []);
}

#[test]
fn a_trunk_is_a_trunk_and_a_phone_behind_its_address_is_a_phone() {
    let mut desk = desk();
    desk.receive(&request_of("INVITE", "075512345678", 1, &[], SDP));
    let events = desk.events();
    let [UaEvent::Incoming(incoming)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(incoming.caller, Caller::Trunk(TRUNK));
    let within_invite_transaction = peer("203.0.113.10:40000");
    desk.receive_from(within_invite_transaction, &request_of("INVITE", "1001", 1, &[], SDP));
    assert!(desk.one().starts_with("SIP/2.0 407 "));
    let mut nobody = desk_with(Incoming::Nobody);
    nobody.receive(&request_of("INVITE", "075512345678", 1, &[], SDP));
    assert!(nobody.one().starts_with("SIP/2.0 407 "));
}

#[test]
fn mutated_registers_never_register_and_never_panic() {
    use rand::{RngExt, SeedableRng};
    for seed in 0..2_000_u64 {
        let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut desk = desk();
        desk.receive_from(peer(PHONE), &request_of("REGISTER", "1001", 1, &[], ""));
        let line = authorization(&desk.one(), "REGISTER", "1001", "secret", "sip:calls.example");
        let text = request_of("REGISTER", "1001", 2, &["Contact: <sip:1001@10.0.0.9>;expires=90", &line], "");
        let mut bytes = text.into_bytes();
        for _ in 0..chance.random_range(1..6) {
            let at = chance.random_range(0..bytes.len());
            match chance.random_range(0..3) {
                0 => bytes[at] = chance.random(),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, chance.random()),
            }
        }
        desk.ua.handle_message(desk.now, peer(PHONE), &bytes);
        while let Some(output) = desk.ua.poll() {
            if let UaOutput::Event(UaEvent::PhoneChanged { user, link, .. }) = output {
                // An irrelevant mutation: still this phone, still from its peer.
                assert_eq!(user, "1001", "seed {seed}");
                assert!(link.is_some_and(|link| link.address == peer(PHONE).address), "seed {seed}");
            }
        }
        desk.now += Duration::from_secs(1);
        sign_in(&mut desk, PHONE, "1001", 1_000, "<sip:1001@10.0.0.9>");
    }
}

#[test]
fn a_restored_phone_is_probed_and_reachable_once_it_answers() {
    let mut dead = desk();
    let contact = "<sip:1001@10.0.0.9:5060;ob>;expires=600;+sip.instance=\"<urn:uuid:1>\"";
    sign_in(&mut dead, PHONE, "1001", 1, contact);
    let over_tcp = Peer { transport: Transport::Tcp, ..peer("198.51.100.9:4000") };
    proven(&mut dead, over_tcp, "REGISTER", "1001", 10, &["Contact: <sip:1001@10.0.0.8;transport=tcp>"], "");
    let known = dead.ua.known_contacts(dead.now, "1001");
    let [(known, left)] = known.as_slice() else { panic!("{known:?}") };
    assert!(*left <= Duration::from_secs(600) && *left > Duration::from_secs(590), "{left:?}");

    let mut desk = next_desk();
    desk.ua.restore_phone(desk.now, "9999", known.clone(), *left);
    assert_eq!(desk.ua.next_wake(), None, "nobody's phone");
    desk.ua.restore_phone(desk.now, "1001", known.clone(), *left);
    assert!(desk.ua.phone_peers().contains(&peer(PHONE)));
    assert_eq!(links(&mut desk), [], "not before it has said a word");
    desk.wait(Duration::ZERO);
    let (to, question) = desk.sent_to().remove(0);
    assert!(question.starts_with("OPTIONS sip:1001@10.0.0.9:5060;ob "), "{question}");
    assert_eq!(to, peer(PHONE));
    desk.receive_from(to, &answer(&question, "200 OK", "x", &[], ""));
    let news = links(&mut desk);
    let [(user, Some(link))] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(
        (user.as_str(), link.address, link.product.as_str()),
        ("1001", peer(PHONE).address, "Testphone/1")
    );
    // The phone registers again: the same binding, whatever its Call-ID and CSeq.
    let ok = sign_in(&mut desk, PHONE, "1001", 3, contact);
    assert_eq!(contacts(&ok).len(), 1, "{ok}");
}

#[test]
fn a_restored_phone_that_never_answers_expires_unreported() {
    let mut dead = desk();
    sign_in(&mut dead, PHONE, "1001", 1, "<sip:1001@10.0.0.9:5060>;expires=120");
    let (known, left) = dead.ua.known_contacts(dead.now, "1001").remove(0);
    let mut desk = next_desk();
    desk.ua.restore_phone(desk.now, "1001", known.clone(), left);
    desk.ua.restore_phone(desk.now, "1001", known, left);
    desk.wait(Duration::from_secs(200));
    assert_eq!((links(&mut desk), desk.ua.phone_peers().len(), desk.ua.next_wake()), (vec![], 0, None));
}
