import { useState } from "react";
import { newKey, post } from "../../api/call";
import type { Lead, Schemas, Seat } from "../../api/words";
import { Button } from "../../kit/Button";
import { Radios } from "../../kit/Check";
import { Field } from "../../kit/Field";
import { problemWords } from "../../kit/States";
import { useWords } from "../../words";
import { narrow } from "../../words/width";
import { readCardAgain } from "./data";
import { hint } from "./hints";

type Kind = "phone" | "name" | "add";

/** Correcting the owner: a number that is wrong, a name that is wrong, or a further number of the same flat. What the list said stays. */
export function Correct({ lead, seat, onDone }: { lead: Lead; seat: Seat; onDone: () => void }) {
  const t = useWords();
  const [kind, setKind] = useState<Kind>("phone");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const attempt = seat.work?.attempt ?? null;
  const was = seat.work?.number ?? lead.phones[0]?.number ?? null;
  // A masked number is no number that the service could find.
  const isMasked = was?.includes("*") ?? true;
  const value = kind === "name" ? text.trim() : narrow(text).trim();
  const body = (): Schemas["CorrectionRequest"] => {
    const of = attempt === null ? {} : { attempt };
    const asked = kind === "name" ? { name: value, ...of } : kind === "add" || was === null ? { phone: value, ...of } : { phone: value, was, ...of };
    return asked as Schemas["CorrectionRequest"];
  };
  const save = () => {
    setBusy(true);
    post("/api/v1/leads/{id}/corrections", { path: { id: lead.id }, body: body(), key: newKey() }).then(() => {
      void readCardAgain(lead.id);
      hint(kind);
      onDone();
    }, (refused: unknown) => {
      setProblem(refused);
      setBusy(false);
    });
  };
  const options = [
    ...(isMasked ? [] : [{ value: "phone" as const, label: t("desk.correctPhone") }]),
    { value: "name" as const, label: t("desk.correctName") },
    { value: "add" as const, label: t("desk.correctAdd") },
  ];
  const chosen = isMasked && kind === "phone" ? "name" : kind;
  return (
    <form className="correct" onSubmit={(event) => { event.preventDefault(); if (value !== "" && !busy) save(); }}
      onKeyDown={(event) => { if (event.key === "Escape" && !event.nativeEvent.isComposing) { event.stopPropagation(); onDone(); } }}>
      <Radios legend={t("desk.correctWhat")} value={chosen} options={options} onChange={(next) => { setKind(next); setText(""); setProblem(undefined); }} />
      <Field label={t(chosen === "name" ? "desk.newName" : chosen === "phone" ? "desk.newNumber" : "desk.furtherNumber")} value={text} onChange={setText} autoFocus autoComplete="off" maxLength={chosen === "name" ? 128 : 20}
        type={chosen === "name" ? "text" : "tel"} help={t(chosen === "phone" ? "desk.correctPhoneHelp" : chosen === "name" ? "desk.correctNameHelp" : "desk.correctAddHelp")}
        fault={problem === undefined ? undefined : problemWords(problem, t)} />
      <div className="buttons">
        <Button onClick={onDone}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={busy} refusal={value === "" ? t("entry.required") : undefined}>{t("desk.saveCorrection")}</Button>
      </div>
    </form>
  );
}
