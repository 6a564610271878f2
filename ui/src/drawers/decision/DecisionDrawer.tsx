import { Fragment } from "react";
import { Drawer } from "../../kit/Drawer";
import { Sentence } from "../../kit/Sentence";
import { Failed, Gone, Loading } from "../../kit/States";
import { useDecision } from "../../pages/campaigns/history/data";
import { limitWord } from "../../pages/campaigns/history/Decisions";
import { hasWord, useLanguage, useWords } from "../../words";
import { clock, visible } from "../../words/format";
import { numbersOf } from "./numbers";

/** `?decision=` on a page of a campaign: one pacing decision, its sentence and every number that it had. */
export default function DecisionDrawer({ campaign, id }: { campaign: string; id: string }) {
  const t = useWords();
  const language = useLanguage();
  const number = /^\d{1,15}$/.test(id) ? Number(id) : -1;
  const { data: decision, error, refetch } = useDecision(campaign, number);
  const isGone = number < 0 || decision === null;
  return (
    <Drawer parameter="decision" title={t("history.decision", { at: decision ? clock(new Date(decision.at)) : id })} detail={decision ? <span className="hint">{limitWord(decision.why, t)}</span> : undefined}>
      {isGone ? <Gone>{t("history.decisionGone")}</Gone> : decision === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={240} />) : (
        <>
          <p><Sentence>{decision.words[language]}</Sentence></p>
          <section>
            <h3>{t("history.numbers")}</h3>
            <dl className="facts">
              <dt>{t("history.placed")}</dt><dd>{decision.place}</dd>
              {numbersOf(decision.view).map(({ key, value }) => <Fragment key={key}><dt>{hasWord(`view.${key}`) ? t(`view.${key}` as "view.starting") : <code>{visible(key)}</code>}</dt><dd>{typeof value === "boolean" ? t(value ? "settings.yes" : "settings.no") : visible(value)}</dd></Fragment>)}
            </dl>
          </section>
        </>
      )}
    </Drawer>
  );
}
