import { useEffect } from "react";
import type { ListDetail } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { useLanguage, useWords, hasWord } from "../../words";
import { count, visible } from "../../words/format";

/** What the check of a list found, and some of its leads chosen at random. */
export function ListReport({ list, onRead }: { list: ListDetail; onRead: () => void }) {
  const t = useWords();
  const language = useLanguage();
  const { found } = list;
  const isThere = found !== null;
  useEffect(() => {
    if (isThere) onRead();
  }, [isThere, onRead]);
  if (list.error !== null) return <p className="alarm-ink"><Glyph name="alarm" /> {list.error[language]}</p>;
  if (found === null) return <p>{t("approvals.notYet")}</p>;
  const columns = found.preview?.columns ?? [];
  const refused = Object.entries(found.report?.refused ?? {}).filter(([, n]) => n > 0);
  const warnings = found.report?.warnings ?? [];
  return (
    <>
      <dl className="facts" aria-label={t("approvals.report")}>
        <dt>{t("approvals.rowsRead")}</dt><dd>{t("approvals.rows", { n: count(list.rows) })}</dd>
        <dt>{t("approvals.mayLoad")}</dt><dd>{count(list.leads)}</dd>
        <dt>{t("approvals.refusedRows")}</dt><dd>{count(list.refused)}{refused.map(([reason, n]) => <span key={reason} className="reason">{reasonWords(reason)} {count(n)}</span>)}</dd>
        <dt>{t("approvals.newLeads")}</dt><dd>{count(found.new_leads)}</dd>
        <dt>{t("approvals.knownRows")}</dt><dd>{count(found.known_rows)}</dd>
        <dt>{t("approvals.households")}</dt><dd>{found.report === null ? t("common.none") : count(found.report.households)}</dd>
      </dl>
      {found.problem === null ? null : <p className="alarm-ink"><Glyph name="alarm" /> {found.problem[language]}</p>}
      {warnings.length === 0 ? null : (
        <ul className="sound-warnings" aria-label={t("approvals.warnings")}>
          {warnings.map((it, n) => <li key={n} className="waiting-ink"><Glyph name="warning" /> {t("approvals.warning", { what: visible(it.what), n: count(it.count) })}</li>)}
        </ul>
      )}
      {found.leads.length === 0 ? null : (
        <>
          <h3>{t("approvals.someRows", { n: count(found.leads.length) })}</h3>
          <div className="table-box" tabIndex={0} role="region" aria-label={t("approvals.someRows", { n: count(found.leads.length) })}>
            <table className="table">
              <thead><tr><th scope="col" className="number">{t("approvals.row")}</th>{columns.map((it, n) => <th key={n} scope="col">{visible(it)}</th>)}</tr></thead>
              <tbody>{found.leads.map((lead) => <tr key={lead.row}><td className="number second">{count(lead.row)}</td>{lead.cells.map((cell, n) => <td key={n}>{visible(cell)}</td>)}</tr>)}</tbody>
            </table>
          </div>
        </>
      )}
    </>
  );

  function reasonWords(reason: string): string {
    const key = `approvals.reason_${reason}`;
    return hasWord(key) ? t(key) : visible(reason);
  }
}
