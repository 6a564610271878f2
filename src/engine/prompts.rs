//! What the house itself says and plays: music on hold, ring-back, the sorry message, agents' numbers.

use crate::audio::Sound;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Makes the announcement of an agent's number.
pub type SayNumber = Box<dyn Fn(&str) -> Sound + Send>;

/// Each sound is made once.
pub struct Prompts {
    pub hold_music: Arc<Sound>,
    pub ring_back: Arc<Sound>,
    pub sorry: Arc<Sound>,
    pub say_number: SayNumber,
    said: BTreeMap<String, Arc<Sound>>,
}

/// Announcements kept: one an agent.
const SAID_MAX: usize = 4_096;

impl Prompts {
    pub fn new(hold_music: Sound, ring_back: Sound, sorry: Sound, say_number: SayNumber) -> Self {
        Prompts {
            hold_music: Arc::new(hold_music),
            ring_back: Arc::new(ring_back),
            sorry: Arc::new(sorry),
            say_number,
            said: BTreeMap::new(),
        }
    }

    pub(super) fn agent_number(&mut self, number: &str) -> Arc<Sound> {
        if let Some(sound) = self.said.get(number) {
            return sound.clone();
        }
        let sound = Arc::new((self.say_number)(number));
        if self.said.len() < SAID_MAX {
            self.said.insert(number.to_owned(), sound.clone());
        }
        sound
    }
}

impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompts").field("said", &self.said.len()).finish_non_exhaustive()
    }
}
