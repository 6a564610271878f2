import { useEffect, useRef } from "react";
import { useWords } from "../../words";

interface Props {
  /** Loudest sample of each part, 0 to 1. */
  peaks: readonly number[];
  /** Share that was played, 0 to 1. */
  at: number;
  onGo: (share: number) => void;
}

/** A bar and the gap after it, in CSS pixels. */
const BAR = 3;
/** The loudest peak of a sound that is drawn as small as it is: noise must not look like speech. */
const QUIETEST = 0.02;

/** The sound's loudness over its length; a click goes there. The slider beside it does the same by keys, so that this is no control of its own. */
export function Waveform({ peaks, at, onGo }: Props) {
  const t = useWords();
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
    <canvas ref={canvas} className="waveform" role="img" aria-label={t("audio.waveform")}
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
  // What is sent has a level well below full scale: the loudest part fills the height.
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
