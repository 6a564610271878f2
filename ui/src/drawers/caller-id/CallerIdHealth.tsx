import { useState } from "react";
import type { CallerIdDetail, Schemas } from "../../api/words";
import { Choice } from "../../kit/Field";
import { Failed, Loading } from "../../kit/States";
import { VerdictWords } from "../../pages/caller-ids/cells";
import { useHealth } from "../../pages/caller-ids/data";
import { BarsLegend, DayBars } from "../../pages/caller-ids/DayBars";
import { ratesOf, ZONE } from "../../pages/caller-ids/figures";
import { useWords } from "../../words";
import { count, day, percent } from "../../words/format";

const SPANS = ["7", "30"] as const;
type Day = Schemas["CallerIdHealthDay"];

const nameOf = (it: Day) => day(new Date(it.day), ZONE).slice(5);

/** What the number's calls say of it, day by day beside the other numbers. */
export function CallerIdHealth({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  const [span, setSpan] = useState<(typeof SPANS)[number]>("7");
  const { data, error, refetch } = useHealth(row.number, Number(span));
  return (
    <section className="health-by-day">
      <div className="head">
        <h3>{t("callerIds.health")}</h3>
        <Choice label={t("callerIds.span")} value={span} onChange={setSpan} options={SPANS.map((it) => ({ value: it, label: t("callerIds.lastDays", { n: it }) }))} />
        <span className="space" />
        <BarsLegend />
      </div>
      {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />) : (
        <>
          <VerdictWords verdict={data.verdict} words={data.words} />
          {data.days.every((it) => it.calls === 0) ? null : <DayBars days={data.days} names={data.days.map(nameOf)} isWide />}
          <DayTable days={data.days} />
        </>
      )}
      <p className="hint">{t("callerIds.healthHelp")}</p>
    </section>
  );
}

/** The newest day first. Days on which no call showed the number are left out. */
function DayTable({ days }: { days: readonly Day[] }) {
  const t = useWords();
  const used = days.filter((it) => it.calls > 0).reverse();
  const heads = ["calls", "own", "control", "refused", "code403", "fastFail"] as const;
  if (used.length === 0) return null;
  return (
    <div className="day-table" tabIndex={0} role="region" aria-label={t("callerIds.byDay")}>
      <table className="table">
        <thead><tr><th scope="col">{t("callerIds.day")}</th>{heads.map((it) => <th key={it} scope="col" className="number">{t(`callerIds.${it}`)}</th>)}</tr></thead>
        <tbody>
          {used.map((it) => {
            const { own, of, control, controlOf } = ratesOf(it);
            return (
              <tr key={it.day}>
                <th scope="row">{nameOf(it)}</th>
                <td className="number">{count(it.calls)}</td>
                <td className="number">{own === null ? t("common.none") : <>{percent(own)} <span className="base">/ {count(of)}</span></>}</td>
                <td className="number">{control === null ? t("common.none") : <>{percent(control)} <span className="base">/ {count(controlOf)}</span></>}</td>
                <td className="number">{count(it.refused)}</td>
                <td className="number">{count(it.code_403)}</td>
                <td className="number">{count(it.fast_fail)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
