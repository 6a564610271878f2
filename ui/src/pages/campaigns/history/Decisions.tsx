import { Link } from "react-router";
import type { PacingDecision } from "../../../api/campaign-rows";
import { Choice } from "../../../kit/Field";
import { More } from "../../../kit/More";
import { useListOf } from "../../../kit/neighbours";
import { Failed, Loading, NoneYet, NothingMatches } from "../../../kit/States";
import { serverNow } from "../../../live/clock";
import { useDrawerLink, useSearch } from "../../../use-search";
import { hasWord, useLanguage, useWords, type Translate } from "../../../words";
import { clock, count, day, moment } from "../../../words/format";
import { WHYS, useDecisions } from "./data";

export function limitWord(limit: string | null, t: Translate): string {
  const key = `why.${limit ?? ""}`;
  return hasWord(key) ? t(key) : (limit ?? "–");
}

/** Decisions of the pacer, newest first; each opens with its numbers. */
export function Decisions({ name }: { name: string }) {
  const t = useWords();
  const [search, set] = useSearch();
  const why = search.get("why") ?? "";
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useDecisions(name, why);
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  const since = data?.pages[0]?.kept_since;
  useListOf("decision", items.map((it) => String(it.id)));
  return (
    <section className="card" aria-label={t("history.decisions")} id="decisions">
      <header>
        <h2>{t("history.decisions")}</h2>
        {since ? <span className="hint">{t("history.keptSince", { at: moment(new Date(since), new Date(serverNow())) })}</span> : null}
        <Choice label={t("history.limit")} value={why} onChange={(value) => set({ why: value })} options={[{ value: "", label: t("history.allLimits") }, ...WHYS.map((it) => ({ value: it as string, label: limitWord(it, t) }))]} />
      </header>
      <div className="body">
        {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={200} />)
          : items.length === 0 ? (why === "" ? <NoneYet>{t("history.decisionsNone")}</NoneYet> : <NothingMatches onClear={() => set({ why: null })} />) : (
          <div className="table-box">
            <table className="table">
              <thead><tr><th scope="col">{t("history.at")}</th><th scope="col" className="number">{t("history.placed")}</th><th scope="col">{t("history.limit")}</th><th scope="col" className="wide">{t("history.sentence")}</th></tr></thead>
              <tbody>{items.map((it) => <Line key={it.id} decision={it} />)}</tbody>
            </table>
            {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
          </div>
        )}
      </div>
    </section>
  );
}

function Line({ decision }: { decision: PacingDecision }) {
  const t = useWords();
  const language = useLanguage();
  const link = useDrawerLink();
  const at = new Date(decision.at);
  const isToday = day(at) === day(new Date(serverNow()));
  return (
    <tr>
      <td><Link className="row" to={link({ decision: String(decision.id) })} replace><time dateTime={decision.at} title={decision.at}>{isToday ? clock(at) : `${day(at)} ${clock(at)}`}</time></Link></td>
      <td className="number">{count(decision.place)}</td>
      <td>{limitWord(decision.why, t)}</td>
      <td className="wide" title={decision.words[language]}>{decision.words[language]}</td>
    </tr>
  );
}
