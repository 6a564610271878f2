import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { ApiProblem, newKey, post } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Drawer } from "../../kit/Drawer";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useDrawerLink, useSearch } from "../../use-search";
import { useLanguage, useWords } from "../../words";
import { CallerIdFields, useFaultWords } from "./CallerIdFields";
import { keepCallerId } from "./data";
import { EMPTY, entryOf, faultsOf, LIMITS, refusedFields, TEXTS, type CallerIdForm, type Faults } from "./form";

const FIRST = ["holder", "carrier", "region"] as const;
const RARE = [...TEXTS, ...LIMITS].filter((it) => !(FIRST as readonly string[]).includes(it));

/** Enters one number. It is shown by no call before it is led further: its drawer opens for that. */
export function AddCallerId({ onAdded }: { onAdded: (number: string) => void }) {
  const t = useWords();
  const language = useLanguage();
  const [, set] = useSearch();
  const link = useDrawerLink();
  const [number, setNumber] = useState("");
  const [form, setForm] = useState<CallerIdForm>(EMPTY);
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [known, setKnown] = useState<string>();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const fault = useFaultWords(faults);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy || offline !== undefined) return;
    const page = event.currentTarget;
    const focusFault = () => requestAnimationFrame(() => {
      const first = page.querySelector<HTMLElement>('[aria-invalid="true"]');
      // A fault among the rare fields is not seen while they are folded.
      first?.closest("details")?.setAttribute("open", "");
      first?.focus();
    });
    const found: Faults = { ...(number.trim() === "" ? { number: { word: "number" as const } } : {}), ...faultsOf(form, [...TEXTS, ...LIMITS]) };
    setFaults(found);
    setRefusal(undefined);
    setKnown(undefined);
    if (Object.keys(found).length > 0) {
      focusFault();
      return;
    }
    setBusy(true);
    try {
      const row = await post("/api/v1/caller-ids", { body: entryOf(number, form), key: newKey() });
      keepCallerId(row);
      onAdded(row.number);
    } catch (problem) {
      setBusy(false);
      if (problem instanceof ApiProblem && problem.code === "taken") {
        setFaults({ number: { sentence: t("callerIds.exists") } });
        setKnown(number);
        focusFault();
        return;
      }
      const refused = refusedFields(problem, language);
      setFaults(refused);
      if (Object.keys(refused).length > 0) focusFault();
      else setRefusal(problemWords(problem, t));
    }
  };
  return (
    <Drawer parameter="add" title={t("callerIds.add")}>
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <Field label={t("callerIds.number")} value={number} onChange={(text) => { setNumber(text); setKnown(undefined); }} type="tel" autoComplete="off" maxLength={32} fault={fault("number")} help={t("callerIds.numberHelp")} />
        {known === undefined ? null : <p><Link to={link({ add: null, "caller-id": known.replace(/\s/g, "") })}>{t("callerIds.openKnown")}</Link></p>}
        <CallerIdFields names={FIRST} form={form} onChange={setForm} faults={faults} />
        <details className="rare">
          <summary>{t("callerIds.rare")}</summary>
          <div className="form"><CallerIdFields names={RARE} form={form} onChange={setForm} faults={faults} /></div>
        </details>
        <p className="hint">{t("callerIds.addHelp")}</p>
        {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
        <div className="buttons"><Button kind="primary" type="submit" refusal={offline} busy={busy}>{t("callerIds.addNow")}</Button><Button kind="plain" onClick={() => set({ add: null })}>{t("common.cancel")}</Button></div>
      </form>
    </Drawer>
  );
}
