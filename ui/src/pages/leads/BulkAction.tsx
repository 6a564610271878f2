import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { actOnLeads, countLeads, type LeadActionName, type LeadTarget } from "../../api/leads-table";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Failed, problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { hasWord, useWords, type Translate } from "../../words";
import { count, visible } from "../../words/format";
import { Progress } from "../lists/Progress";
import { faultOf, NO_ACTION, nextHour, requestOf, type ActionFault } from "./action-form";
import { ActionFields } from "./ActionFields";
import { changedLeads, refreshLeads, useTask } from "./data";

interface Props {
  campaign: string;
  name: LeadActionName;
  target: LeadTarget;
  onClose: () => void;
  /** The action ran to its end. */
  onDone: () => void;
}

/** An action on many leads: counted first by the service, then a task with its progress, then done and refused by reason. No undo. */
export function BulkAction(props: Props) {
  const [task, setTask] = useState<number>();
  return task === undefined ? <Ask {...props} onBegun={setTask} /> : <Running {...props} task={task} />;
}

function Ask({ campaign, name, target, onClose, onBegun }: Props & { onBegun: (task: number) => void }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [form, setForm] = useState(() => ({ ...NO_ACTION, at: nextHour(new Date(serverNow())) }));
  const [fault, setFault] = useState<ActionFault>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  // The count does not hang on what is typed, only on who is meant.
  const counted = useQuery({ queryKey: ["lead-count", campaign, name, target], queryFn: () => countLeads(campaign, countedAction(name), target), staleTime: 0, gcTime: 0 });
  const n = counted.data?.count;
  const send = (event: FormEvent) => {
    event.preventDefault();
    const found = faultOf(name, form, serverNow());
    setFault(found);
    if (found !== undefined || busy || n === undefined || n === 0 || offline !== undefined) return;
    setBusy(true);
    setProblem(undefined);
    actOnLeads(campaign, requestOf(name, form), target).then(onBegun, (refused: unknown) => {
      setProblem(refused);
      setBusy(false);
    });
  };
  const act = t(`leads.act_${name}`);
  return (
    <Dialog title={t("leads.bulkTitle", { action: act })} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="danger" type="submit" form="bulk-action" busy={busy} refusal={offline ?? (n === undefined ? t("leads.counting") : n === 0 ? t("leads.bulkNobody") : undefined)}>{n === undefined ? act : t("leads.bulkNow", { action: act, n: count(n) })}</Button>
      </>
    }>
      {counted.error ? <Failed problem={counted.error} onRetry={() => void counted.refetch()} /> : <p role="status">{n === undefined ? t("leads.counting") : t("leads.bulkCount", { n: count(n) })}</p>}
      <p>{t(`leads.ask_${name}`)} {t("leads.bulkNoUndo")}</p>
      <form id="bulk-action" className="form" onSubmit={send}>
        <ActionFields name={name} form={form} fault={fault} onChange={(next) => { setForm(next); setFault(undefined); }} />
      </form>
      {problem === undefined ? null : <p className="refusal" role="alert">{problemWords(problem, t)}</p>}
    </Dialog>
  );
}

/** The fields of an action that the service asks for, filled so that it counts. */
function countedAction(name: LeadActionName) {
  if (name === "book") return { action: name, at: new Date(serverNow() + 86_400_000).toISOString() };
  return { action: name };
}

function Running({ campaign, name, task: id, onClose, onDone }: Props & { task: number }) {
  const t = useWords();
  const { data: task, error, refetch } = useTask(id);
  const result = task === undefined ? undefined : changedLeads(task);
  const isOver = task !== undefined && task.state !== "queued" && task.state !== "running";
  const close = () => {
    refreshLeads(campaign);
    if (isOver) onDone();
    onClose();
  };
  const act = t(`leads.act_${name}`);
  return (
    <Dialog title={t("leads.bulkTitle", { action: act })} onClose={close} buttons={<Button kind={isOver ? "primary" : undefined} onClick={close}>{t(isOver ? "common.close" : "leads.bulkBehind")}</Button>}>
      {error && task === undefined ? <Failed problem={error} onRetry={() => void refetch()} /> : (
        <>
          <Progress label={act} done={task?.done ?? 0} total={task?.total ?? 0} />
          <p role="status">{result !== undefined ? t("leads.bulkDone", { n: count(result.done) }) : isOver ? t("leads.bulkFailed") : t("leads.bulkRunning", { n: count(task?.done ?? 0), all: count(task?.total ?? 0) })}</p>
          {task?.error ? <p className="refusal" role="alert">{t("leads.bulkFailed")}</p> : null}
          {result === undefined || Object.keys(result.refused).length === 0 ? null : <Refused refused={result.refused} />}
        </>
      )}
    </Dialog>
  );
}

/** The word of a reason for which a lead stayed as it was. */
function refusalWords(reason: string, t: Translate): string {
  for (const key of [`leadRefused.${reason}`, `leadReason.${reason}`, `lead.${reason}`]) if (hasWord(key)) return t(key);
  return visible(reason);
}

function Refused({ refused }: { refused: Record<string, number> }) {
  const t = useWords();
  return (
    <table className="table">
      <thead><tr><th scope="col">{t("leads.refused")}</th><th scope="col" className="number">{t("campaigns.count")}</th></tr></thead>
      <tbody>{Object.entries(refused).sort(([, a], [, b]) => b - a).map(([reason, n]) => <tr key={reason}><td>{refusalWords(reason, t)}</td><td className="number">{count(n)}</td></tr>)}</tbody>
    </table>
  );
}
