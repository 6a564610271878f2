import "../../kit/table.css";
import "./campaigns.css";
import { useEffect } from "react";
import { Link, useSearchParams } from "react-router";
import { MODES, type Campaign } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Choice } from "../../kit/Field";
import { Pill } from "../../kit/Pill";
import { Loading, NoneYet, NothingMatches } from "../../kit/States";
import { useCampaigns, useHasSnapshot } from "../../live/stores";
import { useMe } from "../../session";
import { CAMPAIGN_STATES, campaignState } from "../../states";
import { hasWord, useLanguage, useWords } from "../../words";
import { count, percent, visible } from "../../words/format";
import { PauseButton } from "./CampaignActions";
import { OpenCampaign } from "./OpenCampaign";
import { callsOut, leadsAll, leadsOpen, strictestRule } from "./figures";

const ORDER = ["running", "draining", "paused", "ready", "waiting", "draft", "finished", "archived"];

/** `/campaigns`: every open campaign, what it does now and why; filters live in the address. */
export default function Campaigns() {
  const t = useWords();
  const all = useCampaigns();
  const hasSnapshot = useHasSnapshot();
  const isStale = useIsStale();
  const mayOpen = useMe().rights.has("campaigns.edit");
  const [search, setSearch] = useSearchParams();
  useEffect(() => {
    document.title = `${t("campaigns.title")} · Paceline`;
  }, [t]);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setSearch(next, { replace: true });
  };
  const wanted = { state: search.get("state") ?? "", mode: search.get("mode") ?? "", group: search.get("group") ?? "", q: (search.get("q") ?? "").toLowerCase() };
  const rank = (campaign: Campaign) => ORDER.indexOf(campaignState(campaign));
  const shown = all
    .filter((it) => wanted.state === "" || campaignState(it) === wanted.state)
    .filter((it) => wanted.mode === "" || it.mode === wanted.mode)
    .filter((it) => wanted.group === "" || it.group === wanted.group)
    .filter((it) => `${it.title ?? ""} ${it.name}`.toLowerCase().includes(wanted.q))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  const groups = [...new Set(all.map((it) => it.group).filter((it) => it !== null))].sort();
  const states = Object.entries(CAMPAIGN_STATES).filter(([state]) => all.some((it) => campaignState(it) === state));
  return (
    <>
      <div className="page-head"><h1>{t("campaigns.title")}</h1><span className="space" />{mayOpen && all.length > 0 ? <OpenCampaign /> : null}</div>
      {!hasSnapshot ? <Loading /> : all.length === 0 ? <div className="card"><NoneYet act={mayOpen ? <OpenCampaign kind="primary" /> : undefined}>{t("campaigns.none")}</NoneYet></div> : (
        <>
          <div className="filters" role="search">
            <input className="search" type="search" aria-label={t("campaigns.search")} placeholder={t("campaigns.search")} value={search.get("q") ?? ""} onChange={(event) => set("q", event.target.value)} />
            <Choice label={t("campaigns.state")} value={wanted.state} onChange={(value) => set("state", value)}
              options={[{ value: "", label: t("campaigns.allStates") }, ...states.map(([value, state]) => ({ value, label: t(state.word) }))]} />
            <Choice label={t("campaigns.mode")} value={wanted.mode} onChange={(value) => set("mode", value)}
              options={[{ value: "", label: t("campaigns.allModes") }, ...MODES.map((mode) => ({ value: mode as string, label: t(`mode.${mode}`) }))]} />
            {groups.length === 0 ? null : <Choice label={t("campaigns.group")} value={wanted.group} onChange={(value) => set("group", value)}
              options={[{ value: "", label: t("campaigns.allGroups") }, ...groups.map((group) => ({ value: group, label: group }))]} />}
            <span className="space" />
            <span className="hint">{t("common.total", { n: count(shown.length) })}</span>
          </div>
          {shown.length === 0 ? <div className="card"><NothingMatches onClear={() => setSearch({}, { replace: true })} /></div>
            : <div className={isStale ? "table-box stale" : "table-box"}><CampaignTable campaigns={shown} /></div>}
        </>
      )}
    </>
  );
}

function CampaignTable({ campaigns }: { campaigns: Campaign[] }) {
  const t = useWords();
  const { rights } = useMe();
  const mayRun = rights.has("campaigns.run");
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t("campaigns.name")}</th><th scope="col">{t("campaigns.mode")}</th><th scope="col">{t("campaigns.state")}</th><th scope="col">{t("campaigns.why")}</th>
          <th scope="col" className="number">{t("campaigns.out")}</th><th scope="col" className="number">{t("campaigns.answerRate")}</th><th scope="col" className="number">{t("campaigns.abandon")}</th>
          <th scope="col" className="number">{t("campaigns.left")}</th>{mayRun ? <th scope="col">{t("campaigns.actions")}</th> : null}
        </tr>
      </thead>
      <tbody>{campaigns.map((campaign) => <CampaignRow key={campaign.name} campaign={campaign} mayRun={mayRun} />)}</tbody>
    </table>
  );
}

function CampaignRow({ campaign, mayRun }: { campaign: Campaign; mayRun: boolean }) {
  const t = useWords();
  const language = useLanguage();
  const rule = strictestRule(campaign);
  const mode = `mode.${campaign.mode ?? ""}`;
  const [left, all] = [leadsOpen(campaign), leadsAll(campaign)];
  return (
    <tr>
      <td className="name" title={campaign.name}><Link className="row" to={`/campaigns/${encodeURIComponent(campaign.name)}/live`}>{visible(campaign.title ?? campaign.name)}</Link></td>
      <td>{hasWord(mode) ? t(mode) : "–"}</td>
      <td><Pill state={CAMPAIGN_STATES[campaignState(campaign)]} /></td>
      <td className="wide" title={campaign.words[language]}>{campaign.words[language]}</td>
      <td className="number">{count(callsOut(campaign))}</td>
      <td className="number">{campaign.answer_rate === null ? "–" : percent(campaign.answer_rate)}</td>
      <td className="number">{rule === undefined || campaign.abandon === null ? "–" : `${percent(rule.rate)} / ${percent(campaign.abandon.ceiling)}`}</td>
      <td className="number" title={t("campaigns.leftOf", { left: count(left), all: count(all) })}>
        {count(left)}<span className="bar left-bar" aria-hidden="true"><i style={{ width: `${all === 0 ? 0 : (left / all) * 100}%`, background: "var(--idle-fill)" }} /></span>
      </td>
      {mayRun ? <td><PauseButton campaign={campaign} size="small" /></td> : null}
    </tr>
  );
}
