import { useState, type FormEvent } from "react";
import { ApiProblem } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Drawer } from "../../kit/Drawer";
import { offerSaved } from "../../kit/undo";
import { useSearch } from "../../use-search";
import { useLanguage, useWords } from "../../words";
import { addTrunk, changeTrunk, refreshTrunks, refusalWords, type TrunkRow } from "./data";
import { changeOf, faultsOf, formOf, NEW, refusedFields, settingsOf, type Faults, type Settings } from "./form";
import { TrunkFields } from "./TrunkFields";

/** Adds a trunk, or changes one, while calls are up. `row` = the trunk that is changed. */
export function TrunkEditor({ row }: { row?: TrunkRow | undefined }) {
  const t = useWords();
  const language = useLanguage();
  const [, set] = useSearch();
  const parameter = row === undefined ? "add" : "edit";
  const settings = (row?.settings ?? {}) as Settings;
  const [form, setForm] = useState(row === undefined ? NEW : formOf(row.name, settings));
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const change = row === undefined ? settingsOf(form) : changeOf(form, settings);
  const close = () => set({ [parameter]: null });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy || offline !== undefined) return;
    const page = event.currentTarget;
    const focusFault = () => requestAnimationFrame(() => {
      const first = page.querySelector<HTMLElement>('[aria-invalid="true"]');
      first?.closest("details")?.setAttribute("open", "");
      first?.focus();
    });
    const found = faultsOf(form, row === undefined);
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0) {
      focusFault();
      return;
    }
    setBusy(true);
    try {
      if (row === undefined) await addTrunk(form.name.trim(), change);
      else await changeTrunk(row, change);
      await refreshTrunks();
      offerSaved(t);
      close();
    } catch (problem) {
      setBusy(false);
      const code = problem instanceof ApiProblem ? problem.code : "";
      // The row stands although it is not in use yet: what is missing is said, and saving again tries again.
      if (code === "changed" || code === "not_applied") void refreshTrunks();
      const refused = code === "taken" ? { name: { sentence: t("trunks.taken") } } : refusedFields(problem, language);
      setFaults(refused);
      if (Object.keys(refused).length > 0) focusFault();
      else setRefusal(refusalWords(problem, t, language));
    }
  };
  return (
    <Drawer parameter={parameter} title={row === undefined ? t("trunks.add") : t("trunks.editTitle", { name: row.name })}>
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <TrunkFields form={form} onChange={setForm} faults={faults} isNew={row === undefined} hasPassword={row?.has_password === true} />
        <p className="hint">{t(row === undefined ? "trunks.addHelp" : "trunks.editHelp")}</p>
        {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
        <div className="buttons">
          <Button kind="primary" type="submit" busy={busy} refusal={offline ?? (row !== undefined && Object.keys(change).length === 0 ? t("kit.noChanges") : undefined)}>{t(row === undefined ? "trunks.addNow" : "kit.save")}</Button>
          <Button kind="plain" onClick={close}>{t("common.cancel")}</Button>
        </div>
      </form>
    </Drawer>
  );
}
