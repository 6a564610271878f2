/** The keys of the player; they hold inside it alone. Pure. */

export type PlayerAct = { kind: "toggle" } | { kind: "move"; by: number };

/** Seconds of an arrow, and of an arrow with Shift. */
export const STEP = 5;
export const LONG_STEP = 15;

interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** What stands under the key: a choice keeps its arrows, a button and a link keep their space. */
export type Under = "choice" | "button" | "other";

export function actOf(pressed: Pressed, under: Under): PlayerAct | undefined {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || under === "choice") return undefined;
  const step = pressed.shiftKey ? LONG_STEP : STEP;
  switch (pressed.key) {
    case "ArrowLeft": return { kind: "move", by: -step };
    case "ArrowRight": return { kind: "move", by: step };
    case " ": return under === "button" || pressed.shiftKey ? undefined : { kind: "toggle" };
    default: return undefined;
  }
}

export function underOf(target: EventTarget): Under {
  if (target instanceof HTMLSelectElement) return "choice";
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement ? "button" : "other";
}
