import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { get } from "../../api/call";
import type { Task } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";

const BLACKLIST = ["blacklist"];
/** Entries a page. */
const PAGE = 100;
/** While a task works and its event may have been lost in a reconnect, in ms. */
const ASK_AGAIN = 1_500;

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

/** A blacklist that was sent. */
export const useImport = (id: number | undefined) => useQuery({
  queryKey: [...BLACKLIST, "import", id],
  queryFn: ({ signal }) => get("/api/v1/blacklist/imports/{id}", { path: { id: id ?? 0 }, signal }),
  enabled: id !== undefined,
  refetchInterval: ({ state: { data } }) => (data?.state === "checking" || data?.state === "loading" ? ASK_AGAIN : false),
});

export const useSources = () => useQuery({ queryKey: [...BLACKLIST, "sources"], queryFn: ({ signal }) => get("/api/v1/blacklist/sources", { signal }) });

/** Keeps imports current: their tasks, and what was missed while the stream was away. */
export function useImportEvents(): void {
  useLiveEvent("task", useCallback((data: unknown) => {
    const task = data as Task;
    if (task.subject.kind === "blacklist") void refreshBlacklist();
  }, []));
  useLiveEvent("snapshot", useCallback(() => void refreshBlacklist(), []));
}

export const refreshBlacklist = () => queries.invalidateQueries({ queryKey: BLACKLIST });
