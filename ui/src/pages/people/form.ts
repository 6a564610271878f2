/** The form of an account: its fields, what is wrong with them, and the body that they make. Pure. */
import type { Schemas } from "../../api/words";
import { ApiProblem } from "../../api/call";
import { narrow } from "../../words/width";
import { skillsOf, type Role } from "./people";

export interface PersonForm {
  name: string;
  numbering: "draw" | "own";
  /** First digit of a drawn number; empty = any. */
  lead: string;
  digits: string;
  number: string;
  role: Role;
  /** Group → priority. */
  groups: Record<string, number>;
  skills: string;
  telephone: string;
  login: string;
  isRecorded: boolean;
  hasPhone: boolean;
  password: string;
}

export type FieldName = "name" | "number" | "skills" | "telephone" | "login" | "password" | "groups";
export type Faults = Partial<Record<FieldName, FaultWord>>;
export type FaultWord = "name" | "number" | "number_taken" | "login" | "login_taken" | "telephone" | "password" | "skills" | "groups_gone";

export const EMPTY: PersonForm = {
  name: "", numbering: "draw", lead: "8", digits: "4", number: "", role: "agent", groups: {}, skills: "", telephone: "", login: "",
  isRecorded: false, hasPhone: true, password: "",
};

const TELEPHONE = /^(\+86)?(0?1[3-9]\d{9}|010[2-8]\d{7}|02\d[2-8]\d{7}|0[3-9]\d{2}[2-8]\d{6,7}|[48]00\d{7})$/;

/** A telephone as people write it, without spaces, dashes and brackets. */
export const bareTelephone = (text: string): string => narrow(text).replace(/[\s()-]/g, "");

export const isTelephone = (text: string): boolean => TELEPHONE.test(bareTelephone(text));

/** Faults that the page can see; the service looks again. `isOne` = a single person, not a pasted list. */
export function faultsOf(form: PersonForm, isOne = true): Faults {
  const faults: Faults = {};
  const length = [...form.name.trim()].length;
  if (isOne && (length === 0 || length > 64)) faults.name = "name";
  if (isOne && form.numbering === "own" && !/^\d{2,8}$/.test(narrow(form.number).trim())) faults.number = "number";
  if (isOne && form.telephone.trim() !== "" && !isTelephone(form.telephone)) faults.telephone = "telephone";
  if (isOne && (/\s/.test(form.login.trim()) || [...form.login.trim()].length > 64)) faults.login = "login";
  if (isOne && form.password !== "" && (form.password.length < 8 || form.password.length > 256)) faults.password = "password";
  const skills = skillsOf(form.skills);
  if (skills.length > 32 || skills.some((it) => [...it].length > 64)) faults.skills = "skills";
  return faults;
}

/**
 * Fields that the service refused, of a problem's code and detail; empty = the sentence stands above the form.
 * A new account without a login of its own has its number as login, so that the number is what is taken.
 */
export function refusedFields(problem: unknown, form: PersonForm): Faults {
  if (!(problem instanceof ApiProblem)) return {};
  const { code } = problem;
  const detail = problem.message;
  if (code === "taken") return detail.includes("login") && form.login.trim() !== "" ? { login: "login_taken" } : { number: "number_taken" };
  if (code === "not_found" && detail.includes("group")) return { groups: "groups_gone" };
  if (code !== "unfit") return {};
  if (detail.startsWith("name")) return { name: "name" };
  if (detail.startsWith("login")) return { login: "login" };
  if (detail.startsWith("skills") || detail.includes("skills")) return { skills: "skills" };
  if (detail.includes("telephone number")) return { telephone: "telephone" };
  if (detail.includes("password")) return { password: "password" };
  return detail.includes("number") ? { number: "number" } : {};
}

const memberships = (form: PersonForm) => Object.entries(form.groups).map(([group, priority]) => ({ group, priority, in_use: true }));

/** The body of `POST /agents`. */
export function newAgent(form: PersonForm): Schemas["NewAgent"] {
  const body: Schemas["NewAgent"] = {
    name: form.name.trim(), role: form.role, groups: memberships(form), skills: skillsOf(form.skills), recorded: form.isRecorded, phone: form.hasPhone,
  };
  if (form.numbering === "own") body.number = narrow(form.number).trim();
  else {
    body.pattern = `${form.lead}?`;
    body.digits = Number(form.digits);
  }
  if (form.telephone.trim() !== "") body.telephone = bareTelephone(form.telephone);
  if (form.login.trim() !== "") body.login = form.login.trim();
  if (form.password !== "") body.password = form.password;
  return body;
}
