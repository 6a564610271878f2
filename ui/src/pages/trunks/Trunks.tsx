import "../../kit/form.css";
import "../../kit/table.css";
import "./trunks.css";
import { useEffect } from "react";
import { useIsStale } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Failed, Loading, NoneYet } from "../../kit/States";
import { useMe } from "../../session";
import { useSearch } from "../../use-search";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { clock } from "../../words/format";
import { useTrunkRows } from "./data";
import { TrunkCard } from "./TrunkCard";
import { TrunkEditor } from "./TrunkEditor";

/** `/trunks`: the lines to carriers, their states in words, test calls; trunks are added and changed while calls are up. */
export default function Trunks() {
  const t = useWords();
  const { rights } = useMe();
  const [search, set] = useSearch();
  const isStale = useIsStale();
  useTitle(t("trunks.title"));
  const { data, error, dataUpdatedAt, refetch } = useTrunkRows();
  const wanted = search.get("trunk");
  const isLoaded = data !== undefined;
  useEffect(() => {
    if (isLoaded && wanted !== null) document.getElementById(`trunk=${wanted}`)?.scrollIntoView({ block: "start" });
  }, [isLoaded, wanted]);
  const add = rights.has("trunks.edit") ? <Button kind="primary" onClick={() => set({ add: "1", edit: null })}>{t("trunks.add")}</Button> : null;
  const edited = data?.find((it) => it.name === search.get("edit") && it.source === "row");
  return (
    <>
      <div className="page-head">
        <h1>{t("trunks.title")}</h1>
        {error && data !== undefined ? <span className="waiting-ink" role="status">{t("frame.asOf", { time: clock(new Date(dataUpdatedAt)) })}</span> : null}
        <span className="space" />
        {data?.length === 0 ? null : add}
      </div>
      {data === undefined ? (error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : <Loading height={300} />)
        : data.length === 0 ? <div className="card"><NoneYet act={add}>{t(add === null ? "trunks.noneRead" : "trunks.none")}</NoneYet></div>
        : <div className={isStale || error ? "trunk-list stale" : "trunk-list"}>{data.map((row) => <TrunkCard key={row.name} row={row} />)}</div>}
      {search.has("add") && rights.has("trunks.edit") ? <TrunkEditor /> : null}
      {edited !== undefined && rights.has("trunks.edit") ? <TrunkEditor key={edited.name} row={edited} /> : null}
    </>
  );
}
