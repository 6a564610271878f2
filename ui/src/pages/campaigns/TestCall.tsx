import { useState } from "react";
import { Button } from "../../kit/Button";
import { Dialog } from "../../kit/Dialog";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useWords } from "../../words";
import { sendCampaign } from "./CampaignActions";

/** One call to a number that is in no list. */
export function TestCall({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useWords();
  const [number, setNumber] = useState("");
  const [state, setState] = useState<"rest" | "busy" | "sent">("rest");
  const [problem, setProblem] = useState<unknown>();
  const send = () => {
    setState("busy");
    setProblem(undefined);
    sendCampaign(name, { action: "test_call", number: number.replace(/[\s-]/g, "") }).then(
      () => setState("sent"),
      (refused: unknown) => { setState("rest"); setProblem(refused); },
    );
  };
  return (
    <Dialog title={t("campaigns.testCall")} onClose={onClose} buttons={
      <>
        <Button onClick={onClose}>{t("common.close")}</Button>
        <Button kind="primary" busy={state === "busy"} refusal={number.trim() === "" ? t("entry.required") : undefined} onClick={send}>{t("campaigns.callNow")}</Button>
      </>
    }>
      <Field label={t("campaigns.testCallNumber")} type="tel" value={number} onChange={(value) => { setNumber(value); setState("rest"); }} autoFocus autoComplete="off"
        help={t("campaigns.testCallHelp")} fault={problem === undefined ? undefined : problemWords(problem, t)} />
      {state === "sent" ? <p className="sent" role="status">{t("campaigns.testCallSent")}</p> : null}
    </Dialog>
  );
}
