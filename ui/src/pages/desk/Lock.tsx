import { useState } from "react";
import { newKey, post } from "../../api/call";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { problemWords } from "../../kit/States";
import { useLanguage, useWords } from "../../words";
import { visible } from "../../words/format";
import { usePauseReasons } from "./data";
import { readMeAgain } from "./LockScreen";

/** Asks for the reason of the pause that comes with the lock. */
export function Lock({ onClose }: { onClose: () => void }) {
  const t = useWords();
  const language = useLanguage();
  const { data } = usePauseReasons();
  const [busy, setBusy] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const lock = (reason: string) => {
    setBusy(reason);
    post("/api/v1/me/lock", { body: { reason }, key: newKey() }).then(() => readMeAgain()).then(onClose, (refused: unknown) => {
      setProblem(refused);
      setBusy(undefined);
    });
  };
  return (
    <Dialog title={t("desk.lock")} onClose={onClose} buttons={<Button onClick={onClose}>{t("common.cancel")}</Button>}>
      <p>{t("desk.lockAsk")}</p>
      <div className="reasons">{(data?.items ?? []).map((it) => <Button key={it.code} busy={busy === it.code} onClick={() => lock(it.code)}>{visible(it.label[language])}</Button>)}</div>
      {problem === undefined ? null : <p className="refusal" role="alert">{problemWords(problem, t)}</p>}
    </Dialog>
  );
}
