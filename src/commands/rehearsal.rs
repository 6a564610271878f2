//! A campaign that was tried on the simulated carrier does not go on with a real trunk: some of its leads are closed
//! by calls that rang no phone, and a sample's list may hold real numbers. `run` refuses it; `check` and `why` say so
//! beforehand.

use crate::config::{Config, LoadedCampaign};
use crate::store::{Store, StoreError};

/// The refusal of a campaign that has `calls` attempts on the simulated carrier and would now use real trunks.
pub(super) fn refusal(config: &Config, loaded: &LoadedCampaign, calls: u64) -> String {
    let used = config.trunks_named(&loaded.written.trunks);
    let known = config.known_trunks();
    let trunks: Vec<&str> =
        known.iter().filter(|(_, it)| used.contains(&it.id)).map(|(name, _)| name.as_str()).collect();
    format!(
        "campaign {} has {} on the simulated carrier, and would now call real phones through the trunk {}; to call \
         these leads for real, forget those calls first: paceline list reset {}",
        loaded.rules.name,
        if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") },
        trunks.join(", "),
        loaded.file.display()
    )
}

/// The refusal that `run` would meet now, from the store; none where nothing was ever called from here.
pub(super) async fn expected_refusal(config: &Config, loaded: &LoadedCampaign) -> Option<String> {
    if !config.has_trunks() {
        return None;
    }
    let calls = simulated_calls(config, loaded).await.ok()?;
    (calls > 0).then(|| refusal(config, loaded, calls))
}

async fn simulated_calls(config: &Config, loaded: &LoadedCampaign) -> Result<u64, StoreError> {
    let mut reader = Store::open_reader(&config.store.url).await?;
    let record = reader.campaign(&loaded.rules.name).await?;
    reader.simulated_attempts(record.id).await
}
