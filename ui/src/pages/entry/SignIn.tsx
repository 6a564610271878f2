import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent, type KeyboardEvent } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { ApiProblem, get } from "../../api/call";
import { Button } from "../../kit/Button";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useSecond } from "../../live/clock";
import { signIn, useSession } from "../../session";
import { useWords } from "../../words";
import { EntryBox } from "./EntryBox";

/** A path of this console; anything else could lead a person who just typed a password to another site. */
export function nextPath(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

/** `/sign-in`: login and password, one page for all roles; then to `next`, or to the role's first page. */
export default function SignIn() {
  const t = useWords();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const next = nextPath(search.get("next"));
  const { data: me } = useSession();
  const { data: setup } = useQuery({ queryKey: ["setup"], queryFn: ({ signal }) => get("/api/v1/setup", { signal }) });
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [hasCapsLock, setCapsLock] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [until, setUntil] = useState(0);
  useSecond();
  const wait = Math.ceil((until - Date.now()) / 1000);

  useEffect(() => {
    document.title = `${t("entry.signIn")} · Paceline`;
    if (me) void navigate(next, { replace: true });
    else if (setup?.needs_account) void navigate(`/welcome${location.hash}`, { replace: true });
  }, [me, navigate, next, setup, t]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    setProblem(undefined);
    signIn(login.trim(), password).catch((refused: unknown) => {
      setBusy(false);
      setProblem(refused);
      if (refused instanceof ApiProblem && refused.code === "slow_down") setUntil(Date.now() + (refused.retryAfter ?? 1) * 1000);
    });
  };
  const onKeyUp = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));
  const isThrottled = wait > 0;
  return (
    <EntryBox>
      <h1>{t("entry.signIn")}</h1>
      <form onSubmit={submit} className="form">
        <Field label={t("entry.login")} value={login} onChange={setLogin} autoComplete="username" autoFocus maxLength={128}
          help={setup?.organisations ? t("entry.loginHelp") : undefined} />
        <Field label={t("entry.password")} type="password" value={password} onChange={setPassword} autoComplete="current-password" maxLength={256} onKeyUp={onKeyUp}
          help={hasCapsLock ? t("entry.capsLock") : undefined} fault={problem === undefined || isThrottled ? undefined : problemWords(problem, t)} />
        <Button type="submit" kind="primary" size="large" busy={busy} refusal={isThrottled ? t("problem.slow_down", { n: wait }) : undefined}>
          {isThrottled ? t("entry.wait", { n: wait }) : t("entry.signIn")}
        </Button>
      </form>
    </EntryBox>
  );
}
