import { useEffect, useRef, useState } from "react";
import { address, ApiProblem } from "../../api/call";
import { sendFile, type Sending } from "../../api/send-file";
import type { CallerIdDetail } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { problemWords } from "../../kit/States";
import { keepCallerId } from "../../pages/caller-ids/data";
import { PROOF_TYPES, proofFault } from "../../pages/caller-ids/proof";
import { ProofView } from "../../pages/caller-ids/ProofView";
import { useWords } from "../../words";

/** The paper that shows who holds the number, and another in its place. */
export function CallerIdProof({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  const box = useRef<HTMLInputElement>(null);
  const sending = useRef<Sending<CallerIdDetail>>(undefined);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const offline = useOfflineReason();
  // Leaving the drawer ends the upload: half a file is of no use to anybody.
  useEffect(() => () => sending.current?.stop(), []);
  const send = async (file: File | undefined) => {
    if (file === undefined || busy || offline !== undefined) return;
    const fault = proofFault(file.size);
    setRefusal(fault === undefined ? undefined : t(`callerIds.proof_${fault}`));
    if (fault !== undefined) return;
    setBusy(true);
    const begun = sendFile<CallerIdDetail>(address("/api/v1/caller-ids/{caller_id}/proof", { caller_id: row.number }), file, () => undefined);
    sending.current = begun;
    try {
      keepCallerId(await begun.answer);
    } catch (problem) {
      if (!(problem instanceof ApiProblem)) throw problem;
      if (problem.code === "too_large") setRefusal(t("callerIds.proof_large"));
      else if (problem.code === "not_a_proof") setRefusal(t("callerIds.proof_kind"));
      else if (problem.code !== "stopped") setRefusal(problemWords(problem, t));
    } finally {
      sending.current = undefined;
      setBusy(false);
    }
  };
  const isApprovalLost = row.approval === "approved" || row.approval === "waiting";
  return (
    <section>
      <div className="part-head">
        <h3>{t("callerIds.proof")}</h3>
        {row.state === "retired" ? null : <Button kind="link" size="small" refusal={offline} busy={busy} onClick={() => box.current?.click()}>{t(row.proof === null ? "callerIds.addProof" : "callerIds.otherProof")}</Button>}
        <input ref={box} className="visually-hidden" type="file" tabIndex={-1} accept={PROOF_TYPES} aria-label={t("callerIds.proofFile")} onChange={(event) => { void send(event.target.files?.[0]); event.target.value = ""; }} />
      </div>
      <ProofView row={row} />
      {row.state === "retired" ? null : <p className="hint">{t("callerIds.proofHelp")}{isApprovalLost ? ` ${t("callerIds.contentAsks")}` : ""}</p>}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </section>
  );
}
