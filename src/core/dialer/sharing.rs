//! Divides the lines of trunks between campaigns that want more of them than there are.
//!
//! The rule, for every line that comes free:
//!
//! 1. A campaign that holds fewer lines than `lines_reserved` is asked first, and the lines that it still lacks are not
//!    taken by another one, for as long as it may call: open, not paused, within its calling hours.
//! 2. Then campaigns are asked by `priority`, 1 first. A lower one gets what the higher ones do not want.
//! 3. Within one priority the campaign with the smallest `(2 * lines + 1) / weight` is asked first, `lines` being its live
//!    calls. This is Webster's method of apportionment (Balinski and Young, "Fair Representation", 2nd ed. 2001, chapter
//!    4 and appendix A): it gives each line to the campaign that is furthest below its quota. Calls are short, so lines
//!    come free all the time and the shares stay within a line of the quotas. Equal ones take turns.
//!
//! A campaign that is asked may place nothing: no lead is due, no agent is free. Then the next one is asked, so no line
//! stays idle that a campaign may use, except the reserved ones. No memory of past shares is kept: a campaign that wanted
//! nothing for an hour is owed nothing. Reservations of campaigns with different trunks are laid on each one's trunks in
//! its order; what the trunks in use do not have is not reserved.

use super::campaign_run::CampaignRun;
use super::trunk_line::Ready;
use super::{Dialer, Output, QueuedTest};
use crate::campaign::Share;
use crate::campaign::window::WindowState;
use crate::dialer::output::TestRefusal;
use crate::ids::{CampaignId, TrunkId};
use crate::pacing::Why;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// The shares of campaigns, and the lines that each holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sharing {
    /// Those that differ from the default.
    shares: BTreeMap<CampaignId, Share>,
    /// Live attempts on each trunk by campaign.
    lines: BTreeMap<TrunkId, BTreeMap<CampaignId, u32>>,
}

/// By which rule another campaign has the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenBy {
    /// They are reserved for it.
    Reserved,
    /// It comes first.
    Priority,
    /// Both have the same priority.
    Weight,
}

/// The campaign that has the lines that another one wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenLines {
    pub to: CampaignId,
    pub by: GivenBy,
}

impl Sharing {
    pub fn share(&self, campaign: CampaignId) -> Share {
        self.shares.get(&campaign).copied().unwrap_or_default()
    }

    pub fn set(&mut self, campaign: CampaignId, share: Share) {
        if share == Share::default() {
            self.shares.remove(&campaign);
        } else {
            self.shares.insert(campaign, share);
        }
    }

    pub fn open(&mut self, trunk: TrunkId, campaign: CampaignId) {
        *self.lines.entry(trunk).or_default().entry(campaign).or_default() += 1;
    }

    pub fn close(&mut self, trunk: TrunkId, campaign: CampaignId) {
        let Some(of_trunk) = self.lines.get_mut(&trunk) else { return };
        if let Some(lines) = of_trunk.get_mut(&campaign) {
            *lines = lines.saturating_sub(1);
            if *lines == 0 {
                of_trunk.remove(&campaign);
            }
        }
        if of_trunk.is_empty() {
            self.lines.remove(&trunk);
        }
    }

    /// Lines of a trunk by campaign.
    pub fn lines_on(&self, trunk: TrunkId) -> impl Iterator<Item = (CampaignId, u32)> {
        self.lines.get(&trunk).into_iter().flatten().map(|(campaign, lines)| (*campaign, *lines))
    }

    /// Campaigns with reserved lines, those of higher priority first.
    fn reserving(&self) -> Vec<(CampaignId, Share)> {
        let with = self.shares.iter().filter(|(_, share)| share.lines_reserved > 0);
        let mut found: Vec<(CampaignId, Share)> = with.map(|(id, share)| (*id, *share)).collect();
        found.sort_by_key(|(id, share)| (share.priority, *id));
        found
    }
}

/// A campaign's place among those that are asked; the greatest is asked first, as a heap gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Claim {
    /// Below its reserved lines.
    is_reserved: bool,
    priority: u8,
    lines: u64,
    weight: u64,
    /// Its place in the turns of equals.
    turn: usize,
}

impl Claim {
    fn of(share: Share, lines: u32, turn: usize) -> Claim {
        Claim {
            is_reserved: lines < share.lines_reserved,
            priority: share.priority,
            lines: u64::from(lines),
            weight: u64::from(share.weight.max(1)),
            turn,
        }
    }
}

impl Ord for Claim {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |it: &Claim| (!it.is_reserved, if it.is_reserved { 0 } else { it.priority });
        // (2a + 1) / wa against (2b + 1) / wb, in whole numbers.
        let need = |a: &Claim, b: &Claim| (2 * a.lines + 1) * b.weight;
        let first = rank(self).cmp(&rank(other));
        let first = first.then_with(|| need(self, other).cmp(&need(other, self)));
        first.then_with(|| self.turn.cmp(&other.turn)).reverse()
    }
}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How many of these lines each campaign gets that wants so many, if all begin to want them at once: the rule without
/// time, and without calls that are up.
pub fn divide_lines(lines: u32, wants: &[(Share, u32)]) -> Vec<u32> {
    let mut given = vec![0; wants.len()];
    let claim = |turn: usize, lines: u32| {
        let share = wants[turn].0;
        Claim::of(share, lines, turn)
    };
    let mut claims: BinaryHeap<Claim> =
        (0..wants.len()).filter(|turn| wants[*turn].1 > 0).map(|turn| claim(turn, 0)).collect();
    for _ in 0..lines {
        let Some(Claim { turn, .. }) = claims.pop() else { break };
        given[turn] += 1;
        if given[turn] < wants[turn].1 {
            claims.push(claim(turn, given[turn]));
        }
    }
    given
}

impl Dialer {
    /// Asks the campaigns for calls until each has named its limit.
    pub(super) fn place_by_share(&mut self, decisions: &mut [(CampaignId, u32, Option<Why>)]) {
        let utc = self.wall.utc(self.now);
        for (id, _) in self.sharing.iter().flat_map(Sharing::reserving) {
            if let Some(run) = self.campaigns.get_mut(&id) {
                // Whether its lines are kept depends on its calling hours.
                run.window(utc);
            }
        }
        let mut claims: BinaryHeap<Claim> =
            decisions.iter().enumerate().map(|(turn, (id, ..))| self.claim(*id, turn)).collect();
        while let Some(claim) = claims.pop() {
            let (id, placed, why) = &mut decisions[claim.turn];
            match self.place_one(*id) {
                Ok(()) => {
                    *placed += 1;
                    self.turn = self.turn.wrapping_add(1);
                    claims.push(self.claim(*id, claim.turn));
                }
                Err(limit) => *why = Some(limit),
            }
        }
        for (id, _, why) in decisions.iter_mut() {
            if *why == Some(Why::TrunksFull) && self.lines_given(*id).is_some() {
                *why = Some(Why::ShareUsed);
            }
        }
    }

    fn claim(&self, id: CampaignId, turn: usize) -> Claim {
        let share = self.share_of(id);
        let lines = self.campaigns.get(&id).map_or(0, |run| run.live);
        Claim::of(share, lines, turn)
    }

    pub(super) fn share_of(&self, id: CampaignId) -> Share {
        self.sharing.as_ref().map(|sharing| sharing.share(id)).unwrap_or_default()
    }

    /// Takes a campaign's share. A dialer that began before there were shares goes on without them.
    pub(super) fn set_share(&mut self, id: CampaignId, share: Share) {
        if let Some(sharing) = &mut self.sharing {
            sharing.set(id, share);
        }
    }

    /// Whether the campaign's reserved lines are kept for it now.
    fn keeps_lines(&self, run: &CampaignRun) -> bool {
        let utc = self.wall.utc(self.now);
        let is_open = matches!(run.window_seen(), Some(WindowState::OpenUntil(until)) if until > utc);
        !run.paused && !run.draining && !run.finished && !run.tests_only && is_open
    }

    /// The lines that a campaign's reservation still lacks.
    fn lacks(&self, id: CampaignId, share: Share) -> u32 {
        let Some(run) = self.campaigns.get(&id).filter(|run| self.keeps_lines(run)) else { return 0 };
        let most = run.rules.concurrency_max.unwrap_or(u32::MAX);
        share.lines_reserved.min(most).saturating_sub(run.live)
    }

    /// Of the campaign's trunks those whose free lines are all reserved, each with the campaign that they are kept for.
    pub(super) fn reserved_against(&self, id: CampaignId) -> BTreeMap<TrunkId, CampaignId> {
        let Some(sharing) = &self.sharing else { return BTreeMap::new() };
        let mut free: BTreeMap<TrunkId, u32> = BTreeMap::new();
        let mut kept_for: BTreeMap<TrunkId, CampaignId> = BTreeMap::new();
        for (other, share) in sharing.reserving().into_iter().filter(|(other, _)| *other != id) {
            let mut lacking = self.lacks(other, share);
            let Some(run) = self.campaigns.get(&other).filter(|_| lacking > 0) else { continue };
            for trunk in &run.rules.trunks {
                let Some(line) = self.trunks.get(trunk) else { continue };
                if matches!(line.ready(self.now), Ready::Down(_)) {
                    continue;
                }
                let left = free.entry(*trunk).or_insert_with(|| line.free());
                let taken = lacking.min(*left);
                (*left, lacking) = (*left - taken, lacking - taken);
                if taken > 0 {
                    kept_for.insert(*trunk, other);
                }
            }
        }
        kept_for.retain(|trunk, _| free.get(trunk) == Some(&0));
        kept_for
    }

    /// The campaign that has the lines which this one wants; `None` = its own calls fill them, or calls that were placed
    /// before it wanted them.
    pub(super) fn lines_given(&self, id: CampaignId) -> Option<GivenLines> {
        let (sharing, run) = (self.sharing.as_ref()?, self.campaigns.get(&id)?);
        let reserved = self.reserved_against(id);
        if let Some(to) = run.rules.trunks.iter().find_map(|trunk| reserved.get(trunk)) {
            return Some(GivenLines { to: *to, by: GivenBy::Reserved });
        }
        let own = sharing.share(id).priority;
        let mut holders: BTreeMap<CampaignId, u32> = BTreeMap::new();
        for trunk in &run.rules.trunks {
            for (other, lines) in sharing.lines_on(*trunk).filter(|(other, _)| *other != id) {
                *holders.entry(other).or_default() += lines;
            }
        }
        let most = |by: GivenBy, is_fit: &dyn Fn(u8) -> bool| {
            let fit = holders.iter().filter(|(other, _)| is_fit(sharing.share(**other).priority));
            let most = fit.max_by_key(|(other, lines)| (**lines, std::cmp::Reverse(**other)))?;
            Some(GivenLines { to: *most.0, by })
        };
        most(GivenBy::Priority, &|priority| priority < own)
            .or_else(|| most(GivenBy::Weight, &|priority| priority == own))
    }

    pub(super) fn share_view(&self, run: &CampaignRun) -> Option<GivenLines> {
        let is_used = run.last.is_some_and(|last| last.why == Why::ShareUsed);
        is_used.then(|| self.lines_given(run.rules.id)).flatten()
    }

    /// Removes a trunk.
    pub(super) fn remove_trunk(&mut self, trunk: TrunkId) {
        self.trunks.remove(&trunk);
        for run in self.campaigns.values_mut() {
            run.rules.trunks.retain(|it| *it != trunk);
        }
        let waiting: Vec<CampaignId> = self
            .campaigns
            .iter()
            .filter(|(_, run)| {
                run.tests.iter().any(|test| test.line.as_ref().is_some_and(|it| it.trunk == trunk))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.refuse_tests_over(id, trunk);
        }
    }

    fn refuse_tests_over(&mut self, id: CampaignId, trunk: TrunkId) {
        let Some(run) = self.campaigns.get_mut(&id) else { return };
        let is_over = |it: &QueuedTest| it.line.as_ref().is_some_and(|it| it.trunk == trunk);
        let gone: Vec<_> = run.tests.iter().filter(|it| is_over(it)).map(|it| it.number).collect();
        run.tests.retain(|it| !is_over(it));
        for number in gone {
            let why = TestRefusal::NoTrunk;
            self.outputs.push_back(Output::TestRefused { campaign: id, number, why, trunk: Some(trunk) });
        }
    }
}
