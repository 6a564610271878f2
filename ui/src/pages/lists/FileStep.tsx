import type { ListDetail } from "../../api/words";
import { address } from "../../api/call";
import { Button } from "../../kit/Button";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { useLanguage, useWords } from "../../words";
import { moment, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { cancelTask, isAtWork, isTaskOpen } from "./data";
import { Progress } from "./Progress";
import { Step } from "./Step";
import { useSend } from "./use-send";
import { size } from "./words";

/** Step 1: the file as it came, and how far the task is that works on it. */
export function FileStep({ list }: { list: ListDetail }) {
  const t = useWords();
  const language = useLanguage();
  const { rights } = useMe();
  const { run, busy, refusal } = useSend();
  const task = list.task;
  const nameOf = usePersonName(list.made_by !== null);
  return (
    <Step id="file" place={1} title={t("lists.stepFile")} beside={<span className="hint">{size(list.bytes)} · {list.made_by === null ? t("lists.byProgram") : t("lists.byPerson", { number: nameOf(list.made_by) })} · {moment(new Date(list.made_at), new Date(serverNow()))}</span>}>
      <div className="line-of">
        <span>{visible(list.file_name)}</span>
        {rights.has("numbers.read") ? <a href={address("/api/v1/lists/{id}/file", { id: list.id })} download>{t("lists.asSent")}</a> : null}
      </div>
      {isTaskOpen(task) && isAtWork(list) ? (
        <div className="task">
          <p role="status">{task.words[language]}</p>
          <Progress label={task.words[language]} done={task.done} total={task.total} />
          <div className="line-of"><Button size="small" busy={busy} onClick={() => run(() => cancelTask(list, task))}>{t("lists.cancelTask")}</Button><span className="hint">{t("lists.taskGoesOn")}</span></div>
        </div>
      ) : null}
      {task?.error && list.state !== "unreadable" ? <p className="refusal" role="alert">{visible(task.error[language])}</p> : null}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
    </Step>
  );
}
