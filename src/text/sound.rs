//! What callees will notice about a sound, in words.

use super::Lang;

/// The measurements of a sound. Levels in decibels below full scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoundFacts {
    pub millis: u64,
    /// 0 = as it should be.
    pub millis_claimed: u64,
    pub level_db: f64,
    /// Samples at full scale.
    pub clipped: u64,
    pub silence_head_ms: u64,
    pub silence_tail_ms: u64,
    pub channels: u16,
    pub sample_rate: u32,
}

/// Silence at the beginning that makes people hang up, and at the end that makes them wait, in milliseconds.
const HEAD_MS_MAX: u64 = 1_000;
const TAIL_MS_MAX: u64 = 2_000;
/// A sound of this level is amplified so far that its noise is heard.
const QUIET_DB: f64 = -32.0;
/// Longer than what people listen to.
const LONG_MS: u64 = 60_000;
/// Below this the telephone sounds dull.
const RATE_MIN: u32 = 8_000;

impl Lang {
    /// Warnings, the most important first; none = the sound is fine.
    pub fn sound_warnings(self, sound: &SoundFacts) -> Vec<String> {
        let secs = |millis: u64| format!("{:.1}", millis as f64 / 1_000.0);
        let mut all = Vec::new();
        let mut warn = |is_so: bool, en: String, zh: String| {
            if is_so {
                all.push(match self {
                    Lang::En => en,
                    Lang::Zh => zh,
                });
            }
        };
        let (length, claimed) = (secs(sound.millis), secs(sound.millis_claimed));
        warn(
            sound.millis_claimed > 0,
            format!("the file claims {claimed} s and holds {length} s: it was cut off, upload it again"),
            format!("文件标称 {claimed} 秒,实际只有 {length} 秒:传输不完整,请重新上传"),
        );
        let head = secs(sound.silence_head_ms);
        warn(
            sound.silence_head_ms >= HEAD_MS_MAX,
            format!("there is no sound in the first {head} s: callees may hang up"),
            format!("前 {head} 秒没有声音,业主可能挂机"),
        );
        warn(
            sound.clipped > 0,
            format!(
                "{} samples are at full scale: the recording is distorted, record it less loud",
                sound.clipped
            ),
            format!("有 {} 个采样点削波,声音失真,请降低音量重新录制", sound.clipped),
        );
        warn(
            sound.level_db < QUIET_DB,
            format!(
                "it is quiet ({:.0} dB) and is amplified, noise included: record it louder",
                sound.level_db
            ),
            format!("音量偏低({:.0} dB),放大后噪声明显,建议重新录制", sound.level_db),
        );
        let tail = secs(sound.silence_tail_ms);
        warn(
            sound.silence_tail_ms >= TAIL_MS_MAX,
            format!("the last {tail} s are silent: callees wait for nothing"),
            format!("最后 {tail} 秒没有声音,业主会空等"),
        );
        warn(
            sound.millis > LONG_MS,
            format!("it is {length} s long: few callees listen for more than a minute"),
            format!("长 {length} 秒:很少有人会听超过一分钟"),
        );
        warn(
            sound.sample_rate > 0 && sound.sample_rate < RATE_MIN,
            format!(
                "{} samples a second are fewer than the telephone carries: it sounds dull",
                sound.sample_rate
            ),
            format!("采样率 {} Hz 低于电话音质,声音会发闷", sound.sample_rate),
        );
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fine_sound_has_no_warning_and_each_fault_has_one_in_both_languages() {
        let fine = SoundFacts {
            millis: 20_000,
            level_db: -19.0,
            channels: 1,
            sample_rate: 16_000,
            silence_head_ms: 200,
            silence_tail_ms: 400,
            ..SoundFacts::default()
        };
        assert_eq!(Lang::En.sound_warnings(&fine), Vec::<String>::new());
        let faults = [
            SoundFacts { millis_claimed: 40_000, ..fine },
            SoundFacts { silence_head_ms: 1_900, ..fine },
            SoundFacts { clipped: 3, ..fine },
            SoundFacts { level_db: -40.0, ..fine },
            SoundFacts { silence_tail_ms: 3_000, ..fine },
            SoundFacts { millis: 90_000, ..fine },
            SoundFacts { sample_rate: 6_000, ..fine },
        ];
        for fault in faults {
            let (en, zh) = (Lang::En.sound_warnings(&fault), Lang::Zh.sound_warnings(&fault));
            assert_eq!((en.len(), zh.len()), (1, 1), "{fault:?}");
            assert!(en[0].is_ascii() && !zh[0].is_ascii(), "{en:?} {zh:?}");
        }
        let head = Lang::Zh.sound_warnings(&faults[1]);
        assert_eq!(head, ["前 1.9 秒没有声音,业主可能挂机"]);
    }
}
