import "./undo.css";
import { useEffect, useState } from "react";
import { useWords } from "../words";
import { Button } from "./Button";
import { problemWords } from "./States";
import { closeUndo, UNDO_FOR, useUndoOffer, type UndoOffer } from "./undo";

/** What was done last and its undo; stands on the page and in each drawer, of which the topmost shows it. */
export function UndoBar() {
  const offer = useUndoOffer();
  return offer === undefined ? null : <Bar key={offer.id} offer={offer} />;
}

function Bar({ offer }: { offer: UndoOffer }) {
  const t = useWords();
  const [isHeld, setHeld] = useState(false);
  const [state, setState] = useState<{ phase: "offered" | "busy" | "undone"; problem?: unknown }>({ phase: "offered" });
  useEffect(() => {
    if (isHeld || state.phase === "busy" || state.problem !== undefined) return;
    const timer = setTimeout(() => closeUndo(offer), UNDO_FOR);
    return () => clearTimeout(timer);
  }, [offer, isHeld, state]);
  const undo = () => {
    setState({ phase: "busy" });
    offer.undo?.().then(() => setState({ phase: "undone" }), (problem: unknown) => setState({ phase: "offered", problem }));
  };
  return (
    <div className="undo-bar" role="status" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)} onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}>
      <span>{state.phase === "undone" ? t("kit.undone") : offer.words}</span>
      {state.problem === undefined ? null : <span className="refusal">{problemWords(state.problem, t)}</span>}
      {offer.undo === undefined || state.phase === "undone" ? null : <Button size="small" busy={state.phase === "busy"} onClick={undo}>{t("kit.undo")}</Button>}
      <Button kind="plain" size="small" label={t("common.close")} onClick={() => closeUndo(offer)}>✕</Button>
    </div>
  );
}
