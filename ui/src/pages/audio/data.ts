/** What the pages about sounds read, and which live events make it old. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { get } from "../../api/call";
import type { Task } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";

const AUDIO = ["audio"];
const TASK = ["task"];
/** Sounds a page. */
const PAGE = 100;
/** A sound whose event was missed is asked for again after so long, in ms. */
const MEASURING_AGAIN = 3_000;
/** Bars of a waveform. */
const BINS = 480;

export const useSounds = (enabled = true) => useInfiniteQuery({
  enabled,
  queryKey: [...AUDIO, "list"],
  queryFn: ({ pageParam, signal }) => get("/api/v1/audio", { query: { limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
  refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((it) => it.state === "measuring")) ? MEASURING_AGAIN : false),
});

export const useSound = (id: number) => useQuery({
  queryKey: [...AUDIO, "one", id],
  queryFn: ({ signal }) => get("/api/v1/audio/{id}", { path: { id }, signal }),
  refetchInterval: ({ state }) => (state.data?.state === "measuring" ? MEASURING_AGAIN : false),
});

/** Loudest sample of each part of the sound, 0 to 1. */
export const usePeaks = (id: number, isMeasured: boolean) => useQuery({
  queryKey: [...AUDIO, "peaks", id],
  queryFn: async ({ signal }) => (await get("/api/v1/audio/{id}/peaks", { path: { id }, query: { bins: BINS }, signal })).peaks,
  enabled: isMeasured,
  staleTime: Infinity,
});

/** A task as the live stream says it; asked for once, in case its events came before the page. */
export const useTask = (id: number | null) => useQuery({
  queryKey: [...TASK, id],
  queryFn: ({ signal }) => get("/api/v1/tasks/{id}", { path: { id: id ?? 0 }, signal }),
  enabled: id !== null,
});

export const refreshSounds = () => queries.invalidateQueries({ queryKey: AUDIO, predicate: ({ queryKey }) => queryKey[1] !== "peaks" });

/** Keeps sounds current: their tasks, the words of approvals, and what was missed while the stream was away. */
export function useSoundEvents(): void {
  useLiveEvent("task", useCallback((data: unknown) => {
    const task = data as Task;
    if (task.subject.kind !== "audio") return;
    queries.setQueryData([...TASK, task.id], task);
    if (task.state !== "queued" && task.state !== "running") void refreshSounds();
  }, []));
  const refresh = useCallback(() => void refreshSounds(), []);
  useLiveEvent("approval", refresh);
  useLiveEvent("snapshot", refresh);
}
