/** The filters of a page as an export of its rows takes them. Pure. */
import type { LeadFilters } from "../../api/leads-table";
import type { ExportFilters } from "./data";

/** Of the leads table: what is searched for is a number, a row of the list, or a part of the name. */
export function leadFilters(campaign: string, { q, ...filters }: LeadFilters): Partial<ExportFilters> {
  const { callback, ...plain } = filters as LeadFilters & { callback?: string | boolean };
  const wanted = q === undefined ? {} : /^0?1\d{10}$|^0\d{9,11}$/.test(q) ? { number: q } : /^\d+$/.test(q) ? { row: Number(q) } : { name: q };
  return { ...(plain as Partial<ExportFilters>), ...(callback === undefined ? {} : { callback: String(callback) === "true" }), ...wanted, campaign };
}

/** Of the results page: pages, order and counts are no filters. */
export function callFilters(query: object): Partial<ExportFilters> {
  const { limit: _limit, sort: _sort, after: _after, before: _before, count: _count, ...filters } = query as Record<string, unknown>;
  for (const name of ["recorded", "missed"]) if (filters[name] !== undefined) filters[name] = String(filters[name]) === "true";
  return filters as Partial<ExportFilters>;
}

/** The last thirty days with today, in the reader's zone: the span of agents' hours. */
export function hoursSpan(now: Date): Partial<ExportFilters> {
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 29);
  const until = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  return { from: from.toISOString(), until: until.toISOString(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}
