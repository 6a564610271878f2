/** What a forecast's result says, read with care: it is the JSON of `paceline forecast`. Pure. */
import { spreadOf, type Spread } from "../../../kit/spread";
import type { ForecastQuestion } from "../../../api/campaign-rows";
import { narrow } from "../../../words/width";

interface Day {
  finished: boolean;
  hours: number;
  utilisation: number;
  abandon_rate: number;
  conversations_per_hour: number;
}

/** One pacing over all runs. */
export interface Pacing {
  /** `progressive`, `ratio 2`, `predictive`. */
  name: string;
  /** Whether every run came to the end of the list. */
  isFinished: boolean;
  hours: Spread | undefined;
  busy: Spread | undefined;
  abandoned: Spread | undefined;
  perHour: Spread | undefined;
  /** `none`: not asked for; `over`: more than were tried. */
  needed: Spread | "none" | "over";
}

export interface Forecast {
  leads: number;
  agents: number;
  answerRate: number;
  talkSecs: number;
  wrapSecs: number;
  ringSecs: number;
  ceiling: number;
  pacings: Pacing[];
}

const number = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter((it): it is Record<string, unknown> => typeof it === "object" && it !== null) : []);

/** `undefined` for what is no forecast. */
export function readForecast(result: unknown): Forecast | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const it = result as Record<string, unknown>;
  const pacings = list(it["forecasts"]).map(pacingOf);
  if (pacings.length === 0) return undefined;
  return {
    leads: number(it["leads"]), agents: number(it["agents"]), answerRate: number(it["answer_rate"]), talkSecs: number(it["talk_secs"]),
    wrapSecs: number(it["wrap_secs"]), ringSecs: number(it["ring_secs"]), ceiling: number(it["abandon_rate_max"]), pacings,
  };
}

function pacingOf(row: Record<string, unknown>): Pacing {
  const days = list(row["days"]).map((day): Day => ({
    finished: day["finished"] === true, hours: number(day["hours"]), utilisation: number(day["utilisation"]), abandon_rate: number(day["abandon_rate"]), conversations_per_hour: number(day["conversations_per_hour"]),
  }));
  const of = (field: "hours" | "utilisation" | "abandon_rate" | "conversations_per_hour") => spreadOf(days.map((day) => day[field]));
  const asked = Array.isArray(row["agents_needed"]) ? row["agents_needed"] : [];
  const known = asked.filter((it): it is number => typeof it === "number");
  return {
    name: String(row["pacing"]), isFinished: days.length > 0 && days.every((day) => day.finished),
    hours: of("hours"), busy: of("utilisation"), abandoned: of("abandon_rate"), perHour: of("conversations_per_hour"),
    needed: asked.length === 0 ? "none" : known.length < asked.length ? "over" : (spreadOf(known) ?? "none"),
  };
}

/** Whether this row is the campaign's own setting. */
export function isOwn(name: string, mode: string, ratio: number): boolean {
  return mode === "ratio" ? name === `ratio ${ratio}` : name === mode;
}

/** The question as typed; empty fields are left to the service. */
export interface Asked {
  agents: string;
  answerRate: string;
  talk: string;
  wrap: string;
  hours: string;
  isFromHistory: boolean;
  isNeeded: boolean;
}

export type AskedFault = "agents" | "rate" | "secs" | "hours";

const within = (text: string, least: number, most: number, isWhole: boolean): number | "empty" | "fault" => {
  const plain = narrow(text).trim();
  if (plain === "") return "empty";
  const value = /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
  return value >= least && value <= most && (!isWhole || Number.isInteger(value)) ? value : "fault";
};

/** Runs of each pacing. */
const SEEDS = 5;

export function questionOf(asked: Asked): { question: ForecastQuestion } | { faults: Partial<Record<keyof Asked, AskedFault>> } {
  const values = { agents: within(asked.agents, 1, 2000, true), answerRate: within(asked.answerRate, 1, 100, false), talk: within(asked.talk, 1, 7200, false), wrap: within(asked.wrap, 1, 7200, false), hours: within(asked.hours, 1, 24, false) };
  const names: Record<keyof typeof values, AskedFault> = { agents: "agents", answerRate: "rate", talk: "secs", wrap: "secs", hours: "hours" };
  const isNeededField = (name: string) => name === "agents" || name === "hours";
  const faults = Object.fromEntries(Object.entries(values).filter(([name, it]) => it === "fault" || (it === "empty" && isNeededField(name))).map(([name]) => [name, names[name as keyof typeof values]]));
  if (Object.keys(faults).length > 0) return { faults };
  const given = (it: number | "empty" | "fault") => (typeof it === "number" ? it : undefined);
  const [rate, talk, wrap] = [given(values.answerRate), given(values.talk), given(values.wrap)];
  return {
    question: {
      agents: given(values.agents) ?? 1, hours: given(values.hours) ?? 12, seeds: SEEDS,
      ...(rate === undefined ? {} : { answer_rate: rate / 100 }), ...(talk === undefined ? {} : { talk_secs: talk }), ...(wrap === undefined ? {} : { wrap_secs: wrap }),
      from_history: asked.isFromHistory, needed: asked.isNeeded,
    },
  };
}
