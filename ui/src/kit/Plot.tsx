import "./plot.css";
import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useWords } from "../words";
import { clock, moment } from "../words/format";
import { Button } from "./Button";
import { lastOf } from "./plot/scale";

const Canvas = lazy(() => import("./plot/Canvas"));

export interface PlotSeries {
  key: string;
  label: string;
  /** One for each moment; `null` = not known, a gap. */
  values: readonly (number | null)[];
  /** The token of its colour without `--`: `talking-fill`. */
  colour: string;
  line?: "solid" | "dashed" | "thin" | "none";
}

export interface PlotProps {
  title: string;
  /** Of the values, beside the title: `calls`. */
  unit: string;
  /** Moments in seconds since 1970, ascending. */
  at: readonly number[];
  series: readonly PlotSeries[];
  kind: "lines" | "areas";
  /** A band between two series of `series`, by key. */
  band?: { lower: string; upper: string } | undefined;
  /** A line that must not be crossed, with its words. */
  ceiling?: { value: number; label: string } | undefined;
  /** The axis reaches this value at least. */
  top?: number | undefined;
  /** Whether values are whole things, such as calls. */
  isWhole: boolean;
  format: (value: number) => string;
  height?: number;
  /** Beside the title, before the button. */
  tools?: ReactNode;
  isStale?: boolean;
}

/** A plot over time (CONSOLE.md 5.4): axes from zero, labels at the lines, all values at the pointer, and the same data as a table. */
export function Plot(props: PlotProps) {
  const { title, unit, at, series, format, height = 180, tools, isStale } = props;
  const t = useWords();
  const [isTable, setTable] = useState(false);
  const [pointed, setPointed] = useState<number>();
  const shown = useMemo(() => series.filter((it) => it.line !== "none"), [series]);
  const read = pointed !== undefined && pointed < at.length ? pointed : Math.max(...shown.map((it) => lastOf(it.values)), -1);
  const values = (n: number) => shown.map((it) => ({ ...it, words: valueWords(it.values[n], format) }));
  const time = at[read];
  return (
    <figure className={isStale ? "plot stale" : "plot"} aria-label={title}>
      <figcaption>
        <strong>{title}</strong> <span className="hint">{unit}</span>
        <span className="readout" aria-hidden="true">
          {time === undefined ? null : <span>{clock(new Date(time * 1000)).slice(0, 5)}</span>}
          {read < 0 ? null : values(read).map((it) => <span key={it.key}><i style={{ background: `var(--${it.colour})` }} />{it.label} {it.words}</span>)}
        </span>
        <span className="space" />
        {tools}
        <Button size="small" kind="link" label={t(isTable ? "kit.plotOf" : "kit.tableOf", { name: title })} onClick={() => setTable(!isTable)}>{t(isTable ? "kit.plot" : "kit.table")}</Button>
      </figcaption>
      {isTable ? <PlotTable {...props} series={shown} /> : (
        <Suspense fallback={<div style={{ height }} />}>
          <div role="img" aria-label={t("kit.plotWords", { name: title, values: read < 0 ? "–" : values(read).map((it) => `${it.label} ${it.words}`).join(", ") })}>
            <Canvas {...props} height={height} onPoint={setPointed} />
          </div>
        </Suspense>
      )}
    </figure>
  );
}

const valueWords = (value: number | null | undefined, format: (value: number) => string): string => (value === null || value === undefined ? "–" : format(value));

/** The newest moment first; what screen readers read, and what can be copied. */
function PlotTable({ title, at, series, format, height = 180 }: PlotProps) {
  const t = useWords();
  const now = new Date((at[at.length - 1] ?? 0) * 1000);
  const rows = at.map((_, n) => at.length - 1 - n).filter((n) => series.some((it) => (it.values[n] ?? null) !== null));
  return (
    <div className="plot-table" style={{ height }} tabIndex={0} role="region" aria-label={title}>
      <table className="table">
        <thead><tr><th scope="col">{t("kit.moment")}</th>{series.map((it) => <th key={it.key} scope="col" className="number">{it.label}</th>)}</tr></thead>
        <tbody>{rows.map((n) => <tr key={at[n]}><th scope="row">{moment(new Date((at[n] ?? 0) * 1000), now)}</th>{series.map((it) => <td key={it.key} className="number">{valueWords(it.values[n], format)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
