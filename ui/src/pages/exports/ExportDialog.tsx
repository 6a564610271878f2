import "../../kit/form.css";
import "./exports.css";
import { useState } from "react";
import { ApiProblem } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check, Radios } from "../../kit/Check";
import { Dialog } from "../../kit/Dialog";
import { problemWords } from "../../kit/States";
import { offerUndo } from "../../kit/undo";
import { serverNow } from "../../live/clock";
import { useWords } from "../../words";
import { count, visible } from "../../words/format";
import { askExport, useForeseen, type ExportFormat, type Wish } from "./data";
import { filterWords, FORMAT_NAMES, FORMATS, whatWords } from "./words";

/** What the file will hold, before it is asked for: rows, columns, whether numbers are masked, in how many sheets. */
export function ExportDialog({ wish, onClose }: { wish: Wish; onClose: () => void }) {
  const t = useWords();
  const formats = FORMATS[wish.what];
  const [format, setFormat] = useState<ExportFormat>(formats[0] ?? "csv");
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const offline = useOfflineReason();
  const { data, error } = useForeseen(wish, format);
  const columns = data?.columns ?? [];
  const chosen = columns.filter((column) => !left.has(column));
  const isSplit = format === "xlsx" && data !== undefined && data.sheets > 1;
  const ask = async () => {
    setBusy(true);
    setRefusal(undefined);
    try {
      await askExport({ ...wish, format, columns: left.size === 0 ? [] : chosen, split: isSplit });
      offerUndo(t("exports.begun"));
      onClose();
    } catch (problem) {
      setRefusal(problem instanceof ApiProblem ? problemWords(problem, t) : String(problem));
      setBusy(false);
    }
  };
  const toggle = (column: string, isOn: boolean) => {
    const next = new Set(left);
    if (isOn) next.delete(column);
    else next.add(column);
    setLeft(next);
  };
  const chips = filterWords(wish.filters, new Date(serverNow()), t);
  const unfit = offline ?? (columns.length > 0 && chosen.length === 0 ? t("exports.noColumn") : undefined);
  return (
    <Dialog title={t("exports.dialog", { what: whatWords(wish.what, t) })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="primary" refusal={unfit} busy={busy} onClick={() => void ask()}>{t("exports.ask")}</Button></>}>
      <p className="export-filters">{chips.length === 0 ? <span className="hint">{t("exports.noFilter")}</span> : chips.map((chip) => <span key={chip} className="chip">{chip}</span>)}</p>
      <p role="status">{error ? problemWords(error, t) : data === undefined ? t("common.loading") : data.rows === null ? t("exports.rowsLater") : t("exports.rows", { n: count(data.rows) })}</p>
      {data === undefined ? null : <p className={data.masked ? "warn-ink" : "hint"}>{t(data.masked ? "exports.masked" : "exports.whole")}</p>}
      {formats.length > 1 ? <Radios legend={t("exports.format")} value={format} onChange={setFormat} options={formats.map((it) => ({ value: it, label: FORMAT_NAMES[it] }))} /> : null}
      {isSplit ? <p className="warn-ink" role="status">{t("exports.sheets", { n: count(data.sheets) })} <Button kind="link" size="small" onClick={() => setFormat("parquet")}>{t("exports.takeParquet")}</Button></p> : null}
      {columns.length === 0 ? null : (
        <details className="export-columns">
          <summary>{t("exports.columns", { n: count(chosen.length), of: count(columns.length) })}</summary>
          <div className="columns">{columns.map((column) => <Check key={column} label={visible(column)} isOn={!left.has(column)} onChange={(isOn) => toggle(column, isOn)} />)}</div>
        </details>
      )}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
