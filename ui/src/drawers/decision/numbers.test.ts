import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { WHYS } from "../../pages/campaigns/history/data";
import { zh } from "../../words/zh";
import { numbersOf } from "./numbers";

const core = (file: string) => readFileSync(new URL(`../../../../src/core/${file}`, import.meta.url), "utf8");

/** Names of the fields of a struct in the service's source. */
function fieldsOf(file: string, name: string): string[] {
  const body = new RegExp(`pub struct ${name} \\{(.*?)\\n\\}`, "s").exec(core(file))?.[1] ?? "";
  return [...body.matchAll(/^    pub (\w+):/gm)].map((match) => match[1] ?? "");
}

test("a view becomes rows; unknown is left out, zero stays", () => {
  expect(numbersOf({ ringing: 0, until: null, drained: false, numbers: { calls_per_sec: 4.25, concurrency_max: null }, reason: { limit: "agents", risk: 0.0113 }, list: [1] })).toEqual([
    { key: "ringing", value: "0" }, { key: "drained", value: false }, { key: "numbers.calls_per_sec", value: "4.25" }, { key: "reason.limit", value: "agents" }, { key: "reason.risk", value: "1.1 %" },
  ]);
  expect(numbersOf(null)).toEqual([]);
});

test("every number of a view has words", () => {
  const [numbers, reason] = [fieldsOf("dialer/snapshot.rs", "Numbers"), fieldsOf("pacing/predictive/snapshot.rs", "Reason")];
  expect(numbers.length).toBeGreaterThan(5);
  expect(reason.length).toBeGreaterThan(3);
  for (const name of numbers) expect(zh).toHaveProperty([`view.numbers.${name}`]);
  for (const name of reason) expect(zh).toHaveProperty([`view.reason.${name}`]);
});

test("the reasons are those of the service, and have words", () => {
  const words = /pub const fn word\(self\)(.*?)\n    \}/s.exec(core("pacing/mod.rs"))?.[1] ?? "";
  const theirs = [...words.matchAll(/Why::\w+ => "(\w+)"/g)].map((match) => match[1] ?? "");
  expect(theirs.length).toBeGreaterThan(0);
  expect([...WHYS].sort()).toEqual([...new Set(theirs)].sort());
  for (const why of WHYS) expect(zh).toHaveProperty([`why.${why}`]);
});
