import { useEffect } from "react";
import { useBlocker } from "react-router";
import { useWords } from "../words";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

/** Asks before a page with unsaved changes is left. */
export function LeaveAsk({ changes }: { changes: number }) {
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
        <Button kind="danger" onClick={blocker.proceed}>{t("kit.leaveDrop")}</Button>
      </>
    }>
      <p>{t("kit.leaveAsk", { n: changes })}</p>
    </Dialog>
  );
}
