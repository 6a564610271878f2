import { expect, test } from "vitest";
import { MODES } from "../../api/words";
import { fieldAt } from "./settings/patch";
import { readToml } from "./settings/toml";
import { isName, quoted, sampleText } from "./sample";

test.each(MODES)("the sample of mode %s can be read and has what was asked for", (mode) => {
  const title = '翠园 "二期" \\ \u0007';
  const fields = readToml(sampleText({ name: "jade-2", title, mode, group: 'a"b' }));
  expect([fieldAt(fields, "name"), fieldAt(fields, "title"), fieldAt(fields, "mode")]).toEqual(["jade-2", title, mode]);
  expect(fieldAt(fields, "agents.group")).toBe(mode === "announce" ? undefined : 'a"b');
});

test("names are those that the service takes", () => {
  for (const name of ["a", "jade-garden_2", "x".repeat(64)]) expect(isName(name)).toBe(true);
  for (const name of ["", "a b", "翠园", "../x", "x".repeat(65), "a/b"]) expect(isName(name)).toBe(false);
  expect(quoted('a"\n')).toBe('"a\\"\\u000a"');
});
