import { Link } from "react-router";
import { More } from "../../../kit/More";
import { Pill } from "../../../kit/Pill";
import { Failed, Loading } from "../../../kit/States";
import { SAID_STATES } from "../../../states";
import { useDrawerLink, useSearch } from "../../../use-search";
import { useWords } from "../../../words";
import { visible } from "../../../words/format";
import { useVoteHeads, type Said, type VoteHead } from "./data";
import { squareMetres } from "./figures";

const SAID = Object.keys(SAID_STATES) as Said[];
const isSaid = (text: string | null): text is Said => SAID.some((it) => it === text);

/** The flats behind the count: who of their owners said what. */
export function VoteFlats({ name, first }: { name: string; first: Said }) {
  const t = useWords();
  const [search, set] = useSearch();
  const given = search.get("said");
  const said = isSaid(given) ? given : first;
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useVoteHeads(name, said);
  const heads = data?.pages.flatMap((page) => page.items);
  return (
    <section className="card" aria-label={t("vote.flats")}>
      <header>
        <h2>{t("vote.flats")}</h2>
        <label className="action"><span className="hint">{t("vote.said")}</span>
          <select className="control" value={said} onChange={(event) => set({ said: event.target.value })}>
            {SAID.map((it) => <option key={it} value={it}>{t(SAID_STATES[it].word)}</option>)}
          </select>
        </label>
        {said === "differing" ? <span className="hint">{t("vote.differingHelp")}</span> : null}
      </header>
      <div className="body">
        {heads === undefined ? (error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={160} />)
          : heads.length === 0 ? <p className="hint">{t("vote.noFlats")}</p> : (
            <div className={error ? "table-box stale" : "table-box"}>
              <table className="table vote-flats">
                <thead><tr><th scope="col">{t("vote.flat")}</th><th scope="col" className="number">{t("vote.flatArea")}</th><th scope="col">{t("vote.saidTogether")}</th><th scope="col" className="wide">{t("vote.whoSaid")}</th></tr></thead>
                <tbody>{heads.map((head) => <HeadRow key={head.owners[0]?.lead ?? 0} head={head} />)}</tbody>
              </table>
            </div>
          )}
        {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
      </div>
    </section>
  );
}

function HeadRow({ head }: { head: VoteHead }) {
  const t = useWords();
  const link = useDrawerLink();
  const flats = head.flats.map((flat) => (flat.name === null ? t("vote.noFlat") : visible(flat.name)));
  return (
    <tr>
      <td>{flats.join(", ")}</td>
      <td className="number">{head.area === null ? "–" : squareMetres(head.area)}</td>
      <td><Pill state={SAID_STATES[head.said]} /></td>
      <td className="wide">
        <ul className="vote-owners">
          {head.owners.map((owner) => (
            <li key={owner.lead}>
              <Link to={link({ lead: String(owner.lead) })}>{visible(owner.name ?? t("leads.noName"))}</Link>{" "}
              <span className="hint">{owner.voice === null ? t(owner.open ? "vote.said_open" : "vote.said_silent") : t(SAID_STATES[owner.voice].word)}</span>
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}
