/** What the start page reads, and which live events make it old. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { get } from "../../../api/call";
import { readChecklist } from "../../../api/campaign-rows";
import type { Task } from "../../../api/words";
import { useLiveEvent } from "../../../live/stores";
import { queries } from "../../../session";

/** Seats change many times a second: the checks are read again so often at most, in ms. */
const AT_MOST = 2_000;
/** A task whose event was missed is asked for again after so long, in ms. */
const TASK_AGAIN = 1_500;

const checklistKey = (name: string) => ["campaign", name, "checklist"];

export const refreshChecklist = (name: string): void => void queries.invalidateQueries({ queryKey: checklistKey(name) });

/** The checks, read again when an approval, a trunk, a seat or a list changed. */
export function useChecklist(name: string) {
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const refresh = useCallback(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      void queries.invalidateQueries({ queryKey: checklistKey(name) });
    }, AT_MOST);
  }, [name]);
  useEffect(() => () => {
    clearTimeout(waiting.current);
    waiting.current = undefined;
  }, [name]);
  useLiveEvent("approval", refresh);
  useLiveEvent("trunk", refresh);
  useLiveEvent("seat", refresh);
  useLiveEvent("list", refresh);
  useLiveEvent("task", refresh);
  useLiveEvent("snapshot", refresh);
  return useQuery({ queryKey: checklistKey(name), queryFn: ({ signal }) => readChecklist(name, signal) });
}

export const isOpenTask = (task: Task): boolean => task.state === "queued" || task.state === "running";

/** A task as the live stream says it, and asked for until it ends. */
export function useTask(id: number | undefined) {
  useLiveEvent("task", useCallback((data: unknown) => {
    const task = data as Task;
    if (task.id === id) queries.setQueryData(["task", id], task);
  }, [id]));
  return useQuery({
    queryKey: ["task", id],
    queryFn: ({ signal }) => get("/api/v1/tasks/{id}", { path: { id: id ?? 0 }, signal }),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data === undefined || isOpenTask(state.data) ? TASK_AGAIN : false),
  });
}
