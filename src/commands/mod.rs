//! Implementation of each command. Data goes to stdout, everything else to stderr.

mod agents;
mod blacklist;
mod campaign_service;
mod carrier;
mod check;
mod check_numbers;
mod check_rules;
mod demo;
mod demo_agents;
mod export;
mod folder;
mod forecast;
mod list;
mod list_service;
mod named;
mod recordings;
mod rehearsal;
mod replay;
mod replay_view;
mod results;
mod run;
mod samples;
pub mod schema;
mod serve;
mod setup;
mod svg;
mod target;
mod timeline;
mod token;
mod trunk;
mod trunk_service;
mod user;
mod why;

use crate::cli::{Cli, Command, Exit, Global};
use crate::config::{Config, ConfigError, LoadedCampaign};
use crate::output::{self, error_line, print_line};
use crate::store::Store;
use std::path::Path;

/// A failed command: its exit code and the sentence for the user.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub sentence: String,
}

impl Failure {
    fn refused(error: impl std::fmt::Display) -> Self {
        Failure { exit: Exit::Refused, sentence: error.to_string() }
    }

    fn usage(error: impl std::fmt::Display) -> Self {
        Failure { exit: Exit::Usage, sentence: error.to_string() }
    }

    fn unexpected(error: impl std::fmt::Display) -> Self {
        Failure { exit: Exit::Unexpected, sentence: error.to_string() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::usage(error)
    }
}

/// Runs one command line.
pub async fn carry_out(cli: Cli) -> Exit {
    let json = cli.global.json;
    // What holds calls or serves others is not ended by a reader who has seen enough.
    if matches!(
        cli.command,
        Command::Run(_)
            | Command::Call(_)
            | Command::Demo(_)
            | Command::Serve(_)
            | Command::Carrier(_)
            | Command::Trunk(_)
    ) {
        output::go_on_without_reader();
    }
    let done = match cli.command {
        Command::Run(args) => run::run(&cli.global, args).await,
        Command::Call(args) => run::call(&cli.global, args).await,
        Command::Demo(args) => demo::demo(&cli.global, args).await,
        Command::Check(args) => check::check(&cli.global, args).await,
        Command::Export(args) => export::export(&cli.global, args).await,
        Command::Results(args) => results::results(&cli.global, args).await,
        Command::List(args) => list::list(&cli.global, args).await,
        Command::UndoImport(args) => export::undo_import(&cli.global, args).await,
        Command::Replay(args) => replay::replay(&cli.global, &args),
        Command::Carrier(args) => carrier::carrier(&cli.global, args).await,
        Command::Schema(args) => schema::schema(&args),
        Command::Serve(args) => serve::serve(&cli.global, args).await,
        Command::Forecast(args) => forecast::forecast(&cli.global, args).await,
        Command::User(args) => user::user(&cli.global, args).await,
        Command::Group(args) => user::group(&cli.global, args).await,
        Command::Trunk(args) => trunk::trunk(&cli.global, args).await,
        Command::Token(args) => token::token(&cli.global, args).await,
        Command::Agents(args) => agents::agents(&cli.global, args).await,
        Command::Blacklist(args) => blacklist::blacklist(&cli.global, args).await,
        Command::Why(args) => why::why(&cli.global, args).await,
    };
    match done {
        Ok(exit) => exit,
        Err(failure) => {
            if json {
                print_line!(
                    "{}",
                    serde_json::json!({ "error": failure.sentence, "exit": failure.exit as i32 })
                );
            }
            for line in failure.sentence.lines() {
                error_line!("error: {line}");
            }
            failure.exit
        }
    }
}

/// The configuration, with the trunks that people added to its store.
async fn config(global: &Global) -> Result<Config, Failure> {
    let config = Config::load(global.config.as_deref(), environment()?)?;
    // A store that is not there yet, or of an earlier version, has none.
    if let Ok(mut reader) = Store::open_reader(&config.store.url).await
        && let Ok(rows) = reader.trunk_rows().await
    {
        config.directory.set(setup::known_trunks(&config, &rows));
    }
    Ok(config)
}

/// The environment as text. A variable that is no text is left out, unless it is a setting.
fn environment() -> Result<Vec<(String, String)>, Failure> {
    let mut env = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        match value.into_string() {
            Ok(value) => env.push((name.to_owned(), value)),
            Err(_) if crate::config::environment::is_setting(name) => {
                return Err(Failure::usage(format!("environment: {name}: its value is no UTF-8 text")));
            }
            Err(_) => {}
        }
    }
    Ok(env)
}

fn campaign(file: &Path, config: &Config) -> Result<LoadedCampaign, Failure> {
    LoadedCampaign::load(file, config)
        .map_err(|error| Failure { exit: Exit::Refused, sentence: error.to_string() })
}
