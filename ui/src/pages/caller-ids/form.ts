/** What is known of a number, as it is typed: faults, and what the service is sent. Pure. */
import { ApiProblem } from "../../api/call";
import type { CallerId, Schemas } from "../../api/words";
import type { Language } from "../../words";
import { narrow, wideSentence } from "../../words/width";

export const TEXTS = ["holder", "holder_id", "carrier", "region", "note"] as const;
export const LIMITS = ["per_hour_max", "per_day_max", "idle_days"] as const;
export type TextField = (typeof TEXTS)[number];
export type LimitField = (typeof LIMITS)[number];
export type FieldName = TextField | LimitField;
export type CallerIdForm = Record<FieldName, string>;
/** A word of the catalogue behind `callerIds.fault_`, or a sentence of the service. */
export type Faults = Partial<Record<FieldName | "number", { word: "text" | "calls" | "days" | "number" } | { sentence: string }>>;

export const TEXT_MAX = 64;
const MOST: Record<LimitField, number> = { per_hour_max: 100_000, per_day_max: 100_000, idle_days: 365 };

export const EMPTY: CallerIdForm = { holder: "", holder_id: "", carrier: "", region: "", note: "", per_hour_max: "", per_day_max: "", idle_days: "" };

const limitText = (limit: number): string => (limit === 0 ? "" : String(limit));

export const formOf = (row: CallerId): CallerIdForm => ({
  holder: row.holder, holder_id: "", carrier: row.carrier, region: row.region, note: row.note,
  per_hour_max: limitText(row.per_hour_max), per_day_max: limitText(row.per_day_max), idle_days: limitText(row.idle_days),
});

/** A typed limit; empty = 0, which means none. */
function limitOf(text: string): number {
  const plain = narrow(text).replace(/[,\s]/g, "");
  return plain === "" ? 0 : /^\d{1,6}$/.test(plain) ? Number(plain) : NaN;
}

const isLimit = (name: FieldName): name is LimitField => (LIMITS as readonly string[]).includes(name);

/** Faults that the page can see; the service looks again. */
export function faultsOf(form: CallerIdForm, names: readonly FieldName[]): Faults {
  const faults: Faults = {};
  for (const name of names) {
    if (isLimit(name)) {
      const limit = limitOf(form[name]);
      if (Number.isNaN(limit) || limit > MOST[name]) faults[name] = { word: name === "idle_days" ? "days" : "calls" };
    } else if ([...form[name].trim()].length > TEXT_MAX) faults[name] = { word: "text" };
  }
  return faults;
}

/** The body of a change: what differs from the row. The holder's identity number is sent where one is typed: the row has none. */
export function changeOf(form: CallerIdForm, row: CallerId, names: readonly FieldName[]): Schemas["CallerIdRequest"] {
  const change: Schemas["CallerIdRequest"] = {};
  for (const name of names) {
    if (isLimit(name)) {
      if (limitOf(form[name]) !== row[name]) change[name] = limitOf(form[name]);
    } else if (name === "holder_id") {
      if (form.holder_id.trim() !== "") change.holder_id = narrow(form.holder_id).trim();
    } else if (form[name].trim() !== row[name]) change[name] = form[name].trim();
  }
  return change;
}

/** The body of an entry: what was typed. */
export function entryOf(number: string, form: CallerIdForm): Schemas["NewCallerId"] {
  const entry: Schemas["NewCallerId"] = { number: narrow(number).trim() };
  for (const name of TEXTS) if (form[name].trim() !== "") entry[name] = name === "holder_id" ? narrow(form[name]).trim() : form[name].trim();
  for (const name of LIMITS) if (limitOf(form[name]) !== 0) entry[name] = limitOf(form[name]);
  return entry;
}

/** Fields that the service refused, with its sentences; empty = its sentence stands above the form. */
export function refusedFields(problem: unknown, language: Language): Faults {
  if (!(problem instanceof ApiProblem)) return {};
  const faults: Faults = {};
  for (const { at, words } of problem.problem?.errors ?? []) {
    const name = at.replace(/^\//, "");
    if (name !== "number" && !(name in EMPTY)) continue;
    // The label above the field names it already.
    const sentence = words[language].replace(new RegExp(`^${name}\\s*[::]\\s*`), "");
    faults[name as FieldName] = { sentence: language === "zh" ? wideSentence(sentence) : sentence };
  }
  return faults;
}

/** What another person changed between two versions, as fields of the present one. */
export const differing = (was: CallerId, now: CallerId): FieldName[] => {
  const [before, after] = [formOf(was), formOf(now)];
  return [...TEXTS, ...LIMITS].filter((name) => (name === "holder_id" ? was.holder_id_end !== now.holder_id_end : before[name] !== after[name]));
};

/** Whether a field was changed since the form was filled from `row`. */
export const isTouched = (form: CallerIdForm, row: CallerId, name: FieldName): boolean => form[name] !== formOf(row)[name];

/** The form over a newer version of its row: what was not touched follows the row. */
export function merged(form: CallerIdForm, was: CallerId, now: CallerId): CallerIdForm {
  const next = formOf(now);
  for (const name of [...TEXTS, ...LIMITS]) if (isTouched(form, was, name)) next[name] = form[name];
  return next;
}
