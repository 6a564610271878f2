import { useEffect, useRef, useState } from "react";
import { problemWords } from "../../kit/States";
import { Button } from "../../kit/Button";
import { useWords } from "../../words";

/** How long the bar stands, in ms. */
const STANDS = 10_000;

interface Props {
  children: string;
  undo: () => Promise<unknown>;
  onGone: () => void;
}

/** What was done, and the way back; it stands for 10 s, longer while the pointer or the focus is on it. */
export function UndoBar({ children, undo, onGone }: Props) {
  const t = useWords();
  const [isHeld, setHeld] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const gone = useRef(onGone);
  useEffect(() => {
    gone.current = onGone;
  });
  useEffect(() => {
    if (isHeld || busy || problem !== undefined) return;
    const timer = setTimeout(() => gone.current(), STANDS);
    return () => clearTimeout(timer);
  }, [isHeld, busy, problem]);
  const run = () => {
    setBusy(true);
    undo().then(() => gone.current(), (refused: unknown) => { setBusy(false); setProblem(refused); });
  };
  return (
    <div className="undo-bar" role="status" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)} onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}>
      <span>{children}</span>
      {problem === undefined ? <Button size="small" busy={busy} onClick={run}>{t("settings.undo")}</Button> : <span className="refusal" role="alert">{problemWords(problem, t)}</span>}
      <Button size="small" kind="plain" label={t("common.close")} onClick={onGone}>✕</Button>
    </div>
  );
}
