//! What the console asks of the task that applies changes of trunks.

use crate::sealed::{SealError, SealKey};
use paceline_core::ids::TrunkId;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the one that is carried out.
pub const WAITING_MAX: usize = 16;

/// A change of trunks.
#[derive(Debug)]
pub enum TrunkRequest {
    /// The row of this trunk is new or has changed. The error is a sentence for people; the row stands.
    Apply { name: String, answer: oneshot::Sender<Result<(), String>> },
    /// The trunk is to leave the engine before its row goes. The error is the number of its live calls.
    Remove { trunk: TrunkId, answer: oneshot::Sender<Result<(), u32>> },
}

/// The way to that task, and the key under which passwords are kept.
#[derive(Clone, Debug)]
pub struct TrunkChanges {
    requests: mpsc::Sender<TrunkRequest>,
    key: Arc<SealKey>,
}

impl TrunkChanges {
    pub fn new(requests: mpsc::Sender<TrunkRequest>, key: SealKey) -> TrunkChanges {
        TrunkChanges { requests, key: Arc::new(key) }
    }

    /// Seals the password of the trunk with this name.
    pub(super) fn seal(&self, password: &str, name: &str) -> Result<String, SealError> {
        self.key.seal(password, &sealed_for(name))
    }

    /// Applies the row of a trunk.
    ///
    /// # Errors
    /// Why it is not in use, as a sentence.
    pub(super) async fn apply(&self, name: &str) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let stopping = || "the service is stopping".to_owned();
        let request = TrunkRequest::Apply { name: name.to_owned(), answer };
        self.requests.send(request).await.map_err(|_| stopping())?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Takes a trunk out of the engine.
    ///
    /// # Errors
    /// The number of its live calls.
    pub(super) async fn remove(&self, trunk: TrunkId) -> Result<(), u32> {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(TrunkRequest::Remove { trunk, answer }).await.is_err() {
            return Ok(());
        }
        answered.await.unwrap_or(Ok(()))
    }
}

/// What the password of a trunk is sealed for.
pub fn sealed_for(name: &str) -> String {
    format!("trunk {name}")
}
