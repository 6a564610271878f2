import "../../kit/form.css";
import { useId, useState, type FormEvent } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { ApiProblem, newKey } from "../../api/call";
import { makeCampaign } from "../../api/campaign-rows";
import { MODES, type Mode } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Field } from "../../kit/Field";
import { Select } from "../../kit/Select";
import { problemWords } from "../../kit/States";
import { useMe } from "../../session";
import { useTitle } from "../../use-title";
import { useLanguage, useWords, type PlainKey } from "../../words";
import { visible } from "../../words/format";
import { useGroups } from "../people/data";
import { refreshRows, useCampaignRows } from "./data";
import { FolderUpload } from "./FolderUpload";
import { isName, sampleText } from "./sample";

type Faults = Partial<Record<"name" | "title" | "group" | "text", string>>;

/** `/campaigns/new`: a draft from a sample or from another campaign; then its settings. */
export default function NewCampaign() {
  const t = useWords();
  const language = useLanguage();
  const navigate = useNavigate();
  const offline = useOfflineReason();
  const mayReadGroups = useMe().rights.has("people.read");
  const [search] = useSearchParams();
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [source, setSource] = useState(search.get("copy_of") ?? "");
  const [mode, setMode] = useState<Mode>("announce");
  const [group, setGroup] = useState("");
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState<Faults>({});
  const [key] = useState(newKey);
  const rows = useCampaignRows({ state: "", group: "", q: "" }).data?.pages.flatMap((page) => page.items) ?? [];
  const groups = useGroups(mayReadGroups).data ?? [];
  useTitle(t("new.title"));

  const isCopy = source !== "";
  const hasAgents = !isCopy && mode !== "announce";
  const sources = [{ value: "", label: t("new.fromSample") }, ...[...new Set([...rows.map((it) => it.name), ...(isCopy ? [source] : [])])].sort().map((it) => ({ value: it, label: t("new.fromCopy", { name: it }) }))];
  const check = (): Faults => {
    const required = (text: string): Faults["name"] => (text.trim() === "" ? t("entry.required") : undefined);
    const found = { name: required(name) ?? (isName(name.trim()) ? undefined : t("new.nameFault")), group: hasAgents ? required(group) : undefined };
    return Object.fromEntries(Object.entries(found).filter(([, fault]) => fault !== undefined)) as Faults;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = check();
    setFaults(found);
    if (Object.keys(found).length > 0 || busy || offline !== undefined) return;
    setBusy(true);
    const [itsName, itsTitle] = [name.trim(), title.trim() === "" ? name.trim() : title.trim()];
    const body = isCopy ? { copy_of: source, name: itsName, title: itsTitle } : { toml: sampleText({ name: itsName, title: itsTitle, mode, group: group.trim() }) };
    // Other words are another request: the key belongs to this form's text.
    makeCampaign(body, `${key}-${hashOf(JSON.stringify(body))}`).then(
      (made) => {
        void refreshRows();
        void navigate(`/campaigns/${encodeURIComponent(made.name)}/settings`);
      },
      (problem: unknown) => {
        setBusy(false);
        setFaults(faultsOf(problem, problemWords(problem, t), language));
      },
    );
  };
  return (
    <>
      <div className="page-head"><Link to="/campaigns">{t("new.back")}</Link><h1>{t("new.title")}</h1></div>
      <form className="form" onSubmit={submit} noValidate>
        {faults.text === undefined ? null : <p className="summary-fault" role="alert">{t("new.faults")}: {faults.text}</p>}
        <Field label={t("new.name")} value={name} onChange={setName} help={t("new.nameHelp")} fault={faults.name} autoComplete="off" autoFocus maxLength={64} />
        <Field label={t("new.titleField")} value={title} onChange={setTitle} help={t("new.titleHelp")} fault={faults.title} autoComplete="off" maxLength={200} />
        <Select label={t("new.from")} value={source} options={sources} onChange={setSource} help={isCopy ? t("new.copied", { name: visible(source) }) : undefined} />
        {isCopy ? null : <Select label={t("new.mode")} value={mode} options={MODES.map((it) => ({ value: it, label: t(`mode.${it}` as PlainKey) }))} onChange={setMode} />}
        {hasAgents ? <GroupField value={group} onChange={setGroup} names={groups.map((it) => it.name)} fault={faults.group} /> : null}
        <p className="hint">{t("new.next")}</p>
        <div className="buttons"><Button type="submit" kind="primary" busy={busy} refusal={offline}>{t("new.make")}</Button><Link className="button" to="/campaigns">{t("common.cancel")}</Link></div>
      </form>
      <div className="form"><FolderUpload name={name} title={title} /></div>
    </>
  );
}

function GroupField({ value, onChange, names, fault }: { value: string; onChange: (value: string) => void; names: string[]; fault: string | undefined }) {
  const t = useWords();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t("new.group")}</label>
      <input id={id} className="control" type="text" list={`${id}-names`} value={value} spellCheck={false} maxLength={64} aria-invalid={fault !== undefined || undefined} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value)} />
      <datalist id={`${id}-names`}>{names.map((it) => <option key={it} value={it} />)}</datalist>
      <div id={`${id}-help`}>{fault === undefined ? null : <p className="fault" role="alert">{fault}</p>}<p className="help">{t("new.groupHelp")}</p></div>
    </div>
  );
}

/** Eight hex digits of FNV-1a: tells requests with one key apart, and hides nothing. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const it of text) hash = Math.imul(hash ^ (it.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

/** Faults of a refusal beside the field that they are about. */
function faultsOf(problem: unknown, words: string, language: "zh" | "en"): Faults {
  if (!(problem instanceof ApiProblem)) return { text: words };
  if (problem.code === "name_taken" || problem.code === "taken") return { name: problem.message || words };
  const faults: Faults = {};
  for (const it of problem.problem?.errors ?? []) {
    const field = /\/(name|title|group)$/.exec(it.at)?.[1] as "name" | "title" | "group" | undefined;
    faults[field ?? "text"] = [faults[field ?? "text"], it.words[language]].filter(Boolean).join(" · ");
  }
  return Object.keys(faults).length === 0 ? { text: words } : faults;
}
