//! Requests that change something run on tasks of their own: when a client goes away or its time is over, only the wait for
//! the answer ends, and no change is cut off between the store and the engine.

use super::problem::Problem;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use hyper::body::Body as _;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

#[derive(Debug)]
pub(super) struct RunningRequests {
    /// `None` = the console has stopped.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Default for RunningRequests {
    fn default() -> Self {
        RunningRequests { tasks: Mutex::new(Some(JoinSet::new())) }
    }
}

impl RunningRequests {
    /// Runs a request to its end and waits for its answer. Dropping the wait ends the reading of a body that is not there
    /// yet, and nothing else.
    ///
    /// # Errors
    /// The request's own; 503 when the console stops or the handler panics.
    pub async fn run<F>(&self, request: Request, work: impl FnOnce(Request) -> F) -> Result<Response, Problem>
    where
        F: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let (_waits, gone) = oneshot::channel();
        let work = work(request.map(|body| until_gone(body, gone)));
        let (answer, answered) = oneshot::channel();
        {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            let tasks = tasks.as_mut().ok_or_else(stopping)?;
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                // A client that has gone waits for no answer.
                let _ = answer.send(work.await);
            });
        }
        answered.await.map_err(|_| Problem::internal("a request ended without an answer"))?
    }

    /// Lets running requests end, for so long at most, and takes no other.
    pub async fn stop(&self, patience: Duration) {
        let taken = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut tasks) = taken else { return };
        let ended =
            tokio::time::timeout(patience, async { while tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!(requests = tasks.len(), "requests were cut off by the stop");
        }
        tasks.shutdown().await;
    }
}

/// The body, which fails where it would be waited for after nobody waits for the answer.
fn until_gone(body: Body, gone: oneshot::Receiver<()>) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let (mut pieces, mut gone) = (body.into_data_stream(), Some(gone));
    Body::from_stream(stream::poll_fn(move |cx| {
        let piece = pieces.poll_next_unpin(cx);
        if piece.is_pending() && gone.as_mut().is_none_or(|gone| Pin::new(gone).poll(cx).is_ready()) {
            gone = None;
            return Poll::Ready(Some(Err(axum::Error::new("the sender has gone"))));
        }
        piece
    }))
}

fn stopping() -> Problem {
    let detail = "the service is stopping; send the request again when it is back";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail)
}
