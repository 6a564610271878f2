/** What the page about trunks reads: rows with their settings; their calls and states come with the live stream. */
import { useQuery } from "@tanstack/react-query";
import { ApiProblem, call, get, newKey, post } from "../../api/call";
import type { Schemas, Trunk } from "../../api/words";
import { useTrunks } from "../../live/stores";
import { problemWords } from "../../kit/States";
import { queries } from "../../session";
import type { Language, Translate } from "../../words";
import { wideSentence } from "../../words/width";
import type { Settings } from "./form";

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

export const addTrunk = (name: string, settings: Settings) =>
  post("/api/v1/trunks", { body: { name, settings: settings as Schemas["NewTrunk"]["settings"] }, key: newKey() });

export const changeTrunk = (row: TrunkRow, settings: Settings) =>
  call("patch", "/api/v1/trunks/{name}", { path: { name: row.name }, body: { settings: settings as Schemas["TrunkChange"]["settings"] }, etag: row.etag });

export const removeTrunk = (row: TrunkRow) => call("delete", "/api/v1/trunks/{name}", { path: { name: row.name }, etag: row.etag });

/** The sentence of a refusal: the service's own where it names who uses the trunk, or where its settings stand. */
export function refusalWords(problem: unknown, t: Translate, language: Language): string {
  const words = problem instanceof ApiProblem ? (problem.problem as { words?: Partial<Record<Language, string>> } | undefined)?.words?.[language] : undefined;
  return words === undefined ? problemWords(problem, t) : language === "zh" ? wideSentence(words) : words;
}
