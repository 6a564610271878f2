import { useState } from "react";
import type { ListDetail, UploadReport } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { useMe } from "../../session";
import { useWords, type Translate } from "../../words";
import { visible } from "../../words/format";
import { changeList } from "./data";
import { changeUse, faultOf, isPhone, mappingOf, PHONES_MAX, usesOf, type Use } from "./mapping";
import { Step } from "./Step";
import { useSend } from "./use-send";

type Preview = NonNullable<UploadReport["preview"]>;

/** What was chosen and not sent yet, by person and list: it outlives a visit of another page. */
const draftKey = (login: string, list: ListDetail, columns: readonly string[]) => `list-mapping ${login} ${list.id} ${columns.join("\u001f").slice(0, 2_000)}`;

function useDraft(key: string, columns: number): [Use[] | undefined, (uses: Use[] | undefined) => void] {
  const [draft, setDraft] = useState<Use[] | undefined>(() => {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "null");
      return Array.isArray(kept) && kept.length === columns ? (kept as Use[]) : undefined;
    } catch {
      return undefined;
    }
  });
  const set = (uses: Use[] | undefined) => {
    setDraft(uses);
    try {
      if (uses === undefined) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(uses));
    } catch {
      // Without room in the browser's storage the draft lives as long as the page.
    }
  };
  return [draft, set];
}

/** Step 3: what each column is used for, why it was guessed, and its first rows. */
export function MappingStep({ list, found, preview }: { list: ListDetail; found: UploadReport; preview: Preview }) {
  const t = useWords();
  const offline = useOfflineReason();
  const { run, busy, refusal } = useSend();
  const { columns } = preview;
  const [draft, setDraft] = useDraft(draftKey(useMe().person.login, list, columns), columns.length);
  const kept = usesOf(columns, found);
  const uses = draft ?? kept;
  const changes = uses.filter((use, n) => use !== kept[n]).length;
  const fault = faultOf(uses);
  const rows = preview.sample.filter((line) => preview.header_row === null || line.row > preview.header_row).slice(0, 3);
  const mayChange = list.is_editable && offline === undefined;
  const phones = uses.filter(isPhone).length;
  const choose = (at: number, use: Use) => {
    const next = changeUse(uses, at, use);
    setDraft(next.every((it, n) => it === kept[n]) ? undefined : next);
  };
  const check = (mapping: ReturnType<typeof mappingOf> | null) => run(async () => {
    await changeList(list, { mapping });
    setDraft(undefined);
  });
  return (
    <Step id="mapping" place={3} title={t("lists.stepMapping")} beside={changes === 0 ? undefined : <span className="unsaved">{t("lists.unsaved", { n: changes })}</span>}>
      <div className="table-box sample" tabIndex={0} role="region" aria-label={t("lists.stepMapping")}>
        <table className="table mapping">
          <thead><tr><th scope="row">{t("lists.column")}</th>{columns.map((column, n) => <th key={n} scope="col">{visible(column) || "–"}</th>)}</tr></thead>
          <tbody>
            <tr><th scope="row">{t("lists.use")}</th>{columns.map((column, n) => (
              <td key={n}>
                <select className="select" aria-label={t("lists.useOf", { column: visible(column) })} value={uses[n] ?? "other"} disabled={!mayChange} onChange={(event) => choose(n, event.target.value as Use)}>
                  {optionsOf(uses[n] ?? "other", phones).map((use) => <option key={use} value={use}>{useWord(use, t)}</option>)}
                </select>
              </td>
            ))}</tr>
            <tr><th scope="row">{t("lists.basis")}</th>{columns.map((column, n) => <td key={n} className="second">{uses[n] === kept[n] ? basisWord(found, column, t) : t("lists.basisNow")}</td>)}</tr>
            {rows.map((line) => <tr key={line.row}><th scope="row">{t("lists.row", { n: line.row })}</th>{columns.map((_, n) => <td key={n}>{visible(line.cells[n] ?? "")}</td>)}</tr>)}
          </tbody>
        </table>
      </div>
      {uses.includes("code") && changes > 0 ? <p className="hint">{t("lists.codeLost")}</p> : null}
      {fault === undefined ? null : <p className="refusal" role="alert">{t(`lists.${fault}`)}</p>}
      {!list.is_editable ? null : (
        <div className="line-of">
          <Button kind={changes > 0 ? "primary" : undefined} busy={busy} refusal={offline ?? (changes === 0 ? t("lists.noChange") : fault === undefined ? undefined : t(`lists.${fault}`))} onClick={() => check(mappingOf(columns, uses))}>{t("lists.checkAgain")}</Button>
          {changes > 0 ? <Button kind="plain" onClick={() => setDraft(undefined)}>{t("lists.putBack")}</Button> : null}
          {list.mapping === null ? null : <Button kind="plain" busy={busy} refusal={offline} onClick={() => check(null)}>{t("lists.guessAgain")}</Button>}
          {refusal === undefined ? null : <span className="refusal" role="alert">{refusal}</span>}
        </div>
      )}
    </Step>
  );
}

function optionsOf(use: Use, phones: number): Use[] {
  const places = Math.min(PHONES_MAX, isPhone(use) ? phones : phones + 1);
  return ["other", ...Array.from({ length: Math.max(1, places) }, (_, n): Use => `phone${n + 1}`), "name", "household", "building", "area", ...(use === "code" ? ["code" as const] : [])];
}

function useWord(use: Use, t: Translate): string {
  if (isPhone(use)) return t("lists.usePhone", { n: use.slice(5) });
  return t(`lists.use_${use as Exclude<Use, `phone${number}`>}`);
}

/** Why the reader took the column for what it is. */
function basisWord(found: UploadReport, column: string, t: Translate): string {
  const report = found.report?.columns.find((it) => it.name === column);
  if (report === undefined) return "–";
  switch (report.basis) {
    case "named": return t("lists.basisNamed");
    case "header": return t("lists.basisHeader");
    case "content": return t("lists.basisContent", { n: report.numbers_pct });
    case "header_and_content": return t("lists.basisBoth", { n: report.numbers_pct });
    default: return "–";
  }
}
