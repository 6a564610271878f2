import { useState, type FormEvent } from "react";
import { ApiProblem } from "../../api/call";
import { addLead } from "../../api/leads-table";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { currentLanguage, useWords } from "../../words";
import { narrow } from "../../words/width";
import { reloadLeads } from "./data";

interface Props {
  campaign: string;
  onClose: () => void;
  onAdded: (lead: number) => void;
}

const EMPTY = { name: "", phones: "", place: "", building: "" };

/** Numbers as people write several of them: by comma, semicolon or line. */
const phonesOf = (text: string): string[] => narrow(text).split(/[,;、\n]/).map((it) => it.trim()).filter((it) => it !== "");

/** One person, cleaned by the service like a row of a list; what it refuses stands under the number. */
export function AddLead({ campaign, onClose, onAdded }: Props) {
  const t = useWords();
  const offline = useOfflineReason();
  const [form, setForm] = useState(EMPTY);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const field = (name: keyof typeof EMPTY) => ({ value: form[name], onChange: (value: string) => { setForm({ ...form, [name]: value }); setFault(undefined); } });
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const phones = phonesOf(form.phones);
    if (phones.length === 0) return setFault(t("leads.fault_phones"));
    if (busy || offline !== undefined) return;
    setBusy(true);
    const given = Object.fromEntries((["name", "place", "building"] as const).flatMap((name) => (form[name].trim() === "" ? [] : [[name, form[name].trim()]])));
    try {
      const { lead } = await addLead(campaign, { ...given, phones });
      void reloadLeads(campaign);
      onAdded(lead);
    } catch (problem) {
      const words = problem instanceof ApiProblem ? problem.problem?.errors?.map((it) => it.words[currentLanguage()]).join(" ") : undefined;
      setFault(words || (problem instanceof ApiProblem && problem.message !== "" ? problem.message : problemWords(problem, t)));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("leads.add")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="primary" type="submit" form="add-lead" busy={busy} refusal={offline}>{t("leads.addNow")}</Button>
      </>
    }>
      <form id="add-lead" className="form" onSubmit={(event) => void send(event)}>
        <Field label={t("leads.column_name")} {...field("name")} maxLength={128} autoComplete="off" autoFocus />
        <Field label={t("leads.phones")} {...field("phones")} maxLength={256} autoComplete="off" inputMode="tel" help={t("leads.phonesHelp")} fault={fault} />
        <div className="pair">
          <Field label={t("leads.column_building")} {...field("building")} maxLength={128} autoComplete="off" />
          <Field label={t("leads.column_place")} {...field("place")} maxLength={128} autoComplete="off" />
        </div>
      </form>
    </Dialog>
  );
}
