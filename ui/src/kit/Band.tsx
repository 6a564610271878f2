import "./band.css";
import { useWords } from "../words";
import type { Spread } from "./spread";

interface Props {
  spread: Spread;
  /** The value at the right end of the bar. */
  end: number;
  write: (value: number) => string;
  /** A limit that is drawn as a line. */
  ceiling?: number | undefined;
  /** The median is beyond what is allowed. */
  isOver?: boolean;
}

/** Least, median and most of several runs: a band with the median in it, and the numbers in words. Never one number alone. */
export function Band({ spread, end, write, ceiling, isOver }: Props) {
  const t = useWords();
  const at = (value: number) => `${end <= 0 ? 0 : Math.min(100, Math.max(0, (value / end) * 100))}%`;
  const { least, median, most } = spread;
  const words = t("start.band", { least: write(least), median: write(median), most: write(most) });
  return (
    <span className={isOver ? "spread over" : "spread"} title={words}>
      <span className="numbers"><strong>{write(median)}</strong> {least === most ? "" : `(${write(least)}–${write(most)})`}<span className="visually-hidden"> {words}</span></span>
      <span className="track" aria-hidden="true">
        <i className="range" style={{ left: at(least), width: `max(3px, calc(${at(most)} - ${at(least)}))` }} />
        <i className="median" style={{ left: at(median) }} />
        {ceiling === undefined ? null : <i className="limit" style={{ left: at(ceiling) }} />}
      </span>
    </span>
  );
}
