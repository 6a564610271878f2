//! Sounds of the far end, loaded once and shared by all its calls: files that the people file names,
//! generated tones for the rest.

use super::call_scenario::Behaviour;
use super::people::EarlyMedia;
use super::tones;
use crate::audio::{AudioError, Sound};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// One sound for each behaviour that has audio.
#[derive(Debug)]
pub struct Voices {
    ring_back: Arc<Sound>,
    spoken: BTreeMap<Behaviour, Arc<Sound>>,
}

impl Voices {
    /// Reads every file before the first call; an unreadable one is an error.
    pub fn load(early_media: &EarlyMedia, dir: &Path) -> Result<Voices, AudioError> {
        let mut spoken = BTreeMap::new();
        for behaviour in Behaviour::SPOKEN {
            let sound = match early_media.files.get(behaviour.word()) {
                Some(file) => Sound::load(&dir.join(file))?,
                None if behaviour.answers() => sound_of(behaviour.word(), &tones::greeting(behaviour)),
                None => sound_of(behaviour.word(), &tones::announcement(behaviour)),
            };
            spoken.insert(behaviour, Arc::new(sound));
        }
        Ok(Voices { ring_back: Arc::new(sound_of("ring_back", &tones::ring_back())), spoken })
    }

    pub fn ring_back(&self) -> Arc<Sound> {
        self.ring_back.clone()
    }

    /// The network's announcement for this behaviour.
    pub fn announcement(&self, behaviour: Behaviour) -> Arc<Sound> {
        self.spoken.get(&behaviour).unwrap_or(&self.ring_back).clone()
    }

    /// The audio after the answer.
    pub fn greeting(&self, behaviour: Behaviour) -> Arc<Sound> {
        self.announcement(behaviour)
    }
}

fn sound_of(name: &str, samples: &[i16]) -> Sound {
    let samples: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    Sound::from_samples(name, &samples, tones::RATE)
}
