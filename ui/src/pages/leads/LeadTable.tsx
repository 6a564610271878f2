import { useEffect, useLayoutEffect, useRef, useState, type MouseEvent } from "react";
import { Link, useLocation, useNavigate, useNavigationType } from "react-router";
import type { LeadRow } from "../../api/leads-table";
import { useWords } from "../../words";
import { count } from "../../words/format";
import { useDrawerLink } from "../../use-search";
import { usePersonName } from "../audio/person-name";
import { useCampaignWords } from "../campaigns/titles";
import { LeadCell, type RowWords } from "./cells";
import { COLUMNS, useColumns, WIDTHS, type Column } from "./columns";
import { usePageRows } from "./data";
import type { LeadPages } from "./lead-pages";
import type { Selection } from "./selection";

/** Height of a row in px (`--row`, and the line above it). */
const ROW = 32;
/** Rows that are drawn above and below the window. */
const AROUND = 12;
const CHECK_WIDTH = 36;
const ROW_WIDTH = 72;

/** Where each visit of the page had been scrolled to, by the key of its history entry. */
const places = new Map<string, number>();

interface Props {
  campaign: string;
  pages: LeadPages;
  isDimmed: boolean;
  selection: Selection | undefined;
  onToggle: (lead: number, isRange: boolean) => void;
  onToggleAll: () => void;
  /** The lead whose drawer is open. */
  opened: number | undefined;
}

/** The rows in view of a list that may be a million long, in a box of its own that scrolls. */
export function LeadTable({ campaign, pages, isDimmed, selection, onToggle, onToggleAll, opened }: Props) {
  const t = useWords();
  const box = useRef<HTMLDivElement>(null);
  const shown = useColumns();
  const columns = COLUMNS.filter((it) => shown.has(it));
  const version = usePageRows(pages);
  const [[first, last], setWindow] = useState<[number, number]>([0, 40]);
  const { key } = useLocation();
  const isBack = useNavigationType() === "POP";

  const measure = () => {
    if (!box.current) return;
    const { scrollTop, clientHeight } = box.current;
    places.set(key, scrollTop);
    const from = Math.max(0, Math.floor(scrollTop / ROW) - AROUND);
    const until = Math.ceil((scrollTop + clientHeight) / ROW) + AROUND;
    setWindow((now) => (now[0] === from && now[1] === until ? now : [from, until]));
  };
  useLayoutEffect(() => {
    if (box.current && isBack) box.current.scrollTop = places.get(key) ?? 0;
    measure();
    // Only when the list is another one: a drawer that opens over it changes the key, not the place.
  }, [pages]);
  useEffect(() => {
    if (box.current) places.set(key, box.current.scrollTop);
  }, [key]);
  useEffect(() => {
    const seen = new ResizeObserver(measure);
    if (box.current) seen.observe(box.current);
    return () => seen.disconnect();
  });
  useEffect(() => pages.want(first, last), [pages, first, last, version]);
  useEffect(() => {
    const at = opened === undefined ? -1 : pages.indexOf(opened);
    if (at < 0 || !box.current) return;
    const { scrollTop, clientHeight } = box.current;
    // Under the head, which covers one row.
    if (at * ROW < scrollTop || (at + 2) * ROW > scrollTop + clientHeight) box.current.scrollTop = Math.max(0, at * ROW - clientHeight / 2);
  }, [pages, opened]);

  const until = Math.min(pages.size, last + 1);
  const from = Math.min(first, until);
  const rows = Array.from({ length: until - from }, (_, n) => pages.at(from + n));
  const titles = useCampaignWords([campaign]);
  const person = usePersonName(rows.some((row) => row !== undefined && (row.assigned_agent !== null || row.callback?.agent)));
  const words: RowWords = { disposition: (code) => titles.disposition(campaign, code), person };
  const width = ROW_WIDTH + (selection ? CHECK_WIDTH : 0) + columns.reduce((sum, it) => sum + WIDTHS[it], 0);
  // A cell that spans more than there is would make a column of its own.
  const cells = columns.length + (selection ? 2 : 1);
  // The sentence takes what the window has left; without it the last column does.
  const wide = shown.has("because") ? "because" : columns[columns.length - 1];
  return (
    <div ref={box} className={isDimmed ? "lead-rows stale" : "lead-rows"} tabIndex={0} role="region" aria-label={t("leads.table")} onScroll={measure}>
      <table className="table leads" style={{ minWidth: width }} aria-rowcount={pages.hasMore ? -1 : pages.size + 1}>
        <colgroup>
          {selection ? <col style={{ width: CHECK_WIDTH }} /> : null}
          <col style={{ width: ROW_WIDTH }} />
          {columns.map((it) => <col key={it} style={it === wide ? undefined : { width: WIDTHS[it] }} />)}
        </colgroup>
        <Head columns={columns} selection={selection} order={pages.held()} onToggleAll={onToggleAll} />
        <tbody>
          {from === 0 ? null : <tr className="space" aria-hidden="true" style={{ height: from * ROW }}><td colSpan={cells} /></tr>}
          {rows.map((row, n) => (
            <Row key={row?.lead ?? `at-${from + n}`} row={row} index={from + n} columns={columns} words={words} isSelected={row !== undefined && selection?.has(row.lead) === true} hasCheck={selection !== undefined} isOpened={row?.lead === opened} onToggle={onToggle} />
          ))}
          {until >= pages.size ? null : <tr className="space" aria-hidden="true" style={{ height: (pages.size - until) * ROW }}><td colSpan={cells} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

function Head({ columns, selection, order, onToggleAll }: { columns: readonly Column[]; selection: Selection | undefined; order: readonly LeadRow[]; onToggleAll: () => void }) {
  const t = useWords();
  const isEvery = selection !== undefined && (selection.isAll || (order.length > 0 && order.every((it) => selection.ids.has(it.lead))));
  const isSome = selection !== undefined && !isEvery && !selection.isEmpty;
  return (
    <thead>
      <tr aria-rowindex={1}>
        {selection === undefined ? null : (
          <td className="tick"><label><input type="checkbox" checked={isEvery} ref={(box) => { if (box) box.indeterminate = isSome; }} aria-label={t("leads.selectRows")} onChange={onToggleAll} /></label></td>
        )}
        <th scope="col" className="number">{t("leads.row")}</th>
        {columns.map((it) => <th key={it} scope="col" className={it === "attempts" ? "number" : undefined}>{t(`leads.column_${it}`)}</th>)}
      </tr>
    </thead>
  );
}

interface RowProps {
  row: LeadRow | undefined;
  index: number;
  columns: readonly Column[];
  words: RowWords;
  isSelected: boolean;
  hasCheck: boolean;
  isOpened: boolean;
  onToggle: Props["onToggle"];
}

function Row({ row, index, columns, words, isSelected, hasCheck, isOpened, onToggle }: RowProps) {
  const t = useWords();
  const link = useDrawerLink();
  const navigate = useNavigate();
  if (row === undefined) return <tr aria-rowindex={index + 2} aria-busy="true"><td colSpan={columns.length + (hasCheck ? 2 : 1)} className="second">{t("common.loading")}</td></tr>;
  const to = link({ lead: String(row.lead) });
  // A row opens on a click anywhere; its links and boxes keep their own meaning, and marking text opens nothing.
  const open = (event: MouseEvent) => {
    if ((event.target as Element).closest("a, button, input, label") || window.getSelection()?.isCollapsed === false) return;
    void navigate(to, { preventScrollReset: true });
  };
  return (
    <tr aria-rowindex={index + 2} className={[isSelected ? "chosen" : "", isOpened ? "opened" : ""].join(" ").trim() || undefined} onClick={open}>
      {hasCheck ? (
        <td className="tick"><label><input type="checkbox" checked={isSelected} aria-label={t("leads.selectRow", { n: count(row.row) })} onChange={(event) => onToggle(row.lead, (event.nativeEvent as unknown as { shiftKey?: boolean }).shiftKey === true)} /></label></td>
      ) : null}
      <td className="number"><Link className="plain" to={to} preventScrollReset aria-label={t("leads.openRow", { n: count(row.row) })}>{count(row.row)}</Link></td>
      {columns.map((column) => <LeadCell key={column} column={column} row={row} to={to} words={words} />)}
    </tr>
  );
}
