/** The fields of the settings form: what each is, its unit and its default. `fields.test.ts` compares them with `campaign.schema.json`. Pure. */
import { ABANDON_RULES, MODES, type Mode } from "../../../api/words";
import type { Value } from "./toml";

export const GROUPS = ["basics", "hours", "dialling", "agents", "sound", "keys", "caller_ids", "dispositions", "vote"] as const;
export type Group = (typeof GROUPS)[number];

export type Kind =
  | { kind: "text"; hint?: string }
  /** `hasNoLimit`: 0 stands for "no limit". */
  | { kind: "number"; isWhole: boolean; unit?: "secs" | "ms" | "pct" | "per_sec" | "calls" | "times" | "ratio" | "people" | "sqm"; hasNoLimit?: true }
  | { kind: "flag" }
  | { kind: "choice"; options: readonly string[] }
  /** Several words, one a line. */
  | { kind: "texts"; hint?: string }
  /** Some of a closed list. */
  | { kind: "choices"; options: readonly string[] }
  /** `30m`, `2h`. */
  | { kind: "delay" }
  /** Editors of their own. */
  | { kind: "windows" } | { kind: "after" } | { kind: "keys" } | { kind: "dispositions" } | { kind: "audio" } | { kind: "group" };

export interface FieldSpec {
  key: string;
  group: Group;
  of: Kind;
  default: Value | undefined;
  /** Modes in which the field has an effect; without it every mode. */
  modes?: readonly Mode[];
}

const AGENT_MODES: readonly Mode[] = ["preview", "progressive", "ratio", "predictive"];
const LINES_MODES: readonly Mode[] = ["ratio", "predictive"];

const whole = (unit?: "secs" | "ms" | "calls" | "times" | "people"): Kind => ({ kind: "number", isWhole: true, ...(unit === undefined ? {} : { unit }) });
const real = (unit: "secs" | "pct" | "per_sec" | "ratio" | "sqm"): Kind => ({ kind: "number", isWhole: false, unit });
const choice = (...options: string[]): Kind => ({ kind: "choice", options });

export const FIELDS: readonly FieldSpec[] = [
  { key: "title", group: "basics", of: { kind: "text" }, default: "" },
  { key: "mode", group: "basics", of: { kind: "choice", options: MODES }, default: undefined },
  { key: "trunks", group: "basics", of: { kind: "texts", hint: "main" }, default: [] },
  { key: "list.region", group: "basics", of: { kind: "text", hint: "CN" }, default: "CN" },

  { key: "calling.windows", group: "hours", of: { kind: "windows" }, default: [{ days: "mon-sun", from: "08:00", to: "21:00" }] },
  { key: "calling.timezone", group: "hours", of: { kind: "text", hint: "Asia/Shanghai" }, default: "Asia/Shanghai" },
  { key: "calling.start", group: "hours", of: { kind: "text", hint: "2026-11-21" }, default: "" },
  { key: "calling.end", group: "hours", of: { kind: "text", hint: "2026-11-28T18:00" }, default: "" },
  { key: "calling.holidays", group: "hours", of: { kind: "texts", hint: "2027-02-05..2027-02-12" }, default: [] },

  { key: "calling.ring_secs", group: "dialling", of: whole("secs"), default: 45 },
  { key: "calling.setup_secs", group: "dialling", of: whole("secs"), default: 30 },
  { key: "calling.concurrency_max", group: "dialling", of: { kind: "number", isWhole: true, unit: "calls", hasNoLimit: true }, default: 0 },
  { key: "calling.calls_per_sec", group: "dialling", of: real("per_sec"), default: 0 },
  { key: "calling.priority", group: "dialling", of: whole(), default: 5 },
  { key: "calling.weight", group: "dialling", of: whole(), default: 1 },
  { key: "calling.lines_reserved", group: "dialling", of: whole("calls"), default: 0 },
  { key: "pacing.call_ratio", group: "dialling", of: real("ratio"), default: 2, modes: ["ratio"] },
  { key: "pacing.abandon_rate_pct_max", group: "dialling", of: real("pct"), default: 3, modes: LINES_MODES },
  { key: "pacing.abandon_rules", group: "dialling", of: { kind: "choices", options: ABANDON_RULES }, default: ["whole_day"], modes: LINES_MODES },
  { key: "pacing.answer_wait_secs", group: "dialling", of: real("secs"), default: 2, modes: AGENT_MODES },
  { key: "pacing.waiting_max", group: "dialling", of: whole("people"), default: 2, modes: AGENT_MODES },
  { key: "pacing.may_cancel", group: "dialling", of: { kind: "flag" }, default: false, modes: ["predictive"] },
  { key: "pacing.abandoned_rest", group: "dialling", of: { kind: "delay" }, default: "", modes: AGENT_MODES },
  { key: "retry.attempts_max", group: "dialling", of: whole("times"), default: 3 },
  { key: "retry.per_day_max", group: "dialling", of: whole("times"), default: 3 },
  { key: "retry.gap_min", group: "dialling", of: { kind: "delay" }, default: "30m" },
  { key: "retry.after", group: "dialling", of: { kind: "after" }, default: {} },

  { key: "agents.group", group: "agents", of: { kind: "group" }, default: "" },
  { key: "agents.strategy", group: "agents", of: choice("longest_idle", "round_robin", "random", "fewest_answered", "priority", "ring_all"), default: "longest_idle" },
  { key: "agents.prefer_last", group: "agents", of: { kind: "flag" }, default: true },
  { key: "agents.announce_agent_id", group: "agents", of: { kind: "flag" }, default: true },
  { key: "agents.ring_secs", group: "agents", of: whole("secs"), default: 10 },
  { key: "agents.wait_secs", group: "agents", of: whole("secs"), default: 60 },
  { key: "agents.preview", group: "agents", of: choice("click", "timed"), default: "click", modes: ["preview"] },
  { key: "agents.preview_secs", group: "agents", of: whole("secs"), default: 20, modes: ["preview"] },
  { key: "agents.extend_secs", group: "agents", of: whole("secs"), default: 10, modes: ["preview"] },
  { key: "agents.wrap_up", group: "agents", of: choice("any_ring", "answered", "off"), default: "answered" },
  { key: "agents.wrap_up_secs", group: "agents", of: whole("secs"), default: 20 },
  { key: "agents.summary_required", group: "agents", of: { kind: "flag" }, default: true },
  { key: "agents.record", group: "agents", of: choice("all", "agents", "on_demand", "never"), default: "agents" },

  { key: "announcement.file", group: "sound", of: { kind: "audio" }, default: "" },
  { key: "announcement.plays", group: "sound", of: whole("times"), default: 1 },
  { key: "announcement.pause_ms", group: "sound", of: whole("ms"), default: 0 },
  { key: "announcement.input_wait_secs", group: "sound", of: whole("secs"), default: 5 },
  { key: "announcement.sorry", group: "sound", of: { kind: "audio" }, default: "" },

  { key: "keys", group: "keys", of: { kind: "keys" }, default: {} },

  { key: "caller_ids.numbers", group: "caller_ids", of: { kind: "texts", hint: "075512345678" }, default: [] },
  { key: "caller_ids.rotation", group: "caller_ids", of: choice("in_order", "round_robin", "random", "least_used", "region"), default: "round_robin" },
  { key: "caller_ids.sticky", group: "caller_ids", of: { kind: "flag" }, default: true },
  { key: "caller_ids.per_hour_max", group: "caller_ids", of: whole("calls"), default: 0 },
  { key: "caller_ids.per_day_max", group: "caller_ids", of: whole("calls"), default: 0 },
  { key: "caller_ids.warm_up", group: "caller_ids", of: { kind: "flag" }, default: false },

  { key: "dispositions", group: "dispositions", of: { kind: "dispositions" }, default: [] },

  { key: "vote.results.agree", group: "vote", of: { kind: "texts", hint: "agree" }, default: [] },
  { key: "vote.results.against", group: "vote", of: { kind: "texts", hint: "against" }, default: [] },
  { key: "vote.results.abstain", group: "vote", of: { kind: "texts", hint: "abstain" }, default: [] },
  { key: "vote.quorum_heads", group: "vote", of: { kind: "text", hint: "2/3" }, default: "2/3" },
  { key: "vote.quorum_area", group: "vote", of: { kind: "text", hint: "2/3" }, default: "2/3" },
  { key: "vote.majority", group: "vote", of: { kind: "text", hint: "1/2" }, default: "1/2" },
  { key: "vote.joint", group: "vote", of: choice("one", "each"), default: "one" },
  { key: "vote.owners_total", group: "vote", of: whole("people"), default: 0 },
  { key: "vote.area_total", group: "vote", of: real("sqm"), default: 0 },
  { key: "vote.area", group: "vote", of: { kind: "text", hint: "面积" }, default: "" },
  { key: "vote.stop", group: "vote", of: { kind: "flag" }, default: false },
];

/** Keys that are edited in the text alone: files and columns of a folder, the comparison of pacings, the name that links refer to. */
export const TEXT_ONLY: readonly string[] = [
  "name", "results.dir", "pacing.shadow",
  "list.file", "list.phones", "list.household", "list.name", "list.sheet", "list.blacklists", "list.blacklist_rows",
];

export const fieldOf = (key: string): FieldSpec | undefined => FIELDS.find((it) => it.key === key);

/** Key of the texts of a field: `settings.f_calling_ring_secs`. */
export const wordKey = (prefix: "f" | "h", key: string): string => `settings.${prefix}_${key.replace(/\./g, "_")}`;

const KEYS = new Set(FIELDS.map((it) => it.key));

/** The field that a bare name stands for, where one alone has it: `calls_per_sec`. */
function fieldNamed(name: string): string | undefined {
  const found = FIELDS.filter((it) => it.key === name || it.key.endsWith(`.${name}`));
  return found.length === 1 ? found[0]?.key : undefined;
}

/** A sentence of the service in which fields of the form have their titles instead of their keys: `[calling] windows`. */
export function withTitles(sentence: string, title: (key: string) => string): string {
  const shown = (key: string) => `“${title(key)}”`;
  return sentence
    .replace(/\[(\w+)\] ?(?:的 ?)?`?(\w+)`?/g, (whole, table: string, name: string) => (KEYS.has(`${table}.${name}`) ? shown(`${table}.${name}`) : whole))
    .replace(/`?\b([a-z]+(?:_[a-z]+)+)\b`?/g, (whole, name: string) => {
      const key = fieldNamed(name);
      return key === undefined ? whole : shown(key);
    });
}

/** Key of the word of an option. Modes and rules of abandoned calls have theirs on every page. */
export const optionKey = (field: string, option: string): string =>
  field === "mode" ? `mode.${option}` : field === "pacing.abandon_rules" ? `rule.${option}` : `settings.o_${field.replace(/\./g, "_")}_${option}`;

/** The field that a problem of the service is about: `dispositions[3].code` is about `dispositions`. */
export function fieldOfProblem(key: string | null): FieldSpec | undefined {
  if (key === null) return undefined;
  const dotted = key.replace(/^\//, "").replace(/\//g, ".");
  return FIELDS.find((it) => dotted === it.key || (dotted.startsWith(it.key) && /^[.[]/.test(dotted.slice(it.key.length))));
}

/** The key that a line of a text sets: faults of TOML itself name their line alone. */
export function keyAtLine(toml: string, line: number): string | null {
  const lines = toml.split("\n").slice(0, line);
  const name = /^\s*([\w."*#-]+)\s*=/.exec(lines[line - 1] ?? "")?.[1];
  if (name === undefined) return null;
  const table = lines.map((it) => /^\s*\[{1,2}\s*([\w.-]+)\s*\]{1,2}/.exec(it)?.[1]).filter((it) => it !== undefined).at(-1);
  return table === undefined ? name : `${table}.${name}`;
}
