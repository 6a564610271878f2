import { useState, type FormEvent } from "react";
import { useNavigate } from "react-router";
import { ApiProblem, post } from "../../api/call";
import { Button } from "../../kit/Button";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { takeAccount } from "../../session";
import { useLanguage, useWords } from "../../words";

/** As the service has it. */
const PASSWORD_MIN = 8;

/** The first account, with the set-up code that the service prints at its start. */
export function FirstAccount({ onMade }: { onMade: () => void }) {
  const t = useWords();
  const language = useLanguage();
  const navigate = useNavigate();
  // The code stands behind `#`, so that it reaches no log and no other page.
  const [code, setCode] = useState(() => decodeURIComponent(location.hash.slice(1)));
  const [name, setName] = useState("");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [isTried, setTried] = useState(false);
  const missing = (value: string) => (isTried && value.trim() === "" ? t("entry.required") : undefined);
  const isShort = password.length < PASSWORD_MIN;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (busy || isShort || [code, name, login].some((value) => value.trim() === "")) return;
    setBusy(true);
    setProblem(undefined);
    post("/api/v1/setup", { body: { code: code.trim(), name: name.trim(), login: login.trim(), password, language } }).then(
      (answer) => {
        if (!answer.program) takeAccount(answer);
        onMade();
      },
      (refused: unknown) => {
        setBusy(false);
        setProblem(refused);
      },
    );
  };
  const isDone = problem instanceof ApiProblem && problem.code === "already_done";
  return (
    <form onSubmit={submit} className="form" noValidate>
      <p>{t("entry.welcomeHelp")}</p>
      <div className="pair">
        <Field label={t("entry.name")} value={name} onChange={setName} autoComplete="name" autoFocus maxLength={128} fault={missing(name)} />
        <Field label={t("entry.login")} value={login} onChange={setLogin} autoComplete="username" maxLength={128} fault={missing(login)} />
      </div>
      <Field label={t("entry.newPassword")} type="password" value={password} onChange={setPassword} autoComplete="new-password" maxLength={256} fault={isTried && isShort ? t("entry.passwordShort") : undefined} />
      <Field label={t("entry.code")} value={code} onChange={setCode} autoComplete="off" maxLength={64} help={t("entry.codeHelp")} fault={missing(code)} />
      {problem === undefined ? null : <p className="refusal" role="alert">{problemWords(problem, t)}</p>}
      {isDone ? <Button size="large" onClick={() => void navigate("/sign-in")}>{t("entry.signIn")}</Button>
        : <Button type="submit" kind="primary" size="large" busy={busy}>{t("entry.create")}</Button>}
    </form>
  );
}
