import "../../kit/table.css";
import "./exports.css";
import { useCallback, useState } from "react";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { More } from "../../kit/More";
import { Failed, Loading, NoneYet, problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useLiveEvent } from "../../live/stores";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { count, moment } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { useCampaignTitles } from "../campaigns/titles";
import { Progress } from "../lists/Progress";
import { ExportDialog } from "./ExportDialog";
import { cancelExport, isOpen, refreshExports, removeExport, useExportEvents, useExports, type Export } from "./data";
import { filterWords, FORMAT_NAMES, leftWords, said, size, whatWords } from "./words";

/** `/exports`: files that the reader asked for, while they are written and until they are deleted. */
export default function Exports() {
  const t = useWords();
  useTitle(t("exports.title"));
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useExports();
  const refresh = useCallback(() => void refreshExports(), []);
  useExportEvents(refresh);
  useLiveEvent("snapshot", refresh);
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className="page-head">
        <h1>{t("exports.title")}</h1>
        <span className="hint" role="status">{data === undefined ? "" : t(hasNextPage ? "exports.shownOfMore" : "common.total", { n: count(rows.length) })}</span>
      </div>
      {error && data === undefined ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={300} />
        : rows.length === 0 ? <div className="card"><NoneYet>{t("exports.none")}</NoneYet></div>
        : (
          <div className={error ? "table-box stale" : "table-box"}>
            <Rows rows={rows} />
            {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
          </div>
        )}
    </>
  );
}

function Rows({ rows }: { rows: Export[] }) {
  const t = useWords();
  const person = usePersonName(true);
  const title = useCampaignTitles(rows.map((it) => campaignOf(it) ?? null));
  const [again, setAgain] = useState<Export>();
  const [removing, setRemoving] = useState<Export>();
  const [refusal, setRefusal] = useState<string>();
  const now = new Date(serverNow());
  const cancel = (it: Export) => cancelExport(it).then(() => setRefusal(undefined), (problem: unknown) => setRefusal(problemWords(problem, t)));
  return (
    <>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
      <table className="table exports">
        <thead>
          <tr>
            <th scope="col">{t("exports.what")}</th><th scope="col">{t("exports.format")}</th><th scope="col">{t("exports.state")}</th><th scope="col" className="number">{t("exports.rowCount")}</th>
            <th scope="col" className="number">{t("exports.size")}</th><th scope="col">{t("exports.by")}</th><th scope="col">{t("exports.expires")}</th><th scope="col">{t("groups.actions")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((it) => (
            <tr key={it.id}>
              <td className="wide"><strong>{whatWords(it.what, t)}</strong> {filterWords(titled(it, title), now, t).map((chip) => <span key={chip} className="chip">{chip}</span>)}{it.masked ? <span className="second"> {t("exports.isMasked")}</span> : null}</td>
              <td>{FORMAT_NAMES[it.format]}</td>
              <td className="going"><State it={it} /></td>
              <td className="number">{it.rows === null ? "" : count(it.rows)}</td>
              <td className="number">{it.bytes === null ? "" : size(it.bytes)}</td>
              <td>{it.made_by === null ? "" : person(it.made_by)} <span className="second"><time dateTime={it.made_at}>{moment(new Date(it.made_at), now)}</time></span></td>
              <td title={it.expires_at}>{leftWords(new Date(it.expires_at), now, t)}</td>
              <td className="acts"><Acts it={it} onAgain={setAgain} onRemove={setRemoving} onCancel={(one) => void cancel(one)} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {again === undefined ? null : <ExportDialog wish={{ what: again.what, filters: again.filters as object }} onClose={() => setAgain(undefined)} />}
      {removing === undefined ? null : <AskRemove it={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

const campaignOf = (it: Export) => (it.filters as { campaign?: string }).campaign;

/** The filters with the campaign by its title. */
function titled(it: Export, title: (name: string) => string): Record<string, unknown> {
  const campaign = campaignOf(it);
  return { ...(it.filters as Record<string, unknown>), ...(campaign === undefined ? {} : { campaign: title(campaign) }) };
}

function State({ it }: { it: Export }) {
  const t = useWords();
  const name = `${whatWords(it.what, t)} ${it.id}`;
  if (it.state === "running" && it.task !== null) return <><Progress label={name} done={it.task.done} total={it.task.total} /> <span className="second">{t("exports.written", { n: count(it.task.done) })}</span></>;
  if (it.state === "failed") return <span className="alarm-ink">{t("exports.state_failed")} <span className="second">{it.task?.error == null ? "" : said(it.task.error)}</span></span>;
  return <span>{t(`exports.state_${it.state}`)}</span>;
}

interface ActsProps {
  it: Export;
  onAgain: (it: Export) => void;
  onRemove: (it: Export) => void;
  onCancel: (it: Export) => void;
}

function Acts({ it, onAgain, onRemove, onCancel }: ActsProps) {
  const t = useWords();
  const name = `${whatWords(it.what, t)} ${it.id}`;
  return (
    <>
      {it.may_download ? <><a className="button small" href={`/api/v1/exports/${it.id}/file`} download aria-label={t("exports.downloadOf", { name })}>{t("exports.download")}</a> <a className="button link small" href={`/api/v1/exports/${it.id}/manifest`} download aria-label={t("exports.manifestOf", { name })}>{t("exports.manifest")}</a></> : null}
      {it.state === "done" && !it.may_download ? <span className="second">{t("exports.mayNot")}</span> : null}
      {isOpen(it) ? <Button kind="link" size="small" label={t("exports.cancelOf", { name })} onClick={() => onCancel(it)}>{t("common.cancel")}</Button>
        : <><Button kind="link" size="small" label={t("exports.againOf", { name })} onClick={() => onAgain(it)}>{t("exports.again")}</Button><Button kind="link" size="small" label={t("exports.removeOf", { name })} onClick={() => onRemove(it)}>{t("exports.remove")}</Button></>}
    </>
  );
}

function AskRemove({ it, onClose }: { it: Export; onClose: () => void }) {
  const t = useWords();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const remove = () => {
    setBusy(true);
    removeExport(it).then(onClose, (problem: unknown) => {
      setRefusal(problemWords(problem, t));
      setBusy(false);
    });
  };
  return (
    <Dialog title={t("exports.removeOf", { name: `${whatWords(it.what, t)} ${it.id}` })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" busy={busy} onClick={remove}>{t("exports.remove")}</Button></>}>
      <p>{t("exports.askRemove")}</p>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
