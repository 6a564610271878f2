import type { Group } from "../../api/words";
import { Check, Radios } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { useMe } from "../../session";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import type { Faults, FieldName, PersonForm } from "./form";
import { mayGive, ROLES } from "./people";

interface Props {
  form: PersonForm;
  set: (change: Partial<PersonForm>) => void;
  faults: Faults;
  /** A list is pasted: no fields of a single person. */
  isMany?: boolean;
}

const PRIORITIES = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

export function useFaultWord(faults: Faults): (field: FieldName) => string | undefined {
  const t = useWords();
  return (field) => {
    const fault = faults[field];
    return fault === undefined ? undefined : t(`people.fault_${fault}`);
  };
}

/** Roles that the reader may give: nobody gives rights that are not their own. */
export function useRoleOptions() {
  const t = useWords();
  const { person } = useMe();
  return ROLES.filter((role) => mayGive(person.role, role)).map((role) => ({ value: role, label: t(`role.${role}`) }));
}

/** The agent number: drawn by a pattern, or given. It never changes. */
export function NumberFields({ form, set, faults, isMany = false }: Props) {
  const t = useWords();
  const fault = useFaultWord(faults);
  const digit = [{ value: "", label: t("people.anyDigit") }, ...["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((it) => ({ value: it, label: it }))];
  return (
    <>
      {isMany ? null : <Radios legend={t("people.numbering")} value={form.numbering} onChange={(numbering) => set({ numbering })}
        options={[{ value: "draw", label: t("people.numberDraw") }, { value: "own", label: t("people.numberOwn") }]} />}
      {form.numbering === "own" && !isMany ? (
        <Field label={t("people.number")} value={form.number} onChange={(number) => set({ number })} inputMode="numeric" maxLength={8} autoComplete="off" fault={fault("number")} help={t("people.numberHelp")} />
      ) : (
        <div className="pair">
          <Select label={t("people.numberLead")} value={form.lead} onChange={(lead) => set({ lead })} options={digit} />
          <Select label={t("people.numberDigits")} value={form.digits} onChange={(digits) => set({ digits })} options={["2", "3", "4", "5", "6"].map((it) => ({ value: it, label: it }))} help={t("people.numberHelp")} />
        </div>
      )}
    </>
  );
}

/** Groups with the priority of the membership. */
export function GroupFields({ form, set, faults, groups }: Props & { groups: Group[] }) {
  const t = useWords();
  const fault = useFaultWord(faults)("groups");
  if (groups.length === 0) return <p className="hint">{t("people.noGroups")}</p>;
  const change = (name: string, priority: number | undefined) => {
    const next = { ...form.groups };
    if (priority === undefined) delete next[name];
    else next[name] = priority;
    set({ groups: next });
  };
  return (
    <fieldset className="field plain">
      <legend>{t("people.groups")}</legend>
      <div className="group-list">
        {groups.map(({ name }) => {
          const priority = form.groups[name];
          return (
            <div key={name} className="row">
              <Check label={visible(name)} isOn={priority !== undefined} onChange={(isOn) => change(name, isOn ? 1 : undefined)} />
              {priority === undefined ? null : (
                <label className="hint">{t("people.priority")}{" "}
                  <select value={String(priority)} onChange={(event) => change(name, Number(event.target.value))}>{PRIORITIES.map((it) => <option key={it}>{it}</option>)}</select>
                </label>
              )}
            </div>
          );
        })}
      </div>
      {fault === undefined ? <p className="help">{t("people.priorityHelp")}</p> : <p className="fault" role="alert">{fault}</p>}
    </fieldset>
  );
}

/** What few accounts need. */
export function RareFields({ form, set, faults, isMany = false }: Props) {
  const t = useWords();
  const fault = useFaultWord(faults);
  return (
    <details className="rare" open={faults.login !== undefined || faults.password !== undefined || undefined}>
      <summary>{t("people.rare")}</summary>
      <div className="form">
        {isMany ? null : (
          <div className="pair">
            <Field label={t("people.login")} value={form.login} onChange={(login) => set({ login })} autoComplete="off" maxLength={64} fault={fault("login")} help={t("people.loginHelp")} />
            <Field label={t("people.password")} value={form.password} onChange={(password) => set({ password })} type="password" autoComplete="new-password" maxLength={256} fault={fault("password")} help={t("people.passwordHelp")} />
          </div>
        )}
        <Check label={t("people.hasPhone")} isOn={form.hasPhone} onChange={(hasPhone) => set({ hasPhone })} help={t("people.hasPhoneHelp")} />
        <Check label={t("people.recorded")} isOn={form.isRecorded} onChange={(isRecorded) => set({ isRecorded })} help={t("people.recordedHelp")} />
      </div>
    </details>
  );
}
