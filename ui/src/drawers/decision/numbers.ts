/** The numbers of a decision's view as rows: what is nested has a dotted key, what is not known is left out. Pure. */
export interface ViewNumber {
  key: string;
  value: string | boolean;
}

const SHARES = new Set(["reason.risk", "reason.risk_max"]);
/** Deeper than a view is. */
const DEPTH_MAX = 3;

export function numbersOf(view: unknown, before = "", depth = 0): ViewNumber[] {
  if (typeof view !== "object" || view === null || depth > DEPTH_MAX) return [];
  return Object.entries(view).flatMap(([name, value]): ViewNumber[] => {
    const key = before + name;
    if (typeof value === "number") return [{ key, value: SHARES.has(key) ? `${(value * 100).toFixed(1)} %` : Number.isInteger(value) ? String(value) : value.toFixed(2) }];
    if (typeof value === "boolean") return [{ key, value }];
    if (typeof value === "string") return value === "" ? [] : [{ key, value }];
    return Array.isArray(value) ? [] : numbersOf(value, `${key}.`, depth + 1);
  });
}
