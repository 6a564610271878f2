//! `paceline demo`: the sample campaign on the built-in simulated carrier, without any configuration.

use super::run::run_campaign;
use super::setup::Setup;
use super::{Failure, campaign};
use crate::cli::{DemoArgs, Exit, Global};
use crate::config::Config;
use std::path::Path;

const SAMPLE: &str = "campaigns/jade-garden/campaign.toml";

pub async fn demo(global: &Global, args: DemoArgs) -> Result<Exit, Failure> {
    let sample = Path::new(SAMPLE);
    if !sample.exists() {
        return Err(Failure::usage(format!(
            "{SAMPLE} is not here; start the demo where the sample campaigns are"
        )));
    }
    let dir = args.dir;
    // Every demo starts anew: what an earlier one left is its own and nobody else's.
    for name in
        ["paceline.db", "paceline.db-wal", "paceline.db-shm", "paceline.db.lock", "paceline.db.ballast"]
    {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let _ = std::fs::remove_dir_all(dir.join("paceline.journal"));
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::unexpected(format!("{}: {error}", dir.display())))?;
    let mut config = Config::default();
    config.store.url = format!("sqlite://{}", dir.join("paceline.db").display());
    let mut loaded = campaign(sample, &config)?;
    loaded.results_dir = dir.join("results");
    let people = sample.with_file_name("people.toml");
    let people = people.exists().then_some(people);
    run_campaign(global, Setup { config, loaded, people, metrics_port: true }).await
}
