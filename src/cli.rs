//! The command line, as types. What each command does is in `commands`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  anything unexpected
  2  bad usage or configuration
  3  input refused (list, audio, campaign): the report says why
  4  stopped before the end; run it again to resume";

/// Outbound dialer: from a call list to results that reconcile, over SIP and RTP.
#[derive(Debug, Parser)]
#[command(name = "paceline", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Configuration file [default: paceline.toml in this folder, else embedded defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What is logged to stderr: error, warn, info, debug, or a filter like paceline=debug
    #[arg(long, global = true, value_name = "FILTER", env = "PACELINE_LOG", default_value = "warn")]
    pub log: String,
    /// Machine-readable output on stdout, everything else on stderr
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole product on loopback: sample campaign, simulated carrier, results
    #[command(after_help = "Example:\n  paceline demo")]
    Demo(DemoArgs),
    /// Run one campaign until every lead is finished or Ctrl-C; a second run resumes
    #[command(
        after_help = "Examples:\n  paceline run campaigns/jade-garden/campaign.toml\n  paceline run c.toml --json"
    )]
    Run(RunArgs),
    /// The service: engine, SIP, API, console, metrics
    Serve,
    /// Read list, blacklist, audio and caller IDs; dial nothing; write the report and the fix file
    #[command(after_help = "Example:\n  paceline check campaigns/jade-garden/campaign.toml")]
    Check(CampaignArgs),
    /// Single-number test: the number joins no list, and the list does not start
    #[command(after_help = "Example:\n  paceline call 13800138000 --campaign c.toml")]
    Call(CallArgs),
    /// What-if: the live pacing code over the campaign in virtual time
    Forecast(CampaignArgs),
    /// Write results again, byte for byte the same for the same state (csv, parquet)
    #[command(after_help = "Example:\n  paceline export c.toml --format xlsx --out results.xlsx")]
    Export(ExportArgs),
    /// Take an imported list back, if nobody on it was called yet
    UndoImport(CampaignArgs),
    /// Replay a recorded journal and show where it differs (it must not)
    #[command(after_help = "Example:\n  paceline replay journal")]
    Replay(ReplayArgs),
    /// The simulated carrier as a stand-alone SIP server
    #[command(after_help = "Example:\n  paceline carrier --listen 127.0.0.1:5070 --invites invites.csv")]
    Carrier(CarrierArgs),
    /// Accounts
    User(RestArgs),
    /// Print or write the JSON Schemas
    #[command(after_help = "Examples:\n  paceline schema campaign\n  paceline schema --write schemas")]
    Schema(SchemaArgs),
}

#[derive(Clone, Debug, Args)]
pub struct CampaignArgs {
    /// The campaign file
    pub campaign: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// People file for the built-in simulated carrier
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Keep the store and the results of the demo here
    #[arg(long, value_name = "DIR", default_value = ".run/demo")]
    pub dir: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub struct CallArgs {
    /// The number to call
    pub number: String,
    /// The campaign whose announcement and trunk are tested
    #[arg(long, value_name = "FILE")]
    pub campaign: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// The campaign file
    pub campaign: PathBuf,
    #[arg(long, value_enum, default_value_t = FormatWord::Csv)]
    pub format: FormatWord,
    /// Where to write the attempts [default: the campaign's results folder, all files]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatWord {
    Csv,
    Xlsx,
    Parquet,
}

#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// A .journal file, or the folder that holds them
    pub journal: PathBuf,
    /// Show every decision
    #[arg(long)]
    pub decisions: bool,
}

#[derive(Clone, Debug, Args)]
pub struct CarrierArgs {
    /// Where to listen, UDP and TCP
    #[arg(long, default_value = "127.0.0.1:5070")]
    pub listen: SocketAddr,
    /// Who lives there, as TOML
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Append every INVITE to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub invites: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Which one to print: campaign, paceline, people
    pub name: Option<String>,
    /// Write all of them into this folder
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct RestArgs {
    #[arg(trailing_var_arg = true)]
    pub rest: Vec<String>,
}

/// How a command ends, for the shell that called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Unexpected = 1,
    Usage = 2,
    Refused = 3,
    Stopped = 4,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
