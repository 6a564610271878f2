import { useCallback, useEffect, type FormEvent } from "react";
import { Link } from "react-router";
import type { CampaignState } from "../../../api/words";
import { Button } from "../../../kit/Button";
import { TraceOf } from "../../../drawers/call/TraceOf";
import { Field } from "../../../kit/Field";
import { useDrawerLink } from "../../../use-search";
import { useWords } from "../../../words";
import { useTestCall } from "../TestCall";
import { refreshChecklist } from "./data";

/** One call to a number of the reader's own, and what it did, message by message. */
export function TestPanel({ name, state }: { name: string; state: CampaignState }) {
  const t = useWords();
  const test = useTestCall(name);
  const isBarred = state === "archived";
  const isBefore = state === "draft" || state === "waiting" || state === "ready";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isBarred && test.number.trim() !== "") test.send();
  };
  return (
    <section className="card" aria-label={t("start.test")} id="test">
      <header><h2>{t("start.test")}</h2></header>
      <div className="body forecast">
        <form className="test-form" onSubmit={submit}>
          <Field label={t("campaigns.testCallNumber")} type="tel" value={test.number} onChange={test.setNumber} autoComplete="off" fault={test.fault} />
          <Button type="submit" busy={test.busy} refusal={isBarred ? t("start.testArchived") : test.number.trim() === "" ? t("entry.required") : undefined}>{t("campaigns.callNow")}</Button>
        </form>
        <p className="hint">{t(isBarred ? "start.testArchived" : isBefore ? "start.testBefore" : "campaigns.testCallHelp")}</p>
        {test.attempt === undefined ? <p className="hint">{t("start.testNone")}</p> : <Tested key={test.attempt} attempt={test.attempt} campaign={name} />}
      </div>
    </section>
  );
}

function Tested({ attempt, campaign }: { attempt: number; campaign: string }) {
  const t = useWords();
  const link = useDrawerLink();
  // The check of the test call says what came of this one.
  const onEnded = useCallback(() => refreshChecklist(campaign), [campaign]);
  useEffect(() => refreshChecklist(campaign), [campaign]);
  return <TraceOf attempt={attempt} onEnded={onEnded}><p><Link to={link({ call: `out-${attempt}` })}>{t("start.toCall")}</Link></p></TraceOf>;
}
