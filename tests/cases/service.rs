//! A campaign on a service: hang up all and go on. Tests the dialer and the actions of a manager.

use super::*;
use paceline::console::client::{Client, Method};
use program::{Running, until};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_campaign_goes_on_after_hang_up_all() {
    let folder = Folder::new(phones((0..8).map(|n| 15_400_970_000_u64 + n * 100)))
        .write("notice.wav", sound::tone(40.0, 1_000.0, 8_000))
        .set("calling", "concurrency_max = 2");
    let carrier = folder.carrier(&[]);
    let words = ["serve", "campaign.toml", "--config", "paceline.toml"];
    let mut service = Running::start(carrier.folder.dir.path(), &words, &[]);
    service.wait_for("/api/v1");
    carrier.wait_for("ack", 2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let act = |action: &str| {
        let client = Client::for_store(&carrier.folder.path("paceline.db")).expect("the key of the service");
        let path = "/api/v1/campaigns/case/actions";
        runtime
            .block_on(client.ask(Method::POST, path, Some(&json!({ "action": action }))))
            .unwrap_or_else(|error| panic!("{action}: {error}"))
    };
    act("hang_up_all");
    assert!(until(Duration::from_secs(10), || carrier.events("ended").len() == 2), "{:#?}", carrier.record());
    act("resume");
    let goes_on = until(Duration::from_secs(15), || carrier.dialled().len() >= 4);
    assert!(goes_on, "nothing is dialled after `resume`: {:?}\n{}", carrier.dialled(), service.err());
    service.terminate();
    service.end_within(Duration::from_secs(3));
    let out = carrier.folder.program(&["export", "campaign.toml", "--config", "paceline.toml"]);
    let played = Played::read(carrier.folder.dir.path(), out);
    let dialled_first = &carrier.dialled()[..2];
    for number in dialled_first {
        let state = &played.lead(number)["state"];
        assert_ne!(state, "failed", "the manager hung up, the callee did not refuse\n{}", played.shown());
    }
}
