import "../../../kit/form.css";
import "../../../kit/table.css";
import "./campaign-results.css";
import { Link, useParams } from "react-router";
import { useIsStale } from "../../../frame/LiveState";
import { Failed, Gone, Loading, NoneYet } from "../../../kit/States";
import { useMe } from "../../../session";
import { useWords } from "../../../words";
import { isGone } from "../data";
import { useSums, useVote } from "./data";
import { BuildingSums } from "./BuildingSums";
import { Reconciliation, SumsCards } from "./SumsCards";
import { VoteCard } from "./VoteCard";
import { VoteFlats } from "./VoteFlats";

/** `/campaigns/:name/results`: what became of the list, and the owners' vote. */
export default function CampaignResults() {
  const t = useWords();
  const { name = "" } = useParams();
  const sums = useSums(name);
  const vote = useVote(name);
  const isStale = useIsStale();
  if (isGone(sums.error) && sums.data === undefined) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
  if (sums.data === undefined) return sums.error ? <div className="card"><Failed problem={sums.error} onRetry={() => void sums.refetch()} /></div> : <Loading height={480} />;
  if (sums.data.rows === 0 && sums.data.leads === 0) return <div className="card"><NoneYet act={<ToLists />}>{t("vote.noList")}</NoneYet></div>;
  const isOld = isStale || vote.error !== null || sums.error !== null;
  return (
    <div className="campaign-results">
      <div className={isOld ? "stale" : undefined}><Reconciliation sums={sums.data} /></div>
      {vote.data === undefined ? (vote.error ? <div className="card"><Failed problem={vote.error} onRetry={() => void vote.refetch()} /></div> : <Loading height={320} />)
        : vote.data === null ? <NoVote /> : (
          <>
            <VoteCard vote={vote.data} isOld={isOld} />
            <VoteFlats name={name} first={vote.data.heads.differing > 0 ? "differing" : "agree"} />
          </>
        )}
      <div className={isOld ? "sums stale" : "sums"}><SumsCards sums={sums.data} /></div>
      <div className={isOld ? "stale" : undefined}><BuildingSums name={name} sums={sums.data} /></div>
      <p><Link to={`/results/sums?${new URLSearchParams({ campaign: name, sum: "day", days: "month" })}`}>{t("vote.toCallSums")}</Link></p>
    </div>
  );
}

function ToLists() {
  const t = useWords();
  return useMe().rights.has("lists.edit") ? <Link className="button" to="../lists">{t("lists.tab")}</Link> : null;
}

/** How a vote is counted, for a campaign that counts none. */
function NoVote() {
  const t = useWords();
  const mayEdit = useMe().rights.has("campaigns.edit");
  return (
    <section className="card" aria-label={t("vote.title")}>
      <header><h2>{t("vote.title")}</h2></header>
      <div className="body vote">
        <p>{t("vote.none")}{mayEdit ? null : ` ${t("vote.askManager")}`}</p>
        {mayEdit ? <div><Link className="button" to="../settings">{t("vote.toSettings")}</Link></div> : null}
      </div>
    </section>
  );
}
