//! The simulated carrier over real sockets: SIPp as an independent caller, our user agent, audio and keys.

use super::dial::{Dial, dial_one};
use super::sipp::{Ear, Sipp};
use paceline::sim::ledger::Ledger;
use paceline::sim::people::Population;
use paceline::sim::serve::{self, CarrierOptions, RunningCarrier};
use paceline_core::sip::user_agent::Transport;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Every callee answers within a moment and stays.
const ALL_ANSWER: &str = "seed = 1\n[shares]\nvoicemail = 0\nbusy = 0\nno_answer = 0\nreject = 0\npowered_off = 0\n\
    unreachable = 0\nvacant = 0\nsuspended = 0\nrestricted = 0\n\
    [post_dial]\ndelay = { median_secs = 0.05 }\n[ring]\nuntil_answer = { median_secs = 0.2 }\n\
    [listening]\nearly_share = 0\nto_the_end = 1\n";

fn start(people: &str, change: impl FnOnce(&mut CarrierOptions)) -> (Runtime, RunningCarrier) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut options = CarrierOptions::on_loopback(Population::parse(people).expect("people"));
    change(&mut options);
    let carrier = runtime.block_on(serve::start(options)).expect("a carrier on loopback");
    (runtime, carrier)
}

fn address(carrier: &RunningCarrier, transport: Transport) -> SocketAddr {
    carrier.address(transport).expect("it listens on both")
}

#[test]
fn sipp_as_caller_is_served_over_udp_and_tcp() {
    for (transport, mode) in [(Transport::Udp, "u1"), (Transport::Tcp, "t1")] {
        let (runtime, carrier) = start(ALL_ANSWER, |_| {});
        let sipp = Sipp::uac(20, address(&carrier, transport), &["-t", mode, "-r", "20", "-d", "300"]);
        sipp.finish().assert_all_successful(20);
        let report = runtime.block_on(carrier.stop());
        assert_eq!(report.ledger.calls.len(), 20);
        for record in report.ledger.calls.values() {
            assert!(record.answered_at.is_some() && record.acknowledged_at.is_some(), "{record:?}");
            assert!(record.end.starts_with("dialer"), "{record:?}");
        }
    }
}

#[test]
fn the_log_file_equals_the_ledger() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("carrier.csv");
    let (runtime, carrier) = start(ALL_ANSWER, |options| options.log = Some(file.clone()));
    dial_one(address(&carrier, Transport::Udp), &Dial::default());
    let written = std::fs::read_to_string(&file).expect("written while it runs");
    let report = runtime.block_on(carrier.stop());
    assert_eq!(Ledger::read_csv(&written).expect("readable"), report.ledger);
    assert_eq!(report.ledger.calls.len(), 1);
}

#[test]
fn a_refusal_is_recorded_as_its_outcome() {
    for (share, outcome) in [("busy", "busy"), ("vacant", "vacant"), ("reject", "rejected")] {
        let text = format!("{}\n", ALL_ANSWER.replace(&format!("{share} = 0\n"), &format!("{share} = 1\n")))
            .replace("[shares]\n", "[shares]\nanswer = 0\n")
            + "[refusal]\nannouncement = { median_secs = 0.3 }\nreject_after = { median_secs = 0.3 }\n";
        let (runtime, carrier) = start(&text, |_| {});
        let row = dial_one(address(&carrier, Transport::Udp), &Dial::default());
        assert_eq!(row.outcome, outcome, "{row:?}");
        let report = runtime.block_on(carrier.stop());
        assert_eq!(report.ledger.calls.len(), 1);
    }
}

#[test]
fn keys_are_pressed_as_telephone_events() {
    let people =
        format!("{ALL_ANSWER}[keys]\npress = {{ 2 = 1.0 }}\nafter = {{ median_secs = 0.4 }}\nby_info = 0\n");
    let (runtime, carrier) = start(&people, |_| {});
    let ear = Ear::open();
    let dial = Dial { talk: Duration::from_millis(1_500), media_port: Some(ear.port()), ..Dial::default() };
    let row = dial_one(address(&carrier, Transport::Udp), &dial);
    let report = runtime.block_on(carrier.stop());
    let record = report.ledger.calls.values().next().expect("one call");
    assert_eq!((row.outcome.as_str(), record.keys.as_str()), ("answered", "2"));
    let heard = ear.heard();
    let events: Vec<u8> = heard.iter().filter(|packet| packet.0 == 101).map(|packet| packet.4[0]).collect();
    assert!(!events.is_empty() && events.iter().all(|event| *event == 2), "{events:?}");
    let ends = heard.iter().filter(|packet| packet.0 == 101 && packet.4[1] & 0x80 != 0).count();
    assert_eq!(ends, 3, "the end of a key is sent three times");
    // The greeting has audio, not only silence.
    assert!(heard.iter().any(|packet| packet.0 == 8 && packet.4.iter().any(|byte| byte & 0x7f != 0x55)));
}
