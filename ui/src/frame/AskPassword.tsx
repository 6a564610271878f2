import { useEffect, useRef, useState, type FormEvent } from "react";
import { useNavigate } from "react-router";
import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { problemWords } from "../kit/States";
import { signIn, signOut, tryAgain, useMe } from "../session";
import { useWords } from "../words";

/** The session ended under an open page: the page stays mounted, the same person goes on after the password. */
export function AskPassword() {
  const t = useWords();
  const { person } = useMe();
  const navigate = useNavigate();
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const look = () => void (document.visibilityState === "visible" && tryAgain());
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const leave = () => void signOut().then(() => navigate("/sign-in"), setProblem);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    signIn(person.login, password).catch((refused: unknown) => {
      setProblem(refused);
      setBusy(false);
    });
  };
  return (
    <Dialog title={t("frame.expired")} onClose={() => undefined} buttons={
      <>
        <Button onClick={leave}>{t("frame.signOut")}</Button>
        <Button kind="primary" busy={busy} onClick={() => form.current?.requestSubmit()}>{t("entry.signIn")}</Button>
      </>
    }>
      <form ref={form} onSubmit={submit} className="form">
        <p>{t("frame.expiredHelp")}</p>
        <Field label={`${person.name} · ${t("entry.password")}`} type="password" value={password} onChange={setPassword} autoComplete="current-password" autoFocus
          fault={problem === undefined ? undefined : problemWords(problem, t)} />
      </form>
    </Dialog>
  );
}
