/** Reading the abandoned calls behind a rule's rate. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import { ABANDON_RULES, type Schemas } from "../../api/words";

export type AbandonedCall = Schemas["AbandonedCallView"];
export type RuleWord = (typeof ABANDON_RULES)[number];

/** Read again so often, in ms. */
const AGAIN = 60_000;

/** The rule that the address names; `undefined` = it names none. */
export const ruleOf = (text: string): RuleWord | undefined => ABANDON_RULES.find((rule) => rule === text);

export const useAbandonedCalls = (name: string, rule: RuleWord) => useInfiniteQuery({
  queryKey: ["campaign", name, "abandoned", rule],
  queryFn: ({ pageParam, signal }) => get("/api/v1/campaigns/{name}/abandoned", { path: { name }, query: { rule, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
  refetchInterval: AGAIN,
});
