//! Model of the calls: set-up delay, answer rates by seconds of ringing, machines and the detector's delay,
//! and how much better or worse each part of the list answers now.

use super::event::Part;
use super::snapshot::Stage;
use super::survival::{Ringing, SetUp};
use crate::ids::CallId;

use crate::pacing::estimate::{Hazard, Scale, Share};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Set-up is learnt in this many one-second bins.
pub const SETUP_SECS: usize = 16;
/// Upper limit of a detector's delay, in seconds.
pub const VERDICT_SECS: usize = 16;
/// Parts learnt separately; further ones count as part zero.
const PARTS_MAX: usize = 256;
/// A usual list: this share answers within 25 s.
const USUAL_ANSWER: f64 = 0.35;
const USUAL_SECS: usize = 25;
/// Prior rate of jumps, and of drift (of the logarithm, per root second).
const JUMPS_PER_SEC: f64 = 1.0 / 4000.0;
const DRIFT: f64 = 0.001;

/// Answer rate assumed for a new list until its first calls have rung to the end: see `cold_start`.
pub(super) const COLD_ANSWER: f64 = 0.6;
/// How many first calls of a new list are followed.
const FIRST_CALLS: u64 = 400;
/// Upper limit of the seconds of ringing that are learnt separately.
const RING_SECS_MAX: usize = 180;
/// An answer this long after dialling without any ringing report: the caller does not report ringing.
const RINGS_BY_SECS: f64 = 3.0;
/// The same, after this many seconds of several pending calls.
const RINGS_SURELY_SECS: f64 = 6.0;

/// Where the start of ringing is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RingingSource {
    /// No ringing report and no answer yet.
    Unknown,
    ByEvents,
    BySnapshots,
    /// Never reported: calls count as ringing from the moment they are placed.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PendingCall {
    pub(super) part: Part,
    pub(super) stage: Stage,
    pub(super) since: Time,
    /// Observed until this time.
    pub(super) seen: Time,
    /// Seconds of ringing before the pick-up.
    pub(super) rang: f64,
}

/// Observations of one part since its scale was last updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PartObservations {
    count: f64,
    expected: f64,
    /// Answers expected by the hazard whose verdict is due later: by seconds from now.
    later: [f64; VERDICT_SECS],
}

impl PartObservations {
    /// Takes counts and expectations for the `span` seconds that passed. `said`: verdicts by seconds since the
    /// pick-up. An answer is counted at its verdict and expected with the same delay; otherwise a list would
    /// look worse whenever more calls begin to ring, and better when fewer do.
    fn take_due(&mut self, span: f64, said: Option<&[f64]>) -> (f64, f64) {
        let (count, fresh) = (std::mem::take(&mut self.count), std::mem::take(&mut self.expected));
        let all = said.map_or(0.0, |said| said.iter().sum());
        match said {
            Some(said) if all > 0.0 => {
                self.later.iter_mut().zip(said).for_each(|(later, n)| *later += fresh * n / all);
            }
            _ => self.later[0] += fresh,
        }
        let passed = (span.round().max(1.0) as usize).min(VERDICT_SECS);
        let expected = self.later[..passed].iter().sum();
        self.later.rotate_left(passed);
        self.later[VERDICT_SECS - passed..].fill(0.0);
        (count, expected)
    }
}

/// The learnt state of the calls on their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallModel {
    pub(super) pending_calls: BTreeMap<CallId, PendingCall>,
    pub(super) ringing_source: RingingSource,
    pub(super) setup_rings: Hazard,
    pub(super) setup_ends: Hazard,
    /// Per second of ringing: people (exposure in units of the scale), machines found, all other ends.
    pub(super) live: Hazard,
    pub(super) machine: Hazard,
    pub(super) other: Hazard,
    /// Verdicts by seconds since the pick-up.
    pub(super) verdict_live: Vec<f64>,
    pub(super) verdict_machine: Vec<f64>,
    /// Share of people among the answered calls that agents took, by ringing time in steps of 4 s.
    person: Vec<Share>,
    pub(super) scales: BTreeMap<Part, Scale>,
    observations: BTreeMap<Part, PartObservations>,
    live_rates: Vec<f64>,
    network: Share,
    /// The first calls of all, each with whether a person answered; empty once enough have ended.
    pub(super) first_calls: BTreeMap<CallId, (Time, bool)>,
    placed: u64,
    pub(super) cautious_rate: Option<f64>,
    pub(super) ring_max: f64,
    faded: Option<Time>,
    scaled: Option<Time>,
    /// The call observed last.
    last_observed: Option<CallId>,
    pub(super) verdicts: bool,
    machines_reported: bool,
}

fn secs(span: Duration) -> f64 {
    span.as_millis() as f64 / 1000.0
}

/// Answers per second of ringing on a usual list.
fn usual_answers(ring_secs: usize) -> Vec<f64> {
    let shape = |second: usize| match second {
        0..2 => 0.5,
        2..14 => 1.25,
        14..25 => 0.9,
        _ => 0.5,
    };
    let level = -(1.0 - USUAL_ANSWER).ln() / 25.0;
    (0..ring_secs).map(|second| level * shape(second)).collect()
}

impl CallModel {
    pub fn new(ring_max: Duration) -> Self {
        let ring_secs = (secs(ring_max).ceil() as usize).clamp(5, RING_SECS_MAX);
        let live = usual_answers(ring_secs);
        CallModel {
            pending_calls: BTreeMap::new(),
            ringing_source: RingingSource::Unknown,
            setup_rings: Hazard::new((0..SETUP_SECS).map(|s| if s < 1 { 0.2 } else { 0.6 }).collect(), 3.0),
            setup_ends: Hazard::new(vec![0.02; SETUP_SECS], 3.0),
            live_rates: live.clone(),
            live: Hazard::new(live, 5.0),
            machine: Hazard::new(vec![0.002; ring_secs], 2.0),
            other: Hazard::new(vec![0.004; ring_secs], 2.0),
            verdict_live: vec![0.0; VERDICT_SECS],
            verdict_machine: vec![0.0; VERDICT_SECS],
            person: vec![Share::new(0.97, 3.0); 12],
            scales: BTreeMap::new(),
            observations: BTreeMap::new(),
            network: Share::new(0.02, 6.0),
            first_calls: BTreeMap::new(),
            placed: 0,
            cautious_rate: Some(COLD_ANSWER),
            ring_max: secs(ring_max),
            faded: None,
            scaled: None,
            last_observed: None,
            verdicts: false,
            machines_reported: false,
        }
    }

    /// Share of recent calls that failed in the network.
    pub fn network_failing(&self) -> f64 {
        self.network.mean()
    }

    /// Whether answers pass a detector first.
    pub fn has_verdicts(&self) -> bool {
        self.verdicts
    }

    /// How much better than usual a part answers now, and the uncertainty of that (of the logarithm).
    pub fn level(&self, part: Part) -> (f64, f64) {
        let level = |scale: &Scale| (scale.mean(), scale.spread());
        self.scales.get(&self.learnt_part(part)).map_or_else(|| level(&self.new_part_scale()), level)
    }

    pub(super) fn learnt_part(&self, part: Part) -> Part {
        if self.scales.contains_key(&part) || self.scales.len() < PARTS_MAX { part } else { Part(0) }
    }

    /// Prior of a new part: an unknown list is assumed to answer well, which is the cautious side; with known
    /// parts, near theirs.
    fn new_part_scale(&self) -> Scale {
        if self.scales.is_empty() {
            return Scale::new(1.5, 0.8);
        }
        let mean =
            self.scales.values().map(|scale| scale.mean().ln()).sum::<f64>() / self.scales.len() as f64;
        Scale::new(mean.exp() * 1.2, 0.6)
    }

    pub fn placed(&mut self, now: Time, call: CallId, part: Part) {
        let part = self.learnt_part(part);
        if !self.scales.contains_key(&part) {
            let usual = self.new_part_scale();
            self.scales.insert(part, usual);
        }
        self.placed += 1;
        if self.placed <= FIRST_CALLS {
            self.first_calls.insert(call, (now, false));
        }
        let stage = if self.ringing_source == RingingSource::Never { Stage::Ringing } else { Stage::Placed };
        self.pending_calls.insert(call, PendingCall { part, stage, since: now, seen: now, rang: 0.0 });
    }

    /// An event reports that the callee's phone rings.
    pub fn ringing_reported(&mut self, now: Time, call: CallId) {
        if self.ringing_source != RingingSource::ByEvents && self.pending_calls.contains_key(&call) {
            self.set_ringing_source(RingingSource::ByEvents);
        }
        self.start_ringing(now, call);
    }

    pub(super) fn start_ringing(&mut self, now: Time, call: CallId) {
        self.observe(now, call);
        if let Some(pending) = self.pending_calls.get_mut(&call)
            && pending.stage == Stage::Placed
        {
            self.setup_rings.count(secs(now.since(pending.since)), 1.0);
            (pending.stage, pending.since) = (Stage::Ringing, now);
            self.count_network(false);
        }
    }

    pub fn picked_up(&mut self, now: Time, call: CallId) {
        self.ensure_ringing(now, call);
        if let Some(pending) = self.pending_calls.get_mut(&call)
            && pending.stage == Stage::Ringing
        {
            pending.rang = secs(now.since(pending.since));
            (pending.stage, pending.since) = (Stage::PickedUp, now);
            self.verdicts = true;
        }
    }

    /// At an answer: a call without a ringing report started to ring now, unless this caller never reports
    /// ringing.
    fn ensure_ringing(&mut self, now: Time, call: CallId) {
        if self.ringing_source == RingingSource::Unknown
            && self
                .pending_calls
                .get(&call)
                .is_some_and(|pending| secs(now.since(pending.since)) >= RINGS_BY_SECS)
        {
            self.assume_ringing_at_start();
        }
        if self.pending_calls.get(&call).is_some_and(|pending| pending.stage == Stage::Placed) {
            self.start_ringing(now, call);
        }
        self.observe(now, call);
    }

    /// From now on calls ring from the moment they are placed; the pending ones already have.
    fn assume_ringing_at_start(&mut self) {
        self.ringing_source = RingingSource::Never;
        self.reset_ring_rates(self.ring_max.ceil() as usize + SETUP_SECS);
        for pending in self.pending_calls.values_mut().filter(|pending| pending.stage == Stage::Placed) {
            (pending.stage, pending.seen) = (Stage::Ringing, pending.since);
        }
    }

    /// From now on ringing is reported; where it was not before, the pending calls do not ring yet.
    pub(super) fn set_ringing_source(&mut self, how: RingingSource) {
        if self.ringing_source == RingingSource::Never {
            self.reset_ring_rates(self.ring_max.ceil() as usize);
            for pending in self.pending_calls.values_mut().filter(|pending| pending.stage == Stage::Ringing) {
                (pending.stage, pending.seen) = (Stage::Placed, pending.since);
            }
        }
        self.ringing_source = how;
    }

    /// Phones ring for another span from now on; what was learnt of the seconds of both spans stays.
    pub(super) fn set_ring_max(&mut self, ring_max: Duration) {
        self.ring_max = secs(ring_max);
        let mut ring_secs = self.ring_max.ceil() as usize;
        if self.ringing_source == RingingSource::Never {
            ring_secs += SETUP_SECS;
        }
        let ring_secs = ring_secs.clamp(5, RING_SECS_MAX);
        self.live.set_prior(usual_answers(ring_secs));
        self.machine.set_prior(vec![0.002; ring_secs]);
        self.other.set_prior(vec![0.004; ring_secs]);
        self.refresh_live_rates();
    }

    /// Seconds of ringing now count from another moment: the learnt rates are reset.
    fn reset_ring_rates(&mut self, ring_secs: usize) {
        let ring_secs = ring_secs.clamp(5, RING_SECS_MAX);
        let live = usual_answers(ring_secs);
        self.live_rates.clone_from(&live);
        self.live = Hazard::new(live, 5.0);
        self.machine = Hazard::new(vec![0.002; ring_secs], 2.0);
        self.other = Hazard::new(vec![0.004; ring_secs], 2.0);
    }

    /// Returns the seconds it rang, if the call is known.
    pub fn answered_live(&mut self, now: Time, call: CallId) -> Option<f64> {
        self.ensure_ringing(now, call);
        let pending = self.pending_calls.remove(&call)?;
        let rang = self.count_ring_secs(now, &pending, true);
        self.live.count(rang, 1.0);
        if let Some(first) = self.first_calls.get_mut(&call) {
            first.1 = true;
        }
        self.observations.entry(pending.part).or_default().count += 1.0;
        Some(rang)
    }

    pub fn answered_machine(&mut self, now: Time, call: CallId) {
        self.ensure_ringing(now, call);
        if let Some(pending) = self.pending_calls.remove(&call) {
            let rang = self.count_ring_secs(now, &pending, false);
            self.machine.count(rang, 1.0);
        }
    }

    fn count_ring_secs(&mut self, now: Time, pending: &PendingCall, live: bool) -> f64 {
        if pending.stage != Stage::PickedUp {
            return secs(now.since(pending.since));
        }
        let second = (secs(now.since(pending.since)) as usize).min(VERDICT_SECS - 1);
        let verdicts = if live { &mut self.verdict_live } else { &mut self.verdict_machine };
        verdicts[second] += 1.0;
        pending.rang
    }

    /// Ended without an answer. A call that the dialer cancelled, or that rang to the end, is censored.
    pub fn ended(&mut self, now: Time, call: CallId, network: bool, cancelled: bool) {
        self.observe(now, call);
        let Some(pending) = self.pending_calls.remove(&call) else { return };
        let age = secs(now.since(pending.since));
        match pending.stage {
            _ if cancelled => {}
            Stage::Placed => {
                self.count_network(network);
                // A failing trunk says nothing about the next minute, but a few failures always happen.
                if !network || self.network.mean() < 0.25 {
                    self.setup_ends.count(age, 1.0);
                }
            }
            Stage::Ringing if network => self.count_network(true),
            // Where ringing is reported it ends at `ring_max`, and the tables end there too.
            Stage::Ringing if self.ringing_source != RingingSource::Never && age > self.ring_max - 0.75 => {}
            Stage::Ringing => self.other.count(age, 1.0),
            Stage::PickedUp => self.machine.count(pending.rang, 1.0),
        }
    }

    fn count_network(&mut self, failed: bool) {
        self.network.fade(0.93);
        self.network.count(failed);
    }

    /// An agent found a machine (`person` false) or a person after `rang` seconds of ringing.
    pub fn count_agent_report(&mut self, rang: f64, person: bool) {
        let bin = ((rang / 4.0) as usize).min(self.person.len() - 1);
        if person {
            self.person[bin].count(true);
        } else {
            self.machines_reported = true;
            self.person[bin].reclassify(false);
        }
    }

    /// Whether agents have reported machines.
    pub fn machines_reported(&self) -> bool {
        self.machines_reported
    }

    /// P(an answer after `rang` seconds is a person), on the high side; 1 where no machine was ever reported.
    pub fn person_share(&self, rang: f64) -> f64 {
        if !self.machines_reported {
            return 1.0;
        }
        let bin = ((rang / 4.0) as usize).min(self.person.len() - 1);
        (self.person[bin].mean() + self.person[bin].spread()).min(1.0)
    }

    fn observe(&mut self, now: Time, call: CallId) {
        let Some(mut pending) = self.pending_calls.get(&call).copied() else { return };
        self.observe_call(now, &mut pending);
        self.pending_calls.insert(call, pending);
    }

    fn observe_call(&mut self, now: Time, pending: &mut PendingCall) {
        // Whether it is in set-up or already rings will be known soon; until then nothing is learnt from it.
        if pending.stage == Stage::Placed && self.ringing_source == RingingSource::Unknown {
            return;
        }
        let (from, to) = (secs(pending.seen.since(pending.since)), secs(now.since(pending.since)));
        pending.seen = now;
        match pending.stage {
            Stage::Placed => {
                self.setup_rings.expose(from, to, 1.0);
                self.setup_ends.expose(from, to, 1.0);
            }
            Stage::Ringing => {
                // On an unknown list scale and shape cannot be separated: the shape is learnt with a scale of
                // one.
                let scale = match self.cautious_rate {
                    Some(_) => 1.0,
                    None => self.scales.get(&pending.part).map_or(1.0, Scale::mean),
                };
                self.live.expose(from, to, scale);
                self.machine.expose(from, to, 1.0);
                self.other.expose(from, to, 1.0);
                self.observations.entry(pending.part).or_default().expected +=
                    Hazard::expected(&self.live_rates, from, to);
            }
            Stage::PickedUp => {}
        }
    }

    /// Observes a share of the pending calls, and fades the data.
    pub fn observe_share(&mut self, now: Time, share: f64) {
        let unsaid = |pending: &PendingCall| secs(now.since(pending.since)) >= RINGS_SURELY_SECS;
        if self.ringing_source == RingingSource::Unknown
            && self.pending_calls.values().filter(|pending| unsaid(pending)).count() >= 3
        {
            self.assume_ringing_at_start();
        }
        let mut pending_calls = std::mem::take(&mut self.pending_calls);
        let count = (pending_calls.len() as f64 * share).ceil() as usize;
        let after = self.last_observed.map_or(Bound::Unbounded, Bound::Excluded);
        let mut left = count;
        for (call, pending) in pending_calls.range_mut((after, Bound::Unbounded)).take(count) {
            self.observe_call(now, pending);
            self.last_observed = Some(*call);
            left -= 1;
        }
        for (call, pending) in pending_calls.iter_mut().take(left) {
            self.observe_call(now, pending);
            self.last_observed = Some(*call);
        }
        self.pending_calls = pending_calls;
        if self.scaled.is_none_or(|scaled| now < scaled || now.since(scaled) >= Duration::from_secs(1)) {
            self.update_scales(now);
        }
    }

    /// Updates the parts' scales with the observations.
    fn update_scales(&mut self, now: Time) {
        let span = secs(now.since(self.scaled.unwrap_or(now)));
        self.scaled = Some(now);
        for (part, scale) in &mut self.scales {
            scale.drift(span, JUMPS_PER_SEC, DRIFT);
            if let Some(observed) = self.observations.get_mut(part) {
                let (count, expected) =
                    observed.take_due(span, self.verdicts.then_some(&self.verdict_live[..]));
                // Simultaneous answers are slightly correlated, so their weight is reduced.
                let trust = 1.0 / (1.0 + count.max(expected * scale.mean()) / 40.0);
                scale.observe(count, expected, trust);
            }
        }
        self.judge_first_calls(now);
        let since_faded = now.since(*self.faded.get_or_insert(now));
        if since_faded >= Duration::from_secs(60) {
            let minutes = secs(since_faded) / 60.0;
            self.faded = Some(now);
            let factor = 0.5f64.powf(minutes / 45.0);
            for hazard in [
                &mut self.live,
                &mut self.machine,
                &mut self.other,
                &mut self.setup_rings,
                &mut self.setup_ends,
            ] {
                if hazard.total_events() > 300.0 {
                    hazard.fade(factor);
                }
            }
        }
    }

    /// Updates the answer rates, normalised to the usual level: their level is the scales' part.
    pub fn refresh_live_rates(&mut self) {
        self.live_rates = self.live.rates();
        let usual = -(1.0 - USUAL_ANSWER).ln();
        let level: f64 = self.live_rates.iter().take(USUAL_SECS).sum();
        let factor = usual / level.max(1e-9);
        self.live_rates.iter_mut().for_each(|rate| *rate *= factor);
    }

    /// Survival of ringing where the list answers `scale` times as usual.
    pub(super) fn ringing(&self, scale: f64) -> Ringing {
        Ringing::from_rates(&self.live_rates, &self.machine.rates(), &self.other.rates(), scale)
    }

    /// Survival of set-up.
    pub(super) fn set_up(&self) -> SetUp {
        SetUp::from_rates(&self.setup_rings.rates(), &self.setup_ends.rates())
    }

    /// P(a call placed now is answered by a person) where the list answers `scale` times as usual.
    pub(super) fn answer_chance(&self, scale: f64) -> f64 {
        let rung = match self.ringing_source {
            RingingSource::Never => 1.0,
            _ => self.set_up().starts.iter().sum(),
        };
        rung * self.ringing(scale).live.iter().sum::<f64>()
    }
}
