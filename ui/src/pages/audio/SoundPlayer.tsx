import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Sound } from "../../api/words";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { useWords } from "../../words";
import { duration } from "../../words/format";
import { usePeaks } from "./data";
import { isWhole, union, type Spans } from "./sound";
import { Waveform } from "./Waveform";

interface Props {
  sound: Sound;
  /** Called once every part of the sound was played. */
  onHeard?: (() => void) | undefined;
}

const STEP = 5;

/** Plays a sound as it was sent, or as the telephone carries it. Keys inside: space, arrows 5 s. */
export function SoundPlayer({ sound, onHeard }: Props) {
  const t = useWords();
  const audio = useRef<HTMLAudioElement>(null);
  const [isTelephone, setTelephone] = useState(false);
  const [at, setAt] = useState(0);
  const [loaded, setLoaded] = useState<number>();
  const [isPlaying, setPlaying] = useState(false);
  const [cannot, setCannot] = useState(false);
  // The form is changed under a playing sound: it goes on where it was.
  const resume = useRef<{ at: number; plays: boolean }>(undefined);
  const heard = useRef<Spans>([]);
  const { data: peaks } = usePeaks(sound.id, sound.measured !== null);
  const length = loaded ?? (sound.measured === null ? undefined : sound.measured.millis / 1000);
  const source = `/api/v1/audio/${sound.id}/sound${isTelephone ? "?as=telephone" : ""}`;

  const note = () => {
    const it = audio.current;
    if (!it) return;
    setAt(it.currentTime);
    heard.current = union(heard.current, Array.from({ length: it.played.length }, (_, n) => [it.played.start(n), it.played.end(n)] as const));
    if (isWhole(heard.current, it.duration)) onHeard?.();
  };
  const toggle = () => {
    const it = audio.current;
    if (!it) return;
    // Pausing at once after playing rejects the promise, and is no fault.
    if (it.paused) void it.play().catch((error: unknown) => setCannot(!(error instanceof DOMException && error.name === "AbortError")));
    else it.pause();
  };
  const go = (to: number) => {
    if (audio.current && length !== undefined) audio.current.currentTime = Math.min(length, Math.max(0, to));
  };
  const change = (isOn: boolean) => {
    note();
    resume.current = { at: audio.current?.currentTime ?? 0, plays: audio.current?.paused === false };
    setCannot(false);
    setTelephone(isOn);
  };
  const onLoaded = () => {
    const it = audio.current;
    if (!it) return;
    setLoaded(Number.isFinite(it.duration) ? it.duration : undefined);
    const was = resume.current;
    resume.current = undefined;
    if (was === undefined) return;
    it.currentTime = Math.min(was.at, it.duration);
    if (was.plays) void it.play().catch(() => undefined);
  };
  // A sound that is left goes silent at once.
  useEffect(() => {
    const it = audio.current;
    return () => it?.pause();
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") go(at - STEP);
    else if (event.key === "ArrowRight") go(at + STEP);
    else if (event.key === " " && !(event.target instanceof HTMLButtonElement) && !(event.target instanceof HTMLInputElement && event.target.type === "checkbox")) toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = length === undefined ? "–:––" : duration(Math.round(length));
  return (
    <div className="sound-player" role="group" aria-label={t("audio.player")} onKeyDown={onKeyDown}>
      <audio ref={audio} src={source} preload="metadata" onLoadedMetadata={onLoaded} onTimeUpdate={note} onPlay={() => setPlaying(true)}
        onPause={() => { setPlaying(false); note(); }} onEnded={() => { setPlaying(false); note(); }} onError={() => setCannot(true)} />
      {peaks === undefined ? <p className="hint waveform-none">{t("audio.noPeaks")}</p> : <Waveform peaks={peaks} at={length === undefined ? 0 : at / length} onGo={(share) => go(share * (length ?? 0))} />}
      <div className="controls">
        <Button size="small" keys="Space" onClick={toggle}>{t(isPlaying ? "audio.pause" : "audio.play")}</Button>
        <input type="range" className="seek" aria-label={t("audio.position")} min={0} max={Math.max(1, Math.ceil(length ?? 1))} step={1} value={Math.floor(at)}
          aria-valuetext={`${duration(at)} / ${shown}`} onChange={(event) => go(Number(event.target.value))} />
        <span className="time">{duration(at)} / {shown}</span>
      </div>
      {sound.measured === null ? null : <Check label={t("audio.telephone")} isOn={isTelephone} onChange={change} help={t("audio.telephoneHelp")} />}
      {cannot ? <p className="refusal" role="alert">{t("audio.cannotPlay")} <Button kind="link" size="small" onClick={() => { setCannot(false); audio.current?.load(); }}>{t("common.retry")}</Button></p> : null}
    </div>
  );
}
