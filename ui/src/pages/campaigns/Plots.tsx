import { useMemo } from "react";
import type { SeriesRow } from "../../api/leads-table";
import type { Campaign } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Plot, type PlotSeries } from "../../kit/Plot";
import { Failed, Loading } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { SEAT_STATES } from "../../states";
import { useSearch } from "../../use-search";
import { useWords } from "../../words";
import { count } from "../../words/format";
import { AbandonPlot } from "./AbandonPlot";
import { hasAgents } from "./figures";
import { beginOf, everyStep, HEADS, SPANS, valuesOf, type SpanName } from "./series";
import { useSeries } from "./series-data";

/** Traffic, abandoned calls and people of a campaign over the last hours; the span is in the address. */
export function Plots({ campaign }: { campaign: Campaign }) {
  const t = useWords();
  const [search, set] = useSearch();
  const chosen = search.get("span") ?? "";
  const span: SpanName = chosen in SPANS ? (chosen as SpanName) : "hour";
  const { data, error, refetch } = useSeries(campaign.name, span);
  return (
    <section className="card plots" aria-label={t("campaigns.plots")}>
      <header>
        <h2>{t("campaigns.plots")}</h2>
        <div className="chips" role="group" aria-label={t("campaigns.span")}>
          {(Object.keys(SPANS) as SpanName[]).map((it) => <button key={it} type="button" className="chip" aria-pressed={it === span} onClick={() => set({ span: it === "hour" ? null : it })}>{t(`campaigns.span_${it}`)}</button>)}
        </div>
      </header>
      <div className="body">
        {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={400} />)
          : data.length === 0 ? <p className="hint">{t("campaigns.noMinutes")}</p> : <Drawn campaign={campaign} rows={data} span={span} />}
      </div>
    </section>
  );
}

function Drawn({ campaign, rows, span }: { campaign: Campaign; rows: readonly SeriesRow[]; span: SpanName }) {
  const t = useWords();
  const isStale = useIsStale();
  const { step } = SPANS[span];
  const { at, rows: filled } = useMemo(() => everyStep(rows, beginOf(span, serverNow()), serverNow(), step), [rows, span, step]);
  const isStaffed = hasAgents(campaign);
  const traffic = useMemo((): PlotSeries[] => [
    { key: "placed", label: t("campaigns.placed"), values: valuesOf(filled, (it) => it.placed), colour: "reserved-fill" },
    { key: "answered", label: t("campaigns.answered"), values: valuesOf(filled, (it) => it.answered), colour: "idle-fill" },
    ...(isStaffed ? [{ key: "talking", label: t("campaigns.talking"), values: valuesOf(filled, (it) => it.talking), colour: "talking-fill" } satisfies PlotSeries] : []),
  ], [filled, isStaffed, t]);
  const people = useMemo(() => HEADS.map((key): PlotSeries => ({
    key, label: t(SEAT_STATES[key].word), colour: `${SEAT_STATES[key].meaning}-fill`, values: valuesOf(filled, (it) => it.agents[key] ?? 0),
  })).filter((it) => it.values.some((value) => value !== null && value > 0)), [filled, t]);
  return (
    <>
      <Plot title={t("campaigns.traffic")} unit={t("campaigns.perStep", { n: step })} at={at} series={traffic} kind="lines" isWhole format={count} isStale={isStale} />
      {campaign.abandon === null || !isStaffed ? null : <AbandonPlot campaign={campaign} span={span} ceiling={campaign.abandon.ceiling} isStale={isStale} />}
      {people.length === 0 || !isStaffed ? null : <Plot title={t("campaigns.people")} unit={t("campaigns.heads")} at={at} series={people} kind="areas" isWhole format={count} isStale={isStale} />}
    </>
  );
}
