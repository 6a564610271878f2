import "../../../kit/form.css";
import "../../../kit/table.css";
import "../../admin/admin.css";
import "../settings/settings.css";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { applyChange, readVersion, type CampaignText, type CampaignVersion } from "../../../api/campaign-rows";
import { useOfflineReason } from "../../../frame/LiveState";
import { Button } from "../../../kit/Button";
import { diffLines } from "../../../kit/lines";
import { Failed, Gone, Loading, NoneYet, problemWords } from "../../../kit/States";
import { TomlDiff } from "../../../kit/TomlDiff";
import { serverNow } from "../../../live/clock";
import { useMe } from "../../../session";
import { useSearch } from "../../../use-search";
import { hasWord, useWords } from "../../../words";
import { moment, visible } from "../../../words/format";
import { AuditHead, AuditLine } from "../../admin/Audit";
import { usePersonName } from "../../audio/person-name";
import { Confirm } from "../CampaignActions";
import { adoptChange, isGone, refreshCampaign, useCampaignText, useVersions } from "../data";
import { useCampaignAudit, useVersion } from "./data";
import { Decisions } from "./Decisions";

/** `/campaigns/:name/history`: versions with their differences, what was decided while dialling, who did what. */
export default function History() {
  const t = useWords();
  const { name = "" } = useParams();
  const { rights } = useMe();
  const { data: campaign, error, refetch } = useCampaignText(name);
  if (isGone(error) && campaign === undefined) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
  if (campaign === undefined) return error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : <Loading height={480} />;
  return (
    <div className="settings">
      <Versions campaign={campaign} />
      <Decisions name={name} />
      {rights.has("audit.read") ? <CampaignAudit name={name} /> : null}
    </div>
  );
}

const numberIn = (text: string | null): number | undefined => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined);

function Versions({ campaign }: { campaign: CampaignText }) {
  const t = useWords();
  const [search, set] = useSearch();
  const { data: versions, error, refetch } = useVersions(campaign.name);
  const newest = versions?.[0]?.number;
  const after = numberIn(search.get("after")) ?? newest;
  const before = numberIn(search.get("before")) ?? versions?.find((it) => after !== undefined && it.number < after)?.number;
  return (
    <section className="card" aria-label={t("history.versions")}>
      <header><h2>{t("history.versions")}</h2></header>
      <div className="body settings">
        {versions === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={160} />) : versions.length === 0 ? <NoneYet>{t("history.none")}</NoneYet> : (
          <>
            <div className="table-box">
              <table className="table">
                <thead><tr><th scope="col">{t("history.number")}</th><th scope="col">{t("history.at")}</th><th scope="col">{t("history.by")}</th><th scope="col">{t("history.source")}</th><th scope="col" className="wide">{t("history.note")}</th>{versions.length > 1 ? <th scope="col">{t("history.compare")}</th> : null}<th><span className="visually-hidden">{t("campaigns.actions")}</span></th></tr></thead>
                <tbody>
                  {versions.map((it) => (
                    <VersionRow key={it.number} version={it} campaign={campaign} isNow={it.number === campaign.version} isAlone={versions.length === 1} before={before} after={after} onChoose={(change) => set(change)} />
                  ))}
                </tbody>
              </table>
            </div>
            {before === undefined || after === undefined ? null : <Difference name={campaign.name} before={before} after={after} />}
          </>
        )}
      </div>
    </section>
  );
}

interface RowProps {
  version: CampaignVersion;
  campaign: CampaignText;
  isNow: boolean;
  /** There is no other version to compare it with. */
  isAlone: boolean;
  before: number | undefined;
  after: number | undefined;
  onChoose: (change: { before?: string; after?: string }) => void;
}

function VersionRow({ version, campaign, isNow, isAlone, before, after, onChoose }: RowProps) {
  const t = useWords();
  const mayEdit = useMe().rights.has("campaigns.edit");
  const person = usePersonName();
  const source = `history.source_${version.source}`;
  const n = version.number;
  return (
    <tr>
      <td><strong>{n}</strong>{isNow ? <span className="hint"> {t("history.now")}</span> : null}</td>
      <td><time dateTime={version.at} title={version.at}>{moment(new Date(version.at), new Date(serverNow()))}</time></td>
      <td>{version.by === null ? t("settings.nobody") : person(version.by)}</td>
      <td>{hasWord(source) ? t(source) : visible(version.source)}</td>
      <td className="wide" title={version.note ?? undefined}>{visible(version.note ?? "")}</td>
      {isAlone ? null : <td>
        <span className="action">
          <label className="box"><input type="radio" name="before" aria-label={t("history.before", { n })} checked={before === n} onChange={() => onChoose({ before: String(n) })} /></label>
          <label className="box"><input type="radio" name="after" aria-label={t("history.after", { n })} checked={after === n} onChange={() => onChoose({ after: String(n) })} /></label>
        </span>
      </td>}
      <td>{mayEdit && !isNow ? <GoBack version={n} campaign={campaign} /> : null}</td>
    </tr>
  );
}

/** Puts an earlier text in force again, as a new version. */
function GoBack({ version, campaign }: { version: number; campaign: CampaignText }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [isAsked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const { name, etag } = campaign;
  const run = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { toml } = await readVersion(name, version);
      adoptChange(name, await applyChange(name, { toml }, etag, t("history.backNote", { n: version })));
    } catch (refused) {
      setProblem(refused);
      refreshCampaign(name);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className="action">
      <Button size="small" busy={busy} refusal={offline} onClick={() => setAsked(true)}>{t("history.back", { n: version })}</Button>
      {problem === undefined ? null : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
      {isAsked ? <Confirm title={t("history.back", { n: version })} sentence={t("history.backAsk", { n: version, next: campaign.version + 1 })} yes={t("history.back", { n: version })} onYes={() => void run()} onClose={() => setAsked(false)} /> : null}
    </span>
  );
}

function Difference({ name, before, after }: { name: string; before: number; after: number }) {
  const t = useWords();
  const [older, newer] = [useVersion(name, before), useVersion(name, after)];
  const title = t("history.diff", { before, after });
  const error = older.error ?? newer.error;
  return (
    <div className="settings">
      <h3 className="hint">{title}</h3>
      {older.data && newer.data ? <TomlDiff lines={diffLines(older.data.toml, newer.data.toml)} label={title} />
        : error ? <Failed problem={error} onRetry={() => { void older.refetch(); void newer.refetch(); }} /> : <Loading height={160} />}
    </div>
  );
}

function CampaignAudit({ name }: { name: string }) {
  const t = useWords();
  const { data, error, refetch } = useCampaignAudit(name, true);
  const all = `/audit?subject=${encodeURIComponent(`campaign:${name}`)}`;
  return (
    <section className="card" aria-label={t("history.audit")}>
      <header><h2>{t("history.audit")}</h2><span className="space" /><Link to={all}>{t("history.auditAll")}</Link></header>
      <div className="body">
        {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={160} />) : data.items.length === 0 ? <NoneYet>{t("history.auditNone")}</NoneYet> : (
          <div className="table-box"><table className="table audit"><AuditHead /><tbody>{data.items.map((row) => <AuditLine key={row.id} row={row} />)}</tbody></table></div>
        )}
      </div>
    </section>
  );
}
