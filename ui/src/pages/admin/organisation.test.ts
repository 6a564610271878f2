import { expect, test } from "vitest";
import { reasonFaults, reasonForm, reasonsRequest, switchesOf, type Organisation } from "./organisation";

const row = (more: object = {}) => ({ code: "meal", zh: "用餐", en: "Meal", minutes: "60", ...more });

test("switches are those that the service has", () => {
  const organisation = { settings: { agents_add_leads: true, analysts_read_numbers: false, flagged_numbers_stay: false, something_new: true } } as unknown as Organisation;
  expect(switchesOf(organisation)).toEqual([["analysts_read_numbers", false], ["agents_add_leads", true], ["flagged_numbers_stay", false]]);
});

test("faults of pause reasons are named by row", () => {
  const rows = [row(), row(), row({ code: "吃饭" }), row({ code: "rest", en: " " }), row({ code: "tea", minutes: "x" }), row({ code: "talk", minutes: "1441" }), row({ code: "ｔｅａ２", minutes: "" })];
  expect(reasonFaults(rows)).toEqual([undefined, "code_twice", "code", "label", "minutes", "minutes", undefined]);
});

test("minutes are sent as seconds, and come back as they were", () => {
  const sent = reasonsRequest([row({ minutes: "7.5" }), row({ code: "rest", minutes: "" })]);
  expect(sent.items).toEqual([{ code: "meal", label: { zh: "用餐", en: "Meal" }, max_secs: 450 }, { code: "rest", label: { zh: "用餐", en: "Meal" } }]);
  expect(reasonForm({ code: "meal", label: { zh: "用餐", en: "Meal" }, max_secs: 450 })).toEqual(row({ minutes: "7.5" }));
});
