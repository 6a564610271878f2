import { expect, test } from "vitest";
import type { Seat } from "../../api/words";
import { KeyFilter, keyName, type Press } from "../../keys/keys";
import { DESK_KEYS, DIGITS } from "./keys";
import { grouped, isInCall, isPreview, may, ownCallStep, workKey, type Workplace } from "./seat";
import { inZone, outside, zoned } from "./zone";

const seat = (fields: Partial<Seat>): Seat => ({ agent: "8001", availability: "available", activity: "idle", can: [], work: null, ...fields }) as unknown as Seat;
const work = (fields: object) => ({ campaign: "x", lead: null, number: null, attempt: null, parties: [], ...fields }) as unknown as Seat["work"];
const workplace = (fields: object) => ({ name: "x", timezone: "Asia/Shanghai", windows: [], dispositions: [], ...fields }) as unknown as Workplace;

/** Keys of browsers, systems, input methods and screen readers (CONSOLE.md 4.1). */
const TAKEN = /^(F[3-79]|F1[0-2]|Alt\+[ADEF]|Alt\+(Arrow(Left|Right)|Home|Space|F4)|Ctrl\+(Space|Period)|Insert|CapsLock|[A-Z]|\d)$/;

test("no key of the desk is somebody else's, and none stands twice", () => {
  const names = [...Object.values(DESK_KEYS), ...DIGITS].map(keyName);
  for (const name of names) expect(name).not.toMatch(TAKEN);
  expect(new Set(names).size).toBe(names.length);
  expect(DIGITS.map(keyName)).toEqual(["Alt+1", "Alt+2", "Alt+3", "Alt+4", "Alt+5", "Alt+6", "Alt+7", "Alt+8", "Alt+9"]);
});

test("an input method keeps each of its keys", () => {
  const press = (code: string, fields: Partial<Press>): Press => ({ code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, isComposing: false, keyCode: 0, ...fields });
  for (const key of [...Object.values(DESK_KEYS), ...DIGITS]) {
    const held = { altKey: "alt" in key, ctrlKey: "ctrl" in key };
    expect(new KeyFilter().accepts(press(key.code, { ...held, isComposing: true }), key, 0), keyName(key)).toBe(false);
    expect(new KeyFilter().accepts(press(key.code, { ...held, keyCode: 229 }), key, 0), keyName(key)).toBe(false);
    expect(new KeyFilter().accepts(press(key.code, held), key, 0), keyName(key)).toBe(true);
  }
});

test("a seat says what stands on it", () => {
  const preview = seat({ activity: "reserved", work: work({ lead: 7 }) });
  expect([isPreview(preview), isInCall(preview), workKey(preview), ownCallStep(preview)]).toEqual([true, false, "lead-7", undefined]);
  const calling = seat({ activity: "reserved", work: work({ lead: 7, attempt: 9 }) });
  expect([isPreview(calling), isInCall(calling), workKey(calling), ownCallStep(calling)]).toEqual([false, true, "call-9", 1]);
  expect(ownCallStep(seat({ activity: "ringing", work: work({ number: "1" }) }))).toBe(0);
  expect(ownCallStep(seat({ activity: "talking", work: work({ attempt: 9 }) }))).toBe(2);
  expect(workKey(seat({}))).toBeUndefined();
  expect([may(undefined, "sign_in"), may(seat({ can: ["hold"] }), "hold"), may(seat({}), "hold")]).toEqual([true, true, false]);
});

test("dispositions stand by the state they give, in the campaign's order", () => {
  const codes = [["a", "failed"], ["b", "done"], ["c", "failed"], ["d", "open"]].map(([code, state]) => ({ code, state }));
  expect(grouped(workplace({ dispositions: codes })).map((it) => [it.state, ...it.dispositions.map((code) => code.code)])).toEqual([["done", "b"], ["open", "d"], ["failed", "a", "c"]]);
  expect(grouped(undefined)).toEqual([]);
});

test("a callback is a moment in the campaign's zone, over a change of the clocks too", () => {
  expect(inZone("2026-11-21", "14:30", "Asia/Shanghai")?.toISOString()).toBe("2026-11-21T06:30:00.000Z");
  expect(inZone("2026-03-29", "12:00", "Europe/Berlin")?.toISOString()).toBe("2026-03-29T10:00:00.000Z");
  expect(inZone("2026-03-28", "12:00", "Europe/Berlin")?.toISOString()).toBe("2026-03-28T11:00:00.000Z");
  expect(inZone("", "12:00", "Asia/Shanghai")).toBeUndefined();
  expect(zoned(new Date("2026-11-20T16:05:00Z"), "Asia/Shanghai")).toEqual({ day: "2026-11-21", time: "00:05" });
});

test("a moment outside the calling hours says which hours there are", () => {
  const days = [true, true, true, true, true, false, false];
  const open = workplace({ windows: [{ days, from: 480, to: 1_260 }] });
  // A Friday, and the Saturday after it.
  expect(outside(new Date("2026-11-20T00:00:00Z"), open)).toBeUndefined();
  expect(outside(new Date("2026-11-20T13:00:00Z"), open)).toBe("08:00–21:00");
  expect(outside(new Date("2026-11-21T02:00:00Z"), open)).toBe("–");
  const night = workplace({ windows: [{ days, from: 1_320, to: 120 }] });
  expect(outside(new Date("2026-11-20T17:00:00Z"), night)).toBeUndefined();
  expect(outside(new Date("2026-11-19T19:00:00Z"), night)).toBe("22:00–02:00");
  expect(outside(new Date("2026-11-21T02:00:00Z"), workplace({}))).toBeUndefined();
});
