import { expect, test } from "vitest";
import { bytes, isName, isWhole, union } from "./sound";

test("parts that were heard are joined; a gap stays a gap", () => {
  expect(union([[0, 2]], [[1, 3]])).toEqual([[0, 3]]);
  expect(union([[5, 6]], [[0, 2]])).toEqual([[0, 2], [5, 6]]);
  expect(union([[0, 5]], [[1, 2]])).toEqual([[0, 5]]);
});

test("a sound is heard when nothing of it was skipped", () => {
  expect(isWhole([[0, 9.7]], 10)).toBe(true);
  expect(isWhole([[0, 4], [6, 10]], 10)).toBe(false);
  // The end alone is not the whole, however short the sound is.
  expect(isWhole([[0.25, 0.3]], 0.3)).toBe(false);
  expect(isWhole([], 0.3)).toBe(false);
  expect(isWhole([[0, 5]], Number.NaN)).toBe(false);
});

test("union never hears more than was played", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 500; round += 1) {
    const spans = Array.from({ length: 6 }, () => { const from = random() * 20; return [from, from + random() * 5] as const; });
    const joined = union(spans.slice(0, 3), spans.slice(3));
    for (let n = 1; n < joined.length; n += 1) expect(joined[n]![0], `seed 7, round ${round}`).toBeGreaterThan(joined[n - 1]![1]);
    for (const [from, to] of spans) expect(joined.some((it) => it[0] <= from && it[1] >= to), `seed 7, round ${round}`).toBe(true);
    const played = spans.reduce((sum, [from, to]) => sum + to - from, 0);
    expect(joined.reduce((sum, [from, to]) => sum + to - from, 0)).toBeLessThanOrEqual(played + 6 * 0.05 + 1e-9);
  }
});

test("names and sizes", () => {
  expect(isName("notice.wav")).toBe(true);
  expect(isName("通知 3 期.mp3")).toBe(true);
  for (const bad of ["", "a/b", "a\\b", "a\u0000", "语".repeat(86)]) expect(isName(bad), bad).toBe(false);
  expect(bytes(812)).toBe("812 B");
  expect(bytes(41_000)).toBe("40 KiB");
  expect(bytes(3_400_000)).toBe("3.2 MiB");
});
