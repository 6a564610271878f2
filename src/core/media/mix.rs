//! Routing inside a mix and the sum of the voices: every member hears all others but not itself, in
//! linear samples at 8,000 a second, saturating. Packets and codecs are in `net::rtp`.

use crate::ids::CallId;
use serde::{Deserialize, Serialize};

/// Samples of 20 ms.
pub const SAMPLES: usize = 160;
pub type Frame = [i16; SAMPLES];

/// Which members hear this member. No member hears itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// Heard by all: a party to the call.
    Everyone,
    /// Heard by no member: a listener (monitor), or a muted party.
    Nobody,
    /// Heard by one member only: a whisper (coaching).
    Only(CallId),
}

impl Voice {
    pub fn reaches(self, listener: CallId) -> bool {
        match self {
            Voice::Everyone => true,
            Voice::Nobody => false,
            Voice::Only(one) => one == listener,
        }
    }
}

/// The input of one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MixInput {
    #[default]
    Silence,
    /// A single voice, by index among the members: it can be relayed without mixing.
    Single(usize),
    Several,
}

/// The input of the member at index `place`.
pub fn mix_input(members: impl Iterator<Item = (CallId, Voice)>, place: usize, listener: CallId) -> MixInput {
    let mut input = MixInput::Silence;
    for (n, (_, voice)) in members.enumerate() {
        if n == place || !voice.reaches(listener) {
            continue;
        }
        input = match input {
            MixInput::Silence => MixInput::Single(n),
            _ => return MixInput::Several,
        };
    }
    input
}

/// Sum of the voices that reach all members.
#[derive(Clone, Debug)]
pub struct Sum([i32; SAMPLES]);

impl Sum {
    pub fn new() -> Self {
        Sum([0; SAMPLES])
    }

    pub fn add(&mut self, frame: &Frame) {
        for (sum, &sample) in self.0.iter_mut().zip(frame) {
            *sum += i32::from(sample);
        }
    }

    /// Subtracts one voice that was added before.
    pub fn without(&self, frame: &Frame) -> Sum {
        let mut rest = self.clone();
        for (sum, &sample) in rest.0.iter_mut().zip(frame) {
            *sum -= i32::from(sample);
        }
        rest
    }

    /// Saturates at full scale instead of wrapping, which would crackle.
    pub fn frame(&self) -> Frame {
        self.0.map(|sum| sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16)
    }
}

impl Default for Sum {
    fn default() -> Self {
        Sum::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const CALLEE: CallId = CallId(1);
    const AGENT: CallId = CallId(2);
    const LEAD: CallId = CallId(3);

    fn inputs(members: &[(CallId, Voice)]) -> Vec<MixInput> {
        (0..members.len()).map(|n| mix_input(members.iter().copied(), n, members[n].0)).collect()
    }

    #[test]
    fn voices_determine_the_input_of_each_member() {
        use MixInput::{Several, Silence, Single};
        use Voice::{Everyone, Only};
        type Case<'a> = (&'a str, &'a [(CallId, Voice)], &'a [MixInput]);
        let cases: [Case<'_>; 7] = [
            ("alone", &[(CALLEE, Everyone)], &[Silence]),
            ("a call", &[(CALLEE, Everyone), (AGENT, Everyone)], &[Single(1), Single(0)]),
            ("muted", &[(CALLEE, Everyone), (AGENT, Voice::Nobody)], &[Silence, Single(0)]),
            (
                "a listener",
                &[(CALLEE, Everyone), (AGENT, Everyone), (LEAD, Voice::Nobody)],
                &[Single(1), Single(0), Several],
            ),
            (
                "a whisper",
                &[(CALLEE, Everyone), (AGENT, Everyone), (LEAD, Only(AGENT))],
                &[Single(1), Several, Several],
            ),
            (
                "barged in",
                &[(CALLEE, Everyone), (AGENT, Everyone), (LEAD, Everyone)],
                &[Several, Several, Several],
            ),
            ("to oneself", &[(CALLEE, Only(CALLEE)), (AGENT, Everyone)], &[Single(1), Silence]),
        ];
        for (what, members, expected) in cases {
            assert_eq!(inputs(members), expected, "{what}");
        }
    }

    #[test]
    fn subtracting_a_voice_equals_never_adding_it() {
        for seed in 0..200u64 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let count = random.random_range(1..9);
            let frames: Vec<Frame> = (0..count)
                .map(|_| std::array::from_fn(|_| random.random_range(i16::MIN..=i16::MAX)))
                .collect();
            let mut all = Sum::new();
            frames.iter().for_each(|frame| all.add(frame));
            for own in 0..count {
                let mut others = Sum::new();
                frames.iter().enumerate().filter(|(n, _)| *n != own).for_each(|(_, frame)| others.add(frame));
                assert_eq!(all.without(&frames[own]).frame(), others.frame(), "seed {seed}");
            }
        }
    }

    #[test]
    fn two_loud_voices_saturate() {
        let mut sum = Sum::new();
        sum.add(&[30_000; SAMPLES]);
        sum.add(&[30_000; SAMPLES]);
        assert_eq!(sum.frame(), [i16::MAX; SAMPLES]);
        assert_eq!(sum.without(&[30_000; SAMPLES]).frame(), [30_000; SAMPLES]);
    }
}
