import { useState } from "react";
import type { LeadActionName } from "../../api/leads-table";
import type { Lead } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { actionsFor, actionsOf } from "../../pages/leads/action-form";
import { LeadAction } from "../../pages/leads/LeadAction";
import { useMe } from "../../session";
import { useWords } from "../../words";

/** What can be done with this lead, by the caller's rights and the lead's state. */
export function LeadActions({ lead }: { lead: Lead }) {
  const t = useWords();
  const { rights } = useMe();
  const offline = useOfflineReason();
  const [acting, setActing] = useState<LeadActionName>();
  const [overtaken, setOvertaken] = useState<string>();
  const actions = actionsFor(lead.state, actionsOf(rights));
  if (actions.length === 0 && overtaken === undefined) return null;
  return (
    <>
      {overtaken === undefined ? null : <p className="refusal" role="alert">{overtaken}</p>}
      {actions.map((name) => <Button key={name} size="small" refusal={offline} onClick={() => { setOvertaken(undefined); setActing(name); }}>{t(`leads.act_${name}`)}</Button>)}
      {acting === undefined ? null : <LeadAction lead={lead} name={acting} onClose={() => setActing(undefined)} onOvertaken={setOvertaken} />}
    </>
  );
}
