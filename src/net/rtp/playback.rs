//! Playback position of a leg, and the silence that is sent between sounds.

use crate::audio::Sound;
use paceline_core::media::{Codec, g711, g722};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Playback of one sound. After a change of codec it continues at the same frame.
#[derive(Clone, Debug)]
pub struct Playback {
    sound: Arc<Sound>,
    /// Remaining plays; `None` = endless.
    plays: Option<u32>,
    /// Index of the next frame; the current frame is the one before it.
    next: usize,
    /// Frames of silence before the first one.
    pause: u32,
}

impl Playback {
    /// `plays` = 0: endless.
    pub fn new(sound: Arc<Sound>, plays: u32) -> Self {
        Playback { sound, plays: (plays > 0).then_some(plays), next: 0, pause: 0 }
    }

    /// The same after a pause.
    pub fn after(pause: Duration, sound: Arc<Sound>, plays: u32) -> Self {
        let pause = u32::try_from(pause.as_millis() / 20).unwrap_or(u32::MAX);
        Playback { pause, ..Playback::new(sound, plays) }
    }

    /// Advances to the next frame; `None` once all plays are over.
    pub fn advance(&mut self, codec: Codec) -> Option<()> {
        if self.pause > 0 {
            self.pause -= 1;
            return Some(());
        }
        let frames = self.sound.encoded(codec).len() / codec.frame_bytes();
        if self.next >= frames {
            self.plays = self.plays.map(|plays| plays.saturating_sub(1));
            self.next = 0;
        }
        if self.plays == Some(0) || frames == 0 {
            return None;
        }
        self.next += 1;
        Some(())
    }

    /// The frame that [`Playback::advance`] advanced to.
    pub fn current(&self, codec: Codec) -> Option<&[u8]> {
        let start = self.next.checked_sub(1)? * codec.frame_bytes();
        self.sound.encoded(codec).get(start..start + codec.frame_bytes())
    }
}

/// 20 ms of silence, sent to keep the path open through NAT and media gateways.
pub fn silence(codec: Codec) -> &'static [u8] {
    static G722: LazyLock<Vec<u8>> = LazyLock::new(|| {
        // The encoder needs a moment to settle.
        let mut encoder = g722::Encoder::new();
        encoder.encode(&[0; 3_200]);
        encoder.encode(&[0; 320])
    });
    match codec {
        Codec::Pcma => &[g711::ALAW_SILENCE; 160],
        Codec::Pcmu => &[g711::ULAW_SILENCE; 160],
        Codec::G722 => &G722,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playback_ends_after_the_requested_plays() {
        let sound = Arc::new(Sound::from_samples("two frames", &[0.5; 320], 8_000));
        for (plays, frames) in [(1, 2), (3, 6)] {
            let mut playback = Playback::new(sound.clone(), plays);
            let played = std::iter::from_fn(|| playback.advance(Codec::Pcma)).count();
            assert_eq!(played, frames, "{plays} plays");
        }
    }

    #[test]
    fn zero_plays_are_endless() {
        let sound = Arc::new(Sound::from_samples("two frames", &[0.5; 320], 8_000));
        let mut playback = Playback::new(sound, 0);
        assert!((0..10_001).all(|_| playback.advance(Codec::Pcma).is_some()));
        assert_eq!(
            Playback::new(Arc::new(Sound::from_samples("", &[], 8_000)), 0).advance(Codec::Pcma),
            None
        );
    }

    #[test]
    fn an_empty_sound_is_over_at_once() {
        let mut playback = Playback::new(Arc::new(Sound::from_samples("nothing", &[], 8_000)), 5);
        assert_eq!(playback.advance(Codec::G722), None);
    }

    #[test]
    fn silence_is_one_frame_in_every_codec() {
        for codec in Codec::ALL {
            assert_eq!(silence(codec).len(), codec.frame_bytes());
        }
    }
}
