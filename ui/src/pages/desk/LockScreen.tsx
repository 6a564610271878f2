import { useEffect, useState, type FormEvent } from "react";
import { get, newKey, post } from "../../api/call";
import type { Seat } from "../../api/words";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { queries, useMe } from "../../session";
import { useWords } from "../../words";
import { act, type AgentAction } from "./act";
import { isHeld, isInCall } from "./seat";

/** How often the seat is read while the screen is locked, in ms: the live stream of a locked session ends. */
const AGAIN = 2_000;

/** The service holds the lock: a reload does not open it. A call that is up keeps hang-up and hold. */
export function LockScreen() {
  const t = useWords();
  const { person } = useMe();
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [seat, setSeat] = useState<Seat>();
  useEffect(() => {
    const look = () => void get("/api/v1/me/seat").then(setSeat, () => undefined);
    look();
    const timer = setInterval(look, AGAIN);
    return () => clearInterval(timer);
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    post("/api/v1/me/verify", { body: { password }, key: newKey() }).then(() => location.reload(), (refused: unknown) => {
      setProblem(refused);
      setBusy(false);
    });
  };
  const send = (action: "hang_up" | "hold" | "retrieve") => void act({ action } as AgentAction).then(() => get("/api/v1/me/seat")).then(setSeat, setProblem);
  const inCall = isInCall(seat);
  return (
    <Dialog title={t("desk.locked")} onClose={() => undefined} buttons={<Button kind="primary" type="submit" form="unlock" busy={busy}>{t("desk.unlock")}</Button>}>
      <form id="unlock" className="form" onSubmit={submit}>
        <p>{t("desk.lockedHelp")}</p>
        <Field label={`${person.name} · ${t("entry.password")}`} type="password" value={password} onChange={setPassword} autoComplete="current-password" autoFocus fault={problem === undefined ? undefined : problemWords(problem, t)} />
      </form>
      {inCall && seat !== undefined ? (
        <div className="buttons locked-call">
          <span>{t("desk.lockedCall")}</span>
          <Button kind="danger" onClick={() => send("hang_up")}>{t("desk.hangUp")}</Button>
          <Button onClick={() => send(isHeld(seat) ? "retrieve" : "hold")}>{t(isHeld(seat) ? "desk.retrieve" : "desk.hold")}</Button>
        </div>
      ) : null}
    </Dialog>
  );
}

/** Reads the account again: whether its session is locked. */
export const readMeAgain = (): Promise<void> => queries.invalidateQueries({ queryKey: ["me"] });
