//! How long one predictive decision takes on a floor in full swing.

use paceline_core::ids::{AgentId, CallId};
use paceline_core::pacing::predictive::{
    AgentNow, CallNow, Doing, Event, Pacer, Part, Rules, Snapshot, Stage,
};
use paceline_core::time::Time;
use std::time::Instant;

pub fn run() {
    println!("agents  ringing  mean us  worst us (with the tables made anew)");
    for (agents, ringing) in [(10u64, 15u64), (30, 50), (45, 100), (100, 200), (300, 900), (1000, 3000)] {
        let (mut pacer, mut view, start) = floor(agents, ringing);
        let (mut sum, mut worst) = (0.0f64, 0.0f64);
        let rounds = 2_000;
        for round in 0..rounds {
            // Four a second, as in a large team; now and then learning and new tables fall due.
            let now = Time::from_millis(start + round * 250);
            view.starts_allowed = 100;
            let began = Instant::now();
            let plan = pacer.decide(now, &view);
            let took = began.elapsed().as_secs_f64() * 1e6;
            std::hint::black_box(plan);
            sum += took;
            worst = worst.max(took);
        }
        println!("{agents:6}  {ringing:7}  {:7.1}  {worst:8.1}", sum / rounds as f64);
    }
}

fn floor(agents: u64, ringing: u64) -> (Pacer, Snapshot, u64) {
    let mut pacer = Pacer::new(Rules::default());
    let start = 1_000_000;
    let mut view = Snapshot { lines_free: 10_000, starts_allowed: 100, ..Snapshot::default() };
    for n in 0..agents {
        let agent = AgentId(n as i64);
        pacer.on_event(Time::ZERO, Event::AgentCame { agent });
        let since = Time::from_millis(start - (n * 7_919) % 240_000);
        let doing = match n % 12 {
            0 => Doing::Idle,
            1 | 2 => Doing::WrapUp { until: None },
            _ => Doing::Talking,
        };
        view.agents.push(AgentNow { agent, doing, since, leaving: false });
    }
    for n in 0..ringing {
        let call = CallId(n);
        let placed = Time::from_millis(start - 2_000 - (n * 6_151) % 20_000);
        let since = Time::from_millis(placed.as_millis() + 1_500);
        pacer.on_event(placed, Event::Placed { call, part: Part(0) });
        pacer.on_event(since, Event::Ringing { call });
        view.calls.push(CallNow { call, part: Part(0), stage: Stage::Ringing, since });
    }
    (pacer, view, start)
}
