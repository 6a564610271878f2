import "../../kit/table.css";
import "../../kit/form.css";
import "./campaigns.css";
import { memo, useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { actOnCampaign, removeCampaign, type CampaignRow } from "../../api/campaign-rows";
import { MODES } from "../../api/words";
import { useIsStale, useOfflineReason } from "../../frame/LiveState";
import { Choice } from "../../kit/Field";
import { Glyph } from "../../kit/Glyph";
import { Menu } from "../../kit/Menu";
import { More } from "../../kit/More";
import { Pill } from "../../kit/Pill";
import { Failed, Loading, NoneYet, NothingMatches, problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useCampaign, useCampaigns } from "../../live/stores";
import { useMe } from "../../session";
import { CAMPAIGN_STATES, campaignState } from "../../states";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { hasWord, useLanguage, useWords, type PlainKey } from "../../words";
import { count, moment, percent, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { Confirm, PauseButton } from "./CampaignActions";
import { refreshCampaign, refreshRows, useCampaignRows, useWaitingWatch } from "./data";
import { leadsOpen } from "./figures";
import { OpenCampaign } from "./OpenCampaign";
import { AbandonRate, AnswerRate } from "./Rate";
import { StartSample } from "./StartSample";

/** A search is sent once typing rests for so long, in ms. */
const TYPING = 250;

/** `/campaigns`: campaigns in every state; filters live in the address. */
export default function Campaigns() {
  const t = useWords();
  const isStale = useIsStale();
  const mayEdit = useMe().rights.has("campaigns.edit");
  const [search, set] = useSearch();
  useTitle(t("campaigns.title"));
  const filter = { state: search.get("state") ?? "", group: search.get("group") ?? "", q: search.get("q") ?? "" };
  const mode = search.get("mode") ?? "";
  useWaitingWatch();
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage, isPlaceholderData } = useCampaignRows(useRested(filter));
  const all = data?.pages.flatMap((page) => page.items) ?? [];
  const shown = all.filter((it) => mode === "" || it.mode === mode);
  const groups = [...new Set([...all.map((it) => it.group), filter.group === "" ? null : filter.group].filter((it) => it !== null))].sort();
  const isFiltered = mode !== "" || Object.values(filter).some((it) => it !== "");
  const acts = !mayEdit ? null : <span className="action"><OpenCampaign /><Link className="button primary" to="/campaigns/new">{t("campaigns.new")}</Link></span>;
  return (
    <>
      <LiveStates />
      <div className="page-head"><h1>{t("campaigns.title")}</h1><span className="space" />{acts}</div>
      {error && data === undefined ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={320} />
        : all.length === 0 && !isFiltered ? <div className="card"><NoneYet act={mayEdit ? <><StartSample /><p className="hint">{t("sample.help")}</p></> : undefined}>{t("campaigns.noneYet")}</NoneYet></div> : (
        <>
          <div className="filters" role="search">
            <input className="search" type="search" aria-label={t("campaigns.search")} placeholder={t("campaigns.search")} value={filter.q} onChange={(event) => set({ q: event.target.value })} />
            <Choice label={t("campaigns.state")} value={filter.state} onChange={(value) => set({ state: value })}
              options={[{ value: "", label: t("campaigns.allStates") }, ...Object.entries(CAMPAIGN_STATES).map(([value, state]) => ({ value, label: t(state.word) }))]} />
            <Choice label={t("campaigns.mode")} value={mode} onChange={(value) => set({ mode: value })}
              options={[{ value: "", label: t("campaigns.allModes") }, ...MODES.map((it) => ({ value: it as string, label: t(`mode.${it}` as PlainKey) }))]} />
            {groups.length === 0 ? null : <Choice label={t("campaigns.group")} value={filter.group} onChange={(value) => set({ group: value })}
              options={[{ value: "", label: t("campaigns.allGroups") }, ...groups.map((group) => ({ value: group, label: group }))]} />}
            <span className="space" />
            <span className="hint">{mode !== "" && hasNextPage ? t("campaigns.loadedOnly") : hasNextPage ? "" : t("common.total", { n: count(shown.length) })}</span>
          </div>
          {shown.length === 0 && !hasNextPage ? <div className="card"><NothingMatches onClear={() => set({ q: null, state: null, mode: null, group: null })} /></div>
            : (
              <div className={isStale || isPlaceholderData ? "table-box stale" : "table-box"}>
                <CampaignTable rows={shown} />
                {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
              </div>
            )}
        </>
      )}
    </>
  );
}

/** The filter as of the last rest in typing. */
function useRested<T extends { q: string }>(filter: T): T {
  const [q, setQ] = useState(filter.q);
  useEffect(() => {
    const timer = setTimeout(() => setQ(filter.q), TYPING);
    return () => clearTimeout(timer);
  }, [filter.q]);
  return { ...filter, q: q.trim() };
}

/** Rows are read anew when an open campaign changes its state, or one opens or closes. A component: each update draws it alone. */
function LiveStates() {
  const states = useCampaigns().map((it) => `${it.name} ${campaignState(it)}`).sort().join("\n");
  useEffect(() => void refreshRows(), [states]);
  return null;
}

function CampaignTable({ rows }: { rows: CampaignRow[] }) {
  const t = useWords();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t("campaigns.name")}</th><th scope="col">{t("campaigns.mode")}</th><th scope="col">{t("campaigns.state")}</th>
          <th scope="col" className="number">{t("campaigns.left")}</th><th scope="col" className="number">{t("campaigns.placed")}</th><th scope="col" className="number">{t("campaigns.answerRate")}</th>
          <th scope="col" className="number">{t("campaigns.abandon")}</th><th scope="col">{t("campaigns.group")}</th><th scope="col" className="wide">{t("campaigns.changed")}</th><th scope="col">{t("campaigns.actions")}</th>
        </tr>
      </thead>
      <tbody>{rows.map((row) => <Row key={row.name} row={row} />)}</tbody>
    </table>
  );
}

/** One campaign; it is drawn anew when its row or its live figures change. */
const Row = memo(function Row({ row }: { row: CampaignRow }) {
  const t = useWords();
  const language = useLanguage();
  const live = useCampaign(row.name);
  const person = usePersonName();
  const { rights } = useMe();
  const state = live ? campaignState(live) : row.state;
  const mode = `mode.${row.mode ?? ""}`;
  const left = live ? leadsOpen(live) : row.leads_open;
  const trouble = row.trouble?.[language];
  const waiting = live?.waiting_for ?? row.waiting_for;
  const waits = waiting.map((it) => `${visible(it.title)} (${it.who[language]})`).join(", ");
  const path = `/campaigns/${encodeURIComponent(row.name)}/${live ? "live" : state === "finished" || state === "archived" ? "history" : "start"}`;
  return (
    <tr>
      <td className="name" title={row.name}><Link className="row" to={path}>{visible(row.title ?? row.name)}</Link></td>
      <td>{hasWord(mode) ? t(mode) : "–"}</td>
      <td title={trouble ?? (waits === "" ? live?.words[language] : t("campaigns.waitsFor", { what: waits }))}>{trouble === undefined ? null : <span className="refusal"><Glyph name="alarm" /><span className="visually-hidden">{visible(trouble)}</span> </span>}<Pill state={CAMPAIGN_STATES[state]} />{waits === "" ? null : <span className="second waits">{t("campaigns.waitsFor", { what: waits })}</span>}</td>
      <td className="number" title={t("campaigns.leftOf", { left: count(left), all: count(row.leads) })}>
        {count(left)}<span className="bar left-bar" aria-hidden="true"><i style={{ width: `${row.leads === 0 ? 0 : Math.min(100, (left / row.leads) * 100)}%`, background: "var(--idle-fill)" }} /></span>
      </td>
      <td className="number">{count(live?.placed ?? row.placed)}</td>
      <td className="number">{live ? <AnswerRate campaign={live} /> : row.answer_rate === null ? "–" : percent(row.answer_rate)}</td>
      <td className="number">{live ? <AbandonRate campaign={live} /> : row.abandon_rate === null ? "–" : percent(row.abandon_rate)}</td>
      <td>{row.group === null ? "–" : visible(row.group)}</td>
      <td className="wide second"><time dateTime={row.changed_at} title={row.changed_at}>{moment(new Date(row.changed_at), new Date(serverNow()))}</time> {row.changed_by === null ? "" : person(row.changed_by)}</td>
      <td><span className="action row-acts">{live && rights.has("campaigns.run") ? <PauseButton campaign={live} size="small" /> : null}<RowMenu row={row} path={path} isOpen={live !== undefined && state !== "finished"} /></span></td>
    </tr>
  );
});

/** Open, copy, archive; a draft can be removed. */
function RowMenu({ row, path, isOpen }: { row: CampaignRow; path: string; isOpen: boolean }) {
  const t = useWords();
  const navigate = useNavigate();
  const { rights } = useMe();
  const offline = useOfflineReason();
  const [asked, setAsked] = useState<"archive" | "delete">();
  const [problem, setProblem] = useState<unknown>();
  const run = (act: Promise<unknown>) => {
    setProblem(undefined);
    act.then(() => refreshCampaign(row.name), setProblem);
  };
  const title = visible(row.title ?? row.name);
  const archive = { id: "archive", label: t("campaigns.archive"), refusal: offline ?? (row.state === "archived" ? t("campaign.archived") : isOpen ? t("campaigns.archiveOpen") : undefined), onChoose: () => setAsked("archive") };
  const remove = { id: "delete", label: t("campaigns.delete"), refusal: offline, onChoose: () => setAsked("delete") };
  return (
    <>
      <Menu size="small" kind="plain" label={t("campaigns.rowMenu", { name: title })} entries={[
        { id: "open", label: t("common.open"), onChoose: () => void navigate(path) },
        ...(rights.has("campaigns.edit") ? [{ id: "copy", label: t("campaigns.copy"), onChoose: () => void navigate(`/campaigns/new?copy_of=${encodeURIComponent(row.name)}`) }] : []),
        ...(rights.has("campaigns.edit") && rights.has("campaigns.run") ? [archive] : []),
        ...(rights.has("campaigns.edit") && row.state === "draft" && row.placed === 0 ? [remove] : []),
      ]}>⋯</Menu>
      {problem === undefined ? null : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
      {asked === "archive" ? <Confirm title={t("campaigns.archive")} sentence={t("campaigns.archiveAsk", { name: title })} yes={t("campaigns.archive")} onYes={() => run(actOnCampaign(row.name, "archive"))} onClose={() => setAsked(undefined)} /> : null}
      {asked === "delete" ? <Confirm title={t("campaigns.delete")} sentence={t("campaigns.deleteAsk", { name: title })} yes={t("campaigns.delete")} isDanger onYes={() => run(removeCampaign(row.name))} onClose={() => setAsked(undefined)} /> : null}
    </>
  );
}
