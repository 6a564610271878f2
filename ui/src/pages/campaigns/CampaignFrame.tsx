import "./campaigns.css";
import { useEffect } from "react";
import { NavLink, Outlet, useParams } from "react-router";
import { Pill } from "../../kit/Pill";
import { Gone, Loading } from "../../kit/States";
import { useCampaign, useHasSnapshot } from "../../live/stores";
import { CAMPAIGN_STATES, campaignState } from "../../states";
import { hasWord, useWords, type PlainKey } from "../../words";
import { CampaignActions } from "./CampaignActions";

/** Pages of a campaign, in the order of their tabs. */
const TABS: readonly { path: string; word: PlainKey }[] = [{ path: "live", word: "campaigns.tabLive" }];

/** The head of every page of one campaign: its name, state, actions and tabs. */
export default function CampaignFrame() {
  const t = useWords();
  const { name = "" } = useParams();
  const campaign = useCampaign(name);
  const hasSnapshot = useHasSnapshot();
  useEffect(() => {
    document.title = `${campaign?.title ?? name} · Paceline`;
  }, [campaign?.title, name]);
  if (!hasSnapshot) return <Loading />;
  if (!campaign) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
  const mode = `mode.${campaign.mode ?? ""}`;
  return (
    <>
      <div className="page-head">
        <h1>{campaign.title ?? name}</h1>
        {campaign.title === null ? null : <span className="hint mono">{name}</span>}
        <Pill state={CAMPAIGN_STATES[campaignState(campaign)]} detail={hasWord(mode) ? `· ${t(mode)}` : undefined} />
        <CampaignActions campaign={campaign} />
        <span className="space" />
        {TABS.length < 2 ? null : (
          <nav className="tabs" aria-label={t("campaigns.tabs")}>
            {TABS.map((tab) => <NavLink key={tab.path} to={tab.path}>{t(tab.word)}</NavLink>)}
          </nav>
        )}
      </div>
      <Outlet />
    </>
  );
}
