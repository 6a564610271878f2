import { useRef, useState, type KeyboardEvent } from "react";
import type { Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { Pill } from "../../kit/Pill";
import { useSecond } from "../../live/clock";
import { liveSeat } from "../../live/stores";
import { secondsIn } from "../floor/seats";
import { seatState } from "../../states";
import { useAction } from "../../use-action";
import { hasWord, useLanguage, useWords, type Translate } from "../../words";
import { count, duration, visible } from "../../words/format";
import { act } from "./act";
import { ActButton, KeyButton } from "./DeskButton";
import { usePauseReasons } from "./data";
import { DESK_KEYS } from "./keys";
import { isInCall, may } from "./seat";

/** The link of the phone is slow from so many milliseconds on. */
const SLOW = 150;

/** Reasons that the service gives, and the organisation's own by their code; what a person typed is shown as it is. */
export function useReasonWords(): (reason: string) => string {
  const t = useWords();
  const language = useLanguage();
  const { data } = usePauseReasons();
  return (reason) => {
    const known = data?.items.find((it) => it.code === reason);
    const key = `floor.reason.${reason}`;
    return known ? visible(known.label[language]) : hasWord(key) ? t(key) : visible(reason);
  };
}

function quietWords(quiet: string, t: Translate): string {
  const key = `floor.quiet.${quiet}`;
  return hasWord(key) ? t(key) : quiet;
}

/** State with its time, phone, counts since sign-in; pause, lock and sign-out. */
export function TopBar({ seat, campaign, onLock }: { seat: Seat; campaign: string | undefined; onLock: () => void }) {
  const t = useWords();
  const second = useSecond();
  const reason = useReasonWords();
  const offline = useOfflineReason();
  const state = seatState(seat);
  const quiet = seat.activity === "idle" && seat.availability === "available" ? seat.quiet : null;
  const isWorking = seat.availability === "available";
  const now = () => liveSeat(seat.agent);
  return (
    <section className="desk-top" aria-label={t("desk.state")}>
      <span className="who">{visible(seat.name ?? "")} {seat.agent}</span>
      <PhoneLink seat={seat} />
      <Pill state={state} detail={duration(secondsIn(seat, second))} />
      {seat.availability === "paused" && seat.reason !== null ? <span className="second">{t("desk.pausedFor", { reason: reason(seat.reason) })}</span> : null}
      {quiet === null ? null : <span className="quiet">{t("desk.quiet", { words: quietWords(quiet, t) })}</span>}
      {campaign === undefined ? null : <span className="campaign">{visible(campaign)}</span>}
      <span className="counts">{t("desk.counts", { n: count(seat.answered), time: duration(seat.talked_secs) })}</span>
      <span className="space" />
      {seat.leaving ? <><span className="quiet">{t("desk.leaving")}</span><ActButton size="small" refusal={offline} action={() => ({ action: "ready" })} isShown={() => now()?.leaving === false}>{t("common.cancel")}</ActButton></> : null}
      {isWorking ? <Pause seat={seat} refusal={offline ?? (may(seat, "pause") ? undefined : t("desk.notNow"))} />
        : <ActButton size="small" k={DESK_KEYS.pause} kind="primary" refusal={offline ?? (may(seat, "ready") ? undefined : t("desk.notNow"))} action={() => ({ action: "ready" })} isShown={() => now()?.availability === "available"}>{t("desk.ready")}</ActButton>}
      <Button size="small" refusal={offline} onClick={onLock}>{t("desk.lock")}</Button>
      {seat.leaving ? null : <SignOut seat={seat} refusal={offline} />}
    </section>
  );
}

function PhoneLink({ seat }: { seat: Seat }) {
  const t = useWords();
  const latency = seat.phone?.latency_ms ?? null;
  const kind = seat.endpoint === "phone" ? t("endpoint.phone") : t("endpoint.telephone");
  const isGone = !seat.phone_ready || (seat.holding === "nailed_up" && !seat.leg_up);
  const isSlow = latency !== null && latency > SLOW;
  if (!seat.phone_ready) return <span className="phone gone" role="alert">⛔ {t("desk.phoneGone")}</span>;
  return <span className={isGone || isSlow ? "phone slow" : "phone"}>{isGone ? "○" : "●"} {kind}{latency === null ? "" : ` ${t("floor.latency", { n: latency })}`}{isGone ? ` · ${t("desk.legComing")}` : ""}</span>;
}

/** Pause: a reason is chosen, by mouse or by its digit. */
function Pause({ seat, refusal }: { seat: Seat; refusal: string | undefined }) {
  const t = useWords();
  const language = useLanguage();
  const { data } = usePauseReasons();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [own, setOwn] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const pause = useAction(async () => {
    await act({ action: "pause", reason });
    setOpen(false);
  }, () => liveSeat(seat.agent)?.availability === "paused");
  const items = data?.items ?? [];
  const choose = (code: string) => {
    setReason(code);
    requestAnimationFrame(() => pause.run());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || (event.target as HTMLElement).tagName === "INPUT") return;
    const item = items[Number(event.key) - 1];
    if (item) {
      event.preventDefault();
      choose(item.code);
    }
  };
  return (
    <>
      <KeyButton size="small" k={DESK_KEYS.pause} refusal={refusal} expanded={isOpen} onPress={() => setOpen(!isOpen)}>{t("desk.pause")}</KeyButton>
      {isOpen ? (
        <Dialog title={t("desk.chooseReason")} onClose={() => setOpen(false)} buttons={<Button onClick={() => setOpen(false)}>{t("common.cancel")}</Button>}>
          <div ref={list} className="reasons" role="group" tabIndex={-1} onKeyDown={onKeyDown}>
            {items.map((it, n) => <Button key={it.code} busy={pause.busy && reason === it.code} onClick={() => choose(it.code)}>{n < 9 ? <kbd>{n + 1}</kbd> : null}{visible(it.label[language])}</Button>)}
          </div>
          <form className="own-reason" onSubmit={(event) => { event.preventDefault(); if (own.trim() !== "") choose(own.trim()); }}>
            <Field label={t("desk.otherReason")} value={own} onChange={setOwn} maxLength={200} autoComplete="off" />
            <Button type="submit" refusal={own.trim() === "" ? t("entry.required") : undefined}>{t("desk.pause")}</Button>
          </form>
          {pause.refusal === undefined ? null : <p className="refusal" role="alert">{pause.refusal}</p>}
        </Dialog>
      ) : null}
    </>
  );
}

/** Between calls at once; in a call it is asked, since the shift ends with the call. */
function SignOut({ seat, refusal }: { seat: Seat; refusal: string | undefined }) {
  const t = useWords();
  const [isAsking, setAsking] = useState(false);
  const out = useAction(() => act({ action: "sign_out" }), () => { const it = liveSeat(seat.agent); return it === undefined || it.availability === "signed_out" || it.leaving; });
  const inCall = isInCall(seat) || seat.activity === "wrap_up";
  return (
    <>
      <Button size="small" refusal={refusal} busy={out.busy} onClick={() => setAsking(true)}>{t("desk.signOut")}</Button>
      {out.refusal === undefined ? null : <span className="refusal" role="alert">{out.refusal}</span>}
      {isAsking ? (
        <Dialog title={t("desk.signOut")} onClose={() => setAsking(false)} buttons={
          <>
            <Button onClick={() => setAsking(false)}>{t("common.cancel")}</Button>
            <Button kind="primary" onClick={() => { setAsking(false); out.run(); }}>{t("desk.signOut")}</Button>
          </>
        }>
          <p>{t(inCall ? "desk.signOutAfterCall" : "desk.signOutNow")}</p>
        </Dialog>
      ) : null}
    </>
  );
}

