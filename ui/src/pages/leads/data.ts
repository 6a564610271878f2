/** Reading the leads of a campaign, what is known of their words, and the end of a bulk action. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { ApiProblem, get } from "../../api/call";
import { readLeads, type ChangedLeads, type LeadFilters } from "../../api/leads-table";
import type { Task } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";
import { LeadPages } from "./lead-pages";

const LEADS = ["lead-pages"];
/** Leads a page. */
const PAGE = 200;
/** How long a list that was left stands ready for Back, in ms. */
const KEPT = 600_000;
/** While a task works and its event may have been lost in a reconnect, in ms. */
const ASK_AGAIN = 1_500;

/** The list for these filters: its first page, and a reader of the others. It stands still until it is read again. */
export const useLeadPages = (campaign: string, filters: LeadFilters) => useQuery({
  queryKey: [...LEADS, campaign, filters],
  queryFn: async ({ signal }) => {
    const first = await readLeads(campaign, filters, { limit: PAGE, count: "1" }, signal);
    return new LeadPages((after) => readLeads(campaign, filters, { limit: PAGE, ...(after === undefined ? {} : { after }) }), first);
  },
  staleTime: Infinity,
  gcTime: KEPT,
  structuralSharing: false,
  placeholderData: (before, query) => (query?.queryKey[1] === campaign ? before : undefined),
});

const NOTHING = () => () => {};

/** Draws the component anew when rows of the list come. */
export const usePageRows = (pages: LeadPages | undefined): number => useSyncExternalStore(pages?.subscribe ?? NOTHING, pages?.snapshot ?? (() => 0));

/** Leads changed: the lists of the campaign read their rows in view again, drawers read theirs. */
export function refreshLeads(campaign: string): void {
  for (const [, pages] of queries.getQueriesData<LeadPages>({ queryKey: [...LEADS, campaign], type: "active" })) pages?.refresh();
  queries.removeQueries({ queryKey: [...LEADS, campaign], type: "inactive" });
  void queries.invalidateQueries({ queryKey: ["lead"] });
}

/** The list from its beginning, with its count. */
export const reloadLeads = (campaign: string) => queries.invalidateQueries({ queryKey: [...LEADS, campaign] });

/** The service's nearest answer about a number that no lead has: why the list's row was not imported. */
export const useNearest = (campaign: string, number: string | undefined) => useQuery({
  queryKey: ["nearest", campaign, number],
  queryFn: async ({ signal }) => {
    try {
      return await get("/api/v1/campaigns/{name}/leads", { path: { name: campaign }, query: { number: number ?? "" }, signal }).then(() => null);
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.status === 404) return problem.message;
      throw problem;
    }
  },
  enabled: number !== undefined,
});

/** A task of ours: its events, and asked for while it works. */
export const useTask = (id: number) => {
  const onTask = useCallback((data: unknown) => {
    if ((data as Task).id === id) queries.setQueryData(["task", id], data);
  }, [id]);
  useLiveEvent("task", onTask);
  return useQuery({
    queryKey: ["task", id],
    queryFn: ({ signal }): Promise<Task> => get("/api/v1/tasks/{id}", { path: { id }, signal }),
    refetchInterval: ({ state }) => (state.data === undefined || state.data.state === "queued" || state.data.state === "running" ? ASK_AGAIN : false),
  });
};

export const changedLeads = (task: Task): ChangedLeads | undefined => (task.state === "done" ? (task.result as ChangedLeads) : undefined);
