/** A draft of a campaign's text: what was changed, on which version. Kept in the tab until it is applied or dropped. */
import { diffLines, joinBlocks, mergeBlocks } from "../../../kit/lines";
import { isSame, keysOf, patchOf } from "./patch";
import { readToml, TomlFault, type Fields } from "./toml";

/** The version that a draft changes. */
export interface Base {
  toml: string;
  etag: string;
  version: number;
}

export interface Draft {
  base: Base;
  text: string;
  /** Set by the form and not yet in the text. */
  fields: Fields | undefined;
  /** `fields`: every change came from the form, so that the service puts them into its text. */
  origin: "fields" | "text";
  /** Grows with each change. */
  seq: number;
}

export function readText(text: string): { fields: Fields; fault: undefined } | { fields: undefined; fault: TomlFault } {
  try {
    return { fields: readToml(text), fault: undefined };
  } catch (fault) {
    if (fault instanceof TomlFault) return { fields: undefined, fault };
    throw fault;
  }
}

const fieldsOf = (draft: Draft): Fields | undefined => draft.fields ?? readText(draft.text).fields;

/** The patch that leads from the base to what the form shows. */
export const patchOfDraft = (draft: Draft, wanted: Fields) => patchOf(readText(draft.base.toml).fields ?? {}, wanted);

/** How many fields differ; of a text that cannot be read, or differs in comments only, how many lines. */
export function changesOf(draft: Draft): number {
  const fields = fieldsOf(draft);
  const keys = fields === undefined ? 0 : keysOf(patchOfDraft(draft, fields)).length;
  return keys > 0 ? keys : diffLines(draft.base.toml, draft.text).filter((it) => it.kind !== "same").length;
}

/** A change of the form: `undefined` if nothing is left that differs from the base. */
export function withFields(base: Base, draft: Draft | undefined, fields: Fields): Draft | undefined {
  const before = draft ?? { base, text: base.toml, fields: undefined, origin: "fields" as const, seq: 0 };
  if (before.origin === "fields" && isSame(readText(base.toml).fields, fields)) return undefined;
  return { ...before, fields, seq: before.seq + 1 };
}

/** A change of the text. */
export function withText(base: Base, draft: Draft | undefined, text: string): Draft | undefined {
  if (text === base.toml) return undefined;
  return { base, text, fields: undefined, origin: "text", seq: (draft?.seq ?? 0) + 1 };
}

/**
 * The draft's text with the form's changes, where both were used: `patched` is the base with every field as wanted. Lines
 * that only the text changed stay; where they meet, the fields win.
 */
export function joinTexts(draft: Draft, wanted: Fields, patched: string): string {
  const joined = joinBlocks(mergeBlocks(draft.base.toml, draft.text, patched), () => "theirs");
  return isSame(readText(joined).fields, wanted) ? joined : patched;
}

const prefixOf = (login: string, name: string) => `paceline.settings:${login}:${name}:`;

/** Keeps the draft of this person and campaign in the tab, by the etag of its base; `undefined` drops it. */
export function keepDraft(store: Storage, login: string, name: string, draft: Draft | undefined): void {
  const key = draft === undefined ? undefined : prefixOf(login, name) + draft.base.etag;
  for (const kept of keysIn(store, prefixOf(login, name))) if (kept !== key) store.removeItem(kept);
  try {
    if (key !== undefined) store.setItem(key, JSON.stringify(draft));
  } catch {
    // A full or forbidden storage: the draft lives as long as the page.
  }
}

export function keptDraft(store: Storage, login: string, name: string): Draft | undefined {
  const [key] = keysIn(store, prefixOf(login, name));
  const kept = key === undefined ? null : store.getItem(key);
  if (kept === null) return undefined;
  try {
    const it = JSON.parse(kept) as Draft;
    const isWhole = typeof it.text === "string" && typeof it.base.toml === "string" && typeof it.base.etag === "string" && typeof it.base.version === "number" && typeof it.seq === "number";
    return isWhole ? it : undefined;
  } catch {
    return undefined;
  }
}

function keysIn(store: Storage, prefix: string): string[] {
  return Array.from({ length: store.length }, (_, n) => store.key(n) ?? "").filter((key) => key.startsWith(prefix));
}
