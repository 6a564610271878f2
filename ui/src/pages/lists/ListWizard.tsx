import "../../kit/form.css";
import "../../kit/table.css";
import "./lists.css";
import { Link, useParams } from "react-router";
import { ApiProblem } from "../../api/call";
import type { ListDetail } from "../../api/words";
import { useIsStale } from "../../frame/LiveState";
import { Glyph } from "../../kit/Glyph";
import { Pill } from "../../kit/Pill";
import { Failed, Gone, Loading } from "../../kit/States";
import { listState } from "../../states";
import { useTitle } from "../../use-title";
import { useLanguage, useWords, type PlainKey } from "../../words";
import { visible } from "../../words/format";
import { ChecksStep } from "./ChecksStep";
import { ConfirmStep } from "./ConfirmStep";
import { useList } from "./data";
import { FilePick } from "./FilePick";
import { FileStep } from "./FileStep";
import { MappingStep } from "./MappingStep";
import { ReadingStep } from "./ReadingStep";

/** `/campaigns/:name/lists/:id`: the five steps of one list. Where it stands is the service's, so that one may leave and come back. */
export default function ListWizard() {
  const t = useWords();
  const { name = "", id = "" } = useParams();
  const isNumber = /^\d{1,15}$/.test(id);
  const { data: list, error, refetch } = useList(isNumber ? Number(id) : 0);
  const isStale = useIsStale();
  useTitle(list === undefined ? t("lists.title") : visible(list.file_name));
  const isGone = !isNumber || (error instanceof ApiProblem && error.status === 404) || (list !== undefined && list.campaign !== name);
  const back = <Link to={`/campaigns/${encodeURIComponent(name)}/lists`}>{t("lists.allLists")}</Link>;
  if (isGone) return <><Gone>{t("lists.gone")}</Gone><p className="back">{back}</p></>;
  if (list === undefined) return error ? <Failed problem={error} onRetry={() => void refetch()} /> : <Loading height={480} />;
  return (
    <div className={isStale ? "lists stale" : "lists"}>
      <div className="list-head">
        {back}
        <h2>{visible(list.file_name)}</h2>
        <Pill state={listState(list)} />
      </div>
      <Steps list={list} />
      <FileStep list={list} />
      <Unreadable list={list} />
      {list.found?.preview ? (
        // Another check gives other columns: what was drafted for the former is not kept by position.
        <>
          <ReadingStep list={list} preview={list.found.preview} />
          <MappingStep key={`${list.id} ${list.found.preview.columns.join("\n")}`} list={list} found={list.found} preview={list.found.preview} />
        </>
      ) : null}
      {list.found?.report ? <ChecksStep list={list} found={list.found} report={list.found.report} /> : null}
      <ConfirmStep key={list.state} list={list} />
    </div>
  );
}

const STEPS: readonly { id: string; word: PlainKey }[] = [
  { id: "file", word: "lists.stepFile" }, { id: "reading", word: "lists.stepReading" }, { id: "mapping", word: "lists.stepMapping" },
  { id: "checks", word: "lists.stepChecks" }, { id: "confirm", word: "lists.stepConfirm" },
];

/** How far the list is: the first step that needs a person. */
function stepOf(list: ListDetail): number {
  if (list.state === "receiving" || list.state === "checking") return 0;
  if (list.state === "unreadable") return list.found?.preview ? (list.found.preview.columns.length > 1 ? 2 : 1) : 0;
  return list.state === "loaded" || list.state === "undone" ? STEPS.length : 4;
}

function Steps({ list }: { list: ListDetail }) {
  const t = useWords();
  const at = stepOf(list);
  const has = (n: number) => n === 0 || n === 4 || (n === 3 ? list.found?.report : list.found?.preview) != null;
  return (
    <nav aria-label={t("lists.steps")}>
      <ol className="step-bar">
        {STEPS.map((step, n) => (
          <li key={step.id} className={n < at ? "past" : n === at ? "now" : ""} aria-current={n === at ? "step" : undefined}>
            {n < at ? <Glyph name="done" /> : <span className="place">{n + 1}</span>}
            {has(n) ? <a href={`#${step.id}`}>{t(step.word)}</a> : <span>{t(step.word)}</span>}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Unreadable({ list }: { list: ListDetail }) {
  const t = useWords();
  const language = useLanguage();
  if (list.state !== "unreadable" || list.error === null) return null;
  return (
    <>
      <div className="finding alarm" role="alert">
        <p><Glyph name="alarm" /> {visible(list.error[language])}</p>
        <p>{t(list.found?.preview ? "lists.unreadableChoose" : "lists.unreadableSave")}</p>
      </div>
      {list.found?.preview ? null : <FilePick campaign={list.campaign} label={t("lists.pick")} help={t("lists.pickHelp")} />}
    </>
  );
}
