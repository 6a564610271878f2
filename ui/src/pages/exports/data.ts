/** Exports: asking for one, the list of them, and what their tasks say. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { call, get, newKey, post } from "../../api/call";
import type { Schemas, Task } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";

export type Export = Schemas["ExportView"];
export type ExportFilters = Schemas["ExportFilters"];
export type ExportWhat = Export["what"];
export type ExportFormat = Export["format"];

/** What a page offers to export. */
export interface Wish {
  what: ExportWhat;
  filters: Partial<ExportFilters>;
}

const EXPORTS = ["exports"];
const PAGE = 50;
/** While a task works and its event may have been lost in a reconnect, in ms. */
const ASK_AGAIN = 2_000;

/** Whether it waits or is being written. */
export const isOpen = (it: Export): boolean => it.state === "queued" || it.state === "running";

export const useExports = () => useInfiniteQuery({
  queryKey: EXPORTS,
  queryFn: ({ pageParam, signal }) => get("/api/v1/exports", { query: { limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
  refetchInterval: ({ state: { data } }) => (data?.pages.some((page) => page.items.some(isOpen)) === true ? ASK_AGAIN : false),
});

export const refreshExports = () => queries.invalidateQueries({ queryKey: EXPORTS });

export interface Asked extends Wish {
  format: ExportFormat;
  columns: string[];
  split: boolean;
}

const bodyOf = ({ what, filters, format, columns, split }: Asked) => ({
  what, format, filters, ...(columns.length === 0 ? {} : { columns }), ...(split ? { split } : {}),
}) as Schemas["ExportRequest"];

/** What an export of these rows would hold. */
export const useForeseen = (wish: Wish, format: ExportFormat) => useQuery({
  queryKey: ["export-foreseen", wish, format],
  queryFn: async () => (await post("/api/v1/exports", { query: { dry_run: "true" }, body: bodyOf({ ...wish, format, columns: [], split: true }), key: newKey() })) as Schemas["ExportForeseen"],
  staleTime: 0,
  gcTime: 0,
});

/** Asks for an export; it is on its way when this returns. */
export async function askExport(asked: Asked): Promise<void> {
  await post("/api/v1/exports", { body: bodyOf(asked), key: newKey() });
  await refreshExports();
}

export async function cancelExport(it: Export): Promise<void> {
  if (it.task !== null) await post("/api/v1/tasks/{id}/actions", { path: { id: it.task.id }, body: { action: "cancel" } });
  await refreshExports();
}

export async function removeExport(it: Export): Promise<void> {
  await call("delete", "/api/v1/exports/{id}", { path: { id: it.id } });
  await refreshExports();
}

/** Calls `act` for each event of an export's task; `act` must keep its identity. */
export function useExportEvents(act: (task: Task) => void): void {
  useLiveEvent("task", useCallback((data: unknown) => {
    const task = data as Task;
    if (task.subject.kind === "export") act(task);
  }, [act]));
}
