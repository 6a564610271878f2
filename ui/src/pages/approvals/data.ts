/** What the inbox of approvals reads. The live stream names an approval that changed; its lists are read anew. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { get } from "../../api/call";
import type { Approval, Task } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";

export const INBOXES = ["mine", "others", "done"] as const;
export type Inbox = (typeof INBOXES)[number];

const APPROVALS = ["approvals"];
const PAGE = 100;
/** Decisions that tables show beside their rows: the last ones. */
const DECISIONS = 500;

export const useInbox = (inbox: Inbox) => useInfiniteQuery({
  queryKey: [...APPROVALS, "inbox", inbox],
  queryFn: ({ pageParam, signal }) => get("/api/v1/approvals", { query: { state: inbox, limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

/** How many wait for the reader's word; the badge of the frame. */
export const useWaiting = () => useQuery({
  queryKey: [...APPROVALS, "waiting"],
  queryFn: async ({ signal }) => {
    const { items, next } = await get("/api/v1/approvals", { query: { state: "mine", limit: DECISIONS }, signal });
    return { count: items.length, isMore: next !== null };
  },
});

/** The last decision on each thing, by `audio:3` or `list:7`. */
export function useDecisions(isEnabled: boolean): ReadonlyMap<string, Approval> {
  const { data } = useQuery({
    queryKey: [...APPROVALS, "decisions"],
    queryFn: async ({ signal }) => (await get("/api/v1/approvals", { query: { state: "done", limit: DECISIONS }, signal })).items,
    enabled: isEnabled,
  });
  // Newest first: what comes later in the list is older.
  return useMemo(() => new Map([...(data ?? [])].reverse().filter((it) => it.state !== "withdrawn").map((it) => [`${it.kind}:${it.subject}`, it])), [data]);
}

/** A list with what its check found. */
export const useList = (id: number) => useQuery({ queryKey: ["lists", id, "approval"], queryFn: ({ signal }) => get("/api/v1/lists/{id}", { path: { id }, signal }) });

export const refreshApprovals = () => queries.invalidateQueries({ queryKey: APPROVALS });

/** Keeps every list of approvals current; mounted once, in the frame. */
export function useApprovalEvents(): void {
  const refresh = useCallback(() => void refreshApprovals(), []);
  useLiveEvent("approval", refresh);
  // What was missed while the stream was away comes with nothing but the snapshot.
  useLiveEvent("snapshot", refresh);
  // Measuring a sound asks for its approval, and only the task says so.
  useLiveEvent("task", useCallback((data: unknown) => {
    if ((data as Task).state === "done") void refreshApprovals();
  }, []));
}
