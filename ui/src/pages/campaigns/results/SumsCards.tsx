import { LEAD_STATES as STATE_WORDS } from "../../../api/words";
import { Glyph } from "../../../kit/Glyph";
import { LEAD_STATES } from "../../../states";
import { hasWord, useWords } from "../../../words";
import { clock, count, percent, visible } from "../../../words/format";
import type { Sums } from "./data";
import { missingRows, shareOf, sumRows, type SumRow } from "./figures";

/** Every row of the lists is a client or was refused: sums that do not agree are red. */
export function Reconciliation({ sums }: { sums: Sums }) {
  const t = useWords();
  const missing = missingRows(sums);
  const refused = sumRows(sums.refused_by, (key) => (hasWord(`lists.reason_${key}`) ? t(`lists.reason_${key}` as "lists.reason_duplicate") : key));
  const line = t("vote.rows", { rows: count(sums.rows), leads: count(sums.leads), refused: count(sums.refused) });
  return (
    <p className={missing === 0 ? "line" : "line summary-fault"} role={missing === 0 ? undefined : "alert"}>
      {line} {missing === 0 ? <span className="reached"><Glyph name="done" /> {t("vote.agrees")}</span> : <><Glyph name="alarm" /> {t("vote.disagrees", { n: count(missing) })}</>}
      {refused.length === 0 ? null : <span className="hint"> {t("vote.refused")}: {refused.map((it) => `${it.label} ${count(it.n)}`).join(" · ")}</span>}
      <span className="hint"> {t("results.asOf", { time: clock(new Date(sums.as_of)) })}</span>
    </p>
  );
}

/** Clients by state, by key and by summary. */
export function SumsCards({ sums }: { sums: Sums }) {
  const t = useWords();
  const state = (key: string) => {
    const known = STATE_WORDS.find((it) => it === key);
    return known ? t(LEAD_STATES[known].word) : key;
  };
  const summaries = sums.dispositions.map((it) => ({ key: it.code, label: it.label, n: it.leads })).sort((a, b) => b.n - a.n);
  return (
    <>
      <SumCard title={t("vote.byState")} rows={sumRows(sums.states, state)} of={sums.leads} />
      <SumCard title={t("vote.byKey")} rows={sumRows(sums.results)} of={sums.leads} none={t("vote.noKeys")} />
      <SumCard title={t("vote.bySummary")} rows={summaries} of={sums.leads} none={t("vote.noSummaries")} />
    </>
  );
}

function SumCard({ title, rows, of, none }: { title: string; rows: readonly SumRow[]; of: number; none?: string }) {
  const t = useWords();
  return (
    <section className="card third" aria-label={title}>
      <header><h2>{title}</h2></header>
      <div className="body">
        {rows.length === 0 ? <p className="hint">{none}</p> : (
          <table className="plain-table">
            <thead className="visually-hidden"><tr><th scope="col">{title}</th><th scope="col">{t("vote.clients")}</th><th scope="col">{t("vote.share")}</th></tr></thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.key}>
                  <th scope="row" title={row.key}>{visible(row.label)}</th>
                  <td className="number">{count(row.n)}</td>
                  <td className="number second">{percent(shareOf(row.n, of))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
