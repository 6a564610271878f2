//! Turns the calls of an earlier process into pacer events, so that a new pacer starts warm. The caller reads
//! them from the store.

use super::predictive::Event;
use crate::ids::{AgentId, CallId};
use crate::time::Utc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One finished call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedCall {
    pub call: CallId,
    /// Earlier tries of this number.
    pub tries: u32,
    pub placed: Utc,
    pub ringing: Option<Utc>,
    pub answered: Option<Utc>,
    /// The agent who was connected, and since when.
    pub agent: Option<(AgentId, Utc)>,
    pub ended: Utc,
    /// When the agent's wrap-up ended, if known.
    pub wrapped: Option<Utc>,
    /// The dialer cancelled it before an answer.
    pub cancelled: bool,
    /// The network failed it, which says nothing about the callee.
    pub network: bool,
    pub abandoned: bool,
}

/// The calls as events in order of time; every agent is signed out at the end.
pub fn to_events(calls: &[FinishedCall], part: impl Fn(u32) -> super::predictive::Part) -> Vec<(Utc, Event)> {
    let mut events = Vec::with_capacity(calls.len() * 5);
    let mut agents = BTreeSet::new();
    for past in calls {
        let call = past.call;
        events.push((past.placed, Event::Placed { call, part: part(past.tries) }));
        if let Some(at) = past.ringing {
            events.push((at, Event::Ringing { call }));
        }
        let Some(answered) = past.answered else {
            let end = match past.cancelled {
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
            // A talk without a known wrap-up would teach a wrong length, so the agent is left out.
            (Some((_, at)), None) => events.push((at, Event::HungUpWaiting { call })),
            (None, _) if past.abandoned => events.push((past.ended, Event::Abandoned { call })),
            (None, _) => events.push((past.ended, Event::HungUpWaiting { call })),
        }
    }
    // The sort is stable: events of one call at the same time keep their order.
    events.sort_by_key(|(at, _)| *at);
    let last = events.last().map_or(Utc::from_millis(0), |(at, _)| *at);
    events.extend(agents.into_iter().map(|agent| (last, Event::AgentLeft { agent })));
    events
}
