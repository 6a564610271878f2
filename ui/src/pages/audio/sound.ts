/** Bytes, names and heard parts of sounds. Pure. */

/** Largest sound that the service takes, in bytes. */
export const BYTES_MAX = 64 * 1024 * 1024;
/** Longest name of a sound, in bytes of UTF-8. */
const NAME_MAX = 255;
/** Seconds by which what a player says it played may fall short of the length. */
const SLACK = 0.4;

/** `3.2 MiB`, `41 KiB`, `812 B`. */
export function bytes(n: number): string {
  if (n >= 1024 * 1024) return `${(n / 1024 / 1024).toFixed(1)} MiB`;
  return n >= 1024 ? `${Math.round(n / 1024)} KiB` : `${n} B`;
}

/** Whether the service takes this name. */
export function isName(name: string): boolean {
  const length = new TextEncoder().encode(name).length;
  return length > 0 && length <= NAME_MAX && !/[/\\\u0000-\u001f\u007f-\u009f]/.test(name);
}

/** Parts of a sound, in seconds from its start. */
export type Spans = readonly (readonly [from: number, to: number])[];

/** Both sets of parts as one, in order, without overlap. */
export function union(one: Spans, other: Spans): Spans {
  const sorted = [...one, ...other].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last && from <= last[1] + 0.05) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Whether these parts are the whole sound: nothing was skipped. */
export function isWhole(spans: Spans, length: number): boolean {
  if (!Number.isFinite(length) || length <= 0) return false;
  return spans.reduce((sum, [from, to]) => sum + to - from, 0) >= length - Math.min(SLACK, length / 4);
}
