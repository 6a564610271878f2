/** Reading one call whole, its peaks, and its story. */
import { useQuery } from "@tanstack/react-query";
import { get, newKey, post } from "../../api/call";
import type { Schemas } from "../../api/words";
import type { Direction } from "../../pages/results/filters";

export type CallDetail = Schemas["CallDetail"];
export type CallRecording = Schemas["CallRecording"];

/** A call that goes on is asked for again after so long, in ms. */
const AGAIN = 2_000;
/** Parts of a waveform: one for each bar of the widest drawer. */
const BINS = 480;

export interface CallRef {
  direction: Direction;
  id: number;
}

export const useCallDetail = (call: CallRef | undefined) => useQuery({
  queryKey: ["call", call?.direction, call?.id],
  queryFn: ({ signal }): Promise<CallDetail> => call?.direction === "in"
    ? get("/api/v1/calls/in/{call}", { path: { call: call.id }, signal })
    : get("/api/v1/calls/{attempt}", { path: { attempt: call?.id ?? 0 }, signal }),
  enabled: call !== undefined,
  refetchInterval: ({ state }) => (state.data !== undefined && state.data.ended_at === null ? AGAIN : false),
});

/** The loudness of a recording's part: the callee, and the other side. */
export const usePeaks = (call: CallRef, part: number) => useQuery({
  queryKey: ["call", call.direction, call.id, "peaks", part],
  queryFn: ({ signal }) => call.direction === "in"
    ? get("/api/v1/calls/in/{call}/peaks", { path: { call: call.id }, query: { part, bins: BINS }, signal })
    : get("/api/v1/calls/{attempt}/peaks", { path: { attempt: call.id }, query: { part, bins: BINS }, signal }),
  staleTime: Infinity,
});

export const askStory = (attempt: number): Promise<{ task: number }> => post("/api/v1/calls/{attempt}/story", { path: { attempt }, key: newKey() });
