import { useId, useState, type ReactNode } from "react";
import { Link } from "react-router";
import type { CampaignText, TextProblem } from "../../../api/campaign-rows";
import { Button } from "../../../kit/Button";
import { Glyph } from "../../../kit/Glyph";
import { Sentence } from "../../../kit/Sentence";
import { useMe } from "../../../session";
import { hasWord, useLanguage, useWords, type Translate } from "../../../words";
import { visible } from "../../../words/format";
import { narrow } from "../../../words/width";
import { useSuggestions } from "./suggestions";
import { daysWords } from "./days";
import { optionKey, withTitles, wordKey, type FieldSpec } from "./fields";
import { AfterRows, DispositionRows, KeyRows, WindowRows } from "./RowInputs";
import { isSame } from "./patch";
import type { Value } from "./toml";

export interface InputProps {
  spec: FieldSpec;
  /** As the text has it; `undefined` = not named, so that the default holds. */
  value: Value | undefined;
  /** As the version before the draft has it. */
  before: Value | undefined;
  onChange: (value: Value | undefined) => void;
  problems: readonly TextProblem[];
  campaign: CampaignText;
}

export const word = (key: string, t: Translate): string => (hasWord(key) ? t(key) : key);

/** A value in words, for defaults and for those who may only read. */
export function valueWords(spec: FieldSpec, value: Value | undefined, t: Translate): string {
  const { of } = spec;
  if (value === undefined || value === "") return t("settings.unset");
  if (of.kind === "flag") return t(value === true ? "settings.yes" : "settings.no");
  if (of.kind === "choice" && typeof value === "string") return word(optionKey(spec.key, value), t);
  if (of.kind === "choices" && Array.isArray(value)) return value.map((it) => word(optionKey(spec.key, String(it)), t)).join(", ");
  if (of.kind === "number" && of.hasNoLimit === true && value === 0) return t("settings.noLimit");
  if (of.kind === "number") return of.unit === undefined ? String(value) : `${String(value)} ${t(`settings.u_${of.unit}`)}`;
  if (of.kind === "windows" && Array.isArray(value)) return value.map((it) => (typeof it === "object" && "days" in it ? `${daysWords(String(it["days"]), { day: (day) => t(`settings.day_${day}`), all: t("settings.everyDay") })} ${String(it["from"])}–${String(it["to"])}` : String(it))).join(", ");
  if (Array.isArray(value)) return value.length === 0 ? t("settings.none") : value.map((it) => (typeof it === "object" ? JSON.stringify(it) : String(it))).map(visible).join(", ");
  if (typeof value === "object") return Object.keys(value).length === 0 ? t("settings.none") : Object.entries(value).map(([key, it]) => `${key}: ${typeof it === "object" ? JSON.stringify(it) : String(it)}`).map(visible).join(", ");
  return visible(String(value));
}

/** One field with its label, its help, its problems and the way back to the default. */
export function FieldInput(props: InputProps) {
  const t = useWords();
  const id = useId();
  const { spec, value, before, onChange, problems } = props;
  const isWide = ["windows", "after", "keys", "dispositions"].includes(spec.of.kind);
  // What equals the default and is not in the text need not be written into it.
  const set = (next: Value | undefined) => onChange(before === undefined && isSame(next, spec.default) ? undefined : next);
  const isDefault = value === undefined;
  // "Empty" as a default needs no words: the help says what it means, and clearing the field leads there.
  const hasDefault = spec.default !== undefined && spec.default !== "" && !isSame(spec.default, []) && !isWide;
  const label = word(wordKey("f", spec.key), t);
  return (
    <div className={`setting${isWide ? " wide" : ""}${isSame(value, before) ? "" : " changed"}`} id={`setting-${spec.key}`}>
      {spec.of.kind === "flag" ? null : <span className="label" id={`${id}-label`}>{label}</span>}
      <Control {...props} onChange={set} label={label} labelId={`${id}-label`} helpId={`${id}-help`} />
      <div id={`${id}-help`} className="below">
        {problems.map((it, n) => <ProblemLine key={n} problem={it} />)}
        <p className="help">
          {word(wordKey("h", spec.key), t)}
          {!hasDefault ? null : isDefault ? <> · <span className="is-default">{t("settings.default", { value: valueWords(spec, spec.default, t) })}</span></>
            : isSame(value, spec.default) ? null : <Button kind="link" size="small" onClick={() => onChange(undefined)}>{t("settings.reset", { value: valueWords(spec, spec.default, t) })}</Button>}
        </p>
        {spec.key === "caller_ids.numbers" ? <RegisterLink /> : null}
      </div>
    </div>
  );
}

/** To the numbers that may be named here, with their states. */
function RegisterLink() {
  const t = useWords();
  return useMe().rights.has("caller_ids.edit") ? <p className="help"><Link to="/caller-ids">{t("settings.toRegister")}</Link></p> : null;
}

/** What is wrong and what to do, as the service says it. */
export function ProblemLine({ problem, children }: { problem: TextProblem; children?: ReactNode }) {
  const t = useWords();
  const language = useLanguage();
  const titled = (sentence: string) => withTitles(sentence, (key) => word(wordKey("f", key), t));
  const [found, advice] = [titled(problem.found[language]), titled(problem.advice[language])];
  const isError = problem.level === "error";
  return (
    <p className={isError ? "fault" : "fault soft"} role={isError ? "alert" : undefined}>
      <Glyph name={isError ? "alarm" : "warning"} /> <span className="visually-hidden">{t(isError ? "settings.error" : "settings.warning")} </span>
      <Sentence>{visible(found)}</Sentence>{advice === "" ? null : <> · <Sentence>{visible(advice)}</Sentence></>} {children}
    </p>
  );
}

interface ControlProps extends InputProps {
  label: string;
  labelId: string;
  helpId: string;
}

function Control(props: ControlProps) {
  const t = useWords();
  const { spec, value, onChange, label, labelId, helpId, problems } = props;
  const { of } = spec;
  const aria = { "aria-labelledby": labelId, "aria-describedby": helpId, "aria-invalid": problems.some((it) => it.level === "error") || undefined };
  switch (of.kind) {
    case "flag":
      return (
        <label className="flag">
          <input type="checkbox" aria-describedby={helpId} checked={(value ?? spec.default) === true} onChange={(event) => onChange(event.target.checked)} /> <span>{label}</span>
        </label>
      );
    case "choice":
      return (
        <select className="control" {...aria} value={typeof value === "string" ? value : ""} onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}>
          {spec.default === undefined && value !== undefined ? null : <option value="">{spec.default === undefined ? t("settings.unset") : t("settings.default", { value: valueWords(spec, spec.default, t) })}</option>}
          {of.options.map((it) => <option key={it} value={it}>{word(optionKey(spec.key, it), t)}</option>)}
        </select>
      );
    case "choices": {
      const chosen = Array.isArray(value) ? value : Array.isArray(spec.default) ? spec.default : [];
      return (
        <div role="group" aria-labelledby={labelId} aria-describedby={helpId} className="choices">
          {of.options.map((it) => (
            <label key={it}><input type="checkbox" checked={chosen.includes(it)} onChange={(event) => onChange(of.options.filter((option) => (option === it ? event.target.checked : chosen.includes(option))))} /> <span>{word(optionKey(spec.key, it), t)}</span></label>
          ))}
        </div>
      );
    }
    case "number":
      return (
        <span className="with-unit">
          <NumberInput key={spec.key} aria={aria} value={value} fallback={spec.default} onChange={onChange} isWhole={of.isWhole} />
          {of.unit === undefined ? null : <span className="unit">{t(`settings.u_${of.unit}`)}</span>}
        </span>
      );
    case "texts": return <TextsInput aria={aria} value={value} hint={of.hint} onChange={onChange} />;
    case "windows": return <WindowRows {...props} />;
    case "after": return <AfterRows {...props} />;
    case "keys": return <KeyRows {...props} />;
    case "dispositions": return <DispositionRows {...props} />;
    default: return <PlainInput {...props} aria={aria} />;
  }
}

type Aria = Record<string, string | boolean | undefined>;

/** A line of text; sounds and groups are suggested. */
function PlainInput({ spec, value, onChange, campaign, aria }: ControlProps & { aria: Aria }) {
  const t = useWords();
  const id = useId();
  const options = useSuggestions(spec.of.kind);
  const text = value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const file = spec.of.kind === "audio" ? campaign.files.find((it) => it.name === text) : undefined;
  const hint = spec.of.kind === "text" ? spec.of.hint : undefined;
  const fallback = typeof spec.default === "string" && spec.default !== "" ? t("settings.default", { value: spec.default }) : hint;
  return (
    <>
      <input className="control" type="text" {...aria} value={text} placeholder={fallback} spellCheck={false} list={options.length === 0 ? undefined : id} maxLength={512}
        onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)} />
      {options.length === 0 ? null : <datalist id={id}>{options.map((it) => <option key={it} value={it} />)}</datalist>}
      {file === undefined ? null : <span className="hint">{hasWord(`sound.${file.state}`) ? t(`sound.${file.state}` as "sound.ready") : visible(file.state)}</span>}
    </>
  );
}

/** A number as it is typed; what is none goes to the service as it is, which says so. */
function NumberInput({ value, fallback, onChange, isWhole, aria }: { value: Value | undefined; fallback: Value | undefined; onChange: (value: Value | undefined) => void; isWhole: boolean; aria: Aria }) {
  const [typed, setTyped] = useState<string>();
  const change = (text: string) => {
    setTyped(text);
    const plain = narrow(text).trim();
    onChange(plain === "" ? undefined : /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : plain);
  };
  const shown = value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return (
    <input className="control" type="text" inputMode={isWhole ? "numeric" : "decimal"} {...aria} value={typed ?? shown} placeholder={fallback === undefined ? undefined : String(fallback)} maxLength={24}
      onChange={(event) => change(event.target.value)} onBlur={() => setTyped(undefined)} />
  );
}

/** Several words, one a line. */
function TextsInput({ value, hint, onChange, aria }: { value: Value | undefined; hint: string | undefined; onChange: (value: Value | undefined) => void; aria: Aria }) {
  const [typed, setTyped] = useState<string>();
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const shown = typed ?? list.map((it) => (typeof it === "object" ? JSON.stringify(it) : String(it))).join("\n");
  const change = (text: string) => {
    setTyped(text);
    const words = narrow(text).split("\n").map((it) => it.trim()).filter((it) => it !== "");
    onChange(words.length === 0 ? undefined : words);
  };
  return <textarea className="control area" rows={Math.min(8, Math.max(2, list.length + 1))} {...aria} value={shown} placeholder={hint} spellCheck={false} onChange={(event) => change(event.target.value)} onBlur={() => setTyped(undefined)} />;
}
