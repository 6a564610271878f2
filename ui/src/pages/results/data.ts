/** Reading the call log by pages, and one call of it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ApiProblem, get } from "../../api/call";
import type { Call, Lead } from "../../api/words";
import { queries } from "../../session";
import type { CallsQuery, Direction } from "./filters";

const CALLS = ["calls"];
/** Calls a page. */
const PAGE = 100;

/** The pages of the log. A look-up by number is counted with its first page: few are allowed to who sees masked numbers. */
export const useCalls = (query: CallsQuery) => useInfiniteQuery({
  queryKey: [...CALLS, query],
  queryFn: ({ pageParam, signal }) => get("/api/v1/calls", {
    query: { ...query, limit: PAGE, ...(pageParam === undefined ? {} : { before: pageParam }), ...(pageParam === undefined && query.number !== undefined ? { count: "1" as const } : {}) }, signal,
  }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
  // The list stands still while one reads it; "read again" brings what is new.
  staleTime: Infinity,
  placeholderData: (before) => before,
});

/** How many calls match, asked beside the first page so that it waits for no count. */
export const useCallCount = (query: CallsQuery, enabled: boolean) => useQuery({
  queryKey: [...CALLS, "count", query],
  queryFn: async ({ signal }) => {
    // The order has no bearing on the count, and some of them are refused for many calls.
    const { sort: _, ...filters } = query;
    return (await get("/api/v1/calls", { query: { ...filters, limit: 1, count: "1" }, signal })).count;
  },
  staleTime: Infinity,
  enabled,
});

/** One call. The service has no route of its own for it: it is the newest below the id that follows. */
export const useCall = (id: { direction: Direction; id: number } | undefined) => useQuery({
  queryKey: [...CALLS, "one", id],
  queryFn: async (): Promise<Call> => {
    const found = id === undefined ? undefined : (await get("/api/v1/calls", { query: { direction: id.direction, before: id.id + 1, from: "2000-01-01T00:00:00Z", limit: 1 } })).calls[0];
    if (!found || found.id !== id?.id) throw new ApiProblem(404, "not_found", "");
    return found;
  },
  placeholderData: () => {
    const pages = queries.getQueriesData<{ pages: { calls: Call[] }[] }>({ queryKey: CALLS }).flatMap(([, data]) => data?.pages ?? []);
    return pages.flatMap((page) => page.calls).find((it) => it.id === id?.id && it.direction === id.direction);
  },
});

export const useLead = (id: number | undefined) => useQuery({
  queryKey: ["lead", id],
  queryFn: (): Promise<Lead> => get("/api/v1/leads/{id}", { path: { id: id ?? 0 } }),
  enabled: id !== undefined,
});

/** Why the lead is not dialled, in words; only while its campaign is open in the service. */
export const useLeadWhy = (campaign: string | undefined, lead: number | undefined) => useQuery({
  queryKey: ["lead", lead, "why", campaign],
  queryFn: () => get("/api/v1/campaigns/{name}/leads/{lead}/why", { path: { name: campaign ?? "", lead: lead ?? 0 } }),
  enabled: campaign !== undefined && lead !== undefined,
});
