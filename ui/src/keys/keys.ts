/** Keys of the console, matched by `event.code` so that any layout works (CONSOLE.md 4.1). */

export interface Key {
  code: string;
  ctrl?: true;
  alt?: true;
}

/** Keys of every page. The desk adds its own. */
export const KEYS = {
  find: { code: "KeyK", ctrl: true },
  help: { code: "F1" },
} as const satisfies Record<string, Key>;

/** As `aria-keyshortcuts` and hints have it. */
export function keyName(key: Key): string {
  const plain = key.code.replace(/^Key|^Digit/, "");
  return [key.ctrl ? "Ctrl" : "", key.alt ? "Alt" : "", plain].filter(Boolean).join("+");
}

/** What of a keyboard event decides. */
export interface Press {
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
  isComposing: boolean;
  keyCode: number;
}

/** Milliseconds in which the same key counts once, and after a composition in which Enter belongs to the input method. */
const TWICE = 400;
const AFTER_COMPOSITION = 50;

/** Decides whether a press is meant for the console: no repeats, no doubles, nothing of an input method. Times in ms. */
export class KeyFilter {
  private lastCode = "";
  private lastAt = -Infinity;
  private composedAt = -Infinity;

  compositionEnded(at: number): void {
    this.composedAt = at;
  }

  accepts(press: Press, key: Key, at: number): boolean {
    if (press.code !== key.code || press.repeat || press.isComposing || press.keyCode === 229) return false;
    // Command stands for Ctrl on macOS.
    if ((press.ctrlKey || press.metaKey) !== (key.ctrl === true) || press.altKey !== (key.alt === true) || press.shiftKey) return false;
    if (press.code === "Enter" && at - this.composedAt < AFTER_COMPOSITION) return false;
    if (press.code === this.lastCode && at - this.lastAt < TWICE) return false;
    this.lastCode = press.code;
    this.lastAt = at;
    return true;
  }
}
