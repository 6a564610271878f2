import { useState, type FormEvent } from "react";
import { ApiProblem, call } from "../../api/call";
import type { CallerIdDetail } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { problemWords } from "../../kit/States";
import { CallerIdFields } from "../../pages/caller-ids/CallerIdFields";
import { keepCallerId, useCallerId } from "../../pages/caller-ids/data";
import { changeOf, differing, faultsOf, formOf, isTouched, LIMITS, merged, refusedFields, TEXTS, type Faults, type FieldName } from "../../pages/caller-ids/form";
import { isToComplete } from "../../pages/caller-ids/figures";
import { useLanguage, useWords, type Translate } from "../../words";
import { count, visible } from "../../words/format";

/** Whose number it is, and how often calls may show it: two small forms, one open at a time. */
export function EditableFacts({ row }: { row: CallerIdDetail }) {
  const t = useWords();
  const [edited, setEdited] = useState<"texts" | "limits">();
  const isFixed = row.state === "retired";
  const part = (kind: "texts" | "limits", names: readonly FieldName[]) => (
    <section>
      <div className="part-head">
        <h3>{t(`callerIds.${kind}`)}</h3>
        {isFixed || edited === kind ? null : kind === "texts" && isToComplete(row)
          ? <Button kind="link" size="small" onClick={() => setEdited(kind)}>{t("callerIds.complete")}</Button>
          : <Button kind="link" size="small" label={t("callerIds.editPart", { part: t(`callerIds.${kind}`) })} onClick={() => setEdited(kind)}>{t("callerIds.edit")}</Button>}
      </div>
      {kind === "texts" && row.found && edited !== kind ? <p className="hint">{t("callerIds.foundHelp")}</p> : null}
      {edited === kind ? <EditForm row={row} names={names} onClose={() => setEdited(undefined)} /> : (
        <dl className="facts">{names.map((name) => <Fact key={name} row={row} name={name} />)}</dl>
      )}
    </section>
  );
  return <>{part("texts", TEXTS)}{part("limits", LIMITS)}</>;
}

function Fact({ row, name }: { row: CallerIdDetail; name: FieldName }) {
  const t = useWords();
  return <><dt>{t(`callerIds.f_${name}`)}</dt><dd>{valueWords(row, name, t)}</dd></>;
}

function valueWords(row: CallerIdDetail, name: FieldName, t: Translate): string {
  if (name === "holder_id") return row.holder_id_end === "" ? t("common.none") : `…${visible(row.holder_id_end)}`;
  if (name === "per_hour_max" || name === "per_day_max") return row[name] === 0 ? t("callerIds.asCampaigns") : t("callerIds.nCalls", { n: count(row[name]) });
  if (name === "idle_days") return row.idle_days === 0 ? t("callerIds.neverTaken") : t("callerIds.nDays", { n: row.idle_days });
  return row[name] === "" ? t("common.none") : visible(row[name]);
}

function EditForm({ row, names, onClose }: { row: CallerIdDetail; names: readonly FieldName[]; onClose: () => void }) {
  const t = useWords();
  const language = useLanguage();
  const { refetch } = useCallerId(row.number, true);
  // The version that the form was filled from; a refused save takes the present one beside it.
  const [base, setBase] = useState(row);
  const [form, setForm] = useState(() => formOf(row));
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [news, setNews] = useState<{ name: FieldName; isOurs: boolean }[]>([]);
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const isSame = Object.keys(changeOf(form, base, names)).length === 0;
  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy || offline !== undefined || isSame) return;
    const page = event.currentTarget;
    const focusFault = () => requestAnimationFrame(() => page.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    const found = faultsOf(form, names);
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0) {
      focusFault();
      return;
    }
    setBusy(true);
    try {
      keepCallerId(await call("patch", "/api/v1/caller-ids/{caller_id}", { path: { caller_id: base.number }, body: changeOf(form, base, names), etag: base.etag }));
      onClose();
    } catch (problem) {
      setBusy(false);
      if (problem instanceof ApiProblem && problem.code === "changed") {
        const { data: now } = await refetch();
        if (now) {
          setNews(differing(base, now).map((name) => ({ name, isOurs: isTouched(form, base, name) })));
          setForm(merged(form, base, now));
          setBase(now);
        }
      }
      const refused = refusedFields(problem, language);
      setFaults(refused);
      if (Object.keys(refused).length > 0) focusFault();
      else setRefusal(problemWords(problem, t));
    }
  };
  return (
    <form className="form" noValidate onSubmit={(event) => void save(event)}>
      <CallerIdFields names={names} form={form} onChange={setForm} faults={faults} row={base} />
      {names.includes("holder") && (row.approval === "approved" || row.approval === "waiting") ? <p className="hint">{t("callerIds.holderAsks")}</p> : null}
      {refusal === undefined ? null : (
        <div className="summary-fault" role="alert">
          <p>{refusal}</p>
          {news.length === 0 ? null : <><p>{t("people.nowIs")}</p><ul>{news.map(({ name }) => <li key={name}>{t(`callerIds.f_${name}`)}: {valueWords(base, name, t)}</li>)}</ul></>}
          {news.some((it) => it.isOurs) ? <p>{t("people.saveAgain")}</p> : null}
        </div>
      )}
      <div className="buttons"><Button kind="primary" type="submit" refusal={offline ?? (isSame ? t("kit.noChanges") : undefined)} busy={busy}>{t("kit.save")}</Button><Button kind="plain" onClick={onClose}>{t("common.cancel")}</Button></div>
    </form>
  );
}
