//! Voice prompts: digits, the agent's number, the prompts of signing in by telephone. Made once with a
//! speech synthesiser and built into the program; files of the same names override them.

use super::{AudioError, Refusal, Sound, decode, level};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Zh,
    En,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prompt {
    /// 0 to 9.
    Digit(u8),
    /// 工号 ("agent number").
    AgentNumber,
    /// 为您服务 ("at your service").
    AtYourService,
    /// No agent is free, goodbye: the message of an abandoned call.
    Sorry,
    /// Enter the agent number and the hash key.
    EnterAgentNumber,
    SignedIn,
    SignedOut,
    /// The agent number is unknown.
    NotKnown,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::Zh, Language::En];

    fn folder(self) -> &'static str {
        match self {
            Language::Zh => "zh",
            Language::En => "en",
        }
    }
}

impl Prompt {
    /// File name without extension.
    pub fn name(self) -> &'static str {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        match self {
            Prompt::Digit(digit) => DIGITS.get(usize::from(digit)).copied().unwrap_or("0"),
            Prompt::AgentNumber => "agent-number",
            Prompt::AtYourService => "at-your-service",
            Prompt::Sorry => "sorry",
            Prompt::EnterAgentNumber => "enter-agent-number",
            Prompt::SignedIn => "signed-in",
            Prompt::SignedOut => "signed-out",
            Prompt::NotKnown => "not-known",
        }
    }
}

macro_rules! spoken {
    ($($name:literal => $prompt:expr),* $(,)?) => {
        /// Each prompt with its Chinese and its English file.
        const FILES: &[(Prompt, &[u8], &[u8])] = &[$((
            $prompt,
            include_bytes!(concat!("prompts/zh/", $name, ".wav")),
            include_bytes!(concat!("prompts/en/", $name, ".wav")),
        )),*];
    };
}

spoken! {
    "0" => Prompt::Digit(0),
    "1" => Prompt::Digit(1),
    "2" => Prompt::Digit(2),
    "3" => Prompt::Digit(3),
    "4" => Prompt::Digit(4),
    "5" => Prompt::Digit(5),
    "6" => Prompt::Digit(6),
    "7" => Prompt::Digit(7),
    "8" => Prompt::Digit(8),
    "9" => Prompt::Digit(9),
    "agent-number" => Prompt::AgentNumber,
    "at-your-service" => Prompt::AtYourService,
    "sorry" => Prompt::Sorry,
    "enter-agent-number" => Prompt::EnterAgentNumber,
    "signed-in" => Prompt::SignedIn,
    "signed-out" => Prompt::SignedOut,
    "not-known" => Prompt::NotKnown,
}

/// The built-in prompts, decoded on first use.
static BUILT_IN: LazyLock<Prompts> =
    LazyLock::new(|| Prompts::built_in().unwrap_or_else(|error| Prompts::without_sounds(&error)));

/// One of the built-in prompts.
pub fn prompt(language: Language, prompt: Prompt) -> Arc<Sound> {
    BUILT_IN.prompt(language, prompt)
}

/// "工号 8001 为您服务", spoken by the built-in prompts.
pub fn agent_announcement(language: Language, number: &str) -> Sound {
    BUILT_IN.agent_announcement(language, number)
}

/// All prompts, ready to be sent.
#[derive(Clone, Debug)]
pub struct Prompts(BTreeMap<(Language, Prompt), Spoken>);

#[derive(Clone, Debug)]
struct Spoken {
    sound: Arc<Sound>,
    /// Samples at 16,000 and 8,000 Hz, to be concatenated with others.
    wide: Arc<[f32]>,
    narrow: Arc<[f32]>,
}

impl Prompts {
    /// The built-in prompts, overridden by files in `dir` such as `zh/sorry.wav` or `en/5.mp3`. Takes CPU
    /// time, so not for an async task.
    pub fn load(dir: Option<&Path>) -> Result<Prompts, AudioError> {
        let Some(dir) = dir else { return Ok(BUILT_IN.clone()) };
        let mut prompts = BUILT_IN.clone();
        for language in Language::ALL {
            for &(prompt, ..) in FILES {
                for end in ["wav", "mp3"] {
                    let file = dir.join(language.folder()).join(prompt.name()).with_extension(end);
                    if !file.exists() {
                        continue;
                    }
                    let read = super::read_bounded(&file).and_then(|bytes| Spoken::new(prompt, bytes.into()));
                    let spoken = read.map_err(|Refusal { found, hint }| AudioError { file, found, hint })?;
                    prompts.0.insert((language, prompt), spoken);
                }
            }
        }
        Ok(prompts)
    }

    fn built_in() -> Result<Prompts, Refusal> {
        let mut prompts = BTreeMap::new();
        for &(prompt, zh, en) in FILES {
            prompts.insert((Language::Zh, prompt), Spoken::new(prompt, zh.into())?);
            prompts.insert((Language::En, prompt), Spoken::new(prompt, en.into())?);
        }
        Ok(Prompts(prompts))
    }

    /// Fallback without any prompts. The tests rule it out; if it happens, calls must go on.
    fn without_sounds(error: &Refusal) -> Prompts {
        tracing::error!("the spoken prompts cannot be decoded: {error}");
        Prompts(BTreeMap::new())
    }

    pub fn prompt(&self, language: Language, prompt: Prompt) -> Arc<Sound> {
        let spoken = self.0.get(&(language, prompt));
        spoken.map_or_else(|| Arc::new(Sound::from_samples(prompt.name(), &[], 8_000)), |s| s.sound.clone())
    }

    /// The number digit by digit, between "agent number" and "at your service". Other characters are
    /// skipped.
    pub fn agent_announcement(&self, language: Language, number: &str) -> Sound {
        const DIGITS_MAX: usize = 12;
        let digits = number.chars().filter_map(|letter| letter.to_digit(10)).take(DIGITS_MAX);
        let mut pieces = vec![(Prompt::AgentNumber, 120)];
        pieces.extend(digits.map(|digit| (Prompt::Digit(digit as u8), 60)));
        pieces.push((Prompt::AtYourService, 0));
        let (mut wide, mut narrow) = (Vec::new(), Vec::new());
        for (prompt, gap_millis) in pieces {
            let Some(spoken) = self.0.get(&(language, prompt)) else { continue };
            wide.extend_from_slice(&spoken.wide);
            narrow.extend_from_slice(&spoken.narrow);
            wide.resize(wide.len() + gap_millis * 16, 0.0);
            narrow.resize(narrow.len() + gap_millis * 8, 0.0);
        }
        Sound::from_both(&format!("agent {number}"), &wide, &narrow)
    }
}

impl Spoken {
    fn new(prompt: Prompt, bytes: Cow<'_, [u8]>) -> Result<Spoken, Refusal> {
        let mut decoded = decode::decode(bytes.into_owned())?;
        let measured = level::level(&mut decoded)?;
        let sound = Sound::encode(prompt.name(), measured, &decoded.wide, &decoded.narrow);
        Ok(Spoken { sound: Arc::new(sound), wide: decoded.wide.into(), narrow: decoded.narrow.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paceline_core::media::Codec;

    #[test]
    fn every_prompt_speaks_in_both_languages_at_one_level() {
        let bytes: usize = FILES.iter().map(|(_, zh, en)| zh.len() + en.len()).sum();
        assert!(bytes < 200_000, "{bytes} bytes");
        for language in Language::ALL {
            for &(prompt, ..) in FILES {
                let sound = super::prompt(language, prompt);
                let (level, secs) = (sound.measured.rms_dbfs_out, sound.length.as_secs_f64());
                assert!((-24.0..=-18.0).contains(&level), "{language:?} {prompt:?}: {level:.1}");
                assert!((0.2..3.5).contains(&secs), "{language:?} {prompt:?}: {secs} s");
            }
        }
    }

    #[test]
    fn an_agents_number_is_said_digit_by_digit() {
        for language in Language::ALL {
            let secs = |number: &str| agent_announcement(language, number).length.as_secs_f64();
            let digit = |n: u8| prompt(language, Prompt::Digit(n)).measured.secs + 0.06;
            let (none, some) = (secs(""), secs("80-01"));
            let expected = none + digit(8) + 2.0 * digit(0) + digit(1);
            assert!((some - expected).abs() < 0.05, "{language:?}: {some} s, not {expected} s");
            assert_eq!(secs(&"9".repeat(1_000)), secs(&"9".repeat(12)));
        }
    }

    #[test]
    fn a_file_of_the_same_name_overrides_a_prompt() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("zh")).unwrap();
        let file = dir.path().join("zh/sorry.wav");
        std::fs::write(&file, FILES[3].2).unwrap();
        let prompts = Prompts::load(Some(dir.path())).unwrap();
        let (found, own) =
            (prompts.prompt(Language::Zh, Prompt::Sorry), prompt(Language::En, Prompt::Digit(3)));
        assert_eq!(found.encoded(Codec::Pcma), own.encoded(Codec::Pcma));
        std::fs::write(&file, b"not a sound").unwrap();
        assert_eq!(Prompts::load(Some(dir.path())).unwrap_err().file, file);
        assert!(Prompts::load(None).is_ok());
    }
}
