import "../../kit/form.css";
import { useState, type FormEvent } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { ApiProblem, call, post } from "../../api/call";
import type { Group, Schemas } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { Failed, Forbidden, Gone, Loading, problemWords } from "../../kit/States";
import { offerSaved } from "../../kit/undo";
import { useMe } from "../../session";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { etag, refreshPeople, useGroups } from "./data";

const MODES = ["", "outbound", "inbound", "both"] as const;
type WorkMode = (typeof MODES)[number];

interface Form {
  name: string;
  telephones: boolean;
  announces: boolean;
  /** Minutes; empty = never. */
  release: string;
  mode: WorkMode;
  /** Empty = no limit. */
  seats: string;
}

const NEW: Form = { name: "", telephones: false, announces: true, release: "", mode: "", seats: "" };

const formOf = (group: Group): Form => ({
  name: group.name, telephones: group.telephones, announces: group.announce_number, release: group.idle_release_secs === null ? "" : String(group.idle_release_secs / 60),
  mode: (group.work_mode ?? "") as WorkMode, seats: group.seats === null ? "" : String(group.seats),
});

/** `/groups/new` and `/groups/:group/edit`. */
export default function GroupForm() {
  const t = useWords();
  const { group: name } = useParams();
  const { rights, person } = useMe();
  const { data: groups, error, refetch } = useGroups(name !== undefined);
  const title = name === undefined ? t("groups.add") : t("groups.editTitle", { name });
  useTitle(title);
  if (!rights.has("groups.edit")) return <Forbidden right="groups.edit" role={person.role} />;
  const group = groups?.find((it) => it.name === name);
  const isLoading = name !== undefined && groups === undefined;
  if (name !== undefined && groups !== undefined && group === undefined) return <Gone>{t("groups.gone", { name })}</Gone>;
  return (
    <>
      <div className="page-head"><h1>{visible(title)}</h1><Link to="/groups">{t("groups.backToList")}</Link></div>
      <div className="card">
        {name !== undefined && error ? <Failed problem={error} onRetry={() => void refetch()} />
          : isLoading ? <Loading height={300} />
          : <div className="body"><Editor group={group} /></div>}
      </div>
    </>
  );
}

type Faults = Partial<Record<"name" | "release" | "seats", string>>;
const isWhole = (text: string, max: number) => text.trim() === "" || (/^\d+$/.test(text.trim()) && Number(text) <= max);

const bodyOf = (form: Form): Schemas["NewGroup"] => ({
  name: form.name.trim(), telephones: form.telephones, announce_number: form.announces, idle_release_secs: form.release.trim() === "" ? 0 : Math.round(Number(form.release) * 60),
  work_mode: form.mode, seats: form.seats.trim() === "" ? 0 : Number(form.seats),
});

function Editor({ group }: { group: Group | undefined }) {
  const t = useWords();
  const navigate = useNavigate();
  const [version, setVersion] = useState(group?.version);
  const [form, setForm] = useState(group === undefined ? NEW : formOf(group));
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const { refetch } = useGroups();
  const set = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));

  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const page = event.currentTarget;
    const found: Faults = {};
    const length = [...form.name.trim()].length;
    const minutes = Number(form.release);
    if (length === 0 || length > 64) found.name = t("people.fault_name");
    if (form.release.trim() !== "" && !(minutes >= 0 && minutes <= 1_440)) found.release = t("groups.faultRelease");
    if (!isWhole(form.seats, 10_000)) found.seats = t("groups.faultSeats");
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => page.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    const body = bodyOf(form);
    setBusy(true);
    try {
      if (group === undefined) {
        await post("/api/v1/groups", { body });
        offerSaved(t);
      } else {
        const saved = await call("patch", "/api/v1/groups/{group}", { path: { group: group.name }, body, etag: etag(version ?? group.version) });
        const before = bodyOf(formOf(group));
        offerSaved(t, async () => {
          await call("patch", "/api/v1/groups/{group}", { path: { group: saved.name }, body: before, etag: etag(saved.version) });
          await refreshPeople();
        });
      }
      await refreshPeople();
      void navigate("/groups");
    } catch (problem) {
      const code = problem instanceof ApiProblem ? problem.code : "";
      if (code === "taken") setFaults({ name: t("groups.taken", { name: form.name.trim() }) });
      else setRefusal(problemWords(problem, t));
      if (code === "changed" && group) setVersion((await refetch()).data?.find((it) => it.name === group.name)?.version);
      setBusy(false);
    }
  };
  return (
    <form className="form" noValidate onSubmit={(event) => void save(event)}>
      <Field label={t("groups.name")} value={form.name} onChange={(name) => set({ name })} autoFocus autoComplete="off" maxLength={64} fault={faults.name} help={group === undefined ? undefined : t("groups.nameHelp")} />
      <Select label={t("groups.mode")} value={form.mode} onChange={(mode) => set({ mode })} options={MODES.map((it) => ({ value: it, label: t(`groups.mode_${it === "" ? "own" : it}`) }))} help={t("groups.modeHelp")} />
      <div className="pair">
        <Field label={t("groups.seats")} value={form.seats} onChange={(seats) => set({ seats })} inputMode="numeric" autoComplete="off" fault={faults.seats} help={t("groups.seatsHelp")} />
        <Field label={t("groups.releaseMinutes")} value={form.release} onChange={(release) => set({ release })} inputMode="decimal" autoComplete="off" fault={faults.release} help={t("groups.releaseHelp")} />
      </div>
      <Check label={t("groups.telephones")} isOn={form.telephones} onChange={(telephones) => set({ telephones })} help={t("groups.telephonesHelp")} />
      <Check label={t("groups.announces")} isOn={form.announces} onChange={(announces) => set({ announces })} help={t("groups.announcesHelp")} />
      {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
      <div className="buttons"><Button kind="primary" type="submit" refusal={offline} busy={busy}>{t("people.save")}</Button><Link className="button plain" to="/groups">{t("common.cancel")}</Link></div>
    </form>
  );
}
