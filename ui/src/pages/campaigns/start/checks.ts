import type { CheckItem, Checklist } from "../../../api/campaign-rows";
import { hasWord, type Translate } from "../../../words";
import { visible } from "../../../words/format";

/** Checks that keep the campaign from its start. */
export const stopsOf = (checklist: Checklist): CheckItem[] => checklist.items.filter((it) => it.level === "stop" && !it.ok);

/** Name of a check; a newer service may have others. */
export function checkWord(code: string, t: Translate): string {
  const key = `start.code_${code}`;
  return hasWord(key) ? t(key) : visible(code);
}
