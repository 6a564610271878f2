//! Chooses the agent for a call among the free ones, by the campaign's strategy.

use super::Seat;
use crate::agent::Strategy;
use crate::dialer::Dialer;
use crate::ids::{AgentId, CallId, GroupId};
use crate::time::Time;
use rand::RngExt;
use std::collections::BTreeSet;

/// Requirements of a call on its agent.
pub(super) struct Wanted {
    pub group: GroupId,
    pub inbound: bool,
    /// This agent, if free: the call was placed for them, or they spoke with the callee before.
    pub preferred: Option<AgentId>,
    pub skill: Option<String>,
    /// Agents whose phones were tried and not reached.
    pub not: BTreeSet<AgentId>,
}

impl Dialer {
    pub(super) fn choose(&mut self, wanted: &Wanted, strategy: Strategy) -> Option<AgentId> {
        let group = wanted.group;
        self.wake_for_telephones();
        let mut free: Vec<&Seat> = self
            .floor
            .seats
            .values()
            .filter(|seat| self.floor.takes_calls(seat, group, wanted.inbound))
            .filter(|seat| !wanted.not.contains(&seat.agent.id))
            .filter(|seat| self.can_be_rung(seat))
            .filter(|seat| wanted.skill.as_ref().is_none_or(|skill| seat.agent.skills.contains(skill)))
            .collect();
        if free.is_empty() {
            return None;
        }
        if let Some(preferred) = wanted.preferred.filter(|one| free.iter().any(|seat| seat.agent.id == *one))
        {
            return Some(preferred);
        }
        let chosen = match strategy {
            Strategy::LongestIdle | Strategy::RingAll => free.iter().min_by_key(|seat| waits(seat)),
            Strategy::RoundRobin => {
                let last = self.floor.last_served.get(&group).copied();
                let after = free.iter().find(|seat| last.is_none_or(|last| seat.agent.id > last));
                after.or(free.first())
            }
            Strategy::Random => {
                let place = self.random.random_range(0..free.len());
                return Some(free.swap_remove(place).agent.id);
            }
            Strategy::FewestAnswered => free.iter().min_by_key(|seat| (seat.answered, waits(seat))),
            Strategy::Priority => free.iter().min_by_key(|seat| (priority(seat, group), waits(seat))),
        };
        chosen.map(|seat| seat.agent.id)
    }

    /// The requirements of this answered call, and its campaign's strategy.
    pub(super) fn wanted(&self, id: CallId) -> Option<(Wanted, Strategy)> {
        let rules = self.agent_rules(id)?;
        let call = self.calls.get(&id)?;
        let lead = call.leased.as_ref().map(|leased| &leased.lead);
        let booked = lead.and_then(|lead| lead.callback.as_ref());
        let before = lead.and_then(|lead| lead.last_agent).filter(|_| rules.prefer_last || call.inbound);
        let wanted = Wanted {
            group: rules.group,
            inbound: call.inbound,
            preferred: call.for_agent.or(booked.and_then(|booked| booked.agent)).or(before),
            skill: booked.and_then(|booked| booked.skill.clone()),
            not: call.not_reached.clone(),
        };
        Some((wanted, rules.strategy))
    }
}

/// The longest idle first; agents idle since the same moment in the order of their ids.
fn waits(seat: &Seat) -> (Time, AgentId) {
    (seat.idle_since, seat.agent.id)
}

/// The smaller number first.
fn priority(seat: &Seat, group: GroupId) -> u8 {
    let membership = seat.agent.groups.iter().find(|membership| membership.group == group);
    membership.map_or(u8::MAX, |membership| membership.priority)
}
