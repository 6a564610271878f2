import type { ListDetail } from "../../api/words";
import { More } from "../../kit/More";
import { Failed, Loading } from "../../kit/States";
import { useLanguage, useWords } from "../../words";
import { count, visible } from "../../words/format";
import { useRefusedRows, type RefusalReason } from "./data";
import { checkWords } from "./check-words";
import { reasonWord } from "./words";

/** Rows that are refused for one reason, as they stand in the file, with what to do. */
export function RefusedRows({ list, reason }: { list: ListDetail; reason: RefusalReason }) {
  const t = useWords();
  const language = useLanguage();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useRefusedRows(list.id, list.version, reason);
  if (error) return <Failed problem={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading height={160} />;
  const columns = data.pages[0]?.columns ?? [];
  return (
    <div className="table-box rows" tabIndex={0} role="region" aria-label={reasonWord(reason, t)}>
      <table className="table">
        <thead><tr><th scope="col" className="number">{t("lists.rowNumber")}</th><th scope="col">{t("lists.hint")}</th>{columns.map((column, n) => <th key={n} scope="col">{visible(column)}</th>)}</tr></thead>
        <tbody>
          {data.pages.flatMap((page) => page.items).map((row) => {
            const { text, lang } = checkWords(row.hint ?? "", language);
            return <tr key={row.row}><td className="number">{count(row.row)}</td><td lang={lang === language ? undefined : lang}>{text}</td>{row.cells.map((cell, n) => <td key={n}>{visible(cell)}</td>)}</tr>;
          })}
        </tbody>
      </table>
      {hasNextPage ? <More busy={isFetchingNextPage} onMore={() => void fetchNextPage()} /> : null}
    </div>
  );
}
