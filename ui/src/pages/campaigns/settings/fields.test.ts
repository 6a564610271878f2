import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { en } from "../../../words/en";
import { zh } from "../../../words/zh";
import { FIELDS, GROUPS, TEXT_ONLY, fieldOfProblem, keyAtLine, optionKey, withTitles, wordKey } from "./fields";

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  default?: unknown;
  enum?: string[];
  const?: string;
  oneOf?: Schema[];
  anyOf?: Schema[];
  items?: Schema;
}
const schema = JSON.parse(readFileSync(new URL("../../../../../schemas/campaign.schema.json", import.meta.url), "utf8")) as Schema & { $defs: Record<string, Schema> };
const resolve = (it: Schema): Schema => (it.$ref ? { ...schema.$defs[it.$ref.replace("#/$defs/", "")], ...(it.default === undefined ? {} : { default: it.default }) } : it);

/** Every key of the schema, with tables of tables walked and lists taken whole. */
function keysOf(of: Schema, before = "", defaults: Record<string, unknown> = {}): Map<string, { schema: Schema; default: unknown }> {
  const keys = new Map<string, { schema: Schema; default: unknown }>();
  for (const [name, property] of Object.entries(of.properties ?? {})) {
    const it = resolve(property);
    const value = it.default ?? defaults[name];
    if (it.properties) for (const [key, inner] of keysOf(it, `${before}${name}.`, value as Record<string, unknown> | undefined)) keys.set(key, inner);
    else keys.set(before + name, { schema: it, default: value });
  }
  return keys;
}
const keys = keysOf(schema);
const options = (it: Schema): string[] => it.enum ?? (it.const === undefined ? [] : [it.const]).concat((it.oneOf ?? []).flatMap(options));

describe("the form has every key of the schema", () => {
  test("or leaves it to the text, and has no others", () => {
    expect([...FIELDS.map((it) => it.key), ...TEXT_ONLY].sort()).toEqual([...keys.keys()].sort());
  });

  test.each(FIELDS.filter((it) => it.default !== undefined).map((it) => [it.key, it] as const))("%s has the default of the schema", (key, field) => {
    expect(field.default).toEqual(keys.get(key)?.default);
  });

  test.each(FIELDS.filter((it) => "options" in it.of).map((it) => [it.key, it] as const))("%s has the words of the schema", (key, field) => {
    const of = keys.get(key)?.schema ?? {};
    const theirs = options(of.items ? resolve(of.items) : of);
    expect(theirs.length).toBeGreaterThan(0);
    expect("options" in field.of ? [...field.of.options].sort() : []).toEqual(theirs.sort());
  });
});

test("every group, field and option has its words in both languages", () => {
  for (const words of [zh, en]) {
    for (const group of GROUPS) expect(words).toHaveProperty([`settings.g_${group}`]);
    for (const field of FIELDS) {
      for (const prefix of ["f", "h"] as const) expect(words).toHaveProperty([wordKey(prefix, field.key)]);
      if ("options" in field.of) for (const option of field.of.options) expect(words).toHaveProperty([optionKey(field.key, option)]);
      if (field.of.kind === "number" && field.of.unit) expect(words).toHaveProperty([`settings.u_${field.of.unit}`]);
    }
  }
});

test("a problem is about the field that its key begins with", () => {
  expect(fieldOfProblem("pacing.call_ratio")?.key).toBe("pacing.call_ratio");
  expect(fieldOfProblem("/dispositions/3/code")?.key).toBe("dispositions");
  expect(fieldOfProblem("calling.windows[1].to")?.key).toBe("calling.windows");
  expect(fieldOfProblem("agents.ring_secs_max")).toBe(undefined);
  expect(fieldOfProblem("pacing")).toBe(undefined);
  expect(fieldOfProblem(null)).toBe(undefined);
});

test("a line leads to the key that it sets", () => {
  const toml = 'mode = "x"\n[calling]\nring_secs = "abc" # x\n\n[[dispositions]]\ncode = 1\n';
  expect([1, 2, 3, 4, 6, 9].map((line) => keyAtLine(toml, line))).toEqual(["mode", null, "calling.ring_secs", null, "dispositions.code", null]);
});

test("a sentence names fields by their titles, and leaves what is no field", () => {
  const title = (key: string) => (zh as Record<string, string>)[wordKey("f", key)] ?? key;
  expect([
    "请检查 [calling] 的 `windows`", "raise calls_per_sec of the campaign", "`concurrency_max` = 3", "see [sip] listen and external_address",
  ].map((it) => withTitles(it, title))).toEqual(["请检查 “可拨打时段”", "raise “每秒呼叫数” of the campaign", "“最大并发” = 3", "see [sip] listen and external_address"]);
});
