/** The audit in words: actions, subjects, fields and values of its rows. What has no word stands as the service has it. */
import { hasWord, type Translate } from "../../words";
import { count, day, moment, visible } from "../../words/format";
import type { Say } from "./changes";

const wordOf = (keys: readonly string[], t: Translate): string | undefined => {
  for (const key of keys) if (hasWord(key)) return t(key);
  return undefined;
};

/** The word of a right where the action is one, else the route's own. */
export const actionWords = (action: string, t: Translate): string => wordOf([`right.${action}`, `audit.act_${action}`], t) ?? visible(action);

export const kindWords = (kind: string, t: Translate): string => wordOf([`audit.kind_${kind}`], t) ?? visible(kind);

/** Catalogues in which a state's word stands, by the kind of thing whose state it is. */
const STATES: Record<string, readonly string[]> = {
  approval: ["approval."], audio: ["sound."], caller_id: ["callerId."], campaign: ["campaign.", "audit.act_"], lead: ["lead."], list: ["lists."],
};

/** Fields whose numbers name a thing. */
const IDS: ReadonlySet<string> = new Set(["id", "lead", "list", "audio", "task"]);

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** How the fields and values of a row about this kind of thing are said. */
export function sayOf(kind: string, t: Translate, now: Date, titles: { campaign: (name: string) => string; person: (number: string) => string }): Say {
  return {
    field: (field) => wordOf([`audit.field_${field}`, `organisation.${field}`], t) ?? visible(field),
    value: (field, value) => {
      if (typeof value === "boolean") return t(value ? "people.yes" : "people.no");
      if (typeof value === "number") return IDS.has(field) ? String(value) : count(value);
      if (field === "campaign") return titles.campaign(value);
      if (field === "agent" || field === "assigned_agent" || field === "callback_agent") return titles.person(value);
      if (MOMENT.test(value)) {
        const at = new Date(value);
        return day(at) === day(now) ? moment(at, now) : `${day(at)} ${moment(at, at)}`;
      }
      const keys = field === "state" ? (STATES[kind] ?? []).map((it) => it + value)
        : field === "role" ? [`role.${value}`]
        : field === "reason" && kind === "lead" ? [`leadReason.${value}`]
        : field === "work_mode" ? [`groups.mode_${value}`]
        : field === "action" ? [`audit.act_${value}`, ...(kind === "caller_id" ? [`callerIds.act_${value}`] : []), `leads.act_${value}`]
        : field === "why" && kind === "caller_id" ? [`callerIds.why_${value}`]
        : field === "fields" ? [`settings.f_${value.replaceAll(".", "_")}`]
        : field === "password" || field === "phone_password" ? [`audit.value_${value}`] : [];
      return wordOf(keys, t) ?? visible(value);
    },
  };
}
