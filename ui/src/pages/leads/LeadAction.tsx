import { useState, type FormEvent } from "react";
import { ApiProblem } from "../../api/call";
import { actOnLead, type LeadActionName } from "../../api/leads-table";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { offerUndo } from "../../kit/undo";
import { useWords, type Translate } from "../../words";
import { visible } from "../../words/format";
import { faultOf, NO_ACTION, nextHour, requestOf, type ActionFault } from "./action-form";
import { ActionFields } from "./ActionFields";
import { refreshLeads } from "./data";

export interface OneLead {
  id: number;
  name: string | null;
  campaign: string;
}

interface Props {
  lead: OneLead;
  name: LeadActionName;
  onClose: () => void;
  /** The lead stands otherwise than the page showed: why nothing was done. It is read again. */
  onOvertaken: (words: string) => void;
}

const nameOf = (lead: OneLead, t: Translate): string => (lead.name === null ? t("results.leadNumber", { id: lead.id }) : visible(lead.name));

/** Whether it was refused for how the lead stands now, not for what was typed. */
function isOvertaken(problem: unknown): boolean {
  if (!(problem instanceof ApiProblem)) return false;
  return problem.status === 412 || problem.status === 404 || (problem.status === 409 && problem.code !== "past" && problem.problem?.lead != null);
}

/** One action on one lead: its fields, the service's refusal, and then a bar that takes it back. */
export function LeadAction({ lead, name, onClose, onOvertaken }: Props) {
  const t = useWords();
  const offline = useOfflineReason();
  const [form, setForm] = useState(() => ({ ...NO_ACTION, at: nextHour(new Date(serverNow())) }));
  const [fault, setFault] = useState<ActionFault>();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const found = faultOf(name, form, serverNow());
    setFault(found);
    if (found !== undefined || busy || offline !== undefined) return;
    setBusy(true);
    setRefusal(undefined);
    try {
      const inverse = await actOnLead(lead.id, requestOf(name, form));
      refreshLeads(lead.campaign);
      const done = t(`leads.done_${name}`, { name: nameOf(lead, t) });
      offerUndo(done, inverse === null ? undefined : () => actOnLead(lead.id, inverse).then(() => refreshLeads(lead.campaign)));
      onClose();
    } catch (problem) {
      const words = problem instanceof ApiProblem && problem.message !== "" ? problem.message : problemWords(problem, t);
      if (isOvertaken(problem)) {
        refreshLeads(lead.campaign);
        onOvertaken(t("leads.overtaken", { action: t(`leads.act_${name}`), why: words }));
        return onClose();
      }
      setRefusal(words);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`${t(`leads.act_${name}`)} · ${nameOf(lead, t)}`} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind={name === "blacklist" ? "danger" : "primary"} type="submit" form="lead-action" busy={busy} refusal={offline}>{t(`leads.act_${name}`)}</Button>
      </>
    }>
      <p>{t(`leads.ask_${name}`)}</p>
      <form id="lead-action" className="form" onSubmit={(event) => void send(event)}>
        <ActionFields name={name} form={form} fault={fault} onChange={(next) => { setForm(next); setFault(undefined); }} />
      </form>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}
