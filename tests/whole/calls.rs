//! Single calls by the program itself, with SIPp as the callee.

use super::Site;
use crate::call::sipp::{Ear, Sipp};
use paceline::audio::Sound;
use paceline_core::media::Codec;

const NUMBER: &str = "15410000001";

fn call(site: &Site) -> serde_json::Value {
    let (code, out, err) = site.run(&["call", NUMBER, "--campaign", "campaign.toml", "--json"]);
    assert_eq!(code, 0, "{err}");
    out
}

#[test]
fn a_callee_hears_the_announcement_byte_for_byte_without_a_gap() {
    let ear = Ear::open();
    let sipp = Sipp::uas("answer", 1, &[("rtp_port", ear.port())]);
    let site = Site::new(sipp.address(), 3, "");
    let result = call(&site);
    assert_eq!(result["outcome"], "answered", "{result}");
    assert_eq!(result["ended_by"], "dialer");
    let packets = ear.heard();
    for pair in packets.windows(2) {
        assert_eq!(pair[1].2, pair[0].2.wrapping_add(1), "a packet is missing or out of order");
        assert_eq!(pair[1].3, pair[0].3.wrapping_add(160), "a timestamp jumps");
    }
    let heard: Vec<u8> =
        packets.iter().filter(|packet| packet.0 == 8).flat_map(|packet| packet.4.clone()).collect();
    let sound = Sound::load(&site.path("notice.wav")).expect("the sound");
    let sent = sound.encoded(Codec::Pcma);
    let found = heard.windows(sent.len()).any(|window| window == &sent[..]);
    assert!(found, "{} bytes heard, the announcement of {} is not in them", heard.len(), sent.len());
    sipp.finish().assert_all_successful(1);
    assert!(!site.path("results/leads.csv").exists(), "a test call starts no list");
}

#[test]
fn a_refused_call_reports_outcome_and_sip_code() {
    for (scenario, outcome, code) in [("busy", "busy", 486), ("reject", "rejected", 603)] {
        if !crate::call::sipp::scenario(scenario).exists() {
            panic!("no scenario {scenario}");
        }
        let sipp = Sipp::uas(scenario, 1, &[]);
        let site = Site::new(sipp.address(), 3, "");
        let result = call(&site);
        assert_eq!(
            (result["outcome"].as_str(), result["sip_code"].as_u64()),
            (Some(outcome), Some(code)),
            "{result}"
        );
        sipp.finish();
    }
}

#[test]
fn emergency_and_blacklisted_numbers_are_not_called() {
    let sipp = Sipp::uas("answer", 1, &[]);
    let site = Site::new(sipp.address(), 3, "");
    site.write("never.csv", "手机号码\n+86 154 1000 0001\n");
    let text = std::fs::read_to_string(site.path("campaign.toml")).expect("a campaign");
    site.write(
        "campaign.toml",
        &text.replace("file = \"list.csv\"", "file = \"list.csv\"\nblacklists = [\"never.csv\"]"),
    );
    for number in ["110", NUMBER] {
        let (code, _, err) = site.run(&["call", number, "--campaign", "campaign.toml"]);
        assert_eq!(code, 3, "{number}: {err}");
        assert!(err.contains("emergency_number") || err.contains("is on the blacklist"), "{number}: {err}");
    }
}
