import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { fill, setLanguage, type Language, type Translate } from "../../words";
import { en } from "../../words/en";
import { zh } from "../../words/zh";
import { actionWords, kindWords, sayOf } from "./audit-words";
import { changesOf } from "./changes";

const SERVICE = join(import.meta.dirname, "../../../../src/console");
const source = readdirSync(SERVICE).filter((it) => it.endsWith(".rs")).map((it) => readFileSync(join(SERVICE, it), "utf8")).join("\n");
const found = (pattern: RegExp) => [...new Set([...source.matchAll(pattern)].map((it) => it[1] ?? ""))].sort();

const words: Record<Language, Record<string, string>> = { zh, en };

describe.each(["zh", "en"] as const)("the audit in %s", (language) => {
  const t = ((key: string, parameters?: Record<string, string | number>) => fill(words[language][key] ?? key, parameters)) as Translate;
  beforeAll(async () => {
    vi.stubGlobal("document", { documentElement: {} });
    await setLanguage(language);
  });

  test("names every thing that the service writes into it", () => {
    const kinds = found(/Subject::of\(\s*"(\w+)"/g);
    expect(kinds.length).toBeGreaterThan(10);
    for (const kind of kinds) expect(kindWords(kind, t), kind).not.toBe(kind);
  });

  test("names every action that is no right", () => {
    const actions = found(/change_own\(&\w+, "([\w.]+)"/g);
    expect(actions.length).toBeGreaterThan(3);
    for (const action of actions) expect(actionWords(action, t), action).not.toBe(action);
  });

  test("says fields and values; what has no word stands as it came", () => {
    const say = sayOf("approval", t, new Date(), { campaign: (name) => `<${name}>`, person: (number) => `#${number}` });
    expect(say.field("idle_release_secs")).not.toBe("idle_release_secs");
    expect(say.value("state", "refused")).toBe(words[language]["approval.refused"]);
    expect(say.value("role", "lead")).toBe(words[language]["role.lead"]);
    expect(say.value("in_use", true)).toBe(words[language]["people.yes"]);
    expect(say.value("fields", "calling.ring_secs")).toBe(words[language]["settings.f_calling_ring_secs"]);
    expect([say.value("campaign", "vote"), say.value("agent", "8001"), say.value("list", 1_234), say.value("bytes", 1_234)]).toEqual(["<vote>", "#8001", "1234", "1,234"]);
    expect([say.field("of_tomorrow"), say.value("state", "of_tomorrow")]).toEqual(["of_tomorrow", "of_tomorrow"]);
    const [change] = changesOf({ state: "open" }, { state: "approved" }, say);
    expect(change).toEqual({ field: "state", was: words[language]["approval.open"], now: words[language]["approval.approved"] });
  });
});
