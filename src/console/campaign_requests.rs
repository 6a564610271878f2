//! What the console asks of the task that opens campaigns from their rows.

use crate::engine::CampaignOpening;
use paceline_core::ids::CampaignId;
use tokio::sync::oneshot;

/// Requests that wait for the one that is carried out.
pub const WAITING_MAX: usize = 16;

/// What came of a request; the error is a sentence for people.
pub type Answer = oneshot::Sender<Result<(), String>>;

/// A request about a campaign that is a row.
#[derive(Debug)]
pub enum CampaignRequest {
    /// Opens it as its row asks: dialling, or paused.
    Open { campaign: CampaignId, answer: Answer },
    /// Applies its current version to the open campaign.
    Apply { campaign: CampaignId, answer: Answer },
    /// Prepares what a test call needs of a campaign that is not open. Its row and its leads stay as they are.
    PrepareTest { campaign: CampaignId, answer: oneshot::Sender<Result<Box<CampaignOpening>, String>> },
}
