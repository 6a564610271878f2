import "../../kit/table.css";
import "../../kit/form.css";
import "./people.css";
import { useState } from "react";
import { Link } from "react-router";
import { call } from "../../api/call";
import type { Group } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Failed, Loading, NoneYet, NothingMatches, problemWords } from "../../kit/States";
import { offerUndo } from "../../kit/undo";
import { useCampaigns, useSeats } from "../../live/stores";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { hasWord, useWords } from "../../words";
import { count, visible } from "../../words/format";
import { etag, refreshPeople, useGroups } from "./data";

/** `/groups`: teams, how they may work, who works with them now. */
export default function Groups() {
  const t = useWords();
  const { rights } = useMe();
  const { data: groups, error, refetch } = useGroups();
  const [search, set] = useSearch();
  const [removing, setRemoving] = useState<Group>();
  useTitle(t("groups.title"));
  const text = search.get("q") ?? "";
  const shown = (groups ?? []).filter((it) => it.name.toLowerCase().includes(text.toLowerCase()));
  const mayEdit = rights.has("groups.edit");
  const add = mayEdit ? <Link className="button primary" to="/groups/new">{t("groups.add")}</Link> : null;
  return (
    <>
      <div className="page-head"><h1>{t("groups.title")}</h1><span className="space" />{add}</div>
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : groups === undefined ? <Loading height={300} />
        : groups.length === 0 ? <div className="card"><NoneYet act={add}>{t("groups.none")}</NoneYet></div> : (
        <>
          <div className="filters" role="search">
            <input className="search" type="search" aria-label={t("groups.search")} placeholder={t("groups.search")} value={text} onChange={(event) => set({ q: event.target.value })} />
            <span className="space" /><span className="hint" role="status">{t("common.total", { n: count(shown.length) })}</span>
          </div>
          {shown.length === 0 ? <div className="card"><NothingMatches onClear={() => set({ q: null })} /></div> : <GroupTable groups={shown} mayEdit={mayEdit} onRemove={setRemoving} />}
        </>
      )}
      {removing === undefined ? null : <AskRemove group={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function GroupTable({ groups, mayEdit, onRemove }: { groups: Group[]; mayEdit: boolean; onRemove: (group: Group) => void }) {
  const t = useWords();
  const seats = useSeats();
  const campaigns = useCampaigns();
  return (
    <div className="table-box">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t("groups.name")}</th><th scope="col" className="number">{t("groups.members")}</th><th scope="col" className="number">{t("groups.atWork")}</th>
            <th scope="col" className="number">{t("groups.seats")}</th><th scope="col">{t("groups.mode")}</th><th scope="col">{t("groups.telephones")}</th><th scope="col">{t("groups.announces")}</th>
            <th scope="col">{t("groups.release")}</th><th scope="col">{t("groups.campaigns")}</th>{mayEdit ? <th scope="col">{t("groups.actions")}</th> : null}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => {
            const mode = `groups.mode_${group.work_mode ?? "own"}`;
            const working = campaigns.filter((it) => it.group === group.name);
            const atWork = seats.filter((it) => it.availability !== "signed_out" && it.groups.includes(group.name)).length;
            return (
              <tr key={group.name}>
                <td>{mayEdit ? <Link className="row" to={`/groups/${encodeURIComponent(group.name)}/edit`}>{visible(group.name)}</Link> : <strong>{visible(group.name)}</strong>}</td>
                <td className="number"><Link to={`/people?group=${encodeURIComponent(group.name)}`}>{count(group.members.length)}</Link></td>
                <td className="number"><Link to={`/floor?group=${encodeURIComponent(group.name)}`}>{count(atWork)}</Link></td>
                <td className="number">{group.seats === null ? t("groups.noLimit") : count(group.seats)}</td>
                <td>{hasWord(mode) ? t(mode) : visible(group.work_mode ?? "")}</td>
                <td>{t(group.telephones ? "people.yes" : "people.no")}</td>
                <td>{t(group.announce_number ? "people.yes" : "people.no")}</td>
                <td>{group.idle_release_secs === null ? t("groups.never") : t("groups.afterMinutes", { n: Math.round(group.idle_release_secs / 6) / 10 })}</td>
                <td className="wide">{working.map((it, n) => <span key={it.name}>{n > 0 ? ", " : ""}<Link to={`/campaigns/${encodeURIComponent(it.name)}/live`}>{visible(it.title ?? it.name)}</Link></span>)}</td>
                {mayEdit ? <td><Button kind="link" size="small" label={t("groups.removeOne", { name: group.name })} onClick={() => onRemove(group)}>{t("people.remove")}</Button></td> : null}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function AskRemove({ group, onClose }: { group: Group; onClose: () => void }) {
  const t = useWords();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const [refusal, setRefusal] = useState<string>();
  const remove = async () => {
    setBusy(true);
    try {
      await call("delete", "/api/v1/groups/{group}", { path: { group: group.name }, etag: etag(group.version) });
      offerUndo(t("kit.removedNow", { name: visible(group.name) }));
      await refreshPeople();
      onClose();
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      void refreshPeople();
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("groups.removeOne", { name: visible(group.name) })} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" refusal={offline} busy={busy} onClick={() => void remove()}>{t("people.remove")}</Button></>}>
      <p>{t("groups.askRemove", { n: group.members.length })}</p>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
