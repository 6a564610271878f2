import "../../kit/form.css";
import "../../kit/table.css";
import "./admin.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { get } from "../../api/call";
import type { Schemas } from "../../api/words";
import { Button } from "../../kit/Button";
import { FilterChip } from "../../kit/Chip";
import { More } from "../../kit/More";
import { Failed, Loading, NoneYet, NothingMatches } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { liveCampaign } from "../../live/stores";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { clock, count, day, visible } from "../../words/format";
import { usePersonName } from "../audio/person-name";
import { ExportButton } from "../exports/ExportButton";
import { plusDays, startOfDay } from "../results/filters";
import { actionWords, kindWords, sayOf } from "./audit-words";
import { changesOf } from "./changes";

type Row = Schemas["AuditRow"];
const FILTERS = ["actor", "action", "subject"] as const;

/** `/audit`: who did what, on what, from where, and what it changed. */
export default function Audit() {
  const t = useWords();
  const [search, set] = useSearch();
  useTitle(t("audit.title"));
  const first = startOfDay(search.get("from") ?? "");
  const last = startOfDay(search.get("until") ?? "");
  const filters = FILTERS.flatMap((name) => (search.get(name) ? [[name, search.get(name) ?? ""] as const] : []));
  const query = { ...Object.fromEntries(filters), ...(first ? { from: first.toISOString() } : {}), ...(last ? { until: plusDays(last, 1).toISOString() } : {}) };
  const { data, error, refetch, isFetching, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["audit", query],
    queryFn: ({ pageParam, signal }) => get("/api/v1/audit", { query: { ...query, limit: 100, ...(pageParam === undefined ? {} : { after: pageParam }) }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 0,
  });
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = filters.length > 0 || first !== undefined || last !== undefined;
  return (
    <>
      <div className="page-head">
        <h1>{t("audit.title")}</h1>
        <span className="hint" role="status">{data === undefined ? "" : t(hasNextPage ? "audit.shownOfMore" : "common.total", { n: count(rows.length) })}</span>
        <span className="space" />
        <Button size="small" busy={isFetching && !isFetchingNextPage} onClick={() => void refetch()}>{t("results.refresh")}</Button>
        <ExportButton what="audit" filters={query} />
      </div>
      <div className="filters" role="search">
        <NewFilter onSet={(name, value) => set({ [name]: value })} />
        <input className="search day" type="date" aria-label={t("results.firstDay")} value={search.get("from") ?? ""} onChange={(event) => set({ from: event.target.value })} />
        <span aria-hidden="true">–</span>
        <input className="search day" type="date" aria-label={t("results.lastDay")} value={search.get("until") ?? ""} onChange={(event) => set({ until: event.target.value })} />
        {filters.map(([name, value]) => <FilterChip key={name} label={`${t(`audit.${name}`)} ${name === "action" ? actionWords(value, t) : visible(value)}`} onRemove={() => set({ [name]: null })} />)}
      </div>
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={400} />
        : rows.length === 0 ? <div className="card">{isFiltered ? <NothingMatches onClear={() => set({ actor: null, action: null, subject: null, from: null, until: null })} /> : <NoneYet>{t("audit.none")}</NoneYet>}</div>
        : (
          <div className="table-box">
            <table className="table audit">
              <AuditHead />
              <tbody>{rows.map((row) => <AuditLine key={row.id} row={row} onFilter={(name, value) => set({ [name]: value })} />)}</tbody>
            </table>
            {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
          </div>
        )}
    </>
  );
}

export function AuditHead() {
  const t = useWords();
  return <thead><tr><th scope="col">{t("audit.at")}</th><th scope="col">{t("audit.actor")}</th><th scope="col">{t("audit.address")}</th><th scope="col">{t("audit.action")}</th><th scope="col">{t("audit.subject")}</th><th scope="col">{t("audit.change")}</th></tr></thead>;
}

function NewFilter({ onSet }: { onSet: (name: (typeof FILTERS)[number], value: string) => void }) {
  const t = useWords();
  const [name, setName] = useState<(typeof FILTERS)[number]>("actor");
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === "") return;
    onSet(name, text.trim().slice(0, 128));
    setText("");
  };
  return (
    <form className="new-filter" onSubmit={submit}>
      <select className="select" aria-label={t("audit.filterBy")} value={name} onChange={(event) => setName(event.target.value as typeof name)}>{FILTERS.map((it) => <option key={it} value={it}>{t(`audit.${it}`)}</option>)}</select>
      <input className="search" aria-label={t(`audit.${name}`)} placeholder={t(`audit.hint_${name}`)} value={text} onChange={(event) => setText(event.target.value)} />
      <Button size="small" type="submit" refusal={text.trim() === "" ? t("results.fault_value") : undefined}>{t("results.setFilter")}</Button>
    </form>
  );
}

/** One row of the audit; its actor and action filter the page, where it has filters. */
export function AuditLine({ row, onFilter }: { row: Row; onFilter?: (name: (typeof FILTERS)[number], value: string) => void }) {
  const t = useWords();
  const at = new Date(row.at);
  const isToday = day(at) === day(new Date(serverNow()));
  // Names are those that the page knows anyway: a long log would ask for each of them.
  const person = usePersonName(false);
  const title = (name: string) => visible(liveCampaign(name)?.title || name);
  const say = sayOf(row.subject_kind, t, new Date(serverNow()), { campaign: title, person });
  const changes = changesOf(row.before, row.after, say);
  const subject = row.subject_kind === "campaign" ? title(row.subject) : row.subject_kind === "agent" ? person(row.subject) : row.subject_kind === "approval" ? t("audit.numbered", { n: row.subject }) : visible(row.subject);
  return (
    <tr>
      <td><time dateTime={row.at} title={row.at}>{isToday ? clock(at) : `${day(at)} ${clock(at)}`}</time></td>
      <td>{onFilter === undefined ? visible(row.actor) : <Button kind="link" size="small" label={t("audit.onlyActor", { name: row.actor })} onClick={() => onFilter("actor", row.actor.split(" ")[0] ?? row.actor)}>{visible(row.actor)}</Button>}{row.actor_kind === "person" ? null : <span className="second"> {t(`audit.actor_${row.actor_kind}`)}</span>}</td>
      <td className="second">{row.address}</td>
      <td>{onFilter === undefined ? actionWords(row.action, t) : <Button kind="link" size="small" label={t("audit.onlyAction", { name: actionWords(row.action, t) })} onClick={() => onFilter("action", row.action)}>{actionWords(row.action, t)}</Button>}</td>
      <td>{kindWords(row.subject_kind, t)} <strong title={subject === row.subject ? undefined : row.subject}>{subject}</strong></td>
      <td className="changes">{changes.length === 0 ? "–" : (
        <ul>{changes.map((it) => <li key={it.field}>{it.field === "" ? null : <span className="second">{say.field(it.field)} </span>}{it.was === undefined ? null : <><del>{it.was}</del> </>}{it.now === undefined ? null : <ins>{it.now}</ins>}</li>)}</ul>
      )}</td>
    </tr>
  );
}
