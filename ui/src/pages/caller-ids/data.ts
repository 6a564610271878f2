/** What the pages about caller IDs read. No live event tells of their calls: they are asked for again while a page shows them. */
import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import type { CallerIdDetail } from "../../api/words";
import { queries } from "../../session";

const CALLER_IDS = ["caller-ids"];
/** The service judges once a minute; calls of today are counted at once. */
const AGAIN = 30_000;

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
  enabled,
});

export const useHealth = (number: string, days: number) => useQuery({
  queryKey: [...CALLER_IDS, "health", number, days],
  queryFn: ({ signal }) => get("/api/v1/caller-ids/{caller_id}/health", { path: { caller_id: number }, query: { days }, signal }),
  placeholderData: (before) => before,
});

export const refreshCallerIds = () => queries.invalidateQueries({ queryKey: CALLER_IDS });

/** An answer of the service is what the drawer shows at once; the list follows. */
export function keepCallerId(row: CallerIdDetail): void {
  queries.setQueryData([...CALLER_IDS, "one", row.number], row);
  void refreshCallerIds();
}
