import { useState } from "react";
import { post } from "../../api/call";
import type { Schemas } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { Failed, problemWords } from "../../kit/States";
import { offerUndo } from "../../kit/undo";
import { hasWord, useWords } from "../../words";
import { count, visible } from "../../words/format";
import { useCampaignTitles } from "../campaigns/titles";
import { refreshBlacklist, useImportEvents, useSources } from "./data";

type Source = Schemas["BlacklistSourceView"];

/** Where the entries come from; all of one source go only with their count typed. */
export function Sources() {
  const t = useWords();
  useImportEvents();
  const { data, error, refetch } = useSources();
  const [removing, setRemoving] = useState<Source>();
  const title = useCampaignTitles(data?.items.map((it) => it.campaign) ?? []);
  const name = (it: Source) => {
    const key = `blacklist.source_${it.source.replaceAll(" ", "_")}`;
    return hasWord(key) ? t(key) : visible(it.source);
  };
  if (error) return <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div>;
  if (data === undefined || data.items.length === 0) return null;
  return (
    <section aria-label={t("blacklist.sources")}>
      <div className="filters"><h2>{t("blacklist.sources")}</h2></div>
      <div className="table-box">
        <table className="table">
          <thead><tr><th scope="col">{t("blacklist.source")}</th><th scope="col">{t("blacklist.scope")}</th><th scope="col" className="number">{t("blacklist.entries")}</th><th scope="col">{t("groups.actions")}</th></tr></thead>
          <tbody>
            {data.items.map((it) => (
              <tr key={`${it.campaign ?? ""} ${it.source}`}>
                <td>{name(it)}</td><td>{it.campaign === null ? t("blacklist.system") : title(it.campaign)}</td><td className="number">{count(it.entries)}</td>
                <td><Button kind="link" size="small" label={t("blacklist.removeSource", { name: name(it) })} onClick={() => setRemoving(it)}>{t("blacklist.removeAll")}</Button></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {removing === undefined ? null : <AskRemoveAll source={removing} name={name(removing)} onClose={() => setRemoving(undefined)} />}
    </section>
  );
}

function AskRemoveAll({ source, name, onClose }: { source: Source; name: string; onClose: () => void }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const remove = () => {
    setBusy(true);
    const body = { source: source.source, count: source.entries, ...(source.campaign === null ? {} : { campaign: source.campaign }) } as Schemas["BlacklistSourceRemoval"];
    post("/api/v1/blacklist/sources/removals", { body }).then(
      () => { offerUndo(t("kit.removedNow", { name })); void refreshBlacklist(); onClose(); },
      (problem: unknown) => { setFault(problemWords(problem, t)); setBusy(false); void refreshBlacklist(); },
    );
  };
  const unfit = offline ?? (typed.replace(/[\s,]/g, "") === String(source.entries) ? undefined : t("blacklist.typeCount", { n: String(source.entries) }));
  return (
    <Dialog title={t("blacklist.removeSource", { name })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" refusal={unfit} busy={busy} onClick={remove}>{t("blacklist.removeAll")}</Button></>}>
      <p>{t("blacklist.askRemoveAll", { n: count(source.entries), name })}</p>
      <Field label={t("blacklist.goneCount", { n: count(source.entries) })} value={typed} onChange={setTyped} inputMode="numeric" autoComplete="off" />
      {fault === undefined ? null : <p className="refusal" role="alert">{fault}</p>}
    </Dialog>
  );
}
