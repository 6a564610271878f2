import { useMemo } from "react";
import type { Campaign } from "../../api/words";
import { Plot, type PlotSeries } from "../../kit/Plot";
import { serverNow } from "../../live/clock";
import { useWords } from "../../words";
import { percent } from "../../words/format";
import { beginOf, everyStep, rateOf, valuesOf, type SpanName } from "./series";
import { useSeries } from "./series-data";

const QUARTER = 15;

/** The abandon rate by quarter hours with its upper bound; the axis ends at twice the ceiling or at the bound. */
export function AbandonPlot({ campaign, span, ceiling, isStale }: { campaign: Campaign; span: SpanName; ceiling: number; isStale: boolean }) {
  const t = useWords();
  const { data } = useSeries(campaign.name, span, QUARTER);
  const { at, rows } = useMemo(() => everyStep(data ?? [], beginOf(span, serverNow()), serverNow(), QUARTER), [data, span]);
  const series = useMemo((): PlotSeries[] => [
    { key: "rate", label: t("campaigns.abandonRate"), values: valuesOf(rows, rateOf), colour: "alarm-fill" },
    { key: "upper", label: t("campaigns.upperBound"), values: valuesOf(rows, (it) => (it.divisor > 0 ? it.upper : null)), colour: "alarm-fill", line: "thin" },
  ], [rows, t]);
  if (!series.some((it) => it.values.some((value) => value !== null))) return null;
  return (
    <Plot title={t("campaigns.abandonTitle")} unit={t("campaigns.quarter")} at={at} series={series} kind="lines" band={{ lower: "rate", upper: "upper" }} ceiling={{ value: ceiling, label: t("campaigns.ceiling", { n: percent(ceiling) }) }}
      top={ceiling * 2} isWhole={false} format={(value) => percent(value)} isStale={isStale} />
  );
}
