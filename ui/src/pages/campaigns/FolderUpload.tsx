import "../lists/lists.css";
import { useRef, useState } from "react";
import { Link } from "react-router";
import { ApiProblem } from "../../api/call";
import { FOLDER_MAX, importedFolder, sendFolder, type ImportedFolder } from "../../api/campaign-folder";
import type { Sending } from "../../api/send-file";
import type { Schemas, Task } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { problemWords } from "../../kit/States";
import { hasWord, useLanguage, useWords, type Translate } from "../../words";
import { percent, visible } from "../../words/format";
import { useTask } from "../leads/data";
import { Progress } from "../lists/Progress";
import { size } from "../lists/words";
import { refreshRows } from "./data";

type Phase =
  | { is: "pick" }
  | { is: "sending"; file: File; sent: number; by: Sending<Schemas["CampaignImport"]> }
  | { is: "refused"; file: File; problem: unknown }
  | { is: "begun"; file: File; task: number; campaign: string };

/** Takes a campaign's folder as a zip, under the name and title that are given, or under its own: its way to the service, the task that takes it in, and what came of it. */
export function FolderUpload({ name, title }: { name: string; title: string }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [phase, setPhase] = useState<Phase>({ is: "pick" });
  const [fault, setFault] = useState<string>();
  const [isOver, setOver] = useState(false);
  const current = useRef<File>(null);
  const send = (file: File) => {
    current.current = file;
    const by = sendFolder(file, { name: name.trim(), title: title.trim() }, (sent) => setPhase((was) => (was.is === "sending" && was.file === file ? { ...was, sent } : was)));
    setPhase({ is: "sending", file, sent: 0, by });
    by.answer.then(
      ({ task, campaign }) => { if (current.current === file) setPhase({ is: "begun", file, task, campaign }); },
      (problem: unknown) => {
        if (current.current !== file) return;
        setPhase(problem instanceof ApiProblem && problem.code === "stopped" ? { is: "pick" } : { is: "refused", file, problem });
      },
    );
  };
  const take = (files: FileList | null) => {
    setOver(false);
    const [file, more] = [files?.[0], files?.[1]];
    if (!file) return;
    const unfit = offline ?? (more !== undefined ? t("folder.oneFile")
      : !/\.zip$/i.test(file.name) ? t("folder.noZip", { name: visible(file.name) })
      : file.size > FOLDER_MAX ? t("folder.tooLarge", { name: visible(file.name), size: size(file.size), max: size(FOLDER_MAX) })
      : undefined);
    setFault(unfit);
    if (unfit === undefined) send(file);
  };
  const again = () => setPhase({ is: "pick" });
  return (
    <section className="file-pick" aria-labelledby="folder-title">
      <h2 id="folder-title">{t("folder.title")}</h2>
      <p className="hint">{t("folder.names")}</p>
      {phase.is === "pick" ? (
        <label className={isOver ? "drop over" : "drop"}
          onDragOver={(event) => { event.preventDefault(); setOver(true); }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => { event.preventDefault(); take(event.dataTransfer.files); }}>
          <input className="visually-hidden" type="file" accept=".zip,application/zip" aria-describedby="folder-help" onChange={(event) => { take(event.target.files); event.target.value = ""; }} />
          <strong>{t("folder.pick")}</strong>
          <span id="folder-help" className="hint">{t("folder.help")}</span>
        </label>
      ) : null}
      {phase.is === "sending" ? (
        <div className="file-pick status">
          <p><strong>{visible(phase.file.name)}</strong> {phase.sent >= phase.file.size ? t("folder.checking") : t("lists.sent", { share: percent(phase.file.size === 0 ? 1 : phase.sent / phase.file.size, 0), sent: size(phase.sent), size: size(phase.file.size) })}</p>
          <Progress label={t("lists.sending", { name: visible(phase.file.name) })} done={phase.sent} total={phase.file.size} />
          <div className="buttons"><Button kind="plain" onClick={phase.by.stop}>{t("lists.stopSending")}</Button></div>
        </div>
      ) : null}
      {phase.is === "refused" ? (
        <div className="file-pick status" role="alert">
          <p><strong>{visible(phase.file.name)}</strong> {t("folder.notTaken")}</p>
          <p className="refusal">{folderProblem(phase.problem, t)}</p>
          <div className="buttons"><Button onClick={() => send(phase.file)}>{t("lists.sendAgain")}</Button><Button kind="plain" onClick={again}>{t("folder.other")}</Button></div>
        </div>
      ) : null}
      {phase.is === "begun" ? <Importing task={phase.task} campaign={phase.campaign} onAgain={again} /> : null}
      <p className="refusal" role="alert">{fault}</p>
    </section>
  );
}

/** A text with faults is said with each of them; a taken name belongs to the folder's text. */
function folderProblem(problem: unknown, t: Translate): string {
  if (problem instanceof ApiProblem && ["campaign_faulty", "folder_unfit", "name_taken"].includes(problem.code) && problem.message !== "") return visible(problem.message);
  return visible(problemWords(problem, t));
}

function Importing({ task: id, campaign, onAgain }: { task: number; campaign: string; onAgain: () => void }) {
  const t = useWords();
  const language = useLanguage();
  const { data: task } = useTask(id);
  const name = visible(campaign);
  if (task === undefined || task.state === "queued" || task.state === "running") {
    return (
      <div className="file-pick status" role="status">
        <p><strong>{name}</strong> {task?.words[language] ?? t("folder.queued")}</p>
        <Progress label={t("folder.importing", { name })} done={task?.done ?? 0} total={task?.total ?? 0} />
        <p className="hint">{t("folder.mayLeave")}</p>
      </div>
    );
  }
  if (task.state !== "done") {
    return (
      <div className="file-pick status" role="alert">
        <p><strong>{name}</strong> {t("folder.notTaken")}</p>
        <p className="refusal">{visible(task.error?.[language] ?? task.words[language])}</p>
        <div className="buttons"><Button onClick={onAgain}>{t("folder.other")}</Button></div>
      </div>
    );
  }
  return <Imported task={task} campaign={campaign} />;
}

function Imported({ task, campaign }: { task: Task; campaign: string }) {
  const t = useWords();
  const folder: ImportedFolder = importedFolder(task);
  const state = `folder.list_${folder.list?.state ?? "none"}`;
  const list = folder.list?.state === "loaded" ? t("folder.list_loaded", { n: folder.list.new_leads ?? 0 }) : hasWord(state) ? t(state) : null;
  const path = `/campaigns/${encodeURIComponent(campaign)}`;
  return (
    <div className="file-pick status" role="status">
      <p><strong>{t("folder.done", { name: visible(campaign) })}</strong></p>
      <p>{list}</p>
      {folder.ignored.length === 0 ? null : <p className="hint">{t("folder.ignored", { names: folder.ignored.map(visible).join(", ") })}</p>}
      <div className="buttons">
        <Link className="button primary" to={`${path}/start`} onClick={() => void refreshRows()}>{t("folder.toStart")}</Link>
        <Link className="button" to={`${path}/settings`}>{t("folder.toSettings")}</Link>
      </div>
    </div>
  );
}
