//! `paceline.toml`, campaign files and the environment: parsed once, checked whole. An error names
//! file, line, what was found and what to do.

pub mod campaign;
pub mod floor;
pub mod problem;
pub mod settings;

mod units;

pub use campaign::{CampaignFile, LoadedCampaign};
pub use problem::{ConfigError, Problem};
pub use settings::{Config, TrunkConfig};
