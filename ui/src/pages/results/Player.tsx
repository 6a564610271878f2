import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "../../kit/Button";
import { Choice } from "../../kit/Field";
import { heard, kept, newHearing } from "../../drawers/call/player/hearing";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { duration } from "../../words/format";

interface Props {
  /** Path of the recording. */
  source: string;
  /** Plays as soon as it can. */
  autoPlay?: boolean;
}

const SPEEDS = ["1", "1.25", "1.5", "2"] as const;
const STEP = 5;
const LONG_STEP = 15;
/** Parts of one call that are looked for. */
const PARTS_MAX = 20;

/** Plays a recording; it is fetched by ranges. Keys inside: space, arrows 5 s, shift and arrows 15 s. */
export function Player({ source, autoPlay = false }: Props) {
  const t = useWords();
  const audio = useRef<HTMLAudioElement>(null);
  const [part, setPart] = useState(1);
  const [hasNext, setHasNext] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState<number>();
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<(typeof SPEEDS)[number]>("1");
  const [isMissing, setMissing] = useState(false);
  const [hearing] = useState(newHearing);
  const { rights } = useMe();
  const own = part === 1 ? source : `${source}?part=${part}`;
  const path = heard(own, hearing);

  useEffect(() => {
    if (audio.current) audio.current.playbackRate = Number(speed);
  }, [speed, part]);

  const toggle = () => {
    const it = audio.current;
    if (!it) return;
    if (it.paused) void it.play().catch(() => setMissing(true));
    else it.pause();
  };
  const go = (to: number) => {
    if (audio.current && length !== undefined) audio.current.currentTime = Math.min(length, Math.max(0, to));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? LONG_STEP : STEP;
    if (event.key === "ArrowLeft") go(at - step);
    else if (event.key === "ArrowRight") go(at + step);
    else if (event.key === " " && !(event.target instanceof HTMLButtonElement) && !(event.target instanceof HTMLSelectElement)) toggle();
    else return;
    if (event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
  };
  // A call that was recorded in several parts has several files, and no route says how many.
  const lookForNext = () => {
    if (part >= PARTS_MAX) return;
    void fetch(heard(`${source}?part=${part + 1}`, hearing), { headers: { Range: "bytes=0-0" }, credentials: "same-origin" }).then((answer) => setHasNext(answer.ok), () => setHasNext(false));
  };
  const toPart = (next: number) => {
    setPart(next);
    setHasNext(false);
    setAt(0);
    setLength(undefined);
  };
  if (isMissing) return <p className="refusal" role="alert">{t("results.noFile")} <Button kind="link" size="small" onClick={() => setMissing(false)}>{t("common.retry")}</Button></p>;
  return (
    <div className="player" role="group" aria-label={t("results.player")} onKeyDown={onKeyDown}>
      <audio ref={audio} src={path} preload={autoPlay || part > 1 ? "auto" : "none"} autoPlay={autoPlay || part > 1}
        onLoadedMetadata={(event) => { setLength(Number.isFinite(event.currentTarget.duration) ? event.currentTarget.duration : undefined); event.currentTarget.playbackRate = Number(speed); }}
        onDurationChange={(event) => { if (Number.isFinite(event.currentTarget.duration)) setLength(event.currentTarget.duration); }}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)} onPlay={() => setPlaying(true)} onPause={() => setPlaying(false)}
        onEnded={() => { setPlaying(false); lookForNext(); }} onError={() => setMissing(true)} />
      <Button size="small" keys="Space" label={t(isPlaying ? "results.pause" : "results.play")} onClick={toggle}>{isPlaying ? <PauseMark /> : <PlayMark />}</Button>
      <input type="range" className="seek" aria-label={t("results.position")} min={0} max={Math.max(1, Math.ceil(length ?? 1))} step={1} value={Math.floor(at)}
        aria-valuetext={`${duration(at)} / ${length === undefined ? "–" : duration(length)}`} onChange={(event) => go(Number(event.target.value))} />
      <span className="time">{duration(at)} / {length === undefined ? "–:––" : duration(length)}</span>
      <Choice label={t("results.speed")} value={speed} onChange={setSpeed} options={SPEEDS.map((it) => ({ value: it, label: `${it}×` }))} />
      {part > 1 ? <Button size="small" onClick={() => toPart(part - 1)}>{t("results.partBefore", { n: part - 1 })}</Button> : null}
      {hasNext ? <Button size="small" onClick={() => toPart(part + 1)}>{t("results.partNext", { n: part + 1 })}</Button> : null}
      {rights.has("exports.make") ? <a className="button small" href={kept(own)} download>{t("results.download")}</a> : null}
    </div>
  );
}

export function PlayMark() {
  return <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" fill="currentColor"><path d="M4 2.500v11l9-5.500z" /></svg>;
}

export function PauseMark() {
  return <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" fill="currentColor"><path d="M3.500 2.500h3v11h-3zM9.500 2.500h3v11h-3z" /></svg>;
}
