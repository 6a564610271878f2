import { Link } from "react-router";
import type { CallerIdDetail } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { useWords } from "../../words";
import { visible } from "../../words/format";

/** Where the number stands with a colleague's approval; nothing where none is needed. */
export function CallerIdApproval({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  if (row.approval === "not_needed" || row.state === "retired") return null;
  const last = row.log[0];
  const isApproved = row.approval === "approved";
  return (
    <section>
      <p className={isApproved ? undefined : "waiting-ink"} role="status">
        <Glyph name={isApproved ? "done" : "waiting"} /> {t(`callerIds.approvalIs_${row.approval}`)}{" "}
        {row.approval_id === null ? null : <Link to={`/approvals?state=others&item=${row.approval_id}`}>{t("callerIds.seeApproval")}</Link>}
      </p>
      {row.approval === "missing" && last?.why === "refused" ? <p>{t("callerIds.refusedBecause", { note: visible(last.note) })}</p> : null}
    </section>
  );
}
