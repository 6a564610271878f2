import { useId } from "react";
import type { LeadActionName } from "../../api/leads-table";
import { Field } from "../../kit/Field";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { useAccounts } from "../people/data";
import { hasAgent, hasMoment, hasReason, REASON_MAX, type ActionFault, type ActionForm } from "./action-form";

interface Props {
  name: LeadActionName;
  form: ActionForm;
  fault: ActionFault | undefined;
  onChange: (form: ActionForm) => void;
}

/** The fields that an action has: moment, agent, reason. */
export function ActionFields({ name, form, fault, onChange }: Props) {
  const t = useWords();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const atFault = fault === "at" || fault === "past" ? t(`leads.fault_${fault}`) : undefined;
  return (
    <>
      {hasMoment(name) ? <Field label={t("leads.moment")} type="datetime-local" value={form.at} onChange={(at) => onChange({ ...form, at })} fault={atFault} help={t("leads.momentHelp", { zone })} /> : null}
      {hasAgent(name) ? <AgentField label={t(name === "assign" ? "leads.agent" : "leads.agentOrNone")} value={form.agent} onChange={(agent) => onChange({ ...form, agent })} fault={fault === "agent" ? t("leads.fault_agent") : undefined} /> : null}
      {hasReason(name) ? <Field label={t("leads.reason")} value={form.reason} onChange={(reason) => onChange({ ...form, reason })} maxLength={REASON_MAX} autoComplete="off" help={t("leads.reasonHelp")} fault={fault === "reason" ? t("leads.fault_reason") : undefined} /> : null}
    </>
  );
}

/** The number of an account; those that the caller may see are offered by number and name. */
function AgentField({ label, value, onChange, fault }: { label: string; value: string; onChange: (value: string) => void; fault: string | undefined }) {
  const id = useId();
  const { rights } = useMe();
  const accounts = useAccounts(rights.has("people.read")).data ?? [];
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} className="control" list={`${id}-known`} inputMode="numeric" autoComplete="off" maxLength={64} value={value} aria-invalid={fault !== undefined || undefined} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value)} />
      <datalist id={`${id}-known`}>{accounts.map((it) => <option key={it.number} value={it.number}>{it.name}</option>)}</datalist>
      <div id={`${id}-help`}>{fault === undefined ? null : <p className="fault" role="alert">{fault}</p>}</div>
    </div>
  );
}
