import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import type { Seat } from "../../api/words";
import { StateInk } from "../../kit/Pill";
import { serverNow } from "../../live/clock";
import { OUTCOME_STATES } from "../../states";
import { useLanguage, useWords } from "../../words";
import { moment, telephone, visible } from "../../words/format";
import { useCard } from "./data";

/** A call that failed is shown for so long, in ms. */
const SHOWN = 120_000;

/** The last call of the agent, where the callee was not reached: how it ended in the carrier's words, and what comes next. */
export function LastCall({ seat }: { seat: Seat }) {
  const t = useWords();
  const language = useLanguage();
  const { data } = useQuery({
    // Read again whenever the seat has changed.
    queryKey: ["desk-last-call", seat.agent, seat.since],
    queryFn: () => get("/api/v1/calls", { query: { agent: seat.agent, limit: 1 } }),
  });
  const call = data?.calls[0];
  const isFailed = call !== undefined && call.connected_at === null && call.ended_at !== null && serverNow() - Date.parse(call.ended_at) < SHOWN;
  const { data: lead } = useCard(isFailed ? call.lead : undefined);
  if (!isFailed) return null;
  const state = call.outcome === null ? undefined : OUTCOME_STATES[call.outcome as keyof typeof OUTCOME_STATES];
  const next = lead === undefined ? undefined
    : lead.state === "open" || lead.state === "follow_up" ? (lead.next_at === null ? t("desk.nextSoon") : t("desk.nextAt", { time: moment(new Date(lead.next_at), new Date(serverNow())) }))
    : t("desk.nextNever");
  return (
    <p className="last-call" role="status">
      {t("desk.lastCallOf", { who: visible(call.name ?? (call.number === null ? "" : telephone(call.number))) })} {state === undefined ? null : <StateInk state={state} />}
      {call.cause === "" ? null : <span className="second">{visible(call.cause_words[language])}</span>}
      {next === undefined ? null : <span>{next}</span>}
    </p>
  );
}
