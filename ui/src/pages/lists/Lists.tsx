import "../../kit/form.css";
import "../../kit/table.css";
import "./lists.css";
import { Link, useParams } from "react-router";
import { More } from "../../kit/More";
import { Pill } from "../../kit/Pill";
import { Failed, Loading, NoneYet } from "../../kit/States";
import { useIsStale } from "../../frame/LiveState";
import { serverNow } from "../../live/clock";
import { listState } from "../../states";
import { useTitle } from "../../use-title";
import { useLanguage, useWords } from "../../words";
import { count, moment, visible } from "../../words/format";
import { isTaskOpen, useLists } from "./data";
import { FilePick } from "./FilePick";
import { usePersonName } from "../audio/person-name";
import { size } from "./words";

/** `/campaigns/:name/lists`: the uploaded lists of a campaign, newest first, and a place for the next. */
export default function Lists() {
  const t = useWords();
  const language = useLanguage();
  const { name = "" } = useParams();
  useTitle(`${t("lists.title")} · ${name}`);
  const isStale = useIsStale();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useLists(name);
  const lists = data?.pages.flatMap((page) => page.items) ?? [];
  const now = new Date(serverNow());
  const nameOf = usePersonName(lists.some((it) => it.made_by !== null));
  return (
    <div className="lists">
      <FilePick campaign={name} label={t("lists.pick")} help={t("lists.pickHelp")} />
      {error && data === undefined ? <Failed problem={error} onRetry={() => void refetch()} /> : data === undefined ? <Loading /> : lists.length === 0 ? <NoneYet>{t("lists.none")}</NoneYet> : (
        <div className={isStale ? "table-box stale" : "table-box"}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t("lists.file")}</th><th scope="col">{t("lists.state")}</th><th scope="col" className="number">{t("lists.rows")}</th><th scope="col" className="number">{t("lists.importable")}</th>
                <th scope="col" className="number">{t("lists.refused")}</th><th scope="col" className="number">{t("lists.size")}</th><th scope="col">{t("lists.by")}</th><th scope="col">{t("lists.at")}</th>
              </tr>
            </thead>
            <tbody>
              {lists.map((list) => {
                const isRead = list.rows > 0;
                return (
                  <tr key={list.id}>
                    <td className="wide"><Link className="row" to={String(list.id)}>{visible(list.file_name)}</Link></td>
                    <td><Pill state={listState(list)} />{isTaskOpen(list.task) ? <span className="hint"> {list.task.words[language]}</span> : null}</td>
                    <td className="number">{isRead ? count(list.rows) : "–"}</td><td className="number">{isRead ? count(list.leads) : "–"}</td><td className="number">{isRead ? count(list.refused) : "–"}</td>
                    <td className="number">{size(list.bytes)}</td><td>{list.made_by === null ? "–" : nameOf(list.made_by)}</td><td title={list.made_at}>{moment(new Date(list.made_at), now)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
        </div>
      )}
    </div>
  );
}
