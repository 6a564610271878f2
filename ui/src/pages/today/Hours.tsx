import { useMemo } from "react";
import { Plot, type PlotSeries } from "../../kit/Plot";
import { useWords } from "../../words";
import { count } from "../../words/format";
import { useCampaigns } from "../../live/stores";
import { hasAgents } from "../campaigns/figures";
import { useToday } from "./Needs";

/** Calls of today by hour; thin lines are the same day a week before. */
export function Hours({ isStale }: { isStale: boolean }) {
  const t = useWords();
  const { data } = useToday();
  const hours = data?.hours;
  const isStaffed = useCampaigns().some(hasAgents);
  const at = useMemo(() => (hours ?? []).map((it) => Date.parse(it.hour) / 1000), [hours]);
  const series = useMemo((): PlotSeries[] => {
    const rows = hours ?? [];
    const before = (read: (it: NonNullable<(typeof rows)[number]["before"]>) => number) => rows.map((it) => (it.before === null ? null : read(it.before)));
    const all: PlotSeries[] = [
      { key: "placed", label: t("campaigns.placed"), values: rows.map((it) => it.placed), colour: "reserved-fill" },
      { key: "answered", label: t("campaigns.answered"), values: rows.map((it) => it.answered), colour: "talking-fill" },
      ...(isStaffed || rows.some((it) => it.abandoned > 0) ? [{ key: "abandoned", label: t("campaigns.abandonTitle"), values: rows.map((it) => it.abandoned), colour: "alarm-fill" } satisfies PlotSeries] : []),
      { key: "placed-before", label: t("today.placedBefore"), values: before((it) => it.placed), colour: "reserved-fill", line: "thin" },
      { key: "answered-before", label: t("today.answeredBefore"), values: before((it) => it.answered), colour: "talking-fill", line: "thin" },
    ];
    return all.filter((it) => it.line !== "thin" || it.values.some((value) => value !== null));
  }, [hours, isStaffed, t]);
  if (hours === undefined || hours.length === 0) return null;
  return <section className="card hours"><div className="body"><Plot title={t("today.byHour")} unit={t("today.callsPerHour")} at={at} series={series} kind="lines" isWhole format={count} isStale={isStale} /></div></section>;
}
