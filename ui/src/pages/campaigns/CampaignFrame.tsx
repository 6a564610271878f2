import "../../kit/form.css";
import "./campaigns.css";
import { useEffect } from "react";
import { Link, NavLink, Outlet, useParams } from "react-router";
import type { Schemas } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { Pill } from "../../kit/Pill";
import { Failed, Gone, Loading } from "../../kit/States";
import { useCampaign, useHasSnapshot } from "../../live/stores";
import type { Right } from "../../rights";
import { useMe } from "../../session";
import { CAMPAIGN_STATES, campaignState } from "../../states";
import { hasWord, useLanguage, useWords, type PlainKey } from "../../words";
import { visible } from "../../words/format";
import { CampaignActions } from "./CampaignActions";
import { isGone, useCampaignText, useWaitingWatch } from "./data";

/** Pages of a campaign, in the order of their tabs. */
const TABS: readonly { path: string; word: PlainKey; right?: Right }[] = [
  { path: "live", word: "campaigns.tabLive" },
  { path: "results", word: "vote.tab", right: "results.read" },
  { path: "leads", word: "leads.tab" },
  { path: "lists", word: "lists.tab", right: "lists.edit" },
  { path: "settings", word: "settings.tab" },
  { path: "start", word: "start.tab" },
  { path: "history", word: "history.tab" },
];

/** The head of every page of one campaign: its name, state, actions and tabs. */
export default function CampaignFrame() {
  const t = useWords();
  const language = useLanguage();
  const { name = "" } = useParams();
  const { rights } = useMe();
  const campaign = useCampaign(name);
  // A campaign that is not open is known by its text alone.
  const { data: text, error, refetch } = useCampaignText(name);
  useWaitingWatch();
  const hasSnapshot = useHasSnapshot();
  const title = visible(campaign?.title ?? text?.title ?? name);
  useEffect(() => {
    document.title = `${title} · Paceline`;
  }, [title]);
  if (!hasSnapshot) return <Loading />;
  if (!campaign && !text) {
    if (isGone(error)) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
    return error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading />;
  }
  const state = campaign ? campaignState(campaign) : (text?.state ?? "draft");
  const tabs = TABS.filter((tab) => tab.right === undefined || rights.has(tab.right));
  const given = campaign?.mode ?? text?.fields?.["mode"];
  const mode = `mode.${typeof given === "string" ? given : ""}`;
  return (
    <>
      <div className="page-head">
        <h1>{title}</h1>
        {title === name ? null : <span className="hint mono">{name}</span>}
        {text?.simulated ? <span className="hint">{t("sample.rings")}</span> : null}
        <Pill state={CAMPAIGN_STATES[state]} detail={hasWord(mode) ? `· ${t(mode)}` : undefined} />
        {campaign ? <CampaignActions campaign={campaign} /> : rights.has("campaigns.run") && state !== "archived" ? <Link className="button" to="start">{t("start.toStart")}</Link> : null}
        <span className="space" />
        {tabs.length < 2 ? null : (
          <nav className="tabs" aria-label={t("campaigns.tabs")}>
            {tabs.map((tab) => <NavLink key={tab.path} to={tab.path}>{t(tab.word)}</NavLink>)}
          </nav>
        )}
      </div>
      {text?.trouble && !campaign ? <p className="summary-fault spaced" role="alert">{visible(text.trouble[language])}</p> : null}
      <Waiting waiting={campaign?.waiting_for ?? text?.waiting_for ?? []} />
      <Outlet />
    </>
  );
}

/** What the campaign waits for, each with who may decide. */
function Waiting({ waiting }: { waiting: readonly Schemas["WaitingFor"][] }) {
  const t = useWords();
  const language = useLanguage();
  if (waiting.length === 0) return null;
  return (
    <p className="line amber spaced" role="status" data-testid="waiting">
      <Glyph name="waiting" />
      {t("campaigns.waits")}{" "}
      {waiting.map((it, n) => <span key={`${it.kind}-${it.id}-${it.title}`}>{n === 0 ? "" : " · "}<Link to={it.href}>{visible(it.title)}</Link> ({it.who[language]})</span>)}
    </p>
  );
}
