import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "../../../kit/Button";
import { Choice } from "../../../kit/Field";
import { PauseMark, PlayMark } from "../../../pages/results/Player";
import { useMe } from "../../../session";
import { useWords } from "../../../words";
import { duration, visible } from "../../../words/format";
import { usePeaks, type CallDetail, type CallRecording } from "../call-data";
import { heard, kept, newHearing } from "./hearing";
import { actOf, underOf } from "./keys";
import { Lanes } from "./Lanes";

const SPEEDS = ["1", "1.25", "1.5", "2"] as const;

/** The recording of a call: its parts one after the other. Nothing is fetched, and nothing is on record, before it is played. */
export function CallPlayer({ call }: { call: CallDetail }) {
  const t = useWords();
  const [place, setPlace] = useState(0);
  const [hearing] = useState(newHearing);
  const [goesOn, setGoesOn] = useState(false);
  const part = call.recordings[place] ?? call.recordings[0];
  if (part === undefined) return null;
  const go = (next: number, plays: boolean) => {
    setGoesOn(plays);
    setPlace(next);
  };
  return (
    <>
      {call.recordings.length === 1 ? null : (
        <div className="parts" role="group" aria-label={t("call.parts")}>
          {call.recordings.map((it, n) => <Button key={it.part} size="small" kind={n === place ? "primary" : undefined} onClick={() => go(n, false)}>{t("call.partOf", { n: it.part, length: duration(it.millis / 1000) })}</Button>)}
        </div>
      )}
      <Part key={part.part} call={call} part={part} hearing={hearing} startsAtOnce={goesOn} onEnded={() => { if (place + 1 < call.recordings.length) go(place + 1, true); }} />
      {part.recovered ? <p className="hint">{t("call.recovered", { length: duration(part.millis / 1000) })}</p> : null}
      {part.lost_frames > 0 ? <p className="hint">{t("call.lostFrames", { n: part.lost_frames })}</p> : null}
    </>
  );
}

interface PartProps {
  call: CallDetail;
  part: CallRecording;
  hearing: number;
  startsAtOnce: boolean;
  onEnded: () => void;
}

function Part({ call, part, hearing, startsAtOnce, onEnded }: PartProps) {
  const t = useWords();
  const { rights } = useMe();
  const audio = useRef<HTMLAudioElement>(null);
  const [at, setAt] = useState(0);
  const [loaded, setLoaded] = useState<number>();
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<(typeof SPEEDS)[number]>("1");
  const [isMissing, setMissing] = useState(false);
  // Where to begin: a position that was chosen before anything was fetched.
  const wanted = useRef(0);
  const { data: peaks } = usePeaks(call, part.part);
  const length = loaded ?? part.millis / 1000;

  useEffect(() => {
    if (audio.current) audio.current.playbackRate = Number(speed);
  }, [speed]);
  const play = () => {
    const it = audio.current;
    if (!it) return;
    if (it.getAttribute("src") === null) {
      it.src = heard(part.source, hearing);
      it.load();
    }
    // Pausing at once after playing rejects the promise, and is no fault.
    void it.play().catch((error: unknown) => setMissing(!(error instanceof DOMException && error.name === "AbortError")));
  };
  const begin = useRef(play);
  useEffect(() => {
    const it = audio.current;
    if (startsAtOnce) begin.current();
    // A recording that is left goes silent at once.
    return () => it?.pause();
  }, [startsAtOnce]);
  const toggle = () => {
    if (audio.current?.paused === false) audio.current.pause();
    else play();
  };
  const go = (to: number) => {
    const next = Math.min(length, Math.max(0, to));
    wanted.current = next;
    setAt(next);
    if (audio.current && loaded !== undefined) audio.current.currentTime = next;
  };
  const onLoaded = () => {
    const it = audio.current;
    if (!it) return;
    if (Number.isFinite(it.duration)) setLoaded(it.duration);
    it.playbackRate = Number(speed);
    if (wanted.current > 0) it.currentTime = wanted.current;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const act = actOf(event, underOf(event.target));
    if (act === undefined) return;
    if (act.kind === "toggle") toggle();
    else go((audio.current?.currentTime || at) + act.by);
    event.preventDefault();
    event.stopPropagation();
  };
  const names = [t("call.lane_owner"), t("call.lane_agent")];
  if (isMissing) return <p className="refusal" role="alert">{t("results.noFile")} <Button kind="link" size="small" onClick={() => setMissing(false)}>{t("common.retry")}</Button></p>;
  return (
    <div className="player call-player" role="group" aria-label={t("results.player")} onKeyDown={onKeyDown}>
      <audio ref={audio} preload="none" onLoadedMetadata={onLoaded} onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onPlay={() => setPlaying(true)} onPause={() => setPlaying(false)} onEnded={() => { setPlaying(false); wanted.current = 0; onEnded(); }} onError={() => setMissing(true)} />
      {peaks === undefined || peaks.lanes.length === 0 ? null : <Lanes lanes={peaks.lanes} names={names} marks={part.marks} length={length} at={at} onGo={go} />}
      <div className="controls">
        <Button size="small" keys="Space" label={t(isPlaying ? "results.pause" : "results.play")} onClick={toggle}>{isPlaying ? <PauseMark /> : <PlayMark />}</Button>
        <input type="range" className="seek" aria-label={t("results.position")} min={0} max={Math.max(1, Math.ceil(length))} step={1} value={Math.floor(at)}
          aria-valuetext={`${duration(at)} / ${duration(length)}`} onChange={(event) => go(Number(event.target.value))} />
        <span className="time">{duration(at)} / {duration(length)}</span>
        <Choice label={t("results.speed")} value={speed} onChange={setSpeed} options={SPEEDS.map((it) => ({ value: it, label: `${it}×` }))} />
        {rights.has("exports.make") ? <a className="button small" href={kept(part.source)} download>{t("results.download")}</a> : null}
      </div>
      {part.marks.length === 0 ? null : (
        <p className="mark-list"><span className="hint">{t("call.marks")}</span>
          {part.marks.map((mark, n) => (
            <Button key={n} kind="link" size="small" onClick={() => go(mark.at_ms / 1000)}>
              {mark.kind === "hold" ? t("call.mark_hold", { from: duration(mark.at_ms / 1000), until: duration((mark.until_ms ?? mark.at_ms) / 1000) }) : t("call.mark_key", { key: visible(mark.key ?? ""), at: duration(mark.at_ms / 1000) })}
            </Button>
          ))}
        </p>
      )}
      <p className="hint player-keys">{t("call.playerKeys")}</p>
    </div>
  );
}
