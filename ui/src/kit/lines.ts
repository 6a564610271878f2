/** Differences of two texts by line, and the merge of two changes of one text. Pure. */

export interface LineChange {
  kind: "same" | "removed" | "added";
  /** From 1. */
  before: number | null;
  after: number | null;
  text: string;
}

/** A table of more cells than this is not made: what differs then counts as replaced whole. */
const CELLS_MAX = 4_000_000;

export const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** Pairs of equal lines, in order: a longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): [number, number][] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const pairs: [number, number][] = Array.from({ length: start }, (_, n) => [n, n]);
  const [rows, columns] = [a.length - start - end, b.length - start - end];
  if (rows * columns <= CELLS_MAX) pairs.push(...longest(a.slice(start, start + rows), b.slice(start, start + columns)).map(([i, j]): [number, number] => [i + start, j + start]));
  for (let n = end; n > 0; n -= 1) pairs.push([a.length - n, b.length - n]);
  return pairs;
}

function longest(a: readonly string[], b: readonly string[]): [number, number][] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}

export function diffLines(before: string, after: string): LineChange[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  const changes: LineChange[] = [];
  let [i, j] = [0, 0];
  for (const [nextA, nextB] of [...commonLines(a, b), [a.length, b.length] as const]) {
    for (; i < nextA; i += 1) changes.push({ kind: "removed", before: i + 1, after: null, text: a[i] ?? "" });
    for (; j < nextB; j += 1) changes.push({ kind: "added", before: null, after: j + 1, text: b[j] ?? "" });
    if (i < a.length && j < b.length) changes.push({ kind: "same", before: ++i, after: ++j, text: a[nextA] ?? "" });
  }
  return changes;
}

/** A stretch of three texts: unchanged, changed by one side, by both in the same way, or by both differently. */
export interface Block {
  kind: "same" | "mine" | "theirs" | "both" | "conflict";
  base: string[];
  mine: string[];
  theirs: string[];
}

const equal = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((line, n) => line === b[n]);

/** Cuts the three texts at lines that all of them have. */
export function mergeBlocks(base: string, mine: string, theirs: string): Block[] {
  const [o, a, b] = [linesOf(base), linesOf(mine), linesOf(theirs)];
  const inMine = new Map(commonLines(o, a));
  const inTheirs = new Map(commonLines(o, b));
  const blocks: Block[] = [];
  let from = { o: 0, a: 0, b: 0 };
  const cut = (to: typeof from) => {
    const part = { base: o.slice(from.o, to.o), mine: a.slice(from.a, to.a), theirs: b.slice(from.b, to.b) };
    from = to;
    if (part.base.length + part.mine.length + part.theirs.length === 0) return;
    const kind = equal(part.mine, part.theirs) ? (equal(part.mine, part.base) ? "same" : "both")
      : equal(part.theirs, part.base) ? "mine" : equal(part.mine, part.base) ? "theirs" : "conflict";
    const last = blocks[blocks.length - 1];
    if (kind === "same" && last?.kind === "same") {
      for (const side of ["base", "mine", "theirs"] as const) last[side].push(...part[side]);
    } else blocks.push({ kind, ...part });
  };
  for (let n = 0; n < o.length; n += 1) {
    const [inA, inB] = [inMine.get(n), inTheirs.get(n)];
    if (inA === undefined || inB === undefined) continue;
    cut({ o: n, a: inA, b: inB });
    cut({ o: n + 1, a: inA + 1, b: inB + 1 });
  }
  cut({ o: o.length, a: a.length, b: b.length });
  return blocks;
}

export type Side = "mine" | "theirs" | "base";

/** The text of the blocks; what both changed differently is taken from the chosen side. */
export function joinBlocks(blocks: readonly Block[], choose: (block: Block, n: number) => Side): string {
  const lines = blocks.flatMap((block, n) => (block.kind === "conflict" ? block[choose(block, n)] : block.kind === "theirs" ? block.theirs : block.mine));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
