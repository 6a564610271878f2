//! Command-line arguments as clap types. Doc comments are the help texts; the commands are in `commands`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  anything unexpected
  2  bad usage or configuration
  3  input refused (list, audio, campaign): the report says why; a test call was not answered
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
    /// Log level on stderr: error, warn, info, debug, or a filter like paceline=debug
    #[arg(long, global = true, value_name = "FILTER", env = "PACELINE_LOG", default_value = "warn")]
    pub log: String,
    /// Machine-readable output on stdout, everything else on stderr
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a sample campaign against the simulated carrier, on this machine alone, and write its results
    #[command(after_help = "Example:\n  paceline demo")]
    Demo(DemoArgs),
    /// Run one campaign until every lead is finished or Ctrl-C; a second run resumes
    #[command(
        after_help = "Examples:\n  paceline run campaigns/jade-garden/campaign.toml\n  paceline run c.toml --json"
    )]
    Run(RunArgs),
    /// Run the service (engine, SIP, API, metrics) until a signal; opens the campaigns named here
    #[command(after_help = "Example:\n  paceline serve campaigns/vote/campaign.toml --campaigns campaigns")]
    Serve(ServeArgs),
    /// Read list, blacklist, audio and caller IDs; dial nothing; write the report and the fix file
    #[command(after_help = "Example:\n  paceline check campaigns/jade-garden/campaign.toml")]
    Check(CampaignArgs),
    /// Call one number as a test: it joins no list, and the list is not dialled
    #[command(after_help = "Example:\n  paceline call 13800138000 --campaign c.toml")]
    Call(CallArgs),
    /// Trunks: call a number over one and see what happens
    #[command(
        after_help = "Examples:\n  paceline trunk test main 13800138000\n  paceline trunk test main '+44 20 7946 0000' --json\n\nExit code 0 = answered, 3 = not answered or refused."
    )]
    Trunk(TrunkArgs),
    /// Forecast a campaign: simulate it in virtual time with the live pacing code
    #[command(after_help = "Example:\n  paceline forecast c.toml --agents 20 --answer-rate 0.3 --plot f.svg")]
    Forecast(ForecastArgs),
    /// Write the results again; the same state gives the same bytes (csv, parquet)
    #[command(after_help = "Example:\n  paceline export c.toml --format xlsx --out results.xlsx")]
    Export(ExportArgs),
    /// Files of results that were exported: check that nothing in them was changed
    #[command(
        after_help = "Examples:\n  paceline results verify attempts-12.csv attempts-12.manifest.json\n  paceline results verify attempts-12.manifest.json --key 9f…\n\nExit code 0 = whole, 3 = changed: the sentence says what."
    )]
    Results(ResultsArgs),
    /// Lists of a campaign that has begun
    #[command(
        after_help = "Examples:\n  paceline list add c.toml more.csv\n  paceline list add c.toml list.csv --close-gone\n  paceline list reset c.toml"
    )]
    List(ListArgs),
    /// Remove an imported list, as long as none of its leads was called
    UndoImport(CampaignArgs),
    /// Replay a journal: check that every decision is the same again, show a timeline, trace a call
    #[command(
        after_help = "Examples:\n  paceline replay journal\n  paceline replay journal --at 14:03 --for 2m --svg minute.svg\n  paceline replay journal --call 1712"
    )]
    Replay(ReplayArgs),
    /// The simulated carrier as a stand-alone SIP server
    #[command(after_help = "Example:\n  paceline carrier --listen 127.0.0.1:5070 --invites invites.csv")]
    Carrier(CarrierArgs),
    /// Accounts: agents, shift leads, managers, analysts, auditors, admins
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
    /// Numbers and ranges that are not called; works while campaigns run
    #[command(
        after_help = "Examples:\n  paceline blacklist add 13800138000 '1380013*' --reason 'asked by letter'\n  paceline blacklist add 13800138000 --campaign c.toml --until 2027-02-12\n  paceline blacklist import dnc.csv\n  paceline blacklist list --number 13800138000"
    )]
    Blacklist(BlacklistArgs),
    /// Show agents and campaigns live: what each agent does, and how each campaign stands
    #[command(
        after_help = "Examples:\n  paceline agents\n  paceline agents --once --url http://10.0.0.5:8080"
    )]
    Agents(AgentsArgs),
    /// Explain why a campaign does not dial, or why one number is not called
    #[command(
        after_help = "Examples:\n  paceline why c.toml\n  paceline why c.toml --number 13800138000\n  paceline why c.toml --row 17"
    )]
    Why(WhyArgs),
    /// Print or write the JSON Schemas and the OpenAPI document
    #[command(after_help = "Examples:\n  paceline schema campaign\n  paceline schema --write schemas")]
    Schema(SchemaArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ResultsArgs {
    #[command(subcommand)]
    pub action: ResultsAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum ResultsAction {
    /// Check the files of an export against its manifest: signature, sums, rows
    Verify(VerifyArgs),
}

#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The manifest, and the files or the zip; without files those beside the manifest
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The public key that must have signed: 64 hex digits, or a file with them; without it that of the store here
    #[arg(long)]
    pub key: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    #[command(subcommand)]
    pub action: ListAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum ListAction {
    /// Add the rows of a file to a campaign: new leads, and new numbers of known leads; nobody twice
    Add(ListAddArgs),
    /// Forget the calls on the simulated carrier and reopen their leads, before a real trunk is used
    Reset(CampaignArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ListAddArgs {
    /// The campaign file, or the name of a campaign in the store
    pub campaign: PathBuf,
    /// The file with the rows, of any kind that a list may be
    pub file: PathBuf,
    /// FILE is the whole list: close the open leads that are not in it
    #[arg(long)]
    pub close_gone: bool,
}

#[derive(Clone, Debug, Args)]
pub struct ForecastArgs {
    /// The campaign file, or the name of a campaign in the store
    pub campaign: PathBuf,
    /// Agents at work
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub agents: u32,
    #[command(flatten)]
    pub world: WorldArgs,
    /// Learn answer rate, talk, wrap-up and ring times from this campaign in the store
    #[arg(long, value_name = "CAMPAIGN")]
    pub from_history: Option<String>,
    /// Leads to dial [default: the dialable leads of the list]
    #[arg(long)]
    pub leads: Option<u64>,
    /// Hours to simulate, at most 24
    #[arg(long, default_value_t = 10.0)]
    pub hours: f64,
    /// Simulated days for each pacing mode
    #[arg(long, default_value_t = 5)]
    pub seeds: u64,
    /// Also compute how many agents finish the list within --hours
    #[arg(long)]
    pub agents_needed: bool,
    /// Write a chart to this SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

/// Assumptions about callees and agents, where no history is known.
#[derive(Clone, Copy, Debug, Args)]
pub struct WorldArgs {
    /// Share of calls that a person answers, 0 to 1 [default: 0.3]
    #[arg(long)]
    pub answer_rate: Option<f64>,
    /// Median length of a conversation in seconds [default: 60]
    #[arg(long)]
    pub talk_secs: Option<f64>,
    /// Median length of the wrap-up in seconds [default: 12]
    #[arg(long)]
    pub wrap_secs: Option<f64>,
    /// Median time from ringing to an answer in seconds [default: 12]
    #[arg(long)]
    pub ring_secs: Option<f64>,
}

impl WorldArgs {
    /// True if at least one assumption is given.
    pub fn is_given(&self) -> bool {
        [self.answer_rate, self.talk_secs, self.wrap_secs, self.ring_secs].iter().any(Option::is_some)
    }
}

#[derive(Clone, Debug, Args)]
pub struct CampaignArgs {
    /// The campaign file, or the name of a campaign in the store
    pub campaign: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The campaign file, or the name of a campaign in the store
    pub campaign: PathBuf,
    /// People file for the built-in simulated carrier
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Which text counts where the file was changed, and the store's over the API too
    #[arg(long = "use", value_name = "TEXT")]
    pub use_text: Option<UseText>,
}

/// Of a campaign whose file was changed, and whose text in the store was changed over the API too: the text that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UseText {
    File,
    Store,
}

#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Folder for the store and the results of the demo
    #[arg(long, value_name = "DIR", default_value = ".run/demo")]
    pub dir: PathBuf,
    /// Simulate this many agents with phones of their own, and connect the calls to them; 0 = announcements
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=300))]
    pub agents: u32,
    /// Rehearse this campaign instead of a sample, on the simulated carrier; callees and agents behave as in
    /// a forecast
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
pub struct TrunkArgs {
    #[command(subcommand)]
    pub action: TrunkAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TrunkAction {
    /// Call one number over one trunk: prints each SIP message with its time, and what the call means
    Test(TrunkTestArgs),
}

#[derive(Clone, Debug, Args)]
pub struct TrunkTestArgs {
    /// The trunk, as [trunks.NAME] names it
    #[arg(value_name = "NAME")]
    pub trunk: String,
    /// The number to call, as people write it; it hears a tone for four seconds
    pub number: String,
    /// The number to show [default: the trunk's own]
    #[arg(long, value_name = "NUMBER")]
    pub caller_id: Option<String>,
    /// Country of a NUMBER without +, for example GB [default: the trunk's region, else CN]
    #[arg(long, value_name = "COUNTRY")]
    pub region: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// The campaign file, or the name of a campaign in the store
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
    pub view: ReplayViewArgs,
}

/// Which part of a journal is shown, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct ReplayViewArgs {
    /// Show a timeline from this moment on: 14:03, 2026-11-21T14:03:20, or with an offset
    #[arg(long, value_name = "TIME", conflicts_with_all = ["call", "number"])]
    pub at: Option<String>,
    /// Length of the timeline: 90s, 2m, 1h
    #[arg(long = "for", value_name = "SPAN", default_value = "1m")]
    pub span: String,
    /// Time per column: 250ms, 1s, 5s
    #[arg(long, value_name = "SPAN", default_value = "1s")]
    pub step: String,
    /// Only this campaign
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// Write the timeline to this SVG file
    #[arg(long, value_name = "FILE", requires = "at")]
    pub svg: Option<PathBuf>,
    /// Trace this call, by its attempt number
    #[arg(long, value_name = "ATTEMPT", conflicts_with = "number")]
    pub call: Option<i64>,
    /// Trace every call to this number
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Show whole telephone numbers; without it their middle is hidden
    #[arg(long)]
    pub numbers: bool,
}

#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// The campaign file, or the name of a campaign in the store
    pub campaign: PathBuf,
    /// The lead with this number
    #[arg(long, value_name = "NUMBER", group = "meant")]
    pub number: Option<String>,
    /// The lead in this row of the list (the header is row 1)
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
    /// The simulated callees, as a TOML file
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Append every INVITE to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub invites: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Schema to print: campaign, paceline, list-report, summary, openapi
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
    /// Let the API open more campaigns, from below this folder
    #[arg(long = "campaigns", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// People file for the built-in simulated carrier
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Which text counts where a file was changed, and the store's over the API too
    #[arg(long = "use", value_name = "TEXT")]
    pub use_text: Option<UseText>,
}

/// The service that a command talks to.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// Base URL of the service [default: the one that runs on this store]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Bearer token for the service
    #[arg(long, value_name = "TOKEN", env = "PACELINE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct BlacklistArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(subcommand)]
    pub action: BlacklistAction,
}

/// Whose blacklist is meant.
#[derive(Clone, Debug, Args)]
pub struct BlacklistScope {
    /// A campaign file or a campaign's name [default: every campaign]
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum BlacklistAction {
    /// Add numbers and ranges: 13800138000, 1380013*, 0755*, +852*
    Add {
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
        #[command(flatten)]
        scope: BlacklistScope,
        /// Why, in words
        #[arg(long)]
        reason: Option<String>,
        /// The last day (2027-02-12) on which they are not called, or the moment at which that ends
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// Remove numbers and ranges, written as they were added
    Remove {
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
        #[command(flatten)]
        scope: BlacklistScope,
    },
    /// List the entries
    List {
        /// Only entries that cover this number
        #[arg(long)]
        number: Option<String>,
        #[command(flatten)]
        scope: BlacklistScope,
    },
    /// Add the numbers in the first column of a CSV or text file
    Import {
        file: PathBuf,
        #[command(flatten)]
        scope: BlacklistScope,
        /// Why, in words
        #[arg(long)]
        reason: Option<String>,
        /// The last day (2027-02-12) on which they are not called, or the moment at which that ends
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
pub struct AgentsArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Print the present state once, and end
    #[arg(long)]
    pub once: bool,
    /// Only this group
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct UserArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(subcommand)]
    pub action: UserAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum UserAction {
    /// Create an account; passwords are shown once
    Add(UserAddArgs),
    /// List all accounts
    List,
    /// Set a new password for the console, or with --phone for the SIP phone
    Passwd {
        /// Login or number
        user: String,
        /// New password for the agent's SIP phone; prints the phone's settings again
        #[arg(long)]
        phone: bool,
        /// Read the password from the first line of stdin instead of drawing one
        #[arg(long, conflicts_with = "phone")]
        password_stdin: bool,
    },
    /// Remove an account; its calls and its number stay on record
    Remove {
        /// Login or number
        user: String,
    },
}

#[derive(Clone, Debug, Args)]
pub struct UserAddArgs {
    /// Login name
    pub login: String,
    /// Name that colleagues see [default: the login]
    #[arg(long)]
    pub name: Option<String>,
    #[arg(long, default_value = "agent", value_parser = ["agent", "lead", "manager", "analyst", "auditor", "admin"])]
    pub role: String,
    /// Agent number (工号); it never changes [default: drawn by --pattern]
    #[arg(long)]
    pub number: Option<String>,
    /// Leading digits of a drawn number
    #[arg(long, default_value = "8?")]
    pub pattern: String,
    /// Length of a drawn number
    #[arg(long, default_value_t = 4)]
    pub digits: u8,
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    #[arg(long = "skill", value_name = "SKILL")]
    pub skills: Vec<String>,
    /// The agent's own telephone, for work away from a desk
    #[arg(long, value_name = "NUMBER")]
    pub telephone: Option<String>,
    /// Record this agent's calls, in campaigns that record per agent
    #[arg(long)]
    pub recorded: bool,
    /// Read the console password from the first line of stdin instead of drawing one
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Clone, Debug, Args)]
pub struct GroupArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(subcommand)]
    pub action: GroupAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum GroupAction {
    /// Create a group
    Add {
        name: String,
        /// Agents may answer on ordinary telephones
        #[arg(long)]
        telephones: bool,
        /// Do not announce the agent's number to callees
        #[arg(long)]
        no_number: bool,
        /// Sign idle agents out after this many seconds
        #[arg(long, value_name = "SECS")]
        idle_release: Option<u32>,
        /// Work mode of every agent in the group
        #[arg(long, value_parser = ["inbound", "outbound", "both"])]
        work_mode: Option<String>,
        /// Agents that may be signed in at once
        #[arg(long, value_name = "N")]
        seats: Option<u32>,
    },
    /// List all groups with their members
    List,
}

#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(subcommand)]
    pub action: TokenAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TokenAction {
    /// Create a token; it is shown once, on stdout
    Add {
        /// Name of the program or person that uses it
        name: String,
        /// Role; an analyst and an auditor read and change nothing
        #[arg(long, default_value = "analyst", value_parser = ["analyst", "auditor", "manager", "admin"])]
        role: String,
        /// Days until it expires; 0 = never
        #[arg(long, default_value_t = 365)]
        days: u32,
    },
    /// List all tokens, without their secrets
    List,
    /// Revoke a token
    Remove {
        /// The token's id, as `list` shows it
        id: i64,
    },
}

/// Exit codes of the program.
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
