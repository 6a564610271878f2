import "../../kit/form.css";
import "./desk.css";
import { useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { useTitle } from "../../use-title";
import { Failed, Loading } from "../../kit/States";
import { useHasSnapshot, useOwnSeat } from "../../live/stores";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { CallBar } from "./CallBar";
import { Card } from "./Card";
import { useCards, useWorkplaces } from "./data";
import { KeysHelp } from "./KeysHelp";
import { Lock } from "./Lock";
import { isInCall, isSignedIn, workKey } from "./seat";
import { SignInPanel } from "./SignInPanel";
import { Summary } from "./Summary";
import { readTasksAgain, Tasks } from "./Tasks";
import { TopBar } from "./TopBar";
import { CampaignChoice, WorkLine } from "./Work";

/** `/desk`: what an agent works with all day. */
export default function Desk() {
  const t = useWords();
  const { person } = useMe();
  const seat = useOwnSeat(person.number);
  const hasSnapshot = useHasSnapshot();
  const { data: workplaces, error, refetch } = useWorkplaces();
  const [chosen, setChosen] = useState("");
  const [isLocking, setLocking] = useState(false);
  useTitle(t("desk.title"));
  useCards();
  const inCall = isInCall(seat);
  useEffect(() => {
    if (!inCall) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [inCall]);
  const work = workKey(seat);
  useEffect(() => readTasksAgain(), [work]);
  const mine = useMemo(() => {
    const groups = new Set(seat?.groups ?? []);
    return (workplaces ?? []).filter((it) => it.group !== null && groups.has(it.group));
  }, [workplaces, seat?.groups]);
  if (!hasSnapshot) return <Loading height={480} />;
  if (error && workplaces === undefined) return <Failed problem={error} onRetry={() => void refetch()} />;
  if (!isSignedIn(seat)) return <SignInPanel seat={seat} />;
  const name = seat.work?.campaign ?? (chosen || mine[0]?.name);
  const workplace = (workplaces ?? []).find((it) => it.name === name);
  return (
    <div className="desk">
      <TopBar seat={seat} campaign={workplace?.title || workplace?.name} onLock={() => setLocking(true)} />
      <CallBar seat={seat} />
      <div className="columns">
        <div className="left">
          <CampaignChoice all={mine} value={name ?? ""} onChange={setChosen} />
          <Tasks seat={seat} workplace={workplace} />
          <p className="log-link"><Link to="/desk/log">{t("desk.log")}</Link></p>
        </div>
        <div className="middle"><WorkLine seat={seat} workplace={workplace} /><Card seat={seat} workplace={workplace} /></div>
        <div className="right"><Summary seat={seat} workplace={workplace} /></div>
      </div>
      <KeysHelp />
      {isLocking ? <Lock onClose={() => setLocking(false)} /> : null}
    </div>
  );
}
