/** Keys of the desk (CONSOLE.md 4.1). None of them is a browser's, a screen reader's or an input method's. */
import type { Key } from "../../keys/keys";

export const DESK_KEYS = {
  pause: { code: "F2" },
  dial: { code: "F8" },
  hangUp: { code: "KeyG", alt: true },
  hold: { code: "KeyH", alt: true },
  mute: { code: "KeyM", alt: true },
  keypad: { code: "KeyK", alt: true },
  consult: { code: "KeyC", alt: true },
  takeBack: { code: "KeyB", alt: true },
  transfer: { code: "KeyT", alt: true },
  conference: { code: "KeyY", alt: true },
  record: { code: "KeyR", alt: true },
  callback: { code: "Digit0", alt: true },
  save: { code: "Enter", ctrl: true },
  next: { code: "KeyN", alt: true },
  extend: { code: "KeyX", alt: true },
  skip: { code: "KeyJ", alt: true },
  correct: { code: "KeyU", alt: true },
  card: { code: "KeyI", alt: true },
  summary: { code: "KeyS", alt: true },
  list: { code: "KeyL", alt: true },
  call: { code: "KeyO", alt: true },
  help: { code: "Slash", ctrl: true },
} as const satisfies Record<string, Key>;

/** Dispositions in shown order. */
export const DIGITS: readonly Key[] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ code: `Digit${n}`, alt: true }));
