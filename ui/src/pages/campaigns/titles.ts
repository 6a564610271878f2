/** Titles of what a campaign's text names: the campaign itself, its dispositions, its results. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import type { CampaignText } from "../../api/campaign-rows";
import type { Schemas } from "../../api/words";
import { liveCampaign, useHasSnapshot } from "../../live/stores";
import { useMe } from "../../session";
import { visible } from "../../words/format";
import { textQuery } from "./data";

/** Titles change seldom: they are not read again for so long, in ms. */
const STANDS = 60_000;

export interface Disposition {
  code: string;
  label: string;
}

const NONE: readonly Disposition[] = [];

/** The texts of these campaigns, as far as the reader may read them. */
function useTexts(names: readonly string[]): ReadonlyMap<string, CampaignText> {
  const { rights } = useMe();
  const wanted = rights.has("campaigns.read") ? [...new Set(names)].sort() : [];
  const texts = useQueries({ queries: wanted.map((name) => ({ ...textQuery(name), staleTime: STANDS })) });
  return new Map(wanted.flatMap((name, n): [string, CampaignText][] => {
    const text = texts[n]?.data;
    return text === undefined ? [] : [[name, text]];
  }));
}

const given = (names: readonly (string | null | undefined)[]): string[] => names.filter((it) => it !== null && it !== undefined);

/** Titles of campaigns; the name where there is none. Only those that are not open are asked for. */
export function useCampaignTitles(names: readonly (string | null | undefined)[]): (name: string) => string {
  // Which campaigns are open is known once the live stream has begun.
  const texts = useTexts(useHasSnapshot() ? given(names).filter((name) => !liveCampaign(name)?.title) : []);
  return (name) => visible(liveCampaign(name)?.title || texts.get(name)?.title || name);
}

/** The label of a code among a campaign's dispositions; the code where it has none. */
export const labelOf = (dispositions: readonly Disposition[], code: string): string => visible(dispositions.find((it) => it.code === code)?.label || code);

export interface CampaignWords {
  title: (campaign: string) => string;
  disposition: (campaign: string | null, code: string) => string;
  /** What a callee chose; a result has no label of its own, but may be a disposition too. */
  result: (campaign: string | null, word: string) => string;
}

/** The words of these campaigns' texts. */
export function useCampaignWords(names: readonly (string | null | undefined)[]): CampaignWords {
  const texts = useTexts(given(names));
  const label = (campaign: string | null, code: string) => labelOf(texts.get(campaign ?? "")?.fields?.dispositions ?? NONE, code);
  return { title: (name) => visible(texts.get(name)?.title || liveCampaign(name)?.title || name), disposition: label, result: label };
}

/** The dispositions of one campaign, in the order of its text. */
export const useDispositions = (campaign: string | undefined): readonly Disposition[] => useTexts(given([campaign])).get(campaign ?? "")?.fields?.dispositions ?? NONE;

/** The dispositions of every open campaign, for pages that are about no single one. */
export function useOpenDispositions(isEnabled: boolean): readonly Disposition[] {
  const { data } = useQuery({
    queryKey: ["workplaces"],
    queryFn: async ({ signal }) => {
      const answer = await get("/api/v1/campaigns", { signal });
      return "workplaces" in answer ? answer.workplaces : (answer.campaigns as Schemas["Workplace"][]);
    },
    staleTime: STANDS,
    enabled: isEnabled,
  });
  const all = data?.flatMap((it) => it.dispositions) ?? NONE;
  return all.filter((it, n) => all.findIndex((other) => other.code === it.code) === n);
}
