import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, get } from "../../api/call";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { problemWords } from "../../kit/States";
import { useOfflineReason } from "../../frame/LiveState";
import { serverNow } from "../../live/clock";
import { queries, useMe } from "../../session";
import { useWords } from "../../words";
import { moment, visible } from "../../words/format";

/** Where a person is logged in; who may end log-ins ends all of them at once. */
export function SessionsOfAgent({ number }: { number: string }) {
  const t = useWords();
  const { rights, person } = useMe();
  const key = ["sessions", number];
  const { data } = useQuery({ queryKey: key, queryFn: async () => (await get("/api/v1/agents/{number}/sessions", { path: { number } })).items });
  const [isAsking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const offline = useOfflineReason();
  // Without the answer nothing is said: the reader may not see sessions, or an older service has none.
  if (data === undefined) return null;
  const now = new Date(serverNow());
  const end = async () => {
    setBusy(true);
    setRefusal(undefined);
    try {
      await call("delete", "/api/v1/agents/{number}/sessions", { path: { number } });
      await queries.invalidateQueries({ queryKey: key });
      setAsking(false);
    } catch (problem) {
      setRefusal(problemWords(problem, t));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h3>{t("people.sessions")}</h3>
      {data.length === 0 ? <p className="hint">{t("people.noSessions")}</p> : (
        <ul className="sessions">{data.map((it, n) => <li key={n}>{t("people.session", { since: moment(new Date(it.since), now), used: moment(new Date(it.used_at), now), address: it.address })} <span className="hint" title={it.browser}>{visible(it.browser).slice(0, 60)}</span>{it.locked ? ` ${t("people.sessionLocked")}` : ""}</li>)}</ul>
      )}
      {data.length > 0 && rights.has("sessions.end") ? <p><Button size="small" refusal={offline} onClick={() => setAsking(true)}>{t("people.endSessions")}</Button></p> : null}
      {isAsking ? (
        <Dialog title={`${t("people.endSessions")}: ${number}`} onClose={() => setAsking(false)}
          buttons={<><Button onClick={() => setAsking(false)}>{t("common.cancel")}</Button><Button kind="danger" busy={busy} refusal={offline} onClick={() => void end()}>{t("people.endNow", { n: data.length })}</Button></>}>
          <p>{t(number === person.number ? "people.askEndOwn" : "people.askEnd")}</p>
          {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
        </Dialog>
      ) : null}
    </section>
  );
}
