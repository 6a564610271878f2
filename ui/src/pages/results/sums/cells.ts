/** Sums over calls as a table: its rows, columns and cells, and the address of the calls behind each. Pure. */
import type { Schemas } from "../../../api/words";
import { changed, type SearchChange } from "../../../use-search";
import { NO_VALUE } from "../filters";

export type Aggregates = Schemas["CallAggregates"];
export type CallSum = Schemas["CallSum"];

export const DIMENSIONS = ["hour", "day", "building", "outcome", "disposition", "caller_id", "trunk", "agent"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const FIGURES = ["calls", "answered", "answerRate", "abandoned", "abandonRate", "talkTotal", "talkMean"] as const;
export type Figure = (typeof FIGURES)[number];

/** What inbound calls do not have. */
export const OUTBOUND_ONLY: ReadonlySet<Dimension> = new Set(["outcome", "caller_id", "trunk"]);

const isDimension = (text: string | null): text is Dimension => DIMENSIONS.some((it) => it === text);

/** The dimensions of the address; without one hours. `by` of the call log is an agent, so the first is called `sum`. */
export function dimensionsOf(search: URLSearchParams): [Dimension] | [Dimension, Dimension] {
  const [sum, then] = [search.get("sum"), search.get("then")];
  const first: Dimension = isDimension(sum) ? sum : "hour";
  return isDimension(then) && then !== first ? [first, then] : [first];
}

export function figureOf(search: URLSearchParams): Figure {
  const asked = search.get("figure");
  return FIGURES.find((it) => it === asked) ?? "calls";
}

/** A share, or `undefined` of nothing. */
const share = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);

/** The figure of a sum; `undefined` = there is nothing that it could be a share of. */
export function figure(of: CallSum, name: Figure): number | undefined {
  switch (name) {
    case "calls": return of.calls;
    case "answered": return of.answered;
    case "answerRate": return share(of.answered, of.divisor);
    case "abandoned": return of.abandoned;
    case "abandonRate": return share(of.abandoned, of.people);
    case "talkTotal": return of.talked_secs;
    case "talkMean": return share(of.talked_secs, of.talked);
  }
}

const FIELDS = ["calls", "answered", "divisor", "talked", "talked_secs", "abandoned", "people"] as const;

function added(one: CallSum, other: CallSum): CallSum {
  const sum = { ...one };
  for (const field of FIELDS) sum[field] += other[field];
  // Thousandths of a second are added, and no rest of a binary fraction is shown.
  sum.talked_secs = Math.round(sum.talked_secs * 1000) / 1000;
  return sum;
}

export interface Line {
  key: string | null;
  label: string | null;
  sum: CallSum;
  /** By the column's key. */
  cells: ReadonlyMap<string | null, CallSum>;
}

export interface Column {
  key: string | null;
  label: string | null;
  sum: CallSum;
}

/** Rows by the first dimension and columns by the second, in the order of the service. */
export function linesOf(items: readonly CallSum[]): { lines: Line[]; columns: Column[] } {
  const lines = new Map<string | null, Line & { cells: Map<string | null, CallSum> }>();
  const columns = new Map<string | null, Column>();
  for (const item of items) {
    const [key = null, then = null] = item.keys;
    const line = lines.get(key);
    if (line) {
      line.sum = added(line.sum, item);
      line.cells.set(then, item);
    } else {
      lines.set(key, { key, label: item.labels[0] ?? null, sum: item, cells: new Map([[then, item]]) });
    }
    if (item.keys.length < 2) continue;
    const column = columns.get(then);
    columns.set(then, { key: then, label: item.labels[1] ?? null, sum: column ? added(column.sum, item) : item });
  }
  return { lines: [...lines.values()], columns: [...columns.values()] };
}

/** The filter of the call log for a dimension, where it is no time. */
const FILTER: Record<Exclude<Dimension, "hour" | "day">, string> = {
  building: "building", outcome: "outcome", disposition: "disposition", caller_id: "caller", trunk: "trunk", agent: "by",
};

/** Parameters of this page alone, and the order of the call log, which sums do not have. */
const OWN = ["sum", "then", "figure", "sort"];

/** The parameters that are filters of the call log. */
export const filtersOnly = (search: URLSearchParams): URLSearchParams => changed(search, Object.fromEntries(OWN.map((name) => [name, null])));

/** A key that names no single value: a masked number. */
export const isMasked = (key: string | null): boolean => key !== null && key.includes("*");

/** Beginning and end of the page's own span, beyond which no hour and no day reaches; `null` = open. */
export type PageSpan = Pick<Aggregates, "from" | "until">;

/** The part of an hour or a day that lies in the page's span, as the call log's filter writes it. */
function within(item: CallSum, span: PageSpan): string | undefined {
  if (item.from === null || item.until === null) return undefined;
  const from = span.from !== null && Date.parse(span.from) > Date.parse(item.from) ? span.from : item.from;
  const until = span.until !== null && Date.parse(span.until) < Date.parse(item.until) ? span.until : item.until;
  return `${from}/${until}`;
}

/** The address of the calls behind a cell: the page's filters, narrowed to the cell; `undefined` where none can be named. */
export function callsBehind(search: URLSearchParams, parts: readonly (readonly [Dimension, string | null, CallSum])[], span: PageSpan, figureName?: Figure): string | undefined {
  const change: SearchChange = {};
  for (const [dimension, key, item] of parts) {
    if (isMasked(key)) return undefined;
    if (dimension === "day" || dimension === "hour") {
      // Of an hour and a day the hour is the narrower one, and both items have its span.
      change["within"] = within(item, span);
      if (change["within"] === undefined) return undefined;
    } else {
      change[FILTER[dimension]] = key ?? NO_VALUE;
    }
  }
  // No filter of the call log tells which inbound calls an agent took.
  if (figureName === "answered" && search.get("dir") === "in") return undefined;
  if (figureName === "answered") {
    // Calls of another outcome were not answered: there is nothing to open.
    if (change["outcome"] !== undefined && change["outcome"] !== "answered") return undefined;
    change["outcome"] = "answered";
  }
  if (figureName === "abandoned") change["missed"] = "true";
  return `/results?${changed(filtersOnly(search), change)}`;
}
