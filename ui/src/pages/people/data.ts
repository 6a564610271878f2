/** What the pages about people read: accounts and groups, one load each, held by the query cache. */
import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import { queries } from "../../session";

export const AGENTS = ["agents"];
export const GROUPS = ["groups"];

export const useAccounts = (enabled = true) => useQuery({ queryKey: AGENTS, queryFn: async () => (await get("/api/v1/agents")).agents, enabled });
export const useGroups = (enabled = true) => useQuery({ queryKey: GROUPS, queryFn: async () => (await get("/api/v1/groups")).groups, enabled });
export const useAccount = (number: string) => useQuery({
  queryKey: [...AGENTS, number], queryFn: () => get("/api/v1/agents/{number}", { path: { number } }),
  // The list has the same rows; the drawer opens with its row and reads it anew.
  placeholderData: () => queries.getQueryData<{ number: string }[]>(AGENTS)?.find((it) => it.number === number) as never,
});

/** Something changed: accounts carry their groups, groups their members. */
export const refreshPeople = () => Promise.all([queries.invalidateQueries({ queryKey: AGENTS }), queries.invalidateQueries({ queryKey: GROUPS })]);

/** `If-Match` of a row in this version. */
export const etag = (version: number): string => `"v${version}"`;
