import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { TraceOf } from "../../drawers/call/TraceOf";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useDrawerLink } from "../../use-search";
import { useWords } from "../../words";
import { narrow } from "../../words/width";
import { act } from "./data";

/** One call over this trunk to a number of the reader's own, and what it did, message by message. */
export function TestTrunk({ name }: { name: string }) {
  const t = useWords();
  const link = useDrawerLink();
  const offline = useOfflineReason();
  const [number, setNumber] = useState("");
  const [busy, setBusy] = useState(false);
  const [attempt, setAttempt] = useState<number>();
  const [problem, setProblem] = useState<unknown>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || offline !== undefined || number.trim() === "") return;
    setBusy(true);
    setProblem(undefined);
    setAttempt(undefined);
    act(name, { action: "test_call", number: narrow(number).replace(/[\s-]/g, "") }).then(
      (placed) => setAttempt(placed.attempt ?? undefined),
      (refused: unknown) => setProblem(refused),
    ).finally(() => setBusy(false));
  };
  return (
    <div className="trunk-test">
      <form className="test-form" onSubmit={submit}>
        <Field label={t("trunks.testNumber")} type="tel" value={number} onChange={setNumber} autoComplete="off" fault={problem === undefined ? undefined : problemWords(problem, t)} help={t("trunks.testHelp")} />
        <Button type="submit" busy={busy} refusal={offline ?? (number.trim() === "" ? t("entry.required") : undefined)}>{t("trunks.testNow")}</Button>
      </form>
      {attempt === undefined ? null : <TraceOf key={attempt} attempt={attempt}><p><Link to={link({ call: `out-${attempt}` })}>{t("start.toCall")}</Link></p></TraceOf>}
    </div>
  );
}
