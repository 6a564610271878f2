import type { Schemas } from "../../api/words";
import { StateInk } from "../../kit/Pill";
import { SEAT_STATES } from "../../states";
import { useWords } from "../../words";
import { clock, count, duration, visible } from "../../words/format";
import type { CallDetail } from "./call-data";

type Agent = Schemas["AgentAtAnswer"];

/** Who of the group was free when the callee answered, who was busy, and when each could take a call next. */
export function AgentsAtAnswer({ call }: { call: CallDetail }) {
  const t = useWords();
  const free = call.agents_at_answer.filter((it) => it.is_free).length;
  const answered = call.answered_at === null ? 0 : Date.parse(call.answered_at);
  return (
    <>
      <p>{t("call.freeOf", { free: count(free), all: count(call.agents_at_answer.length) })}</p>
      <div className="scroll">
        <table className="table">
          <thead><tr><th scope="col">{t("results.column_agent")}</th><th scope="col">{t("call.stateThen")}</th><th scope="col">{t("call.since")}</th><th scope="col">{t("call.freeAt")}</th></tr></thead>
          <tbody>
            {call.agents_at_answer.map((it) => (
              <tr key={it.agent}>
                <td>{it.agent} <span className="second">{visible(it.agent_name)}</span></td>
                <td><StateInk state={stateOf(it)} />{it.reason === null ? null : <span className="second"> {visible(it.reason)}</span>}</td>
                <td>{clock(new Date(it.since))}</td>
                <td>{it.is_free ? t("call.freeThen") : it.free_at === null ? t("call.notFree") : <>{clock(new Date(it.free_at))} <span className="second">{t("call.afterAnswer", { time: duration((Date.parse(it.free_at) - answered) / 1000) })}</span></>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** A seat that does nothing is what its availability says. */
function stateOf(it: Agent) {
  const word = it.activity !== "idle" ? it.activity : it.availability === "paused" ? "paused" : "idle";
  return SEAT_STATES[word as keyof typeof SEAT_STATES] ?? SEAT_STATES.idle;
}
