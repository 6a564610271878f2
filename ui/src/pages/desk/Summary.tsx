import { useEffect, useRef, useState } from "react";
import type { Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { keyName, type Key } from "../../keys/keys";
import { useKey } from "../../keys/use-key";
import { Button } from "../../kit/Button";
import { Check } from "../../kit/Check";
import { TextArea } from "../../kit/Select";
import { useSecond } from "../../live/clock";
import { liveSeat } from "../../live/stores";
import { LEAD_STATES } from "../../states";
import { useAction } from "../../use-action";
import { useLanguage, useWords } from "../../words";
import { duration, visible } from "../../words/format";
import { act, type AgentAction } from "./act";
import { announce } from "./announce";
import { Callback } from "./Callback";
import { usePauseReasons } from "./data";
import { ActButton, KeyButton } from "./DeskButton";
import { dropDraft, keepDraft, keptDraft, type Draft } from "./draft";
import { hint, useHint } from "./hints";
import { DESK_KEYS, DIGITS } from "./keys";
import { grouped, may, workKey, type Workplace } from "./seat";
import { inZone } from "./zone";

const NOTE_MAX = 4_000;

/** The summary of the call: kept as a draft over a reload, saved while talking or in the wrap-up. */
export function Summary({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  const key = workKey(seat);
  return key === undefined ? null : <SummaryOf key={key} of={key} seat={seat} workplace={workplace} />;
}

function SummaryOf({ of, seat, workplace }: { of: string; seat: Seat; workplace: Workplace | undefined }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [draft, setDraft] = useState<Draft>(() => keptDraft(of));
  const [isMissing, setMissing] = useState(false);
  const box = useRef<HTMLElement>(null);
  const hinted = useHint();
  useEffect(() => () => hint(undefined), []);
  const change = (fields: Partial<Draft>) => {
    const next = { ...draft, ...fields };
    setDraft(next);
    keepDraft(of, next);
    if (fields.disposition) setMissing(false);
  };
  const zone = workplace?.timezone ?? "Asia/Shanghai";
  const groups = grouped(workplace);
  const order = groups.flatMap((it) => it.dispositions);
  const at = draft.day === "" || draft.time === "" ? undefined : inZone(draft.day, draft.time, zone);
  const save = useAction(async () => {
    // The pause comes first: between the summary and the pause a call could be put through.
    if (draft.pause !== "") await act({ action: "pause", reason: draft.pause });
    await act({
      action: "summarise", disposition: draft.disposition, note: draft.note.slice(0, NOTE_MAX),
      ...(at === undefined ? {} : { callback: { at: at.toISOString(), own: draft.own } }),
    } as AgentAction);
    if (liveSeat(seat.agent)?.activity !== "talking") dropDraft(of);
    announce(draft.pause === "" ? t("desk.saved") : t("desk.savedPaused"));
  }, () => { const now = liveSeat(seat.agent); return now === undefined || workKey(now) !== of || now.work?.summary !== null; });
  const isDone = seat.work?.summary !== null && seat.work?.summary !== undefined;
  const mayDo = may(seat, "summarise");
  const onSave = () => {
    if (!mayDo || save.busy) return announce(t("desk.nothingToSummarise"));
    if (draft.disposition === "" && order.length > 0) {
      setMissing(true);
      return announce(t("desk.summaryMissing"));
    }
    save.run();
  };
  useKey(DESK_KEYS.save, onSave);
  useKey(DESK_KEYS.summary, () => box.current?.focus());
  return (
    <section ref={box} tabIndex={-1} className="card summary" aria-label={t("desk.summary")}>
      <header><h2>{t("desk.summary")}</h2>{isDone ? <span className="ok">{t("desk.summaryGiven")}</span> : null}</header>
      <div className="body form">
        {hinted === undefined ? null : <p className="hint warn">{t(hinted === "phone" ? "desk.hintPhone" : hinted === "add" ? "desk.hintAdd" : "desk.hintName")}</p>}
        <div className={isMissing ? "dispositions missing" : "dispositions"} role="radiogroup" aria-label={t("desk.disposition")} aria-invalid={isMissing || undefined}>
          {isMissing ? <p className="refusal" role="alert">{t("desk.summaryMissing")}</p> : null}
          {order.length === 0 ? <p className="hint">{t("desk.noDispositions")}</p> : null}
          {groups.map((group) => (
            <div key={group.state} className="level">
              <span className="state">{t(LEAD_STATES[group.state as keyof typeof LEAD_STATES].word)}</span>
              <div className="codes">
                {group.dispositions.map((it) => (
                  <Code key={it.code} k={DIGITS[order.indexOf(it)]} label={visible(it.label)} isOn={draft.disposition === it.code}
                    isOffered={(hinted === "phone" && it.wrong_number)} onChoose={() => change({ disposition: it.code })} />
                ))}
              </div>
            </div>
          ))}
        </div>
        <TextArea label={t("desk.note")} rows={3} value={draft.note} onChange={(note) => change({ note: note.slice(0, NOTE_MAX) })} />
        <Callback draft={draft} onChange={change} workplace={workplace} at={at} />
        <PauseAfter draft={draft} onChange={change} />
        {save.refusal === undefined ? null : <p className="refusal" role="alert">{save.refusal}</p>}
      </div>
      <div className="foot">
        <div className="buttons">
          <Button kind="primary" keys={keyName(DESK_KEYS.save)} busy={save.busy} refusal={offline ?? (mayDo ? undefined : t("desk.nothingToSummarise"))} onClick={onSave}>{t("desk.save")}<kbd>{keyName(DESK_KEYS.save)}</kbd></Button>
        </div>
        {seat.activity === "wrap_up" ? <WrapUp seat={seat} workplace={workplace} /> : null}
      </div>
    </section>
  );
}

function Code({ k, label, isOn, isOffered, onChoose }: { k: Key | undefined; label: string; isOn: boolean; isOffered: boolean; onChoose: () => void }) {
  useKey(k ?? { code: "" }, onChoose);
  return (
    <button type="button" role="radio" aria-checked={isOn} className={isOffered ? "code offered" : "code"} aria-keyshortcuts={k === undefined ? undefined : keyName(k)} onClick={onChoose}>
      {k === undefined ? null : <kbd>{k.code.replace("Digit", "")}</kbd>}{label}
    </button>
  );
}

/** Pausing once the summary is saved. */
function PauseAfter({ draft, onChange }: { draft: Draft; onChange: (fields: Partial<Draft>) => void }) {
  const t = useWords();
  const language = useLanguage();
  const { data } = usePauseReasons();
  const items = data?.items ?? [];
  return (
    <div className="pause-after">
      <Check label={t("desk.pauseAfter")} isOn={draft.pause !== ""} onChange={(isOn) => onChange({ pause: isOn ? (items[0]?.code ?? "") : "" })} />
      {draft.pause === "" ? null : (
        <select className="select" aria-label={t("desk.chooseReason")} value={draft.pause} onChange={(event) => onChange({ pause: event.target.value })}>
          {items.map((it) => <option key={it.code} value={it.code}>{it.label[language]}</option>)}
        </select>
      )}
    </div>
  );
}

/** The time that is left, what is noted then, and how to have more of it or none. */
function WrapUp({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  const t = useWords();
  const second = useSecond();
  const offline = useOfflineReason();
  const left = seat.until === null ? undefined : Math.max(0, Math.ceil(Date.parse(seat.until) / 1000 - second));
  const fallback = workplace?.dispositions.find((it) => it.code === workplace.disposition_default);
  const talked = seat.work?.connected_at !== null;
  const required = workplace?.disposition_required === true && talked;
  const until = seat.until;
  return (
    <footer className="wrap-up">
      <span>{t("desk.wrapUp")} {left === undefined ? "" : duration(left)}</span>
      <ActButton size="small" k={DESK_KEYS.extend} refusal={offline} action={() => ({ action: "extend" })} isShown={() => liveSeat(seat.agent)?.until !== until}>{t("desk.extend", { n: workplace?.wrap_up_secs ?? 10 })}</ActButton>
      <KeyButtonNext seat={seat} refusal={offline ?? (required ? t("problem.summary_missing") : undefined)} />
      {required && fallback && left !== undefined ? <p className="hint">{t("desk.defaultIn", { n: left, label: visible(fallback.label) })}</p> : null}
    </footer>
  );
}

function KeyButtonNext({ seat, refusal }: { seat: Seat; refusal: string | undefined }) {
  const t = useWords();
  const next = useAction(() => act({ action: "next" }), () => liveSeat(seat.agent)?.activity !== "wrap_up");
  return (
    <>
      <KeyButton size="small" k={DESK_KEYS.next} refusal={refusal} busy={next.busy} onPress={next.run}>{t("desk.next")}</KeyButton>
      {next.refusal === undefined ? null : <span className="refusal" role="alert">{next.refusal}</span>}
    </>
  );
}

