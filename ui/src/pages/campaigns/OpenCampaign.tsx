import { useState } from "react";
import { useNavigate } from "react-router";
import { newKey, post } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useWords } from "../../words";

/** Opens a campaign file of the service's folder; then leads to its live page. */
export function OpenCampaign({ kind }: { kind?: "primary" }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button kind={kind} refusal={offline} onClick={() => setOpen(true)}>{t("campaigns.openFile")}</Button>
      {isOpen ? <FileDialog onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function FileDialog({ onClose }: { onClose: () => void }) {
  const t = useWords();
  const navigate = useNavigate();
  const [file, setFile] = useState("");
  const [isPaused, setPaused] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const send = () => {
    setBusy(true);
    setProblem(undefined);
    post("/api/v1/campaigns", { body: { file: file.trim(), paused: isPaused }, key: newKey() }).then(
      ({ campaign }) => void navigate(`/campaigns/${encodeURIComponent(campaign)}/live`),
      (refused: unknown) => {
        setBusy(false);
        setProblem(refused);
      },
    );
  };
  return (
    <Dialog title={t("campaigns.openFile")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="primary" busy={busy} refusal={file.trim() === "" ? t("entry.required") : undefined} onClick={send}>{t("common.open")}</Button>
      </>
    }>
      <Field label={t("campaigns.file")} value={file} onChange={setFile} autoFocus autoComplete="off" maxLength={4096} help={t("campaigns.fileHelp")}
        fault={problem === undefined ? undefined : problemWords(problem, t)} />
      <Check label={t("campaigns.startPaused")} isOn={isPaused} onChange={setPaused} />
    </Dialog>
  );
}
