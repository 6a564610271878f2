/** What the pages of a campaign read: its text, its rows, and when they are read anew. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ApiProblem } from "../../api/call";
import { listCampaigns, listVersions, readCampaign, type CampaignChange, type CampaignRow, type CampaignText } from "../../api/campaign-rows";
import type { Campaign } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";
import { campaignState } from "../../states";
import { leadsAll, leadsOpen } from "./figures";

const CAMPAIGN = ["campaign"];
const ROWS = ["campaigns", "rows"];
/** Rows a page. */
const PAGE = 200;
/** Somebody else's change of the text is seen after so long at the latest, in ms. */
const LOOK_AGAIN = 15_000;

const textKey = (name: string) => [...CAMPAIGN, name, "text"];

/** How a campaign's text and fields are read. */
export const textQuery = (name: string) => ({ queryKey: textKey(name), queryFn: ({ signal }: { signal: AbortSignal }) => readCampaign(name, signal) });

/** A campaign's text and fields. `isWatched`: looks again and again, since no event says that a colleague saved. */
export const useCampaignText = (name: string, isWatched = false) => useQuery({
  ...textQuery(name),
  refetchInterval: isWatched ? LOOK_AGAIN : false,
  refetchOnWindowFocus: isWatched,
});

export const useVersions = (name: string) => useQuery({ queryKey: [...CAMPAIGN, name, "versions"], queryFn: async ({ signal }) => (await listVersions(name, signal)).items });

/** The text now, past the cache. */
export const freshText = (name: string): Promise<CampaignText> => queries.fetchQuery({ queryKey: textKey(name), queryFn: () => readCampaign(name), staleTime: 0 });

/** Its text, versions, checklist and row were changed. */
export function refreshCampaign(name: string): void {
  void queries.invalidateQueries({ queryKey: [...CAMPAIGN, name] });
  void queries.invalidateQueries({ queryKey: ROWS });
}

/** A change was applied: its text is known before it is read again. */
export function adoptChange(name: string, change: CampaignChange): void {
  queries.setQueryData<CampaignText>(textKey(name), (was) => (was === undefined ? was : { ...was, toml: change.toml, etag: change.etag, version: change.version }));
  refreshCampaign(name);
}

/** Whether the service has no such campaign, or none that the reader may see. */
export const isGone = (problem: unknown): boolean => problem instanceof ApiProblem && problem.status === 404;

export interface RowFilter {
  state: string;
  group: string;
  q: string;
}

/** What campaigns wait for was changed: rows and texts in view are read again. */
const onWaiting = () => {
  void queries.invalidateQueries({ queryKey: ROWS });
  void queries.invalidateQueries({ queryKey: CAMPAIGN });
};

/** Reads rows and texts again when an approval is asked for or decided. */
export const useWaitingWatch = (): void => useLiveEvent("approval", onWaiting);

/** Campaigns in every state; of a service that knows open ones only, those. */
export const useCampaignRows = (filter: RowFilter) => useInfiniteQuery({
  queryKey: [...ROWS, filter],
  queryFn: async ({ pageParam, signal }) => {
    const page = await listCampaigns({ ...filter, limit: PAGE, after: pageParam }, signal);
    return { items: page.items ?? page.campaigns.map(rowOf).filter((row) => passes(row, filter)), next: page.next ?? undefined };
  },
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next,
  placeholderData: (before) => before,
});

export const refreshRows = () => queries.invalidateQueries({ queryKey: ROWS });

export function rowOf(it: Campaign): CampaignRow {
  return {
    name: it.name, title: it.title ?? it.name, mode: it.mode ?? "", state: campaignState(it), waiting_for: [], group: it.group, leads: leadsAll(it), leads_open: leadsOpen(it), answer_rate: it.answer_rate,
    abandon_rate: it.abandon_rate, placed: it.placed, version: 0, changed_at: it.opened_at, changed_by: null, is_open: true, trouble: null,
  };
}

export function passes(row: CampaignRow, { state, group, q }: RowFilter): boolean {
  return (state === "" || row.state === state) && (group === "" || row.group === group) && `${row.title ?? ""} ${row.name}`.toLowerCase().includes(q.toLowerCase());
}

