/** Axes and labels of plots: where they end, where their lines stand, where labels go that would cover each other. Pure. */

/** Lines of the grid above zero. */
export const GRID = 4;
const STEPS = [1, 2, 2.5, 5, 10];

/** The top of an axis that starts at zero: four equal steps of a plain number. `isWhole` = steps of whole things. */
export function niceTop(max: number, isWhole: boolean): number {
  const least = isWhole ? GRID : 0;
  const wanted = Math.max(max, least, Number.EPSILON) / GRID;
  const power = 10 ** Math.floor(Math.log10(wanted));
  for (const step of STEPS) {
    const size = step * power;
    // 2.5 of a whole thing is none.
    if (isWhole && !Number.isInteger(size)) continue;
    if (size >= wanted * (1 - 1e-9)) return size * GRID;
  }
  return 10 * power * GRID;
}

/** Values of the grid, zero included. */
export const gridOf = (top: number): number[] => Array.from({ length: GRID + 1 }, (_, n) => (top / GRID) * n);

/**
 * Moves labels apart that would cover each other, as little as it takes, within `from` and `until`.
 * @param wanted where each label would stand
 * @returns where it stands, in the same order
 */
export function spread(wanted: readonly number[], distance: number, from: number, until: number): number[] {
  const order = wanted.map((_, n) => n).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed: number[] = [];
  order.forEach((index, n) => {
    const least = n === 0 ? from : (placed[n - 1] ?? from) + distance;
    placed.push(Math.max(least, wanted[index] ?? from));
  });
  for (let n = placed.length - 1; n >= 0; n -= 1) {
    const most = n === placed.length - 1 ? until : (placed[n + 1] ?? until) - distance;
    placed[n] = Math.min(placed[n] ?? most, most);
  }
  const at: number[] = [];
  order.forEach((index, n) => { at[index] = placed[n] ?? 0; });
  return at;
}

/** Each series on top of those before it. A moment at which no series has a value stays a gap. */
export function stack(series: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const length = series[0]?.length ?? 0;
  const sums = new Array<number>(length).fill(0);
  const isGap = sums.map((_, n) => series.every((values) => (values[n] ?? null) === null));
  return series.map((values) => values.map((value, n) => {
    sums[n] = (sums[n] ?? 0) + (value ?? 0);
    return isGap[n] ? null : (sums[n] ?? 0);
  }));
}

/** The place of the last value; -1 = there is none. */
export function lastOf(values: readonly (number | null)[]): number {
  for (let n = values.length - 1; n >= 0; n -= 1) if (values[n] !== null && values[n] !== undefined) return n;
  return -1;
}
