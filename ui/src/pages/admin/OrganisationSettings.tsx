import "../../kit/form.css";
import "../../kit/table.css";
import "./admin.css";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { ApiProblem, call, get } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { LeaveAsk } from "../../kit/LeaveAsk";
import { offerSaved } from "../../kit/undo";
import { Failed, Loading, problemWords } from "../../kit/States";
import { queries, useMe } from "../../session";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { etag } from "../people/data";
import { NodeSettings } from "./NodeSettings";
import { isApprovalSwitch, SECOND_PERSON, switchesOf, type Organisation, type Switch } from "./organisation";
import { PauseReasons } from "./PauseReasons";

const key = (slug: string) => ["organisation", slug];

/** Its name stands with the account too. */
function adopt(saved: Organisation): void {
  queries.setQueryData(key(saved.slug), saved);
  void queries.invalidateQueries({ queryKey: ["me"] });
}

/** `/settings`: name, approvals, masking, pause reasons of the organisation; below, for the operator, what the node runs with. */
export default function OrganisationSettings() {
  const t = useWords();
  const { person, rights } = useMe();
  const { slug } = person.organisation;
  useTitle(t("organisation.title"));
  const { data, error, refetch } = useQuery({ queryKey: key(slug), queryFn: ({ signal }) => get("/api/v1/organisations/{slug}", { path: { slug }, signal }) });
  return (
    <>
      <div className="page-head"><h1>{t("organisation.title")}</h1><span className="hint mono">{slug}</span></div>
      <div className="settings-page">
        <section className="card" aria-labelledby="organisation">
          <header><h2 id="organisation">{t("organisation.rules")}</h2></header>
          <div className="body">{data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={240} />) : <Editor key={data.version} organisation={data} onReload={() => void refetch()} />}</div>
        </section>
        <PauseReasons />
        {rights.has("system.read") ? <NodeSettings /> : null}
      </div>
    </>
  );
}

function Editor({ organisation, onReload }: { organisation: Organisation; onReload: () => void }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [name, setName] = useState(organisation.name);
  const before = switchesOf(organisation);
  const [switches, setSwitches] = useState(() => new Map(before));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const changedSwitches = before.filter(([it, isOn]) => switches.get(it) !== isOn).map(([it]) => it);
  const changes = changedSwitches.length + (name.trim() === organisation.name ? 0 : 1);
  const fault = name.trim() === "" ? t("organisation.fault_name") : undefined;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || changes === 0 || fault !== undefined || offline !== undefined) return;
    setBusy(true);
    setProblem(undefined);
    const settings = Object.fromEntries(changedSwitches.map((it) => [it, switches.get(it)]));
    try {
      const saved = await call("patch", "/api/v1/organisations/{slug}", { path: { slug: organisation.slug }, body: { ...(name.trim() === organisation.name ? {} : { name: name.trim() }), ...(changedSwitches.length === 0 ? {} : { settings }) }, etag: etag(organisation.version) });
      adopt(saved);
      const before = { name: organisation.name, settings: Object.fromEntries(changedSwitches.map((it) => [it, !switches.get(it)])) };
      offerSaved(t, async () => adopt(await call("patch", "/api/v1/organisations/{slug}", { path: { slug: organisation.slug }, body: before, etag: etag(saved.version) })));
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
  };
  return (
    <form className="form" onSubmit={(event) => void save(event)}>
      <Field label={t("organisation.name")} value={name} onChange={setName} maxLength={64} autoComplete="off" fault={fault} />
      {before.map(([it, wasOn]) => <SwitchRow key={it} name={it} deciders={organisation.approval_deciders} isOn={switches.get(it) === true} wasOn={wasOn} onChange={(isOn) => setSwitches(new Map(switches).set(it, isOn))} />)}
      <div className="buttons">
        <Button kind="primary" type="submit" busy={busy} refusal={offline ?? (changes === 0 ? t("kit.noChanges") : undefined)}>{t("kit.save")}</Button>
        {changes === 0 ? null : <span className="hint" role="status">{t("kit.unsaved", { n: changes })}</span>}
        {problem === undefined ? null : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
        {problem instanceof ApiProblem && problem.code === "changed" ? <Button size="small" onClick={onReload}>{t("organisation.reload")}</Button> : null}
      </div>
      <LeaveAsk changes={changes} />
    </form>
  );
}

/** A switch with its consequence beside it; one for approvals also says how many people may decide, and that two must. */
function SwitchRow({ name, deciders, isOn, wasOn, onChange }: { name: Switch; deciders: number; isOn: boolean; wasOn: boolean; onChange: (isOn: boolean) => void }) {
  const t = useWords();
  const isApproval = isApprovalSwitch(name);
  const help = isApproval ? `${t(`organisation.${name}_help`)} · ${t("organisation.deciders", { n: deciders })}` : t(`organisation.${name}_help`);
  return (
    <>
      <Check label={t(`organisation.${name}`)} isOn={isOn} onChange={onChange} help={help} />
      {isApproval && isOn && deciders < SECOND_PERSON ? <p className="refusal" role="alert">{t(wasOn ? "organisation.oneDeciderOn" : "organisation.oneDecider")} <Link to="/people">{t("organisation.toPeople")}</Link></p> : null}
    </>
  );
}
