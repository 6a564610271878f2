import { Link } from "react-router";
import type { Limit } from "../../api/words";
import { serverNow } from "../../live/clock";
import { useMe } from "../../session";
import { LIMIT_MEANINGS } from "../../states";
import { hasWord, useWords } from "../../words";
import { visible } from "../../words/format";
import { limitShares, shareWords } from "./series";
import { useLastMinutes } from "./series-data";

/** Below this share a part has no room for its words, which then stand in its title alone. */
const ROOM = 0.08;

/** What limited the last ten minutes, as one bar: a reason that flickers can be read. */
export function LimitShare({ name }: { name: string }) {
  const t = useWords();
  const { data } = useLastMinutes(name);
  const { rights } = useMe();
  // A limit that held nothing down is no part of the bar.
  const shares = limitShares(data ?? [], serverNow()).filter((it) => it.share > 0);
  if (shares.length === 0) return null;
  const words = (limit: string) => {
    const key = `limit.${limit}`;
    return hasWord(key) ? t(key) : visible(limit);
  };
  return (
    <>
      <div className="limit-share">
        <span className="hint">{t("campaigns.lastMinutes")}</span>
        <ul aria-label={t("campaigns.lastMinutes")}>
          {shares.map(({ limit, share }) => {
            const meaning = LIMIT_MEANINGS[limit as Limit] ?? "paused";
            const sentence = `${words(limit)} ${shareWords(share)}`;
            return (
              <li key={limit} title={sentence} style={{ flexGrow: Math.max(share, 0.01), color: `var(--${meaning}-ink)`, background: `var(--${meaning}-wash)`, borderColor: `var(--${meaning}-fill)` }}>
                <span className={share < ROOM ? "visually-hidden" : undefined}>{sentence}</span>
              </li>
            );
          })}
        </ul>
      </div>
      {shares.some(({ limit, share }) => limit === "fault" && share > 0) ? (
        <p className="hint">
          {t("campaigns.faultHelp")} <Link to="../history?why=store_stalled#decisions">{t("campaigns.faultWhen")}</Link>
          {rights.has("health.read") ? <> · <Link to="/health">{t("health.title")}</Link></> : null}
        </p>
      ) : null}
    </>
  );
}
