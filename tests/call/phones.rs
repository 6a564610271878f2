//! Phones of others at our registrar: SIPp, baresip and Linphone sign in and take calls.

use super::service::Service;
use super::sipp::{Ear, Sipp, free_port};
use super::softphone::Softphone;
use paceline_core::call::{HangUpCause, Progress};
use paceline_core::ids::CallId;
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::sip::user_agent::{Transport, UaEvent};

const CALL: CallId = CallId(500);

/// Calls the account, follows the call until it is up, and ends it.
fn call_and_hang_up(service: &Service, user: &str, ear: &Ear) {
    let media = ([127, 0, 0, 1], ear.port()).into();
    service.call(CALL, user, media);
    service.wait_for_progress(CALL, |progress| *progress == Progress::Answered);
    let target = service.wait_for("media", |event| match event {
        UaEvent::Media { call: CALL, target, early: false } => Some(target.clone()),
        _ => None,
    });
    assert!(target.may_send(), "{target:?}");
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
    call_and_hang_up(&service, "1001", &Ear::open());
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
        assert_eq!(link.transport, transport, "{}", phone.said());
        assert!(link.product.starts_with("baresip"), "{link:?}");
        let ear = Ear::open();
        call_and_hang_up(&service, "1001", &ear);
        assert!(!ear.heard().is_empty(), "{name}: the phone speaks to where we listen: {}", phone.said());
    }
}

#[test]
fn baresip_with_a_wrong_password_is_told_so() {
    let service = Service::start();
    let phone = Softphone::baresip(service.address(Transport::Udp), "udp", "1001", "wrong");
    phone.wait_for("403 Forbidden");
    let unknown = Softphone::baresip(service.address(Transport::Udp), "udp", "9999", "secret");
    unknown.wait_for("403 Forbidden");
}
