/** What the page about trunks reads: rows with their settings; their calls and states come with the live stream. */
import { useQuery } from "@tanstack/react-query";
import { call, get, newKey, post } from "../../api/call";
import type { Schemas, Trunk } from "../../api/words";
import { useTrunks } from "../../live/stores";
import { queries } from "../../session";

export type TrunkRow = Schemas["TrunkItem"];
export type TrunkAct = Schemas["TrunkAction"];

const TRUNKS = ["trunks"];
/** Somebody else's change is seen after so long at the latest, in ms. */
const AGAIN = 15_000;

export const useTrunkRows = () => useQuery({ queryKey: TRUNKS, queryFn: async ({ signal }) => (await get("/api/v1/trunks", { signal })).items, refetchInterval: AGAIN });

export const refreshTrunks = () => queries.invalidateQueries({ queryKey: TRUNKS });

/** The trunk as it is now: the stream knows it sooner than the row. */
export function useLiveTrunk(row: TrunkRow): Trunk | null {
  return useTrunks().find((it) => it.name === row.name) ?? row.live;
}

export const act = (name: string, body: TrunkAct) => post("/api/v1/trunks/{name}/actions", { path: { name }, body, key: newKey() });

export const addTrunk = (body: Schemas["NewTrunk"]) => post("/api/v1/trunks", { body, key: newKey() });

export const changeTrunk = (row: TrunkRow, settings: Schemas["TrunkChange"]["settings"]) =>
  call("patch", "/api/v1/trunks/{name}", { path: { name: row.name }, body: { settings }, etag: row.etag });

export const removeTrunk = (row: TrunkRow) => call("delete", "/api/v1/trunks/{name}", { path: { name: row.name }, etag: row.etag });
