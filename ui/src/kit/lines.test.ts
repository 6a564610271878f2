import { expect, test } from "vitest";
import { diffLines, joinBlocks, linesOf, mergeBlocks, type Block } from "./lines";

const lines = (...all: string[]) => (all.length === 0 ? "" : `${all.join("\n")}\n`);

/** Numbers from a seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
const anyText = (next: () => number) => lines(...Array.from({ length: Math.floor(next() * 12) }, () => "abcde"[Math.floor(next() * 5)] ?? ""));

test("a difference has both texts in it, with their line numbers", () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const next = random(seed);
    const [before, after] = [anyText(next), anyText(next)];
    const changes = diffLines(before, after);
    expect(changes.filter((it) => it.kind !== "added").map((it) => it.text), `seed ${seed}`).toEqual(linesOf(before));
    expect(changes.filter((it) => it.kind !== "removed").map((it) => it.text), `seed ${seed}`).toEqual(linesOf(after));
    for (const it of changes) {
      if (it.before !== null) expect(linesOf(before)[it.before - 1]).toBe(it.text);
      if (it.after !== null) expect(linesOf(after)[it.after - 1]).toBe(it.text);
    }
  }
  expect(diffLines("a\nb\nc\n", "a\nx\nc\n").map((it) => it.kind)).toEqual(["same", "removed", "added", "same"]);
  expect(diffLines("a\n", "a\n").every((it) => it.kind === "same")).toBe(true);
});

test("a merge loses no line of either side", () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const next = random(seed);
    const [base, mine, theirs] = [anyText(next), anyText(next), anyText(next)];
    const blocks = mergeBlocks(base, mine, theirs);
    const side = (of: "base" | "mine" | "theirs") => blocks.flatMap((it) => it[of]);
    expect(side("base"), `seed ${seed}`).toEqual(linesOf(base));
    expect(side("mine"), `seed ${seed}`).toEqual(linesOf(mine));
    expect(side("theirs"), `seed ${seed}`).toEqual(linesOf(theirs));
    // Where one side changed nothing, the other's text is the result.
    const pick = (of: Block[]) => joinBlocks(of, () => "mine");
    expect(pick(mergeBlocks(base, mine, base)), `seed ${seed}`).toBe(mine);
    expect(pick(mergeBlocks(base, base, theirs)), `seed ${seed}`).toBe(theirs);
    expect(mergeBlocks(base, mine, mine).some((it) => it.kind === "conflict"), `seed ${seed}`).toBe(false);
  }
});

test("changes in different places are both taken; in the same place a choice is asked", () => {
  const base = lines("a", "b", "c", "d", "e");
  const both = mergeBlocks(base, lines("A", "b", "c", "d", "e"), lines("a", "b", "c", "d", "E"));
  expect(both.map((it) => it.kind)).toEqual(["mine", "same", "theirs"]);
  expect(joinBlocks(both, () => "mine")).toBe(lines("A", "b", "c", "d", "E"));
  const same = mergeBlocks(base, lines("a", "b", "x", "d", "e"), lines("a", "b", "y", "d", "e"));
  expect(same.map((it) => it.kind)).toEqual(["same", "conflict", "same"]);
  expect(joinBlocks(same, () => "theirs")).toBe(lines("a", "b", "y", "d", "e"));
  expect(joinBlocks(same, () => "base")).toBe(base);
});
