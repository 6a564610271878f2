/** Fields of a campaign by dotted key, and the merge patch (RFC 7396) that leads from one state to another. Pure. */
import { isFields, type Fields, type Value } from "./toml";

export type Patch = { [key: string]: Value | Patch | null };

export const fieldAt = (fields: Fields, key: string): Value | undefined =>
  key.split(".").reduce<Value | undefined>((table, name) => (isFields(table) ? table[name] : undefined), fields);

/** A copy with one field set; `undefined` takes it away, and its table with it when nothing is left in there. */
export function withField(fields: Fields, key: string, value: Value | undefined): Fields {
  const [name = "", ...rest] = key.split(".");
  const next: Fields = { ...fields };
  if (rest.length === 0) {
    if (value === undefined) delete next[name];
    else next[name] = value;
    return next;
  }
  const table = next[name];
  const inner = withField(isFields(table) ? table : {}, rest.join("."), value);
  if (Object.keys(inner).length === 0 && value === undefined) delete next[name];
  else next[name] = inner;
  return next;
}

export function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((it, n) => isSame(it, b[n]));
  if (isFields(a) && isFields(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
  }
  return a === b;
}

/** What has to be merged into `from` for `to`; lists are replaced whole. */
export function patchOf(from: Fields, to: Fields): Patch {
  const patch: Patch = {};
  for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const was = from[key];
    if (isSame(was, value)) continue;
    patch[key] = isFields(value) ? patchOf(isFields(was) ? was : {}, value) : value;
  }
  return patch;
}

/** Dotted keys of the fields that a patch sets or takes away. */
export function keysOf(patch: Patch, before = ""): string[] {
  return Object.entries(patch).flatMap(([key, value]) => (isFields(value) && Object.keys(value).length > 0 ? keysOf(value as Patch, `${before}${key}.`) : [before + key]));
}
