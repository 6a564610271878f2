import { useCampaignWords } from "../../pages/campaigns/titles";
import { useWords } from "../../words";
import { moment, visible } from "../../words/format";
import type { CallDetail } from "./call-data";
import { clockMs } from "./clock-ms";
import { correctionWords } from "./corrections";

/** What the agents said of the call, each time it was said, and what they corrected in it. The last summary is in force. */
export function Summaries({ call }: { call: CallDetail }) {
  const t = useWords();
  const words = useCampaignWords([call.campaign]);
  const last = call.summaries.length - 1;
  return (
    <>
      <section>
        <h3>{t("results.column_disposition")}</h3>
        {call.summaries.length === 0 ? <p className="hint">{t("results.noSummary")}</p> : (
          <ul className="summaries">
            {call.summaries.map((it, n) => (
              <li key={n} className={n === last ? undefined : "replaced"}>
                <strong>{words.disposition(call.campaign, it.disposition)}</strong>
                <span className="hint"> {it.agent ?? "–"} {visible(it.agent_name ?? "")} {clockMs(new Date(it.at))}{it.wrap_millis === null ? null : <> · {t("call.wrap", { n: Math.round(it.wrap_millis / 1000) })}</>}{it.defaulted ? <> · {t("call.defaulted")}</> : null}{n === last ? null : <> · {t("call.replaced")}</>}</span>
                {it.note === "" ? null : <p className="note">{visible(it.note)}</p>}
                {it.callback_at === null ? null : <p>{t("call.callback", { at: moment(new Date(it.callback_at), new Date(0)) })}</p>}
              </li>
            ))}
          </ul>
        )}
      </section>
      {call.corrections.length === 0 ? null : (
        <section><h3>{t("results.corrections")}</h3><ul className="summaries">{call.corrections.map((it, n) => <li key={n}>{correctionWords(it, t)}<span className="hint"> {it.agent ?? ""} {clockMs(new Date(it.at))}</span></li>)}</ul></section>
      )}
    </>
  );
}
