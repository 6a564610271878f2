//! Commands from the engine to a media leg.

use super::capture::AudioCapture;
use super::recording::Recording;
use crate::audio::Sound;
use paceline_core::call::Digit;
use paceline_core::ids::MixId;
use paceline_core::media::{MediaTarget, Voice};
use std::sync::Arc;

/// A command for one leg. The media thread that owns the leg executes it at its next tick.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// Send to this target in its codec and direction. If the target moved, latching starts anew. On hold
    /// nothing is sent; playback pauses and resumes where it was.
    Connect(MediaTarget),
    /// Play from the start, `plays` times, then report `Heard::PlayEnded`; 0 = endless. Replaces the
    /// current playback. Meanwhile the leg hears the sound instead of its mix; its own voice still
    /// reaches the mix.
    Play {
        sound: Arc<Sound>,
        plays: u32,
    },
    StopPlaying,
    /// Look for keys as tones in the received audio, until a key comes as an RTP event or the leg joins a mix.
    DetectTones,
    /// The far end reported a key press by SIP INFO. It is reported like the others, once per press.
    PressedByInfo(Digit),
    /// Send RFC 4733 digits, one after the other (the simulated callees press keys).
    SendDigits(Vec<Digit>),
    /// Capture the received audio from now on.
    Capture(AudioCapture),
    /// Record from now on, replacing any recording under way, until `StopRecording` or the end of the
    /// leg.
    Record(Recording),
    StopRecording,
    /// Join the mix at the next tick, or change the voice inside it. Leaves any other mix first.
    Join {
        mix: MixId,
        voice: Voice,
    },
    /// Leave the mix. The leg is then sent silence, or what it plays.
    Leave,
    /// Report `MediaEvent::Measured` at once.
    Measure,
    /// Send RTCP BYE, close the sockets, release the ports, report `MediaEvent::Closed`.
    Close,
}
