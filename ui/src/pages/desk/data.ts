/** What the desk reads from the service. */
import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import type { Lead } from "../../api/words";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";
import type { Workplace } from "./seat";

/** How long what seldom changes is not read again, in ms. */
const STANDS = 60_000;

/** The campaigns that the agent may work in. */
export function useWorkplaces() {
  return useQuery({
    queryKey: ["workplaces"],
    staleTime: STANDS,
    refetchInterval: STANDS,
    queryFn: async (): Promise<Workplace[]> => {
      const answer = await get("/api/v1/campaigns");
      return ("workplaces" in answer ? answer.workplaces : answer.campaigns) as Workplace[];
    },
  });
}

export const usePauseReasons = () => useQuery({ queryKey: ["pause-reasons"], staleTime: STANDS, queryFn: () => get("/api/v1/pause-reasons") });

const cardKey = (lead: number) => ["card", lead];

/** The person on the seat: the live stream brings the record beside the seat; it is asked for where it did not. */
export function useCard(lead: number | null | undefined) {
  return useQuery({
    queryKey: cardKey(lead ?? 0),
    enabled: lead !== null && lead !== undefined,
    staleTime: STANDS,
    queryFn: (): Promise<Lead> => get("/api/v1/leads/{id}", { path: { id: lead ?? 0 } }),
  });
}

const onCard = (data: unknown) => {
  const lead = data as Lead;
  queries.setQueryData(cardKey(lead.id), lead);
};

export const useCards = (): void => useLiveEvent("card", onCard);

export const readCardAgain = (lead: number): Promise<void> => queries.invalidateQueries({ queryKey: cardKey(lead) });
