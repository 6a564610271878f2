import "../../../kit/form.css";
import "../../../kit/table.css";
import "../results.css";
import "./sums.css";
import { useMemo } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../../api/call";
import { useIsStale } from "../../../frame/LiveState";
import { Button } from "../../../kit/Button";
import { Choice } from "../../../kit/Field";
import { Failed, Loading, NothingMatches } from "../../../kit/States";
import { serverNow } from "../../../live/clock";
import { useSearch } from "../../../use-search";
import { useTitle } from "../../../use-title";
import { useLanguage, useWords } from "../../../words";
import { clock } from "../../../words/format";
import { wideSentence } from "../../../words/width";
import { FilterBar } from "../FilterBar";
import { dayOf, directionOf, FILTERS, filtersOf, queryOf } from "../filters";
import { DIMENSIONS, dimensionsOf, figureOf, FIGURES, filtersOnly, OUTBOUND_ONLY, type Dimension } from "./cells";
import { useAggregates } from "./data";
import { Reconciled } from "./Reconciled";
import { SumsTable } from "./SumsTable";

/** `/results/sums`: sums over the calls of the filters, by one thing or two. All of the view lives in the address. */
export default function Sums() {
  const t = useWords();
  const language = useLanguage();
  const [search, set] = useSearch();
  const isStale = useIsStale();
  useTitle(t("sums.title"));
  const today = dayOf(new Date(serverNow()));
  const query = useMemo(() => queryOf(filtersOnly(search), new Date(serverNow())), [search, today]);
  const dimensions = dimensionsOf(search);
  const [by, then] = dimensions;
  const { data, error, isFetching, isPlaceholderData, refetch } = useAggregates(query, [by, then]);
  const isInbound = directionOf(search) === "in";
  const offered = DIMENSIONS.filter((it) => !isInbound || !OUTBOUND_ONLY.has(it));
  const option = (it: Dimension) => ({ value: it as string, label: t(`sums.by_${it}`) });
  const isOld = isStale || isPlaceholderData || (error !== null && data !== undefined);
  return (
    <>
      <div className="page-head">
        <h1>{t("sums.title")}</h1>
        <Link className="button" to={`/results?${filtersOnly(search)}`}>{t("sums.toCalls")}</Link>
        <span className="space" />
        {data ? <span className="hint">{t("results.asOf", { time: clock(new Date(data.as_of)) })}</span> : null}
        <Button size="small" busy={isFetching} onClick={() => void refetch()}>{t("results.refresh")}</Button>
      </div>
      <FilterBar />
      <div className="filters" role="group" aria-label={t("sums.by")}>
        <span className="hint" aria-hidden="true">{t("sums.by")}</span>
        <Choice label={t("sums.by")} value={by as string} onChange={(value) => set({ sum: value, then: value === then ? null : then })} options={offered.map(option)} />
        <span className="hint" aria-hidden="true">{t("sums.then")}</span>
        <Choice label={t("sums.then")} value={then ?? ""} onChange={(value) => set({ then: value })} options={[{ value: "", label: t("sums.thenNone") }, ...offered.filter((it) => it !== by).map(option)]} />
        {then === undefined ? null : <><span className="hint" aria-hidden="true">{t("sums.figure")}</span><Choice label={t("sums.figure")} value={figureOf(search) as string} onChange={(value) => set({ figure: value === "calls" ? null : value })} options={FIGURES.map((it) => ({ value: it as string, label: t(`sums.${it}`) }))} /></>}
      </div>
      {data === undefined ? (error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} />{error instanceof ApiProblem && error.code === "not_found" ? <p className="body">{t("results.filterUnknown")}</p> : null}</div> : <Loading height={480} />)
        : (
          <>
            <Reconciled search={search} sums={data} />
            {data.items.length === 0 ? <div className="card"><Empty hasFilters={filtersOf(search).length > 0} onClear={() => set(Object.fromEntries(FILTERS.map((name) => [name, null])))} /></div> : (
              <div className={isOld ? "table-box sums-box stale" : "table-box sums-box"} tabIndex={0} role="region" aria-label={t("sums.title")}>
                <SumsTable sums={data} dimensions={[by, then]} figure={figureOf(search)} search={search} />
              </div>
            )}
            <p className="hint sums-notes">{t("sums.divisors")}: {data.divisors.map((it) => (language === "zh" ? wideSentence(it.words.zh) : it.words.en)).join(" · ")} · {t("sums.zone", { zone: data.timezone })}</p>
          </>
        )}
    </>
  );
}

function Empty({ hasFilters, onClear }: { hasFilters: boolean; onClear: () => void }) {
  const t = useWords();
  return hasFilters ? <NothingMatches onClear={onClear} /> : <div className="status"><p>{t("sums.empty")}</p></div>;
}
