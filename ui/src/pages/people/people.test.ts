import { describe, expect, test } from "vitest";
import { ApiProblem } from "../../api/call";
import type { Account } from "../../api/words";
import { EMPTY, faultsOf, newAgent, refusedFields } from "./form";
import { grouped, matches, phoneCode, readLines, skillsOf, sorted } from "./people";

const account = (fields: Partial<Account>): Account => ({
  number: "8001", name: "陈梅", login: "chenmei", role: "agent", groups: [], skills: [], telephone: null, recorded: false, phone_user: "8001", operator: false, created_at: "2026-11-30T00:00:00Z", version: 1, ...fields,
});

describe("the list", () => {
  test("is found by any words of number, name, login, telephone and skills", () => {
    const one = account({ skills: ["粤语"], telephone: "13800138000", groups: [{ group: "vote", priority: 1, in_use: true }] });
    const filter = { text: "", role: "", group: "" };
    for (const text of ["", "8001", "陈", "CHEN", "粤语 8001", "13800"]) expect(matches(one, { ...filter, text }), text).toBe(true);
    expect(matches(one, { ...filter, text: "陈 8002" })).toBe(false);
    expect(matches(one, { ...filter, group: "vote" })).toBe(true);
    expect(matches(one, { ...filter, group: "-" })).toBe(false);
    expect(matches(account({}), { ...filter, group: "-" })).toBe(true);
    expect(matches(one, { ...filter, role: "lead" })).toBe(false);
  });

  test("is ordered by number as numbers, both ways, and stays by number among equals", () => {
    const all = ["810", "99", "8001"].map((number) => account({ number }));
    const numbers = (order: string) => sorted(all, order).map((it) => it.number);
    expect(numbers("number")).toEqual(["99", "810", "8001"]);
    expect(numbers("-number")).toEqual(["8001", "810", "99"]);
    expect(numbers("role")).toEqual(["99", "810", "8001"]);
    expect(numbers("-role")).toEqual(["99", "810", "8001"]);
    expect(all.map((it) => it.number)).toEqual(["810", "99", "8001"]);
  });
});

describe("pasted lines", () => {
  test.each([
    ["陈梅", { name: "陈梅" }],
    ["陈梅\t8003\t138 0013 8000", { name: "陈梅", number: "8003", telephone: "13800138000" }],
    ["8003,陈梅", { name: "陈梅", number: "8003" }],
    ["Chen Mei 13800138000", { name: "Chen Mei", telephone: "13800138000" }],
    ["8003 陈梅", { name: "陈梅", number: "8003" }],
    ["陈梅\uff0c\uff18\uff10\uff10\uff13\uff1b138\u30000013\u30008000", { name: "陈梅", number: "8003", telephone: "13800138000" }],
    ["陈梅,0571-88888888", { name: "陈梅", telephone: "057188888888" }],
  ])("%s", (text, wanted) => {
    const [line] = readLines(text);
    expect(line).toMatchObject(wanted);
    expect(line?.fault).toBeUndefined();
  });

  test("say what is wrong, by the row of the paste", () => {
    const lines = readLines("陈梅,8003\n\n8004\n李芳,8003\n王强,8005,8006\n赵丽,+++");
    expect(lines.map((it) => [it.row, it.fault])).toEqual([[1, undefined], [3, "line_no_name"], [4, "line_twice"], [5, "line_two_numbers"], [6, "line_unknown"]]);
  });

  test("no paste makes a line without a name and without a fault", () => {
    // A fixed seed: linear congruence of Numerical Recipes.
    let seed = 20_261_130;
    const next = (below: number) => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) % below;
    const signs = ["陈", "a", "8", "0", "1", "3", ",", ",", "\t", " ", "+", "-", "\n", "*", ";"];
    for (let n = 0; n < 2_000; n += 1) {
      const text = Array.from({ length: next(30) }, () => signs[next(signs.length)]).join("");
      for (const line of readLines(text)) expect(line.name !== "" || line.fault !== undefined, JSON.stringify(text)).toBe(true);
    }
  });
});

describe("the form", () => {
  test("says which field is wrong", () => {
    expect(faultsOf(EMPTY)).toEqual({ name: "name" });
    expect(faultsOf({ ...EMPTY, name: "陈梅", numbering: "own", number: "8", telephone: "123", password: "short", login: "a b" }))
      .toEqual({ number: "number", telephone: "telephone", password: "password", login: "login" });
    expect(faultsOf({ ...EMPTY, name: "陈梅", telephone: "0571-8888 8888" })).toEqual({});
  });

  test("asks for a drawn number by its pattern, or for the given one", () => {
    expect(newAgent({ ...EMPTY, name: " 陈梅 ", skills: "粤语,英语, 粤语", groups: { vote: 2 } }))
      .toEqual({ name: "陈梅", role: "agent", groups: [{ group: "vote", priority: 2, in_use: true }], skills: ["粤语", "英语"], recorded: false, phone: true, pattern: "8?", digits: 4 });
    expect(newAgent({ ...EMPTY, name: "陈梅", numbering: "own", number: "8003" })).not.toHaveProperty("pattern");
  });

  test("shows a refusal at its field", () => {
    const problem = (code: string, detail: string) => new ApiProblem(409, code, detail);
    expect(refusedFields(problem("taken", "the login `8003` is taken"), { ...EMPTY, login: "" })).toEqual({ number: "number_taken" });
    expect(refusedFields(problem("taken", "the login `chenmei` is taken"), { ...EMPTY, login: "chenmei" })).toEqual({ login: "login_taken" });
    expect(refusedFields(problem("unfit", "this is no telephone number: write 13800138000"), EMPTY)).toEqual({ telephone: "telephone" });
    expect(refusedFields(problem("store_stalled", ""), EMPTY)).toEqual({});
  });
});

test("skills are parted by any comma, once each", () => {
  expect(skillsOf(" 粤语、英语\uff0c,粤语\uff1bHakka ")).toEqual(["粤语", "英语", "Hakka"]);
});

test("the phone's code keeps a hostile name inside its element", () => {
  const code = phoneCode({ number: "8003", name: "</DisplayName><UserID>x&\"'", login: "8003" }, { user: "8003", password: "a<b", domain: "paceline", proxy: "192.0.2.5:5060", transport: "udp" });
  expect(code.match(/<UserID>/g)).toHaveLength(1);
  expect(code).toContain("<AuthPass>a&#60;b</AuthPass>");
});

test("a password is read in groups of four and is whole", () => {
  expect(grouped("22ACnshawbw2wnnuEum2")).toEqual(["22AC", "nsha", "wbw2", "wnnu", "Eum2"]);
  expect(grouped("abcde").join("")).toBe("abcde");
});
