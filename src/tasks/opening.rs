//! Requests to the task of the service that opens campaign files.

use std::path::PathBuf;
use tokio::sync::oneshot;

/// A request to open a campaign file.
#[derive(Debug)]
pub struct OpenCampaign {
    pub file: PathBuf,
    pub paused: bool,
    /// Which text counts where the file and the store have both changed.
    pub use_text: Option<UseText>,
    /// The campaign's name, or why it was not opened.
    pub answer: oneshot::Sender<Result<String, OpenRefusal>>,
}

/// Of a campaign file that was changed, and whose row was changed over the API too: the text that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UseText {
    File,
    Store,
}

/// Why a campaign file was not opened, in a sentence for the requester.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenRefusal {
    /// The file and the store's text were both changed.
    ChangedInBoth(String),
    Other(String),
}
