import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { percent, visible } from "../../words/format";
import { Progress } from "./Progress";
import { exceeded } from "./files";
import { beginUpload, endUpload, sendAgain, useUpload, type Upload } from "./uploads";
import { listProblem, size } from "./words";

/** Takes one file by drag and drop or by the system's chooser, shows its way to the service, and opens the list that came of it. */
export function FilePick({ campaign, label, help }: { campaign: string; label: string; help: string }) {
  const t = useWords();
  const { person } = useMe();
  const offline = useOfflineReason();
  const upload = useUpload(campaign, person.login);
  const navigate = useNavigate();
  // A list that was sent from here opens as soon as it is there.
  const taken = upload?.phase === "done" ? upload.list : undefined;
  useEffect(() => {
    if (taken === undefined) return;
    endUpload();
    void navigate(`/campaigns/${encodeURIComponent(campaign)}/lists/${taken}`);
  }, [taken, campaign, navigate]);
  const [isOver, setOver] = useState(false);
  const [fault, setFault] = useState<string>();
  const take = (files: FileList | null) => {
    setOver(false);
    const [file, more] = [files?.[0], files?.[1]];
    if (!file) return;
    const max = exceeded(file.name, file.size);
    const unfit = offline ?? (more !== undefined ? t("lists.oneFile")
      : file.size === 0 ? t("lists.emptyFile", { name: visible(file.name) })
      : max !== undefined ? t("lists.tooLarge", { name: visible(file.name), size: size(file.size), max: size(max) })
      : /\.(xls|et|ods|numbers|pdf|docx?|zip|rar|7z)$/i.test(file.name) ? t("lists.otherKind", { name: visible(file.name) })
      : undefined);
    setFault(unfit);
    if (unfit === undefined) beginUpload(campaign, person.login, file);
  };
  if (upload !== undefined && upload.phase !== "done") return <OnItsWay upload={upload} />;
  return (
    <div className="file-pick">
      <label className={isOver ? "drop over" : "drop"}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); take(event.dataTransfer.files); }}>
        <input className="visually-hidden" type="file" accept=".csv,.txt,.tsv,.xlsx,.xlsm" aria-describedby="file-help" onChange={(event) => { take(event.target.files); event.target.value = ""; }} />
        <strong>{label}</strong>
        <span id="file-help" className="hint">{help}</span>
      </label>
      <p className="refusal" role="alert">{fault}</p>
    </div>
  );
}

function OnItsWay({ upload }: { upload: Upload }) {
  const t = useWords();
  const [isEnding, setEnding] = useState(false);
  const name = visible(upload.file.name);
  if (upload.phase === "refused") {
    return (
      <div className="file-pick status" role="alert">
        <p><strong>{name}</strong> {t("lists.notTaken")}</p>
        <p className="refusal">{listProblem(upload.problem, t)}</p>
        <div className="buttons"><Button onClick={sendAgain}>{t("lists.sendAgain")}</Button><Button kind="plain" onClick={endUpload}>{t("lists.otherFile")}</Button></div>
      </div>
    );
  }
  const share = upload.file.size === 0 ? 1 : upload.sent / upload.file.size;
  return (
    <div className="file-pick status">
      <p><strong>{name}</strong> {t("lists.sent", { share: percent(share, 0), sent: size(upload.sent), size: size(upload.file.size) })}{upload.phase === "sent" ? ` · ${t("lists.receiving")}` : ""}</p>
      <Progress label={t("lists.sending", { name })} done={upload.sent} total={upload.file.size} />
      <div className="buttons"><Button kind="plain" onClick={() => setEnding(true)}>{t("lists.stopSending")}</Button><span className="hint">{t("lists.mayLeave")}</span></div>
      {isEnding ? <Dialog title={t("lists.stopSending")} onClose={() => setEnding(false)} buttons={<><Button kind="danger" onClick={endUpload}>{t("lists.stopSending")}</Button><Button onClick={() => setEnding(false)}>{t("lists.goOn")}</Button></>}><p>{t("lists.stopAsk", { name })}</p></Dialog> : null}
    </div>
  );
}
