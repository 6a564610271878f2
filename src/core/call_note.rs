//! What is noted of a call beside its SIP messages: the kinds of notes. Texts for people are made by a match without a
//! wildcard, so a kind without words does not compile.

use crate::call::HangUpCause;
use std::fmt::Display;

/// A fieldless enum of which each variant has one word, as the store keeps it.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$inner])* $variant,)+
        }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant,)+];

            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|it| it.word() == word)
            }
        }
    };
}

words! {
    /// The first word of a note.
    NoteKind {
        /// With the key, and the way it came: `key 1 rtp`.
        Key = "key",
        /// With what is played: [`Played`].
        Play = "play",
        PlayEnded = "play_ended",
        /// The callee holds, and the announcement waits.
        PlayHeld = "play_held",
        PlayResumed = "play_resumed",
        StopPlaying = "stop_playing",
        AudioBegins = "audio_begins",
        /// With `rtcp` where the far end still sends reports.
        AudioStopped = "audio_stopped",
        AudioResumed = "audio_resumed",
        /// With the measured packets and levels: `audio sent=152 sent_db=-13 received=150 lost=0`.
        Audio = "audio",
        Join = "join",
        JoinMuted = "join_muted",
        JoinWhisper = "join_whisper",
        Leave = "leave",
        SendDigits = "send_digits",
        Record = "record",
        StopRecording = "stop_recording",
        /// The answer is on disk: the ACK follows.
        AnswerSaved = "answer_saved",
        /// With the carrier's response, or `no answer`.
        NotRegistered = "not_registered",
        AccountRefused = "account_refused",
        SilentToOptions = "silent_to_options",
        /// With the cause: [`HangUpCause::word`].
        HangUp = "hang_up",
    }
}

words! {
    /// What is played to the callee.
    Played {
        Announcement = "announcement",
        HoldMusic = "hold_music",
        RingBack = "ring_back",
        AbandonMessage = "abandon_message",
        Prompt = "prompt",
    }
}

impl NoteKind {
    /// The note's text; an empty `rest` adds nothing.
    pub fn text(self, rest: impl Display) -> String {
        let text = format!("{} {rest}", self.word());
        text.trim_end().to_owned()
    }

    /// The kind of a note, and the rest of its text; `None` for a kind that this program does not know.
    pub fn parse(text: &str) -> Option<(NoteKind, &str)> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        NoteKind::from_word(word).map(|kind| (kind, rest))
    }
}

impl HangUpCause {
    pub const ALL: [HangUpCause; 9] = [
        HangUpCause::RingTimeout,
        HangUpCause::Finished,
        HangUpCause::Stopped,
        HangUpCause::MediaLost,
        HangUpCause::NotSaved,
        HangUpCause::AgentHungUp,
        HangUpCause::AgentFailed,
        HangUpCause::Abandoned,
        HangUpCause::SetupTimeout,
    ];

    /// As a note has it.
    pub const fn word(self) -> &'static str {
        match self {
            HangUpCause::RingTimeout => "ring_timeout",
            HangUpCause::SetupTimeout => "setup_timeout",
            HangUpCause::Finished => "finished",
            HangUpCause::Stopped => "stopped",
            HangUpCause::AgentHungUp => "agent",
            HangUpCause::AgentFailed => "agent_failed",
            HangUpCause::Abandoned => "abandoned",
            HangUpCause::MediaLost => "media_lost",
            HangUpCause::NotSaved => "not_saved",
        }
    }

    pub fn from_word(word: &str) -> Option<HangUpCause> {
        HangUpCause::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_as_it_was_written() {
        for kind in NoteKind::ALL {
            assert_eq!(NoteKind::parse(&kind.text("")), Some((*kind, "")));
            assert_eq!(NoteKind::parse(&kind.text("1 rtp")), Some((*kind, "1 rtp")));
        }
        assert_eq!(NoteKind::parse("something new"), None);
        for (place, cause) in HangUpCause::ALL.into_iter().enumerate() {
            assert_eq!(HangUpCause::from_word(cause.word()), Some(cause));
            assert!(HangUpCause::ALL[..place].iter().all(|it| it.word() != cause.word()), "{cause:?} twice");
        }
    }
}
