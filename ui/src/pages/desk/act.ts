/** Actions of the own seat. */
import { newKey, post } from "../../api/call";
import type { Schemas } from "../../api/words";

export type AgentAction = Schemas["AgentAction"];

/** @throws ApiProblem the refusal */
export const act = (action: AgentAction): Promise<unknown> => post("/api/v1/me/actions", { body: action, key: newKey() });
