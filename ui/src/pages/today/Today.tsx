import "../../kit/table.css";
import "../campaigns/campaigns.css";
import "./today.css";
import { useEffect } from "react";
import { Link } from "react-router";
import type { Campaign } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Pill } from "../../kit/Pill";
import { Loading } from "../../kit/States";
import { useCampaigns, useHasSnapshot, useTrunks } from "../../live/stores";
import { CAMPAIGN_STATES, campaignState, TRUNK_STATES } from "../../states";
import { useWords } from "../../words";
import { count, visible } from "../../words/format";
import { callsOut, leadsOpen } from "../campaigns/figures";
import { AbandonRate, AnswerRate } from "../campaigns/Rate";
import { Hours } from "./Hours";
import { Needs } from "./Needs";

/** Running campaigns shown here; the rest is on the campaigns' own page. */
const SHOWN = 20;

/** `/today`: what needs a person, what runs, how the trunks are, the day by hours. Links only, no actions. */
export default function Today() {
  const t = useWords();
  const campaigns = useCampaigns();
  const hasSnapshot = useHasSnapshot();
  const isStale = useIsStale();
  useEffect(() => {
    document.title = `${t("today.title")} · Paceline`;
  }, [t]);
  const running = campaigns.filter((it) => campaignState(it) === "running");
  return (
    <>
      <div className="page-head">
        <h1>{t("today.title")}</h1>
        {hasSnapshot ? <span className="hint">{t("today.summary", { all: count(campaigns.length), running: count(running.length) })}</span> : null}
      </div>
      {hasSnapshot ? (
        <div className={isStale ? "today-grid stale" : "today-grid"}>
          <Needs />
          <Running campaigns={running} />
          <Trunks />
          <Hours isStale={isStale} />
        </div>
      ) : <Loading />}
    </>
  );
}

function Running({ campaigns }: { campaigns: Campaign[] }) {
  const t = useWords();
  const shown = campaigns.slice(0, SHOWN);
  return (
    <section className="card running" aria-labelledby="running">
      <header><h2 id="running">{t("today.running")}</h2><Link to="/campaigns">{t("today.allCampaigns")}</Link></header>
      {shown.length === 0 ? <p className="body hint">{t("today.noneRunning")}</p> : (
        <div className="scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t("campaigns.name")}</th><th scope="col">{t("campaigns.state")}</th><th scope="col" className="number">{t("campaigns.rate")}</th><th scope="col" className="number">{t("campaigns.out")}</th>
                <th scope="col" className="number">{t("campaigns.answerRate")}</th><th scope="col" className="number">{t("campaigns.abandon")}</th><th scope="col" className="number">{t("campaigns.left")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((campaign) => (
                <tr key={campaign.name}>
                  <td className="wide"><Link className="row" to={`/campaigns/${encodeURIComponent(campaign.name)}/live`}>{visible(campaign.title ?? campaign.name)}</Link></td>
                  <td><Pill state={CAMPAIGN_STATES[campaignState(campaign)]} /></td>
                  <td className="number">{campaign.calls_per_sec.toFixed(1)}</td>
                  <td className="number">{count(callsOut(campaign))}</td>
                  <td className="number"><AnswerRate campaign={campaign} /></td>
                  <td className="number"><AbandonRate campaign={campaign} /></td>
                  <td className="number">{count(leadsOpen(campaign))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Trunks() {
  const t = useWords();
  const trunks = useTrunks();
  return (
    <section className="card trunks" aria-labelledby="trunks">
      <header><h2 id="trunks">{t("today.trunks")}</h2></header>
      {trunks.length === 0 ? <p className="body hint">{t("today.noTrunks")}</p> : (
        <ul className="items">
          {trunks.map((trunk) => (
            <li key={trunk.name}>
              <Link className="row" to={`/trunks?trunk=${encodeURIComponent(trunk.name)}`}>{visible(trunk.name)}</Link><Pill state={TRUNK_STATES[trunk.state]} />
              <span className="number">{t("today.trunkCalls", { n: count(trunk.calls), max: count(trunk.calls_max) })}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
