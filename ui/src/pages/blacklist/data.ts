import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import { queries } from "../../session";

const BLACKLIST = ["blacklist"];
/** Entries a page. */
const PAGE = 100;

/** `scope`: empty = all, `system`, or `campaign:NAME`. */
export const useEntries = (scope: string) => useInfiniteQuery({
  queryKey: [...BLACKLIST, scope],
  queryFn: ({ pageParam, signal }) => get("/api/v1/blacklist", {
    query: { limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }), ...(scope === "system" ? { scope: "system" } : scope.startsWith("campaign:") ? { campaign: scope.slice(9) } : {}) }, signal,
  }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

/** Entries that cover a number. A look-up by number is a question about a person: it is asked only when somebody asks. */
export const useLookUp = (number: string | undefined) => useQuery({
  queryKey: [...BLACKLIST, "number", number],
  queryFn: async () => (await get("/api/v1/blacklist", { query: { number: number ?? "", limit: 100 } })).items,
  enabled: number !== undefined,
});

export const refreshBlacklist = () => queries.invalidateQueries({ queryKey: BLACKLIST });
