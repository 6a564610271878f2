//! The time of one predictive decision on a busy floor: calls start and end, agents talk and wrap up,
//! learning and new tables fall due as in production.

use paceline_core::ids::{AgentId, CallId};
use paceline_core::pacing::predictive::{
    AgentNow, CallNow, Doing, Event, Pacer, Part, Rules, Snapshot, Stage,
};
use paceline_core::time::Time;
use std::time::Instant;

/// Number of decisions, four a second as in a large team.
const ROUNDS: usize = 480;
const APART: u64 = 250;
/// Repetitions of the same decisions; each counts with its quickest run, which excludes the time of other
/// programs.
const TIMES: usize = 7;
/// Lifetime of a call, and of an agent's cycle from call to call, in ms.
const CALL_LASTS: u64 = 22_000;
const TURN_LASTS: u64 = 190_000;
const TALK_LASTS: u64 = 150_000;

pub fn run() {
    println!("reference: a thousand exponentials and a sort of them take {:.1} us here", reference());
    println!("agents  ringing  mean us   p99 us  worst us");
    for (agents, ringing) in
        [(3u64, 6u64), (10, 15), (30, 50), (45, 100), (100, 200), (100, 600), (300, 900), (1000, 3000)]
    {
        let mut best = vec![f64::MAX; ROUNDS];
        let (pacer, floor) = Floor::in_full_swing(agents, ringing);
        for _ in 0..TIMES {
            let (mut pacer, mut floor) = (pacer.clone(), floor.clone());
            for best in &mut best {
                floor.move_on(&mut pacer);
                let now = Time::from_millis(floor.now);
                let began = Instant::now();
                let plan = pacer.decide(now, &floor.view);
                *best = best.min(began.elapsed().as_secs_f64() * 1e6);
                std::hint::black_box(plan);
            }
        }
        let mean = best.iter().sum::<f64>() / ROUNDS as f64;
        best.sort_by(f64::total_cmp);
        let (p99, worst) = (best[ROUNDS * 99 / 100], best[ROUNDS - 1]);
        println!("{agents:6}  {ringing:7}  {mean:7.1}  {p99:7.1}  {worst:8.1}");
    }
}

/// The quickest of many runs, in microseconds.
fn reference() -> f64 {
    (0..200)
        .map(|round| {
            let began = Instant::now();
            let mut values: Vec<f64> =
                (0..1000).map(|n| (f64::from(n * 7919 % 1000 + round) / 1e3).exp()).collect();
            values.sort_by(f64::total_cmp);
            std::hint::black_box(values);
            began.elapsed().as_secs_f64() * 1e6
        })
        .fold(f64::MAX, f64::min)
}

#[derive(Clone)]
struct Floor {
    now: u64,
    view: Snapshot,
    calls: u64,
}

impl Floor {
    /// A floor after two minutes of work.
    fn in_full_swing(agents: u64, ringing: u64) -> (Pacer, Floor) {
        let mut pacer = Pacer::new(Rules::default());
        let now = 1_000_000;
        let mut floor = Floor { now, view: Snapshot::default(), calls: ringing };
        for n in 0..agents {
            let agent = AgentId(n as i64);
            let since = Time::from_millis(now - n * TURN_LASTS / agents);
            pacer.on_event(since, Event::AgentCame { agent });
            floor.view.agents.push(AgentNow { agent, doing: Doing::Idle, since, leaving: false });
        }
        for n in 0..ringing {
            let at = Time::from_millis(now - n * CALL_LASTS / ringing);
            pacer.on_event(at, Event::Placed { call: CallId(n), part: Part(0) });
            floor.view.calls.push(CallNow {
                call: CallId(n),
                part: Part(0),
                stage: Stage::Placed,
                since: at,
            });
        }
        (floor.view.lines_free, floor.view.starts_allowed) = (10_000, 100);
        floor.view.closes = Some(Time::from_millis(now + 14_400_000));
        for _ in 0..ROUNDS {
            floor.move_on(&mut pacer);
            pacer.decide(Time::from_millis(floor.now), &floor.view);
        }
        (pacer, floor)
    }

    fn move_on(&mut self, pacer: &mut Pacer) {
        self.now += APART;
        let now = Time::from_millis(self.now);
        for n in 0..self.view.calls.len() {
            let call = self.view.calls[n];
            let age = self.now - call.since.as_millis();
            if call.stage == Stage::Placed && age >= 1_500 {
                pacer.on_event(now, Event::Ringing { call: call.call });
                (self.view.calls[n].stage, self.view.calls[n].since) = (Stage::Ringing, now);
            } else if age >= CALL_LASTS - 1_500 {
                let person = call.call.0.is_multiple_of(3);
                pacer.on_event(
                    now,
                    if person {
                        Event::AnsweredLive { call: call.call }
                    } else {
                        Event::Unanswered { call: call.call, network: false }
                    },
                );
                let next = CallId(self.calls);
                self.calls += 1;
                pacer.on_event(now, Event::Placed { call: next, part: Part(0) });
                self.view.calls[n] = CallNow { call: next, part: Part(0), stage: Stage::Placed, since: now };
            }
        }
        for n in 0..self.view.agents.len() {
            let own = self.view.agents[n];
            let age = self.now - own.since.as_millis();
            let doing = match own.doing {
                Doing::Talking if age >= TALK_LASTS => {
                    pacer.on_event(now, Event::TalkEnded { agent: own.agent });
                    Doing::WrapUp { until: None }
                }
                Doing::WrapUp { .. } if age >= TURN_LASTS - TALK_LASTS - 5_000 => {
                    pacer.on_event(now, Event::WrapEnded { agent: own.agent });
                    Doing::Idle
                }
                Doing::Idle if age >= 5_000 => {
                    let call = CallId(10_000_000 + self.now + n as u64);
                    pacer.on_event(now, Event::Connected { call, agent: own.agent });
                    Doing::Talking
                }
                _ => continue,
            };
            self.view.agents[n] = AgentNow { doing, since: now, ..own };
        }
    }
}
