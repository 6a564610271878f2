/** Least, median and most of some runs. Pure. */
export interface Spread {
  least: number;
  median: number;
  most: number;
}

/** `undefined` without a value: nothing is known, which is not zero. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const [least, median, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted[sorted.length - 1]];
  return least === undefined || median === undefined || most === undefined ? undefined : { least, median, most };
}
