import "./campaigns.css";
import { useEffect } from "react";
import { NavLink, Outlet, useParams } from "react-router";
import { Pill } from "../../kit/Pill";
import { Gone, Loading } from "../../kit/States";
import { useCampaign, useHasSnapshot } from "../../live/stores";
import type { Right } from "../../rights";
import { useMe } from "../../session";
import { CAMPAIGN_STATES, campaignState } from "../../states";
import { hasWord, useWords, type PlainKey } from "../../words";
import { CampaignActions } from "./CampaignActions";

/** Pages of a campaign, in the order of their tabs. */
const TABS: readonly { path: string; word: PlainKey; right?: Right }[] = [
  { path: "live", word: "campaigns.tabLive" },
  { path: "leads", word: "leads.tab" },
  { path: "lists", word: "lists.tab", right: "lists.edit" },
];

/** The head of every page of one campaign: its name, state, actions and tabs. */
export default function CampaignFrame() {
  const t = useWords();
  const { name = "" } = useParams();
  const { rights } = useMe();
  const campaign = useCampaign(name);
  const hasSnapshot = useHasSnapshot();
  useEffect(() => {
    document.title = `${campaign?.title ?? name} · Paceline`;
  }, [campaign?.title, name]);
  if (!hasSnapshot) return <Loading />;
  if (!campaign) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
  const tabs = TABS.filter((tab) => tab.right === undefined || rights.has(tab.right));
  const mode = `mode.${campaign.mode ?? ""}`;
  return (
    <>
      <div className="page-head">
        <h1>{campaign.title ?? name}</h1>
        {campaign.title === null ? null : <span className="hint mono">{name}</span>}
        <Pill state={CAMPAIGN_STATES[campaignState(campaign)]} detail={hasWord(mode) ? `· ${t(mode)}` : undefined} />
        <CampaignActions campaign={campaign} />
        <span className="space" />
        {tabs.length < 2 ? null : (
          <nav className="tabs" aria-label={t("campaigns.tabs")}>
            {tabs.map((tab) => <NavLink key={tab.path} to={tab.path}>{t(tab.word)}</NavLink>)}
          </nav>
        )}
      </div>
      <Outlet />
    </>
  );
}
