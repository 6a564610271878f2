import { expect, test } from "vitest";
import { changesOf, joinTexts, keepDraft, keptDraft, readText, withFields, withText, type Base } from "./draft";
import { withField } from "./patch";

const toml = '# The sample\nname = "vote"\n\n[calling]\nring_secs = 30   # usual: 45\ncalls_per_sec = 4.0\n\n[retry]\nattempts_max = 2\n';
const base: Base = { toml, etag: '"v3"', version: 3 };
const fields = readText(toml).fields ?? {};

function memory(): Storage {
  const map = new Map<string, string>();
  return {
    get length() { return map.size; }, key: (n) => [...map.keys()][n] ?? null, getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value), removeItem: (key) => void map.delete(key), clear: () => map.clear(),
  };
}

test("a form that is set back has no draft left", () => {
  const changed = withFields(base, undefined, withField(fields, "calling.ring_secs", 20));
  expect(changed?.origin).toBe("fields");
  expect(changed && changesOf(changed)).toBe(1);
  expect(withFields(base, changed, withField(fields, "calling.ring_secs", 30))).toBe(undefined);
  expect(withText(base, changed, toml)).toBe(undefined);
});

test("comments count as changes by line", () => {
  const draft = withText(base, undefined, toml.replace("# The sample", "# Ours"));
  expect(draft && changesOf(draft)).toBe(2);
});

test("a form on an edited text keeps what the text alone has", () => {
  const text = toml.replace("# The sample", "# Ours").replace("attempts_max = 2", "attempts_max = 5");
  const draft = withText(base, undefined, text);
  if (!draft) throw new Error("no draft");
  const wanted = withField(readText(text).fields ?? {}, "calling.ring_secs", 20);
  const patched = toml.replace("ring_secs = 30", "ring_secs = 20").replace("attempts_max = 2", "attempts_max = 5");
  const joined = joinTexts(draft, wanted, patched);
  expect(joined).toBe(text.replace("ring_secs = 30", "ring_secs = 20"));
  // Both changed the same line: the fields win, and nothing is written twice.
  const again = joinTexts({ ...draft, text: text.replace("ring_secs = 30   # usual: 45", "ring_secs = 25   # ours") }, wanted, patched);
  expect(readText(again).fields).toEqual(wanted);
});

test("drafts are kept by person, campaign and etag", () => {
  const store = memory();
  const draft = withText(base, undefined, `${toml}# more\n`);
  keepDraft(store, "wangmin", "vote", draft);
  expect(keptDraft(store, "wangmin", "vote")).toEqual(draft);
  expect(keptDraft(store, "liuyun", "vote")).toBe(undefined);
  expect(keptDraft(store, "wangmin", "calls")).toBe(undefined);
  if (draft) keepDraft(store, "wangmin", "vote", { ...draft, base: { ...base, etag: '"v4"' } });
  expect(store.length).toBe(1);
  keepDraft(store, "wangmin", "vote", undefined);
  expect(store.length).toBe(0);
  store.setItem('paceline.settings:wangmin:vote:"v4"', "{broken");
  expect(keptDraft(store, "wangmin", "vote")).toBe(undefined);
});
