/** Exports in words: what, in which form, under which filters, how large. Pure. */
import type { Words } from "../../api/words";
import { currentLanguage, hasWord, type Translate } from "../../words";
import { day, moment, visible } from "../../words/format";
import { wideSentence } from "../../words/width";
import type { ExportFormat, ExportWhat } from "./data";

export const FORMATS: Record<ExportWhat, readonly ExportFormat[]> = {
  attempts: ["csv", "xlsx", "parquet"], leads: ["csv", "xlsx", "parquet"], calls: ["csv", "xlsx", "parquet"], agents: ["csv", "xlsx", "parquet"],
  list_report: ["csv", "xlsx"], recordings: ["zip"], audit: ["csv", "xlsx", "parquet"], blacklist: ["csv", "xlsx", "parquet"],
};

export const whatWords = (what: ExportWhat, t: Translate): string => t(`exports.what_${what}`);
/** Names of formats are the same in both languages. */
export const FORMAT_NAMES: Record<ExportFormat, string> = { csv: "CSV", xlsx: "Excel (XLSX)", parquet: "Parquet", zip: "ZIP" };

/** Bytes as people write them. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [n, unit] = bytes < 1_000_000 ? [bytes / 1_000, "kB"] : bytes < 1_000_000_000 ? [bytes / 1_000_000, "MB"] : [bytes / 1_000_000_000, "GB"];
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`;
}

/** Filters as chips read: each name with its value; values that have words of their own are shown by them. */
export function filterWords(filters: Record<string, unknown>, now: Date, t: Translate): string[] {
  return Object.entries(filters).filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => {
    const key = `exports.filter_${name}`;
    const title = hasWord(key) ? t(key) : visible(name);
    if ((name === "from" || name === "until") && typeof value === "string") return `${title} ${moment(new Date(value), now)}`;
    const word = `${name === "outcome" ? "outcome" : name === "direction" ? "exports.direction" : ""}${name === "direction" ? "_" : "."}${String(value)}`;
    if (typeof value === "boolean") return `${title} ${t(value ? "people.yes" : "people.no")}`;
    return `${title} ${hasWord(word) ? t(word) : visible(String(value))}`;
  });
}

/** Until when a file is kept, as a person counts it. */
export function leftWords(until: Date, now: Date, t: Translate): string {
  const hours = Math.floor((until.getTime() - now.getTime()) / 3_600_000);
  if (hours < 1) return t("exports.soon");
  return hours < 48 ? t("exports.hoursLeft", { n: String(hours) }) : t("exports.daysLeft", { n: String(Math.floor(hours / 24)), day: day(until) });
}

/** A sentence of the service in the reader's language. */
export const said = (words: Words): string => visible(currentLanguage() === "zh" ? wideSentence(words.zh) : words.en);
