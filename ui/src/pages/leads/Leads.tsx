import "../../kit/form.css";
import "../../kit/table.css";
import "./leads.css";
import { useEffect, useMemo, useState } from "react";
import { useParams } from "react-router";
import type { LeadActionName, LeadFilters as Filters } from "../../api/leads-table";
import { Button } from "../../kit/Button";
import { Menu } from "../../kit/Menu";
import { useListOf } from "../../kit/neighbours";
import { Failed, Loading, NoneYet, NothingMatches } from "../../kit/States";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { clock, count } from "../../words/format";
import { actionsOf } from "./action-form";
import { AddLead } from "./AddLead";
import { BulkAction } from "./BulkAction";
import { COLUMNS, toggleColumn, useColumns } from "./columns";
import { reloadLeads, useLeadPages, useNearest, usePageRows } from "./data";
import { filtersOf, NO_FILTERS, numberOf, queryOf, wantedOf } from "./filters";
import { LeadFilters } from "./LeadFilters";
import { ExportButton } from "../exports/ExportButton";
import { leadFilters as exportFilters } from "../exports/filters";
import type { LeadPages } from "./lead-pages";
import { LeadTable } from "./LeadTable";
import { IDS_MAX, Selection } from "./selection";
import { SelectionBar } from "./SelectionBar";

/** `/campaigns/:name/leads`: the people of a campaign and why each is dialled or not; filters and drawer live in the address. */
export default function Leads() {
  const t = useWords();
  const { name = "" } = useParams();
  const { rights } = useMe();
  const [search, set] = useSearch();
  const [isAdding, setAdding] = useState(false);
  useTitle(`${t("leads.title")} · ${name}`);
  // A drawer changes the address too; the list is another one only when its filters are.
  const asked = JSON.stringify(queryOf(search));
  const filters = useMemo(() => JSON.parse(asked) as Filters, [asked]);
  const { data: pages, error, isPlaceholderData, isFetching, refetch, dataUpdatedAt } = useLeadPages(name, filters);
  const total = pages?.count;
  return (
    <div className="leads-page">
      <div className="leads-head">
        <LeadFilters campaign={name} />
        <span className="space" />
        <span className="hint" role="status">{pages === undefined || isPlaceholderData ? "" : t("leads.total", { n: total === undefined ? "–" : countWords(total) })}</span>
        {dataUpdatedAt === 0 ? null : <span className="hint">{t("results.asOf", { time: clock(new Date(dataUpdatedAt)) })}</span>}
        <Button size="small" busy={isFetching} onClick={() => void reloadLeads(name)}>{t("results.refresh")}</Button>
        <ColumnMenu />
        <ExportButton what="leads" filters={exportFilters(name, filters)} />
        {rights.has("leads.add") ? <Button size="small" onClick={() => setAdding(true)}>{t("leads.add")}</Button> : null}
      </div>
      {error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div>
        : pages === undefined ? <Loading height={480} />
        : pages.size === 0 && !isPlaceholderData ? <div className="card"><Empty campaign={name} search={search} onClear={() => set(NO_FILTERS)} /></div>
        : <Rows key={asked} campaign={name} pages={pages} filters={filters} isDimmed={isPlaceholderData} />}
      {isAdding ? <AddLead campaign={name} onClose={() => setAdding(false)} onAdded={(lead) => { setAdding(false); set({ lead: String(lead) }); }} /> : null}
    </div>
  );
}

/** `8,214`, or `10,000+` where the service stopped counting. */
const countWords = ({ n, exact }: NonNullable<LeadPages["count"]>): string => (exact ? count(n) : `${count(n)}+`);

function ColumnMenu() {
  const t = useWords();
  const columns = useColumns();
  return <Menu size="small" entries={COLUMNS.map((column) => ({ id: column, label: t(`leads.column_${column}`), chosen: columns.has(column), onChoose: () => toggleColumn(column) }))}>{t("results.columns")} ▾</Menu>;
}

/** Nobody: no list yet, filters that leave nobody, or a number of which the service knows why it is not here. */
function Empty({ campaign, search, onClear }: { campaign: string; search: URLSearchParams; onClear: () => void }) {
  const t = useWords();
  const wanted = wantedOf(search);
  const number = wanted === undefined ? undefined : numberOf(wanted);
  const nearest = useNearest(campaign, number).data;
  if (filtersOf(search).length === 0 && wanted === undefined) return <NoneYet>{t("leads.none")}</NoneYet>;
  return <>{nearest ? <p className="nearest" role="status">{nearest}</p> : null}<NothingMatches onClear={onClear} /></>;
}

interface RowsProps {
  campaign: string;
  pages: LeadPages;
  filters: Filters;
  isDimmed: boolean;
}

/** The table with its selection, and the actions on what is selected. */
function Rows({ campaign, pages, filters, isDimmed }: RowsProps) {
  const t = useWords();
  const { rights } = useMe();
  const [search] = useSearch();
  const [selection, setSelection] = useState(Selection.NONE);
  const [acting, setActing] = useState<LeadActionName>();
  const version = usePageRows(pages);
  const order = useMemo(() => pages.held().map((it) => it.lead), [pages, version]);
  useListOf("lead", useMemo(() => order.map(String), [order]));
  useEffect(() => setSelection(Selection.NONE), [pages]);
  const actions = actionsOf(rights);
  const opened = Number(search.get("lead") ?? "") || undefined;
  const total = pages.count;
  return (
    <>
      {pages.hasFailed ? <p className="rows-failed" role="alert">{t("leads.rowsFailed")} <Button size="small" onClick={() => pages.retry()}>{t("common.retry")}</Button></p> : null}
      <LeadTable campaign={campaign} pages={pages} isDimmed={isDimmed} selection={actions.length === 0 ? undefined : selection} opened={opened}
        onToggle={(lead, isRange) => setSelection((now) => now.toggle(lead, order, isRange))} onToggleAll={() => setSelection((now) => (now.isAll ? Selection.NONE : now.withAll(order.slice(0, IDS_MAX))))} />
      {selection.isEmpty ? null : (
        <SelectionBar selection={selection} actions={actions} all={total === undefined ? "–" : countWords(total)} hasMore={pages.hasMore || pages.size > selection.ids.size}
          onAll={() => setSelection((now) => now.all())} onClear={() => setSelection(Selection.NONE)} onAct={setActing} />
      )}
      {acting === undefined ? null : <BulkAction campaign={campaign} name={acting} target={selection.isAll ? { filters } : { ids: [...selection.ids] }} onClose={() => setActing(undefined)} onDone={() => setSelection(Selection.NONE)} />}
    </>
  );
}
