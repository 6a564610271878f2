import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useIsDark } from "../../preferences";
import { clock } from "../../words/format";
import type { PlotProps, PlotSeries } from "../Plot";
import { gridOf, lastOf, niceTop, spread, stack } from "./scale";

/** Height of a label in px, and the room that labels have at the right. */
const LABEL = 14;
const LABELS_WIDTH = 96;
const FONT = 12;
const DASH = [6, 4];

interface Props extends PlotProps {
  height: number;
  /** The place of the moment under the pointer; `undefined` = the pointer is elsewhere. */
  onPoint: (at: number | undefined) => void;
}

/** Values as they are drawn: areas stand on each other and are painted from the highest down. */
function drawn({ at, series, kind }: PlotProps): { order: readonly PlotSeries[]; data: uPlot.AlignedData } {
  if (kind === "lines") return { order: series, data: [at as number[], ...series.map((it) => it.values as (number | null)[])] };
  const sums = stack(series.map((it) => it.values)).reverse();
  return { order: [...series].reverse(), data: [at as number[], ...sums] };
}

/** Tokens are written with `light-dark()`: a canvas needs the colour that the page has now. */
function resolver(within: HTMLElement): { colour: (token: string) => string; end: () => void } {
  const probe = document.createElement("span");
  within.append(probe);
  return {
    colour: (token) => {
      probe.style.color = `var(--${token})`;
      return getComputedStyle(probe).color;
    },
    end: () => probe.remove(),
  };
}

/** The drawing itself; a chunk of its own, since uPlot is loaded only where something is plotted. */
export default function Canvas(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const isDark = useIsDark();
  const { at, series, height, isStale } = props;
  // What the drawing is made of; values alone are set without making it anew.
  const shape = JSON.stringify([props.kind, props.isWhole, props.band, props.ceiling, props.top, series.map((it) => [it.key, it.label, it.colour, it.line])]);
  const { data } = useMemo(() => drawn(props), [at, series, props.kind]);

  useEffect(() => {
    const within = box.current;
    if (!within) return;
    const made = makePlot(within, latest);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: within.clientWidth, height: latest.current.height }));
    resized.observe(within);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
      latest.current.onPoint(undefined);
    };
    // Colours are those of the moment at which it is drawn: of a page that has lost its stream they are grey.
  }, [shape, isDark, height, isStale]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={box} className="plot-canvas" style={{ height }} />;
}

function makePlot(within: HTMLElement, latest: { current: Props }): uPlot {
  const props = latest.current;
  const { order, data } = drawn(props);
  const { colour, end } = resolver(within);
  const [text, line, card] = [colour("text-3"), colour("line"), colour("card")];
  const fills = order.map((it) => colour(it.colour));
  // Words need more contrast than lines and areas do.
  const inks = order.map((it) => colour(it.colour.replace(/-fill$/, "-ink")));
  const font = getComputedStyle(within).fontFamily;
  const ceilingInk = colour("text");
  end();
  const axis: uPlot.Axis = { stroke: text, font: `${FONT}px ${font}`, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const indexOf = (key: string) => order.findIndex((it) => it.key === key) + 1;
  const topOf = (max: number) => niceTop(Math.max(max, latest.current.top ?? 0, latest.current.ceiling?.value ?? 0), props.isWhole);
  return new uPlot({
    width: within.clientWidth, height: props.height,
    padding: [8, LABELS_WIDTH, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, topOf(max ?? 0)] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, space: 64, values: (_, splits) => splits.map((it) => clock(new Date(it * 1000)).slice(0, 5)) },
      { ...axis, size: 52, splits: (u) => gridOf(u.scales["y"]?.max ?? 1), values: (_, splits) => splits.map((it) => latest.current.format(it)) },
    ],
    series: [{}, ...order.map((it, n): uPlot.Series => ({
      label: it.label, stroke: props.kind === "areas" ? card : (fills[n] ?? text), width: it.line === "thin" ? 1 : props.kind === "areas" ? 1 : 2,
      ...(props.kind === "areas" ? { fill: fills[n] ?? text } : {}),
      ...(it.line === "dashed" ? { dash: DASH } : {}),
      ...(it.line === "none" ? { width: 0, stroke: "transparent" } : {}),
      // A single value between gaps has no line that would show it.
      points: { show: props.kind === "lines" && it.line !== "none" && it.values.filter((value) => value !== null).length < 3, size: 5, fill: fills[n] ?? text },
    }))],
    ...(props.band ? { bands: [{ series: [indexOf(props.band.upper), indexOf(props.band.lower)], fill: translucent(fills[indexOf(props.band.lower) - 1] ?? text) }] } : {}),
    hooks: {
      draw: [(u) => {
        drawCeiling(u, latest.current, ceilingInk, font);
        drawLabels(u, order, props.kind, inks, font);
      }],
      setCursor: [(u) => latest.current.onPoint(u.cursor.idx ?? undefined)],
    },
  }, data, within);
}

const translucent = (ink: string): string => ink.replace(/^rgb\(([^)]*)\)$/, "rgba($1, 0.22)");

function drawCeiling(u: uPlot, { ceiling }: Props, ink: string, font: string): void {
  if (ceiling === undefined) return;
  const scale = uPlot.pxRatio;
  const y = Math.round(u.valToPos(ceiling.value, "y", true));
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.lineWidth = scale;
  ctx.setLineDash(DASH.map((it) => it * scale));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.fillStyle = ink;
  ctx.font = `${FONT * scale}px ${font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.fillText(ceiling.label, bbox.left + 4 * scale, y - 2 * scale);
  ctx.restore();
}

/** The words of each series at its last value; of an area in the middle of its height. */
function drawLabels(u: uPlot, order: readonly PlotSeries[], kind: PlotProps["kind"], inks: readonly string[], font: string): void {
  const scale = uPlot.pxRatio;
  const { ctx, bbox } = u;
  const labels = order.flatMap((it, n) => {
    const values = u.data[n + 1] as (number | null)[];
    const last = lastOf(values);
    const value = values[last];
    const own = it.values[lastOf(it.values)] ?? 0;
    if (it.line === "none" || value === null || value === undefined || (kind === "areas" && own === 0)) return [];
    return [{ words: it.label, ink: inks[n] ?? "", y: u.valToPos(kind === "areas" ? value - own / 2 : value, "y", true) }];
  });
  const at = spread(labels.map((it) => it.y), LABEL * scale, bbox.top + 6 * scale, bbox.top + bbox.height - 4 * scale);
  ctx.save();
  ctx.font = `${FONT * scale}px ${font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  labels.forEach((it, n) => {
    ctx.fillStyle = it.ink;
    ctx.fillText(it.words, bbox.left + bbox.width + 6 * scale, at[n] ?? it.y, (LABELS_WIDTH - 8) * scale);
  });
  ctx.restore();
}
