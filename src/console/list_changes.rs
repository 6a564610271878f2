//! Handlers of changes to a campaign's list, for commands on this machine: `paceline list add` and `list reset` while
//! a service holds the store. The service reads the files itself, so nothing is uploaded; that is why the routes
//! admit the key file of the service alone, which the owner of the store can read. A change of a long list takes
//! minutes: the request begins it, and its state is asked for.

use super::app_state::AppState;
use super::auth::Body;
use super::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Changes whose outcome is kept; older ones are forgotten.
const KEPT_MAX: usize = 64;

/// Requests that wait for the one that is carried out.
pub const WAITING_MAX: usize = 8;

/// A change of one campaign's list, and the channel for its outcome.
#[derive(Debug)]
pub struct ListChangeRequest {
    /// The campaign file.
    pub campaign: PathBuf,
    pub change: ListChange,
    /// What was changed as the command prints it, or a sentence that says why nothing was.
    pub answer: oneshot::Sender<Result<Value, String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListChange {
    /// Takes in the rows of a file; with `close_gone` it is the whole list, and open leads that are not in it close.
    Add { file: PathBuf, close_gone: bool },
    /// Forgets the calls on the simulated carrier.
    Reset,
}

#[derive(Clone, Debug)]
enum Progress {
    Running,
    Done(Value),
    Refused(String),
}

/// The latest changes by number, counted from 1.
#[derive(Debug, Default)]
pub(super) struct ListChanges {
    latest: Mutex<BTreeMap<u64, Progress>>,
}

impl ListChanges {
    fn begin(&self) -> u64 {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let number = latest.last_key_value().map_or(1, |(last, _)| last + 1);
        latest.insert(number, Progress::Running);
        if latest.len() > KEPT_MAX {
            latest.pop_first();
        }
        number
    }

    fn end(&self, number: u64, outcome: Result<Value, String>) {
        let progress = outcome.map_or_else(Progress::Refused, Progress::Done);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(change) = latest.get_mut(&number) {
            *change = progress;
        }
    }

    fn get(&self, number: u64) -> Option<Progress> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }
}

/// The body of a change.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
pub(super) enum ListChangeBody {
    /// Takes the rows of a file into a campaign.
    Add {
        /// The campaign file, as an absolute path on the machine of the service.
        #[schemars(length(min = 1, max = 4096))]
        campaign: PathBuf,
        /// The file with the rows, as an absolute path.
        #[schemars(length(min = 1, max = 4096))]
        file: PathBuf,
        /// The file is the whole list: open leads that are not in it are closed.
        #[serde(default)]
        close_gone: bool,
    },
    /// Forgets the calls on the simulated carrier and opens their leads again.
    Reset {
        #[schemars(length(min = 1, max = 4096))]
        campaign: PathBuf,
    },
}

pub(super) async fn begin(
    State(state): State<AppState>,
    Body(asked): Body<ListChangeBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (campaign, change) = match asked {
        ListChangeBody::Add { campaign, file, close_gone } => {
            (campaign, ListChange::Add { file, close_gone })
        }
        ListChangeBody::Reset { campaign } => (campaign, ListChange::Reset),
    };
    let files = [Some(&campaign), if let ListChange::Add { file, .. } = &change { Some(file) } else { None }];
    if files.into_iter().flatten().any(|file| file.is_relative()) {
        return Err(Problem::unprocessable(
            "campaign, file: absolute paths, as the service has a folder of its own",
        ));
    }
    let (answer, answered) = oneshot::channel();
    let request = ListChangeRequest { campaign, change, answer };
    let changes =
        state.list_change_requests().ok_or_else(|| Problem::internal("nothing takes list changes"))?;
    changes.try_send(request).map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => Problem::full("other lists are being taken in; try again"),
        mpsc::error::TrySendError::Closed(_) => Problem::full("the service is stopping"),
    })?;
    let number = state.list_changes().begin();
    let changes: Arc<ListChanges> = state.list_changes().clone();
    tokio::spawn(async move {
        let stopped =
            |_| Err("the service stopped before the list was taken in; nothing of it was kept".to_owned());
        changes.end(number, answered.await.unwrap_or_else(stopped));
    });
    Ok((StatusCode::ACCEPTED, Json(json!({ "change": number }))))
}

pub(super) async fn show(
    State(state): State<AppState>,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let number = super::records::parse_id(&number, "list change")?;
    let change = state.list_changes().get(number as u64).ok_or_else(|| Problem::not_found("list change"))?;
    let (word, result, why) = match change {
        Progress::Running => ("running", None, None),
        Progress::Done(result) => ("done", Some(result), None),
        Progress::Refused(why) => ("refused", None, Some(why)),
    };
    Ok(Json(json!({ "state": word, "result": result, "why": why })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_changes_are_kept_and_no_number_is_used_twice() {
        let changes = ListChanges::default();
        let numbers: Vec<u64> = (0..1_000).map(|_| changes.begin()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(changes.latest.lock().expect("no panic").len(), KEPT_MAX);
        changes.end(1, Ok(Value::Null));
        assert!(changes.get(1).is_none(), "forgotten");
        changes.end(1_000, Err("no".into()));
        assert!(matches!(changes.get(1_000), Some(Progress::Refused(_))));
    }
}
