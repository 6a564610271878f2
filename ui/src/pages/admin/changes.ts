/** What an audited change did: the fields that differ between before and after. Pure. */

export interface FieldChange {
  field: string;
  /** `undefined` = was not there. */
  was: string | undefined;
  now: string | undefined;
}

/** A value on one line. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.map(valueText).join("; ");
  if (isRecord(value)) return Object.entries(value).map(([name, it]) => `${name} ${valueText(it)}`).join(", ");
  return String(value);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Field by field where both are records; whole values otherwise. `version` counts changes and is none. */
export function changesOf(before: unknown, after: unknown): FieldChange[] {
  const [was, now] = [isRecord(before) ? before : undefined, isRecord(after) ? after : undefined];
  if (was === undefined && now === undefined) {
    if (before === null && after === null) return [];
    return [{ field: "", was: before === null || before === undefined ? undefined : valueText(before), now: after === null || after === undefined ? undefined : valueText(after) }];
  }
  const fields = [...new Set([...Object.keys(was ?? {}), ...Object.keys(now ?? {})])].filter((it) => it !== "version");
  const text = (record: Record<string, unknown> | undefined, field: string) => (record !== undefined && field in record ? valueText(record[field]) : undefined);
  return fields.map((field) => ({ field, was: text(was, field), now: text(now, field) })).filter((it) => it.was !== it.now)
    // What a new row leaves empty, and what a removed one had empty, says nothing.
    .filter((it) => (it.was === undefined ? it.now !== "–" : it.now !== undefined || it.was !== "–"));
}
