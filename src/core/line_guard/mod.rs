//! The line guard of a trunk: whether refused calls speak of their callees or of the line.
//!
//! A carrier that does not want us (address not allowed, account locked, arrears, no route, a blocked region)
//! answers as if each callee refused: 403, 404, 480, 603, within milliseconds, to every number. One such refusal
//! says nothing; many of them together do. The guard sees every call of its trunk and decides *callee* or *line*.
//!
//! **Evidence.** A *cold* refusal is a final response to a call that never rang. A call that rings, or talks for
//! `TALK_MIN`, shows that the line works: cold refusals of calls that were sent before it speak of their callees.
//! The cold refusals sent since then are the *run*. Order is that of sending, because a refusal comes within
//! milliseconds and a ring within seconds.
//!
//! **Decision.** If each call is refused cold with probability `p` on a line that works, a run of `n` different
//! numbers has probability `p^n`. The guard decides *line* when the run is rarer than `RUN_RARITY`, that is, when
//! `n * -ln p` reaches `-ln RUN_RARITY`. `p` is learnt from the trunk's own calls (a list may be 60 % vacant),
//! for all refusals together and for each kind alone: in a vacant list a run of 403 is rare all the same. A run
//! that began and ended unseen is shorter than that, so it holds on average `-ln RUN_RARITY` good numbers at most.
//! Calls still undecided between those of the run lower its weight, each by that of two refusals; one that outlived their refusals by far
//! (`PENDING_MARGIN`) counts as alive until it ends. A number whose refusal was taken back before is probably odd
//! by itself, so it weighs little: a dozen odd numbers rest a trunk once and not again.
//!
//! **Regions.** The same is asked for each area and carrier prefix while the rest of the trunk works: a blocked
//! region rests alone. There all refusals must be of one kind; vacant numbers must fill a whole network, because
//! blocks of unassigned numbers are common.
//!
//! **Rest.** A trunk that rests gets probes: calls to leads that have not failed in it, after a growing pause, a
//! few more each round (a run of bad numbers is passed in rounds, not in calls). One call that rings ends the
//! rest. Until then every refusal is the line's, and all are taken back: see `Charged`.
//!
//! **Hollow answers.** An account in arrears is often answered by a recorded message that hangs up. Calls that are
//! answered and hung up by the far side within `TALK_MIN`, or that ring and are then refused by the line, count
//! in a run of their own. It ends with a sign of a person: a longer talk, an agent in the call, a key, a ring that
//! nobody answers. People too hang up on a recorded voice, but each in a time of their own, while an announcement
//! has one length: an answer that is as long as an earlier one of the run (`ALIKE`) weighs more. A call of the same time
//! that has talked longer than all of them is a person's, so the run begins after it.
//!
//! *Who is called again.* An attempt that was written as answered stays answered: nobody can know whether that
//! callee was a person, so those before the judgement (four or five where lengths are alike; where no two are, half of
//! the times up to six, one time in ten more than ten) stay charged. The answer that completes the run,
//! those in flight and the probes of the rest are the line's: they are written as `line_fault`, uncounted, and
//! their leads come again after `HOLLOW_AGAIN` on whichever trunk, so a person who was among them is not rung twice
//! in a row. Only a rest that several rounds of probes confirmed makes them due at once when it ends. Calls of
//! campaigns with agents are never written so: there a short answer is an abandoned call or a talk.

mod judged;
mod run;

pub use judged::{Charged, Fault, LineTrouble, Scope};

use crate::ids::{AttemptId, CallId, LeadId};
use crate::number::{NumberKind, PhoneNumber};
use crate::outcome::Outcome;
use crate::time::{Duration, Time};
use run::{Evidence, Run, Shares, Suspect};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A run is the line's when callees would produce it more rarely than this. Together with `SHARE_PRIOR` it makes
/// five refusals in a row enough on a trunk that has not shown anything else.
const RUN_RARITY: f64 = 0.003;
/// The same for one region among many, of which some are unlucky.
const REGION_RARITY: f64 = 0.000_1;
/// And for a network whose numbers are all reported vacant.
const VACANT_REGION_RARITY: f64 = 0.000_000_5;
/// A run of fewer numbers is never the line's.
const RUN_MIN: usize = 5;
const REGION_RUN_MIN: usize = 6;
const HOLLOW_RUN_MIN: usize = 5;
/// A run of hollow answers puts leads back, so it has to be rarer.
const HOLLOW_RARITY: f64 = 0.001;
/// Share of cold refusals before a trunk has shown its own, and the number of calls that this counts for.
const SHARE_PRIOR: f64 = 0.3;
const SHARE_PRIOR_CALLS: f64 = 8.0;
/// Share of hollow answers before a trunk has shown its own: people hang up on recorded voices.
const HOLLOW_PRIOR: f64 = 0.3;
/// Talks of one recorded message differ by no more than this.
const ALIKE: Duration = Duration::from_millis(300);
/// Share of people's short talks that come so near to a given length.
const ALIKE_SHARE: f64 = 0.3;
/// Ends of a run of hollow answers that are judged alone: this many lengths.
const HOLLOW_ENDS: usize = 12;
/// A lead whose call was answered and laid to the line rests so long: it may have been a person after all.
pub const HOLLOW_AGAIN: Duration = Duration::from_secs(1_800);
/// Rounds of probes after which a rest for hollow answers was no mistake.
const HOLLOW_SURE_ROUNDS: u32 = 3;
/// Each call makes the earlier ones count for this much less: about the last 1,000 calls decide.
const SHARE_MEMORY: f64 = 0.999;
/// Bounds of a learnt share. The upper one bounds the run that a hopeless list may make.
const SHARE_MIN: f64 = 0.1;
const SHARE_MAX: f64 = 0.9;
/// A busy or declining callee is a common reason to be refused without a ring.
const SOFT_SHARE_MIN: f64 = 0.6;
/// Share for a number that was refused again after its refusal was taken back and the line had worked meanwhile:
/// once, twice, more often.
const KNOWN_SHARES: [f64; 3] = [0.75, 0.9, 0.97];
/// Such a number is charged by itself, also while the line rests, once it was taken back so often: else the odd
/// numbers that a list ends with would keep the line at rest for ever.
const TAKEN_BACK_MAX: u8 = 4;
/// A talk of this length, or a ring, shows that the line works.
pub const TALK_MIN: Duration = Duration::from_secs(5);
/// An undecided call this much older than twice the slowest refusal of the run counts as alive, up to
/// `PENDING_MAX`.
const PENDING_MARGIN: Duration = Duration::from_millis(200);
const PENDING_MAX: Duration = Duration::from_secs(8);
/// Pauses before the rounds of probes, in milliseconds; the last one repeats. The first nine rounds fit in 30 s:
/// no good number waits longer behind bad ones.
const PAUSES: [u64; 13] =
    [500, 1_000, 2_000, 3_000, 4_000, 4_000, 4_000, 4_000, 4_000, 8_000, 10_000, 12_000, 12_000];
/// Probes of the first round and of any later one.
const PROBES_MIN: u32 = 2;
const PROBES_MAX: u32 = 8;
/// A lead that failed on a resting trunk is no probe for it within this span.
pub const PROBE_AGAIN: Duration = Duration::from_secs(120);
/// Leads of a resting region are looked at again after these spans: in its first minute, in the next nine, then.
const REGION_LOOKS: [Duration; 3] =
    [Duration::from_secs(20), Duration::from_secs(60), Duration::from_secs(300)];
/// Bounds of what is remembered.
const RUN_KEPT: usize = 1_000;
const BURST_KEPT: usize = 20_000;
const KNOWN_KEPT: usize = 50_000;
const REGIONS_KEPT: usize = 2_000;

/// What the end of a call shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// It speaks of the line, not of the callee.
    pub line: bool,
    /// Earlier attempts, which were charged to their callees and are now seen to be the line's.
    pub taken_back: Vec<Charged>,
    /// A rest has ended: attempts that were taken back and may be called again at once.
    pub due: Vec<Charged>,
}

/// The end of a call as the guard sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallEnd {
    pub outcome: Outcome,
    pub sip_code: Option<u16>,
    /// Talk time; `None` = not answered.
    pub talk: Option<Duration>,
    /// We ended it; its end is no evidence.
    pub by_us: bool,
    /// An agent was in the call, or a key was pressed: the callee is a person.
    pub person: bool,
    /// The attempt, as it is taken back if the line turns out to be at fault; `None` = a test call.
    pub charged: Option<Charged>,
}

/// A call that is out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Pending {
    number: PhoneNumber,
    sent: Option<Time>,
    rang: bool,
    answered: Option<Time>,
}

/// One trunk's guard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LineGuard {
    whole: Watch,
    hollow: Watch,
    regions: BTreeMap<u64, Watch>,
    shares: Shares,
    hollow_shares: Shares,
    pending: BTreeMap<CallId, Pending>,
    known: BTreeMap<LeadId, Known>,
}

/// A lead whose refusal was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    /// How often it was taken back, and when last.
    times: u8,
    last: Time,
    /// How often it was refused although the line had worked since it was taken back; and its region, too.
    proofs: u8,
    region_proofs: u8,
}

impl Known {
    fn new(last: Time) -> Self {
        Known { times: 0, last, proofs: 0, region_proofs: 0 }
    }
}

/// One scope: its run of refusals, and its rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    run: Run,
    rest: Option<Rest>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rest {
    since: Time,
    until: Time,
    rounds: u32,
    probes_left: u32,
    probes_out: BTreeSet<CallId>,
    /// When the first call of the burst was sent: only a later one can end the rest.
    first_sent: Time,
    trouble: LineTrouble,
    burst: Vec<Charged>,
    /// Shortest and longest talk of the burst that began the rest, where all are of one length.
    talks: Option<(Duration, Duration)>,
}

impl LineGuard {
    /// Until when no call may be placed on the trunk; `Some(None)` = until its probes have ended.
    pub fn rests(&self, now: Time) -> Option<Option<Time>> {
        let rests = [&self.whole, &self.hollow].into_iter().filter_map(|watch| watch.rest.as_ref());
        rests.filter(|rest| !rest.takes_probe(now)).map(|rest| rest.opens(now)).max()
    }

    /// What is wrong with the whole trunk.
    pub fn trouble(&self) -> Option<LineTrouble> {
        [&self.whole, &self.hollow].into_iter().find_map(|watch| watch.rest.as_ref()).map(|rest| rest.trouble)
    }

    /// What is wrong with one of its regions, the latest first.
    pub fn region_trouble(&self) -> Option<LineTrouble> {
        let rests = self.regions.values().filter_map(|watch| watch.rest.as_ref());
        rests.max_by_key(|rest| rest.since).map(|rest| rest.trouble)
    }

    /// Attempts that the present rest of the whole trunk put back.
    pub fn put_back(&self) -> u32 {
        let rests = [&self.whole, &self.hollow].into_iter().filter_map(|watch| watch.rest.as_ref());
        rests.map(|rest| rest.burst.len() as u32).sum()
    }

    /// Since when the whole trunk has been resting.
    pub fn rests_since(&self) -> Option<Time> {
        let rests = [&self.whole, &self.hollow].into_iter().filter_map(|watch| watch.rest.as_ref());
        rests.map(|rest| rest.since).min()
    }

    /// Whether this number's region takes a call, and the lead is fit as a probe where one is needed.
    pub fn takes(&self, now: Time, number: PhoneNumber, lead: LeadId) -> bool {
        let probes = self.whole.rest.is_some() || self.hollow.rest.is_some();
        let fit = || {
            let known = self.known.get(&lead).filter(|known| known.times > 0);
            known.is_none_or(|known| known.last + PROBE_AGAIN <= now)
        };
        if probes && !fit() {
            return false;
        }
        regions_of(number)
            .into_iter()
            .filter_map(|region| self.rest_of(region))
            .all(|rest| rest.takes_probe(now) && fit())
    }

    /// Whether one of the number's regions rests.
    pub fn region_rests(&self, number: PhoneNumber) -> bool {
        regions_of(number).into_iter().any(|region| self.rest_of(region).is_some())
    }

    /// How long a lead whose region rests waits before it is looked at again: the pause grows with the rest.
    pub fn region_pause(&self, now: Time, number: PhoneNumber) -> Duration {
        let rests = regions_of(number).into_iter().filter_map(|region| self.rest_of(region));
        match rests.map(|rest| now - rest.since).max().map_or(0, |rested| rested.as_secs()) {
            0..60 => REGION_LOOKS[0],
            60..600 => REGION_LOOKS[1],
            _ => REGION_LOOKS[2],
        }
    }

    /// Ends every rest: a person says that the line works. What was refused so far proves nothing any more. Returns
    /// attempts that may be called again at once; answered ones, which may have been people, come in their own time.
    pub fn end_rests(&mut self, now: Time) -> Vec<Charged> {
        let mut due = Vec::new();
        for watch in [&mut self.whole].into_iter().chain(self.regions.values_mut()) {
            due.extend(watch.rest.take().map(|rest| rest.burst).unwrap_or_default());
            watch.run = Run::alive_at(now);
        }
        (self.hollow.rest, self.hollow.run) = (None, Run::alive_at(now));
        due.truncate(BURST_KEPT);
        due
    }

    /// The next moment at which a rest takes probes.
    pub fn next_probe(&self, now: Time) -> Option<Time> {
        let watches = [&self.whole, &self.hollow].into_iter().chain(self.regions.values());
        let rests = watches.filter_map(|watch| watch.rest.as_ref());
        rests.map(|rest| rest.until).filter(|until| *until > now).min()
    }

    fn rest_of(&self, region: u64) -> Option<&Rest> {
        self.regions.get(&region)?.rest.as_ref()
    }

    /// A call is being opened: on a resting line it is a probe.
    pub fn opened(&mut self, call: CallId, number: PhoneNumber) {
        self.pending.insert(call, Pending { number, sent: None, rang: false, answered: None });
        for watch in watches(&mut self.whole, &mut self.hollow, &mut self.regions, number) {
            if let Some(rest) = watch.rest.as_mut().filter(|rest| rest.probes_left > 0) {
                rest.probes_left -= 1;
                rest.probes_out.insert(call);
            }
        }
    }

    /// Its INVITE leaves.
    pub fn sent(&mut self, now: Time, call: CallId) {
        if let Some(pending) = self.pending.get_mut(&call) {
            pending.sent = Some(now);
        }
    }

    /// It rings: the line works. Returns attempts that may be called again at once.
    pub fn rang(&mut self, now: Time, call: CallId) -> Vec<Charged> {
        let Some(pending) = self.pending.get_mut(&call) else { return Vec::new() };
        if pending.rang {
            return Vec::new();
        }
        pending.rang = true;
        let (number, sent) = (pending.number, pending.sent.unwrap_or(now));
        self.shares.note_alive();
        self.alive(number, sent, false)
    }

    /// It is answered. The line is believed once the talk has lasted.
    pub fn answered(&mut self, now: Time, call: CallId) {
        if let Some(pending) = self.pending.get_mut(&call) {
            pending.answered = Some(now);
        }
    }

    /// When an answered call of a resting trunk will have lasted long enough.
    pub fn next_talk(&self) -> Option<Time> {
        if self.whole.rest.is_none() && self.hollow.rest.is_none() {
            return None;
        }
        self.pending.values().filter_map(|pending| pending.answered).map(|at| at + TALK_MIN).min()
    }

    /// Talks that have lasted by now end a rest.
    pub fn believe_talks(&mut self, now: Time) -> Vec<Charged> {
        if self.next_talk().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut talks = Vec::new();
        for pending in self.pending.values_mut() {
            if pending.answered.is_some_and(|at| at + TALK_MIN <= now) {
                (pending.answered, pending.rang) = (None, true);
                talks.push((pending.number, pending.sent.unwrap_or(now)));
            }
        }
        talks.into_iter().flat_map(|(number, sent)| self.alive(number, sent, true)).collect()
    }

    /// The call was not opened, or never left.
    pub fn forget(&mut self, call: CallId) {
        if let Some(pending) = self.pending.remove(&call) {
            for watch in watches(&mut self.whole, &mut self.hollow, &mut self.regions, pending.number) {
                if let Some(rest) = &mut watch.rest
                    && rest.probes_out.remove(&call)
                {
                    rest.probes_left += 1;
                }
            }
        }
    }

    /// The call has ended.
    pub fn ended(&mut self, now: Time, call: CallId, end: CallEnd) -> Judgement {
        let Some(pending) = self.pending.get(&call).copied() else { return Judgement::default() };
        // Not answered in time without a ring: nothing is known.
        let unknown = end.outcome == Outcome::NoAnswer && !pending.rang;
        let Some(sent) = pending.sent.filter(|_| !(end.by_us || unknown) || end.talk.is_some()) else {
            self.forget(call);
            return Judgement::default();
        };
        self.pending.remove(&call);
        let number = pending.number;
        let long = end.talk.is_some_and(|talk| talk >= TALK_MIN || end.by_us || end.person);
        if long {
            self.hollow_shares.note_alive();
            if !pending.rang {
                self.shares.note_alive();
            }
            let due = self.alive(number, sent, true);
            self.probe_ended(now, call, number);
            return Judgement { due, ..Judgement::default() };
        }
        let fault = if end.talk.is_some() { Fault::HangsUp } else { Fault::of(end.outcome) };
        let line_kind = matches!(fault, Fault::Forbidden | Fault::Faulty);
        let hollow = end.talk.is_some() || pending.rang && line_kind;
        if pending.rang && !hollow {
            // A phone that rang and was not answered: no recorded message does that.
            self.hollow_shares.note_alive();
            let due = self.end_hollow_rest(sent);
            self.probe_ended(now, call, number);
            return Judgement { due, ..Judgement::default() };
        }
        let lead = end.charged.map(|charged| charged.lead);
        if end.talk.is_none() && lead.is_some_and(|lead| self.is_odd(now, number, lead)) {
            self.probe_ended(now, call, number);
            return Judgement::default();
        }
        let suspect = Suspect {
            call,
            number,
            sent,
            delay: now - sent,
            fault,
            sip_code: end.sip_code,
            share_min: self.share_min(fault, lead, |known| known.proofs),
            region_share_min: self.share_min(fault, lead, |known| known.region_proofs),
            charged: end.charged,
            talk: end.talk,
        };
        let judgement = if hollow { self.judge_hollow(now, suspect) } else { self.judge_cold(now, suspect) };
        let own = self.whole.run.take_own();
        self.note_own(now, own, false);
        let own = suspect.charged.filter(|_| judgement.line);
        self.settle_charges(judgement.taken_back.iter().copied().chain(own).collect());
        self.probe_ended(now, call, number);
        judgement
    }

    /// An attempt stands in the runs of the trunk and of its regions, and is taken back once.
    fn settle_charges(&mut self, taken: Vec<Charged>) {
        let attempts: BTreeSet<AttemptId> = taken.iter().map(|charged| charged.attempt).collect();
        for charged in &taken {
            for region in regions_of(charged.number) {
                if let Some(watch) = self.regions.get_mut(&region) {
                    watch.run.settle_charges(&attempts);
                }
            }
        }
        if !attempts.is_empty() {
            self.whole.run.settle_charges(&attempts);
        }
    }

    /// The least probability with which this refusal comes from a line that works.
    fn share_min(&self, fault: Fault, lead: Option<LeadId>, proofs: impl Fn(&Known) -> u8) -> f64 {
        let soft = if fault == Fault::Soft { SOFT_SHARE_MIN } else { SHARE_MIN };
        let known = lead.and_then(|lead| self.known.get(&lead));
        match known.map_or(0, |known| usize::from(proofs(known))) {
            0 => soft,
            proofs => KNOWN_SHARES[(proofs - 1).min(KNOWN_SHARES.len() - 1)],
        }
    }

    /// Notes another refusal of a lead. `true` = it is refused by itself, whatever the line does.
    fn is_odd(&mut self, now: Time, number: PhoneNumber, lead: LeadId) -> bool {
        let alive = self.whole.run.alive_since();
        let network = regions_of(number).first().and_then(|region| self.regions.get(region));
        let region_alive = network.and_then(|watch| watch.run.alive_since());
        let Some(known) = self.known.get_mut(&lead) else { return false };
        let since = known.last;
        if alive.is_some_and(|alive| alive > since) {
            known.proofs = known.proofs.saturating_add(1);
            known.last = now;
        }
        if region_alive.is_some_and(|alive| alive > since) {
            known.region_proofs = known.region_proofs.saturating_add(1);
        }
        known.region_proofs > 0 && known.times >= TAKEN_BACK_MAX
    }

    /// A call that was sent at `sent` shows that the line works.
    fn alive(&mut self, number: PhoneNumber, sent: Time, talked: bool) -> Vec<Charged> {
        let mut due = end_rest(&mut self.whole, sent, &mut self.shares);
        let own = self.whole.run.take_own();
        self.note_own(sent, own, false);
        if talked {
            due.extend(self.end_hollow_rest(sent));
        }
        for region in regions_of(number) {
            if let Some(watch) = self.regions.get_mut(&region) {
                due.extend(end_rest(watch, sent, &mut Shares::default()));
                let own = watch.run.take_own();
                self.note_own(sent, own, true);
            }
        }
        due
    }

    /// A call that was sent at `sent` was a person's. After a rest that may have been a mistake the leads keep theirs.
    fn end_hollow_rest(&mut self, sent: Time) -> Vec<Charged> {
        let sure = self.hollow.rest.as_ref().is_some_and(|rest| rest.rounds >= HOLLOW_SURE_ROUNDS);
        let later = self.hollow.run.after(sent);
        let rested = self.hollow.rest.is_some();
        let due = end_rest(&mut self.hollow, sent, &mut self.hollow_shares);
        self.hollow.run.take_own();
        if rested && self.hollow.rest.is_none() {
            // A person's call that was out when the fault began clears what came before it alone.
            self.hollow.run = later;
        }
        if sure { due } else { Vec::new() }
    }

    fn judge_cold(&mut self, now: Time, suspect: Suspect) -> Judgement {
        if !self.whole.run.push(suspect, &mut self.shares) {
            return self.judge_regions(now, suspect);
        }
        if self.join_rest(now, suspect, None) {
            return Judgement { line: true, ..Judgement::default() };
        }
        let evidence = Evidence { now, pending: self.undecided(None) };
        let rule = run::Rule { rarity: RUN_RARITY, min: RUN_MIN, prior: SHARE_PRIOR, region: false };
        if let Some(burst) = self.whole.run.verdict(&self.shares, &rule, &evidence) {
            let rest = begin_rest(&mut self.whole, now, burst, Scope::Trunk, self.shares.probes(SHARE_PRIOR));
            return self.line(now, rest, suspect.call);
        }
        self.judge_regions(now, suspect)
    }

    fn judge_regions(&mut self, now: Time, suspect: Suspect) -> Judgement {
        let works_since = self.whole.run.alive_since();
        for (place, region) in regions_of(suspect.number).into_iter().enumerate() {
            self.bound_regions();
            let undecided = self.undecided(Some(region));
            let run = &mut self.regions.entry(region).or_default().run;
            if !run.push(suspect, &mut Shares::default()) {
                let own = run.take_own();
                self.note_own(now, own, true);
                continue;
            }
            if self.join_rest(now, suspect, Some(region)) {
                return Judgement { line: true, ..Judgement::default() };
            }
            let Some(watch) = self.regions.get_mut(&region) else { continue };
            let vacant = suspect.fault == Fault::NotFound;
            // Blocks of unassigned numbers are common, networks of them are not.
            if suspect.fault == Fault::Soft || vacant && place > 0 {
                continue;
            }
            let rarity = if vacant { VACANT_REGION_RARITY } else { REGION_RARITY };
            let rule = run::Rule { rarity, min: REGION_RUN_MIN, prior: SHARE_PRIOR, region: true };
            let evidence = Evidence { now, pending: undecided };
            let Some(burst) = watch.run.verdict(&self.shares, &rule, &evidence) else { continue };
            // The rest of the trunk has to have worked meanwhile: else the trunk itself is asked.
            if works_since.is_none_or(|alive| burst.first().is_none_or(|first| alive < first.sent)) {
                continue;
            }
            let rest = begin_rest(watch, now, burst, Scope::Region(region), PROBES_MIN);
            return self.line(now, rest, suspect.call);
        }
        Judgement::default()
    }

    /// Adds a refusal to the burst of a rest.
    fn join_rest(&mut self, now: Time, suspect: Suspect, region: Option<u64>) -> bool {
        let watch = match region {
            Some(region) => self.regions.get_mut(&region),
            None => Some(&mut self.whole),
        };
        let Some(rest) = watch.and_then(|watch| watch.rest.as_mut()) else { return false };
        rest.trouble.calls = rest.trouble.calls.saturating_add(1);
        if let Some(charged) = suspect.charged {
            rest.burst.push(charged);
            self.note_known(now, &[charged]);
        }
        true
    }

    fn judge_hollow(&mut self, now: Time, suspect: Suspect) -> Judgement {
        let is_in_run = self.hollow.run.push(suspect, &mut self.hollow_shares);
        // Whether a callee hangs up says nothing about the number.
        self.hollow.run.take_own();
        if !is_in_run {
            return Judgement::default();
        }
        let line = suspect.charged.is_some();
        if let Some(rest) = &mut self.hollow.rest {
            // A short talk of another length is a callee's, as it would be without the rest.
            let is_alike = |(least, most): (Duration, Duration)| {
                suspect.talk.is_none_or(|talk| talk + ALIKE >= least && talk <= most + ALIKE)
            };
            if suspect.sent < rest.first_sent || !rest.talks.is_none_or(is_alike) {
                return Judgement::default();
            }
            rest.trouble.calls = rest.trouble.calls.saturating_add(1);
            rest.burst.extend(suspect.charged);
            let own: Vec<Charged> = suspect.charged.into_iter().collect();
            self.note_known(now, &own);
            return Judgement { line, ..Judgement::default() };
        }
        let rule =
            run::Rule { rarity: HOLLOW_RARITY, min: HOLLOW_RUN_MIN, prior: HOLLOW_PRIOR, region: false };
        let talks = self.pending.values().filter_map(|it| Some((it.sent?, now - it.answered?)));
        let talks: Vec<(Time, Duration)> = talks.collect();
        let Some(mut burst) = self.hollow.run.hollow_verdict(&self.hollow_shares, &rule, &talks) else {
            return Judgement::default();
        };
        // What was written as answered stays so.
        for earlier in burst.iter_mut().filter(|it| it.talk.is_some() && it.call != suspect.call) {
            earlier.charged = None;
        }
        let burst = begin_rest(&mut self.hollow, now, burst, Scope::Trunk, 1);
        self.line(now, burst, suspect.call)
    }

    /// Notes the leads of a burst and returns what is taken back besides the call that completed it.
    fn line(&mut self, now: Time, burst: Vec<Charged>, last: CallId) -> Judgement {
        self.note_known(now, &burst);
        let line = burst.iter().any(|charged| charged.attempt.call() == last);
        let earlier = burst.into_iter().filter(|charged| charged.attempt.call() != last);
        Judgement { line, taken_back: earlier.collect(), due: Vec::new() }
    }

    fn note_known(&mut self, now: Time, burst: &[Charged]) {
        for charged in burst {
            let known = self.known.entry(charged.lead).or_insert(Known::new(now));
            (known.times, known.last) = (known.times.saturating_add(1), now);
        }
        self.bound_known();
    }

    /// Notes the leads whose refusals turned out to be their own.
    fn note_own(&mut self, now: Time, own: Vec<LeadId>, in_region: bool) {
        for lead in own {
            let known = self.known.entry(lead).or_insert(Known::new(now));
            known.proofs = known.proofs.max(1);
            if in_region {
                known.region_proofs = known.region_proofs.max(1);
            }
        }
        self.bound_known();
    }

    fn bound_known(&mut self) {
        while self.known.len() > KNOWN_KEPT {
            self.known.pop_first();
        }
    }

    /// Sent calls that have neither rung nor ended, of the whole trunk or of one region.
    fn undecided(&self, region: Option<u64>) -> Vec<Time> {
        let out = self.pending.values().filter(|pending| !pending.rang && pending.answered.is_none());
        let of = out.filter(|it| region.is_none_or(|region| regions_of(it.number).contains(&region)));
        of.filter_map(|pending| pending.sent).collect()
    }

    /// The last probe of a round has ended without a ring: the next round comes later.
    fn probe_ended(&mut self, now: Time, call: CallId, number: PhoneNumber) {
        for watch in watches(&mut self.whole, &mut self.hollow, &mut self.regions, number) {
            if let Some(rest) = &mut watch.rest
                && rest.probes_out.remove(&call)
                && rest.probes_out.is_empty()
                && rest.probes_left == 0
            {
                rest.next_round(now);
            }
        }
    }

    fn bound_regions(&mut self) {
        if self.regions.len() > REGIONS_KEPT {
            self.regions.retain(|_, watch| watch.rest.is_some());
        }
    }
}

impl Rest {
    fn takes_probe(&self, now: Time) -> bool {
        self.until <= now && self.probes_left > 0
    }

    fn opens(&self, now: Time) -> Option<Time> {
        (self.until > now).then_some(self.until)
    }

    fn next_round(&mut self, now: Time) {
        self.rounds += 1;
        let pause = PAUSES[(self.rounds as usize).min(PAUSES.len() - 1)];
        self.until = now + Duration::from_millis(pause);
        self.probes_left = (self.trouble.probes + self.rounds).min(PROBES_MAX);
    }
}

/// Begins a rest and returns its burst.
fn begin_rest(watch: &mut Watch, now: Time, burst: Vec<Suspect>, scope: Scope, probes: u32) -> Vec<Charged> {
    let last = burst.last();
    let trouble = LineTrouble {
        scope,
        fault: last.map_or(Fault::Faulty, |suspect| suspect.fault),
        sip_code: last.and_then(|suspect| suspect.sip_code),
        calls: burst.len() as u32,
        probes,
    };
    let charged: Vec<Charged> = burst.iter().filter_map(|suspect| suspect.charged).collect();
    let talks = burst.iter().filter_map(|suspect| suspect.talk);
    watch.rest = Some(Rest {
        since: now,
        until: now + Duration::from_millis(PAUSES[0]),
        rounds: 0,
        probes_left: probes,
        probes_out: BTreeSet::new(),
        first_sent: burst.first().map_or(now, |suspect| suspect.sent),
        trouble,
        burst: charged.clone(),
        talks: talks.clone().min().zip(talks.max()).filter(|(least, most)| *most - *least <= 2 * ALIKE),
    });
    charged
}

/// A call that was sent at `sent` is alive. Ends the rest of a watch if the call is no older than its burst.
fn end_rest(watch: &mut Watch, sent: Time, shares: &mut Shares) -> Vec<Charged> {
    match &watch.rest {
        Some(rest) if sent >= rest.first_sent => {
            // A rest that the first probes ended was a false alarm: callees produced the run.
            if rest.rounds == 0 {
                for _ in 0..rest.trouble.calls.min(RUN_MIN as u32 * 4) {
                    shares.note_refused(rest.trouble.fault);
                }
            }
            watch.run = Run::alive_at(sent);
            let mut burst = watch.rest.take().map(|rest| rest.burst).unwrap_or_default();
            burst.truncate(BURST_KEPT);
            burst
        }
        None => {
            watch.run.clear_until(sent, shares);
            Vec::new()
        }
        Some(_) => Vec::new(),
    }
}

/// The watches that a call to this number concerns.
fn watches<'a>(
    whole: &'a mut Watch,
    hollow: &'a mut Watch,
    regions: &'a mut BTreeMap<u64, Watch>,
    number: PhoneNumber,
) -> impl Iterator<Item = &'a mut Watch> {
    let of = regions_of(number);
    let regions = regions.iter_mut().filter(move |(region, _)| of.contains(region)).map(|(_, watch)| watch);
    [whole, hollow].into_iter().chain(regions)
}

/// The regions of a number as prefixes of its E.164 digits: its network (area code, or the three digits of a
/// mobile network), and the block of ten thousand that a city's mobile numbers come in.
fn regions_of(number: PhoneNumber) -> Vec<u64> {
    let digits = number.as_u64();
    let length = digits.checked_ilog10().map_or(0, |log| log + 1);
    let prefix = |kept: u32| digits / 10u64.pow(length.saturating_sub(kept));
    match number.kind() {
        NumberKind::Mobile => vec![prefix(5), prefix(9)],
        NumberKind::Landline => {
            let area = number.area_code().map_or(0, u64::from);
            vec![prefix(2 + area.checked_ilog10().map_or(2, |log| log + 1))]
        }
        NumberKind::Hotline => vec![prefix(5)],
        NumberKind::Abroad => vec![prefix(4), prefix(7)],
    }
}

#[cfg(test)]
mod tests;
