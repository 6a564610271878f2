import type { Sound } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { useLanguage, useWords, type Translate } from "../../words";
import { count, duration } from "../../words/format";
import { bytes } from "./sound";

/** Decibels below full scale, with the sign of a number. */
export const decibels = (level: number, digits: number): string => `${level.toFixed(digits).replace("-", "\u2212")} dB`;
export const seconds = (millis: number): string => (millis / 1000).toFixed(1);

function channelWords(channels: number, t: Translate): string {
  return channels === 1 ? t("audio.mono") : channels === 2 ? t("audio.stereo") : t("audio.channels", { n: channels });
}

/** What was measured, and what callees will notice, as sentences. */
export function SoundFacts({ sound }: { sound: Sound }) {
  const t = useWords();
  const language = useLanguage();
  const { measured } = sound;
  if (sound.error !== null) return <p className="sound-warning alarm-ink"><Glyph name="alarm" /> {sound.error[language]}</p>;
  if (measured === null) return <p>{t("sound.measuring")}</p>;
  return (
    <>
      <dl className="facts">
        <dt>{t("audio.length")}</dt><dd>{duration(Math.round(measured.millis / 1000))}</dd>
        <dt>{t("audio.level")}</dt><dd>{decibels(measured.level_db, 0)}</dd>
        <dt>{t("audio.peak")}</dt><dd>{decibels(measured.peak_db, 1)}</dd>
        <dt>{t("audio.clipped")}</dt><dd>{count(measured.clipped)}</dd>
        <dt>{t("audio.silence")}</dt><dd>{t("audio.silenceOf", { head: seconds(measured.silence_head_ms), tail: seconds(measured.silence_tail_ms) })}</dd>
        <dt>{t("audio.form")}</dt><dd>{channelWords(measured.channels, t)} · {count(measured.sample_rate)} Hz · {bytes(sound.bytes)}</dd>
      </dl>
      {sound.warnings.length === 0 ? <p className="hint">{t("audio.noWarnings")}</p> : (
        <ul className="sound-warnings" aria-label={t("audio.warnings")}>
          {sound.warnings.map((it) => <li key={it.en} className="sound-warning waiting-ink"><Glyph name="warning" /> {it[language]}</li>)}
        </ul>
      )}
    </>
  );
}
