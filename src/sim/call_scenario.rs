//! The scenario of the n-th call to one callee: a pure function of the people file's seed, the number and n,
//! so that a run repeats whatever the order of its calls.

use super::people::Population;
use super::random::SimRng;
use paceline_core::call::Digit;
use paceline_core::outcome::Outcome;
use std::time::Duration;

/// How a call ends up, as the far end decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Behaviour {
    Answer,
    /// An answering machine answers, plays its greeting and records to the end.
    Voicemail,
    Busy,
    NoAnswer,
    Reject,
    PoweredOff,
    Unreachable,
    Vacant,
    Suspended,
    Restricted,
    /// The carrier refuses this callee.
    Blocked,
    /// The carrier is at its limit: 503 with Retry-After.
    Unavailable,
    /// No response is ever sent, not even 100.
    Silent,
}

/// Behaviours drawn by `Shares::weights`, in its order; the first three are traits of the number.
const DRAWN: [Behaviour; 10] = [
    Behaviour::Vacant,
    Behaviour::Suspended,
    Behaviour::Restricted,
    Behaviour::Answer,
    Behaviour::Voicemail,
    Behaviour::Busy,
    Behaviour::NoAnswer,
    Behaviour::Reject,
    Behaviour::PoweredOff,
    Behaviour::Unreachable,
];
const OF_THE_NUMBER: usize = 3;

/// The final response of a call that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub phrase: &'static str,
    /// Q.850 cause for the Reason header (RFC 3326), where the network gives one.
    pub q850: Option<u8>,
}

impl Behaviour {
    /// Behaviours with audio.
    pub const SPOKEN: [Behaviour; 8] = [
        Behaviour::Answer,
        Behaviour::Voicemail,
        Behaviour::Busy,
        Behaviour::PoweredOff,
        Behaviour::Unreachable,
        Behaviour::Vacant,
        Behaviour::Suspended,
        Behaviour::Restricted,
    ];

    /// The word in the people file and in the carrier's log.
    pub const fn word(self) -> &'static str {
        match self {
            Behaviour::Answer => "answer",
            Behaviour::Voicemail => "voicemail",
            Behaviour::Busy => "busy",
            Behaviour::NoAnswer => "no_answer",
            Behaviour::Reject => "reject",
            Behaviour::PoweredOff => "powered_off",
            Behaviour::Unreachable => "unreachable",
            Behaviour::Vacant => "vacant",
            Behaviour::Suspended => "suspended",
            Behaviour::Restricted => "restricted",
            Behaviour::Blocked => "carrier_block",
            Behaviour::Unavailable => "unavailable",
            Behaviour::Silent => "silent",
        }
    }

    pub const fn answers(self) -> bool {
        matches!(self, Behaviour::Answer | Behaviour::Voicemail)
    }

    /// Whether the phone rings before the final response.
    pub const fn rings(self) -> bool {
        matches!(self, Behaviour::Answer | Behaviour::Voicemail | Behaviour::NoAnswer | Behaviour::Reject)
    }

    /// Whether Chinese networks play an announcement before the final response.
    pub const fn announced(self) -> bool {
        matches!(
            self,
            Behaviour::Busy
                | Behaviour::PoweredOff
                | Behaviour::Unreachable
                | Behaviour::Vacant
                | Behaviour::Suspended
                | Behaviour::Restricted
        )
    }

    /// The final response; `None` for behaviours that answer or send nothing.
    pub const fn refusal(self) -> Option<Refusal> {
        let (code, phrase, q850) = match self {
            Behaviour::Answer | Behaviour::Voicemail | Behaviour::Silent => return None,
            Behaviour::Busy => (486, "Busy Here", Some(17)),
            Behaviour::NoAnswer => (480, "Temporarily Unavailable", Some(19)),
            Behaviour::Reject => (603, "Decline", Some(21)),
            Behaviour::PoweredOff => (480, "Temporarily Unavailable", Some(20)),
            Behaviour::Unreachable => (480, "Temporarily Unavailable", Some(27)),
            Behaviour::Vacant => (404, "Not Found", Some(1)),
            // Q.850 has no cause for "suspended": a dialer that ignores the announcement takes it for
            // unreachable.
            Behaviour::Suspended => (480, "Temporarily Unavailable", Some(31)),
            Behaviour::Restricted => (403, "Forbidden", Some(55)),
            Behaviour::Blocked => (403, "Forbidden", None),
            Behaviour::Unavailable => (503, "Service Unavailable", None),
        };
        Some(Refusal { code, phrase, q850 })
    }

    /// The outcome that the dialer should derive from it.
    pub const fn outcome(self) -> Outcome {
        match self {
            Behaviour::Answer | Behaviour::Voicemail => Outcome::Answered,
            Behaviour::Busy => Outcome::Busy,
            Behaviour::NoAnswer => Outcome::NoAnswer,
            Behaviour::Reject => Outcome::Rejected,
            Behaviour::PoweredOff => Outcome::PoweredOff,
            Behaviour::Unreachable => Outcome::Unreachable,
            Behaviour::Vacant => Outcome::Vacant,
            Behaviour::Suspended => Outcome::Suspended,
            Behaviour::Restricted => Outcome::Restricted,
            Behaviour::Blocked => Outcome::CarrierBlock,
            Behaviour::Unavailable | Behaviour::Silent => Outcome::LineFault,
        }
    }
}

/// A key and its time since the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress {
    pub after: Duration,
    pub key: Digit,
}

/// The whole scenario of one call, before its first packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallScenario {
    pub behaviour: Behaviour,
    /// Delay of every response, even of the 100.
    pub slow: Duration,
    /// From the INVITE to the first ring, early media or refusal.
    pub alert: Duration,
    /// The network sends the ring-back tone as early media.
    pub ring_back: bool,
    /// From `alert` to the answer or the final response.
    pub ring: Duration,
    /// The 200 is sent at the instant in which the CANCEL arrives.
    pub late_answer: bool,
    /// In order of time.
    pub keys: Vec<KeyPress>,
    pub keys_by_info: bool,
    /// From the answer to the callee's hang-up; `None` = the callee stays until the dialer ends the call.
    pub stay: Option<Duration>,
}

/// The national digits of a dialled number, the same for every spelling: `+86 138...`, `0086138...` and
/// `138...` are one callee, and so are `0755...` and `86755...`.
pub fn callee_key(user: &str) -> u64 {
    let digits: String = user.chars().filter(char::is_ascii_digit).take(19).collect();
    let bare = digits.trim_start_matches('0');
    let bare = match bare.strip_prefix("86") {
        Some(rest) if rest.len() >= 9 => rest,
        _ => bare,
    };
    bare.parse().unwrap_or(0)
}

impl Population {
    /// The scenario of the `nth` call to `user` (1 = the first), placed at `hour` of the callees' day.
    pub fn call_scenario(&self, user: &str, nth: u32, hour: Option<usize>) -> CallScenario {
        self.call_scenario_from("", user, nth, hour)
    }

    /// As [`Population::call_scenario`], of a call that shows `caller`.
    pub fn call_scenario_from(
        &self,
        caller: &str,
        user: &str,
        nth: u32,
        hour: Option<usize>,
    ) -> CallScenario {
        let number = callee_key(user);
        let mut of_call = SimRng::keyed(self.seed, &[number, u64::from(nth)]);
        let behaviour = self.behaviour(number, &mut of_call, hour);
        let behaviour = self.behaviour_to(caller, behaviour, number, nth);
        let late_answer = of_call.chance(self.trouble.late_answer);
        let slow = of_call.chance(self.trouble.slow);
        let slow_by = self.trouble.slow_by.draw(&mut of_call);
        let ring_back = of_call.chance(self.early_media.ring_back_share);
        let alert = self.post_dial.delay.draw(&mut of_call);
        let ring = self.ring_time(behaviour, &mut of_call);
        let (keys, stay) = match behaviour {
            Behaviour::Answer => self.listener(&mut of_call),
            _ => (Vec::new(), None),
        };
        CallScenario {
            behaviour,
            slow: if slow { slow_by } else { Duration::ZERO },
            alert,
            ring_back: ring_back && behaviour.rings(),
            ring,
            late_answer: late_answer && matches!(behaviour, Behaviour::NoAnswer | Behaviour::Answer),
            keys,
            keys_by_info: of_call.chance(self.keys.by_info),
            stay,
        }
    }

    fn behaviour(&self, number: u64, of_call: &mut SimRng, hour: Option<usize>) -> Behaviour {
        let mut of_number = SimRng::keyed(self.seed, &[number]);
        let weights = self.shares.weights();
        let trait_drawn = of_number.weighted(&weights).map(|place| DRAWN[place]);
        let blocked_by_chance = of_number.chance(self.blocked.share);

        let trouble = of_call.unit();
        if trouble < self.trouble.unavailable {
            return Behaviour::Unavailable;
        }
        if trouble < self.trouble.unavailable + self.trouble.silent {
            return Behaviour::Silent;
        }
        if blocked_by_chance || self.is_blocked(number) {
            return Behaviour::Blocked;
        }
        if let Some(lasting) = trait_drawn.filter(|drawn| DRAWN[..OF_THE_NUMBER].contains(drawn)) {
            return lasting;
        }
        let drawn = of_call.weighted(&weights[OF_THE_NUMBER..]);
        // If the file has only traits of numbers, every number has one, and this is not reached.
        let drawn = drawn.map_or(Behaviour::NoAnswer, |place| DRAWN[OF_THE_NUMBER + place]);
        let willing = hour.and_then(|hour| self.hours.answer.get(hour)).copied().unwrap_or(1.0);
        if drawn.answers() && !of_call.chance(willing) { Behaviour::NoAnswer } else { drawn }
    }

    /// What a callee with this behaviour does where a marked number is shown.
    fn behaviour_to(&self, caller: &str, behaviour: Behaviour, number: u64, nth: u32) -> Behaviour {
        let shown = callee_key(caller);
        let is_it = |(marked, _): &(&String, _)| shown != 0 && callee_key(marked) == shown;
        let Some((_, mark)) = self.marked.iter().find(is_it) else { return behaviour };
        let mut of_mark = SimRng::keyed(self.seed, &[number, u64::from(nth), shown]);
        if of_mark.chance(mark.blocked) {
            Behaviour::Blocked
        } else if behaviour.answers() && !of_mark.chance(mark.answer) {
            Behaviour::NoAnswer
        } else {
            behaviour
        }
    }

    fn is_blocked(&self, number: u64) -> bool {
        let digits = number.to_string();
        self.blocked.prefixes.iter().any(|prefix| {
            let prefix = prefix.trim_start_matches('0');
            !prefix.is_empty() && digits.starts_with(prefix)
        })
    }

    fn ring_time(&self, behaviour: Behaviour, rng: &mut SimRng) -> Duration {
        match behaviour {
            Behaviour::Answer | Behaviour::Voicemail => self.ring.until_answer.draw(rng),
            Behaviour::Reject => self.refusal.reject_after.draw(rng),
            Behaviour::NoAnswer => Duration::from_secs_f64(self.ring.carrier_gives_up_secs),
            behaviour if behaviour.announced() && self.early_media.announcements => {
                self.refusal.announcement.draw(rng)
            }
            _ => Duration::ZERO,
        }
    }

    /// Draws the pressed keys and the time at which the callee hangs up.
    fn listener(&self, rng: &mut SimRng) -> (Vec<KeyPress>, Option<Duration>) {
        let stay = if rng.chance(self.listening.early_share) {
            Some(self.listening.early_after.draw(rng))
        } else if rng.chance(self.listening.to_the_end) {
            None
        } else {
            Some(self.talk.time.draw(rng))
        };
        let mut keys = Vec::new();
        if let Some(key) = self.key(rng) {
            let mut after = self.keys.after.draw(rng);
            keys.push(KeyPress { after, key });
            if rng.chance(self.keys.second)
                && let Some(key) = self.key(rng)
            {
                after += self.keys.after.draw(rng);
                keys.push(KeyPress { after, key });
            }
        }
        keys.retain(|press| stay.is_none_or(|stay| press.after < stay));
        (keys, stay)
    }

    fn key(&self, rng: &mut SimRng) -> Option<Digit> {
        let mut left = rng.unit();
        self.keys.press.iter().find_map(|(key, share)| {
            left -= share;
            (left < 0.0).then_some(*key)
        })
    }

    /// The hour of the callees' day at a UTC time.
    pub fn hour(&self, utc_millis: i64) -> usize {
        let local = utc_millis + i64::from(self.hours.utc_offset_minutes) * 60_000;
        (local.rem_euclid(86_400_000) / 3_600_000) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn tally(people: &Population, calls: u64, hour: Option<usize>) -> BTreeMap<&'static str, u32> {
        let mut counts = BTreeMap::new();
        for number in 0..calls {
            let scenario = people.call_scenario(&format!("{}", 13_000_000_000 + number), 1, hour);
            *counts.entry(scenario.behaviour.word()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn all_spellings_of_a_number_are_one_callee() {
        let table = [
            (["13800138000", "+8613800138000", "008613800138000"], 13_800_138_000),
            (["075512345678", "8675512345678", "0755-12345678"], 75_512_345_678),
            (["4001234567", "864001234567", "400 123 4567"], 4_001_234_567),
            (["0012025550143", "+12025550143", "12025550143"], 12_025_550_143),
        ];
        for (spellings, expected) in table {
            for spelling in spellings {
                assert_eq!(callee_key(spelling), expected, "{spelling}");
            }
        }
        assert_eq!(callee_key("anonymous"), 0);
        assert_eq!(callee_key(&"9".repeat(5_000)), 9_999_999_999_999_999_999);
    }

    #[test]
    fn a_scenario_repeats_and_differs_from_call_to_call() {
        let people = Population::default();
        let first = people.call_scenario("13800138000", 1, None);
        assert_eq!(first, people.call_scenario("+8613800138000", 1, None));
        let scenarios: Vec<CallScenario> =
            (1..20).map(|nth| people.call_scenario("13800138000", nth, None)).collect();
        assert!(scenarios.iter().any(|scenario| scenario != &first));
    }

    #[test]
    fn behaviours_occur_in_their_shares() {
        let people = Population::parse(
            "[shares]\nanswer = 0.5\nvoicemail = 0\nbusy = 0.2\nno_answer = 0.1\nreject = 0\npowered_off = 0\n\
             unreachable = 0\nvacant = 0.2\nsuspended = 0\nrestricted = 0",
        )
        .expect("valid");
        let counts = tally(&people, 10_000, None);
        assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ["answer", "busy", "no_answer", "vacant"]);
        for (word, expected) in [("answer", 5_000), ("busy", 2_000), ("no_answer", 1_000), ("vacant", 2_000)]
        {
            assert!(counts[word].abs_diff(expected) < 250, "{counts:?}");
        }
    }

    #[test]
    fn a_vacant_number_stays_vacant() {
        let people = Population::default();
        let vacant = (0..1_000)
            .map(|n| format!("139{n:08}"))
            .find(|user| people.call_scenario(user, 1, None).behaviour == Behaviour::Vacant)
            .expect("four in a hundred are vacant");
        for nth in 2..50 {
            assert_eq!(people.call_scenario(&vacant, nth, None).behaviour, Behaviour::Vacant);
        }
    }

    #[test]
    fn every_number_of_a_blocked_region_is_blocked() {
        let people = Population::parse("[blocked]\nprefixes = [\"0991\"]").expect("valid");
        for n in 0..200 {
            let inside = people.call_scenario(&format!("09918{n:06}"), 1, None);
            assert_eq!(inside.behaviour, Behaviour::Blocked);
            assert_ne!(people.call_scenario(&format!("05758{n:06}"), 1, None).behaviour, Behaviour::Blocked);
        }
    }

    #[test]
    fn no_callee_answers_at_an_hour_with_factor_zero() {
        let mut people = Population::default();
        people.hours.answer = vec![0.0; 24];
        people.hours.answer[12] = 1.0;
        assert_eq!(tally(&people, 2_000, Some(3)).get("answer"), None);
        assert!(tally(&people, 2_000, Some(12))["answer"] > 600);
        people.hours.utc_offset_minutes = 480;
        assert_eq!(people.hour(4 * 3_600_000), 12);
    }

    #[test]
    fn keys_come_in_order_and_before_the_hang_up() {
        let mut people = Population::default();
        people.keys.second = 1.0;
        let mut pressed = 0;
        for n in 0..5_000 {
            let scenario = people.call_scenario(&format!("137{n:08}"), 1, None);
            assert!(scenario.keys.is_sorted_by_key(|press| press.after));
            if let Some(stay) = scenario.stay {
                assert!(scenario.keys.iter().all(|press| press.after < stay));
            }
            assert!(scenario.behaviour == Behaviour::Answer || scenario.keys.is_empty());
            pressed += scenario.keys.len();
        }
        assert!(pressed > 1_000, "{pressed}");
    }

    #[test]
    fn a_call_without_answer_has_a_final_response() {
        use Behaviour::*;
        for behaviour in
            [Busy, NoAnswer, Reject, PoweredOff, Unreachable, Vacant, Suspended, Restricted, Blocked]
        {
            let refusal = behaviour.refusal().expect("refused");
            assert!((400..700).contains(&refusal.code) && behaviour.outcome() != Outcome::Answered);
        }
        assert_eq!(Silent.refusal(), None);
    }
}
