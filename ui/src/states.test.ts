import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Campaign, Seat } from "./api/words";
import * as words from "./api/words";
import { APPROVAL_STATES, CALLER_ID_STATES, CALLER_ID_VERDICTS, CALL_STATES, CAMPAIGN_STATES, LEAD_STATES, LIMIT_MEANINGS, OUTCOME_STATES, SEAT_STATES, SOUND_STATES, WHY_ALARMS, campaignState, seatState } from "./states";
import { RIGHTS } from "./rights";
import { zh } from "./words/zh";

const source = (file: string) => readFileSync(new URL(`../../src/core/${file}`, import.meta.url), "utf8");
const console = (file: string) => readFileSync(new URL(`../../src/console/${file}`, import.meta.url), "utf8");

/** Words of an enum with `Type::Variant => "word"` in the service's source. */
function wordsOf(file: string, type: string): string[] {
  return [...source(file).matchAll(new RegExp(`${type}::\\w+(?: \\{ \\.\\. \\})? => "(\\w+)"`, "g"))].map((match) => match[1] ?? "").filter((word, n, all) => all.indexOf(word) === n);
}

/** Words of an enum made by the macro `words!`. */
function wordsOfMacro(type: string): string[] {
  const body = new RegExp(`\\n    ${type} \\{(.*?)\\n    \\}`, "s").exec(source("outcome.rs"))?.[1] ?? "";
  return [...body.matchAll(/= "(\w+)"/g)].map((match) => match[1] ?? "");
}

describe("the words are those of the service", () => {
  test.each([
    ["activities", words.ACTIVITIES, wordsOf("agent.rs", "Activity")],
    ["availabilities", words.AVAILABILITIES, wordsOf("agent.rs", "Availability")],
    ["call stages", words.CALL_STAGES, wordsOf("dialer/snapshot.rs", "CallStage")],
    ["outcomes", words.OUTCOMES, wordsOfMacro("Outcome")],
    ["lead states", words.LEAD_STATES, wordsOfMacro("LeadState")],
    ["lead reasons", words.LEAD_REASONS, wordsOfMacro("Reason")],
    ["modes", words.MODES, wordsOf("campaign/mod.rs", "Mode")],
    ["abandon rules", words.ABANDON_RULES, wordsOf("pacing/ledger/mod.rs", "Rule")],
  ] as const)("%s", (_, ours, theirs) => {
    expect(theirs.length).toBeGreaterThan(0);
    expect([...ours].sort()).toEqual([...theirs].sort());
  });

  test("every limit has a word", () => {
    expect(Object.keys(LIMIT_MEANINGS)).toEqual([...words.LIMITS]);
    for (const word of words.LIMITS) expect(zh).toHaveProperty([`limit.${word}`]);
  });

  test("every reason of a closed lead has a word", () => {
    for (const word of words.LEAD_REASONS) expect(zh).toHaveProperty([`leadReason.${word}`]);
  });

  test("rights", () => {
    const theirs = [...console("rights.rs").matchAll(/Action::\w+ => "([\w.]+)"/g)].map((match) => match[1] ?? "");
    expect(theirs.length).toBeGreaterThan(0);
    expect([...RIGHTS].sort()).toEqual(theirs.sort());
    for (const right of RIGHTS) expect(zh).toHaveProperty([`right.${right}`]);
  });

  test("reasons of an idle seat without calls", () => {
    const variants = /pub enum NoCallsReason \{(.*?)\n\}/s.exec(source("agent.rs"))?.[1] ?? "";
    const theirs = [...variants.matchAll(/^    ([A-Z]\w+),$/gm)].map((match) => (match[1] ?? "").replace(/(?<!^)([A-Z])/g, "_$1").toLowerCase());
    expect(theirs.length).toBeGreaterThan(0);
    for (const word of theirs) expect(zh).toHaveProperty([`floor.quiet.${word}`]);
  });

  test("reasons that are alarms are reasons", () => {
    const known = wordsOf("pacing/mod.rs", "Why");
    for (const why of WHY_ALARMS) expect(known).toContain(why);
  });
});

test("every word has a state, and every state a word in the catalogue", () => {
  expect(Object.keys(SEAT_STATES)).toEqual(expect.arrayContaining([...words.ACTIVITIES]));
  expect(Object.keys(CALL_STATES).sort()).toEqual([...words.CALL_STAGES].sort());
  expect(Object.keys(OUTCOME_STATES).sort()).toEqual([...words.OUTCOMES].sort());
  expect(Object.keys(LEAD_STATES).sort()).toEqual([...words.LEAD_STATES].sort());
  expect(Object.keys(CAMPAIGN_STATES).sort()).toEqual([...words.CAMPAIGN_STATES].sort());
  expect(Object.keys(CALLER_ID_STATES).sort()).toEqual(wordsOf("caller_id_life.rs", "CallerIdState").sort());
  // A sentence for what each act leads to, and for what calls do in each state.
  for (const act of wordsOf("caller_id_life.rs", "CallerIdAct")) expect(zh).toHaveProperty([`callerIds.ask_${act}`]);
  for (const word of Object.keys(CALLER_ID_STATES)) expect(zh).toHaveProperty([`callerIds.use_${word}`]);
  for (const table of [SEAT_STATES, CALL_STATES, OUTCOME_STATES, LEAD_STATES, CAMPAIGN_STATES, SOUND_STATES, APPROVAL_STATES, CALLER_ID_STATES, CALLER_ID_VERDICTS]) {
    for (const state of Object.values(table)) expect(zh).toHaveProperty([state.word]);
  }
});

const seat = (fields: Partial<Seat>): Seat => ({ availability: "available", activity: "idle", phone_ready: true, work: null, supervising: null, ...fields }) as Seat;
const party = (fields: { up: boolean; held: boolean }) => ({ leg: "1", kind: "callee", agent: null, number: null, ...fields });

test("a seat shows what is above its activity", () => {
  expect(seatState(seat({}))).toBe(SEAT_STATES.idle);
  expect(seatState(seat({ availability: "signed_out" }))).toBe(SEAT_STATES.signed_out);
  expect(seatState(seat({ availability: "paused" }))).toBe(SEAT_STATES.paused);
  // A pause that was asked for in a call begins after it.
  expect(seatState(seat({ availability: "paused", activity: "talking" }))).toBe(SEAT_STATES.talking);
  expect(seatState(seat({ phone_ready: false }))).toBe(SEAT_STATES.phone_not_ready);
  const work = { parties: [party({ up: true, held: false }), party({ up: true, held: true })] } as unknown as Seat["work"];
  expect(seatState(seat({ activity: "talking", work }))).toBe(SEAT_STATES.held);
  const three = { parties: Array.from({ length: 3 }, () => party({ up: true, held: false })) } as unknown as Seat["work"];
  expect(seatState(seat({ activity: "talking", work: three }))).toBe(SEAT_STATES.conference);
});

test("a campaign's state follows its reason", () => {
  const of = (fields: Partial<Campaign>) => campaignState({ finished: false, why: "lines_out", view: {}, ...fields } as Campaign);
  expect(of({})).toBe("running");
  expect(of({ why: "paused" })).toBe("paused");
  expect(of({ why: "draining" })).toBe("draining");
  expect(of({ why: "paused", view: { drained: true } })).toBe("paused");
  expect(of({ finished: true })).toBe("finished");
});
