import { NavLink } from "react-router";
import { Glyph } from "../kit/Glyph";
import { useApprovalEvents, useWaiting } from "../pages/approvals/data";
import { useWords } from "../words";

/** `☑ 3`: what waits for the reader's word; leads to the inbox. */
export function ApprovalsBadge() {
  const t = useWords();
  useApprovalEvents();
  const { data } = useWaiting();
  const shown = data === undefined ? "" : `${data.count}${data.isMore ? "+" : ""}`;
  const words = data === undefined ? t("approvals.title") : t("approvals.badge", { n: shown });
  return (
    <NavLink className={data !== undefined && data.count > 0 ? "approvals-badge some" : "approvals-badge"} to="/approvals" aria-label={words} title={words} data-testid="approvals-badge">
      <Glyph name="checked" />{shown}
    </NavLink>
  );
}
