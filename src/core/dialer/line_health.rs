//! What the line guards of the trunks see and say: ends of calls are judged, attempts taken back, leads made due.

use super::campaign_run::CampaignRun;
use super::floor::Job;
use super::live_call::{Call, Phase};
use super::seen;
use super::trunk_line::TrunkLine;
use super::wake::Wake;
use super::{Dialer, Output};
use crate::call::Ended;
use crate::ids::{CallId, CampaignId, LeadId, TrunkId};
use crate::lead::Lead;
use crate::line_guard::{CallEnd, Charged, LineTrouble, PROBE_AGAIN};
use crate::number::PhoneNumber;
use crate::outcome::Outcome;
use crate::time::Utc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a trunk of a campaign, or a region on it, rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    pub trunk: TrunkId,
    pub trouble: LineTrouble,
    /// No trunk of the campaign is left: it places probes alone.
    pub all: bool,
    /// When new leads try it again; `None` = probes are out now.
    pub until: Option<Utc>,
}

/// A trunk's rest beside its [`LineView`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrunkRest {
    /// Attempts that count no more against their leads.
    pub put_back: u32,
    /// Since when its guard lets it rest.
    pub since: Option<Utc>,
    /// Until when the carrier asked for a pause (503 with Retry-After).
    pub asked_until: Option<Utc>,
}

impl Dialer {
    /// Asks the guard whom the end of this call speaks of. `true` = the line.
    pub(super) fn judge_end(&mut self, id: CallId, ended: &Ended) -> bool {
        let now = self.now;
        let Some(call) = self.calls.get(&id).filter(|call| !call.inbound) else { return false };
        let Some(line) = self.trunks.get_mut(&call.trunk) else { return false };
        let local = ended.outcome == Outcome::LineFault && ended.sip_code.is_none() && !ended.try_next_trunk;
        if matches!(call.phase, Phase::Opening | Phase::Opened) || local && call.answered.is_none() {
            line.guard.forget(id);
            return false;
        }
        // An answer speaks of the line only where the announcement was all that there was to hear.
        let may_be_charged = call.answered.is_none() || call.phase == Phase::Announcing;
        let person = call.shown(now).heard;
        let charged = call.leased.as_ref().filter(|_| may_be_charged).map(|leased| Charged {
            attempt: call.attempt,
            campaign: call.campaign,
            lead: leased.lead.id,
            number: call.number,
            counted: ended.outcome.counts(),
        });
        let judged = line.guard.ended(
            now,
            id,
            CallEnd {
                outcome: seen::unanswered(call.shown(now), ended),
                sip_code: ended.sip_code,
                talk: call.answered.map(|at| now - at),
                by_us: call.hanging_up.is_some(),
                person,
                charged,
            },
        );
        let trunk = call.trunk;
        self.take_back(trunk, &judged.taken_back);
        self.make_due(&judged.due);
        judged.line
    }

    /// The call rings: its line works.
    pub(super) fn line_rang(&mut self, id: CallId) {
        let Some(line) = self.calls.get(&id).and_then(|call| self.trunks.get_mut(&call.trunk)) else {
            return;
        };
        let due = line.guard.rang(self.now, id);
        self.make_due(&due);
    }

    /// Lets talks that have lasted end a rest, and sets the wakes of all rests.
    pub(super) fn watch_lines(&mut self) {
        let mut due = Vec::new();
        for (id, line) in &mut self.trunks {
            due.extend(line.guard.believe_talks(self.now));
            for at in [line.guard.next_probe(self.now), line.guard.next_talk()].into_iter().flatten() {
                self.wakes.set_sooner(Wake::Trunk(*id), at);
            }
        }
        self.make_due(&due);
        self.publish_lines();
    }

    /// A person ends the rest of a trunk: its leads may be dialled at once.
    pub(super) fn end_trunk_rest(&mut self, trunk: TrunkId) {
        let Some(line) = self.trunks.get_mut(&trunk) else { return };
        let due = line.end_rest(self.now);
        self.make_due(&due);
    }

    /// Attempts of a burst that was the line's: they become `line_fault`, and their leads are open again.
    fn take_back(&mut self, trunk: TrunkId, burst: &[Charged]) {
        let utc = self.wall.utc(self.now);
        let mut groups: BTreeMap<(CampaignId, Utc), Vec<Charged>> = BTreeMap::new();
        for charged in burst {
            let Some(run) = self.campaigns.get(&charged.campaign) else { continue };
            let others = run.rules.trunks.iter().filter(|other| **other != trunk);
            let mut others = others.filter_map(|other| self.trunks.get(other));
            let home = &run.rules.home;
            let carried =
                others.any(|line| line.guard.trouble().is_none() && line.trunk.carries(charged.number, home));
            let next_at = if carried { utc } else { utc + PROBE_AGAIN };
            groups.entry((charged.campaign, next_at)).or_default().push(*charged);
        }
        for ((campaign, next_at), burst) in groups {
            for charged in &burst {
                self.reopen_copies(charged, next_at);
            }
            if let Some(run) = self.campaigns.get_mut(&campaign) {
                run.supply.stale = true;
                run.supply.note_due(Some(next_at));
            }
            let attempts = burst.iter().map(|charged| charged.attempt).collect();
            self.outputs.push_back(Output::TakeBack { campaign, attempts, next_at });
        }
    }

    /// A rest has ended: its leads may be dialled at once.
    fn make_due(&mut self, burst: &[Charged]) {
        let at = self.wall.utc(self.now);
        let mut groups: BTreeMap<CampaignId, Vec<LeadId>> = BTreeMap::new();
        for charged in burst {
            groups.entry(charged.campaign).or_default().push(charged.lead);
        }
        for (campaign, leads) in groups {
            if let Some(run) = self.campaigns.get_mut(&campaign) {
                run.supply.stale = true;
                run.supply.note_due(Some(at));
            }
            self.outputs.push_back(Output::MakeDue { campaign, leads, at });
        }
    }

    /// Copies of the lead in the hopper, in previews and in calls would write the closed phone back.
    fn reopen_copies(&mut self, charged: &Charged, next_at: Utc) {
        let reopen = |lead: &mut Lead| {
            if lead.id == charged.lead {
                reopen(lead, charged.number, charged.counted, next_at);
            }
        };
        if let Some(run) = self.campaigns.get_mut(&charged.campaign) {
            run.hopper.edit_waiting(charged.lead, reopen);
        }
        let live = |call: &&mut Call| call.phase != Phase::Ended && call.campaign == charged.campaign;
        for call in self.calls.values_mut().filter(live) {
            if let Some(leased) = &mut call.leased {
                reopen(&mut leased.lead);
            }
        }
        for seat in self.floor.seats.values_mut() {
            match &mut seat.job {
                Some(Job::Preview { leased, .. } | Job::AgentFirst { leased: Some(leased), .. }) => {
                    reopen(&mut leased.lead);
                }
                Some(Job::WrapUp(job)) => job.lead.iter_mut().for_each(reopen),
                _ => {}
            }
        }
    }

    /// Reports each campaign's line where it has changed.
    fn publish_lines(&mut self) {
        let views: Vec<(CampaignId, Option<LineView>)> =
            self.campaigns.iter().map(|(id, run)| (*id, self.line_view(run))).collect();
        for (campaign, line) in views {
            let Some(run) = self.campaigns.get_mut(&campaign) else { continue };
            let key = |view: LineView| (view.trunk, view.trouble.scope, view.trouble.fault, view.all);
            if run.line.map(key) != line.map(key) {
                run.line = line;
                self.outputs.push_back(Output::LineChanged { campaign, line });
            }
        }
    }

    /// What is wrong with the campaign's trunks, the worst first.
    pub(super) fn line_view(&self, run: &CampaignRun) -> Option<LineView> {
        let lines = || run.rules.trunks.iter().filter_map(|trunk| self.trunks.get(trunk));
        let all = lines().all(|line| line.guard.trouble().is_some());
        let whole = lines().find_map(|line| Some((line, line.guard.trouble()?)));
        let region = || lines().find_map(|line| Some((line, line.guard.region_trouble()?)));
        whole.or_else(region).map(|(line, trouble)| self.line_view_of(line, trouble, all))
    }

    fn line_view_of(&self, line: &TrunkLine, trouble: LineTrouble, all: bool) -> LineView {
        let until = line.guard.next_probe(self.now).map(|at| self.wall.utc(at));
        LineView { trunk: line.trunk.id, trouble, all, until }
    }

    /// Live calls and legs on a trunk, inbound calls too.
    pub fn trunk_live(&self, trunk: TrunkId) -> u32 {
        let inbound = self.calls.values().filter(|call| call.inbound && call.trunk == trunk).count() as u32;
        inbound + self.trunks.get(&trunk).map_or(0, TrunkLine::live)
    }

    /// What keeps a trunk from new calls beside its state: attempts that its guard put back, and until when its carrier
    /// asked for a pause.
    pub fn trunk_rest(&self, trunk: TrunkId) -> TrunkRest {
        let Some(line) = self.trunks.get(&trunk) else { return TrunkRest::default() };
        let until = line.asked_pause(self.now).map(|at| self.wall.utc(at));
        let since = line.guard.rests_since().map(|at| self.wall.utc(at));
        TrunkRest { put_back: line.guard.put_back(), since, asked_until: until }
    }

    /// The trunks that their guards keep out of use as a whole; `all` = no trunk is left.
    pub fn resting_trunks(&self) -> Vec<LineView> {
        let all = self.trunks.values().all(|line| line.guard.trouble().is_some());
        let resting = self.trunks.values().filter_map(|line| Some((line, line.guard.trouble()?)));
        resting.map(|(line, trouble)| self.line_view_of(line, trouble, all)).collect()
    }
}

/// Undoes the attempt on this phone of the lead.
fn reopen(lead: &mut Lead, number: PhoneNumber, counted: bool, next_at: Utc) {
    if !counted {
        lead.uncounted = lead.uncounted.saturating_sub(1);
    }
    for phone in lead.phones.iter_mut().filter(|phone| phone.number == number) {
        phone.attempts = phone.attempts.saturating_sub(u32::from(counted));
        phone.last_outcome = Some(Outcome::LineFault);
        phone.next_at = Some(next_at);
        phone.closed = false;
    }
}
