import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fieldAt, isSame, keysOf, patchOf, withField } from "./patch";
import { TomlFault, isFields, readToml, type Fields } from "./toml";

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const sample = (name: string) => readFileSync(new URL(`../../../../../campaigns/${name}/campaign.toml`, import.meta.url), "utf8");

describe("a text is read", () => {
  test.each([
    ['a = 1 # one\nb="x"', { a: 1, b: "x" }],
    ["[t]\nx.y = true\n[t.z]\nw = 1.5e3\r\n", { t: { x: { y: true }, z: { w: 1500 } } }],
    ['[[d]]\ncode = "a"\n[[d]]\ncode = "b"\n[d.e]\nf = 0x1F', { d: [{ code: "a" }, { code: "b", e: { f: 31 } }] }],
    ['w = [ # days\n  { days = "mon-sun", from = "08:00" }, # all\n]', { w: [{ days: "mon-sun", from: "08:00" }] }],
    ["s = 'C:\\x'\nl = '''\none\n'two''''\nm = \"\"\"a\\\n   b\"\"\"", { s: "C:\\x", l: "one\n'two'", m: "ab" }],
    ['"*" = { blacklist = true }\nu = "\\u4e2d\\t"', { "*": { blacklist: true }, u: "中\t" }],
    ["n = 1_000\nd = 2026-11-21\nt = -3.5", { n: 1000, d: "2026-11-21", t: -3.5 }],
    ['"__proto__" = { x = 1 }', JSON.parse('{"__proto__":{"x":1}}')],
  ])("%s", (text, value) => expect(plain(readToml(text))).toEqual(value));

  test.each([["a = ", 1], ["a = 1\nb = x", 2], ['a = "x', 1], ["a = 1 2", 1], ["a = 1\na = 2", 2], ["\n\n[a", 3], ["a = {b = 1", 1], [`a = ${"[".repeat(99)}`, 1]])("%j has a fault in line %i", (text, line) => {
    try {
      readToml(text);
      expect.unreachable();
    } catch (fault) {
      expect((fault as TomlFault).line).toBe(line);
    }
  });

  test("and so are the samples", () => {
    expect(fieldAt(readToml(sample("jade-garden")), "keys.9.repeat")).toBe(true);
    expect(fieldAt(readToml(sample("jade-garden-calls")), "dispositions")).toHaveLength(7);
    expect(({} as Record<string, unknown>)["x"]).toBe(undefined);
  });
});

/** RFC 7396, as the service does it. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch as Record<string, unknown>)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value) as Fields;
  }
  return result;
}

describe("a patch", () => {
  const cases: [Fields, Fields][] = [
    [{ a: 1 }, { a: 2 }], [{ a: { b: 1, c: 2 } }, { a: { b: 1 } }], [{ a: [1] }, { a: [1, 2] }], [{ a: 1 }, { a: { b: { c: "x" } } }],
    [{ k: { "1": { result: "agree" } } }, { k: { "1": { repeat: true }, "2": {} } }], [{ a: { b: 1 } }, {}], [{}, { e: {} }],
  ];
  test.each(cases)("leads from %j to %j", (from, to) => expect(isSame(merged(from, patchOf(from, to)), to)).toBe(true));

  test("of nothing is empty, and names its keys", () => {
    const fields = readToml(sample("jade-garden-calls"));
    expect(patchOf(fields, fields)).toEqual({});
    const next = withField(withField(fields, "calling.ring_secs", 20), "pacing.call_ratio", undefined);
    expect(keysOf(patchOf(fields, next)).sort()).toEqual(["calling.ring_secs", "pacing.call_ratio"]);
  });

  test("a table that is left empty goes too", () => {
    expect(withField({ a: { b: 1 } }, "a.b", undefined)).toEqual({});
    expect(withField({}, "a.b", 1)).toEqual({ a: { b: 1 } });
  });
});
