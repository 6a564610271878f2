//! `paceline demo`: a sample campaign, or a rehearsal of a given one, on the built-in simulated carrier,
//! without any configuration. Agents are simulated too.

use super::demo_agents::{Crew, demo_habits};
use super::run::run_campaign;
use super::setup::Setup;
use super::{Failure, campaign};
use crate::cli::{DemoArgs, Exit, Global};
use crate::config::Config;
use crate::sim::forecast::{World, WorldFigures};
use paceline_core::campaign::Mode;
use std::path::{Path, PathBuf};

const SAMPLE: &str = "campaigns/jade-garden/campaign.toml";
const WITH_AGENTS: &str = "campaigns/jade-garden-calls/campaign.toml";

/// The default of `--dir`.
const DEMO_DIR: &str = ".run/demo";
/// Marks a folder whose store a demo may delete.
const DEMO_MARK: &str = "paceline.demo";

pub async fn demo(global: &Global, args: DemoArgs) -> Result<Exit, Failure> {
    let sample = match &args.campaign {
        Some(own) => own.as_path(),
        None if args.agents > 0 => Path::new(WITH_AGENTS),
        None => Path::new(SAMPLE),
    };
    if args.campaign.is_none() && !sample.exists() {
        return Err(Failure::usage(format!(
            "{} is not here; start the demo where the sample campaigns are, or name a campaign with --campaign",
            sample.display()
        )));
    }
    let dir = args.dir;
    let mark = dir.join(DEMO_MARK);
    let is_demo = mark.exists() || dir == Path::new(DEMO_DIR);
    if !is_demo && dir.join("paceline.db").exists() {
        return Err(Failure::usage(format!(
            "{} holds a store that no demo made, and a demo starts with an empty one: name another folder with --dir",
            dir.display()
        )));
    }
    // Every demo starts with an empty store; these files belong to an earlier demo.
    for name in
        ["paceline.db", "paceline.db-wal", "paceline.db-shm", "paceline.db.lock", "paceline.db.ballast"]
    {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let _ = std::fs::remove_dir_all(dir.join("paceline.journal"));
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::unexpected(format!("{}: {error}", dir.display())))?;
    std::fs::write(&mark, "The store in this folder belongs to `paceline demo`, which deletes it.\n")
        .map_err(|error| Failure::unexpected(format!("{}: {error}", mark.display())))?;
    let mut config = Config::default();
    config.store.url = format!("sqlite://{}", dir.join("paceline.db").display());
    if args.agents > 0 {
        // The simulated phones and the registrar are both on this machine.
        config.sip.listen = vec!["udp://127.0.0.1:0".into()];
    }
    let mut loaded = campaign(sample, &config)?;
    loaded.results_dir = dir.join("results");
    if args.agents == 0 && loaded.rules.mode != Mode::Announce {
        return Err(Failure::usage(format!(
            "{}: mode {} needs agents: say how many are simulated with --agents",
            sample.display(),
            loaded.rules.mode.word()
        )));
    }
    let rehearsal = args.campaign.is_some() || args.world.is_given();
    let world = args.world.with_measured(WorldFigures::default());
    let people = match rehearsal {
        true => Some(write_people(&dir, &world)?),
        false => Some(sample.with_file_name("people.toml")).filter(|file| file.exists()),
    };
    let profile = if rehearsal { world.profile() } else { demo_habits() };
    let crew = (args.agents > 0).then_some(Crew { agents: args.agents, profile });
    run_campaign(
        global,
        Setup { config, loaded, people, with_api: true, crew, first_start: true, use_text: None },
    )
    .await
}

/// Writes the callees that a forecast assumes to `people.toml`, where the user can read them.
fn write_people(dir: &Path, world: &World) -> Result<PathBuf, Failure> {
    let file = dir.join("people.toml");
    let text = toml::to_string(&world.people(1)).map_err(Failure::unexpected)?;
    std::fs::write(&file, text)
        .map_err(|error| Failure::unexpected(format!("{}: {error}", file.display())))?;
    Ok(file)
}
