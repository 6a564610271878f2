//! Random changes of a campaign's rules: limits, pacing, calling hours, retries, mode, group.

use super::{GROUP, HOUR, MINUTE, OTHER_GROUP, pick};
use paceline::sim::random::SimRng;
use paceline_core::call::Digit;
use paceline_core::campaign::{Announcement, CallingWindows, Campaign, KeyRule, Mode};
use paceline_core::outcome::Outcome;
use paceline_core::time::Duration;

/// These rules with one or two of them changed.
pub fn drawn(rules: &Campaign, rng: &mut SimRng) -> Campaign {
    let mut changed = rules.clone();
    for _ in 0..1 + rng.next_u64() % 2 {
        change(&mut changed, rng);
    }
    changed
}

fn change(rules: &mut Campaign, rng: &mut SimRng) {
    let secs = Duration::from_secs;
    match rng.next_u64() % 8 {
        0 => rules.concurrency_max = pick(rng, &[None, Some(1), Some(3), Some(8)]),
        1 => rules.calls_per_sec = pick(rng, &[None, Some(0.2), Some(1.0), Some(5.0)]),
        2 => {
            rules.pacing.call_ratio = pick(rng, &[1.0, 1.3, 2.0, 3.0]);
            rules.pacing.abandon_rate_max = pick(rng, &[0.01, 0.03, 0.1, 1.0]);
            rules.pacing.waiting_max = pick(rng, &[0, 2, 5]);
            rules.pacing.may_cancel = rng.chance(0.3);
        }
        3 => {
            rules.pacing.answer_wait = pick(rng, &[secs(2), secs(3), secs(5)]);
            rules.ring = pick(rng, &[secs(30), secs(40), secs(60)]);
        }
        4 => {
            let (from, to) = pick(rng, &[(480, 1_200), (540, 720), (0, 1_440), (600, 1_260), (780, 1_020)]);
            rules.windows = CallingWindows::daily("Asia/Shanghai", from, to);
        }
        5 => {
            rules.retry.attempts_max = 2 + rng.next_u64() as u32 % 4;
            rules.retry.gap_min = MINUTE * pick(rng, &[5, 10, 30]);
            rules.retry.after.insert(Outcome::NoAnswer, HOUR * pick(rng, &[1, 2, 3]));
            rules.retry.after.insert(Outcome::Busy, MINUTE * pick(rng, &[10, 30]));
        }
        6 => set_mode(rules, rng),
        _ => {
            let group = pick(rng, &[GROUP, OTHER_GROUP]);
            rules.agents.iter_mut().for_each(|agents| agents.group = group);
        }
    }
}

fn set_mode(rules: &mut Campaign, rng: &mut SimRng) {
    let modes = [Mode::Announce, Mode::Preview, Mode::Progressive, Mode::Ratio, Mode::Predictive];
    rules.mode = pick(rng, &modes);
    let announces = rules.mode == Mode::Announce;
    rules.announcement = announces.then(|| Announcement {
        length: Duration::from_secs(8),
        plays: pick(rng, &[1, 2]),
        pause: Duration::ZERO,
        input_wait: Duration::from_secs(5),
    });
    let key = Digit::from_char('1').expect("a key");
    let hands_over = KeyRule { agents: true, ..KeyRule::default() };
    rules.keys = if announces { [(key, hands_over)].into() } else { Default::default() };
}
