//! The sample campaign that a service offers at its first start: a copy of `campaigns/jade-garden-calls` that calls the
//! owners of `campaigns/jade-garden` over the simulated carrier.

use super::edit::{self, EditError};
use paceline_core::campaign::SIMULATED_TRUNK;
use serde_json::{Value, json};

/// The name of the sample campaign and of its group of agents.
pub const SAMPLE: &str = "sample";

/// How many simulated agents work in it.
pub const SAMPLE_AGENTS: usize = 6;

/// The fictional owners of flats, as a file; a few rows are wrong on purpose.
pub const SAMPLE_LIST: &[u8] = include_bytes!("../../../campaigns/jade-garden/list.csv");

const SOURCE: &str = include_str!("../../../campaigns/jade-garden-calls/campaign.toml");

/// Stands where the source's own first lines are.
const HEAD: &str = "\
# The sample campaign: fictional flat owners, called over the simulated carrier by simulated agents. No phone rings,
# whatever trunks the service has, so it calls at any hour. Hours and delays are short, so that it ends within minutes;
# what a real campaign would write stands beside them.

";

/// The text of the sample campaign under this name, for agents of this group.
///
/// # Errors
/// The source has become a text that cannot take the changes.
pub fn sample_text(name: &str, group: &str) -> Result<String, EditError> {
    let body = SOURCE.find("name = ").map_or(SOURCE, |at| &SOURCE[at..]);
    let patch = json!({
        "name": name,
        "title": "示例活动 · Sample campaign",
        "trunks": [SIMULATED_TRUNK],
        "list": { "file": null, "blacklists": null },
        "agents": { "group": group },
        "results": null,
    });
    let Value::Object(patch) = patch else { return Err(EditError::Unfit) };
    edit::edit(&format!("{HEAD}{body}"), &patch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::campaign::{CampaignFiles, LoadedCampaign};
    use crate::config::{Config, TrunkConfig};
    use paceline_core::campaign::window::WindowState;
    use paceline_core::ids::TrunkId;
    use paceline_core::time::Utc;

    #[test]
    fn the_sample_calls_over_the_simulated_carrier_alone_whatever_trunks_there_are() {
        let text = sample_text("sample-2", "team").expect("a text");
        let mut config = Config::default();
        for trunks in 0..3u16 {
            let loaded =
                LoadedCampaign::parse_row(&text, &CampaignFiles::default(), &config).expect("it is right");
            assert_eq!(loaded.rules.trunks, [TrunkId(trunks + 1)]);
            assert_eq!((loaded.rules.name.as_str(), loaded.group.as_deref()), ("sample-2", Some("team")));
            assert!(loaded.lacks.is_empty() && loaded.warnings.is_empty(), "{:?}", loaded.warnings);
            config.trunks.insert(format!("line{trunks}"), TrunkConfig::default());
        }
        assert!(text.starts_with("# The sample campaign") && !text.contains("blacklist.csv"), "{text}");
    }

    #[test]
    fn the_sample_calls_at_any_hour() {
        let text = sample_text(SAMPLE, SAMPLE).expect("a text");
        let loaded = LoadedCampaign::parse_row(&text, &CampaignFiles::default(), &Config::default())
            .expect("it is right");
        for hour in 0..24 * 7 {
            let now = Utc::from_millis(1_795_000_000_000 + hour * 3_600_000);
            assert!(matches!(loaded.rules.windows.state(now), WindowState::OpenUntil(_)), "hour {hour}");
        }
    }

    #[test]
    fn the_simulated_carrier_is_no_second_way_of_a_campaign_that_rings_phones() {
        let mut config = Config::default();
        config.trunks.insert("main".into(), TrunkConfig::default());
        let text = sample_text(SAMPLE, SAMPLE)
            .expect("a text")
            .replace("[\"simulated\"]", "[\"main\", \"simulated\"]");
        let error =
            LoadedCampaign::parse_row(&text, &CampaignFiles::default(), &config).expect_err("two kinds");
        assert!(error.to_string().contains("name the simulated carrier alone"), "{error}");
    }
}
