import { useState } from "react";
import { post, newKey } from "../../api/call";
import type { Task } from "../../api/words";
import { Button } from "../../kit/Button";
import { problemWords } from "../../kit/States";
import { isOpenTask, useTask } from "../../pages/campaigns/start/data";
import { useLanguage, useWords } from "../../words";
import { visible } from "../../words/format";
import { askStory } from "./call-data";
import { clockMs } from "./clock-ms";

interface Words {
  en: string;
  zh: string;
}

/** What the task of a story has as its result. */
interface StoryResult {
  found: boolean;
  words: Words | null;
  call: { lines: { at: string; words: Words }[]; verdict: { en: string | null; zh: string | null }; reason: { expected_free: number; expected_answers: number; risk: number } | null } | null;
  cut_short: Words | null;
}

/** Why the call was dialled and what became of it, as the journal of that time tells it: a task, which may be cancelled. */
export function Story({ attempt }: { attempt: number }) {
  const t = useWords();
  const language = useLanguage();
  const [id, setId] = useState<number>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const task = useTask(id).data;
  const ask = () => {
    setBusy(true);
    setProblem(undefined);
    askStory(attempt).then((answer) => setId(answer.task), setProblem).finally(() => setBusy(false));
  };
  const cancel = () => {
    if (id !== undefined) post("/api/v1/tasks/{id}/actions", { path: { id }, body: { action: "cancel" }, key: newKey() }).then(() => undefined, setProblem);
  };
  const isOpen = task !== undefined && isOpenTask(task);
  return (
    <div className="story">
      {isOpen ? <p role="status">{task.words[language]} <Button kind="link" size="small" onClick={cancel}>{t("common.cancel")}</Button></p> : null}
      {task === undefined || isOpen ? null : <Told task={task} />}
      {isOpen || task?.state === "done" ? null : <p><Button size="small" busy={busy || (id !== undefined && task === undefined)} onClick={ask}>{t(task === undefined ? "call.askStory" : "common.retry")}</Button> <span className="hint">{t("call.storyHelp")}</span></p>}
      {problem === undefined ? null : <p className="refusal" role="alert">{problemWords(problem, t)}</p>}
    </div>
  );
}

function Told({ task }: { task: Task }) {
  const t = useWords();
  const language = useLanguage();
  if (task.state === "cancelled") return <p className="hint">{t("call.storyCancelled")}</p>;
  if (task.state === "failed") return <p className="refusal" role="alert">{task.error?.[language]}</p>;
  const story = task.result as unknown as StoryResult | null;
  if (story === null || !story.found || story.call === null) return <p>{story?.words?.[language] ?? t("call.storyNone")}</p>;
  const { reason, verdict, lines } = story.call;
  const whole = verdict[language];
  return (
    <>
      {reason === null ? null : (
        <dl className="facts">
          <dt>{t("call.expectedFree")}</dt><dd>{reason.expected_free.toFixed(1)}</dd>
          <dt>{t("call.expectedAnswers")}</dt><dd>{reason.expected_answers.toFixed(1)}</dd>
          <dt>{t("call.risk")}</dt><dd>{(reason.risk * 100).toFixed(1)} %</dd>
        </dl>
      )}
      <ol className="path story-lines">
        {lines.map((it, n) => <li key={n}><time dateTime={it.at} title={it.at}>{clockMs(new Date(it.at))}</time><span>{visible(it.words[language])}</span></li>)}
      </ol>
      {whole === null ? null : <p className="why-words">{visible(whole)}</p>}
      {story.cut_short === null ? null : <p className="refusal">{story.cut_short[language]}</p>}
    </>
  );
}
