import { lazy, Suspense, useState } from "react";
import { Button } from "../../kit/Button";
import { useMe } from "../../session";
import { useWords } from "../../words";
import type { Wish } from "./data";

const ExportDialog = lazy(async () => ({ default: (await import("./ExportDialog")).ExportDialog }));

/** Asks for the rows of a page as a file, under the page's filters. Without the right there is no button. */
export function ExportButton({ what, filters }: Wish) {
  const t = useWords();
  const { rights } = useMe();
  const [isOpen, setOpen] = useState(false);
  if (!rights.has("exports.make")) return null;
  return (
    <>
      <Button size="small" popup="dialog" onClick={() => setOpen(true)}>{t("exports.export")}</Button>
      {isOpen ? <Suspense><ExportDialog wish={{ what, filters }} onClose={() => setOpen(false)} /></Suspense> : null}
    </>
  );
}
