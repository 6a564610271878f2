import { useCallback } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { readToday, type TodayItem } from "../../api/leads-table";
import { Glyph, type GlyphName } from "../../kit/Glyph";
import { Sentence } from "../../kit/Sentence";
import { Failed, Loading } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useLiveEvent } from "../../live/stores";
import { queries, useMe } from "../../session";
import type { Meaning } from "../../states";
import { useCampaignTitles } from "../campaigns/titles";
import { useLanguage, useWords } from "../../words";
import { moment, visible } from "../../words/format";

const TODAY = ["today"];
/** The list is made of clocks too, such as a start that comes nearer. In ms. */
const AGAIN = 20_000;

export const useToday = () => useQuery({ queryKey: TODAY, queryFn: ({ signal }) => readToday(signal), refetchInterval: AGAIN });

/** What changed a row of the list; figures do each second and are left to the clock. */
function useChanges(): void {
  const onChange = useCallback(() => void queries.invalidateQueries({ queryKey: TODAY }), []);
  useLiveEvent("approval", onChange);
  useLiveEvent("trunk", onChange);
  useLiveEvent("finished", onChange);
}

const SEVERITIES: Record<TodayItem["severity"], { glyph: GlyphName; meaning: Meaning }> = {
  stop: { glyph: "alarm", meaning: "alarm" }, warn: { glyph: "warning", meaning: "waiting" }, info: { glyph: "idle", meaning: "idle" },
};

/** What needs a person, in the service's order, so that every manager sees the same; links only. */
export function Needs() {
  const t = useWords();
  useChanges();
  const { data, error, refetch } = useToday();
  // An approval's item names its campaign; its title is the campaign's own.
  const titleOf = useCampaignTitles(data?.items.map((it) => it.campaign) ?? []);
  return (
    <section className="card needs" aria-labelledby="needs">
      <header><h2 id="needs">{t("today.needsYou")}</h2></header>
      {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={160} />)
        : data.items.length === 0 ? <p className="body hint">{t("today.nothing")}</p>
        : <ul className={error ? "items stale" : "items"}>{data.items.map((item, n) => <Item key={`${item.kind} ${item.campaign ?? ""} ${n}`} item={item} titleOf={titleOf} />)}</ul>}
    </section>
  );
}

function Item({ item, titleOf }: { item: TodayItem; titleOf: (campaign: string) => string }) {
  const t = useWords();
  const language = useLanguage();
  const { rights } = useMe();
  const { glyph, meaning } = SEVERITIES[item.severity] ?? SEVERITIES.info;
  const title = item.campaign === null ? (item.title === null ? null : visible(item.title)) : titleOf(item.campaign);
  // Trunks have no page yet: what is known of one stands among the checks of the service.
  const to = item.kind !== "line" ? item.href : rights.has("health.read") ? "/health" : undefined;
  const see = t(item.kind === "line" ? "today.see_health" : `today.see_${item.kind}`);
  return (
    <li>
      <span style={{ color: `var(--${meaning}-ink)` }}><Glyph name={glyph} /><span className="visually-hidden">{t(`today.severity_${item.severity}`)}</span></span>
      <span className="what">
        {title === null ? null : <><strong>{title}</strong><br /></>}
        <Sentence>{visible(item.words[language])}</Sentence>
        {item.since === null ? null : <span className="hint"> <time dateTime={item.since} title={item.since}>{t("today.since", { time: moment(new Date(item.since), new Date(serverNow())) })}</time></span>}
      </span>
      {to === undefined ? null : <Link to={to} aria-label={`${see}: ${title ?? visible(item.words[language])}`}>{see}</Link>}
    </li>
  );
}
