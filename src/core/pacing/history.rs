//! Calls of an earlier process as the events they were, so that a pacer that starts anew does not start
//! cold. Knows no store: whoever opens a campaign hands the calls over.

use super::predictive::Event;
use crate::ids::{AgentId, CallId};
use crate::time::Utc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One call that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCall {
    pub call: CallId,
    /// Tries of this number before it.
    pub tries: u32,
    pub placed: Utc,
    pub ringing: Option<Utc>,
    pub answered: Option<Utc>,
    /// Who spoke with her, and since when.
    pub agent: Option<(AgentId, Utc)>,
    pub ended: Utc,
    /// When the agent's wrap-up ended, as far as that is known.
    pub wrapped: Option<Utc>,
    /// We gave it up before anybody answered.
    pub ours: bool,
    /// It failed by the network's fault.
    pub network: bool,
    pub abandoned: bool,
}

/// The calls as events in the order in which they happened, everybody signed out at the end.
pub fn events(calls: &[PastCall], part: impl Fn(u32) -> super::predictive::Part) -> Vec<(Utc, Event)> {
    let mut events = Vec::with_capacity(calls.len() * 5);
    let mut agents = BTreeSet::new();
    for past in calls {
        let call = past.call;
        events.push((past.placed, Event::Placed { call, part: part(past.tries) }));
        if let Some(at) = past.ringing {
            events.push((at, Event::Ringing { call }));
        }
        let Some(answered) = past.answered else {
            let end = match past.ours {
                true => Event::Cancelled { call },
                false => Event::Unanswered { call, network: past.network },
            };
            events.push((past.ended, end));
            continue;
        };
        events.push((answered, Event::AnsweredLive { call }));
        match (past.agent, past.wrapped) {
            (Some((agent, at)), Some(wrapped)) => {
                agents.insert(agent);
                events.push((at, Event::Connected { call, agent }));
                events.push((past.ended, Event::TalkEnded { agent }));
                events.push((wrapped.max(past.ended), Event::WrapEnded { agent }));
            }
            // Half a story about an agent would teach what is not so.
            (Some((_, at)), None) => events.push((at, Event::HungUpWaiting { call })),
            (None, _) if past.abandoned => events.push((past.ended, Event::Abandoned { call })),
            (None, _) => events.push((past.ended, Event::HungUpWaiting { call })),
        }
    }
    // The sort is stable: what happened to one call at one moment stays in its order.
    events.sort_by_key(|(at, _)| *at);
    let last = events.last().map_or(Utc::from_millis(0), |(at, _)| *at);
    events.extend(agents.into_iter().map(|agent| (last, Event::AgentLeft { agent })));
    events
}
