import { useState, type FormEvent } from "react";
import { post } from "../../api/call";
import type { Schemas } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Drawer } from "../../kit/Drawer";
import { Field } from "../../kit/Field";
import { Select, TextArea } from "../../kit/Select";
import { problemWords } from "../../kit/States";
import { serverNow } from "../../live/clock";
import { useCampaigns } from "../../live/stores";
import { useSearch } from "../../use-search";
import { useWords } from "../../words";
import { count, visible } from "../../words/format";
import { dayOf, plusDays, startOfDay } from "../results/filters";
import { refreshBlacklist } from "./data";
import { NUMBERS_MAX, readNumbers, type Unfit } from "./entries";

type Faults = Partial<Record<"numbers" | "reason" | "until", string>>;

/** Numbers and ranges that are not called from now on. A reason is asked for: somebody will want to know it later. */
export function AddEntries({ onAdded }: { onAdded: (words: string) => void }) {
  const t = useWords();
  const [search, set] = useSearch();
  const campaigns = useCampaigns();
  const [text, setText] = useState(search.get("number") ?? "");
  const [campaign, setCampaign] = useState("");
  const [reason, setReason] = useState("");
  // The last day on which the numbers are not called; empty = for ever.
  const [lastDay, setLastDay] = useState("");
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const { numbers, unfit, rest } = readNumbers(text);
  const refusedLines = unfit.length === 0 ? undefined : t("blacklist.unfitFirst", { n: count(unfit.length) });

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy || unfit.length > 0) return;
    const page = event.currentTarget;
    const found: Faults = {};
    const until = lastDay === "" ? undefined : startOfDay(lastDay);
    if (numbers.length === 0) found.numbers = t("blacklist.noNumber");
    else if (numbers.length > NUMBERS_MAX) found.numbers = t("blacklist.tooMany", { n: count(numbers.length), max: count(NUMBERS_MAX) });
    const length = [...reason.trim()].length;
    if (length === 0 || length > 64) found.reason = t("blacklist.reasonMissing");
    if (lastDay !== "" && (until === undefined || lastDay < dayOf(new Date(serverNow())))) found.until = t("blacklist.pastDay");
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => page.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    const body: Schemas["BlacklistRequest"] = { numbers, reason: reason.trim(), ...(campaign === "" ? {} : { campaign }), ...(until === undefined ? {} : { until: plusDays(until, 1).toISOString() }) } as Schemas["BlacklistRequest"];
    setBusy(true);
    try {
      const { added, leads_closed: closed } = await post("/api/v1/blacklist", { body });
      await refreshBlacklist();
      onAdded(added === 0 ? t("blacklist.wereThere") : closed === 0 ? t("blacklist.added", { n: count(added) }) : t("blacklist.addedClosed", { n: count(added), leads: count(closed) }));
      set({ add: null });
    } catch (problem) {
      setRefusal(problemWords(problem, t));
      setBusy(false);
    }
  };
  return (
    <Drawer parameter="add" title={t("blacklist.add")}>
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <TextArea label={t("blacklist.numbers")} rows={5} value={text} onChange={setText} fault={faults.numbers} help={t("blacklist.numbersHelp", { n: count(numbers.length) })} />
        {unfit.length === 0 ? null : <UnfitLines unfit={unfit} onRemove={() => setText(rest)} />}
        <Select label={t("blacklist.scope")} value={campaign} onChange={setCampaign} options={[{ value: "", label: t("blacklist.system") }, ...campaigns.map((it) => ({ value: it.name, label: visible(it.title ?? it.name) }))]} help={t("blacklist.scopeHelp")} />
        <Field label={t("blacklist.reason")} value={reason} onChange={setReason} maxLength={64} autoComplete="off" fault={faults.reason} help={t("blacklist.reasonHelp")} />
        <div className="field">
          <label htmlFor="last-day">{t("blacklist.lastDay")}</label>
          <input id="last-day" className="control" type="date" value={lastDay} aria-invalid={faults.until !== undefined || undefined} aria-describedby="last-day-help" onChange={(event) => setLastDay(event.target.value)} />
          <div id="last-day-help">{faults.until === undefined ? null : <p className="fault" role="alert">{faults.until}</p>}<p className="help">{t("blacklist.lastDayHelp")}</p></div>
        </div>
        {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
        <div className="buttons"><Button kind="primary" type="submit" refusal={offline ?? refusedLines} busy={busy}>{t("blacklist.addNow", { n: count(numbers.length) })}</Button><Button kind="plain" onClick={() => set({ add: null })}>{t("common.cancel")}</Button></div>
      </form>
    </Drawer>
  );
}

/** Lines that are named at once; the count says how many there are. */
const NAMED_MAX = 20;

/** Each line that is not understood, and a click that removes them all. */
function UnfitLines({ unfit, onRemove }: { unfit: readonly Unfit[]; onRemove: () => void }) {
  const t = useWords();
  return (
    <div className="summary-fault unfit-lines" role="status">
      <p>{t("blacklist.unfitCount", { n: count(unfit.length) })}</p>
      <ul>{unfit.slice(0, NAMED_MAX).map((it, n) => <li key={n}>{t("blacklist.unfitLine", { line: count(it.line), text: visible(it.text) })}</li>)}</ul>
      {unfit.length <= NAMED_MAX ? null : <p>{t("blacklist.unfitMore", { n: count(unfit.length - NAMED_MAX) })}</p>}
      <Button size="small" onClick={onRemove}>{t("blacklist.removeUnfit", { n: count(unfit.length) })}</Button>
    </div>
  );
}
