import "../kit/form.css";
import { useState, type FormEvent } from "react";
import { ApiProblem, post } from "../api/call";
import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { problemWords } from "../kit/States";
import { offerUndo } from "../kit/undo";
import { takeAccount, useMe } from "../session";
import { useWords } from "../words";
import { useOfflineReason } from "./LiveState";

/** Characters of a password at least; the service refuses shorter ones. */
const LEAST = 8;

/** One's own password: the present one, and the new one twice. The service signs out every other screen of the account. */
export function ChangePassword({ onClose }: { onClose: () => void }) {
  const t = useWords();
  const me = useMe();
  const offline = useOfflineReason();
  const [old, setOld] = useState("");
  const [wanted, setWanted] = useState("");
  const [again, setAgain] = useState("");
  const [isTried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const isShort = [...wanted].length < LEAST;
  const isOther = wanted !== again;
  const isWrong = problem instanceof ApiProblem && problem.code === "wrong_password";
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (busy || offline !== undefined || old === "" || isShort || isOther) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const answer = await post("/api/v1/me/password", { body: { old, new: wanted } });
      if (!answer.program) takeAccount(answer, me);
      offerUndo(t("frame.passwordChanged"));
      onClose();
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("frame.changePassword")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="primary" type="submit" form="change-password" busy={busy} refusal={offline}>{t("frame.changePassword")}</Button>
      </>
    }>
      <form id="change-password" className="form" noValidate onSubmit={(event) => void send(event)}>
        {/* A password manager keeps the new password under this name. */}
        <input className="visually-hidden" tabIndex={-1} aria-hidden="true" autoComplete="username" readOnly value={me.person.login} />
        <Field label={t("frame.oldPassword")} type="password" value={old} onChange={(value) => { setOld(value); setProblem(undefined); }} autoComplete="current-password" maxLength={256} autoFocus
          fault={isWrong ? t("frame.wrongOld") : isTried && old === "" ? t("entry.required") : undefined} />
        <Field label={t("frame.newPassword")} type="password" value={wanted} onChange={setWanted} autoComplete="new-password" maxLength={256} fault={isTried && isShort ? t("entry.passwordShort") : undefined} />
        <Field label={t("frame.newAgain")} type="password" value={again} onChange={setAgain} autoComplete="new-password" maxLength={256} fault={isTried && !isShort && isOther ? t("frame.notTheSame") : undefined}
          help={t("frame.passwordHelp")} />
        {problem === undefined || isWrong ? null : <p className="refusal" role="alert">{problemWords(problem, t)}</p>}
      </form>
    </Dialog>
  );
}
