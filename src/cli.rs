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
    /// The service: engine, SIP, API, metrics, until a signal; campaigns named here are opened
    #[command(after_help = "Example:\n  paceline serve campaigns/vote/campaign.toml --campaigns campaigns")]
    Serve(ServeArgs),
    /// Read list, blacklist, audio and caller IDs; dial nothing; write the report and the fix file
    #[command(after_help = "Example:\n  paceline check campaigns/jade-garden/campaign.toml")]
    Check(CampaignArgs),
    /// Single-number test: the number joins no list, and the list does not start
    #[command(after_help = "Example:\n  paceline call 13800138000 --campaign c.toml")]
    Call(CallArgs),
    /// What-if: the live pacing code over the campaign in virtual time
    #[command(after_help = "Example:\n  paceline forecast c.toml --agents 20 --answer-rate 0.3 --plot f.svg")]
    Forecast(ForecastArgs),
    /// Write results again, byte for byte the same for the same state (csv, parquet)
    #[command(after_help = "Example:\n  paceline export c.toml --format xlsx --out results.xlsx")]
    Export(ExportArgs),
    /// Take an imported list back, if nobody on it was called yet
    UndoImport(CampaignArgs),
    /// Replay a recorded journal: where it differs (it must not), any minute of it, the story of a call
    #[command(
        after_help = "Examples:\n  paceline replay journal\n  paceline replay journal --at 14:03 --for 2m --svg minute.svg\n  paceline replay journal --call 1712"
    )]
    Replay(ReplayArgs),
    /// The simulated carrier as a stand-alone SIP server
    #[command(after_help = "Example:\n  paceline carrier --listen 127.0.0.1:5070 --invites invites.csv")]
    Carrier(CarrierArgs),
    /// Accounts: agents, shift leads, managers, analysts, admins
    #[command(
        after_help = "Examples:\n  paceline user add ana --name Ana --group vote-team\n  paceline user passwd ana"
    )]
    User(UserArgs),
    /// Groups of agents
    #[command(after_help = "Example:\n  paceline group add vote-team --telephones")]
    Group(GroupArgs),
    /// Bearer tokens, for programs that use the API
    #[command(after_help = "Example:\n  paceline token add crm --days 90 >crm.token")]
    Token(TokenArgs),
    /// The floor, live: who does what, and where the campaigns stand
    #[command(
        after_help = "Examples:\n  paceline agents\n  paceline agents --once --url http://10.0.0.5:8080"
    )]
    Agents(AgentsArgs),
    /// Why nothing is dialled, or why one number is not, in words
    #[command(
        after_help = "Examples:\n  paceline why c.toml\n  paceline why c.toml --number 13800138000\n  paceline why c.toml --row 17"
    )]
    Why(WhyArgs),
    /// Print or write the JSON Schemas and the OpenAPI document
    #[command(after_help = "Examples:\n  paceline schema campaign\n  paceline schema --write schemas")]
    Schema(SchemaArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ForecastArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// Agents on the floor
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub agents: u32,
    #[command(flatten)]
    pub world: WorldArgs,
    /// Learn answer rate, talk, wrap-up and ring times from this campaign in the store
    #[arg(long, value_name = "CAMPAIGN")]
    pub from_history: Option<String>,
    /// Leads to dial [default: what the list holds]
    #[arg(long)]
    pub leads: Option<u64>,
    /// How far to look
    #[arg(long, default_value_t = 10.0)]
    pub hours: f64,
    /// Virtual days for each way of placing calls
    #[arg(long, default_value_t = 5)]
    pub seeds: u64,
    /// Also work out how many agents finish the list within that time
    #[arg(long)]
    pub agents_needed: bool,
    /// Draw it into this SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

/// How people answer and agents work, where nothing is known.
#[derive(Clone, Copy, Debug, Args)]
pub struct WorldArgs {
    /// Share of calls that a person answers, 0 to 1 [default: 0.3]
    #[arg(long)]
    pub answer_rate: Option<f64>,
    /// Median length of a conversation [default: 60]
    #[arg(long)]
    pub talk_secs: Option<f64>,
    /// Median length of the wrap-up [default: 12]
    #[arg(long)]
    pub wrap_secs: Option<f64>,
    /// Median time from ringing to an answer [default: 12]
    #[arg(long)]
    pub ring_secs: Option<f64>,
}

impl WorldArgs {
    /// Whether anything is said at all.
    pub fn given(&self) -> bool {
        [self.answer_rate, self.talk_secs, self.wrap_secs, self.ring_secs].iter().any(Option::is_some)
    }
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
    /// Calls for so many simulated agents at telephones of their own, instead of announcements
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=300))]
    pub agents: u32,
    /// Rehearse this campaign instead of the samples, on the simulated carrier, with people and agents as
    /// a forecast assumes them
    #[arg(long, value_name = "FILE")]
    pub campaign: Option<PathBuf>,
    #[command(flatten)]
    pub world: WorldArgs,
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
    /// Try another pacing setting on the same events and compare: progressive, predictive, ratio:1.5,
    /// each with a ceiling if wanted, as in predictive@2.5
    #[arg(long, value_name = "SETTING", conflicts_with_all = ["at", "call", "number", "decisions"])]
    pub shadow: Option<String>,
    #[command(flatten)]
    pub back: LookBack,
}

/// What of a journal is shown.
#[derive(Clone, Debug, Default, Args)]
pub struct LookBack {
    /// A timeline from this moment on: 14:03, 2026-11-21T14:03:20, or with an offset
    #[arg(long, value_name = "TIME", conflicts_with_all = ["call", "number"])]
    pub at: Option<String>,
    /// How much of it: 90s, 2m, 1h
    #[arg(long = "for", value_name = "SPAN", default_value = "1m")]
    pub span: String,
    /// One column: 250ms, 1s, 5s
    #[arg(long, value_name = "SPAN", default_value = "1s")]
    pub step: String,
    /// Of this campaign alone
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// Draw the timeline into this SVG file
    #[arg(long, value_name = "FILE", requires = "at")]
    pub svg: Option<PathBuf>,
    /// The story of this call, by its attempt number
    #[arg(long, value_name = "ATTEMPT", conflicts_with = "number")]
    pub call: Option<i64>,
    /// The story of every call to this number
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Show telephone numbers whole
    #[arg(long)]
    pub numbers: bool,
}

#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    pub reach: Reach,
    /// The campaign file
    pub campaign: PathBuf,
    /// The lead with this number
    #[arg(long, value_name = "NUMBER", group = "meant")]
    pub number: Option<String>,
    /// The lead of this row of the list (the header is row 1)
    #[arg(long, value_name = "N", group = "meant")]
    pub row: Option<u64>,
    /// The lead with this id, as leads.csv and the API name it
    #[arg(long, value_name = "ID", group = "meant")]
    pub lead: Option<i64>,
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
    /// Which one to print: campaign, paceline, list-report, summary, openapi
    pub name: Option<String>,
    /// Write all of them into this folder
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Campaign files to open
    pub campaigns: Vec<PathBuf>,
    /// Open them without dialling; a manager resumes them
    #[arg(long)]
    pub paused: bool,
    /// More campaigns may be opened over the API, from below this folder
    #[arg(long = "campaigns", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// People file for the built-in simulated carrier
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
}

/// Which service is talked to.
#[derive(Clone, Debug, Args)]
pub struct Reach {
    /// The service [default: the one that runs on this store]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Its bearer token
    #[arg(long, value_name = "TOKEN", env = "PACELINE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct AgentsArgs {
    #[command(flatten)]
    pub reach: Reach,
    /// Show the floor as it is now, and end
    #[arg(long)]
    pub once: bool,
    /// Of this group alone
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct UserArgs {
    #[command(flatten)]
    pub reach: Reach,
    #[command(subcommand)]
    pub act: UserAct,
}

#[derive(Clone, Debug, Subcommand)]
pub enum UserAct {
    /// Make an account; passwords are shown once
    Add(UserAddArgs),
    /// Everybody who works here
    List,
    /// A new password for the console, or with --phone for the SIP phone
    Passwd {
        /// Login or number
        user: String,
        /// For her phone: prints the sheet again
        #[arg(long)]
        phone: bool,
        /// Read the password from the first line of stdin instead of drawing one
        #[arg(long, conflicts_with = "phone")]
        password_stdin: bool,
    },
    /// She works here no more; her calls and her number stay
    Remove {
        /// Login or number
        user: String,
    },
}

#[derive(Clone, Debug, Args)]
pub struct UserAddArgs {
    /// What she types to sign in
    pub login: String,
    /// As colleagues read it [default: the login]
    #[arg(long)]
    pub name: Option<String>,
    #[arg(long, default_value = "agent", value_parser = ["agent", "lead", "manager", "analyst", "admin"])]
    pub role: String,
    /// Her number (工号), for ever [default: drawn by --pattern]
    #[arg(long)]
    pub number: Option<String>,
    /// Leading digits of a number that is drawn
    #[arg(long, default_value = "8?")]
    pub pattern: String,
    /// How long a number that is drawn is
    #[arg(long, default_value_t = 4)]
    pub digits: u8,
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    #[arg(long = "skill", value_name = "SKILL")]
    pub skills: Vec<String>,
    /// Her own telephone, for agents away from a desk
    #[arg(long, value_name = "NUMBER")]
    pub telephone: Option<String>,
    /// Her calls are recorded where the campaign leaves it to the agent
    #[arg(long)]
    pub recorded: bool,
    /// Read the console password from the first line of stdin instead of drawing one
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Clone, Debug, Args)]
pub struct GroupArgs {
    #[command(flatten)]
    pub reach: Reach,
    #[command(subcommand)]
    pub act: GroupAct,
}

#[derive(Clone, Debug, Subcommand)]
pub enum GroupAct {
    /// Make a group
    Add {
        name: String,
        /// Ordinary telephones may answer
        #[arg(long)]
        telephones: bool,
        /// Callees do not hear the agent's number
        #[arg(long)]
        no_number: bool,
        /// Idle agents are signed out after so many seconds
        #[arg(long, value_name = "SECS")]
        idle_release: Option<u32>,
        /// Everyone's work mode
        #[arg(long, value_parser = ["inbound", "outbound", "both"])]
        work_mode: Option<String>,
        /// Seats that may be signed in at once
        #[arg(long, value_name = "N")]
        seats: Option<u32>,
    },
    /// Every group with its members
    List,
}

#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    #[command(flatten)]
    pub reach: Reach,
    #[command(subcommand)]
    pub act: TokenAct,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TokenAct {
    /// Make one; it is shown once, on stdout
    Add {
        /// Whose it is, in words
        name: String,
        /// An analyst reads and changes nothing
        #[arg(long, default_value = "analyst", value_parser = ["analyst", "manager", "admin"])]
        role: String,
        /// It opens nothing after so many days; 0 = for ever
        #[arg(long, default_value_t = 365)]
        days: u32,
    },
    /// All of them, without what opens anything
    List,
    /// It opens nothing any more
    Remove {
        /// As `list` shows it
        id: i64,
    },
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
