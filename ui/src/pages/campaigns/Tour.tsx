import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { Button } from "../../kit/Button";
import { problemWords } from "../../kit/States";
import { closeTour } from "../../session";
import { useWords } from "../../words";

/** What the steps speak of; the page outlines it. */
export const TOUR = ["why", "figures", "pace", "after"] as const;
export type TourStep = (typeof TOUR)[number];

/** The tour of the sample campaign's page. Closed once, it is never shown to this person again. */
export function Tour({ step, onStep }: { step: TourStep; onStep: (step: TourStep) => void }) {
  const t = useWords();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const at = TOUR.indexOf(step);
  const [before, after] = [TOUR[at - 1], TOUR[at + 1]];
  const close = () => {
    setBusy(true);
    setProblem(undefined);
    closeTour().catch((refused: unknown) => {
      setBusy(false);
      setProblem(refused);
    });
  };
  return (
    <section className="card tour" aria-label={t("tour.title")}>
      <div className="tour-text" aria-live="polite">
        <p className="hint">{t("tour.title")} · {t("tour.at", { n: at + 1, of: TOUR.length })}</p>
        <h2>{t(`tour.${step}`)}</h2>
        <p>{step === "pace" ? t("tour.paceHelp", { open: t("pace.open") }) : t(`tour.${step}Help`)}</p>
        {step === "after" ? <Places /> : null}
      </div>
      <div className="buttons">
        <Button kind="plain" busy={busy} onClick={close}>{t("tour.close")}</Button>
        <span className="space" />
        {before === undefined ? null : <Button onClick={() => onStep(before)}>{t("tour.back")}</Button>}
        {after === undefined ? <Button kind="primary" busy={busy} onClick={close}>{t("tour.done")}</Button> : <Button kind="primary" onClick={() => onStep(after)}>{t("tour.next")}</Button>}
      </div>
      {problem === undefined ? null : <p className="refusal" role="alert">{problemWords(problem, t)}</p>}
    </section>
  );
}

function Places() {
  const t = useWords();
  const place = (to: string, word: ReactNode) => <Link className="button small" to={to}>{word}</Link>;
  return <p className="action">{place("/floor", t("floor.title"))}{place("../leads", t("leads.tab"))}{place("/results", t("results.title"))}{place("/campaigns/new", t("campaigns.new"))}</p>;
}
