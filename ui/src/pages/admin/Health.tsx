import "../../kit/form.css";
import "../../kit/table.css";
import "./admin.css";
import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/call";
import { Button } from "../../kit/Button";
import { CopyButton } from "../../kit/Copy";
import { Glyph } from "../../kit/Glyph";
import { Failed, Loading } from "../../kit/States";
import { useTitle } from "../../use-title";
import { useLanguage, useWords } from "../../words";
import { clock, visible } from "../../words/format";

/** Milliseconds between two readings while the page is open. */
const AGAIN = 10_000;

/** `/health`: what the service checks about itself, as sentences; what is wrong stands first. */
export default function Health() {
  const t = useWords();
  const language = useLanguage();
  useTitle(t("health.title"));
  const { data, error, isFetching, refetch } = useQuery({ queryKey: ["health"], queryFn: () => get("/api/v1/health"), refetchInterval: AGAIN, staleTime: 0 });
  const checks = [...(data?.checks ?? [])].sort((a, b) => Number(a.ok) - Number(b.ok));
  return (
    <>
      <div className="page-head">
        <h1>{t("health.title")}</h1>
        <span className="space" />
        {data === undefined ? null : <span className="hint">{t("results.asOf", { time: clock(new Date(data.at)) })}</span>}
        <Button size="small" busy={isFetching} onClick={() => void refetch()}>{t("results.refresh")}</Button>
        {data === undefined ? null : <CopyButton text={JSON.stringify(data, null, 2)}>{t("health.copy")}</CopyButton>}
      </div>
      {error && data === undefined ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : data === undefined ? <Loading height={240} /> : (
        <div className={error ? "card stale" : "card"}>
          <header><p role="status" className={data.ok ? "health-ok" : "health-bad"}><Glyph name={data.ok ? "done" : "alarm"} /> <strong>{t(data.ok ? "health.allOk" : "health.notOk", { n: checks.filter((it) => !it.ok).length })}</strong></p></header>
          <ul className="checks">
            {checks.map((it, n) => (
              <li key={`${it.code}-${n}`}>
                <span className={it.ok ? "health-ok" : "health-bad"}><Glyph name={it.ok ? "done" : "alarm"} /><span className="visually-hidden">{t(it.ok ? "health.ok" : "health.bad")}</span></span>
                <span>{visible(it.words[language])}</span>
                <span className="hint mono">{it.code}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
