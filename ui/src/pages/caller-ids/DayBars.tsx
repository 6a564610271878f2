import type { CallerIdDay } from "../../api/words";
import { useWords } from "../../words";
import { count, percent } from "../../words/format";
import { ratesOf, topOf } from "./figures";

interface Props {
  /** Oldest first. */
  days: readonly CallerIdDay[];
  /** `11-24` of each. */
  names: readonly string[];
  /** As wide as its place, with the first and the last day below it; else of the size of a table's row. */
  isWide?: boolean;
}

/** Widths of a bar and of the gap behind a day. */
const [BAR, GAP] = [5, 4];
const HEIGHT = 24;

/** The answer rate of each day beside its control; the words of every day are what screen readers get. */
export function DayBars({ days, names, isWide = false }: Props) {
  const t = useWords();
  const top = topOf(days);
  const width = days.length * (2 * BAR + GAP) - GAP;
  const tall = (rate: number) => Math.max(1, (rate / top) * (HEIGHT - 1));
  const words = days.map((it, n) => {
    const { own, of, control } = ratesOf(it);
    const name = names[n] ?? "";
    if (own === null) return t("callerIds.dayNone", { day: name });
    const of_ = { day: name, own: percent(own), n: count(of) };
    return control === null ? t("callerIds.dayAlone", of_) : t("callerIds.dayBoth", { ...of_, control: percent(control) });
  });
  const bars = (
    <svg className="day-bars" role="img" aria-label={words.join("; ")} viewBox={`0 0 ${width} ${HEIGHT}`} style={isWide ? undefined : { width }} preserveAspectRatio={isWide ? "none" : undefined}>
      {days.map((it, n) => {
        const { own, control } = ratesOf(it);
        const x = n * (2 * BAR + GAP);
        return (
          <g key={names[n]}>
            <title>{words[n]}</title>
            <rect className="ground" x={x} y={0} width={2 * BAR} height={HEIGHT} />
            <rect className="base" x={x} y={HEIGHT - 1} width={2 * BAR} height={1} />
            {own === null ? null : <rect className="own" x={x} y={HEIGHT - tall(own)} width={BAR} height={tall(own)} />}
            {control === null ? null : <rect className="control" x={x + BAR} y={HEIGHT - tall(control)} width={BAR} height={tall(control)} />}
          </g>
        );
      })}
    </svg>
  );
  if (!isWide) return bars;
  return (
    <figure className="bars-of-days">
      {bars}
      <figcaption className="hint" aria-hidden="true"><span>{names[0]}</span><span>{t("callerIds.top", { rate: percent(top) })}</span><span>{names.at(-1)}</span></figcaption>
    </figure>
  );
}

/** What the two colours are. */
export function BarsLegend() {
  const t = useWords();
  return <span className="bars-legend"><i className="own" aria-hidden="true" />{t("callerIds.own")} <i className="control" aria-hidden="true" />{t("callerIds.control")}</span>;
}
