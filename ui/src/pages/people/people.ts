/** Logic of the pages about people: filters, order, pasted lines, what a phone needs. Pure. */
import type { Account } from "../../api/words";
import { narrow } from "../../words/width";

export const ROLES = ["agent", "lead", "manager", "analyst", "auditor", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Managers look after every account but those of admins. */
export const mayGive = (own: Role, role: Role): boolean => own === "admin" || role !== "admin";

/** A token that reads the audit is given by those who may read it. */
export const mayGiveToken = (own: Role, role: Role): boolean => mayGive(own, role) && (own === "admin" || role !== "auditor");

export interface PeopleFilter {
  text: string;
  role: string;
  /** A group's name; `-` = in no group. */
  group: string;
}

export const NO_GROUP = "-";

export function matches(account: Account, filter: PeopleFilter): boolean {
  if (filter.role !== "" && account.role !== filter.role) return false;
  if (filter.group === NO_GROUP ? account.groups.length > 0 : filter.group !== "" && !account.groups.some((it) => it.group === filter.group)) return false;
  const words = [account.number, account.name, account.login, account.telephone ?? "", ...account.skills].join(" ").toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every((word) => words.includes(word));
}

export type PeopleOrder = "number" | "name" | "role";

/** Orders accounts; `-name` = downwards. Equal ones stay by number. */
export function sorted(accounts: readonly Account[], order: string): Account[] {
  const isDown = order.startsWith("-");
  const by = order.replace("-", "");
  const number = (a: Account, b: Account) => a.number.localeCompare(b.number, "en", { numeric: true });
  const compare: Record<string, (a: Account, b: Account) => number> = {
    name: (a, b) => a.name.localeCompare(b.name, "zh-CN"),
    role: (a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role),
  };
  const first = compare[by] ?? number;
  return [...accounts].sort((a, b) => (isDown ? -first(a, b) : first(a, b)) || number(a, b));
}

/** Skills as people type them, with any comma. */
export function skillsOf(text: string): string[] {
  return [...new Set(narrow(text).split(/[,;、\n]/).map((it) => it.trim()).filter((it) => it !== ""))];
}

/** One person of a pasted list. */
export interface Line {
  /** Row of the pasted text, from 1. */
  row: number;
  text: string;
  name: string;
  number?: string;
  telephone?: string;
  fault?: LineFault;
}

export type LineFault = "line_no_name" | "line_long_name" | "line_unknown" | "line_twice" | "line_two_numbers";

/** Lines that one go takes. */
export const LINES_MAX = 200;

const AGENT_NUMBER = /^\d{2,8}$/;
const TELEPHONE = /^(\+86)?(0?1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|[48]00\d{7})$/;

/**
 * Reads pasted lines: a name, and in any order an agent number (2 to 8 digits) and a telephone. Columns are parted by tab,
 * comma or semicolon, as spreadsheets copy them; in a line without those, by spaces before digits.
 */
export function readLines(text: string): Line[] {
  const seen = new Set<string>();
  return text.split(/\r?\n/).flatMap((raw, n): Line[] => {
    const whole = narrow(raw).trim();
    if (whole === "") return [];
    const parts = (/[\t,;]/.test(whole) ? whole.split(/[\t,;]/) : whole.split(/\s+(?=[+\d])|(?<=^\d+)\s+/)).map((it) => it.trim()).filter((it) => it !== "");
    const line: Line = { row: n + 1, text: whole, name: "" };
    for (const part of parts) {
      const bare = part.replace(/[\s-]/g, "");
      if (AGENT_NUMBER.test(part)) {
        if (line.number !== undefined) line.fault ??= "line_two_numbers";
        line.number = part;
      } else if (TELEPHONE.test(bare)) {
        if (line.telephone !== undefined) line.fault ??= "line_two_numbers";
        line.telephone = bare;
      } else if (line.name === "" && !/^[\d+*#]+$/.test(bare)) line.name = part;
      else line.fault ??= "line_unknown";
    }
    if (line.name === "") line.fault ??= "line_no_name";
    if ([...line.name].length > 64) line.fault ??= "line_long_name";
    if (line.number !== undefined && seen.has(line.number)) line.fault ??= "line_twice";
    if (line.number !== undefined) seen.add(line.number);
    return [line];
  });
}

/** What is typed into a phone. */
export interface Sheet {
  user: string;
  password: string;
  domain: string;
  proxy: string;
  transport: string;
}

/** What is shown once about a person: settings of the phone, password of the console, or both. */
export interface Once {
  number: string;
  name: string;
  login: string;
  sheet?: Sheet | undefined;
  password?: string | undefined;
}

const escapeXml = (text: string) => text.replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The account as Grandstream Wave reads it from a QR code; other phones show it as text. */
export function phoneCode(once: Once, sheet: Sheet): string {
  const fields: [string, string][] = [
    ["RegisterServer", sheet.domain], ["OutboundServer", sheet.proxy], ["UserID", sheet.user], ["AuthID", sheet.user], ["AuthPass", sheet.password],
    ["AccountName", `${once.number} ${once.name}`], ["DisplayName", once.name],
  ];
  const inner = fields.map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join("");
  return `<?xml version="1.0" encoding="utf-8"?><AccountConfig version="1"><Account>${inner}</Account></AccountConfig>`;
}

/** A password in groups of four, for reading it aloud and typing it; the spaces are not part of it. */
export const grouped = (password: string): string[] => password.match(/.{1,4}/gs) ?? [];
