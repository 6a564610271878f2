import { useState } from "react";
import { useWords } from "../words";
import { Button } from "./Button";

/** Puts a text on the clipboard. A console that is reached by plain HTTP has no `navigator.clipboard`. */
export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  // Inside an open dialog the rest of the page takes no focus.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser did not copy");
}

/** Copies a text and says so. */
export function CopyButton({ text, children, onCopied }: { text: string; children: string; onCopied?: (() => void) | undefined }) {
  const t = useWords();
  const [said, setSaid] = useState<"" | "copied" | "refused">("");
  const copy = () => void copyText(text).then(() => {
    setSaid("copied");
    onCopied?.();
  }, () => setSaid("refused"));
  return (
    <span className="action">
      <Button size="small" onClick={copy}>{children}</Button>
      <span role="status" className="sent">{said === "" ? "" : t(said === "copied" ? "kit.copied" : "kit.notCopied")}</span>
    </span>
  );
}
