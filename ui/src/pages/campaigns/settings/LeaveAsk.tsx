import { useEffect } from "react";
import { useBlocker } from "react-router";
import { Button } from "../../../kit/Button";
import { Dialog } from "../../../kit/Dialog";
import { useWords } from "../../../words";

/** Asks before a page with unapplied changes is left; the tab keeps them either way, unless they are dropped. */
export function LeaveAsk({ changes, onDrop }: { changes: number; onDrop: () => void }) {
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
    <Dialog title={t("settings.leave")} onClose={blocker.reset} buttons={
      <>
        <Button onClick={blocker.reset}>{t("settings.stay")}</Button>
        <Button kind="danger" onClick={() => { onDrop(); blocker.proceed(); }}>{t("settings.leaveDrop")}</Button>
        <Button kind="primary" onClick={blocker.proceed}>{t("settings.leaveKeep")}</Button>
      </>
    }>
      <p>{t("settings.leaveAsk", { n: changes })}</p>
    </Dialog>
  );
}
