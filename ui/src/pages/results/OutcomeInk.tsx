import type { Call } from "../../api/words";
import { StateInk } from "../../kit/Pill";
import { CALL_STATES, OUTCOME_STATES } from "../../states";

/** The outcome of a call as state; a call without one goes on. Inbound calls have none: they were answered or not. */
export function OutcomeInk({ call }: { call: Pick<Call, "outcome" | "ended_at" | "answered_at" | "connected_at"> }) {
  if (call.outcome !== null) return <StateInk state={OUTCOME_STATES[call.outcome as keyof typeof OUTCOME_STATES] ?? OUTCOME_STATES.cancelled} />;
  if (call.ended_at === null) return <StateInk state={call.connected_at !== null ? CALL_STATES.talking : call.answered_at !== null ? CALL_STATES.answered : CALL_STATES.placed} />;
  return <StateInk state={call.connected_at === null ? OUTCOME_STATES.no_answer : OUTCOME_STATES.answered} />;
}
