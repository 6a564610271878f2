import "../../kit/table.css";
import "./admin.css";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "../../api/call";
import { Failed, Loading, NothingMatches } from "../../kit/States";
import { useWords } from "../../words";
import { visible } from "../../words/format";

/** What the node runs with, and where each value comes from; it is changed in its file. */
export function NodeSettings() {
  const t = useWords();
  const [wanted, setWanted] = useState("");
  const { data, error, refetch } = useQuery({ queryKey: ["config"], queryFn: ({ signal }) => get("/api/v1/config", { signal }) });
  const shown = (data?.items ?? []).filter((it) => it.key.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <section className="card" aria-labelledby="node-settings">
      <header>
        <h2 id="node-settings">{t("organisation.node")}</h2>
        {data === undefined ? null : <span className="hint">{t("organisation.nodeVersion", { version: data.version })}</span>}
        <span className="hint">{t("organisation.nodeHelp")}</span>
        <input className="search" type="search" aria-label={t("organisation.nodeSearch")} placeholder={t("organisation.nodeSearch")} value={wanted} onChange={(event) => setWanted(event.target.value)} />
      </header>
      {data === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={300} />)
        : shown.length === 0 ? <NothingMatches onClear={() => setWanted("")} />
        : (
          <div className="scroll node-settings" tabIndex={0}>
            <table className="table">
              <thead><tr><th scope="col">{t("organisation.key")}</th><th scope="col">{t("organisation.value")}</th><th scope="col">{t("organisation.from")}</th></tr></thead>
              <tbody>
                {shown.map((it) => (
                  <tr key={it.key}>
                    <td className="mono">{visible(it.key)}</td><td className="mono value" title={valueWords(it.value)}>{valueWords(it.value)}</td>
                    <td>{t(`organisation.source_${it.source}`)}{it.from === null ? null : <span className="second"> {visible(it.from)}</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
    </section>
  );
}

const valueWords = (value: unknown): string => (typeof value === "string" ? (value === "" ? "–" : visible(value)) : value === null || value === undefined ? "–" : visible(JSON.stringify(value)));
