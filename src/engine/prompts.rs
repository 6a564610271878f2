//! Spoken prompts, hold music and ringback in one language; each sound is made once.

use crate::audio::{self, AudioError, Language, Prompt, Sound};
use paceline_core::dialer::output::Spoken;
use paceline_core::media::tone::Cadence;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug)]
pub struct Prompts {
    spoken: audio::Prompts,
    language: Language,
    hold_music: Arc<Sound>,
    ring_back: Arc<Sound>,
    numbers: BTreeMap<String, Arc<Sound>>,
}

/// Cached announcements of agent numbers.
const NUMBERS_MAX: usize = 4_096;

impl Prompts {
    /// The built-in sounds; files of the same names in `dir` replace them.
    ///
    /// # Errors
    /// A file there that cannot be played.
    pub fn load(language: Language, dir: Option<&Path>) -> Result<Prompts, AudioError> {
        let ring_back = Cadence::RINGBACK.period(8_000);
        let ring_back: Vec<f32> = ring_back.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect();
        Ok(Prompts {
            spoken: audio::Prompts::load(dir)?,
            language,
            hold_music: audio::hold_music(),
            ring_back: Arc::new(Sound::from_samples("ring-back", &ring_back, 8_000)),
            numbers: BTreeMap::new(),
        })
    }

    pub(super) fn hold_music(&self) -> Arc<Sound> {
        self.hold_music.clone()
    }

    pub(super) fn ring_back(&self) -> Arc<Sound> {
        self.ring_back.clone()
    }

    pub(super) fn sorry(&self) -> Arc<Sound> {
        self.spoken.prompt(self.language, Prompt::Sorry)
    }

    pub(super) fn spoken(&self, what: Spoken) -> Arc<Sound> {
        let prompt = match what {
            Spoken::EnterAgentNumber => Prompt::EnterAgentNumber,
            Spoken::SignedIn => Prompt::SignedIn,
            Spoken::SignedOut => Prompt::SignedOut,
            Spoken::NotKnown => Prompt::NotKnown,
        };
        self.spoken.prompt(self.language, prompt)
    }

    pub(super) fn agent_number(&mut self, number: &str) -> Arc<Sound> {
        if let Some(sound) = self.numbers.get(number) {
            return sound.clone();
        }
        let sound = Arc::new(self.spoken.agent_announcement(self.language, number));
        if self.numbers.len() < NUMBERS_MAX {
            self.numbers.insert(number.to_owned(), sound.clone());
        }
        sound
    }
}
