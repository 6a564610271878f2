import { useState } from "react";
import type { CallerIdDetail } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { useWords } from "../../words";
import { actWord, WITH_FIELD, type Act } from "./acts";
import { AskAct } from "./AskAct";

/** What is possible with the number now. Each act asks once and says what follows. */
export function CallerIdActs({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  const [asked, setAsked] = useState<Act>();
  const offline = useOfflineReason();
  const button = (act: Act) => <Button key={act} refusal={offline} popup="dialog" onClick={() => setAsked(act)}>{t(act === "request" && row.approval === "missing" ? "callerIds.act_approval" : actWord(act, row))}{WITH_FIELD.has(act) ? "…" : ""}</Button>;
  return (
    <>
      {row.actions.filter((it) => it !== "retire").map(button)}
      <span className="space" />
      {row.actions.includes("retire") ? button("retire") : null}
      {asked === undefined ? null : <AskAct act={asked} row={row} onClose={() => setAsked(undefined)} />}
    </>
  );
}
