import { useState } from "react";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useWords } from "../../words";
import { narrow } from "../../words/width";
import { sendCampaign } from "./CampaignActions";

export interface TestCallState {
  number: string;
  setNumber: (number: string) => void;
  busy: boolean;
  isSent: boolean;
  /** The call, once the service said which it is. */
  attempt: number | undefined;
  fault: string | undefined;
  send: () => void;
}

/** A test call: one number that is in no list. */
export function useTestCall(name: string): TestCallState {
  const t = useWords();
  const [number, setNumber] = useState("");
  const [state, setState] = useState<"rest" | "busy" | "sent">("rest");
  const [attempt, setAttempt] = useState<number>();
  const [problem, setProblem] = useState<unknown>();
  const send = () => {
    setState("busy");
    setProblem(undefined);
    sendCampaign(name, { action: "test_call", number: narrow(number).replace(/[\s-]/g, "") }).then(
      (taken) => {
        setState("sent");
        setAttempt((taken as { attempt?: number | null } | undefined)?.attempt ?? undefined);
      },
      (refused: unknown) => { setState("rest"); setProblem(refused); },
    );
  };
  return {
    number, attempt, send, busy: state === "busy", isSent: state === "sent",
    setNumber: (value) => { setNumber(value); setState("rest"); },
    fault: problem === undefined ? undefined : problemWords(problem, t),
  };
}

/** One call to a number that is in no list. */
export function TestCall({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useWords();
  const test = useTestCall(name);
  return (
    <Dialog title={t("campaigns.testCall")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.close")}</Button>
        <Button kind="primary" busy={test.busy} refusal={test.number.trim() === "" ? t("entry.required") : undefined} onClick={test.send}>{t("campaigns.callNow")}</Button>
      </>
    }>
      <Field label={t("campaigns.testCallNumber")} type="tel" value={test.number} onChange={test.setNumber} autoFocus autoComplete="off" help={t("campaigns.testCallHelp")} fault={test.fault} />
      {test.isSent ? <p className="sent" role="status">{t("campaigns.testCallSent")}</p> : null}
    </Dialog>
  );
}
