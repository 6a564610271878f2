import type { CallerIdDetail } from "../../api/words";
import { usePersonName } from "../../pages/audio/person-name";
import { serverNow } from "../../live/clock";
import { CALLER_ID_STATES } from "../../states";
import { useWords } from "../../words";
import { moment, visible } from "../../words/format";

/** How the number came to its state: what was done or found, by whom, the newest first. */
export function CallerIdLog({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  const nameOf = usePersonName();
  const now = new Date(serverNow());
  return (
    <section>
      <h3>{t("callerIds.log")}</h3>
      {row.log.length === 0 ? <p className="hint">{t("callerIds.noLog")}</p> : (
        <ol className="caller-id-log">
          {row.log.map((it, n) => (
            <li key={row.log.length - n}>
              <time className="second" dateTime={it.at} title={it.at}>{moment(new Date(it.at), now)}</time>
              <span>
                {t(`callerIds.why_${it.why}`)}{it.was === it.now ? null : <span className="second"> {t(CALLER_ID_STATES[it.was].word)} → {t(CALLER_ID_STATES[it.now].word)}</span>}
                {it.note === "" ? null : <q>{visible(it.note)}</q>}
              </span>
              <span className="second">{it.by === null ? t("callerIds.service") : nameOf(it.by)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
