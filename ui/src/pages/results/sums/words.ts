/** How the sums page writes keys and figures. Pure. */
import { OUTCOME_STATES } from "../../../states";
import type { Translate } from "../../../words";
import { count, duration, percent, telephone, visible } from "../../../words/format";
import type { Dimension, Figure } from "./cells";

/** `undefined` = of nothing. */
export function figureWords(value: number | undefined, name: Figure): string {
  if (value === undefined) return "–";
  switch (name) {
    case "answerRate": case "abandonRate": return percent(value);
    case "talkTotal": case "talkMean": return duration(value);
    default: return count(value);
  }
}

/** `11-21 14:00` of an hour, and its offset where the clock shows the hour twice. */
function hourWords(key: string, isTwice: boolean): string {
  return `${key.slice(5, 10)} ${key.slice(11, 16)}${isTwice ? ` (${key.slice(19)})` : ""}`;
}

/** The words of a key. `keys` = all of its dimension, `disposition` = the label of a code. */
export function keyWords(dimension: Dimension, key: string | null, label: string | null, keys: readonly (string | null)[], disposition: (code: string) => string, t: Translate): string {
  if (key === null) return t(dimension === "outcome" ? "sums.none_outcome" : "sums.none");
  switch (dimension) {
    case "hour": return hourWords(key, keys.some((it) => it !== null && it !== key && it.slice(0, 16) === key.slice(0, 16)));
    case "outcome": return key in OUTCOME_STATES ? t(OUTCOME_STATES[key as keyof typeof OUTCOME_STATES].word) : key;
    case "disposition": return disposition(key);
    case "caller_id": return telephone(key);
    case "agent": return label === null ? key : `${key} ${visible(label)}`;
    default: return visible(key);
  }
}
