import "../../../kit/form.css";
import "../settings/settings.css";
import "./start.css";
import { Link, useParams } from "react-router";
import type { CampaignText, CheckItem, Checklist } from "../../../api/campaign-rows";
import { useIsStale } from "../../../frame/LiveState";
import { Glyph } from "../../../kit/Glyph";
import { Failed, Gone, Loading } from "../../../kit/States";
import { useCampaign } from "../../../live/stores";
import { useMe } from "../../../session";
import { campaignState } from "../../../states";
import { hasWord, useLanguage, useWords } from "../../../words";
import { visible } from "../../../words/format";
import { isGone, useCampaignText } from "../data";
import { checkWord, stopsOf } from "./checks";
import { useChecklist } from "./data";
import { ForecastPanel } from "./ForecastPanel";
import { StartButton } from "./StartButton";
import { TestPanel } from "./TestPanel";

/** `/campaigns/:name/start`: what is missing, what to expect, one test call, and the start. */
export default function Start() {
  const t = useWords();
  const { name = "" } = useParams();
  const isStale = useIsStale();
  const { rights } = useMe();
  const live = useCampaign(name);
  const { data: campaign, error, refetch } = useCampaignText(name);
  const checks = useChecklist(name);
  if (isGone(error) && campaign === undefined) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
  if (campaign === undefined) return error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : <Loading height={480} />;
  return (
    <div className={isStale ? "start-grid stale" : "start-grid"}>
      <section className="card checks" aria-label={t("start.checks")}>
        <header><h2>{t("start.checks")}</h2><Verdict checklist={checks.data} /></header>
        <div className="body">
          {checks.data === undefined ? (checks.error ? <Failed problem={checks.error} onRetry={() => void checks.refetch()} /> : <Loading height={280} />)
            : <ul className="check-items">{checks.data.items.map((it) => <Check key={it.code} item={it} campaign={campaign} />)}</ul>}
          <div className="start-act"><StartButton campaign={campaign} checklist={checks.data} state={live ? campaignState(live) : campaign.state} /></div>
        </div>
      </section>
      <div className="beside">
        <ForecastPanel key={campaign.version} campaign={campaign} />
        {rights.has("campaigns.edit") ? <TestPanel name={name} state={live ? campaignState(live) : campaign.state} /> : null}
      </div>
    </div>
  );
}

function Verdict({ checklist }: { checklist: Checklist | undefined }) {
  const t = useWords();
  if (checklist === undefined) return null;
  const stops = stopsOf(checklist);
  return <span role="status" className={stops.length === 0 ? "sent" : "refusal"}>{stops.length === 0 ? t("start.ready") : t("start.notReady", { n: stops.length })}</span>;
}

/** Where a check is cured, where the service does not say. */
const PLACES: Record<string, string> = { list: "lists", hours: "settings", caller_ids: "settings", settings: "settings", announcement: "settings" };

function Check({ item, campaign }: { item: CheckItem; campaign: CampaignText }) {
  const t = useWords();
  const language = useLanguage();
  const kind = item.ok ? "ok" : item.level;
  const place = PLACES[item.code];
  const href = item.href ?? (place === undefined ? null : `/campaigns/${encodeURIComponent(campaign.name)}/${place}`);
  const go = `start.go_${item.code}`;
  return (
    <li>
      <span className={`mark ${kind}`}><Glyph name={item.ok ? "done" : item.level === "stop" ? "alarm" : "idle"} /><span className="visually-hidden">{t(`start.${kind}`)}</span></span>
      <strong>{checkWord(item.code, t)}</strong>
      <span>{visible(item.words[language])}{item.who === null ? null : <span className="hint"> {visible(item.who[language])}</span>}</span>
      {item.ok || href === null || !href.startsWith("/") ? <span /> : item.code === "test_call" ? <a href="#test">{t("start.go_test_call")}</a> : <Link to={href}>{hasWord(go) ? t(go) : t("common.open")}</Link>}
    </li>
  );
}
