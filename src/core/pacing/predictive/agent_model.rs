//! Model of the agents: durations of talks and wrap-ups, and the share of agents who return after one.

use crate::ids::{AgentId, CallId};
use crate::pacing::estimate::durations::Prior;
use crate::pacing::estimate::{Durations, Share};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Bound;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Doing {
    Free,
    Talking(CallId),
    WrapUp,
    Away,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Agent {
    doing: Doing,
    since: Time,
    seen: Time,
    /// The last wrap-up ended at this time, and no event followed yet.
    wrapped: Option<Time>,
}

impl Agent {
    fn observe(&mut self, now: Time, talk: &mut Durations, wrap: &mut Durations) {
        let (from, to) = (secs(self.seen.since(self.since)), secs(now.since(self.since)));
        self.seen = now;
        match self.doing {
            Doing::Talking(_) => talk.expose(from, to),
            Doing::WrapUp => wrap.expose(from, to),
            Doing::Free | Doing::Away => {}
        }
    }
}

/// The learnt state of the agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentModel {
    agents: BTreeMap<AgentId, Agent>,
    pub(super) talk: Durations,
    pub(super) wrap: Durations,
    returns: Share,
    faded: Option<Time>,
    /// The agent observed last.
    last_observed: Option<AgentId>,
}

/// Stands for the call of an agent who talks by the snapshot alone.
const UNKNOWN_CALL: CallId = CallId(u64::MAX);

fn secs(span: Duration) -> f64 {
    span.as_millis() as f64 / 1000.0
}

impl Default for AgentModel {
    fn default() -> Self {
        AgentModel {
            agents: BTreeMap::new(),
            talk: Durations::new(Prior { mean_secs: 150.0, spread: 0.9, weight: 2.0 }),
            wrap: Durations::new(Prior { mean_secs: 25.0, spread: 0.8, weight: 2.0 }),
            returns: Share::new(0.97, 8.0),
            faded: None,
            last_observed: None,
        }
    }
}

impl AgentModel {
    fn set(&mut self, now: Time, agent: AgentId, doing: Doing) {
        self.agents.insert(agent, Agent { doing, since: now, seen: now, wrapped: None });
    }

    pub fn became_free(&mut self, now: Time, agent: AgentId) {
        self.set(now, agent, Doing::Free);
    }

    pub fn connected(&mut self, now: Time, agent: AgentId, call: CallId) {
        // An agent who talks again has ended wrap-up, reported or not.
        self.wrap_ended(now, agent);
        self.set(now, agent, Doing::Talking(call));
    }

    /// Returns the call that ended.
    pub fn talk_ended(&mut self, now: Time, agent: AgentId) -> Option<CallId> {
        self.observe(now, agent);
        let known = self.agents.get(&agent)?;
        let Doing::Talking(call) = known.doing else { return None };
        self.talk.end(secs(now.since(known.since)));
        self.set(now, agent, Doing::WrapUp);
        Some(call)
    }

    pub fn wrap_ended(&mut self, now: Time, agent: AgentId) {
        self.observe(now, agent);
        if let Some(known) = self.agents.get(&agent)
            && known.doing == Doing::WrapUp
        {
            self.wrap.end(secs(now.since(known.since)));
            self.count_return(true);
            self.set(now, agent, Doing::Free);
            if let Some(known) = self.agents.get_mut(&agent) {
                known.wrapped = Some(now);
            }
        }
    }

    pub fn paused(&mut self, now: Time, agent: AgentId) {
        self.observe(now, agent);
        if let Some(known) = self.agents.get(&agent) {
            match known.doing {
                Doing::WrapUp => {
                    self.wrap.end(secs(now.since(known.since)));
                    self.count_return(false);
                }
                Doing::Talking(_) => self.count_return(false),
                Doing::Free if known.wrapped == Some(now) => self.returns.reclassify(false),
                Doing::Free | Doing::Away => {}
            }
        }
        self.set(now, agent, Doing::Away);
    }

    pub fn signed_out(&mut self, now: Time, agent: AgentId) {
        self.paused(now, agent);
        self.agents.remove(&agent);
    }

    /// The snapshot shows the agent talking since `since`; adopted if no event reported it.
    pub(super) fn adopt_talking(&mut self, since: Time, agent: AgentId) {
        match self.agents.get(&agent).map(|known| (known.doing, known.since)) {
            Some((Doing::Talking(_), _)) => {}
            Some((_, before)) if since < before => {}
            _ => self.connected(since, agent, UNKNOWN_CALL),
        }
    }

    /// The snapshot shows the agent in wrap-up. Returns the call whose end was not reported.
    pub(super) fn adopt_wrap_up(&mut self, since: Time, agent: AgentId) -> Option<CallId> {
        match self.agents.get(&agent).map(|known| (known.doing, known.since)) {
            Some((_, before)) if since < before => None,
            Some((Doing::Talking(_), _)) => self.talk_ended(since, agent),
            Some((Doing::WrapUp, _)) => None,
            _ => {
                self.set(since, agent, Doing::WrapUp);
                None
            }
        }
    }

    /// The snapshot shows the agent idle, or on a break (`away`).
    pub(super) fn adopt_idle(&mut self, since: Time, agent: AgentId, away: bool) -> Option<CallId> {
        let (doing, before) = self.agents.get(&agent).map(|known| (known.doing, known.since))?;
        // An event of the same moment is newer than a snapshot that shows the state before it.
        if since < before || doing == Doing::Away && away || doing == Doing::Free && !away {
            return None;
        }
        let call = self.talk_ended(since, agent);
        if away {
            self.paused(since, agent);
        } else if doing == Doing::Away {
            self.became_free(since, agent);
        } else {
            self.wrap_ended(since, agent);
        }
        call
    }

    fn count_return(&mut self, returned: bool) {
        self.returns.fade(0.97);
        self.returns.count(returned);
    }

    fn observe(&mut self, now: Time, agent: AgentId) {
        if let Some(known) = self.agents.get_mut(&agent) {
            known.observe(now, &mut self.talk, &mut self.wrap);
        }
    }

    /// Observes a share of the agents, and fades the data.
    pub fn observe_share(&mut self, now: Time, share: f64) {
        let count = (self.agents.len() as f64 * share).ceil() as usize;
        let after = self.last_observed.map_or(Bound::Unbounded, Bound::Excluded);
        let mut left = count;
        for (agent, known) in self.agents.range_mut((after, Bound::Unbounded)).take(count) {
            known.observe(now, &mut self.talk, &mut self.wrap);
            self.last_observed = Some(*agent);
            left -= 1;
        }
        for (agent, known) in self.agents.iter_mut().take(left) {
            known.observe(now, &mut self.talk, &mut self.wrap);
            self.last_observed = Some(*agent);
        }
        let since_faded = now.since(*self.faded.get_or_insert(now));
        if since_faded >= Duration::from_secs(60) {
            let factor = 0.5f64.powf(secs(since_faded) / 3600.0);
            self.faded = Some(now);
            for spans in [&mut self.talk, &mut self.wrap] {
                if spans.count() > 200.0 {
                    spans.fade(factor);
                }
            }
        }
    }

    /// P(the agent takes another call after this one).
    pub fn return_chance(&self) -> f64 {
        self.returns.mean()
    }

    /// Mean seconds from a connection to the next idle time.
    pub fn busy_secs(&self) -> f64 {
        self.talk.mean() + self.wrap.mean()
    }
}
