import { useEffect, useRef } from "react";
import type { Schemas } from "../../../api/words";
import { useWords } from "../../../words";
import { duration, visible } from "../../../words/format";

interface Props {
  /** For each side the loudest sample of each part, 0 to 1. */
  lanes: readonly (readonly number[])[];
  names: readonly string[];
  marks: readonly Schemas["CallMark"][];
  /** Seconds. */
  length: number;
  at: number;
  onGo: (to: number) => void;
}

/** A bar and the gap after it, in CSS pixels. */
const BAR = 3;
/** The loudest peak that fills the height: noise must not look like speech. */
const QUIETEST = 0.05;

/** Both sides of a call, one below the other. A click goes there; the slider below does the same by keys. */
export function Lanes({ lanes, names, marks, length, at, onGo }: Props) {
  const t = useWords();
  const share = (ms: number) => `${length === 0 ? 0 : Math.min(100, (ms / 1000 / length) * 100)}%`;
  return (
    <div className="lanes">
      {lanes.map((peaks, n) => (
        <div key={n} className="lane-row">
          <span className="lane-name">{names[n] ?? ""}</span>
          <Lane name={t("call.loudness", { who: names[n] ?? String(n + 1) })} peaks={peaks} at={length === 0 ? 0 : at / length} onGo={(to) => onGo(to * length)} />
        </div>
      ))}
      {marks.length === 0 ? null : (
        <div className="lane-marks" aria-hidden="true">
          {marks.map((mark, n) => mark.kind === "hold"
            ? <span key={n} className="hold" style={{ left: share(mark.at_ms), width: `calc(${share(mark.until_ms ?? mark.at_ms)} - ${share(mark.at_ms)})` }} title={`${duration(mark.at_ms / 1000)}–${duration((mark.until_ms ?? mark.at_ms) / 1000)}`} />
            : <span key={n} className="key" style={{ left: share(mark.at_ms) }}>{visible(mark.key ?? "")}</span>)}
        </div>
      )}
    </div>
  );
}

function Lane({ name, peaks, at, onGo }: { name: string; peaks: readonly number[]; at: number; onGo: (share: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const it = canvas.current;
    if (!it) return;
    const redraw = () => draw(it, peaks, at);
    redraw();
    const resized = new ResizeObserver(redraw);
    resized.observe(it);
    // The theme is a class of the root, or the system's.
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", redraw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      system.removeEventListener("change", redraw);
    };
  }, [peaks, at]);
  return (
    <canvas ref={canvas} className="lane-wave" role="img" aria-label={name}
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        onGo(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
      }} />
  );
}

function draw(canvas: HTMLCanvasElement, peaks: readonly number[], at: number): void {
  const [width, height, scale] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio || 1];
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  if (!pen || width === 0 || peaks.length === 0) return;
  pen.scale(scale, scale);
  // Custom properties are not resolved by the canvas; these two of its own style are.
  const style = getComputedStyle(canvas);
  const [played, rest] = [style.color, style.caretColor];
  const top = Math.max(QUIETEST, ...peaks);
  const bars = Math.max(1, Math.floor(width / BAR));
  for (let n = 0; n < bars; n += 1) {
    const [first, end] = [Math.floor((n * peaks.length) / bars), Math.ceil(((n + 1) * peaks.length) / bars)];
    const peak = Math.max(0, ...peaks.slice(first, Math.max(end, first + 1)));
    const tall = Math.max(1, (peak / top) * (height - 2));
    pen.fillStyle = (n + 0.5) / bars <= at ? played : rest;
    pen.fillRect(n * BAR, (height - tall) / 2, BAR - 1, tall);
  }
}
