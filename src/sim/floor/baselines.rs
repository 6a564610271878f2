//! Documented pacing rules of other dialers, for comparison. The constants are their defaults.

use super::{Pacing, PacingDecision};
use paceline_core::ids::CallId;
use paceline_core::pacing::predictive::{Doing, Event, Snapshot};
use paceline_core::time::{Duration, Time};
use std::collections::{BTreeMap, VecDeque};

/// Calls to place for this many lines, pending ones deducted.
fn lines(view: &Snapshot, lines: f64) -> u32 {
    (lines.floor() as u32).saturating_sub((view.calls.len() + view.waiting.len()) as u32)
}

fn idle(view: &Snapshot) -> usize {
    view.agents.iter().filter(|agent| agent.doing == Doing::Idle).count()
}

fn talking(view: &Snapshot) -> usize {
    view.agents.iter().filter(|agent| agent.doing == Doing::Talking).count()
}

/// Lines = ratio x idle agents. A ratio of one is progressive dialling.
#[derive(Clone, Debug)]
pub struct Ratio(pub f64);

impl Pacing for Ratio {
    fn on_event(&mut self, _: Time, _: Event) {}

    fn decide(&mut self, _: Time, view: &Snapshot) -> PacingDecision {
        PacingDecision { place: lines(view, self.0 * idle(view) as f64), ..PacingDecision::default() }
    }
}

/// asterCC's agent percentage: new calls = (idle - ringing) x percentage.
#[derive(Clone, Debug)]
pub struct Percentage(pub f64);

impl Pacing for Percentage {
    fn on_event(&mut self, _: Time, _: Event) {}

    fn decide(&mut self, _: Time, view: &Snapshot) -> PacingDecision {
        let open = idle(view).saturating_sub(view.calls.len());
        PacingDecision { place: (open as f64 * self.0 / 100.0).floor() as u32, ..PacingDecision::default() }
    }
}

/// VICIdial's adaptive level with the hard limit: placing every 2.5 s, the level every 15 s, drops sampled
/// once a minute.
#[derive(Clone, Debug)]
pub struct Adaptive {
    pub level: f64,
    level_max: f64,
    drop_limit_pct: f64,
    placed_at: Option<Time>,
    sampled_at: Time,
    samples: Vec<(f64, f64)>,
    answered: u64,
    dropped: u64,
    minute: VecDeque<(Time, u32, u32)>,
    rate_pct: f64,
    rated_at: Time,
    calls: u64,
}

impl Adaptive {
    pub fn new(level_max: f64, drop_limit_pct: f64) -> Self {
        Adaptive {
            level: 1.0,
            level_max,
            drop_limit_pct,
            placed_at: None,
            sampled_at: Time::ZERO,
            samples: Vec::new(),
            answered: 0,
            dropped: 0,
            minute: VecDeque::new(),
            rate_pct: 0.0,
            rated_at: Time::ZERO,
            calls: 0,
        }
    }

    /// One update from the means of agents ready, callers waiting and agents logged in.
    pub fn adapt(&mut self, ready: f64, waiting: f64, agents: f64) {
        if agents > 0.0 {
            self.level *= 1.0 + (ready - waiting) / agents;
        }
        self.level = self.level.clamp(1.0, self.level_max);
        if self.calls > 50 && self.rate_pct > self.drop_limit_pct {
            self.level = 1.0;
        }
    }

    fn update(&mut self, now: Time, view: &Snapshot) {
        let count = self.samples.len().max(1) as f64;
        let ready = self.samples.iter().map(|sample| sample.0).sum::<f64>() / count;
        let waiting = self.samples.iter().map(|sample| sample.1).sum::<f64>() / count;
        self.samples.clear();
        self.adapt(ready, waiting, view.agents.len() as f64);
        while self.minute.front().is_some_and(|(at, ..)| now.since(*at) > Duration::from_secs(60)) {
            self.minute.pop_front();
        }
        let (calls, drops) = self.minute.iter().fold((0, 0), |(c, d), (_, a, b)| (c + a, d + b));
        if calls > 20 && drops * 2 > calls {
            self.level = (self.level / 2.0).max(1.0);
        }
        if now.since(self.rated_at) >= Duration::from_secs(60) {
            self.rated_at = now;
            self.rate_pct = 100.0 * self.dropped as f64 / self.answered.max(1) as f64;
        }
    }
}

impl Pacing for Adaptive {
    fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::Placed { .. } => {
                self.calls += 1;
                self.minute.push_back((now, 1, 0));
            }
            Event::AnsweredLive { .. } => self.answered += 1,
            Event::Abandoned { .. } => {
                self.dropped += 1;
                self.minute.push_back((now, 0, 1));
            }
            _ => {}
        }
    }

    fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision {
        let next_look = Some(Time::from_millis((now.as_millis() / 500 + 1) * 500));
        if now.since(self.sampled_at) >= Duration::from_secs(1) {
            self.sampled_at = now;
            self.samples.push((idle(view) as f64, view.waiting.len() as f64));
            if self.samples.len() >= 15 {
                self.update(now, view);
            }
        }
        if self.placed_at.is_some_and(|at| now.since(at) < Duration::from_millis(2500)) {
            return PacingDecision { next_look, ..PacingDecision::default() };
        }
        self.placed_at = Some(now);
        let goal = (self.level * (idle(view) + talking(view)) as f64).round();
        let exist = view.calls.len() + view.waiting.len() + talking(view);
        PacingDecision {
            place: (goal as u32).saturating_sub(exist as u32),
            next_look,
            ..PacingDecision::default()
        }
    }
}

/// Issabel's "soon free" with over-commit: every 5 s, agents with long talks count as free.
#[derive(Clone, Debug, Default)]
pub struct SoonFree {
    placed_at: Option<Time>,
    out: BTreeMap<CallId, Time>,
    answer_secs: VecDeque<f64>,
    ended: VecDeque<(Time, bool)>,
    talks: (f64, f64),
    since: BTreeMap<i64, Time>,
}

impl SoonFree {
    /// Whether an agent with this talk time counts as free soon: P(the talk ends by then) >= 0.97.
    pub fn soon_free(talked: f64, answer: f64, mean_talk: f64) -> bool {
        1.0 - (-(talked + answer) / mean_talk).exp() >= 0.97
    }

    fn close(&mut self, now: Time, answered: bool) {
        self.ended.push_back((now, answered));
        while self.ended.front().is_some_and(|(at, _)| now.since(*at) > Duration::from_secs(1800)) {
            self.ended.pop_front();
        }
    }
}

impl Pacing for SoonFree {
    fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::Placed { call, .. } => {
                self.out.insert(call, now);
            }
            Event::AnsweredLive { call } => {
                if let Some(at) = self.out.remove(&call) {
                    self.answer_secs.push_back(now.since(at).as_millis() as f64 / 1000.0);
                    if self.answer_secs.len() > 20 {
                        self.answer_secs.pop_front();
                    }
                }
                self.close(now, true);
            }
            Event::Unanswered { call, .. } | Event::AnsweredMachine { call } => {
                self.out.remove(&call);
                self.close(now, false);
            }
            Event::Connected { agent, .. } => {
                self.since.insert(agent.0, now);
            }
            Event::TalkEnded { agent } => {
                if let Some(at) = self.since.remove(&agent.0) {
                    self.talks.0 += now.since(at).as_millis() as f64 / 1000.0;
                    self.talks.1 += 1.0;
                }
            }
            _ => {}
        }
    }

    fn decide(&mut self, now: Time, view: &Snapshot) -> PacingDecision {
        let next_look = Some(Time::from_millis((now.as_millis() / 1000 + 1) * 1000));
        if self.placed_at.is_some_and(|at| now.since(at) < Duration::from_secs(5)) {
            return PacingDecision { next_look, ..PacingDecision::default() };
        }
        self.placed_at = Some(now);
        let missing = 20 - self.answer_secs.len().min(20);
        let answer = (self.answer_secs.iter().sum::<f64>() + 8.0 * missing as f64) / 20.0;
        let mut wanted = idle(view) as f64 - view.waiting.len() as f64;
        if self.talks.1 >= 10.0 {
            let mean = self.talks.0 / self.talks.1;
            wanted += view
                .agents
                .iter()
                .filter(|agent| agent.doing == Doing::Talking)
                .filter(|agent| {
                    Self::soon_free(now.since(agent.since).as_millis() as f64 / 1000.0, answer, mean)
                })
                .count() as f64;
        }
        wanted -= view.calls.len() as f64;
        if self.ended.len() >= 10 {
            let good = self.ended.iter().filter(|(_, answered)| *answered).count() as f64;
            wanted = (wanted / (good / self.ended.len() as f64).max(0.2)).round();
        }
        PacingDecision { place: wanted.max(0.0) as u32, next_look, ..PacingDecision::default() }
    }
}
