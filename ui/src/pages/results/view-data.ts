/** Reading and writing saved views. */
import { useQuery } from "@tanstack/react-query";
import { call, get, newKey, post } from "../../api/call";
import type { Schemas } from "../../api/words";
import { queries } from "../../session";
import { etag } from "../people/data";
import type { View } from "./views";

const VIEWS = ["views", "results"];

export const useViews = () => useQuery({ queryKey: VIEWS, queryFn: async () => (await get("/api/v1/views", { query: { page: "results" } })).items });

const refresh = () => queries.invalidateQueries({ queryKey: VIEWS });

export async function saveView(view: Pick<View, "name" | "query" | "columns" | "group">): Promise<View> {
  const { group, ...rest } = view;
  const saved = await post("/api/v1/views", { body: { ...rest, page: "results", ...(group === null ? {} : { group }) }, key: newKey() });
  await refresh();
  return saved;
}

export async function changeView(view: View, change: Schemas["ViewChange"]): Promise<View> {
  const saved = await call("patch", "/api/v1/views/{id}", { path: { id: view.id }, body: change, etag: etag(view.version) });
  await refresh();
  return saved;
}

export async function deleteView(view: View): Promise<void> {
  await call("delete", "/api/v1/views/{id}", { path: { id: view.id }, etag: etag(view.version) });
  await refresh();
}
