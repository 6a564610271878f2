import "../../kit/form.css";
import "../../kit/table.css";
import "./results.css";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import type { Call, Schemas } from "../../api/words";
import { Button } from "../../kit/Button";
import { Menu } from "../../kit/Menu";
import { More } from "../../kit/More";
import { useListOf } from "../../kit/neighbours";
import { Failed, Loading, NothingMatches } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { useSearch, type SearchChange } from "../../use-search";
import { useTitle } from "../../use-title";
import { useWords, type Translate } from "../../words";
import { clock, count, moment, telephone, visible } from "../../words/format";
import { ExportButton } from "../exports/ExportButton";
import { callFilters } from "../exports/filters";
import { CallTable } from "./CallTable";
import { COLUMNS, columnsOf, setColumns, useColumns, type Column } from "./columns";
import { useCallCount, useCalls } from "./data";
import { FilterBar } from "./FilterBar";
import { callId, dayOf, FILTERS, filtersOf, orderOf, queryOf, spanOf } from "./filters";
import { Player } from "./Player";
import { ViewMenu } from "./ViewMenu";

export { OutcomeInk } from "./OutcomeInk";

/** `/results`: the call log across campaigns. Filters, order, columns of a view and drawer live in the address. */
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
  const isCountedApart = query.number === undefined;
  const counted = useCallCount(query, isCountedApart && data !== undefined);
  const calls = useMemo(() => data?.pages.flatMap((page) => page.calls) ?? [], [data]);
  useListOf("call", useMemo(() => calls.map(callId), [calls]));
  const span = spanOf(search, new Date(serverNow()));
  const kept = useColumns();
  const shown = columnsOf(search) ?? kept;
  const columns = COLUMNS.filter((it) => shown.has(it));
  const play = rights.has("recordings.play") ? setPlaying : undefined;
  const sum = isCountedApart ? counted.data : data?.pages[0]?.count;
  const last = data?.pages.at(-1);
  const goOn = () => void fetchNextPage();
  return (
    <>
      <div className="page-head">
        <h1>{t("results.title")}</h1>
        <span className="hint" role="status">{data === undefined || isPlaceholderData ? "" : countWords(sum ?? undefined, calls.length, hasNextPage, t)}</span>
        {rights.has("results.read") ? <Link className="button" to={`/results/sums?${search}`}>{t("sums.toSums")}</Link> : null}
        <span className="space" />
        {dataUpdatedAt === 0 ? null : <span className="hint">{t("results.asOf", { time: clock(new Date(dataUpdatedAt)) })}</span>}
        <Button size="small" busy={isFetching && !isFetchingNextPage} onClick={() => { void refetch(); if (isCountedApart) void counted.refetch(); }}>{t("results.refresh")}</Button>
        <ViewMenu columns={columns} />
        <ColumnMenu shown={shown} />
        <ExportButton what="calls" filters={callFilters(query)} />
      </div>
      <FilterBar />
      {error && data === undefined ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} />{error instanceof ApiProblem && error.code === "not_found" ? <p className="body">{t("results.filterUnknown")}</p> : null}</div>
        : data === undefined ? <Loading height={480} />
        : calls.length === 0 && !hasNextPage ? <div className="card"><Empty earlier={data.pages[0]?.earlier ?? null} search={search} set={set} /></div>
        : (
          <div className={isPlaceholderData ? "table-box stale" : "table-box"}>
            {calls.length === 0 ? null : <CallTable calls={calls} shown={shown} isOneDay={span.from === span.until} onPlay={play} playing={playing} />}
            {error ? <Failed problem={error} onRetry={goOn} />
              : !hasNextPage ? null
              // A search that took long does not go on by itself: somebody may look for ever.
              : last?.searched_to ? <SearchedTo at={last.searched_to} isOldestFirst={orderOf(search) === "oldest"} busy={isFetchingNextPage} onGoOn={goOn} />
              : <More busy={isFetchingNextPage} onMore={goOn} />}
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

/** How many calls match, as far as that is known; else how many are shown. */
function countWords(sum: Schemas["CallCount"] | undefined, shown: number, hasMore: boolean, t: Translate): string {
  if (sum?.exact) return t("results.shown", { n: count(sum.n) });
  if (sum && sum.n > 0) return t("results.atLeast", { n: count(sum.n) });
  return t(hasMore ? "results.shownOfMore" : "results.shown", { n: count(shown) });
}

/** The search ended at a moment, and goes on from there when it is told to. */
function SearchedTo({ at, isOldestFirst, busy, onGoOn }: { at: string; isOldestFirst: boolean; busy: boolean; onGoOn: () => void }) {
  const t = useWords();
  return (
    <div className="more" role="status">
      <span className="second">{t(isOldestFirst ? "results.searchedUpTo" : "results.searchedTo", { time: moment(new Date(at), new Date(0)) })}</span>
      <Button kind="link" busy={busy} onClick={onGoOn}>{t("results.goOn")}</Button>
    </div>
  );
}

/** No calls in the span: the filters, and the last day before it that had some. */
function Empty({ earlier, search, set }: { earlier: string | null; search: URLSearchParams; set: (change: SearchChange) => void }) {
  const t = useWords();
  const day = earlier === null ? undefined : dayOf(new Date(earlier));
  return (
    <>
      {filtersOf(search).length > 0 ? <NothingMatches onClear={() => set(Object.fromEntries(FILTERS.map((name) => [name, null])))} /> : <div className="status"><p>{t("results.none")}</p></div>}
      {day === undefined ? null : <p className="status"><Button kind="link" onClick={() => set({ from: day, until: day, days: null })}>{t("results.lastDay_is", { day })}</Button></p>}
    </>
  );
}

/** Which columns are shown. Where the address names them, the choice changes the address, not what this browser keeps. */
function ColumnMenu({ shown }: { shown: ReadonlySet<Column> }) {
  const t = useWords();
  const [search, set] = useSearch();
  const toggle = (column: Column) => {
    const next = new Set(shown);
    if (!next.delete(column)) next.add(column);
    const columns = COLUMNS.filter((it) => next.has(it));
    if (columnsOf(search) === undefined) setColumns(new Set(columns));
    else set({ cols: columns.join(",") });
  };
  return <Menu size="small" entries={COLUMNS.map((column) => ({ id: column, label: t(`results.column_${column}`), chosen: shown.has(column), onChoose: () => toggle(column) }))}>{t("results.columns")} ▾</Menu>;
}
