import { useEffect, useRef } from "react";
import { useWords } from "../words";
import { Button } from "./Button";

interface Props {
  onMore: () => void;
  busy?: boolean;
}

/** The end of a list that goes on: loads when it comes into view, and by its button. */
export function More({ onMore, busy = false }: Props) {
  const t = useWords();
  const end = useRef<HTMLDivElement>(null);
  const latest = useRef({ onMore, busy });
  useEffect(() => {
    latest.current = { onMore, busy };
  });
  useEffect(() => {
    if (!end.current) return;
    const seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting) && !latest.current.busy) latest.current.onMore();
    }, { rootMargin: "400px" });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [busy]);
  return <div ref={end} className="more"><Button kind="link" busy={busy} onClick={onMore}>{t("kit.more")}</Button></div>;
}
