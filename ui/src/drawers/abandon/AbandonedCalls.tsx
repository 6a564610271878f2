import { Link } from "react-router";
import { More } from "../../kit/More";
import { useListOf } from "../../kit/neighbours";
import { Failed, Loading } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { SEAT_STATES } from "../../states";
import { useDrawerLink } from "../../use-search";
import { useWords, type Translate } from "../../words";
import { clock, count, day, duration, moment, telephone, visible } from "../../words/format";
import { useAbandonedCalls, type AbandonedCall, type RuleWord } from "./data";
import { busyCounts, freeAfter, waitedSeconds } from "./figures";

const callId = (call: AbandonedCall) => `out-${call.attempt}`;

const activityWord = (activity: string, t: Translate): string => (activity in SEAT_STATES ? t(SEAT_STATES[activity as keyof typeof SEAT_STATES].word) : activity);

/** The calls of a rule's window: how long each callee waited, who was busy, and when the next agent was free. */
export function AbandonedCalls({ name, rule }: { name: string; rule: RuleWord }) {
  const t = useWords();
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useAbandonedCalls(name, rule);
  const calls = data?.pages.flatMap((page) => page.items);
  const first = data?.pages[0];
  useListOf("call", (calls ?? []).map(callId));
  return (
    <section aria-label={t("abandon.calls")}>
      <h3>{t("abandon.calls")} {first ? <span className="hint">{t("abandon.since", { at: moment(new Date(first.from), new Date(serverNow())), wait: (first.answer_wait_ms / 1000).toFixed(1) })}</span> : null}</h3>
      {calls === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={160} />)
        : calls.length === 0 ? <p className="hint">{t("abandon.none")}</p> : (
          <div className={error ? "table-box stale" : "table-box"}>
            <table className="table abandoned-calls">
              <thead><tr><th scope="col">{t("results.at")}</th><th scope="col">{t("abandon.who")}</th><th scope="col" className="number">{t("abandon.waited")}</th><th scope="col">{t("abandon.end")}</th><th scope="col">{t("abandon.busy")}</th><th scope="col" className="number">{t("abandon.freeNext")}</th></tr></thead>
              <tbody>{calls.map((call) => <CallLine key={call.attempt} call={call} />)}</tbody>
            </table>
          </div>
        )}
      {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
    </section>
  );
}

function CallLine({ call }: { call: AbandonedCall }) {
  const t = useWords();
  const link = useDrawerLink();
  const at = new Date(call.at);
  const isToday = day(at) === day(new Date(serverNow()));
  const free = freeAfter(call);
  const busy = busyCounts(call);
  const names = call.busy.map((it) => `${it.agent} ${visible(it.name)} ${activityWord(it.activity, t)}`).join("\n");
  return (
    <tr>
      <td><Link className="row" to={link({ call: callId(call) })}><time dateTime={call.at} title={call.at}>{isToday ? clock(at) : `${day(at).slice(5)} ${clock(at)}`}</time></Link></td>
      <td>{visible(call.name ?? "")} <span className="second">{call.number === null ? "" : telephone(call.number)}</span></td>
      <td className="number">{t("abandon.seconds", { n: waitedSeconds(call) })}</td>
      <td>{t(call.late ? "abandon.late" : call.hung_up ? "abandon.hungUp" : "abandon.unserved")}</td>
      <td title={names}>{busy.length === 0 ? <span className="hint">{t(Object.keys(call.seats).length === 0 ? "abandon.nobody" : "abandon.allFree")}</span> : busy.map(([activity, n]) => `${activityWord(activity, t)} ${count(n)}`).join(" · ")}</td>
      <td className="number">{free === undefined ? <span title={t("abandon.notFree")}>–</span> : free < 60 ? t("abandon.afterSeconds", { n: free.toFixed(1) }) : t("abandon.after", { n: duration(free) })}</td>
    </tr>
  );
}
