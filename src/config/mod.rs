//! Configuration: `paceline.toml`, campaign files and the environment. Each is parsed once and checked whole;
//! an error names file, line, what was found and what to do.

pub mod campaign;
pub mod environment;
pub mod floor;
pub mod holidays;
pub mod hours;
pub mod problem;
pub mod proxies;
pub mod settings;
pub mod shown;
mod texts;
pub mod trunk;
pub mod trunk_directory;
pub mod trunk_uri;

mod units;

pub use campaign::{CampaignFile, LoadedCampaign};
pub use problem::{ConfigError, Problem};
pub use settings::Config;
pub use trunk::TrunkConfig;
pub use trunk_uri::TrunkUri;
