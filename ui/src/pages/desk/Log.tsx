import "../../kit/table.css";
import "./desk.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { get } from "../../api/call";
import { Failed, Loading, NoneYet } from "../../kit/States";
import { StateInk } from "../../kit/Pill";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { OUTCOME_STATES } from "../../states";
import { useTitle } from "../../use-title";
import { useDrawerLink } from "../../use-search";
import { useWords } from "../../words";
import { clock, duration, telephone, visible } from "../../words/format";
import { useWorkplaces } from "./data";

/** `/desk/log`: the agent's own calls of today. */
export default function Log() {
  const t = useWords();
  const { person } = useMe();
  const link = useDrawerLink();
  const { data: workplaces } = useWorkplaces();
  useTitle(t("desk.logTitle"));
  const { data, error, refetch } = useQuery({
    queryKey: ["desk-log", person.number],
    queryFn: () => {
      const from = new Date(serverNow());
      from.setHours(0, 0, 0, 0);
      return get("/api/v1/calls", { query: { agent: person.number, from: from.toISOString(), limit: 200 } });
    },
  });
  const label = (campaign: string | null, code: string) => visible(workplaces?.find((it) => it.name === campaign)?.dispositions.find((it) => it.code === code)?.label ?? code);
  return (
    <>
      <div className="page-head"><h1>{t("desk.logTitle")}</h1><Link to="/desk">{t("desk.backToDesk")}</Link></div>
      {error ? <Failed problem={error} onRetry={() => void refetch()} /> : data === undefined ? <Loading /> : data.calls.length === 0 ? <div className="card"><NoneYet>{t("desk.logEmpty")}</NoneYet></div> : (
        <div className="table-box">
          <table className="table">
            <thead><tr><th scope="col">{t("desk.logTime")}</th><th scope="col">{t("desk.logPerson")}</th><th scope="col">{t("desk.logOutcome")}</th><th scope="col" className="number">{t("desk.logTalk")}</th><th scope="col">{t("desk.logSummary")}</th><th scope="col">{t("desk.note")}</th></tr></thead>
            <tbody>
              {data.calls.map((call) => {
                const state = call.outcome === null ? undefined : OUTCOME_STATES[call.outcome as keyof typeof OUTCOME_STATES];
                return (
                  <tr key={call.id}>
                    <td><Link to={link({ call: `out-${call.id}` })}>{clock(new Date(call.at))}</Link></td>
                    <td>{visible(call.name ?? "")} <span className="second">{call.number === null ? "" : telephone(call.number)}</span></td>
                    <td>{state === undefined ? "–" : <StateInk state={state} />}</td>
                    <td className="number">{call.connected_at === null || call.ended_at === null ? "–" : duration((Date.parse(call.ended_at) - Date.parse(call.connected_at)) / 1000)}</td>
                    <td>{call.disposition === null ? "–" : label(call.campaign, call.disposition)}</td>
                    <td>{visible(call.note ?? "")}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
