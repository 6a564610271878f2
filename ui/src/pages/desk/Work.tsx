import { useState, type FormEvent } from "react";
import type { Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Choice, Field } from "../../kit/Field";
import { useSecond } from "../../live/clock";
import { liveSeat } from "../../live/stores";
import { secondsIn } from "../floor/seats";
import { useKey } from "../../keys/use-key";
import { useAction } from "../../use-action";
import { useLanguage, useWords } from "../../words";
import { duration, visible } from "../../words/format";
import { narrow } from "../../words/width";
import { act, type AgentAction } from "./act";
import { ActButton } from "./DeskButton";
import { DESK_KEYS } from "./keys";
import { LastCall } from "./LastCall";
import { isPreview, may, ownCallStep, type Workplace } from "./seat";

/** What stands above the card: the preview's countdown, the steps of an own call, or the wait for the next person. */
export function WorkLine({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  if (isPreview(seat)) return <PreviewLine seat={seat} />;
  const step = ownCallStep(seat);
  if (step === 0 || step === 1) return <Steps step={step} />;
  if (seat.work === null && seat.activity === "idle") return <Waiting seat={seat} workplace={workplace} />;
  return null;
}

/** A lead is shown before it is called: dial, or another; with a countdown it is dialled by itself. */
function PreviewLine({ seat }: { seat: Seat }) {
  const t = useWords();
  const second = useSecond();
  const offline = useOfflineReason();
  const { agent, until } = seat;
  const lead = seat.work?.lead;
  const left = until === null ? undefined : Math.max(0, Math.ceil(Date.parse(until) / 1000 - second));
  const isOther = () => { const now = liveSeat(agent); return now === undefined || !isPreview(now) || now.work?.lead !== lead; };
  return (
    <div className="work-line preview">
      <strong>{left === undefined ? t("desk.previewClick") : t("desk.dialsIn", { n: left })}</strong>
      <ActButton k={DESK_KEYS.dial} kind="primary" refusal={offline ?? (may(seat, "dial") ? undefined : t("desk.notNow"))} action={() => ({ action: "dial" })} isShown={isOther}>{t(left === undefined ? "desk.dial" : "desk.dialNow")}</ActButton>
      {left === undefined ? null : <ActButton k={DESK_KEYS.extend} refusal={offline} action={() => ({ action: "extend" })} isShown={() => liveSeat(agent)?.until !== until}>{t("desk.moreTime")}</ActButton>}
      <ActButton k={DESK_KEYS.skip} refusal={offline ?? (may(seat, "skip") ? undefined : t("desk.notNow"))} action={() => ({ action: "skip" })} isShown={isOther}>{t("desk.skip")}</ActButton>
    </div>
  );
}

const STEPS = ["desk.step0", "desk.step1", "desk.step2"] as const;

/** Agent first: the agent's phone rings, then the owner is called, then they talk. */
function Steps({ step }: { step: 0 | 1 }) {
  const t = useWords();
  return <ol className="work-line steps">{STEPS.map((key, n) => <li key={key} aria-current={n === step ? "step" : undefined}>{t(key)}</li>)}</ol>;
}

function Waiting({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  const t = useWords();
  const language = useLanguage();
  const second = useSecond();
  const isReady = seat.availability === "available" && seat.quiet === null;
  return (
    <section className="card waiting">
      <div className="body">
        <h1>{isReady ? t("desk.waiting", { t: duration(secondsIn(seat, second)) }) : t(seat.availability === "paused" ? "desk.pausedTitle" : "desk.quietTitle")}</h1>
        <p className="hint">{isReady ? t("desk.waitingHelp") : t(seat.availability === "paused" ? "desk.pausedHelp" : "desk.quietHelp")}</p>
        {seat.refused_words === null ? null : <p className="refusal" role="alert">{t("desk.lastRefused", { why: seat.refused_words[language] })}</p>}
        <LastCall seat={seat} />
        <OwnCall seat={seat} workplace={workplace} />
      </div>
    </section>
  );
}

/** A number is dialled by hand: the agent's own phone first. */
export function OwnCall({ seat, workplace }: { seat: Seat; workplace: Workplace | undefined }) {
  const t = useWords();
  const offline = useOfflineReason();
  const [isOpen, setOpen] = useState(false);
  const [number, setNumber] = useState("");
  useKey(DESK_KEYS.call, () => setOpen(true));
  const call = useAction(() => act({ action: "call", campaign: workplace?.name ?? "", number: narrow(number).trim() } as AgentAction), () => { const now = liveSeat(seat.agent); return now === undefined || now.work !== null || now.refused !== null; });
  if (workplace === undefined) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (number.trim() !== "") call.run();
  };
  if (!isOpen) return <Button size="small" kind="link" keys="Alt+O" onClick={() => setOpen(true)}>{t("desk.manual")} <kbd>Alt+O</kbd></Button>;
  return (
    <form className="own-call" onSubmit={submit} onKeyDown={(event) => { if (event.key === "Escape" && !event.nativeEvent.isComposing) setOpen(false); }}>
      <Field label={t("desk.manualNumber", { campaign: visible(workplace.title || workplace.name) })} type="tel" value={number} onChange={setNumber} autoFocus autoComplete="off" maxLength={20} fault={call.refusal} />
      <Button type="submit" busy={call.busy} refusal={offline ?? (may(seat, "call") ? undefined : t("desk.notNow"))}>{t("desk.dialNumber")}</Button>
    </form>
  );
}

/** Which campaign the lists and own calls are of, where the agent works in several. */
export function CampaignChoice({ all, value, onChange }: { all: readonly Workplace[]; value: string; onChange: (name: string) => void }) {
  const t = useWords();
  if (all.length < 2) return null;
  return <Choice label={t("desk.campaign")} value={value} onChange={onChange} options={all.map((it) => ({ value: it.name, label: visible(it.title || it.name) }))} />;
}
