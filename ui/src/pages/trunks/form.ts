/** A trunk as it is typed: its fields, their faults, and what the service is sent. Pure. */
import { ApiProblem } from "../../api/call";
import type { Language } from "../../words";
import { narrow, wideSentence } from "../../words/width";

export const TEXTS = ["uri", "domain", "username", "password", "realm", "from_domain", "ca_file", "region", "add_prefix", "strip_prefix"] as const;
export const NUMBERS = ["calls_max", "calls_per_sec", "options_secs", "setup_secs"] as const;
export const LISTS = ["allow", "deny"] as const;
export const CHOICES = {
  transport: ["", "udp", "tcp", "tls"],
  caller_id_header: ["from", "p_asserted_identity", "p_preferred_identity", "remote_party_id"],
  rtp_follow: ["auto", "sdp", "source"],
} as const;

export type TextName = (typeof TEXTS)[number];
export type NumberName = (typeof NUMBERS)[number];
export type ListName = (typeof LISTS)[number];
export type ChoiceName = keyof typeof CHOICES;
export type FieldName = "name" | "register" | TextName | NumberName | ListName | ChoiceName;

export type TrunkForm = Record<"name" | TextName | NumberName | ListName | ChoiceName, string> & { register: boolean };
/** A key of the catalogue, or a sentence of the service. */
export type Faults = Partial<Record<FieldName, { word: "name" | "uri" | "calls" | "rate" | "secs" | "setup" } | { sentence: string }>>;

/** The settings of a row, as far as the page shows them. */
export type Settings = Record<string, unknown>;

const text = (settings: Settings, name: string): string => {
  const value = settings[name];
  if (Array.isArray(value)) return value.join(", ");
  return value === null || value === undefined ? "" : String(value);
};

export const formOf = (name: string, settings: Settings): TrunkForm => {
  const fields = [...TEXTS, ...NUMBERS, ...LISTS, ...(Object.keys(CHOICES) as ChoiceName[])].map((field) => [field, text(settings, field)] as const);
  return { name, register: settings["register"] === true, ...(Object.fromEntries(fields) as Omit<TrunkForm, "name" | "register">) };
};

/** What a new trunk has before anybody typed. */
export const NEW: TrunkForm = formOf("", { calls_max: 60, calls_per_sec: 10, options_secs: 30, caller_id_header: "from", rtp_follow: "auto" });

const number = (typed: string): number => (narrow(typed).trim() === "" ? NaN : Number(narrow(typed).trim()));
const list = (typed: string): string[] => narrow(typed).split(/[,;\s、]+/).map((it) => it.trim()).filter((it) => it !== "");

/** Faults that the page can see; the service looks again. */
export function faultsOf(form: TrunkForm, isNew: boolean): Faults {
  const faults: Faults = {};
  if (isNew && !/^[A-Za-z0-9_-]{1,64}$/.test(form.name.trim())) faults.name = { word: "name" };
  if (form.uri.trim() === "") faults.uri = { word: "uri" };
  const calls = number(form.calls_max);
  if (!Number.isInteger(calls) || calls < 1) faults.calls_max = { word: "calls" };
  const rate = number(form.calls_per_sec);
  if (!(rate > 0 && rate <= 2_000)) faults.calls_per_sec = { word: "rate" };
  const options = number(form.options_secs);
  if (!Number.isInteger(options) || options < 0) faults.options_secs = { word: "secs" };
  const setup = number(form.setup_secs);
  if (form.setup_secs.trim() !== "" && !(Number.isInteger(setup) && setup >= 3 && setup <= 120)) faults.setup_secs = { word: "setup" };
  return faults;
}

/** The settings of a form. A password that was not typed is not sent: it stays as it is. */
export function settingsOf(form: TrunkForm): Settings {
  const settings: Settings = { register: form.register };
  for (const name of TEXTS) if (name !== "password" || form.password !== "") settings[name] = name === "password" ? form.password : form[name].trim();
  for (const name of NUMBERS) settings[name] = name === "setup_secs" && form[name].trim() === "" ? null : number(form[name]);
  settings["allow"] = form.allow.trim() === "" ? null : list(form.allow);
  settings["deny"] = list(form.deny);
  settings["transport"] = form.transport === "" ? null : form.transport;
  settings["caller_id_header"] = form.caller_id_header;
  settings["rtp_follow"] = form.rtp_follow;
  return settings;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** What differs from the row. */
export function changeOf(form: TrunkForm, settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settingsOf(form)).filter(([name, value]) => !same(value, settings[name]) || (name === "password" && value !== "")));
}

/** Fields that the service refused, with its sentences; empty = its sentence stands above the form. */
export function refusedFields(problem: unknown, language: Language): Faults {
  if (!(problem instanceof ApiProblem)) return {};
  const faults: Faults = {};
  for (const { at, words } of problem.problem?.errors ?? []) {
    const name = at.replace(/^\/(settings\/)?/, "");
    if (name !== "name" && name !== "register" && !(name in NEW)) continue;
    const sentence = words[language];
    faults[name as FieldName] = { sentence: language === "zh" ? wideSentence(sentence) : sentence };
  }
  return faults;
}
