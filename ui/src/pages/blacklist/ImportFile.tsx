import { useState, type FormEvent } from "react";
import { address, post } from "../../api/call";
import { sendFile } from "../../api/send-file";
import type { Schemas } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Drawer } from "../../kit/Drawer";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { Failed, Loading, problemWords } from "../../kit/States";
import { useCampaigns } from "../../live/stores";
import { useSearch } from "../../use-search";
import { useWords } from "../../words";
import { count, visible } from "../../words/format";
import { said } from "../exports/words";
import { fitName } from "../lists/files";
import { Progress } from "../lists/Progress";
import { refreshBlacklist, useImport, useImportEvents } from "./data";

type Import = Schemas["BlacklistImportView"];

/** A blacklist from a file: sent, looked at, and only then the entries of its source. */
export function ImportFile({ id }: { id: number | undefined }) {
  const t = useWords();
  return <Drawer parameter="import" title={t("blacklist.import")}>{id === undefined ? <Send /> : <Found id={id} />}</Drawer>;
}

function Send() {
  const t = useWords();
  const [, set] = useSearch();
  const campaigns = useCampaigns();
  const offline = useOfflineReason();
  const [file, setFile] = useState<File>();
  const [source, setSource] = useState("");
  const [campaign, setCampaign] = useState("");
  const [sent, setSent] = useState<number>();
  const [fault, setFault] = useState<string>();
  const unfit = offline ?? (file === undefined ? t("blacklist.noFile") : source.trim() === "" || [...source.trim()].length > 64 ? t("blacklist.noSource") : undefined);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (file === undefined || unfit !== undefined || sent !== undefined) return;
    setFault(undefined);
    setSent(0);
    const path = address("/api/v1/blacklist/imports", undefined, { source: source.trim(), file_name: fitName(file.name), campaign });
    sendFile<Import>(path, file, setSent).answer.then(
      (added) => { void refreshBlacklist(); set({ import: String(added.id) }); },
      (problem: unknown) => { setFault(problemWords(problem, t)); setSent(undefined); },
    );
  };
  return (
    <form className="form" noValidate onSubmit={send}>
      <div className="field">
        <label htmlFor="blacklist-file">{t("blacklist.file")}</label>
        <input id="blacklist-file" className="control" type="file" accept=".csv,.txt,.tsv,.xlsx,.xlsm" aria-describedby="blacklist-file-help" onChange={(event) => setFile(event.target.files?.[0])} />
        <p id="blacklist-file-help" className="help">{t("blacklist.fileHelp")}</p>
      </div>
      <Field label={t("blacklist.source")} value={source} onChange={setSource} maxLength={64} autoComplete="off" help={t("blacklist.sourceHelp")} />
      <Select label={t("blacklist.scope")} value={campaign} onChange={setCampaign} options={[{ value: "", label: t("blacklist.system") }, ...campaigns.map((it) => ({ value: it.name, label: visible(it.title ?? it.name) }))]} help={t("blacklist.scopeHelp")} />
      {sent === undefined || file === undefined ? null : <Progress label={t("blacklist.sending")} done={sent} total={file.size} />}
      {fault === undefined ? null : <p className="summary-fault" role="alert">{fault}</p>}
      <div className="buttons"><Button kind="primary" type="submit" refusal={unfit} busy={sent !== undefined}>{t("blacklist.send")}</Button><Button kind="plain" onClick={() => set({ import: null })}>{t("common.cancel")}</Button></div>
    </form>
  );
}

function Found({ id }: { id: number }) {
  const t = useWords();
  useImportEvents();
  const { data, error, refetch } = useImport(id);
  if (error) return <Failed problem={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading height={200} />;
  const { task } = data;
  const isWorking = data.state === "checking" || data.state === "loading";
  return (
    <>
      <p><strong>{visible(data.file_name === "" ? data.source : data.file_name)}</strong> <span className="hint">{t("blacklist.sourceIs", { name: visible(data.source) })}</span></p>
      <p role="status">{t(`blacklist.state_${data.state}`)}</p>
      {isWorking && task !== null ? <Progress label={said(task.words)} done={task.done} total={task.total} /> : null}
      {data.error === null ? null : <p className="refusal" role="alert">{said(data.error)}</p>}
      {data.report === null ? null : <Report report={data.report} />}
      {data.state === "checked" || data.state === "unreadable" ? <Decide of={data} /> : null}
    </>
  );
}

function Report({ report }: { report: NonNullable<Import["report"]> }) {
  const t = useWords();
  const facts = [["rows", report.rows], ...(report.further > 0 ? [["further", report.further] as const] : []), ["numberCount", report.numbers], ["ranges", report.ranges], ["repeated", report.repeated], ["known", report.known], ["gone", report.gone], ["refused", report.refused]] as const;
  return (
    <>
      <dl className="facts">{facts.map(([name, n]) => <div key={name}><dt>{t(`blacklist.report_${name}`)}</dt><dd>{count(n)}</dd></div>)}</dl>
      {report.unread_sheets.length === 0 ? null : <p className="hint">{t("blacklist.unreadSheets", { names: report.unread_sheets.map(visible).join(", ") })}</p>}
      {report.refused_rows.length === 0 ? null : (
        <table className="table">
          <thead><tr><th scope="col" className="number">{t("blacklist.row")}</th><th scope="col">{t("blacklist.why")}</th></tr></thead>
          <tbody>{report.refused_rows.slice(0, 100).map((it) => <tr key={`${it.sheet} ${it.row}`}><td className="number">{it.sheet === "" ? "" : `${visible(it.sheet)} `}{count(it.row)}</td><td className="wide">{said(it.hint)}</td></tr>)}</tbody>
        </table>
      )}
    </>
  );
}

/** Loading it, with the count of what it removes typed, or not. */
function Decide({ of }: { of: Import }) {
  const t = useWords();
  const [, set] = useSearch();
  const offline = useOfflineReason();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const act = (action: "load" | "discard") => {
    setBusy(true);
    setFault(undefined);
    const body = (action === "load" ? { action, gone: of.gone } : { action }) as Schemas["BlacklistImportAction"];
    post("/api/v1/blacklist/imports/{id}/actions", { path: { id: of.id }, body }).then(
      () => { void refreshBlacklist(); setBusy(false); if (action === "discard") set({ import: null }); },
      (problem: unknown) => { setFault(problemWords(problem, t)); setBusy(false); },
    );
  };
  const unfit = offline ?? (of.gone > 0 && typed.replace(/[\s,]/g, "") !== String(of.gone) ? t("blacklist.typeCount", { n: String(of.gone) }) : undefined);
  return (
    <>
      {of.may_load && of.gone > 0 ? <Field label={t("blacklist.goneCount", { n: count(of.gone) })} value={typed} onChange={setTyped} inputMode="numeric" autoComplete="off" help={t("blacklist.goneHelp")} /> : null}
      {fault === undefined ? null : <p className="summary-fault" role="alert">{fault}</p>}
      <div className="buttons">
        {of.may_load ? <Button kind="primary" refusal={unfit} busy={busy} onClick={() => act("load")}>{t("blacklist.load", { n: count(of.entries) })}</Button> : null}
        <Button kind="plain" busy={busy} onClick={() => act("discard")}>{t("blacklist.discard")}</Button>
      </div>
    </>
  );
}
