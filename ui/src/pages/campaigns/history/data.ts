/** What the history page reads. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get } from "../../../api/call";
import { listDecisions, readVersion } from "../../../api/campaign-rows";

/** Reasons of a pacing decision; a test compares them with the service's. */
export const WHYS = [
  "concurrency_full", "trunks_full", "calls_per_sec", "trunks_down", "outside_window", "hopper_empty", "households_busy", "retries_later", "no_agents", "agents_busy", "lines_out",
  "abandon_budget", "callees_waiting", "calls_per_agent", "feed_doubted", "pacer_failed", "caller_ids_used", "store_stalled", "paused", "draining", "finished",
] as const;

const AUDIT_ROWS = 50;

/** A version never changes. */
export const useVersion = (name: string, n: number | undefined) => useQuery({
  queryKey: ["version", name, n],
  queryFn: ({ signal }) => readVersion(name, n ?? 0, signal),
  enabled: n !== undefined,
  staleTime: Infinity,
});

export const useDecisions = (name: string, why: string) => useInfiniteQuery({
  queryKey: ["campaign", name, "decisions", why],
  queryFn: ({ pageParam, signal }) => listDecisions(name, { ...(pageParam === undefined ? {} : { before: pageParam }), ...(why === "" ? {} : { why }) }, signal),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

/** One decision: the newest before its successor; `null` = no longer kept. */
export const useDecision = (name: string, id: number) => useQuery({
  queryKey: ["decision", name, id],
  queryFn: async ({ signal }) => (await listDecisions(name, { before: id + 1 }, signal)).items.find((it) => it.id === id) ?? null,
  enabled: Number.isSafeInteger(id) && id >= 0,
  staleTime: Infinity,
});

export const useCampaignAudit = (name: string, isEnabled: boolean) => useQuery({
  queryKey: ["campaign", name, "audit"],
  queryFn: ({ signal }) => get("/api/v1/audit", { query: { subject: `campaign:${name}`, limit: AUDIT_ROWS }, signal }),
  enabled: isEnabled,
});
