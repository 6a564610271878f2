/** The form of an action on leads: which fields it has, what is wrong with them, and what is sent. Pure. */
import { LEAD_ACTIONS, type LeadAction, type LeadActionName } from "../../api/leads-table";
import type { Right } from "../../rights";
import { narrow } from "../../words/width";

export interface ActionForm {
  reason: string;
  agent: string;
  /** As `datetime-local` has it, in the reader's zone. */
  at: string;
}

export const NO_ACTION: ActionForm = { reason: "", agent: "", at: "" };

/** Characters of a reason. */
export const REASON_MAX = 256;

/** Who reads why a lead was closed or blocked later needs the reason; others may have one. */
const NEEDS_REASON: ReadonlySet<LeadActionName> = new Set(["close", "blacklist"]);
const WITHOUT_REASON: ReadonlySet<LeadActionName> = new Set(["first", "assign", "unassign"]);

export const hasReason = (name: LeadActionName): boolean => !WITHOUT_REASON.has(name);
export const hasAgent = (name: LeadActionName): boolean => name === "assign" || name === "book";
export const hasMoment = (name: LeadActionName): boolean => name === "book";

/** The actions that these rights allow: a shift lead closes and blocks, the others are a manager's. */
export function actionsOf(rights: ReadonlySet<Right>): LeadActionName[] {
  return LEAD_ACTIONS.filter((name) => {
    if (name === "close") return rights.has("leads.edit") || rights.has("leads.close");
    if (name === "blacklist") return (rights.has("leads.edit") || rights.has("leads.close")) && rights.has("blacklist.add");
    return rights.has("leads.edit");
  });
}

export type ActionFault = "reason" | "agent" | "at" | "past";

/** What is missing or cannot be; the service looks again, at the calling hours too. */
export function faultOf(name: LeadActionName, form: ActionForm, now: number): ActionFault | undefined {
  if (NEEDS_REASON.has(name) && form.reason.trim() === "") return "reason";
  if (name === "assign" && !isAgent(form.agent)) return "agent";
  if (name === "book" && form.agent.trim() !== "" && !isAgent(form.agent)) return "agent";
  if (!hasMoment(name)) return undefined;
  const at = Date.parse(form.at);
  if (Number.isNaN(at)) return "at";
  return at <= now ? "past" : undefined;
}

const agentOf = (text: string): string => /^\s*(\S+)/.exec(narrow(text))?.[1] ?? "";
const isAgent = (text: string): boolean => /^\d{2,8}$/.test(agentOf(text));

/** What the service is sent; fields that the action has not are left out. */
export function requestOf(name: LeadActionName, form: ActionForm): LeadAction {
  const reason = form.reason.trim();
  const agent = agentOf(form.agent);
  return {
    action: name,
    ...(hasReason(name) && reason !== "" ? { reason } : {}),
    ...(hasAgent(name) && agent !== "" ? { agent } : {}),
    ...(hasMoment(name) ? { at: new Date(form.at).toISOString() } : {}),
  };
}

const two = (n: number) => String(n).padStart(2, "0");

/** The next full hour as `datetime-local` has it. */
export function nextHour(now: Date): string {
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate(), now.getHours() + 1);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:00`;
}

/** The actions that fit one lead in this state: who is closed can be opened again, and nothing else but blocked. */
export function actionsFor(state: string, actions: readonly LeadActionName[]): LeadActionName[] {
  const isClosed = state === "done" || state === "failed";
  return actions.filter((name) => name === "blacklist" || (name === "reopen") === isClosed);
}
