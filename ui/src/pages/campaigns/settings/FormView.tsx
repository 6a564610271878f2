import type { CampaignText, TextProblem } from "../../../api/campaign-rows";
import type { Mode } from "../../../api/words";
import { useWords } from "../../../words";
import { FieldInput, valueWords, word } from "./FieldInput";
import { FIELDS, GROUPS, TEXT_ONLY, fieldOfProblem, wordKey, type FieldSpec, type Group } from "./fields";
import { fieldAt, withField } from "./patch";
import type { Fields } from "./toml";

interface Props {
  campaign: CampaignText;
  fields: Fields;
  baseFields: Fields;
  problems: readonly TextProblem[];
  /** Absent for who may only read. */
  onChange: ((fields: Fields) => void) | undefined;
}

/** The settings as a form, by groups; what has no effect in the campaign's mode is named at its group's end. */
export function FormView(props: Props) {
  const t = useWords();
  const mode = fieldAt(props.fields, "mode");
  return (
    <>
      {GROUPS.map((group) => <GroupCard key={group} group={group} mode={mode as Mode} {...props} />)}
      <p className="hint">{t("settings.textOnly")} · <span className="mono">{TEXT_ONLY.join(" · ")}</span></p>
    </>
  );
}

function GroupCard({ group, mode, campaign, fields, baseFields, problems, onChange }: Props & { group: Group; mode: Mode }) {
  const t = useWords();
  const all = FIELDS.filter((it) => it.group === group);
  // A field that is written down is shown in any mode, and so is one with a problem.
  const isShown = (it: FieldSpec) => it.modes === undefined || it.modes.includes(mode) || fieldAt(fields, it.key) !== undefined;
  const hidden = all.filter((it) => !isShown(it));
  const title = t(`settings.g_${group}`);
  return (
    <section className="card" aria-label={title}>
      <header><h2 id={`group-${group}`}>{title}</h2></header>
      <div className="body">
        {onChange === undefined ? (
          <dl className="setting-values">{all.filter(isShown).map((it) => <ReadOnly key={it.key} spec={it} fields={fields} />)}</dl>
        ) : (
          <div className="setting-grid">
            {all.filter(isShown).map((it) => (
              <FieldInput key={it.key} spec={it} campaign={campaign} value={fieldAt(fields, it.key)} before={fieldAt(baseFields, it.key)}
                problems={problems.filter((problem) => fieldOfProblem(problem.key) === it)} onChange={(value) => onChange(withField(fields, it.key, value))} />
            ))}
          </div>
        )}
        {hidden.length === 0 ? null : <p className="hint other-modes">{t("settings.otherModes", { fields: hidden.map((it) => word(wordKey("f", it.key), t)).join(", ") })}</p>}
      </div>
    </section>
  );
}

function ReadOnly({ spec, fields }: { spec: FieldSpec; fields: Fields }) {
  const t = useWords();
  const value = fieldAt(fields, spec.key);
  return (
    <>
      <dt>{word(wordKey("f", spec.key), t)}</dt>
      <dd>{value === undefined ? <span className="is-default">{t("settings.default", { value: valueWords(spec, spec.default, t) })}</span> : valueWords(spec, value, t)}</dd>
    </>
  );
}
