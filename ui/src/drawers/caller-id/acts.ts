/** What can be done with a number: words of each act in a state, and what the service is sent. Pure. */
import type { CallerId, Schemas } from "../../api/words";
import type { PlainKey } from "../../words";

export type Act = CallerId["actions"][number];
type Row = Pick<CallerId, "state" | "suspected">;

/** Acts that ask for more than a yes. */
export const WITH_FIELD: ReadonlySet<Act> = new Set<Act>(["bind", "flag", "rest"]);

/** A number that was flagged comes back with a tenth of its calls. */
export const isOnTrial = (row: Row): boolean => row.suspected && (row.state === "flagged" || row.state === "resting");

/** The words of an act's button. `resume` ends what the state is. */
export function actWord(act: Act, row: Row): PlainKey {
  if (act !== "resume") return `callerIds.act_${act}`;
  if (row.state === "warming") return "callerIds.act_endWarmUp";
  if (isOnTrial(row)) return "callerIds.act_tryAgain";
  return row.state === "resting" ? "callerIds.act_resume" : "callerIds.act_use";
}

/** What follows from an act. */
export function consequence(act: Act, row: Row): PlainKey {
  if (act !== "resume") return `callerIds.ask_${act}`;
  if (row.state === "warming") return "callerIds.ask_endWarmUp";
  if (isOnTrial(row)) return "callerIds.ask_tryAgain";
  return row.state === "entered" ? "callerIds.ask_use" : "callerIds.ask_resume";
}

export interface ActForm {
  note: string;
  /** As `datetime-local` has it, in the browser's zone; empty = without end. */
  until: string;
  /** The agent's number; empty = no agent. */
  agent: string;
}

/** Whether the end of a rest is a moment in the future, or none. */
export const isUntil = (until: string, now: number): boolean => until === "" || Date.parse(until) > now;

/** The body of an act. */
export function bodyOf(action: Act, form: ActForm): Schemas["CallerIdAction"] {
  switch (action) {
    case "flag": return form.note.trim() === "" ? { action } : { action, note: form.note.trim() };
    case "rest": return form.until === "" ? { action } : { action, until: new Date(form.until).toISOString() };
    case "bind": return form.agent === "" ? { action } : { action, agent: form.agent };
    default: return { action };
  }
}
