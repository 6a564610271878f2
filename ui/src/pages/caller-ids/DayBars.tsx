import type { CallerIdDay } from "../../api/words";
import { useWords } from "../../words";
import { count, percent } from "../../words/format";
import { ratesOf, topOf } from "./figures";

interface Props {
  /** Oldest first. */
  days: readonly CallerIdDay[];
  /** `11-24` of each. */
  names: readonly string[];
  height?: number;
}

/** Widths of a bar and of the gap behind a day. */
const [BAR, GAP] = [5, 4];

/** The answer rate of each day beside its control; the words of every day are what screen readers get. */
export function DayBars({ days, names, height = 24 }: Props) {
  const t = useWords();
  const top = topOf(days);
  const width = days.length * (2 * BAR + GAP) - GAP;
  const tall = (rate: number) => Math.max(1, (rate / top) * (height - 1));
  const words = days.map((it, n) => {
    const { own, of, control } = ratesOf(it);
    const name = names[n] ?? "";
    if (own === null) return t("callerIds.dayNone", { day: name });
    const of_ = { day: name, own: percent(own), n: count(of) };
    return control === null ? t("callerIds.dayAlone", of_) : t("callerIds.dayBoth", { ...of_, control: percent(control) });
  });
  return (
    <svg className="day-bars" role="img" aria-label={words.join("; ")} viewBox={`0 0 ${width} ${height}`} style={{ aspectRatio: `${width} / ${height}` }}>
      {days.map((it, n) => {
        const { own, control } = ratesOf(it);
        const x = n * (2 * BAR + GAP);
        return (
          <g key={names[n]}>
            <title>{words[n]}</title>
            <rect className="ground" x={x} y={0} width={2 * BAR} height={height} />
            <rect className="base" x={x} y={height - 1} width={2 * BAR} height={1} />
            {own === null ? null : <rect className="own" x={x} y={height - tall(own)} width={BAR} height={tall(own)} />}
            {control === null ? null : <rect className="control" x={x + BAR} y={height - tall(control)} width={BAR} height={tall(control)} />}
          </g>
        );
      })}
    </svg>
  );
}

/** What the two colours are. */
export function BarsLegend() {
  const t = useWords();
  return <span className="bars-legend"><i className="own" aria-hidden="true" />{t("callerIds.own")} <i className="control" aria-hidden="true" />{t("callerIds.control")}</span>;
}
