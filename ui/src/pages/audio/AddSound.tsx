import { useEffect, useRef, useState, type FormEvent } from "react";
import { ApiProblem, address } from "../../api/call";
import { sendFile, type Sending } from "../../api/send-file";
import type { Sound } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Drawer } from "../../kit/Drawer";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useSearch } from "../../use-search";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { refreshSounds } from "./data";
import { BYTES_MAX, bytes, isName } from "./sound";

type Faults = Partial<Record<"file" | "name", string>>;

/** One sound: the file, the name by which campaigns call it, and how far it has come. A refused upload keeps both. */
export function AddSound({ onAdded }: { onAdded: (id: number) => void }) {
  const t = useWords();
  const [, set] = useSearch();
  const [file, setFile] = useState<File>();
  const [name, setName] = useState("");
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [sent, setSent] = useState<number>();
  const sending = useRef<Sending<Sound>>(undefined);
  const offline = useOfflineReason();
  // Leaving the drawer ends the upload: half a file is of no use to anybody.
  useEffect(() => () => sending.current?.stop(), []);

  const take = (taken: File | undefined) => {
    if (taken === undefined || sent !== undefined) return;
    if (name === "" || name === file?.name) setName(taken.name);
    setFile(taken);
    setFaults({});
    setRefusal(undefined);
  };
  const faultsOf = (): Faults => {
    const found: Faults = {};
    if (file === undefined) found.file = t("audio.fileMissing");
    else if (file.size === 0) found.file = t("audio.fileEmpty");
    else if (file.size > BYTES_MAX) found.file = t("audio.fileTooLarge", { size: bytes(file.size) });
    if (file !== undefined && !isName(name.trim())) found.name = t("audio.nameUnfit");
    return found;
  };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (sent !== undefined || offline !== undefined) return;
    const form = event.currentTarget;
    const found = faultsOf();
    setFaults(found);
    setRefusal(undefined);
    if (file === undefined || Object.keys(found).length > 0) {
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setSent(0);
    const begun = sendFile<Sound>(address("/api/v1/audio", undefined, { name: name.trim() }), file, setSent);
    sending.current = begun;
    try {
      const sound = await begun.answer;
      sending.current = undefined;
      await refreshSounds();
      onAdded(sound.id);
    } catch (problem) {
      sending.current = undefined;
      setSent(undefined);
      if (!(problem instanceof ApiProblem)) throw problem;
      if (problem.code === "taken") setFaults({ name: t("audio.nameTaken") });
      else if (problem.code === "too_large") setFaults({ file: t("audio.fileTooLarge", { size: bytes(file.size) }) });
      else if (problem.code !== "stopped") setRefusal(problemWords(problem, t));
    }
  };
  return (
    <Drawer parameter="add" title={t("audio.add")}>
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <FileBox file={file} fault={faults.file} onTake={take} />
        <Field label={t("audio.name")} value={name} onChange={(text) => { setName(text); setFaults(({ name: _, ...rest }) => rest); }} autoComplete="off" fault={faults.name} help={t("audio.nameHelp")} />
        {sent === undefined || file === undefined ? null : <Progress sent={sent} all={file.size} />}
        {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
        <div className="buttons">
          <Button kind="primary" type="submit" refusal={offline} busy={sent !== undefined}>{t("audio.send")}</Button>
          {sent === undefined ? <Button kind="plain" onClick={() => set({ add: null })}>{t("common.cancel")}</Button>
            : <Button kind="plain" onClick={() => sending.current?.stop()}>{t("audio.stop")}</Button>}
        </div>
      </form>
    </Drawer>
  );
}

/** Chosen, or dropped here. */
function FileBox({ file, fault, onTake }: { file: File | undefined; fault: string | undefined; onTake: (file: File | undefined) => void }) {
  const t = useWords();
  const [isOver, setOver] = useState(false);
  return (
    <div className="field">
      <label htmlFor="sound-file">{t("audio.file")}</label>
      <div className={isOver ? "drop over" : "drop"} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); onTake(event.dataTransfer.files[0]); }}>
        <input id="sound-file" className="visually-hidden" type="file" accept=".wav,.mp3,audio/wav,audio/mpeg" aria-invalid={fault !== undefined || undefined} aria-describedby="sound-file-help" onChange={(event) => onTake(event.target.files?.[0])} />
        <label className="button" htmlFor="sound-file">{t("audio.choose")}</label>
        {file === undefined ? null : <p className="chosen"><strong>{visible(file.name)}</strong> <span className="hint">{bytes(file.size)}</span></p>}
      </div>
      <div id="sound-file-help">{fault === undefined ? null : <p className="fault" role="alert">{fault}</p>}<p className="help">{t("audio.fileHelp")}</p></div>
    </div>
  );
}

function Progress({ sent, all }: { sent: number; all: number }) {
  const t = useWords();
  // Bytes on the wire may be a few more than those of the file.
  const done = Math.min(sent, all);
  return (
    <div className="upload-progress">
      <progress aria-label={t("audio.progress")} max={all} value={done} />
      <p className="hint" role="status">{done < all ? t("audio.sent", { sent: bytes(done), all: bytes(all) }) : t("audio.received")}</p>
    </div>
  );
}
