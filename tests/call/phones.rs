//! Third-party phones at our registrar: SIPp, baresip and Linphone register and take calls.

use super::service::Service;
use super::sipp::{Ear, Sipp, free_port};
use super::softphone::Softphone;
use paceline_core::call::{HangUpCause, Progress};
use paceline_core::ids::CallId;
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::sip::auth::{Credentials, authorize};
use paceline_core::sip::message::Message;
use paceline_core::sip::user_agent::{Transport, UaEvent};
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

const CALL: CallId = CallId(500);

/// Calls the account, follows the call until it is up, and ends it.
fn call_and_hang_up(service: &Service, user: &str, ear: &Ear, speaks: bool) {
    let media = ([127, 0, 0, 1], ear.port()).into();
    service.call(CALL, user, media);
    service.wait_for_progress(CALL, |progress| *progress == Progress::Answered);
    let target = service.wait_for("media", |event| match event {
        UaEvent::Media { call: CALL, target, early: false } => Some(target.clone()),
        _ => None,
    });
    assert!(target.may_send(), "{target:?}");
    assert!(!speaks || ear.hears(), "the phone speaks to where we listen");
    service.command(|ua, now| ua.hang_up(now, CALL, HangUpCause::Finished));
    let ended = service.wait_for_progress(CALL, |progress| matches!(progress, Progress::Ended(_)));
    let Progress::Ended(ended) = ended else { panic!("{ended:?}") };
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Dialer), "{ended:?}");
}

#[test]
fn sipp_registers_with_digest_and_takes_a_call() {
    let service = Service::start();
    let port = free_port();
    let phone = Sipp::phone("register", port, service.address(Transport::Udp));
    let link = service.wait_for_link("1001");
    assert_eq!((link.contacts, link.address.port()), (1, port));
    phone.finish().assert_all_successful(1);
    let phone = Sipp::phone("answer", port, service.address(Transport::Udp));
    call_and_hang_up(&service, "1001", &Ear::open(), false);
    let report = phone.finish();
    report.assert_all_successful(1);
    assert!(report.messages.contains("answer-after=0"), "{}", report.messages);
}

#[test]
fn baresip_registers_and_takes_a_call_over_udp_tcp_and_tls() {
    for (transport, name) in [(Transport::Udp, "udp"), (Transport::Tcp, "tcp"), (Transport::Tls, "tls")] {
        let service = Service::start();
        let phone = Softphone::baresip(service.address(transport), name, "1001", "secret");
        let link = service.wait_for_link("1001");
        assert_eq!(link.transport, transport, "{}", phone.output());
        assert!(link.product.starts_with("baresip"), "{link:?}");
        call_and_hang_up(&service, "1001", &Ear::open(), true);
    }
}

#[test]
fn the_next_process_ends_baresips_call_and_reaches_it_without_a_new_register() {
    let service = Service::start();
    let phone = Softphone::baresip(service.address(Transport::Udp), "udp", "1001", "secret");
    let link = service.wait_for_link("1001");
    service.call(CALL, "1001", ([127, 0, 0, 1], Ear::open().port()).into());
    service.wait_for_progress(CALL, |progress| *progress == Progress::Answered);
    phone.wait_for("Call established");
    let (kept, keeping) = std::sync::mpsc::channel();
    service.command(move |ua, now| {
        kept.send((ua.open_dialogs(CALL), ua.known_contacts(now, "1001"))).expect("somebody waits");
    });
    let (ends, known) = keeping.recv().expect("an answer");
    assert_eq!((ends.len(), known.len()), (1, 1), "{ends:?} {known:?}");
    let call_id = ends[0].call_id.clone();
    let next = service.restart();
    next.command(move |ua, now| {
        for (contact, left) in known {
            ua.restore_phone(now, "1001", contact, left);
        }
        ends.into_iter().for_each(|end| ua.end_saved_dialog(now, end));
    });
    let mut reached = None;
    let found = next.wait_for("the phone", |event| match event {
        UaEvent::SavedDialogEnded { call_id: of, reached: told } => {
            assert_eq!(*of, call_id);
            reached = Some(*told);
            None
        }
        UaEvent::PhoneChanged { link, .. } => link.clone(),
        _ => None,
    });
    assert_eq!((found.address, found.product), (link.address, link.product));
    assert_ne!(reached, Some(false));
    if reached.is_none() {
        next.wait_for("the end", |event| {
            matches!(event, UaEvent::SavedDialogEnded { reached: true, .. }).then_some(())
        });
    }
    phone.wait_for("session closed");
    // The phone is rung without a new registration.
    call_and_hang_up(&next, "1001", &Ear::open(), true);
}

#[test]
fn baresip_with_a_wrong_password_reports_the_refusal() {
    let service = Service::start();
    let phone = Softphone::baresip(service.address(Transport::Udp), "udp", "1001", "wrong");
    phone.wait_for("403 Forbidden");
    let unknown = Softphone::baresip(service.address(Transport::Udp), "udp", "9999", "secret");
    unknown.wait_for("403 Forbidden");
}

#[test]
fn a_flood_from_unknown_sources_does_not_disturb_a_running_call_or_its_phone() {
    let service = Service::start();
    let address = service.address(Transport::Udp);
    let port = free_port();
    Sipp::phone("register", port, address).finish().assert_all_successful(1);
    service.wait_for_link("1001");
    let phone = Sipp::phone("answer", port, address);
    service.call(CALL, "1001", ([127, 0, 0, 1], Ear::open().port()).into());
    service.wait_for_progress(CALL, |progress| *progress == Progress::Answered);
    let flooders: Vec<UdpSocket> = (0..50).map(|_| UdpSocket::bind("127.0.0.1:0").expect("a port")).collect();
    for n in 0..20_000 {
        let method = if n % 2 == 0 { "REGISTER" } else { "INVITE" };
        let text = format!(
            "{method} sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKf{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:1001@127.0.0.1>;tag=f{n}\r\nTo: <sip:1001@127.0.0.1>\r\n\
             Call-ID: f{n}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        // Packets that the kernel drops only make the flood smaller.
        let _ = flooders[n % flooders.len()].send_to(text.as_bytes(), address);
    }
    service.command(|ua, now| ua.hang_up(now, CALL, HangUpCause::Finished));
    service.wait_for_progress(
        CALL,
        |progress| matches!(progress, Progress::Ended(ended) if ended.sip_code == Some(200)),
    );
    phone.finish().assert_all_successful(1);
}

/// The output of one of sipvicious's tools against this service. It ends by itself, or after 25 seconds.
fn sipvicious(tool: &str, arguments: &[&str], service: &Service) -> String {
    let port = service.address(Transport::Udp).port().to_string();
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("words"), words()).expect("written");
    let output = Command::new("timeout")
        .args(["25", tool, "-p", &port])
        .args(arguments)
        .arg("127.0.0.1")
        .env("HOME", dir.path())
        .current_dir(dir.path())
        .output()
        .expect("timeout is installed");
    assert_ne!(output.status.code(), Some(127), "{tool} is installed (Debian package sipvicious)");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A word list with the right password behind more wrong ones than the lockout allows in a minute.
fn words() -> String {
    (0..60).map(|n| format!("guess{n}\n")).chain(["secret\n".to_string()]).collect()
}

#[test]
fn sipvicious_finds_no_extension() {
    let service = Service::start();
    for method in ["REGISTER", "INVITE", "OPTIONS"] {
        let found = sipvicious("svwar", &["-e", "1000-1004", "-m", method], &service);
        assert!(!found.contains("1001"), "{method}: {found}");
    }
}

/// Sends one REGISTER of 1001 over this socket and returns the response.
fn register(socket: &UdpSocket, to: SocketAddr, cseq: u32, authorization: &str) -> String {
    let local = socket.local_addr().expect("bound");
    let text = format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bKguess{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:1001@127.0.0.1>;tag=g\r\nTo: <sip:1001@127.0.0.1>\r\n\
         Call-ID: guess\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:1001@{local}>\r\n{authorization}\
         Content-Length: 0\r\n\r\n"
    );
    socket.send_to(text.as_bytes(), to).expect("sent");
    let mut buffer = [0; 4_096];
    let length = socket.recv(&mut buffer).expect("an answer");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// svcrack stops where SHA-256 is offered; this attacker does not.
#[test]
fn a_skilled_password_guesser_finds_nothing_and_locks_no_account_out() {
    let service = Service::start();
    let address = service.address(Transport::Udp);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    for (n, password) in words().lines().enumerate() {
        let n = n as u32;
        // Stays below the rate limit for unknown sources.
        std::thread::sleep(Duration::from_millis(25));
        let refusal = register(&socket, address, 2 * n + 1, "");
        let message = Message::parse(refusal.as_bytes()).expect("a response");
        let challenge = message.challenges().remove(0);
        let credentials = Credentials { username: "1001", password };
        let answer = authorize(&challenge, &credentials, "REGISTER", "sip:127.0.0.1", b"", 1, "c");
        let heard = register(&socket, address, 2 * n + 2, &format!("Authorization: {answer}\r\n"));
        assert!(heard.starts_with("SIP/2.0 403 Forbidden"), "{password}: {heard}");
    }
    let port = free_port();
    let phone = Sipp::phone("register", port, address);
    assert_eq!(service.wait_for_link("1001").address.port(), port);
    phone.finish().assert_all_successful(1);
}

#[test]
fn sipvicious_finds_no_password_and_locks_no_account_out() {
    let service = Service::start();
    let found = sipvicious("svcrack", &["-u", "1001", "-d", "words"], &service);
    assert!(!found.contains("secret"), "{found}");
    // The account it guessed at still registers, from the same address, at once.
    let port = free_port();
    let phone = Sipp::phone("register", port, service.address(Transport::Udp));
    assert_eq!(service.wait_for_link("1001").address.port(), port);
    phone.finish().assert_all_successful(1);
}
