import { useState } from "react";
import { address } from "../../api/call";
import type { ListDetail, UploadReport } from "../../api/words";
import { Glyph } from "../../kit/Glyph";
import { useMe } from "../../session";
import { useLanguage, useWords } from "../../words";
import { count, visible } from "../../words/format";
import { FilePick } from "./FilePick";
import { REFUSAL_REASONS, type RefusalReason } from "./data";
import { RefusedRows } from "./RefusedRows";
import { Step } from "./Step";
import { checkWords } from "./check-words";
import { reasonWord } from "./words";

type Report = NonNullable<UploadReport["report"]>;

/** Step 4: counts that add up, refused rows by reason, warnings, and the file in which the refused rows are mended. */
export function ChecksStep({ list, found, report }: { list: ListDetail; found: UploadReport; report: Report }) {
  const t = useWords();
  const language = useLanguage();
  const figures = [
    ["lists.newLeads", found.new_leads], ["lists.knownRows", found.known_rows], ["lists.newNumbers", found.new_numbers], ["lists.phones", report.phones],
    ["lists.households", report.households], ["lists.shared", found.household_shared], ["lists.dialable", report.expected_dialable],
  ] as const;
  return (
    <Step id="checks" place={4} title={t("lists.stepChecks")}>
      <p className="sum">{report.empty_rows > 0 ? t("lists.sumEmpty", { all: count(report.rows_read + report.empty_rows), leads: count(report.leads), refused: count(report.refused_rows), empty: count(report.empty_rows) }) : t("lists.sum", { read: count(report.rows_read), leads: count(report.leads), refused: count(report.refused_rows) })}</p>
      <dl className="list-figures">{figures.map(([word, n]) => <div key={word}><dt>{t(word)}</dt><dd>{count(n)}</dd></div>)}</dl>
      {found.unloaded_lists.length === 0 ? null : <p className="hint"><Glyph name="warning" /> {t("lists.otherLists", { names: found.unloaded_lists.map(visible).join(", ") })}</p>}
      {found.problem === null ? null : <p className="finding alarm" role="alert"><Glyph name="alarm" /> {visible(found.problem[language])}</p>}
      <Refused list={list} report={report} />
      <Warnings report={report} />
      {list.has_fix_file ? <Fix list={list} /> : null}
    </Step>
  );
}

function Refused({ list, report }: { list: ListDetail; report: Report }) {
  const t = useWords();
  const { rights } = useMe();
  const [open, setOpen] = useState<RefusalReason>();
  const reasons = REFUSAL_REASONS.map((reason) => [reason, report.refused[reason] ?? 0] as const).filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return <p className="done"><Glyph name="done" /> {t("lists.noneRefused")}</p>;
  return (
    <section aria-labelledby="refused-title" className="part">
      <h3 id="refused-title">{t("lists.refusedRows", { n: count(report.refused_rows) })}</h3>
      <div className="chips">
        {reasons.map(([reason, n]) => (
          <button key={reason} type="button" className="chip" aria-expanded={open === reason} aria-controls="refused-rows" onClick={() => setOpen(open === reason ? undefined : reason)}>
            {reasonWord(reason, t)} {count(n)} <span aria-hidden="true">{open === reason ? "▾" : "▸"}</span>
          </button>
        ))}
      </div>
      <div id="refused-rows">
        {open === undefined || report.refused[open] === undefined ? null : rights.has("numbers.read")
          ? <RefusedRows key={open} list={list} reason={open} /> : <p className="hint">{t("common.forbidden", { right: t("right.numbers.read") })}</p>}
      </div>
    </section>
  );
}

function Warnings({ report }: { report: Report }) {
  const t = useWords();
  const language = useLanguage();
  const blacklists = report.blacklists.filter((it) => it.hits > 0 || it.unreadable > 0);
  if (report.warnings.length + report.unread_sheets.length + blacklists.length === 0) return null;
  return (
    <section aria-labelledby="warnings-title" className="part">
      <h3 id="warnings-title">{t("lists.warnings")}</h3>
      <ul className="warnings">
        {report.warnings.map((warning, n) => {
          const { text, lang } = checkWords(warning.what, language);
          const rows = warning.rows.filter((row) => row > 0);
          return (
            <li key={n}>
              <span className="warning-ink"><Glyph name="warning" /></span> <span lang={lang === language ? undefined : lang}>{text}</span>{warning.sheet === "" ? "" : ` (${visible(warning.sheet)})`}
              {rows.length === 0 ? null : <span className="hint"> {t("lists.warningRows", { n: count(warning.count), rows: rows.map(count).join(", ") })}</span>}
            </li>
          );
        })}
        {blacklists.map((it) => <li key={it.name}><span className="warning-ink"><Glyph name="warning" /></span> {t("lists.blacklistHits", { name: it.name === "system" ? t("lists.systemBlacklist") : visible(it.name), n: count(it.hits) })}</li>)}
        {report.unread_sheets.map((it) => <li key={it.name}><span className="warning-ink"><Glyph name="warning" /></span> {t("lists.unreadSheet", { name: visible(it.name), reason: visible(it.reason) })}</li>)}
      </ul>
    </section>
  );
}

/** The refused rows as a file, and the way back for it. */
function Fix({ list }: { list: ListDetail }) {
  const t = useWords();
  const { rights } = useMe();
  const lang = useLanguage();
  if (!rights.has("numbers.read")) return <p className="hint">{t("lists.fixForbidden", { right: t("right.numbers.read") })}</p>;
  return (
    <section aria-labelledby="fix-title" className="part">
      <h3 id="fix-title">{t("lists.fix")}</h3>
      <p>{t("lists.fixHelp")}</p>
      <div className="line-of">
        <a className="button" href={address("/api/v1/lists/{id}/fix.xlsx", { id: list.id }, { lang })} download>{t("lists.fixXlsx")}</a>
        <a className="button" href={address("/api/v1/lists/{id}/fix.csv", { id: list.id }, { lang })} download>{t("lists.fixCsv")}</a>
      </div>
      <FilePick campaign={list.campaign} label={t("lists.pickMended")} help={t("lists.pickMendedHelp")} />
    </section>
  );
}
