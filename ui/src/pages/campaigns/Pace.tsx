import "./settings/settings.css";
import { useEffect, useId, useState, type ReactNode } from "react";
import { ApiProblem } from "../../api/call";
import { applyChange, tryChange, type CampaignChange, type CampaignText, type Fields } from "../../api/campaign-rows";
import type { Mode } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { problemWords } from "../../kit/States";
import { useMe } from "../../session";
import { hasWord, useWords } from "../../words";
import { narrow } from "../../words/width";
import { adoptChange, freshText, useCampaignText } from "./data";
import { readText } from "./settings/draft";
import { Effects } from "./settings/Changes";
import { ProblemLine, valueWords } from "./settings/FieldInput";
import { fieldOf, fieldOfProblem, wordKey, type FieldSpec } from "./settings/fields";
import { fieldAt, patchOf, withField } from "./settings/patch";
import type { Value } from "./settings/toml";
import { offerUndo } from "../../kit/undo";

const KEYS = ["pacing.call_ratio", "calling.concurrency_max", "calling.calls_per_sec", "pacing.abandon_rate_pct_max"];
/** A change is tried after so long without another, in ms. */
const REST = 400;

/** Slower or faster: four limits of a running campaign, tried before they are applied, and the way back. */
export function Pace({ name, mode }: { name: string; mode: string | null }) {
  const t = useWords();
  const { rights } = useMe();
  const [isOpen, setOpen] = useState(false);
  const { data: campaign } = useCampaignText(name);
  if (!rights.has("campaigns.edit") || campaign === undefined) return null;
  const onApplied = (change: CampaignChange, before: CampaignText) => {
    setOpen(false);
    const undo = async () => adoptChange(name, await applyChange(name, { toml: before.toml }, change.etag, t("settings.undoNote", { n: change.version })));
    offerUndo(t("settings.applied", { n: change.version }), undo);
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("pace.open")}</Button>
      {isOpen ? <PaceDialog campaign={campaign} mode={mode} onApplied={onApplied} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

interface DialogProps {
  campaign: CampaignText;
  mode: string | null;
  onApplied: (change: CampaignChange, before: CampaignText) => void;
  onClose: () => void;
}

function PaceDialog({ campaign, mode, onApplied, onClose }: DialogProps) {
  const t = useWords();
  const offline = useOfflineReason();
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [trial, setTrial] = useState<{ of: string; change?: CampaignChange; problem?: unknown }>();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>();
  const fields = readText(campaign.toml).fields ?? {};
  const specs = KEYS.map(fieldOf).filter((it): it is FieldSpec => it !== undefined && (it.modes === undefined || it.modes.includes(mode as Mode)));
  const wanted = Object.entries(typed).reduce((all, [key, text]) => (text.trim() === "" ? all : withField(all, key, read(text))), fields);
  const patch = JSON.stringify(patchOf(fields, wanted));
  const isChanged = patch !== "{}";
  const { name } = campaign;
  useEffect(() => {
    if (!isChanged) return;
    const ended = new AbortController();
    const timer = setTimeout(() => {
      tryChange(name, { fields: JSON.parse(patch) as Fields }, ended.signal).then((change) => setTrial({ of: patch, change }), (problem: unknown) => {
        if (!ended.signal.aborted) setTrial({ of: patch, problem });
      });
    }, REST);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [name, patch, isChanged]);
  const tried = trial?.of === patch ? trial : undefined;
  const faults = tried?.change?.problems.filter((it) => it.level === "error").length ?? 0;
  const off = offline ?? (!isChanged ? t("settings.nothing") : tried === undefined ? t("settings.checking") : faults > 0 ? t("settings.hasFaults", { n: faults }) : undefined);
  const apply = async () => {
    setBusy(true);
    setRefusal(undefined);
    try {
      const change = await applyChange(name, { fields: JSON.parse(patch) as Fields }, campaign.etag, t("pace.note"));
      adoptChange(name, change);
      onApplied(change, campaign);
    } catch (problem) {
      setRefusal(problem);
      setBusy(false);
      if (problem instanceof ApiProblem && problem.status === 412) await freshText(name).catch(setRefusal);
    }
  };
  return (
    <Dialog title={t("pace.title")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="primary" busy={busy} refusal={off} onClick={() => void apply()}>{t("pace.apply")}</Button>
      </>
    }>
      <p className="hint">{t("pace.help")}</p>
      <div className="pace settings">
        {specs.map((spec) => (
          <Row key={spec.key} spec={spec} now={fieldAt(fields, spec.key)} text={typed[spec.key] ?? ""} onChange={(text) => setTyped({ ...typed, [spec.key]: text })}>
            {tried?.change?.problems.filter((it) => fieldOfProblem(it.key) === spec).map((it, n) => <ProblemLine key={n} problem={it} />)}
          </Row>
        ))}
      </div>
      {tried?.change?.problems.filter((it) => !specs.some((spec) => fieldOfProblem(it.key) === spec)).map((it, n) => <ProblemLine key={n} problem={it} />)}
      {isChanged && tried?.change ? <Effects effects={tried.change.effects} /> : null}
      {tried?.problem === undefined ? null : <p className="refusal" role="alert">{t("settings.notChecked", { words: problemWords(tried.problem, t) })}</p>}
      {refusal === undefined ? null : <p className="refusal" role="alert">{refusal instanceof ApiProblem && refusal.status === 412 ? t("pace.changed") : problemWords(refusal, t)}</p>}
    </Dialog>
  );
}

/** What is no number goes to the service as it is, which says so. */
function read(text: string): Value {
  const plain = narrow(text).trim();
  return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : plain;
}

function Row({ spec, now, text, onChange, children }: { spec: FieldSpec; now: Value | undefined; text: string; onChange: (text: string) => void; children: ReactNode }) {
  const t = useWords();
  const id = useId();
  const label = wordKey("f", spec.key);
  return (
    <div className="pace-row">
      <label htmlFor={id}>{hasWord(label) ? t(label) : spec.key}</label>
      <span className="hint">{t("pace.now")} {valueWords(spec, now ?? spec.default, t)}</span>
      <span aria-hidden="true">→</span>
      <input id={id} className="control" type="text" inputMode="decimal" placeholder={t("pace.same")} value={text} maxLength={12} onChange={(event) => onChange(event.target.value)} />
      <div className="below">{children}</div>
    </div>
  );
}
