/** What the desk reads out of a seat. Pure. */
import type { Schemas, Seat } from "../../api/words";

export type Workplace = Schemas["Workplace"];
export type Party = Schemas["PartyView"];

/** Whether the service lets the agent do this now. */
export const may = (seat: Seat | undefined, action: string): boolean => seat?.can.includes(action) ?? action === "sign_in";

export const isSignedIn = (seat: Seat | undefined): seat is Seat => seat !== undefined && seat.availability !== "signed_out";

/** The number of the call or the preview, or the lead; `undefined` = nothing is on the seat. */
export const workKey = (seat: Seat | undefined): string | undefined => {
  const work = seat?.work;
  if (!work) return undefined;
  return work.attempt !== null ? `call-${work.attempt}` : work.lead !== null ? `lead-${work.lead}` : `number-${work.number ?? ""}`;
};

/** A lead is shown and not yet dialled. */
export const isPreview = (seat: Seat): boolean => seat.activity === "reserved" && seat.work?.attempt === null && seat.work.lead !== null;

export const callee = (seat: Seat): Party | undefined => seat.work?.parties.find((party) => party.kind === "callee");
export const consulted = (seat: Seat): Party | undefined => seat.work?.parties.find((party) => party.kind === "consulted");
export const isHeld = (seat: Seat): boolean => callee(seat)?.held === true;

/** Where an agent-first call is: the agent's phone rings, the callee is called, they talk. */
export function ownCallStep(seat: Seat): 0 | 1 | 2 | undefined {
  if (seat.work === null || isPreview(seat)) return undefined;
  if (seat.activity === "talking" || seat.activity === "consulting") return 2;
  if (seat.activity === "ringing") return 0;
  return seat.activity === "reserved" ? 1 : undefined;
}

/** Whether a call is up or about to be. */
export const isInCall = (seat: Seat | undefined): boolean => seat !== undefined && ["talking", "consulting", "ringing", "reserved"].includes(seat.activity) && !isPreview(seat);

export interface Group {
  state: string;
  dispositions: Workplace["dispositions"];
}

/** The dispositions in the order in which they are shown: by the state they give, then as the campaign has them. */
export function grouped(workplace: Workplace | undefined): Group[] {
  const states = ["done", "follow_up", "open", "failed"];
  return states.map((state) => ({ state, dispositions: (workplace?.dispositions ?? []).filter((it) => it.state === state) })).filter((it) => it.dispositions.length > 0);
}
