import "../pages/exports/exports.css";
import { useCallback, useState } from "react";
import { Link } from "react-router";
import type { Task } from "../api/words";
import { Button } from "../kit/Button";
import { useExportEvents } from "../pages/exports/data";
import { useMe } from "../session";
import { useWords } from "../words";
import { count } from "../words/format";

/** On every page: an export of the reader's is ready, or failed. */
export function ExportBar() {
  const t = useWords();
  const { person } = useMe();
  const [ended, setEnded] = useState<Task>();
  useExportEvents(useCallback((task: Task) => {
    if (task.asked_by !== person.number) return;
    const result = task.result as { gone?: boolean } | null;
    if ((task.state === "done" && result?.gone !== true) || task.state === "failed") setEnded(task);
  }, [person.number]));
  if (ended === undefined) return null;
  const rows = (ended.result as { rows?: number } | null)?.rows ?? 0;
  return (
    <div className="export-bar" role="status">
      {ended.state === "done" ? <span>{t("exports.ready", { n: count(rows) })}</span> : <span className="alarm-ink">{t("exports.state_failed")}</span>}
      {ended.state === "done" ? <a className="button small" href={`/api/v1/exports/${ended.subject.id}/file`} download>{t("exports.download")}</a> : null}
      <Link to="/exports" onClick={() => setEnded(undefined)}>{t("exports.title")}</Link>
      <Button kind="plain" size="small" label={t("common.close")} onClick={() => setEnded(undefined)}>✕</Button>
    </div>
  );
}
