//! A run of refusals, the shares that a trunk's calls have shown, and the test of one against the other.

use super::judged::{Charged, Fault};
use super::{
    ALIKE, ALIKE_SHARE, HOLLOW_ENDS, PENDING_MARGIN, PENDING_MAX, PROBES_MAX, PROBES_MIN, RUN_KEPT,
    SHARE_MAX, SHARE_MEMORY, SHARE_MIN, SHARE_PRIOR_CALLS,
};
use crate::ids::{AttemptId, CallId, LeadId};
use crate::number::PhoneNumber;
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// One refusal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Suspect {
    pub call: CallId,
    pub number: PhoneNumber,
    pub sent: Time,
    /// From the INVITE to the refusal.
    pub delay: Duration,
    pub fault: Fault,
    pub sip_code: Option<u16>,
    /// The least probability of this refusal on a line that works, and in a region that works.
    pub share_min: f64,
    pub region_share_min: f64,
    pub charged: Option<Charged>,
    /// From the answer to the hang-up; `None` = not answered.
    pub talk: Option<Duration>,
}

/// What is rare enough.
pub(super) struct Rule {
    pub rarity: f64,
    pub min: usize,
    pub prior: f64,
    /// A region is judged: only a run of one kind counts.
    pub region: bool,
}

/// What else is known at the moment of the decision.
pub(super) struct Evidence {
    pub now: Time,
    /// When the undecided calls were sent.
    pub pending: Vec<Time>,
}

/// Shares of refused calls, by kind, with a fading memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Shares {
    all: f64,
    by_fault: [f64; Fault::ALL],
}

impl Shares {
    pub fn note_alive(&mut self) {
        self.fade();
        self.all += 1.0;
    }

    pub fn note_refused(&mut self, fault: Fault) {
        self.fade();
        self.all += 1.0;
        self.by_fault[fault.index()] += 1.0;
    }

    fn fade(&mut self) {
        self.all *= SHARE_MEMORY;
        for share in &mut self.by_fault {
            *share *= SHARE_MEMORY;
        }
    }

    /// The share of one kind, or of all.
    fn share(&self, fault: Option<Fault>, prior: f64) -> f64 {
        let refused = match fault {
            Some(fault) => self.by_fault[fault.index()],
            None => self.by_fault.iter().sum(),
        };
        let share = (refused + prior * SHARE_PRIOR_CALLS) / (self.all + SHARE_PRIOR_CALLS);
        share.clamp(SHARE_MIN, SHARE_MAX)
    }

    /// Probes of which one rings with 95 % if the line works.
    pub fn probes(&self, prior: f64) -> u32 {
        let needed = 0.05f64.ln() / self.share(None, prior).ln();
        (needed.ceil() as u32).clamp(PROBES_MIN, PROBES_MAX)
    }
}

/// Refusals since the last sign of life, in the order of sending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    suspects: VecDeque<Suspect>,
    /// When the latest call that showed a sign of life was sent.
    alive: Option<Time>,
    /// Leads whose refusals turned out to be their own.
    own: Vec<LeadId>,
}

impl Run {
    pub fn alive_since(&self) -> Option<Time> {
        self.alive
    }

    pub fn alive_at(sent: Time) -> Self {
        Run { alive: Some(sent), ..Run::default() }
    }

    /// The run as it is when a call that was sent at `sent` is alive.
    pub fn after(&self, sent: Time) -> Run {
        let later = self.suspects.iter().filter(|suspect| suspect.sent > sent).copied();
        Run { suspects: later.collect(), ..Run::alive_at(sent) }
    }

    /// Adds a refusal. `false` = its call was sent before the latest living one, so it speaks of its callee.
    pub fn push(&mut self, suspect: Suspect, shares: &mut Shares) -> bool {
        if self.alive.is_some_and(|alive| suspect.sent <= alive) {
            shares.note_refused(suspect.fault);
            self.own.extend(suspect.charged.map(|charged| charged.lead));
            return false;
        }
        let place = self.suspects.partition_point(|earlier| earlier.sent <= suspect.sent);
        self.suspects.insert(place, suspect);
        if self.suspects.len() > RUN_KEPT {
            self.suspects.pop_front();
        }
        true
    }

    /// These attempts are taken back already.
    pub fn settle_charges(&mut self, attempts: &BTreeSet<AttemptId>) {
        for suspect in &mut self.suspects {
            suspect.charged = suspect.charged.filter(|charged| !attempts.contains(&charged.attempt));
        }
    }

    /// A call that was sent at `sent` is alive: the refusals before it were those of callees.
    pub fn clear_until(&mut self, sent: Time, shares: &mut Shares) {
        self.alive = self.alive.max(Some(sent));
        while let Some(suspect) = self.suspects.pop_front_if(|suspect| suspect.sent <= sent) {
            shares.note_refused(suspect.fault);
            self.own.extend(suspect.charged.map(|charged| charged.lead));
        }
    }

    /// Leads whose refusals turned out to be their own since the last call.
    pub fn take_own(&mut self) -> Vec<LeadId> {
        std::mem::take(&mut self.own)
    }

    /// The burst that speaks of the line; `None` = callees may well have produced the run.
    pub fn verdict(&self, shares: &Shares, rule: &Rule, evidence: &Evidence) -> Option<Vec<Suspect>> {
        let fault = self.suspects.back()?.fault;
        // The latest refusals of one kind, judged by the share of that kind; then all of them.
        let same = self.suspects.iter().rev().take_while(|suspect| suspect.fault == fault).count();
        let from = self.suspects.len() - same;
        let one_kind = self.burst(from, shares.share(Some(fault), rule.prior), rule, evidence);
        if one_kind.is_some() || rule.region {
            return one_kind;
        }
        self.burst(0, shares.share(None, rule.prior), rule, evidence)
    }

    /// The latest hollow answers, where people would not have produced them: all of the run, or its end alone, since
    /// people's own short talks may stand before those of a message.
    ///
    /// `talking` = when calls that still talk were sent, and for how long they have talked.
    pub fn hollow_verdict(
        &self,
        shares: &Shares,
        rule: &Rule,
        talking: &[(Time, Duration)],
    ) -> Option<Vec<Suspect>> {
        let share = shares.share(None, rule.prior);
        let ends = self.suspects.len().saturating_sub(HOLLOW_ENDS)..self.suspects.len();
        let mut froms = std::iter::once(0).chain(ends);
        froms.find_map(|from| {
            let burst: Vec<Suspect> = self.suspects.iter().skip(from).copied().collect();
            is_hollow_rare(&burst, share, rule, talking).then_some(burst)
        })
    }

    fn burst(&self, from: usize, share: f64, rule: &Rule, evidence: &Evidence) -> Option<Vec<Suspect>> {
        let burst: Vec<Suspect> = self.suspects.iter().skip(from).copied().collect();
        let (first, last) = (burst.first()?.sent, burst.last()?.sent);
        let mut numbers = BTreeSet::new();
        let (mut weight, mut slowest) = (0.0, Duration::ZERO);
        for suspect in &burst {
            slowest = slowest.max(suspect.delay);
            if numbers.insert(suspect.number) {
                let least = if rule.region { suspect.region_share_min } else { suspect.share_min };
                weight -= share.max(least).ln();
            }
        }
        let alive_after = slowest * 2 + PENDING_MARGIN;
        for sent in evidence.pending.iter().filter(|sent| (first..last).contains(*sent)) {
            let age = evidence.now - *sent;
            if age > PENDING_MAX.max(slowest * 2) {
                continue;
            }
            if age > alive_after {
                return None;
            }
            weight += 2.0 * share.ln();
        }
        (numbers.len() >= rule.min && weight >= -rule.rarity.ln()).then_some(burst)
    }
}

/// Whether people produce this run of hollow answers too rarely. An answer as long as an earlier one is rarer than one
/// of a new length. A call of the same time that has talked longer than all of them is a person's, and one that has
/// talked longer than the shortest may be.
fn is_hollow_rare(burst: &[Suspect], share: f64, rule: &Rule, talking: &[(Time, Duration)]) -> bool {
    let talks = || burst.iter().filter_map(|suspect| suspect.talk);
    let (Some(shortest), Some(longest)) = (talks().min(), talks().max()) else { return false };
    let (Some(first), Some(last)) = (burst.first(), burst.last()) else { return false };
    if talking.iter().any(|(sent, talk)| *sent >= first.sent && *talk > longest + ALIKE) {
        return false;
    }
    let doubtful = |(sent, talk): &&(Time, Duration)| {
        (first.sent..=last.sent).contains(sent) && *talk > shortest + 2 * ALIKE
    };
    let mut weight = 2.0 * share.ln() * talking.iter().filter(doubtful).count() as f64;
    let (mut numbers, mut lengths) = (BTreeSet::new(), Vec::new());
    for suspect in burst.iter().filter(|suspect| numbers.insert(suspect.number)) {
        weight -= share.ln();
        let Some(talk) = suspect.talk else { continue };
        if lengths.iter().any(|length: &Duration| length.abs_diff(talk) <= ALIKE) {
            weight -= (ALIKE_SHARE * lengths.len() as f64).min(1.0).ln();
        } else {
            lengths.push(talk);
        }
    }
    numbers.len() >= rule.min && weight >= -rule.rarity.ln()
}
