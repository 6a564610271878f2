import "../../kit/form.css";
import "../../kit/table.css";
import "./results.css";
import { useMemo, useState, type KeyboardEvent, type ReactNode } from "react";
import { Link, useNavigate } from "react-router";
import { ApiProblem } from "../../api/call";
import type { Call } from "../../api/words";
import { Button } from "../../kit/Button";
import { Menu } from "../../kit/Menu";
import { More } from "../../kit/More";
import { useListOf } from "../../kit/neighbours";
import { StateInk } from "../../kit/Pill";
import { Failed, Loading, NothingMatches } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { CALL_STATES, OUTCOME_STATES } from "../../states";
import { useDrawerLink, useSearch, type SearchChange } from "../../use-search";
import { useTitle } from "../../use-title";
import { hasWord, useWords } from "../../words";
import { clock, count, duration, moment, telephone, visible } from "../../words/format";
import { useCampaignWords, type CampaignWords } from "../campaigns/titles";
import { ExportButton } from "../exports/ExportButton";
import { callFilters } from "../exports/filters";
import { COLUMNS, setColumns, useColumns, type Column } from "./columns";
import { useCalls, useLastBefore } from "./data";
import { FilterBar } from "./FilterBar";
import { callId, dayOf, FILTERS, filtersOf, queryOf, spanOf, talked, type CallsQuery } from "./filters";
import { Player, PlayMark } from "./Player";

/** `/results`: the call log across campaigns. Filters, order and drawer live in the address. */
export default function Results() {
  const t = useWords();
  const { rights } = useMe();
  const [search, set] = useSearch();
  const [playing, setPlaying] = useState<Call>();
  useTitle(t("results.title"));
  // The day is the service's; it is taken anew when the address changes or the list is read again.
  const today = dayOf(new Date(serverNow()));
  const query = useMemo(() => queryOf(search, new Date(serverNow())), [search, today]);
  const { data, error, isFetching, isPlaceholderData, isFetchingNextPage, hasNextPage, fetchNextPage, refetch, dataUpdatedAt } = useCalls(query);
  const calls = useMemo(() => data?.pages.flatMap((page) => page.calls) ?? [], [data]);
  useListOf("call", useMemo(() => calls.map(callId), [calls]));
  const span = spanOf(search, new Date(serverNow()));
  const play = rights.has("recordings.play") ? setPlaying : undefined;
  return (
    <>
      <div className="page-head">
        <h1>{t("results.title")}</h1>
        <span className="hint" role="status">{data === undefined ? "" : t(hasNextPage ? "results.shownOfMore" : "results.shown", { n: count(calls.length) })}</span>
        <span className="space" />
        {dataUpdatedAt === 0 ? null : <span className="hint">{t("results.asOf", { time: clock(new Date(dataUpdatedAt)) })}</span>}
        <Button size="small" busy={isFetching && !isFetchingNextPage} onClick={() => void refetch()}>{t("results.refresh")}</Button>
        <ColumnMenu />
        <ExportButton what="calls" filters={callFilters(query)} />
      </div>
      <FilterBar />
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} />{error instanceof ApiProblem && error.code === "not_found" ? <p className="body">{t("results.filterUnknown")}</p> : null}</div>
        : data === undefined ? <Loading height={480} />
        : calls.length === 0 ? <div className="card"><Empty query={query} search={search} set={set} /></div>
        : (
          <div className={isPlaceholderData ? "table-box stale" : "table-box"}>
            <CallTable calls={calls} isOneDay={span.from === span.until} onPlay={play} playing={playing} />
            {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
          </div>
        )}
      {playing?.recording ? (
        <div className="dock" role="region" aria-label={t("results.player")}>
          <span className="what">{clock(new Date(playing.at))} {visible(playing.name ?? "")} {playing.number === null ? "" : telephone(playing.number)}</span>
          <Player key={playing.recording} source={playing.recording} autoPlay />
          <Button kind="plain" size="small" label={t("common.close")} onClick={() => setPlaying(undefined)}>✕</Button>
        </div>
      ) : null}
    </>
  );
}

/** No calls in the span: the filters, and the last day before it that had some. */
function Empty({ query, search, set }: { query: CallsQuery; search: URLSearchParams; set: (change: SearchChange) => void }) {
  const t = useWords();
  const last = useLastBefore(query, true).data;
  const day = last ? dayOf(new Date(last.at)) : undefined;
  return (
    <>
      {filtersOf(search).length > 0 ? <NothingMatches onClear={() => set(Object.fromEntries(FILTERS.map((name) => [name, null])))} /> : <div className="status"><p>{t("results.none")}</p></div>}
      {day === undefined ? null : <p className="status"><Button kind="link" onClick={() => set({ from: day, until: day })}>{t("results.lastDay_is", { day })}</Button></p>}
    </>
  );
}

function ColumnMenu() {
  const t = useWords();
  const columns = useColumns();
  const toggle = (column: Column) => {
    const next = new Set(columns);
    if (!next.delete(column)) next.add(column);
    setColumns(new Set(COLUMNS.filter((it) => next.has(it))));
  };
  return <Menu size="small" entries={COLUMNS.map((column) => ({ id: column, label: t(`results.column_${column}`), chosen: columns.has(column), onChoose: () => toggle(column) }))}>{t("results.columns")} ▾</Menu>;
}

interface TableProps {
  calls: Call[];
  isOneDay: boolean;
  onPlay: ((call: Call) => void) | undefined;
  playing: Call | undefined;
}

const RIGHT: ReadonlySet<Column> = new Set(["talk"]);

function CallTable({ calls, isOneDay, onPlay, playing }: TableProps) {
  const t = useWords();
  const shown = useColumns();
  const columns = COLUMNS.filter((it) => shown.has(it));
  const words = useCampaignWords(calls.map((it) => it.campaign));
  return (
    <table className="table results">
      <thead><tr><th scope="col">{t("results.at")}</th>{columns.map((it) => <th key={it} scope="col" className={RIGHT.has(it) ? "number" : undefined}>{t(`results.column_${it}`)}</th>)}</tr></thead>
      <tbody>{calls.map((call) => <CallRow key={callId(call)} call={call} columns={columns} words={words} isOneDay={isOneDay} onPlay={onPlay} isPlaying={playing !== undefined && callId(playing) === callId(call)} />)}</tbody>
    </table>
  );
}

/** The outcome of a call as state; a call without one goes on. Inbound calls have none: they were answered or not. */
export function OutcomeInk({ call }: { call: Pick<Call, "outcome" | "ended_at" | "answered_at" | "connected_at"> }) {
  if (call.outcome !== null) return <StateInk state={OUTCOME_STATES[call.outcome as keyof typeof OUTCOME_STATES] ?? OUTCOME_STATES.cancelled} />;
  if (call.ended_at === null) return <StateInk state={call.connected_at !== null ? CALL_STATES.talking : call.answered_at !== null ? CALL_STATES.answered : CALL_STATES.placed} />;
  return <StateInk state={call.connected_at === null ? OUTCOME_STATES.no_answer : OUTCOME_STATES.answered} />;
}

function CallRow({ call, columns, words, isOneDay, onPlay, isPlaying }: { call: Call; columns: readonly Column[]; words: CampaignWords; isOneDay: boolean; onPlay: TableProps["onPlay"]; isPlaying: boolean }) {
  const t = useWords();
  const link = useDrawerLink();
  const navigate = useNavigate();
  const at = new Date(call.at);
  const to = link({ call: callId(call) });
  const talk = talked(call);
  const ended = `results.ended_${call.ended_by ?? ""}`;
  const cells: Record<Column, () => ReactNode> = {
    campaign: () => (call.campaign === null ? "–" : words.title(call.campaign)),
    name: () => (call.lead === null ? visible(call.name ?? "") : <Link className="plain" to={link({ lead: String(call.lead) })}>{visible(call.name ?? String(call.lead))}</Link>),
    number: () => (call.number === null ? "–" : telephone(call.number)),
    agent: () => (call.agent === null ? "" : <Link className="plain" to={link({ agent: call.agent })}>{call.agent} <span className="second">{visible(call.agent_name ?? "")}</span></Link>),
    outcome: () => <OutcomeInk call={call} />,
    talk: () => (talk === undefined ? "" : duration(talk)),
    disposition: () => (call.disposition === null ? "" : words.disposition(call.campaign, call.disposition)),
    result: () => (call.result === null ? "" : words.result(call.campaign, call.result)),
    ended: () => (hasWord(ended) ? t(ended) : visible(call.ended_by ?? "")),
    note: () => visible(call.note ?? ""),
    recording: () => (call.recording === null || onPlay === undefined ? "" : <Button kind={isPlaying ? "primary" : "plain"} size="small" label={t("results.playOf", { time: clock(at), name: call.name ?? call.number ?? "" })} onClick={() => onPlay(call)}><PlayMark /></Button>),
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTableRowElement>) => {
    if (event.key !== " " || event.target instanceof HTMLButtonElement || call.recording === null || onPlay === undefined) return;
    event.preventDefault();
    onPlay(call);
  };
  return (
    <tr onKeyDown={onKeyDown} onDoubleClick={() => void navigate(to, { preventScrollReset: true })}>
      <td><Link className="row" to={to} preventScrollReset title={call.at}>{isOneDay ? clock(at) : moment(at, new Date(0)) + at.toISOString().slice(16, 19)}</Link></td>
      {columns.map((column) => <td key={column} className={RIGHT.has(column) ? "number" : column === "note" ? "wide" : column === "name" || column === "campaign" || column === "disposition" ? "clip" : undefined} title={column === "note" ? call.note ?? "" : undefined}>{cells[column]()}</td>)}
    </tr>
  );
}
