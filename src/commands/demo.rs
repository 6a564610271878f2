//! `paceline demo`: the sample campaigns on the built-in simulated carrier, without any
//! configuration; with agents, those are simulated too.

use super::run::run_campaign;
use super::setup::Setup;
use super::{Failure, campaign};
use crate::cli::{DemoArgs, Exit, Global};
use crate::config::Config;
use std::path::Path;

const SAMPLE: &str = "campaigns/jade-garden/campaign.toml";
const WITH_AGENTS: &str = "campaigns/jade-garden-calls/campaign.toml";

pub async fn demo(global: &Global, args: DemoArgs) -> Result<Exit, Failure> {
    let sample = Path::new(if args.agents > 0 { WITH_AGENTS } else { SAMPLE });
    if !sample.exists() {
        return Err(Failure::usage(format!(
            "{} is not here; start the demo where the sample campaigns are",
            sample.display()
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
    if args.agents > 0 {
        // Their phones are on this machine, and so is the registrar.
        config.sip.listen = vec!["udp://127.0.0.1:0".into()];
    }
    let mut loaded = campaign(sample, &config)?;
    loaded.results_dir = dir.join("results");
    let people = sample.with_file_name("people.toml");
    let people = people.exists().then_some(people);
    run_campaign(global, Setup { config, loaded, people, metrics_port: true, crew: args.agents }).await
}
