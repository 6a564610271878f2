import type { ReactNode } from "react";
import { Link } from "react-router";
import { OUTCOME_STATES } from "../../../states";
import { useWords } from "../../../words";
import { percent } from "../../../words/format";
import { useCampaignWords } from "../../campaigns/titles";
import { callsBehind, figure, linesOf, type Aggregates, type CallSum, type Column, type Dimension, type Figure, type Line, type PageSpan } from "./cells";
import { figureWords, keyWords } from "./words";

interface Props {
  sums: Aggregates;
  dimensions: readonly [Dimension, Dimension | undefined];
  figure: Figure;
  search: URLSearchParams;
}

type Part = readonly [Dimension, string | null, CallSum];

/** Figures of a line that has one dimension alone. */
const ALONE: readonly Figure[] = ["calls", "answered", "answerRate", "abandoned", "abandonRate", "talkTotal", "talkMean"];

/** Rates open the calls of their part. */
const OPENS: Partial<Record<Figure, Figure>> = { calls: "calls", answered: "answered", answerRate: "answered", abandoned: "abandoned", abandonRate: "abandoned" };

/** Sums as a table, each with the calls behind it, and a bar for each line. */
export function SumsTable({ sums, dimensions: [by, then], figure: shown, search }: Props) {
  const t = useWords();
  const campaign = search.get("campaign");
  const words = useCampaignWords([campaign]);
  const { lines, columns } = linesOf(sums.items);
  const disposition = (code: string) => words.disposition(campaign, code);
  const lineKeys = lines.map((it) => it.key);
  const columnKeys = columns.map((it) => it.key);
  const name = (dimension: Dimension, { key, label }: Line | Column) => keyWords(dimension, key, label, dimension === by ? lineKeys : columnKeys, disposition, t);
  const cell = (sum: CallSum, of: Figure, parts: readonly Part[], what: string): ReactNode => <Cell sum={sum} of={of} parts={parts} what={what} search={search} span={sums} />;
  // The bars are shares of all calls, as their head says.
  const most = Math.max(1, sums.total.calls);
  const figures = then === undefined ? ALONE : [shown];
  return (
    <table className="table sums">
      <thead>
        <tr>
          <th scope="col">{t(`sums.by_${by}`)}</th>
          {then === undefined ? ALONE.map((it) => <th key={it} scope="col" className="number">{t(`sums.${it}`)}</th>) : columns.map((column) => <th key={column.key ?? ""} scope="col" className="number">{name(then, column)}</th>)}
          {then === undefined ? null : <th scope="col" className="number">{t("sums.total")}</th>}
          <th scope="col" className="bar-head">{t(then === "outcome" ? "sums.barOutcomes" : "sums.bar")}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => {
          const part: Part = [by, line.key, line.sum];
          const what = name(by, line);
          return (
            <tr key={line.key ?? ""}>
              <th scope="row">{what}</th>
              {then === undefined ? null : columns.map((column) => {
                const sum = line.cells.get(column.key);
                return <td key={column.key ?? ""} className="number">{sum === undefined ? <span className="second">0</span> : cell(sum, shown, [[by, line.key, sum], [then, column.key, sum]], `${what}, ${name(then, column)}`)}</td>;
              })}
              {figures.map((it) => <td key={it} className="number">{cell(line.sum, it, [part], what)}</td>)}
              <td className="bar-cell" aria-hidden="true">{then === "outcome" ? <Outcomes line={line} columns={columns} most={most} /> : <span className="bar tall"><i style={{ width: `${(line.sum.calls / most) * 100}%`, background: "var(--idle-fill)" }} /></span>}</td>
            </tr>
          );
        })}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">{t("sums.total")}</th>
          {then === undefined ? null : columns.map((column) => <td key={column.key ?? ""} className="number">{cell(column.sum, shown, [[then, column.key, column.sum]], name(then, column))}</td>)}
          {figures.map((it) => <td key={it} className="number">{cell(sums.total, it, [], t("sums.total"))}</td>)}
          <td />
        </tr>
      </tfoot>
    </table>
  );
}

/** A figure with the calls that make it; a rate with its base. */
function Cell({ sum, of, parts, what, search, span }: { sum: CallSum; of: Figure; parts: readonly Part[]; what: string; search: URLSearchParams; span: PageSpan }) {
  const t = useWords();
  const value = figure(sum, of);
  const text = figureWords(value, of);
  const opens = OPENS[of];
  const to = value === undefined || value === 0 || opens === undefined ? undefined : callsBehind(search, parts, span, opens);
  const base = of === "answerRate" ? `${sum.answered}/${sum.divisor}` : of === "abandonRate" && sum.people > 0 ? `${sum.abandoned}/${sum.people}` : undefined;
  return <>{to === undefined ? text : <Link to={to} aria-label={t("sums.open", { of: what, n: text })}>{text}</Link>}{base === undefined ? null : <span className="base"> {base}</span>}</>;
}

/** The outcomes of a line side by side, in their colours; as long as its calls. */
function Outcomes({ line, columns, most }: { line: Line; columns: readonly Column[]; most: number }) {
  const meaning = (key: string | null) => {
    const state = key !== null && key in OUTCOME_STATES ? OUTCOME_STATES[key as keyof typeof OUTCOME_STATES] : undefined;
    return state === undefined || state.meaning === "gone" ? "paused" : state.meaning;
  };
  return (
    <span className="bar tall parts">
      {columns.map((column) => {
        const calls = line.cells.get(column.key)?.calls ?? 0;
        return calls === 0 ? null : <i key={column.key ?? ""} title={percent(calls / line.sum.calls)} style={{ width: `${(calls / most) * 100}%`, background: `var(--${meaning(column.key)}-fill)` }} />;
      })}
    </span>
  );
}
