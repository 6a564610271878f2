import { useEffect } from "react";
import { useBlocker } from "react-router";
import { useWords } from "../words";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

/** Asks before a page with unsaved changes is left. With `onDrop` the tab keeps them, unless they are dropped. */
export function LeaveAsk({ changes, onDrop }: { changes: number; onDrop?: () => void }) {
  const t = useWords();
  const isDirty = changes > 0;
  const blocker = useBlocker(({ currentLocation, nextLocation }) => isDirty && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    if (!isDirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isDirty]);
  if (blocker.state !== "blocked") return null;
  return (
    <Dialog title={t("kit.leave")} onClose={blocker.reset} buttons={
      <>
        <Button onClick={blocker.reset}>{t("kit.stay")}</Button>
        <Button kind="danger" onClick={() => { onDrop?.(); blocker.proceed(); }}>{t("kit.leaveDrop")}</Button>
        {onDrop === undefined ? null : <Button kind="primary" onClick={blocker.proceed}>{t("settings.leaveKeep")}</Button>}
      </>
    }>
      <p>{t(onDrop === undefined ? "kit.leaveAsk" : "settings.leaveAsk", { n: changes })}</p>
    </Dialog>
  );
}
