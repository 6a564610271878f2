import type { CampaignChange, DiffLine, Effect, TextProblem } from "../../../api/campaign-rows";
import { Button } from "../../../kit/Button";
import { Glyph } from "../../../kit/Glyph";
import { TomlDiff } from "../../../kit/TomlDiff";
import { useLanguage, useWords } from "../../../words";
import { ProblemLine, word } from "./FieldInput";
import { fieldOfProblem, wordKey } from "./fields";

export const toLines = (diff: readonly DiffLine[]) => diff.map((it) => ({ kind: it.kind, before: it.line_before, after: it.line_after, text: it.text }));

/** Name of a field for people; the key itself where the form has none. */
export function useFieldName(): (key: string) => string {
  const t = useWords();
  return (key) => {
    const spec = fieldOfProblem(key);
    return spec === undefined ? key : word(wordKey("f", spec.key), t);
  };
}

/** What the draft changes in the text, what is wrong with it, and when each change holds. */
export function Changes({ trial, onProblem }: { trial: CampaignChange; onProblem: (problem: TextProblem) => void }) {
  const t = useWords();
  return (
    <section className="card" aria-label={t("settings.changes")}>
      <header><h2>{t("settings.changes")}</h2></header>
      <div className="body settings">
        <Problems problems={trial.problems} onProblem={onProblem} />
        <div className="changes-grid">
          <TomlDiff lines={toLines(trial.diff)} label={t("settings.toml")} />
          <Effects effects={trial.effects} />
        </div>
      </div>
    </section>
  );
}

function Problems({ problems, onProblem }: { problems: readonly TextProblem[]; onProblem: (problem: TextProblem) => void }) {
  const t = useWords();
  const name = useFieldName();
  if (problems.length === 0) return null;
  return (
    <div className="problems">
      <h3 className="hint">{t("settings.faults", { n: problems.length })}</h3>
      {problems.map((it, n) => (
        <ProblemLine key={n} problem={it}>
          <span className="hint">{it.key === null ? "" : `${name(it.key)} `}{it.line === null ? "" : t("settings.line", { n: it.line })}</span>
          {it.line === null && fieldOfProblem(it.key) === undefined ? null : <Button kind="link" size="small" onClick={() => onProblem(it)}>{t("settings.goTo")}</Button>}
        </ProblemLine>
      ))}
    </div>
  );
}

const GLYPHS = { now: "done", next_start: "waiting", after_approval: "waiting" } as const;

export function Effects({ effects }: { effects: readonly Effect[] }) {
  const t = useWords();
  const language = useLanguage();
  const name = useFieldName();
  if (effects.length === 0) return null;
  return (
    <div>
      <h3 className="hint">{t("settings.effects")}</h3>
      <ul className="effects">
        {effects.map((it, n) => (
          <li key={n}><strong><Glyph name={GLYPHS[it.when]} /> {t(`settings.when_${it.when}`)}</strong><span>{name(it.field)}{it.words[language] === "" ? null : <span className="hint"> {it.words[language]}</span>}</span></li>
        ))}
      </ul>
    </div>
  );
}
