import { hasWord, type Translate } from "../../words";
import { visible } from "../../words/format";

/** A correction in words: a name that was changed, a number that was changed or added. */
export function correctionWords(it: { field: string; was: string | null; now: string }, t: Translate): string {
  const key = `results.field_${it.field}`;
  const field = hasWord(key) ? t(key) : it.field;
  return it.was === null || it.was === "" ? t("results.added", { field, now: visible(it.now) }) : t("results.corrected", { field, was: visible(it.was), now: visible(it.now) });
}
