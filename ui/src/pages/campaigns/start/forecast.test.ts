import { describe, expect, test } from "vitest";
import { spreadOf } from "../../../kit/spread";
import { isOwn, questionOf, readForecast, type Asked } from "./forecast";

const day = (hours: number, more: object = {}) => ({ finished: true, hours, calls: 9, conversations: 3, abandoned: 0, utilisation: 0.7, idle_secs: 5, abandon_rate: 0.02, calls_per_hour: 40, conversations_per_hour: 12, shadow: null, ...more });
const result = {
  leads: 120, agents: 3, answer_rate: 0.28, talk_secs: 95, wrap_secs: 20, ring_secs: 12, abandon_rate_max: 0.03,
  forecasts: [{ pacing: "progressive", days: [day(5), day(3), day(4)], agents_needed: [] }, { pacing: "ratio 1.5", days: [day(2), day(24, { finished: false })], agents_needed: [12, null] }, { pacing: "predictive", days: [day(2)], agents_needed: [14, 13, 15] }],
};

describe("a forecast", () => {
  test("is read as bands", () => {
    const forecast = readForecast(result);
    expect(forecast?.pacings.map((it) => [it.name, it.isFinished, it.hours, it.needed])).toEqual([
      ["progressive", true, { least: 3, median: 4, most: 5 }, "none"],
      ["ratio 1.5", false, { least: 2, median: 24, most: 24 }, "over"],
      ["predictive", true, { least: 2, median: 2, most: 2 }, { least: 13, median: 14, most: 15 }],
    ]);
  });
  test.each([[null], ["x"], [{}], [{ forecasts: [] }], [[]]])("%j is none", (it) => expect(readForecast(it)).toBe(undefined));
  test("without runs has unknown bands, not zero", () => {
    expect(readForecast({ forecasts: [{ pacing: "x", days: [] }] })?.pacings[0]).toMatchObject({ isFinished: false, hours: undefined, busy: undefined });
    expect(spreadOf([Number.NaN])).toBe(undefined);
  });
  test("knows the campaign's own row", () => {
    expect(isOwn("ratio 1.5", "ratio", 1.5)).toBe(true);
    expect(isOwn("ratio 3", "ratio", 1.5)).toBe(false);
    expect(isOwn("predictive", "predictive", 2)).toBe(true);
  });
});

describe("a question", () => {
  const asked: Asked = { agents: "12", answerRate: "28", talk: "", wrap: "20", hours: "13", isFromHistory: false, isNeeded: true };
  test("has what was typed", () => expect(questionOf(asked)).toEqual({ question: { agents: 12, answer_rate: 0.28, wrap_secs: 20, hours: 13, seeds: 5, from_history: false, needed: true } }));
  test("takes wide digits", () => expect(questionOf({ ...asked, agents: "１２" })).toMatchObject({ question: { agents: 12 } }));
  test.each([[{ agents: "" }, "agents"], [{ agents: "1.5" }, "agents"], [{ agents: "2001" }, "agents"], [{ answerRate: "0" }, "answerRate"], [{ talk: "x" }, "talk"], [{ hours: "25" }, "hours"]])("%j has a fault", (change, field) => {
    const found = questionOf({ ...asked, ...change });
    expect("faults" in found && Object.keys(found.faults)).toEqual([field]);
  });
});
