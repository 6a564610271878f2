/** Reading a campaign's minutes; the live stream adds each new one. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { readSeries, type SeriesRow } from "../../api/leads-table";
import { serverNow } from "../../live/clock";
import { useLiveEvent } from "../../live/stores";
import { queries } from "../../session";
import { beginOf, SHARE_MINUTES, SPANS, withRow, type SpanName } from "./series";

const SERIES = ["series"];
/** Read again so often, should events of the stream be lost; steps of several minutes come this way alone. In ms. */
const AGAIN = 60_000;

/** The minutes of a span, in its step. */
export const useSeries = (campaign: string, span: SpanName, step: 1 | 5 | 15 = SPANS[span].step) => {
  const key = [...SERIES, campaign, span, step];
  useMinutes(campaign, step === 1 ? key : undefined);
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => (await readSeries(campaign, { from: new Date(beginOf(span, serverNow())).toISOString(), step }, signal)).items,
    refetchInterval: AGAIN,
    placeholderData: (before, query) => (query?.queryKey[1] === campaign && query.queryKey[3] === step ? before : undefined),
  });
};

/** The last ten minutes, for the bar of limits. */
export const useLastMinutes = (campaign: string) => {
  const key = [...SERIES, campaign, "last", 1];
  useMinutes(campaign, key);
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => (await readSeries(campaign, { from: new Date(serverNow() - SHARE_MINUTES * 60_000).toISOString(), step: 1 }, signal)).items,
    refetchInterval: AGAIN,
  });
};

/** Takes the `minute` events of a campaign into rows that were read. */
function useMinutes(campaign: string, key: readonly unknown[] | undefined): void {
  const name = JSON.stringify(key ?? null);
  const onMinute = useCallback((data: unknown) => {
    const row = data as SeriesRow & { campaign: string };
    const into = JSON.parse(name) as unknown[] | null;
    if (into !== null && row.campaign === campaign) queries.setQueryData<SeriesRow[]>(into, (rows) => (rows === undefined ? rows : withRow(rows, row)));
  }, [campaign, name]);
  useLiveEvent("minute", onMinute);
}
