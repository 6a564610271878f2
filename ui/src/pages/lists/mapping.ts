/** What each column of a list is used for, as selects show it and as the service takes it. Pure. */
import type { ListMapping, UploadReport } from "../../api/words";

/** `phone1`, `phone2` … is the dialling order. `code` is found by the reader alone: a person's mapping has none. */
export type Use = "other" | "name" | "household" | "building" | "area" | "code" | `phone${number}`;

export const isPhone = (use: Use): use is `phone${number}` => use.startsWith("phone");

/** Most columns with numbers, and columns of a household, that the service takes. */
export const PHONES_MAX = 20;
export const HOUSEHOLD_MAX = 8;

/** The use of each column, as the last check had it. Without a report all are kept with the lead. */
export function usesOf(columns: readonly string[], found: UploadReport): Use[] {
  const mapping = found.mapping;
  const codes = new Set(found.report?.columns.filter((it) => it.role === "code").map((it) => it.name));
  return columns.map((column): Use => {
    const phone = mapping?.phones.indexOf(column) ?? -1;
    if (phone >= 0) return `phone${phone + 1}`;
    if (mapping?.name === column) return "name";
    if (mapping?.household?.includes(column)) return "household";
    if (mapping?.building === column) return "building";
    if (mapping?.area === column) return "area";
    return codes.has(column) ? "code" : "other";
  });
}

/** A column is used in another way. There is one name, one building, one area: the column that was it is kept with the lead. */
export function changeUse(uses: readonly Use[], at: number, use: Use): Use[] {
  const isSingle = use === "name" || use === "building" || use === "area";
  const next = uses.map((it, n) => (n === at ? use : isSingle && it === use ? "other" : it));
  // Two columns with one place in the order: the one that was chosen now goes first, the others move on.
  const phones = next.flatMap((it, n) => (isPhone(it) ? [{ n, place: Number(it.slice(5)), isNew: n === at }] : []));
  phones.sort((a, b) => a.place - b.place || Number(b.isNew) - Number(a.isNew) || a.n - b.n);
  phones.forEach(({ n }, place) => { next[n] = `phone${place + 1}`; });
  return next;
}

export function mappingOf(columns: readonly string[], uses: readonly Use[]): ListMapping {
  const named = (use: Use) => columns.filter((_, n) => uses[n] === use);
  const phones = uses.flatMap((use, n) => (isPhone(use) ? [{ column: columns[n] ?? "", place: Number(use.slice(5)) }] : []));
  const [name, building, area, household] = [named("name")[0], named("building")[0], named("area")[0], named("household")];
  return {
    phones: phones.sort((a, b) => a.place - b.place).map((it) => it.column),
    ...(name === undefined ? {} : { name }),
    ...(household.length === 0 ? {} : { household }),
    ...(building === undefined ? {} : { building }),
    ...(area === undefined ? {} : { area }),
  };
}

/** What stands against a choice of uses. */
export function faultOf(uses: readonly Use[]): "noPhone" | "tooManyPhones" | "tooManyHousehold" | undefined {
  const phones = uses.filter(isPhone).length;
  if (phones === 0) return "noPhone";
  if (phones > PHONES_MAX) return "tooManyPhones";
  return uses.filter((use) => use === "household").length > HOUSEHOLD_MAX ? "tooManyHousehold" : undefined;
}
