import { useState, type FormEvent } from "react";
import { ApiProblem, newKey, post } from "../../api/call";
import type { CallerIdDetail } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { keepCallerId, refreshCallerIds } from "../../pages/caller-ids/data";
import { TEXT_MAX } from "../../pages/caller-ids/form";
import { useAccounts } from "../../pages/people/data";
import { useMe } from "../../session";
import { useWords, type Translate } from "../../words";
import { telephone, visible } from "../../words/format";
import { actWord, bodyOf, consequence, isUntil, type Act, type ActForm } from "./acts";

interface Props {
  act: Act;
  row: CallerIdDetail;
  onClose: () => void;
}

const FORM = "caller-id-act";

/** Asks before an act: what follows, and what the act wants to know. */
export function AskAct({ act, row, onClose }: Props) {
  const t = useWords();
  const [form, setForm] = useState<ActForm>({ note: "", until: "", agent: row.bound_agent ?? "" });
  const [fault, setFault] = useState<string>();
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  // Somebody else was faster: the row came anew, and the act is none of its own any more.
  const notNow = row.actions.includes(act) ? undefined : t("callerIds.notNow");
  const run = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || offline !== undefined || notNow !== undefined) return;
    if (act === "rest" && !isUntil(form.until, serverNow())) {
      setFault(t("callerIds.fault_until"));
      return;
    }
    setBusy(true);
    setRefusal(undefined);
    try {
      keepCallerId(await post("/api/v1/caller-ids/{caller_id}/actions", { path: { caller_id: row.number }, body: bodyOf(act, form), etag: row.etag, key: newKey() }));
      onClose();
    } catch (problem) {
      setRefusal(refusalWords(problem, t));
      setBusy(false);
      // What stands there now is what the next try is about.
      void refreshCallerIds();
    }
  };
  const word = t(act === "request" && row.approval === "missing" ? "callerIds.act_approval" : actWord(act, row));
  return (
    <Dialog title={`${word}: ${telephone(row.number)}`} onClose={onClose}
      buttons={<><Button onClick={onClose}>{t("common.cancel")}</Button><Button type="submit" form={FORM} kind={act === "retire" ? "danger" : "primary"} refusal={offline ?? notNow} busy={busy}>{word}</Button></>}>
      <form id={FORM} className="form" noValidate onSubmit={(event) => void run(event)}>
        <p>{t(act === "request" && row.approval === "missing" ? "callerIds.ask_approval" : consequence(act, row))}</p>
        {row.campaigns.length > 0 && (act === "retire" || act === "unbind") ? <p>{t("callerIds.askInUse", { names: row.campaigns.map(visible).join(", ") })}</p> : null}
        {act === "flag" ? <Field label={t("callerIds.flagNote")} value={form.note} onChange={(note) => setForm({ ...form, note })} maxLength={TEXT_MAX} autoComplete="off" autoFocus help={t("callerIds.flagNoteHelp")} /> : null}
        {act === "rest" ? <Field label={t("callerIds.restEnd")} type="datetime-local" value={form.until} onChange={(until) => { setForm({ ...form, until }); setFault(undefined); }} fault={fault} help={t("callerIds.restEndHelp")} /> : null}
        {act === "bind" ? <AgentChoice value={form.agent} onChange={(agent) => setForm({ ...form, agent })} /> : null}
      </form>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Dialog>
  );
}

/** The refusal's sentence; that the state went on meanwhile is said without the service's words for states. */
function refusalWords(problem: unknown, t: Translate): string {
  const isLate = problem instanceof ApiProblem && (["not_in_this_state", "not_approved", "changed"].includes(problem.code));
  return isLate ? t("callerIds.wentOn") : problemWords(problem, t);
}

/** Whose calls alone show the number; a reader who may not see accounts types the agent's number. */
function AgentChoice({ value, onChange }: { value: string; onChange: (agent: string) => void }) {
  const t = useWords();
  const mayChoose = useMe().rights.has("people.read");
  const { data: accounts } = useAccounts(mayChoose);
  if (!mayChoose) return <Field label={t("callerIds.agent")} value={value} onChange={onChange} inputMode="numeric" maxLength={32} autoComplete="off" help={t("callerIds.agentHelp")} />;
  const agents = (accounts ?? []).filter((it) => it.role === "agent" || it.role === "lead" || it.number === value);
  return (
    <Select label={t("callerIds.agent")} value={value} onChange={onChange} help={t("callerIds.agentHelp")}
      options={[{ value: "", label: t("callerIds.noAgent") }, ...agents.map((it) => ({ value: it.number, label: `${it.number} ${visible(it.name)}` }))]} />
  );
}
