/** Reading sums over calls, and the summary of the campaign that they are of. */
import { useQuery } from "@tanstack/react-query";
import { get } from "../../../api/call";
import type { Schemas } from "../../../api/words";
import type { CallsQuery } from "../filters";
import type { Dimension } from "./cells";

export type Summary = Schemas["CampaignSummary"];

/** Read again so often, in ms. */
const AGAIN = 60_000;

export const useAggregates = (query: CallsQuery, [by, then]: readonly [Dimension, Dimension | undefined]) => useQuery({
  queryKey: ["calls", "sums", query, by, then ?? ""],
  queryFn: ({ signal }) => get("/api/v1/aggregates", { query: { ...query, by, ...(then === undefined ? {} : { then }) }, signal }),
  refetchInterval: AGAIN,
  placeholderData: (before) => before,
});

export const useSummary = (campaign: string | undefined) => useQuery({
  queryKey: ["campaign", campaign, "summary"],
  queryFn: ({ signal }) => get("/api/v1/campaigns/{name}/summary", { path: { name: campaign ?? "" }, signal }),
  enabled: campaign !== undefined,
  refetchInterval: AGAIN,
});
