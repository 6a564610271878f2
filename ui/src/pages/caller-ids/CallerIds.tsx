import "../../kit/table.css";
import "../../kit/form.css";
import "./caller-ids.css";
import { useMemo } from "react";
import { Link } from "react-router";
import type { CallerId } from "../../api/words";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { Choice } from "../../kit/Field";
import { useListOf } from "../../kit/neighbours";
import { Failed, Loading, NoneYet, NothingMatches } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { CALLER_ID_STATES } from "../../states";
import { useDrawerLink, useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useWords, type Translate } from "../../words";
import { clock, count, moment, telephone, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { AddCallerId } from "./AddCallerId";
import { ApprovalNeeded, CampaignLinks, CapOfDay, IdleWarning, RatePair, RestUntil, StatePill, VerdictWords } from "./cells";
import { BarsLegend, DayBars } from "./DayBars";
import { useCallerIdEvents, useCallerIds } from "./data";
import { dayNames, isToComplete, matches, sumOf } from "./figures";

const STATES = Object.keys(CALLER_ID_STATES) as CallerId["state"][];
/** Campaigns that a row names; further ones are counted. */
const CAMPAIGNS = 2;

/** `/caller-ids`: the numbers that calls show, how far each may be used, and what its own calls say of it. */
export default function CallerIds() {
  const t = useWords();
  const [search, set] = useSearch();
  useTitle(t("callerIds.title"));
  useCallerIdEvents();
  const filter = { text: search.get("q") ?? "", state: search.get("state") ?? "" };
  const isWithRetired = search.has("retired") || filter.state === "retired";
  const { data, error, dataUpdatedAt, isPlaceholderData, refetch } = useCallerIds(isWithRetired);
  const shown = useMemo(() => (data?.items ?? []).filter((it) => matches(it, { text: filter.text, state: filter.state })), [data, filter.text, filter.state]);
  useListOf("caller-id", useMemo(() => [...new Set(shown.map((it) => it.number))], [shown]));
  const add = <Button kind="primary" onClick={() => set({ add: "1", "caller-id": null })}>{t("callerIds.add")}</Button>;
  const isEmpty = data?.items.length === 0 && !isPlaceholderData;
  const isFiltered = filter.text !== "" || filter.state !== "";
  return (
    <>
      <div className="page-head">
        <h1>{t("callerIds.title")}</h1>
        {data === undefined ? null : <JudgedUntil at={data.judged_until} />}
        <span className="space" />
        {isEmpty && !isFiltered ? null : add}
      </div>
      {data === undefined ? (error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : <Loading height={300} />) : (
        <>
          <div className="filters" role="search">
            <input className="search" type="search" aria-label={t("callerIds.search")} placeholder={t("callerIds.search")} value={filter.text} onChange={(event) => set({ q: event.target.value })} />
            <Choice label={t("callerIds.state")} value={filter.state} onChange={(state) => set({ state })} options={stateOptions(t)} />
            <Check label={t("callerIds.withRetired")} isOn={isWithRetired} onChange={(isOn) => set({ retired: isOn ? "1" : null, ...(filter.state === "retired" ? { state: null } : {}) })} />
            <span className="space" />
            {error ? <span className="waiting-ink" role="status">{t("frame.asOf", { time: clock(new Date(dataUpdatedAt)) })}</span> : null}
            <span className="hint" role="status">{t("common.total", { n: count(shown.length) })}</span>
          </div>
          {shown.length > 0 ? <CallerIdTable rows={shown} isOld={error !== null} />
            : isEmpty && !isFiltered ? <div className="card"><NoneYet act={add}>{t("callerIds.none")}</NoneYet></div>
            : isPlaceholderData ? <Loading height={300} />
            : <div className="card"><NothingMatches onClear={() => set({ q: null, state: null })} /></div>}
        </>
      )}
      {search.has("add") ? <AddCallerId onAdded={(number) => set({ add: null, "caller-id": number })} /> : null}
    </>
  );
}

const stateOptions = (t: Translate) => [
  { value: "", label: t("callerIds.allStates") }, { value: "suspected", label: t("callerIds.onlySuspected") },
  ...STATES.map((state) => ({ value: state as string, label: t(CALLER_ID_STATES[state].word) })),
];

/** How far the service has judged: rates are those of whole hours. */
function JudgedUntil({ at }: { at: string | null }) {
  const t = useWords();
  return <span className="hint">{at === null ? t("callerIds.notJudged") : t("callerIds.judgedUntil", { at: moment(new Date(at), new Date(serverNow())) })}</span>;
}

function CallerIdTable({ rows, isOld }: { rows: CallerId[]; isOld: boolean }) {
  const t = useWords();
  const names = dayNames(rows[0]?.days.length ?? 0, serverNow());
  return (
    <div className={isOld ? "table-box stale" : "table-box"}>
      <table className="table caller-ids">
        <thead>
          <tr>
            <th scope="col">{t("callerIds.number")}</th><th scope="col">{t("callerIds.holder")}</th><th scope="col">{t("callerIds.origin")}</th><th scope="col">{t("callerIds.state")}</th>
            <th scope="col" className="number">{t("callerIds.today")}</th><th scope="col">{t("callerIds.week")} <BarsLegend /></th><th scope="col">{t("callerIds.health")}</th><th scope="col">{t("callerIds.campaigns")}</th>
          </tr>
        </thead>
        <tbody>{rows.map((row) => <CallerIdRow key={`${row.number} ${row.state_since}`} row={row} names={names} />)}</tbody>
      </table>
    </div>
  );
}

function CallerIdRow({ row, names }: { row: CallerId; names: readonly string[] }) {
  const t = useWords();
  const link = useDrawerLink();
  const nameOf = usePersonName(row.bound_agent !== null);
  const origin = [row.carrier, row.region].filter((it) => it !== "").map(visible);
  const to = link({ "caller-id": row.number, add: null });
  return (
    <tr>
      <td><Link className="row" to={to}>{telephone(row.number)}</Link>{row.bound_agent === null ? null : <span className="second below">{t("callerIds.onlyAgent", { agent: nameOf(row.bound_agent) })}</span>}</td>
      <td className="clip" title={visible(row.holder)}>
        {visible(row.holder) || (row.found ? "" : t("common.none"))}
        {row.found ? <span className="second below" title={t("callerIds.foundHelp")}>{t("callerIds.found")}</span> : null}
        {isToComplete(row) ? <Link className="below" to={to}>{t("callerIds.complete")}<span className="visually-hidden"> {telephone(row.number)}</span></Link> : null}
      </td>
      <td className="clip" title={origin.join(" · ")}>{origin.length === 0 ? t("common.none") : origin.map((it, n) => <span key={n} className={n === 0 ? undefined : "second below"}>{it}</span>)}</td>
      <td><StatePill row={row} /> <span className="below"><RestUntil row={row} /></span><span className="below narrow"><ApprovalNeeded row={row} /></span><span className="below narrow"><IdleWarning row={row} /></span></td>
      <td className="number">{count(row.today)}<CapOfDay row={row} /></td>
      <td><span className="week"><DayBars days={row.days} names={names} /><RatePair span={sumOf(row.days)} /></span></td>
      <td className="health"><VerdictWords verdict={row.verdict} words={row.words} /></td>
      <td><CampaignLinks names={row.campaigns} most={CAMPAIGNS} /></td>
    </tr>
  );
}
