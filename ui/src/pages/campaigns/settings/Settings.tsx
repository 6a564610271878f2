import "../../../kit/form.css";
import "./settings.css";
import { useEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { ApiProblem } from "../../../api/call";
import { applyChange, type CampaignText, type TextProblem } from "../../../api/campaign-rows";
import { Button } from "../../../kit/Button";
import { LeaveAsk } from "../../../kit/LeaveAsk";
import { Failed, Gone, Loading, problemWords } from "../../../kit/States";
import { TextEditor, type TextEditorHandle } from "../../../kit/TextEditor";
import { offerUndo } from "../../../kit/undo";
import { serverNow } from "../../../live/clock";
import { useMe } from "../../../session";
import { useSearch } from "../../../use-search";
import { useLanguage, useWords } from "../../../words";
import { moment } from "../../../words/format";
import { usePersonName } from "../../audio/person-name";
import { adoptChange, isGone, useCampaignText } from "../data";
import { Changes } from "./Changes";
import { changesOf } from "./draft";
import { fieldOfProblem, keyAtLine } from "./fields";
import { FormView } from "./FormView";
import { SettingsBar } from "./SettingsBar";
import { ThreeWay } from "./ThreeWay";
import { useDraft, type SettingsDraft } from "./use-draft";

/** `/campaigns/:name/settings`: form and TOML as two views of one text. */
export default function Settings() {
  const t = useWords();
  const { name = "" } = useParams();
  const { data: campaign, error, refetch } = useCampaignText(name, true);
  if (isGone(error) && campaign === undefined) return <Gone>{t("common.goneCampaign", { name })}</Gone>;
  if (campaign === undefined) return error ? <div className="card"><Failed problem={error} onRetry={() => void refetch()} /></div> : <Loading height={640} />;
  return <Editor key={name} campaign={campaign} />;
}

/** What an apply left behind: the way back, or a refusal. */
interface Applied {
  version: number;
  /** The text before, and the etag that its return needs. */
  before: { toml: string; version: number; etag: string };
}

function Editor({ campaign }: { campaign: CampaignText }) {
  const t = useWords();
  const mayEdit = useMe().rights.has("campaigns.edit");
  const [search, set] = useSearch();
  const language = useLanguage();
  const isText = search.get("view") === "toml";
  const it = useDraft(campaign);
  const [undone, setUndone] = useState<number>();
  const [refusal, setRefusal] = useState<unknown>();
  const [isMerging, setMerging] = useState(false);
  const editor = useRef<TextEditorHandle>(null);
  const [wantedLine, setWantedLine] = useState<number>();
  useEffect(() => {
    if (wantedLine === undefined || !isText) return;
    editor.current?.goTo(wantedLine);
    setWantedLine(undefined);
  }, [wantedLine, isText]);

  const apply = async (note: string) => {
    setRefusal(undefined);
    const before = it.draft?.base;
    try {
      const change = await it.apply(note);
      setUndone(undefined);
      if (before) {
        const applied = { version: change.version, before: { toml: before.toml, version: before.version, etag: change.etag } };
        offerUndo(t("settings.applied", { n: change.version }), () => undo(applied));
      }
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.status === 412) setMerging(true);
      else setRefusal(problem);
    }
  };
  const undo = async ({ version, before }: Applied) => {
    const change = await applyChange(campaign.name, { toml: before.toml }, before.etag, t("settings.undoNote", { n: version }));
    adoptChange(campaign.name, change);
    setUndone(before.version);
  };
  const show = (problem: TextProblem) => {
    const field = fieldOfProblem(problem.key);
    if (!isText && field !== undefined) {
      const place = document.getElementById(`setting-${field.key}`);
      place?.scrollIntoView({ block: "center" });
      place?.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
    } else if (problem.line !== null) {
      set({ view: "toml" });
      setWantedLine(problem.line);
    }
  };
  const { trial } = it;
  const problems = trial?.problems.map((problem) => (problem.key === null && problem.line !== null ? { ...problem, key: keyAtLine(trial.toml, problem.line) } : problem)) ?? faultsOf(refusal);
  const marks = problems.flatMap((problem) => (problem.line === null ? [] : [{ line: problem.line, level: problem.level, words: problem.found[language] }]));
  if (isMerging && it.draft && it.isOvertaken) {
    return (
      <div className="settings">
        <ThreeWay key={campaign.etag} draft={it.draft} present={campaign} onClose={() => setMerging(false)} onUse={(text) => { it.rebase(text); setMerging(false); }} />
        <LeaveAsk changes={changesOf(it.draft)} onDrop={it.drop} />
      </div>
    );
  }
  return (
    <>
      <SettingsBar campaign={campaign} it={it} isText={isText} mayEdit={mayEdit} onApply={apply} onReplace={(text) => { it.setText(text); set({ view: "toml" }); }} />
      <div className="settings">
        <Notices campaign={campaign} it={it} isText={isText} mayEdit={mayEdit} undone={undone} onCompare={() => setMerging(true)} onText={() => set({ view: "toml" })} />
        {refusal === undefined ? null : <p className="summary-fault" role="alert">{problemWords(refusal, t)}</p>}
        {it.trial === undefined ? null : <Changes trial={{ ...it.trial, problems }} onProblem={show} />}
        {isText ? <TextEditor ref={editor} label={t("settings.editor")} text={it.text} marks={marks} onChange={mayEdit ? it.setText : undefined} />
          : it.fields === undefined ? null : <FormView campaign={campaign} fields={it.fields} baseFields={it.baseFields} problems={problems} onChange={mayEdit ? it.setFields : undefined} />}
      </div>
      {mayEdit ? <LeaveAsk changes={it.draft === undefined ? 0 : changesOf(it.draft)} onDrop={it.drop} /> : null}
    </>
  );
}

/** Faults of a refused apply, in the shape of a trial's. */
function faultsOf(refusal: unknown): TextProblem[] {
  if (!(refusal instanceof ApiProblem)) return [];
  return (refusal.problem?.errors ?? []).map((it) => ({ key: it.at.replace(/^\//, "").replace(/\//g, "."), line: null, found: it.words, advice: { en: "", zh: "" }, level: "error" as const }));
}

interface NoticeProps {
  campaign: CampaignText;
  it: SettingsDraft;
  isText: boolean;
  mayEdit: boolean;
  undone: number | undefined;
  onCompare: () => void;
  onText: () => void;
}

/** What a reader has to know before the fields. */
function Notices({ campaign, it, isText, mayEdit, undone, onCompare, onText }: NoticeProps) {
  const t = useWords();
  const person = usePersonName();
  return (
    <>
      {!it.isOvertaken ? null : (
        <p className="notice" role="alert">
          {t("settings.others", { n: campaign.version, who: campaign.changed_by === null ? t("settings.nobody") : person(campaign.changed_by), at: moment(new Date(campaign.changed_at), new Date(serverNow())) })}
          <Button size="small" onClick={onCompare}>{t("settings.compare")}</Button>
        </p>
      )}
      {it.wasKept ? <p className="notice plain" role="status">{t("settings.draftKept")}</p> : null}
      {undone === undefined ? null : <p className="notice plain" role="status">{t("settings.undone", { n: undone })}</p>}
      {mayEdit ? null : <p className="notice plain">{t("settings.readOnly")}</p>}
      {campaign.source === "file" && mayEdit ? <p className="hint">{t("settings.fromFile")}</p> : null}
      {it.trialProblem === undefined ? null : <p className="notice" role="alert">{t("settings.notChecked", { words: problemWords(it.trialProblem, t) })}</p>}
      {it.fault === undefined || isText ? null : (
        <p className="notice" role="alert">{t("settings.textFault", { line: it.fault.line, found: it.fault.message })}<Button size="small" onClick={onText}>{t("settings.toText")}</Button></p>
      )}
    </>
  );
}
