import "../../kit/form.css";
import "./people.css";
import { useState, type FormEvent } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { ApiProblem, call } from "../../api/call";
import type { Account, Schemas } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { offerSaved } from "../../kit/undo";
import { Failed, Forbidden, Gone, Loading, problemWords } from "../../kit/States";
import { useMe } from "../../session";
import { useTitle } from "../../use-title";
import { useWords, type PlainKey } from "../../words";
import { telephone, visible } from "../../words/format";
import { etag, refreshPeople, useAccount } from "./data";
import { bareTelephone, EMPTY, faultsOf, refusedFields, type Faults, type PersonForm } from "./form";
import { mayGive, skillsOf, type Role } from "./people";
import { useFaultWord, useRoleOptions } from "./PersonFields";

/** `/people/:number/edit`: what of an account can change; its number never does. */
export default function EditPerson() {
  const t = useWords();
  const { number = "" } = useParams();
  const { rights, person } = useMe();
  const { data: account, error, isPlaceholderData, refetch } = useAccount(number);
  useTitle(t("people.editTitle", { number }));
  if (!rights.has("people.edit")) return <Forbidden right="people.edit" role={person.role} />;
  if (error instanceof ApiProblem && error.status === 404) return <Gone>{t("people.gone", { number })}</Gone>;
  const isThere = account !== undefined && !isPlaceholderData && !error;
  if (isThere && !mayGive(person.role, account.role)) return <Gone>{t("people.adminsOnly")}</Gone>;
  return (
    <>
      <div className="page-head"><h1>{t("people.editTitle", { number })}{isThere ? ` ${visible(account.name)}` : ""}</h1><Link to={`/people?agent=${number}`}>{t("people.backToList")}</Link></div>
      <div className="card">
        {error ? <Failed problem={error} onRetry={() => void refetch()} />
          : !isThere ? <Loading height={400} />
          : <div className="body"><EditForm key={account.number} account={account} /></div>}
      </div>
    </>
  );
}

const formOf = (account: Account): PersonForm => ({
  ...EMPTY, name: account.name, role: account.role, login: account.login, telephone: account.telephone ?? "", skills: account.skills.join(", "), isRecorded: account.recorded,
});

/** Writes what the form says; afterwards everything about people is read again. */
async function change(number: string, form: PersonForm, version: number): Promise<Account> {
  const body: Schemas["AgentChange"] = {
    name: form.name.trim(), role: form.role, login: form.login.trim(), telephone: bareTelephone(form.telephone), skills: skillsOf(form.skills), recorded: form.isRecorded,
  };
  const changed = await call("patch", "/api/v1/agents/{number}", { path: { number }, body, etag: etag(version) });
  await refreshPeople();
  return changed;
}

/** What differs between two versions of an account, as `field: value` of the present one. */
function differences(was: Account, now: Account): [PlainKey, string][] {
  const fields: [PlainKey, (it: Account) => string][] = [
    ["people.name", (it) => it.name], ["people.role", (it) => it.role], ["people.login", (it) => it.login],
    ["people.telephone", (it) => (it.telephone === null ? "–" : telephone(it.telephone))], ["people.skills", (it) => it.skills.join(", ")], ["people.groups", (it) => it.groups.map((group) => group.group).join(", ")],
  ];
  return fields.filter(([, of]) => of(was) !== of(now)).map(([key, of]) => [key, of(now)]);
}

function EditForm({ account }: { account: Account }) {
  const t = useWords();
  const navigate = useNavigate();
  const roles = useRoleOptions();
  const { refetch } = useAccount(account.number);
  // The version that the form was filled from; a refused save takes the present one beside it.
  const [base, setBase] = useState(account);
  const [form, setForm] = useState(() => formOf(account));
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [news, setNews] = useState<[PlainKey, string][]>([]);
  const [busy, setBusy] = useState(false);
  const offline = useOfflineReason();
  const fault = useFaultWord(faults);
  const set = (change: Partial<PersonForm>) => setForm((now) => ({ ...now, ...change }));

  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const page = event.currentTarget;
    const found = faultsOf(form);
    if (form.login.trim() === "") found.login = "login";
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => page.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setBusy(true);
    try {
      const { version } = await change(account.number, form, base.version);
      offerSaved(t, () => change(account.number, formOf(base), version));
      void navigate(`/people?agent=${account.number}`);
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === "changed") {
        const { data: now } = await refetch();
        if (now) {
          setNews(differences(base, now));
          setBase(now);
        }
      }
      const fields = refusedFields(problem, form);
      setFaults(fields);
      if (Object.keys(fields).length === 0) setRefusal(problemWords(problem, t));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="form" noValidate onSubmit={(event) => void save(event)}>
      <Field label={t("people.name")} value={form.name} onChange={(name) => set({ name })} autoFocus autoComplete="off" maxLength={64} fault={fault("name")} />
      <Select label={t("people.role")} value={form.role} onChange={(role: Role) => set({ role })} options={roles} help={form.role === base.role ? t(`people.roleHelp_${form.role}`) : t("people.roleChanges")} />
      <Field label={t("people.login")} value={form.login} onChange={(login) => set({ login })} autoComplete="off" maxLength={64} fault={fault("login")} />
      <Field label={t("people.telephone")} value={form.telephone} onChange={(value) => set({ telephone: value })} type="tel" autoComplete="off" fault={fault("telephone")} help={t("people.telephoneHelp")} />
      <Field label={t("people.skills")} value={form.skills} onChange={(skills) => set({ skills })} autoComplete="off" fault={fault("skills")} help={t("people.skillsHelp")} />
      <Check label={t("people.recorded")} isOn={form.isRecorded} onChange={(isRecorded) => set({ isRecorded })} help={t("people.recordedHelp")} />
      {refusal === undefined ? null : (
        <div className="summary-fault" role="alert">
          <p>{refusal}</p>
          {news.length === 0 ? null : <><p>{t("people.nowIs")}</p><ul>{news.map(([key, value]) => <li key={key}>{t(key)}: {visible(value)}</li>)}</ul><p>{t("people.saveAgain")}</p></>}
        </div>
      )}
      <div className="buttons"><Button kind="primary" type="submit" refusal={offline} busy={busy}>{t("people.save")}</Button><Link className="button plain" to={`/people?agent=${account.number}`}>{t("common.cancel")}</Link></div>
    </form>
  );
}
