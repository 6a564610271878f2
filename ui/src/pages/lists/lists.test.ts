import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { UploadReport } from "../../api/words";
import { changeUse, faultOf, mappingOf, usesOf, type Use } from "./mapping";
import { CHINESE, checkWords } from "./check-words";
import { exceeded, fitName } from "./files";

const columns = ["楼栋", "房号", "姓名", "手机", "备用", "面积"];
const found = (mapping: UploadReport["mapping"]) => ({ mapping, report: null }) as UploadReport;

describe("the mapping of columns", () => {
  const mapping = { phones: ["备用", "手机"], name: "姓名", household: ["楼栋", "房号"], area: "面积" };

  test("goes to selects and back unchanged", () => {
    const uses = usesOf(columns, found(mapping));
    expect(uses).toEqual(["household", "household", "name", "phone2", "phone1", "area"]);
    expect(mappingOf(columns, uses)).toEqual(mapping);
  });

  test("has one name, and numbers in an order without gaps", () => {
    const uses = usesOf(columns, found(mapping));
    expect(changeUse(uses, 0, "name")).toEqual(["name", "household", "other", "phone2", "phone1", "area"]);
    expect(changeUse(uses, 3, "phone1")).toEqual(["household", "household", "name", "phone1", "phone2", "area"]);
    expect(changeUse(uses, 4, "other")).toEqual(["household", "household", "name", "phone1", "other", "area"]);
  });

  test("whatever is chosen, places are 1 to n and single uses are single", () => {
    let seed = 20_241_130;
    const draw = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n;
    const all: Use[] = ["other", "name", "household", "building", "area", "phone1", "phone2", "phone3", "phone9"];
    let uses = usesOf(columns, found(null));
    for (let n = 0; n < 2_000; n += 1) {
      uses = changeUse(uses, draw(columns.length), all[draw(all.length)] ?? "other");
      const places = uses.filter((it) => it.startsWith("phone")).sort();
      expect(places, `seed 20241130, step ${n}`).toEqual(places.map((_, at) => `phone${at + 1}`));
      for (const use of ["name", "building", "area"]) expect(uses.filter((it) => it === use).length, `step ${n}`).toBeLessThan(2);
      if (places.length > 0) expect(usesOf(columns, found(mappingOf(columns, uses)))).toEqual(uses);
    }
  });

  test("needs a column with numbers", () => {
    expect(faultOf(["other", "name"])).toBe("noPhone");
    expect(faultOf(["phone1"])).toBeUndefined();
    expect(faultOf(Array<Use>(9).fill("household").concat("phone1"))).toBe("tooManyHousehold");
  });
});

test("a long file name is cut before its ending, never inside a character", () => {
  expect(fitName("业主.csv")).toBe("业主.csv");
  const cut = fitName(`${"名".repeat(200)}.xlsx`);
  expect(new TextEncoder().encode(cut).length).toBeLessThanOrEqual(255);
  expect(cut).toMatch(/^名+\.xlsx$/);
});

test("workbooks and texts have their own limits", () => {
  expect(exceeded("a.csv", 512 * 1024 * 1024)).toBeUndefined();
  expect(exceeded("a.csv", 512 * 1024 * 1024 + 1)).toBe(512 * 1024 * 1024);
  expect(exceeded("a.XLSX", 129 * 1024 * 1024)).toBe(128 * 1024 * 1024);
});

describe("hints of the check in Chinese", () => {
  const folder = new URL("../../../../src/lists/", import.meta.url);
  const source = readdirSync(folder).filter((it) => it.endsWith(".rs")).map((it) => readFileSync(new URL(it, folder), "utf8")).join("\n").replace(/\\\n\s*/g, "");

  test.each(CHINESE.map(([pattern]) => [pattern.source]))("%s is a sentence of the service", (pattern) => {
    const literal = pattern.replaceAll("\\", "").split(/\(\\?d\+\)|\(d\+\)|\(\.\+\)|\.\*|[$^]|row \(/).sort((a, b) => b.length - a.length)[0] ?? "";
    // Reasons are filled in: `lost one of its numbers: {}`.
    expect(source).toContain(literal.replace(/: (invalid_number|duplicate|blacklisted|emergency_number)$/, ": ").trim());
  });

  test("keep what was found, and the column before it; unknown sentences stay English", () => {
    expect(checkWords("7 digits: a mobile number has 11", "zh")).toEqual({ text: "7 位：手机号码应为 11 位", lang: "zh" });
    expect(checkWords("手机: 7 digits: a mobile number has 11", "zh")).toEqual({ text: "手机：7 位：手机号码应为 11 位", lang: "zh" });
    expect(checkWords("something of a newer service", "zh")).toEqual({ text: "something of a newer service", lang: "en" });
    expect(checkWords("on the blacklist a\u202eb", "zh").text).not.toContain("\u202e");
  });
});
