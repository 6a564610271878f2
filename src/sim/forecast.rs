//! What-if forecast: a campaign's own rules and the real dialer code over its list in virtual time, with
//! callees who answer and agents who work as assumed. Bands come from several seeds.

mod modes;

pub use modes::{
    AGENTS_MAX, ForecastPlan, ForecastProgress, ModeForecast, WorldFigures, forecast_document, forecast_modes,
};

use super::agents::{AgentProfile, WorkContext, Workforce};
use super::day::{Day, Troubles};
use super::line::{CalleeProfile, Line};
use super::memory_store::MemoryStore;
use super::people::{Population, Spread};
use paceline_core::agent::{Activity, Agent, Availability, Group, Membership, SeatView, WorkMode};
use paceline_core::campaign::{CalleePattern, Campaign, Mode, Trunk};
use paceline_core::dialer::Output;
use paceline_core::ids::{AgentId, CampaignId, GroupId, LeadId};
use paceline_core::lead::{Lead, Phone};
use paceline_core::number::PhoneNumber;
use paceline_core::outcome::Outcome;
use paceline_core::pacing::shadow::Comparison;
use paceline_core::time::{Duration, Time, Utc, WallClock};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// The assumptions.
#[derive(Clone, Debug)]
pub struct Assumptions {
    pub campaign: Campaign,
    pub trunks: Vec<Trunk>,
    /// Numbers that can be dialled, one per lead.
    pub leads: u64,
    pub agents: u32,
    pub world: World,
    /// When the agents start.
    pub start: Utc,
    /// The forecast ends after this time, whatever is left.
    pub hours: f64,
}

/// How much virtual time passes between two looks at whether a forecast is to stop.
const LOOKED_EVERY: Duration = Duration::from_secs(600);

/// How callees answer and agents work, in four numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    /// Share of calls that a person answers.
    pub answer_rate: f64,
    /// Medians of the conversation, of the wrap-up and of ringing before an answer.
    pub talk: Duration,
    pub wrap_up: Duration,
    pub ring: Duration,
}

/// Result of one virtual day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    pub finished: bool,
    /// From the start to the last call, or to the end of the forecast.
    pub hours: f64,
    pub calls: u64,
    pub conversations: u64,
    pub abandoned: u64,
    /// Talk and wrap-up as a share of the time signed in and not on a break.
    pub utilisation: f64,
    /// Mean idle seconds between two conversations.
    pub idle_secs: f64,
    pub abandon_rate: f64,
    pub calls_per_hour: f64,
    pub conversations_per_hour: f64,
    /// Comparison with the campaign's `[pacing.shadow]`.
    pub shadow: Option<Comparison>,
}

/// Totals counted during a day.
#[derive(Debug, Default)]
struct Totals {
    seats: BTreeMap<AgentId, (Time, Seat)>,
    busy: Duration,
    idle: Duration,
    calls: u64,
    conversations: u64,
    abandoned: u64,
    last: Time,
}

/// A seat's state, as far as utilisation counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    Away,
    Idle,
    Busy,
}

impl Totals {
    fn count_output(&mut self, now: Time, output: &Output) {
        match output {
            Output::SeatChanged { seat, .. } => self.count_seat(now, seat),
            Output::PlaceCall { .. } => self.calls += 1,
            Output::SaveResult(result) => {
                self.last = now;
                self.conversations += u64::from(result.agent.is_some());
                self.abandoned += u64::from(result.outcome == Outcome::Abandoned);
            }
            _ => {}
        }
    }

    fn count_seat(&mut self, now: Time, seat: &SeatView) {
        let is = match (&seat.availability, &seat.activity) {
            (_, Activity::Talking | Activity::Consulting | Activity::WrapUp) => Seat::Busy,
            (Availability::Available, _) => Seat::Idle,
            _ => Seat::Away,
        };
        let before = self.seats.insert(seat.agent, (now, is));
        self.count(now, before);
    }

    fn count(&mut self, now: Time, before: Option<(Time, Seat)>) {
        match before {
            Some((since, Seat::Busy)) => self.busy += now.since(since),
            Some((since, Seat::Idle)) => self.idle += now.since(since),
            Some((_, Seat::Away)) | None => {}
        }
    }

    /// Counts the current state of every seat up to the end of the day.
    fn close(&mut self, now: Time) {
        for before in std::mem::take(&mut self.seats).into_values() {
            self.count(now, Some(before));
        }
    }
}

impl Assumptions {
    /// Runs one day with this seed and mode.
    pub fn day(&self, seed: u64, mode: Mode, call_ratio: f64) -> Forecast {
        let progress = ForecastProgress::default();
        self.day_until_stopped(seed, mode, call_ratio, &progress).unwrap_or_default()
    }

    /// As [`Assumptions::day`]; `None` = it was stopped.
    fn day_until_stopped(
        &self,
        seed: u64,
        mode: Mode,
        call_ratio: f64,
        progress: &ForecastProgress,
    ) -> Option<Forecast> {
        let until = Time::ZERO + self.span();
        let Some((mut day, totals)) = self.prepare_day(seed, mode, call_ratio) else {
            return Some(Forecast::default());
        };
        let (mut finished, mut next) = (false, Time::ZERO);
        while !finished && next < until {
            if progress.is_stopped() {
                return None;
            }
            next = (next + LOOKED_EVERY).min(until);
            finished = day.run(next);
        }
        let mut totals = totals.borrow_mut();
        let end = if finished { totals.last } else { until };
        totals.close(end);
        let shadow = day.dialer.view(CampaignId(1)).shadow;
        Some(Forecast { shadow, ..forecast_from(&totals, finished, end) })
    }

    fn span(&self) -> Duration {
        Duration::from_secs_f64(self.hours * 3_600.0)
    }

    /// The day before its first call, and the totals that follow it; `None` without agents.
    fn prepare_day(
        &self,
        seed: u64,
        mode: Mode,
        call_ratio: f64,
    ) -> Option<(Day<Line>, Rc<RefCell<Totals>>)> {
        let mut campaign = self.campaign.clone();
        campaign.id = CampaignId(1);
        campaign.mode = mode;
        campaign.pacing.call_ratio = call_ratio;
        // The day is as long as the forecast, so that its abandon budget is spent within it.
        let close = self.start + self.span() + Duration::from_secs(1);
        campaign.end = Some(campaign.end.map_or(close, |end| end.min(close)));
        let rules = campaign.agents.as_mut()?;
        let group = GroupId(1);
        rules.group = group;
        // Wrap-up takes its assumed time, not its configured limit; without a summary to write, the timeout
        // ends it.
        rules.wrap_up_len = if rules.dispositions.is_empty() {
            self.world.wrap_up
        } else {
            rules.wrap_up_len.max(self.world.wrap_up * 4)
        };
        let dispositions = rules.dispositions.clone();
        let mut store = MemoryStore::default();
        (0..self.leads).filter_map(lead).for_each(|lead| store.add_lead(lead));
        let clock = WallClock::new(Time::ZERO, self.start);
        let mut line = Line::new(Arc::new(self.world.people(seed)), clock);
        line.set_callee_profile(CalleeProfile {
            patience: Spread::new(15.0, 0.8, 0.5, 120.0),
            talk: self.world.callee_talk(),
            ..CalleeProfile::default()
        });
        let mut day =
            Day::new(seed, self.start, campaign, self.trunks.clone(), store, line, Troubles::default());
        let context = WorkContext {
            campaign: CampaignId(1),
            group,
            dispositions,
            leads: Vec::new(),
            outside: Vec::new(),
        };
        let agents = (1..=i64::from(self.agents)).map(|n| agent(n, group)).collect();
        day.floor = Some(Workforce::new(
            seed,
            clock,
            context,
            vec![outbound_group(group)],
            agents,
            self.world.profile(),
        ));
        let totals = Rc::new(RefCell::new(Totals::default()));
        let counted = totals.clone();
        day.watch = Some(Box::new(move |now, _, output| counted.borrow_mut().count_output(now, output)));
        Some((day, totals))
    }

    /// The fewest agents who finish the list by the end of the forecast; `None` = `most` are not enough
    /// either (the retries alone may take longer).
    pub fn agents_needed(&self, seed: u64, mode: Mode, call_ratio: f64, most: u32) -> Option<u32> {
        let progress = ForecastProgress::default();
        self.agents_needed_until_stopped(seed, mode, call_ratio, most, &progress).flatten()
    }

    /// As [`Assumptions::agents_needed`]; `None` = it was stopped.
    fn agents_needed_until_stopped(
        &self,
        seed: u64,
        mode: Mode,
        call_ratio: f64,
        most: u32,
        progress: &ForecastProgress,
    ) -> Option<Option<u32>> {
        let finish = |agents: u32| {
            let assumed = Assumptions { agents, ..self.clone() };
            assumed.day_until_stopped(seed, mode, call_ratio, progress).map(|day| day.finished)
        };
        // Doubles from the assumed number to the first that is enough, then bisects: small teams run quickly,
        // large ones are avoided.
        let (mut too_few, mut enough) = (0, self.agents.clamp(1, most));
        while !finish(enough)? {
            if enough == most {
                return Some(None);
            }
            (too_few, enough) = (enough, enough.saturating_mul(2).min(most));
        }
        while enough - too_few > 1 {
            let middle = too_few + (enough - too_few) / 2;
            if finish(middle)? { enough = middle } else { too_few = middle }
        }
        Some(Some(enough))
    }
}

impl World {
    /// Agents who work all day with short breaks, talk and wrap up as assumed, and make no mistakes.
    pub fn profile(&self) -> AgentProfile {
        AgentProfile {
            late: Spread::new(1.0, 0.1, 0.0, 10.0),
            shift: Spread::new(86_400.0, 0.01, 86_000.0, 86_400.0),
            between_breaks: Spread::new(7_200.0, 0.3, 1_800.0, 14_400.0),
            a_break: Spread::new(600.0, 0.3, 120.0, 1_200.0),
            talk: around(self.talk, 0.7),
            wrap_up: around(self.wrap_up, 0.5),
            nailed_up: 1.0,
            telephone: 0.0,
            own_mode: 0.0,
            misses: 0.0,
            declines: 0.0,
            holds: 0.0,
            consults: 0.0,
            mutes: 0.0,
            moves_phone: 0.0,
            loses_network: 0.0,
            puts_down: 0.0,
            forgets_summary: 0.0,
            extends: 0.0,
            summarises_early: 0.0,
            callbacks: 0.0,
            skips: 0.0,
            phone_crashes: 0.0,
            own_calls: 0.0,
            clumsy: 0.0,
            forgets_sign_out: 0.0,
            supervises: 0.0,
            ..AgentProfile::default()
        }
    }

    /// Callees of whom the assumed share answers; the other outcomes keep their proportions.
    pub fn people(&self, seed: u64) -> Population {
        let mut people = Population { seed, ..Population::default() };
        let shares = &mut people.shares;
        let answer = self.answer_rate.clamp(0.0, 1.0);
        let rest = [
            &mut shares.voicemail,
            &mut shares.busy,
            &mut shares.no_answer,
            &mut shares.reject,
            &mut shares.powered_off,
            &mut shares.unreachable,
            &mut shares.vacant,
            &mut shares.suspended,
            &mut shares.restricted,
        ];
        let sum: f64 = rest.iter().map(|share| **share).sum();
        for share in rest {
            *share *= if sum > 0.0 { (1.0 - answer) / sum } else { 0.0 };
        }
        shares.answer = answer;
        // Machines are recognised by the agents, not by the line: they would count as answers.
        shares.no_answer += std::mem::take(&mut shares.voicemail);
        people.hours.answer = Vec::new();
        people.ring.until_answer = around(self.ring, 0.5);
        people.talk.time = self.callee_talk();
        people
    }

    /// Longer than the agents' talk: most conversations are ended by the agent.
    fn callee_talk(&self) -> Spread {
        around(self.talk.mul_f64(1.5), 0.6)
    }
}

fn around(median: Duration, sigma: f64) -> Spread {
    let median = median.as_secs_f64().max(0.5);
    Spread::new(median, sigma, median / 20.0, median * 12.0)
}

fn forecast_from(totals: &Totals, finished: bool, end: Time) -> Forecast {
    let hours = (end.as_millis() as f64 / 3_600_000.0).max(1e-6);
    let (busy, idle) = (totals.busy.as_secs_f64(), totals.idle.as_secs_f64());
    let reached = totals.conversations + totals.abandoned;
    Forecast {
        finished,
        hours,
        calls: totals.calls,
        conversations: totals.conversations,
        abandoned: totals.abandoned,
        utilisation: if busy + idle > 0.0 { busy / (busy + idle) } else { 0.0 },
        idle_secs: idle / totals.conversations.max(1) as f64,
        abandon_rate: totals.abandoned as f64 / reached.max(1) as f64,
        calls_per_hour: totals.calls as f64 / hours,
        conversations_per_hour: totals.conversations as f64 / hours,
        shadow: None,
    }
}

fn lead(n: u64) -> Option<Lead> {
    Some(Lead {
        id: LeadId(n as i64 + 1),
        row: n + 2,
        household: None,
        phones: vec![Phone::new(PhoneNumber::from_e164(8_613_000_000_000 + n)?)],
        next_at: None,
        uncounted: 0,
        callback: None,
        last_agent: None,
        assigned: None,
        is_first: false,
        version: 0,
    })
}

fn agent(n: i64, group: GroupId) -> Agent {
    Agent {
        id: AgentId(n),
        number: format!("{}", 8_000 + n),
        name: format!("agent {n}"),
        skills: BTreeSet::new(),
        groups: vec![Membership { group, priority: 1, in_use: true }],
        telephone: None,
        recorded: false,
        leads: false,
    }
}

fn outbound_group(id: GroupId) -> Group {
    Group {
        id,
        name: "forecast".into(),
        telephones: true,
        announce_number: false,
        idle_release: None,
        // Every agent dials; inbound-only agents are not part of a forecast.
        work_mode: Some(WorkMode::Outbound),
        seats: None,
    }
}

/// The trunk assumed where none is configured, as the one that the campaign calls over.
pub fn ample_trunk(campaign: &Campaign, lines: u32) -> Trunk {
    Trunk {
        id: campaign.trunks.first().copied().unwrap_or_default(),
        name: "assumed".into(),
        calls_max: lines,
        calls_per_sec: 50.0,
        setup: None,
        allow: vec![CalleePattern::every()],
        deny: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
