/** Uploaded lists of a campaign: read by pages, one with its report, its refused rows; the live stream says when one changed. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { call, get, newKey, post } from "../../api/call";
import type { List, ListDetail, ListMapping, ListReading, Schemas, Task } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";

const LISTS = ["lists"];
/** Lists a page, and refused rows a page. */
const PAGE = 100;
const ROWS = 50;
/** While a task works and its event may have been lost in a reconnect, in ms. */
const ASK_AGAIN = 3_000;

/** Why a row of a list is refused. */
export const REFUSAL_REASONS = ["invalid_number", "emergency_number", "duplicate", "blacklisted"] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export type ListAction = Schemas["ListActionRequest"]["action"];

export const isAtWork = (list: List): boolean => list.state === "receiving" || list.state === "checking" || list.state === "loading" || isTaskOpen(list.task);
export const isTaskOpen = (task: Task | null): task is Task => task !== null && (task.state === "queued" || task.state === "running");

export const useLists = (campaign: string) => {
  const onList = useCallback((data: unknown) => {
    if ((data as List).campaign === campaign) void queries.invalidateQueries({ queryKey: [...LISTS, "of", campaign] });
  }, [campaign]);
  useLiveEvent("list", onList);
  return useInfiniteQuery({
    queryKey: [...LISTS, "of", campaign],
    queryFn: ({ pageParam, signal }) => get("/api/v1/campaigns/{name}/lists", { path: { name: campaign }, query: { limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some(isAtWork)) === true ? ASK_AGAIN : false),
  });
};

const keyOf = (id: number) => [...LISTS, "one", id];

/** One list with what its check found. A task's progress is drawn as it comes; its end reads the list again. */
export const useList = (id: number) => {
  const onList = useCallback((data: unknown) => {
    if ((data as List).id === id) refreshList(id);
  }, [id]);
  const onTask = useCallback((data: unknown) => {
    const task = data as Task;
    if (task.subject.kind !== "list" || task.subject.id !== id) return;
    if (isTaskOpen(task)) queries.setQueryData<ListDetail>(keyOf(id), (list) => (list === undefined ? list : { ...list, task }));
    else refreshList(id);
  }, [id]);
  useLiveEvent("list", onList);
  useLiveEvent("task", onTask);
  return useQuery({
    queryKey: keyOf(id),
    queryFn: ({ signal }) => get("/api/v1/lists/{id}", { path: { id }, signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isAtWork(state.data) ? ASK_AGAIN : false),
  });
};

export function refreshList(id: number): void {
  void queries.invalidateQueries({ queryKey: keyOf(id) });
  void queries.invalidateQueries({ queryKey: [...LISTS, "of"] });
}

/** Refused rows of one reason; `version` makes rows of another check other rows. */
export const useRefusedRows = (id: number, version: number, reason: RefusalReason) => useInfiniteQuery({
  queryKey: [...LISTS, "rows", id, version, reason],
  queryFn: ({ pageParam, signal }) => get("/api/v1/lists/{id}/rows", { path: { id }, query: { kind: "refused", reason, limit: ROWS, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
  staleTime: Infinity,
});

/** Says how the file is read or which column is what; it is checked again. @throws ApiProblem */
export async function changeList(list: ListDetail, change: { reading?: ListReading; mapping?: ListMapping | null }): Promise<void> {
  try {
    await call("patch", "/api/v1/lists/{id}", { path: { id: list.id }, body: change as Schemas["ListChange"], etag: list.etag });
  } finally {
    refreshList(list.id);
  }
}

/** @throws ApiProblem */
export async function actOnList(list: List, action: ListAction): Promise<void> {
  try {
    await post("/api/v1/lists/{id}/actions", { path: { id: list.id }, body: { action }, key: newKey(), etag: list.etag });
  } finally {
    if (action !== "discard") refreshList(list.id);
  }
}

/** Drops a list: nothing reads it again. */
export async function discardList(list: List): Promise<void> {
  await actOnList(list, "discard");
  void queries.invalidateQueries({ queryKey: [...LISTS, "of"] });
}

/** @throws ApiProblem */
export async function cancelTask(list: List, task: Task): Promise<void> {
  try {
    await post("/api/v1/tasks/{id}/actions", { path: { id: task.id }, body: { action: "cancel" } });
  } finally {
    refreshList(list.id);
  }
}
