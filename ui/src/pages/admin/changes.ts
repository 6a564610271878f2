/** What an audited change did: the fields that differ between before and after. Pure. */

export interface FieldChange {
  /** As the service names it. */
  field: string;
  /** `undefined` = was not there. */
  was: string | undefined;
  now: string | undefined;
}

/** How fields and values are said; the service's own words where nothing else is given. */
export interface Say {
  field: (field: string) => string;
  /** A value that is no record and no list; never `null`. */
  value: (field: string, value: string | number | boolean) => string;
}

const RAW: Say = { field: (field) => field, value: (_, value) => String(value) };

/** A value of a field on one line. */
export function valueText(value: unknown, say: Say = RAW, field = ""): string {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.map((it) => valueText(it, say, field)).join("; ");
  if (isRecord(value)) return Object.entries(value).map(([name, it]) => `${say.field(name)} ${valueText(it, say, name)}`).join(", ");
  return say.value(field, value as string | number | boolean);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Field by field where both are records; whole values otherwise. `version` counts changes and is none. */
export function changesOf(before: unknown, after: unknown, say: Say = RAW): FieldChange[] {
  const [was, now] = [isRecord(before) ? before : undefined, isRecord(after) ? after : undefined];
  if (was === undefined && now === undefined) {
    if (before === null && after === null) return [];
    const whole = (value: unknown) => (value === null || value === undefined ? undefined : valueText(value, say));
    return [{ field: "", was: whole(before), now: whole(after) }];
  }
  const fields = [...new Set([...Object.keys(was ?? {}), ...Object.keys(now ?? {})])].filter((it) => it !== "version");
  const text = (record: Record<string, unknown> | undefined, field: string) => (record !== undefined && field in record ? valueText(record[field], say, field) : undefined);
  return fields.map((field) => ({ field, was: text(was, field), now: text(now, field) })).filter((it) => it.was !== it.now)
    // What a new row leaves empty, and what a removed one had empty, says nothing.
    .filter((it) => (it.was === undefined ? it.now !== "–" : it.now !== undefined || it.was !== "–"));
}
