import { useState } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../../api/call";
import { actOnCampaign, type CampaignText, type Checklist } from "../../../api/campaign-rows";
import type { CampaignState } from "../../../api/words";
import { useOfflineReason } from "../../../frame/LiveState";
import { Button } from "../../../kit/Button";
import { Dialog } from "../../../kit/Dialog";
import { problemWords } from "../../../kit/States";
import { liveCampaign } from "../../../live/stores";
import { useMe } from "../../../session";
import { useAction } from "../../../use-action";
import { useLanguage, useWords } from "../../../words";
import { count, visible } from "../../../words/format";
import { Answer } from "../CampaignActions";
import { refreshCampaign, useCampaignRows } from "../data";
import { valueWords } from "../settings/FieldInput";
import { fieldOf } from "../settings/fields";
import { fieldAt } from "../settings/patch";
import type { Fields } from "../settings/toml";
import { checkWord, stopsOf } from "./checks";

/** The start: grey while a check stops it, asked once with what will be dialled. */
export function StartButton({ campaign, checklist, state }: { campaign: CampaignText; checklist: Checklist | undefined; state: CampaignState }) {
  const t = useWords();
  const offline = useOfflineReason();
  const { rights } = useMe();
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const { name } = campaign;
  const start = useAction(() => {
    setProblem(undefined);
    return actOnCampaign(name, "start").then(() => refreshCampaign(name), (refused: unknown) => {
      refreshCampaign(name);
      setProblem(refused);
      throw refused;
    });
  }, () => liveCampaign(name) !== undefined);
  const live = `/campaigns/${encodeURIComponent(name)}/live`;
  if (["running", "paused", "draining"].includes(state)) return <p>{t(state === "paused" ? "start.paused" : "start.running")} <Link to={live}>{t("start.toLive")}</Link></p>;
  if (state === "archived") return <p>{t("start.archived")}</p>;
  const stops = checklist === undefined ? [] : stopsOf(checklist);
  const refusal = !rights.has("campaigns.run") ? t("start.mayNot") : offline ?? (checklist === undefined ? t("common.loading") : stops.length > 0 ? t("start.hasStops", { items: stops.map((it) => checkWord(it.code, t)).join(", ") }) : undefined);
  return (
    <>
      <Button kind="primary" size="large" busy={start.busy} refusal={refusal} onClick={() => setAsked(true)}>{t("start.start")}</Button>
      {stops.length === 0 ? null : <span className="hint">{refusal}</span>}
      {problem === undefined ? <Answer refusal={undefined} sent={start.sent} /> : <Refused problem={problem} />}
      {isAsked ? <Confirmation campaign={campaign} onYes={start.run} onClose={() => setAsked(false)} /> : null}
    </>
  );
}

/** Why the service did not start it, with the way to each cure. */
function Refused({ problem }: { problem: unknown }) {
  const t = useWords();
  const language = useLanguage();
  const items = problem instanceof ApiProblem ? (problem.problem?.items ?? []) : [];
  const isApproval = problem instanceof ApiProblem && problem.code === "not_approved";
  if (items.length === 0) {
    return <p className="refusal" role="alert">{t("start.refused", { words: isApproval && problem.message !== "" ? problem.message : problemWords(problem, t) })} {isApproval ? <Link to="/approvals">{t("start.go_approvals")}</Link> : null}</p>;
  }
  return (
    <div className="refusal" role="alert">
      <p>{t("start.refusedItems")}</p>
      <ul className="refused-items">
        {items.map((it) => <li key={it.code}>{checkWord(it.code, t)}: {visible(it.words[language])} {it.href?.startsWith("/") ? <Link to={it.href}>{t("common.open")}</Link> : null}</li>)}
      </ul>
    </div>
  );
}

function Confirmation({ campaign, onYes, onClose }: { campaign: CampaignText; onYes: () => void; onClose: () => void }) {
  const t = useWords();
  const fields = (campaign.fields ?? {}) as Fields;
  const row = useCampaignRows({ state: "", group: "", q: campaign.name }).data?.pages.flatMap((page) => page.items).find((it) => it.name === campaign.name);
  const words = (key: string) => {
    const spec = fieldOf(key);
    return spec === undefined ? "" : valueWords(spec, fieldAt(fields, key) ?? spec.default, t);
  };
  const limit = (key: string) => {
    const value = fieldAt(fields, key);
    return typeof value === "number" && value > 0 ? String(value) : undefined;
  };
  const lists = campaign.files.filter((it) => it.list !== null).map((it) => visible(it.name)).join(", ");
  const numbers = fieldAt(fields, "caller_ids.numbers");
  const isAnnounce = fieldAt(fields, "mode") === "announce";
  const facts: [string, string][] = [
    [t("start.confirmList"), `${row === undefined ? "–" : t("start.confirmListWords", { n: count(row.leads_open) })}${lists === "" ? "" : ` · ${lists}`}`],
    [t("start.confirmFirst"), t("start.confirmFirstWords", { rate: limit("calling.calls_per_sec") ?? t("start.byTrunk"), max: limit("calling.concurrency_max") ?? t(isAnnounce ? "start.byTrunk" : "start.byAgents") })],
    [t("start.confirmCallers"), Array.isArray(numbers) && numbers.length > 0 ? numbers.map(String).map(visible).join(", ") : t("start.trunkNumber")],
    [t("start.confirmHours"), `${words("calling.windows")} · ${words("calling.timezone")}`],
  ];
  return (
    <Dialog title={t("start.confirm", { title: visible(campaign.title ?? campaign.name) })} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="primary" onClick={() => { onYes(); onClose(); }}>{t("start.confirmYes")}</Button>
      </>
    }>
      <dl className="confirm-facts">{facts.flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}=`}>{value}</dd>])}</dl>
    </Dialog>
  );
}
