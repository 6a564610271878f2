import "../../kit/table.css";
import "./floor.css";
import { Glyph } from "../../kit/Glyph";
import { memo, useEffect } from "react";
import { Link, useSearchParams } from "react-router";
import type { Seat } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Choice } from "../../kit/Field";
import { Pill, StateInk } from "../../kit/Pill";
import { Loading, NoneYet, NothingMatches } from "../../kit/States";
import { useSecond } from "../../live/clock";
import { useHasSnapshot, useSeat, useSeats } from "../../live/stores";
import { useMe } from "../../session";
import { SEAT_STATES, seatState } from "../../states";
import { useDrawerLink } from "../../use-search";
import { hasWord, useWords, type Translate } from "../../words";
import { count, duration, moment, telephone, visible } from "../../words/format";
import { ForceMenu } from "./ForceMenu";
import { useReasonWords } from "./pause-reasons";
import { countStates, isAtWork, needsAttention, secondsIn } from "./seats";

/** `/floor`: one row a seat, by agent number; who needs help is counted and can be filtered. */
export default function Floor() {
  const t = useWords();
  const seats = useSeats();
  const hasSnapshot = useHasSnapshot();
  const isStale = useIsStale();
  const now = useSecond();
  const { rights } = useMe();
  const [search, setSearch] = useSearchParams();
  useEffect(() => {
    document.title = `${t("floor.title")} · Paceline`;
  }, [t]);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setSearch(next, { replace: true });
  };
  const group = search.get("group") ?? "";
  const text = (search.get("q") ?? "").toLowerCase();
  const attention = search.has("attention");
  const inGroup = seats.filter((seat) => group === "" || seat.groups.includes(group));
  const atWork = inGroup.filter(isAtWork);
  const worrying = atWork.filter((seat) => needsAttention(seat, now));
  const base = attention ? worrying : search.has("all") ? inGroup : atWork;
  const shown = base.filter((seat) => `${seat.agent} ${seat.name ?? ""}`.toLowerCase().includes(text)).sort((a, b) => a.agent.localeCompare(b.agent, "en", { numeric: true }));
  const groups = [...new Set(seats.flatMap((seat) => seat.groups))].sort();
  return (
    <>
      <div className="page-head">
        <h1>{t("floor.title")}</h1>
        <div className={isStale ? "floor-counts stale" : "floor-counts"}>
          <span>{t("floor.staffed", { n: atWork.length })}</span>
          {countStates(atWork).map(([state, n]) => <Pill key={state.word} state={state} detail={String(n)} />)}
        </div>
      </div>
      {!hasSnapshot ? <Loading /> : (
        <>
          <div className="filters" role="search">
            <input className="search" type="search" aria-label={t("floor.search")} placeholder={t("floor.search")} value={search.get("q") ?? ""} onChange={(event) => set("q", event.target.value)} />
            {groups.length === 0 ? null : <Choice label={t("floor.group")} value={group} onChange={(value) => set("group", value)}
              options={[{ value: "", label: t("floor.allGroups") }, ...groups.map((it) => ({ value: it, label: it }))]} />}
            <button type="button" className="chip" aria-pressed={attention} onClick={() => set("attention", attention ? "" : "1")}>{t("floor.needAttention", { n: worrying.length })}</button>
            <button type="button" className="chip" aria-pressed={search.has("all")} onClick={() => set("all", search.has("all") ? "" : "1")}>{t("floor.showSignedOut")}</button>
            <span className="space" />
            <span className="hint">{t("common.total", { n: count(shown.length) })}</span>
          </div>
          {shown.length > 0 ? <div className={isStale ? "table-box stale" : "table-box"}><SeatTable seats={shown} mayForce={rights.has("seat.supervise")} /></div>
            : text !== "" || group !== "" || attention ? <div className="card"><NothingMatches onClear={() => setSearch({}, { replace: true })} /></div>
            : <div className="card"><NoneYet act={<p className="hint">{t("floor.noneHelp")}</p>}>{t("floor.none")}</NoneYet></div>}
        </>
      )}
    </>
  );
}

function SeatTable({ seats, mayForce }: { seats: Seat[]; mayForce: boolean }) {
  const t = useWords();
  const reasonWords = useReasonWords();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t("floor.number")}</th><th scope="col">{t("floor.name")}</th><th scope="col">{t("floor.state")}</th><th scope="col" className="number">{t("floor.since")}</th>
          <th scope="col">{t("floor.callee")}</th><th scope="col">{t("floor.campaign")}</th><th scope="col" className="number">{t("floor.answered")}</th><th scope="col" className="number">{t("floor.talked")}</th>
          <th scope="col">{t("floor.signedIn")}</th><th scope="col">{t("floor.endpoint")}</th><th scope="col" className="number">{t("floor.phone")}</th>{mayForce ? <th scope="col">{t("floor.actions")}</th> : null}
        </tr>
      </thead>
      <tbody>{seats.map((seat) => <SeatRow key={seat.agent} agent={seat.agent} mayForce={mayForce} reasonWords={reasonWords} />)}</tbody>
    </table>
  );
}

/** Why an idle agent gets no calls. */
function quietWords(quiet: string, t: Translate): string {
  const key = `floor.quiet.${quiet}`;
  return t("floor.quietBecause", { why: hasWord(key) ? t(key) : quiet });
}

/** One seat; it is drawn anew when it changes, and once a second for its timer. */
const SeatRow = memo(function SeatRow({ agent, mayForce, reasonWords }: { agent: string; mayForce: boolean; reasonWords: (reason: string) => string }) {
  const t = useWords();
  const seat = useSeat(agent);
  const now = useSecond();
  const link = useDrawerLink();
  if (!seat) return null;
  const state = seatState(seat);
  const attention = needsAttention(seat, now);
  const { work } = seat;
  const quiet = state === SEAT_STATES.idle && seat.quiet !== null ? quietWords(seat.quiet, t) : undefined;
  const latency = seat.phone?.latency_ms;
  return (
    <tr>
      <td>{agent}</td>
      <td>{visible(seat.name ?? "")}</td>
      <td className="state"><StateInk state={state} />{seat.reason === null ? null : <span className="second"> {reasonWords(seat.reason)}</span>}{quiet === undefined ? null : <span className="second" title={quiet}> {quiet}</span>}</td>
      <td className={attention ? "number attention" : "number"}>{duration(secondsIn(seat, now))}{attention ? <> <Glyph name="warning" /></> : null}</td>
      <td className="callee">{!work?.number ? "" : work.attempt === null || work.inbound ? telephone(work.number) : <Link className="plain" to={link({ call: `out-${work.attempt}` })}>{telephone(work.number)}</Link>}</td>
      <td>{work?.campaign ? <Link to={`/campaigns/${encodeURIComponent(work.campaign)}/live`}>{work.campaign}</Link> : ""}</td>
      <td className="number">{count(seat.answered)}</td>
      <td className="number">{duration(seat.talked_secs)}</td>
      <td>{seat.signed_in_at === null ? "–" : moment(new Date(seat.signed_in_at), new Date(now * 1000))}</td>
      <td>{seat.endpoint === "phone" ? t("endpoint.phone") : t("endpoint.telephone")}</td>
      <td className="number">{latency === null || latency === undefined ? "–" : t("floor.latency", { n: latency })}</td>
      {mayForce ? <td>{seat.availability === "signed_out" ? null : <ForceMenu seat={seat} />}</td> : null}
    </tr>
  );
});
