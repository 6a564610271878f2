import { useState, type FormEvent } from "react";
import { newKey, post } from "../../api/call";
import type { Approval } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useWords } from "../../words";
import { telephone, visible } from "../../words/format";
import { refreshSounds } from "../audio/data";
import { refreshCallerIds } from "../caller-ids/data";
import { refreshApprovals } from "./data";

/** Longest reason, in characters. */
const NOTE_MAX = 64;

interface Props {
  approval: Approval;
  /** Why it cannot be approved yet. */
  wait: string | undefined;
  onDecided: (words: string) => void;
}

/** Approve, or send back with a reason. */
export function Decide({ approval, wait, onDecided }: Props) {
  const t = useWords();
  const offline = useOfflineReason();
  const [isRefusing, setRefusing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const title = approval.kind === "caller_id" ? telephone(approval.title) : visible(approval.title);
  /** @throws ApiProblem */
  const send = async (body: { action: "approve" } | { action: "refuse"; note: string }) => {
    await post("/api/v1/approvals/{id}/actions", { path: { id: approval.id }, body, key: newKey() }).catch((problem: unknown) => {
      // Somebody else may have decided meanwhile: the inbox shows what holds.
      void refreshApprovals();
      throw problem;
    });
    await Promise.all([refreshApprovals(), refreshSounds(), refreshCallerIds()]);
    onDecided(t(body.action === "approve" ? "approvals.approvedNow" : "approvals.refusedNow", { title }));
  };
  const approve = async () => {
    setBusy(true);
    setRefusal(undefined);
    try {
      await send({ action: "approve" });
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      setBusy(false);
    }
  };
  return (
    <div className="decide">
      <Button kind="primary" busy={busy} refusal={offline ?? wait} onClick={() => void approve()}>{t("approvals.approve")}</Button>
      <Button refusal={offline} onClick={() => setRefusing(true)}>{t("approvals.refuse")}</Button>
      {wait === undefined ? null : <span className="hint">{wait}</span>}
      {refusal === undefined ? null : <span className="refusal" role="alert">{refusal}</span>}
      {isRefusing ? <AskReason title={title} onClose={() => setRefusing(false)} send={(note) => send({ action: "refuse", note })} /> : null}
    </div>
  );
}

function AskReason({ title, onClose, send }: { title: string; onClose: () => void; send: (note: string) => Promise<void> }) {
  const t = useWords();
  const [note, setNote] = useState("");
  const [fault, setFault] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const length = [...note.trim()].length;
    if (length === 0 || length > NOTE_MAX) return setFault(t("approvals.reasonMissing"));
    setBusy(true);
    setFault(undefined);
    try {
      await send(note.trim());
    } catch (problem) {
      setFault(problemWords(problem, t));
      setBusy(false);
    }
  };
  return (
    <form noValidate onSubmit={(event) => void submit(event)}>
      <Dialog title={t("approvals.refuseTitle", { title })} onClose={onClose}
        buttons={<><Button kind="plain" onClick={onClose}>{t("common.cancel")}</Button><Button kind="danger" type="submit" busy={busy}>{t("approvals.refuseNow")}</Button></>}>
        <Field label={t("approvals.reason")} value={note} onChange={setNote} maxLength={NOTE_MAX} autoComplete="off" autoFocus fault={fault} help={t("approvals.reasonHelp")} />
      </Dialog>
    </form>
  );
}
