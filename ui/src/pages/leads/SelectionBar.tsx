import type { LeadActionName } from "../../api/leads-table";
import { Button } from "../../kit/Button";
import { useWords } from "../../words";
import { count } from "../../words/format";
import { IDS_MAX, type Selection } from "./selection";

interface Props {
  selection: Selection;
  actions: readonly LeadActionName[];
  /** How many match, as the service counted them: `10,000+` where it stopped. */
  all: string;
  /** Whether more match than are selected. */
  hasMore: boolean;
  onAll: () => void;
  onClear: () => void;
  onAct: (name: LeadActionName) => void;
}

/** How many are selected, the step to all that match, and what can be done with them. */
export function SelectionBar({ selection, actions, all, hasMore, onAll, onClear, onAct }: Props) {
  const t = useWords();
  const tooMany = selection.ids.size > IDS_MAX ? t("leads.tooManyIds", { max: count(IDS_MAX) }) : undefined;
  return (
    <div className="selection-bar" role="region" aria-label={t("leads.selection")}>
      <strong role="status">{selection.isAll ? t("leads.allSelected", { n: all }) : t("leads.selected", { n: count(selection.ids.size) })}</strong>
      {selection.isAll || !hasMore ? null : <Button kind="link" size="small" onClick={onAll}>{t("leads.selectAll", { n: all })}</Button>}
      <Button kind="link" size="small" onClick={onClear}>{t("leads.selectNone")}</Button>
      <span className="space" />
      {actions.map((name) => <Button key={name} size="small" refusal={tooMany} onClick={() => onAct(name)}>{t(`leads.act_${name}`)}</Button>)}
    </div>
  );
}
