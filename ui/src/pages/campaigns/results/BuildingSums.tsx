import { Link } from "react-router";
import { LEAD_STATES as STATE_WORDS } from "../../../api/words";
import { LEAD_STATES } from "../../../states";
import { useWords } from "../../../words";
import { count, percent, visible } from "../../../words/format";
import { useCampaignWords } from "../titles";
import type { Sums } from "./data";
import { buildingRows, shareOf } from "./figures";

/** Clients by building: their states, and what keys have set. Each number opens its clients. */
export function BuildingSums({ name, sums }: { name: string; sums: Sums }) {
  const t = useWords();
  const words = useCampaignWords([name]);
  const { rows, results } = buildingRows(sums);
  const leads = (building: string | null, state?: string) => {
    const filters = new URLSearchParams({ ...(building === null ? {} : { building }), ...(state === undefined ? {} : { state }) });
    return `/campaigns/${name}/leads?${filters}`;
  };
  const cell = (n: number, building: string | null, state?: string) => (n === 0 ? "0" : building === null ? count(n) : <Link to={leads(building, state)}>{count(n)}</Link>);
  return (
    <section className="card buildings" aria-label={t("vote.byBuilding")}>
      <header><h2>{t("vote.byBuilding")}</h2></header>
      <div className="body">
        {rows.every((row) => row.building === null) ? <p className="hint">{t("vote.noBuildings")}</p> : (
          <div className="table-box">
            <table className="table">
              <thead><tr>
                <th scope="col">{t("vote.building")}</th><th scope="col" className="number">{t("vote.clients")}</th>
                {STATE_WORDS.map((state) => <th key={state} scope="col" className="number">{t(LEAD_STATES[state].word)}</th>)}
                {results.map((result) => <th key={result} scope="col" className="number" title={result}>{visible(words.result(name, result))}</th>)}
              </tr></thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.building ?? ""}>
                    <th scope="row">{row.building === null ? <span className="hint">{t("vote.noBuilding")}</span> : visible(row.building)}</th>
                    <td className="number">{cell(row.leads, row.building)}</td>
                    {STATE_WORDS.map((state) => <td key={state} className="number">{cell(row.states[state] ?? 0, row.building, state)}</td>)}
                    {results.map((result) => <td key={result} className="number">{count(row.results[result] ?? 0)} <span className="second">{percent(shareOf(row.results[result] ?? 0, row.leads))}</span></td>)}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </section>
  );
}
