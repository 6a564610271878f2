import "../../kit/form.css";
import "./people.css";
import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import { post } from "../../api/call";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Radios } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { Select, TextArea } from "../../kit/Select";
import { Forbidden, problemWords } from "../../kit/States";
import { useMe } from "../../session";
import { useTitle } from "../../use-title";
import { useWords } from "../../words";
import { refreshPeople, useGroups } from "./data";
import { EMPTY, faultsOf, newAgent, refusedFields, type Faults, type PersonForm } from "./form";
import { LINES_MAX, readLines, type Line, type Once, type Role } from "./people";
import { GroupFields, NumberFields, RareFields, useFaultWord, useRoleOptions } from "./PersonFields";
import { Sheets } from "./Sheets";

interface Refused {
  line: Line;
  words: string;
}

/** `/people/new`: one account, or a pasted list; then what each person gets, shown once. */
export default function AddPerson() {
  const t = useWords();
  const { rights, person } = useMe();
  const [made, setMade] = useState<{ items: Once[]; refused: Refused[] }>();
  const [form, setForm] = useState<PersonForm>(EMPTY);
  const [kind, setKind] = useState<"one" | "many">("one");
  const [pasted, setPasted] = useState("");
  useTitle(t("people.add"));
  if (!rights.has("people.edit")) return <Forbidden right="people.edit" role={person.role} />;
  const again = () => {
    setPasted(made?.refused.map((it) => it.line.text).join("\n") ?? "");
    setForm((now) => ({ ...EMPTY, role: now.role, groups: now.groups, lead: now.lead, digits: now.digits, hasPhone: now.hasPhone }));
    setMade(undefined);
  };
  return (
    <>
      <div className="page-head">
        <h1 key={made === undefined ? "form" : "made"} tabIndex={-1} ref={made === undefined ? undefined : showFromTop}>{made === undefined ? t("people.add") : t("people.made", { n: made.items.length })}</h1>
        <Link to="/people">{t("people.backToList")}</Link>
      </div>
      {made === undefined ? (
        <div className="card"><div className="body">
          <AddForm form={form} set={(change) => setForm((now) => ({ ...now, ...change }))} kind={kind} setKind={setKind} pasted={pasted} setPasted={setPasted} onMade={(items, refused) => setMade({ items, refused })} />
        </div></div>
      ) : (
        <>
          {made.refused.length === 0 ? null : (
            <div className="summary-fault spaced" role="alert">
              <p>{t("people.linesRefused", { n: made.refused.length })}</p>
              <ul>{made.refused.map(({ line, words }) => <li key={line.row}>{t("people.lineAt", { n: line.row })} {line.text}: {words}</li>)}</ul>
            </div>
          )}
          {made.items.length === 0 ? <p><Button onClick={again}>{t("people.backToForm")}</Button></p>
            : <Sheets items={made.items} buttons={<Button onClick={again}>{made.refused.length > 0 ? t("people.backToForm") : t("people.addAnother")}</Button>} />}
        </>
      )}
    </>
  );
}

/** The answer stands where the form was scrolled to its end: it is shown, and read, from its heading. */
function showFromTop(heading: HTMLHeadingElement | null): void {
  window.scrollTo(0, 0);
  heading?.focus();
}

interface FormProps {
  form: PersonForm;
  set: (change: Partial<PersonForm>) => void;
  kind: "one" | "many";
  setKind: (kind: "one" | "many") => void;
  pasted: string;
  setPasted: (text: string) => void;
  onMade: (items: Once[], refused: Refused[]) => void;
}

function AddForm({ form, set, kind, setKind, pasted, setPasted, onMade }: FormProps) {
  const t = useWords();
  const groups = useGroups().data ?? [];
  const roles = useRoleOptions();
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<string>();
  const [doing, setDoing] = useState<string>();
  const offline = useOfflineReason();
  const fault = useFaultWord(faults);
  const lines = kind === "many" ? readLines(pasted) : [];
  const bad = lines.filter((it) => it.fault !== undefined);

  const addOne = async () => {
    try {
      onMade([await make(form)], []);
      void refreshPeople();
    } catch (problem) {
      const fields = refusedFields(problem, form);
      setFaults(fields);
      if (Object.keys(fields).length === 0) setRefusal(problemWords(problem, t));
    }
  };
  // One after the other: each account is a change of its own, and a refusal stops none of the others.
  const addMany = async () => {
    const [items, refused]: [Once[], Refused[]] = [[], []];
    for (const [n, line] of lines.entries()) {
      setDoing(t("people.making", { n: n + 1, all: lines.length }));
      const one: PersonForm = { ...form, name: line.name, numbering: line.number === undefined ? "draw" : "own", number: line.number ?? "", telephone: line.telephone ?? "", login: "", password: "" };
      try {
        items.push(await make(one));
      } catch (problem) {
        const word = Object.values(refusedFields(problem, one))[0];
        refused.push({ line, words: word === undefined ? problemWords(problem, t) : t(`people.fault_${word}`) });
      }
    }
    void refreshPeople();
    onMade(items, refused);
  };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (doing !== undefined) return;
    const page = event.currentTarget;
    const found = faultsOf(form, kind === "one");
    setFaults(found);
    setRefusal(undefined);
    if (Object.keys(found).length > 0 || bad.length > 0 || (kind === "many" && (lines.length === 0 || lines.length > LINES_MAX))) {
      requestAnimationFrame(() => page.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setDoing(t("people.making", { n: 1, all: Math.max(1, lines.length) }));
    await (kind === "one" ? addOne() : addMany());
    setDoing(undefined);
  };
  const lineFault = lines.length > LINES_MAX ? t("people.tooManyLines", { n: lines.length, max: LINES_MAX })
    : bad.slice(0, 5).map((it) => `${t("people.lineAt", { n: it.row })} ${t(`people.${it.fault ?? "line_unknown"}`)}`).join(" ") || undefined;
  return (
    <form className="form" noValidate onSubmit={(event) => void submit(event)}>
      <Radios legend={t("people.howMany")} value={kind} onChange={setKind} options={[{ value: "one", label: t("people.one") }, { value: "many", label: t("people.many") }]} />
      {kind === "one"
        ? <Field label={t("people.name")} value={form.name} onChange={(name) => set({ name })} autoFocus autoComplete="off" maxLength={64} fault={fault("name")} />
        : <TextArea label={t("people.lines")} value={pasted} onChange={setPasted} rows={8} fault={lineFault} help={t("people.linesHelp", { n: lines.length, max: LINES_MAX })} />}
      <NumberFields form={form} set={set} faults={faults} isMany={kind === "many"} />
      <Select label={t("people.role")} value={form.role} onChange={(role: Role) => set({ role, hasPhone: role === "agent" || role === "lead" })} options={roles} help={t(`people.roleHelp_${form.role}`)} />
      <GroupFields form={form} set={set} faults={faults} groups={groups} />
      <Field label={t("people.skills")} value={form.skills} onChange={(skills) => set({ skills })} autoComplete="off" fault={fault("skills")} help={t("people.skillsHelp")} />
      {kind === "one" ? <Field label={t("people.telephone")} value={form.telephone} onChange={(value) => set({ telephone: value })} type="tel" autoComplete="off" fault={fault("telephone")} help={t("people.telephoneHelp")} /> : null}
      <RareFields form={form} set={set} faults={faults} isMany={kind === "many"} />
      {refusal === undefined ? null : <p className="summary-fault" role="alert">{refusal}</p>}
      <div className="buttons">
        <Button kind="primary" type="submit" refusal={offline} busy={doing !== undefined}>{doing ?? t(kind === "one" ? "people.create" : "people.createMany", { n: lines.length })}</Button>
        <Link className="button plain" to="/people">{t("common.cancel")}</Link>
      </div>
    </form>
  );
}

async function make(form: PersonForm): Promise<Once> {
  const { agent, sheet, password } = await post("/api/v1/agents", { body: newAgent(form) });
  return { number: agent.number, name: agent.name, login: agent.login, sheet: sheet ?? undefined, password: password ?? undefined };
}
