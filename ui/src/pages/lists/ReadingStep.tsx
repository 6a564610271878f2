import type { ListDetail, ListReading, UploadReport } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Check } from "../../kit/Check";
import { Select } from "../../kit/Select";
import { useWords } from "../../words";
import { visible } from "../../words/format";
import { changeList } from "./data";
import { Step } from "./Step";
import { useSend } from "./use-send";

type Preview = NonNullable<UploadReport["preview"]>;

const ENCODINGS = ["UTF-8", "GB18030", "Big5", "UTF-16LE"] as const;
const SEPARATORS = [[",", "lists.comma"], [";", "lists.semicolon"], ["\t", "lists.tabulator"], ["|", "lists.bar"]] as const;
/** Rows that the select of the header row offers. */
const HEADER_ROWS = 20;

/** Step 2: how the file is read, and its first rows in the person's own characters, so that a wrong guess is seen at once. */
export function ReadingStep({ list, preview }: { list: ListDetail; preview: Preview }) {
  const t = useWords();
  const offline = useOfflineReason();
  const { run, busy, refusal } = useSend();
  const { reading } = list;
  const separatorWord = SEPARATORS.find(([it]) => it === preview.separator)?.[1];
  const isBook = preview.encoding === "xlsx";
  const isFixed = !list.is_editable || busy || offline !== undefined;
  // With another reading the columns have other names: the reader finds their use anew.
  const change = (part: ListReading, keepsColumns = false) => {
    const next = Object.fromEntries(Object.entries({ ...reading, ...part }).filter(([, value]) => value !== null && value !== undefined)) as ListReading;
    run(() => changeList(list, keepsColumns ? { reading: next } : { reading: next, mapping: null }));
  };
  const auto = (found: string) => t("lists.auto", { found });
  const rows = Math.min(HEADER_ROWS, Math.max(preview.sample.length, reading.header_row ?? 1));
  return (
    <Step id="reading" place={2} title={t("lists.stepReading")}>
      <fieldset className="plain reading" disabled={isFixed}>
        <legend className="visually-hidden">{t("lists.stepReading")}</legend>
        {isBook ? null : (
          <>
            <Select label={t("lists.encoding")} value={reading.encoding ?? ""} onChange={(value) => change({ encoding: value === "" ? null : value })}
              options={[{ value: "", label: auto(preview.encoding.toUpperCase()) }, ...options(ENCODINGS, reading.encoding).map((it) => ({ value: it, label: it }))]} />
            <Select label={t("lists.separator")} value={reading.separator ?? ""} onChange={(value) => change({ separator: value === "" ? null : value })}
              options={[{ value: "", label: auto(separatorWord === undefined ? preview.separator : t(separatorWord)) }, ...SEPARATORS.map(([value, word]) => ({ value: value as string, label: t(word) }))]} />
          </>
        )}
        <Select label={t("lists.headerRow")} value={reading.header_row == null ? "" : String(reading.header_row)} onChange={(value) => change({ header_row: value === "" ? null : Number(value) })}
          options={[{ value: "", label: auto(preview.header_row === null ? t("lists.noHeader") : t("lists.row", { n: preview.header_row })) }, { value: "0", label: t("lists.noHeader") },
            ...Array.from({ length: rows }, (_, n) => ({ value: String(n + 1), label: t("lists.row", { n: n + 1 }) }))]} />
        {isBook ? <Sheets preview={preview} chosen={reading.sheets ?? null} onChange={(sheets) => change({ sheets }, true)} /> : null}
      </fieldset>
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal}</p>}
      <p className="hint">{t("lists.sampleHelp")}</p>
      <div className="table-box sample" tabIndex={0} role="region" aria-label={t("lists.sample")}>
        <table className="table">
          <tbody>
            {preview.sample.slice(0, 8).map((line) => (
              <tr key={line.row} className={line.row === preview.header_row ? "is-header" : undefined}>
                <th scope="row">{line.row}{line.row === preview.header_row ? ` ${t("lists.header")}` : ""}</th>
                {line.cells.map((cell, n) => <td key={n} title={cell.length > 24 ? visible(cell) : undefined}>{visible(cell)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Step>
  );
}

/** The usual choices, and one that a person or program gave by another name. */
function options(usual: readonly string[], given: string | null | undefined): string[] {
  return given == null || usual.includes(given) ? [...usual] : [...usual, given];
}

function Sheets({ preview, chosen, onChange }: { preview: Preview; chosen: string[] | null; onChange: (sheets: string[] | null) => void }) {
  const t = useWords();
  if (preview.sheets.length < 2) return <p className="field"><span className="hint">{t("lists.sheets")}</span>{visible(preview.sheets[0]?.name ?? "–")}</p>;
  const isOn = (name: string) => chosen === null || chosen.includes(name);
  const toggle = (name: string, on: boolean) => {
    const next = preview.sheets.map((it) => it.name).filter((it) => (it === name ? on : isOn(it)));
    if (next.length > 0) onChange(next.length === preview.sheets.length ? null : next);
  };
  return (
    <fieldset className="plain">
      <legend>{t("lists.sheets")}</legend>
      <div className="line-of">{preview.sheets.map((sheet) => <Check key={sheet.name} label={sheet.is_visible ? visible(sheet.name) : t("lists.hiddenSheet", { name: visible(sheet.name) })} isOn={isOn(sheet.name)} onChange={(on) => toggle(sheet.name, on)} />)}</div>
    </fieldset>
  );
}
