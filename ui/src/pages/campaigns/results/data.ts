/** What the page of a campaign's results reads: sums, the vote, and the flats behind it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ApiProblem, get } from "../../../api/call";
import type { Schemas } from "../../../api/words";

export type Sums = Schemas["CampaignSums"];
export type Vote = Schemas["VoteCount"];
export type VoteHead = Schemas["VoteHead"];
export type Said = VoteHead["said"];

/** Read again so often, in ms. */
const AGAIN = 60_000;

export const useSums = (name: string) => useQuery({
  queryKey: ["campaign", name, "sums"],
  queryFn: ({ signal }) => get("/api/v1/campaigns/{name}/sums", { path: { name }, signal }),
  refetchInterval: AGAIN,
});

/** `null` = the campaign counts no vote. */
export const useVote = (name: string) => useQuery({
  queryKey: ["campaign", name, "vote"],
  queryFn: async ({ signal }): Promise<Vote | null> => {
    try {
      return await get("/api/v1/campaigns/{name}/vote", { path: { name }, signal });
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === "no_vote") return null;
      throw problem;
    }
  },
  refetchInterval: AGAIN,
});

export const useVoteHeads = (name: string, said: Said) => useInfiniteQuery({
  queryKey: ["campaign", name, "vote", "flats", said],
  queryFn: ({ pageParam, signal }) => get("/api/v1/campaigns/{name}/vote/flats", { path: { name }, query: { said, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});
