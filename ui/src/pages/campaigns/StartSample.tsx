import "./campaigns.css";
import { useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { ApiProblem, newKey, post } from "../../api/call";
import { Button } from "../../kit/Button";
import { problemWords } from "../../kit/States";
import { useLanguage, useWords } from "../../words";
import { visible } from "../../words/format";
import { isOpenTask, useTask } from "./start/data";

interface Begun {
  task: number;
  campaign: string;
}

/** The address of the sample campaign, where the service refuses because it is there already. */
function placeOf(problem: unknown): string | undefined {
  const href = problem instanceof ApiProblem ? problem.problem?.href : undefined;
  return href?.startsWith("/campaigns/") ? href : undefined;
}

/** Starts the sample campaign, and opens its live page once the service has opened it. */
export function StartSample({ size }: { size?: "large" }) {
  const t = useWords();
  const language = useLanguage();
  const navigate = useNavigate();
  const [begun, setBegun] = useState<Begun>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const { data: task, error } = useTask(begun?.task);
  const isOver = task !== undefined && !isOpenTask(task);
  useEffect(() => {
    if (task?.state === "done" && begun) void navigate(`/campaigns/${begun.campaign}/live`);
  }, [begun, navigate, task?.state]);
  const start = () => {
    setBusy(true);
    setProblem(undefined);
    setBegun(undefined);
    post("/api/v1/setup/sample", { key: newKey() }).then(setBegun, setProblem).finally(() => setBusy(false));
  };
  const why = isOver && task.state !== "done" ? visible(task.error?.[language] ?? task.words[language]) : error ? problemWords(error, t) : problem === undefined ? undefined : problemWords(problem, t);
  const place = placeOf(problem);
  const isStarting = busy || (begun !== undefined && why === undefined);
  return (
    <div className="start-sample">
      {place === undefined ? <Button kind="primary" size={size} busy={isStarting} onClick={start}>{why === undefined ? t("sample.start") : t("sample.again")}</Button>
        : <Link className={size === "large" ? "button primary large" : "button primary"} to={place}>{t("sample.toLive")}</Link>}
      {isStarting ? <p className="sent" role="status">{t("sample.starting")}</p> : null}
      {why === undefined ? null : <div role="alert"><p className={place === undefined ? "refusal" : undefined}>{place === undefined ? t("sample.failed", { why }) : why}</p>{place === undefined ? <p className="hint">{t("sample.failedHelp")}</p> : null}</div>}
    </div>
  );
}
