import { useEffect, type FormEvent } from "react";
import { Link } from "react-router";
import type { CampaignState, Schemas } from "../../../api/words";
import { Button } from "../../../kit/Button";
import { Field } from "../../../kit/Field";
import { Sentence } from "../../../kit/Sentence";
import { Failed } from "../../../kit/States";
import { useDrawerLink } from "../../../use-search";
import { useLanguage, useWords } from "../../../words";
import { visible } from "../../../words/format";
import { useTestCall } from "../TestCall";
import { refreshChecklist, useTrace } from "./data";

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
        {test.attempt === undefined ? <p className="hint">{t("start.testNone")}</p> : <Ladder key={test.attempt} attempt={test.attempt} campaign={name} />}
      </div>
    </section>
  );
}

function Ladder({ attempt, campaign }: { attempt: number; campaign: string }) {
  const t = useWords();
  const language = useLanguage();
  const link = useDrawerLink();
  const { data: trace, error, refetch } = useTrace(attempt);
  const hasEnded = trace?.ended_at != null;
  // The check of the test call says what came of this one.
  useEffect(() => {
    refreshChecklist(campaign);
  }, [campaign, hasEnded]);
  if (trace === undefined) return error ? <Failed problem={error} onRetry={() => void refetch()} /> : <p className="hint" role="status">{t("common.loading")}</p>;
  const advice = trace.advice?.[language];
  return (
    <div className="forecast">
      <table className="ladder">
        <caption className="visually-hidden">{t("start.ladder")}</caption>
        <thead className="visually-hidden"><tr><th scope="col">{t("start.ladderAt")}</th><th scope="col">{t("start.ladder")}</th><th scope="col">{t("start.ladderWhat")}</th></tr></thead>
        <tbody>{trace.steps.map((step, n) => <Step key={n} step={step} />)}</tbody>
      </table>
      <p role="status">{trace.ended_at === null ? t("start.testLive") : <Sentence>{trace.words?.[language] ?? ""}</Sentence>}{advice ? <span className="hint"> <Sentence>{advice}</Sentence></span> : null}</p>
      <p><Link to={link({ call: `out-${attempt}` })}>{t("start.toCall")}</Link></p>
    </div>
  );
}

const DIRECTIONS = { out: ["→", "start.ladderOut"], in: ["←", "start.ladderIn"], note: ["·", "start.ladderNote"], gap: ["…", "start.ladderGap"] } as const;

function Step({ step }: { step: Schemas["StepView"] }) {
  const t = useWords();
  const language = useLanguage();
  const [sign, word] = DIRECTIONS[step.dir];
  return (
    <tr className={step.dir}>
      <td>{(step.at_ms / 1000).toFixed(1)}</td>
      <td className="direction"><span aria-hidden="true">{sign}</span><span className="visually-hidden">{t(word)}</span></td>
      <td>{step.words === null ? null : <>{visible(step.words[language])} </>}<span className={step.words === null ? "mono" : "mono hint"}>{visible(step.text)}</span>{step.again ? <span className="hint"> {t("start.ladderAgain")}</span> : null}{step.peer === null ? null : <span className="hint"> {visible(step.peer)}</span>}</td>
    </tr>
  );
}
