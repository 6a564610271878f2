import { useEffect, useRef, useState } from "react";
import type { Seat } from "../../api/words";
import { useOfflineReason } from "../../frame/LiveState";
import { Button } from "../../kit/Button";
import { Glyph } from "../../kit/Glyph";
import { serverNow, useSecond } from "../../live/clock";
import { liveSeat } from "../../live/stores";
import { useAction } from "../../use-action";
import { useWords, type PlainKey } from "../../words";
import { duration, telephone, visible } from "../../words/format";
import { act, type AgentAction } from "./act";
import { useAnnounced } from "./announce";
import { Consult } from "./Consult";
import { ActButton, KeyButton } from "./DeskButton";
import { DESK_KEYS } from "./keys";
import { consulted, isHeld, isInCall, may, type Party } from "./seat";

/** A key that was meant for the call before must not end the new one: so long after the connect nothing hangs up, in ms. */
const JUST_CONNECTED = 800;

/** The call bar: nine fixed places, white or grey as the service allows, the parties below. */
export function CallBar({ seat }: { seat: Seat }) {
  const t = useWords();
  const offline = useOfflineReason();
  const { agent, work } = seat;
  const now = () => liveSeat(agent);
  const why = (action: string, reason: PlainKey = "desk.noCall"): string | undefined => offline ?? (may(seat, action) ? undefined : t(isInCall(seat) && reason === "desk.noCall" ? "desk.notNow" : reason));
  const held = isHeld(seat);
  // One panel below the bar at a time.
  const [panel, setPanel] = useState<"keypad" | "consult">();
  const [isPad, isConsulting] = [panel === "keypad", panel === "consult"];
  const toggle = (which: "keypad" | "consult") => setPanel(panel === which ? undefined : which);
  const close = () => setPanel(undefined);
  const party = consulted(seat);
  const isTalking = seat.activity === "talking" || seat.activity === "consulting";
  return (
    <section className="call-bar" aria-label={t("desk.callBar")}>
      <div className="acts">
        <HangUp seat={seat} refusal={why("hang_up")} />
        <ActButton k={DESK_KEYS.hold} refusal={why(held ? "retrieve" : "hold")} action={() => ({ action: held ? "retrieve" : "hold" })} isShown={() => { const it = now(); return it === undefined || isHeld(it) !== held; }}>{t(held ? "desk.retrieve" : "desk.hold")}</ActButton>
        <ActButton k={DESK_KEYS.mute} refusal={why("mute")} action={() => ({ action: "mute", on: !seat.muted })} isShown={() => now()?.muted !== seat.muted}>{t(seat.muted ? "desk.unmute" : "desk.mute")}</ActButton>
        <KeyButton k={DESK_KEYS.keypad} refusal={why("send_digits")} expanded={isPad} onPress={() => toggle("keypad")}>{t("desk.keypad")}</KeyButton>
        <KeyButton k={DESK_KEYS.consult} refusal={why("consult")} expanded={isConsulting} onPress={() => toggle("consult")}>{t("desk.consult")}</KeyButton>
        <ActButton k={DESK_KEYS.takeBack} refusal={why("cancel_consult", "desk.nobodyConsulted")} action={() => ({ action: "cancel_consult" })} isShown={() => { const it = now(); return it === undefined || consulted(it) === undefined; }}>{t("desk.takeBack")}</ActButton>
        <ActButton k={DESK_KEYS.transfer} refusal={why("transfer", "desk.notThree")} action={() => ({ action: "transfer" })} isShown={() => { const it = now(); return it?.activity !== "consulting" && it?.activity !== "talking"; }}>{t("desk.transfer")}</ActButton>
        <ActButton k={DESK_KEYS.conference} refusal={why("conference", "desk.nobodyConsulted")} action={() => ({ action: "conference" })} isShown={() => now()?.activity === "talking"}>{t("desk.conference")}</ActButton>
        <ActButton k={DESK_KEYS.record} refusal={why("record", "desk.notOnDemand")} action={() => ({ action: "record", on: work?.recording !== true })} isShown={() => now()?.work?.recording !== work?.recording}>{t(work?.recording ? "desk.recordStop" : "desk.record")}</ActButton>
        {work?.recording ? <span className="recording"><Glyph name="alarm" />{t("desk.recording")}</span> : null}
        <Said />
      </div>
      {isPad && isTalking ? <Keypad onClose={close} /> : null}
      {isConsulting && may(seat, "consult") ? <Consult seat={seat} onClose={close} /> : null}
      {(work?.parties.length ?? 0) > 2 || party !== undefined ? <PartyStrip seat={seat} /> : null}
    </section>
  );
}

function Said() {
  const { text, n } = useAnnounced();
  return <p className="said" role="status" key={n}>{text}</p>;
}

function HangUp({ seat, refusal }: { seat: Seat; refusal: string | undefined }) {
  const t = useWords();
  const connected = seat.work?.connected_at;
  const [isNew, setNew] = useState(false);
  useEffect(() => {
    if (connected === null || connected === undefined) return setNew(false);
    const left = Date.parse(connected) + JUST_CONNECTED - serverNow();
    if (left <= 0) return setNew(false);
    setNew(true);
    const timer = setTimeout(() => setNew(false), left);
    return () => clearTimeout(timer);
  }, [connected]);
  const attempt = seat.work?.attempt;
  return (
    <ActButton k={DESK_KEYS.hangUp} kind="danger" refusal={refusal ?? (isNew ? t("desk.justConnected") : undefined)} action={() => ({ action: "hang_up" })}
      isShown={() => { const it = liveSeat(seat.agent); return !isInCall(it) || it?.work?.attempt !== attempt; }}>{t("desk.hangUp")}</ActButton>
  );
}

const PAD = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

/** Digits go to the line while the keypad is open; `Esc` closes it. */
function Keypad({ onClose }: { onClose: () => void }) {
  const t = useWords();
  const [sent, setSent] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const [key, setKey] = useState("");
  const send = useAction(() => act({ action: "send_digits", keys: key } as AgentAction), () => true);
  const press = (digit: string) => {
    setKey(digit);
    setSent((before) => (before + digit).slice(-24));
  };
  const { run } = send;
  useEffect(() => {
    if (key === "") return;
    run();
    setKey("");
  }, [key, run]);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} className="keypad" role="group" aria-label={t("desk.keypad")} tabIndex={-1} onKeyDown={(event) => {
      if (event.nativeEvent.isComposing) return;
      if (event.key === "Escape") {
        event.stopPropagation();
        onClose();
      } else if (PAD.includes(event.key) && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        press(event.key);
      }
    }}>
      <output>{sent === "" ? t("desk.keypadHelp") : sent}</output>
      <div className="pad">{PAD.map((digit) => <Button key={digit} onClick={() => press(digit)}>{digit}</Button>)}</div>
      {send.refusal === undefined ? null : <span className="refusal" role="alert">{send.refusal}</span>}
      <Button size="small" onClick={onClose}>{t("common.close")}</Button>
    </div>
  );
}

/** Who is in the conversation, each with what they are doing; others than the owner can be hung up alone. */
function PartyStrip({ seat }: { seat: Seat }) {
  const t = useWords();
  const second = useSecond();
  const since = Math.max(0, second - Date.parse(seat.since) / 1000);
  const others = (seat.work?.parties ?? []).filter((party) => !(party.kind === "agent" && party.agent === seat.agent));
  const name = (party: Party) => party.agent !== null ? visible(party.agent) : party.number === null ? t("desk.hiddenNumber") : telephone(party.number);
  const doing = (party: Party) => {
    if (party.kind === "supervisor") return t("desk.partySupervisor");
    if (party.kind === "consulted") return !party.up ? t("desk.partyRinging") : seat.activity === "consulting" ? t("desk.partyConsulted", { t: duration(since) }) : t("desk.partyJoined");
    return party.held ? t("desk.partyHeld") : seat.activity === "consulting" ? t("desk.partyWaits") : t("desk.partyTalking");
  };
  return (
    <ul className="parties" aria-label={t("desk.parties")}>
      {others.map((party) => (
        <li key={party.leg}>
          <span>{name(party)}</span><span className="second">{doing(party)}</span>
          {party.kind === "consulted" && may(seat, "cancel_consult") ? (
            <ActButton size="small" refusal={undefined} action={() => ({ action: "hang_up", leg: party.leg })} isShown={() => liveSeat(seat.agent)?.work?.parties.every((it) => it.leg !== party.leg) ?? true}>{t("desk.hangUp")}</ActButton>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

