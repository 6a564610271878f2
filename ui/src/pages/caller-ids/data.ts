/** What the pages about caller IDs read. The live stream names a number whose state or approval changed. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { get } from "../../api/call";
import type { Approval, CallerIdDetail } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";

const CALLER_IDS = ["caller-ids"];
/** Counts of today move with every call, and no event tells of those: they are read again from time to time. */
const AGAIN = 300_000;

export const useCallerIds = (isWithRetired: boolean) => useQuery({
  queryKey: [...CALLER_IDS, "list", isWithRetired],
  queryFn: ({ signal }) => get("/api/v1/caller-ids", { query: isWithRetired ? { retired: "true" } : {}, signal }),
  refetchInterval: AGAIN,
  // The rows stay while the retired ones are fetched.
  placeholderData: (before) => before,
});

export const useCallerId = (number: string, enabled: boolean) => useQuery({
  queryKey: [...CALLER_IDS, "one", number],
  queryFn: ({ signal }) => get("/api/v1/caller-ids/{caller_id}", { path: { caller_id: number }, signal }),
  refetchInterval: AGAIN,
  // What changed while nothing showed the number came with no event to anybody.
  refetchOnMount: "always",
  enabled,
});

export const useHealth = (number: string, days: number) => useQuery({
  queryKey: [...CALLER_IDS, "health", number, days],
  queryFn: ({ signal }) => get("/api/v1/caller-ids/{caller_id}/health", { path: { caller_id: number }, query: { days }, signal }),
  placeholderData: (before) => before,
});

/** Keeps numbers current while a page shows some. */
export function useCallerIdEvents(): void {
  const refresh = useCallback(() => void refreshCallerIds(), []);
  useLiveEvent("caller_id", refresh);
  useLiveEvent("approval", useCallback((data: unknown) => {
    if ((data as Approval).kind === "caller_id") void refreshCallerIds();
  }, []));
  // What was missed while the stream was away comes with nothing but the snapshot.
  useLiveEvent("snapshot", refresh);
}

export const refreshCallerIds = () => queries.invalidateQueries({ queryKey: CALLER_IDS });

/** An answer of the service is what the drawer shows at once; the list follows. */
export function keepCallerId(row: CallerIdDetail): void {
  queries.setQueryData([...CALLER_IDS, "one", row.number], row);
  void refreshCallerIds();
}
