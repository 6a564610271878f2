/** Filters of a campaign's leads: what the address says, what the service is asked, how a chip reads. Pure. */
import type { LeadFilters } from "../../api/leads-table";
import { LEAD_REASONS, LEAD_STATES, OUTCOMES } from "../../api/words";
import { narrow } from "../../words/width";

/** Filters that are added one by one, in the order in which they are offered. */
export const FILTERS = ["state", "reason", "outcome", "disposition", "building", "callback"] as const;
export type FilterName = (typeof FILTERS)[number];

/** Filters with a fixed set of values. */
export const CHOICES: Partial<Record<FilterName, readonly string[]>> = { state: LEAD_STATES, reason: LEAD_REASONS, outcome: OUTCOMES, callback: ["true"] };

const TEXT_MAX = 128;

/** The value as the service takes it; `undefined` = it cannot be one. */
export function fitValue(name: FilterName | "q", typed: string): string | undefined {
  const text = narrow(typed).trim();
  if (text === "" || [...text].length > TEXT_MAX) return undefined;
  const choices = name === "q" ? undefined : CHOICES[name];
  return choices === undefined || choices.includes(text) ? text : undefined;
}

/** The filters that the address sets; values that are none are left out. */
export function filtersOf(search: URLSearchParams): [FilterName, string][] {
  return FILTERS.flatMap((name): [FilterName, string][] => {
    const value = fitValue(name, search.get(name) ?? "");
    return value === undefined ? [] : [[name, value]];
  });
}

/** What is searched for: a telephone number without the signs that people put between its digits, other texts as they are. */
export function wantedOf(search: URLSearchParams): string | undefined {
  const text = fitValue("q", search.get("q") ?? "");
  if (text === undefined) return undefined;
  return numberOf(text) ?? text.replace(/^(\d{1,3})(,\d{3})+$/, (row) => row.replaceAll(",", ""));
}

const TELEPHONE = /^(\+86)?(0?1[3-9]\d{9}|010[2-8]\d{7}|02\d[2-8]\d{7}|0[3-9]\d{2}[2-8]\d{6,7}|[48]00\d{7})$/;

/** A whole telephone number in its digits; `undefined` for a name or a row. */
export function numberOf(text: string): string | undefined {
  const bare = narrow(text).replace(/[\s()-]/g, "");
  return TELEPHONE.test(bare) ? bare : undefined;
}

/** What the service is asked for the address. */
export function queryOf(search: URLSearchParams): LeadFilters {
  const query: LeadFilters = {};
  for (const [name, value] of filtersOf(search)) {
    Object.assign(query, { [name]: value });
  }
  const q = wantedOf(search);
  if (q !== undefined) query.q = q;
  return query;
}

/** A change of the address that takes every filter away. */
export const NO_FILTERS: Record<string, null> = Object.fromEntries([...FILTERS, "q"].map((name) => [name, null]));
