import { describe, expect, test } from "vitest";
import { fill } from ".";
import { clock, count, duration, moment, percent, telephone, visible } from "./format";
import { en } from "./en";
import { zh } from "./zh";

const names = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((match) => match[1]).sort();

describe("the catalogues", () => {
  test("have the same keys", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  test("a text takes the same parameters in both", () => {
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(names(en[key]), key).toEqual(names(zh[key]));
  });

  test("English has no Chinese, Chinese has no text that was left in English", () => {
    const han = /\p{Script=Han}/u;
    for (const [key, text] of Object.entries(en)) expect(han.test(text), key).toBe(false);
    // Names, units and signs are the same in both.
    const same = ["common.none", "common.of", "settings.u_pct", "settings.u_sqm", "rule.uk_ofcom", "floor.latency"];
    for (const [key, text] of Object.entries(zh)) if (!same.includes(key)) expect(han.test(text), key).toBe(true);
  });

  test("no text uses an exclamation mark or one of the words that say nothing", () => {
    for (const text of [...Object.values(zh), ...Object.values(en)]) expect(text).not.toMatch(/[!!]|请注意|系统错误|操作失败/);
  });
});

test("a text is filled, with the English form of a number", () => {
  expect(fill("{n|call|calls} of {name}", { n: 1, name: "x" })).toBe("1 call of x");
  expect(fill("{n|call|calls}", { n: "1,200" })).toBe("1,200 calls");
  expect(fill("{n|call|calls}", { n: 0 })).toBe("0 calls");
  expect(fill("{missing}", {})).toBe("{missing}");
  expect(fill("{a}", { a: "{b}", b: "never" })).toBe("{b}");
});

test("numbers, times and telephone numbers are written as the design has them", () => {
  expect(count(12480)).toBe("12,480");
  expect(percent(0.0241)).toBe("2.4 %");
  expect(duration(192.7)).toBe("3:12");
  expect(duration(4328)).toBe("1:12:08");
  expect(duration(-3)).toBe("0:00");
  const at = new Date("2026-11-21T06:03:22Z");
  expect(clock(at, "Asia/Shanghai")).toBe("14:03:22");
  expect(moment(at, new Date("2026-11-21T09:00:00Z"), "Asia/Shanghai")).toBe("14:03");
  expect(moment(at, new Date("2026-11-21T16:00:00Z"), "Asia/Shanghai")).toBe("11-21 14:03");
  expect(clock(new Date("2026-11-20T16:00:00Z"), "Asia/Shanghai")).toBe("00:00:00");
  expect(telephone("13800138000")).toBe("138 0013 8000");
  expect(telephone("075512345678")).toBe("0755-1234 5678");
  expect(telephone("01012345678")).toBe("010-1234 5678");
  expect(telephone("138****8000")).toBe("138****8000");
});

test("characters that could reorder a line are shown", () => {
  expect(visible("a\u202eb\u0000c")).toBe("a␦b␀c");
  expect(visible("王敏 ♥ <b>")).toBe("王敏 ♥ <b>");
});
