import { expect, test } from "vitest";
import { KEYS, KeyFilter, keyName, type Press } from "./keys";

const press = (code: string, fields: Partial<Press> = {}): Press =>
  ({ code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, isComposing: false, keyCode: 0, ...fields });
const enter = { code: "Enter" };

test("a key counts once: no repeats, no second press within 400 ms", () => {
  const filter = new KeyFilter();
  const find = press("KeyK", { ctrlKey: true });
  expect(filter.accepts(find, KEYS.find, 0)).toBe(true);
  expect(filter.accepts(find, KEYS.find, 399)).toBe(false);
  expect(filter.accepts({ ...find, repeat: true }, KEYS.find, 1_000)).toBe(false);
  expect(filter.accepts(find, KEYS.find, 1_400)).toBe(true);
});

test("what belongs to an input method is not taken", () => {
  const filter = new KeyFilter();
  expect(filter.accepts(press("Enter", { isComposing: true }), enter, 0)).toBe(false);
  expect(filter.accepts(press("Enter", { keyCode: 229 }), enter, 0)).toBe(false);
  filter.compositionEnded(1_000);
  expect(filter.accepts(press("Enter"), enter, 1_049)).toBe(false);
  expect(filter.accepts(press("Enter"), enter, 1_051)).toBe(true);
});

test("other modifiers are other keys", () => {
  const filter = new KeyFilter();
  for (const fields of [{}, { ctrlKey: true, altKey: true }, { ctrlKey: true, shiftKey: true }, { altKey: true }]) expect(filter.accepts(press("KeyK", fields), KEYS.find, 0)).toBe(false);
  expect(filter.accepts(press("KeyK", { metaKey: true }), KEYS.find, 0)).toBe(true);
  expect(keyName(KEYS.find)).toBe("Ctrl+K");
});

/** Keys of browsers, systems, input methods and screen readers (CONSOLE.md 4.1). */
const TAKEN = new Set(["F3", "F4", "F5", "F6", "F7", "F9", "F10", "F11", "F12", "Alt+A", "Alt+D", "Alt+E", "Alt+F", "Alt+ArrowLeft", "Alt+ArrowRight", "Alt+Home", "Alt+Space", "Alt+F4", "Ctrl+Space", "Ctrl+Period", "Insert", "CapsLock"]);

test("no key of the console collides", () => {
  for (const key of Object.values(KEYS)) {
    expect(TAKEN).not.toContain(keyName(key));
    expect("ctrl" in key && "alt" in key).toBe(false);
  }
});
