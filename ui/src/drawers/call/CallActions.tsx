import { useState } from "react";
import { Link } from "react-router";
import type { LeadActionName } from "../../api/leads-table";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { actionsFor, actionsOf } from "../../pages/leads/action-form";
import { LeadAction } from "../../pages/leads/LeadAction";
import { useLead } from "../../pages/results/data";
import { useMe } from "../../session";
import { useWords } from "../../words";
import type { CallDetail } from "./call-data";

/** What can be done with the person of this call: never again, or again soon. By the caller's rights and the lead's state. */
export function CallActions({ call }: { call: CallDetail }) {
  const t = useWords();
  const { rights } = useMe();
  const offline = useOfflineReason();
  const lead = useLead(call.lead ?? undefined).data;
  const [acting, setActing] = useState<LeadActionName>();
  const [overtaken, setOvertaken] = useState<string>();
  const allowed = lead === undefined ? [] : actionsFor(lead.state, actionsOf(rights));
  // A lead that is open is put first; one that is closed is opened again.
  const again = allowed.find((name) => name === "first") ?? allowed.find((name) => name === "reopen");
  const begin = (name: LeadActionName) => {
    setOvertaken(undefined);
    setActing(name);
  };
  const isWhole = call.number !== null && !call.number.includes("*");
  return (
    <>
      {overtaken === undefined ? null : <p className="refusal" role="alert">{overtaken}</p>}
      {allowed.includes("blacklist") ? <Button refusal={offline} onClick={() => begin("blacklist")}>{t("results.toBlacklist")}</Button>
        : call.lead === null && isWhole && rights.has("blacklist.add") && rights.has("blacklist.read") ? <Link className="button" to={`/blacklist?number=${encodeURIComponent(call.number ?? "")}&add=1`}>{t("results.toBlacklist")}</Link> : null}
      {again === undefined ? null : <Button refusal={offline ?? (call.ended_at === null ? t("results.stillOpen") : undefined)} onClick={() => begin(again)}>{t("call.again")}</Button>}
      {acting === undefined || lead === undefined ? null : <LeadAction lead={lead} name={acting} onClose={() => setActing(undefined)} onOvertaken={setOvertaken} />}
    </>
  );
}
