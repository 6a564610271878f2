//! The summary of a campaign, counted anew for those who do not read its file.

pub use crate::results::Summary;
use crate::results::{self, ResultsError};
use crate::store::{CampaignRecord, Store};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};

/// Why a summary could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Stopped(#[from] JoinError),
}

/// Counts on a thread of its own: a large campaign takes seconds, and the readers of its tables stay on one thread.
///
/// # Errors
/// The store cannot be read, or the service stops.
pub async fn campaign_summary(store: Arc<Store>, campaign: CampaignRecord) -> Result<Summary, SummaryError> {
    let runtime = Handle::current();
    let counted = spawn_blocking(move || {
        runtime.block_on(async {
            let mut reader = store.reader().await.map_err(ResultsError::from)?;
            results::summarize(&mut reader, &campaign).await
        })
    });
    Ok(counted.await??)
}
