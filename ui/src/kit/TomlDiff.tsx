import "./toml-diff.css";
import { useWords } from "../words";
import { visible } from "../words/format";
import type { LineChange } from "./lines";

/** Unchanged lines around a change. */
const AROUND = 3;

interface Gap {
  kind: "gap";
  lines: number;
}

/** The changed lines with some around them; longer stretches without a change become one gap. Pure; exported for tests. */
export function withGaps(lines: readonly LineChange[]): (LineChange | Gap)[] {
  const near = lines.map((_, n) => lines.slice(Math.max(0, n - AROUND), n + AROUND + 1).some((it) => it.kind !== "same"));
  const shown: (LineChange | Gap)[] = [];
  for (const [n, line] of lines.entries()) {
    const last = shown[shown.length - 1];
    if (near[n]) shown.push(line);
    else if (last?.kind === "gap") last.lines += 1;
    else shown.push({ kind: "gap", lines: 1 });
  }
  return shown;
}

const SIGNS = { same: " ", removed: "−", added: "+" } as const;

/** Lines of a text that went and came, with their numbers on both sides. */
export function TomlDiff({ lines, label, onLine }: { lines: readonly LineChange[]; label: string; onLine?: ((line: number) => void) | undefined }) {
  const t = useWords();
  if (lines.every((it) => it.kind === "same")) return <p className="hint">{t("settings.noChanges")}</p>;
  return (
    <div className="toml-diff" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead className="visually-hidden"><tr><th scope="col">{t("settings.lineBefore")}</th><th scope="col">{t("settings.lineAfter")}</th><th scope="col">{label}</th></tr></thead>
        <tbody>
          {withGaps(lines).map((it, n) => it.kind === "gap" ? <tr key={n} className="gap"><td colSpan={3}>{t("settings.gap", { n: it.lines })}</td></tr> : (
            <tr key={n} className={it.kind}>
              <td className="line-number">{it.before ?? ""}</td>
              <td className="line-number">{it.after === null ? "" : onLine === undefined ? it.after : <button type="button" onClick={() => onLine(it.after ?? 1)} aria-label={t("settings.line", { n: it.after })}>{it.after}</button>}</td>
              <td><span className="sign">{SIGNS[it.kind]}</span>{visible(it.text)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
